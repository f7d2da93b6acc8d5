# -*- coding: utf-8 -*-
"""The single point of control of the robot: plays one Behavior at a time through ALMotion, ALLeds and speech.

Design   joints go to NAOqi at once as one angleInterpolation; lights, words and sounds go when `tick` finds
         them due. Getting the robot ready is ready.py's, what it does by itself life.py's.
Threads  none; NAOqi does its work while we return to look.
Units    seconds by the robot app's clock, radians, 0xRRGGBB.
Safety   joints move only through guard.py, which refuses and never bends. Nothing is played on a robot that
         rests or has fallen; while it is to keep still, voice and lights alone. Only motions that we began are
         ended.
"""

from __future__ import division, print_function

from behaviors import choice
from behaviors.joints import GESTURE_NAMES, STAND
from robot_app import guard
from robot_app.life import Life
from robot_app.ready import HOME_S, Body, get_ready
from robot_app.robots import RobotError, RobotLost, sentence_of
from robot_app.words import WORDS

LATE_S = 1.0  # a motion that outlives its behaviour by this is told and let go
LATE_BUILTIN_S = 8.0  # NAOqi's own animations take their own time
LAMENT_S = 60.0  # between two complaints about a silent PC
EYES, EARS = "FaceLeds", "EarLeds"
AMBER, WHITE = 0xFF9000, 0xFFFFFF


class Player(object):
    """`settings` is the section "robot"; `undo` an Undo; `tell(topic, sentence)`."""

    def __init__(self, robot, settings, undo, tell):
        self.playing = None  # the Behavior, or None
        self.refusal = None  # why the last behaviour was not played, or None
        self._robot = robot
        self._settings = settings
        self._undo = undo
        self._tell = tell
        self._life = Life(robot, settings["life"], undo)
        self._body = Body({}, None, [])
        self._foreign = set()  # ids of motions that others had begun before ours
        self._motion = None  # future of our own
        self._builtin = None  # path of the animation of NAOqi that it is, or None
        self._sound = None  # future of a sound of ours
        self._began_s = None
        self._due = []  # (at_s, what to do, with what), in order
        self._spoken = 0  # sentences, to take the texts in turn
        self._still = None  # what keep_still was told last
        self._lamented_s = None  # when a silent PC was last spoken of

    @property
    def doing(self):
        """The name of what plays, or None."""
        return None if self.playing is None else self.playing.name

    def prepare(self, ended, may_stand=True):
        """Have the robot awake on its feet with our voice, from any posture; gives up when `ended()`.

        Without `may_stand` it is left as it lies or is held. Raises RobotError where it cannot stand.
        """
        self.playing = self._motion = self._builtin = None  # after a lost connection nothing of ours is known
        self._body = get_ready(
            self._robot, self._settings, self._life, self._undo, self._tell, ended, may_stand
        )

    def play(self, behavior, now_s):
        """Begin `behavior`, in place of what plays; False, with a sentence told, where the robot cannot."""
        builtin = None if self._still else self._installed(behavior.builtin)
        joints = {} if self._still or builtin else behavior.joints
        if not self._is_awake():
            return False
        keys = self._guarded(behavior.name, joints)
        if keys is None:
            return False
        self._end_motion()
        self._life.hold()
        self.playing, self._began_s = behavior, now_s
        self._due = _agenda(self, behavior)
        self._builtin, self._motion = builtin, self._run(builtin) if builtin else self._move(keys)
        self.tick(now_s)
        return True

    def tick(self, now_s):
        """Send the lights, words and sounds that are due; end the behaviour when it is over."""
        if self.playing is None:
            return
        at_s = now_s - self._began_s
        while self._due and self._due[0][0] <= at_s:
            _, do, arguments = self._due.pop(0)
            do(*arguments)
        if at_s < self.playing.duration_s:
            return
        if self._motion is not None and not self._motion.isFinished():
            if at_s < self.playing.duration_s + (LATE_BUILTIN_S if self._builtin else LATE_S):
                return
            self._tell("motion", "%s did not end in its time; its motion was ended." % self.playing.name)
            self._end_motion()
        elif self._motion is not None and self._motion.hasError():
            self._tell(
                "motion",
                "%s was not moved to its end: %s" % (self.playing.name, sentence_of(self._motion.error())),
            )
        self._over()

    def stop(self):
        """End what plays now: silence, lights at rest, arms and head on their way to Stand. Never waits."""
        if self.playing is not None:
            self.halt()
            self.come_home()

    def halt(self):
        """End what plays now and move nothing more: somebody holds the robot, or it falls. Never waits."""
        self._end_motion()
        if self.playing is None:
            return
        self._send("ALTextToSpeech", "stopAll")
        if self._sound is not None and not self._sound.isFinished():
            self._send("ALAudioPlayer", "stopAll")
        self._send("ALLeds", "reset", EYES)
        if self.playing.ears:
            self._send("ALLeds", "reset", EARS)
        self._over()

    def come_home(self):
        """Send arms and head to Stand, where the body may move."""
        keys = self._guarded(
            "the way home", dict((joint, ([HOME_S], [STAND[joint]])) for joint in GESTURE_NAMES)
        )
        if keys is not None:
            self._motion = self._move(keys)

    def keep_still(self, cause):
        """None, or (occasion, sentence) while the body must not move: it comes home, and a word is said."""
        begins = cause is not None and self._still is None
        if begins:
            self.stop()
            self._speak(WORDS[cause[0]])
        self._still = cause

    def lose_pc(self, now_s):
        """The PC fell silent: what plays finishes or stops, as set; eyes and voice say so, now and then."""
        if self._settings["when_silent"] == "stop":
            self.stop()
        if self._lamented_s is not None and now_s < self._lamented_s + LAMENT_S:
            return
        self._lamented_s = now_s
        self._speak(WORDS["silent"])
        if self.playing is None:
            self._light("fadeListRGB", EYES, [AMBER, WHITE], [0.3, 2.0])

    def _over(self):
        self.playing = None
        self._due = []
        self._life.release()

    # Joints.

    def _is_awake(self):
        """Whether the robot has stiffness at all: after a fall, or when somebody sat it down, it has not."""
        awake = self._robot.call("ALMotion", "robotIsWakeUp")
        self.refusal = None if awake else "the robot rests or has fallen; it plays nothing until it is awake."
        self._tell("awake", self.refusal)
        return awake

    def _guarded(self, name, joints):
        """What ALMotion takes for {joint: (times_s, angles)}; None, and a sentence, where it is refused."""
        known = [joint for joint in joints if joint in self._body.limits]
        try:
            now = self._robot.call("ALMotion", "getAngles", known, True) if known else []
            keys = guard.check(joints, self._body.limits, dict(zip(known, now)))
        except guard.Refused as refused:
            self.refusal = "%s is not played: %s." % (name, refused)
            self._tell("behaviour " + name, self.refusal)
            return None
        self._tell("behaviour " + name, None)
        return keys

    def _move(self, keys):
        """The future of one angleInterpolation of what `_guarded` gave, or None where there is none."""
        names, angles, times_s = keys
        if not names:
            return None
        self._foreign = set(self._tasks())
        return self._send("ALMotion", "angleInterpolation", names, angles, times_s, True)

    def _installed(self, paths):
        """The first of NAOqi's own animations that this robot has, or None."""
        for path in paths:
            if self._robot.offers("ALBehaviorManager", "isBehaviorInstalled") and self._robot.call(
                "ALBehaviorManager", "isBehaviorInstalled", path
            ):
                return path
        return None

    def _run(self, path):
        self._foreign = set(self._tasks())
        return self._send("ALBehaviorManager", "runBehavior", path)

    def _end_motion(self):
        """End our own motion, if it still runs."""
        if self._motion is not None and not self._motion.isFinished():
            if self._builtin:
                self._send("ALBehaviorManager", "stopBehavior", self._builtin)
            for task in self._tasks():
                if task not in self._foreign:
                    self._robot.call("ALMotion", "killTask", task)
        self._motion = self._builtin = None

    def _tasks(self):
        """Ids of the angleInterpolations that run in the robot."""
        rows = self._robot.call("ALMotion", "getTaskList") or []
        return [row[1] for row in rows if "angleinterpolation" in str(row[0]).lower()]

    # Voice, lights, sounds.

    def _speak(self, texts):
        """Say one of {language: [text, ...]}, in its turn, in the best language that there is a voice for."""
        found = choice.words(texts, self._body.language, self._body.languages, self._spoken)
        self._spoken += 1
        if found is None:
            if self._body.languages:  # else it was told already that this robot cannot speak
                self._tell("words", "there are no words for this in %s." % ", ".join(self._body.languages))
            return
        language, text = found
        more = () if language == self._body.language else (language,)
        self._send("ALTextToSpeech", "say", text, *more)

    def _light(self, method, *arguments):
        self._send("ALLeds", method, *arguments)

    def _play_sound(self, path):
        self._sound = self._send("ALAudioPlayer", "playFile", path)

    def _send(self, service, method, *arguments):
        """The future of a call that nobody waits for; None where it is refused, which harms nothing else."""
        try:
            return self._robot.start(service, method, *arguments)
        except RobotLost:
            raise
        except RobotError as error:
            self._tell(service, "%s" % error)
            return None


def _agenda(player, behavior):
    """[(at_s, function, arguments), ...] of all that is not motion, in the order of time."""
    due = [(at_s, player._light, ("fadeRGB", EYES, colour, fade_s)) for at_s, colour, fade_s in behavior.eyes]
    due += [(at_s, player._light, ("fade", EARS, level, fade_s)) for at_s, level, fade_s in behavior.ears]
    due += [(at_s, player._speak, (texts,)) for at_s, texts in behavior.say]
    due += [(at_s, player._play_sound, (path,)) for at_s, path in behavior.sounds]
    return sorted(due, key=lambda row: row[0])
