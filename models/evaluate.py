"""How good a network of the zoo is on ready crops, and the figures by which that is said.

It measures the file that is served (ONNX), not the torch module behind it, and changes nothing.
"""

import difflib
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from config.contract import EMOTIONS
from models import adapters, data, folders, zoo
from models.engine import with_onnxruntime

BINS = 15  # of equal width, for the calibration error
Z = 1.96  # standard deviations to either side that hold 95 % of a normal distribution


class Classifier:
    """A network of the zoo, ready to score faces; `file` names another form of it beside model.onnx."""

    def __init__(self, entry: zoo.Entry, threads: int = 2, file: str | Path = "model.onnx"):
        self._run = with_onnxruntime((entry.onnx_path.parent / file).read_bytes(), threads).run

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        """(n, 48, 48) uint8 -> probabilities (n, 7)."""
        batches = [faces[i : i + 64, None].astype(np.float32) for i in range(0, len(faces), 64)]
        return np.concatenate([self._run({"faces": batch}) for batch in batches])


class Truth(NamedTuple):
    """Which rows count and what is right there: rows (m,) indices, labels (m,) into EMOTIONS."""

    rows: np.ndarray
    labels: np.ndarray


def truth(faces: data.Faces, labels: str) -> Truth:
    """FER2013's own labels for all rows, or FER+ where its single most-voted column is one of ours."""
    if labels == "fer2013":
        return Truth(np.arange(len(faces.emotion)), faces.emotion)
    if labels != "ferplus":
        raise data.DataError(f"evaluate: labels must be fer2013 or ferplus; got {labels!r}.")
    if faces.votes is None:
        raise data.DataError(
            "evaluate: FER+ labels need fer2013new.csv beside the csv (or --votes FILE), or sheets with votes."
        )
    voted = data.ferplus_majority(faces.votes)
    rows = np.flatnonzero(voted >= 0)
    return Truth(rows, voted[rows])


def own_labels(card: dict, faces: data.Faces) -> str:
    """Those the network was trained for, where the data has them."""
    return "fer2013" if faces.votes is None else card["labels"]


class Measured(NamedTuple):
    """Labelled faces of one split: data's name, split ("all" where the data knows none), the faces."""

    data: str
    split: str
    faces: data.Faces


def read(path: str | Path, split: str, votes: str | Path | None = None) -> Measured:
    """A split of FER2013 in any of its forms (see data.load) or of another data set (see adapters.py); all
    pictures of class folders that have no splits."""
    path = Path(path)
    if split not in data.SPLITS:
        near = difflib.get_close_matches(split, data.SPLITS, 1, 0.4)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise data.DataError(f"data: split must be one of {', '.join(data.SPLITS)}; got {split!r}.{hint}")
    if votes and not Path(votes).is_file():
        raise data.DataError(f"data: there is no file {votes} with FER+ votes.")
    found = folders.find(path, split)
    if found:
        return Measured(path.name, found[1], folders.load(found[0]))
    if adapters.is_fer2013(path) or not path.is_dir():
        return Measured("FER2013", split, data.load(path, split, votes))
    listed = adapters.listed(path)
    return Measured(listed.layout, split, adapters.load(path, split))


def evaluate(
    name: str,
    path: str | Path,
    split: str = "PublicTest",
    labels: str | None = None,
    votes: str | Path | None = None,
    home: Path = zoo.ZOO,
) -> dict:
    """The figures of one network on one split; keys as in the returned table, shares 0..1.

    labels                        "fer2013" or "ferplus"; None: see own_labels
    confusion                     (7, 7) counts, rows: truth, columns: answer, both in the order of EMOTIONS
    ece                           expected calibration error over BINS bins of equal width
    accuracy_without_duplicates   without faces whose very pixels stand in Training; None where Training
                                  cannot be read from the same `path`, is what was measured, or holds all
    """
    entry = zoo.load(name, home)
    measured = read(path, split, votes)
    labels = labels or own_labels(entry.card, measured.faces)
    rows, right = truth(measured.faces, labels)
    scores = Classifier(entry)(measured.faces.images[rows])
    guess = scores.argmax(1)
    fresh = unseen(measured, path)
    return {
        "model": name,
        "data": measured.data,
        "split": measured.split,
        "labels": labels,
        "images": len(rows),
        "accuracy": share(guess == right),
        "accuracy_without_duplicates": None if fresh is None else share((guess == right)[fresh[rows]]),
        "macro_f1": macro_f1(confusion(guess, right)),
        "ece": round(ece(scores, right), 4),
        "per_class": per_class(confusion(guess, right)),
        "confusion": confusion(guess, right).tolist(),
        "parameters": entry.card["parameters"],
        "macs": entry.card["multiply_adds"],
    }


def unseen(measured: Measured, path: str | Path) -> np.ndarray | None:
    """A mask (n,): True where a face is no exact duplicate of one in Training; None where that is not known."""
    if measured.split in ("Training", "all"):
        return None
    try:
        training = read(path, "Training")
    except data.DataError:
        return None
    if training.split != "Training":
        return None
    return ~data.stands_in(measured.faces, training.faces)


def confusion(guess: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Counts (7, 7), rows: truth, columns: answer; guess and right are (n,) indices into EMOTIONS."""
    counts = np.zeros((len(EMOTIONS), len(EMOTIONS)), int)
    np.add.at(counts, (right, guess), 1)
    return counts


def per_class(counts: np.ndarray) -> dict[str, dict[str, float]]:
    """Recall and precision of every emotion; 0 where there was none to recall, or none was answered."""
    hits = counts.diagonal()
    recall, precision = hits / np.maximum(1, counts.sum(1)), hits / np.maximum(1, counts.sum(0))
    return {
        emotion: {"recall": round(float(r), 4), "precision": round(float(p), 4)}
        for emotion, r, p in zip(EMOTIONS, recall, precision, strict=True)
    }


def macro_f1(counts: np.ndarray) -> float:
    """The mean of F1 = 2 hits / (shown + answered) over the emotions that the data shows."""
    shown, answered = counts.sum(1), counts.sum(0)
    f1 = 2 * counts.diagonal() / np.maximum(1, shown + answered)
    return round(float(f1[shown > 0].mean()), 4)


class Bin(NamedTuple):
    """The faces whose highest score lies in one bin: how many, their mean score, the share that is right."""

    faces: int
    score: float
    right: float


def reliability(scores: np.ndarray, right: np.ndarray, bins: int = BINS) -> list[Bin]:
    """Scores (n, 7) sorted by the highest of them into bins of equal width; a bin holds its upper edge."""
    top, hit = scores.max(1), scores.argmax(1) == right
    place = np.clip(np.ceil(top * bins) - 1, 0, bins - 1)
    table = []
    for number in range(bins):
        inside = place == number
        means = (float(top[inside].mean()), float(hit[inside].mean())) if inside.any() else (0.0, 0.0)
        table.append(Bin(int(inside.sum()), *means))
    return table


def ece(scores: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """Expected calibration error: the mean over faces of | mean score - share right | of their bin."""
    table = reliability(scores, right, bins)
    return sum(b.faces * abs(b.score - b.right) for b in table) / len(right)


def wilson(accuracy: float, images: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share (Wilson 1927), for images drawn by chance like these."""
    middle = (accuracy + Z**2 / (2 * images)) / (1 + Z**2 / images)
    half = Z * math.sqrt(accuracy * (1 - accuracy) / images + Z**2 / (4 * images**2)) / (1 + Z**2 / images)
    return round(middle - half, 4), round(middle + half, 4)


def share(hits: np.ndarray) -> float | None:
    """The share of True, to four digits; None where there is nothing to share."""
    return round(float(hits.mean()), 4) if len(hits) else None
