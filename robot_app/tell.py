# -*- coding: utf-8 -*-
"""What a person should know, said once: a sentence is printed when its cause is new, never on repeats."""

from __future__ import division, print_function


class Teller(object):
    """Prints sentences to `stream`. Each topic ("pc", "camera", ...) has one state; only changes are told."""

    def __init__(self, stream):
        self._stream = stream
        self._states = {}

    def __call__(self, topic, sentence):
        """Say how it stands with `topic`, unless that was the last thing said about it.

        None says that all is well again; nothing is printed for that.
        """
        if self._states.get(topic) == sentence:
            return
        self._states[topic] = sentence
        if sentence is not None:
            print("robot_app: " + sentence, file=self._stream)
            self._stream.flush()

    def last(self, topic):
        """The sentence that `topic` stands at, or None."""
        return self._states.get(topic)
