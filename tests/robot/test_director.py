# -*- coding: utf-8 -*-
"""What answers a mood, and when nothing does. Time is an argument, so an hour passes in a line."""

from __future__ import division, print_function

import pytest

from behaviors.keyframes import Behavior, BehaviorError
from behaviors.library import Library
from behaviors.mood import Feeling
from config.contract import Order
from robot_app.director import Director

REACTIONS = {
    "cool_down_s": 6.0, "between_s": 1.0, "ignore": [],
    "policy": "mirror", "override": {}, "full_at": 0.8, "builtin": False, "seed": 0,
}  # fmt: skip


def behavior(name, emotion, duration_s=2.0):
    return Behavior(name=name, emotion=emotion, duration_s=duration_s, joints={}, eyes=[], say=[], sees="")


CHEER, DANCE = behavior("cheer", "happy"), behavior("dance", "happy")
SIGH = behavior("sigh", "sad")


@pytest.fixture
def director():
    return Director(Library([CHEER, DANCE, SIGH]), REACTIONS)


def feeling(emotion, since_s=0.0):
    return Feeling(emotion, 0.9, since_s, None, 1)


NOBODY = Feeling(None, 0.0, 0.0, None, None)


def order(what, name=None):
    return Order(what, 1, name)


def test_nobody_is_answered_with_nothing(director):
    assert director.choose(NOBODY, 0.0) is None


def test_a_mood_is_answered_at_its_onset(director):
    assert director.choose(feeling("sad"), 0.5) == SIGH


def test_a_mood_that_lasts_is_answered_once(director):
    assert director.choose(feeling("sad", 1.0), 1.0) == SIGH
    assert [director.choose(feeling("sad", 1.0), second) for second in range(2, 100)] == [None] * 98


def test_the_same_emotion_is_not_answered_again_before_its_cool_down(director):
    director.choose(feeling("sad", 0.0), 0.0)
    assert director.choose(feeling("sad", 4.0), 5.9) is None
    assert director.choose(feeling("sad", 4.0), 6.0) == SIGH


def test_another_emotion_waits_for_the_end_and_the_pause_only(director):
    director.choose(feeling("sad", 0.0), 0.0)
    assert director.choose(feeling("happy", 1.0), 2.9) is None
    assert director.choose(feeling("happy", 1.0), 3.0) == CHEER


def test_a_mood_that_ended_while_the_robot_was_busy_is_not_answered_late(director):
    director.choose(feeling("sad", 0.0), 0.0)
    assert director.choose(feeling("happy", 1.0), 1.5) is None
    assert director.choose(NOBODY, 3.0) is None


def test_a_variation_is_not_repeated_before_the_others_had_their_turn(director):
    chosen = [director.choose(feeling("happy", 10.0 * i), 10.0 * i) for i in range(4)]
    assert chosen == [CHEER, DANCE, CHEER, DANCE]


def test_an_ignored_emotion_is_not_answered():
    director = Director(Library([CHEER, SIGH]), dict(REACTIONS, ignore=["sad"]))
    assert director.choose(feeling("sad"), 0.0) is None
    assert director.choose(feeling("happy"), 0.0) == CHEER


def test_an_emotion_without_behaviours_is_not_answered(director):
    assert director.choose(feeling("angry"), 0.0) is None


def test_the_operator_plays_what_he_wants_even_while_the_robot_is_busy_or_paused(director):
    director.choose(feeling("sad"), 0.0)
    director.obey(order("pause"), 0.1)
    assert director.obey(order("play", "dance"), 0.2) == DANCE


def test_what_the_operator_played_counts_for_cool_down_and_pause(director):
    director.obey(order("play", "dance"), 0.0)
    assert director.choose(feeling("sad"), 2.9) is None
    assert director.choose(feeling("happy", 3.0), 3.0) is None
    assert director.choose(feeling("happy", 3.0), 6.0) == CHEER


def test_an_unknown_behaviour_is_refused_with_its_nearest_neighbour(director):
    with pytest.raises(BehaviorError) as refused:
        director.obey(order("play", "cheers"), 0.0)
    assert "cheer" in str(refused.value)


@pytest.mark.parametrize("what", ["pause", "stop"])
def test_after_pause_or_stop_nothing_is_chosen_until_resume(director, what):
    director.obey(order(what), 0.0)
    assert director.choose(feeling("sad", 1.0), 1.0) is None
    director.obey(order("resume"), 2.0)
    assert director.choose(feeling("sad", 1.0), 2.0) == SIGH


def test_after_a_stop_the_robot_is_free_at_once(director):
    director.choose(feeling("sad"), 0.0)
    director.obey(order("stop"), 0.5)
    director.obey(order("resume"), 0.6)
    assert director.choose(feeling("happy", 0.6), 0.6) == CHEER
