# -*- coding: utf-8 -*-
"""A song for a mood that lasts: when it begins, how it fades, and what a folder must hold."""

from __future__ import division, print_function

import io

import pytest
from stand_in import Future, Naoqi

from behaviors import songs
from behaviors.mood import Feeling
from config.contract import EMOTIONS
from robot_app.music import Music
from robot_app.robots import Robot
from robot_app.tell import Teller

SETTINGS = {"player": "robot", "folder": "songs", "after_s": 5.0, "fade_s": 2.0, "volume": 0.4}
SONGS = {"happy": ["/h1.mp3", "/h2.mp3"], "sad": ["/s.mp3"], "angry": []}


class Concert(object):
    def __init__(self):
        self.naoqi = Naoqi()
        self.said = io.StringIO() if str is not bytes else io.BytesIO()
        robot = Robot(lambda ended: self.naoqi, "the stand-in")
        robot.connect()
        self.music = Music(robot, SETTINGS, SONGS, Teller(self.said))

    def feel(self, emotion, since_s, *times_s):
        for now_s in times_s:
            self.music.tick(Feeling(emotion, 0.9, since_s, None, 1), now_s)

    def plays(self):
        """[(path, volume)] of what is heard now."""
        return [(path, volume) for path, volume, future in self.naoqi.songs if not future.isFinished()]


@pytest.fixture
def concert():
    return Concert()


def test_a_song_begins_when_the_mood_has_lasted(concert):
    concert.feel("sad", 10.0, 10.0, 12.0, 14.9)
    assert concert.plays() == []
    concert.feel("sad", 10.0, 15.0)
    assert concert.plays() == [("/s.mp3", 0.4)]


def test_a_mood_that_lasts_on_goes_on_with_the_next_song(concert):
    concert.feel("happy", 0.0, 5.0)
    concert.naoqi.songs[0][2].end()
    concert.feel("happy", 0.0, 200.0)
    assert concert.plays() == [("/h2.mp3", 0.4)]


def test_a_song_fades_when_the_mood_changes_and_then_ends(concert):
    concert.feel("sad", 0.0, 5.0)
    concert.feel("happy", 6.0, 6.0, 7.0)
    assert concert.plays() == [("/s.mp3", pytest.approx(0.2))]
    concert.feel("happy", 6.0, 8.0)
    assert concert.plays() == []
    concert.feel("happy", 6.0, 11.0)
    assert concert.plays() == [("/h1.mp3", 0.4)]


def test_nobody_there_ends_the_music_too(concert):
    concert.feel("sad", 0.0, 5.0)
    concert.feel(None, 6.0, 6.0, 8.1)
    assert concert.plays() == []


def test_silence_is_kept_where_it_is_wanted(concert):
    concert.feel("angry", 0.0, 5.0, 60.0)
    assert concert.naoqi.songs == []


def test_the_end_is_silence_and_only_our_songs_end(concert):
    concert.feel("sad", 0.0, 5.0)
    concert.music.end()
    assert concert.plays() == [] and concert.naoqi.of("ALAudioPlayer", "stopAll") == []


def test_a_song_that_cannot_be_played_is_told_once_and_tried_again_later(concert):
    concert.naoqi.ALAudioPlayer_loadFile = lambda path: Future().end(error="cannot open %s" % path)
    concert.feel("sad", 0.0, *[5.0 + turn / 50 for turn in range(200)])
    assert concert.said.getvalue().count("\n") == 1 and "/s.mp3" in concert.said.getvalue()
    assert len(concert.naoqi.of("ALAudioPlayer", "loadFile")) == 1


def folder_of(tmpdir, without=()):
    for emotion in EMOTIONS:
        if emotion not in without:
            tmpdir.mkdir(emotion).join("song.ogg").write("")
    return str(tmpdir)


def test_a_folder_gives_its_songs_by_emotion(tmpdir):
    tmpdir.mkdir("neutral").join("silence").write("")
    folder = folder_of(tmpdir, without=["neutral"])
    found = songs.load(folder)
    assert found["neutral"] == [] and found["sad"] == [str(tmpdir.join("sad", "song.ogg"))]


def test_a_folder_that_lacks_emotions_is_one_sentence_that_names_them_all(tmpdir):
    folder = folder_of(tmpdir, without=["angry", "neutral"])
    tmpdir.mkdir("angry").join("notes.txt").write("")
    with pytest.raises(songs.SongsError) as refused:
        songs.load(folder)
    assert "angry, neutral" in str(refused.value) and folder in str(refused.value)


def test_no_folder_is_a_sentence():
    with pytest.raises(songs.SongsError) as refused:
        songs.load("/no/such/folder")
    assert "/no/such/folder" in str(refused.value)
