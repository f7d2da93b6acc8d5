"""How a service of the virtual NAO is written: which methods it offers, what it refuses, what takes time.

Both hosts (`qi_host.py` on libqi, `session.py` in process) read the marks made here and nothing else, so
a service is a plain class that knows no transport, and a call means the same whichever way it comes.
"""

import inspect
import math
import threading
from typing import NamedTuple

MOST_ARGUMENTS = 8  # of any method that can be called in the background
POSTING = ("pCall", "wait", "isRunning", "stop", "exit")


class Refused(Exception):
    """What NAO would refuse; the text says why. `VirtualNAO.call` puts NAOqi's `Class::method` before it."""


class Offer(NamedTuple):
    """One method that clients may call.

    arities   the numbers of arguments it takes; libqi needs one overload for each
    returns   libqi's signature of the result, "m" where libqi may look for itself
    takes     libqi's signatures of the arguments, None for "m" each
    counted   it is called many times a second: the diary counts it and writes no line
    kept      it only keeps what it is told, for its getter, and moves nothing: the diary says so
    """

    method: str
    arities: tuple[int, ...]
    returns: str
    takes: tuple[str, ...] | None
    counted: bool
    kept: bool


def offered(method=None, *, arities=None, returns="m", takes=None, counted=False, kept=False):
    """Mark a method of a service as one that clients may call; see Offer. Its parameters give its arities."""

    def mark(function):
        parameters = list(inspect.signature(function).parameters.values())[1:]
        needed = sum(parameter.default is parameter.empty for parameter in parameters)
        counts = arities or tuple(range(needed, len(parameters) + 1))
        function.offer = Offer(function.__name__, counts, returns, takes, counted, kept)
        return function

    return mark if method is None else mark(method)


def kept(noun, at_start, check=None, of=None, obeyed=False):
    """A setter and a getter, `set<noun>` and `get<noun>`, of something that this robot keeps in `settings`.

    at_start   what the getter gives before anybody set it
    check      function of the value as it came that gives it as it is kept, or raises Refused
    of         the same for what it is set for (a chain, a camera); None where there is one for all
    obeyed     something here goes by it; else the diary says that it is only kept
    """

    def keep(self, place, value):
        self.settings[noun, place] = check(value) if check else value

    if of:

        def setter(self, place, value):
            keep(self, of(place), value)

        def getter(self, place):
            return self.settings.get((noun, of(place)), at_start)
    else:

        def setter(self, value):
            keep(self, "", value)

        def getter(self):
            return self.settings.get((noun, ""), at_start)

    setter.__name__, getter.__name__ = f"set{noun}", f"get{noun}"
    setter.__doc__ = f"Kept for get{noun}{'' if obeyed else ', and obeyed by nobody here'}."
    getter.__doc__ = f"What set{noun} was told, at first {at_start!r}."
    return offered(kept=not obeyed)(setter), offered(getter)


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
        self.settings = {}  # what only `kept` pairs know
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
        return self.nao.profile.version

    @offered
    def exit(self):
        """Refused: the robot's own services stay."""
        raise Refused("this service is the robot's own and cannot be ended.")

    @offered
    def getMethodList(self):
        """The names of the methods."""
        return sorted(self.offers)

    # Calls in the background, by the numbers of their tasks

    @offered(arities=range(1, MOST_ARGUMENTS + 2))
    def pCall(self, method, *arguments):
        """Begin a method, and give the id of its task at once: what `proxy.post` does."""
        if method in POSTING or method not in self.offers:
            raise Refused(f"{method!r} cannot be called in the background.")
        result = self.nao.call(self.name, method, arguments)
        task = result if isinstance(result, Task) else Task(method)
        self.nao.number(task)
        if task is not result:
            task.end()
        return task.id

    @offered
    def wait(self, task_id, timeout_ms=0):
        """Wait for the end of a task, at most so long (0: as long as it takes); True if it still runs then."""
        return self.nao.waiting(task_id, number(timeout_ms, "the time") / 1000)

    @offered
    def isRunning(self, task_id):
        """Whether a task runs."""
        return self.nao.task(task_id) is not None

    @offered
    def stop(self, task_id):
        """End a task; one that has ended is no mistake."""
        task = self.nao.task(task_id)
        if task is not None:
            task.end("killed")


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

    def result_will_be(self, value):
        """What it gives when it ends by itself."""
        self._done = value

    def when_ended(self, callback):
        """Call `callback(task)` at the end, or now if that is past. It must be quick: time stands meanwhile."""
        if self.how is None:
            self._callbacks.append(callback)
        else:
            callback(self)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False when `timeout_s` passed first."""
        return self._ended.wait(timeout_s)


class Timed(Task):
    """A task that ends by itself after so long, if nobody ends it before."""

    def __init__(self, name: str, nao, seconds: float, **results):
        super().__init__(name, **results)
        nao.at(nao.lived_s + seconds, self.end)


def one_of(words, what: str):
    """A check for `kept`: one of these words."""

    def check(value):
        if value not in words:
            raise Refused(f"unknown {what} {value!r}; there are {', '.join(map(str, words))}.")
        return value

    return check


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
