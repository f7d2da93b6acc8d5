# -*- coding: utf-8 -*-
"""When a mood is answered, and when not: onset, cool-down, pause between, operator's orders.

It chooses and remembers what it chose; it moves nothing and reads no clock. Rules, in this order:

1. The operator's word comes first; while paused or stopped, nothing is chosen.
2. Nothing is chosen while the last choice plays, nor for `between_s` after it.
3. The onset of a mood is answered once. If the robot was busy then, it is answered late, but only if the
   mood still holds; a mood that lasts is not answered again.
4. The same emotion is not answered again within `cool_down_s`.

Which behaviour it is then, and how strong, is for behaviors/choice.py to say; an ordered one is played in full.
"""

from __future__ import division, print_function

from behaviors import choice


class Director(object):
    """`library` is a behaviors.library.Library; `reactions` is that section of the settings."""

    def __init__(self, library, reactions):
        self.mode = None  # "paused", "stopped" (both by the operator), or None
        self._library = library
        self._cool_down_s = reactions["cool_down_s"]
        self._between_s = reactions["between_s"]
        self._ignore = tuple(reactions["ignore"])
        self._answers = choice.answers(library, reactions)
        self._full_at, self._seed = reactions["full_at"], reactions["seed"]
        self._free_s = None  # when the last choice and the pause after it are over
        self._answered = None  # (emotion, since_s) of the mood answered last
        self._chosen_s = {}  # emotion: when it was answered last
        self._played = []  # names of all, the latest last

    def choose(self, feeling, now_s):
        """The Behavior that answers `feeling` now, or None."""
        emotion = feeling.emotion
        if self.mode or emotion is None or emotion in self._ignore:
            return None
        if self._free_s is not None and now_s < self._free_s:
            return None
        if (emotion, feeling.since_s) == self._answered:
            return None
        if emotion in self._chosen_s and now_s < self._chosen_s[emotion] + self._cool_down_s:
            return None
        if not self._answers[emotion]:
            return None
        self._answered = (emotion, feeling.since_s)
        behavior = choice.variation(self._answers[emotion], self._played, self._seed)
        return self._take(choice.scaled(behavior, choice.intensity(feeling.confidence, self._full_at)), now_s)

    def obey(self, order, now_s):
        """The Behavior that an operator's Order asks for, or None; raises BehaviorError for an unknown one."""
        if order.what == "play":
            return self._take(self._library[order.name], now_s)
        if order.what == "stop":
            self._free_s = now_s  # what was playing is over
        self.mode = {"pause": "paused", "stop": "stopped"}.get(order.what)
        return None

    def _take(self, behavior, now_s):
        self._free_s = now_s + behavior.duration_s + self._between_s
        self._chosen_s[behavior.emotion] = now_s
        self._played.append(behavior.name)
        return behavior
