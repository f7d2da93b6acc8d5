# -*- coding: utf-8 -*-
"""From any state to a robot on its feet that speaks our language, and notes of the way back.

It runs once after every connection. It moves the robot to Stand and nothing else; what it changes, or what the
player will change, is noted in `undo` first, as it was found.
"""

from __future__ import division, print_function

from collections import namedtuple

from behaviors.joints import GESTURE_NAMES, STAND
from robot_app.robots import RobotError, RobotLost
from robot_app.undo import call

POSTURE_SPEED = 0.5  # share of full speed; faster falls
HOME_S = 1.0  # for arms and head to come back; the widest gesture is 3 rad away, joints reach 7 rad/s
REST_S = 1.0  # what is left of an orderly end for sitting down
SIT_S = 8.0  # a robot that sat without stiffness loses it again only when it sits
FADE_S = 0.1

# The lamps by their keys in ALMemory, 0..1, and by the groups in which they are put back.
SIDES = ("Left", "Right")
EYE_KEY = "Device/SubDeviceList/Face/Led/%s/%s/%dDeg/Actuator/Value"
EAR_KEY = "Device/SubDeviceList/Ears/Led/%s/%dDeg/Actuator/Value"
COLOURS = ("Red", "Green", "Blue")
EYE_DEG, EAR_DEG = range(0, 360, 45), range(0, 360, 36)
ALIKE = 0.02

# limits: {joint: [lowest, highest, highest speed, highest torque]} as this robot has them
# language: what it speaks now, None where it has no voice; languages: those that are installed
Body = namedtuple("Body", "limits language languages")


def get_ready(robot, settings, life, undo, tell, ended, may_stand):
    """The Body, awake and in Stand, or as it was found where it may not stand; gives up when `ended()`.

    settings: the section "robot"; life: a Life; undo: an Undo; tell(topic, sentence). Raises RobotError where
    it cannot stand.
    """
    undo.adopt()
    names = robot.call("ALMotion", "getBodyNames", "Body")
    limits = dict(zip(names, robot.call("ALMotion", "getLimits", "Body")))
    awake = robot.call("ALMotion", "robotIsWakeUp")
    family = robot.call("ALRobotPosture", "getPostureFamily")
    posture = robot.call("ALRobotPosture", "getPosture")
    life.prepare(ended)
    if may_stand:
        _stand(robot, undo, ended, awake, str(family), str(posture))
    language, languages = _voice(robot, settings["language"], undo, tell)
    if language is not None and settings["volume"] is not None:
        loudness = robot.call("ALTextToSpeech", "getVolume")
        undo.note("the volume", call("ALTextToSpeech", "setVolume", loudness))
        robot.call("ALTextToSpeech", "setVolume", float(settings["volume"]))
    _note_lamps(robot, undo)
    return Body(limits, language, languages)


def _stand(robot, undo, ended, awake, family, posture):
    names = list(GESTURE_NAMES)
    home = [STAND[joint] for joint in names]
    if awake and family == "Standing":
        home = list(robot.call("ALMotion", "getAngles", names, False))
    else:
        undo.note("the posture", *_way_back(awake, family, posture))
    undo.note(
        "arms and head",
        call("ALMotion", "angleInterpolation", names, [[to] for to in home], [[HOME_S]] * len(names), True,
             wait_s=HOME_S + 0.3),
    )  # fmt: skip
    if not robot.call("ALMotion", "robotIsWakeUp"):
        robot.finish(ended, "ALMotion", "wakeUp")
    if ended() or robot.call("ALRobotPosture", "getPostureFamily") == "Standing":
        return
    if robot.finish(ended, "ALRobotPosture", "goToPosture", "Stand", POSTURE_SPEED) is False:
        raise RobotError("the robot cannot stand up; help it to its feet and start again.")


def _way_back(awake, family, posture):
    """Calls from Stand to how it was; one that stood or lay without stiffness crouches, or it would fall."""
    go = call("ALRobotPosture", "goToPosture", posture, POSTURE_SPEED, wait_s=REST_S)
    rest = call("ALMotion", "rest", wait_s=REST_S)
    if awake:
        return [go]
    return [go._replace(wait_s=SIT_S), rest] if family == "Sitting" else [rest]


def _voice(robot, wanted, undo, tell):
    """(language, [installed, ...]); (None, []) for a robot that cannot speak."""
    wanted = str(wanted)
    try:
        before = robot.call("ALTextToSpeech", "getLanguage")
        installed = [str(name) for name in robot.call("ALTextToSpeech", "getAvailableLanguages") or []]
    except RobotLost:
        raise
    except RobotError as error:
        installed = []
        tell("voice", "the robot cannot speak (%s) and plays silently." % str(error).rstrip("."))
    else:
        tell("voice", None if installed else "the robot has no language installed and plays silently.")
    if not installed:
        return None, []
    if wanted not in installed:
        tell(
            "language",
            "the robot has no voice for %s (it has %s) and keeps %s."
            % (wanted, ", ".join(sorted(installed)), before),
        )
        return str(before), installed
    if wanted != before:
        undo.note("the language", call("ALTextToSpeech", "setLanguage", before))
        robot.call("ALTextToSpeech", "setLanguage", wanted)
    return wanted, installed


def _note_lamps(robot, undo):
    """Note how eyes and ears shine. A side whose lamps differ, or cannot be read, is reset at the end."""
    calls = []
    for side in SIDES:
        eye = [_levels(robot, [EYE_KEY % (colour, side, deg) for deg in EYE_DEG]) for colour in COLOURS]
        group = side + "FaceLeds"
        if all(_alike(levels) for levels in eye):
            red, green, blue = [int(round(255 * levels[0])) for levels in eye]
            calls.append(call("ALLeds", "fadeRGB", group, red << 16 | green << 8 | blue, FADE_S, wait_s=FADE_S))
        else:
            calls.append(call("ALLeds", "reset", group))
        ear = _levels(robot, [EAR_KEY % (side, deg) for deg in EAR_DEG])
        group = side + "EarLeds"
        if _alike(ear):
            calls.append(call("ALLeds", "fade", group, ear[0], FADE_S, wait_s=FADE_S))
        else:
            calls.append(call("ALLeds", "reset", group))
    undo.note("eyes and ears", *calls)


def _levels(robot, keys):
    try:
        return list(robot.call("ALMemory", "getListData", keys) or [])
    except RobotLost:
        raise
    except RobotError:
        return []


def _alike(levels):
    known = bool(levels) and all(isinstance(level, (int, float)) for level in levels)
    return known and max(levels) - min(levels) <= ALIKE
