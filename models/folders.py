"""Labelled faces from pictures in class folders: one folder an emotion, as Kaggle and many others ship them.

This file reads; it never finds faces: every picture is taken to be a ready crop of one.
"""

from pathlib import Path

import cv2
import numpy as np

from config.contract import EMOTIONS
from models.crop import crop_face
from models.data import SPLITS, DataError, Faces

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
NAMES = {name: i for i, name in enumerate(EMOTIONS)} | {  # the words of the data sets beside ours
    word: EMOTIONS.index(name)
    for name, words in {
        "happy": ("happiness",),
        "angry": ("anger",),
        "disgusted": ("disgust",),
        "fearful": ("fear", "afraid", "scared"),
        "sad": ("sadness",),
        "surprised": ("surprise",),
        "neutral": ("normal",),
    }.items()
    for word in words
}


def find(path: Path, split: str) -> tuple[Path, str] | None:
    """The folder that holds the class folders, and the split it stands for; None where there are none.

    PATH/<split>/<emotion>/ is that split; PATH/<emotion>/ knows no splits, so that the answer is "all".
    """
    for folder, name in ((path / split, split), (path, "all")):
        if folder.is_dir() and any(
            child.is_dir() and child.name.lower() in NAMES for child in folder.iterdir()
        ):
            return folder, name
    return None


def load(folder: Path) -> Faces:
    """All pictures of the class folders, gray, at 48 x 48; raises DataError for a class that is not ours."""
    images, emotion = [], []
    for child in sorted(folder.iterdir()):
        if not child.is_dir() or child.name.startswith(".") or child.name in SPLITS:
            continue
        if child.name.lower() not in NAMES:
            raise DataError(
                f"data: {child} is no emotion of ours; class folders are named {', '.join(sorted(NAMES))}."
            )
        for path in sorted(child.iterdir()):
            if path.suffix.lower() in SUFFIXES:
                images.append(_picture(path))
                emotion.append(NAMES[child.name.lower()])
    if not images:
        raise DataError(f"data: the class folders in {folder} hold no picture ({', '.join(SUFFIXES)}).")
    return Faces(np.stack(images), np.array(emotion), None)


def _picture(path: Path) -> np.ndarray:
    """(48, 48) uint8; a picture of another size is taken whole, its rim repeated to make it square."""
    picture = gray(path)
    height, width = picture.shape
    return crop_face(picture, [0, 0, width, height])


def gray(path: Path) -> np.ndarray:
    """A picture (H, W) uint8; raises DataError where it is none."""
    there = path.is_file() and path.stat().st_size
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE) if there else None
    if pixels is None:
        raise DataError(f"data: {path} is no picture that can be read; replace it or take it away.")
    return pixels
