# -*- coding: utf-8 -*-
"""Music for a mood: when it has lasted, a song that goes with it plays; when it changes, the song fades.

It chooses songs and drives ALAudioPlayer, its own songs only. It moves nothing, and a song that cannot be
played is a sentence, no more. Songs are files on the robot. Time is an argument.
"""

from __future__ import division, print_function

from robot_app.robots import RobotError, RobotLost

STEP_S = 0.1  # between two steps of a fade


class Silence(object):
    """No music."""

    def tick(self, feeling, now_s):
        pass

    def end(self):
        pass


class Music(object):
    """`settings` is the section "music", `songs` {emotion: [path, ...]}; `tell(topic, sentence)`."""

    def __init__(self, robot, settings, songs, tell):
        self._robot = robot
        self._after_s = settings["after_s"]
        self._volume = settings["volume"]
        self._fade_s = settings["fade_s"]
        self._songs = songs
        self._tell = tell
        self._emotion = None  # of the song that plays
        self._song = None  # (id of the loaded file, future of its playing)
        self._turns = {}  # emotion: songs played so far
        self._fading_s = None  # since when it fades
        self._next_s = None  # of the fade's next step, or of the next try

    def tick(self, feeling, now_s):
        """Begin, fade or end, as the Feeling asks for."""
        if self._next_s is not None and now_s < self._next_s:
            return
        if self._song is not None and self._song[1].isFinished():
            self.end()
        if self._song is None:
            wanted = feeling.emotion
            if self._songs.get(wanted) and now_s - feeling.since_s >= self._after_s:
                self._begin(wanted, now_s)
        elif self._fading_s is not None or feeling.emotion != self._emotion:
            self._fade(now_s)

    def end(self):
        """Stop our song now."""
        song, self._song, self._fading_s, self._next_s = self._song, None, None, None
        if song is not None:
            for method in ("stop", "unloadFile"):
                self._try(method, song[0])

    def _begin(self, emotion, now_s):
        turn = self._turns[emotion] = self._turns.get(emotion, -1) + 1
        path = self._songs[emotion][turn % len(self._songs[emotion])]
        number = self._try("loadFile", path)
        if number is None:
            self._next_s = now_s + self._after_s  # a file that cannot be played is not tried at every turn
            return
        self._emotion, self._fading_s, self._next_s = emotion, None, None
        self._song = (number, self._robot.start("ALAudioPlayer", "play", number, self._volume, 0.0))

    def _fade(self, now_s):
        if self._fading_s is None:
            self._fading_s = now_s
        left = 1.0 - (now_s - self._fading_s) / self._fade_s if self._fade_s > 0 else 0.0
        if left <= 0:
            self.end()
            return
        self._try("setVolume", self._song[0], self._volume * left)
        self._next_s = now_s + STEP_S

    def _try(self, method, *arguments):
        """What ALAudioPlayer returns; None, with a sentence told, where it refuses."""
        try:
            found = self._robot.call("ALAudioPlayer", method, *arguments)
            self._tell("music", None)
            return found
        except RobotLost:
            raise
        except RobotError as error:
            self._tell("music", "the song cannot be played: %s" % error)
            return None
