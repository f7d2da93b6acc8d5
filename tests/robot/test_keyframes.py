# -*- coding: utf-8 -*-
"""Joints, keyframes and rules: NAO's table, behaviours as values, and what NAO is never asked to do."""

from __future__ import division, print_function

import copy
import json
import math

import pytest

from behaviors import rules
from behaviors.joints import (
    BODY_NAMES,
    GESTURE_NAMES,
    HEAD_ROWS,
    JOINTS,
    STAND,
    head_pitch_limits,
)
from behaviors.keyframes import BehaviorError, from_dict, interpolate

WAVE = {
    "name": "wave",
    "emotion": "happy",
    "duration_s": 3.0,
    "joints": {
        "HeadYaw": [[1.0, 3.0], [0.3, 0.0]],
        "LShoulderPitch": [[1.0, 2.0, 3.0], [-0.5, 0.2, 1.4426]],
        "LHand": [[0.8, 3.0], [0.9, 0.3]],
    },
    "eyes": [[0.0, 0xFFC800, 0.3], [2.5, 0xFFFFFF, 0.5]],
    "say": [[0.4, {"English": ["Hello!", "Hi!"], "French": [b"Tr\xc3\xa8s bien !".decode("utf-8")]}]],
    "sees": "It waves.",
}


def changed(*path_and_value):
    """WAVE with the value at a path replaced; Ellipsis takes the last key away."""
    table = copy.deepcopy(WAVE)
    at, last, value = table, path_and_value[-2], path_and_value[-1]
    for key in path_and_value[:-2]:
        at = at[key]
    if value is Ellipsis:
        del at[last]
    else:
        at[last] = value
    return table


def test_every_joint_of_nao_is_in_the_table_and_stands_inside_its_limits():
    assert len(BODY_NAMES) == len(JOINTS) == 26
    assert set(STAND) == set(GESTURE_NAMES) and len(STAND) == 14
    for joint, angle in STAND.items():
        assert JOINTS[joint].min_rad < angle < JOINTS[joint].max_rad, joint


@pytest.mark.parametrize("joint", [name for name in BODY_NAMES if JOINTS[name].mirror])
def test_a_mirrored_joint_has_mirrored_limits_and_its_twin_points_back(joint):
    here, there = JOINTS[joint], JOINTS[JOINTS[joint].mirror]
    mirrored = sorted((here.mirror_sign * here.min_rad, here.mirror_sign * here.max_rad))
    assert there.mirror == joint and there.mirror_sign == here.mirror_sign
    assert there.max_speed_rad_s == here.max_speed_rad_s
    # The ankles' pitch differs by 0.01 rad between left and right on the robot itself.
    assert mirrored == pytest.approx([there.min_rad, there.max_rad], abs=0.011)


@pytest.mark.parametrize("yaw, low, high", HEAD_ROWS)
def test_the_head_may_pitch_as_far_as_the_table_says_and_alike_on_both_sides(yaw, low, high):
    assert head_pitch_limits(yaw) == pytest.approx((low, high))
    assert head_pitch_limits(-yaw) == pytest.approx((low, high))


def test_between_rows_the_heads_limits_are_linear_and_beyond_the_last_they_hold():
    half = (HEAD_ROWS[1][0] + HEAD_ROWS[2][0]) / 2
    assert head_pitch_limits(half)[0] == pytest.approx((HEAD_ROWS[1][1] + HEAD_ROWS[2][1]) / 2)
    assert head_pitch_limits(3.0) == HEAD_ROWS[-1][1:]


def test_a_behaviour_survives_json_and_every_text_of_it_is_a_str():
    once = from_dict(WAVE)
    again = from_dict(json.loads(json.dumps(once.to_dict())))
    assert again == once
    assert once.joints["LHand"] == ([0.8, 3.0], [0.9, 0.3])
    assert once.eyes[0] == (0.0, 0xFFC800, 0.3)
    texts = [once.name, once.emotion, once.sees] + [text for text in once.say[0][1]["French"]]
    assert all(isinstance(text, str) for text in texts)


def test_it_starts_where_the_robot_is_hits_each_key_and_rests_after_the_last():
    wave = from_dict(WAVE)
    assert wave.evaluate(0.0)["LShoulderPitch"] == STAND["LShoulderPitch"]
    assert wave.evaluate(0.0, dict(STAND, LHand=0.7))["LHand"] == pytest.approx(0.7)
    assert wave.evaluate(-1.0) == wave.evaluate(0.0)
    for joint, (times_s, angles) in wave.joints.items():
        for time_s, angle in zip(times_s, angles):
            assert wave.evaluate(time_s)[joint] == pytest.approx(angle)
        assert wave.evaluate(99.0)[joint] == angles[-1]


def test_between_keys_it_never_overshoots_and_peaks_at_one_and_a_half_times_the_mean_speed():
    steps = [interpolate([1.0, 2.0], [0.0, 1.0], 0.0, 1.0 + i / 1000.0) for i in range(1001)]
    speeds = [(b - a) * 1000 for a, b in zip(steps, steps[1:])]
    assert min(steps) == 0.0 and max(steps) == 1.0
    assert max(speeds) == pytest.approx(rules.PEAK_OF_CUBIC, abs=1e-3)
    assert speeds[0] < 0.01 and speeds[-1] < 0.01


@pytest.mark.parametrize(
    "table, words",
    [
        (changed("emotion", "hapy"), "no emotion 'hapy'; did you mean happy?"),
        (changed("joints", "LSholderPitch", [[1.0], [0.0]]), "'LSholderPitch'; did you mean LShoulderPitch?"),
        (changed("joints", "LKneePitch", [[1.0], [0.0]]), "LKneePitch is a leg joint"),
        (changed("joints", "LHand", [[1.0, 2.0], [0.5]]), "two lists of one length"),
        (changed("joints", "LHand", [[], []]), "two lists of one length"),
        (changed("joints", "LHand", [[2.0, 1.0], [0.5, 0.3]]), "times must ascend: 1 s came after 2 s"),
        (changed("joints", "LHand", [[0.0], [0.5]]), "the first time is 0.001 s or later"),
        (changed("joints", "LHand", [[1.0], [float("nan")]]), "finite number; nan came"),
        (changed("joints", "LHand", [[float("inf")], [0.3]]), "a time is a number of seconds, at most 10"),
        (changed("joints", "LHand", [[1.0], [True]]), "finite number; True came"),
        (changed("joints", []), "'joints' is an object"),
        (changed("eyes", [[0.0, 0x1000000, 0.3]]), "0x000000..0xFFFFFF; 16777216 came"),
        (changed("eyes", [[0.0, 1]]), "list of [time_s, colour, fade_s]"),
        (changed("eyes", [[0.0, 0xFFFFFF, -1]]), "eyes fade in 0 to 10 s; -1 came"),
        (changed("say", [[0.0, {"French": ["Oh"]}]]), "needs an English text"),
        (changed("say", [[0.0, {"English": ["Oh"], "Klingon": ["nuqneH"]}]]), "no language 'Klingon'"),
        (changed("say", [[0.0, {"English": ["o" * 161]}]]), "1 to 160 characters"),
        (changed("say", [[0.0, {"English": "Oh"}]]), "needs a list of texts; 'Oh' came"),
        (changed("say", [[0.0, {"English": [" "]}]]), "1 to 160 characters"),
        (changed("duration_s", 0), "more than 0 and at most 10 s; 0 came"),
        (changed("duration_s", "long"), "more than 0 and at most 10 s; 'long' came"),
        (changed("name", ""), "a name has 1 to 64"),
        (changed("name", "a b"), "a name has 1 to 64"),
        (changed("sees", 3), "'sees' is a text"),
        (changed("colour", 3), "there is no 'colour' in a behaviour"),
        (changed("say", Ellipsis), "say must be given"),
        ([WAVE], "a behaviour is an object with name, emotion"),
    ],
)
def test_a_malformed_behaviour_is_refused_in_a_sentence(table, words):
    with pytest.raises(BehaviorError) as caught:
        from_dict(table)
    assert words in str(caught.value)


def test_every_flaw_is_told_at_once():
    table = changed("emotion", "bored")
    table["duration_s"] = -1
    table["joints"]["LHand"] = [[1.0, 0.5], [0.5, "wide"]]
    with pytest.raises(BehaviorError) as caught:
        from_dict(table)
    assert len(caught.value.flaws) == 4
    assert all(flaw.startswith("behaviour wave: ") for flaw in caught.value.flaws)


def breaches(*path_and_value):
    return [flaw.text for flaw in rules.flaws(from_dict(changed(*path_and_value)))]


def test_a_well_made_behaviour_breaks_no_rule():
    assert rules.flaws(from_dict(WAVE)) == []


@pytest.mark.parametrize(
    "path_and_value, words",
    [
        (("joints", "LHand", [[0.8, 3.0], [0.99, 0.3]]), "LHand at 0.8 s must lie in 0.0200..0.9800"),
        (
            ("joints", "HeadYaw", [[1.5, 3.0], [2.05, 0.0]]),
            "must lie in -2.0023..2.0023 (rad; the limits less 2 %); 2.05",
        ),
        (("joints", "LHand", [[0.59, 3.0], [0.5, 0.3]]), "LHand: the first key is at 0.6 s or later"),
        (
            ("joints", "LShoulderPitch", [[1.0, 1.2, 3.0], [0.0, 1.0, 1.4426]]),
            "LShoulderPitch on its way to 1.2 s peaks at 91 % of its highest speed",
        ),
        (
            ("joints", "LShoulderPitch", [[0.7, 3.0], [-1.0, 1.4426]]),
            "on its way to 0.7 s, from the far end of its range, peaks at 80 %",
        ),
        (("joints", "LHand", [[0.8, 3.0], [0.9, 0.31]]), "LHand must end at Stand, 0.3000"),
        (("joints", "LHand", [[0.8, 3.1], [0.9, 0.3]]), "a key at 3.1 s, but the behaviour ends at 3 s"),
        (("duration_s", 5.5), "lasts 2 to 5 s; it lasts 5.5 s"),
        (("eyes", [[0.0, 0xFF0000, 0.3]]), "must end in white, 0xFFFFFF; they end in 0xFF0000"),
        (("eyes", [[3.5, 0xFFFFFF, 0.3]]), "eyes at 3.5 s, but it ends at 3 s"),
    ],
)
def test_a_breach_of_a_rule_names_the_joint_the_limit_and_what_came(path_and_value, words):
    found = breaches(*path_and_value)
    assert any(words in text for text in found), found


def test_a_speed_flaw_says_how_long_it_needs_and_that_long_is_enough():
    def flaws_with(span_s):
        return breaches("joints", "LShoulderPitch", [[1.0, 1.0 + span_s, 3.5], [0.0, 1.4, 1.4426]])

    (text,) = [text for text in flaws_with(0.2) if "peaks" in text]
    needed_s = float(text.rstrip(" s.").rpartition(" ")[2])
    assert not [text for text in flaws_with(needed_s) if "peaks" in text]


def test_the_heads_coupled_limit_is_found_between_two_keys_that_are_both_allowed():
    """From looking up straight ahead to looking level and far aside: a cubic and a late key pass the corner."""
    table = changed("joints", "HeadYaw", [[1.0, 3.0], [1.5, 0.0]])
    table["joints"]["HeadPitch"] = [[0.8, 1.3, 3.0], [-0.6, -0.2, -0.17]]
    found = [flaw.text for flaw in rules.flaws(from_dict(table))]
    assert len(found) == 1 and "the head at 0." in found[0] and "degrees allow HeadPitch" in found[0]


def test_the_first_key_is_slow_enough_from_the_far_end_of_the_range():
    shares = rules.speed_shares("HeadYaw", [1.0, 2.0], [1.0, 0.0])
    assert shares[0] == pytest.approx(1.5 * (1.0 + 2.0857) / 8.268)
    assert shares[1] == pytest.approx(1.5 * 1.0 / 8.268)


def test_a_safe_range_is_the_limits_less_two_per_cent():
    low, high = rules.safe_range("LElbowRoll")
    assert (low, high) == pytest.approx((-1.5446 + 0.02 * 1.5097, -0.0349 - 0.02 * 1.5097))
    assert math.degrees(high) == pytest.approx(-3.73, abs=0.01)
