"""A body of plain shapes in a physics simulator: the widest behaviour of each emotion, and what must not pass.

`make behaviors` plays all of them; here are one for each emotion, so that the tests stay short.
"""

import os

import pytest

from behaviors import physics, sheets
from behaviors.joints import JOINTS, STAND
from config.contract import EMOTIONS

pytest.importorskip("pybullet", reason="no pybullet: pip install -e '.[physics]' (for Python 3.10 and 3.11)")

SHIPPED = {behavior.name: behavior for behavior in sheets.load()}
ONE_OF_EACH = ("dance", "pound", "recoil", "hide", "weep", "amaze", "greet")
WAVE = SHIPPED["greet"]


def play(behavior):
    (run,) = physics.play_all([behavior])
    return run


def moved(**joints):
    """WAVE with these joints alone: {joint: ([time_s, ...], [rad, ...])}."""
    return WAVE._replace(joints=joints)


def test_the_table_of_the_body_holds_every_joint_that_carries_weight_and_weighs_what_a_nao_weighs():
    rows = physics.links()
    assert {row["joint"] for row in rows if row["joint"]} == {j for j in JOINTS if not j.endswith("Hand")}
    assert 5.0 < sum(float(row["mass"]) for row in rows) < 5.5


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_behaviour_leaves_the_body_standing_untouched_and_at_its_end(name):
    run = play(SHIPPED[name])
    assert run.troubles == []
    assert run.end_error_rad < 0.05 and run.lag_rad < 0.1 and run.gap_m > 0


def test_every_emotion_is_played():
    assert {SHIPPED[name].emotion for name in ONE_OF_EACH} == set(EMOTIONS)


def test_a_behaviour_that_does_not_come_home_is_found():
    run = play(moved(LShoulderPitch=([1.0], [0.0])))
    assert any("rad from Stand" in trouble for trouble in run.troubles)


def test_arms_thrown_about_in_no_time_move_the_body_and_are_found():
    thrown = ([0.1, 0.2, 0.3, 0.4, 0.5, 3.0], [-1.0, 1.0, -1.0, 1.0, -1.0, STAND["LShoulderPitch"]])
    calm, wild = play(WAVE), play(moved(LShoulderPitch=thrown, RShoulderPitch=thrown))
    assert wild.lag_rad > 0.3 and wild.tilt_rad > 2 * calm.tilt_rad
    assert any("weight" in trouble for trouble in wild.troubles)


def test_a_hand_in_the_face_is_found():
    keys = {"LShoulderPitch": -1.05, "LShoulderRoll": -0.26, "LElbowYaw": 0.0, "LElbowRoll": -1.48}
    run = play(moved(**{joint: ([1.2, 4.0], [angle, STAND[joint]]) for joint, angle in keys.items()}))
    assert any("touches itself: left" in trouble and "head" in trouble for trouble in run.troubles)


def test_the_same_behaviour_gives_the_same_figures_whatever_was_played_before():
    first, _, again = physics.play_all([WAVE, SHIPPED["pound"], WAVE])
    assert (first.tilt_rad, first.drift_m, first.sole_m) == (again.tilt_rad, again.drift_m, again.sole_m)


def test_the_gallery_draws_a_sheet_and_a_moving_picture_of_what_was_measured(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="no Pillow: pip install -e '.[physics]'")
    from behaviors import pictures

    png, gif = pictures.draw(WAVE, play(WAVE), tmp_path)
    with image.open(gif) as film:
        assert film.n_frames > 20 and film.size == (174, 180)
    assert os.path.getsize(png) < 60_000 and os.path.getsize(gif) < 150_000
