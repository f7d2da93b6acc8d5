# -*- coding: utf-8 -*-
"""The whole interaction in one loop: guard the body, look, ask, feel, choose, play.

It joins rooms that do not know one another, and holds no rule of its own. It opens and closes nothing.
"""

from __future__ import division, print_function

from behaviors.keyframes import BehaviorError
from robot_app import safety as senses

WAIT_S = 0.02  # for an answer, before the lights and words that are due get their turn


def interact(camera, link, mood, director, player, safety, music, notes, tell, clock, ended):
    """Interact until `ended()`. `clock()` gives the robot's monotonic seconds, `tell` is for a person."""
    feeling = mood.update([], clock())
    was_silent = False
    while not ended():
        now_s = clock()
        watch(safety, player, notes, now_s)
        picture = camera.look(now_s) if link.may_ask(now_s) else None
        if picture is not None:
            link.ask(picture, player.doing, feeling.emotion, safety.trouble, now_s)

        reading = link.answer(WAIT_S, clock)
        now_s = clock()
        if reading is not None:
            feeling = mood.update(reading.faces, now_s)
        elif link.is_silent:
            feeling = mood.update([], now_s)  # a PC that is gone sees nobody: the robot comes to rest
            if not was_silent:
                player.lose_pc(now_s)
        was_silent = link.is_silent

        for order in link.orders():
            obey(order, director, player, safety, now_s, tell)

        behavior = None if safety.judge.stopped else director.choose(feeling, now_s)
        if behavior is not None and player.play(behavior, now_s):
            notes.reaction(behavior, now_s)
        player.tick(now_s)
        music.tick(feeling, now_s)


def watch(safety, player, notes, now_s):
    """Do what the robot's own senses ask for."""
    found = safety.look(now_s)
    if found == senses.FREEZE:
        player.halt()
    elif found == senses.HOME:
        player.stop()
    elif found == senses.RELEASE and safety.release():
        player.come_home()
    if found in (senses.FREEZE, senses.HOME):
        notes.stop(safety.judge.stopped, now_s)
    player.keep_still(safety.judge.still)


def obey(order, director, player, safety, now_s, tell):
    """Do what the operator wants, at once."""
    stopped = safety.judge.stopped
    if order.what == "play" and stopped:
        tell("operator", "the operator's order waits for a Resume, since the robot %s" % stopped)
        return
    try:
        behavior = director.obey(order, now_s)
    except BehaviorError as error:
        tell("operator", "the operator's order cannot be done: %s" % error)
        return
    tell("operator", None)
    if order.what == "stop":
        player.stop()
    if order.what == "resume" and stopped and safety.release():
        player.come_home()
    if behavior is not None:
        player.play(behavior, now_s)
