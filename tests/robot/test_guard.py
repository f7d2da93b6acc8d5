# -*- coding: utf-8 -*-
"""A wrong list of keyframes never gets past the guard; a right one comes out as ALMotion takes it."""

from __future__ import division, print_function

import pytest

from behaviors import library
from behaviors.joints import BODY_NAMES, GESTURE_NAMES, JOINTS, STAND
from robot_app import guard

LIMITS = dict((name, list(JOINTS[name][:3]) + [1.0]) for name in BODY_NAMES)
START = dict((name, STAND.get(name, 0.0)) for name in BODY_NAMES)
NAN, INFINITE = float("nan"), float("inf")


def test_right_keys_come_out_in_the_form_of_almotion():
    joints = {"RHand": ((1.0, 2.0), (0.9, 0.3)), "HeadYaw": ([1.0], [0.5])}
    assert guard.check(joints, LIMITS, START) == (
        ["HeadYaw", "RHand"],
        [[0.5], [0.9, 0.3]],
        [[1.0], [1.0, 2.0]],
    )


def test_no_joints_are_no_motion():
    assert guard.check({}, LIMITS, START) == ([], [], [])


@pytest.mark.parametrize(
    "joints, part",
    [
        ({"Tail": ([1.0], [0.0])}, "Tail, which this robot does not have"),
        ({"LKneePitch": ([1.0], [0.5])}, "a leg joint"),
        ({"HeadPitch": ([1.0], [0.6])}, "0.600, beyond this robot's -0.672..0.515"),
        ({"RElbowRoll": ([1.0], [-0.2])}, "RElbowRoll to -0.200"),
        ({"LHand": ([1.0], [1.2])}, "LHand to 1.200"),
        ({"HeadYaw": ([1.0, 1.2], [-1.0, 1.0])}, "15.0 rad/s on the way to 1.2 s"),
        ({"HeadYaw": ([0.2], [1.5])}, "11.2 rad/s on the way to 0.2 s"),
        ({"HeadYaw": ([1.0, 1.0], [0.1, 0.2])}, "1 s after one at 1 s"),
        ({"HeadYaw": ([2.0, 1.0], [0.1, 0.2])}, "times rise"),
        ({"HeadYaw": ([0.0], [0.1])}, "times rise"),
        ({"HeadYaw": ([-1.0], [0.1])}, "times rise"),
        ({"HeadYaw": ([1e6], [0.1])}, "up to 30 s"),
        ({"HeadYaw": ([1.0], [0.1, 0.2])}, "1 times and 2 angles"),
        ({"HeadYaw": ([], [])}, "0 times and 0 angles"),
        ({"HeadYaw": ([1.0], [NAN])}, "no number"),
        ({"HeadYaw": ([NAN], [0.1])}, "no number"),
        ({"HeadYaw": ([1.0], [INFINITE])}, "no number"),
        ({"HeadYaw": ([1.0], ["0.1"])}, "no number"),
        ({"HeadYaw": ([1.0], [None])}, "no number"),
        ({"HeadYaw": ([1.0], [1.5]), "HeadPitch": ([1.0], [0.45])}, "where HeadYaw 1.500 allows"),
    ],
)
def test_wrong_keys_are_refused_with_the_limit_and_what_came(joints, part):
    with pytest.raises(guard.Refused) as refused:
        guard.check(joints, LIMITS, START)
    assert part in str(refused.value)


def test_the_robots_own_limits_count_and_not_those_of_the_table():
    worn = dict(LIMITS, HeadYaw=[-0.5, 0.5, 1.0, 1.0])
    guard.check({"HeadYaw": ([2.0], [1.0])}, LIMITS, START)
    with pytest.raises(guard.Refused):
        guard.check({"HeadYaw": ([2.0], [1.0])}, worn, START)


@pytest.mark.parametrize("end", [0, 1])
def test_every_shipped_behaviour_passes_from_either_end_of_all_ranges(end):
    pytest.importorskip("ruamel.yaml", reason="this Python reads no sheets")
    start = dict((name, JOINTS[name][end]) for name in GESTURE_NAMES)
    for behavior in library.load():
        guard.check(behavior.joints, LIMITS, start)
