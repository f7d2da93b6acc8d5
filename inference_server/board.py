"""The monitor's state of now, made from events; and what of it each open page has not been sent yet.

A Board is pure: events and times go in, messages come out. It has no threads, no sockets and no clock. A page
is always sent the state since its last message, never a queue of events: of the pictures the newest, of the
timeline's samples and the log all that is new. So a page that takes one message a second misses pictures,
and nothing else.

A message is a 4-byte length (big endian), a JSON header of that many bytes, then a JPEG or nothing.
"""

import json
import struct
from collections import deque
from dataclasses import dataclass, field

from config.contract import EMOTIONS
from inference_server import decode
from inference_server.events import Answered, Event, Gone, Marked, Said

HISTORY_S = 60.0  # what the timeline shows
RATE_S = 2.0  # frames a second are counted over this long
QUIET_S = 1.5  # a robot silent for this long may come back under a new id
LISTED_S = 60.0  # a robot that left stays in the list for this long
LINES = 50  # of the log


@dataclass(eq=False)
class Robot:
    """One robot as the page knows it. The same object lives on when the robot returns under a new id."""

    id: str
    newest: Answered
    picture_jpeg: bytes | None = None  # of the newest, once somebody looked
    left_s: float | None = None  # when it left; None: it is here
    times_s: deque = field(default_factory=deque)  # of the answers within RATE_S
    samples: deque = field(default_factory=deque)  # (serial, sample) within HISTORY_S

    def rate_hz(self, now_s: float) -> float:
        """Answers a second over the last RATE_S."""
        recent = [t for t in self.times_s if now_s - t <= RATE_S]
        if len(recent) < 2 or recent[-1] == recent[0]:
            return 0.0
        return (len(recent) - 1) / (recent[-1] - recent[0])


@dataclass(eq=False)
class View:
    """Of one open page: which robot it looks at, and what it has been sent already."""

    wish: Robot | None = None  # chosen by the person
    robot: Robot | None = None  # of the last message
    greeted: bool = False
    sent: Answered | None = None
    sent_sample: int = 0
    sent_line: int = 0


class Board:
    """The state of now, from events; and for each page what is new to it."""

    def __init__(self, about: dict[str, str], music: dict | None = None):
        self.about = about
        self.music = music
        self.robots: dict[str, Robot] = {}
        self.lines: deque = deque(maxlen=LINES)  # (serial, Said)
        self._serial = 0

    def take(self, event: Event) -> None:
        """Make `event` part of the state."""
        if isinstance(event, Marked):
            self.lines.append((self._next(), Said("info", f"marked: {event.text}", event.at_s)))
        elif isinstance(event, Said):
            self.lines.append((self._next(), event))
        elif isinstance(event, Gone):
            if event.robot_id in self.robots:
                self.robots[event.robot_id].left_s = event.at_s
        else:
            self._answered(event)

    def message(self, view: View, now_s: float) -> bytes:
        """What is new to `view`, as one message of the wire; it counts as sent."""
        self._forget(now_s)
        header = {
            "now_s": now_s,
            "robots": [_robot_header(robot, now_s) for robot in self.robots.values()],
            "lines": [line._asdict() for serial, line in self.lines if serial > view.sent_line],
        }
        if self.lines:
            view.sent_line = self.lines[-1][0]
        if not view.greeted:
            header |= {"about": self.about, "emotions": EMOTIONS, "history_s": HISTORY_S, "music": self.music}
            view.greeted = True
        watched = self._watched_by(view)
        if watched is not view.robot:
            header["restart"] = True
            view.robot, view.sent, view.sent_sample = watched, None, 0
        return _pack(header, self._news_of_robot(view, header))

    def watch(self, view: View, robot_id: str) -> None:
        """From now on `view` looks at this robot, if there is one of that id."""
        view.wish = self.robots.get(robot_id, view.wish)

    def _answered(self, event: Answered) -> None:
        robot = self.robots.get(event.robot_id) or self._returned(event)
        if robot is None:
            robot = self.robots[event.robot_id] = Robot(event.robot_id, event)
        robot.newest, robot.picture_jpeg, robot.left_s = event, None, None
        robot.times_s.append(event.at_s)
        while event.at_s - robot.times_s[0] > RATE_S:
            robot.times_s.popleft()
        robot.samples.append((self._next(), _sample(event)))
        while event.at_s - robot.samples[0][1]["at_s"] > HISTORY_S:
            robot.samples.popleft()

    def _returned(self, event: Answered) -> Robot | None:
        """The robot of that name which left or fell silent, now under its new id; None if there is none."""
        for old_id, robot in self.robots.items():
            silent = robot.left_s is not None or event.at_s - robot.newest.at_s > QUIET_S
            if silent and robot.newest.frame.robot == event.frame.robot:
                del self.robots[old_id]
                robot.id = event.robot_id
                self.robots[event.robot_id] = robot
                return robot
        return None

    def _forget(self, now_s: float) -> None:
        for robot in list(self.robots.values()):
            if robot.left_s is not None and now_s - robot.left_s > LISTED_S:
                del self.robots[robot.id]

    def _watched_by(self, view: View) -> Robot | None:
        """The chosen robot; else the last one shown while it is here; else one that is here or left last."""
        listed = list(self.robots.values())
        if view.wish in listed:
            return view.wish
        if view.robot in listed and view.robot.left_s is None:
            return view.robot
        return max(listed, key=lambda robot: (robot.left_s is None, robot.newest.at_s), default=None)

    def _news_of_robot(self, view: View, header: dict) -> bytes:
        """Add the watched robot's frame and samples, as far as they are new, to `header`; its JPEG or b""."""
        robot = view.robot
        if robot is None:
            return b""
        header["watched"] = robot.id
        header["samples"] = [sample for serial, sample in robot.samples if serial > view.sent_sample]
        view.sent_sample = robot.samples[-1][0]
        if robot.newest is view.sent:
            return b""
        view.sent = robot.newest
        header["frame"] = _frame_header(robot.newest)
        return _picture(robot)

    def _next(self) -> int:
        self._serial += 1
        return self._serial


def _robot_header(robot: Robot, now_s: float) -> dict:
    return {
        "id": robot.id,
        "name": robot.newest.frame.robot,
        "here": robot.left_s is None,
        "quiet_s": round(max(0.0, now_s - robot.newest.at_s), 2),
        "rate_hz": round(robot.rate_hz(now_s), 2),
    }


def _frame_header(event: Answered) -> dict:
    frame, reading = event.frame, event.reading
    return {
        "width": frame.width,
        "height": frame.height,
        "faces": [face._asdict() for face in reading.faces],
        "doing": frame.doing,
        "mood": frame.mood,
        "trouble": frame.trouble,
        "answer_age_s": frame.answer_age_s,
        "timings_ms": reading.timings_ms,
    }


def _sample(event: Answered) -> dict:
    """One column of the timeline; the scores in whole percent."""
    faces = event.reading.faces
    return {
        "at_s": round(event.at_s, 3),
        "mood": event.frame.mood,
        "doing": event.frame.doing,
        "scores": [round(100 * score) for score in faces[0].scores] if faces else None,
    }


def _picture(robot: Robot) -> bytes:
    """The newest picture as JPEG. If it came raw it is made now, when somebody looks, and only once."""
    if robot.picture_jpeg is None:
        robot.picture_jpeg = robot.newest.picture_jpeg or decode.as_jpeg(robot.newest.frame)
    return robot.picture_jpeg


def _pack(header: dict, picture_jpeg: bytes) -> bytes:
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack(">I", len(text)) + text + picture_jpeg
