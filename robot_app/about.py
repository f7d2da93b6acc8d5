# -*- coding: utf-8 -*-
"""What the robot tells of itself now and then: what it can play, how its mood is set, battery and heat, and
what NAOqi reads in faces itself.

It asks ALMemory without waiting, and judges nothing: what is too hot or too low is for safety.py to say. What a
robot lacks is None.
"""

from __future__ import division, print_function

from behaviors.joints import BODY_NAMES
from config.contract import EMOTIONS, MAX_BEHAVIORS, About
from robot_app.robots import RobotError, RobotLost

TOLD_S = 1.0  # between two tellings; a PC that comes back knows within this time
FELT_S = 5.0  # between two looks at battery and motors
CHARGE = "Device/SubDeviceList/Battery/Charge/Sensor/Value"
HEAT = "Device/SubDeviceList/%s/Temperature/Sensor/Value"
MOTORS = tuple(joint for joint in BODY_NAMES if joint != "RHipYawPitch")  # the same motor as LHipYawPitch
KEYS = [CHARGE] + [HEAT % joint for joint in MOTORS]


class Portrait(object):
    """Of one robot with this library and this Mood; `opinion` is an Opinion, where one is wanted."""

    def __init__(self, robot, library, mood, opinion=None):
        self._robot = robot
        self._mood = mood
        self._behaviors = offered(library)
        self._asked = None  # future of the values of KEYS
        self._asked_s = None
        self._told = None  # the mood's settings as they were told last ...
        self._told_s = None  # ... and when
        self._battery = self._hottest = None
        self._opinion = opinion
        self._heard = None  # of it, since the last telling

    def prepare(self, undo):
        """Once connected."""
        if self._opinion is not None:
            self._opinion.prepare(undo)

    def look(self, now_s):
        """The About to send now, or None: about once a second, and at once when the mood was tuned."""
        self._feel(now_s)
        if self._opinion is not None:
            self._heard = self._opinion.look(now_s) or self._heard
        due = self._told_s is None or now_s - self._told_s >= TOLD_S
        if not due and self._told == self._mood.settings:
            return None
        self._told, self._told_s = self._mood.settings, now_s
        heard, self._heard = self._heard, None
        return About(self._behaviors, self._told, self._battery, self._hottest, heard)

    def _feel(self, now_s):
        """Take what ALMemory has answered; ask it anew now and then. Never waits."""
        if self._asked is not None and self._asked.isFinished():
            values = [None] * len(KEYS) if self._asked.hasError() else self._asked.value()
            self._battery, self._hottest = charge_of(values[0]), hottest_of(values[1:])
            self._asked = None
        if self._asked is None and (self._asked_s is None or now_s - self._asked_s >= FELT_S):
            self._asked_s = now_s
            try:
                self._asked = self._robot.start("ALMemory", "getListData", KEYS)
            except RobotLost:
                raise
            except RobotError:
                pass  # a robot without this says nothing of its health


def offered(library):
    """{emotion: [name, ...]} of a library, as many as a frame may name."""
    names = [(behavior.emotion, behavior.name) for behavior in library][:MAX_BEHAVIORS]
    return dict((emotion, [name for of, name in names if of == emotion]) for emotion in EMOTIONS)


def charge_of(value):
    """A charge 0..1, or None for what is none."""
    return min(max(float(value), 0.0), 1.0) if _is_number(value) else None


def hottest_of(values):
    """(joint, degrees Celsius) of the warmest of MOTORS, or None where no value is a number."""
    known = [(float(value), joint) for joint, value in zip(MOTORS, values) if _is_number(value)]
    if not known:
        return None
    celsius, joint = max(known)
    return joint, float("%.1f" % celsius)


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -100 < value < 1000
