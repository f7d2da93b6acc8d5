# -*- coding: utf-8 -*-
"""A robot is left as it was found: whoever changes something first notes here how to change it back.

It only keeps and runs the steps. It never decides what is worth putting back, and one step that fails
does not keep the others from being done.

The steps are plain calls of NAOqi, and the robot keeps a copy of them in ALMemory. So an app that was killed
without a word (kill -9, a PC without power) leaves its notes behind: the next app adopts them, and at its end
the robot is as it was before both. When NAOqi restarts, the copy is gone, and so is what was changed.
"""

from __future__ import division, print_function

import json
from collections import namedtuple

from behaviors.keyframes import UNICODE, as_str
from robot_app.robots import RobotError, RobotLost, sentence_of, wait

KEY = "NaoEmotion/Undo"  # in the robot's ALMemory
AGAIN = ", still"  # added to the name of what was refused once
THERE_RAD = 0.01  # joints this near to where they are to go need not go

# One call. A long one (wait_s is not None) goes on in the robot when it has not ended within wait_s.
Call = namedtuple("Call", "service method arguments wait_s")


def call(service, method, *arguments, **how):
    """A Call; `wait_s` by name."""
    return Call(service, method, list(arguments), how.get("wait_s"))


class Undo(object):
    """Steps back, newest first. `tell(topic, sentence)` hears of those that failed."""

    def __init__(self, robot, tell):
        self._robot = robot
        self._tell = tell
        self._steps = []  # (what, [Call, ...])

    def adopt(self):
        """Once connected: take over what an app that was killed had noted here, as the oldest notes."""
        left = [step for step in self._read() if not self.holds(step[0])]
        if left:
            self._tell("undo", "an app before this one ended without a word; what it changed is put back, too.")
            self._steps = left + self._steps
        self._write()

    def note(self, what, *calls):
        """Keep `calls` under the name `what` ("the language").

        The first note under a name counts: after a lost connection the robot is as *we* left it, which is
        not what it was.
        """
        if not self.holds(what):
            self._steps.append((what, list(calls)))
            self._write()

    def replace(self, what, *calls):
        """Keep `calls` under `what`, the newest ones: for what did not exist before us."""
        self._steps = [step for step in self._steps if step[0] != what]
        self.note(what, *calls)

    def holds(self, what):
        """Whether there is a note of this name."""
        return what in [name for name, _ in self._steps]

    def settle(self, what):
        """Do one step now, if it is noted, and forget it; what is refused of it is tried again at the end."""
        for calls in [calls for name, calls in self._steps if name == what]:
            refused = [each for each, _ in self._attempt(calls)]
            self._steps = [step for step in self._steps if step[0] != what]
            if refused:
                again = what + AGAIN
                earlier = [each for name, calls in self._steps if name == again for each in calls]
                self.replace(again, *earlier + [each for each in refused if each not in earlier])
            self._write()

    def run(self):
        """Do every step, newest first, and forget them; without a connection, say what is left undone."""
        while self._steps:
            what, calls = self._steps.pop()
            try:
                for _, error in self._attempt(calls):
                    self._tell("undo", "%s could not be put back: %s" % (what, error))
            except RobotLost as lost:
                left = [what] + [name for name, _ in reversed(self._steps)]
                self._tell("undo", "not put back: %s; %s" % (", ".join(left), lost))
                del self._steps[:]
                return
        self._write()

    def _attempt(self, calls):
        """Do these; gives [(call, error), ...] of those that were refused."""
        refused = []
        for each in calls:
            try:
                self._do(each)
            except RobotLost:
                raise
            except RobotError as error:
                refused.append((each, error))
        return refused

    def _do(self, each):
        if each.wait_s is None:
            self._robot.call(each.service, each.method, *each.arguments)
        elif not self._is_there(each):
            future = self._robot.start(each.service, each.method, *each.arguments)
            if wait(future, each.wait_s) and future.hasError():
                raise RobotError(sentence_of(future.error()))

    def _is_there(self, each):
        """Whether an angleInterpolation would lead where the joints are already."""
        if each.method != "angleInterpolation":
            return False
        names, angles = each.arguments[:2]
        now = self._robot.call("ALMotion", "getAngles", names, False)
        return max(abs(is_at - to[-1]) for is_at, to in zip(now, angles)) <= THERE_RAD

    # The copy in the robot. It is a help, never a reason to fail.

    def _read(self):
        try:
            rows = json.loads(self._robot.call("ALMemory", "getData", KEY) or "[]")
            return [(as_str(what), [Call(*_plain(each)) for each in calls]) for what, calls in rows]
        except RobotLost:
            raise
        except (RobotError, ValueError, TypeError):
            return []  # there is none, or another program's

    def _write(self):
        try:
            self._robot.call("ALMemory", "insertData", KEY, json.dumps(self._steps) if self._steps else "")
        except RobotError:
            pass


def _plain(value):
    """Texts as NAOqi wants them: on Python 2.7, `str`."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return as_str(value) if isinstance(value, UNICODE) else value
