# -*- coding: utf-8 -*-
"""A behaviour as a value: keys of joints, lights, words and sounds over time, and where the joints are at t.

It checks that a behaviour is well formed (rules.py asks whether NAO can and should do it), turns it into
plain dicts and back, and interpolates. It moves nothing and reads no clock. Valid Python 2.7 and 3,
standard library alone. Times are seconds from the start of the behaviour, angles radians, hands 0..1.

Between two keys a joint runs a cubic that rests at both of them: it never overshoots a key, and its
highest speed is 1.5 times the mean one.
"""

from __future__ import division, print_function

import difflib
import math
from bisect import bisect_right
from collections import namedtuple

from behaviors.joints import GESTURE_NAMES, JOINTS, STAND
from config.contract import EMOTIONS, MAX_NAME

MAX_DURATION_S = 10.0
MAX_TEXT = 160  # characters of one sentence to say
MAX_SEES = 200
MAX_PATH = 1000  # characters of where a sound lies
MAX_BUILTIN = 20
LEAST_AMPLITUDE = 0.7  # where a sheet does not say how far its keys may shrink
FIELDS = "name emotion duration_s joints eyes say sees policies least_amplitude ears sounds builtin".split()

NEEDED = FIELDS[:6]

# mirror: the robot shows the feeling that it sees; empathy: it answers it, as a friend would.
POLICIES = ("mirror", "empathy")

# A sheet's code (ISO 639-1): NAOqi's name. Every sentence exists in English.
LANGUAGES = {
    "ar": "Arabic", "br": "Brazilian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "fi": "Finnish", "fr": "French", "it": "Italian", "ja": "Japanese",
    "ko": "Korean", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ru": "Russian",
    "sv": "Swedish", "tr": "Turkish", "tw": "MandarinTaiwan", "zh": "Chinese",
}  # fmt: skip
VOICES = tuple(sorted(LANGUAGES.values()))

UNICODE = type(b"".decode("ascii"))  # Python 2.7's second kind of text; `str` on 3

# Where a flaw lies, as a path into the dict such as ("joints", "LHand", 2), and one sentence.
Flaw = namedtuple("Flaw", "where text")


class BehaviorError(ValueError):
    """A behaviour, or a file of them, that cannot be used: `flaws` are texts, and str() has one a line."""

    def __init__(self, flaws):
        ValueError.__init__(self, "\n".join(flaws))
        self.flaws = list(flaws)


_Fields = namedtuple("Behavior", FIELDS)
# The last five may be left out.
_Fields.__new__.__defaults__ = (POLICIES, LEAST_AMPLITUDE, (), (), ())


class Behavior(_Fields):
    """One thing a robot can do about an emotion.

    name        str, unique in a library
    emotion     one of EMOTIONS: the feeling of the person that this answers
    duration_s  float; every joint has its last key at or before it
    joints      {joint: ([time_s, ...], [angle_rad, ...])}, times ascending and above 0
    eyes        [(time_s, 0xRRGGBB, fade_s), ...], times ascending; both eyes
    say         [(time_s, {NAOqi's language: [text, ...]}), ...], times ascending; any one of the texts will do
    sees        str, what a person sees, in a sentence; may be empty
    policies    those of POLICIES that it belongs to
    least_amplitude   0.5..1, the share of the way from Stand that its keys keep at the weakest feeling
    ears        [(time_s, brightness 0..1, fade_s), ...], times ascending; NAO's ears shine blue only
    sounds      [(time_s, path of a file on the robot), ...], times ascending
    builtin     [path of an animation of NAOqi, ...]; the first that is installed may be run instead

    All texts are `str`: on Python 2.7 that is UTF-8 bytes, as NAOqi wants them.
    """

    __slots__ = ()

    def evaluate(self, t_s, start=STAND):
        """{joint: angle_rad} at `t_s` for a robot that was at `start`, {joint: angle_rad}, at 0.

        Before 0 it is at the start, after the end at the last keys.
        """
        return dict(
            (joint, interpolate(times, angles, start[joint], t_s))
            for joint, (times, angles) in self.joints.items()
        )

    def to_dict(self):
        """Plain lists and dicts, as JSON has them; `from_dict` takes them back."""
        table = dict(self._asdict())
        table["joints"] = dict((joint, [list(t), list(a)]) for joint, (t, a) in self.joints.items())
        for field in ("eyes", "ears", "sounds", "policies", "builtin"):
            table[field] = [list(row) if isinstance(row, tuple) else row for row in getattr(self, field)]
        table["say"] = [[time_s, dict((k, list(v)) for k, v in texts.items())] for time_s, texts in self.say]
        return table


def interpolate(times_s, angles, start, t_s):
    """The angle at `t_s` of a joint that leaves `start` at 0 and rests at each of its keys."""
    after = bisect_right(times_s, t_s)
    if after == len(times_s):
        return angles[-1]
    from_s, origin = (times_s[after - 1], angles[after - 1]) if after else (0.0, start)
    share = min(max((t_s - from_s) / (times_s[after] - from_s), 0.0), 1.0)
    return origin + (angles[after] - origin) * share * share * (3.0 - 2.0 * share)


def from_dict(table):
    """A Behavior from what `to_dict` or JSON gave; raises BehaviorError with every flaw."""
    found = flaws_of_form(table)
    if found:
        name = table.get("name") if isinstance(table, dict) else None
        raise BehaviorError(["behaviour %s: %s" % (as_str(name or "without a name"), f.text) for f in found])
    return Behavior(
        name=as_str(table["name"]),
        emotion=as_str(table["emotion"]),
        duration_s=float(table["duration_s"]),
        joints=dict(
            (as_str(joint), ([float(t) for t in keys[0]], [float(a) for a in keys[1]]))
            for joint, keys in table["joints"].items()
        ),
        eyes=[(float(t), int(colour), float(fade)) for t, colour, fade in table["eyes"]],
        say=[
            (float(t), dict((as_str(k), [as_str(text) for text in v]) for k, v in texts.items()))
            for t, texts in table["say"]
        ],
        sees=as_str(table.get("sees", "")),
        policies=tuple(as_str(policy) for policy in table.get("policies", POLICIES)),
        least_amplitude=float(table.get("least_amplitude", LEAST_AMPLITUDE)),
        ears=[(float(t), float(level), float(fade)) for t, level, fade in table.get("ears", ())],
        sounds=[(float(t), as_str(path)) for t, path in table.get("sounds", ())],
        builtin=[as_str(path) for path in table.get("builtin", ())],
    )


def flaws_of_form(table):
    """Every Flaw that keeps `table` from being a Behavior, in the order of FIELDS."""
    if not isinstance(table, dict):
        return [Flaw((), "a behaviour is an object with %s; %s came." % (", ".join(FIELDS), short(table)))]
    found = [
        Flaw((key,), "there is no %s in a behaviour%s" % (short(key), suggest(key, FIELDS)))
        for key in sorted(table)
        if key not in FIELDS
    ]
    missing = [key for key in NEEDED if key not in table]
    if missing:
        found.append(Flaw((), "%s must be given." % ", ".join(missing)))
    for key in FIELDS:
        if key in table:
            found += CHECKS[key](table[key])
    return found


def _name_flaws(name):
    if _is_text(name) and 0 < len(name) <= MAX_NAME and name.replace("_", "a").replace("-", "a").isalnum():
        return []
    return [
        Flaw(
            ("name",),
            "a name has 1 to %d letters, digits, _ and -; %s came." % (MAX_NAME, short(name)),
        )
    ]


def _emotion_flaws(emotion):
    if emotion in EMOTIONS:
        return []
    return [Flaw(("emotion",), "there is no emotion %s%s" % (short(emotion), suggest(emotion, EMOTIONS)))]


def _sees_flaws(sees):
    if _is_text(sees) and len(sees) <= MAX_SEES:
        return []
    return [Flaw(("sees",), "'sees' is a text of at most %d characters; %s came." % (MAX_SEES, short(sees)))]


def _duration_flaws(duration_s):
    if _is_number(duration_s) and 0 < duration_s <= MAX_DURATION_S:
        return []
    return [
        Flaw(
            ("duration_s",),
            "a behaviour lasts more than 0 and at most %g s; %s came." % (MAX_DURATION_S, short(duration_s)),
        )
    ]


def _joints_flaws(joints):
    if not isinstance(joints, dict):
        return [Flaw(("joints",), "'joints' is an object of joint names; %s came." % short(joints))]
    found = []
    for joint in sorted(joints):
        where = ("joints", joint)
        trouble = joint_trouble(joint)
        if trouble:
            found.append(Flaw(where, trouble))
        elif not _is_pair_of_lists(joints[joint]):
            found.append(Flaw(where, "%s needs [times, angles], two lists of one length." % joint))
        else:
            found += _key_flaws(where, *joints[joint])
    return found


def joint_trouble(joint):
    """Why a gesture cannot move this joint, in a sentence, or None."""
    if joint in GESTURE_NAMES:
        return None
    if joint in JOINTS:
        return "%s is a leg joint; gestures move head, arms and hands only." % joint
    return "there is no joint %s%s" % (short(joint), suggest(joint, GESTURE_NAMES))


def _is_pair_of_lists(keys):
    return (
        isinstance(keys, (list, tuple))
        and len(keys) == 2
        and all(isinstance(part, (list, tuple)) for part in keys)
        and 0 < len(keys[0]) == len(keys[1])
    )


def _key_flaws(where, times_s, angles):
    found = time_flaws(where, times_s)
    for i, angle in enumerate(angles):
        if not _is_number(angle):
            found.append(
                Flaw(where + (i,), "%s: an angle is a finite number; %s came." % (where[1], short(angle)))
            )
    return found


def time_flaws(where, times_s, earliest_s=1e-3):
    """Flaws of a list of times: numbers, none before `earliest_s`, each after the one before."""
    found, last_s = [], None
    for i, time_s in enumerate(times_s):
        if not _is_number(time_s) or not time_s <= MAX_DURATION_S:
            text = "a time is a number of seconds, at most %g; %s came." % (MAX_DURATION_S, short(time_s))
        elif time_s < earliest_s:
            text = "the first time is %g s or later; %g s came." % (earliest_s, time_s)
        elif last_s is not None and time_s <= last_s:
            text = "times must ascend: %g s came after %g s." % (time_s, last_s)
        else:
            last_s = time_s
            continue
        found.append(Flaw(where + (i,), "%s: %s" % (where[-1], text)))
    return found


def _eyes_flaws(eyes):
    if not _is_rows(eyes, 3):
        return [Flaw(("eyes",), "'eyes' is a list of [time_s, colour, fade_s]; %s came." % short(eyes))]
    found = time_flaws(("eyes",), [row[0] for row in eyes], 0.0)
    for i, (_, colour, fade_s) in enumerate(eyes):
        if not _is_number(colour) or colour != int(colour) or not 0 <= colour <= 0xFFFFFF:
            found.append(
                Flaw(("eyes", i), "an eye colour lies in 0x000000..0xFFFFFF; %s came." % short(colour))
            )
        if not _is_number(fade_s) or not 0 <= fade_s <= MAX_DURATION_S:
            found.append(
                Flaw(("eyes", i), "eyes fade in 0 to %g s; %s came." % (MAX_DURATION_S, short(fade_s)))
            )
    return found


def _ears_flaws(ears):
    if not _is_rows(ears, 3):
        return [Flaw(("ears",), "'ears' is a list of [time_s, brightness, fade_s]; %s came." % short(ears))]
    found = time_flaws(("ears",), [row[0] for row in ears], 0.0)
    for i, (_, level, fade_s) in enumerate(ears):
        if not _is_number(level) or not 0 <= level <= 1:
            found.append(Flaw(("ears", i), "ears shine with 0 to 1; %s came." % short(level)))
        if not _is_number(fade_s) or not 0 <= fade_s <= MAX_DURATION_S:
            found.append(
                Flaw(("ears", i), "ears fade in 0 to %g s; %s came." % (MAX_DURATION_S, short(fade_s)))
            )
    return found


def _sounds_flaws(sounds):
    if not _is_rows(sounds, 2):
        return [Flaw(("sounds",), "'sounds' is a list of [time_s, path]; %s came." % short(sounds))]
    found = time_flaws(("sounds",), [row[0] for row in sounds], 0.0)
    for i, (_, path) in enumerate(sounds):
        if not _is_text(path) or not path.startswith("/") or len(path) > MAX_PATH:
            text = "a sound is the full path of a file, from /; %s came." % short(path)
            found.append(Flaw(("sounds", i), text))
    return found


def _builtin_flaws(paths):
    if (
        isinstance(paths, (list, tuple))
        and len(paths) <= MAX_BUILTIN
        and all(_is_text(path) and 0 < len(path) <= MAX_TEXT and not path.startswith("/") for path in paths)
    ):
        return []
    text = "'builtin' is a list of at most %d paths such as animations/Stand/Gestures/Joy_1; %s came."
    return [Flaw(("builtin",), text % (MAX_BUILTIN, short(paths)))]


def _policies_flaws(policies):
    if isinstance(policies, (list, tuple)) and policies and all(policy in POLICIES for policy in policies):
        return []
    return [Flaw(("policies",), "a policy is %s; %s came." % (" or ".join(POLICIES), short(policies)))]


def _least_flaws(share):
    if _is_number(share) and 0.5 <= share <= 1:
        return []
    return [Flaw(("least_amplitude",), "the least amplitude lies in 0.5..1; %s came." % short(share))]


def _say_flaws(say):
    if not _is_rows(say, 2) or not all(isinstance(row[1], dict) for row in say):
        return [Flaw(("say",), "'say' is a list of [time_s, {language: [text]}]; %s came." % short(say))]
    found = time_flaws(("say",), [row[0] for row in say], 0.0)
    for i, (_, texts) in enumerate(say):
        if "English" not in texts:
            found.append(Flaw(("say", i), "every sentence needs an English text."))
        for language in sorted(texts):
            if language not in VOICES:
                text = "NAO has no language %s%s" % (short(language), suggest(language, VOICES))
                found.append(Flaw(("say", i), text))
            found += _text_flaws(("say", i), language, texts[language])
    return found


def _text_flaws(where, language, texts):
    if not isinstance(texts, (list, tuple)) or not texts:
        return [Flaw(where, "%s needs a list of texts; %s came." % (short(language), short(texts)))]
    return [
        Flaw(where, "a text has 1 to %d characters; %s came." % (MAX_TEXT, short(text)))
        for text in texts
        if not _is_text(text) or not 0 < len(text.strip()) <= len(text) <= MAX_TEXT
    ]


def _is_rows(rows, width):
    return isinstance(rows, (list, tuple)) and all(
        isinstance(row, (list, tuple)) and len(row) == width for row in rows
    )


def _is_number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float, type(2**62))):
        return False
    return not (math.isnan(value) or math.isinf(value))


def _is_text(value):
    return isinstance(value, (str, UNICODE))


CHECKS = {
    "name": _name_flaws,
    "emotion": _emotion_flaws,
    "duration_s": _duration_flaws,
    "joints": _joints_flaws,
    "eyes": _eyes_flaws,
    "say": _say_flaws,
    "sees": _sees_flaws,
    "policies": _policies_flaws,
    "least_amplitude": _least_flaws,
    "ears": _ears_flaws,
    "sounds": _sounds_flaws,
    "builtin": _builtin_flaws,
}


def as_str(text):
    """`text` as the `str` of this Python: on 2.7, unicode becomes UTF-8 bytes."""
    return text if isinstance(text, str) else text.encode("utf-8")


def short(value):
    """`value` as it would be typed, cut to 40 characters, alike on both Pythons."""
    text = repr(as_str(value) if _is_text(value) else value)
    return text if len(text) <= 40 else text[:37] + "..."


def suggest(word, known):
    """The end of a sentence about an unknown word: its nearest neighbour, or all there are."""
    near = difflib.get_close_matches(word, known, 1) if _is_text(word) else []
    return "; did you mean %s?" % near[0] if near else "; there are %s." % ", ".join(known)
