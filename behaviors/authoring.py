"""From keyframes that came from elsewhere to a sheet: paced, kept inside the limits, written in degrees.

It makes text and tells what it had to change; whether NAO may play the result is asked of check.py. PC only.
Keyframes are {joint: [(time_s, angle_rad), ...]}, as everywhere hands from 0 to 1.
"""

import math
from collections.abc import Mapping

from behaviors import rules
from behaviors.joints import GESTURE_NAMES, JOINTS, STAND
from behaviors.keyframes import LEAST_AMPLITUDE
from behaviors.sheets import BOTH_ARMS

Keyframes = dict[str, list[tuple[float, float]]]

AT_HOME = 0.02  # a last key this near to Stand is Stand, rad
ALIKE = 2e-4  # two angles that differ by less are written as one, rad
STILL_RAD = 0.026  # a joint that never leaves Stand by more (1.5 degrees) was not meant
TICK_S = 0.05  # times that are found here are multiples of it
REST_S = 0.6  # the shortest way home


def only_gestures(keyframes: Keyframes, notes: list[str]) -> Keyframes:
    """Without the legs, which carry the robot; told in `notes`."""
    legs = [joint for joint in keyframes if joint not in GESTURE_NAMES]
    if legs:
        notes.append(f"left out: {', '.join(legs)}; gestures move head, arms and hands only.")
    return {joint: keys for joint, keys in keyframes.items() if joint in GESTURE_NAMES}


def inside(keyframes: Keyframes, notes: list[str]) -> Keyframes:
    """Every angle inside its joint's range less the margin; what was moved is told in `notes`."""
    kept: Keyframes = {}
    for joint, keys in keyframes.items():
        low, high = rules.safe_range(joint)
        kept[joint] = [(time_s, min(max(angle, low), high)) for time_s, angle in keys]
        moved = max(abs(a - b) for (_, a), (_, b) in zip(keys, kept[joint], strict=True))
        if moved > ALIKE:
            notes.append(f"{joint}: kept inside its range, by up to {_told(joint, moved)}.")
    return kept


def delayed(keyframes: Keyframes, notes: list[str]) -> Keyframes:
    """All keys later by what the first ones need, so that it can start from any posture."""
    late_s = max((_first_s(joint, keys[0][1]) - keys[0][0] for joint, keys in keyframes.items()), default=0.0)
    if late_s <= 0:
        return keyframes
    late_s = _ticks(late_s)
    notes.append(f"all keys are {late_s:.2f} s later, so that a robot can start from any posture.")
    return {joint: [(round(t + late_s, 4), angle) for t, angle in keys] for joint, keys in keyframes.items()}


def paced(poses: list[Mapping[str, float]], step_s: float) -> Keyframes:
    """Poses in their order, each `step_s` after the one before, or later where a joint needs longer."""
    keyframes: Keyframes = {}
    time_s = 0.0
    for i, pose in enumerate(poses):
        if i == 0:
            wait_s = max(step_s, *(_first_s(joint, angle) for joint, angle in pose.items()))
        else:
            wait_s = max(step_s, *(_way_s(joint, poses[i - 1][joint], angle) for joint, angle in pose.items()))
        time_s = round(time_s + _ticks(wait_s), 4)
        for joint, angle in pose.items():
            keyframes.setdefault(joint, []).append((time_s, angle))
    return keyframes


def without_still_chains(keyframes: Keyframes) -> Keyframes:
    """Only the joints of arms, or of the head, that leave Stand at all."""
    moved = {
        JOINTS[joint].chain
        for joint, keys in keyframes.items()
        if any(abs(angle - STAND[joint]) > STILL_RAD for _, angle in keys)
    }
    return {joint: keys for joint, keys in keyframes.items() if JOINTS[joint].chain in moved}


def whole_arms(keyframes: Keyframes, notes: list[str]) -> Keyframes:
    """Every joint of an arm that moves: one that had no key comes to Stand, wherever the robot started from."""
    begins_s = {JOINTS[joint].chain: min(keys[0][0] for keys in keyframes.values()) for joint in keyframes}
    added = [
        joint
        for joint in GESTURE_NAMES
        if joint not in keyframes and JOINTS[joint].chain in begins_s and JOINTS[joint].chain != "Head"
    ]
    if added:
        notes.append(f"come to Stand at the beginning, as they had no keys: {', '.join(added)}.")
    return {**keyframes, **{joint: [(begins_s[JOINTS[joint].chain], STAND[joint])] for joint in added}}


def sheet(emotion: str, sees: str, keyframes: Keyframes, comment: str) -> str:
    """The text of a sheet. Where all joints come home at the last key, that is its end; else time is added."""
    last_s = max((keys[-1][0] for keys in keyframes.values()), default=0.0)
    at_end = [(joint, keys[-1][1]) for joint, keys in keyframes.items() if keys[-1][0] == last_s]
    is_home = all(abs(angle - STAND[joint]) <= AT_HOME for joint, angle in at_end)
    ways_s = [0.0 if is_home else REST_S]
    ways_s += [
        _way_s(joint, keys[-1][1], STAND[joint]) - (last_s - keys[-1][0]) for joint, keys in keyframes.items()
    ]
    end_s = max(last_s + _ticks(max(ways_s)), rules.DURATION_S[0])
    if is_home and end_s == last_s:  # a sheet comes home at its end by itself
        keyframes = {j: [key for key in keys if key[0] < last_s] for j, keys in keyframes.items()}
    rows = "\n".join(_rows(keyframes)) or "  []"
    return (
        f"# {comment}\nemotion: {emotion}\nsees: {_quoted(sees)}\nend_s: {round(end_s, 4):g}\n\n"
        f'eyes: []  # as - {{at_s: 0.0, colour: "#FFC800", fade_s: 0.3}}; the last one is white\n'
        f'say: []  # as - {{at_s: 0.5, en: ["Hello!"]}}\n\nposes_deg:\n{rows}\n'
    )


def _rows(keyframes: Keyframes) -> list[str]:
    """One line for each moment at which there are keys."""
    moments: dict[float, dict[str, float]] = {}
    for joint in GESTURE_NAMES:
        for time_s, angle in keyframes.get(joint, ()):
            moments.setdefault(time_s, {})[joint] = angle
    return [f"  - {{at_s: {time_s:g}, {', '.join(_words(moments[time_s]))}}}" for time_s in sorted(moments)]


def _words(pose: Mapping[str, float]) -> list[str]:
    """ "HeadPitch: 12", and a word without a side where both arms do the same."""
    both = [
        part
        for part in BOTH_ARMS
        if "L" + part in pose
        and "R" + part in pose
        and abs(pose["L" + part] - JOINTS["L" + part].mirror_sign * pose["R" + part]) < ALIKE
    ]
    told = [f"{joint}: {_number(joint, angle)}" for joint, angle in pose.items() if joint[1:] not in both]
    return told + [f"{part}: {_number(part, pose['L' + part])}" for part in both]


def _number(joint: str, angle: float) -> str:
    value = round(angle, 3) if joint.endswith("Hand") else round(math.degrees(angle), 2)
    return f"{value + 0.0:g}"


def _first_s(joint: str, angle: float) -> float:
    """When a joint can be at its first key from anywhere in its range, shrunk by a weak feeling or not."""
    shrunk = STAND[joint] + LEAST_AMPLITUDE * (angle - STAND[joint])
    ways = [
        way for key in (angle, shrunk) for way in (key - JOINTS[joint].min_rad, JOINTS[joint].max_rad - key)
    ]
    return max(rules.FIRST_KEY_S, _way_s(joint, 0.0, max(ways)))


def _way_s(joint: str, start: float, end: float) -> float:
    """The time a joint needs from one key to another."""
    return rules.PEAK_OF_CUBIC * abs(end - start) / (rules.SPEED_SHARE * JOINTS[joint].max_speed_rad_s)


def _ticks(time_s: float) -> float:
    """The next multiple of TICK_S, less than a nanosecond below counting as reached."""
    return round(math.ceil(time_s / TICK_S - 1e-9) * TICK_S, 4)


def _told(joint: str, angle: float) -> str:
    return f"{angle:.2f} of an opening" if joint.endswith("Hand") else f"{math.degrees(angle):.1f} degrees"


def _quoted(text: str) -> str:
    return '"' + " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"') + '"'
