"""A recorded session for replay: its pictures read again as the PC read them, or the readings it holds.

Read again with the same network and settings, they come out the same to the last bit, and it is counted how
many did. That needs all that the reader knew: a stretch counts from the first frame of which the reader knew
nothing, until one is missing. This file decides nothing about moods and writes nothing.
"""

import json
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from config.contract import Face, decode_reading, encode_reading
from config.settings import Settings
from inference_server import decode, session
from inference_server.events import Answered, Event, Marked, Ordered
from inference_server.film import FilmError, Shot, ahead
from inference_server.findings import SessionFindings
from inference_server.reader import Reader
from inference_server.replay import TIMED, Readings, Summary


def settings_of(path: Path) -> list[str]:
    """The reader's and the mood's settings of the session as overrides, without those that are no more."""
    config = json.loads(session.about(path).get("config", "{}"))
    return [
        f"{section}.{key}={json.dumps(value)}"
        for section in ("reader", "mood")
        for key, value in config.get(section, {}).items()
        if key in Settings.model_fields[section].annotation.model_fields
    ]


def model_of(path: Path) -> str:
    """The network that read the session."""
    return session.about(path).get("model", "")


def has_pictures(path: Path) -> bool:
    return session.about(path).get("images") == "yes"


def readings(path: Path, reader: Reader | None, summary: Summary, robot_id: str | None = None) -> Readings:
    """The answers to one robot (None: the first that there is), read again by `reader`, else as recorded.

    What the session says beside is put into summary.findings.session. Raises FilmError, SessionError.
    """
    found = summary.findings.session = SessionFindings(session.about(path), missed=session.missed(path))
    again = None if reader is None else _Again(reader, found)
    first_s = None
    with closing(ahead(session.events(path))) as events:
        for event in events:
            if isinstance(event, Answered) and (robot_id or event.robot_id) != event.robot_id:
                found.more_robots.add(event.robot_id)
            elif isinstance(event, Answered):
                found.robot_id = robot_id = event.robot_id
                first_s = event.came_s if first_s is None else first_s
                time_s = max(0.0, event.came_s - first_s)
                found.add(event.frame, event.reading.faces, time_s)
                faces = event.reading.faces
                if again:
                    faces = again.read(event)
                    if len(summary.reading_ms) < TIMED:
                        summary.reading_ms.append(again.took_ms)
                yield Shot(time_s, rgb=_rgb(event) if event.frame.image else None), faces
            else:
                _note(event, found, first_s)
    if first_s is None:
        raise FilmError(f"{path} holds no answer{f' to {robot_id}' if robot_id else ''}.")


def _note(event: Event, found: SessionFindings, first_s: float | None) -> None:
    """What else happened, once the robot is there."""
    if first_s is None:
        return
    time_s = max(0.0, event.at_s - first_s)
    if isinstance(event, Marked):
        found.mark(event.text, time_s)
    elif isinstance(event, Ordered) and event.robot_id == found.robot_id:
        found.ordered(event.order.name, time_s)


class _Again:
    """Reads what a session recorded, and compares."""

    def __init__(self, reader: Reader, found: SessionFindings):
        self._reader, self._found = reader, found
        self._next = None  # the number that a frame must have for its reader to know what ours does
        self.took_ms = 0.0

    def read(self, event: Answered) -> list[Face] | None:
        """The faces of this frame; None where it cannot be read."""
        if event.nth == 0:
            self._reader.forget(event.robot_id)
            self._next = 0
        elif event.nth != self._next:
            self._next = None
        reading = self._reader.read(event.frame, event.robot_id, event.came_s)
        if reading.error:
            self._next = None
            return None
        self.took_ms = sum(reading.timings_ms.values())
        reading = decode_reading(encode_reading(reading))  # rounded, as it was when it was sent
        if self._next is None:
            self._found.unknown += 1
        else:
            self._next += 1
            if (reading.faces, reading.model) == (event.reading.faces, event.reading.model):
                self._found.same += 1
            else:
                self._found.other += 1
        return reading.faces


def _rgb(event: Answered) -> np.ndarray | None:
    picture = np.frombuffer(decode.as_jpeg(event.frame), np.uint8)
    bgr = cv2.imdecode(picture, cv2.IMREAD_COLOR)
    return None if bgr is None else cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
