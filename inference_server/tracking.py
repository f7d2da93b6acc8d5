"""Following faces: from single pictures to faces that keep their number, at a fraction of the detector's cost.

Between two searches of the whole picture, only O-Net looks, at the places where the known faces are expected.
It has the last word in a search too: a face that it does not see is not said to be there. The whole picture
is searched as often as a new face needs to be found in time, and at once where a face was lost.

This file scores nothing and reads no clock: time is an argument. What it remembers may be lost at any time.
Boxes are [x, y, width, height] in px.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from models.mtcnn import Found

REMEMBERED_S = 1.0  # a face that comes back within this time has its number again
SEARCH_LOST_S = 0.1  # after a loss the whole picture is searched this often, while the face is remembered
STRIDE_S = 0.5  # a hidden face walks on, slower and slower, by what it would go in this time
JUMP_S = 0.5  # after a pause longer than this, how a face moved says nothing

SAME_DISTANCE = 1.0  # sides of the box, up to which a face that is found may be one that was lost
SAME_SIZE = 1.6  # times, up to which its side may differ
ONE_FACE = 0.5  # of the smaller box, from which on two boxes show one face

NEW_SPEED = 0.5  # share of the newest step in a face's speed
STILL = 0.04  # of the side: a smaller step is damped, as far as its share of this
DAMPED = 0.15  # what is left of the smallest step

CLEARLY = 1.5  # times nearer another face must be to draw the attention


class Detector(Protocol):
    """What is needed of models.mtcnn.Detector."""

    def detect(self, gray: np.ndarray, known_px: Sequence = ()) -> list[Found]: ...

    def confirm(self, gray: np.ndarray, boxes_px: Sequence) -> list[Found | None]: ...


class Seen(NamedTuple):
    """A face of this picture: its number, box_px, detection score, and MTCNN's points (5, 2) in px."""

    id: int
    box_px: list[float]
    score: float
    points_px: np.ndarray | None = None


class Track:
    """One face over time: where it was at `at_s`, and how its middle moves, in px a second."""

    def __init__(self, face_id: int, found: Found, at_s: float):
        self.id = face_id
        self.box = np.array(found.box_px)
        self.score, self.points = found.score, found.landmarks_px
        self.speed = np.zeros(2)
        self.at_s = at_s

    @classmethod
    def at(cls, face_id, x, y, width, height, speed_x, speed_y, at_s) -> "Track":
        """One that was seen before, px and px a second; its score and points come with the next look at it."""
        track = cls(face_id, Found([x, y, width, height], 0.0, None), at_s)
        track.speed[:] = speed_x, speed_y
        return track

    def expected(self, at_s: float) -> np.ndarray:
        """The box where it should be by now, as large as it was."""
        walked_s = STRIDE_S * (1 - math.exp(-(at_s - self.at_s) / STRIDE_S))
        return self.box + np.append(self.speed * walked_s, [0, 0])

    def meet(self, found: Found, at_s: float) -> None:
        """It is here: a large step is believed, a small one, which may be noise, only in part."""
        before, expected, new = self.box, self.expected(at_s), np.array(found.box_px)
        step = to_middle(new) - to_middle(expected)
        side = max(new[2:])
        part = np.clip(np.abs(step) / (STILL * side), DAMPED, 1)
        self.box = from_middle(to_middle(expected) + part * step)
        gone_s = at_s - self.at_s
        if 0 < gone_s <= JUMP_S:
            speed = (to_middle(self.box) - to_middle(before))[:2] / gone_s
            self.speed += NEW_SPEED * (speed - self.speed)
        else:
            self.speed[:] = 0
        self.score, self.points, self.at_s = found.score, found.landmarks_px, at_s


class Tracks:
    """The faces that one robot sees.

    find_within_s   a new face is found this soon, at the latest with the next picture after it
    attend          whom to attend to: a name in ATTEND
    share           0..1, when its first search comes, as a part of find_within_s: robots that began at one
                    moment should not search at one moment
    """

    def __init__(self, find_within_s: float = 0.5, attend: str = "nearest", share: float = 0.0):
        self._find_within_s = find_within_s
        self._attend = ATTEND[attend]
        self._early_s = share * find_within_s
        self._tracks: list[Track] = []
        self._next_id = 1
        self._attended_id: int | None = None
        self._searched_s = -math.inf
        self._looked_s = -math.inf
        self._shape: tuple[int, ...] = ()

    def remembered(self) -> dict:
        """All that the next picture needs, as JSON: other Tracks of these arguments, reminded, go on alike."""
        return {
            "faces": [[t.id, *t.box.tolist(), *t.speed.tolist(), t.at_s] for t in self._tracks],
            "next_id": self._next_id,
            "attended_id": self._attended_id,
            "searched_s": None if math.isinf(self._searched_s) else self._searched_s,
            "looked_s": None if math.isinf(self._looked_s) else self._looked_s,
            "shape": self._shape,
        }

    def remind(self, memory: dict) -> None:
        """Go on where those Tracks were that gave `memory`."""
        self._tracks = [Track.at(*face) for face in memory["faces"]]
        self._next_id, self._attended_id = memory["next_id"], memory["attended_id"]
        self._searched_s, self._looked_s = (
            -math.inf if at_s is None else at_s for at_s in (memory["searched_s"], memory["looked_s"])
        )
        self._shape = tuple(memory["shape"])

    def follow(self, detector: Detector, gray: np.ndarray, at_s: float) -> list[Seen]:
        """The faces in a picture (H, W) uint8 of the time `at_s`: the attended one first, then by size."""
        if gray.shape != self._shape:
            self._tracks, self._shape, self._searched_s = [], gray.shape, -math.inf
        self._tracks = [t for t in self._tracks if 0 <= at_s - t.at_s <= REMEMBERED_S]
        seen = self._confirm(detector, gray, at_s)
        if self._is_due(seen, at_s):
            found = detector.detect(gray, [track.box for track in seen])
            seen += self._search(found, seen, at_s)
            first = math.isinf(self._searched_s)
            self._searched_s = at_s - (self._early_s if first else 0)
        self._looked_s = at_s
        return self._in_order([Seen(t.id, t.box.tolist(), t.score, t.points) for t in seen])

    def _confirm(self, detector: Detector, gray: np.ndarray, at_s: float) -> list[Track]:
        """The known faces that are where they are expected; of two that meet in one place the one that fits."""
        expected = [track.expected(at_s) for track in self._tracks]
        found = detector.confirm(gray, expected) if expected else []
        claims = [
            (track.at_s < self._looked_s, distance(face.box_px, box), track.id, track, face)
            for track, box, face in zip(self._tracks, expected, found, strict=True)
            if face is not None
        ]
        seen: list[Track] = []
        for _hidden, _off, _id, track, face in sorted(claims, key=lambda claim: claim[:3]):
            if all(common(face.box_px, other.box) < ONE_FACE for other in seen):
                track.meet(face, at_s)
                seen.append(track)
        return seen

    def _is_due(self, seen: list[Track], at_s: float) -> bool:
        """Whether to search the whole picture: before it is too late for a new face, and for lost ones."""
        waited_s = at_s - self._searched_s
        missing = [track for track in self._tracks if track not in seen]
        if any(track.at_s == self._looked_s for track in missing):
            return True
        if missing and waited_s >= SEARCH_LOST_S:
            return True
        one_picture_s = at_s - self._looked_s
        return waited_s < 0 or waited_s + one_picture_s > self._find_within_s

    def _search(self, found: list[Found], seen: list[Track], at_s: float) -> list[Track]:
        """Tracks for the faces that a search found: those that were lost and fit best, else new ones."""
        found = [face for face in found if all(common(face.box_px, t.box) < ONE_FACE for t in seen)]
        lost = [track for track in self._tracks if track not in seen]
        pairs = sorted(
            (distance(face.box_px, track.expected(at_s)), i, k)
            for i, face in enumerate(found)
            for k, track in enumerate(lost)
            if similar(face.box_px, track.expected(at_s))
        )
        back: dict[int, Track] = {}
        for _distance, i, k in pairs:
            if i not in back and lost[k] not in back.values():
                back[i] = lost[k]
        for i, face in enumerate(found):
            if i in back:
                back[i].meet(face, at_s)
            else:
                back[i] = Track(self._next_id, face, at_s)
                self._tracks.append(back[i])
                self._next_id += 1
        return list(back.values())

    def _in_order(self, faces: list[Seen]) -> list[Seen]:
        """The attended face first, the others by their size. One that hides for a moment stays the attended."""
        faces = sorted(faces, key=lambda face: size(face.box_px), reverse=True)
        if not faces:
            return []
        remembered = {track.id for track in self._tracks}
        held = next((face for face in faces if face.id == self._attended_id), None)
        chosen = self._attend(faces, held, self._shape)
        if held or self._attended_id not in remembered:
            self._attended_id = chosen.id
        return sorted(faces, key=lambda face: face is not chosen)


# ---- whom to attend to -------------------------------------------------------------------------------


def nearest(faces: list[Seen], held: Seen | None, shape: tuple[int, ...]) -> Seen:
    """The largest; it must be clearly larger than the one that is attended to already."""
    best = max(faces, key=lambda face: size(face.box_px))
    return held if held and size(best.box_px) <= CLEARLY * size(held.box_px) else best


def central(faces: list[Seen], held: Seen | None, shape: tuple[int, ...]) -> Seen:
    """The one in the middle of the picture; it must be clearly nearer to it than the attended one."""

    def off(face: Seen) -> float:
        x, y = to_middle(np.array(face.box_px))[:2]
        return math.hypot(x - shape[1] / 2, y - shape[0] / 2)

    best = min(faces, key=off)
    return held if held and off(held) <= CLEARLY * off(best) else best


def first(faces: list[Seen], held: Seen | None, shape: tuple[int, ...]) -> Seen:
    """The one that has been here for the longest."""
    return min(faces, key=lambda face: face.id)


def hold(faces: list[Seen], held: Seen | None, shape: tuple[int, ...]) -> Seen:
    """The one that is attended to already, whoever comes; when it has gone, the largest."""
    return held or nearest(faces, None, shape)


ATTEND: dict[str, Callable] = {"nearest": nearest, "central": central, "first": first, "held": hold}


# ---- boxes -------------------------------------------------------------------------------------------


def to_middle(box: np.ndarray) -> np.ndarray:
    """[x, y, width, height] as [x of the middle, y of the middle, width, height]."""
    return np.array([box[0] + box[2] / 2, box[1] + box[3] / 2, box[2], box[3]])


def from_middle(box: np.ndarray) -> np.ndarray:
    return np.array([box[0] - box[2] / 2, box[1] - box[3] / 2, box[2], box[3]])


def size(box: Sequence[float]) -> float:
    """Its area, px²."""
    return box[2] * box[3]


def distance(a: Sequence[float], b: Sequence[float]) -> float:
    """How far their middles are apart, in sides of the larger box."""
    across = (a[0] + a[2] / 2) - (b[0] + b[2] / 2)
    down = (a[1] + a[3] / 2) - (b[1] + b[3] / 2)
    return math.hypot(across, down) / max(a[2], a[3], b[2], b[3])


def similar(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether they may be one face, seen with a pause between."""
    times = max(a[2], a[3]) / max(b[2], b[3])
    return distance(a, b) <= SAME_DISTANCE and 1 / SAME_SIZE <= times <= SAME_SIZE


def common(a: Sequence[float], b: Sequence[float]) -> float:
    """What they share, as a part of the smaller one."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(wide, 0) * max(high, 0) / min(size(a), size(b))
