"""Two replays of the same pictures beside each other: where two networks, or two settings, agree.

    agreement.csv   how often A named this emotion and B that, in the attended face
    compare.html    the same table, the share they agree on, and both timelines

It reads the tables that replay wrote; it reads no pictures and loads no network.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from behaviors.mood import Episode
from config.contract import EMOTIONS, Face
from inference_server import report
from inference_server.findings import Findings

NOBODY = "no face"
NAMES = (*EMOTIONS, NOBODY)


class CompareError(ValueError):
    """The two cannot be compared; the sentence says why and what to do."""


class Row(NamedTuple):
    """The attended face of one picture, as a replay read it: its strongest emotion, and the mood."""

    time_s: float
    argmax: str
    mood: str
    face: Face | None


class Comparison(NamedTuple):
    """What came out: names of both, pictures they share, (a, b): how often, and the shares they agree on.

    kappa   Cohen's: agreement beyond that which chance would give, 1 at most; None where chance gives it all
    """

    names: tuple[str, str]
    pictures: int
    table: Counter
    same_face: float
    same_mood: float
    kappa: float | None
    both: tuple[Findings, Findings]

    def __str__(self) -> str:
        a, b = self.names
        beyond = "" if self.kappa is None else f" (Cohen's kappa {self.kappa:.2f})"
        return (
            f"{a} and {b} name the same emotion in {self.same_face:.1%} of {self.pictures} pictures{beyond}, "
            f"and are in the same mood in {self.same_mood:.1%}\n"
        )


def compare(a: Path, b: Path, names: tuple[str, str] | None = None) -> Comparison:
    """Compare the replays in two folders; raises CompareError where they are not of the same pictures."""
    names = names or (a.name, b.name)
    both = Findings(names[0], ""), Findings(names[1], "")
    table, moods, pictures = Counter(), 0, 0
    rows = _rows(a), _rows(b)
    ends = (None, None)
    while True:
        pair = next(rows[0], None), next(rows[1], None)
        if pair == ends:
            break
        if None in pair or pair[0].time_s != pair[1].time_s:
            raise CompareError(
                f"compare: {a} and {b} are not of the same pictures; replay the same source twice."
            )
        pictures += 1
        table[pair[0].argmax, pair[1].argmax] += 1
        moods += pair[0].mood == pair[1].mood
        for found, row in zip(both, pair, strict=True):
            found.seconds = row.time_s
            found.timeline.add(row.time_s, row.face)
    if not pictures:
        raise CompareError(f"compare: {a} holds no pictures.")
    for found, folder in zip(both, (a, b), strict=True):
        found.episodes = [
            Episode(float(row["start_s"]), float(row["end_s"]), row["emotion"], float(row["confidence"]))
            for row in _table(folder / "episodes.csv")
        ]
    same = sum(table[name, name] for name in NAMES) / pictures
    return Comparison(names, pictures, table, same, moods / pictures, _kappa(table, pictures, same), both)


def _kappa(table: Counter, pictures: int, same: float) -> float | None:
    first, second = Counter(), Counter()
    for (a, b), n in table.items():
        first[a] += n
        second[b] += n
    chance = sum(first[name] * second[name] for name in NAMES) / pictures**2
    return None if chance == 1 else (same - chance) / (1 - chance)


def _rows(folder: Path) -> Iterator[Row]:
    """The first row of each picture: that of the attended face."""
    for _, (first, *_others) in groupby(_table(folder / "readings.csv"), lambda row: row["frame"]):
        time_s, mood = float(first["time_s"]), first["mood"]
        if not first["face"]:
            yield Row(time_s, NOBODY, mood, None)
            continue
        scores = [float(first[emotion]) for emotion in EMOTIONS]
        face = Face(int(first["face"]), [], 0.0, scores, unsure=first["unsure"] == "True")
        yield Row(time_s, first["argmax"], mood, face)


def _table(path: Path) -> Iterator[dict]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)
    except OSError:
        raise CompareError(
            f"compare: {path} is missing; {path.parent} must be a folder that replay wrote."
        ) from None
    except (KeyError, ValueError) as error:
        raise CompareError(f"compare: {path} is no table of replay's ({error}).") from None


def write(found: Comparison, out: Path) -> None:
    """Write agreement.csv and compare.html into the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "agreement.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow([f"{found.names[0]} \\ {found.names[1]}", *NAMES])
        table.writerows([a, *(found.table[a, b] for b in NAMES)] for a in NAMES)
    (out / "compare.html").write_text(html(found), "utf-8")


def html(found: Comparison) -> str:
    """The comparison as a page like report.py's."""
    a, b = found.names
    length_s = max(both.seconds + both.timeline.width_s for both in found.both)
    lanes = "".join(
        f"<h2>{escape(name)}</h2>"
        + report.lane("In the face", report.scores_svg(both, length_s))
        + report.lane("Mood", report.moods_svg(both.episodes, length_s))
        for name, both in zip(found.names, found.both, strict=True)
    )
    used = [name for name in NAMES if any(name in pair for pair, n in found.table.items() if n)]
    head = "".join(f'<th class="number">{name}</th>' for name in used)
    rows = "".join(
        f"<tr><td>{x}</td>{''.join(_cell(found.table[x, y], x == y, found.pictures) for y in used)}</tr>"
        for x in used
    )
    table = f"<table><tr><th>{escape(a)} down, {escape(b)} across</th>{head}</tr>{rows}</table>"
    title = f"{a} and {b}"
    return report.page(
        title,
        f'<h1>{escape(title)}</h1><p class="aside">{escape(str(found))}</p>{lanes}'
        f'{report.ticks(length_s)}{report.key()}<h2>Agreement, in pictures</h2><div class="wide">{table}</div>'
        f"<footer><p>{escape(report.MEANING)}</p></footer>",
    )


def _cell(n: int, same: bool, pictures: int) -> str:
    colour = "surprised" if same else "angry"
    shade = f' style="background: color-mix(in srgb, var(--{colour}) {70 * n / pictures:.0f}%, transparent)"'
    return f'<td class="number"{shade if n else ""}>{n or "·"}</td>'
