"""Behaviours that come from Choregraphe, go there, are played once, or are taken from a robot moved by hand."""

import runpy
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from behaviors import authoring, check, choregraphe, rules, sheets
from behaviors.joints import GESTURE_NAMES, JOINTS, STAND
from behaviors.keyframes import BehaviorError
from robot_app.virtual.hand_clock import HandClock
from robot_app.virtual.nao import VirtualNAO

ROOT = Path(__file__).parents[2]
SHIPPED = sheets.load()

# As Choregraphe writes it: Python 2, triples, legs too, and a first key that comes early.
EXPORTED = """\
# Choregraphe bezier export in Python.
from naoqi import ALProxy
names = list()
times = list()
keys = list()

names.append("HeadPitch")
times.append([0.4, 1.2])
keys.append([[-0.3, [3, -0.133333, 0], [3, 0.266667, 0]], [-0.17, [3, -0.266667, 0], [3, 0, 0]]])

names.append("LKneePitch")
times.append([0.4])
keys.append([[-0.09, [3, -0.133333, 0], [3, 0, 0]]])

names.append("LShoulderPitch")
times.append([0.4, 1.2])
keys.append([[0.5, [3, -0.133333, 0], [3, 0.266667, 0]],
             [1.4426, [3, -0.266667, 0], [3, 0, 0]]])

try:
  # uncomment the following line and modify the IP if you use this script outside Choregraphe.
  # motion = ALProxy("ALMotion", IP, 9559)
  motion = ALProxy("ALMotion")
  motion.angleInterpolationBezier(names, times, keys)
except BaseException, err:
  print err
"""


def run(*words):
    """`python -m behaviors` as a person runs it: (exit code, all that was said)."""
    command = [sys.executable, "-m", "behaviors", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def read(tmp_path, text):
    path = tmp_path / "box.py"
    path.write_text(text, "utf-8")
    return choregraphe.read(path)


# There and back


@pytest.mark.parametrize("behavior", SHIPPED[::3], ids=lambda behavior: behavior.name)
def test_what_is_exported_and_imported_again_moves_the_same(behavior, tmp_path):
    (motion,) = read(tmp_path, choregraphe.write(behavior))
    notes = []
    keyframes = {joint: [(key.time_s, key.angle) for key in keys] for joint, keys in motion.items()}
    keyframes = authoring.delayed(authoring.inside(authoring.only_gestures(keyframes, notes), notes), notes)
    path = tmp_path / "again.yaml"
    path.write_text(authoring.sheet(behavior.emotion, behavior.sees, keyframes, "Again."), "utf-8")
    (again,) = sheets.load(path)
    assert again.sees == behavior.sees and set(again.joints) == set(behavior.joints)
    late_s = again.duration_s - behavior.duration_s
    assert 0 <= late_s < 0.11, notes  # where the sheet shrinks less than others it may begin sooner, too
    for joint, (times_s, angles) in behavior.joints.items():
        assert again.joints[joint][0] == pytest.approx([time_s + late_s for time_s in times_s], abs=1e-6)
        assert again.joints[joint][1] == pytest.approx(angles, abs=2e-4)


@pytest.mark.parametrize("behavior", SHIPPED[:3], ids=lambda behavior: behavior.name)
def test_exported_code_in_a_box_moves_the_virtual_nao_as_the_behaviour_says(behavior, tmp_path):
    clock = HandClock()
    nao = VirtualNAO(clock=clock)
    tasks = []

    class ALProxy:
        """What Choregraphe gives to a box."""

        def __init__(self, service):
            self.service = service

        def angleInterpolationBezier(self, *arguments):
            tasks.append(nao.call(self.service, "angleInterpolationBezier", arguments))

    path = tmp_path / "box.py"
    path.write_text(choregraphe.write(behavior), "utf-8")
    start = {joint: nao.angles[joint] for joint in behavior.joints}
    runpy.run_path(str(path), {"ALProxy": ALProxy})
    for _ in range(int(behavior.duration_s / 0.02) + 2):
        clock.live(nao, 0.02)
        wanted = behavior.evaluate(nao.lived_s, start)
        assert {joint: nao.angles[joint] for joint in wanted} == pytest.approx(wanted, abs=0.01)
    assert tasks[0].how == "done"


def test_choregraphes_export_becomes_a_sheet_that_a_nao_can_play(tmp_path):
    (tmp_path / "bow.py").write_text(EXPORTED, "utf-8")
    code, said = run("import", tmp_path / "bow.py", "--emotion", "sad", "--out", tmp_path)
    assert code == 0, said
    assert (
        "left out: LKneePitch" in said
        and "s later" in said
        and "LElbowRoll" in said
        and "all rules are kept" in said
    )
    (bow,) = sheets.load(tmp_path / "bow.yaml")
    assert (bow.name, bow.emotion) == ("bow", "sad")
    times_s = bow.joints["HeadPitch"][0]
    assert times_s[1] - times_s[0] == pytest.approx(0.8), "it keeps its pace"
    assert bow.joints["LShoulderPitch"][1][0] == pytest.approx(0.5, abs=1e-4)


# The forms in the wild


def test_lists_written_out_in_a_class_without_triples_are_read(tmp_path):
    (motion,) = read(
        tmp_path,
        "class A:\n  def f(self):\n    names = ['LHand', 'HeadYaw']\n    self.times = [[1, 2], 1.5]\n"
        "    keys  = [[0.5,\n       (1)], [[0.25, [3, -0.5, 0.0]]]]\n    print 'x', `names`\n",
    )
    assert motion["LHand"] == [choregraphe.Key(1.0, 0.5), choregraphe.Key(2.0, 1.0)]
    assert motion["HeadYaw"] == [choregraphe.Key(1.5, 0.25, (-0.5, 0.0))]


def test_of_a_file_with_several_motions_one_is_chosen(tmp_path):
    (tmp_path / "two.py").write_text(EXPORTED + EXPORTED, "utf-8")
    code, said = run("import", tmp_path / "two.py", "--emotion", "sad", "--out", tmp_path)
    assert code == 2 and "holds 2 motions; say which with --part" in said
    code, said = run("import", tmp_path / "two.py", "--emotion", "sad", "--out", tmp_path, "--part", 2)
    assert code == 0, said


def test_a_curve_that_does_not_rest_at_its_keys_is_told_with_how_far_it_runs_aside(tmp_path):
    text = "names=['HeadYaw']\ntimes=[[1, 2]]\nkeys=[[[0, [3,-.3,0], [3,.3,.5]], [0, [3,-.3,-.5], [3,0,0]]]]\n"
    (motion,) = read(tmp_path, text)
    gap, at_s = choregraphe.farthest_aside(motion["HeadYaw"])
    assert gap > 0.1 and 1 < at_s < 2
    assert choregraphe.farthest_aside(motion["HeadYaw"][:1]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("x = 1\n", "holds no keyframes"),
        ("names.append(__import__('os').system('touch PWNED'))\n", "nothing is executed"),
        ("names = [n for n in range(3)]\n", "nothing is executed"),
        ("names = ['HeadYaw']\ntimes = [[1]]\nkeys = [[" + "(" * 5000 + "]]\n", "box.py:3:"),
        ("names = ['HeadYow']\ntimes = [[1]]\nkeys = [[1]]\n", "did you mean HeadYaw?"),
        ("names = ['HeadYaw']\ntimes = [[1]]\nkeys = []\n", "1 names came with 1 lists of times and 0 of keys"),
        (
            "names = ['HeadYaw']\ntimes = [[2, 1]]\nkeys = [[0, 0]]\n",
            "HeadYaw: times must be above 0 and ascend",
        ),
        ("names = ['HeadYaw']\ntimes = [[1, 2]]\nkeys = [[0]]\n", "HeadYaw: 2 times came with 1 keys"),
        ("names = ['HeadYaw']\ntimes = [[1]]\nkeys = [['left']]\n", "HeadYaw: a number is needed; 'left' came"),
        ("names = ['HeadYaw']\ntimes = [[1]]\nkeys = [[1e999]]\n", "HeadYaw: a number is needed; inf came"),
        ("names = ['HeadYaw']\ntimes = [[1]]\nkeys = [[[0.1, [3]]]]\n", "HeadYaw: "),
        ("names += 5\n", "a list is needed"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place_and_never_executed(tmp_path, monkeypatch, text, part):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BehaviorError) as caught:
        read(tmp_path, text)
    assert part in str(caught.value) and "box.py:" in str(caught.value)
    assert not (tmp_path / "PWNED").exists()


def test_a_sheet_that_is_there_is_never_written_over(tmp_path):
    (tmp_path / "bow.py").write_text(EXPORTED, "utf-8")
    (tmp_path / "bow.yaml").write_text("mine", "utf-8")
    code, said = run("import", tmp_path / "bow.py", "--emotion", "sad", "--out", tmp_path)
    assert code == 2 and "is there already" in said
    assert (tmp_path / "bow.yaml").read_text() == "mine"


def test_angles_beyond_the_limits_are_brought_inside_and_told():
    notes = []
    kept = authoring.inside({"LShoulderRoll": [(1.0, 1.4)], "LHand": [(1.0, 0.5)]}, notes)
    assert kept["LShoulderRoll"] == [(1.0, rules.safe_range("LShoulderRoll")[1])]
    assert kept["LHand"] == [(1.0, 0.5)] and len(notes) == 1 and "LShoulderRoll" in notes[0]


@pytest.mark.parametrize("joint", GESTURE_NAMES)
def test_poses_are_paced_so_that_no_joint_goes_faster_than_it_may(joint):
    low, high = rules.safe_range(joint)
    keyframes = authoring.paced([{joint: low}, {joint: high}, {joint: low}], 0.1)
    times_s, angles = zip(*keyframes[joint], strict=True)
    assert max(rules.speed_shares(joint, times_s, angles)) <= rules.SPEED_SHARE
    assert times_s[0] >= rules.FIRST_KEY_S


# On a robot


@pytest.fixture
def nao():
    pytest.importorskip("qi", reason="there is no qi wheel for this Python or machine")
    from robot_app.virtual import qi_host

    nao = VirtualNAO()
    host = qi_host.QiHost(nao, "tcp://127.0.0.1:0")
    nao.url = host.url
    yield nao
    host.close()
    nao.close()


class Command:
    """`python -m behaviors ...` with its standard input in our hands."""

    def __init__(self, *words):
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "behaviors", *map(str, words)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        self._watchdog = threading.Timer(60, self.process.kill)
        self._watchdog.start()

    def wait_for(self, part):
        while part not in self.said:
            line = self.process.stdout.readline()
            assert line, self.said
            self.said += line

    def enter(self, text=""):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def end(self, number=None):
        """The exit code."""
        if number:
            self.process.send_signal(number)
        self.said += self.process.communicate()[0]
        self._watchdog.cancel()
        return self.process.returncode


def state_of(nao):
    """What must be as it was."""
    abilities = {name: service.enabled for name, service in nao.services.items() if hasattr(service, "enabled")}
    return dict(nao.stiffnesses), nao.awake, nao.life, abilities


def home_again(nao, before):
    """Whether arms and head are where they were; the last motion may still be on its way."""
    poll(lambda: max(abs(nao.angles[joint] - before[joint]) for joint in GESTURE_NAMES) <= 0.06)
    return True


def poll(ready, within_s=30):
    """Until `ready()`."""
    until = time.monotonic() + within_s
    while not ready():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)


POSES = (
    {"LShoulderPitch": 0.2, "LShoulderRoll": 0.5},
    {"LShoulderPitch": -0.6, "LShoulderRoll": 1.32},  # the roll beyond the margin
)


def test_poses_taken_by_hand_become_a_sheet_and_the_robot_is_as_before(nao, tmp_path):
    before, angles = state_of(nao), dict(nao.angles)
    words = ("record", "wave", "--robot", nao.url, "--emotion", "happy", "--chains", "LArm", "--out", tmp_path)
    command = Command(*words)
    command.wait_for("Enter or a touch")
    limp = {joint for joint, stiffness in nao.stiffnesses.items() if stiffness == 0}
    assert limp == {joint for joint in JOINTS if JOINTS[joint].chain == "LArm"}
    assert not nao["ALBackgroundMovement"].enabled
    nao.angles.update(POSES[0])
    command.enter()
    command.wait_for("pose 1:")
    nao.angles.update(POSES[1])
    nao["ALMemory"].tell("MiddleTactilTouched", 1.0)
    command.wait_for("pose 2:")
    command.enter("q")
    assert command.end() == 0, command.said
    assert "LShoulderRoll: kept inside its range" in command.said and "all rules are kept" in command.said
    assert state_of(nao) == before and home_again(nao, angles)
    (wave,) = sheets.load(tmp_path / "wave.yaml")
    assert set(wave.joints) == limp
    assert wave.joints["LShoulderPitch"][1][:2] == pytest.approx([0.2, -0.6], abs=1e-3)
    assert check.check(tmp_path / "wave.yaml")


def test_ended_by_a_signal_while_limp_the_robot_is_as_before_and_no_sheet_is_written(nao, tmp_path):
    before, angles = state_of(nao), dict(nao.angles)
    command = Command("record", "wave", "--robot", nao.url, "--emotion", "happy", "--out", tmp_path)
    command.wait_for("Enter or a touch")
    nao.angles.update(POSES[0])
    assert command.end(signal.SIGTERM) == 2
    assert "no pose was taken" in command.said and "Traceback" not in command.said
    assert state_of(nao) == before and home_again(nao, angles)
    assert list(tmp_path.iterdir()) == []


def test_a_robot_at_rest_is_recorded_as_it_is_and_stays_at_rest(nao, tmp_path):
    nao.awake = False
    nao.stiffnesses.update(dict.fromkeys(nao.stiffnesses, 0.0))
    before = state_of(nao)
    command = Command("record", "wave", "--robot", nao.url, "--emotion", "happy", "--out", tmp_path)
    command.wait_for("Enter or a touch")
    command.enter()
    command.enter("q")
    command.end()
    assert "pose 1:" in command.said and state_of(nao) == before


def test_legs_are_never_limp(nao, tmp_path):
    command = Command(
        "record", "wave", "--robot", nao.url, "--emotion", "happy", "--chains", "LLeg", "--out", tmp_path
    )
    assert command.end() == 2 and "--chains takes Head, LArm, RArm; LLeg came" in command.said
    assert set(nao.stiffnesses.values()) == {1.0}


def test_a_behaviour_is_played_once_and_the_robot_is_as_before(nao):
    before, angles = state_of(nao), dict(nao.angles)
    command = Command("play", "nod", "--robot", nao.url)
    assert command.end() == 0, command.said
    assert "nod was played" in command.said
    ended = [line for line in nao.diary.find(event="ended") if line["method"] == "angleInterpolation"]
    assert ended[0]["how"] == "done" and set(ended[0]["args"][0]) <= set(STAND)
    assert state_of(nao) == before and home_again(nao, angles)


def test_a_touch_on_the_head_stops_what_is_played(nao):
    command = Command("play", "cheer", "--robot", nao.url)
    nao.diary.wait_for(lambda line: line["event"] == "began" and line.get("method") == "angleInterpolation", 30)
    poll(lambda: nao.angles["LShoulderPitch"] < 1.0)
    nao["ALMemory"].tell("FrontTactilTouched", 1.0)
    assert command.end() == 1 and "head" in command.said


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("play", "nood", "--robot", "tcp://127.0.0.1:1"), "did you mean nod?"),
        (("play", "nod", "--robot", "tcp://127.0.0.1:1"), "no robot answers at tcp://127.0.0.1:1"),
        (("export", "nood"), "did you mean nod?"),
        (("import", "gone.py", "--emotion", "sad"), "gone.py: cannot be read"),
    ],
)
def test_what_a_person_mistypes_is_a_sentence(words, part):
    pytest.importorskip("qi", reason="there is no qi wheel for this Python or machine")
    code, said = run(*words)
    assert code == 2 and part in said
