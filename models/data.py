"""Labelled faces in memory: FER2013 with the votes of FER+, from the official csv or from PNG sheets.

This file reads; it never changes an image, never downloads, and never decides what to train on.

FER2013: Goodfellow et al. 2013, 48x48 gray, seven labels given by one person each.
FER+: Barsoum et al. 2016 (arXiv 1608.01041), ten votes an image over ten columns.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from config.contract import EMOTIONS

SIDE_PX = 48
SHEET_COLUMNS = 170
SPLITS = {"Training": "training", "PublicTest": "public_test", "PrivateTest": "private_test"}

FER2013_NAMES = ("angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral")
FERPLUS_COLUMNS = (
    *("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear"),
    *("contempt", "unknown", "NF"),
)
FERPLUS_NAMES = ("neutral", "happy", "surprised", "sad", "angry", "disgusted", "fearful")

FROM_FER2013 = np.array([EMOTIONS.index(name) for name in FER2013_NAMES])
FROM_FERPLUS = np.array([FERPLUS_NAMES.index(name) for name in EMOTIONS])


class DataError(ValueError):
    """The data is not where, or not what, it should be; the sentence says what to do."""


class Faces(NamedTuple):
    """n faces and what people said of them.

    images   (n, 48, 48) uint8, gray
    emotion  (n,) int64, FER2013's label as an index into EMOTIONS
    votes    (n, 10) float32 in the order of FERPLUS_COLUMNS, or None where there are none
    """

    images: np.ndarray
    emotion: np.ndarray
    votes: np.ndarray | None

    def take(self, rows: np.ndarray) -> "Faces":
        """The same faces, only these rows (indices or a mask)."""
        votes = None if self.votes is None else self.votes[rows]
        return Faces(self.images[rows], self.emotion[rows], votes)


def load(path: str | Path, split: str, votes: str | Path | None = None) -> Faces:
    """Read one split ("Training", "PublicTest", "PrivateTest") of FER2013.

    `path` is `fer2013.csv` (or `icml_face_data.csv`), its folder, or a folder of PNG sheets; FER+ votes
    come from `votes`, else from `fer2013new.csv` beside the csv, else from the sheet's own columns.
    """
    if split not in SPLITS:
        raise DataError(f"data: split must be one of {', '.join(SPLITS)}; got {split!r}.")
    path = Path(path)
    sheet = path / f"{SPLITS[split]}.png"
    if sheet.is_file():
        return _load_sheet(sheet)
    for name in ("fer2013.csv", "icml_face_data.csv"):
        if (path / name).is_file():
            path = path / name
    if not path.is_file():
        raise DataError(
            f"data: {path} holds neither {sheet.name} nor fer2013.csv. "
            "Give the folder of the sheets, or the official csv file (FER2013 is not part of this project)."
        )
    votes = Path(votes) if votes else path.with_name("fer2013new.csv")
    return _load_csv(path, split, votes if votes.is_file() else None)


def ferplus_target(votes: np.ndarray) -> np.ndarray:
    """FER+ votes (n, 10) to distributions (n, 7) over EMOTIONS; rows without any stay zero.

    Single votes count as slips of the hand (Barsoum et al., section 3) and are dropped where a larger
    one exists.
    """
    ours = votes[:, FROM_FERPLUS].copy()  # (n, 7)
    ours[(ours <= 1) & (ours.max(1, keepdims=True) > 1)] = 0
    total = ours.sum(1, keepdims=True)
    return np.divide(ours, total, out=np.zeros_like(ours), where=total > 0).astype(np.float32)


def ferplus_majority(votes: np.ndarray) -> np.ndarray:
    """The emotion (n,) int64 of the single most-voted of all ten columns; -1 where it is tied or not ours."""
    best = votes.argmax(1)
    tied = (votes == votes.max(1, keepdims=True)).sum(1) > 1
    to_ours = np.full(len(FERPLUS_COLUMNS), -1)
    to_ours[FROM_FERPLUS] = np.arange(len(EMOTIONS))
    return np.where(tied, -1, to_ours[best])


def is_face(faces: Faces) -> np.ndarray:
    """A mask (n,): False for constant images and for those that some FER+ voter called no face."""
    flat = faces.images.reshape(len(faces.images), -1)
    keep = flat.min(1) < flat.max(1)
    if faces.votes is not None:
        keep &= faces.votes[:, FERPLUS_COLUMNS.index("NF")] == 0
    return keep


def stands_in(faces: Faces, other: Faces) -> np.ndarray:
    """A mask (n,): True where the very same pixels stand in `other` too."""
    known = {image.tobytes() for image in other.images}
    return np.array([image.tobytes() in known for image in faces.images], bool)


def _load_sheet(sheet: Path) -> Faces:
    table = np.loadtxt(sheet.with_suffix(".csv"), delimiter=",", skiprows=1, dtype=np.float32, ndmin=2)
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # a sheet holds 66 million pixels
    try:
        pixels = np.asarray(Image.open(sheet).convert("L"))
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    rows = pixels.shape[0] // SIDE_PX
    tiles = pixels.reshape(rows, SIDE_PX, SHEET_COLUMNS, SIDE_PX).transpose(0, 2, 1, 3)
    images = tiles.reshape(-1, SIDE_PX, SIDE_PX)[: len(table)]  # (n, 48, 48)
    return Faces(np.ascontiguousarray(images), FROM_FER2013[table[:, 0].astype(int)], table[:, 1:11])


def _load_csv(path: Path, split: str, votes_path: Path | None) -> Faces:
    images, emotion, rows = [], [], []
    with open(path, newline="") as file:
        reader = csv.reader(file)
        columns = {name.strip().lower(): place for place, name in enumerate(next(reader))}
        missing = {"emotion", "pixels", "usage"} - columns.keys()
        if missing:
            raise DataError(
                f"data: {path} needs the columns emotion, Usage, pixels; missing: {sorted(missing)}."
            )
        for row, line in enumerate(reader):
            if line[columns["usage"]].strip() != split:
                continue
            images.append(_pixels(line[columns["pixels"]], f"{path} line {row + 2}"))
            emotion.append(int(line[columns["emotion"]]))
            rows.append(row)
    if not images:
        raise DataError(f"data: {path} has no row whose Usage is {split}.")
    votes = None
    if votes_path:
        with open(votes_path, newline="") as file:
            lines = list(csv.reader(file))[1:]
        if len(lines) <= rows[-1]:
            raise DataError(
                f"data: {votes_path} has {len(lines)} rows, {path.name} has more; they belong row to row."
            )
        votes = np.array([lines[row][2:12] for row in rows], np.float32)
    return Faces(np.stack(images), FROM_FER2013[np.array(emotion)], votes)


def _pixels(text: str, place: str) -> np.ndarray:
    """The csv's numbers with spaces between them as (48, 48) uint8."""
    try:
        numbers = np.array(text.split(), int)
    except ValueError:
        raise DataError(f"data: {place} has pixels that are no numbers.") from None
    if numbers.size != SIDE_PX**2 or numbers.min() < 0 or numbers.max() > 255:
        raise DataError(
            f"data: {place} has {numbers.size} pixels of {numbers.min(initial=0)}..{numbers.max(initial=0)}; "
            f"needed are {SIDE_PX**2} of 0..255."
        )
    return numbers.astype(np.uint8).reshape(SIDE_PX, SIDE_PX)
