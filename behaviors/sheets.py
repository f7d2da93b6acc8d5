"""Keyframe sheets: YAML written by hand in degrees, read into Behaviors, every flaw with its file and line.

It reads and compiles; whether NAO may play the result is asked of keyframes.py and rules.py. PC only
(ruamel.yaml). README.md beside this file says how to write a sheet.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml.error import MarkedYAMLError, YAMLError

from behaviors import rules, sounds
from behaviors.joints import GESTURE_NAMES, JOINTS, STAND
from behaviors.keyframes import (
    LANGUAGES,
    LEAST_AMPLITUDE,
    MAX_DURATION_S,
    POLICIES,
    Behavior,
    BehaviorError,
    Flaw,
    flaws_of_form,
    from_dict,
    joint_trouble,
    short,
    suggest,
)
from config import careful_yaml
from config.contract import EMOTIONS

HERE = Path(__file__).parent / "repertoire"
DIGITS = 4  # of a compiled angle; 0.0001 rad is far below what a motor resolves

NEEDED = ("emotion", "sees", "end_s", "eyes", "say", "poses_deg")
KEYS = (*NEEDED, "policy", "least_amplitude", "ears", "sounds", "builtin")
BEAT_KEYS = ("beats", "every_s", "between")  # the light goes to `between` and back, so often
EYE_KEYS = ("at_s", "colour", "fade_s", *BEAT_KEYS)
EAR_KEYS = ("at_s", "level", "fade_s", *BEAT_KEYS)
MAX_BEATS = 20
POSE_WORDS = ("at_s", "hold_s")
BOTH_ARMS = tuple(name[1:] for name in GESTURE_NAMES if JOINTS[name].chain == "LArm")
POSE_KEYS = (*POSE_WORDS, *BOTH_ARMS, *GESTURE_NAMES)


BARE_COLOUR = 'a colour needs quotes, as in "#FFC800"; without them YAML takes it for a comment.'


class Sheet(NamedTuple):
    """A sheet that was read: `behavior` is None where it cannot be formed; `flaws` are whole sentences."""

    path: Path
    behavior: Behavior | None
    flaws: list[str]
    places: dict[tuple, int]

    def place(self, where: tuple) -> str:
        """`file:line` of a path into the behaviour's dict, or of the nearest thing above it."""
        while where and where not in self.places:
            where = where[:-1]
        return f"{self.path}:{self.places.get(where, 1)}"


def load(path: str | Path = HERE) -> list[Behavior]:
    """Every sheet of a folder, or one sheet, as Behaviors; raises BehaviorError with all their flaws."""
    read_all = read_sheets(path)
    flaws = [flaw for sheet in read_all for flaw in sheet.flaws]
    if flaws:
        raise BehaviorError(flaws)
    return [sheet.behavior for sheet in read_all]


def read_sheets(path: str | Path = HERE) -> list[Sheet]:
    """The sheets of a folder, sorted, or the one sheet at `path`; raises BehaviorError if none is there."""
    path = Path(path)
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise BehaviorError([f"behaviours: there is no sheet (*.yaml) in {path}."])
    return [read_sheet(file) for file in files]


def read_sheet(path: Path) -> Sheet:
    """Read one file as far as it goes; what is wrong with it stands in the Sheet's flaws."""
    try:
        compiler = _Compiler(_read_table(path), path.parent)
    except BehaviorError as error:
        return Sheet(path, None, error.flaws, {})
    behavior = compiler.compile(path.stem)
    sheet = Sheet(path, None, [], compiler.places)
    found = compiler.flaws + flaws_of_form(behavior)
    if not found:
        sheet = sheet._replace(behavior=from_dict(behavior))
        found = rules.flaws(sheet.behavior)
    located = dict.fromkeys((sheet.place(flaw.where), flaw.text) for flaw in found)
    return sheet._replace(flaws=[f"{place}: {text}" for place, text in sorted(located, key=_by_line)])


def _read_table(path: Path) -> Mapping:
    """The YAML of a sheet, with its line numbers; raises BehaviorError for what is no sheet at all."""
    try:
        text = careful_yaml.read(path)
    except (OSError, ValueError) as error:
        raise BehaviorError([f"{path}: cannot be read: {error}."]) from None
    bare = [i for i, line in enumerate(text.splitlines(), 1) if re.search(r"colour:\s*#", line)]
    if bare:
        raise BehaviorError([f"{path}:{i}: {BARE_COLOUR}" for i in bare])
    try:
        table = careful_yaml.load(text)
    except YAMLError as error:
        raise BehaviorError([_not_yaml(path, error)]) from None
    if not isinstance(table, Mapping):
        raise BehaviorError([f"{path}:1: a sheet holds {', '.join(NEEDED)}; {short(table)} came."])
    return table


def _by_line(located: tuple[str, str]) -> int:
    return int(located[0].rpartition(":")[2])


def _not_yaml(path: Path, error: YAMLError) -> str:
    if isinstance(error, MarkedYAMLError) and error.problem_mark:
        return f"{path}:{error.problem_mark.line + 1}: {' '.join(str(error.problem).split())}."
    return f"{path}:1: this is not YAML: {' '.join(str(error).split())}"


class _Compiler:
    """Turns a sheet's table into a behaviour's dict, noting the line of every part and every flaw of the sheet.

    A part that is missing or cannot be understood is noted, and left out or replaced by a harmless one, so
    that the rest can still be judged.
    """

    def __init__(self, table: Mapping, folder: Path):
        self.table = table
        self.folder = folder
        self.flaws: list[Flaw] = []
        self.places: dict[tuple, int] = {}

    def compile(self, name: str) -> dict:
        for key in self.table:
            if key not in KEYS:
                self._flaw_at(self.table, key, f"there is no {short(key)} in a sheet{suggest(key, KEYS)}")
        for key in NEEDED:
            if key not in self.table:
                self.flaws.append(Flaw((), f"{key!r} must be given."))
        parts = {"end_s": "duration_s", "poses_deg": "joints", "policy": "policies"}
        for key in KEYS:
            if key in self.table:
                self.places[(parts.get(key, key),)] = self.table.lc.key(key)[0] + 1
        end_s = self._number(self.table, "end_s")
        policy = self.table.get("policy", list(POLICIES))
        return {
            "name": name,
            "emotion": self.table.get("emotion", EMOTIONS[0]),
            "sees": self.table.get("sees", ""),
            "duration_s": MAX_DURATION_S if end_s is None else end_s,
            "joints": self._joints(end_s),
            "eyes": self._eyes(),
            "say": self._say(),
            "policies": list(policy) if isinstance(policy, list) else [policy],
            "least_amplitude": self.table.get("least_amplitude", LEAST_AMPLITUDE),
            "ears": self._ears(),
            "sounds": self._sounds(),
            "builtin": self._plain_list(self.table.get("builtin", [])),
        }

    def _joints(self, end_s: float | None) -> dict:
        """{joint: [times_s, angles_rad]} of all poses, each joint back in Stand at `end_s`."""
        keys: dict[str, list] = {}
        for row in self._rows("poses_deg", POSE_KEYS):
            at_s, hold_s = self._number(row, "at_s"), self._number(row, "hold_s") if "hold_s" in row else 0
            if at_s is None or hold_s is None:
                continue
            times_s = [at_s] if hold_s == 0 else [at_s, at_s + hold_s]
            given = set()
            for word in row:
                for joint, angle in self._angles(row, word):
                    if joint in given:
                        self._flaw_at(row, word, f"{joint} is given twice in this pose.")
                        continue
                    given.add(joint)
                    for time_s in times_s:
                        self._key(keys, joint, round(time_s, DIGITS), angle, row.lc.key(word)[0] + 1)
        for joint in keys if end_s is not None else ():
            self._key(keys, joint, end_s, STAND[joint], self.places[("duration_s",)])
        return keys

    def _key(self, keys: dict, joint: str, time_s: float, angle: float, line: int) -> None:
        times_s, angles = keys.setdefault(joint, [[], []])
        self.places.setdefault(("joints", joint), line)
        self.places[("joints", joint, len(times_s))] = line
        times_s.append(time_s)
        angles.append(angle)

    def _angles(self, row: Mapping, word: str) -> list[tuple[str, float]]:
        """[(joint, radians or opening)] of one word of a pose; two where it stands for both arms."""
        if word in POSE_WORDS or word not in POSE_KEYS:
            return []
        value = self._number(row, word)
        if value is None:
            return []
        value = round(value if word.endswith("Hand") else math.radians(value), DIGITS)
        if word not in BOTH_ARMS:
            return [(word, value)]
        left = JOINTS["L" + word]
        return [("L" + word, value), (left.mirror, left.mirror_sign * value)]

    def _eyes(self) -> list:
        rows = []
        for row in self._rows("eyes", EYE_KEYS):
            colours = [self._colour(row, key) for key in ("colour", "between") if key in row or key == "colour"]
            rows += self._lit("eyes", len(rows), row, *colours)
        return rows

    def _ears(self) -> list:
        rows = []
        for row in self._rows("ears", EAR_KEYS):
            levels = [self._number(row, key) for key in ("level", "between") if key in row or key == "level"]
            rows += self._lit("ears", len(rows), row, *levels)
        return rows

    def _colour(self, row: Mapping, key: str) -> int | None:
        colour = row.get(key)
        if re.fullmatch(r"#[0-9A-Fa-f]{6}", str(colour)):
            return int(colour[1:], 16)
        self._flaw_at(row, key, f'{key!r} is six hex digits in quotes, as in "#FFC800"; {short(colour)} came.')
        return None

    def _lit(self, field: str, count: int, row: Mapping, value: float, between: float | None = None) -> list:
        """[[time_s, value, fade_s], ...] of one row, which is key number `count` of `field`; [] if flawed."""
        at_s, fade_s = self._number(row, "at_s"), self._number(row, "fade_s")
        times_s = [at_s]
        if any(key in row for key in BEAT_KEYS):
            beats, every_s = self._number(row, "beats"), self._number(row, "every_s")
            if "between" not in row:
                self._flaw_at(row, "between", "'between' must be given where there are beats.")
            if None in (at_s, beats, every_s, between):
                return []
            if beats != int(beats) or not 1 <= beats <= MAX_BEATS:
                self._flaw_at(row, "beats", f"'beats' is a whole number 1 to {MAX_BEATS}; {beats:g} came.")
                return []
            times_s = [round(at_s + half * every_s / 2, DIGITS) for half in range(2 * int(beats) + 1)]
        if None in (at_s, fade_s, value):
            return []
        for i in range(len(times_s)):
            self.places[(field, count + i)] = row.lc.line + 1
        return [[time_s, between if i % 2 else value, fade_s] for i, time_s in enumerate(times_s)]

    def _say(self) -> list:
        rows = []
        for row in self._rows("say", ("at_s", *sorted(LANGUAGES))):
            at_s = self._number(row, "at_s")
            if at_s is None:
                continue
            self.places[("say", len(rows))] = row.lc.line + 1
            texts = {LANGUAGES[key]: self._plain_list(row[key]) for key in row if key in LANGUAGES}
            rows.append([at_s, texts])
        return rows

    def _sounds(self) -> list:
        rows = []
        for row in self._rows("sounds", ("at_s", "file")):
            at_s = self._number(row, "at_s")
            if at_s is not None:
                self.places[("sounds", len(rows))] = row.lc.line + 1
                rows.append([at_s, self._sound(row)])
        return rows

    def _sound(self, row: Mapping) -> object:
        """The full path of a row's file: as it is given, or beside the sheet."""
        file = row.get("file")
        if not isinstance(file, str) or file.startswith("/"):
            return file
        trouble = sounds.trouble(self.folder, file)
        if trouble:
            self._flaw_at(row, "file", trouble)
        return str((self.folder / file).resolve())

    @staticmethod
    def _plain_list(value: object) -> object:
        return list(value) if isinstance(value, list) else value

    def _rows(self, key: str, known: tuple) -> list[Mapping]:
        """The rows of a list of maps, the words in them checked against `known`."""
        rows = self.table.get(key, [])
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            self._flaw_at(
                self.table, key, f"{key!r} is a list of rows such as - {{at_s: 1.0, ...}}; {short(rows)} came."
            )
            return []
        for row in rows:
            for word in row:
                if word not in known:
                    self._flaw_at(row, word, self._unknown(key, word, known))
        return rows

    @staticmethod
    def _unknown(key: str, word: object, known: tuple) -> str:
        if key == "poses_deg" and word in JOINTS:
            return joint_trouble(word)
        what = "joint" if key == "poses_deg" else "key"
        return f"there is no {what} {short(word)} in {key!r}{suggest(word, known)}"

    def _number(self, row: Mapping, key: str) -> float | None:
        value = row.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        if key in row:
            self._flaw_at(row, key, f"{key!r} is a number; {short(value)} came.")
        elif row is not self.table:
            self._flaw_at(row, key, f"{key!r} must be given.")
        return None

    def _flaw_at(self, row: Mapping, key: object, text: str) -> None:
        """Note a flaw at the line of `key` in `row`, or of the row where it lacks the key."""
        line = row.lc.key(key)[0] if key in row else row.lc.line
        where = ("sheet", len(self.flaws))
        self.places[where] = line + 1
        self.flaws.append(Flaw(where, text))
