# -*- coding: utf-8 -*-
"""What must stop the robot, by its own senses: a fall, a lift, a hand on the head, a bumper, heat, low battery.

It looks many times a second and judges; it moves nothing, and leaves NAOqi's own reflexes (the fall manager
above all) as they are: they are faster and come first. It asks ALMemory instead of subscribing to events,
because qi 3 cannot subscribe to NAOqi 2.1 to 2.5.

    stopped   latched: fall, lift, lost stiffness, head, bumper. It ends when the robot stands awake on its feet
              and a person agrees: by the operator's resume, or by touching the head (again).
    still     not latched: hot motors, low battery. Voice and lights go on, the body stays still.

`Judge` is pure: values and times go in. `Safety` fetches the values, and never waits for them.
"""

from __future__ import division, print_function

from robot_app.robots import RobotError, RobotLost

LOOK_S = 0.05  # a quick tap on the head lasts about 0.1 s
LIFTED_S = 0.5  # feet without ground for this long; steps and wobbles are shorter
LOW_BATTERY, ENOUGH_BATTERY = 0.12, 0.17  # of the full charge; between the two nothing changes

HEAD = ("FrontTactilTouched", "MiddleTactilTouched", "RearTactilTouched")
BUMPERS = ("LeftBumperPressed", "RightBumperPressed")
FALL = ("robotHasFallen", "ALMotion/RobotIsFalling", "robotIsFalling")  # NAOqi 2.1 and 2.8
POSTURE = "PostureFamilyChanged"
FEET = "footContact"
HOT = ("HotDeviceDetected", "HotJointDetected")
CHARGE = "Device/SubDeviceList/Battery/Charge/Sensor/Value"
KEYS = HEAD + BUMPERS + FALL + (POSTURE, FEET) + HOT + (CHARGE,)
AWAKE = "awake"  # not of ALMemory: ALMotion.robotIsWakeUp

# What is to be done: end the motion and bring the arms home; end it and move nothing; ask whether it may go on.
HOME, FREEZE, RELEASE = "home", "freeze", "release"


class Judge(object):
    """Values of KEYS and AWAKE over time, judged. A value that is missing or None says nothing."""

    def __init__(self):
        self.stopped = None  # why, in a sentence, or None
        self.still = None  # (occasion, sentence), or None; the occasion is one of words.WORDS
        self._values = {}
        self._stood = False  # the feet have had ground
        self._in_air_s = None  # since when they have none
        self._lifted = False

    def forget(self):
        """After a lost connection: what was felt before it says nothing about now. A stop stays one."""
        self._values = {}
        self._stood = self._lifted = False
        self._in_air_s = None

    def feel(self, values, now_s):
        """What is to be done now: HOME or FREEZE, RELEASE, or None."""
        before, self._values = self._values, dict((k, v) for k, v in values.items() if v is not None)
        self._judge_heat_and_battery()
        danger = self._danger(before, now_s)
        if danger is not None:
            self.stopped = danger
            return FREEZE
        if self._pressed(HEAD, before):
            if self.stopped is not None:
                return RELEASE
            self.stopped = "its head was touched: it has stopped; touch it again, or press Resume, to go on."
            return HOME
        if self._pressed(BUMPERS, before) and self.stopped is None:
            self.stopped = "a bumper was pressed: it has stopped; touch its head, or press Resume, to go on."
            return HOME
        return None

    def release(self):
        """A person agrees that it goes on. False, with `stopped` as it is, where it is not ready for that."""
        if self.unfit() is not None:
            return False
        self.stopped = None
        return True

    def unfit(self):
        """Why the robot cannot go on now, in a sentence, or None."""
        if self._rests():
            return "it rests or lies: help it to its feet and wake it first."
        if self._in_air_s is not None:
            return "its feet have no ground: put it down first."
        return None

    def _rests(self):
        """Whether it is limp or lies; its feet say nothing then."""
        return self._values.get(AWAKE) is False or _lies(self._values)

    def _danger(self, before, now_s):
        """A sentence about what needs the body to be still at once, or None."""
        if self._pressed(FALL, before) or self._lies_since(before):
            return "it is falling or has fallen: all is stopped. Stand it up, wake it, touch its head to go on."
        if before.get(AWAKE) and self._values.get(AWAKE) is False:
            return "its motors lost their stiffness: all is stopped. Wake it and touch its head to go on."
        feet = self._values.get(FEET)
        self._stood = self._stood or bool(feet)
        if feet is None or feet or not self._stood or self._rests():
            self._in_air_s, self._lifted = None, False
        elif self._in_air_s is None:
            self._in_air_s = now_s
        elif now_s - self._in_air_s >= LIFTED_S and not self._lifted:
            self._lifted = True
            return "it was lifted: all is stopped. Put it down and touch its head to go on."
        return None

    def _lies_since(self, before):
        return bool(before) and _lies(self._values) and not _lies(before)

    def _pressed(self, keys, before):
        """Whether one of these was off at the last look and is on now. What is on at the first look is old."""
        return bool(before) and any(self._values.get(key) and not before.get(key) for key in keys)

    def _judge_heat_and_battery(self):
        hot = [value for key in HOT for value in _names(self._values.get(key))]
        charge = self._values.get(CHARGE)
        was_low = self.still is not None and self.still[0] == "battery"
        if hot:
            text = "its motors are hot (%s): voice and lights alone until they have cooled." % ", ".join(
                hot[:3]
            )
            self.still = ("hot", text)
        elif charge is not None and 0 < charge < (ENOUGH_BATTERY if was_low else LOW_BATTERY):
            text = "its battery is below %d %%: voice and lights alone until it is charged."
            self.still = ("battery", text % round(100 * ENOUGH_BATTERY))
        else:
            self.still = None


class Safety(object):
    """A Judge of this robot. `tell(topic, sentence)`."""

    def __init__(self, robot, tell):
        self.judge = Judge()
        self._robot = robot
        self._tell = tell
        self._keys = KEYS
        self._asked = None  # (future of the values, future of robotIsWakeUp)
        self._next_s = None

    @property
    def trouble(self):
        """Why the robot does not move as it would, in a sentence, or None."""
        return self.judge.stopped or (self.judge.still and self.judge.still[1])

    def prepare(self):
        """Once connected, or connected anew."""
        self._asked = self._next_s = None
        self._keys = list(KEYS)
        self.judge.forget()

    def look(self, now_s):
        """What Judge.feel says of the newest values, or None; asks for newer ones. Never waits."""
        found = None
        if self._asked is not None and all(future.isFinished() for future in self._asked):
            found = self._judged(*self._asked, now_s=now_s)
            self._asked = None
        if self._asked is None and (self._next_s is None or now_s >= self._next_s):
            self._next_s = now_s + LOOK_S
            self._asked = (
                self._robot.start("ALMemory", "getListData", self._keys),
                self._robot.start("ALMotion", "robotIsWakeUp"),
            )
        return found

    def release(self):
        """judge.release, with what there is to say."""
        released = self.judge.release()
        self._tell("safety", None if released else "it does not go on yet: %s" % self.judge.unfit())
        return released

    def _judged(self, values, awake, now_s):
        if values.hasError():  # a NAOqi that refuses the whole list for a key that it lacks
            self._keys = [key for key in self._keys if self._has(key)]
        if values.hasError() or awake.hasError():
            return None  # the next look knows better, or the camera finds that the robot is gone
        felt = dict(zip(self._keys, values.value()))
        felt[AWAKE] = bool(awake.value())
        found = self.judge.feel(felt, now_s)
        if self.judge.stopped is not None and found in (HOME, FREEZE):
            self._tell("safety", "the robot: " + self.judge.stopped)
        self._tell("still", self.judge.still and "the robot: " + self.judge.still[1])
        return found

    def _has(self, key):
        try:
            self._robot.call("ALMemory", "getData", key)
            return True
        except RobotLost:
            raise
        except RobotError:
            return False


def _lies(values):
    return str(values.get(POSTURE, "")).startswith("Lying")


def _names(value):
    """The last part of each device's name in what HOT holds: a list, perhaps of lists, or one name."""
    if isinstance(value, (list, tuple)):
        return [name for item in value for name in _names(item)]
    text = str(value) if value else ""
    return [text.replace("/Temperature/Sensor/Value", "").rpartition("/")[2]] if text else []
