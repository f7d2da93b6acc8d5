# -*- coding: utf-8 -*-
"""Which behaviour, how strong, in which words: pure choices that come out alike on both Pythons."""

from __future__ import division, print_function

import pytest

from behaviors import choice, rules
from behaviors.joints import STAND
from behaviors.keyframes import Behavior, BehaviorError
from behaviors.library import Library

REACTIONS = {"policy": "mirror", "override": {}, "builtin": False}


def behavior(name, emotion, **more):
    return Behavior(name=name, emotion=emotion, duration_s=3.0, joints={}, eyes=[], say=[], sees="", **more)


WEEP = behavior("weep", "sad", policies=("mirror",), builtin=["animations/Stand/Emotions/Negative/Sad_1"])
HUG = behavior("hug", "sad", policies=("empathy",))
NOD = behavior("nod", "neutral")
LIBRARY = Library([WEEP, HUG, NOD])
WAVE = Behavior(
    name="wave",
    emotion="happy",
    duration_s=4.0,
    joints={"LShoulderPitch": ([1.0, 2.0, 4.0], [-0.5, 0.4, STAND["LShoulderPitch"]])},
    eyes=[(0.0, 0xFFC800, 0.3), (3.0, 0xFFFFFF, 0.5)],
    say=[(0.5, {"English": ["Hello!"]})],
    sees="",
    least_amplitude=0.6,
    ears=[(1.0, 0.0, 0.2), (2.0, 1.0, 0.2)],
    sounds=[(1.0, "/home/nao/laugh.wav")],
)


def names(table, emotion):
    return [b.name for b in table[emotion]]


@pytest.mark.parametrize(
    "change, sad",
    [
        ({}, ["weep"]),
        ({"policy": "empathy"}, ["hug"]),
        ({"override": {"sad": "empathy"}}, ["hug"]),
        ({"override": {"sad": ["weep", "hug"]}}, ["hug", "weep"]),
        ({"policy": "empathy", "override": {"sad": "mirror"}}, ["weep"]),
    ],
)
def test_the_policy_and_its_overrides_say_what_answers_an_emotion(change, sad):
    table = choice.answers(LIBRARY, dict(REACTIONS, **change))
    assert names(table, "sad") == sad
    assert names(table, "neutral") == ["nod"] and names(table, "angry") == []


def test_where_nothing_follows_the_policy_the_others_answer():
    table = choice.answers(Library([HUG]), REACTIONS)
    assert names(table, "sad") == ["hug"]


@pytest.mark.parametrize(
    "override, words",
    [({"sad": ["weap"]}, "no behaviour 'weap'; did you mean weep?"), ({"sad": ["nod"]}, "nod answers neutral")],
)
def test_an_override_that_cannot_be_is_a_sentence(override, words):
    with pytest.raises(BehaviorError) as refused:
        choice.answers(LIBRARY, dict(REACTIONS, override=override))
    assert words in str(refused.value)


def test_built_in_animations_are_handed_on_only_where_they_are_wanted():
    assert choice.answers(LIBRARY, REACTIONS)["sad"][0].builtin == ()
    assert choice.answers(LIBRARY, dict(REACTIONS, builtin=True))["sad"][0].builtin == WEEP.builtin


def order(count, seed, turns=200):
    behaviors, played = [behavior("b%d" % i, "sad") for i in range(count)], []
    for _ in range(turns):
        played.append(choice.variation(behaviors, played, seed).name)
    return played


@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_a_variation_never_comes_twice_in_a_row_and_all_get_their_turn(count):
    played = order(count, seed=0)
    assert all(one != other for one, other in zip(played, played[1:]))
    assert all(abs(played.count(name) - 200 / count) < 50 / count for name in set(played))
    assert len(set(played)) == count


def test_one_variation_alone_is_played_again():
    assert order(1, seed=0) == ["b0"] * 200


def test_the_same_seed_gives_the_same_order_on_every_python_and_another_seed_another():
    assert order(4, seed=7, turns=10) == [
        "b1", "b0", "b3", "b1", "b2", "b0", "b3", "b1", "b2", "b3",
    ]  # fmt: skip
    assert order(4, seed=7) != order(4, seed=8)


@pytest.mark.parametrize(
    "confidence, level", [(1.0, 1.0), (0.8, 1.0), (0.69, 0.5), (0.6, 0.5), (0.45, 0.0), (0.1, 0.0), (0.0, 0.0)]
)
def test_the_surer_the_reading_the_stronger_the_answer(confidence, level):
    assert choice.intensity(confidence, 0.8) == level


def test_with_full_at_0_every_answer_is_full():
    assert choice.intensity(0.0, 0.0) == 1.0


def test_a_weak_answer_keeps_its_least_amplitude_and_comes_slower_with_all_that_belongs_to_it():
    weak = choice.scaled(WAVE, 0.0)
    times_s, angles = weak.joints["LShoulderPitch"]
    stand = STAND["LShoulderPitch"]
    assert angles == pytest.approx([stand + 0.6 * (-0.5 - stand), stand + 0.6 * (0.4 - stand), stand])
    assert times_s == pytest.approx([1.2, 2.4, 4.8]) and weak.duration_s == pytest.approx(4.8)
    assert [key[0] for key in weak.eyes] == pytest.approx([0.0, 3.6])
    assert weak.eyes[0][1] == 0xFFC800 and weak.ears[0][1] == 0.0
    assert (weak.ears[0][0], weak.say[0][0], weak.sounds[0][0]) == pytest.approx((1.2, 0.6, 1.2))
    assert rules.flaws(weak) == []


def test_the_full_answer_is_the_behaviour_itself():
    assert choice.scaled(WAVE, 1.0) is WAVE


def test_sadness_keeps_its_time_and_no_answer_outlasts_five_seconds():
    assert choice.scaled(WAVE._replace(emotion="sad"), 0.0).duration_s == 4.0
    assert choice.scaled(WAVE._replace(duration_s=4.9), 0.0).duration_s == pytest.approx(5.0)


TEXTS = {"English": ["Oh!", "Ah!"], "French": ["Oh là !"], "Japanese": ["わあ!"]}


@pytest.mark.parametrize(
    "wanted, installed, spoken",
    [
        ("French", ["English", "French"], ("French", "Oh là !")),
        ("Chinese", ["Chinese", "English", "French"], ("English", "Oh!")),
        ("French", ["English"], ("English", "Oh!")),
        ("English", ["Japanese", "French"], ("French", "Oh là !")),
        ("German", ["German"], None),
        ("English", [], None),
    ],
)
def test_words_come_in_the_wanted_language_or_the_best_one_the_robot_has(wanted, installed, spoken):
    assert choice.words(TEXTS, wanted, installed, 0) == spoken


def test_all_texts_of_a_language_take_turns():
    said = [choice.words(TEXTS, "English", ["English"], turn)[1] for turn in range(4)]
    assert said == ["Oh!", "Ah!", "Oh!", "Ah!"]
