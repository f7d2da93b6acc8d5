"""The virtual NAO inside this very process, for machines where no qi wheel exists. No network, no libqi.

An InProcessSession looks like a connected `qi.Session`, as far as robot programs use one:

    session = InProcessSession(nao)
    tts = session.service("ALTextToSpeech")
    tts.say("hello")                          waits until it is said
    future = tts.say("hello", _async=True)    future.value(), .wait(), .cancel(), .isFinished(), .addCallback(f)
    session.service("ALMemory").subscriber("FrontTactilTouched").signal.connect(f)

Callbacks run one after the other in a thread of the session.
"""

import itertools
import queue
import threading

from .memory import Subscriber
from .nao import NaoError, VirtualNAO
from .service import Task


class InProcessSession:
    """A session with one VirtualNAO, which begins to live by it and lives on when it is closed."""

    def __init__(self, nao: VirtualNAO):
        self._nao = nao
        nao.start()
        self._callbacks = queue.SimpleQueue()
        self._connected = True
        nao.hosts.append(self._lose)
        threading.Thread(target=self._call_back, name="nao-callbacks", daemon=True).start()

    def service(self, name: str):
        """A service by its name; raises RuntimeError for an unknown one, as libqi does."""
        if not self._connected:
            raise RuntimeError("Session closed.")
        if name not in self._nao.services:
            raise RuntimeError(f"Cannot find service '{name}' in index")
        return Proxy(self, self._nao, name)

    def isConnected(self) -> bool:
        """True until `close`."""
        return self._connected

    def _lose(self, seconds: float):
        """Break; a new session may be made at once, for there is no network between."""
        self.close()

    def close(self):
        """End the callbacks."""
        if self._lose in self._nao.hosts:
            self._nao.hosts.remove(self._lose)
        self._connected = False
        self._callbacks.put(None)

    def later(self, callback, *arguments):
        """Run a callback in the session's thread."""
        self._callbacks.put((callback, arguments))

    def _call_back(self):
        while (item := self._callbacks.get()) is not None:
            callback, arguments = item
            try:
                callback(*arguments)
            except Exception as error:  # a client's mistake must not end the callbacks of others
                print(f"virtual NAO: a callback failed: {error!r}")


class Proxy:
    """One service: every method that it offers, and `call(name, ...)`."""

    def __init__(self, session, nao, name):
        self._session, self._nao, self._name = session, nao, name

    def __getattr__(self, method):
        if method not in self._nao.services[self._name].offers:
            raise AttributeError(f"the service {self._name} has no method {method!r}")
        return lambda *arguments, _async=False: self.call(method, *arguments, _async=_async)

    def call(self, method, *arguments, _async=False):
        """Call a method; a Future with `_async=True`, else its result."""
        if not self._session.isConnected():
            raise RuntimeError("Socket is not connected")
        future = Future(self._session, self._nao)
        try:
            result = self._nao.call(self._name, method, arguments)
        except NaoError as error:
            future.settle(error=error)
        else:
            if isinstance(result, Task):
                future.follow(result)
            else:
                future.settle(result=self._dressed(result))
        return future if _async else future.value()

    def _dressed(self, result):
        return SubscriberProxy(self._session, result) if isinstance(result, Subscriber) else result


class Future:
    """The result of a call, now or later."""

    def __init__(self, session, nao):
        self._session, self._nao = session, nao
        self._task = None
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._callbacks = []
        self._result, self._error, self._cancelled = None, None, False

    def follow(self, task):
        """Become what the task becomes."""
        self._task = task
        self._nao.when_ended(task, lambda task: self.settle(task.result, cancelled=task.how == "cancelled"))

    def settle(self, result=None, error=None, cancelled=False):
        """Have an end."""
        with self._lock:
            self._result, self._error, self._cancelled = result, error, cancelled
            self._ended.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            self._session.later(callback, self)

    def value(self, timeout_ms=None):
        """The result; raises RuntimeError where the call failed, was cancelled, or takes longer."""
        if not self._ended.wait(None if timeout_ms is None else timeout_ms / 1000):
            raise RuntimeError("Future timeout.")
        if self._cancelled:
            raise RuntimeError("Future canceled.")
        if self._error:
            raise self._error
        return self._result

    def wait(self, timeout_ms=None):
        """Wait for the end; True if it came."""
        return self._ended.wait(None if timeout_ms is None else timeout_ms / 1000)

    def cancel(self):
        """Ask for an early end."""
        if self._task:
            self._nao.cancel(self._task)

    def isFinished(self):
        """Whether it has ended, well or not."""
        return self._ended.is_set()

    def isRunning(self):
        """Whether it has not."""
        return not self._ended.is_set()

    def isCanceled(self):
        """Whether it was cancelled."""
        return self._cancelled

    def hasError(self, timeout_ms=None):
        """Whether the call failed."""
        self.wait(timeout_ms)
        return self._error is not None

    def error(self, timeout_ms=None):
        """Why the call failed, or an empty text."""
        return str(self._error) if self.hasError(timeout_ms) else ""

    def addCallback(self, callback):
        """Call `callback(future)` at the end, in the session's thread."""
        with self._lock:
            if not self._ended.is_set():
                self._callbacks.append(callback)
                return
        self._session.later(callback, self)


class SubscriberProxy:
    """ALMemory's subscriber: `signal.connect(callback) -> link`, `signal.disconnect(link)`."""

    def __init__(self, session, subscriber):
        self._session, self._subscriber = session, subscriber
        self._links = {}
        self._numbers = itertools.count()
        self.signal = self

    def connect(self, callback):
        """Call `callback(value)` at every event."""
        link = next(self._numbers)
        self._links[link] = lambda value: self._session.later(callback, value)
        self._subscriber.listen(self._links[link])
        return link

    def disconnect(self, link):
        """End that; True if it was connected."""
        listener = self._links.pop(link, None)
        if listener:
            self._subscriber.forget(listener)
        return listener is not None
