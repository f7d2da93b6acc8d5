"""From a frame to a Reading: decode, find the faces, crop them, score them. Each step is one function, timed.

The reader knows no sockets, smooths nothing and decides nothing. Per robot it remembers only where each
face was, so that a face keeps its number; that may be lost at any time.

Threads  one Reader may serve many threads, but the frames of one robot come one after the other.
Time     `at_s` is an argument; the only clock in here is the stopwatch for timings_ms.
"""

import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime

from config.contract import EMOTIONS, MAX_FACES, ContractError, Face, Frame, Reading, refusal
from inference_server.decode import Picture, decode
from models.crop import SIDE_PX, crop_face
from models.mtcnn import Detector, Found
from models.zoo import Entry

REMEMBERED_S = 1.0  # a face that comes back within this time has its number again
SAME_OVERLAP = 0.3  # of the union, from which on two boxes are the same face
SAME_DISTANCE = 1.0  # sides of the box, up to which the nearest face is the same


class ReaderError(ValueError):
    """The network cannot be used; the sentence says why and what to do."""


class Reader:
    """Reads frames with one detector and one network of the zoo.

    crop_margin   side of the crop as a multiple of the longer side of the face box; None: what its card says
    threads       of one network run

    Raises ReaderError where the network does not answer as the zoo promises.
    """

    def __init__(self, detector: Detector, entry: Entry, crop_margin: float | None = None, threads: int = 1):
        self.model = entry.name
        self._detector = detector
        self._margin = entry.card["crop_margin"] if crop_margin is None else crop_margin
        self._classifier = open_classifier(entry.onnx_path, threads)
        self._seen: dict[str, Seen] = {}

    def read(self, frame: Frame, robot_id: str, at_s: float) -> Reading:
        """The Reading of one frame; where frame or network fail, one with an error instead of faces."""
        laps = Laps()
        try:
            picture = decode(frame)
            laps.end("decode")
            faces = self.look(picture, robot_id, at_s, laps)
        except ContractError as error:
            return refusal(error, frame.seq, frame.taken_s)
        return Reading(frame.seq, frame.taken_s, faces, [], laps.ms, self.model, None)

    def look(self, picture: Picture, robot_id: str, at_s: float, laps: "Laps") -> list[Face]:
        """The faces in a picture, the largest first, at most MAX_FACES; raises ContractError "internal"."""
        found = self._detector.detect(picture.rgb)[:MAX_FACES]
        laps.end("detect")
        crops = self._crop(picture.gray, found)  # (N, 1, 48, 48)
        laps.end("crop")
        scores = self._score(crops)  # (N, 7)
        laps.end("score")
        ids = self._seen.setdefault(robot_id, Seen()).number([face.box_px for face in found], at_s)
        return [
            Face(face_id, face.box_px, face.score, row)
            for face_id, face, row in zip(ids, found, scores.tolist(), strict=True)
        ]

    def forget(self, robot_id: str) -> None:
        """The robot is gone: drop what is remembered of its faces."""
        self._seen.pop(robot_id, None)

    def _crop(self, gray: np.ndarray, found: list[Found]) -> np.ndarray:
        crops = np.zeros((len(found), 1, SIDE_PX, SIDE_PX), np.float32)
        for crop, face in zip(crops, found, strict=True):
            crop[0] = crop_face(gray, face.box_px, self._margin)
        return crops

    def _score(self, crops: np.ndarray) -> np.ndarray:
        if not len(crops):
            return np.zeros((0, len(EMOTIONS)), np.float32)
        scores = self._classifier.run(None, {"faces": crops})[0]
        if not np.isfinite(scores).all():
            raise ContractError("internal", f"the network {self.model} gave numbers that are not finite.")
        return scores.clip(0, 1)  # a softmax in float32 may give 1.0000001


class Laps:
    """A stopwatch: `end(step)` notes the milliseconds since the last end; `ms` holds them by step."""

    def __init__(self):
        self.ms: dict[str, float] = {}
        self._since_s = time.perf_counter()

    def end(self, step: str) -> None:
        now_s = time.perf_counter()
        self.ms[step] = (now_s - self._since_s) * 1e3
        self._since_s = now_s


def open_classifier(path: Path, threads: int) -> onnxruntime.InferenceSession:
    """The network as the zoo promises it: faces (N, 1, 48, 48) float32 -> scores (N, 7); tried on two faces."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    faces = np.full((2, 1, SIDE_PX, SIDE_PX), 128, np.float32)
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        scores = session.run(None, {"faces": faces})[0]
    except Exception as error:  # ONNX Runtime's errors have no common class of their own
        reason = str(error).splitlines()[0]
        raise ReaderError(f"reader: {path} is not a network of the zoo: {reason}") from None
    if scores.shape != (2, len(EMOTIONS)) or not np.allclose(scores.sum(1), 1, atol=1e-3):
        raise ReaderError(
            f"reader: {path} must give {len(EMOTIONS)} probabilities a face; shape {scores.shape} with sums "
            f"{np.round(scores.reshape(2, -1).sum(1), 3)} came. Export the network again."
        )
    return session


# ---- which face is which -----------------------------------------------------------------------------


class Known(NamedTuple):
    """Where a face was last seen, and when."""

    id: int
    box_px: list[float]
    at_s: float


class Seen:
    """The faces that one robot has seen lately; gives every face of the next picture its number."""

    def __init__(self):
        self._known: list[Known] = []
        self._next_id = 1

    def number(self, boxes_px: list[list[float]], at_s: float) -> list[int]:
        """A number for each box: that of the known face it overlaps most or lies nearest to, else a new one."""
        known = [face for face in self._known if at_s - face.at_s <= REMEMBERED_S]
        pairs = [
            (alike(box, face.box_px), i, k) for i, box in enumerate(boxes_px) for k, face in enumerate(known)
        ]
        ids: dict[int, int] = {}
        taken: set[int] = set()
        for likeness, i, k in sorted(pairs, reverse=True):
            if likeness > 0 and i not in ids and k not in taken:
                ids[i] = known[k].id
                taken.add(k)
        for i in range(len(boxes_px)):
            if i not in ids:
                ids[i], self._next_id = self._next_id, self._next_id + 1
        lost = [face for k, face in enumerate(known) if k not in taken]
        self._known = lost + [Known(ids[i], box, at_s) for i, box in enumerate(boxes_px)]
        return [ids[i] for i in range(len(boxes_px))]


def alike(a_px: list[float], b_px: list[float]) -> float:
    """How surely two boxes [x, y, width, height] are one face: above 1 they overlap, 0..1 are near, 0 not."""
    wide = min(a_px[0] + a_px[2], b_px[0] + b_px[2]) - max(a_px[0], b_px[0])
    high = min(a_px[1] + a_px[3], b_px[1] + b_px[3]) - max(a_px[1], b_px[1])
    shared = max(wide, 0) * max(high, 0)
    overlap = shared / (a_px[2] * a_px[3] + b_px[2] * b_px[3] - shared)
    if overlap >= SAME_OVERLAP:
        return 1 + overlap
    across = (a_px[0] + a_px[2] / 2) - (b_px[0] + b_px[2] / 2)
    down = (a_px[1] + a_px[3] / 2) - (b_px[1] + b_px[3] / 2)
    side = max(a_px[2], a_px[3], b_px[2], b_px[3])
    return max(0.0, 1 - (across**2 + down**2) ** 0.5 / (SAME_DISTANCE * side))
