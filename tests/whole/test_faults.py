"""A robot that goes wrong in a gesture: what the robot app does, on a virtual NAO in this process.

Everything is real but the PC, which sees what a test tells it. A test is a script: it goes on at every turn of
the app's loop at which the condition holds that it waits for.
"""

import io
import types

import pytest
from answering import Pc

from behaviors import library
from behaviors.joints import GESTURE_NAMES, STAND
from behaviors.mood import Mood
from config import robot as robot_settings
from robot_app import __main__ as app
from robot_app.about import Portrait
from robot_app.camera import PREFIX
from robot_app.clock import now_s
from robot_app.director import Director
from robot_app.link import Link
from robot_app.music import Silence
from robot_app.notes import Notes
from robot_app.robots import Robot, RobotError
from robot_app.tell import Teller
from robot_app.virtual.nao import VirtualNAO
from robot_app.virtual.session import InProcessSession

PATIENCE_S = 30.0
MOOD = {"smooth_s": 0.1, "enter": 0.5, "leave": 0.35, "dwell_s": 0.0, "absent_s": 0.2}


class Scene:
    """A robot app and its world; `play(script)` runs the app until the script ends."""

    def __init__(self, behaviors, **robot):
        self.behaviors = behaviors
        self.settings = robot_settings.load()
        self.settings["robot"] |= {"silence_s": 0.4, **robot}
        self.settings["mood"] = MOOD
        self.settings["reactions"] |= {"cool_down_s": 0.0, "between_s": 0.0}
        self.nao = VirtualNAO()
        self.said = io.StringIO()
        self.tell = Teller(self.said)
        self.notes = Notes()
        self.pc = Pc("happy")
        self.reachable = True

    def play(self, script):
        """Gives the exit code."""
        robot = Robot(self._session, "the virtual NAO")
        link = Link(self.pc.address, self.settings["robot"], self.tell, self.notes)
        director, mood = Director(self.behaviors, self.settings["reactions"]), Mood(MOOD)
        options, ended = types.SimpleNamespace(seconds=None), Script(script, self.said)
        try:
            return app.run(
                robot, link, mood, director, Silence(), Portrait(robot, self.behaviors, mood), self.settings,
                options, self.tell, self.notes, ended,
            )  # fmt: skip
        finally:
            link.close()
            robot.end()

    def _session(self, ended):
        if not self.reachable:
            raise RobotError("no robot answers.")
        return InProcessSession(self.nao)

    def fault(self, method, *arguments):
        self.nao.call("VirtualNAO", method, arguments)

    def recall(self, service, method, *arguments):
        return self.nao.call(service, method, arguments)

    def gestures(self):
        """How many gestures of ours began so far: an angleInterpolation of more than one key."""
        began = self.nao.diary.find(event="began", method="angleInterpolation")
        return len([line for line in began if any(len(times) > 1 for times in line["args"][2])])

    def moves(self):
        return bool(self.recall("ALMotion", "getTaskList"))

    def spoke(self, part):
        return [line for line in self.nao.diary.find(event="began", method="say") if part in line["args"][0]]

    def told(self, part):
        return part in self.said.getvalue()

    def mid_gesture(self):
        return self.gestures() > 0 and self.moves() and self.nao["ALMotion"].moves[0].began_s is not None

    def at_home(self):
        angles = self.recall("ALMotion", "getAngles", list(GESTURE_NAMES), True)
        return angles == pytest.approx([STAND[joint] for joint in GESTURE_NAMES], abs=0.05)

    def close(self):
        self.pc.close()
        self.nao.close()


class Script:
    """The app's `ended`, made of a generator of conditions: it is True once the last of them has held."""

    def __init__(self, script, said):
        self._script, self._said = script, said
        self._until = lambda: True
        self._since_s = now_s()
        self._over = False

    def __call__(self):
        if not self._over and self._until():
            self._until, self._since_s = next(self._script, None), now_s()
            self._over = self._until is None
        if not self._over and now_s() - self._since_s > PATIENCE_S:
            line = self._script.gi_frame.f_lineno
            raise AssertionError(f"what line {line} waits for did not come; said was: {self._said.getvalue()}")
        return self._over


def seconds(duration_s):
    """A condition that holds after so long."""
    end_s = now_s() + duration_s
    return lambda: now_s() >= end_s


@pytest.fixture(scope="module")
def behaviors():
    return library.load()


@pytest.fixture
def scene(behaviors):
    scenes = []

    def make(behaviors=behaviors, **robot):
        scenes.append(Scene(behaviors, **robot))
        return scenes[-1]

    yield make
    for each in scenes:
        each.close()


# It falls, is lifted, loses its stiffness, is touched (the table of faults, row 25)


def test_a_robot_that_falls_in_a_gesture_plays_nothing_until_it_stands_and_a_person_agrees(scene):
    scene = scene()

    def script():
        yield scene.mid_gesture
        scene.fault("fall")
        yield lambda: scene.notes.stops
        yield lambda: not scene.nao.awake
        yield seconds(0.3)
        before = scene.gestures()
        scene.pc.order("resume")  # too early: it lies
        yield lambda: scene.told("it does not go on yet")
        scene.fault("standUp")
        yield seconds(0.5)
        assert scene.gestures() == before and not scene.moves()
        assert scene.pc.frames[-1].trouble and "fall" in scene.pc.frames[-1].trouble
        scene.pc.order("resume")
        yield lambda: scene.pc.frames[-1].trouble is None
        scene.pc.order("play", "droop")
        yield lambda: scene.gestures() > before

    assert scene.play(script()) == 0
    assert "fall" in scene.notes.stops[0]["why"]
    assert not scene.nao.diary.find(method="setFallManagerEnabled")


def touched(scene, where, holds):
    """A hand stays there until the robot has felt it, so that `holds`, and is gone until it has felt that.

    Gives when it was felt.
    """
    scene.fault("press", where)
    yield holds
    felt_s = now_s()
    scene.fault("release", where)
    frames = len(scene.pc.frames)
    yield lambda: len(scene.pc.frames) > frames + 3  # the app looks at its senses more often than that
    return felt_s


def rests_until_touched(scene, before):
    """No gesture more than `before` begins until the head is touched; then an ordered one does."""
    yield seconds(0.3)
    assert scene.gestures() == before
    yield from touched(scene, "head", lambda: scene.pc.frames[-1].trouble is None)
    scene.pc.order("play", "droop")
    yield lambda: scene.gestures() > before


def test_a_lifted_robot_holds_still_until_it_is_put_down_and_touched(scene):
    scene = scene()

    def script():
        yield scene.mid_gesture
        scene.fault("lift")
        yield lambda: scene.notes.stops
        before = scene.gestures()
        yield seconds(0.2)
        assert not scene.moves()
        yield from touched(scene, "head", lambda: scene.told("put it down first"))
        scene.fault("putDown")
        yield from rests_until_touched(scene, before)

    assert scene.play(script()) == 0
    assert "lifted" in scene.notes.stops[0]["why"]


@pytest.mark.parametrize("where", ["head", "left bumper"])
def test_a_touch_ends_the_gesture_at_once_and_the_arms_come_home(scene, where):
    scene = scene()

    def script():
        yield scene.mid_gesture
        yield seconds(0.5)
        touched_s = now_s()
        felt_s = yield from touched(scene, where, lambda: scene.notes.stops)
        assert felt_s - touched_s < 1.0
        yield lambda: not scene.moves() and scene.at_home()
        before = scene.gestures()
        yield from rests_until_touched(scene, before)

    assert scene.play(script()) == 0


def test_a_robot_that_somebody_relaxed_is_left_alone(scene):
    scene = scene()

    def script():
        yield scene.mid_gesture
        scene.recall("ALMotion", "rest")
        yield lambda: not scene.nao.awake
        yield lambda: scene.notes.stops
        before = scene.gestures()
        yield seconds(0.5)
        assert scene.gestures() == before

    assert scene.play(script()) == 0
    assert "stiffness" in scene.notes.stops[0]["why"]


# Hot motors, a low battery (row 26)


@pytest.mark.parametrize(
    ("fault", "mended", "word"),
    [
        (("heat", ["RShoulderPitch"]), ("heat", []), "hot"),
        (("charge", 8), ("charge", 60), "battery"),
    ],
)
def test_hot_or_nearly_empty_it_speaks_and_shines_but_moves_nothing(scene, fault, mended, word):
    scene = scene()

    def script():
        yield scene.mid_gesture
        scene.fault(*fault)
        yield lambda: scene.spoke(word)
        yield lambda: not scene.moves() and scene.at_home()
        before, lights = scene.gestures(), len(scene.nao.diary.find(event="began", method="fadeRGB"))
        scene.pc.order("play", "droop")
        yield lambda: len(scene.nao.diary.find(event="began", method="fadeRGB")) > lights
        yield lambda: scene.pc.frames[-1].doing == "droop"
        assert scene.gestures() == before and not scene.moves()
        assert word in scene.pc.frames[-1].trouble
        scene.fault(*mended)
        yield lambda: scene.pc.frames[-1].trouble is None
        scene.pc.order("play", "fume")
        yield lambda: scene.gestures() > before

    assert scene.play(script()) == 0
    assert len(scene.spoke(word)) == 1
    assert scene.notes.stops == []


# The PC is lost in a gesture (row 1)


@pytest.mark.parametrize("policy", ["finish", "stop"])
def test_when_the_pc_is_lost_a_gesture_finishes_or_stops_and_the_robot_says_so_once(scene, policy):
    scene = scene(when_silent=policy)

    def script():
        yield scene.mid_gesture
        scene.pc.close()
        yield lambda: scene.spoke("connection")
        yield lambda: not scene.moves()
        yield seconds(1.0)
        assert scene.at_home()

    assert scene.play(script()) == 0
    how = {line["how"] for line in scene.nao.diary.find(event="ended", method="angleInterpolation")}
    assert ("killed" in how) is (policy == "stop")
    assert scene.gestures() == 1 and len(scene.spoke("connection")) == 1


# The robot is out of reach, and back (rows 17 and 39)


def test_a_session_that_is_lost_and_comes_back_is_used_again_on_the_same_robot(scene):
    scene = scene()

    def script():
        yield scene.mid_gesture
        scene.reachable = False
        scene.fault("loseSessions", 0)
        yield lambda: scene.told("is lost. Trying on.")
        before = scene.gestures()
        yield seconds(0.3)
        scene.reachable = True
        yield lambda: scene.told("is back")
        assert len(scene.recall("ALVideoDevice", "getSubscribers")) == 1
        scene.pc.emotion = "sad"
        yield lambda: scene.gestures() > before

    assert scene.play(script()) == 0
    assert scene.recall("ALVideoDevice", "getSubscribers") == []
    assert scene.recall("ALBasicAwareness", "isEnabled")


def test_a_robot_that_was_power_cycled_is_made_ready_anew(scene):
    scene = scene()
    old = scene.nao

    def script():
        yield scene.mid_gesture
        scene.nao = VirtualNAO(awake=False)
        old.call("VirtualNAO", "loseSessions", [0])
        yield lambda: scene.told("is back")
        yield scene.mid_gesture

    try:
        assert scene.play(script()) == 0
    finally:
        old.close()


# The camera's places are leaked (row 40); and a robot without a voice


def test_eight_leaked_camera_handles_are_given_back(scene):
    scene = scene()
    scene.fault("leak", PREFIX, 8)

    def script():
        yield lambda: scene.pc.frames
        assert len(scene.recall("ALVideoDevice", "getSubscribers")) == 1

    assert scene.play(script()) == 0
    assert scene.recall("ALVideoDevice", "getSubscribers") == []


def test_other_programs_camera_handles_are_left_alone(scene):
    scene = scene()
    scene.fault("leak", "somebody", 8)

    def script():
        yield lambda: scene.pc.frames

    assert scene.play(script()) == 0
    assert len(scene.recall("ALVideoDevice", "getSubscribers")) == 8


def test_without_a_language_it_plays_silently(scene):
    scene = scene()
    scene.fault("setLanguages", [])

    def script():
        yield scene.mid_gesture
        yield lambda: scene.pc.frames[-1].doing is None

    assert scene.play(script()) == 0
    assert scene.told("no language installed") and scene.spoke("") == []


# The guard


def test_a_wrong_keyframe_list_never_reaches_the_robot_and_the_session_goes_on(scene, behaviors):
    cheer = behaviors["cheer"]
    wrong = [
        cheer._replace(name="range", joints={"HeadPitch": ([1.0], [0.9])}),
        cheer._replace(name="speed", joints={"HeadYaw": ([1.0, 1.1], [-1.0, 1.0])}),
        cheer._replace(name="leg", joints={"LKneePitch": ([1.0], [0.5])}),
        cheer._replace(name="tail", joints={"Tail": ([1.0], [0.5])}),
    ]
    scene = scene(library.Library([*behaviors, *wrong]))
    scene.pc.emotion = None

    def script():
        for behavior in wrong:
            scene.pc.order("play", behavior.name)
            yield lambda name=behavior.name: scene.told(f"{name} is not played")
        assert scene.gestures() == 0
        scene.pc.order("play", "cheer")
        yield scene.mid_gesture

    assert scene.play(script()) == 0
    assert scene.nao.diary.find(what="too fast") == scene.nao.diary.find(what="beyond the range") == []
