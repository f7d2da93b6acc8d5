# -*- coding: utf-8 -*-
"""Programs in both styles, qi's and naoqi's of old, run on a virtual NAO, in this Python.

They are those of robot_app/virtual/examples, as processes of their own; the shim is all that the older style
needs.
"""

from __future__ import division, print_function, unicode_literals

import os
import subprocess
import sys
import threading

import pytest

os.environ.setdefault("QI_LOG_LEVEL", "1")
qi = pytest.importorskip("qi", reason="there is no qi for this Python or machine")

from virtual_robot import ROOT, VirtualRobot, poll, python3  # noqa: E402

EXAMPLES = os.path.join(ROOT, "robot_app", "virtual", "examples")
SHIM = os.path.join(ROOT, "robot_app", "virtual", "shim")
PATIENCE_S = 60


@pytest.fixture(scope="module")
def robot():
    program = python3()
    if program is None:
        pytest.skip("no Python 3 with the project's packages: name one with VIRTUAL_NAO_PYTHON")
    robot = VirtualRobot(program, "--speed", "20")
    yield robot
    robot.end()


@pytest.fixture(scope="module")
def world(robot):
    session = qi.Session()
    session.connect(str(robot.url))
    yield session.service("VirtualNAO")
    session.close()


class Example(object):
    """One of the examples as a process; `lines` is what it said so far."""

    def __init__(self, name, *arguments):
        path = [SHIM, os.environ.get("PYTHONPATH", "")]
        self.process = subprocess.Popen(
            [sys.executable, "-u", os.path.join(EXAMPLES, name)] + [str(argument) for argument in arguments],
            env=dict(os.environ, PYTHONPATH=str(os.pathsep.join(path))),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
        )
        self.lines = []
        self._reader = threading.Thread(target=self._read)
        self._reader.daemon = True
        self._reader.start()

    def _read(self):
        for line in iter(self.process.stdout.readline, ""):
            self.lines.append(line.rstrip())

    def says(self, line):
        """Until it says this."""
        assert poll(lambda: line in self.lines or self.process.poll() is not None)
        assert line in self.lines, self.lines

    def ends(self):
        """Until its end, which is a good one; what it said."""
        assert poll(lambda: self.process.poll() is not None), self.lines
        self._reader.join()
        assert self.process.returncode == 0, self.lines
        return self.lines


@pytest.fixture
def example():
    """Starts examples, and ends those that are left."""
    started = []

    def start(*arguments):
        started.append(Example(*arguments))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


def address(robot):
    ip, _, port = robot.url.rpartition("//")[2].rpartition(":")
    return ip, port


def test_a_qi_program_looks_around_and_tells_what_it_sees(robot, world, example):
    said = example("qi_look_around.py", robot.url).ends()
    assert said == ["On my left it is 128 of 255 bright.", "On my right it is 128 of 255 bright."]
    assert "On my right" in world.diary(0)


def test_a_qi_program_greets_at_every_touch_and_disconnects_inside_its_callback(robot, world, example):
    greeter = example("qi_greet_when_touched.py", robot.url, 2)
    greeter.says("touch my head")
    assert poll(lambda: world.touch("head") is None and greeter.lines.count("greeted") == 2)
    greeter.ends()


def test_an_older_program_walks_in_a_square_and_talks_meanwhile(robot, example):
    said = example("naoqi_walk_a_square.py", *(address(robot) + (0.05,))).ends()
    numbers = [float(word) for word in said[0].replace(",", "").split() if word[-1].isdigit()]
    assert max(abs(number) for number in numbers[:2]) < 0.05
    assert said[1].startswith("left hand at 0.") and said[2] == "Sit"


def test_an_older_module_hears_the_bumpers_and_subscribes_anew_inside_its_callback(robot, world, example):
    module = example("naoqi_bumper_module.py", *address(robot))
    module.says("press a bumper")
    picture = "LeftBumperPressed: 320 x 240, 230400 bytes"
    assert poll(lambda: world.touch("left bumper") is None and module.lines.count(picture) >= 2)
    world.touch("right bumper")
    module.ends()


def test_a_modules_end_waits_for_the_callback_that_runs(robot, world, monkeypatch):
    monkeypatch.syspath_prepend(str(SHIM))
    import naoqi

    begun, go_on, said = threading.Event(), threading.Event(), []

    class Listener(naoqi.ALModule):
        def on_touch(self, key, value, message):
            begun.set()
            go_on.wait(PATIENCE_S)
            said.append("the callback ended")

    ip, port = address(robot)
    broker = naoqi.ALBroker("broker", "0.0.0.0", 0, str(ip), int(port))
    listener = Listener("listener")
    naoqi.ALProxy("ALMemory").subscribeToEvent("RightBumperPressed", "listener", "on_touch")
    assert poll(lambda: world.touch("right bumper") is None and begun.is_set())
    end = threading.Thread(target=lambda: (listener.exit(), said.append("the module ended")))
    end.start()
    end.join(0.2)
    go_on.set()
    end.join(PATIENCE_S)
    assert said == ["the callback ended", "the module ended"]
    broker.shutdown()
