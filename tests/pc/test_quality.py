"""What is wrong with a face's picture is said, at almost no cost; a good picture is called good."""

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from config import settings
from config.contract import FLAWS, Frame
from inference_server.quality import Limits, flaws, turned
from inference_server.reader import Reader
from models import zoo
from models.mtcnn import Detector

MEDIA = Path(__file__).parents[3] / "shared" / "media"
BOX = [0.0, 0.0, 90.0, 110.0]
FRONTAL = np.array([[30, 40], [70, 40], [50, 60], [35, 80], [65, 80]], float)
TURNED = FRONTAL + np.array([[0, 0], [0, 0], [18, 0], [10, 0], [5, 0]])


def crop():
    """Sharp structure of middle gray, (48, 48)."""
    rng = np.random.default_rng(7)
    coarse, fine = (rng.integers(0, high, (side, side), np.uint8) for side, high in ((6, 120), (24, 80)))
    return 30 + sum(cv2.resize(part, (48, 48), interpolation=cv2.INTER_LINEAR) for part in (coarse, fine))


def found_in(picture, box=BOX, points=FRONTAL):
    return flaws(picture, box, points, Limits())


def test_the_limits_are_those_of_the_settings():
    chosen = settings.load().reader
    assert Limits() == Limits(*(getattr(chosen, name) for name in Limits._fields))


def test_a_good_picture_has_no_flaw():
    assert found_in(crop()) == ()


@pytest.mark.parametrize(
    ("flaw", "found"),
    [
        ("dark", lambda: found_in((crop() * 0.12).astype(np.uint8))),
        ("small", lambda: found_in(crop(), [0, 0, 15, 20])),
        ("profile", lambda: found_in(crop(), points=TURNED)),
        ("blurred", lambda: found_in(cv2.GaussianBlur(crop(), (0, 0), 3))),
    ],
)
def test_each_flaw_is_found_by_itself(flaw, found):
    assert flaw in FLAWS and found() == (flaw,)


def test_a_picture_of_one_gray_and_points_in_one_place_are_judged_without_a_fault():
    assert found_in(np.zeros((48, 48), np.uint8), points=np.zeros((5, 2))) == ("dark", "profile", "blurred")
    assert found_in(crop(), points=None) == ()


def test_a_head_that_leans_is_not_a_head_that_turns():
    angle = 0.6
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert turned(FRONTAL @ rotation.T) == pytest.approx(turned(FRONTAL), abs=1e-9)
    assert turned(TURNED @ rotation.T) == pytest.approx(turned(TURNED), abs=1e-9)


def test_judging_a_face_costs_almost_nothing():
    picture, spent_s = crop(), []
    for _ in range(300):
        began_s = time.perf_counter()
        found_in(picture)
        spent_s.append(time.perf_counter() - began_s)
    print(f"\nquality of a face: {1e3 * np.median(spent_s):.3f} ms (median)")
    assert np.median(spent_s) < 0.005


@pytest.mark.skipif(not MEDIA.is_dir(), reason=f"no real faces to look at: {MEDIA} is absent")
def test_a_real_face_is_unsure_in_the_dark_and_not_in_the_light():
    gray = cv2.resize(cv2.imread(str(MEDIA / "single_face.jpg"), cv2.IMREAD_GRAYSCALE), (640, 480))
    reader = Reader(Detector(), zoo.load("xrs-fer2013"), unsure_below=0.0)

    def read(picture, robot_id):
        frame = Frame(1, 0.0, 640, 480, "gray8", "nao", None, None, None, picture.tobytes())
        (face, *_) = reader.read(frame, robot_id, 0.0).faces
        return face

    light, dim = read(gray, "nao-1"), read((gray * 0.1).astype(np.uint8), "nao-2")
    assert (light.quality, light.unsure) == ((), False)
    assert "dark" in dim.quality and dim.unsure


def test_a_face_without_a_clear_expression_is_unsure_as_the_card_says():
    entry = zoo.load("xrs-fer2013")
    assert Reader(Detector(), entry)._unsure_below == entry.card["unsure_below"]
    silent = entry._replace(card={key: value for key, value in entry.card.items() if key != "unsure_below"})
    assert Reader(Detector(), silent)._unsure_below == 0.0
