# -*- coding: utf-8 -*-
"""May NAO do this? The safety rules for a well-formed Behavior, every breach with the limit and what came.

Both ends ask: the PC before a sheet is built (check.py adds file, line and collisions with its own body),
the robot before a file is played. It moves nothing and repairs nothing. Valid Python 2.7 and 3, standard
library alone.
"""

from __future__ import division, print_function

import math
from bisect import bisect_right

from behaviors.joints import JOINTS, STAND, head_pitch_limits
from behaviors.keyframes import Flaw, interpolate

MARGIN = 0.02  # of a joint's range, kept free at both of its ends
SPEED_SHARE = 0.7  # of a joint's highest speed
PEAK_OF_CUBIC = 1.5  # highest over mean speed between two keys
FIRST_KEY_S = 0.6
DURATION_S = (2.0, 5.0)
STEP_S = 0.02  # ALMotion's cycle
WHITE = 0xFFFFFF  # the eyes' colour at rest
EARS_AT_REST = 1.0
SAME = 1e-3  # two angles closer than this are one, rad


def flaws(behavior):
    """Every breach of the rules, as a list of Flaw; empty for a behaviour that NAO may play.

    Every angle keeps MARGIN to its joint's limits. No joint goes faster than SPEED_SHARE of what it can; the
    way to its first key is counted from the far end of its range, so a robot may start from any posture. The
    head stays inside its coupled limits all along the path from Stand. Joints, eyes and length end as they
    should.
    """
    found = _length_flaws(behavior)
    for joint in sorted(behavior.joints):
        times_s, angles = behavior.joints[joint]
        found += _range_flaws(joint, times_s, angles)
        found += _speed_flaws(joint, times_s, angles)
        found += _end_flaws(joint, times_s, angles, behavior.duration_s)
    return found + _head_flaws(behavior) + _light_flaws(behavior)


def safe_range(joint):
    """(lowest, highest) angle of a joint that keeps the margin."""
    low, high = JOINTS[joint].min_rad, JOINTS[joint].max_rad
    free = MARGIN * (high - low)
    return low + free, high - free


def speed_shares(joint, times_s, angles):
    """For every key, the highest speed on the way to it over the joint's highest; the first from any start."""
    limit = JOINTS[joint]
    farthest = max(angles[0] - limit.min_rad, limit.max_rad - angles[0])
    ways = [farthest] + [abs(b - a) for a, b in zip(angles, angles[1:])]
    spans_s = [times_s[0]] + [b - a for a, b in zip(times_s, times_s[1:])]
    return [PEAK_OF_CUBIC * way / span_s / limit.max_speed_rad_s for way, span_s in zip(ways, spans_s)]


def _length_flaws(behavior):
    low_s, high_s = DURATION_S
    found = []
    if not low_s <= behavior.duration_s <= high_s:
        text = "a behaviour lasts %g to %g s; it lasts %g s." % (low_s, high_s, behavior.duration_s)
        found.append(Flaw(("duration_s",), text))
    for field in ("eyes", "ears", "say", "sounds"):
        for i, row in enumerate(getattr(behavior, field)):
            if row[0] > behavior.duration_s:
                text = "%s at %g s, but it ends at %g s." % (field, row[0], behavior.duration_s)
                found.append(Flaw((field, i), text))
    return found


def _range_flaws(joint, times_s, angles):
    low, high = safe_range(joint)
    text = "%s at %g s must lie in %.4f..%.4f (%s; the limits less %d %%); %.4f came%s.%s"
    return [
        Flaw(
            ("joints", joint, i),
            text
            % (joint, times_s[i], low, high, unit(joint), 100 * MARGIN, angle,
               _degrees(joint, low, high, angle), _mirror_hint(joint, low, high, angle)),
        )
        for i, angle in enumerate(angles)
        if not low <= angle <= high
    ]  # fmt: skip


def _mirror_hint(joint, low, high, angle):
    """What helps where an angle was taken from the other side as it stands."""
    if JOINTS[joint].mirror_sign == -1 and low <= -angle <= high:
        return " Left and right have opposite signs here: did you mean %.4f?" % -angle
    return ""


def _speed_flaws(joint, times_s, angles):
    found = []
    if times_s[0] < FIRST_KEY_S:
        text = "%s: the first key is at %g s or later, so that it can start from anywhere; %g s came."
        found.append(Flaw(("joints", joint, 0), text % (joint, FIRST_KEY_S, times_s[0])))
    for i, share in enumerate(speed_shares(joint, times_s, angles)):
        if share > SPEED_SHARE:
            start = "" if i else ", from the far end of its range,"
            span_s = (times_s[i] - times_s[i - 1]) if i else times_s[0]
            text = (
                "%s on its way to %g s%s peaks at %.0f %% of its highest speed; at most %.0f %% is allowed: "
                "give it %.2f s."
                % (
                    joint,
                    times_s[i],
                    start,
                    100 * share,
                    100 * SPEED_SHARE,
                    span_s * share / SPEED_SHARE + 0.005,
                )
            )
            found.append(Flaw(("joints", joint, i), text))
    return found


def _end_flaws(joint, times_s, angles, duration_s):
    last = len(times_s) - 1
    found = []
    if abs(angles[last] - STAND[joint]) > SAME:
        text = "%s must end at Stand, %.4f (%s); it ends at %.4f."
        found.append(Flaw(("joints", joint, last), text % (joint, STAND[joint], unit(joint), angles[last])))
    if times_s[last] > duration_s:
        text = "%s has a key at %g s, but the behaviour ends at %g s."
        found.append(Flaw(("joints", joint, last), text % (joint, times_s[last], duration_s)))
    return found


def _head_flaws(behavior):
    """The first moment on the way from Stand at which the head's pitch leaves what its yaw allows."""
    if not ("HeadPitch" in behavior.joints or "HeadYaw" in behavior.joints):
        return []
    for t_s, yaw, pitch, low, high in head_path(behavior):
        if not low <= pitch <= high:
            joint = "HeadPitch" if "HeadPitch" in behavior.joints else "HeadYaw"
            times_s = behavior.joints[joint][0]
            where = ("joints", joint, min(bisect_right(times_s, t_s), len(times_s) - 1))
            text = "the head at %.2f s: HeadYaw %.1f degrees allow HeadPitch %.1f..%.1f degrees; it is %.1f."
            return [Flaw(where, text % ((t_s,) + tuple(map(math.degrees, (yaw, low, high, pitch)))))]
    return []


def head_path(behavior):
    """(t_s, yaw, pitch, lowest, highest pitch there, less the margin), every STEP_S on the way from Stand."""
    still = {"HeadYaw": ([0.0], [STAND["HeadYaw"]]), "HeadPitch": ([0.0], [STAND["HeadPitch"]])}
    moving = dict(still, **behavior.joints)
    for step in range(int(behavior.duration_s / STEP_S) + 2):
        t_s = min(step * STEP_S, behavior.duration_s)
        yaw, pitch = [
            interpolate(moving[joint][0], moving[joint][1], STAND[joint], t_s)
            for joint in ("HeadYaw", "HeadPitch")
        ]
        low, high = head_pitch_limits(yaw)
        free = MARGIN * (high - low)
        yield t_s, yaw, pitch, low + free, high - free


def _light_flaws(behavior):
    found = []
    if behavior.eyes and behavior.eyes[-1][1] != WHITE:
        text = "the eyes must end in white, 0x%06X; they end in 0x%06X." % (WHITE, behavior.eyes[-1][1])
        found.append(Flaw(("eyes", len(behavior.eyes) - 1), text))
    if behavior.ears and behavior.ears[-1][1] != EARS_AT_REST:
        text = "the ears must end at %g, as they are at rest; they end at %g."
        found.append(Flaw(("ears", len(behavior.ears) - 1), text % (EARS_AT_REST, behavior.ears[-1][1])))
    return found


def unit(joint):
    return "of an opening" if joint.endswith("Hand") else "rad"


def _degrees(joint, *angles):
    if joint.endswith("Hand"):
        return ""
    return " (in degrees %.1f..%.1f; %.1f)" % tuple(map(math.degrees, angles))
