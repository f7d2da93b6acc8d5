"""From a frame to a Reading: decode, find the faces, crop them, score them. Each step is one function, timed.

The reader knows no sockets and smooths no scores. Per robot it remembers only where each face was and which
of them is attended to (tracking.py); that may be lost at any time.

Threads  one Reader may serve many threads, but the frames of one robot come one after the other.
Time     `at_s` is an argument; the only clock in here is the stopwatch for timings_ms.
"""

import json
import re
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from config.contract import EMOTIONS, MAX_FACES, ContractError, Face, Frame, Reading, refusal
from inference_server.decode import decode
from inference_server.quality import Limits, flaws
from inference_server.tracking import Seen, Tracks
from models import golden
from models.crop import SIDE_PX, crop_face
from models.engine import AGREE, FLOAT32, Engine, Engines
from models.mtcnn import Detector
from models.zoo import Entry

GOLDEN = (5**0.5 - 1) / 2  # multiples of it, without their whole part, are spread evenly however many there are


class ReaderError(ValueError):
    """The network cannot be used; the sentence says why and what to do."""


class Asked(NamedTuple):
    """A frame, whose it is, when it came, and what is remembered of that robot's faces; b"": nothing."""

    frame: Frame
    robot_id: str
    at_s: float
    memory: bytes


class Sight(NamedTuple):
    """The faces of a picture, as crops (N, 1, 48, 48), with what makes each doubtful; not yet scored."""

    seen: list[Seen]
    crops: np.ndarray
    doubts: list[tuple[str, ...]]
    laps: "Laps"


class Reader:
    """Reads frames with one detector and one network of the zoo.

    crop_margin   side of the crop as a multiple of the longer side of the face box; None: what its card says
    engines       what opens the network; None: ONNX Runtime, on one thread
    find_within_s, attend   how faces are followed and which one comes first; see tracking.Tracks
    limits        from which on a face's picture makes its scores doubtful; None: as in quality.Limits
    unsure_below  a face whose highest score is below this is unsure; None: what the card says, if it does
    before        gives the scores (N, 7) of crops (N, 1, 48, 48), or None: then the network in here does

    Raises ReaderError where the network does not answer as the zoo promises.
    """

    def __init__(
        self,
        detector: Detector,
        entry: Entry,
        crop_margin: float | None = None,
        engines: Engines | None = None,
        find_within_s: float = 0.5,
        attend: str = "nearest",
        limits: Limits | None = None,
        unsure_below: float | None = None,
        before: Callable[[np.ndarray], np.ndarray | None] | None = None,
    ):
        self.model = entry.name
        self._detector = detector
        self._margin = entry.card["crop_margin"] if crop_margin is None else crop_margin
        engines = engines or Engines()
        self._classifier = open_classifier(entry, engines)
        self.runtime = engines.in_use  # for people: "ONNX Runtime 1.31.1, float32"
        self._before = before
        self._limits = limits or Limits()
        self._unsure_below = entry.card.get("unsure_below", 0.0) if unsure_below is None else unsure_below
        self._find_within_s = find_within_s
        self._attend = attend
        self._tracks: dict[str, Tracks] = {}

    def read(self, frame: Frame, robot_id: str, at_s: float) -> Reading:
        """The Reading of one frame; where frame or network fail, one with an error instead of faces."""
        laps = Laps()
        try:
            gray = decode(frame)
            laps.end("decode")
            faces = self.look(gray, robot_id, at_s, laps)
        except ContractError as error:
            return refusal(error, frame.seq, frame.taken_s)
        return Reading(frame.seq, frame.taken_s, faces, [], laps.ms, self.model, None)

    def look(self, gray: np.ndarray, robot_id: str, at_s: float, laps: "Laps") -> list[Face]:
        """The faces in (H, W) uint8, the attended one first, then by size, at most MAX_FACES.

        Raises ContractError "internal".
        """
        return self.judge(self.find(gray, robot_id, at_s, laps))

    def find(self, gray: np.ndarray, robot_id: str, at_s: float, laps: "Laps") -> Sight:
        """The first half of look(): where the faces are, not yet scored; may go on while another is judged."""
        tracks = self._tracks.get(robot_id)
        if tracks is None:
            tracks = self._tracks[robot_id] = self._new_tracks(robot_id)
        return self._see(tracks, gray, at_s, laps)

    def judge(self, sight: Sight) -> list[Face]:
        """The second half: the faces with their scores; raises ContractError "internal"."""
        return self._judge([sight])[0]

    def read_many(self, asked: Sequence[Asked]) -> list[tuple[Reading, bytes]]:
        """The Reading of each frame and what to remember for its robot's next one; nothing is kept in here.

        Each is the one that read() would give; the network scores the faces of all frames together.
        """
        readings, memories, sights = [None] * len(asked), [one.memory for one in asked], {}
        for i, (frame, robot_id, at_s, memory) in enumerate(asked):
            laps, tracks = Laps(), self._new_tracks(robot_id)
            if memory:
                tracks.remind(json.loads(memory))
            try:
                gray = decode(frame)
                laps.end("decode")
                sights[i] = self._see(tracks, gray, at_s, laps)
                memories[i] = json.dumps(tracks.remembered()).encode()
            except ContractError as error:
                readings[i] = refusal(error, frame.seq, frame.taken_s)
        try:
            judged = self._judge(list(sights.values()))
        except ContractError as error:
            judged, broken = [], error
        for i, faces in zip(sights, judged, strict=False):
            frame = asked[i].frame
            readings[i] = Reading(frame.seq, frame.taken_s, faces, [], sights[i].laps.ms, self.model, None)
        return [
            (made or refusal(broken, one.frame.seq, one.frame.taken_s), memory)
            for made, one, memory in zip(readings, asked, memories, strict=True)
        ]

    def forget(self, robot_id: str) -> None:
        """The robot is gone: drop what is remembered of its faces."""
        self._tracks.pop(robot_id, None)

    def _new_tracks(self, robot_id: str) -> Tracks:
        return Tracks(self._find_within_s, self._attend, _share(robot_id))

    def _see(self, tracks: Tracks, gray: np.ndarray, at_s: float, laps: "Laps") -> Sight:
        seen = tracks.follow(self._detector, gray, at_s)[:MAX_FACES]
        laps.end("detect")
        crops = self._crop(gray, seen)
        doubts = [
            flaws(crop[0].astype(np.uint8), face.box_px, face.points_px, self._limits)
            for crop, face in zip(crops, seen, strict=True)
        ]
        laps.end("crop")
        return Sight(seen, crops, doubts, laps)

    def _judge(self, sights: list[Sight]) -> list[list[Face]]:
        """The faces of each; raises ContractError "internal"."""
        if not sights:
            return []
        rows = iter(self._score(np.concatenate([sight.crops for sight in sights])).tolist())
        judged = []
        for sight in sights:
            judged.append([self._face(*one) for one in zip(sight.seen, sight.doubts, rows, strict=False)])
            sight.laps.end("score")
        return judged

    def _face(self, seen: Seen, doubt: tuple[str, ...], row: list[float]) -> Face:
        unsure = bool(doubt) or max(row) < self._unsure_below
        return Face(seen.id, seen.box_px, seen.score, row, doubt, unsure)

    def _crop(self, gray: np.ndarray, seen: list[Seen]) -> np.ndarray:
        crops = np.zeros((len(seen), 1, SIDE_PX, SIDE_PX), np.float32)
        for crop, face in zip(crops, seen, strict=True):
            crop[0] = crop_face(gray, face.box_px, self._margin)
        return crops

    def _score(self, crops: np.ndarray) -> np.ndarray:
        if not len(crops):
            return np.zeros((0, len(EMOTIONS)), np.float32)
        scores = self._before(crops) if self._before else None
        if scores is None:
            scores = self._classifier.run({"faces": crops})
        if not np.isfinite(scores).all():
            raise ContractError("internal", f"the network {self.model} gave numbers that are not finite.")
        return scores.clip(0, 1)  # a softmax in float32 may give 1.0000001


def _share(robot_id: str) -> float:
    """When a robot's first search comes, 0..1, by the number in its id alone: a replay has the same."""
    return max(0, int(re.search("[0-9]*$", robot_id)[0] or 0) - 1) * GOLDEN % 1


class Laps:
    """A stopwatch: `end(step)` notes the milliseconds since the last end; `ms` holds them by step."""

    def __init__(self):
        self.ms: dict[str, float] = {}
        self._since_s = time.perf_counter()

    def go_on(self) -> None:
        """After a pause that belongs to no step."""
        self._since_s = time.perf_counter()

    def end(self, step: str) -> None:
        now_s = time.perf_counter()
        self.ms[step] = (now_s - self._since_s) * 1e3
        self._since_s = now_s


def open_classifier(entry: Entry, engines: Engines | None = None) -> Engine:
    """The network as the zoo promises it: faces (N, 1, 48, 48) float32 -> scores (N, 7); tried on a drawn face.

    What it says of that face must be what its card says, where it does.
    """
    path = entry.onnx_path
    faces = np.concatenate([golden.face(), np.full((1, 1, SIDE_PX, SIDE_PX), 128, np.float32)])
    try:
        classifier = (engines or Engines()).open("classifier", path.read_bytes())
        scores = classifier.run({"faces": faces})
    except Exception as error:  # the runtimes' errors have no common class of their own
        reason = str(error).splitlines()[0]
        raise ReaderError(f"reader: {path} is not a network of the zoo: {reason}") from None
    if scores.shape != (2, len(EMOTIONS)) or not np.allclose(scores.sum(1), 1, atol=1e-3):
        raise ReaderError(
            f"reader: {path} must give {len(EMOTIONS)} probabilities a face; shape {scores.shape} with sums "
            f"{np.round(scores.reshape(2, -1).sum(1), 3)} came. Export the network again."
        )
    allowed = golden.TOLERANCE if classifier.precision == FLOAT32 else AGREE
    off = golden.differs(scores[0], entry.card, allowed)
    if off is not None:
        raise ReaderError(
            f"reader: {path} says something else of the drawn face than its card, by {off:.3g}; at most "
            f"{allowed:g} is allowed. Restore it from the release, or install {classifier.runtime} again."
        )
    return classifier
