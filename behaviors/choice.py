# -*- coding: utf-8 -*-
"""Which of the behaviours, how strongly, and in which words: the choices that need no robot and no clock.

Policy      mirror or empathy, for each emotion; or named behaviours
Variation   never what was played last, and not in a fixed order; the same seed gives the same order
Intensity   how sure the reader was: an unsure one is answered with smaller and slower motion
Words       in the language that was asked for, or the best one that the robot has a voice for

Pure functions; the director and the player hold the state. Valid Python 2.7 and 3, standard library alone.
"""

from __future__ import division, print_function

import random

from behaviors.joints import STAND
from behaviors.keyframes import BehaviorError
from config.contract import EMOTIONS

LEVELS = (0.0, 0.5, 1.0)  # of intensity; few, so that every one of them can be proved beforehand
SLOWER = 0.2  # a lively behaviour at the weakest takes so much longer
LONGEST_S = 5.0  # but never longer than this
CALM = ("sad", "neutral")  # slow already: these keep their time
FALLBACK = "English"  # every sentence exists in it


def answers(library, reactions):
    """{emotion: [Behavior, ...]}: what may answer each emotion under these settings, sorted by name.

    reactions: "policy", "override" {emotion: a policy, or a list of names}, "builtin" (bool). Where no
    behaviour follows the policy, all for that emotion do. Raises BehaviorError for a name that is not there.
    """
    table = {}
    for emotion in EMOTIONS:
        wish = reactions["override"].get(emotion, reactions["policy"])
        if isinstance(wish, (list, tuple)):
            found = [library[name] for name in sorted(wish)]
            for behavior in found:
                if behavior.emotion != emotion:
                    text = "%s answers %s; it cannot stand for %s in reactions.override."
                    raise BehaviorError([text % (behavior.name, behavior.emotion, emotion)])
        else:
            every = library.for_emotion(emotion)
            found = [behavior for behavior in every if wish in behavior.policies] or every
        table[emotion] = [b if reactions["builtin"] else b._replace(builtin=()) for b in found]
    return table


def variation(behaviors, played, seed):
    """One of `behaviors` (not empty): drawn from the half that was played longest ago.

    played: the names of all that was played, the latest last. Thus nothing comes twice in a row (where there
    are two or more), and what comes next cannot be told from what came.
    """
    last = dict((name, turn) for turn, name in enumerate(played))
    rested = sorted(behaviors, key=lambda behavior: last.get(behavior.name, -1))
    rested = rested[: (len(behaviors) + 1) // 2]
    drawn = random.Random(1000003 * seed + len(played)).random()  # alike on both Pythons
    return rested[int(drawn * len(rested))]


def intensity(confidence, full_at):
    """One of LEVELS for a confidence 0..1: full from `full_at` on, the weakest at half of that."""
    if full_at <= 0 or confidence >= full_at:
        return LEVELS[-1]
    share = max(2.0 * confidence / full_at - 1.0, 0.0)
    return min(LEVELS, key=lambda level: abs(level - share))


def scaled(behavior, level):
    """The Behavior at an intensity 0..1: keys nearer to Stand and, where it is lively, everything later.

    All of a pose shrinks alike and all times stretch alike, so no joint moves faster than at full strength.
    """
    if level >= LEVELS[-1]:
        return behavior
    keep = behavior.least_amplitude + (1.0 - behavior.least_amplitude) * level
    later = 1.0 if behavior.emotion in CALM else 1.0 + SLOWER * (1.0 - level)
    later = max(min(later, LONGEST_S / behavior.duration_s), 1.0)
    return behavior._replace(
        duration_s=later * behavior.duration_s,
        joints=dict(
            (
                joint,
                (
                    [later * time_s for time_s in times_s],
                    [STAND[joint] + keep * (angle - STAND[joint]) for angle in angles],
                ),
            )
            for joint, (times_s, angles) in behavior.joints.items()
        ),
        eyes=[(later * time_s, colour, later * fade_s) for time_s, colour, fade_s in behavior.eyes],
        ears=[(later * time_s, shine, later * fade_s) for time_s, shine, fade_s in behavior.ears],
        say=[(later * time_s, texts) for time_s, texts in behavior.say],
        sounds=[(later * time_s, path) for time_s, path in behavior.sounds],
    )


def words(texts, wanted, installed, turn):
    """(language, text) to say, or None where the robot has no voice for any of the texts.

    texts      {NAOqi's language: [text, ...]}, one row of Behavior.say
    wanted     NAOqi's name of the language that the settings ask for
    installed  what ALTextToSpeech.getAvailableLanguages gave, in any order
    turn       counts up from one sentence to the next, so that all texts get their turn
    """
    spoken = [language for language in [wanted, FALLBACK] + sorted(installed) if language in installed]
    for language in spoken:
        if language in texts:
            return language, texts[language][turn % len(texts[language])]
    return None
