# -*- coding: utf-8 -*-
"""A robot is left as it was found: whoever changes something first notes here how to change it back.

It only keeps and runs the steps. It never decides what is worth putting back, and one step that fails
does not keep the others from being done.
"""

from __future__ import division, print_function

from robot_app.robots import RobotError, RobotLost


class Undo(object):
    """Steps back, newest first. `tell(topic, sentence)` hears of those that failed."""

    def __init__(self, tell):
        self._tell = tell
        self._steps = []

    def note(self, what, step):
        """Keep `step`, a function without arguments, under the name `what` ("the eyes").

        The first note under a name counts: after a lost connection the robot is as *we* left it, which is
        not what it was.
        """
        if what not in [name for name, _ in self._steps]:
            self._steps.append((what, step))

    def run(self):
        """Do every step, newest first, and forget them; without a connection, say what is left undone."""
        while self._steps:
            what, step = self._steps.pop()
            try:
                step()
            except RobotLost as lost:
                left = [what] + [name for name, _ in reversed(self._steps)]
                self._tell("undo", "not put back: %s; %s" % (", ".join(left), lost))
                del self._steps[:]
            except RobotError as error:
                self._tell("undo", "%s could not be put back: %s" % (what, error))
