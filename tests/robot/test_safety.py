# -*- coding: utf-8 -*-
"""What the robot feels, and what it leads to. Time is an argument: an hour on the battery passes in a line."""

from __future__ import division, print_function

import io

import pytest
from stand_in import Naoqi

from robot_app.robots import Robot
from robot_app.safety import AWAKE, CHARGE, FREEZE, HOME, LIFTED_S, LOOK_S, RELEASE, Judge, Safety
from robot_app.tell import Teller

WELL = {
    "FrontTactilTouched": 0.0, "RightBumperPressed": 0.0, "robotHasFallen": False, "footContact": 1.0,
    "PostureFamilyChanged": "Standing", CHARGE: 0.8, AWAKE: True, "HotDeviceDetected": [],
}  # fmt: skip
HOT = ["Device/SubDeviceList/LElbowRoll/Temperature/Sensor/Value"]


class Felt(object):
    """A Judge that has felt well, one look each LOOK_S."""

    def __init__(self):
        self.judge = Judge()
        self.now_s = 0.0
        self()

    def __call__(self, seconds=0.0, **changes):
        """What it leads to when the robot feels so for so long; names of keys without their slashes."""
        values = dict(WELL)
        for key, value in changes.items():
            values[{"awake": AWAKE, "charge": CHARGE}.get(key, key)] = value
        found = []
        for _ in range(1 + int(seconds / LOOK_S)):
            self.now_s += LOOK_S
            found.append(self.judge.feel(values, self.now_s))
        return next((each for each in found if each), None)


@pytest.fixture
def felt():
    return Felt()


def test_a_robot_that_is_well_is_left_alone(felt):
    assert felt(60.0) is None and felt.judge.stopped is None and felt.judge.still is None


@pytest.mark.parametrize(
    "change, part",
    [
        ({"robotHasFallen": True}, "fall"),
        ({"PostureFamilyChanged": "LyingBelly"}, "fall"),
        ({"awake": False}, "stiffness"),
    ],
)
def test_a_fall_or_lost_stiffness_freezes_it_once(felt, change, part):
    assert felt(**change) == FREEZE and part in felt.judge.stopped
    assert felt(5.0, **change) is None


def test_a_fall_that_was_there_before_we_came_is_old():
    judge = Judge()
    assert judge.feel(dict(WELL, robotHasFallen=True), 0.0) is None and judge.stopped is None


def test_an_event_that_was_never_raised_before_counts_when_it_is(felt):
    assert felt(robotIsFalling=True) == FREEZE


def test_after_a_fall_it_goes_on_only_upright_and_by_a_persons_word(felt):
    felt(robotHasFallen=True)
    felt(awake=False, PostureFamilyChanged="LyingBelly")
    assert not felt.judge.release() and "feet" in felt.judge.unfit()
    felt(60.0)
    assert felt.judge.stopped is not None
    assert felt.judge.release() and felt.judge.stopped is None


def test_a_robot_that_lies_is_not_called_lifted(felt):
    felt(robotHasFallen=True)
    assert felt(5.0, awake=False, PostureFamilyChanged="LyingBack", footContact=0.0) == FREEZE
    assert "fall" in felt.judge.stopped


def test_a_lifted_robot_is_frozen_and_a_step_is_no_lift(felt):
    assert felt(LIFTED_S - 2 * LOOK_S, footContact=0.0) is None
    assert felt() is None
    assert felt(LIFTED_S + 2 * LOOK_S, footContact=0.0) == FREEZE and "lifted" in felt.judge.stopped
    assert not felt.judge.release()
    felt()
    assert felt.judge.release()


def test_feet_that_never_had_ground_say_nothing():
    judge = Judge()
    for second in range(20):
        assert judge.feel(dict(WELL, footContact=0.0), float(second)) is None


def test_a_hand_on_the_head_stops_it_and_the_next_one_lets_it_go_on(felt):
    assert felt(1.0, FrontTactilTouched=1.0) == HOME and "head" in felt.judge.stopped
    assert felt() is None
    assert felt(FrontTactilTouched=1.0) == RELEASE
    assert felt.judge.release() and felt() is None


def test_a_bumper_stops_it_and_does_not_let_it_go_on(felt):
    assert felt(RightBumperPressed=1.0) == HOME
    felt()
    assert felt(RightBumperPressed=1.0) is None and felt.judge.stopped is not None


def test_hot_motors_keep_the_body_still_until_they_have_cooled(felt):
    assert felt(HotDeviceDetected=HOT) is None
    assert felt.judge.still[0] == "hot" and "LElbowRoll" in felt.judge.still[1]
    felt()
    assert felt.judge.still is None


def test_a_low_battery_keeps_the_body_still_until_there_is_clearly_more(felt):
    felt(charge=0.13)
    assert felt.judge.still is None
    felt(charge=0.11)
    assert felt.judge.still[0] == "battery"
    felt(charge=0.13)
    assert felt.judge.still is not None
    felt(charge=0.18)
    assert felt.judge.still is None


@pytest.mark.parametrize("charge", [None, 0.0])
def test_a_battery_that_says_nothing_is_no_empty_one(felt, charge):
    felt(charge=charge)
    assert felt.judge.still is None


def test_what_was_felt_before_a_lost_connection_says_nothing_but_a_stop_stays(felt):
    felt(robotHasFallen=True)
    felt.judge.forget()
    assert felt(awake=False) is None
    assert felt.judge.stopped is not None


# On a robot


class Guarded(object):
    def __init__(self):
        self.naoqi = Naoqi()
        self.said = io.StringIO() if str is not bytes else io.BytesIO()
        robot = Robot(lambda ended: self.naoqi, "the stand-in")
        robot.connect()
        self.safety = Safety(robot, Teller(self.said))
        self.safety.prepare()
        self.now_s = 0.0
        self.look()

    def look(self):
        """What two looks lead to: one asks, the other judges."""
        found = []
        for _ in range(2):
            self.now_s += LOOK_S
            found.append(self.safety.look(self.now_s))
        return found[0] or found[1]


def test_a_touch_is_found_within_two_looks_and_told():
    guarded = Guarded()
    guarded.naoqi.memory["FrontTactilTouched"] = 1.0
    assert guarded.look() == HOME
    assert (
        "head was touched" in guarded.said.getvalue() and guarded.safety.trouble == guarded.safety.judge.stopped
    )


def test_a_robot_that_does_not_answer_is_not_waited_for():
    from stand_in import Future

    guarded = Guarded()
    guarded.naoqi.ALMemory_getListData = lambda keys: Future()
    asked = len(guarded.naoqi.calls)
    for _ in range(20):
        guarded.look()
    assert len(guarded.naoqi.calls) <= asked + 4


def test_a_naoqi_that_refuses_unknown_keys_is_asked_for_those_that_it_has():
    guarded = Guarded()
    guarded.naoqi.broken["ALMemory.getListData"] = "ALMemory::getListData\n\tunknown key"
    guarded.look()
    del guarded.naoqi.broken["ALMemory.getListData"]
    guarded.look()
    (keys,) = guarded.naoqi.of("ALMemory", "getListData")[-1]
    assert sorted(keys) == ["FrontTactilTouched", "RightBumperPressed", "footContact"]
