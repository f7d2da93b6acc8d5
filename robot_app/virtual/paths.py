"""How a joint goes from where it is to where it is sent: paths as pure functions of time.

A path is a function `angle(t_s)` with the time since it began; nothing here knows limits, bodies or clocks.
Times are seconds, angles radians.
"""

import bisect
from typing import NamedTuple


class Key(NamedTuple):
    """A point to pass at `time_s`; Bezier handles (seconds, radians) before and after it, None being flat."""

    time_s: float
    angle_rad: float
    before: tuple[float, float] | None = None
    after: tuple[float, float] | None = None


def straight(start_rad: float, keys: list[Key]):
    """Straight lines from `start_rad` at 0 s through the keys; it stays at the last."""
    times = [0.0, *(key.time_s for key in keys)]
    angles = [start_rad, *(key.angle_rad for key in keys)]

    def angle(t_s):
        if t_s >= times[-1]:
            return angles[-1]
        right = bisect.bisect_right(times, max(0.0, t_s))
        part = (t_s - times[right - 1]) / (times[right] - times[right - 1])
        return angles[right - 1] + part * (angles[right] - angles[right - 1])

    return angle


def bezier(start_rad: float, keys: list[Key]):
    """Cubic Bezier curves from `start_rad` at 0 s through the keys; it stays at the last."""
    points = [Key(0.0, start_rad), *keys]
    times = [point.time_s for point in points]

    def angle(t_s):
        if t_s >= times[-1]:
            return points[-1].angle_rad
        right = bisect.bisect_right(times, max(0.0, t_s))
        return _on_curve(points[right - 1], points[right], t_s)

    return angle


def plan(path, keys: dict):
    """{joint: function of its angle at the beginning, giving (path, duration_s)} of {joint: [Key, ...]}."""
    return {
        joint: lambda start_rad, joint_keys=joint_keys: (path(start_rad, joint_keys), joint_keys[-1].time_s)
        for joint, joint_keys in keys.items()
    }


def _on_curve(left: Key, right: Key, t_s: float) -> float:
    """The angle at `t_s` on the curve between two keys; handles that reach over the other key are cut there."""
    length = right.time_s - left.time_s
    after = left.after or (length / 3, 0.0)
    before = right.before or (-length / 3, 0.0)
    times = (
        left.time_s,
        left.time_s + min(max(after[0], 0.0), length),
        right.time_s + max(min(before[0], 0.0), -length),
        right.time_s,
    )
    angles = (left.angle_rad, left.angle_rad + after[1], right.angle_rad + before[1], right.angle_rad)
    low, high = 0.0, 1.0
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if _cubic(times, middle) < t_s else (low, middle)
    return _cubic(angles, (low + high) / 2)


def _cubic(p, s: float) -> float:
    r = 1 - s
    return r * r * r * p[0] + 3 * r * r * s * p[1] + 3 * r * s * s * p[2] + s * s * s * p[3]
