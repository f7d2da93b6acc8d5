# -*- coding: utf-8 -*-
"""python -m robot_app with what a person may mistype: exit code 2, a sentence, no traceback."""

from __future__ import division, print_function

import json
import os
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SETTINGS = {
    "robot": {"server": "tcp://127.0.0.1:1", "robot": "tcp://127.0.0.1:1", "name": "nao", "camera": "top"},
    "mood": {},
    "reactions": {},
    "music": {},
}


def run(*arguments):
    """(exit code, all that was said)."""
    command = [sys.executable, "-m", "robot_app"] + [str(argument) for argument in arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    said, _ = process.communicate()
    return process.returncode, said


@pytest.mark.parametrize(
    "arguments, part",
    [
        (["--settings", "no-such-file.json"], "no-such-file.json"),
        (["--seconds", "0"], "--seconds"),
        (["--seconds", "soon"], "soon"),
        (["--camera", "demo"], "--robot virtual"),
        (["--robot", "tcp://127.0.0.1:9559", "--diary", "x.jsonl"], "--robot virtual"),
        (["--speed", "9"], "--speed"),
    ],
    ids=[
        "no settings",
        "no time",
        "a word as time",
        "a camera for a real robot",
        "its diary",
        "unknown option",
    ],
)
def test_a_slip_on_the_command_line_is_a_sentence(arguments, part):
    code, said = run(*arguments)
    assert code == 2, said
    assert part in said and "Traceback" not in said


def test_settings_that_lack_a_section_are_a_sentence(tmpdir):
    path = tmpdir.join("robot.json")
    path.write(json.dumps({"robot": {}}))
    code, said = run("--settings", path)
    assert code == 2 and "mood" in said and "Traceback" not in said


def test_behaviours_that_cannot_be_read_are_a_sentence(tmpdir):
    settings, behaviors = tmpdir.join("robot.json"), tmpdir.join("behaviors.json")
    settings.write(json.dumps(SETTINGS))
    behaviors.write("{")
    code, said = run("--settings", settings, "--behaviors", behaviors)
    assert code == 2 and "behaviors.json" in said and "Traceback" not in said
