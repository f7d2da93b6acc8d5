"""Proof of the sheets: the rules of rules.py, and that no arm comes near body, head or the other arm.

It reads and measures; it changes no sheet. PC only. Proved is all that a robot may be asked to play: every
intensity of choice.LEVELS on the way from Stand, and the full one also with arms and head coming from each of
NAO's postures. The legs stand: a robot that sits stands up first (robot_app/player.py). The way is sampled at
ALMotion's cycle. From the middle of another behaviour, collisions on the way to the first key are not proved:
that stretch is left to NAO's own arm protection.
"""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from behaviors import body, choice, rules, sheets
from behaviors.joints import GESTURE_NAMES, JOINTS, STAND
from behaviors.keyframes import Behavior, BehaviorError

NEAREST_M = 0.010  # between two parts; the capsules are good to about as much
# {posture: where arms and head may be when a behaviour begins}
STARTS = {name: {joint: angles[joint] for joint in GESTURE_NAMES} for name, angles in body.POSTURES.items()}


class Measure(NamedTuple):
    """How far a behaviour stays from each limit, and where it comes closest."""

    name: str
    emotion: str
    duration_s: float
    speed_share: float  # of a joint's highest speed; at most rules.SPEED_SHARE
    fastest: str
    range_share: float  # of a joint's range left free at the nearer end; at least rules.MARGIN
    widest: str
    head_rad: float  # left between the head's pitch and what its yaw allows, less the margin; at least 0
    gap_m: float  # between two parts; at least NEAREST_M
    nearest: str


def check(path: str | Path = sheets.HERE) -> list[Measure]:
    """Measure every sheet of a folder, or one; raises BehaviorError with every flaw, file and line first."""
    flaws, measures = [], []
    for sheet in sheets.read_sheets(path):
        if sheet.flaws:
            flaws += sheet.flaws
            continue
        flaws += _weaker_flaws(sheet)
        gaps = _gaps(_ways(sheet.behavior))
        flaws += _collisions(sheet, gaps)
        from_stand = gaps[: len(choice.LEVELS)]  # beyond them, the posture itself may be the nearest
        measures.append(_measure(sheet.behavior, [gap for _, _, gap in from_stand]))
    if flaws:
        raise BehaviorError(flaws)
    return measures


def _weaker_flaws(sheet: sheets.Sheet) -> list[str]:
    """What breaks a rule only when the behaviour is played smaller and slower."""
    found = []
    for level in choice.LEVELS[:-1]:
        for flaw in rules.flaws(choice.scaled(sheet.behavior, level)):
            found.append(f"{sheet.place(flaw.where)}: at intensity {level:g}: {flaw.text}")
    return found


def _ways(behavior: Behavior) -> list[tuple[str, np.ndarray, dict[str, np.ndarray]]]:
    """[(words, times (T,), {joint: (T,)}), ...]: each intensity from Stand, the full one from every posture."""
    ways = [(f" at intensity {level:g}", choice.scaled(behavior, level), STAND) for level in choice.LEVELS[:-1]]
    ways += [("" if name == "Stand" else f" from {name}", behavior, STARTS[name]) for name in STARTS]
    return [(words, _times_s(scaled), sampled(scaled, start)) for words, scaled, start in ways]


def _gaps(ways: list) -> list[tuple[str, np.ndarray, dict]]:
    """The ways with the gaps of body.clearances in place of the angles; reckoned at once, which is faster."""
    joined = {joint: np.concatenate([angles[joint] for _, _, angles in ways]) for joint in GESTURE_NAMES}
    ends = np.cumsum([len(times_s) for _, times_s, _ in ways])[:-1]
    parts = {pair: np.split(gap_m, ends) for pair, gap_m in body.clearances(joined).items()}
    return [
        (words, times_s, {pair: gaps[i] for pair, gaps in parts.items()})
        for i, (words, times_s, _) in enumerate(ways)
    ]


def sampled(behavior: Behavior, start: Mapping[str, float] = STAND) -> dict[str, np.ndarray]:
    """{joint: (T,) angles} on the way from `start`, every rules.STEP_S and at the end; all of GESTURE_NAMES."""
    times_s = _times_s(behavior)
    poses = [behavior.evaluate(t_s, start) for t_s in times_s]
    still = {joint: np.full(len(times_s), start[joint]) for joint in GESTURE_NAMES}
    return still | {joint: np.array([pose[joint] for pose in poses]) for joint in behavior.joints}


def _times_s(behavior: Behavior) -> np.ndarray:
    return np.append(np.arange(0, behavior.duration_s, rules.STEP_S), behavior.duration_s)


def _collisions(sheet: sheets.Sheet, ways: list) -> list[str]:
    """One sentence for every pair of parts that comes too near, at its nearest moment of all ways."""
    worst = {}
    for words, times_s, gaps in ways:
        for pair, gap_m in gaps.items():
            at = int(gap_m.argmin())
            found = (float(gap_m[at]), float(times_s[at]), words)
            worst[pair] = min(worst.get(pair, found), found)
    return [
        f"{sheet.place(_key_before(sheet.behavior, (part, other), at_s))}: {part} and {other} come within "
        f"{1000 * gap_m:.0f} mm at {at_s:.2f} s{words}; keep them {1000 * NEAREST_M:.0f} mm apart."
        for (part, other), (gap_m, at_s, words) in worst.items()
        if gap_m < NEAREST_M
    ]


def _key_before(behavior: Behavior, parts: tuple[str, str], time_s: float) -> tuple:
    """Where the arms of `parts` had their last key before `time_s`, as a Flaw's `where`."""
    chains = [{"left": "LArm", "right": "RArm"}.get(part.split()[0]) for part in parts]
    keys = [
        (key_s <= time_s, key_s if key_s <= time_s else -key_s, ("joints", joint, i))
        for joint, (times_s, _) in behavior.joints.items()
        if JOINTS[joint].chain in chains
        for i, key_s in enumerate(times_s)
    ]
    return max(keys)[2] if keys else ("joints",)


def _measure(behavior: Behavior, ways: list[dict]) -> Measure:
    speeds = [(max(rules.speed_shares(joint, *keys)), joint) for joint, keys in behavior.joints.items()]
    ranges = [(_free_share(joint, keys[1]), joint) for joint, keys in behavior.joints.items()]
    heads = [min(pitch - low, high - pitch) for _, _, pitch, low, high in rules.head_path(behavior)]
    gap_m, nearest = min((float(gap.min()), " - ".join(pair)) for gaps in ways for pair, gap in gaps.items())
    speed_share, fastest = max(speeds, default=(0.0, "-"))
    range_share, widest = min(ranges, default=(0.5, "-"))
    return Measure(
        behavior.name, behavior.emotion, behavior.duration_s, speed_share, fastest, range_share, widest,
        min(heads), gap_m, nearest,
    )  # fmt: skip


def _free_share(joint: str, angles: list[float]) -> float:
    limit = JOINTS[joint]
    free = min(min(angle - limit.min_rad, limit.max_rad - angle) for angle in angles)
    return free / (limit.max_rad - limit.min_rad)


def table(measures: Iterable[Measure]) -> str:
    """The measures as lines to print, the limits in the last one."""
    rows = [("behaviour", "emotion", "length", "peak speed", "range left", "head", "gap", "between")]
    for m in measures:
        speed, free = f"{m.speed_share:.0%} {m.fastest}", f"{m.range_share:.0%} {m.widest}"
        head, gap = f"{math.degrees(m.head_rad):.0f}°", f"{1000 * m.gap_m:.0f} mm"
        rows.append((m.name, m.emotion, f"{m.duration_s:.1f} s", speed, free, head, gap, m.nearest))
    low_s, high_s = rules.DURATION_S
    speed, free = f"<= {rules.SPEED_SHARE:.0%}", f">= {rules.MARGIN:.0%}"
    rows.append(
        ("allowed", "", f"{low_s:g}-{high_s:g} s", speed, free, ">= 0°", f">= {1000 * NEAREST_M:.0f} mm", "")
    )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
