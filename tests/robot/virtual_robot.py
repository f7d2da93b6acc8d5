# -*- coding: utf-8 -*-
"""A virtual NAO as a program of its own, for tests in any Python that has qi. Valid Python 2.7 and 3.

The robot needs a Python 3 with the project's packages: this one, or the one named by VIRTUAL_NAO_PYTHON, or
that of .venv, or python3.
"""

from __future__ import division, print_function

import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATIENCE_S = 60.0


def python3():
    """A Python 3 that can be a virtual NAO, or None."""
    named = (os.environ.get("VIRTUAL_NAO_PYTHON"), os.path.join(ROOT, ".venv", "bin", "python"), "python3")
    for program in (sys.executable,) if sys.version_info[0] == 3 else named:
        if program and _works(program):
            return program
    return None


def _works(program):
    code = "import sys; assert sys.version_info >= (3, 10); import click, cv2, numpy, qi"
    try:
        return subprocess.call([program, "-c", code], stderr=subprocess.PIPE, env=_clean()) == 0
    except OSError:
        return False


def _clean():
    """This environment without what the old Python needs: its libraries are not those of the new one."""
    return dict(
        (key, value) for key, value in os.environ.items() if key not in ("LD_LIBRARY_PATH", "PYTHONPATH")
    )


class VirtualRobot(object):
    """The running program; `url` is where it listens."""

    def __init__(self, program, *arguments):
        command = [
            program,
            "-u",
            "-m",
            "robot_app.virtual",
            "--listen",
            "tcp://127.0.0.1:0",
            "--camera",
            "none",
        ]
        self.process = subprocess.Popen(
            command + list(arguments), cwd=ROOT, env=_clean(), stdout=subprocess.PIPE, universal_newlines=True
        )
        self.url = self.process.stdout.readline().split(" listens at ")[1].split(",")[0]

    def end(self):
        """Stop it."""
        self.process.terminate()
        self.process.wait()


def poll(holds, within_s=PATIENCE_S):
    """Until `holds()`; False where that does not come."""
    until = time.time() + within_s
    while not holds():
        if time.time() > until:
            return False
        time.sleep(0.005)
    return True
