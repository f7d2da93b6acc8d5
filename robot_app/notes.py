# -*- coding: utf-8 -*-
"""What happened, in numbers: kept while the robot app runs, written as JSON when it ends.

Memory stays bounded however long it runs, but for one small entry a reaction. Ages are counted by whole
milliseconds, so percentiles are exact to 1 ms.
"""

from __future__ import division, print_function

import io
import json
from collections import Counter

MAX_AGE_MS = 60 * 1000


class Notes(object):
    """Counts of one run; times are by the robot's clock."""

    def __init__(self):
        self.frames = 0  # sent
        self.readings = 0  # answers young enough to act on
        self.dropped = Counter()  # answers not acted on: "stale", "overtaken", "unasked", "unreadable", "error"
        self.reactions = []
        self.stops = []  # of the robot, by its own senses
        self._ages_ms = Counter()
        self._first_s = None

    def frame(self, taken_s):
        self.frames += 1
        if self._first_s is None:
            self._first_s = taken_s

    def answer(self, age_s):
        """A Reading came `age_s` after its picture was taken, whether it was acted on or not."""
        self._ages_ms[min(max(int(age_s * 1000 + 0.5), 0), MAX_AGE_MS)] += 1

    def reaction(self, behavior, now_s):
        """`behavior` began, caused by a face; at_s counts from the first picture."""
        self.reactions.append(
            {"emotion": behavior.emotion, "behavior": behavior.name, "at_s": self._at_s(now_s)}
        )

    def stop(self, why, now_s):
        """The robot was stopped, by its own senses; `why` is a sentence."""
        self.stops.append({"why": why, "at_s": self._at_s(now_s)})

    def _at_s(self, now_s):
        return float("%.3f" % (now_s - (now_s if self._first_s is None else self._first_s)))

    def age_ms(self, share):
        """The age that `share` (0..1) of all answers did not exceed, ms; None without answers."""
        needed, seen = share * sum(self._ages_ms.values()), 0
        for age_ms in sorted(self._ages_ms):
            seen += self._ages_ms[age_ms]
            if seen >= needed:
                return age_ms
        return None

    def summary(self):
        return {
            "frames": self.frames,
            "readings": self.readings,
            "dropped": dict(self.dropped),
            "reactions": self.reactions,
            "stops": self.stops,
            "answer_age_ms": {"p50": self.age_ms(0.5), "p95": self.age_ms(0.95)},
        }

    def write(self, path):
        """The summary as a JSON file; raises IOError or OSError."""
        text = json.dumps(self.summary(), indent=1, sort_keys=True, separators=(",", ": ")) + "\n"
        with io.open(path, "wb") as file:
            file.write(text.encode("ascii"))
