"""Whatever ends the robot app, the robot is as it was: the real program on the virtual NAO over libqi.

The robot is found in a state that a person chose: another language, eyes of another colour, an arm raised. Then
the app is ended in the middle of a gesture. A kill -9 leaves no last word; the next app puts all right.
"""

import signal
import time

import pytest
from answering import Pc
from programs import Program, free_port

from robot_app.virtual import lights

qi = pytest.importorskip("qi", reason="no qi wheel for this Python: there is no virtual NAO to connect to")

SWITCHES = ("ALBasicAwareness", "ALSpeakingMovement", "ALListeningMovement", "ALBackgroundMovement")
LAMPS = [*lights.KEYS]
CYCLE_MS = 20  # of the virtual NAO


class Body:
    """The virtual NAO, found in the state that `posture` and `life` say."""

    def __init__(self, posture="Stand", life="solitary"):
        self.url = f"tcp://127.0.0.1:{free_port()}"
        self.program = Program("robot_app.virtual", "--listen", self.url, "--camera", "none")
        self.program.wait_for_line("listens")
        self.session = qi.Session()
        self.session.connect(self.url)
        if posture == "Stand":
            self["ALMotion"].angleInterpolationWithSpeed("LShoulderPitch", 1.0, 1.0)  # there when it returns
        elif posture == "rest":
            self["ALMotion"].rest()
        else:
            self["ALRobotPosture"].goToPosture(posture, 1.0)
        self["ALAutonomousLife"].setState(life)
        self["ALTextToSpeech"].setLanguage("French")
        self["ALTextToSpeech"].setVolume(0.33)
        self["ALBackgroundMovement"].setEnabled(False)
        self["ALMotion"].setBreathEnabled("Body", True)
        self["ALLeds"].fadeRGB("LeftFaceLeds", 0x00FF00, 0.0)
        self["ALLeds"].fade("EarLeds", 0.5, 0.0)
        self["ALVideoDevice"].subscribeCamera("somebody else", 0, 1, 11, 5)
        wait_until(lambda: not self["ALMotion"].getTaskList())
        self.before = self.state()

    def __getitem__(self, service):
        return self.session.service(service)

    def state(self):
        """All that the robot app may change on a NAO."""
        return {
            "joints": self.joints_between_breaths(),
            "stiffness": self["ALMotion"].getStiffnesses("Body"),
            "awake": self["ALMotion"].robotIsWakeUp(),
            "posture": self["ALRobotPosture"].getPosture(),
            "breath": self["ALMotion"].getBreathEnabled("Body"),
            "life": self["ALAutonomousLife"].getState(),
            "switches": [self[name].isEnabled() for name in SWITCHES],
            "lamps": [round(level, 2) for level in self["ALMemory"].getListData(LAMPS)],
            "language": self["ALTextToSpeech"].getLanguage(),
            "volume": round(self["ALTextToSpeech"].getVolume(), 3),
            "subscribers": list(self["ALVideoDevice"].getSubscribers()),
            "keep alive": self["ALVideoDevice"].getParameter(0, 35),
            "fall manager": self["ALMotion"].getFallManagerEnabled(),
        }

    def joints_between_breaths(self):
        """The joints (26, rad) with its breath held; it swings the shoulders until the robot's next cycle."""
        moving = self["ALMotion"]
        breathes = moving.getBreathEnabled("Body")
        moving.setBreathEnabled("Body", False)
        held_ms = self["ALMemory"].getData("DCM/Time")
        wait_until(lambda: self["ALMemory"].getData("DCM/Time") > held_ms + 2 * CYCLE_MS)
        joints = moving.getAngles("Body", True)
        moving.setBreathEnabled("Body", breathes)
        return joints

    def is_put_back(self):
        """Fail unless it is as it was; it may still be on its way to rest."""
        wait_until(lambda: not self["ALMotion"].getTaskList())
        after = self.state()
        assert after.pop("joints") == pytest.approx(self.before["joints"], abs=0.05)
        assert after == {key: value for key, value in self.before.items() if key != "joints"}

    def is_changed(self):
        return self["ALTextToSpeech"].getLanguage() == "English"

    def moves(self):
        return any(task[0] == "angleInterpolation" for task in self["ALMotion"].getTaskList())

    def close(self):
        self.session.close()
        assert self.program.end() == 0, self.program.said


def wait_until(condition, within_s=20.0):
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, f"it did not come within {within_s:g} s"
        time.sleep(0.02)


def settings(tmp_path, **robot):
    """A settings file; the life policy and the like by name."""
    path = tmp_path / "settings.yaml"
    path.write_text(
        "robot: {volume: 0.6, " + ", ".join(f"{key}: {value}" for key, value in robot.items()) + "}\n"
    )
    return path


def robot_app(body, pc, *more):
    return Program("robot_app", "--robot", body.url, "--server", pc.address, *more)


@pytest.fixture
def make_body():
    bodies = []

    def make(*args, **how):
        bodies.append(Body(*args, **how))
        return bodies[-1]

    yield make
    for body in bodies:
        body.close()


@pytest.fixture
def no_nohup():
    """These tests may themselves be run by nohup, whose wish their programs would inherit and honour."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_a_gesture_leaves_the_robot_as_it_was_within_three_seconds(make_body, number, no_nohup):
    body = make_body()
    with Pc("happy") as pc, robot_app(body, pc) as app:
        wait_until(body.moves)
        assert body.is_changed()
        asked_s = time.monotonic()
        assert app.end(number) == 0, app.said
        assert time.monotonic() - asked_s < 3.5
    assert "Traceback" not in app.said
    body.is_put_back()


def test_a_second_ctrl_c_ends_it_at_once_and_the_next_app_puts_the_rest_right(make_body):
    body = make_body("rest")
    with Pc("happy") as pc:
        with robot_app(body, pc) as app:
            wait_until(lambda: body.moves() and body.is_changed())
            app.process.send_signal(signal.SIGINT)
            wait_until(lambda: not body.is_changed())  # it is at work; arms and posture come after the language
            assert app.end(signal.SIGINT, within_s=0.5) == 128 + signal.SIGINT
        with robot_app(body, pc, "--seconds", 0.5) as heir:
            assert heir.wait() == 0, heir.said
    body.is_put_back()


def test_the_end_of_its_time_leaves_the_robot_as_it_was(make_body):
    body = make_body()
    with Pc("happy") as pc, robot_app(body, pc, "--seconds", 2) as app:
        assert app.wait() == 0, app.said
    body.is_put_back()


@pytest.mark.parametrize(("policy", "posture"), [("keep", "rest"), ("pause", "Sit"), ("off", "Crouch")])
def test_each_policy_of_life_and_each_posture_is_put_back(make_body, tmp_path, policy, posture):
    body = make_body(posture, life="interactive")
    with Pc("sad") as pc, robot_app(body, pc, "--settings", settings(tmp_path, life=policy)) as app:
        wait_until(body.moves)
        wait_until(lambda: any(len(task[3]) < 26 for task in body["ALMotion"].getTaskList()))
        assert (body["ALAutonomousLife"].getState() == "disabled") is (policy == "off")
        assert not body["ALBasicAwareness"].isEnabled() or policy == "keep"
        assert app.end(signal.SIGTERM) == 0, app.said
    body.is_put_back()


def test_a_pc_that_is_gone_does_not_keep_the_robot_from_being_put_back(make_body):
    body = make_body()
    with Pc("happy") as pc, robot_app(body, pc) as app:
        wait_until(body.moves)
        pc.close()
        app.wait_for_line("no answer")
        assert app.end(signal.SIGTERM) == 0, app.said
    body.is_put_back()


BROKEN = """
import sys
from robot_app import __main__, player
def fail(*arguments): raise ZeroDivisionError("a bug")
player.Player.lose_pc = fail
sys.exit(__main__.main(sys.argv[1:]))
"""


def test_a_bug_in_a_gesture_shows_and_leaves_the_robot_as_it_was(make_body):
    body = make_body()
    with (
        Pc("happy") as pc,
        Program("robot_app", "--robot", body.url, "--server", pc.address, code=BROKEN) as app,
    ):
        wait_until(body.moves)
        pc.close()
        assert app.wait() == 1
    assert "ZeroDivisionError: a bug" in app.said
    body.is_put_back()


def test_what_a_kill_9_left_behind_is_put_right_by_the_next_app(make_body):
    body = make_body("rest")
    with Pc("happy") as pc:
        with robot_app(body, pc) as app:
            wait_until(lambda: body.moves() and body["ALMotion"].robotIsWakeUp() and body.is_changed())
            app.process.kill()
        left = body.state()
        assert left["awake"] and left["language"] == "English" and len(left["subscribers"]) == 2
        with robot_app(body, pc, "--seconds", 1) as heir:
            assert heir.wait() == 0, heir.said
    assert "ended without a word" in heir.said
    body.is_put_back()


def test_a_session_that_was_lost_for_a_while_changes_nothing_about_that(make_body):
    body = make_body()
    with Pc("happy") as pc, robot_app(body, pc) as app:
        wait_until(body.moves)
        body["VirtualNAO"].loseSessions(1.0)
        app.wait_for_line("is back")
        body.session = qi.Session()
        body.session.connect(body.url)
        wait_until(lambda: len(body["ALVideoDevice"].getSubscribers()) == 2)
        assert app.end(signal.SIGTERM) == 0, app.said
    body.is_put_back()
