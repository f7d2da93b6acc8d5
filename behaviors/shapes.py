"""NAO as a browser draws it: links, rounded parts and lamps as one table, for web/body.js.

The links are those of nao_body.csv, so that a picture and the physics cannot tell two stories; the parts are a
drawing in the shape of NAO's shell, finer than the capsules that prove clearances. Numbers only: nothing here
draws, serves or moves. PC only. Metres, in the frame of the part's joint; the torso is null.
"""

import functools
from pathlib import Path

from behaviors import physics
from behaviors.body import POSTURES
from behaviors.joints import BODY_NAMES

WEB = Path(__file__).with_name("web")  # body.js, which both pages serve
DIGITS = 4  # of a metre

# name: (joint, tint, balls); the part is the tight skin around its balls (x, y, z, radius). A ball of six or
# seven numbers moves by the last ones while the hand opens from 0 to 1.
_MIDDLE = {
    "pelvis": (None, "shell", ((0, 0.034, -0.078, 0.036), (0, -0.034, -0.078, 0.036), (0, 0, -0.045, 0.042))),
    "belly": (None, "joint", ((0, 0.016, -0.040, 0.038), (0, -0.016, -0.040, 0.038), (0, 0, 0.010, 0.042))),
    "chest": (
        None,
        "shell",
        (
            (0.000, 0.056, 0.090, 0.040),
            (0.000, -0.056, 0.090, 0.040),
            (0.010, 0.030, 0.060, 0.048),
            (0.010, -0.030, 0.060, 0.048),
            (0.008, 0.014, -0.005, 0.040),
            (0.008, -0.014, -0.005, 0.040),
        ),
    ),
    "neck": ("HeadYaw", "joint", ((0, 0, -0.015, 0.026), (0, 0, 0.020, 0.024))),
    "head": (
        "HeadPitch",
        "shell",
        (
            (-0.008, 0.014, 0.066, 0.056),
            (-0.008, -0.014, 0.066, 0.056),
            (0.010, 0.018, 0.050, 0.048),
            (0.010, -0.018, 0.050, 0.048),
            (0.006, 0.000, 0.040, 0.046),
        ),
    ),
}
_SIDE = {
    "ear": ("HeadPitch", "accent", ((-0.004, 0.054, 0.060, 0.026), (-0.004, 0.062, 0.060, 0.022))),
    "shoulder": ("ShoulderPitch", "accent", ((0, -0.010, 0, 0.034), (0, 0.004, 0, 0.034))),
    "upper arm": ("ShoulderRoll", "shell", ((0.012, 0.004, 0, 0.031), (0.086, 0.013, 0, 0.024))),
    "elbow": ("ElbowYaw", "joint", ((-0.004, 0, 0, 0.023), (0.004, 0, 0, 0.023))),
    "forearm": ("ElbowRoll", "shell", ((0.014, 0, 0, 0.024), (0.052, 0, 0, 0.030))),
    "palm": ("WristYaw", "hand", ((0.016, 0, 0, 0.024), (0.052, 0, -0.002, 0.021))),
    "index": (
        "WristYaw",
        "hand",
        ((0.060, 0.011, 0, 0.010), (0.072, 0.010, -0.014, 0.008, 0.026, 0.012, 0.018)),
    ),
    "ring": (
        "WristYaw",
        "hand",
        ((0.060, -0.011, 0, 0.010), (0.072, -0.010, -0.014, 0.008, 0.026, -0.012, 0.018)),
    ),
    "thumb": ("WristYaw", "hand", ((0.046, 0, -0.014, 0.010), (0.064, 0, -0.026, 0.008, 0.010, 0, -0.016))),
    "hip": ("HipRoll", "joint", ((0, 0, 0, 0.036), (0, 0.004, -0.012, 0.036))),
    "thigh": ("HipPitch", "shell", ((0.003, 0.002, -0.014, 0.042), (0.006, 0.002, -0.086, 0.036))),
    "knee": ("KneePitch", "joint", ((0, -0.004, 0, 0.031), (0, 0.004, 0, 0.031))),
    "shin": ("KneePitch", "shell", ((0.008, 0, -0.022, 0.034), (0.004, 0, -0.084, 0.038))),
    "ankle": ("AnklePitch", "joint", ((0, 0, 0.004, 0.030), (0, 0, -0.012, 0.030))),
    "foot": (
        "AnkleRoll",
        "accent",
        (
            (-0.034, 0.014, -0.031, 0.015),
            (-0.034, -0.016, -0.031, 0.015),
            (0.074, 0.018, -0.032, 0.014),
            (0.074, -0.016, -0.032, 0.014),
            (-0.004, 0.002, -0.010, 0.026),
            (0.038, 0.002, -0.022, 0.020),
        ),
    ),
}
# name: (part, where, the way it faces, radius, how many lamps in its ring; 0 is one round lamp)
_MIDDLE_LAMPS = {
    "chest": ("chest", (0.057, 0, 0.062), (1, 0, 0), 0.011, 0),
    "crown": ("head", (-0.008, 0, 0.123), (0, 0, 1), 0.024, 12),
}
_SIDE_LAMPS = {
    "eye": ("head", (0.052, 0.026, 0.062), (0.93, 0.36, 0.06), 0.0165, 8),
    "ear": ("ear", (-0.004, 0.0785, 0.060), (0, 1, 0), 0.0175, 10),
    "foot": ("foot", (0.030, 0.002, -0.003), (0.30, 0, 0.95), 0.008, 0),
}


@functools.cache
def table() -> dict:
    """The whole table, ready for JSON.

    joints   the names that a list of angles follows (rad; hands 0..1)
    stand    such a list: Stand
    links    [joint, the joint before it or null, [x, y, z], axis], parents first
    parts    {name, joint, tint, opens: the hand that moves it or null, balls: [[x, y, z, radius, ...], ...]}
    lamps    {name, part, at, facing, radius, ring}
    """
    return {
        "joints": list(BODY_NAMES),
        "stand": [POSTURES["Stand"][joint] for joint in BODY_NAMES],
        "links": _links(),
        "parts": _parts(),
        "lamps": _lamps(),
    }


def _links() -> list:
    rows = [row for row in physics.links() if row["joint"]]
    carried_by = {row["link"]: row["joint"] for row in rows}
    return [
        [
            row["joint"],
            carried_by.get(row["parent"]),
            [float(row[axis]) for axis in "xyz"],
            [float(row["axis_" + axis]) for axis in "xyz"],
        ]
        for row in rows
    ]


def _parts() -> list[dict]:
    both = [("", "", 1, name, part) for name, part in _MIDDLE.items()]
    both += [(word, side, sign, name, part) for word, side, sign in _SIDES for name, part in _SIDE.items()]
    return [
        {
            "name": f"{word} {name}".strip(),
            "joint": joint if joint is None or joint.startswith("Head") else side + joint,
            "tint": tint,
            "opens": side + "Hand" if any(len(ball) > 4 for ball in balls) else None,
            "balls": [_mirrored(ball, sign) for ball in balls],
        }
        for word, side, sign, name, (joint, tint, balls) in both
    ]


_SIDES = (("left", "L", 1), ("right", "R", -1))


def _lamps() -> list[dict]:
    both = [("", 1, name, lamp) for name, lamp in _MIDDLE_LAMPS.items()]
    both += [(word, sign, name, lamp) for word, _, sign in _SIDES for name, lamp in _SIDE_LAMPS.items()]
    return [
        {
            "name": f"{word} {name}".strip(),
            "part": part if part in _MIDDLE else f"{word} {part}",
            "at": _mirrored(at, sign),
            "facing": _mirrored(facing, sign),
            "radius": radius,
            "ring": ring,
        }
        for word, sign, name, (part, at, facing, radius, ring) in both
    ]


def _mirrored(numbers: tuple, sign: int) -> list[float]:
    """As on the other side where `sign` is -1: every y, that of a ball's way too, changes its sign."""
    return [round(sign * value if i in (1, 5) else value, DIGITS) for i, value in enumerate(numbers)]
