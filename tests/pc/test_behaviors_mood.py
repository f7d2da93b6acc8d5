"""The mood's laws, for any faces at any times."""

import math
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from behaviors.mood import Mood, episodes
from config.contract import EMOTIONS, Face

quick = settings(max_examples=60, deadline=None)
SETTINGS = {"smooth_s": 0.4, "enter": 0.5, "leave": 0.35, "dwell_s": 0.5, "absent_s": 1.0}

share = st.floats(0.0, 1.0, allow_nan=False)
seven = st.lists(share, min_size=7, max_size=7)
some_rules = st.builds(
    lambda smooth_s, edges, dwell_s, absent_s: {
        "smooth_s": smooth_s,
        "enter": max(edges),
        "leave": min(edges),
        "dwell_s": dwell_s,
        "absent_s": absent_s,
    },
    st.floats(0, 3),
    st.tuples(share, share),
    st.floats(0, 2),
    st.floats(0, 3),
)
someone = st.builds(
    lambda face_id, size_px, scores: Face(face_id, [0, 0, size_px, size_px], 1.0, scores),
    st.integers(0, 3),
    st.integers(1, 400),
    seven,
)
gap_s = st.one_of(st.floats(0, 0.2), st.floats(0, 5), st.just(3600.0))
film = st.lists(st.tuples(gap_s, st.lists(someone, max_size=3)), max_size=60)


def one_hot(emotion, strength=1.0):
    rest = (1 - strength) / 6
    return [strength if name == emotion else rest for name in EMOTIONS]


def play(frames, rules=SETTINGS):
    mood, now_s, timed = Mood(rules), 50.0, []
    for dt_s, faces in frames:
        now_s += dt_s
        timed.append((now_s, mood.update(faces, now_s)))
    return timed


@quick
@given(film, some_rules)
def test_scores_are_always_probabilities_and_a_mood_is_only_felt_for_somebody(frames, rules):
    for now_s, feeling in play(frames, rules):
        assert 0.0 <= feeling.confidence <= 1.0 + 1e-9 and feeling.since_s <= now_s
        assert (feeling.scores is None) == (feeling.face_id is None)
        if feeling.scores is None:
            assert feeling.emotion is None
        else:
            assert math.isclose(sum(feeling.scores), 1.0, abs_tol=1e-6) and min(feeling.scores) >= 0.0


@quick
@given(film, some_rules)
def test_a_mood_never_begins_sooner_than_the_dwell_after_the_change_before(frames, rules):
    timed = play(frames, rules)
    changes = [
        (now_s, feeling)
        for (_, before), (now_s, feeling) in pairwise(timed)
        if feeling.emotion != before.emotion
    ]
    for (first_s, _), (then_s, then) in pairwise(changes):
        if then.face_id is not None:  # who has left takes the mood along at once
            assert then_s - first_s >= rules["dwell_s"] - 1e-9


@quick
@given(
    st.sampled_from(EMOTIONS),
    st.floats(0.55, 1.0),
    st.lists(st.tuples(st.floats(0.005, 0.3), seven.filter(lambda scores: sum(scores) > 0)), max_size=40),
    st.floats(0.01, 0.2),
)
def test_a_flicker_shorter_than_the_dwell_never_changes_the_mood(emotion, strength, flicker, step_s):
    """Whatever is read for less than the dwell between two steady stretches, the mood stays as it was."""
    steady = [(step_s, [Face(1, [0, 0, 9, 9], 1.0, one_hot(emotion, strength))])] * int(3 / step_s)
    shown, spent_s = [], 0.0
    for dt_s, scores in flicker:
        spent_s += dt_s
        if spent_s + step_s >= SETTINGS["dwell_s"]:
            break
        shown.append((dt_s, [Face(1, [0, 0, 9, 9], 1.0, scores)]))
    felt = [feeling.emotion for _, feeling in play(steady + shown + steady)[len(steady) - 1 :]]
    assert set(felt) == {emotion}


@quick
@given(seven.filter(lambda scores: sum(scores) > 0.1), st.lists(gap_s, min_size=5, max_size=30))
def test_constant_scores_converge_to_themselves_at_any_frame_rate(scores, gaps):
    start = [(0.0, [Face(1, [0, 0, 9, 9], 1.0, one_hot("angry"))])]
    same = [Face(1, [0, 0, 9, 9], 1.0, scores)]
    timed = play(start + [(dt_s, same) for dt_s in gaps] + [(0.05, same)] * 200)
    wanted = [score / sum(scores) for score in scores]
    assert all(math.isclose(a, b, abs_tol=1e-6) for a, b in zip(timed[-1][1].scores, wanted, strict=True))


@quick
@given(film, some_rules)
def test_episodes_follow_one_another_and_cover_each_moment_with_a_mood(frames, rules):
    timed = play(frames, rules)
    found = episodes(timed)
    for episode in found:
        assert episode.start_s <= episode.end_s and 0 <= episode.confidence <= 1 + 1e-9
    for one, other in pairwise(found):
        assert one.end_s <= other.start_s
    for now_s, feeling in timed:
        if feeling.emotion is not None:
            assert any(
                episode.emotion == feeling.emotion and episode.start_s <= now_s <= episode.end_s
                for episode in found
            )
