# -*- coding: utf-8 -*-
"""The whole interaction in one loop: look, ask, feel, choose, play.

It joins rooms that do not know one another, and holds no rule of its own. It opens and closes nothing.
"""

from __future__ import division, print_function

from behaviors.keyframes import BehaviorError

WAIT_S = 0.02  # for an answer, before the eyes and words that are due get their turn


def interact(camera, link, mood, director, player, notes, tell, clock, ended):
    """Interact until `ended()`. `clock()` gives the robot's monotonic seconds, `tell` is for a person."""
    feeling = mood.update([], clock())
    while not ended():
        now_s = clock()
        picture = camera.look(now_s) if link.may_ask(now_s) else None
        if picture is not None:
            link.ask(picture, player.doing, feeling.emotion, now_s)

        reading = link.answer(WAIT_S, clock)
        now_s = clock()
        if reading is not None:
            feeling = mood.update(reading.faces, now_s)
        elif link.is_silent:
            feeling = mood.update([], now_s)  # a PC that is gone sees nobody: the robot comes to rest

        for order in link.orders():
            obey(order, director, player, now_s, tell)

        behavior = director.choose(feeling, now_s)
        if behavior is not None and player.play(behavior, now_s):
            notes.reaction(behavior, now_s)
        player.tick(now_s)


def obey(order, director, player, now_s, tell):
    """Do what the operator wants, at once."""
    try:
        behavior = director.obey(order, now_s)
    except BehaviorError as error:
        tell("operator", "the operator's order cannot be done: %s" % error)
        return
    if order.what == "stop":
        player.stop(now_s)
    if behavior is not None:
        player.play(behavior, now_s)
