"""What can go wrong with a NAO, at a word: it falls, is lifted, touched, runs hot or empty, or is out of reach.

    session.service("VirtualNAO").fall()      in a test, or by hand to see what a program does

No real robot has this service. It changes what the others say and do; it never talks to a program itself.
"""

from . import body
from .service import Refused, Service, as_list, number, offered, word

FALL_S = 0.5  # from losing its balance to lying there
TOUCH_S = 0.15  # a quick tap
SENSORS = {
    "head": ("FrontTactilTouched", "Device/SubDeviceList/Head/Touch/Front/Sensor/Value"),
    "left bumper": ("LeftBumperPressed",),
    "right bumper": ("RightBumperPressed",),
}
MOST_LEAKED = 8  # the most subscriptions under one name that any NAOqi keeps


class Outside(Service):
    """The world around the robot, as a service: what happens to it, and what puts it right again."""

    name = "VirtualNAO"

    @offered
    def fall(self):
        """It loses its balance: the fall manager ends all motion and, once it lies, takes the stiffness."""
        memory, motion = self.nao["ALMemory"], self.nao["ALMotion"]
        memory.tell("ALMotion/RobotIsFalling", True)
        motion.killAll()

        def lie():
            motion.killAll()
            self.nao.lying, self.nao.awake = "LyingBelly", False
            self.nao.stiffnesses.update(dict.fromkeys(body.JOINTS, 0.0))
            memory.tell("robotHasFallen", True)
            memory.tell("footContact", 0.0)

        self.nao.at(self.nao.lived_s + FALL_S, lie)

    @offered
    def standUp(self):
        """Somebody sets it on its feet and wakes it."""
        memory = self.nao["ALMemory"]
        self.nao.lying, self.nao.awake = None, True
        self.nao.stiffnesses.update(dict.fromkeys(body.JOINTS, 1.0))
        self.nao.angles.update(body.POSTURES["Stand"])
        for key, value in (("ALMotion/RobotIsFalling", False), ("robotHasFallen", False), ("footContact", 1.0)):
            memory.tell(key, value)

    @offered
    def lift(self):
        """Somebody takes it up."""
        self.nao["ALMemory"].tell("footContact", 0.0)
        self.nao["ALMemory"].tell("footContactChanged", False)

    @offered
    def putDown(self):
        """And down again."""
        self.nao["ALMemory"].tell("footContact", 1.0)
        self.nao["ALMemory"].tell("footContactChanged", True)

    @offered
    def touch(self, where, seconds=TOUCH_S):
        """One of SENSORS is pressed for so long."""
        if where not in SENSORS:
            raise Refused(f"there is no {where!r} to touch; there are {', '.join(SENSORS)}.")
        self._press(where, 1.0)
        self.nao.at(self.nao.lived_s + number(seconds, "the time"), lambda: self._press(where, 0.0))

    def _press(self, where, value):
        for key in SENSORS[where]:
            self.nao["ALMemory"].tell(key, value)

    @offered
    def charge(self, percent):
        """The battery has so much left, 0..100."""
        self.nao["ALMemory"].tell("BatteryChargeChanged", int(number(percent, "the charge")))

    @offered
    def heat(self, joints):
        """The motors of these joints are hot, and no others; [] cools all."""
        hot = [f"Device/SubDeviceList/{word(joint, 'a joint')}/Temperature/Sensor/Value" for joint in joints]
        self.nao["ALMemory"].tell("HotDeviceDetected", hot)

    @offered
    def leak(self, name, count):
        """A program that subscribed to the camera `count` times under `name` was killed."""
        for handle in (f"{name}_{n}" for n in range(min(int(count), MOST_LEAKED))):
            self.nao["ALVideoDevice"].leave_behind(handle)

    @offered
    def setLanguages(self, languages):
        """The languages that are installed, of those it knows; none at all, too."""
        self.nao["ALTextToSpeech"].installed = as_list(languages)

    @offered
    def loseSessions(self, seconds):
        """All connections break, and none is taken for so long; the robot itself lives on."""
        self.nao.lose_sessions(number(seconds, "the time"))
