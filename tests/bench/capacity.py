"""How many robots how many cores can serve: a model of two costs for each answer, beside what was measured.

cost      CPU ms of the front door and of the readers for one answer, measured with ONE robot
cores     robots x pictures a second x cost / BUSY; above BUSY of its cores, a machine's answers grow old
doors     at most server.MAX_ROBOTS robots each; a front door is one thread, so at most BUSY of a core
network   what robots send; answers are a hundredth of it
"""

import math
from typing import NamedTuple

from inference_server.server import MAX_ROBOTS
from tests.bench.clips import FPS

BUSY = 0.7
READER_MB, DOOR_MB = 120, 90
MANY = (20, 100, 1_000, 10_000)


class Cost(NamedTuple):
    """CPU ms for one answer, and the bytes of one picture."""

    front_ms: float
    read_ms: float
    picture_bytes: float

    @classmethod
    def of(cls, row: dict, clips: list) -> "Cost":
        """From a row of fleet.measure, and the clips that it showed."""
        sizes = [len(jpeg) for clip in clips for jpeg in clip.jpegs]
        return cls(row["front_cpu_ms"], row["workers_cpu_ms"], sum(sizes) / len(sizes))


def needed(cost: Cost, robots: int, fps: float = FPS) -> dict:
    """What so many robots need."""
    answers = robots * fps
    doors = max(math.ceil(robots / MAX_ROBOTS), math.ceil(answers * cost.front_ms / 1e3 / BUSY))
    readers = math.ceil(answers * cost.read_ms / 1e3 / BUSY)
    return {
        "robots": robots,
        "front doors": doors,
        "reading cores": readers,
        "cores in all": math.ceil(answers * (cost.front_ms + cost.read_ms) / 1e3 / BUSY),
        "memory_gb": (doors * DOOR_MB + readers * READER_MB) / 1e3,
        "network_mbit_s": answers * cost.picture_bytes * 8 / 1e6,
    }


def compared(cost: Cost, rows: list[dict]) -> list[dict]:
    """For each row of fleet.measure the cores that its answers should have cost, and those they did."""
    found = []
    for row in rows:
        answers = row["answers_per_second"]
        predicted = answers * (cost.front_ms + cost.read_ms) / 1e3
        measured = answers * (row["front_cpu_ms"] + row["workers_cpu_ms"]) / 1e3
        found.append(
            {
                "robots": row["clients"],
                "answers_per_second": answers,
                "p95_age_ms": row["p95_age_ms"],
                "cores_predicted": predicted,
                "cores_measured": measured,
                "error": (predicted - measured) / measured,
            }
        )
    return found
