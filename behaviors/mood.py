# -*- coding: utf-8 -*-
"""From flickering scores to a steady mood: how the attended person feels, and since when.

Three steps, each a small function: smooth the scores of the face that is attended to (which the PC names
first, or the operator wants), ask which mood they speak for, and let a new mood begin only after it has led for
a while, and never on an unsure face. Time is an argument; nothing here reads a clock, so the robot runs it live
and replay runs it on recorded video. Valid Python 2.7 and 3, standard library alone.
"""

from __future__ import division, print_function

import math
from collections import namedtuple

from config.contract import EMOTIONS

# What is felt now.
#   emotion     one of EMOTIONS, or None: nobody is there, or it is undecided
#   confidence  0..1, the smoothed score of that emotion; 0.0 for None
#   since_s     when this emotion (or None) began, by the caller's clock
#   scores      seven smoothed scores in the order of EMOTIONS that sum to 1, or None when nobody is there
#   face_id     the face that is attended to, or None when nobody is there
Feeling = namedtuple("Feeling", "emotion confidence since_s scores face_id")

# A stretch of one emotion: from start_s until end_s, with the mean confidence.
Episode = namedtuple("Episode", "start_s end_s emotion confidence")


class Mood(object):
    """The mood of the attended person; `update` it with the faces of every answer, also when there are none.

    settings: a dict with
        smooth_s   time constant of the smoothing
        enter, leave   a mood begins at a smoothed score of `enter` or more and ends below `leave`
        dwell_s    a change begins only after its cause has lasted this long
        absent_s   nobody is there once no face was seen for longer than this
    """

    def __init__(self, settings):
        self.settings = dict(settings)
        self._wanted_id = None  # the face that the operator wants attended to ...
        self._wanted_s = None  # ... and when it was seen last
        self._seen_s = None  # when a face was last seen
        self._forget(None)

    def tune(self, settings):
        """Change some of the settings from now on; raises ValueError where they do not go together."""
        changed = dict(self.settings, **settings)
        if changed["leave"] > changed["enter"]:
            raise ValueError(
                "'leave' (%g) must not lie above 'enter' (%g)." % (changed["leave"], changed["enter"])
            )
        self.settings = changed

    def attend(self, face_id):
        """Attend to this face for as long as it is there; None: again to that which the PC names first."""
        self._wanted_id, self._wanted_s = face_id, None

    def _forget(self, now_s):
        self._face_id = None
        self._scores = None
        self._emotion = None
        self._since_s = now_s
        self._wish = None  # what the scores speak for; where it differs from _emotion ...
        self._wish_since_s = now_s  # ... it has done so since then

    def update(self, faces, now_s):
        """The Feeling after these faces (list of contract.Face, may be empty) at `now_s`, which never falls."""
        if self._since_s is None:  # the very first
            self._forget(now_s)
        if self._scores is not None and now_s - self._seen_s > self.settings["absent_s"]:
            self._forget(now_s)
        face = self._attended([face for face in faces if sum(face.scores) > 0], now_s)
        if face is not None:
            dt_s = 0.0 if self._scores is None else now_s - self._seen_s
            self._face_id, self._seen_s = face.id, now_s
            own = normalised(face.scores)
            smooth_s = self.settings["smooth_s"]
            self._scores = own if self._scores is None else smoothed(self._scores, own, dt_s, smooth_s)
            self._decide(own, face.unsure, now_s)
        return self._feeling()

    def _attended(self, faces, now_s):
        """The face that is wanted, for as long as it is there; else the first of all."""
        if self._wanted_id is not None:
            wanted = next((face for face in faces if face.id == self._wanted_id), None)
            if wanted is not None or self._wanted_s is None:
                self._wanted_s = now_s
            if now_s - self._wanted_s <= self.settings["absent_s"]:
                return wanted
            self._wanted_id = None
        return faces[0] if faces else None

    def _decide(self, own, unsure, now_s):
        """Change the emotion when another wish has lasted for dwell_s and this very frame speaks for it."""
        wish = self._wish_of(self._scores)
        if wish != self._wish:
            self._wish, self._wish_since_s = wish, now_s
        if wish == self._emotion or now_s - self._wish_since_s < self.settings["dwell_s"]:
            return
        if self._frame_agrees(own, wish) and not (unsure and wish is not None):
            self._emotion, self._since_s = wish, now_s

    def _wish_of(self, scores):
        """The emotion these smoothed scores speak for, or None."""
        leader = max(range(len(EMOTIONS)), key=lambda i: scores[i])
        if scores[leader] >= self.settings["enter"]:
            return EMOTIONS[leader]
        if self._emotion is not None and scores[EMOTIONS.index(self._emotion)] >= self.settings["leave"]:
            return self._emotion
        return None

    def _frame_agrees(self, own, wish):
        """Does the frame by itself speak for the change? Thus a flicker that has passed changes nothing."""
        if wish is None:
            return own[EMOTIONS.index(self._emotion)] < self.settings["leave"]
        return own[EMOTIONS.index(wish)] == max(own)

    def _feeling(self):
        confidence = 0.0 if self._emotion is None else self._scores[EMOTIONS.index(self._emotion)]
        scores = None if self._scores is None else list(self._scores)
        return Feeling(self._emotion, confidence, self._since_s, scores, self._face_id)


def normalised(scores):
    """The scores divided by their sum, which is above 0."""
    total = sum(scores)
    return [score / total for score in scores]


def smoothed(before, own, dt_s, smooth_s):
    """One step of exponential smoothing over `dt_s`, for any frame rate; smooth_s 0 takes the frame alone."""
    share = 1.0 - math.exp(-max(dt_s, 0.0) / smooth_s) if smooth_s > 0 else 1.0
    return [old + share * (new - old) for old, new in zip(before, own)]


class Episodes(object):
    """Collects Episodes from Feelings as they come; stretches without an emotion are no episode."""

    def __init__(self):
        self._ended = []
        self._start_s = self._end_s = self._emotion = None
        self._sum, self._count = 0.0, 0

    def add(self, feeling, now_s):
        """Take the Feeling that `Mood.update` gave for `now_s`."""
        if feeling.emotion != self._emotion:
            if self._emotion is not None:
                self._end_s = now_s
                self._ended.append(self._current())
            self._emotion, self._start_s = feeling.emotion, now_s
            self._sum, self._count = 0.0, 0
        self._end_s = now_s
        self._sum += feeling.confidence
        self._count += 1

    def _current(self):
        return Episode(self._start_s, self._end_s, self._emotion, self._sum / self._count)

    @property
    def list(self):
        """All Episodes so far, the running one included up to the last Feeling."""
        return self._ended + ([] if self._emotion is None else [self._current()])


def episodes(timed_feelings):
    """The list of Episodes of an iterable of (now_s, Feeling)."""
    collected = Episodes()
    for now_s, feeling in timed_feelings:
        collected.add(feeling, now_s)
    return collected.list
