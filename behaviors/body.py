"""NAO's upper body as bones and capsules: where every part is at given angles, and how near parts come.

Forward kinematics and distances, for the collision check and for drawings; no physics. PC only (numpy).
Origin and axes are those of NAO's torso: x forward, y to its left, z up, in metres.

Bones are from the URDF of NAO H25 (naoqi_driver2, share/urdf/nao.urdf, Apache-2.0). The capsules are our
own, set by the bones and by where the sensors sit in the shell; take clearances as good to about 1 cm.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from behaviors.joints import JOINTS, STAND

# joint: (the joint before it or None for the torso, where it sits on that one in m, axis it turns about)
_ARM = {
    "ShoulderPitch": (None, (0, 0.098, 0.100), (0, 1, 0)),
    "ShoulderRoll": ("ShoulderPitch", (0, 0, 0), (0, 0, 1)),
    "ElbowYaw": ("ShoulderRoll", (0.105, 0.015, 0), (1, 0, 0)),
    "ElbowRoll": ("ElbowYaw", (0, 0, 0), (0, 0, 1)),
    "WristYaw": ("ElbowRoll", (0.05595, 0, 0), (1, 0, 0)),
}
_LEG = {
    "HipYawPitch": (None, (0, 0.050, -0.085), (0, 0.707106, -0.707106)),
    "HipRoll": ("HipYawPitch", (0, 0, 0), (1, 0, 0)),
    "HipPitch": ("HipRoll", (0, 0, 0), (0, 1, 0)),
    "KneePitch": ("HipPitch", (0, 0, -0.100), (0, 1, 0)),
    "AnklePitch": ("KneePitch", (0, 0, -0.1029), (0, 1, 0)),
    "AnkleRoll": ("AnklePitch", (0, 0, 0), (1, 0, 0)),
}
# NAOqi's postures, a column each: the left side, in rad. From qibullet's robot_posture.py (Apache-2.0).
_POSTURE_NAMES = ("Stand", "StandInit", "StandZero", "Crouch", "Sit")
_POSTURE_ROWS = {
    "HeadYaw": (0.0, 0.0, 0.0, 0.0, -0.046),
    "HeadPitch": (-0.17, 0.0, 0.0, 0.10, -0.040),
    "LShoulderPitch": (1.4426, 1.40, 0.0, 1.3969, 0.8819),
    "LShoulderRoll": (0.2245, 0.30, 0.0087, 0.1596, 0.2595),
    "LElbowYaw": (-1.2023, -1.39, 0.0, -0.7917, -0.4521),
    "LElbowRoll": (-0.4173, -1.01, -0.0349, -1.0737, -1.1905),
    "LWristYaw": (0.10, 0.0, 0.0, 0.15, -0.017),
    "LHand": (0.30, 0.25, 0.0, 0.0, 0.289),
    "LHipYawPitch": (-0.170, 0.0, 0.0, -0.25, -0.607),
    "LHipRoll": (0.119, 0.0, 0.0, -0.08, 0.273),
    "LHipPitch": (0.127, -0.45, 0.0, -0.70, -1.532),
    "LKneePitch": (-0.092, 0.70, 0.0, 2.11, 1.390),
    "LAnklePitch": (0.087, -0.35, 0.0, -1.18, 0.839),
    "LAnkleRoll": (-0.111, 0.0, 0.0, 0.077, -0.012),
}


def _both_sides(table: dict) -> dict:
    """The left side's bones, and the right side's as their mirror image at y = 0."""
    bones = {}
    for side, sign in (("L", 1), ("R", -1)):
        for joint, (parent, (x, y, z), (ax, ay, az)) in table.items():
            mirrored = joint == "HipYawPitch" and side == "R"
            axis = (ax, ay, -az) if mirrored else (ax, ay, az)
            bones[side + joint] = (parent and side + parent, (x, sign * y, z), axis)
    return bones


BONES = {
    "HeadYaw": (None, (0, 0, 0.1265), (0, 0, 1)),
    "HeadPitch": ("HeadYaw", (0, 0, 0), (0, 1, 0)),
    **_both_sides(_ARM),
    **_both_sides(_LEG),
}


def _posture(column: int) -> dict[str, float]:
    angles = {}
    for joint, row in _POSTURE_ROWS.items():
        angles[joint] = row[column]
        if JOINTS[joint].mirror:
            angles[JOINTS[joint].mirror] = JOINTS[joint].mirror_sign * row[column]
    return angles


# {posture: {joint: rad}}, all 26 joints.
POSTURES = {name: _posture(column) for column, name in enumerate(_POSTURE_NAMES)}
LEGS_IN_STAND = {joint: angle for joint, angle in POSTURES["Stand"].items() if joint not in STAND}


class Capsule(NamedTuple):
    """All points nearer than `radius_m` to the line from `start` to `end`, m, in the frame of `joint`."""

    joint: str | None
    start: tuple[float, float, float]
    end: tuple[float, float, float]
    radius_m: float


_TRUNK = {
    "chest": Capsule(None, (0, -0.045, 0.070), (0, 0.045, 0.070), 0.052),
    "belly": Capsule(None, (0, -0.024, 0.000), (0, 0.024, 0.000), 0.052),
    "pelvis": Capsule(None, (0, -0.012, -0.065), (0, 0.012, -0.065), 0.052),
    "head": Capsule("HeadPitch", (0, -0.012, 0.055), (0, 0.012, 0.055), 0.058),
}
_LIMBS = {
    "upper arm": Capsule("ShoulderRoll", (0, 0, 0), (0.100, 0.012, 0), 0.028),
    "forearm": Capsule("ElbowRoll", (0.005, 0, 0), (0.050, 0, 0), 0.027),
    "hand": Capsule("WristYaw", (0.015, 0, 0), (0.085, 0, -0.005), 0.024),
    "thigh": Capsule("HipPitch", (0, 0, 0), (0, 0, -0.100), 0.042),
    "shin": Capsule("KneePitch", (0, 0, 0), (0, 0, -0.095), 0.038),
    "foot": Capsule("AnkleRoll", (-0.030, 0, -0.030), (0.065, 0, -0.030), 0.018),
}


def _flip(point: tuple, sign: int) -> tuple:
    return (point[0], sign * point[1], point[2])


CAPSULES = {
    **_TRUNK,
    **{
        f"{word} {part}": Capsule(side + c.joint, _flip(c.start, sign), _flip(c.end, sign), c.radius_m)
        for side, sign, word in (("L", 1, "left"), ("R", -1, "right"))
        for part, c in _LIMBS.items()
    },
}

_MOVING = ("forearm", "hand")
PAIRS = tuple(
    [
        (f"{side} {part}", other)
        for side in ("left", "right")
        for part in _MOVING
        for other in ("head", "chest", "belly", "pelvis", "left thigh", "right thigh")
    ]
    + [(f"{side} upper arm", "head") for side in ("left", "right")]
    + [(f"left {a}", f"right {b}") for a in ("upper arm", *_MOVING) for b in ("upper arm", *_MOVING)]
)


def frames(angles: Mapping[str, np.ndarray]) -> dict[str | None, np.ndarray]:
    """Poses (T, 4, 4) of every joint's frame in the torso's, and of the torso itself under None.

    angles: {joint: (T,) or float, rad}; joints that are missing stand as in Stand.
    """
    given = {**STAND, **LEGS_IN_STAND, **angles}
    count = max(np.size(angle) for angle in given.values())
    poses: dict[str | None, np.ndarray] = {None: np.tile(np.eye(4), (count, 1, 1))}
    for joint, (parent, offset, axis) in BONES.items():
        step = np.tile(np.eye(4), (count, 1, 1))
        step[:, :3, :3] = _rotations(np.asarray(axis, float), np.broadcast_to(given[joint], count))
        step[:, :3, 3] = offset
        poses[joint] = poses[parent] @ step
    return poses


def _rotations(axis: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """(T, 3, 3) rotations about a unit axis (3,), by Rodrigues' formula."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    sin, cos = np.sin(angles)[:, None, None], np.cos(angles)[:, None, None]
    return np.eye(3) + sin * cross + (1 - cos) * (cross @ cross)


def segments(angles: Mapping[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """{capsule: (starts (T, 3), ends (T, 3))} in the torso's frame, m."""
    poses = frames(angles)
    return {
        name: (in_torso(poses[c.joint], c.start), in_torso(poses[c.joint], c.end))
        for name, c in CAPSULES.items()
    }


def in_torso(poses: np.ndarray, point: tuple) -> np.ndarray:
    """(T, 3): a point of a frame (T, 4, 4), seen from the torso."""
    return poses[:, :3, :3] @ np.asarray(point, float) + poses[:, :3, 3]


def clearances(angles: Mapping[str, np.ndarray]) -> dict[tuple[str, str], np.ndarray]:
    """{(part, part): gap (T,) in m}, negative where the two capsules overlap, for all of PAIRS."""
    lines = segments(angles)
    return {
        (a, b): segment_distance(*lines[a], *lines[b]) - CAPSULES[a].radius_m - CAPSULES[b].radius_m
        for a, b in PAIRS
    }


def segment_distance(p: np.ndarray, p_end: np.ndarray, q: np.ndarray, q_end: np.ndarray) -> np.ndarray:
    """(T,) shortest distances between the segments p..p_end and q..q_end, each (T, 3) and longer than 0.

    The nearest points lie inside both segments or at an end of one of them: the least of these five is it.
    """
    u, v, w = p_end - p, q_end - q, p - q
    a, b, c, d, e = (np.sum(m * n, 1) for m, n in ((u, u), (u, v), (v, v), (u, w), (v, w)))
    squares = a * c - b * b  # 0 for parallel segments, where an end decides
    inner = np.where(squares > 1e-12, (b * e - c * d) / np.maximum(squares, 1e-12), 0).clip(0, 1)
    found = [_to_segment(p + inner[:, None] * u, q, v)]
    found += [_to_segment(point, q, v) for point in (p, p_end)]
    found += [_to_segment(point, p, u) for point in (q, q_end)]
    return np.min(found, axis=0)


def _to_segment(points: np.ndarray, start: np.ndarray, way: np.ndarray) -> np.ndarray:
    share = (np.sum((points - start) * way, 1) / np.sum(way * way, 1)).clip(0, 1)
    return np.linalg.norm(points - start - share[:, None] * way, axis=1)
