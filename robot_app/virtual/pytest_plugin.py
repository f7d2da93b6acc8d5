"""A virtual NAO for other people's tests: fixtures for pytest, with nothing to start and nothing to wait for.

    def test_it_greets_who_touches_its_head(virtual_nao):
        start_my_program(virtual_nao.url)
        virtual_nao.world.touch("head")
        virtual_nao.wait_for(method="say", args=["Hello!"])

virtual_nao        a NAO of its own for each test, at a free port
make_virtual_nao   a function that makes one, for tests with several
@pytest.mark.virtual_nao(speed=10, naoqi="2.1", camera="photo.jpg", awake=False, life="disabled")
                   how it is to be; all can be left out

pytest loads this by itself where the project is installed; elsewhere write in conftest.py
`pytest_plugins = ["robot_app.virtual.pytest_plugin"]`. It tests nothing itself.
"""

import time

import pytest

PATIENCE_S = 30.0


class World:
    """The service VirtualNAO in this process: `world.touch("head")`; see faults.py for all there is."""

    def __init__(self, nao):
        self._nao = nao

    def __getattr__(self, method):
        return lambda *arguments: self._nao.call("VirtualNAO", method, arguments)


class Running:
    """A virtual NAO that listens.

    url, ip, port   where: "tcp://127.0.0.1:40123" and its parts
    nao             the VirtualNAO itself: nao.angles, nao["ALLeds"].colour("FaceLeds"), nao.call(...)
    world           what a person could do to it, as methods
    diary           what programs called, and what came of it: find(...), wait_for(...)
    """

    def __init__(self, camera="none", speed=1.0, naoqi="2.8", awake=True, life="solitary"):
        from .fast_clock import FastClock
        from .nao import VirtualNAO
        from .pictures import open_source
        from .qi_host import QiHost

        clock = time.monotonic if speed == 1 else FastClock(speed)
        self.nao = VirtualNAO(open_source(camera), clock=clock, awake=awake, life=life, naoqi=naoqi)
        self._host = QiHost(self.nao, "tcp://127.0.0.1:0")
        self._sessions = []
        self.url = self._host.url
        self.ip, _, port = self.url.rpartition("//")[2].partition(":")
        self.port = int(port)
        self.diary = self.nao.diary
        self.world = World(self.nao)

    def session(self):
        """A new qi.Session, connected; closed after the test."""
        import qi

        session = qi.Session()
        session.connect(self.url)
        self._sessions.append(session)
        return session

    def service(self, name):
        """A service over a session of its own, as a program sees it."""
        return self.session().service(name)

    def angle(self, joint) -> float:
        """Where a joint is, rad."""
        with self.nao.lock:
            return self.nao.angles[joint]

    def wait_for(self, within_s=PATIENCE_S, **fields) -> dict:
        """The first line of the diary, past or to come, with these fields; else TimeoutError."""

        def matches(line):
            return all(line.get(name) == value for name, value in fields.items())

        return self.diary.wait_for(matches, within_s)

    def close(self):
        """The end of it."""
        for session in self._sessions:
            if session.isConnected():
                session.close()
        self._host.close()
        self.nao.close()


def pytest_configure(config):
    """The marker is known to --strict-markers."""
    config.addinivalue_line("markers", "virtual_nao(**how): how the virtual_nao of this test is to be")


@pytest.fixture
def make_virtual_nao():
    """A function of Running's arguments that gives a Running; all of them end with the test."""
    pytest.importorskip("qi", reason="the virtual NAO needs qi: Linux on x86-64, Python up to 3.12")
    made = []

    def make(**how):
        made.append(Running(**how))
        return made[-1]

    yield make
    for running in reversed(made):
        running.close()


@pytest.fixture
def virtual_nao(request, make_virtual_nao):
    """A Running of this test's own."""
    marker = request.node.get_closest_marker("virtual_nao")
    return make_virtual_nao(**(marker.kwargs if marker else {}))
