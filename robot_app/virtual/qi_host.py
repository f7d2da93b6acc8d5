"""The virtual NAO's services on real libqi, so that any NAOqi client can connect. It decides nothing itself.

What libqi needs and a plain class does not say, after measurements with qi 3.1.5 and 1.8.3:
- one overload for each number of arguments: a default value would make every argument required;
- a signature wherever bytes go, or libqi turns them into the text of their repr; an optional one ("+") where
  None may come;
- objects of many threads, or one long call holds up all others; and no thread is held at all: what takes time
  gives libqi a promise, which the NAO keeps when the task ends and which a client can cancel.
One difference from a real NAO remains: a picture arrives as a tuple, not as a list.
"""

import os
import queue
import threading

# libqi adds only one thread each half second; it reads these when it is loaded.
os.environ.setdefault("QI_EVENTLOOP_MIN_THREADS", "16")
os.environ.setdefault("QI_LOG_LEVEL", "1")

import qi  # noqa: E402

from .memory import Subscriber  # noqa: E402
from .nao import NaoError, VirtualNAO  # noqa: E402
from .service import Task  # noqa: E402


class HostError(RuntimeError):
    """The address cannot be listened at; the text is a sentence for a person."""


class QiHost:
    """The services of one VirtualNAO, listening at `url` (port 0 takes a free one) until `close`."""

    def __init__(self, nao: VirtualNAO, url: str):
        self._nao = nao
        self._signals = {}
        self._session = None
        self._timer = None
        self._listen(url)
        self.url = self._session.endpoints()[0]
        self._calls = queue.SimpleQueue()
        threading.Thread(target=self._call_modules, name="nao-modules", daemon=True).start()
        nao.hosts.append(self.lose)
        nao.modules.append(self._call_module)
        nao.start()

    def _listen(self, url):
        self._session = qi.Session()
        try:
            self._session.listenStandalone(url)
        except RuntimeError as error:
            last = str(error).strip().splitlines()[-1].partition(" [")[0]
            reason = "the port is in use" if "in use" in last else last
            raise HostError(f"cannot listen at {url}: {reason}; give another address with --listen.") from None
        for service in self._nao.services.values():
            self._session.registerService(service.name, self._exported(service))

    def lose(self, seconds: float):
        """Break all connections, and listen again after so long; the robot lives on meanwhile."""
        threading.Thread(target=self._session.close, daemon=True).start()
        self._timer = threading.Timer(seconds, self._listen, [self.url])
        self._timer.daemon = True
        self._timer.start()

    def close(self):
        """End all connections."""
        self._nao.modules.remove(self._call_module)
        self._calls.put(None)
        if self._timer is not None:
            self._timer.cancel()
        self._session.close()

    def _call_module(self, module, method, arguments):
        """Call a service that a client registered with us; see `_call_modules`."""
        self._calls.put((module, method, arguments))

    def _call_modules(self):
        """In a thread of its own: a client that is gone, slow or wrong holds up nothing but its own calls."""
        while (call := self._calls.get()) is not None:
            module, method, arguments = call
            try:
                getattr(self._session.service(module), method)(*arguments, _async=True)
            except (RuntimeError, AttributeError) as error:
                reason = str(error).strip().partition("\n")[0]
                self._nao.notice("ALMemory", "no such module", module=module, method=method, reason=reason)

    def _exported(self, service):
        """An object for libqi: one overload per method and number of arguments."""
        overloads = {}
        for offer in service.offers.values():
            for arity in offer.arities:
                takes = list(offer.takes or "m" * arity)
                bound = qi.bind(offer.returns, takes, offer.method)
                overloads[f"{offer.method}_{arity}"] = bound(self._forward(service.name, offer.method))
        return qi.multiThreaded()(type(service.name, (), overloads))()

    def _forward(self, service, method):
        def forward(_exported, *arguments):
            try:
                result = self._nao.call(service, method, arguments)
            except NaoError as error:
                refusal = str(error)
                return self._answered(lambda promise: promise.setError(refusal))
            if isinstance(result, Task):
                return self._promised(result)
            if isinstance(result, Subscriber):
                return self._signal(result)
            if self._nao.latency_s:
                return self._answered(lambda promise: promise.setValue(result))
            return result

        return forward

    def _answered(self, answer):
        """A future that has its answer, later where the network is slow. Unlike that of an exception, the text
        of an error reaches the client as it is."""
        promise = qi.Promise()
        self._answer(promise, answer)
        return promise.future()

    def _answer(self, promise, answer):
        if self._nao.latency_s:
            self._nao.later(self._nao.latency_s, lambda: answer(promise))
        else:
            answer(promise)

    def _promised(self, task):
        promise = qi.Promise(lambda _promise: self._nao.cancel(task))

        def keep(task):
            if task.how == "cancelled":
                self._answer(promise, lambda promise: promise.setCanceled())
            else:
                self._answer(promise, lambda promise: promise.setValue(task.result))

        self._nao.when_ended(task, keep)
        return promise.future()

    def _signal(self, subscriber):
        """The one object of this key whose signal fires at its events."""
        if subscriber.key not in self._signals:
            exported = Signalling()
            subscriber.listen(exported.signal)
            self._signals[subscriber.key] = exported
        return self._signals[subscriber.key]


@qi.multiThreaded()
class Signalling:
    """What ALMemory.subscriber gives over libqi."""

    def __init__(self):
        self.signal = qi.Signal("m")
