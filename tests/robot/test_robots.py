# -*- coding: utf-8 -*-
"""The way to NAOqi: every call is bounded, and whatever goes wrong is one sentence."""

from __future__ import division, print_function

import socket

import pytest
from stand_in import Future, Naoqi

from robot_app import robots
from robot_app.robots import Robot, RobotError, RobotLost, sentence_of


class Nothing(object):
    """No service is there."""

    def __call__(self, name):
        raise RuntimeError("Service not found: " + name)


@pytest.fixture
def naoqi():
    return Naoqi()


@pytest.fixture
def robot(naoqi):
    robot = Robot(naoqi.opened, "the stand-in")
    robot.connect()
    return robot


def test_a_call_gives_what_naoqi_gives(robot):
    assert robot.call("ALRobotPosture", "getPosture") == "Stand"


def test_several_calls_are_asked_together_and_answered_in_their_order(robot, naoqi):
    asked = [("ALTextToSpeech", "getLanguage"), ("ALMemory", "getData", "footContact")]
    assert robot.call_all(asked) == ["English", 1.0]
    naoqi.broken["ALTextToSpeech.getLanguage"] = "mute"
    with pytest.raises(RobotError) as refused:
        robot.call_all(asked)
    assert str(refused.value) == "ALTextToSpeech.getLanguage: mute."


def test_a_refusal_names_the_call_and_gives_its_sentence_of(robot, naoqi):
    naoqi.broken["ALMotion.wakeUp"] = "ALMotion::wakeUp\n\tmotors hot\n\nAt:\n  somewhere.py(12)"
    with pytest.raises(RobotError) as refused:
        robot.call("ALMotion", "wakeUp")
    assert str(refused.value) == "ALMotion::wakeUp: motors hot."
    assert not isinstance(refused.value, RobotLost)


def test_an_unknown_method_is_a_refusal(robot):
    with pytest.raises(RobotError) as refused:
        robot.call("ALMotion", "fly")
    assert "ALMotion.fly" in str(refused.value)


def test_releases_differ_and_can_be_asked(robot):
    assert robot.offers("ALBasicAwareness", "setEnabled")
    assert not robot.offers("ALBasicAwareness", "stopAwareness")
    assert not robot.offers("ALTabletService", "showImage")


def test_a_dead_session_is_a_lost_robot(robot, naoqi):
    naoqi.connected = False
    with pytest.raises(RobotLost):
        robot.call("ALMotion", "robotIsWakeUp")
    with pytest.raises(RobotLost):
        robot.offers("ALMotion", "robotIsWakeUp")


def test_a_call_without_an_answer_is_a_lost_robot(robot, naoqi):
    naoqi.ALMotion_robotIsWakeUp = Future
    with pytest.raises(RobotLost) as lost:
        robot.call("ALMotion", "robotIsWakeUp")
    assert "has not answered" in str(lost.value)
    assert not naoqi.connected


def test_after_a_new_connection_every_service_is_fetched_anew():
    sessions = [Naoqi(), Naoqi(posture="Sit")]
    robot = Robot(lambda ended: sessions.pop(0), "the stand-in")
    robot.connect()
    assert robot.call("ALRobotPosture", "getPosture") == "Stand"
    robot.connect()
    assert robot.call("ALRobotPosture", "getPosture") == "Sit"


def test_a_naoqi_that_is_back_is_used_once_the_services_that_were_there_have_begun(naoqi, robot, monkeypatch):
    robot.call("ALMotion", "robotIsWakeUp")
    slept, service = [], naoqi.service

    def begun_after_three_slices(name):
        if name == "ALMotion" and len(slept) < 3:
            raise RuntimeError("Service not found: " + name)
        return service(name)

    naoqi.service = begun_after_three_slices
    monkeypatch.setattr(robots.time, "sleep", slept.append)
    robot.connect()
    assert len(slept) == 3 and robot.call("ALMotion", "robotIsWakeUp") is True


def test_one_that_never_begins_is_not_waited_for_without_end(naoqi, robot, monkeypatch):
    robot.call("ALMotion", "robotIsWakeUp")
    naoqi.service = Nothing()
    slept = []
    monkeypatch.setattr(robots.time, "sleep", slept.append)
    robot.connect()
    assert sum(slept) == pytest.approx(robots.BACK_S)
    robot.connect(ended=lambda: True)
    assert sum(slept) == pytest.approx(robots.BACK_S)


@pytest.mark.parametrize(
    "error, line",
    [
        ("ALMotion::wakeUp\n\tmotors hot.", "ALMotion::wakeUp: motors hot."),
        ("Connect error: 111", "Connect error: 111."),
        ("RuntimeError: no.\n\nAt:\n  x.py(1): f", "RuntimeError: no."),
        ("", "no reason was given."),
    ],
)
def test_an_error_of_naoqi_becomes_one_sentence(error, line):
    assert sentence_of(error) == line


def test_no_robot_at_an_address_is_a_sentence(monkeypatch):
    pytest.importorskip("qi")
    monkeypatch.setenv("QI_LOG_LEVEL", "2")  # over_network would set it, for all tests after this one
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    with pytest.raises(RobotError) as refused:
        robots.over_network("tcp://127.0.0.1:%d" % port).connect()
    assert "no robot answers at tcp://127.0.0.1:%d" % port in str(refused.value)
