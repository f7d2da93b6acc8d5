"""The demo scene shows what its plan says, to the eyes of the real detector and the real network."""

import cv2
import numpy as np
import onnxruntime
import pytest

from config import settings
from config.contract import EMOTIONS
from models import zoo
from models.crop import crop_face
from models.mtcnn import Detector
from robot_app.virtual import face_actions, scene
from robot_app.virtual.scene import LOOP_S, SETTLE_S, DemoScene

SOMEBODY = [part for part in DemoScene.plan if part.expression is not None]
AWAY = [part for part in DemoScene.plan if part.expression is None]


@pytest.fixture(scope="module")
def demo():
    return DemoScene()


@pytest.fixture(scope="module")
def detector():
    return Detector()


def settled(part, count):
    """`count` moments, in s, at which a line of the plan holds wholly."""
    return np.linspace(part.start_s + SETTLE_S, part.end_s - 0.05, count)


def difference(one, other):
    """Mean difference of two pictures, in levels of 256."""
    return np.abs(one.astype(int) - other.astype(int)).mean()


def name(part):
    return f"{part.expression or 'away'}-{part.start_s:g}s"


# Time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("t_s", (0, 4.2, 20.25, 40.0, 42.0, 1e6))
def test_a_picture_is_vga_in_bytes(demo, t_s):
    picture = demo.picture(t_s)
    assert picture.shape == (480, 640, 3)
    assert picture.dtype == np.uint8


def test_the_same_moment_gives_the_same_picture_whatever_was_asked_before(demo):
    first = demo.picture(5.8)
    first_kept = first.copy()
    demo.picture(12.0)[:] = 0  # nor may a caller who paints in a picture spoil the next
    assert np.array_equal(demo.picture(5.8), first_kept)
    assert np.array_equal(DemoScene().picture(5.8), first_kept)
    assert np.array_equal(first, first_kept)


def test_the_loop_closes_without_a_jump(demo):
    step_s = 1 / 25
    usual = difference(demo.picture(1.0), demo.picture(1.0 + step_s))
    assert difference(demo.picture(LOOP_S - step_s), demo.picture(LOOP_S)) < 2 * usual
    assert np.array_equal(demo.picture(3.0), demo.picture(3.0 + LOOP_S))


def test_nothing_jumps_at_the_joints_of_the_plan():
    step_s = 1e-4
    for part in DemoScene.plan:
        before, after = scene.pose_at(part.start_s - step_s), scene.pose_at(part.start_s + step_s)
        assert all(abs(before[key] - after[key]) < 1e-3 for key in face_actions.REST), name(part)
        before, after = scene.placed(part.start_s - step_s), scene.placed(part.start_s + step_s)
        assert all(abs(before[key] - after[key]) < 0.1 for key in before), name(part)


def test_somebody_moves_breathes_and_blinks(demo):
    assert difference(demo.picture(3.0), demo.picture(3.5)) > 1
    opened = scene.pose_at(scene.BLINKS_S[0])["lid_upper"]
    closed = scene.pose_at(scene.BLINKS_S[0] + scene.BLINK_S / 2)["lid_upper"]
    assert opened > 0.05 and closed < 0


# The plan -------------------------------------------------------------------------------------------


def test_the_plan_is_one_loop_without_gaps_or_overlaps():
    starts, ends = [part.start_s for part in DemoScene.plan], [part.end_s for part in DemoScene.plan]
    assert starts == [0.0, *ends[:-1]]
    assert ends[-1] == LOOP_S
    assert all(part.end_s - part.start_s >= 2.0 for part in DemoScene.plan)


def test_the_plan_shows_a_face_at_once_a_clear_expression_from_two_seconds_and_somebody_leaving():
    assert DemoScene.plan[0].expression == "neutral"
    assert DemoScene.plan[1].start_s == 2.0 and DemoScene.plan[1].expression == "happy"
    assert AWAY
    shown = {part.expression for part in SOMEBODY}
    assert {"happy", "surprised", "neutral"} < shown <= set(EMOTIONS)
    assert shown <= set(face_actions.EXPRESSIONS)


def test_every_other_expression_comes_out_of_a_neutral_face():
    for before, now in zip(DemoScene.plan, DemoScene.plan[1:], strict=False):
        assert "neutral" in (before.expression, now.expression)


# As the detector and the network see it -------------------------------------------------------------


@pytest.mark.parametrize("part", SOMEBODY, ids=name)
def test_the_detector_finds_the_one_face_while_somebody_is_there(demo, detector, part):
    for t_s in settled(part, 3):
        found = detector.detect(cv2.cvtColor(demo.picture(t_s), cv2.COLOR_BGR2GRAY))
        assert len(found) == 1, f"{len(found)} faces at {t_s:.2f} s"


@pytest.mark.parametrize("part", AWAY, ids=name)
def test_the_detector_finds_nothing_while_nobody_is_there(demo, detector, part):
    for t_s in settled(part, 5):
        assert not detector.detect(cv2.cvtColor(demo.picture(t_s), cv2.COLOR_BGR2GRAY)), f"at {t_s:.2f} s"


@pytest.fixture(scope="module")
def network():
    """The default network: (N, 48, 48) uint8 -> (N, 7) scores, and its crop's margin."""
    wanted = settings.load().reader.model
    if wanted not in zoo.names():
        pytest.skip(f"the zoo has no {wanted} yet, so nobody can say how it reads the scene")
    entry = zoo.load(wanted)
    session = onnxruntime.InferenceSession(entry.onnx_path)
    return lambda faces: session.run(None, {"faces": faces[:, None].astype(np.float32)})[0], entry.card


@pytest.mark.parametrize("part", SOMEBODY, ids=name)
def test_the_network_reads_every_expression_as_the_plan_calls_it(demo, detector, network, part):
    read, card = network
    crops = []
    for t_s in settled(part, 4):
        picture = demo.picture(t_s)
        face = detector.detect(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))[0]
        gray = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        crops.append(crop_face(gray, face.box_px, card["crop_margin"]))
    scores = read(np.array(crops)).mean(0)
    assert EMOTIONS[scores.argmax()] == part.expression, dict(zip(EMOTIONS, scores.round(2), strict=True))
