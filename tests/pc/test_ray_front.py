"""Frames go to Ray while it answers in time, and to the workers while it does not; tests/ray has the real one.

A test stands where Ray stands, at the far end of real ZeroMQ, and where the workers stand. Time is an argument.
"""

import importlib.util
import json
import os

import numpy as np
import pytest
import zmq
from click.testing import CliRunner
from line import frame
from test_reader import Boxes, bright_is_happy  # noqa: F401
from test_server import own_signals  # noqa: F401
from test_tracking import EMPTY, Person, Stage, watch

from config.contract import Reading, encode_frame, encode_reading
from inference_server.__main__ import main
from inference_server.backends import Done, Task
from inference_server.ray_front import BUSY, LATE_S, LOST, PROBE_S, READ, RETRY_S, SILENT_S, RayFirst
from inference_server.reader import Asked, Reader
from inference_server.tracking import Tracks


class Workers:
    """Notes what it is to read, and reads nothing."""

    about, failed = {"model": "net", "runtime": "workers"}, ""

    def __init__(self):
        self.read, self.forgotten = [], []

    def put(self, task):
        self.read.append((task.robot_id, task.frame.seq))
        return []

    def attend(self, ready, now_s):
        return []

    def look_round(self, now_s):
        pass

    def forget(self, robot_id):
        self.forgotten.append(robot_id)

    def refresh(self, robot_id):
        self.forgotten.append(robot_id)

    def close(self):
        pass


class Ray:
    """The bridge's process and what is behind it, as the test wants it."""

    def __init__(self, context, address):
        self._hears, self._says = os.pipe()
        self.socket = context.socket(zmq.DEALER)
        self.socket.bind(address)

    def say(self, **words):
        os.write(self._says, json.dumps(words).encode())

    def die(self):
        os.close(self._says)

    def frame(self):
        """(robot, seq, memory) of the next frame."""
        assert self.socket.poll(20_000), "no frame came"
        robot_id, _came_s, memory, _version, header, _image = self.socket.recv_multipart()
        return robot_id.decode(), json.loads(header)["seq"], memory

    def answer(self, robot_id, seq, memory=b""):
        reading = Reading(seq, 0.0, [], [], {"detect": 2.0}, "net", None)
        self.socket.send_multipart([robot_id.encode(), READ, memory, *encode_reading(reading)])

    def fileno(self):
        return self._hears

    def word(self):
        return os.read(self._hears, 65536)

    def stop(self):
        self.die()

    def ended(self, within_s):
        os.close(self._hears)
        self.socket.close(linger=0)
        return "by itself"


class Door:
    """A RayFirst with all that one may want to look at."""

    def __init__(self):
        self.context, self.poller = zmq.Context(), zmq.Poller()
        self.rays, self.said, self.workers = [], [], Workers()
        self.front = RayFirst(
            self.launch, self.workers, self.context, self.poller, lambda level, text: self.said.append(text)
        )

    def launch(self, address):
        self.rays.append(Ray(self.context, address))
        return self.rays[-1]

    @property
    def ray(self):
        return self.rays[-1]

    def up(self, now_s=0.0):
        self.ray.say(model="net", runtime="Ray")
        self.turn(now_s)
        return self

    def put(self, seq, now_s, robot_id="nao-1"):
        parts = [zmq.Frame(part) for part in encode_frame(frame(seq))]
        return self.front.put(Task(robot_id, frame(seq), parts, now_s))

    def turn(self, now_s, comes=True):
        """What has come by now; waits for something where it `comes`."""
        return self.front.attend(dict(self.poller.poll(20_000 if comes else 0)), now_s)

    def close(self):
        self.front.close()
        self.context.destroy(linger=0)


@pytest.fixture
def door():
    door = Door()
    yield door
    door.close()


def test_the_workers_read_until_ray_is_there_and_then_begin_anew_with_a_robot(door):
    door.put(1, 0.0)
    door.up(0.1).put(2, 0.2)
    assert door.ray.frame() == ("nao-1", 2, b"")
    assert door.workers.read == [("nao-1", 1)]
    assert door.workers.forgotten == ["nao-1"]
    assert door.said == ["Ray reads from now on: net by Ray."]


def test_where_the_faces_were_travels_with_the_frames_and_each_counts_one(door):
    door.up().put(1, 0.0)
    door.ray.answer(*door.ray.frame()[:2], memory=b"there")
    (first,) = door.turn(0.1)
    assert isinstance(first, Done) and (first.reading.seq, first.nth) == (1, 0)
    assert first.reading.timings_ms == {"detect": 2.0, "wait": pytest.approx(98.0)}
    door.put(2, 0.2)
    assert door.ray.frame() == ("nao-1", 2, b"there")
    door.ray.answer("nao-1", 2)
    assert door.turn(0.3)[0].nth == 1


def test_a_robot_has_one_frame_at_ray_and_only_its_newest_waits(door):
    door.up()
    for seq in (1, 2, 3):
        door.put(seq, 0.0)
    door.put(9, 0.0, "nao-2")
    assert [door.ray.frame()[:2], door.ray.frame()[:2]] == [("nao-1", 1), ("nao-2", 9)]
    assert not door.ray.socket.poll(0)
    door.ray.answer("nao-1", 1)
    door.turn(0.1)
    assert door.ray.frame()[:2] == ("nao-1", 3)


def test_a_late_frame_is_read_by_the_workers_and_the_robot_returns_when_ray_has_answered(door):
    door.up().put(1, 0.0)
    door.put(2, 0.0, "nao-2")
    assert door.front.wait_s(0.0) < LATE_S
    door.ray.frame(), door.ray.frame()
    door.ray.answer("nao-2", 2)
    door.turn(0.1)
    door.turn(LATE_S + 0.1, comes=False)
    door.put(3, LATE_S + 0.2)
    assert door.workers.read == [("nao-1", 1), ("nao-1", 3)]
    door.ray.answer("nao-1", 1)
    assert door.turn(0.5) == []  # the workers have answered it
    door.put(4, 0.6)
    assert door.ray.frame() == ("nao-1", 4, b"")
    assert door.workers.forgotten == ["nao-1"]
    assert len(door.said) == 1  # that it reads; one robot's late frame is nothing to tell


def test_a_ray_that_answers_nobody_is_told_and_asked_now_and_then_beside_the_workers(door):
    door.up().put(1, 0.0)
    door.ray.frame()
    door.turn(SILENT_S + 0.1, comes=False)
    assert "Ray has not answered for 1 s: this PC's own workers read" in door.said[-1]
    door.put(7, SILENT_S + 0.2, "nao-2")
    assert door.workers.read == [("nao-1", 1), ("nao-2", 7)]
    door.ray.socket.send_multipart([b"nao-1", LOST])
    door.turn(2.0)
    door.put(8, 3.0)
    door.put(9, 3.0 + PROBE_S / 2)
    assert door.ray.frame()[:2] == ("nao-1", 8)
    assert door.workers.read[2:] == [("nao-1", 8), ("nao-1", 9)]
    door.ray.answer("nao-1", 8)
    assert door.turn(4.0) == []
    assert door.said[-1] == "Ray answers again."
    door.put(10, 4.1)
    assert door.ray.frame()[:2] == ("nao-1", 10)


def test_a_frame_that_no_replica_could_read_is_read_by_the_workers_at_once(door):
    door.up().put(1, 0.0)
    door.put(2, 0.0)
    door.ray.frame()
    door.ray.socket.send_multipart([b"nao-1", LOST])
    door.turn(0.1)
    assert door.workers.read == [("nao-1", 2)]
    assert "Ray could read a frame at none of its replicas" in door.said[-1]


def test_a_ray_that_has_too_much_to_read_makes_the_robot_wait(door):
    door.up().put(1, 0.0)
    door.ray.frame()
    door.ray.socket.send_multipart([b"nao-1", BUSY])
    (done,) = door.turn(0.1)
    assert done.reading.error == ("not_ready", "the PC has more to read than it can; try again soon.")
    assert door.workers.read == []


def test_when_the_bridge_ends_the_workers_read_what_it_had_and_another_is_started(door):
    door.up().put(1, 0.0)
    door.put(2, 0.0, "nao-2")
    door.ray.die()
    door.turn(0.1)
    assert door.workers.read == [("nao-1", 1), ("nao-2", 2)]
    assert "the line to Ray has ended by itself: this PC's own workers read" in door.said[-1]
    door.front.look_round(0.2)
    assert len(door.rays) == 1
    door.front.look_round(0.2 + RETRY_S)
    assert len(door.rays) == 2
    door.up(9.0).put(3, 9.1)
    assert door.ray.frame()[:2] == ("nao-1", 3)


def test_why_the_cluster_cannot_be_reached_is_told_once(door):
    for turn in range(2):
        door.ray.say(failed="nobody is there.")
        door.turn(10.0 * turn)
        door.ray.die()
        door.turn(10.0 * turn + 1)
        door.front.look_round(10.0 * turn + 9)
    assert door.said == ["Ray: nobody is there. This PC's own workers read until it is there."]


def test_what_is_to_be_forgotten_does_not_come_back_with_an_answer_that_is_under_way(door):
    door.up().put(1, 0.0)
    door.ray.frame()
    door.front.refresh("nao-1")
    door.ray.answer("nao-1", 1, memory=b"there")
    door.turn(0.1)
    door.put(2, 0.2)
    assert door.ray.frame() == ("nao-1", 2, b"")


@pytest.mark.parametrize("words", [("serve",), ("replay", __file__, __file__, "--out", "nowhere")])
def test_without_ray_its_backend_is_a_sentence(words, monkeypatch, own_signals):  # noqa: F811
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = CliRunner().invoke(main, [*words, "--backend", "ray"])
    assert result.exit_code == 2
    assert "needs Ray, which is not installed: pip install -e '.[ray]'" in " ".join(result.output.split())


# ---- what travels ------------------------------------------------------------------------------------


def test_tracks_that_are_reminded_go_on_as_if_they_were_the_same():
    people = Person(100, 60), Person(300, -20, 120, ((0.0, 1.0), (1.4, 9.0))), Person(500, seen_s=((0.7, 9.0),))
    whole, memory, moved = watch(Stage(*people), 3), None, []
    stage = Stage(*people)
    for at_s, _ in whole:
        tracks = Tracks()
        if memory:
            tracks.remind(json.loads(memory))
        stage.t_s = at_s
        moved.append((at_s, tracks.follow(stage, EMPTY, at_s)))
        memory = json.dumps(tracks.remembered())
    assert moved == whole


def test_frames_read_together_are_read_as_one_by_one(bright_is_happy):  # noqa: F811
    levels = np.random.default_rng(3).integers(0, 255, (6, 48, 64), np.uint8)
    frames = [frame(seq, level.tobytes()) for seq, level in enumerate(levels)]
    stays = Reader(Boxes([5, 5, 30, 30], [30, 8, 20, 20]), bright_is_happy)
    alone = [
        stays.read(one, f"nao-{i % 3}", i // 3 / 10)._replace(timings_ms={}) for i, one in enumerate(frames)
    ]
    moves = Reader(Boxes([5, 5, 30, 30], [30, 8, 20, 20]), bright_is_happy)
    together, memories = [], [b""] * 3
    for turn in (0, 1):
        asked = [Asked(frames[3 * turn + i], f"nao-{i}", turn / 10, memories[i]) for i in range(3)]
        read = moves.read_many(asked)
        together += [reading._replace(timings_ms={}) for reading, _ in read]
        memories = [memory for _, memory in read]
    assert together == alone


def test_a_broken_picture_among_others_is_refused_alone_and_what_was_remembered_stays(bright_is_happy):  # noqa: F811
    reader = Reader(Boxes([5, 5, 30, 30]), bright_is_happy)
    ((_, memory),) = reader.read_many([Asked(frame(1), "nao-1", 0.0, b"")])
    broken = Asked(frame(2, b"xyz", encoding="jpeg"), "nao-1", 0.1, memory)
    (refused, kept), (read, _) = reader.read_many([broken, Asked(frame(3), "nao-2", 0.1, b"")])
    assert (refused.seq, refused.error[0], kept) == (2, "bad_image", memory)
    assert read.seq == 3 and len(read.faces) == 1
