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
from itertools import takewhile
from typing import NamedTuple

from config.contract import EMOTIONS, About, Face, Order
from inference_server import decode
from inference_server.events import Answered, Event, Gone, Marked, Ordered, Said, Settled

HISTORY_S = 600.0  # what the timeline can show
FULL_S = 60.0  # of it with every answer; what is older, every THIN_S
THIN_S = 0.5
RATE_S = 2.0  # frames a second, and those that were lost, are counted over this long
QUIET_S = 1.5  # a robot silent for this long may come back under a new id
LISTED_S = 60.0  # a robot that left stays in the list for this long
OPINION_S = 4.0  # what NAOqi reads in faces is shown for this long
LINES = 50  # of the log
MARKS = 200  # of the timeline
ORDERS = 8  # of each robot


class Sample(NamedTuple):
    """One column of the timeline, `json` as the page gets it: there are thousands, and text is small."""

    at_s: float
    json: bytes


@dataclass(eq=False)
class Robot:
    """One robot as the page knows it. The same object lives on when the robot returns under a new id."""

    id: str
    newest: Answered
    picture_jpeg: bytes | None = None  # of the newest, once somebody looked
    left_s: float | None = None  # when it left; None: it is here
    about: About | None = None  # what it told of itself last ...
    about_serial: int = 0  # ... and when
    naoqi_s: float = 0.0  # and when NAOqi last had an opinion
    orders: deque = field(default_factory=lambda: deque(maxlen=ORDERS))  # as the page gets them
    orders_serial: int = 0
    recent: deque = field(default_factory=deque)  # (at_s, seq) of the answers within RATE_S
    samples: deque = field(default_factory=deque)  # (serial, Sample) within FULL_S
    older: deque = field(default_factory=deque)  # and before that, within HISTORY_S

    def rate_hz(self, now_s: float) -> float:
        """Answers a second over the last RATE_S."""
        recent = [at_s for at_s, _ in self.recent if now_s - at_s <= RATE_S]
        if len(recent) < 2 or recent[-1] == recent[0]:
            return 0.0
        return (len(recent) - 1) / (recent[-1] - recent[0])

    def header(self, now_s: float) -> dict:
        """Who it is, and how its line is."""
        return {
            "id": self.id,
            "name": self.newest.frame.robot,
            "mode": self.newest.frame.mode,
            "here": self.left_s is None,
            "quiet_s": round(max(0.0, now_s - self.newest.at_s), 2),
            "rate_hz": round(self.rate_hz(now_s), 2),
            "lost": round(self.lost(), 3),
        }

    def lost(self) -> float:
        """Of the frames it sent lately, the share that was not answered, 0..1."""
        sent = self.recent[-1][1] - self.recent[0][1] + 1
        return max(0.0, 1 - len(self.recent) / sent) if sent > 0 else 0.0


@dataclass(eq=False)
class View:
    """Of one open page: which robot it looks at, and what it has been sent already."""

    may_steer: bool = False
    told: list = field(default_factory=list)  # sentences for this page alone, not sent yet
    wish: Robot | None = None  # chosen by the person
    robot: Robot | None = None  # of the last message
    greeted: bool = False
    sent: Answered | None = None
    sent_sample: int = 0
    sent_line: int = 0
    sent_mark: int = 0
    sent_about: int = 0
    sent_orders: int = 0


class Board:
    """The state of now, from events; and for each page what is new to it."""

    def __init__(self, about: dict[str, str], music: dict | None = None):
        self.about = about
        self.music = music
        self.robots: dict[str, Robot] = {}
        self.lines: deque = deque(maxlen=LINES)  # (serial, Said)
        self.marks: deque = deque(maxlen=MARKS)  # (serial, Marked)
        self._serial = 0

    def take(self, event: Event) -> None:
        """Make `event` part of the state."""
        if isinstance(event, Marked):
            self.marks.append((self._next(), event))
            self.lines.append((self._next(), Said("info", f"marked: {event.text}", event.at_s)))
        elif isinstance(event, Ordered | Settled):
            self._ordered(event)
        elif isinstance(event, Said):
            self.lines.append((self._next(), event))
        elif isinstance(event, Gone):
            if event.robot_id in self.robots:
                self.robots[event.robot_id].left_s = event.at_s
        else:
            self._answered(event)

    def message(self, view: View, now_s: float) -> bytes:
        """What is new to `view`, as one message of the wire; it counts as sent."""
        header = {
            "now_s": now_s,
            "robots": [robot.header(now_s) for robot in self.listed(now_s)],
            "lines": [line._asdict() for line in _after(self.lines, view.sent_line)],
            "marks": [mark._asdict() for mark in _after(self.marks, view.sent_mark)],
        }
        view.sent_line, view.sent_mark = _newest(self.lines), _newest(self.marks)
        if view.told:
            header["told"], view.told = view.told, []
        if not view.greeted:
            header |= {"about": self.about, "emotions": EMOTIONS, "history_s": HISTORY_S, "music": self.music}
            header["may_steer"] = view.may_steer
            view.greeted = True
        watched = self._watched_by(view)
        if watched is not view.robot:
            header["restart"] = True
            view.robot, view.sent = watched, None
            view.sent_sample = view.sent_about = view.sent_orders = 0
        samples = self._new_samples(view)
        return _pack(header, samples, self._news_of_robot(view, header))

    def watch(self, view: View, robot_id: str) -> None:
        """From now on `view` looks at this robot, if there is one of that id."""
        view.wish = self.robots.get(robot_id, view.wish)

    def _answered(self, event: Answered) -> None:
        robot = self.robots.get(event.robot_id) or self._returned(event)
        if robot is None:
            robot = self.robots[event.robot_id] = Robot(event.robot_id, event)
        robot.newest, robot.picture_jpeg, robot.left_s = event, None, None
        if event.frame.about is not None:
            self._told(robot, event.frame.about, event.at_s)
        if robot.recent and event.frame.seq < robot.recent[-1][1]:
            robot.recent.clear()  # its program began anew
        robot.recent.append((event.at_s, event.frame.seq))
        while event.at_s - robot.recent[0][0] > RATE_S:
            robot.recent.popleft()
        robot.samples.append((self._next(), Sample(event.at_s, _as_json(_column(event)))))
        while event.at_s - robot.samples[0][1].at_s > FULL_S:
            row = robot.samples.popleft()
            if not robot.older or row[1].at_s - robot.older[-1][1].at_s >= THIN_S:
                robot.older.append(row)
        while robot.older and event.at_s - robot.older[0][1].at_s > HISTORY_S:
            robot.older.popleft()

    def _told(self, robot: Robot, about: About, at_s: float) -> None:
        """It told of itself; what NAOqi read in faces does not come each time, and holds for a while."""
        if about.naoqi:
            robot.naoqi_s = at_s
        elif robot.about and at_s - robot.naoqi_s < OPINION_S:
            about = about._replace(naoqi=robot.about.naoqi)
        if about != robot.about:
            robot.about, robot.about_serial = about, self._next()

    def _ordered(self, event: Ordered | Settled) -> None:
        """An order was given, or what came of it is known."""
        robot = self.robots.get(event.robot_id)
        if robot is None:
            return
        if isinstance(event, Ordered):
            robot.orders.append(_order_header(event.order, event.at_s))
        for order in robot.orders:
            if isinstance(event, Settled) and order["number"] == event.order.number:
                order |= {"state": "refused" if event.why_not else "done", "why_not": event.why_not}
                order["after_s"] = round(event.at_s - order["at_s"], 3)
        robot.orders_serial = self._next()

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

    def listed(self, now_s: float) -> list[Robot]:
        """Those that are here, and for LISTED_S those that left."""
        for robot in list(self.robots.values()):
            if robot.left_s is not None and now_s - robot.left_s > LISTED_S:
                del self.robots[robot.id]
        return list(self.robots.values())

    def _watched_by(self, view: View) -> Robot | None:
        """The chosen robot; else the last one shown while it is here; else one that is here or left last."""
        listed = list(self.robots.values())
        if view.wish in listed:
            return view.wish
        if view.robot in listed and view.robot.left_s is None:
            return view.robot
        return max(listed, key=lambda robot: (robot.left_s is None, robot.newest.at_s), default=None)

    def _new_samples(self, view: View) -> list[bytes]:
        """Those of the watched robot's timeline that are new."""
        robot = view.robot
        if robot is None:
            return []
        older = [sample for _, sample in robot.older] if view.sent_sample == 0 else []
        found = older + _after(robot.samples, view.sent_sample)
        view.sent_sample = _newest(robot.samples)
        return [sample.json for sample in found]

    def _news_of_robot(self, view: View, header: dict) -> bytes:
        """Add the watched robot's frame, as far as it is new, to `header`; its JPEG or b""."""
        robot = view.robot
        if robot is None:
            return b""
        header["watched"] = robot.id
        if robot.about_serial > view.sent_about:
            header["itself"] = robot.about._asdict()
            view.sent_about = robot.about_serial
        if robot.orders_serial > view.sent_orders:
            header["orders"] = list(robot.orders)
            view.sent_orders = robot.orders_serial
        if robot.newest is view.sent:
            return b""
        view.sent = robot.newest
        header["frame"] = _frame_header(robot.newest)
        return _picture(robot)

    def _next(self) -> int:
        self._serial += 1
        return self._serial


def _after(rows: deque, serial: int) -> list:
    """What follows that serial in rows of (serial, item)."""
    return [item for _, item in takewhile(lambda row: row[0] > serial, reversed(rows))][::-1]


def _newest(rows: deque) -> int:
    return rows[-1][0] if rows else 0


def _frame_header(event: Answered) -> dict:
    frame, reading = event.frame, event.reading
    return {
        "width": frame.width,
        "height": frame.height,
        "faces": [face._asdict() for face in reading.faces],
        "attended": getattr(attended(event), "id", None),
        "smoothed": frame.smoothed,
        "mode": frame.mode,
        "doing": frame.doing,
        "mood": frame.mood,
        "trouble": frame.trouble,
        "joints_rad": frame.joints_rad,
        "answer_age_s": frame.answer_age_s,
        "timings_ms": reading.timings_ms,
    }


def _column(event: Answered) -> dict:
    """One column of the timeline; the scores in whole percent."""
    face = attended(event)
    return {
        "at_s": round(event.at_s, 3),
        "mood": event.frame.mood,
        "doing": event.frame.doing,
        "scores": [round(100 * score) for score in face.scores] if face else None,
        "unsure": bool(face and face.unsure),
    }


def _order_header(order: Order, at_s: float) -> dict:
    return order._asdict() | {"at_s": at_s, "state": "waiting", "why_not": None, "after_s": None}


def attended(event: Answered) -> Face | None:
    """The face that the robot attends to: which it said it does, else the first."""
    faces = event.reading.faces
    return next((face for face in faces if face.id == event.frame.attends), faces[0] if faces else None)


def _picture(robot: Robot) -> bytes:
    """The newest picture as JPEG. If it came raw it is made now, when somebody looks, and only once."""
    if robot.picture_jpeg is None:
        robot.picture_jpeg = robot.newest.picture_jpeg or decode.as_jpeg(robot.newest.frame)
    return robot.picture_jpeg


def _as_json(value: dict) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _pack(header: dict, samples: list[bytes], picture_jpeg: bytes) -> bytes:
    text = b'%s,"samples":[%s]}' % (_as_json(header)[:-1], b",".join(samples))
    return struct.pack(">I", len(text)) + text + picture_jpeg
