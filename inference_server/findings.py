"""What a report tells of a replay, gathered picture by picture in a memory that does not grow with its length.

Times are seconds from the first picture. Shares are 0..1. Nothing here reads a file, a clock or a picture.
"""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from behaviors.mood import Episode, Feeling
from config.contract import EMOTIONS, Face, Frame

FINEST_S = 1 / 32  # of a bin of the timeline, at first
BINS = 512  # at most; when they do not suffice, each two become one
LEVELS = 20  # of confidence, in its histogram
PAUSE_S = 1.0  # a longer gap between two pictures is counted as this long
AGE_S, AGES = 0.01, 300  # bins of the answer's age, and how many
MAX_LISTED = 1000  # delays and marks that are kept
FLICKER_S = 0.5  # for so long another emotion may lead, and the first one counts as having led on
ORDERED_S = 3.0  # a behaviour that begins so soon after an order of its name was ordered
UNDECIDED, NOBODY = "undecided", "nobody there"


class Column(NamedTuple):
    """A bin of the timeline: start_s, mean scores of the attended face (None: no face), the unsure share."""

    start_s: float
    scores: tuple[float, ...] | None
    unsure: float


class Timeline:
    """Mean scores over time, in at most BINS bins; their width doubles whenever the time outgrows them."""

    def __init__(self):
        self.width_s = FINEST_S
        self._bins: list[list[float]] = []  # pictures, faces, unsure ones, seven sums

    def add(self, time_s: float, face: Face | None) -> None:
        while int(time_s / self.width_s) >= BINS:
            self._double()
        at = int(time_s / self.width_s)
        while len(self._bins) <= at:
            self._bins.append([0.0] * (3 + len(EMOTIONS)))
        row = self._bins[at]
        row[0] += 1
        if face is not None:
            row[1] += 1
            row[2] += face.unsure
            for i, score in enumerate(face.scores):
                row[3 + i] += score

    def _double(self) -> None:
        if len(self._bins) % 2:
            self._bins.append([0.0] * (3 + len(EMOTIONS)))
        halves = zip(self._bins[::2], self._bins[1::2], strict=True)
        self._bins = [[x + y for x, y in zip(a, b, strict=True)] for a, b in halves]
        self.width_s *= 2

    def columns(self) -> list[Column]:
        """The bins that hold a picture, in order."""
        return [
            Column(
                i * self.width_s,
                tuple(total / row[1] for total in row[3:]) if row[1] else None,
                row[2] / row[1] if row[1] else 0.0,
            )
            for i, row in enumerate(self._bins)
            if row[0]
        ]


class Reaction(NamedTuple):
    """A behaviour that began: when, which, in which mood; how long after it began and after the face showed it.

    Both delays are None where it was ordered, the second also where the face did not show it.
    """

    at_s: float
    behaviour: str
    mood: str
    delay_s: float | None
    face_delay_s: float | None


@dataclass
class SessionFindings:
    """What only a recorded session knows: the robot's side of it."""

    about: dict[str, str]
    robot_id: str = ""
    reactions: list[Reaction] = field(default_factory=list)
    marks: list[tuple[float, str]] = field(default_factory=list)  # time and text
    ages: Counter = field(default_factory=Counter)  # of the answers, in steps of AGE_S
    same: int = 0  # readings that came out as they were recorded, to the last bit
    other: int = 0
    unknown: int = 0  # whose beginning was not recorded, so that they cannot be compared
    missed: int = 0  # events that the recorder had to leave out
    more_robots: set = field(default_factory=set)
    _mood: tuple[str | None, float] = (None, 0.0)
    _doing: str | None = None
    _ordered: dict[str, float] = field(default_factory=dict)
    _led: dict[str, tuple[float, float]] = field(
        default_factory=dict
    )  # since when, and until when, an emotion led

    def add(self, frame: Frame, faces: list[Face], time_s: float) -> None:
        """Take what the robot said of itself and saw; delays are by its own clock."""
        if faces:
            leader = strongest(faces[0])
            since_s, until_s = self._led.get(leader, (0.0, -math.inf))
            if frame.taken_s - until_s > FLICKER_S:
                since_s = frame.taken_s
            self._led[leader] = since_s, frame.taken_s
        if frame.answer_age_s is not None:
            self.ages[min(int(frame.answer_age_s / AGE_S), AGES)] += 1
        if frame.mood != self._mood[0]:
            self._mood = frame.mood, frame.taken_s
        if frame.doing != self._doing and frame.doing and len(self.reactions) < MAX_LISTED:
            self.reactions.append(self._reaction(frame, time_s))
        self._doing = frame.doing

    def _reaction(self, frame: Frame, time_s: float) -> Reaction:
        mood, since_s = self._mood
        if mood is None or time_s - self._ordered.get(frame.doing, -ORDERED_S) < ORDERED_S:
            return Reaction(time_s, frame.doing, mood or "", None, None)
        led = self._led.get(mood)
        return Reaction(time_s, frame.doing, mood, frame.taken_s - since_s, led and frame.taken_s - led[0])

    def ordered(self, name: str | None, time_s: float) -> None:
        """The operator ordered a behaviour."""
        if name:
            self._ordered[name] = time_s

    def mark(self, text: str, time_s: float) -> None:
        if len(self.marks) < MAX_LISTED:
            self.marks.append((time_s, text))

    def age_s(self, share: float) -> float | None:
        """The age that this share of the answers stayed below, to AGE_S; None where none is known."""
        left = share * self.ages.total()
        for step in sorted(self.ages):
            left -= self.ages[step]
            if left <= 0:
                return (step + 1) * AGE_S
        return None


@dataclass
class Findings:
    """All that was found in one replay."""

    source: str
    model: str
    frames: int = 0
    broken: int = 0
    with_face: int = 0
    most_faces: int = 0
    seconds: float = 0.0
    strongest: Counter = field(default_factory=Counter)  # faces by their highest score
    attended: Counter = field(default_factory=Counter)  # the same of attended faces alone
    felt_s: Counter = field(default_factory=Counter)  # seconds by mood, UNDECIDED and NOBODY too
    levels: list[int] = field(default_factory=lambda: [0] * LEVELS)  # attended faces by their highest score
    unsure: int = 0  # attended faces
    flaws: Counter = field(default_factory=Counter)  # of the attended face's picture
    episodes: list[Episode] = field(default_factory=list)
    timeline: Timeline = field(default_factory=Timeline)
    session: SessionFindings | None = None
    _felt: str = ""

    def add(self, time_s: float, faces: list[Face], feeling: Feeling) -> None:
        """Take one picture that was read."""
        if self._felt:
            self.felt_s[self._felt] += min(time_s - self.seconds, PAUSE_S)
        self._felt = feeling.emotion or (UNDECIDED if faces or feeling.face_id is not None else NOBODY)
        self.frames += 1
        self.seconds = time_s
        self.with_face += bool(faces)
        self.most_faces = max(self.most_faces, len(faces))
        self.strongest.update(strongest(face) for face in faces)
        first = next((face for face in faces if face.id == feeling.face_id), faces[0] if faces else None)
        self.timeline.add(time_s, first)
        if first is not None:
            self.attended[strongest(first)] += 1
            self.levels[min(int(max(first.scores) * LEVELS), LEVELS - 1)] += 1
            self.unsure += first.unsure
            self.flaws.update(first.quality)


def strongest(face: Face) -> str:
    """The emotion with the highest score."""
    return EMOTIONS[max(range(len(EMOTIONS)), key=lambda i: face.scores[i])]
