# -*- coding: utf-8 -*-
"""The single point of control of the robot: plays one Behavior at a time through ALMotion, ALLeds and speech.

Design   joints go to NAOqi at once as one angleInterpolation; eyes and words go when `tick` finds them due.
Threads  none; NAOqi does its work while we return to look.
Units    seconds by the robot app's clock, radians, 0xRRGGBB.
Safety   a behaviour beyond the robot's own limits is refused, never bent, and nothing is played on a robot
         that rests or has fallen. Only motions that we began are ended by us. The fall manager and
         Autonomous Life are left as they are. What is changed is noted in `undo` first.
"""

from __future__ import division, print_function

from behaviors.joints import GESTURE_NAMES, STAND
from robot_app.robots import RobotError, RobotLost, sentence_of, wait

STAND_UP_S = 15.0  # from lying down, at the posture speed below
POSTURE_SPEED = 0.5  # share of full speed; faster falls
HOME_S = 1.0  # for arms and head to come back; the widest gesture is 3 rad away, joints reach 7 rad/s
AT_HOME_RAD = 0.05
REST_S = 1.0  # what is left of an orderly end for sitting down
LATE_S = 1.0  # a motion that outlives its behaviour by this is told and let go
EYES = "FaceLeds"

# What else moves head and arms by itself: (service, is it on?, off, on), the name of each method with its
# arguments. The first that this NAOqi offers counts; it is held only while a behaviour plays.
OTHERS = (
    (
        ("ALBasicAwareness", ("isEnabled",), ("setEnabled", False), ("setEnabled", True)),
        ("ALBasicAwareness", ("isAwarenessRunning",), ("stopAwareness",), ("startAwareness",)),  # NAOqi 2.1
    ),
    (("ALSpeakingMovement", ("isEnabled",), ("setEnabled", False), ("setEnabled", True)),),
)


class Player(object):
    """`settings` is the section "robot"; `undo` an Undo; `tell(topic, sentence)`."""

    def __init__(self, robot, settings, undo, tell):
        self.playing = None  # the Behavior, or None
        self._robot = robot
        self._settings = settings
        self._undo = undo
        self._tell = tell
        self._limits = {}  # joint: [min, max, max speed, max torque], as this robot has them
        self._language = None
        self._held = []  # (service, call that switches it on again)
        self._foreign = set()  # ids of motions that others had begun before ours
        self._motion = None  # future of our own
        self._began_s = None
        self._eyes = []  # still to come
        self._say = []
        self._spoken = 0  # sentences, to take the texts in turn

    @property
    def doing(self):
        """The name of what plays, or None."""
        return None if self.playing is None else self.playing.name

    def prepare(self, ended):
        """Have the robot awake on its feet with our voice, from any posture; gives up when `ended()`.

        Raises RobotError where it cannot stand.
        """
        self.playing = self._motion = None  # after a lost connection nothing of ours is known to run
        self._release_others()
        names = self._robot.call("ALMotion", "getBodyNames", "Body")
        self._limits = dict(zip(names, self._robot.call("ALMotion", "getLimits", "Body")))
        self._stand(ended)
        self._prepare_voice()
        self._undo.note("the eyes", lambda: self._robot.call("ALLeds", "reset", EYES))

    def play(self, behavior, now_s):
        """Begin `behavior`, in place of what plays; False, with a sentence told, where the robot cannot."""
        beyond = self._beyond(behavior)
        self._tell("behaviour " + behavior.name, beyond)
        if beyond or not self._is_awake():
            return False
        self._end_motion()
        self._hold_others()
        self.playing, self._began_s = behavior, now_s
        self._eyes, self._say = list(behavior.eyes), list(behavior.say)
        self._motion = self._move(behavior.joints)
        self.tick(now_s)
        return True

    def tick(self, now_s):
        """Send the eye colours and words that are due; end the behaviour when it is over."""
        if self.playing is None:
            return
        at_s = now_s - self._began_s
        while self._eyes and self._eyes[0][0] <= at_s:
            _, colour, fade_s = self._eyes.pop(0)
            self._send("ALLeds", "fadeRGB", EYES, colour, fade_s)
        while self._say and self._say[0][0] <= at_s:
            self._speak(self._say.pop(0)[1])
        if at_s < self.playing.duration_s:
            return
        if self._motion is not None and not self._motion.isFinished():
            if at_s < self.playing.duration_s + LATE_S:
                return
            self._tell("motion", "%s did not end in its time; its motion was ended." % self.playing.name)
            self._end_motion()
        elif self._motion is not None and self._motion.hasError():
            self._tell(
                "motion",
                "%s was not moved to its end: %s" % (self.playing.name, sentence_of(self._motion.error())),
            )
        self._over()

    def stop(self, now_s):
        """End what plays now: silence, eyes as they were, arms and head on their way to rest. Never waits."""
        if self.playing is None:
            return
        self._end_motion()
        self._send("ALTextToSpeech", "stopAll")
        self._send("ALLeds", "reset", EYES)
        self._over()
        self._motion = self._move(dict((joint, ([HOME_S], [STAND[joint]])) for joint in GESTURE_NAMES))

    def _over(self):
        self.playing = None
        self._eyes, self._say = [], []
        self._release_others()

    # From any posture to Stand, and back at the end.

    def _stand(self, ended):
        awake = self._robot.call("ALMotion", "robotIsWakeUp")
        family = self._robot.call("ALRobotPosture", "getPostureFamily")
        posture = self._robot.call("ALRobotPosture", "getPosture")
        if not awake:
            self._undo.note("the posture", lambda: self._last(REST_S, "ALMotion", "rest"))
            self._finish(ended, "ALMotion", "wakeUp")
        elif family != "Standing":
            self._undo.note(
                "the posture",
                lambda: self._last(REST_S, "ALRobotPosture", "goToPosture", posture, POSTURE_SPEED),
            )
        home = [STAND[joint] for joint in GESTURE_NAMES]
        if awake and family == "Standing":
            home = list(self._robot.call("ALMotion", "getAngles", list(GESTURE_NAMES), False))
        elif (
            not ended()
            and self._finish(ended, "ALRobotPosture", "goToPosture", "Stand", POSTURE_SPEED) is False
        ):
            raise RobotError("the robot cannot stand up; help it to its feet and start again.")
        self._undo.note("arms and head", lambda: self._go_home(home))

    def _go_home(self, home):
        """Arms and head to the angles they had at the start; other motions of ours are ended."""
        if self.playing is not None:
            self._send("ALTextToSpeech", "stopAll")
        self._end_motion()
        self._over()
        names = list(GESTURE_NAMES)
        now = self._robot.call("ALMotion", "getAngles", names, False)
        if max(abs(is_at - to) for is_at, to in zip(now, home)) > AT_HOME_RAD:
            times_s = [[HOME_S]] * len(names)
            self._last(
                HOME_S + 0.3, "ALMotion", "angleInterpolation", names, [[to] for to in home], times_s, True
            )

    def _last(self, seconds, service, method, *arguments):
        """One of the last calls: it goes on in the robot even when we do not wait for its end."""
        future = self._robot.start(service, method, *arguments)
        if wait(future, seconds) and future.hasError():
            raise RobotError(sentence_of(future.error()))

    def _finish(self, ended, service, method, *arguments):
        """What a long call returns; None where the robot app was told to end meanwhile."""
        future = self._robot.start(service, method, *arguments)
        if wait(future, STAND_UP_S, ended):
            if future.hasError():
                raise RobotError("%s.%s: %s" % (service, method, sentence_of(future.error())))
            return future.value()
        if not ended():
            raise RobotError("%s.%s has not ended after %g s." % (service, method, STAND_UP_S))
        return None

    # Joints.

    def _is_awake(self):
        """Whether the robot has stiffness at all: after a fall, or when somebody sat it down, it has not."""
        awake = self._robot.call("ALMotion", "robotIsWakeUp")
        self._tell(
            "awake", None if awake else "the robot rests or has fallen; it plays nothing until it is awake."
        )
        return awake

    def _beyond(self, behavior):
        """Why this robot must not play `behavior`, in a sentence, or None."""
        for joint in sorted(behavior.joints):
            times_s, angles = behavior.joints[joint]
            if joint not in self._limits:
                return "%s moves %s, which this robot does not have; it is not played." % (behavior.name, joint)
            low, high, speed = self._limits[joint][:3]
            for angle in angles:
                if not low <= angle <= high:
                    return "%s moves %s to %.3f, beyond this robot's %.3f..%.3f; it is not played." % (
                        behavior.name, joint, angle, low, high,
                    )  # fmt: skip
            for i in range(1, len(angles)):
                asked = abs(angles[i] - angles[i - 1]) / (times_s[i] - times_s[i - 1])
                if asked > speed:
                    return "%s moves %s at %.1f rad/s, beyond this robot's %.1f; it is not played." % (
                        behavior.name, joint, asked, speed,
                    )  # fmt: skip
        return None

    def _move(self, joints):
        """The future of one angleInterpolation of {joint: (times, angles)}, or None where there is none."""
        names = sorted(joints)
        if not names:
            return None
        self._foreign = set(self._tasks())
        try:
            return self._robot.start(
                "ALMotion", "angleInterpolation",
                names, [joints[name][1] for name in names], [joints[name][0] for name in names], True,
            )  # fmt: skip
        except RobotLost:
            raise
        except RobotError as error:
            self._tell("motion", "a motion was refused: %s" % error)
            return None

    def _end_motion(self):
        """Kill our own motion, if it still runs."""
        if self._motion is not None and not self._motion.isFinished():
            for task in self._tasks():
                if task not in self._foreign:
                    self._robot.call("ALMotion", "killTask", task)
        self._motion = None

    def _tasks(self):
        """Ids of the angleInterpolations that run in the robot."""
        rows = self._robot.call("ALMotion", "getTaskList") or []
        return [row[1] for row in rows if "angleinterpolation" in str(row[0]).lower()]

    # What else moves head and arms.

    def _hold_others(self):
        if self._held:
            return
        for releases in OTHERS:
            for service, is_on, off, on in releases:
                if self._robot.offers(service, is_on[0]):
                    if self._robot.call(service, *is_on):
                        self._held.append((service, on))
                        self._undo.note(service, self._release_others)
                        self._robot.call(service, *off)
                    break

    def _release_others(self):
        while self._held:
            service, on = self._held.pop()
            self._robot.call(service, *on)

    # Voice and eyes.

    def _prepare_voice(self):
        wanted, volume = str(self._settings["language"]), self._settings["volume"]
        before = self._robot.call("ALTextToSpeech", "getLanguage")
        installed = self._robot.call("ALTextToSpeech", "getAvailableLanguages")
        self._language = before
        if wanted not in installed:
            self._tell(
                "language",
                "the robot has no voice for %s (it has %s) and keeps %s."
                % (wanted, ", ".join(sorted(installed)) or "none", before),
            )
        elif wanted != before:
            self._undo.note("the language", lambda: self._robot.call("ALTextToSpeech", "setLanguage", before))
            self._robot.call("ALTextToSpeech", "setLanguage", wanted)
            self._language = wanted
        if volume is not None:
            loudness = self._robot.call("ALTextToSpeech", "getVolume")
            self._undo.note("the volume", lambda: self._robot.call("ALTextToSpeech", "setVolume", loudness))
            self._robot.call("ALTextToSpeech", "setVolume", float(volume))

    def _speak(self, texts):
        """Say one of {language: [text, ...]}, each in its turn."""
        if self._language not in texts:
            self._tell("words", "%s has no words in %s; it plays silently." % (self.doing, self._language))
            return
        choices = texts[self._language]
        self._spoken += 1
        self._send("ALTextToSpeech", "say", choices[self._spoken % len(choices)])

    def _send(self, service, method, *arguments):
        """Have eyes or voice do something; a refusal is told and harms nothing else."""
        try:
            self._robot.start(service, method, *arguments)
        except RobotLost:
            raise
        except RobotError as error:
            self._tell(service, "%s" % error)
