"""Many robots at one server: real processes, the robot's own link code, real ZeroMQ; how fresh are the answers?

The robots are threads of this process; each is a camera that has a picture every 1 / fps s, and a Link. What
they use of the CPU counts against the server, as both run on the same machine, and is told apart in the row.
"""

import io
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

import numpy as np

from config import settings
from robot_app.camera import Picture
from robot_app.clock import now_s
from robot_app.link import Link
from robot_app.notes import Notes
from robot_app.tell import Teller
from tests.bench.clips import FPS, Clip
from tests.bench.machine import below, cpu_s, memory_mb
from tests.whole.programs import Program, free_port

WARM_UP_S = 2.0
LOOK_S = 0.02  # as in robot_app.interact
START_S = 240.0  # for the server, on a machine that is very busy


class Answers(Notes):
    """Notes that keep every answer: (when, age_s)."""

    def __init__(self):
        super().__init__()
        self.all: list[tuple[float, float]] = []

    def answer(self, age_s):
        super().answer(age_s)
        self.all.append((now_s(), age_s))


class Robot:
    """A robot's end without a body: looks at a clip, asks, and notes how old the answers are."""

    def __init__(self, clip: Clip, first: int):
        self.notes = Answers()
        self.faces: list[int] = []  # in each answer
        self._clip, self._i = clip, first

    def live(self, address: str, over: threading.Event) -> None:
        link = Link(address, settings.load().robot.model_dump(), Teller(io.StringIO()), self.notes)
        due_s = now_s() + (self._i % FPS) / FPS / FPS  # robots do not look in step
        while not over.is_set():
            now, may_ask = now_s(), link.may_ask(now_s())
            if may_ask and now >= due_s:
                frame = self._clip.frame(self._i)
                picture = Picture(now, frame.width, frame.height, "jpeg", frame.image)
                link.ask(picture, {"doing": None, "mood": None}, now)
                self._i += 1
                due_s = max(due_s + 1 / FPS, now)
            reading = link.answer(min(max(due_s - now, 0.001), LOOK_S) if may_ask else LOOK_S, now_s)
            if reading is not None:
                self.faces.append(len(reading.faces))
        link.close()


@contextmanager
def living(robots: list[Robot], address: str):
    """The robots at the server's line, each in a thread; what goes wrong in one is raised at the end."""
    over = threading.Event()
    with ThreadPoolExecutor(max(len(robots), 1)) as pool:
        lives = [pool.submit(robot.live, address, over) for robot in robots]
        try:
            yield
        finally:
            over.set()
        for life in lives:
            life.result()


def measure(
    clips: list[Clip],
    robots: int,
    workers: int,
    seconds: float,
    beside=lambda line: nullcontext(),
    more: tuple[str, ...] = (),
    ready: str = "",
    also: Callable[[], list[int]] = list,
) -> dict:
    """One row: what `robots` robots that look at `clips` in turn get from a server with so many workers.

    beside   gives what happens meanwhile, as a context manager, from the line that the server says
    more     options of `serve`
    ready    a part of what it says when it is to be measured, if that is not at once
    also     gives processes that read beside the server's own, such as those of a cluster
    """
    address = f"tcp://127.0.0.1:{free_port()}"
    serve = (
        "serve",
        "--listen",
        address,
        "--monitor",
        "127.0.0.1:0",
        "--set",
        f"server.workers={workers}",
        *more,
    )
    fleet = [Robot(clips[k % len(clips)], 7 * k) for k in range(robots)]
    with Program("inference_server", *serve) as server:
        line = server.wait_for_line("serving", START_S)
        if ready:
            server.wait_for_line(ready, START_S)
        front, readers = [server.process.pid], [*below(server.process.pid), *also()]
        with living(fleet, address), beside(line):
            time.sleep(WARM_UP_S)
            began_s, before = now_s(), _cpu_s(front, readers)
            time.sleep(seconds)
            ended_s, after = now_s(), _cpu_s(front, readers)
            memory = memory_mb(front + readers)
        server.end()
    answers = [[age for at, age in robot.notes.all if began_s <= at <= ended_s] for robot in fleet]
    ages_ms = 1e3 * np.concatenate(answers) if any(answers) else np.full(1, np.nan)
    lasted_s = ended_s - began_s
    each_s = lasted_s / max(sum(map(len, answers)), 1)
    cores = {name: (after[name] - before[name]) / lasted_s for name in after}
    return {
        "clients": robots,
        "answers_per_second": sum(map(len, answers)) / lasted_s,
        "answers_per_second_slowest": min(map(len, answers), default=0) / lasted_s,
        "median_age_ms": float(np.median(ages_ms)),
        "p95_age_ms": float(np.percentile(ages_ms, 95)),
        "faces": float(np.mean([faces for robot in fleet for faces in robot.faces] or [0])),
        "front_cpu_ms": cores["front"] * each_s * 1e3,  # for each answer
        "readers_cpu_ms": cores["readers"] * each_s * 1e3,
        "front_cores": cores["front"],
        "readers_cores": cores["readers"],
        "cores_busy": sum(cores.values()),
        "memory_mb": memory,
        "workers": workers,
    }


def _cpu_s(front: list[int], readers: list[int]) -> dict[str, float]:
    return {
        "front": sum(cpu_s(pid) or 0.0 for pid in front),
        "readers": sum(cpu_s(pid) or 0.0 for pid in readers),
        "clients": time.process_time(),
    }
