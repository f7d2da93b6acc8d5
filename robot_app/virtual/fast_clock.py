"""A clock for tests that need not wait: several times as fast as the machine's, as far as that keeps up."""

import threading
import time

MOST_S = 1.0  # of the robot's time between two looks; on a machine that cannot keep up, the robot lives slower


class FastClock:
    """Give it to VirtualNAO as its clock. `speed`: how many times as fast, above 0."""

    def __init__(self, speed: float):
        self._speed = speed
        self._now_s = 0.0
        self._looked_s = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self) -> float:
        with self._lock:
            looked_s = time.monotonic()
            self._now_s += min((looked_s - self._looked_s) * self._speed, MOST_S)
            self._looked_s = looked_s
            return self._now_s
