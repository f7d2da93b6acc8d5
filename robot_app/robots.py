# -*- coding: utf-8 -*-
"""The way to a robot: NAOqi's services over qi, or those of a virtual NAO in this process.

Every call is bounded in time and fails with one sentence. After a lost connection all services are
fetched anew, for qi's old ones stay dead. This is the only file that imports qi; it knows no behaviour,
camera or emotion. It runs with qi 1.8 (Python 2.7, as on NAO) and qi 3.
"""

from __future__ import division, print_function

import os
import time

CALL_S = 2.0  # A call that moves nothing answers within this, or the robot is gone.
CONNECT_S = 5.0
BACK_S = 30.0  # in which a NAOqi that is back begins all its services
LONG_S = 15.0  # the longest way from lying down to Stand
SLICE_MS = 50  # qi waits in C++, where no signal reaches Python; so it waits in slices.


class RobotError(RuntimeError):
    """NAOqi refused something, or cannot be had; the text is a sentence."""


class RobotLost(RobotError):
    """The connection to NAOqi is gone."""


class Robot(object):
    """NAOqi behind a session.

    open_session   function of `ended` that gives a connected session; it raises RobotError
    address        for sentences
    shut           function that ends what is behind the session, where that is ours too
    """

    def __init__(self, open_session, address, shut=None):
        self.address = address
        self._open_session = open_session
        self._shut = shut
        self._session = None
        self._services = {}
        self._known = set()  # names of the services that were there so far

    def connect(self, ended=None):
        """Connect, or connect anew with every service fetched anew; gives up as soon as `ended()`."""
        self.close()
        self._session = self._open_session(ended)
        self._await_services(ended)

    def _await_services(self, ended):
        """NAOqi takes connections before all its services have begun: wait for those that we know."""
        for _ in range(int(BACK_S * 1000 / SLICE_MS)):
            missing = [name for name in self._known if not self._is_there(name)]
            if not missing or not self._session.isConnected() or (ended is not None and ended()):
                return
            time.sleep(SLICE_MS / 1000.0)

    def _is_there(self, name):
        try:
            self._service(name)
            return True
        except RobotError:
            return False

    def end(self):
        """Close the session, for good."""
        self.close()
        if self._shut is not None:
            self._shut()

    def close(self):
        """Close the session; `connect` opens another."""
        session, self._session, self._services = self._session, None, {}
        if session is not None and session.isConnected():
            session.close()

    def call(self, service, method, *arguments):
        """What NAOqi's `service.method(*arguments)` returns."""
        return self._in_time(service, method, self.start(service, method, *arguments))

    def _in_time(self, service, method, future):
        wait(future, CALL_S)
        return self.result(service, method, future)

    def result(self, service, method, future):
        """What a call that was started has returned; RobotLost where it ought to have, but has not."""
        name = "%s.%s" % (service, method)
        if not future.isFinished():
            self.close()
            raise RobotLost("%s at %s has not answered for %g s." % (name, self.address, CALL_S))
        if future.hasError():
            self._fail(name, future.error())
        return future.value()

    def call_all(self, calls):
        """What each of (service, method, argument, ...) returns; one way there and back for all of them."""
        futures = [(row[0], row[1], self.start(*row)) for row in calls]
        return [self._in_time(*row) for row in futures]

    def start(self, service, method, *arguments):
        """The future of a call that takes its time (a motion, a sentence)."""
        try:
            return getattr(self._service(service), method)(*arguments, _async=True)
        except (RuntimeError, AttributeError) as error:
            self._fail("%s.%s" % (service, method), error)

    def finish(self, ended, service, method, *arguments):
        """What a long call returns, once it has ended; None where `ended()` came first."""
        future = self.start(service, method, *arguments)
        name = "%s.%s" % (service, method)
        if wait(future, LONG_S, ended):
            if future.hasError():
                self._fail(name, future.error())
            return future.value()
        if not ended():
            raise RobotError("%s has not ended after %g s." % (name, LONG_S))
        return None

    def offers(self, service, method):
        """Whether this NAOqi has the method; releases differ."""
        try:
            return hasattr(self._service(service), method)
        except RobotLost:
            raise
        except RobotError:
            return False

    def _service(self, name):
        if name not in self._services:
            if self._session is None:
                raise RobotLost("there is no connection to %s." % self.address)
            try:
                self._services[name] = self._session.service(name)
                self._known.add(name)
            except RuntimeError as error:
                self._fail(name, error)
        return self._services[name]

    def _fail(self, name, error):
        if self._session is None or not self._session.isConnected():
            raise RobotLost("the connection to %s is lost." % self.address)
        sentence = sentence_of(error)
        known = sentence.startswith(name.replace(".", "::"))
        raise RobotError(sentence if known else "%s: %s" % (name, sentence))


def wait(future, seconds, ended=None):
    """Whether `future` finished within `seconds`; gives up as soon as `ended()` says so."""
    for _ in range(max(1, int(seconds * 1000 / SLICE_MS))):
        if future.isFinished() or (ended is not None and ended()):
            break
        future.wait(SLICE_MS)
    return future.isFinished()


def sentence_of(error):
    """A NAOqi error (`Class::method`, a new line, the reason, places in its code) as one sentence."""
    reason = str(error).partition("\n\n")[0]
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    return ": ".join(lines).rstrip(".") + "." if lines else "no reason was given."


def over_network(url):
    """A Robot at "tcp://IP:9559", not yet connected; raises RobotError where there is no qi."""
    os.environ.setdefault("QI_LOG_LEVEL", "2")  # errors; qi otherwise warns that there is no Application
    try:
        import qi
    except ImportError as error:
        raise RobotError(
            "there is no qi for this Python (%s): run this on the robot, or where qi has a wheel, or with "
            "--robot virtual." % sentence_of(error)
        )

    def open_session(ended):
        session = qi.Session()
        try:
            future = session.connect(url, _async=True)
            reason = "no answer within %g s." % CONNECT_S
            if wait(future, CONNECT_S, ended):
                if not future.hasError():
                    return session
                reason = sentence_of(future.error())
        except RuntimeError as error:
            reason = sentence_of(error)
        raise RobotError(
            "no robot answers at %s: %s Is it on, in the same network, and is the address right?"
            % (url, reason[0].upper() + reason[1:])
        )

    return Robot(open_session, url)


def in_this_process(camera, diary, view=None):
    """A Robot that is the virtual NAO, without any network: `camera` is what it sees, `diary` a path or None.

    view   HOST:PORT of its own page, where there is to be one

    Raises RobotError where this Python has no virtual NAO, ValueError or EnvironmentError for the arguments.
    """
    try:
        from robot_app.virtual.diary import Diary
        from robot_app.virtual.nao import VirtualNAO
        from robot_app.virtual.pictures import open_source
        from robot_app.virtual.session import InProcessSession
    except (ImportError, SyntaxError):
        raise RobotError(
            "there is no virtual NAO for this Python; it needs Python 3.10 or later and the PC's packages."
        )
    nao = VirtualNAO(open_source(camera), Diary(diary))
    close = nao.close
    if view:
        from robot_app.virtual.page import Page

        close = Page(nao, view, camera).close_all
    return Robot(lambda ended: InProcessSession(nao), "the virtual NAO in this process", close)
