"""Choregraphe's exported Python keyframes, read and written: names, times and keys as ALMotion takes them.

Choregraphe writes Python 2, and people paste it into boxes and classes. Only the statements that fill the three
lists are read, and only numbers and names written out in them; nothing is ever executed. PC only.
"""

import ast
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from behaviors.joints import JOINTS
from behaviors.keyframes import Behavior, BehaviorError, interpolate, short, suggest

MAX_FILE_BYTES = 1_000_000
# What people call the three lists, and what Choregraphe calls them.
LISTS = {
    "names": "names", "times": "times", "timeLists": "times",
    "keys": "keys", "angles": "keys", "angleLists": "keys",
}  # fmt: skip
STATEMENT = re.compile(rf"(?:self\.)?(?:{'|'.join(LISTS)})\s*(?:\.append|\+?=(?!=))")
CURVE_STEPS = 50  # of a curve between two keys, where it is compared


class Key(NamedTuple):
    """One key: Bezier handles (seconds, radians) before and after it, None where it was given without."""

    time_s: float
    angle: float
    before: tuple[float, float] | None = None
    after: tuple[float, float] | None = None


Motion = dict[str, list[Key]]


def read(path: Path) -> list[Motion]:
    """Every motion in a file: each begins where `names` is made anew. Raises BehaviorError with all flaws."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise BehaviorError([f"{path}: cannot be read: {error}."]) from None
    if len(text) > MAX_FILE_BYTES:
        raise BehaviorError([f"{path}: has {len(text)} characters; at most {MAX_FILE_BYTES} are read."])
    reader = _Reader(path)
    for line, statement in _statements(text):
        reader.take(line, statement)
    return reader.end()


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """(line, source) of every statement that may fill one of the lists, up to where its brackets close.

    Whether the rest is Python 2 or 3 makes no difference.
    """
    lines = enumerate(text.splitlines(), 1)
    for number, line in lines:
        if not STATEMENT.match(line.strip()):
            continue
        source = line
        while sum(map(source.count, "([{")) > sum(map(source.count, ")]}")):
            _, line = next(lines, (0, None))
            if line is None:
                break
            source += "\n" + line
        yield number, source.strip().rstrip(";")


class _Reader:
    """Fills names, times and keys, statement by statement, and notes every flaw with its line."""

    def __init__(self, path: Path):
        self._path = path
        self._flaws: list[str] = []
        self._parts: list[dict[str, list]] = []

    def take(self, line: int, statement: str) -> None:
        try:
            self._fill(ast.parse(statement).body[0])
        except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
            why = error if isinstance(error, ValueError) else "it is not Python that can be read"
            self._flaw(line, f"{why}; {short(statement)} came.")

    def _fill(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and len(node.value.args) == 1:
            self._list(node.value.func.value).append(_literal(node.value.args[0]))
        elif isinstance(node, ast.AugAssign):
            self._list(node.target).extend(_list_of(node.value))
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            values = _list_of(node.value)
            name = _name(node.targets[0])
            if name == "names" or not self._parts:
                self._parts.append({"names": [], "times": [], "keys": []})
            self._parts[-1][name] = values
        else:
            raise ValueError("only names = ..., names += ... and names.append(...) are read")

    def _list(self, node: ast.expr) -> list:
        if not self._parts:
            self._parts.append({"names": [], "times": [], "keys": []})
        return self._parts[-1][_name(node)]

    def end(self) -> list[Motion]:
        motions = [self._motion(part) for part in self._parts if part["names"]]
        if not motions and not self._flaws:
            self._flaw(1, "holds no keyframes: names, times and keys as Choregraphe exports them.")
        if self._flaws:
            raise BehaviorError(self._flaws)
        return motions

    def _motion(self, part: dict[str, list]) -> Motion:
        names, times, keys = part["names"], part["times"], part["keys"]
        if not len(names) == len(times) == len(keys):
            self._flaw(1, f"{len(names)} names came with {len(times)} lists of times and {len(keys)} of keys.")
        motion = {}
        for name, joint_times, joint_keys in zip(names, times, keys, strict=False):
            if name not in JOINTS:
                self._flaw(1, f"there is no joint {short(name)}{suggest(name, tuple(JOINTS))}")
                continue
            try:
                motion[name] = _keys(joint_times, joint_keys)
            except (TypeError, ValueError, IndexError) as error:
                self._flaw(1, f"{name}: {error}.")
        return motion

    def _flaw(self, line: int, text: str) -> None:
        self._flaws.append(f"{self._path}:{line}: {text}")


def _name(node: ast.expr) -> str:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    if name not in LISTS:
        raise ValueError("only names = ..., names += ... and names.append(...) are read")
    return LISTS[name]


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise ValueError("only names and numbers that are written out are read, nothing is executed") from None


def _list_of(node: ast.expr) -> list:
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "list"
        and not node.args
    ):
        return []
    values = _literal(node)
    if not isinstance(values, (list, tuple)):
        raise ValueError("a list is needed")
    return list(values)


def _keys(times: object, keys: object) -> list[Key]:
    """One joint's keys; raises TypeError, ValueError or IndexError where they are none."""
    times = list(times) if isinstance(times, (list, tuple)) else [times]
    keys = list(keys) if isinstance(keys, (list, tuple)) else [keys]
    if len(times) != len(keys) or not times:
        raise ValueError(f"{len(times)} times came with {len(keys)} keys")
    found = [_key(_finite(time_s), key) for time_s, key in zip(times, keys, strict=True)]
    for before, after in zip([Key(0.0, 0.0), *found], found, strict=False):
        if after.time_s <= before.time_s:
            raise ValueError(f"times must be above 0 and ascend; {after.time_s:g} came after {before.time_s:g}")
    return found


def _key(time_s: float, key: object) -> Key:
    angle, *handles = key if isinstance(key, (list, tuple)) else [key]
    pairs = [(_finite(handle[1]), _finite(handle[2])) for handle in handles]
    return Key(time_s, _finite(angle), *pairs[:2])


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"a number is needed; {short(value)} came")
    return float(value)


# How far Choregraphe's curve and ours lie apart


def farthest_aside(keys: list[Key]) -> tuple[float, float]:
    """(angle, time_s) where the curve through `keys` is farthest from one that rests at each of them."""
    gap, at_s = 0.0, keys[0].time_s
    ours = [key.time_s for key in keys], [key.angle for key in keys]
    for left, right in zip(keys, keys[1:], strict=False):
        if left.after is None or right.before is None:
            continue
        times, angles = _curve(left, right)
        gaps = [abs(angle - interpolate(*ours, 0.0, t_s)) for t_s, angle in zip(times, angles, strict=True)]
        if max(gaps) > gap:
            gap, at_s = max(gaps), float(times[int(np.argmax(gaps))])
    return gap, at_s


def _curve(left: Key, right: Key) -> tuple[np.ndarray, np.ndarray]:
    """(times_s, angles) on the cubic Bezier curve between two keys."""
    s = np.linspace(0, 1, CURVE_STEPS)[:, None]
    weights = np.hstack([(1 - s) ** 3, 3 * (1 - s) ** 2 * s, 3 * (1 - s) * s**2, s**3])
    ends = [(left.time_s, left.angle), (right.time_s, right.angle)]
    points = np.array([ends[0], np.add(ends[0], left.after), np.add(ends[1], right.before), ends[1]])
    return weights @ points[:, 0], weights @ points[:, 1]


# Writing

HEAD = """\
# -*- coding: utf-8 -*-
# {name}: {sees}
# Angles in radians. In a Python box of Choregraphe it plays at once; else: python2 {name}.py tcp://NAO:9559
names = list()
times = list()
keys = list()
"""

FOOT = """\

if __name__ == "__main__":
    import sys
    import qi
    session = qi.Session()
    session.connect(sys.argv[1])
    session.service("ALMotion").angleInterpolationBezier(names, times, keys)
else:
    ALProxy("ALMotion").angleInterpolationBezier(names, times, keys)
"""


def write(behavior: Behavior) -> str:
    """The joints of a behaviour as Choregraphe would export them; eyes, words and sounds have no place there.

    Handles a third of the way long and flat: the curve is the very cubic that a behaviour runs.
    """
    parts = [HEAD.format(name=behavior.name, sees=" ".join(behavior.sees.split()))]
    for joint, (times_s, angles) in sorted(behavior.joints.items()):
        spans = [b - a for a, b in zip([0.0, *times_s], times_s, strict=False)]
        keys = [
            [angle, [3, round(-span / 3, 6), 0], [3, round(after / 3, 6), 0]]
            for angle, span, after in zip(angles, spans, [*spans[1:], 0.0], strict=True)
        ]
        parts.append(f'names.append("{joint}")\ntimes.append({times_s})\nkeys.append({keys})\n')
    return "\n".join(parts) + FOOT
