"""The newest frame of each robot, waiting to be read: one slot a robot, nothing queues.

Robots take turns in the order in which their frames came. This file knows nothing of frames, sockets,
threads or clocks.
"""

from typing import Any


class Slots:
    """Used by one thread."""

    def __init__(self):
        self._waiting: dict[str, Any] = {}  # robot_id -> item, the longest-waiting robot first

    def put(self, robot_id: str, item: Any) -> None:
        """Leave `item` for reading; one of the same robot that still waits is dropped, its turn is kept."""
        self._waiting[robot_id] = item

    def take(self) -> Any | None:
        """The item of the robot whose turn it is; None: nothing waits."""
        robot_id = next(iter(self._waiting), None)
        return None if robot_id is None else self._waiting.pop(robot_id)

    def drop(self, robot_id: str) -> None:
        """Forget what waits."""
        self._waiting.pop(robot_id, None)
