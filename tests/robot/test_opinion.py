# -*- coding: utf-8 -*-
"""What NAOqi itself reads in faces is asked without waiting, told once, never in the way, and undone."""

from __future__ import division, print_function

import pytest
from stand_in import Future

from behaviors.library import Library
from behaviors.mood import Mood
from config.contract import About
from robot_app.about import TOLD_S, Portrait
from robot_app.opinion import ASKED_S, LOST_S, NAME, PEOPLE, SHARES, TRY_AGAIN_S, Opinion
from robot_app.robots import RobotError, RobotLost
from robot_app.undo import call

MOOD = {"smooth_s": 0.4, "enter": 0.5, "leave": 0.35, "dwell_s": 0.5, "absent_s": 1.0}
HAPPY = [0.1, 0.7, 0.1, 0.05, 0.05]


class Robot(object):
    """It answers when the test says so."""

    def __init__(self, has_it=True):
        self.has_it, self.error = has_it, None
        self.called, self.asked = [], []

    def offers(self, service, method):
        assert (service, method) == ("ALFaceCharacteristics", "analyzeFaceCharacteristics")
        return self.has_it

    def call(self, *words):
        self.called.append(words)
        if self.error:
            raise self.error

    def start(self, *words):
        if self.error:
            raise self.error
        self.asked.append((words, Future()))
        return self.asked[-1][1]

    def answer(self, *results):
        """To the newest questions, in their order; gives what they were."""
        rows = self.asked[-len(results) :]
        for (_, future), result in zip(rows, results):
            future.end(result)
        return [words for words, _ in rows]


class Undo(object):
    def __init__(self):
        self.notes = []

    def note(self, what, *calls):
        self.notes.append((what, calls))


@pytest.fixture
def robot():
    return Robot()


@pytest.fixture
def opinion(robot):
    opinion = Opinion(robot)
    opinion.prepare(Undo())
    return opinion


def hear(opinion, robot, now_s, people=(7,), shares=(HAPPY,)):
    """One whole round; what comes of it."""
    opinion.look(now_s)
    assert robot.answer(list(people)) == [("ALMemory", "getData", PEOPLE)]
    assert opinion.look(now_s) is None
    asked = robot.answer(*[True] * len(people))
    assert asked == [("ALFaceCharacteristics", "analyzeFaceCharacteristics", each) for each in people]
    assert opinion.look(now_s) is None
    assert robot.answer(list(shares)) == [("ALMemory", "getListData", [SHARES % each for each in people])]
    return opinion.look(now_s)


def test_it_comes_once_for_everybody_who_is_there_and_is_asked_for_again_a_second_later(opinion, robot):
    assert hear(opinion, robot, 0.0, (7, 8), (HAPPY, HAPPY[::-1])) == [(7, HAPPY), (8, HAPPY[::-1])]
    count = len(robot.asked)
    assert opinion.look(ASKED_S / 2) is None and len(robot.asked) == count
    assert hear(opinion, robot, ASKED_S) == [(7, HAPPY)]


def test_naoqi_looks_for_people_from_the_beginning_and_no_more_at_the_end(robot):
    undo = Undo()
    Opinion(robot).prepare(undo)
    assert robot.called == [("ALPeoplePerception", "subscribe", NAME)]
    assert undo.notes == [("people", (call("ALPeoplePerception", "unsubscribe", NAME),))]


def test_a_robot_that_lacks_it_is_asked_nothing():
    robot, undo = Robot(has_it=False), Undo()
    opinion = Opinion(robot)
    opinion.prepare(undo)
    assert opinion.look(0.0) is None
    assert robot.called == robot.asked == undo.notes == []


def test_a_robot_that_will_not_look_for_people_is_asked_nothing_and_goes_on(robot):
    robot.error = RobotError("there is no such service.")
    opinion = Opinion(robot)
    opinion.prepare(Undo())
    assert opinion.look(0.0) is None and robot.asked == []
    robot.error = RobotLost("gone.")
    with pytest.raises(RobotLost):
        opinion.prepare(Undo())


@pytest.mark.parametrize("people", [[], None, 3, ["7"], [True], [-1]])
def test_where_nobody_is_there_nobody_is_analysed(opinion, robot, people):
    opinion.look(0.0)
    robot.answer(people)
    assert opinion.look(0.1) is None and len(robot.asked) == 1


@pytest.mark.parametrize("shares", [None, [], [0.2] * 4, [0.2] * 6, ["x"] * 5, [2.0] * 5, [float("nan")] * 5])
def test_what_cannot_be_shares_is_not_told(opinion, robot, shares):
    assert hear(opinion, robot, 0.0, shares=(shares,)) is None


def test_whom_naoqi_could_not_analyse_is_not_told(opinion, robot):
    opinion.look(0.0)
    robot.answer([7, 8])
    opinion.look(0.0)
    robot.answer(False, True)
    opinion.look(0.0)
    assert robot.answer([HAPPY]) == [("ALMemory", "getListData", [SHARES % 8])]
    assert opinion.look(0.0) == [(8, HAPPY)]


def test_an_answer_that_never_comes_and_a_refusal_hold_nothing_up(opinion, robot):
    for now_s in (0.0, 1.0, LOST_S):
        assert opinion.look(now_s) is None
    assert len(robot.asked) == 2
    robot.error = RobotError("no.")
    robot.answer([7])
    assert opinion.look(LOST_S + 0.1) is None
    robot.error = None
    opinion.look(LOST_S + ASKED_S)
    assert len(robot.asked) == 2
    opinion.look(LOST_S + 0.1 + TRY_AGAIN_S)
    assert len(robot.asked) == 3


def test_a_lost_robot_is_lost(opinion, robot):
    robot.error = RobotLost("gone.")
    with pytest.raises(RobotLost):
        opinion.look(0.0)


class Given(object):
    """Stands where an Opinion stands."""

    def __init__(self):
        self.next = None

    def look(self, now_s):
        found, self.next = self.next, None
        return found


def test_a_portrait_tells_the_newest_opinion_with_its_next_telling_and_only_once(robot):
    given = Given()
    portrait = Portrait(robot, Library([]), Mood(MOOD), given)
    assert portrait.look(0.0).naoqi is None
    given.next = [(7, HAPPY)]
    assert portrait.look(0.1) is None
    told = portrait.look(TOLD_S)
    assert isinstance(told, About) and told.naoqi == [(7, HAPPY)]
    assert portrait.look(2 * TOLD_S).naoqi is None
