# -*- coding: utf-8 -*-
"""The robot's share of the settings as plain dicts, on the robot and on a PC.

A NAO has no YAML reader: it gets `robot.json`, checked on the PC when it was written. This file never
checks again and never guesses a default. It is valid Python 2.7 and 3.
"""

from __future__ import division, print_function

import io
import json
import os

SECTIONS = ("robot", "mood", "reactions", "music")
ON_ROBOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "robot.json")


def load(path=None, overrides=()):
    """{"robot": {...}, "mood": {...}, "reactions": {...}, "music": {...}}.

    `path` is a .json written by `dump`, or YAML where this is a PC; without it, the robot.json beside this
    file if there is one, else default.yaml. `overrides` ("section.key=value") need a PC. Raises ValueError.
    """
    if path is None and os.path.exists(ON_ROBOT):
        path = ON_ROBOT
    if path is not None and path.endswith(".json"):
        return _read_json(path)
    try:
        from config import settings
    except ImportError:
        raise ValueError(
            "settings: this Python reads only JSON settings; give a file made by the robot package."
        )
    except SyntaxError:
        raise ValueError(
            "settings: %s is missing; copy the folder made by the robot package, whole." % ON_ROBOT
        )
    checked = settings.load(path, overrides)
    return dict((name, getattr(checked, name).model_dump(mode="json")) for name in SECTIONS)


def dump(table, path):
    """Write what `load` gave, for a robot to read."""
    with io.open(path, "w", encoding="utf-8") as file:
        text = json.dumps(dict((name, table[name]) for name in SECTIONS), indent=1, sort_keys=True)
        file.write(text.encode("ascii").decode("ascii"))  # text in both Pythons


def _read_json(path):
    try:
        with io.open(path, encoding="utf-8") as file:
            table = json.load(file)
    except (IOError, OSError, ValueError) as error:
        raise ValueError("settings: %s cannot be read: %s." % (path, error))
    missing = [name for name in SECTIONS if name not in table]
    if missing:
        raise ValueError(
            "settings: %s lacks the sections %s; make it anew on the PC." % (path, ", ".join(missing))
        )
    return table
