"""A Ray cluster on this machine, a front door before it, robots at its line: all real, each ended by its id."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from itertools import pairwise

from tests.bench import clips
from tests.bench.fleet import Robot, living
from tests.bench.machine import below
from tests.whole.programs import ROOT, Program, free_port

PATIENCE_S = 240.0  # also on a machine that is busy with something else
os.environ |= {  # of the clusters in here
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    "RAY_raylet_start_wait_time_s": f"{PATIENCE_S:.0f}",
    "RAY_agent_register_timeout_ms": f"{PATIENCE_S * 1e3:.0f}",
}
PORTS = (  # Ray waits a short time only for those that its parts choose themselves
    "ray-client-server",
    "dashboard-agent-listen",
    "dashboard-agent-grpc",
    "metrics-export",
    "runtime-env-agent",
)
FRESH_S = 0.5  # as robot.max_age_s


class Node:
    """A node of the cluster at `address`, with room for `cores` replicas."""

    def __init__(self, address: str, cores: int):
        self.address = address
        self._begin(cores, address=address)

    def _begin(self, cores: int, *words: str, **more) -> None:
        options = more | {"num-cpus": cores, "object-store-memory": 128 * 2**20}
        options |= {f"{name}-port": free_port() for name in PORTS}
        start = ["start", "--block", "--disable-usage-stats", "--node-ip-address=127.0.0.1", *words]
        start += [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        self._process = begun("ray.scripts.scripts", *start, ready="runtime started")

    @property
    def pids(self) -> list[int]:
        """All its processes, the replicas on it too."""
        return [self._process.pid, *below(self._process.pid)]

    def kill(self) -> None:
        """As if its machine had lost its power; once is enough."""
        if self._process.returncode is not None:
            return
        for pid in self.pids:
            end(pid)
        self._process.wait()
        self._process.stdout.close()


class Head(Node):
    """The head of a cluster, and its only node until others are begun."""

    def __init__(self, cores: int = 16, port: int | None = None):
        self.port = port or free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")  # its sockets' names may not be long
        more = {"port": self.port, "temp_dir": self._folder, "include_dashboard": "false"}
        self._begin(cores, "--head", **more)

    def kill(self) -> None:
        super().kill()
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def cluster(*cores: int):
    """Several nodes of so many cores each, and a head with none: (head, nodes)."""
    machines = [head := Head(cores=0)]
    try:
        machines += [Node(head.address, count) for count in cores]
        yield head, machines[1:]
    finally:
        for machine in reversed(machines):
            machine.kill()


def begun(module: str, *words: str, ready: str, **how) -> subprocess.Popen:
    """A program of a session of its own, once it has said `ready`."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", module, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **how,
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if ready in line:
            return process
    raise AssertionError(f"{module} did not start:\n" + "".join(said[-60:]))


def end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def replicas(app: str) -> list[int]:
    """The processes that read for this application."""
    found = subprocess.run(["pgrep", "-f", f"^ray::ServeReplica:{app}:"], capture_output=True, text=True)
    return [int(pid) for pid in found.stdout.split()]


def wait_until(what, why: str, within_s: float = PATIENCE_S) -> None:
    until_s = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < until_s, f"after {within_s:g} s: {why}"
        time.sleep(0.05)


@contextmanager
def front_door(address: str, app: str, replicas: int, most: int | None = None):
    """A server as a program, whose frames go to the application `app`: (the program, its address)."""
    listen = f"tcp://127.0.0.1:{free_port()}"
    chosen = {"ray.address": address, "ray.app": app, "ray.replicas": replicas}
    chosen |= {"ray.most_replicas": most} if most else {}
    options = [word for key, value in chosen.items() for word in ("--set", f"{key}={value}")]
    serve = ("serve", "--backend", "ray", "--listen", listen, "--no-monitor", *options)
    with Program("inference_server", *serve) as program:
        program.wait_for_line("Ray reads from now on", PATIENCE_S)
        yield program, listen
        program.end(within_s=PATIENCE_S)


class Fleet:
    """Robots that look at clips, and ask at `address`."""

    def __init__(self, count: int):
        shown = clips.find()
        self.robots = [Robot(shown[k % len(shown)], 7 * k) for k in range(count)]

    def at(self, address: str):
        return living(self.robots, address)

    def answered(self, times: int, since_s: float) -> None:
        """Wait until each robot has had so many fresh answers since then."""
        enough = lambda: all(len(self._fresh(r, since_s, 1e12)) >= times for r in self.robots)  # noqa: E731
        wait_until(enough, f"not every robot had {times} fresh answers")

    def longest_gaps_s(self, begin_s: float, end_s: float) -> list[float]:
        """For each robot, the longest time without a fresh answer."""
        return [
            max(b - a for a, b in pairwise(times))
            for times in ([begin_s, *self._fresh(robot, begin_s, end_s), end_s] for robot in self.robots)
        ]

    @staticmethod
    def _fresh(robot: Robot, begin_s: float, end_s: float) -> list[float]:
        return [at for at, age in list(robot.notes.all) if begin_s <= at <= end_s and age <= FRESH_S]
