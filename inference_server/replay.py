"""Recorded pictures through the same reader and the same mood as a live robot's; tables, a film and a report.

    readings.csv    a row a face (a row without a face where there is none): time, box, scores, mood
    episodes.csv    when which emotion was felt: start_s, end_s, emotion, confidence
    annotated.mp4   the pictures with what was read in them (annotated.jpg for a single image)
    summary.txt     the short of it
and where a face was seen
    report.html     the same to look at: one file that needs no other
    episodes.eaf    the episodes as a tier for ELAN
    episodes.vtt    the episodes as captions for the film
and where Parquet is asked for
    readings.parquet, episodes.parquet

One broken picture stops nothing, and memory does not grow with the length of the film.
"""

import csv
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from behaviors.mood import Episodes, Feeling, Mood
from config.contract import EMOTIONS, ContractError, Face
from inference_server import forms, report
from inference_server.film import Behind, Film, FilmError, Shot, Source, ahead, annotated
from inference_server.findings import Findings, strongest
from inference_server.reader import Laps, Reader, Sight

ROBOT_ID = "replay"
PLACE = ("x", "y", "width", "height", "detection")
COLUMNS = ("time_s", "frame", "face", *PLACE, *EMOTIONS, "argmax", "mood", "unsure", "quality")
KINDS = (
    dict.fromkeys(COLUMNS, float)
    | {"frame": int, "face": int, "unsure": bool}
    | dict.fromkeys(("argmax", "mood", "quality"), str)
)
DIGITS = {"time_s": 3, "detection": 4} | dict.fromkeys(PLACE[:4], 1) | dict.fromkeys(EMOTIONS, 5)
EPISODE_KINDS = {"start_s": float, "end_s": float, "emotion": str, "confidence": float}
EPISODE_DIGITS = {"start_s": 3, "end_s": 3, "confidence": 4}
TABLES = ("readings.csv", "episodes.csv", "readings.parquet", "episodes.parquet")
SHOWN = ("annotated.mp4", "annotated.jpg", "episodes.eaf", "episodes.vtt", "report.html", "summary.txt")
OUTPUTS = TABLES + SHOWN
TIMED = 1000  # pictures of which the median time is taken

Readings = Iterator[tuple[Shot, list[Face] | None]]  # None: the picture could not be read


@dataclass
class Summary:
    """What a replay found, and how long a picture took to read."""

    findings: Findings
    reading_ms: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        found = self.findings
        seen = found.with_face / found.frames
        took = f", {statistics.median(self.reading_ms):.1f} ms a picture (median)" if self.reading_ms else ""
        lines = [
            f"{found.source}: {found.frames} pictures in {found.seconds:.1f} s, a face in {seen:.1%} of them"
            + (f"; {found.broken} more could not be read" if found.broken else ""),
            f"network {found.model}{took}",
            "faces by their highest score: "
            + (", ".join(f"{emotion} {n}" for emotion, n in found.strongest.most_common()) or "none"),
            *(report.of_session(found.session) if found.session else ()),
            "mood:",
            *(
                f"  {e.start_s:8.2f} .. {e.end_s:8.2f} s  {e.emotion:10} {e.confidence:.2f}"
                for e in found.episodes
            ),
        ]
        if not found.episodes:
            lines.append("  none was held for long enough")
        return "\n".join(lines) + "\n"


def replay(
    source: Source,
    name: str,
    reader: Reader,
    mood_settings: dict,
    out: Path,
    on_frame: Callable[[int], None] = lambda count: None,
    **how,
) -> Summary:
    """Read every picture of `source` and write OUTPUTS into the folder `out`; `on_frame` hears of each one.

    how   as for write()
    Raises FilmError where there was no picture to read, OSError where `out` cannot be written.
    """
    summary = Summary(Findings(name, reader.model))
    readings = _readings(source, reader, summary)
    return write(readings, summary, mood_settings, out, on_frame, is_image=source.is_image, **how)


def write(
    readings: Readings,
    summary: Summary,
    mood_settings: dict,
    out: Path,
    on_frame: Callable[[int], None] = lambda count: None,
    is_image: bool = False,
    film: bool = True,
    parquet: bool = False,
    seconds: float | None = None,
    card: dict | None = None,
) -> Summary:
    """Write OUTPUTS of `readings` into the folder `out`.

    film, parquet   whether to write them; Parquet needs pyarrow (FormError)
    seconds         read no more than this of the source
    card            the network's, for the report
    """
    if parquet:
        forms.arrow_or_sentence()
    out.mkdir(parents=True, exist_ok=True)
    for old in OUTPUTS:
        (out / old).unlink(missing_ok=True)
    mood, episodes, findings = Mood(mood_settings), Episodes(), summary.findings
    with ExitStack() as files:
        tables = _Tables(files, out, "readings", KINDS, DIGITS, parquet)
        files.callback(_conclude, out, episodes, summary, parquet, card)
        shown = files.enter_context(closing(_Shown(out, is_image))) if film else None
        files.enter_context(closing(readings))
        for count, (shot, faces) in enumerate(readings):
            if seconds is not None and shot.time_s > seconds:
                break
            if faces is None:
                findings.broken += 1
            else:
                feeling = mood.update(faces, shot.time_s)
                episodes.add(feeling, shot.time_s)
                findings.add(shot.time_s, faces, feeling)
                tables.add(_rows(shot.time_s, count, faces, feeling))
                if shown and shot.rgb is not None:
                    shown.add(shot.rgb, faces, feeling, shot.time_s)
            on_frame(count + 1)
        if not findings.frames:
            raise FilmError(f"{findings.source} holds no picture that could be decoded.")
    return summary


def _readings(source: Source, reader: Reader, summary: Summary) -> Readings:
    """Every shot with its faces, None where it could not be read; timed on the way.

    While the faces of one picture are scored, a thread looks for those of the next, and one decodes.
    """
    with closing(ahead(_sights(source, reader))) as sights:
        for shot, sight in sights:
            faces = None
            if sight is not None:
                sight.laps.go_on()
                with suppress(ContractError):
                    faces = reader.judge(sight)
            if faces is not None and len(summary.reading_ms) < TIMED:
                summary.reading_ms.append(sum(sight.laps.ms.values()))
            yield shot, faces


def _sights(source: Source, reader: Reader) -> Iterator[tuple[Shot, Sight | None]]:
    with closing(ahead(source.shots)) as shots:
        for shot in shots:
            sight = None
            if shot.gray is not None:
                with suppress(ContractError):
                    sight = reader.find(shot.gray, ROBOT_ID, shot.time_s, Laps())
            yield shot, sight


def _rows(time_s: float, count: int, faces: list[Face], feeling: Feeling) -> list[list]:
    """The rows of one picture, by KINDS."""
    mood = feeling.emotion or ""
    if not faces:
        nothing = [None] * (len(COLUMNS) - 6)
        return [[time_s, count, *nothing, "", mood, None, ""]]
    return [
        [
            *(time_s, count, face.id, *face.box_px, face.detection, *face.scores),
            *(strongest(face), mood, face.unsure, " ".join(face.quality)),
        ]
        for face in faces
    ]


def _conclude(out: Path, episodes: Episodes, summary: Summary, parquet: bool, card: dict | None) -> None:
    """Also after Ctrl-C: what was found until then."""
    found = summary.findings
    found.episodes = episodes.list
    with ExitStack() as files:
        _Tables(files, out, "episodes", EPISODE_KINDS, EPISODE_DIGITS, parquet).add(map(list, found.episodes))
    if found.with_face:
        film = "annotated.mp4" if (out / "annotated.mp4").exists() else None
        forms.write_vtt(out / "episodes.vtt", forms.spans(found.episodes))
        forms.write_eaf(out / "episodes.eaf", _tiers(found), film)
        (out / "report.html").write_text(report.html(found, card), "utf-8")
    if found.frames:
        (out / "summary.txt").write_text(str(summary), "utf-8")


def _tiers(found: Findings) -> dict[str, list[forms.Span]]:
    tiers = {"mood": forms.spans(found.episodes)}
    if found.session:
        tiers["behaviours"] = [forms.Span(r.at_s, r.at_s, r.behaviour) for r in found.session.reactions]
        tiers["markers"] = [forms.Span(at_s, at_s, text) for at_s, text in found.session.marks]
    return tiers


class _Tables:
    """A table as CSV and, where wanted, as Parquet; `digits` are those behind the point, by column."""

    def __init__(self, files: ExitStack, out: Path, name: str, kinds: dict, digits: dict, parquet: bool):
        self._forms = [f"{{:.{digits[key]}f}}" if key in digits else "{}" for key in kinds]
        self._csv = csv.writer(
            files.enter_context((out / f"{name}.csv").open("w", newline="", encoding="utf-8"))
        )
        self._csv.writerow(kinds)
        self._parquet = None
        if parquet:
            self._parquet = files.enter_context(closing(forms.Parquet(out / f"{name}.parquet", kinds)))

    def add(self, rows) -> None:
        for row in rows:
            pairs = zip(self._forms, row, strict=True)
            self._csv.writerow(["" if value is None else form.format(value) for form, value in pairs])
            if self._parquet:
                self._parquet.add(row)


class _Shown:
    """The pictures with what was read in them, drawn and encoded by a thread of its own."""

    def __init__(self, out: Path, is_image: bool):
        self._out, self._is_image = out, is_image
        self._film = Film(out / "annotated.mp4")
        self._behind = Behind(self._draw)
        self.add = self._behind.add

    def _draw(self, rgb, faces: list[Face], feeling: Feeling, time_s: float) -> None:
        picture = annotated(rgb, faces, feeling)
        if self._is_image:
            cv2.imwrite(str(self._out / "annotated.jpg"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        else:
            self._film.add(picture, time_s)

    def close(self) -> None:
        try:
            self._behind.close()
        finally:
            self._film.close()
