"""Recorded pictures through the same reader and the same mood as a live robot's; tables and a film come out.

    readings.csv    a row a face (a row without a face where there is none): time, box, scores, mood
    episodes.csv    when which emotion was felt: start_s, end_s, emotion, confidence
    annotated.mp4   the pictures with what was read in them (annotated.jpg for a single image)
    summary.txt     the short of it

One broken picture stops nothing, and memory does not grow with the length of the film.
"""

import csv
import statistics
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from behaviors.mood import Episode, Episodes, Feeling, Mood
from config.contract import EMOTIONS, ContractError, Face
from inference_server.film import Film, FilmError, Shot, Source, annotated
from inference_server.reader import Laps, Reader

ROBOT_ID = "replay"
COLUMNS = ("time_s", "frame", "face", "x", "y", "width", "height", "detection", *EMOTIONS, "argmax", "mood")
OUTPUTS = ("readings.csv", "episodes.csv", "annotated.mp4", "annotated.jpg", "summary.txt")
TIMED = 1000  # frames of which the median time is taken


@dataclass
class Summary:
    """What a replay found."""

    source: str
    model: str
    frames: int = 0
    broken: int = 0
    with_face: int = 0
    seconds: float = 0.0
    strongest: Counter = field(default_factory=Counter)  # faces by their highest score
    reading_ms: list[float] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)

    def __str__(self) -> str:
        seen = self.with_face / self.frames
        lines = [
            f"{self.source}: {self.frames} pictures in {self.seconds:.1f} s, a face in {seen:.1%} of them"
            + (f"; {self.broken} more could not be read" if self.broken else ""),
            f"network {self.model}, {statistics.median(self.reading_ms):.1f} ms a picture (median)",
            "faces by their highest score: "
            + (", ".join(f"{emotion} {n}" for emotion, n in self.strongest.most_common()) or "none"),
            "mood:",
            *(
                f"  {e.start_s:8.2f} .. {e.end_s:8.2f} s  {e.emotion:10} {e.confidence:.2f}"
                for e in self.episodes
            ),
        ]
        if not self.episodes:
            lines.append("  none was held for long enough")
        return "\n".join(lines) + "\n"


def replay(
    source: Source,
    name: str,
    reader: Reader,
    mood_settings: dict,
    out: Path,
    on_frame: Callable[[int], None] = lambda count: None,
) -> Summary:
    """Read every picture of `source` and write OUTPUTS into the folder `out`; `on_frame` hears of each one.

    Raises FilmError where there was no picture to read, OSError where `out` cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    for old in OUTPUTS:
        (out / old).unlink(missing_ok=True)
    mood, episodes, summary = Mood(mood_settings), Episodes(), Summary(name, reader.model)
    with ExitStack() as files:
        table = csv.writer(files.enter_context((out / "readings.csv").open("w", newline="", encoding="utf-8")))
        table.writerow(COLUMNS)
        film = files.enter_context(closing(Film(out / "annotated.mp4")))
        files.callback(_conclude, out, episodes, summary)
        for count, (shot, faces) in enumerate(_readings(source, reader, summary)):
            if faces is not None:
                feeling = mood.update(faces, shot.time_s)
                episodes.add(feeling, shot.time_s)
                table.writerows(_rows(shot.time_s, count, faces, feeling))
                picture = annotated(shot.rgb, faces, feeling)
                if source.is_image:
                    cv2.imwrite(str(out / "annotated.jpg"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
                else:
                    film.add(picture, shot.time_s)
            on_frame(count + 1)
        if not summary.frames:
            raise FilmError(f"{name} holds no picture that could be decoded.")
    return summary


def _readings(source: Source, reader: Reader, summary: Summary) -> Iterator[tuple[Shot, list[Face] | None]]:
    """Every shot with its faces, None where it could not be read; counted on the way."""
    for shot in source.shots:
        faces, laps = None, Laps()
        if shot.rgb is not None:
            try:
                faces = reader.look(cv2.cvtColor(shot.rgb, cv2.COLOR_RGB2GRAY), ROBOT_ID, shot.time_s, laps)
            except ContractError:
                pass
        if faces is None:
            summary.broken += 1
        else:
            summary.frames += 1
            summary.with_face += bool(faces)
            summary.strongest.update(strongest(face) for face in faces)
            summary.seconds = shot.time_s
            if len(summary.reading_ms) < TIMED:
                summary.reading_ms.append(sum(laps.ms.values()))
        yield shot, faces


def _rows(time_s: float, count: int, faces: list[Face], feeling: Feeling) -> list[list]:
    start, mood = [f"{time_s:.3f}", count], feeling.emotion or ""
    if not faces:
        return [[*start, *[""] * (len(COLUMNS) - 3), mood]]
    return [
        [
            *start,
            face.id,
            *(f"{v:.1f}" for v in face.box_px),
            f"{face.detection:.4f}",
            *(f"{score:.5f}" for score in face.scores),
            strongest(face),
            mood,
        ]
        for face in faces
    ]


def strongest(face: Face) -> str:
    """The emotion with the highest score."""
    return EMOTIONS[max(range(len(EMOTIONS)), key=lambda i: face.scores[i])]


def _conclude(out: Path, episodes: Episodes, summary: Summary) -> None:
    """Also after Ctrl-C: what was found until then."""
    summary.episodes = episodes.list
    with (out / "episodes.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(Episode._fields)
        for e in summary.episodes:
            table.writerow([f"{e.start_s:.3f}", f"{e.end_s:.3f}", e.emotion, f"{e.confidence:.4f}"])
    if summary.frames:
        (out / "summary.txt").write_text(str(summary), "utf-8")
