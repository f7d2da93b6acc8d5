"""The body of bones and capsules, and its drawing: where parts are, how near they come, how it looks."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors import body, preview, sheets
from behaviors.__main__ import main
from behaviors.joints import GESTURE_NAMES, JOINTS, STAND, ankle_roll_limits, head_pitch_limits

ZERO = {joint: 0.0 for joint in GESTURE_NAMES}
SHIPPED = {behavior.name: behavior for behavior in sheets.load()}

some_angles = st.fixed_dictionaries(
    {joint: st.floats(JOINTS[joint].min_rad, JOINTS[joint].max_rad) for joint in GESTURE_NAMES}
)
coordinate = st.floats(-1, 1).map(lambda value: round(value, 3))
point = st.tuples(coordinate, coordinate, coordinate).map(np.array)


def at(joint, offset, angles):
    return body.in_torso(body.frames(angles)[joint], offset)[0]


@pytest.mark.parametrize(
    "title, angles, x, y, z",
    [
        ("arm straight ahead", {}, 0.105 + 0.05595 + 0.05775, 0.113, 0.100),
        ("arm straight down", {"LShoulderPitch": np.pi / 2}, 0.0, 0.113, 0.100 - 0.2187),
        ("arm out to its side", {"LShoulderRoll": np.pi / 2}, -0.015, 0.098 + 0.2187, 0.100),
        ("elbow bent inward", {"LElbowRoll": -np.pi / 2}, 0.105, 0.113 - 0.1137, 0.100),
        ("elbow bent upward", {"LElbowRoll": -np.pi / 2, "LElbowYaw": -np.pi / 2}, 0.105, 0.113, 0.2137),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_the_left_hand_is_where_naos_lengths_put_it(title, angles, x, y, z):
    assert at("LWristYaw", (0.05775, 0, 0), {**ZERO, **angles}) == pytest.approx([x, y, z], abs=1e-9)


def test_the_feet_stand_level_and_a_legs_length_below_the_torso():
    left, right = at("LAnkleRoll", (0, 0, -0.04511), {}), at("RAnkleRoll", (0, 0, -0.04511), {})
    assert left[2] == pytest.approx(right[2]) == pytest.approx(-0.333, abs=0.003)
    assert left[1] == pytest.approx(-right[1])


@settings(max_examples=30, deadline=None)
@given(some_angles)
def test_mirrored_angles_give_a_mirrored_body(angles):
    """The signs in joints.py are those of the bones."""
    mirrored = {"HeadYaw": -angles["HeadYaw"], "HeadPitch": angles["HeadPitch"]}
    for joint, angle in angles.items():
        if JOINTS[joint].mirror:
            mirrored[JOINTS[joint].mirror] = JOINTS[joint].mirror_sign * angle
    gaps, other = body.clearances(angles), body.clearances(mirrored)
    swap = {"left": "right", "right": "left"}
    for pair, gap in gaps.items():
        twin = tuple(" ".join(swap.get(word, word) for word in part.split()) for part in pair)
        assert gap == pytest.approx(other.get(twin, other.get(twin[::-1])), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(point, point, point, point)
def test_the_distance_of_two_segments_is_the_least_between_their_points(p, p_end, q, q_end):
    if np.allclose(p, p_end) or np.allclose(q, q_end):
        return
    share = np.linspace(0, 1, 101)[:, None]
    one, other = p + share * (p_end - p), q + share * (q_end - q)
    brute = np.linalg.norm(one[:, None] - other[None], axis=2).min()
    exact = body.segment_distance(p[None], p_end[None], q[None], q_end[None])[0]
    assert exact <= brute + 1e-9
    assert brute - exact < 0.02 * max(np.linalg.norm(p_end - p), np.linalg.norm(q_end - q))


def test_standing_touches_nothing_and_clapping_hands_touch():
    assert min(gap.min() for gap in body.clearances(STAND).values()) > 0.02
    clap = {**ZERO, "LElbowRoll": -1.4, "RElbowRoll": 1.4, "LShoulderRoll": -0.2, "RShoulderRoll": 0.2}
    assert body.clearances(clap)["left hand", "right hand"][0] < 0


def test_eyes_and_ears_fade_from_rest_to_each_key_and_back():
    slump = SHIPPED["slump"]
    assert preview.eye_colour(slump, 0.0) == (255, 255, 255) and preview.ear_light(slump, 0.0) == 1.0
    assert preview.eye_colour(slump, 1.4) == (0, 0x30, 0xFF) and preview.ear_light(slump, 2.0) == 0.0
    assert preview.ear_light(slump, 0.6) == pytest.approx(0.5)
    assert preview.eye_colour(slump, slump.duration_s) == (255, 255, 255)
    assert preview.ear_light(slump, slump.duration_s) == 1.0
    halfway = preview.eye_colour(slump, 0.6)
    assert 100 < halfway[0] < 155 and halfway[2] == 255


def test_voice_tags_are_not_written_below_a_picture():
    assert preview.spoken("\\rspd=80\\Oh. \\pau=300\\ You look sad.") == "Oh. You look sad."


def test_the_drawing_shows_the_eyes_colour_from_the_front_and_a_raised_arm_above_the_head():
    picture = preview.figure({**STAND, "LShoulderPitch": -1.4}, (0, 255, 0), preview.VIEWS["front"])
    green = (picture == (0, 255, 0)).all(axis=2)
    assert picture.shape == (preview.CELL_PX[1], preview.CELL_PX[0], 3)
    assert green.sum() > 20
    rows = np.flatnonzero((picture != preview.PAPER).any(axis=(1, 2)))
    assert rows.min() < np.flatnonzero(green.any(axis=1)).min() - 30


def test_preview_writes_a_sheet_of_each_and_an_overview_of_all(tmp_path):
    main(["preview", "--sheets", str(sheets.HERE / "nod.yaml"), "--out", str(tmp_path)], standalone_mode=False)
    assert {file.name for file in tmp_path.iterdir()} == {"nod.png", "overview.png"}
    assert cv2.imread(str(tmp_path / "nod.png")).shape[1] == 8 * preview.CELL_PX[0]


@pytest.mark.parametrize("posture", body.POSTURES)
def test_every_posture_of_naoqi_keeps_all_ranges_and_both_coupled_limits(posture):
    angles = body.POSTURES[posture]
    assert len(angles) == 26
    for joint, angle in angles.items():
        assert JOINTS[joint].min_rad - 1e-3 <= angle <= JOINTS[joint].max_rad + 1e-3, joint
    low, high = head_pitch_limits(angles["HeadYaw"])
    assert low <= angles["HeadPitch"] <= high
    for side in "LR":
        low, high = ankle_roll_limits(side + "AnkleRoll", angles[side + "AnklePitch"])
        assert low <= angles[side + "AnkleRoll"] <= high


def test_the_gallery_shows_every_behaviour_and_the_readme_every_picture():
    folder = sheets.HERE.parent
    pictures = {path.name for path in (folder / "gallery").iterdir()}
    assert pictures == {f"{name}.{kind}" for name in SHIPPED for kind in ("gif", "png")}
    readme = (folder / "README.md").read_text("utf-8")
    missing = [picture for picture in sorted(pictures) if f"gallery/{picture}" not in readme]
    assert not missing, "make behaviors draws the pictures; behaviors/README.md shows them"
    assert sum(path.stat().st_size for path in (folder / "gallery").iterdir()) < 6e6
