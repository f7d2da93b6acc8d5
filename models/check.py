"""What is in a folder of labelled faces, and what is wrong with it, before anybody learns from it.

    python -m models data check PATH

Counts by part and emotion, pictures that cannot be used, the same pixels twice (with the same label, or with
another), and leaks: pixels or people that stand in the part that is learnt and in one that judges. It reads
what training would read (models/adapters.py), in gray at 48 x 48; it mends nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from config.contract import EMOTIONS
from models import adapters, data

SHOWN = 10  # of each kind of finding; the rest is counted


class Item(NamedTuple):
    """One face as the findings name it: its file or row, its part, its emotion, its person ("": not told)."""

    name: str
    part: str
    emotion: str
    person: str


class Report(NamedTuple):
    """What was found; every sentence names files or rows.

    layout          how the data set is packed
    counts          {part: {emotion: how many}}
    flaws           what cannot be used, or should not be
    duplicates      the same pixels more than once in a part, the labels alike
    contradictions  the same pixels, the labels not alike
    leaks           the same pixels, or the same person, in Training and in another part
    """

    layout: str
    counts: dict[str, dict[str, int]]
    flaws: list[str]
    duplicates: list[str]
    contradictions: list[str]
    leaks: list[str]


def check(path: str | Path, find: adapters.Finder | None = None) -> Report:
    """Read all parts of a data set and say what is in it; `find` as in adapters.read."""
    if adapters.is_fer2013(path):
        layout, items, images, flaws = "FER2013", *fer2013(path)
    else:
        found = adapters.read(path, None, find)
        layout, images, flaws = found.layout, found.faces.images, list(found.flaws)
        items = [Item(str(p.path), p.part, p.emotion, p.person) for p in found.pictures]
        flat = (images.reshape(len(images), -1) == images.reshape(len(images), -1)[:, :1]).all(1)
        flaws += [f"{items[row].name}: all its pixels are the same." for row in np.flatnonzero(flat)]
    twins = [[items[row] for row in rows] for rows in same_pixels(images)]
    parts = sorted({item.part for item in items}, key=list(data.SPLITS).index)
    return Report(
        layout,
        {part: count(item.emotion for item in items if item.part == part) for part in parts},
        flaws,
        [names(group) for group in twins if len({i.part for i in group}) < len(group) and agree(group)],
        [names(group) for group in twins if not agree(group)],
        [names(group) for group in twins if leaks(group)] + shared_people(items),
    )


def fer2013(path: str | Path) -> tuple[list[Item], np.ndarray, list[str]]:
    """The faces of the parts that are there; flaws are constant images and those that voters called no face."""
    items, images, flaws = [], [], []
    for part in data.SPLITS:
        try:
            faces = data.load(path, part)
        except data.DataError:
            continue
        items += [Item(f"{part} {row}", part, EMOTIONS[e], "") for row, e in enumerate(faces.emotion)]
        images.append(faces.images)
        unusable = np.flatnonzero(~data.is_face(faces))
        flaws += [f"{part} {row}: constant, or called no face by a voter of FER+." for row in unusable]
    if not items:
        raise data.DataError(f"data: {path} has none of the parts {', '.join(data.SPLITS)}.")
    return items, np.concatenate(images), flaws


def count(emotions) -> dict[str, int]:
    """How many of each emotion, in our order."""
    found = list(emotions)
    return {emotion: found.count(emotion) for emotion in EMOTIONS}


def same_pixels(images: np.ndarray) -> list[list[int]]:
    """The rows of images (n, 48, 48) that stand there more than once, a list for each."""
    places: dict[bytes, list[int]] = {}
    for row, image in enumerate(images):
        places.setdefault(image.tobytes(), []).append(row)
    return [rows for rows in places.values() if len(rows) > 1]


def agree(group: Sequence[Item]) -> bool:
    return len({item.emotion for item in group}) == 1


def leaks(group: Sequence[Item]) -> bool:
    parts = {item.part for item in group}
    return "Training" in parts and len(parts) > 1


def names(group: Sequence[Item]) -> str:
    return " = ".join(f"{item.name} ({item.part}, {item.emotion})" for item in group)


def shared_people(items: Sequence[Item]) -> list[str]:
    """A sentence for each person of Training who is also in another part."""
    parts: dict[str, set[str]] = {}
    for item in items:
        parts.setdefault(item.person, set()).add(item.part)
    return [
        f"the person {person} is in {' and '.join(sorted(there, key=list(data.SPLITS).index))}"
        for person, there in sorted(parts.items())
        if person and "Training" in there and len(there) > 1
    ]


def text(report: Report) -> str:
    """The report for a person: a table of counts, then each kind of finding with its first cases."""
    lines = [f"{report.layout}", " ".join([f"{'':12}", *(f"{name:>10}" for name in EMOTIONS), f"{'all':>10}"])]
    for part, counts in report.counts.items():
        cells = [*counts.values(), sum(counts.values())]
        lines.append(" ".join([f"{part:12}", *(f"{cell:10,}" for cell in cells)]))
    for title, found in (
        ("flaws", report.flaws),
        ("duplicates, labels alike", report.duplicates),
        ("contradictions: same pixels, other label", report.contradictions),
        ("leaks from Training into another part", report.leaks),
    ):
        lines.append(f"{title}: {len(found) or 'none'}")
        lines += [f"  {sentence}" for sentence in found[:SHOWN]]
        lines += [f"  and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return "\n".join(lines)
