"""The front door's end of a Ray Serve application: frames go there, and to this PC's workers while it is late.

Design   Ray is spoken to by a process of its own (ray_bridge.py), as Ray ends a process that loses its cluster.
         What a reader knows of a robot, where its faces were, travels with each frame and comes back with its
         answer. So any replica may read any frame, replicas may come and go, and when one dies its frame is
         read by another as if nothing had been.
         A robot has one frame at Ray; meanwhile its newest waits. A frame that is not answered within LATE_S is
         read by the workers, and so are that robot's next ones until Ray has answered. When it answers nobody,
         or has lost a frame, they read for all; now and then a frame goes to both, to see whether it is back.
         The workers stand ready from the start: no robot waits for a cluster to come up, or to come back.
Wire     DEALER to DEALER
         server -> bridge   [robot_id, came_s, memory, version, header, image]
         bridge -> server   [robot_id, READ, memory, version, header], or [robot_id, BUSY], or [robot_id, LOST]
It never imports ray, and waits for nothing.
"""

import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import zmq

from config.contract import decode_reading
from config.settings import RaySettings, ReaderSettings
from inference_server.backends import Backend, Done, Task, refused
from inference_server.workers import END_S, Process

READ, BUSY, LOST = b"read", b"busy", b"lost"
LATE_S = 0.3  # for Ray's answer; a robot acts on none that is older than half a second
SILENT_S = 1.0  # without any answer, while some are due: that is said, and nobody waits for Ray
PROBE_S = 1.0  # between two frames that go to both
HUNG_S = 60.0  # of silence, after which the bridge is started anew
RETRY_S = 5.0  # between two tries to reach the cluster
LOOK_S = 0.05  # how often it looks whether an answer is late
IDLE_S = 1.0


class RayError(ValueError):
    """The cluster or its application cannot be used; the sentence says why and what to do."""


class Bridge(Process):
    """The bridge's process; its wire, stdin and stdout are told in ray_bridge.py."""

    def __init__(self, reader: ReaderSettings, ray: RaySettings, address: str):
        told = {"reader": reader.model_dump(mode="json"), "ray": ray.model_dump(mode="json")}
        self._begin("inference_server.ray_bridge", address, json.dumps(told))


class Asked(NamedTuple):
    """A frame at Ray. `task` is None when the workers have it meanwhile."""

    task: Task | None
    memory: "Memory"
    since_s: float


class Memory:
    """What is remembered of one robot's faces, as its last reader gave it."""

    def __init__(self):
        self.faces = b""
        self.frames = 0


class RayFirst:
    """Starts the bridge by `launch(address)`; until it is there, and while it is late, `workers` read.

    poller   where sockets and words are registered; attend() is given what is ready there
    say      say(level, text) for a person
    """

    def __init__(
        self, launch: Callable[[str], Process], workers: Backend, context: zmq.Context, poller: zmq.Poller, say
    ):
        self._launch = launch
        self._workers = workers
        self._context = context
        self._poller = poller
        self._say = say
        self._folder = tempfile.mkdtemp(prefix="nao-emotion-")  # for this user alone
        self._starts = 0
        self._bridge: Process | None = None
        self._socket: zmq.Socket | None = None
        self._is_ready = False
        self._told = ""  # why the cluster cannot be reached, as it was said last
        self._since_s = 0.0  # when the bridge was started or ended
        self._heard_s = 0.0  # when it answered last, or was first asked after a pause
        self._is_silent = False
        self._waiting: dict[str, Task] = {}
        self._asked: dict[str, Asked] = {}
        self._late: set[str] = set()  # robots that the workers read for until Ray has answered them
        self._lent: set[str] = set()  # robots that the workers know something of
        self._probed_s = 0.0
        self._memories: dict[str, Memory] = {}
        self._start(time.monotonic())

    # ---- what every backend does ---------------------------------------------------------------------

    @property
    def about(self) -> dict | None:
        return self._workers.about

    @property
    def failed(self) -> str:
        return self._workers.failed

    @property
    def reads(self) -> bool:
        """Whether it is Ray that reads, or this PC's workers."""
        return self._is_ready and not self._is_silent

    @property
    def by(self) -> str:
        return "ray" if self.reads else self._workers.by

    def put(self, task: Task) -> list[Done]:
        robot_id = task.robot_id
        if not self.reads or robot_id in self._late:
            if self._is_silent and not self._asked and task.came_s - self._probed_s > PROBE_S:
                self._probed_s = task.came_s
                self._send(task, Memory())
                self._asked[robot_id] = Asked(None, Memory(), task.came_s)
            return self._lend(task)
        if robot_id in self._lent:
            self._lent.discard(robot_id)
            self._workers.forget(robot_id)
        self._waiting[robot_id] = task
        self._ask(robot_id, task.came_s)
        return []

    def attend(self, ready: dict, now_s: float) -> list[Done]:
        done = self._workers.attend(ready, now_s)
        if self._socket in ready:
            done += self._take(now_s)
        if self._bridge and self._bridge.fileno() in ready:
            done += self._hear(now_s)
        return done + self._look_for_late(now_s)

    def wait_s(self, now_s: float) -> float:
        return LOOK_S if any(asked.task for asked in self._asked.values()) else IDLE_S

    def look_round(self, now_s: float) -> None:
        self._workers.look_round(now_s)
        if self._bridge is None and now_s - self._since_s > RETRY_S:
            self._start(now_s)
        elif self._is_silent and now_s - self._heard_s > HUNG_S:
            self._bridge.kill()

    def refresh(self, robot_id: str) -> None:
        self._workers.refresh(robot_id)
        self._waiting.pop(robot_id, None)
        self._memories.pop(robot_id, None)  # an answer that is under way brings its memory to nobody

    def forget(self, robot_id: str) -> None:
        self._workers.forget(robot_id)
        self._waiting.pop(robot_id, None)
        self._memories.pop(robot_id, None)
        self._lent.discard(robot_id)

    def close(self) -> None:
        """End the bridge, and the cluster if it is its own, while the workers end."""
        if self._bridge:
            self._bridge.stop()
        self._workers.close()
        if self._bridge and not self._bridge.ended(END_S):
            self._bridge.kill()
            self._bridge.ended(END_S)
        if self._socket:
            self._socket.close(linger=0)
        shutil.rmtree(self._folder, ignore_errors=True)

    # ---- frames --------------------------------------------------------------------------------------

    def _ask(self, robot_id: str, now_s: float) -> None:
        """Send the robot's newest frame, if none of its is there."""
        if robot_id in self._asked or robot_id not in self._waiting:
            return
        task = self._waiting.pop(robot_id)
        memory = self._memories.setdefault(robot_id, Memory())
        if not self._asked:
            self._heard_s = now_s
        self._asked[robot_id] = Asked(task, memory, now_s)
        self._send(task, memory)

    def _send(self, task: Task, memory: Memory) -> None:
        head = [task.robot_id.encode(), repr(task.came_s).encode(), memory.faces]
        with contextlib.suppress(zmq.Again):  # the bridge hangs: the frame will be late
            self._socket.send_multipart([*head, *task.parts], zmq.DONTWAIT, copy=False)

    def _lend(self, task: Task) -> list[Done]:
        """Have the workers read it; they begin anew with this robot, and so will Ray."""
        self._memories.pop(task.robot_id, None)
        self._lent.add(task.robot_id)
        return self._workers.put(task)

    def _take(self, now_s: float) -> list[Done]:
        """All that the bridge has answered."""
        done = []
        while self._socket.poll(0):
            robot_id, outcome, *answer = self._socket.recv_multipart()
            robot_id = robot_id.decode()
            task, memory, _ = self._asked.pop(robot_id)
            self._late.discard(robot_id)
            if outcome == LOST:
                self._is_gone("Ray could read a frame at none of its replicas")
                done += self._lend(self._waiting.pop(robot_id, task)) if task else []
                continue
            self._answers_again(now_s)
            if task and outcome == BUSY:
                done.append(refused(task, "not_ready", "the PC has more to read than it can; try again soon."))
            elif task:
                done.append(self._done(task, memory, answer, now_s))
            self._ask(robot_id, now_s)
        return done

    def _done(self, task: Task, memory: Memory, answer: list[bytes], now_s: float) -> Done:
        memory.faces, *parts = answer
        reading = decode_reading(parts)
        nth = memory.frames
        memory.frames += reading.error is None or reading.error[0] == "internal"
        spent_ms = sum(reading.timings_ms.values())
        reading.timings_ms["wait"] = max((now_s - task.came_s) * 1e3 - spent_ms, 0.0)
        return Done(task, reading, [], nth)

    def _look_for_late(self, now_s: float) -> list[Done]:
        """Have the workers read what Ray has not answered in time."""
        done = []
        for robot_id, asked in list(self._asked.items()):
            if asked.task and now_s - asked.since_s > LATE_S:
                done += self._leave(robot_id)
        if self._asked and now_s - self._heard_s > SILENT_S:
            self._is_gone(f"Ray has not answered for {SILENT_S:g} s")
        return done

    def _leave(self, robot_id: str) -> list[Done]:
        """The workers read for this robot, its newest frame first; what Ray answers is too late."""
        asked = self._asked[robot_id]
        self._asked[robot_id] = asked._replace(task=None)
        self._late.add(robot_id)
        return self._lend(self._waiting.pop(robot_id, asked.task)) if asked.task else []

    def _is_gone(self, why: str) -> None:
        if not self._is_silent:
            self._is_silent = True
            self._say("error", f"{why}: this PC's own workers read until it is back.")

    def _answers_again(self, now_s: float) -> None:
        self._heard_s = now_s
        if self._is_silent:
            self._is_silent = False
            self._say("info", "Ray answers again.")

    # ---- the bridge ----------------------------------------------------------------------------------

    def _start(self, now_s: float) -> None:
        self._starts += 1
        address = f"ipc://{Path(self._folder) / str(self._starts)}"
        self._bridge, self._since_s = self._launch(address), now_s
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.connect(address)
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._bridge.fileno(), zmq.POLLIN)

    def _hear(self, now_s: float) -> list[Done]:
        word = self._bridge.word()
        if not word:
            return self._ended(now_s)
        about = json.loads(word)
        if "failed" in about:
            if about["failed"] != self._told:
                self._told = about["failed"]
                self._say("warning", f"Ray: {self._told} This PC's own workers read until it is there.")
            return []
        self._is_ready, self._told = True, ""
        self._say("info", f"Ray reads from now on: {about['model']} by {about['runtime']}.")
        return []

    def _ended(self, now_s: float) -> list[Done]:
        """The bridge is no more: the workers read what was there, and all that comes."""
        self._poller.unregister(self._bridge.fileno())
        self._poller.unregister(self._socket)
        self._socket.close(linger=0)
        how = self._bridge.ended(END_S)
        if self._is_ready:
            self._say("error", f"the line to Ray has ended {how}: this PC's own workers read until it is back.")
        self._bridge = self._socket = None
        self._is_ready = self._is_silent = False
        self._since_s = now_s
        done = [done for robot_id in list(self._asked) for done in self._leave(robot_id)]
        self._asked.clear()
        self._late.clear()
        return done
