"""python -m tests.bench.reader: how well the reader sees, beside how fast. Speed without this could be had by
missing faces.

Pictures go the way of a robot's: fitted to VGA, coded as JPEG, decoded, followed. The reference cascade is the
same MTCNN with its authors' thresholds, run on every single picture. Needs the clips of ../shared/media; what
is known of their faces stands in KNOWN. It judges no figure.
"""

import dataclasses
import time
from collections.abc import Iterator

import click
import cv2
import numpy as np

from config import settings
from config.contract import Frame
from inference_server.decode import decode
from inference_server.film import open_source
from inference_server.tracking import Seen, Tracks
from models.end_to_end import overlap
from models.mtcnn import THRESHOLDS, Detector
from robot_app.virtual.pictures import fit
from tests.bench import clips, machine, stages

# Clip: how many faces there are in picture i, as looked at by eye.
KNOWN = {
    "WolfgangLanger_Pexels.mp4": lambda i: 1,
    "single_face.mp4": lambda i: 1,
    "face_noface.mov": lambda i: int(i < 72),
}
CROWD, IN_CROWD = "solvay1927.jpg", 29
CERTAIN = 0.9  # of the crowd, a score above it is counted as one of the faces
STILL, NOISE, STILL_FRAMES, SETTLED = "single_face.mp4", 4.0, 90, 15


@dataclasses.dataclass
class Seeing:
    """What was seen in one clip."""

    due: int = 0  # faces that are there
    seen: int = 0
    false: int = 0
    ids: set = dataclasses.field(default_factory=set)
    overlaps: list = dataclasses.field(default_factory=list)  # with the reference cascade's boxes
    cpu_ms: list = dataclasses.field(default_factory=list)  # decode and follow

    def note(self, faces: list[Seen], due: int, reference: list) -> None:
        self.due += due
        self.seen += min(len(faces), due)
        self.false += max(len(faces) - due, 0)
        self.ids |= {face.id for face in faces}
        for face in faces:
            best = max((overlap(face.box_px, other.box_px) for other in reference), default=0.0)
            if best > 0:
                self.overlaps.append(best)

    def row(self, name: str, frames: int) -> dict:
        return {
            "clip": name,
            "frames": frames,
            "faces seen": f"{self.seen} of {self.due}",
            "hit_rate": self.seen / self.due if self.due else None,
            "false_boxes": self.false,
            "numbers given": len(self.ids),
            "iou_median": float(np.median(self.overlaps)) if self.overlaps else None,
            "iou_p5": float(np.percentile(self.overlaps, 5)) if self.overlaps else None,
            "cpu_ms_mean": float(np.mean(self.cpu_ms)),
        }


def measure(chosen: settings.ReaderSettings) -> list[dict]:
    """A row for each clip of KNOWN that is here, and one for the photo of a crowd."""
    detector = Detector(chosen.min_face_px, chosen.thresholds)
    reference = Detector(chosen.min_face_px, "reference")
    rows = []
    for name, due in KNOWN.items():
        if not (clips.MEDIA / name).is_file():
            continue
        seeing, tracks, count = Seeing(), Tracks(chosen.find_within_s, chosen.attend), 0
        for count, frame in enumerate(_frames(name), 1):
            began_s = time.process_time()
            gray = decode(frame)
            faces = tracks.follow(detector, gray, frame.taken_s)
            seeing.cpu_ms.append((time.process_time() - began_s) * 1e3)
            seeing.note(faces, due(count - 1), reference.detect(gray))
        rows.append(seeing.row(name, count))
    if (clips.MEDIA / CROWD).is_file():
        rows.append(_crowd(detector))
    return rows


def jitter(chosen: settings.ReaderSettings) -> list[dict]:
    """How far the middle of a still face's box moves, px, when only the camera's noise changes."""
    if not (clips.MEDIA / STILL).is_file():
        return []
    detector, tracks, noise = (
        Detector(chosen.min_face_px, chosen.thresholds),
        Tracks(),
        np.random.default_rng(4),
    )
    still = decode(next(_frames(STILL)))
    middles = {"followed": [], "whole cascade on every picture": []}
    for i in range(STILL_FRAMES):
        noisy = np.clip(still + noise.normal(0, NOISE, still.shape), 0, 255).astype(np.uint8)
        gray = decode(_frame(noisy, i, i / clips.FPS))
        found = tracks.follow(detector, gray, i / clips.FPS), detector.detect(gray)
        for of_way, faces in zip(middles.values(), found, strict=True):
            x, y, width, height = faces[0].box_px
            of_way.append([x + width / 2, y + height / 2])
    return [_jitter_row(way, np.array(places)[SETTLED:]) for way, places in middles.items()]


def _jitter_row(way: str, middles: np.ndarray) -> dict:
    steps = np.linalg.norm(np.diff(middles, axis=0), axis=1)
    return {"box": way, "step_px_mean": steps.mean(), "step_px_max": steps.max(), "px_sd": middles.std(0).max()}


def _crowd(detector: Detector) -> dict:
    """The photo in its own size: many faces, old film, no motion."""
    gray = cv2.imread(str(clips.MEDIA / CROWD), cv2.IMREAD_GRAYSCALE)
    seeing, began_s = Seeing(due=IN_CROWD), time.process_time()
    faces = Tracks().follow(detector, gray, 0.0)
    seeing.cpu_ms.append((time.process_time() - began_s) * 1e3)
    seeing.ids = {face.id for face in faces}
    seeing.seen = min(sum(face.score > CERTAIN for face in faces), IN_CROWD)
    seeing.false = len(faces) - seeing.seen
    return seeing.row(CROWD, 1)


def _frames(name: str) -> Iterator[Frame]:
    """Every picture of a film as a robot would send it."""
    for i, shot in enumerate(open_source(clips.MEDIA / name).shots):
        yield _frame(fit(cv2.cvtColor(shot.rgb, cv2.COLOR_RGB2BGR), *clips.VGA), i, shot.time_s)


def _frame(picture: np.ndarray, i: int, taken_s: float) -> Frame:
    height, width = picture.shape[:2]
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, clips.QUALITY])[1].tobytes()
    return Frame(i, taken_s, width, height, "jpeg", "bench", None, None, None, jpeg)


@click.command()
@click.option("--seconds", default=10.0, show_default=True, help="How long the stages are measured.")
def main(seconds: float) -> None:
    """Print what the reader sees, how its boxes move, and what each stage costs."""
    cv2.setNumThreads(1)
    chosen = settings.load().reader
    click.echo("{cpu}, {cores} cores, load {load:.1f}".format(**machine.described()))
    for thresholds in THRESHOLDS:
        rows = measure(chosen.model_copy(update={"thresholds": thresholds}))
        click.echo(machine.table(f"What is seen, thresholds {thresholds}; CPU ms to decode and follow", rows))
    click.echo(machine.table("The box of a still face", jitter(chosen)))
    shown = [*clips.find(), clips.nobody()]
    click.echo(machine.table("Reader by stage, ms a frame", stages.measure(shown, chosen, seconds)))


if __name__ == "__main__":
    main()
