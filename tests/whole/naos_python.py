"""A Python 2.7 as a NAO has it, for whole tests: the standard library and NAOqi's qi, and no site-packages."""

import re
from pathlib import Path

import pytest
from programs import ROOT

VENV = ROOT / ".venv27"

NEEDS_PYTHON27 = pytest.mark.skipif(
    not (VENV / "run").exists(),
    reason="no .venv27: make it with tests/robot/make_py27.sh (it needs a Python 2.7)",
)


def naos_python(folder: Path) -> Path:
    """A program `python2` made in `folder`."""
    (folder / "naoqi").mkdir()
    (folder / "naoqi" / "qi").symlink_to(VENV / "lib" / "python2.7" / "site-packages" / "qi")
    base = re.search(r"^base-executable = (.+)$", (VENV / "pyvenv.cfg").read_text(), re.M)[1]
    libraries = re.search(r"^export .+$", (VENV / "run").read_text(), re.M)[0]
    program = folder / "python2"
    lines = ("#!/bin/sh", libraries, f'export PYTHONPATH="{folder}/naoqi"', f'exec "{base}" -S "$@"', "")
    program.write_text("\n".join(lines), "ascii")
    program.chmod(0o755)
    return program
