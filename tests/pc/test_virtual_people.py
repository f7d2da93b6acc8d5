"""NAOqi's own opinion of a face, all the way from the virtual NAO to the recording."""

import io
import time

import pytest
from test_recorder import answered, recorded

from behaviors.library import Library
from behaviors.mood import Mood
from config import settings
from inference_server import session
from inference_server.events import Answered, Events
from inference_server.recorder import Recorder
from robot_app.about import Portrait
from robot_app.opinion import Opinion
from robot_app.robots import Robot
from robot_app.tell import Teller
from robot_app.undo import Undo
from robot_app.virtual.nao import VirtualNAO
from robot_app.virtual.session import InProcessSession

SHARES = [0.125, 0.75, 0.125, 0.0, 0.0]
WAIT_S = 20


@pytest.fixture
def nao():
    nao = VirtualNAO()
    yield nao
    nao.close()


def test_what_naoqi_reads_in_faces_is_recorded_beside_ours_and_the_robot_is_left_as_it_was(nao, tmp_path):
    robot = Robot(lambda ended: InProcessSession(nao), "a virtual NAO")
    robot.connect()
    undo = Undo(robot, Teller(io.StringIO()))
    portrait = Portrait(robot, Library([]), Mood(settings.load().mood.model_dump()), Opinion(robot))
    portrait.prepare(undo)
    nao.call("VirtualNAO", "see", ["person", [7, *SHARES], [9, *SHARES[::-1]]])
    about, until_s = None, time.monotonic() + WAIT_S
    while about is None or about.naoqi is None:
        assert time.monotonic() < until_s
        about = portrait.look(time.monotonic()) or about
    assert about.naoqi == [(7, SHARES), (9, SHARES[::-1])]
    undo.run()
    assert not nao["ALPeoplePerception"].active
    events = Events()
    with Recorder(events, tmp_path, {}) as recorder:
        path = recorded(recorder, events, answered(1, about=about))
    (kept,) = [event for event in session.events(path) if isinstance(event, Answered)]
    assert kept.frame.about.naoqi == about.naoqi
    lines = session.Telling(False, 0, 0.0).messages(kept)
    (line,) = [line for line in lines if line.topic == "/nao-1/naoqi"]
    names = ("neutral", "happy", "surprised", "angry", "sad")
    assert line.body["people"][0] == {"id": 7} | dict(zip(names, SHARES, strict=True))
