# -*- coding: utf-8 -*-
"""The operator's orders at the robot: each is done once, and what cannot be done is a sentence."""

from __future__ import division, print_function

import pytest

from behaviors.keyframes import Behavior
from behaviors.library import Library
from behaviors.mood import Mood
from config.contract import MAX_ORDERS, Order
from robot_app.about import FELT_S, KEYS, TOLD_S, Portrait, hottest_of, offered
from robot_app.director import Director
from robot_app.orders import Orders
from robot_app.robots import RobotError
from robot_app.safety import Judge

MOOD = {"smooth_s": 0.4, "enter": 0.5, "leave": 0.35, "dwell_s": 0.5, "absent_s": 1.0}
REACTIONS = {
    "cool_down_s": 6.0, "between_s": 1.0, "ignore": [],
    "policy": "mirror", "override": {}, "full_at": 0.8, "builtin": False, "seed": 0,
}  # fmt: skip
CHEER = Behavior(name="cheer", emotion="happy", duration_s=2.0, joints={}, eyes=[], say=[], sees="")
SIGH = CHEER._replace(name="sigh", emotion="sad")
LIBRARY = Library([CHEER, SIGH])
FALLEN = "it has fallen."


class Body(object):
    """Stands where player and safety stand: notes what is asked of it."""

    def __init__(self):
        self.judge = Judge()
        self.did = []
        self.refusal = None
        self.error = None
        self.fit = True

    def play(self, behavior, now_s):
        if self.error:
            raise RobotError(self.error)
        if self.refusal is None:
            self.did.append(behavior.name)
        return self.refusal is None

    def stop(self):
        self.did.append("stop")

    def come_home(self):
        self.did.append("home")

    def release(self):
        return self.fit and self.judge.release()


class Desk(object):
    def __init__(self):
        self.body, self.mood = Body(), Mood(MOOD)
        self.told = {}
        self.orders = Orders(
            Director(LIBRARY, REACTIONS), self.mood, self.body, self.body, self.told.__setitem__
        )
        self._number = 0

    def order(self, what, **wish):
        """Give a new order; gives None or why it was not done."""
        self._number += 1
        self.orders.take([Order(what, self._number, **wish)], 10.0)
        number, why_not = self.orders.had[-1]
        assert number == self._number
        return why_not


@pytest.fixture
def desk():
    return Desk()


def test_before_any_order_nothing_is_said(desk):
    assert desk.orders.had is None and desk.orders.mode is None


def test_an_order_that_comes_again_is_done_once(desk):
    play = Order("play", 7, "cheer")
    for _ in range(3):
        desk.orders.take([play], 1.0)
    assert desk.body.did == ["cheer"]
    assert desk.orders.had == [(7, None)]


def test_the_last_orders_are_remembered_and_no_more(desk):
    desk.orders.take([Order("pause", number) for number in range(1, 20)], 1.0)
    assert [number for number, _ in desk.orders.had] == list(range(20 - MAX_ORDERS, 20))


def test_what_cannot_be_played_is_a_sentence_at_both_ends(desk):
    why_not = desk.order("play", name="cheers")
    assert "no behaviour 'cheers'" in why_not and "cheer" in why_not
    assert why_not in desk.told["operator"]
    desk.body.refusal = "it rests."
    assert desk.order("play", name="cheer") == "it rests."
    desk.body.error = "ALMotion is gone."
    assert desk.order("play", name="cheer") == "ALMotion is gone."
    assert desk.body.did == []


def test_a_robot_that_the_operator_stopped_plays_nothing_until_it_is_told_to_resume(desk):
    assert desk.order("stop") is None
    assert desk.body.did == ["stop"] and desk.orders.mode == "stopped"
    assert "resume" in desk.order("play", name="cheer")
    assert desk.order("resume") is None and desk.orders.mode is None
    assert desk.order("play", name="cheer") is None
    assert desk.body.did == ["stop", "cheer"]


def test_a_paused_robot_plays_what_is_ordered(desk):
    desk.order("pause")
    assert desk.orders.mode == "paused"
    assert desk.order("play", name="sigh") is None


def test_a_robot_that_stopped_by_its_own_senses_goes_on_only_when_it_can(desk):
    desk.body.judge.stopped = FALLEN
    assert desk.orders.mode == "stopped"
    assert FALLEN in desk.order("play", name="cheer")
    desk.body.fit = False
    assert "does not go on yet" in desk.order("resume")
    desk.body.fit = True
    assert desk.order("resume") is None
    assert desk.body.did == ["home"] and desk.orders.mode is None


def test_the_mood_is_tuned_and_what_does_not_fit_together_is_refused(desk):
    assert desk.order("tune", settings={"enter": 0.7, "smooth_s": 0.0}) is None
    assert desk.mood.settings == dict(MOOD, enter=0.7, smooth_s=0.0)
    assert "'leave' (0.9) must not lie above 'enter' (0.7)" in desk.order("tune", settings={"leave": 0.9})
    assert desk.mood.settings["leave"] == MOOD["leave"]


# What the robot tells of itself


class Memory(object):
    """Stands where the Robot stands: ALMemory.getListData alone."""

    def __init__(self, values):
        self.values, self.asked = values, 0

    def start(self, service, method, keys):
        assert (service, method, keys) == ("ALMemory", "getListData", KEYS)
        self.asked += 1
        return self

    def isFinished(self):
        return True

    def hasError(self):
        return self.values is None

    def value(self):
        return [self.values.get(key) for key in KEYS]


HEALTHY = {KEYS[0]: 0.875, "Device/SubDeviceList/LKneePitch/Temperature/Sensor/Value": 41.0, KEYS[1]: 38}


def test_the_robot_tells_of_itself_about_once_a_second_and_at_once_when_it_was_tuned():
    mood = Mood(MOOD)
    portrait = Portrait(Memory(HEALTHY), LIBRARY, mood)
    first = portrait.look(0.0)
    assert first.mood == MOOD and first.behaviors["happy"] == ["cheer"] and first.behaviors["sad"] == ["sigh"]
    assert portrait.look(0.5) is None
    mood.tune({"enter": 0.6})
    assert portrait.look(0.6).mood["enter"] == 0.6
    assert portrait.look(0.7) is None
    told = portrait.look(0.6 + TOLD_S)
    assert (told.battery, told.hottest) == (0.875, ("LKneePitch", 41.0))


def test_battery_and_motors_are_felt_seldom():
    memory = Memory(HEALTHY)
    portrait = Portrait(memory, LIBRARY, Mood(MOOD))
    for tenth in range(int(10 * FELT_S)):
        portrait.look(tenth / 10.0)
    assert memory.asked == 1


@pytest.mark.parametrize("values", [None, {}, {KEYS[0]: "full", KEYS[1]: True}])
def test_a_robot_that_cannot_feel_says_nothing_about_it(values):
    portrait = Portrait(Memory(values), LIBRARY, Mood(MOOD))
    portrait.look(0.0)
    told = portrait.look(TOLD_S)
    assert told.battery is None and told.hottest is None


def test_no_more_is_told_than_a_frame_may_hold():
    many = Library([CHEER._replace(name="b%03d" % i) for i in range(300)])
    assert sum(len(names) for names in offered(many).values()) == 100
    assert hottest_of([]) is None
