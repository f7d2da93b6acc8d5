# -*- coding: utf-8 -*-
"""The whole loop on a stand-in robot and a real ZeroMQ line: from a picture to a reaction and the operator."""

from __future__ import division, print_function

import io
import threading

import pytest
import zmq
from stand_in import Naoqi

from behaviors.keyframes import Behavior
from behaviors.library import Library
from behaviors.mood import Mood
from config import contract
from config.contract import EMOTIONS, Face, Order, Reading
from robot_app import jpeg
from robot_app.about import Portrait
from robot_app.camera import Camera
from robot_app.clock import now_s
from robot_app.director import Director
from robot_app.interact import interact
from robot_app.limbs import Limbs
from robot_app.link import Link
from robot_app.music import Silence
from robot_app.notes import Notes
from robot_app.orders import Orders
from robot_app.player import Player
from robot_app.robots import Robot
from robot_app.safety import Safety
from robot_app.tell import Teller
from robot_app.undo import Undo

PATIENCE_S = 20.0
ROBOT = {
    "name": "nao", "camera": "top", "resolution": "vga", "fps": 30, "jpeg_quality": 80, "in_flight": 1,
    "max_age_s": 5.0, "silence_s": 0.3, "language": "English", "volume": None,
    "life": "keep", "when_silent": "finish",
}  # fmt: skip
MOOD = {"smooth_s": 0.0, "enter": 0.5, "leave": 0.35, "dwell_s": 0.0, "absent_s": 0.1}
REACTIONS = {
    "cool_down_s": 60.0, "between_s": 0.0, "ignore": [],
    "policy": "mirror", "override": {}, "full_at": 0.8, "builtin": False, "seed": 0,
}  # fmt: skip


def behavior(name, emotion):
    return Behavior(
        name=name, emotion=emotion, duration_s=0.1, joints={"HeadYaw": ([0.1], [0.0])}, eyes=[], say=[], sees=""
    )


class Filming(Naoqi):
    """Every look finds a new picture."""

    number = 0

    def ALVideoDevice_getImageRemote(self, handle):
        self.number += 1
        self.see(self.number % 256)
        return self.image[:4] + (self.number,) + self.image[5:]

    def ALMotion_angleInterpolation(self, *arguments):
        future = Naoqi.ALMotion_angleInterpolation(self, *arguments)
        return future.end()


class Pc(threading.Thread):
    """Answers every frame with what `answer(frame)` gives: (emotion or None, orders); None answers nothing."""

    def __init__(self, answer):
        threading.Thread.__init__(self)
        self.daemon = True
        self.frames = []
        self._answer = answer
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self.port = self._socket.bind_to_random_port("tcp://127.0.0.1")
        self._over = threading.Event()

    def run(self):
        while not self._over.is_set():
            if not self._socket.poll(20):
                continue
            parts = self._socket.recv_multipart()
            frame = contract.decode_frame(parts[1:])
            self.frames.append(frame)
            answer = self._answer(frame)
            if answer is not None:
                self._socket.send_multipart(parts[:1] + contract.encode_reading(reading(frame, *answer)))

    def end(self):
        self._over.set()
        self.join(PATIENCE_S)
        self._context.destroy(linger=0)


def reading(frame, emotion, orders):
    faces = []
    if emotion is not None:
        scores = [1.0 if name == emotion else 0.0 for name in EMOTIONS]
        faces = [Face(1, [0.0, 0.0, 90.0, 90.0], 0.9, scores)]
    return Reading(frame.seq, frame.taken_s, faces, orders, {}, "xrs", None)


class Play(object):
    """Everything that `interact` joins, with a PC that answers as told."""

    def __init__(self, answer):
        self.pc = Pc(answer)
        self.naoqi = Filming()
        self.said = io.StringIO() if str is not bytes else io.BytesIO()
        self.tell = Teller(self.said)
        self.notes = Notes()
        robot = Robot(lambda ended: self.naoqi, "the stand-in")
        robot.connect()
        undo = Undo(robot, self.tell)
        self.safety = Safety(robot, self.tell)
        self.player = Player(robot, ROBOT, undo, self.tell)
        self.camera = Camera(robot, ROBOT, jpeg.raw, undo, self.tell)
        self.link = Link("tcp://127.0.0.1:%d" % self.pc.port, ROBOT, self.tell, self.notes)
        library = Library([behavior("sigh", "sad"), behavior("cheer", "happy")])
        self.director = Director(library, REACTIONS)
        self.mood = Mood(MOOD)
        self.orders = Orders(self.director, self.mood, self.player, self.safety, self.tell)
        self.portrait = Portrait(robot, library, self.mood)
        self.limbs = Limbs(robot)
        self.player.prepare(lambda: False)
        self.camera.open()
        self.pc.start()

    def until(self, enough):
        """Interact until `enough()`."""
        until_s = now_s() + PATIENCE_S
        interact(
            self.camera, self.link, self.mood, self.director, self.player, self.safety, Silence(), self.notes,
            self.orders, self.portrait, self.limbs, now_s, lambda: enough() or now_s() > until_s,
        )  # fmt: skip
        assert enough(), "it did not come within %g s: %s" % (PATIENCE_S, self.said.getvalue())

    def close(self):
        self.pc.end()
        self.link.close()


@pytest.fixture
def play():
    """A function that makes the Play; it is closed at the end."""
    made = []

    def make(answer):
        made.append(Play(answer))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_face_in_the_picture_moves_the_robot(play):
    play = play(lambda frame: ("sad", []))
    play.until(lambda: play.notes.reactions)
    assert [r["behavior"] for r in play.notes.reactions] == ["sigh"]
    assert len(play.naoqi.of("ALMotion", "angleInterpolation")) == 1


def test_what_the_robot_does_and_feels_rides_in_the_next_frame(play):
    play = play(lambda frame: ("sad", []))
    play.until(lambda: any(frame.mood == "sad" for frame in play.pc.frames))
    assert play.pc.frames[0].doing is None and play.pc.frames[0].mood is None
    play.until(lambda: any(frame.answer_age_s is not None for frame in play.pc.frames))


def test_nobody_in_the_picture_moves_nothing(play):
    play = play(lambda frame: (None, []))
    play.until(lambda: play.notes.readings > 5)
    assert play.naoqi.of("ALMotion", "angleInterpolation") == []


def test_when_the_pc_falls_silent_the_robot_feels_nobody(play):
    play = play(lambda frame: ("sad", []) if frame.seq < 4 else None)

    def felt_sad_and_then_nobody():
        moods = [frame.mood for frame in play.pc.frames]
        return "sad" in moods and moods[-1] is None

    play.until(felt_sad_and_then_nobody)
    assert "no answer" in play.said.getvalue()


def test_the_operator_plays_a_behaviour_that_no_face_caused(play):
    play = play(lambda frame: (None, [Order("play", 1, "cheer")] if frame.seq == 1 else []))
    play.until(lambda: play.naoqi.of("ALMotion", "angleInterpolation"))
    assert play.notes.reactions == []


def test_after_the_operators_pause_a_mood_is_not_answered(play):
    play = play(lambda frame: ("sad" if frame.seq > 1 else None, [Order("pause", 1)] if frame.seq == 1 else []))
    play.until(lambda: play.notes.readings > 8)
    assert play.director.mode == "paused" and play.notes.reactions == []


def test_an_unknown_behaviour_from_the_operator_is_a_sentence(play):
    play = play(lambda frame: (None, [Order("play", 1, "dance")]))
    play.until(lambda: play.notes.readings > 3)
    assert play.said.getvalue().count("dance") == 1
