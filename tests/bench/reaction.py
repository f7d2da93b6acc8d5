"""The robot app as it is, and for each reaction how long it took from the frame to the first joint command.

    python -m tests.bench.reaction --server ADDRESS --robot ADDRESS --seconds N     prints milliseconds, as JSON

Three of its methods are listened to: an answer tells when its picture was taken, a behaviour that begins in the
same turn of the loop was caused by that answer, and the next angles that are sent end the measurement. One that
begins in a turn without an answer had waited for the end of another, and is not measured.
"""

import json
import sys

from robot_app import __main__ as app
from robot_app.clock import now_s
from robot_app.link import Link
from robot_app.player import Player
from robot_app.robots import Robot


class Stopwatch:
    """Listens to Link.answer, Player.play and Robot.start."""

    def __init__(self):
        self.taken_ms: list[float] = []
        self._picture_s: float | None = None
        self._began_s: float | None = None
        self._answer, self._play, self._start = Link.answer, Player.play, Robot.start
        Link.answer = lambda link, *given: self._on_answer(self._answer(link, *given))
        Player.play = lambda player, *given: self._on_play(player, *given)
        Robot.start = lambda robot, *given: self._on_start(robot, *given)

    def _on_answer(self, reading):
        self._picture_s = reading and reading.taken_s
        return reading

    def _on_play(self, player, *given):
        self._began_s = self._picture_s
        return self._play(player, *given)

    def _on_start(self, robot, service, method, *given):
        if self._began_s is not None and method.startswith("angleInterpolation"):
            self.taken_ms.append((now_s() - self._began_s) * 1e3)
            self._began_s = None
        return self._start(robot, service, method, *given)


if __name__ == "__main__":
    stopwatch = Stopwatch()
    code = app.main(sys.argv[1:])
    print(json.dumps(stopwatch.taken_ms))
    sys.exit(code)
