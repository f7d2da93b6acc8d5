"""How good a network is with all that stands before it: faces in scenes, through detector and crop.

Ready crops flatter: on a robot the face is first found, then cut out a little too wide or too narrow.
Here known faces are pasted into pictures of a camera's size and go the whole way. It changes nothing.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from config import settings
from models import data, zoo
from models.crop import crop_face
from models.evaluate import Classifier, own_labels, read, share, truth
from models.mtcnn import Detector, Found

SCENE_PX = (640, 480)  # width, height
FACE_PX = (60, 160)  # side of a pasted tile
SEED = 2013


def end_to_end(
    name: str,
    path: str | Path,
    labels: str | None = None,
    images: int = 1500,
    margin: float | None = None,
    home: Path = zoo.ZOO,
) -> dict:
    """Paste faces of PublicTest into VGA scenes, find them as the service does, crop them, score them.

    Gives the share found, also among the tiles that no FER+ voter called no face, and the accuracy on the
    found ones: of their ready crops, and through the detector with `margin` (the card's, where none is
    given) and with a tenth less and more.
    """
    entry = zoo.load(name, home)
    reader = settings.load().reader
    classifier, detector = Classifier(entry), Detector(reader.min_face_px, reader.thresholds)
    chosen_margin = margin or entry.card["crop_margin"]
    margins = [round(chosen_margin * part, 3) for part in (0.9, 1.0, 1.1)]
    faces = read(path, "PublicTest").faces
    labels = labels or own_labels(entry.card, faces)
    rows, right = truth(faces, labels)
    generator = np.random.default_rng(SEED)
    chosen = generator.permutation(len(rows))[:images]
    scenes = (paste(faces.images[rows[place]], generator) for place in chosen)
    crops = [cut(detector, scene, box_px, margins) for scene, box_px in scenes]
    seen = np.array([crop is not None for crop in crops])
    certain = data.is_face(faces)[rows[chosen]]
    found, pictures = chosen[seen], np.stack([crop for crop in crops if crop is not None])
    accuracy = lambda faces: share(classifier(faces).argmax(1) == right[found])  # noqa: E731
    return {
        "model": name,
        "labels": labels,
        "images": len(chosen),
        "margin": chosen_margin,
        "found": share(seen),
        "found_of_certain_faces": share(seen[certain]),
        "ready_crops": accuracy(faces.images[rows[found]]),
        "through_detector": {str(m): accuracy(pictures[:, i]) for i, m in enumerate(margins)},
    }


def cut(
    detector: Detector, scene: np.ndarray, box_px: Sequence[float], margins: Sequence[float]
) -> np.ndarray | None:
    """The pasted face as the detector finds it, one crop a margin (m, 48, 48); None where it is missed."""
    found = detector.detect(scene)
    best = pasted(found, box_px)
    return None if best is None else np.stack([crop_face(scene, best.box_px, margin) for margin in margins])


def pasted(found: Sequence[Found], box_px: Sequence[float]) -> Found | None:
    """The face whose middle lies on the tile, the one that covers it best; None where there is none.

    How much of the tile it covers is not asked: some tiles show a small face with its shoulders.
    """
    x, y, side, _ = box_px
    middles = [(f.box_px[0] + f.box_px[2] / 2 - x, f.box_px[1] + f.box_px[3] / 2 - y) for f in found]
    inside = [f for f, (u, v) in zip(found, middles, strict=True) if 0 <= u <= side and 0 <= v <= side]
    return max(inside, key=lambda face: overlap(face.box_px, box_px), default=None)


def paste(tile: np.ndarray, generator: np.random.Generator) -> tuple[np.ndarray, list[float]]:
    """A gray VGA scene (480, 640) uint8 with the tile in it, JPEG-coded as robots send it, and its box_px."""
    width, height = SCENE_PX
    coarse = generator.integers(40, 200, (6, 8)).astype(np.uint8)
    scene = cv2.resize(coarse, SCENE_PX, interpolation=cv2.INTER_CUBIC)
    side = int(generator.integers(FACE_PX[0], FACE_PX[1] + 1))
    x, y = int(generator.integers(0, width - side)), int(generator.integers(0, height - side))
    scene[y : y + side, x : x + side] = cv2.resize(tile, (side, side), interpolation=cv2.INTER_CUBIC)
    coded = cv2.imencode(".jpg", scene, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), [x, y, side, side]


def overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two box_px."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / (a[2] * a[3] + b[2] * b[3] - wide * high)
