"""The server's workers: processes that read, each with robots of its own.

Design   A robot stays with its worker, which knows where its faces were; a new one goes where the fewest are.
         A worker has one frame at a time; meanwhile the newest of each of its robots waits (slots.py).
         A worker that ends, or reads one frame for longer than HUNG_S, is replaced: that frame is answered
         with an error, its robots stay with the successor and are told "not_ready" until it is there.
Threads  none; all of it belongs to the server's network thread, and nothing in here waits but close().
It opens no image and knows no robot's address.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import zmq

from config.contract import decode_reading
from config.keys import is_loopback
from config.settings import ReaderSettings
from inference_server.backends import Done, Task, refused
from inference_server.slots import Slots

HUNG_S = 10.0  # for one frame; a healthy one takes milliseconds
LOOK_S = 1.0  # how long the network thread may sleep
RETRY_S = 2.0  # between two tries to start a worker that does not come up
END_S = 3.0  # for all workers to end by themselves
ENOUGH = 4  # workers serve 64 robots; more would only take memory


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def core_names() -> str:
    """Which those are, for people: "0-3, 8"."""
    if not hasattr(os, "sched_getaffinity"):
        return f"0-{cores() - 1}"
    there = sorted(os.sched_getaffinity(0))
    firsts = [core for core in there if core - 1 not in there]
    lasts = [core for core in there if core + 1 not in there]
    return ", ".join(f"{a}-{b}" if b > a else f"{a}" for a, b in zip(firsts, lasts, strict=True))


def enough_for(listen: str) -> int:
    """How many workers, where nobody has said: one robot needs one, a class of robots all cores."""
    return 1 if is_loopback(listen) else min(cores(), ENOUGH)


class Process:
    """One worker process; its wire, stdin and stdout are told in worker.py."""

    def __init__(self, reader: ReaderSettings, address: str):
        self._begin("inference_server.worker", address, reader.model_dump_json())

    def _begin(self, module: str, address: str, told: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is the server's to judge
        )
        self._process.stdin.write(told.encode() + b"\n")
        self._process.stdin.flush()

    def fileno(self) -> int:
        """Of a file that can be read when there is a word."""
        return self._process.stdout.fileno()

    def word(self) -> bytes:
        """What it says, whole lines; b"" when it has ended. Waits where there is none."""
        return os.read(self.fileno(), 65536)

    def stop(self) -> None:
        """Have it end when its frame is read."""
        self._process.stdin.close()

    def kill(self) -> None:
        self._process.kill()

    def ended(self, within_s: float) -> str:
        """How it ended; "" if it has not within this time. For the log."""
        try:
            code = self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return ""
        if not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.stdout.close()
        return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


class Worker:
    """What the server knows of one worker. `about` is None until it is ready."""

    def __init__(self, number: int):
        self.number = number
        self.process: Process | None = None
        self.socket: zmq.Socket | None = None
        self.about: dict | None = None
        self.robots: set[str] = set()
        self.slots = Slots()
        self.task: Task | None = None  # being read
        self.since_s = 0.0  # when it was handed over, or when the process was started or ended


class Workers:
    """Starts `count` of them at its birth.

    launch   makes a Process for an address
    poller   where their sockets and words are registered; attend() is given what is ready there
    say      say(level, text) for a person
    """

    def __init__(self, launch: Callable[[str], Process], count: int, context, poller: zmq.Poller, say):
        self._launch = launch
        self._context = context
        self._poller = poller
        self._say = say
        self._folder = tempfile.mkdtemp(prefix="nao-emotion-")  # for this user alone
        self._starts = 0
        self._of_robot: dict[str, Worker] = {}
        self._workers = [Worker(i + 1) for i in range(count)]
        self.failed = ""  # why a worker could not start at all
        for worker in self._workers:
            self._start(worker, time.monotonic())

    by = "workers"

    @property
    def about(self) -> dict | None:
        """What the workers read with: {"model", "runtime"}; None until all are ready."""
        return self._workers[0].about if all(worker.about for worker in self._workers) else None

    def put(self, task: Task) -> list[Done]:
        """Have `task` read, unless a newer frame of the same robot comes before its turn; or say: not ready."""
        worker = self._of_robot.get(task.robot_id)
        if worker is None:
            worker = min(self._workers, key=lambda w: (w.about is None, len(w.robots)))
            self._of_robot[task.robot_id] = worker
            worker.robots.add(task.robot_id)
        if not worker.about:
            return [_not_ready(task)]
        worker.slots.put(task.robot_id, task)
        self._hand_over(worker, task.came_s)
        return []

    def forget(self, robot_id: str) -> None:
        """The robot is gone."""
        worker = self._of_robot.pop(robot_id, None)
        if worker is None:
            return
        worker.robots.discard(robot_id)
        worker.slots.drop(robot_id)
        if worker.about:
            worker.socket.send(robot_id.encode(), zmq.DONTWAIT)

    def refresh(self, robot_id: str) -> None:
        """What the reader remembers of the robot is dropped before its next frame; a frame that waits too."""
        worker = self._of_robot.get(robot_id)
        if worker and worker.about:
            worker.slots.drop(robot_id)
            worker.socket.send(robot_id.encode(), zmq.DONTWAIT)

    def attend(self, ready: dict, now_s: float) -> list[Done]:
        """Take what the workers have to tell; `ready` is what the poller gave."""
        done = []
        for worker in self._workers:
            if worker.socket in ready:
                done += self._take(worker, now_s)
            if worker.process and worker.process.fileno() in ready:
                done += self._hear(worker, now_s)
        return done

    def wait_s(self, now_s: float) -> float:
        """Whatever they do wakes the network thread."""
        return LOOK_S

    def look_round(self, now_s: float) -> None:
        """End what hangs, start again what could not be started."""
        for worker in self._workers:
            if worker.task and now_s - worker.since_s > HUNG_S:
                self._say("error", f"worker {worker.number} has read one frame for {HUNG_S:g} s; it is ended.")
                worker.process.kill()
            elif worker.process is None and now_s - worker.since_s > RETRY_S:
                self._start(worker, now_s)

    def close(self) -> None:
        """End them all: by themselves within END_S, else by force."""
        for worker in self._workers:
            if worker.process:
                worker.process.stop()
        until_s = time.monotonic() + END_S
        for worker in self._workers:
            if worker.process and not worker.process.ended(max(0.0, until_s - time.monotonic())):
                worker.process.kill()
                worker.process.ended(END_S)
            if worker.socket:
                worker.socket.close(linger=0)
        shutil.rmtree(self._folder, ignore_errors=True)

    # ---- one worker ----------------------------------------------------------------------------------

    def _start(self, worker: Worker, now_s: float) -> None:
        self._starts += 1
        address = f"ipc://{self._folder}/{self._starts}"
        worker.process, worker.since_s = self._launch(address), now_s
        worker.socket = self._context.socket(zmq.DEALER)
        worker.socket.connect(address)
        self._poller.register(worker.socket, zmq.POLLIN)
        self._poller.register(worker.process.fileno(), zmq.POLLIN)

    def _hear(self, worker: Worker, now_s: float) -> list[Done]:
        words = worker.process.word()
        if not words:
            return self._ended(worker, now_s)
        for word in words.splitlines():
            self._note(worker, json.loads(word))
        return []

    def _note(self, worker: Worker, word: dict) -> None:
        """What a worker has to say of itself."""
        if "failed" in word:
            self.failed = word["failed"]
        else:
            worker.about = word

    def _hand_over(self, worker: Worker, now_s: float) -> None:
        """Give a free worker the frame whose turn it is."""
        if worker.task:
            return
        task = worker.task = worker.slots.take()
        if task is not None:
            worker.since_s = now_s
            came = [task.robot_id.encode(), repr(task.came_s).encode()]
            worker.socket.send_multipart([*came, *task.parts], zmq.DONTWAIT, copy=False)

    def _take(self, worker: Worker, now_s: float) -> list[Done]:
        """A Reading has come."""
        _, nth, *parts = worker.socket.recv_multipart()
        task, worker.task = worker.task, None
        self._hand_over(worker, now_s)
        return [Done(task, decode_reading(parts), parts, int(nth))]

    def _ended(self, worker: Worker, now_s: float) -> list[Done]:
        """The process is no more: answer its frame with an error, and put another in its place."""
        self._poller.unregister(worker.process.fileno())
        self._poller.unregister(worker.socket)
        worker.socket.close(linger=0)
        how, task, was_ready = worker.process.ended(END_S), worker.task, worker.about
        worker.process = worker.socket = worker.about = worker.task = None
        worker.since_s = now_s
        if was_ready:
            reading = f" while it read a frame of {task.robot_id}" if task else ""
            self._say("error", f"worker {worker.number} ended {how}{reading}; another takes its place.")
            self._start(worker, now_s)
        else:
            why = self.failed or f"it ended {how}; its own words stand above."
            self._say("error", f"worker {worker.number} could not start: {why}")
            self.failed = why
        waiting = [_not_ready(task) for task in iter(worker.slots.take, None)]
        fault = "the PC's reader broke down over this frame; its log says more."
        return waiting + ([refused(task, "internal", fault)] if task else [])


def _not_ready(task: Task) -> Done:
    return refused(task, "not_ready", "the PC's reader is starting; try again in a moment.")
