# -*- coding: utf-8 -*-
"""What NAOqi itself reads in the faces before it, to be recorded beside what the PC reads; it decides nothing.

Where this NAOqi has ALPeoplePerception and ALFaceCharacteristics, who is there is read from ALMemory, each of
them is analysed, and the shares that this leaves in ALMemory are read, all without waiting. A robot that lacks
it or refuses has no opinion.
"""

from __future__ import division, print_function

from config.contract import MAX_PEOPLE, NAOQI_EMOTIONS, WHOLE
from robot_app.robots import RobotError, RobotLost
from robot_app.undo import call

ASKED_S = 1.0  # between two questions
LOST_S = 3.0  # answers that have not come by then are not waited for
TRY_AGAIN_S = 10.0  # after a refusal
NAME = "NaoEmotion"  # under which we subscribe
PEOPLE = "PeoplePerception/PeopleList"
SHARES = "PeoplePerception/Person/%d/ExpressionProperties"


class Opinion(object):
    """Of one robot."""

    def __init__(self, robot):
        self._robot = robot
        self._there = False  # whether this robot has what is needed
        self._step = None  # what to do with the answers that are waited for ...
        self._asked = []  # ... and their futures
        self._people = []
        self._next_s = None
        self._given_up_s = None

    def prepare(self, undo):
        """Once connected: have NAOqi look for people, until `undo` is run."""
        self._step, self._next_s = None, None
        self._there = self._robot.offers("ALFaceCharacteristics", "analyzeFaceCharacteristics")
        if not self._there:
            return
        undo.note("people", call("ALPeoplePerception", "unsubscribe", NAME))
        try:
            self._robot.call("ALPeoplePerception", "subscribe", NAME)
        except RobotLost:
            raise
        except RobotError:
            self._there = False

    def look(self, now_s):
        """[(person, shares)] that came since the last look, or None."""
        if not self._there:
            return None
        found = None
        try:
            if self._step is not None and all(future.isFinished() for future in self._asked):
                step, self._step = self._step, None
                found = step([None if future.hasError() else future.value() for future in self._asked])
            elif self._step is not None and now_s >= self._given_up_s:
                self._step = None
            if self._step is None and (self._next_s is None or now_s >= self._next_s):
                self._next_s, self._given_up_s = now_s + ASKED_S, now_s + LOST_S
                self._ask(self._analyse, ("ALMemory", "getData", PEOPLE))
        except RobotLost:
            raise
        except RobotError:
            self._step, self._next_s = None, now_s + TRY_AGAIN_S
        return found

    def _ask(self, step, *calls):
        self._asked = [self._robot.start(*each) for each in calls]
        self._step = step

    def _analyse(self, answers):
        """Who is there is known."""
        people = answers[0] if isinstance(answers[0], (list, tuple)) else []
        self._people = [person for person in people if _is_id(person)][:MAX_PEOPLE]
        if self._people:
            calls = [("ALFaceCharacteristics", "analyzeFaceCharacteristics", each) for each in self._people]
            self._ask(self._read, *calls)

    def _read(self, answers):
        """Of whom there is something to read is known."""
        self._people = [person for person, done in zip(self._people, answers) if done]
        if self._people:
            self._ask(self._tell, ("ALMemory", "getListData", [SHARES % person for person in self._people]))

    def _tell(self, answers):
        rows = zip(self._people, answers[0] or [])
        return [(person, [float(v) for v in shares]) for person, shares in rows if _are_shares(shares)] or None


def _is_id(value):
    return isinstance(value, WHOLE) and not isinstance(value, bool) and value >= 0


def _are_shares(value):
    if not isinstance(value, (list, tuple)) or len(value) != len(NAOQI_EMOTIONS):
        return False
    return all(isinstance(v, WHOLE + (float,)) and 0 <= v <= 1 for v in value)
