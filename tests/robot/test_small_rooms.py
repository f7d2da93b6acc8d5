# -*- coding: utf-8 -*-
"""The small rooms of the robot app: clock, tell and notes."""

from __future__ import division, print_function

import io
import json
import time

import pytest

from behaviors.keyframes import Behavior
from robot_app.clock import now_s
from robot_app.notes import Notes
from robot_app.tell import Teller

CHEER = Behavior(name="cheer", emotion="happy", duration_s=1.0, joints={}, eyes=[], say=[], sees="")


@pytest.fixture
def said():
    return io.StringIO() if str is not bytes else io.BytesIO()


def test_the_clock_does_not_follow_the_wall(monkeypatch):
    before = now_s()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert 0.0 <= now_s() - before < 60.0


def test_the_clock_never_goes_back():
    times = [now_s() for _ in range(1000)]
    assert times == sorted(times) and times[-1] > times[0]


def test_a_sentence_is_told_once_and_again_when_it_has_changed(said):
    tell = Teller(said)
    for sentence in ("down.", "down.", "up.", "down.", None, None, "down."):
        tell("pc", sentence)
    assert said.getvalue() == "robot_app: down.\nrobot_app: up.\nrobot_app: down.\nrobot_app: down.\n"


def test_topics_do_not_hide_one_another(said):
    tell = Teller(said)
    tell("pc", "down.")
    tell("camera", "dark.")
    tell("pc", "down.")
    assert said.getvalue().count("\n") == 2
    assert tell.last("camera") == "dark." and tell.last("robot") is None


def test_reactions_are_timed_from_the_first_picture():
    notes = Notes()
    notes.frame(100.0)
    notes.frame(100.5)
    notes.reaction(CHEER, 102.25)
    assert notes.summary()["reactions"] == [{"emotion": "happy", "behavior": "cheer", "at_s": 2.25}]


def test_stops_are_timed_as_reactions_are():
    notes = Notes()
    notes.frame(100.0)
    notes.stop("it was lifted.", 101.5)
    assert notes.summary()["stops"] == [{"why": "it was lifted.", "at_s": 1.5}]


def test_percentiles_are_the_ages_that_half_and_nearly_all_answers_did_not_exceed():
    notes = Notes()
    for age_ms in range(1, 101):
        notes.answer(age_ms / 1000)
    assert notes.summary()["answer_age_ms"] == {"p50": 50, "p95": 95}


def test_without_answers_there_is_no_percentile():
    assert Notes().summary()["answer_age_ms"] == {"p50": None, "p95": None}


def test_an_age_beyond_all_measure_is_kept_in_bounds():
    notes = Notes()
    notes.answer(1e9)
    notes.answer(-1e-9)
    assert (notes.age_ms(0.5), notes.age_ms(1.0)) == (0, 60000)


def test_the_summary_is_written_as_json(tmpdir):
    path = str(tmpdir.join("summary.json"))
    notes = Notes()
    notes.frame(1.0)
    notes.write(path)
    with io.open(path, encoding="utf-8") as file:
        assert json.load(file) == notes.summary()
