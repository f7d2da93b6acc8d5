"""Keyframe sheets: what is written by hand is what the robot gets, and every slip is told with its line."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from behaviors import check, library, rules, sheets
from behaviors.__main__ import main
from behaviors.joints import GESTURE_NAMES, JOINTS, STAND
from behaviors.keyframes import POLICIES, BehaviorError
from config.contract import EMOTIONS

ROOT = Path(__file__).parents[2]
SHIPPED = sheets.load()

GOOD = """\
# A comment.
emotion: happy
sees: It waves.
end_s: 3.0

eyes:
  - {at_s: 0.0, colour: "#FFC800", fade_s: 0.3}
  - {at_s: 2.5, colour: "#FFFFFF", fade_s: 0.5}

say:
  - at_s: 0.4
    en: ["Hello!"]

poses_deg:
  - {at_s: 1.0, HeadPitch: -20, ShoulderPitch: 20, ShoulderRoll: 30, Hand: 0.9}
  - {at_s: 1.8, hold_s: 0.4, LElbowRoll: -60}
"""


def write(folder, text, name="wave.yaml"):
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def flaws(path):
    with pytest.raises(BehaviorError) as caught:
        check.check(path)
    return caught.value.flaws


def run(*words):
    """The command as a person runs it: (exit code, output, errors)."""
    done = subprocess.run(
        [sys.executable, "-m", "behaviors", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_sheet_becomes_the_behaviour_that_it_describes(tmp_path):
    (wave,) = sheets.load(write(tmp_path, GOOD))
    assert (wave.name, wave.emotion, wave.duration_s, wave.sees) == ("wave", "happy", 3.0, "It waves.")
    assert wave.eyes == [(0.0, 0xFFC800, 0.3), (2.5, 0xFFFFFF, 0.5)]
    assert wave.say == [(0.4, {"English": ["Hello!"]})]
    times_s, angles = wave.joints["HeadPitch"]
    assert times_s == [1.0, 3.0] and angles == pytest.approx([math.radians(-20), STAND["HeadPitch"]], abs=1e-4)
    assert wave.joints["LHand"] == ([1.0, 3.0], [0.9, 0.3])


def test_a_joint_without_a_side_means_both_arms_mirrored(tmp_path):
    (wave,) = sheets.load(write(tmp_path, GOOD))
    assert wave.joints["RShoulderPitch"] == wave.joints["LShoulderPitch"]
    left, right = wave.joints["LShoulderRoll"], wave.joints["RShoulderRoll"]
    assert left[0] == right[0] and left[1] == pytest.approx([-angle for angle in right[1]])
    assert "RElbowRoll" not in wave.joints


def test_a_held_pose_stays(tmp_path):
    (wave,) = sheets.load(write(tmp_path, GOOD))
    assert wave.joints["LElbowRoll"][0] == [1.8, 2.2, 3.0]
    held = [wave.evaluate(t_s)["LElbowRoll"] for t_s in (1.8, 2.0, 2.2)]
    assert held == pytest.approx([math.radians(-60)] * 3, abs=1e-4)


@pytest.mark.parametrize(
    "old, new, line, words",
    [
        ("HeadPitch: -20", "HeadPich: -20", 15, "no joint 'HeadPich' in 'poses_deg'; did you mean HeadPitch?"),
        ("LElbowRoll", "LKneePitch", 16, "LKneePitch is a leg joint; gestures move head, arms and hands only."),
        ("LElbowRoll: -60", "LElbowRoll: 60", 16, "LElbowRoll at 1.8 s must lie in -1.5144..-0.0651"),
        ("LElbowRoll: -60", "LElbowRoll: sharp", 16, "'LElbowRoll' is a number; 'sharp' came."),
        ("ShoulderRoll: 30", "ShoulderPitch: 30", 15, 'found duplicate key "ShoulderPitch"'),
        ("ShoulderRoll: 30", "LShoulderPitch: 30", 15, "LShoulderPitch is given twice in this pose."),
        ("at_s: 1.0, ", "", 15, "'at_s' must be given."),
        ("at_s: 1.0", "at_s: 0.3", 15, "the first key is at 0.6 s or later"),
        ("at_s: 1.0", "at_s: 0.6", 15, "from the far end of its range, peaks at"),
        ("end_s: 3.0", "end_s: 6.0", 4, "a behaviour lasts 2 to 5 s; it lasts 6 s."),
        ("end_s: 3.0", "end_s: 2.1", 4, "times must ascend: 2.1 s came after 2.2 s."),
        ("end_s: 3.0", "end_s: later", 4, "'end_s' is a number; 'later' came."),
        ("emotion: happy", "emotion: hapy", 2, "no emotion 'hapy'; did you mean happy?"),
        ("sees: It waves.", "see: It waves.", 3, "there is no 'see' in a sheet; did you mean sees?"),
        ('"#FFC800"', "#FFC800", 7, "a colour needs quotes"),
        ('"#FFC800"', "yellow", 7, "six hex digits in quotes"),
        ('"#FFFFFF"', '"#FF0000"', 8, "must end in white, 0xFFFFFF; they end in 0xFF0000"),
        ("fade_s: 0.3", "fade_s: -1", 7, "eyes fade in 0 to 10 s; -1.0 came."),
        ("en:", "eng:", 12, "no key 'eng' in 'say'; did you mean en?"),
        ('["Hello!"]', "Hello!", 11, "'English' needs a list of texts; 'Hello!' came."),
        ('["Hello!"]', '["' + "o" * 161 + '"]', 11, "a text has 1 to 160 characters"),
    ],
    ids=lambda value: value.replace(" ", "-")[:24] if isinstance(value, str) else "",
)
def test_a_slip_is_told_with_file_and_line(tmp_path, old, new, line, words):
    assert GOOD.count(old) == 1
    path = write(tmp_path, GOOD.replace(old, new))
    assert any(flaw.startswith(f"{path}:{line}: ") and words in flaw for flaw in flaws(path)), flaws(path)


SAFE = GOOD.partition("poses_deg:")[0].replace("end_s: 3.0", "end_s: 4.0") + "poses_deg:\n"
DANGERS = {
    "a head too low": ("{at_s: 1, HeadPitch: 29}", 15, "HeadPitch at 1 s must lie in -0.6483..0.4912"),
    "a head too far round": ("{at_s: 1, HeadYaw: 118}", 15, "HeadYaw at 1 s must lie in -2.0023..2.0023"),
    "a hand beyond open": ("{at_s: 1, LHand: 1.1}", 15, "LHand at 1 s must lie in 0.0200..0.9800"),
    "a straight elbow": ("{at_s: 1, LElbowRoll: -1}", 15, "LElbowRoll at 1 s must lie in -1.5144..-0.0651"),
    "a right arm with the left's sign": (
        "{at_s: 1, RShoulderRoll: 60}", 15, "Left and right have opposite signs here: did you mean -1.0472?",
    ),
    "both arms mirrored beyond the right one's limit": (
        "{at_s: 1, ShoulderRoll: -30}", 15, "RShoulderRoll at 1 s must lie in -1.2937..0.2814",
    ),
    "a wrist over its end": ("{at_s: 1, LWristYaw: 103}", 15, "LWristYaw at 1 s must lie in -1.7509..1.7509"),
    "a leap between two keys": (
        "{at_s: 1, LShoulderPitch: 60}\n  - {at_s: 1.1, LShoulderPitch: 0}", 16,
        "LShoulderPitch on its way to 1.1 s peaks at 190 % of its highest speed; at most 70 % is allowed",
    ),
    "a leap of the right arm alone": (
        "{at_s: 1, RElbowRoll: 20}\n  - {at_s: 1.2, RElbowRoll: 80}", 16, "RElbowRoll on its way to 1.2 s",
    ),
    "a start too fast from the far end": (
        "{at_s: 0.7, LShoulderPitch: -80}", 15,
        "LShoulderPitch on its way to 0.7 s, from the far end of its range, peaks at 90 %",
    ),
    "a first key at once": ("{at_s: 0.2, LHand: 0.5}", 15, "the first key is at 0.6 s or later"),
    "no time to come home": ("{at_s: 3.9, LShoulderPitch: 0}", 4, "LShoulderPitch on its way to 4 s peaks"),
    "a pose after the end": ("{at_s: 4.5, LHand: 0.5}", 4, "times must ascend: 4 s came after 4.5 s"),
    "chin on the shoulder": (
        "{at_s: 1.2, HeadYaw: 85, HeadPitch: 20}", 15, "degrees allow HeadPitch",
    ),
    "a head that looks up far aside": (
        "{at_s: 1.2, HeadYaw: 85, HeadPitch: -25}", 15, "degrees allow HeadPitch",
    ),
    "a corner cut between two heads that are both allowed": (
        "{at_s: 0.8, HeadPitch: -34}\n  - {at_s: 1.0, HeadYaw: 85}\n  - {at_s: 1.3, HeadPitch: -10}", 15,
        "degrees allow HeadPitch",
    ),
    "a hand in the face": (
        "{at_s: 1.2, LShoulderPitch: -60, LShoulderRoll: -15, LElbowYaw: 0, LElbowRoll: -85}", 15,
        "left hand and head come within",
    ),
    "a hand in the belly": (
        "{at_s: 1.2, LShoulderPitch: 85, LShoulderRoll: -10, LElbowYaw: 0, LElbowRoll: -85}", 15,
        "left hand and belly come within",
    ),
    "a right hand in the chest": (
        "{at_s: 1.2, RShoulderPitch: 60, RShoulderRoll: 15, RElbowYaw: 0, RElbowRoll: 85}", 15,
        "right forearm and chest come within",
    ),
    "a hand in the thigh": (
        "{at_s: 1.2, LShoulderPitch: 95, LShoulderRoll: -10, LElbowYaw: 0, LElbowRoll: -20}", 15,
        "left hand and left thigh come within",
    ),
    "hands through one another": (
        "{at_s: 1.2, ShoulderPitch: 20, ShoulderRoll: -10, ElbowYaw: -20, ElbowRoll: -80}", 15,
        "left hand and right hand come within",
    ),
    "an arm that meets the other only where the robot sat before": (
        "{at_s: 1.2, hold_s: 1.5, RShoulderPitch: 34, RShoulderRoll: 2, RElbowYaw: 8, RElbowRoll: 84}", 15,
        "s from Sit; keep them 10 mm apart.",
    ),
    "fists that meet the thighs only in a weak answer": (
        "{at_s: 0.7, hold_s: 2.8, ShoulderRoll: 55}\n"
        "  - {at_s: 1, hold_s: 2, ShoulderPitch: 100, ElbowYaw: 0, ElbowRoll: -84, WristYaw: -40}", 16,
        "left hand and left thigh come within",
    ),
    "a leg": ("{at_s: 1, LHipPitch: -20}", 15, "LHipPitch is a leg joint; gestures move head, arms and hands"),
    "a joint of no robot": ("{at_s: 1, LElbowPitch: -20}", 15, "there is no joint 'LElbowPitch'"),
    "an angle that is no number": ("{at_s: 1, LHand: .nan}", 15, "'LHand' is a number; nan came."),
}  # fmt: skip


@pytest.mark.parametrize("danger", DANGERS)
def test_a_dangerous_sheet_is_refused_with_file_line_and_limit(tmp_path, danger):
    pose, line, words = DANGERS[danger]
    path = write(tmp_path, f"{SAFE}  - {pose}\n")
    assert len(DANGERS) >= 25
    assert any(flaw.startswith(f"{path}:{line}: ") and words in flaw for flaw in flaws(path)), flaws(path)


SOUND = "sees: It waves.\nsounds:\n  - {at_s: 1, file: %s}"


@pytest.mark.parametrize(
    "old, new, line, words",
    [
        ("fade_s: 0.3", "fade_s: 0.3, beats: 3", 7, "'every_s' must be given."),
        ("fade_s: 0.3", "fade_s: 0.3, beats: 2.5, every_s: 1, between: '#000000'", 7, "whole number 1 to 20"),
        ("fade_s: 0.3", "fade_s: 0.3, beats: 2, every_s: 1, between: dark", 7, "six hex digits"),
        ("fade_s: 0.3", "fade_s: 0.3, beats: 4, every_s: 1, between: '#000000'", 8, "times must ascend"),
        ("sees: It waves.", "sees: It waves.\npolicy: love", 4, "a policy is mirror or empathy; ['love'] came"),
        ("sees: It waves.", "sees: It waves.\nleast_amplitude: 0.2", 4, "lies in 0.5..1; 0.2 came"),
        ("sees: It waves.", "sees: It waves.\nbuiltin: Joy_1", 4, "'builtin' is a list"),
        (
            "sees: It waves.",
            "sees: It waves.\nsounds:\n  - {at_s: 1, file: a.wav}",
            5,
            "no file 'a.wav' beside the sheet",
        ),
        (
            "sees: It waves.",
            "sees: It waves.\nsounds:\n  - {at_s: 1, file: ../a.wav}",
            5,
            "no file '../a.wav' beside",
        ),
        (
            "sees: It waves.",
            "sees: It waves.\nsounds:\n  - {at_s: 1, file: wave.yaml}",
            5,
            "a file of .wav, .ogg",
        ),
        ("sees: It waves.", SOUND % "3", 5, "full path of a file"),
        ("sees: It waves.", "sees: It waves.\nears:\n  - {at_s: 1, level: 2, fade_s: 0}", 5, "0 to 1; 2.0"),
        ("sees: It waves.", "sees: It waves.\nears:\n  - {at_s: 1, level: 0, fade_s: 0}", 5, "must end at 1"),
    ],
)
def test_a_slip_in_lights_sounds_or_policy_is_told_with_its_line(tmp_path, old, new, line, words):
    path = write(tmp_path, GOOD.replace(old, new))
    assert any(flaw.startswith(f"{path}:{line}: ") and words in flaw for flaw in flaws(path)), flaws(path)


def test_a_sound_beside_the_sheet_goes_along_to_wherever_the_behaviours_are_built(tmp_path):
    noisy = (sheets.HERE / "nod.yaml").read_text("utf-8") + "\nsounds:\n  - {at_s: 1, file: more/oh.wav}\n"
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "oh.wav").write_bytes(b"RIFF")
    path = write(tmp_path, noisy, "nod.yaml")
    assert sheets.load(path)[0].sounds == [(1.0, str(tmp_path / "more" / "oh.wav"))]
    built = tmp_path / "robot" / "behaviors.json"
    built.parent.mkdir()
    main(["build", "--sheets", str(path), "--out", str(built)], standalone_mode=False)
    ((at_s, there),) = library.load(str(built))["nod"].sounds
    assert at_s == 1.0 and Path(there).parent == built.parent / "sounds" and Path(there).read_bytes() == b"RIFF"
    (tmp_path / "more" / "oh.wav").write_bytes(b"")
    assert any("has 0" in flaw for flaw in flaws(path))


def test_beats_become_keys_that_go_to_and_fro(tmp_path):
    beats = "fade_s: 0.1, beats: 2, every_s: 0.6, between: '#200000'"
    (wave,) = sheets.load(write(tmp_path, GOOD.replace("fade_s: 0.3", beats)))
    assert wave.eyes == [
        (0.0, 0xFFC800, 0.1), (0.3, 0x200000, 0.1), (0.6, 0xFFC800, 0.1), (0.9, 0x200000, 0.1),
        (1.2, 0xFFC800, 0.1), (2.5, 0xFFFFFF, 0.5),
    ]  # fmt: skip


def test_all_slips_of_all_sheets_are_told_at_once(tmp_path):
    one = write(
        tmp_path, GOOD.replace("happy", "glad").replace("-20", "-90").replace("Hand: 0.9", "Hnd: 1"), "one.yaml"
    )
    two = write(tmp_path, GOOD.replace("ShoulderRoll: 30", "ShoulderRoll: 300"), "two.yaml")
    found = flaws(tmp_path)
    assert sorted({flaw.split(": ")[0] for flaw in found}) == [f"{one}:15", f"{one}:2", f"{two}:15"]


@pytest.mark.parametrize(
    "text", ["", "- a\n- b\n", "just words", "poses_deg: 3\n", "eyes: [1, 2]\n", "{", "a: &x [*x]\n"]
)
def test_what_is_no_sheet_at_all_is_a_sentence(tmp_path, text):
    path = write(tmp_path, text)
    assert all(flaw.startswith(f"{path}:") for flaw in flaws(path))


def test_what_is_missing_is_told_once(tmp_path):
    path = write(tmp_path, "sees: Nothing.\n")
    missing = ("emotion", "end_s", "eyes", "say", "poses_deg")
    assert flaws(path) == [f"{path}:1: {key!r} must be given." for key in missing]


def test_bytes_that_are_no_text_are_a_sentence(tmp_path):
    path = tmp_path / "wave.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in flaws(path)[0]


def test_an_arm_that_would_hit_the_head_is_refused_at_its_line(tmp_path):
    """The hand at the ear, as far in as the joints alone would let it go."""
    pose = "  - {at_s: 1.2, LShoulderPitch: -60, LShoulderRoll: -15, LElbowYaw: 0, LElbowRoll: -85}\n"
    path = write(tmp_path, GOOD.partition("poses_deg:")[0] + "poses_deg:\n" + pose)
    assert sheets.read_sheet(path).flaws == []
    found = flaws(path)
    assert found and all(flaw.startswith(f"{path}:15: left ") for flaw in found)
    assert any("and head come within" in flaw for flaw in found)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("emotion", EMOTIONS)
def test_every_emotion_has_three_variations_under_each_policy(emotion, policy):
    own = [b for b in SHIPPED if b.emotion == emotion and policy in b.policies]
    assert len(own) >= 3


@pytest.mark.parametrize("behavior", SHIPPED, ids=lambda behavior: behavior.name)
def test_every_sentence_exists_in_four_languages_with_as_many_texts(behavior):
    for _, texts in behavior.say:
        assert {"English", "Chinese", "French", "Japanese"} <= set(texts)
        assert len({len(variants) for variants in texts.values()}) == 1 and len(texts["English"]) >= 2


def test_the_shipped_sheets_keep_every_rule_on_a_second_reckoning():
    """Measured on the 50 Hz path itself, not on the keys, so that check.py is not its own judge."""
    for behavior in SHIPPED:
        path = check.sampled(behavior)
        for joint, angles in path.items():
            limit = JOINTS[joint]
            free = 0.02 * (limit.max_rad - limit.min_rad)
            assert limit.min_rad + free - 1e-6 <= angles.min(), (behavior.name, joint)
            assert angles.max() <= limit.max_rad - free + 1e-6, (behavior.name, joint)
            assert np.abs(np.diff(angles)).max() / rules.STEP_S <= 0.7 * limit.max_speed_rad_s + 1e-6
            assert angles[0] == STAND[joint] and angles[-1] == pytest.approx(STAND[joint], abs=1e-3)
            assert joint in GESTURE_NAMES


def test_two_mirrored_emotions_can_be_told_apart_by_pose_and_by_colour():
    """At its strongest moment each has a joint 0.4 rad away from every moment of those of other emotions."""
    mirrored = [b for b in SHIPPED if "mirror" in b.policies]
    paths = {b.name: whole_path(b)[::3] for b in mirrored}
    for one in mirrored:
        for other in mirrored:
            if one.emotion != other.emotion:
                assert one.eyes[0][1] != other.eyes[0][1]
                assert strangeness(paths[one.name], paths[other.name]) > 0.4, (one.name, other.name)


def test_variations_of_one_emotion_differ_in_pose():
    for one in SHIPPED:
        for other in SHIPPED:
            if one.emotion == other.emotion and one.name != other.name:
                apart = strangeness(whole_path(one)[::3], whole_path(other)[::3])
                assert apart > 0.3, (one.name, other.name)


def strangeness(mine, theirs):
    """How far (rad, in its farthest joint) the path (T, 14) comes from the nearest moment of the other."""
    return np.abs(mine[:, None] - theirs[None]).max(axis=2).min(axis=1).max()


def whole_path(behavior):
    """(T, 14) angles of all joints of a gesture."""
    path = check.sampled(behavior)
    return np.stack([path[joint] for joint in GESTURE_NAMES], axis=1)


def test_the_built_file_gives_the_same_behaviours_as_the_sheets(tmp_path):
    out = tmp_path / "behaviors.json"
    assert run("build", "--out", out)[0] == 0
    built = library.load(str(out))
    assert list(built) == sorted(SHIPPED, key=lambda behavior: behavior.name)
    assert json.loads(out.read_text("ascii"))["format"] == library.FORMAT


def test_check_prints_a_line_for_each_behaviour_and_the_limits():
    code, printed, errors = run("check")
    assert (code, errors) == (0, "")
    lines = printed.splitlines()
    assert len(lines) == 1 + len(SHIPPED) + 1
    assert all(behavior.name in printed for behavior in SHIPPED)


def test_list_names_what_a_person_sees():
    code, printed, _ = run("list")
    told = [line.split()[0] for line in printed.splitlines()]
    assert code == 0 and len(told) == len(SHIPPED) and list(dict.fromkeys(told)) == list(EMOTIONS)


@pytest.mark.parametrize("command", ["check", "list", "build", "preview"])
def test_a_broken_sheet_ends_every_command_with_a_sentence_and_code_2(tmp_path, command):
    path = write(tmp_path, GOOD.replace("HeadPitch", "HaedPitch"))
    out = ("--out", tmp_path / "out") if command in ("build", "preview") else ()
    code, printed, errors = run(command, "--sheets", path, *out)
    assert (code, printed) == (2, "")
    assert errors == (f"{path}:15: there is no joint 'HaedPitch' in 'poses_deg'; did you mean HeadPitch?\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words, sentence",
    [
        (("check", "--sheets", "no-such-folder"), "no-such-folder: cannot be read"),
        (("check", "--sheets", "tests/data"), "there is no sheet"),
        (("build", "--out", "no-such-folder/b.json"), "cannot be written"),
        (("preview", "cher", "--out", "build/pictures"), "no behaviour 'cher'; did you mean cheer?"),
        (("build",), "Missing option '--out'"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_ends_with_a_sentence_and_code_2(words, sentence):
    code, _, errors = run(*words)
    assert code == 2 and sentence in errors and "Traceback" not in errors


def test_the_sheet_in_the_readme_is_a_good_one(tmp_path):
    text = (ROOT / "behaviors" / "README.md").read_text("utf-8")
    _, _, rest = text.partition("```yaml\n")
    (tmp_path / "oh.wav").write_bytes(b"RIFF")  # the sound that it names, beside it
    (measure,) = check.check(write(tmp_path, rest.partition("```")[0]))
    assert measure.emotion == "surprised"
