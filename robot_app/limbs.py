# -*- coding: utf-8 -*-
"""Where the joints are, for the picture of the body on the PC. It asks without waiting, and moves nothing."""

from __future__ import division, print_function

from behaviors.joints import BODY_NAMES
from config.contract import MOST_RAD
from robot_app.robots import RobotError, RobotLost

FELT_S = 0.1  # between two looks
LOST_S = 2.0  # an answer that has not come by then is not waited for
TRY_AGAIN_S = 10.0  # after a refusal: this robot may lack a joint


class Limbs(object):
    """Of one robot."""

    def __init__(self, robot):
        self._robot = robot
        self._asked = None  # future of the angles
        self._next_s = None  # no question before this
        self._given_up_s = None

    def look(self, now_s):
        """A list as joints.BODY_NAMES, rad (hands 0..1), that came since the last look, or None."""
        came = None
        if self._asked is not None and self._asked.isFinished():
            came = None if self._asked.hasError() else plausible(self._asked.value())
            self._asked = None
            if came is None:
                self._next_s = now_s + TRY_AGAIN_S
        if self._asked is not None and now_s >= self._given_up_s:
            self._asked = None
        if self._asked is None and (self._next_s is None or now_s >= self._next_s):
            self._next_s, self._given_up_s = now_s + FELT_S, now_s + LOST_S
            self._ask(now_s)
        return came

    def _ask(self, now_s):
        try:
            self._asked = self._robot.start("ALMotion", "getAngles", list(BODY_NAMES), True)
        except RobotLost:
            raise
        except RobotError:
            self._next_s = now_s + TRY_AGAIN_S


def plausible(angles):
    """The angles as a frame may hold them; None where they are not those of this body."""
    if len(angles) != len(BODY_NAMES) or not all(abs(angle) <= MOST_RAD for angle in angles):
        return None
    return [float(angle) for angle in angles]
