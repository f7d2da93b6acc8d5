# -*- coding: utf-8 -*-
"""All behaviours that a robot knows, by name and by emotion.

On the robot they come from one JSON file that `python -m behaviors build` made; on a PC they may come
straight from the sheets. Either way every behaviour is checked before it is handed out. Valid Python 2.7
and 3; only reading sheets needs more than the standard library.
"""

from __future__ import division, print_function

import io
import json
import os

from behaviors import rules
from behaviors.keyframes import BehaviorError, as_str, from_dict, short, suggest

HERE = os.path.dirname(os.path.abspath(__file__))
ON_ROBOT = os.path.join(HERE, "behaviors.json")
SHEETS = os.path.join(HERE, "repertoire")
FORMAT = "behaviors/1"
MAX_FILE_BYTES = 1000 * 1000


class Library(object):
    """Behaviours by name; `library[name]` raises BehaviorError for a name it does not hold."""

    def __init__(self, behaviors):
        self._by_name = dict((behavior.name, behavior) for behavior in behaviors)

    @property
    def names(self):
        """All names, sorted."""
        return sorted(self._by_name)

    def __getitem__(self, name):
        if name not in self._by_name:
            raise BehaviorError(["there is no behaviour %s%s" % (short(name), suggest(name, self.names))])
        return self._by_name[name]

    def __contains__(self, name):
        return name in self._by_name

    def __len__(self):
        return len(self._by_name)

    def __iter__(self):
        return iter([self._by_name[name] for name in self.names])

    def for_emotion(self, emotion):
        """The behaviours that answer `emotion`, sorted by name; may be empty."""
        return [behavior for behavior in self if behavior.emotion == emotion]


def load(path=None):
    """A Library from a .json that was built, or from a folder of sheets.

    Without `path`: the behaviors.json beside this file if there is one, else the sheets in repertoire.
    Raises BehaviorError with every flaw.
    """
    if path is None:
        path = ON_ROBOT if os.path.exists(ON_ROBOT) else SHEETS
    if path.endswith(".json"):
        return _read_json(path)
    try:
        from behaviors import sheets
    except (ImportError, SyntaxError):
        raise BehaviorError(
            ["behaviours: this Python reads only behaviors.json; make it with: python -m behaviors build"]
        )
    return Library(sheets.load(path))


def dump(library, path, carried=None):
    """Write a library as the JSON that `load` takes; `carried`: {path of a sound: its path beside the JSON}."""
    rows = [behavior.to_dict() for behavior in library]
    for row in rows:
        row["sounds"] = [[t, (carried or {}).get(sound, sound)] for t, sound in row.get("sounds", [])]
    table = {"format": FORMAT, "behaviors": rows}
    text = json.dumps(table, indent=1, sort_keys=True)
    with io.open(path, "wb") as file:
        file.write(text.encode("ascii") + b"\n")


def _read_json(path):
    try:
        if os.path.getsize(path) > MAX_FILE_BYTES:
            raise ValueError("it has more than %d bytes" % MAX_FILE_BYTES)
        with io.open(path, encoding="utf-8") as file:
            table = json.load(file)
    except (IOError, OSError, ValueError, RuntimeError) as error:
        raise BehaviorError(["behaviours: %s cannot be read: %s." % (path, error)])
    if not isinstance(table, dict) or table.get("format") != FORMAT or not table.get("behaviors"):
        raise BehaviorError(
            ["behaviours: %s is not a %s file; make it with: python -m behaviors build" % (path, FORMAT)]
        )
    return Library(_checked(path, table["behaviors"]))


def _checked(path, tables):
    """The dicts as Behaviors; raises BehaviorError with the flaws of all of them."""
    if not isinstance(tables, list):
        raise BehaviorError(["behaviours: %s: 'behaviors' is a list; %s came." % (path, short(tables))])
    behaviors, found = [], []
    for table in tables:
        try:
            behavior = from_dict(_with_full_paths(table, os.path.dirname(os.path.abspath(path))))
        except BehaviorError as error:
            found += ["%s: %s" % (path, text) for text in error.flaws]
            continue
        found += ["%s: behaviour %s: %s" % (path, behavior.name, f.text) for f in rules.flaws(behavior)]
        if behavior.name in [other.name for other in behaviors]:
            found.append("%s: two behaviours are called %s." % (path, as_str(behavior.name)))
        behaviors.append(behavior)
    if found:
        raise BehaviorError(found)
    return behaviors


def _with_full_paths(table, folder):
    """A behaviour's dict with the sounds that lie beside its file named from /; any other shape as it is."""
    rows = table.get("sounds") if isinstance(table, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 2 for row in rows):
        return table
    texts = (str, type(""))
    here = [[t, os.path.join(folder, path) if isinstance(path, texts) else path] for t, path in rows]
    return dict(table, sounds=here)
