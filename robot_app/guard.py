# -*- coding: utf-8 -*-
"""The last line of defence before ALMotion: keyframes that a robot must not be sent are refused in a sentence.

It trusts no sheet, checker or operator: whatever wants joints to move goes through `check`, which alone makes
the form that ALMotion takes. It bends nothing and moves nothing. Angles rad, hands 0..1, times s.
"""

from __future__ import division, print_function

import math

from behaviors.joints import GESTURE_NAMES, JOINTS, head_pitch_limits
from behaviors.keyframes import interpolate

PEAK_OF_CUBIC = 1.5  # highest over mean speed between two keys, where a joint rests at both
SLACK = 1e-3  # for limits that were rounded on their way here
LONGEST_S = 30.0


class Refused(ValueError):
    """These keyframes do not reach the robot; the text says why."""


def check(joints, limits, start):
    """{joint: (times_s, angles)} as (names, angles, times_s), three lists for ALMotion.angleInterpolation.

    limits   {joint: (lowest, highest, highest speed, ...)}, of this very robot
    start    {joint: angle}, where the joints are now: the way to the first key counts
    Raises Refused at a joint that a gesture cannot move or this robot has not, keys that are no numbers or not
    in order, an angle out of range, a speed beyond the joint's, and a head that its coupled limit forbids.
    """
    names = sorted(joints)
    for joint in names:
        times_s, angles = joints[joint]
        _check_joint(joint, limits)
        _check_form(joint, times_s, angles)
        _check_range(joint, angles, limits[joint])
        _check_speed(joint, [0.0] + list(times_s), [start[joint]] + list(angles), limits[joint][2])
    _check_head(joints)
    return names, [list(joints[name][1]) for name in names], [list(joints[name][0]) for name in names]


def _check_joint(joint, limits):
    if joint not in limits:
        raise Refused("it moves %s, which this robot does not have" % joint)
    if joint not in GESTURE_NAMES:
        kind = "a leg joint" if joint in JOINTS else "no joint of a gesture"
        raise Refused("it moves %s, %s: gestures move head, arms and hands only" % (joint, kind))


def _check_form(joint, times_s, angles):
    if not times_s or len(times_s) != len(angles):
        raise Refused("%s has %d times and %d angles" % (joint, len(times_s), len(angles)))
    before_s = 0.0
    for number in list(times_s) + list(angles):
        if not isinstance(number, (int, float)) or math.isnan(number) or math.isinf(number):
            raise Refused("%s has a key of %r, which is no number" % (joint, number))
    for time_s in times_s:
        if not before_s < time_s <= LONGEST_S:
            raise Refused(
                "%s has a key at %g s after one at %g s; times rise, up to %g s"
                % (joint, time_s, before_s, LONGEST_S)
            )
        before_s = time_s


def _check_range(joint, angles, limit):
    for angle in angles:
        if not limit[0] - SLACK <= angle <= limit[1] + SLACK:
            raise Refused(
                "it moves %s to %.3f, beyond this robot's %.3f..%.3f" % (joint, angle, limit[0], limit[1])
            )


def _check_speed(joint, times_s, angles, highest):
    for i in range(1, len(times_s)):
        asked = PEAK_OF_CUBIC * abs(angles[i] - angles[i - 1]) / (times_s[i] - times_s[i - 1])
        if asked > highest + SLACK:
            raise Refused(
                "it moves %s at %.1f rad/s on the way to %g s, beyond this robot's %.1f"
                % (joint, asked, times_s[i], highest)
            )


def _check_head(joints):
    """The coupled limit of the head, at every key after which both of its joints are known."""
    if "HeadYaw" not in joints or "HeadPitch" not in joints:
        return
    yaw, pitch = joints["HeadYaw"], joints["HeadPitch"]
    known_s = max(yaw[0][0], pitch[0][0])
    for time_s in sorted(set(yaw[0]) | set(pitch[0])):
        if time_s >= known_s:
            turned = interpolate(yaw[0], yaw[1], yaw[1][0], time_s)
            nodded = interpolate(pitch[0], pitch[1], pitch[1][0], time_s)
            low, high = head_pitch_limits(turned)
            if not low - SLACK <= nodded <= high + SLACK:
                raise Refused(
                    "it nods the head to %.3f at %g s, where HeadYaw %.3f allows %.3f..%.3f"
                    % (nodded, time_s, turned, low, high)
                )
