# -*- coding: utf-8 -*-
"""What was changed is put back: newest first, each step by itself, and by the next app where one was killed."""

from __future__ import division, print_function

import io
import json

import pytest
from stand_in import Naoqi

from robot_app.robots import Robot, RobotLost
from robot_app.tell import Teller
from robot_app.undo import KEY, Undo, call


class App(object):
    """An Undo on a stand-in that may outlive it."""

    def __init__(self, naoqi):
        self.naoqi = naoqi
        self.said = io.StringIO() if str is not bytes else io.BytesIO()
        self.robot = Robot(naoqi.opened, "the stand-in")
        self.robot.connect()
        self.undo = Undo(self.robot, Teller(self.said))

    def spoke(self):
        return [text for (text,) in self.naoqi.of("ALTextToSpeech", "say")]


@pytest.fixture
def app():
    return App(Naoqi())


def say(text):
    return call("ALTextToSpeech", "say", text)


def test_steps_back_are_done_newest_first_and_once(app):
    app.undo.note("a", say("1"), say("2"))
    app.undo.note("b", say("3"))
    app.undo.run()
    app.undo.run()
    assert app.spoke() == ["3", "1", "2"]


def test_the_first_note_under_a_name_counts(app):
    app.undo.note("a", say("first"))
    app.undo.note("a", say("second"))
    app.undo.run()
    assert app.spoke() == ["first"]


def test_what_did_not_exist_before_is_noted_by_its_newest(app):
    app.undo.replace("the camera", say("first"))
    app.undo.replace("the camera", say("second"))
    app.undo.run()
    assert app.spoke() == ["second"]


def test_one_step_can_be_done_before_the_others_and_is_forgotten(app):
    app.undo.note("a", say("1"))
    app.undo.note("b", say("2"))
    app.undo.settle("a")
    assert app.spoke() == ["1"] and not app.undo.holds("a")
    app.undo.run()
    assert app.spoke() == ["1", "2"]


def test_what_is_refused_before_the_others_is_tried_again_at_the_end(app):
    app.naoqi.broken["ALMotion.wakeUp"] = "ALMotion::wakeUp\n\tnot begun"
    for _ in range(2):
        app.undo.note("a", say("1"), call("ALMotion", "wakeUp"))
        app.undo.settle("a")
        assert not app.undo.holds("a")
    assert app.said.getvalue() == ""
    del app.naoqi.broken["ALMotion.wakeUp"]
    before = len(app.naoqi.of("ALMotion", "wakeUp"))
    app.undo.run()
    assert app.spoke() == ["1", "1"] and len(app.naoqi.of("ALMotion", "wakeUp")) == before + 1


def test_a_connection_that_is_lost_before_a_step_was_done_loses_no_note(app):
    app.undo.note("a", say("1"))
    app.naoqi.connected = False
    with pytest.raises(RobotLost):
        app.undo.settle("a")
    app.robot.connect()
    app.undo.run()
    assert app.spoke() == ["1"]


def test_a_step_that_fails_keeps_none_from_being_done(app):
    app.undo.note("a", say("1"))
    app.undo.note("b", call("ALMotion", "wakeUp"), say("2"))
    app.naoqi.broken["ALMotion.wakeUp"] = "ALMotion::wakeUp\n\thot"
    app.undo.run()
    assert (
        app.spoke() == ["2", "1"] and "b could not be put back: ALMotion::wakeUp: hot." in app.said.getvalue()
    )


def test_without_a_robot_what_is_left_is_named(app):
    for name in ("a", "b", "c"):
        app.undo.note(name, say(name))
    app.naoqi.connected = False
    app.undo.run()
    assert app.said.getvalue().startswith("robot_app: not put back: c, b, a; ")
    assert app.said.getvalue().count("\n") == 1


def test_joints_that_are_where_they_go_need_not_go(app):
    there = call("ALMotion", "angleInterpolation", ["HeadYaw"], [[0.01]], [[1.0]], True, wait_s=1.0)
    app.undo.note("head", there)
    app.undo.run()
    assert app.naoqi.motions == []


def test_the_robot_keeps_a_copy_as_long_as_something_is_to_be_put_back(app):
    app.undo.note("a", say("1"))
    assert json.loads(app.naoqi.memory[KEY]) == [["a", [["ALTextToSpeech", "say", ["1"], None]]]]
    app.undo.run()
    assert app.naoqi.memory[KEY] == ""


def test_what_a_killed_app_changed_is_put_back_by_the_next_one(app):
    app.undo.note("the language", call("ALTextToSpeech", "setLanguage", "French"))
    app.undo.note("the volume", call("ALTextToSpeech", "setVolume", 0.8))
    heir = App(app.naoqi)
    heir.undo.adopt()
    heir.undo.note("the volume", call("ALTextToSpeech", "setVolume", 0.1))
    heir.undo.note("the posture", call("ALMotion", "rest", wait_s=1.0))
    app.naoqi.language, app.naoqi.volume = "English", 0.1
    heir.undo.run()
    assert (app.naoqi.language, app.naoqi.volume, app.naoqi.awake) == ("French", 0.8, False)
    assert "ended without a word" in heir.said.getvalue()


@pytest.mark.parametrize("left", ["", "{", "7", '[["a", 3]]', '[["a", [["x"]]]]'])
def test_a_copy_that_makes_no_sense_is_passed_over(app, left):
    app.naoqi.memory[KEY] = left
    app.undo.adopt()
    app.undo.run()
    assert app.said.getvalue() == ""


def test_a_robot_without_such_a_memory_is_put_back_all_the_same(app):
    app.naoqi.broken["ALMemory.insertData"] = app.naoqi.broken["ALMemory.getData"] = "no memory"
    app.undo.adopt()
    app.undo.note("a", say("1"))
    app.undo.run()
    assert app.spoke() == ["1"]
