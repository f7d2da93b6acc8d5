"""The body of a NAO H25 in numbers: joints, chains and postures. It never moves anything.

Sources: ranges, torques and speeds are those of the public URDF of the NAO H25 V5.0 (ros-naoqi/naoqi_driver2);
the coupled limit of the head is Aldebaran's page "Joints, H25"; the postures but three are those of qiBullet
(`robot_posture.py`). The figures are kept apart from `behaviors/joints.py` on purpose: a wrong one there shows
when this robot plays the sheets, and a test compares the two tables.
"""

from typing import NamedTuple


class Joint(NamedTuple):
    """One joint: range in rad (hands: 0 closed to 1 open), speed in rad/s (hands: 1/s), torque in Nm."""

    min_rad: float
    max_rad: float
    max_speed_rad_s: float
    max_torque_nm: float


HEAD = {
    "HeadYaw": Joint(-2.08567, 2.08567, 8.26797, 1.547),
    "HeadPitch": Joint(-0.671952, 0.514872, 7.19407, 1.532),
}
LEFT_ARM = {
    "LShoulderPitch": Joint(-2.08567, 2.08567, 8.26797, 1.329),
    "LShoulderRoll": Joint(-0.314159, 1.32645, 7.19407, 1.7835),
    "LElbowYaw": Joint(-2.08567, 2.08567, 8.26797, 1.547),
    "LElbowRoll": Joint(-1.54462, -0.0349066, 7.19407, 1.532),
    "LWristYaw": Joint(-1.82387, 1.82387, 24.6229, 0.4075),
    "LHand": Joint(0.0, 1.0, 8.33, 0.292),
}
LEFT_LEG = {
    "LHipYawPitch": Joint(-1.14529, 0.740718, 4.16174, 3.348),
    "LHipRoll": Joint(-0.379435, 0.79046, 4.16174, 3.348),
    "LHipPitch": Joint(-1.53589, 0.48398, 6.40239, 3.023),
    "LKneePitch": Joint(-0.0923279, 2.11255, 6.40239, 3.023),
    "LAnklePitch": Joint(-1.18944, 0.922581, 6.40239, 3.023),
    "LAnkleRoll": Joint(-0.397761, 0.768992, 4.16174, 3.348),
}
RIGHT_LEG = {
    "RHipYawPitch": Joint(-1.14529, 0.740718, 4.16174, 3.348),
    "RHipRoll": Joint(-0.79046, 0.379435, 4.16174, 3.348),
    "RHipPitch": Joint(-1.53589, 0.48398, 6.40239, 3.0226),
    "RKneePitch": Joint(-0.0923279, 2.11255, 6.40239, 3.0226),
    "RAnklePitch": Joint(-1.1863, 0.932006, 6.40239, 3.0226),
    "RAnkleRoll": Joint(-0.768992, 0.397761, 4.16174, 3.348),
}
RIGHT_ARM = {
    "RShoulderPitch": Joint(-2.08567, 2.08567, 8.26797, 1.329),
    "RShoulderRoll": Joint(-1.32645, 0.314159, 7.19407, 1.783),
    "RElbowYaw": Joint(-2.08567, 2.08567, 8.26797, 1.547),
    "RElbowRoll": Joint(0.0349066, 1.54462, 7.19407, 1.532),
    "RWristYaw": Joint(-1.82387, 1.82387, 24.6229, 0.4075),
    "RHand": Joint(0.0, 1.0, 8.33, 0.292),
}

# In the order of getBodyNames("Body").
JOINTS = {**HEAD, **LEFT_ARM, **LEFT_LEG, **RIGHT_LEG, **RIGHT_ARM}

CHAINS = {
    "Body": tuple(JOINTS),
    "JointActuators": tuple(JOINTS),
    "Actuators": tuple(JOINTS),
    "Joints": tuple(JOINTS),
    "Head": tuple(HEAD),
    "LArm": tuple(LEFT_ARM),
    "RArm": tuple(RIGHT_ARM),
    "LLeg": tuple(LEFT_LEG),
    "RLeg": tuple(RIGHT_LEG),
    "Arms": (*LEFT_ARM, *RIGHT_ARM),
    "Legs": (*LEFT_LEG, *RIGHT_LEG),
    "Hands": ("LHand", "RHand"),
}

# HeadPitch may use less of its range the further the head is turned: rows of (abs(yaw), lowest, highest), rad.
HEAD_COUPLING = (
    (0.000000, -0.671951, 0.515047),
    (0.486074, -0.671951, 0.422021),
    (0.756077, -0.548033, 0.370010),
    (0.903033, -0.479965, 0.330041),
    (1.089958, -0.430049, 0.300022),
    (1.526988, -0.330041, 0.200015),
    (2.086017, -0.449073, 0.330041),
)


def head_pitch_limits(yaw_rad: float) -> tuple[float, float]:
    """The lowest and highest HeadPitch (rad) at a HeadYaw; linear between the rows of HEAD_COUPLING."""
    yaw = min(abs(yaw_rad), HEAD_COUPLING[-1][0])
    for (yaw0, low0, high0), (yaw1, low1, high1) in zip(HEAD_COUPLING, HEAD_COUPLING[1:], strict=False):
        if yaw <= yaw1:
            part = (yaw - yaw0) / (yaw1 - yaw0)
            low, high = low0 + part * (low1 - low0), high0 + part * (high1 - high0)
            break
    return max(low, JOINTS["HeadPitch"].min_rad), min(high, JOINTS["HeadPitch"].max_rad)


# Which left joints change sign on the right side.
MIRRORED_WITH_SIGN = ("ShoulderRoll", "ElbowYaw", "ElbowRoll", "WristYaw", "HipRoll", "AnkleRoll")


def _posture(head, arm, leg) -> dict[str, float]:
    """A whole posture from the head and the left side; the right side is its mirror image."""
    angles = dict(zip(HEAD, head, strict=True))
    for name, angle in zip((*LEFT_ARM, *LEFT_LEG), (*arm, *leg), strict=True):
        angles[name] = angle
        angles["R" + name[1:]] = -angle if name[1:] in MIRRORED_WITH_SIGN else angle
    return {name: angles[name] for name in JOINTS}


# Angles in rad, hands 0..1; arms and legs in the order of LEFT_ARM and LEFT_LEG.
POSTURES = {
    "Stand": _posture(
        (0.0, -0.17),
        (1.4426, 0.2245, -1.2023, -0.4173, 0.10, 0.30),
        (-0.170, 0.119, 0.127, -0.092, 0.087, -0.111),
    ),
    "StandInit": _posture(
        (0.0, 0.0), (1.40, 0.30, -1.39, -1.01, 0.0, 0.25), (0.0, 0.0, -0.45, 0.70, -0.35, 0.0)
    ),
    "StandZero": _posture((0.0, 0.0), (0.0, 0.0087, 0.0, -0.0349066, 0.0, 0.0), (0.0,) * 6),
    "Crouch": _posture(
        (0.0, 0.10), (1.3969, 0.1596, -0.7917, -1.0737, 0.15, 0.0), (-0.25, -0.08, -0.70, 2.11, -1.18, 0.077)
    ),
    "Sit": _posture(
        (-0.046, -0.040),
        (0.8819, 0.2595, -0.4521, -1.1905, -0.017, 0.289),
        (-0.607, 0.273, -1.532, 1.390, 0.839, -0.012),
    ),
    # These three are our own: no source that we may use gives them.
    "SitRelax": _posture(
        (0.0, -0.10), (1.90, 0.25, -0.60, -0.15, -0.5, 0.3), (-0.55, 0.15, -0.90, 0.10, 0.85, 0.0)
    ),
    "LyingBelly": _posture(
        (0.0, -0.60), (-1.30, 0.25, -0.30, -1.20, 0.0, 0.3), (0.0, 0.0, 0.45, -0.05, 0.80, 0.0)
    ),
    "LyingBack": _posture((0.0, 0.0), (1.60, 0.25, -0.30, -0.60, 0.0, 0.3), (0.0, 0.0, -0.45, 0.05, 0.60, 0.0)),
}
LYING = ("LyingBelly", "LyingBack")

FAMILIES = {
    "Stand": "Standing",
    "StandInit": "Standing",
    "StandZero": "Standing",
    "Crouch": "Crouching",
    "Sit": "Sitting",
    "SitRelax": "Sitting",
    "LyingBelly": "LyingBelly",
    "LyingBack": "LyingBack",
}
