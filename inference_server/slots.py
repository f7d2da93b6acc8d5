"""The newest frame of each robot, waiting to be read: one slot a robot, nothing queues.

Robots take turns in the order in which their frames came; a robot whose frame is being read waits, so its
frames are read one after the other. This file knows nothing of frames, sockets or clocks.
"""

import threading
from typing import Any


class Slots:
    """Put by one thread, taken by many."""

    def __init__(self):
        self._changed = threading.Condition()
        self._waiting: dict[str, Any] = {}  # robot_id -> item, the longest-waiting robot first
        self._busy: set[str] = set()
        self._closed = False

    def put(self, robot_id: str, item: Any) -> None:
        """Leave `item` for reading; one of the same robot that still waits is dropped, its turn is kept."""
        with self._changed:
            self._waiting[robot_id] = item
            self._changed.notify()

    def take(self) -> tuple[str, Any] | None:
        """Wait for the next robot's item; the robot is busy until done(). None: closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._next() is not None)
            if self._closed:
                return None
            robot_id = self._next()
            self._busy.add(robot_id)
            return robot_id, self._waiting.pop(robot_id)

    def done(self, robot_id: str) -> None:
        """The item taken last was read; the robot's next one may be taken."""
        with self._changed:
            self._busy.discard(robot_id)
            self._changed.notify()

    def drop(self, robot_id: str) -> None:
        """Forget what waits."""
        with self._changed:
            self._waiting.pop(robot_id, None)

    def is_busy(self, robot_id: str) -> bool:
        with self._changed:
            return robot_id in self._busy

    def close(self) -> None:
        """Everybody who waits in take() gets None."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next(self) -> str | None:
        return next((robot_id for robot_id in self._waiting if robot_id not in self._busy), None)
