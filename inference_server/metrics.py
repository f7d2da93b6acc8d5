"""How the server fares, in numbers, for Prometheus; and whether it lives and is ready, for whatever runs it.

    GET /metrics    text that Prometheus reads; deployment/grafana.json shows it
    GET /live       200 while the network thread goes round, else 503: start it anew
    GET /ready      200 while frames can be read, else 503: send robots elsewhere

It has a port of its own, because the page's keys are new at each start. It says numbers alone: no picture,
no name, no score; there is nothing to change. Counts come from the events, by a thread that only counts.
"""

import threading
import time
from bisect import bisect_left
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from inference_server.events import Answered, Events, Gone, Said

BOUNDS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)  # of both histograms
FAMILIES = {
    "robots": ("gauge", "Robots that are answered."),
    "ready": ("gauge", "Whether frames can be read."),
    "by_ray": ("gauge", "Whether Ray reads; else the workers of this machine do."),
    "by_kserve": ("gauge", "Whether a model server scores; else the workers of this machine do."),
    "faces_total": ("counter", "Faces that were read."),
    "said_total": ("counter", "Lines of the log."),
    "step_seconds_total": ("counter", "Time spent on frames, by step."),
    "answer_seconds": ("histogram", "From the coming of a frame to its answer."),
    "age_seconds": ("histogram", "Age of answers at the robots, by their own clocks."),
}
WAITING = 1000  # events that may wait to be counted
STOP_S = 2.0


class MetricsError(RuntimeError):
    """They cannot be served; the sentence says why and what to do."""


class Histogram:
    """Durations by BOUNDS_S."""

    def __init__(self):
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.sum_s = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.sum_s += seconds

    def lines(self, name: str) -> list[str]:
        below, rows = 0, []
        for bound, count in zip((*BOUNDS_S, "+Inf"), self.counts, strict=True):
            below += count
            rows.append(f'{name}_bucket{{le="{bound}"}} {below}')
        return [*rows, f"{name}_sum {self.sum_s:.6f}", f"{name}_count {below}"]


class Counts:
    """What happened since the start. Used by one thread; others may read."""

    def __init__(self):
        self.robots: set[str] = set()
        self.faces = 0
        self.said = Counter({level: 0 for level in ("info", "warning", "error")})
        self.steps_ms: Counter[str] = Counter()
        self.answer, self.age = Histogram(), Histogram()

    def take(self, event) -> None:
        if isinstance(event, Answered):
            self.robots.add(event.robot_id)
            self.faces += len(event.reading.faces)
            self.steps_ms.update(event.reading.timings_ms)
            self.answer.add(event.at_s - event.came_s)
            if event.frame.answer_age_s is not None:
                self.age.add(event.frame.answer_age_s)
        elif isinstance(event, Gone):
            self.robots.discard(event.robot_id)
        elif isinstance(event, Said):
            self.said[event.level] += 1

    def text(self, by: str, is_ready: bool) -> str:
        """All of it, as Prometheus reads it; `by` is what reads, as the server says it."""
        rows = {
            "robots": [f"emotion_robots {len(self.robots)}"],
            "ready": [f"emotion_ready {is_ready:d}"],
            "by_ray": [f"emotion_by_ray {by == 'ray':d}"],
            "by_kserve": [f"emotion_by_kserve {by == 'kserve':d}"],
            "faces_total": [f"emotion_faces_total {self.faces}"],
            "said_total": [f'emotion_said_total{{level="{k}"}} {v}' for k, v in self.said.items()],
            "step_seconds_total": [
                f'emotion_step_seconds_total{{step="{k}"}} {v / 1e3:.6f}'
                for k, v in dict(self.steps_ms).items()
            ],
            "answer_seconds": self.answer.lines("emotion_answer_seconds"),
            "age_seconds": self.age.lines("emotion_age_seconds"),
        }
        lines = []
        for name, (kind, what) in FAMILIES.items():
            lines += [f"# HELP emotion_{name} {what}", f"# TYPE emotion_{name} {kind}", *rows[name]]
        return "\n".join(lines) + "\n"


class Metrics:
    """Serves them at `where`, HOST:PORT, until close(); port 0 takes any free one. Raises MetricsError."""

    def __init__(self, events: Events, server, where: str):
        host, _, port = where.rpartition(":")
        self._server = server
        self.counts = Counts()
        try:
            self._http = ThreadingHTTPServer((host.strip("[]"), int(port)), self._handler())
        except OSError as error:
            raise MetricsError(
                f"metrics: {where} cannot be used: {error.strerror or error}. Give another as server.metrics."
            ) from None
        self.port = self._http.server_address[1]
        self._events = events.subscribe_to_all(WAITING)
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=f"metrics-{name}", daemon=True)
            for name, work in (("http", self._http.serve_forever), ("count", self._count))
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._over.set()
        self._http.shutdown()
        self._http.server_close()
        self._events.close()
        for thread in self._threads:
            thread.join(STOP_S)

    def _count(self) -> None:
        while not self._over.is_set():
            for event in self._events.take(timeout_s=0.5):
                self.counts.take(event)

    def answer(self, path: str) -> tuple[int, str]:
        """Status and text for a path."""
        server = self._server
        if path == "/metrics":
            return 200, self.counts.text(server.reads_by, server.is_ready)
        known = {"/live": lambda: server.is_alive(time.monotonic()), "/ready": lambda: server.is_ready}
        if path not in known:
            return 404, "There are /metrics, /live and /ready.\n"
        return (200, "yes\n") if known[path]() else (503, "no\n")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        metrics = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 5.0  # s, for one who connects and says nothing

            def do_GET(self):
                status, text = metrics.answer(self.path.partition("?")[0])
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler
