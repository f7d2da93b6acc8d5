"""Where no libqi exists, the virtual NAO in the same process answers as a session of libqi would."""

import subprocess
import sys
import threading

import pytest

from robot_app.virtual.hand_clock import HandClock
from robot_app.virtual.nao import VirtualNAO
from robot_app.virtual.session import InProcessSession

PATIENCE_MS = 10_000


def test_the_virtual_nao_itself_needs_no_qi():
    code = "import sys, robot_app.virtual.session; sys.exit('qi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.fixture
def session():
    nao = VirtualNAO()
    session = InProcessSession(nao)
    yield session
    session.close()
    nao.close()


def test_services_answer_and_long_calls_come_back_when_they_are_done(session):
    motion = session.service("ALMotion")
    assert motion.robotIsWakeUp() is True
    motion.angleInterpolation("LHand", 0.6, 0.1, True)
    assert motion.getAngles("LHand", True) == pytest.approx([0.6], abs=1e-3)
    assert motion.call("getBodyNames", "Head") == ["HeadYaw", "HeadPitch"]


def test_a_future_can_be_awaited_cancelled_and_called_back(session):
    speech, called = session.service("ALTextToSpeech"), threading.Event()
    future = speech.say(r"\pau=60000\ never", _async=True)
    future.addCallback(lambda ended: called.set() if ended.isCanceled() else None)
    assert future.isRunning() and not future.wait(1)
    future.cancel()
    assert future.isFinished() and called.wait(10)
    with pytest.raises(RuntimeError, match="Future canceled"):
        future.value()
    assert speech.say("", _async=True).value(PATIENCE_MS) is None


def test_a_future_that_takes_too_long_says_so():
    clock = HandClock()
    nao = VirtualNAO(clock=clock)
    session = InProcessSession(nao)
    future = session.service("ALTextToSpeech").say("one", _async=True)
    with pytest.raises(RuntimeError, match="Future timeout"):
        future.value(1)
    clock.live(nao, 5)
    assert future.value(PATIENCE_MS) is None
    session.close()
    nao.close()


def test_a_refusal_is_an_error_at_once_or_in_the_future(session):
    with pytest.raises(RuntimeError, match=r"ALMotion::setAngles\n\tunknown joint"):
        session.service("ALMotion").setAngles("Nose", 0.1, 0.1)
    future = session.service("ALMotion").setAngles("Nose", 0.1, 0.1, _async=True)
    assert future.hasError() and "unknown joint" in future.error()


def test_what_does_not_exist_fails_as_in_libqi(session):
    with pytest.raises(RuntimeError, match="Cannot find service 'ALTabletService' in index"):
        session.service("ALTabletService")
    assert not hasattr(session.service("ALMotion"), "fly")


def test_events_are_heard_until_disconnected_and_a_failing_listener_harms_nobody(session):
    memory, heard = session.service("ALMemory"), threading.Event()
    signal = memory.subscriber("FrontTactilTouched").signal
    signal.connect(lambda too, many: None)
    link = signal.connect(lambda value: heard.set())
    memory.raiseEvent("FrontTactilTouched", 1.0)
    assert heard.wait(10)
    assert signal.disconnect(link) is True and signal.disconnect(link) is False


def test_a_closed_session_gives_no_service():
    nao = VirtualNAO()
    session = InProcessSession(nao)
    assert session.isConnected()
    session.close()
    assert not session.isConnected()
    with pytest.raises(RuntimeError, match="Session closed"):
        session.service("ALMotion")
    nao.close()
