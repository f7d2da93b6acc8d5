"""How a service of the virtual NAO is written: which methods it offers, what it refuses, what takes time.

Both hosts (`qi_host.py` on libqi, `session.py` in process) read the marks made here and nothing else, so
a service is a plain class that knows no transport, and a call means the same whichever way it comes.
"""

import inspect
import math
import threading
from typing import NamedTuple


class Refused(Exception):
    """What NAO would refuse; the text says why. `VirtualNAO.call` puts NAOqi's `Class::method` before it."""


class Offer(NamedTuple):
    """One method that clients may call.

    arities   the numbers of arguments it takes; libqi needs one overload for each
    returns   libqi's signature of the result, "m" where libqi may look for itself
    takes     libqi's signatures of the arguments, None for "m" each
    counted   it is called many times a second: the diary counts it and writes no line
    """

    method: str
    arities: tuple[int, ...]
    returns: str
    takes: tuple[str, ...] | None
    counted: bool


def offered(method=None, *, arities=None, returns="m", takes=None, counted=False):
    """Mark a method of a service as one that clients may call; see Offer. Its parameters give its arities."""

    def mark(function):
        parameters = list(inspect.signature(function).parameters.values())[1:]
        needed = sum(parameter.default is parameter.empty for parameter in parameters)
        counts = arities or tuple(range(needed, len(parameters) + 1))
        function.offer = Offer(function.__name__, counts, returns, takes, counted)
        return function

    return mark if method is None else mark(method)


class Service:
    """One of NAOqi's services.

    name      NAOqi's
    nao       the VirtualNAO whose part it is
    offers    {method: Offer} of what clients may call
    """

    name = ""

    def __init__(self, nao):
        self.nao = nao
        self.lock = nao.lock
        members = inspect.getmembers(type(self), inspect.isfunction)
        self.offers = {name: member.offer for name, member in members if hasattr(member, "offer")}

    @property
    def now_s(self) -> float:
        """The time by which this service lives, for the diary."""
        return self.nao.lived_s

    @offered
    def ping(self):
        """True, as every module of NAOqi answers."""
        return True

    @offered
    def version(self):
        """The version of NAOqi that this robot resembles."""
        return self.nao.NAOQI_VERSION


class Task:
    """Something that takes time: it has begun, or waits for its turn, and ends `done`, `killed` or `cancelled`.

    done, stopped   what it gives when it ends by itself, and when it is ended
    `end` and `when_ended` are used under the lock of the NAO; `wait` without it.
    """

    def __init__(self, name: str, done=None, stopped=None):
        self.name = name
        self.id = 0
        self.how = None
        self.result = None
        self._done = done
        self._stopped = stopped
        self._ended = threading.Event()
        self._callbacks = []

    def end(self, how: str = "done"):
        """End the task once; later ends change nothing."""
        if self.how is None:
            self.how = how
            self.result = self._done if how == "done" else self._stopped
            callbacks, self._callbacks = self._callbacks, []
            for callback in callbacks:
                callback(self)
            self._ended.set()

    def when_ended(self, callback):
        """Call `callback(task)` at the end, or now if that is past. It must be quick: time stands meanwhile."""
        if self.how is None:
            self._callbacks.append(callback)
        else:
            callback(self)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False when `timeout_s` passed first."""
        return self._ended.wait(timeout_s)


def as_list(value) -> list:
    """A list of what may have come as one thing or as a list or tuple of things."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def number(value, what: str) -> float:
    """A number out of a client's argument; raises Refused for anything else."""
    if isinstance(value, (int, float)) and math.isfinite(value):
        return float(value)
    raise Refused(f"{what} must be a number, not {value!r}.")


def word(value, what: str) -> str:
    """A text out of a client's argument; raises Refused for anything else."""
    if isinstance(value, str):
        return value
    raise Refused(f"{what} must be a text, not {value!r}.")
