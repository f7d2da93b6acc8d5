"""Breath: what a NAO that is told to breathe does with joints that nothing else uses. It decides for none.

How far each joint goes is our own; a real one looks much like it.
"""

import math

from . import body

# rad at an amplitude of 1: shoulders and elbows swing a little; the legs, which carry it, far less
DEPTH_RAD = {
    "HeadPitch": 0.02,
    "LShoulderPitch": 0.06,
    "RShoulderPitch": 0.06,
    "LElbowRoll": -0.05,
    "RElbowRoll": 0.05,
    "LHipPitch": 0.01,
    "RHipPitch": 0.01,
    "LAnklePitch": -0.01,
    "RAnklePitch": -0.01,
}


class Breath:
    """How the joints stand off from where they would be without breath."""

    def __init__(self, nao):
        self.nao = nao
        self.config = {"Bpm": 12.0, "Amplitude": 0.5}
        self._off_rad = {}

    def breathe(self, now_s: float, joints: set):
        """Bring those of `joints` that breathe to where the breath is now, and the others back."""
        if not joints and not self._off_rad:
            return
        swing = math.sin(2 * math.pi * now_s * self.config["Bpm"] / 60) * self.config["Amplitude"]
        for joint, depth_rad in DEPTH_RAD.items():
            before = self._off_rad.pop(joint, 0.0)
            wanted = depth_rad * swing if joint in joints else 0.0
            if self.nao.stiffnesses[joint] == 0 or wanted == before == 0.0:
                continue
            low, high = body.JOINTS[joint][:2]
            free = self.nao.angles[joint] - before
            self.nao.angles[joint] = min(max(free + wanted, low), high)
            if joint in joints:
                self._off_rad[joint] = self.nao.angles[joint] - free

    def hold(self, joints):
        """These joints are used by something else from now on: where they are now is where they are."""
        for joint in joints:
            self._off_rad.pop(joint, None)
