# -*- coding: utf-8 -*-
"""The songs of a folder, by emotion: both players, the robot's and the monitor page's, read them here.

A folder has one folder for each emotion, with at least one song in it; an emotion that is to stay silent has an
empty file called `silence` in its folder. It opens no song. Valid Python 2.7 and 3, standard library alone.
"""

from __future__ import division, print_function

import os

from config.contract import EMOTIONS

ENDINGS = (".mp3", ".ogg", ".wav")  # what ALAudioPlayer and browsers both play
SILENCE = "silence"


class SongsError(ValueError):
    """The folder cannot be used; the text says what it lacks."""


def load(folder):
    """{emotion: [path, ...]}, sorted; an empty list where silence is wanted. Raises SongsError, all at once."""
    if not os.path.isdir(folder):
        raise SongsError("music: there is no folder %s; set music.folder." % folder)
    songs, missing = {}, []
    for emotion in EMOTIONS:
        place = os.path.join(folder, emotion)
        names = sorted(os.listdir(place)) if os.path.isdir(place) else []
        songs[emotion] = [os.path.join(place, name) for name in names if name.lower().endswith(ENDINGS)]
        if not songs[emotion] and SILENCE not in names:
            missing.append(emotion)
    if missing:
        raise SongsError(
            "music: %s has no song for %s: put at least one (%s) into a folder of that name in it, or an empty "
            "file called %s where no music is wanted."
            % (folder, ", ".join(missing), ", ".join(ENDINGS), SILENCE)
        )
    return songs
