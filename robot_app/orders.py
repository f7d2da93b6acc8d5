# -*- coding: utf-8 -*-
"""The operator's orders, each done once: whom to ask for what, and what to answer where it cannot be done.

An order comes again and again until the PC has heard that we had it; its number tells that it is the same. What
came of the last ones goes up with every frame. It holds no rule of its own about moods, and moves nothing.
"""

from __future__ import division, print_function

from collections import deque

from behaviors.keyframes import BehaviorError
from config.contract import MAX_ORDERS, MAX_REFUSAL
from robot_app.robots import RobotError, RobotLost


class Orders(object):
    """`tell(topic, sentence)` is for a person at the robot."""

    def __init__(self, director, mood, player, safety, tell):
        self._director = director
        self._mood = mood
        self._player = player
        self._safety = safety
        self._tell = tell
        self._had = deque(maxlen=MAX_ORDERS)  # (number, None or why not), the newest last

    @property
    def had(self):
        """[(number, None or why it was not done), ...] of the last orders; None before the first."""
        return list(self._had) or None

    @property
    def mode(self):
        """ "paused", "stopped" (by the operator, or by the robot's own senses), or None."""
        return "stopped" if self._safety.judge.stopped else self._director.mode

    def take(self, orders, now_s):
        """Do those that are new, in their order."""
        for order in orders:
            if order.number not in [number for number, _ in self._had]:
                why_not = self._try(order, now_s)
                self._tell("operator", why_not and "the operator's order cannot be done: %s" % why_not)
                self._had.append((order.number, why_not and why_not[:MAX_REFUSAL]))

    def _try(self, order, now_s):
        try:
            return self._obey(order, now_s)
        except RobotLost:
            raise
        except RobotError as error:
            return "%s" % error

    def _obey(self, order, now_s):
        """Do it at once; gives None, or a sentence that says why not."""
        if order.what == "attend":
            self._mood.attend(order.face)
            return None
        if order.what == "tune":
            return self._tune(order.settings)
        if order.what == "play":
            return self._play(order, now_s)
        self._director.obey(order, now_s)
        if order.what == "stop":
            self._player.stop()
        if order.what == "resume" and self._safety.judge.stopped:
            return self._go_on()
        return None

    def _tune(self, settings):
        try:
            self._mood.tune(settings)
        except ValueError as error:
            return "%s" % error
        return None

    def _play(self, order, now_s):
        if self._safety.judge.stopped:
            return "the robot must be told to resume first: %s" % self._safety.judge.stopped
        if self._director.mode == "stopped":
            return "the robot was stopped; it must be told to resume first."
        try:
            behavior = self._director.obey(order, now_s)
        except BehaviorError as error:
            return "%s" % error
        if self._player.play(behavior, now_s):
            return None
        return self._player.refusal

    def _go_on(self):
        if not self._safety.release():
            return "it does not go on yet: %s" % self._safety.judge.unfit()
        self._player.come_home()
        return None
