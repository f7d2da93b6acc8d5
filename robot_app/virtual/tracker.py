"""ALTracker: head and arms turn towards places, by the kinematics of the body. It sees no target by itself.

`lookAt` and `pointAt` move. A registered target is only kept: nothing here follows it, so it is always lost.
"""

import math

import numpy as np

from . import body, kinematics
from .forms import fraction_of
from .service import Refused, Service, as_list, kept, number, offered, one_of, word

MODES = ("Head", "BodyRotation", "WholeBody", "MoveContextually", "Move", "Navigate")
TARGETS = ("RedBall", "Face", "LandMark", "LandMarks", "People", "Person", "Sound")
EFFECTORS = ("None", "Arms", "LArm", "RArm")
STRAIGHT = {"ElbowYaw": (-1.0, 1.0), "ElbowRoll": (-0.05, 0.05), "WristYaw": (0.0, 0.0)}  # left, right


def _six_numbers(value):
    if len(as_list(value)) != 6:
        raise Refused(f"six numbers are needed, not {value!r}.")
    return [number(item, "a coordinate") for item in value]


class Tracker(Service):
    """ALTracker. Places are [x, y, z] in m in NAOqi's frames: 0 torso, 1 world, 2 robot."""

    name = "ALTracker"

    def __init__(self, nao):
        super().__init__(nao)
        self.targets = {}
        self.active = None

    @offered(arities=(3, 4))
    def lookAt(self, place, *how):
        """Turn the head towards a place: (place, frame, fraction, whole body) or, of old, without the frame."""
        frame, fraction, _ = how if len(how) == 3 else (kinematics.TORSO, *how)
        seen = self._in_torso(place, frame) - kinematics.pose(self.nao.angles, "Head")[:3, 3]
        yaw = math.atan2(seen[1], seen[0])
        pitch = -math.atan2(seen[2], math.hypot(seen[0], seen[1]))
        return self._turn("lookAt", {"HeadYaw": yaw, "HeadPitch": pitch}, fraction)

    @offered
    def pointAt(self, effector, place, frame, fraction):
        """Stretch an arm towards a place: LArm, RArm or Arms."""
        sides = {"LArm": "L", "RArm": "R", "Arms": "LR"}
        if effector not in sides:
            raise Refused(f"unknown effector {effector!r}; there are {', '.join(sides)}.")
        goal = self._in_torso(place, frame)
        angles = {}
        for side in sides[effector]:
            way = goal - kinematics.pose(self.nao.angles, f"{side}ShoulderPitch")[:3, 3]
            angles[f"{side}ShoulderPitch"] = -math.atan2(way[2], way[0])
            angles[f"{side}ShoulderRoll"] = math.atan2(way[1], math.hypot(way[0], way[2]))
            for joint, of_sides in STRAIGHT.items():
                angles[side + joint] = of_sides["LR".index(side)]
        return self._turn("pointAt", angles, fraction)

    def _in_torso(self, place, frame):
        values = [number(value, "a coordinate") for value in as_list(place)]
        if len(values) != 3:
            raise Refused(f"a place has 3 numbers, not {place!r}.")
        motion = self.nao["ALMotion"]
        torso = kinematics.torso_in(frame, self.nao.angles, self.nao.lying, motion.walk.position())
        return (np.linalg.inv(torso) @ [*values, 1.0])[:3]

    def _turn(self, method, angles, fraction):
        """A move that takes the joints there, within their ranges."""
        within = {
            joint: min(max(angle, body.JOINTS[joint].min_rad), body.JOINTS[joint].max_rad)
            for joint, angle in angles.items()
        }
        if "HeadPitch" in within:
            low, high = body.head_pitch_limits(within["HeadYaw"])
            within["HeadPitch"] = min(max(within["HeadPitch"], low), high)
        return self.nao["ALMotion"].move_at_speed(method, within, fraction_of(fraction))

    # Targets, which are kept

    @offered(kept=True)
    def registerTarget(self, name, parameters):
        """One of TARGETS, with its size or numbers."""
        self.targets[one_of(TARGETS, "target")(name)] = parameters

    @offered(kept=True)
    def registerTargets(self, names, parameters):
        """Several."""
        for name, each in zip(as_list(names), as_list(parameters), strict=True):
            self.registerTarget(name, each)

    @offered
    def unregisterTarget(self, name):
        """Forget a target; one that is tracked is let go."""
        if name not in self.targets:
            raise Refused(f"the target {name!r} is not registered.")
        del self.targets[name]
        self.active = None if self.active == name else self.active

    @offered
    def unregisterTargets(self, names):
        """Forget several."""
        for name in as_list(names):
            self.unregisterTarget(name)

    @offered
    def unregisterAllTargets(self):
        """Forget all."""
        self.targets.clear()
        self.active = None

    @offered(kept=True)
    def track(self, name):
        """Follow a registered target; nothing is ever seen of it here."""
        if name not in self.targets:
            registered = ", ".join(self.targets) or "none"
            raise Refused(f"the target {name!r} is not registered; there are {registered}.")
        self.active = name

    @offered(kept=True)
    def trackEvent(self, key):
        """Follow what an event tells; nothing moves here."""
        self.active = word(key, "the key")

    @offered
    def stopTracker(self):
        """Follow nothing."""
        self.active = None

    @offered
    def isActive(self):
        """Whether something is followed."""
        return self.active is not None

    @offered
    def isNewTargetDetected(self):
        """False."""
        return False

    @offered
    def isTargetLost(self):
        """True: nothing is seen of a target here."""
        return True

    @offered
    def getActiveTarget(self):
        """What is followed, or an empty text."""
        return self.active or ""

    @offered
    def getRegisteredTargets(self):
        """The registered targets."""
        return list(self.targets)

    @offered
    def getSupportedTargets(self):
        """All TARGETS."""
        return list(TARGETS)

    @offered(arities=(0, 1))
    def getTargetPosition(self, frame=kinematics.TORSO):
        """[]: where a target is, of which nothing is seen."""
        return []

    setMode, getMode = kept("Mode", "Head", one_of(MODES, "mode"))
    setEffector, getEffector = kept("Effector", "None", one_of(EFFECTORS, "effector"))
    setRelativePosition, getRelativePosition = kept("RelativePosition", [0.0] * 6, _six_numbers)
    setTimeOut, getTimeOut = kept("TimeOut", 2000, lambda value: int(number(value, "the time")))
    setMaximumDistanceDetection, getMaximumDistanceDetection = kept(
        "MaximumDistanceDetection", 2.5, lambda value: number(value, "the distance")
    )

    @offered
    def getAvailableModes(self):
        """All MODES."""
        return list(MODES)
