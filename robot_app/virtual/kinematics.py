"""Where NAO's parts are, and which angles bring a hand, a foot or the head somewhere. It never moves a joint.

The bones are those of behaviors/body.py. Frames are NAOqi's: 0 the torso, 1 the world (where the robot was
switched on), 2 the robot (between its feet, on the floor, looking ahead). x is forward, y left, z up; m, rad.
"""

import math

import numpy as np

from behaviors import body as bones

from . import body
from .service import Refused, number

TORSO, WORLD, ROBOT = 0, 1, 2
LEAN_RAD = {"LyingBelly": math.pi / 2, "LyingBack": -math.pi / 2}
LYING_M = 0.06  # how high the torso's middle is then
ROUNDS, DAMPING, STEP_RAD = 60, 1e-4, 1e-5  # of the search for angles

# name: (the joint that carries it or None for the torso, where it sits there in m, how it is pitched in rad)
EFFECTORS = {
    "Torso": (None, (0, 0, 0), 0.0),
    "Body": (None, (0, 0, 0), 0.0),
    "Head": ("HeadPitch", (0, 0, 0), 0.0),
    "CameraTop": ("HeadPitch", (0.05871, 0, 0.06364), 0.0209),
    "CameraBottom": ("HeadPitch", (0.05071, 0, 0.01774), 0.6929),
    "LArm": ("LWristYaw", (0.05775, 0, -0.01231), 0.0),
    "RArm": ("RWristYaw", (0.05775, 0, -0.01213), 0.0),
    "LHand": ("LWristYaw", (0.05775, 0, -0.01231), 0.0),
    "RHand": ("RWristYaw", (0.05775, 0, -0.01213), 0.0),
    "LLeg": ("LAnkleRoll", (0, 0, -0.04511), 0.0),
    "RLeg": ("RAnkleRoll", (0, 0, -0.04511), 0.0),
    "MicroFront": ("HeadPitch", (0.041, 0, 0.091), 0.0),
    "MicroRear": ("HeadPitch", (-0.0577, 0, 0.0693), 0.0),
    "Accelerometer": (None, (-0.008, 0.00606, 0.027), 0.0),
    "Gyrometer": (None, (-0.008, 0.006, 0.029), 0.0),
    **{joint: (joint, (0, 0, 0), 0.0) for joint in bones.BONES},
}
CHAINS = ("Head", "LArm", "RArm", "LLeg", "RLeg")  # what `reach` can bring somewhere


def pose(angles: dict, name: str) -> np.ndarray:
    """(4, 4): the effector, part or joint `name` in the torso's frame; raises Refused for an unknown one."""
    if name not in EFFECTORS:
        raise Refused(f"unknown part {name!r}; there are {', '.join(EFFECTORS)}.")
    joint, place, pitch_rad = EFFECTORS[name]
    return bones.frames(angles)[joint][0] @ _at(place, (0, pitch_rad, 0))


def torso_in(frame: int, angles: dict, lying, place) -> np.ndarray:
    """(4, 4): the torso in one of the three frames; `place` is [x, y, theta] on the floor."""
    if frame not in (TORSO, WORLD, ROBOT):
        raise Refused(f"unknown frame {frame!r}; there are 0 (torso), 1 (world), 2 (robot).")
    if frame == TORSO:
        return np.eye(4)
    if lying in LEAN_RAD:
        torso = _at((0, 0, LYING_M), (0, LEAN_RAD[lying], 0))
    else:
        frames = bones.frames(angles)
        feet = [(frames[joint][0] @ _at(EFFECTORS["LLeg"][1]))[:3, 3] for joint in ("LAnkleRoll", "RAnkleRoll")]
        middle = np.mean(feet, axis=0)
        torso = _at((-middle[0], -middle[1], -min(foot[2] for foot in feet)))
    if frame == ROBOT:
        return torso
    return _at((place[0], place[1], 0), (0, 0, place[2])) @ torso


def six(pose: np.ndarray) -> list[float]:
    """[x, y, z, wx, wy, wz] of a pose: turned about x first, then y, then z."""
    wy = math.asin(min(max(-pose[2, 0], -1.0), 1.0))
    wx, wz = math.atan2(pose[2, 1], pose[2, 2]), math.atan2(pose[1, 0], pose[0, 0])
    return [*map(float, pose[:3, 3]), wx, wy, wz]


def from_six(numbers) -> np.ndarray:
    """(4, 4) of [x, y, z, wx, wy, wz]; three numbers are a place without a turn."""
    values = [number(value, "a coordinate") for value in numbers]
    if len(values) not in (3, 6):
        raise Refused(f"a position has 6 numbers (x, y, z, wx, wy, wz); {len(values)} came.")
    return _at(values[:3], values[3:] or (0, 0, 0))


def from_transform(numbers) -> np.ndarray:
    """(4, 4) of the 12 or 16 numbers of a transform, row by row."""
    values = [number(value, "a number of the transform") for value in numbers]
    if len(values) not in (12, 16):
        raise Refused(f"a transform has 12 or 16 numbers; {len(values)} came.")
    return np.vstack([np.reshape(values[:12], (3, 4)), [0, 0, 0, 1]])


def moved(begun: np.ndarray, by: np.ndarray) -> np.ndarray:
    """(4, 4): a pose moved and turned by another, along the axes of the frame that both are given in."""
    made = np.eye(4)
    made[:3, :3] = by[:3, :3] @ begun[:3, :3]
    made[:3, 3] = begun[:3, 3] + by[:3, 3]
    return made


def joints_of(chain: str) -> list[str]:
    """The joints of a chain that carry its end; hands close, and carry nothing."""
    return [joint for joint in body.CHAINS[chain] if joint in bones.BONES]


def reach(angles: dict, chain: str, wanted: np.ndarray, mask: int) -> tuple[dict, float]:
    """Angles of a chain's joints that bring its end nearest to a pose in the torso's frame; how far it is off.

    mask   which of x, y, z, wx, wy, wz count: bits 1, 2, 4, 8, 16, 32
    The search goes downhill from `angles`, within the joints' ranges.
    """
    joints = joints_of(chain)
    wanted_bits = np.array([bool(int(mask) & 1 << bit) for bit in range(6)])
    low, high = (np.array([body.JOINTS[joint][side] for joint in joints]) for side in (0, 1))
    now = np.clip([angles[joint] for joint in joints], low, high)
    best, best_off, idle = now, math.inf, 0
    for _ in range(ROUNDS):
        errors = _errors(angles, chain, joints, now, wanted)[:, wanted_bits]
        off = float(np.linalg.norm(errors[0]))
        idle = 0 if off < 0.999 * best_off else idle + 1
        if off < best_off:
            best, best_off = now, off
        if off < 1e-5 or idle > 3:
            break
        jacobian = (errors[0] - errors[1:]).T / STEP_RAD
        square = jacobian.T @ jacobian + DAMPING * np.eye(len(joints))
        now = np.clip(now + np.clip(np.linalg.solve(square, jacobian.T @ errors[0]), -0.3, 0.3), low, high)
    return dict(zip(joints, map(float, best), strict=True)), best_off


def _errors(angles, chain, joints, now, wanted):
    """(1 + joints, 6): what is missing at `now`, and with each joint a small step further."""
    steps = np.vstack([now, now + STEP_RAD * np.eye(len(joints))])
    frames = bones.frames({**angles, **dict(zip(joints, steps.T, strict=True))})
    joint, place, pitch_rad = EFFECTORS[chain]
    is_at = frames[joint] @ _at(place, (0, pitch_rad, 0))
    turn = wanted[:3, :3] @ np.swapaxes(is_at[:, :3, :3], 1, 2)
    about = np.stack(
        [turn[:, 2, 1] - turn[:, 1, 2], turn[:, 0, 2] - turn[:, 2, 0], turn[:, 1, 0] - turn[:, 0, 1]], 1
    )
    return np.hstack([wanted[:3, 3] - is_at[:, :3, 3], about / 2])


def _at(place, turned=(0.0, 0.0, 0.0)) -> np.ndarray:
    wx, wy, wz = turned
    made = np.eye(4)
    made[:3, :3] = _turn(2, wz) @ _turn(1, wy) @ _turn(0, wx)
    made[:3, 3] = place
    return made


def _turn(axis: int, angle_rad: float) -> np.ndarray:
    a, b = [i for i in range(3) if i != axis]
    sin, cos = math.sin(angle_rad), math.cos(angle_rad)
    turn = np.eye(3)
    turn[a, a] = turn[b, b] = cos
    turn[a, b], turn[b, a] = (sin, -sin) if axis == 1 else (-sin, sin)
    return turn
