# -*- coding: utf-8 -*-
"""NAO's joints as a table: how far and how fast each one goes, and its twin on the other side.

Tables and two small functions; nothing here moves a robot. It is valid Python 2.7 and 3 and needs the
standard library alone. Angles are radians; a hand is no angle but an opening, 0 (shut) to 1 (open).
Signs: pitch + is forward and down, roll + is to the robot's left, yaw + turns to its left.

Sources: limits and speeds from the URDF of NAO H25 V5 (naoqi_driver2, share/urdf/nao.urdf, Apache-2.0);
the coupled limits of head and ankles from NAOqi's page "H25 - Joints"; Stand from qibullet's robot_posture.py
(Apache-2.0). On a robot, ALMotion.getLimits knows better.
"""

from __future__ import division, print_function

from collections import namedtuple

# chain    Head, LArm, RArm, LLeg or RLeg
# mirror   the joint on the other side, or None
# mirror_sign   what its angle is multiplied with: -1 for roll and yaw, +1 for pitch and hand
Joint = namedtuple("Joint", "min_rad max_rad max_speed_rad_s chain mirror mirror_sign")

# In the order of ALMotion.getBodyNames("Body").
_TABLE = (
    # name             min      max    rad/s  chain
    ("HeadYaw", -2.0857, 2.0857, 8.268, "Head"),
    ("HeadPitch", -0.6720, 0.5149, 7.194, "Head"),
    ("LShoulderPitch", -2.0857, 2.0857, 8.268, "LArm"),
    ("LShoulderRoll", -0.3142, 1.3265, 7.194, "LArm"),
    ("LElbowYaw", -2.0857, 2.0857, 8.268, "LArm"),
    ("LElbowRoll", -1.5446, -0.0349, 7.194, "LArm"),
    ("LWristYaw", -1.8239, 1.8239, 24.623, "LArm"),
    ("LHand", 0.0, 1.0, 8.33, "LArm"),
    ("LHipYawPitch", -1.1453, 0.7407, 4.162, "LLeg"),
    ("LHipRoll", -0.3794, 0.7905, 4.162, "LLeg"),
    ("LHipPitch", -1.5359, 0.4840, 6.402, "LLeg"),
    ("LKneePitch", -0.0923, 2.1126, 6.402, "LLeg"),
    ("LAnklePitch", -1.1894, 0.9226, 6.402, "LLeg"),
    ("LAnkleRoll", -0.3978, 0.7690, 4.162, "LLeg"),
    ("RHipYawPitch", -1.1453, 0.7407, 4.162, "RLeg"),
    ("RHipRoll", -0.7905, 0.3794, 4.162, "RLeg"),
    ("RHipPitch", -1.5359, 0.4840, 6.402, "RLeg"),
    ("RKneePitch", -0.0923, 2.1126, 6.402, "RLeg"),
    ("RAnklePitch", -1.1863, 0.9320, 6.402, "RLeg"),
    ("RAnkleRoll", -0.7690, 0.3978, 4.162, "RLeg"),
    ("RShoulderPitch", -2.0857, 2.0857, 8.268, "RArm"),
    ("RShoulderRoll", -1.3265, 0.3142, 7.194, "RArm"),
    ("RElbowYaw", -2.0857, 2.0857, 8.268, "RArm"),
    ("RElbowRoll", 0.0349, 1.5446, 7.194, "RArm"),
    ("RWristYaw", -1.8239, 1.8239, 24.623, "RArm"),
    ("RHand", 0.0, 1.0, 8.33, "RArm"),
)

# The arms' twins are negated but for pitch and hand. The hips' one motor moves both legs alike.
_SAME_SIGN = ("Pitch", "Hand", "HipYawPitch")


def _joint(name, low, high, speed, chain):
    if chain == "Head":
        return Joint(low, high, speed, chain, None, 1)
    mirror = ("R" if name[0] == "L" else "L") + name[1:]
    return Joint(low, high, speed, chain, mirror, 1 if name.endswith(_SAME_SIGN) else -1)


BODY_NAMES = tuple(row[0] for row in _TABLE)
JOINTS = dict((row[0], _joint(*row)) for row in _TABLE)

# What a gesture may move. Legs carry the robot: a gesture never touches them.
GESTURE_CHAINS = ("Head", "LArm", "RArm")
GESTURE_NAMES = tuple(name for name in BODY_NAMES if JOINTS[name].chain in GESTURE_CHAINS)

_STAND_LEFT = {
    "LShoulderPitch": 1.4426,
    "LShoulderRoll": 0.2245,
    "LElbowYaw": -1.2023,
    "LElbowRoll": -0.4173,
    "LWristYaw": 0.1,
    "LHand": 0.3,
}
STAND = {"HeadYaw": 0.0, "HeadPitch": -0.17}
STAND.update(_STAND_LEFT)
STAND.update((JOINTS[name].mirror, JOINTS[name].mirror_sign * angle) for name, angle in _STAND_LEFT.items())

# (|HeadYaw|, lowest HeadPitch, highest HeadPitch), linear between the rows: the chin must clear the shoulders.
HEAD_ROWS = (
    (0.000000, -0.671951, 0.515047),
    (0.486074, -0.671951, 0.422021),
    (0.756077, -0.548033, 0.370010),
    (0.903033, -0.479965, 0.330041),
    (1.089958, -0.430049, 0.300022),
    (1.526988, -0.330041, 0.200015),
    (2.086017, -0.449073, 0.330041),
)


# (LAnklePitch, lowest LAnkleRoll, highest LAnkleRoll), linear likewise; the right ankle mirrors it.
ANKLE_ROWS = (
    (-1.189442, -0.049916, 0.075049),
    (-0.840027, -0.179943, 0.169995),
    (-0.700051, -0.397935, 0.220086),
    (-0.449946, -0.397935, 0.768992),
    (0.100007, -0.397935, 0.768992),
    (0.349938, -0.397935, 0.550477),
    (0.922755, 0.000000, 0.049916),
)


def head_pitch_limits(yaw_rad):
    """(lowest, highest) HeadPitch in rad at this HeadYaw."""
    return _between(HEAD_ROWS, abs(yaw_rad))


def ankle_roll_limits(joint, pitch_rad):
    """(lowest, highest) roll in rad of `joint`, LAnkleRoll or RAnkleRoll, at this pitch of the same ankle."""
    low, high = _between(ANKLE_ROWS, pitch_rad)
    return (low, high) if joint == "LAnkleRoll" else (-high, -low)


def _between(rows, at_rad):
    """The two limits at `at_rad`, linear between the rows; beyond the table its last row holds."""
    before = rows[0]
    at_rad = max(at_rad, before[0])
    for row in rows[1:]:
        if at_rad <= row[0]:
            share = (at_rad - before[0]) / (row[0] - before[0])
            return tuple(before[i] + share * (row[i] - before[i]) for i in (1, 2))
        before = row
    return before[1], before[2]
