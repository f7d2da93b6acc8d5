"""Ray reads as the workers do, and no robot notices much when parts of it die. `make test-ray` runs it.

Lost time is judged against the same load a moment before, so that a slow machine is not taken for a fault.
"""

import time
from functools import partial

import pytest
import zmq

from config import settings
from config.contract import encode_frame
from inference_server import ray_front
from inference_server.backends import Task
from inference_server.ray_front import Bridge, RayFirst
from inference_server.workers import Process, Workers
from robot_app.clock import now_s
from tests.bench import clips
from tests.ray.stage import PATIENCE_S, Fleet, Head, end, front_door, replicas, wait_until
from tests.whole.programs import Program, free_port

pytestmark = pytest.mark.timeout(900)
ROBOTS, FRAMES = 6, 20
LOAD = 3  # robots, at 15 pictures a second
LOST_S = 1.0  # of fresh answers, at most


@pytest.fixture(scope="module")
def head():
    head = Head()
    yield head
    head.kill()


class Line:
    """A backend without a server before it: a test hands it tasks, and takes what it makes of them."""

    def __init__(self, open_backend):
        self.context, self.poller = zmq.Context(), zmq.Poller()
        self.said = []
        self.backend = open_backend(self.context, self.poller, lambda level, text: self.said.append(text))

    def turn(self):
        ready = dict(self.poller.poll(50))
        return self.backend.attend(ready, time.monotonic())

    def read(self, tasks):
        """What becomes of these tasks of different robots, in their order."""
        done = {one.task.robot_id: one for task in tasks for one in self.backend.put(task)}
        until_s = time.monotonic() + PATIENCE_S
        while len(done) < len(tasks):
            assert time.monotonic() < until_s, f"{len(done)} of {len(tasks)} were answered"
            done |= {one.task.robot_id: one for one in self.turn()}
        return [(done[task.robot_id].nth, done[task.robot_id].reading) for task in tasks]

    def close(self):
        self.backend.close()
        self.context.destroy(linger=0)


@pytest.fixture(scope="module")
def turns():
    """Frames of several robots, each with the time at which it came."""
    shown, began_s = clips.find(), time.monotonic()

    def task(robot, turn):
        frame = shown[robot % len(shown)].frame(40 * robot + turn)
        parts = [zmq.Frame(part) for part in encode_frame(frame)]
        return Task(f"nao-{robot + 1}", frame, parts, began_s + turn / clips.FPS + robot / 1000)

    return [[task(robot, turn) for robot in range(ROBOTS)] for turn in range(FRAMES)]


@pytest.fixture(scope="module")
def by_workers(turns):
    launch = partial(Process, settings.load().reader)
    line = Line(lambda *ends: Workers(launch, 1, *ends))
    wait_until(lambda: line.turn() == [] and line.backend.about, "the worker did not start")
    read = [line.read(tasks) for tasks in turns]
    line.close()
    assert any(reading.faces for answers in read for _, reading in answers)
    return read


class Nobody:
    """Stands where the workers stand: Ray is to read it all."""

    about, failed = None, ""

    def attend(self, ready, at_s):
        return []

    def close(self):
        pass


@pytest.mark.parametrize("count", [1, 2, 4])
def test_what_ray_reads_is_to_the_last_digit_what_the_workers_read(head, turns, by_workers, count, monkeypatch):
    for patience in ("LATE_S", "SILENT_S"):
        monkeypatch.setattr(ray_front, patience, PATIENCE_S)
    chosen = settings.load()
    ray = chosen.ray.model_copy(update={"address": head.address, "app": f"same-{count}", "replicas": count})
    line = Line(partial(RayFirst, partial(Bridge, chosen.reader, ray), Nobody()))
    wait_until(lambda: line.turn() == [] and line.backend.reads, f"Ray did not come up: {line.said}")
    assert len(replicas(ray.app)) == count
    read = [line.read(tasks) for tasks in turns]
    line.close()
    alike = lambda answers: [(nth, reading._replace(timings_ms={})) for nth, reading in answers]  # noqa: E731
    assert [alike(answers) for answers in read] == [alike(answers) for answers in by_workers]


def test_a_killed_replica_costs_no_robot_a_second_of_fresh_answers_and_is_replaced(head):
    fleet = Fleet(LOAD)
    with front_door(head.address, "killed", 2) as door, fleet.at(door.server.address):
        fleet.answered(30, now_s())
        quiet_s = now_s()
        fleet.answered(60, quiet_s)
        wait_until(lambda: len(replicas("killed")) == 2, "two replicas were not there")
        killed_s = now_s()
        first = replicas("killed")[0]
        end(first)
        fleet.answered(60, killed_s)
        before, after = fleet.longest_gaps_s(quiet_s, killed_s), fleet.longest_gaps_s(killed_s, now_s())
        print(f"longest time without a fresh answer, s: before {told(before)}, replica killed {told(after)}")
        assert max(after) - max(before) < LOST_S
        others = lambda: [pid for pid in replicas("killed") if pid != first]  # noqa: E731
        wait_until(lambda: len(others()) == 2, "the killed replica was not replaced")


def test_when_the_head_is_killed_the_workers_read_and_say_so_and_ray_comes_back_with_the_next():
    head, fleet = Head(), Fleet(LOAD)
    with front_door(head.address, "headless", 2) as door, fleet.at(door.server.address):
        fleet.answered(30, now_s())
        quiet_s = now_s()
        fleet.answered(60, quiet_s)
        door.forget_what_was_said()
        killed_s = now_s()
        head.kill()
        door.wait_for("this PC's own workers read until it is back")
        fleet.answered(60, killed_s)
        before, after = fleet.longest_gaps_s(quiet_s, killed_s), fleet.longest_gaps_s(killed_s, now_s())
        print(f"longest time without a fresh answer, s: before {told(before)}, head killed {told(after)}")
        assert max(after) - max(before) < LOST_S
        door.forget_what_was_said()
        again = Head(port=head.port)
        try:
            door.wait_for("Ray reads from now on")
            fleet.answered(30, now_s())
        finally:
            again.kill()


def test_when_one_of_two_front_doors_is_killed_its_robots_are_at_the_other_within_two_seconds():
    addresses = [f"tcp://127.0.0.1:{free_port()}" for _ in range(2)]
    fleet = Fleet(LOAD)
    serve = [("inference_server", "serve", "--no-monitor", "--listen", address) for address in addresses]
    with Program(*serve[0]) as one, Program(*serve[1]) as other:
        for door in (one, other):
            door.wait_for_line("serving", PATIENCE_S)
        with fleet.at(",".join(addresses)):
            fleet.answered(30, now_s())
            killed_s = now_s()
            one.process.kill()
            fleet.answered(15, killed_s + 0.5)
            firsts = [
                min(at for at, age in r.notes.all if at > killed_s + 0.2) - killed_s for r in fleet.robots
            ]
        print(f"first answer of the other front door, s after the kill: {told(firsts)}")
        assert max(firsts) < 2.0
        other.end()


def told(seconds):
    return " ".join(f"{one:.2f}" for one in seconds)
