# -*- coding: utf-8 -*-
"""Where the joints are is asked now and then, never waited for, and told only where it can be true."""

from __future__ import division, print_function

import pytest
from stand_in import Future

from behaviors.joints import BODY_NAMES, STAND
from config import contract
from robot_app.limbs import FELT_S, LOST_S, TRY_AGAIN_S, Limbs
from robot_app.robots import RobotError, RobotLost

ANGLES = [STAND.get(joint, 0.0) for joint in BODY_NAMES]


class Robot(object):
    """It answers when the test says so."""

    def __init__(self, error=None):
        self.asked = []
        self.error = error

    def start(self, service, method, *arguments):
        assert (service, method, arguments) == ("ALMotion", "getAngles", (list(BODY_NAMES), True))
        if self.error:
            raise self.error
        self.asked.append(Future())
        return self.asked[-1]


def test_a_frame_holds_as_many_joints_as_there_are():
    assert len(BODY_NAMES) == contract.JOINTS


def test_the_angles_come_with_the_next_look_and_only_once():
    robot = Robot()
    limbs = Limbs(robot)
    assert limbs.look(0.0) is None
    robot.asked[0].end(ANGLES)
    assert limbs.look(0.02) == ANGLES
    assert limbs.look(0.04) is None and len(robot.asked) == 1
    limbs.look(FELT_S)
    assert len(robot.asked) == 2


def test_an_answer_that_never_comes_holds_nothing_up():
    robot = Robot()
    limbs = Limbs(robot)
    for now_s in (0.0, 1.0, LOST_S, LOST_S + 1):
        assert limbs.look(now_s) is None
    assert len(robot.asked) == 2


@pytest.mark.parametrize("angles", [ANGLES[1:], [], [float("nan")] + ANGLES[1:], [90.0] + ANGLES[1:]])
def test_angles_that_cannot_be_those_of_this_body_are_not_told(angles):
    robot = Robot()
    limbs = Limbs(robot)
    limbs.look(0.0)
    robot.asked[0].end(angles)
    assert limbs.look(0.1) is None
    limbs.look(0.1 + FELT_S)
    assert len(robot.asked) == 1
    limbs.look(0.1 + TRY_AGAIN_S)
    assert len(robot.asked) == 2


def test_a_robot_that_refuses_is_asked_again_later_and_a_lost_one_is_lost():
    robot = Robot(RobotError("no such joint."))
    limbs = Limbs(robot)
    assert limbs.look(0.0) is None
    robot.error = None
    limbs.look(FELT_S)
    assert robot.asked == []
    robot.error = RobotLost("gone.")
    with pytest.raises(RobotLost):
        limbs.look(TRY_AGAIN_S)
