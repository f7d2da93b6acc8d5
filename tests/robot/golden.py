# -*- coding: utf-8 -*-
"""Golden messages: values of the contract beside the bytes that both Pythons must make of them.

    python tests/robot/golden.py      writes tests/data/golden/*.bin anew; a change there changes the contract

A .bin file holds the parts of one message, each after its length in four bytes, big-endian.
"""

from __future__ import division, print_function

import io
import os
import struct
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, "tests", "data", "golden")
sys.path.insert(0, ROOT)

from config import contract  # noqa: E402
from config.contract import About, Face, Frame, Order, Reading  # noqa: E402

SMILE = [0.90625, 0.0125, 0.00625, 0.0125, 0.0125, 0.01875, 0.03125]
SMOOTHED = [0.875, 0.0, 0.0, 0.0, 0.0, 0.0, 0.125]
FROWN = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]

TUNED = {"smooth_s": 0.25, "enter": 0.5, "leave": 0.375, "dwell_s": 0.5, "absent_s": 1.0}
WISHES = {
    "play": {"name": "cheer"},
    "attend": {"face": 3},
    "tune": {"settings": {"enter": 0.625, "dwell_s": 0.0}},
}


def at_rest(seq, taken_s, **more):
    """A small JPEG of a robot that does and feels nothing."""
    return Frame(seq, taken_s, 640, 480, "jpeg", "nao", None, None, 0.0625, b"\xff\xd8\xff\xd9", **more)


FRAMES = {
    "frame_first": Frame(1, 0.0, 640, 480, "jpeg", "nao", None, None, None, b"\xff\xd8 picture \xff\xd9"),
    "frame_busy": Frame(
        2**40, 86400.125, 1280, 960, "jpeg", "Pepe", "cheer", "happy", 0.1875, b"\xff\xd8\x00\xff\xd9"
    ),
    "frame_yuv422": Frame(3, 12.1, 4, 2, "yuv422", "nao", None, "sad", 0.05, bytes(bytearray(range(16)))),
    "frame_trouble": Frame(
        5,
        12.3,
        640,
        480,
        "jpeg",
        "nao",
        None,
        "sad",
        0.05,
        b"\xff\xd8\xff\xd9",
        "it was lifted.",
    ),
    "frame_all": Frame(
        6,
        12.4,
        640,
        480,
        "jpeg",
        "nao",
        "cheer",
        "happy",
        0.0625,
        b"\xff\xd8\xff\xd9",
        None,
        "paused",
        3,
        SMOOTHED,
        [(7, None), (8, "there is no behaviour waltz.")],
        About({"happy": ["cheer", "dance"], "sad": []}, TUNED, 0.875, ("LKneePitch", 41.5)),
    ),
    "frame_stopped": at_rest(7, 12.5, mode="stopped", about=About({}, {}, None, None)),
    "frame_body": at_rest(
        8,
        12.6,
        joints_rad=[0.0, -0.17, 1.443, 0.225, -1.202, -0.417, 0.1, 0.3] + [0.125] * 12 + [1.0] * 6,
    ),
    "frame_naoqi": at_rest(9, 12.7, about=About({}, {}, None, None, [(7, [0.0, 0.875, 0.125, 0.0, 0.0])])),
    "frame_gray8": Frame(4, 12.2, 4, 2, "gray8", "nao", "sigh", None, 1e-06, bytes(bytearray(range(8)))),
}
READINGS = {
    "reading_nobody": Reading(1, 0.0, [], [], {}, "", None),
    "reading_two_faces": Reading(
        7,
        3.25,
        [Face(3, [200.5, 100.0, 150.5, 180.0], 0.9995, SMILE), Face(4, [-12.5, 0.0, 40.0, 52.5], 0.75, FROWN)],
        [],
        {"decode": 1.5, "faces": 12.125, "scores": 3.0},
        "xrs-fer2013",
        None,
    ),
    "reading_doubtful": Reading(
        8,
        3.3125,
        [Face(3, [200.5, 100.0, 30.5, 38.0], 0.9995, SMILE, ("dark", "small"), True)],
        [],
        {},
        "xrs",
        None,
    ),
    "reading_orders": Reading(
        8,
        3.3125,
        [],
        [Order(what, 41 + i, **WISHES.get(what, {})) for i, what in enumerate(contract.ORDERS)],
        {},
        "xrs",
        None,
    ),
}
for _code in contract.CODES:
    READINGS["reading_error_" + _code] = contract.refusal(
        contract.ContractError(_code, contract.CODES[_code]), 9, 4.5
    )


def path_of(name):
    return os.path.join(FOLDER, name + ".bin")


def pack(parts):
    """Parts as the bytes of a file."""
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def unpack(data):
    """The parts in the bytes of a file."""
    parts, at = [], 0
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        parts.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return parts


def encoded():
    """{name: parts} of every golden value, made by this Python."""
    made = dict((name, contract.encode_frame(frame)) for name, frame in FRAMES.items())
    made.update((name, contract.encode_reading(reading)) for name, reading in READINGS.items())
    return made


def stored(name):
    """The bytes of a golden file."""
    with io.open(path_of(name), "rb") as file:
        return file.read()


def write():
    if not os.path.isdir(FOLDER):
        os.makedirs(FOLDER)
    for name, parts in encoded().items():
        with io.open(path_of(name), "wb") as file:
            file.write(pack(parts))


if __name__ == "__main__":
    write()
