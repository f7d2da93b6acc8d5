# -*- coding: utf-8 -*-
"""`import naoqi` without the maker's SDK: ALProxy, `.post`, ALBroker and ALModule over qi.

Put this folder on PYTHONPATH and programs of the older style run, with Python 2.7 and 3, on a virtual NAO and
on a real one. It knows no robot: every call goes through libqi to whoever listens at the address.

    from naoqi import ALProxy
    tts = ALProxy("ALTextToSpeech", "127.0.0.1", 9559)
    number = tts.post.say("hello")            returns at once; tts.wait(number, 0) waits for the end

    broker = ALBroker("broker", "0.0.0.0", 0, "127.0.0.1", 9559)
    class Listener(ALModule):
        def onTouch(self, key, value, message): ...
    listener = Listener("listener")
    ALProxy("ALMemory").subscribeToEvent("FrontTactilTouched", "listener", "onTouch")

Different from the SDK: a module's callbacks come one after the other in a thread of the module, and other
programs cannot call its methods. Images are lists whose pixels are `bytes`, as the SDK gives them.
"""

from __future__ import division, print_function

import atexit
import os
import threading
import traceback

try:
    import queue
except ImportError:  # Python 2.7
    import Queue as queue

os.environ.setdefault("QI_LOG_LEVEL", "1")

import qi  # noqa: E402

PORT = 9559
CALLBACK_S = 5.0  # the longest that a module's end waits for its callback
IMAGES = ("getImageRemote", "getImageLocal", "getImagesRemote")
PIXELS = 6  # the place of the bytes in an image
_sessions = {}  # address: a connected session
_modules = {}  # name: ALModule
_broker = None  # the newest ALBroker, which proxies without an address mean


def _session(ip, port):
    """The one session with this address; raises RuntimeError where nothing listens there."""
    address = "tcp://%s:%d" % (ip, port)
    session = _sessions.get(address)
    if session is None or not session.isConnected():
        session = qi.Session()
        try:
            session.connect(address)
        except RuntimeError as error:
            raise RuntimeError("ALBroker::createBroker\n\tCannot connect to %s: %s" % (address, error))
        _sessions[address] = session
    return session


def _plain(value):
    """Texts as libqi wants them: on Python 2.7 the bytes of UTF-8."""
    if str is bytes and isinstance(value, type("")):
        return value.encode("utf-8")
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _as_sdk(method, result):
    """What the SDK gives: an image as a list, with its pixels as bytes."""
    if method not in IMAGES or not result:
        return result
    if method == "getImagesRemote":
        return [_as_sdk("getImageRemote", image) for image in result]
    image = list(result)
    image[PIXELS] = bytes(bytearray(image[PIXELS]))
    return image


class ALProxy(object):
    """One service: its methods, and `post` for the same in the background, which gives a task's number."""

    def __init__(self, name, ip=None, port=PORT):
        if isinstance(ip, ALBroker):
            session = ip.session
        elif ip is None:
            if _broker is None:
                raise RuntimeError("ALProxy::ALProxy\n\tgive an address, or make an ALBroker first.")
            session = _broker.session
        else:
            session = _session(ip, port)
        try:
            self._service = session.service(name)
        except RuntimeError as error:
            raise RuntimeError("ALProxy::ALProxy\n\tCan't find service: %s (%s)" % (name, error))
        self._name = name
        self.post = _Post(self)

    def __getattr__(self, method):
        return lambda *arguments: self.call(method, *arguments)

    def __repr__(self):
        return "ALProxy(%r)" % self._name

    def call(self, method, *arguments):
        """Call a method by its name; raises RuntimeError where it fails or does not exist."""
        if self._name == "ALMemory" and method in _EVENTS and _is_module_of_ours(arguments):
            return _EVENTS[method](self._service, *arguments)
        try:
            bound = getattr(self._service, method)
        except AttributeError:
            raise RuntimeError("%s::%s\n\tmodule %s has no such method." % (self._name, method, self._name))
        return _as_sdk(method, bound(*_plain(arguments)))


class _Post(object):
    """proxy.post.method(...): the number of the task, at once."""

    def __init__(self, proxy):
        self._proxy = proxy

    def __getattr__(self, method):
        return lambda *arguments: self._proxy.call("pCall", method, *arguments)


class ALBroker(object):
    """A session with a robot at (parent_ip, parent_port), which proxies without an address use from now on.

    The program's own address (ip, port) is taken and not used: nobody has to reach this program.
    """

    def __init__(self, name, ip, port, parent_ip, parent_port=PORT):
        global _broker
        self.name = name
        self.session = _session(parent_ip, parent_port)
        _broker = self

    def getName(self):
        """The name it was given."""
        return self.name

    def shutdown(self):
        """End all events of this program's modules, and the session."""
        global _broker
        for module in list(_modules.values()):
            module.exit()
        if _broker is self:
            _broker = None
        if self.session.isConnected():
            self.session.close()


class ALModule(object):
    """A module with methods that events call: `method(key, value, message)`."""

    def __init__(self, name):
        self._name = name
        self._connections = {}  # key: (subscriber, link, this subscription, method, message)
        self._calls = queue.Queue()
        _modules[name] = self
        self._has_ended = False
        self._thread = threading.Thread(target=self._deliver, name=str("module-" + name))
        self._thread.daemon = True
        self._thread.start()

    def getName(self):
        """The name under which it subscribes."""
        return self._name

    def exit(self):
        """Hear nothing any more, and be known no more.

        It waits for the callback that runs: that may still subscribe, and a program that ends meanwhile would
        take the interpreter from under libqi.
        """
        self._has_ended = True
        self._calls.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join(CALLBACK_S)
        for key in list(self._connections):
            self._forget(key)
        if _modules.get(self._name) is self:
            del _modules[self._name]

    def _hear(self, memory, key, method, message):
        """Call `method` at every event of the key; a second subscription replaces the first."""
        self._forget(key)
        subscriber, subscription = memory.subscriber(_plain(key)), object()
        link = subscriber.signal.connect(lambda value: self._calls.put((key, subscription, value)))
        self._connections[key] = (subscriber, link, subscription, method, message)

    def _forget(self, key):
        """End that; True if there was one."""
        connection = self._connections.pop(key, None)
        if connection is not None:
            connection[0].signal.disconnect(connection[1])
        return connection is not None

    def _deliver(self):
        """In the module's own thread: one event after the other, and none after its end."""
        while True:
            call = self._calls.get()
            if call is None or self._has_ended:
                return
            key, subscription, value = call
            connection = self._connections.get(key)
            if connection is None or connection[2] is not subscription:
                continue
            try:
                getattr(self, connection[3])(key, value, connection[4])
            except Exception:  # a mistake in one callback must not end the others
                traceback.print_exc()


def _is_module_of_ours(arguments):
    return len(arguments) > 1 and arguments[1] in _modules


def _subscribe(memory, key, module, *message_and_method):
    message = message_and_method[0] if len(message_and_method) > 1 else ""
    _modules[module]._hear(memory, key, message_and_method[-1], message)


def _unsubscribe(memory, key, module):
    if not _modules[module]._forget(key):
        raise RuntimeError("ALMemory::unsubscribeToEvent\n\t%s has not subscribed to %s." % (module, key))


_EVENTS = {
    "subscribeToEvent": _subscribe,
    "subscribeToMicroEvent": _subscribe,
    "unsubscribeToEvent": _unsubscribe,
    "unsubscribeToMicroEvent": _unsubscribe,
}


@atexit.register
def _farewell():
    for module in list(_modules.values()):
        module.exit()
    for session in _sessions.values():
        if session.isConnected():
            session.close()
