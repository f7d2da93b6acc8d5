# -*- coding: utf-8 -*-
"""The mood: a flickering reading becomes a steady feeling, by the time that the caller gives."""

from __future__ import division, print_function

import pytest

from behaviors.mood import Episodes, Mood, episodes, smoothed
from config.contract import EMOTIONS, Face

SETTINGS = {"smooth_s": 0.4, "enter": 0.5, "leave": 0.35, "dwell_s": 0.5, "absent_s": 1.0}
FPS = 15.0


def scores(**shares):
    """Seven scores with the given shares; what is left goes to the others alike."""
    rest = (1.0 - sum(shares.values())) / (len(EMOTIONS) - len(shares))
    return [shares.get(emotion, rest) for emotion in EMOTIONS]


def face(face_id=1, size_px=100, **shares):
    return Face(face_id, [10, 10, size_px, size_px], 0.99, scores(**(shares or {"neutral": 0.9})))


HAPPY, SAD, NEUTRAL = face(happy=0.9), face(sad=0.9), face(neutral=0.9)
UNSURE = face(happy=0.3, sad=0.3, neutral=0.3)


def play(film, settings=SETTINGS, fps=FPS):
    """[(now_s, Feeling)] of a film, a list of (faces, seconds)."""
    mood, timed, frame = Mood(settings), [], 0
    for faces, seconds in film:
        for _ in range(int(round(seconds * fps))):
            now_s = 100.0 + frame / fps
            timed.append((now_s, mood.update(faces, now_s)))
            frame += 1
    return timed


def moods(timed):
    """The emotions in their order, each as often as it began."""
    found = []
    for _, feeling in timed:
        if not found or found[-1] != feeling.emotion:
            found.append(feeling.emotion)
    return found


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_a_steady_face_becomes_its_mood_after_the_dwell_and_stays(emotion):
    timed = play([([face(**{emotion: 0.8})], 4.0)])
    assert moods(timed) == [None, emotion]
    now_s, first = next((now_s, feeling) for now_s, feeling in timed if feeling.emotion)
    assert 0.5 <= now_s - 100.0 <= 0.5 + 1.5 / FPS and first.since_s == now_s
    last = timed[-1][1]
    assert last.since_s == first.since_s and last.confidence == pytest.approx(0.8) and last.face_id == 1


def test_before_any_face_nobody_is_there():
    ((_, feeling),) = play([([], 1 / FPS)])
    assert feeling == (None, 0.0, 100.0, None, None)


def test_a_nobody_that_lasts_began_at_the_first_look():
    assert play([([], 3.0)])[-1][1].since_s == 100.0


@pytest.mark.parametrize(
    "title, film, expected",
    [
        ("a change of face is a change of mood", [([HAPPY], 2), ([SAD], 2)], [None, "happy", "sad"]),
        ("a flicker changes nothing", [([HAPPY], 2), ([SAD], 0.4), ([HAPPY], 2)], [None, "happy"]),
        ("nor does a flicker at the start", [([SAD], 0.4), ([HAPPY], 3)], [None, "happy"]),
        (
            "nor a row of flickers",
            [([HAPPY], 2)] + [([SAD], 0.2), ([HAPPY], 0.3)] * 8,
            [None, "happy"],
        ),
        ("an unsure face has no mood", [([UNSURE], 3)], [None]),
        ("a mood ends when the face turns unsure", [([HAPPY], 2), ([UNSURE], 3)], [None, "happy", None]),
        (
            "a mood that weakens to between leave and enter goes on",
            [([HAPPY], 2), ([face(happy=0.42, sad=0.4)], 3)],
            [None, "happy"],
        ),
        (
            "and so does one whose frames flicker about leave",
            [([HAPPY], 2)] + [([UNSURE], 1 / FPS), ([face(happy=0.56, sad=0.2)], 1 / FPS)] * 40,
            [None, "happy"],
        ),
        ("such a face begins no mood", [([face(happy=0.42, sad=0.4)], 3)], [None]),
        ("a face lost for a moment keeps its mood", [([HAPPY], 2), ([], 0.9), ([HAPPY], 1)], [None, "happy"]),
        ("nobody there, no mood", [([HAPPY], 2), ([], 2)], [None, "happy", None]),
        (
            "who returns must dwell again",
            [([HAPPY], 2), ([], 2), ([HAPPY], 2)],
            [None, "happy", None, "happy"],
        ),
        (
            "a detector that finds every second frame still gives a mood",
            [([HAPPY], 1 / FPS), ([], 1 / FPS)] * 20,
            [None, "happy"],
        ),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_a_film_of_faces_is_felt_as(title, film, expected):
    assert moods(play(film)) == expected


def test_when_nobody_is_there_everything_is_forgotten():
    last = play([([HAPPY], 2), ([], 2)])[-1][1]
    assert (last.emotion, last.confidence, last.scores, last.face_id) == (None, 0.0, None, None)
    assert last.since_s == pytest.approx(100.0 + 2 - 1 / FPS + 1.0, abs=1.5 / FPS)


def test_a_long_silence_between_two_updates_counts_as_absence():
    """The PC was gone for a minute: who is there now is met anew."""
    mood = Mood(SETTINGS)
    for now_s in (0.0, 0.3, 0.6):
        feeling = mood.update([HAPPY], now_s)
    assert feeling.emotion == "happy"
    feeling = mood.update([SAD], 60.0)
    assert feeling.emotion is None and feeling.since_s == 60.0
    assert feeling.scores == pytest.approx(SAD.scores)


def test_a_clock_that_stands_still_or_falls_back_changes_nothing():
    mood = Mood(SETTINGS)
    before = mood.update([HAPPY], 10.0)
    assert mood.update([SAD], 10.0).scores == before.scores
    assert mood.update([SAD], 9.0).scores == before.scores


def test_without_smoothing_and_dwell_the_mood_is_the_frames_own():
    timed = play([([HAPPY], 0.2), ([SAD], 0.2)], dict(SETTINGS, smooth_s=0.0, dwell_s=0.0))
    assert [feeling.emotion for _, feeling in timed] == ["happy"] * 3 + ["sad"] * 3


def test_smoothing_depends_on_time_and_not_on_the_frame_rate():
    slow = smoothed([0.0], [1.0], 0.2, 0.4)
    fast = smoothed(smoothed([0.0], [1.0], 0.1, 0.4), [1.0], 0.1, 0.4)
    assert fast == pytest.approx(slow) and slow[0] == pytest.approx(0.39347, abs=1e-5)


def test_scores_that_were_rounded_on_their_way_sum_to_one_again():
    feeling = Mood(SETTINGS).update([Face(1, [0, 0, 9, 9], 1.0, [0.2] * 7)], 0.0)
    assert sum(feeling.scores) == pytest.approx(1.0)


def test_a_face_without_any_score_is_no_face():
    assert Mood(SETTINGS).update([Face(1, [0, 0, 9, 9], 1.0, [0.0] * 7)], 0.0).face_id is None


def test_the_face_that_is_named_first_is_attended_to_whoever_else_is_there():
    crowd = [face(1, 100, happy=0.9), face(7, 60, sad=0.9), face(9, 110, angry=0.9)]
    timed = play([([face(1, 100, happy=0.9)], 1), (crowd, 2)])
    assert moods(timed) == [None, "happy"] and timed[-1][1].face_id == 1
    timed = play([(crowd, 1), ([face(9, 110, angry=0.9), face(1, 100, happy=0.9)], 2)])
    assert timed[-1][1].emotion == "angry" and timed[-1][1].face_id == 9


def test_episodes_are_stretches_of_one_emotion_with_their_mean_confidence():
    found = episodes(play([([HAPPY], 2), ([SAD], 2), ([], 2), ([SAD], 1)]))
    assert [episode.emotion for episode in found] == ["happy", "sad", "sad"]
    assert found[0].end_s == found[1].start_s
    assert found[1].end_s < found[2].start_s
    assert found[0].start_s == pytest.approx(100.5, abs=1.5 / FPS)
    assert found[1].end_s == pytest.approx(105.0, abs=1.5 / FPS)
    assert found[2].end_s == pytest.approx(107.0 - 1 / FPS)
    assert 0.6 < found[1].confidence < 0.9


def test_episodes_may_be_read_while_they_still_run():
    timed = play([([HAPPY], 2)])
    collected = Episodes()
    assert collected.list == []
    for now_s, feeling in timed:
        collected.add(feeling, now_s)
    (running,) = collected.list
    assert running.emotion == "happy" and running.end_s == timed[-1][0]
    assert collected.list == episodes(timed)


def test_no_mood_begins_on_a_face_that_is_unsure_but_one_may_end_there():
    doubtful = face(happy=0.9)._replace(unsure=True)
    assert moods(play([([doubtful], 5.0)])) == [None]
    assert moods(play([([HAPPY], 2.0), ([doubtful], 5.0)])) == [None, "happy"]
    assert moods(play([([HAPPY], 2.0), ([UNSURE._replace(unsure=True)], 5.0)])) == [None, "happy", None]


def test_the_operator_says_whom_to_attend_to_until_that_face_is_gone():
    mood = Mood(SETTINGS)
    first, second = face(1, happy=0.9), face(2, sad=0.9)
    assert mood.update([first, second], 0.0).face_id == 1
    mood.attend(2)
    assert mood.update([first, second], 0.1).face_id == 2
    assert mood.update([first], 1.0).face_id == 2
    assert mood.update([first], 1.3).face_id == 1
    assert mood.update([first, second], 1.4).face_id == 1
    mood.attend(2)
    mood.attend(None)
    assert mood.update([first, second], 1.5).face_id == 1


def test_a_face_that_is_not_there_is_waited_for_as_long_as_one_that_left():
    mood = Mood(SETTINGS)
    mood.attend(9)
    assert mood.update([HAPPY], 5.0).face_id is None
    assert mood.update([HAPPY], 6.5).face_id == 1


def test_settings_may_change_while_it_runs():
    mood = Mood(SETTINGS)
    mood.tune({"dwell_s": 0.0, "enter": 0.95})
    assert mood.update([HAPPY], 0.0).emotion is None
    mood.tune({"enter": 0.5})
    assert mood.update([HAPPY], 0.1).emotion == "happy"
    with pytest.raises(ValueError):
        mood.tune({"leave": 0.6})
    assert SETTINGS["enter"] == 0.5 and mood.settings["leave"] == SETTINGS["leave"]
