"""How many robots how many cores can serve: a model of three costs, beside what was measured.

idle      cores that are busy without any robot
cost      CPU ms of the front door and of the readers for one answer, measured with ONE robot
cores     (idle + robots x pictures a second x cost) / BUSY; above BUSY of its cores answers grow old
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
    """CPU ms for one answer, the cores that are busy without one, and the bytes of one picture."""

    front_ms: float
    read_ms: float
    idle_cores: float
    picture_bytes: float

    @classmethod
    def of(cls, nobody: dict, one: dict, clips: list) -> "Cost":
        """From fleet.measure's rows without a robot and with one, and the clips that it showed."""
        sizes = [len(jpeg) for clip in clips for jpeg in clip.jpegs]
        answers = one["answers_per_second"]
        more = [(one[part] - nobody[part]) / answers * 1e3 for part in ("front_cores", "readers_cores")]
        return cls(*more, served_by(nobody), sum(sizes) / len(sizes))

    def cores(self, answers_per_second: float) -> float:
        """Cores that so many answers keep busy."""
        return self.idle_cores + answers_per_second * (self.front_ms + self.read_ms) / 1e3


def served_by(row: dict) -> float:
    """Cores that front door and readers kept busy."""
    return row["front_cores"] + row["readers_cores"]


def needed(cost: Cost, robots: int, fps: float = FPS) -> dict:
    """What so many robots need."""
    answers = robots * fps
    doors = max(math.ceil(robots / MAX_ROBOTS), math.ceil(answers * cost.front_ms / 1e3 / BUSY))
    readers = math.ceil(answers * cost.read_ms / 1e3 / BUSY)
    return {
        "robots": robots,
        "front doors": doors,
        "reading cores": readers,
        "cores in all": math.ceil(cost.cores(answers) / BUSY),
        "memory_gb": (doors * DOOR_MB + readers * READER_MB) / 1e3,
        "network_mbit_s": answers * cost.picture_bytes * 8 / 1e6,
    }


def compared(cost: Cost, rows: list[dict], cores: int) -> list[dict]:
    """For each row of fleet.measure the cores that its answers should have cost, and those they did.

    busy   the part of all `cores` that was busy, the robots of the measurement counted in
    """
    return [
        {
            "robots": row["clients"],
            "answers_per_second": row["answers_per_second"],
            "p95_age_ms": row["p95_age_ms"],
            "busy": row["cores_busy"] / cores,
            "cores_predicted": (predicted := cost.cores(row["answers_per_second"])),
            "cores_measured": (measured := served_by(row)),
            "error": (predicted - measured) / measured,
        }
        for row in rows
    ]
