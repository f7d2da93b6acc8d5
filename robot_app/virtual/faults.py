"""The world around the virtual NAO, at a word: what touches it, pushes it, stands before it, speaks to it; how
its battery, motors and network are.

    session.service("VirtualNAO").fall()      in a test, or by hand to see what a program does

No real robot has this service. It changes what the others say and do; it never talks to a program itself.
"""

import json

from . import body
from .senses import FAR_M, SENSORS
from .service import Refused, Service, as_list, number, offered, one_of, word
from .voice import LANGUAGES

FALL_S = 0.5  # from losing its balance to lying there
TOUCH_S = 0.15  # a quick tap
MOST_LEAKED = 8  # the most subscriptions under one name that any NAOqi keeps
SLOWEST_S = 10.0


class Outside(Service):
    """The world around the robot, as a service: what happens to it, and what puts it right again."""

    name = "VirtualNAO"

    # Balance

    @offered
    def fall(self):
        """It loses its balance: the fall manager ends all motion and, once it lies, takes the stiffness."""
        memory, motion = self.nao["ALMemory"], self.nao["ALMotion"]
        memory.tell(self.nao.profile.falling, True)
        motion.killAll()

        def lie():
            motion.killAll()
            self.nao.lying, self.nao.awake = "LyingBelly", False
            self.nao.stiffnesses.update(dict.fromkeys(body.JOINTS, 0.0))
            memory.tell("robotHasFallen", True)
            self._feel_feet()

        self.nao.at(self.nao.lived_s + FALL_S, lie)

    @offered
    def standUp(self):
        """Somebody sets it on its feet and wakes it."""
        memory = self.nao["ALMemory"]
        self.nao["ALMotion"].killAll()
        self.nao.lying, self.nao.awake = None, True
        self.nao.senses.lifted = False
        self.nao.stiffnesses.update(dict.fromkeys(body.JOINTS, 1.0))
        self.nao.angles.update(body.POSTURES["Stand"])
        for key, value in ((self.nao.profile.falling, False), ("robotHasFallen", False)):
            memory.tell(key, value)
        self._feel_feet()

    @offered
    def lift(self):
        """Somebody takes it up; a walk ends."""
        self.nao["ALMotion"].walk.stop()
        self.nao.senses.lifted = True
        self._feel_feet()

    @offered
    def putDown(self):
        """And down again."""
        self.nao.senses.lifted = False
        self._feel_feet()

    def _feel_feet(self):
        ground, memory = not (self.nao.senses.lifted or self.nao.lying), self.nao["ALMemory"]
        changed = memory.getData("footContact") != float(ground)
        memory.tell("footContact", float(ground))
        if changed:
            memory.tell("footContactChanged", ground)

    # Touch and distance

    @offered
    def touch(self, where, seconds=TOUCH_S):
        """One of senses.SENSORS ("head", "left bumper", "chest", ...) is pressed for so long."""
        self._known(where)
        self.nao.senses.press(where, True)
        self.nao.at(self.nao.lived_s + number(seconds, "the time"), lambda: self.nao.senses.press(where, False))

    @offered
    def press(self, where):
        """One of them is pressed, until `release`."""
        self.nao.senses.press(self._known(where), True)

    @offered
    def release(self, where):
        """And let go."""
        self.nao.senses.press(self._known(where), False)

    def _known(self, where):
        if where not in SENSORS:
            raise Refused(f"there is no {where!r} to touch; there are {', '.join(SENSORS)}.")
        return where

    @offered
    def obstacle(self, left_m, right_m):
        """Something stands so far before its left and right sonar; 5 m and more is nothing."""
        left_m, right_m = number(left_m, "the distance"), number(right_m, "the distance")
        self.nao.senses.put_obstacles(min(max(left_m, 0.0), FAR_M), min(max(right_m, 0.0), FAR_M))
        self.nao["ALSonar"].look()

    # What it sees and hears, beyond its camera's picture

    @offered
    def hear(self, phrase, confidence=0.6):
        """Somebody says a phrase: ALSpeechRecognition knows it where it listens and it is in its vocabulary."""
        confidence = number(confidence, "the confidence")
        return self.nao["ALSpeechRecognition"].hear(word(phrase, "the phrase"), confidence)

    @offered
    def sound(self, azimuth_rad=0.0, elevation_rad=0.0, loudness=0.8):
        """A noise from a direction, for ALSoundDetection and ALSoundLocalization."""
        numbers = [number(value, "the sound") for value in (azimuth_rad, elevation_rad, loudness)]
        for ear in ("ALSoundDetection", "ALSoundLocalization", "ALAudioSourceLocalization"):
            self.nao[ear].notice_sound(*numbers)

    @offered(arities=range(1, 9))
    def see(self, kind, *directions):
        """ALFaceDetection ("face"), ALLandMarkDetection ("landmark") or ALBarcodeReader ("barcode") finds
        something: nothing at all, or [alpha rad, beta rad] or [number or text, alpha rad, beta rad] of each;
        ALPeoplePerception ("person") finds [number, neutral, happy, surprised, angry, sad], shares 0..1."""
        seers = {"face": "ALFaceDetection", "landmark": "ALLandMarkDetection", "barcode": "ALBarcodeReader"}
        seers["person"] = "ALPeoplePerception"
        if kind not in seers:
            raise Refused(f"nothing looks for a {kind!r}; there are {', '.join(seers)}.")
        self.nao[seers[kind]].find([as_list(direction) for direction in directions])

    # Its own state

    @offered
    def charge(self, percent):
        """The battery has so much left, 0..100."""
        if not 0 <= number(percent, "the charge") <= 100:
            raise Refused(f"the charge must lie in 0..100, not {percent!r}.")
        memory = self.nao["ALMemory"]
        memory.tell("BatteryChargeChanged", int(percent))
        memory.tell("BatteryEmpty", int(percent) == 0)

    @offered
    def plug(self, plugged):
        """The charger is put in, or pulled out."""
        self.nao.senses.plugged = bool(plugged)
        self.nao["ALMemory"].tell("BatteryPowerPluggedChanged", bool(plugged))

    @offered
    def heat(self, joints):
        """The motors of these joints are hot, and no others; [] cools all."""
        joints = [word(joint, "a joint") for joint in as_list(joints)]
        unknown = [joint for joint in joints if joint not in body.JOINTS]
        if unknown:
            raise Refused(f"there is no motor {unknown[0]!r}.")
        self.nao.senses.hot = set(joints)
        hot = [f"Device/SubDeviceList/{joint}/Temperature/Sensor/Value" for joint in joints]
        self.nao["ALMemory"].tell("HotDeviceDetected", hot)

    @offered
    def leak(self, name, count):
        """A program that subscribed to the camera `count` times under `name` was killed."""
        for handle in (f"{name}_{n}" for n in range(min(int(count), MOST_LEAKED))):
            self.nao["ALVideoDevice"].leave_behind(handle)

    @offered
    def setLanguages(self, languages):
        """The languages that are installed, of those it knows; none at all, too."""
        languages = as_list(languages)
        for language in languages:
            one_of(LANGUAGES, "language")(language)
        self.nao["ALTextToSpeech"].installed = languages

    @offered
    def install(self, behavior, seconds):
        """A behavior or animation of this name is installed; it does nothing, for so long."""
        self.nao.installed[word(behavior, "the behavior")] = max(0.0, number(seconds, "the time"))

    @offered(counted=True)
    def diary(self, since_s=0.0):
        """The lines of the diary that were written at or after `since_s`, as one text of JSON lines."""
        since_s = number(since_s, "the time")
        return "\n".join(json.dumps(line) for line in self.nao.diary.find() if line["at_s"] >= since_s)

    # Its network

    @offered
    def loseSessions(self, seconds):
        """All connections break, and none is taken for so long; the robot itself lives on."""
        self.nao.lose_sessions(number(seconds, "the time"))

    @offered
    def slowNetwork(self, seconds):
        """Every answer comes so much later from now on."""
        if not 0 <= number(seconds, "the time") <= SLOWEST_S:
            raise Refused(f"the network can be slower by 0..{SLOWEST_S:g} s, not by {seconds!r}.")
        self.nao.latency_s = float(seconds)
