# -*- coding: utf-8 -*-
"""The whole interaction in one loop: guard the body, look, ask, feel, choose, play.

It joins rooms that do not know one another, and holds no rule of its own. It opens and closes nothing.
"""

from __future__ import division, print_function

from robot_app import safety as senses

WAIT_S = 0.01  # for an answer, before a picture on its way and the lights and words that are due get their turn


def interact(camera, link, mood, director, player, safety, music, notes, orders, portrait, limbs, clock, ended):
    """Interact until `ended()`. `clock()` gives the robot's monotonic seconds."""
    feeling, seen_s = mood.update([], clock()), None
    was_silent = False
    while not ended():
        now_s = clock()
        watch(safety, player, notes, now_s)
        picture = camera.look(now_s) if link.may_ask(now_s) else None
        if picture is not None:
            told = state(feeling, player, safety, orders, portrait.look(now_s), limbs.look(now_s))
            link.ask(picture, told, now_s)

        reading = link.answer(WAIT_S, clock)
        now_s = clock()
        if reading is not None:
            feeling, seen_s = mood.update(reading.faces, now_s), reading.taken_s
        elif link.is_silent:
            feeling = mood.update([], now_s)  # a PC that is gone sees nobody: the robot comes to rest
            if not was_silent:
                player.lose_pc(now_s)
        was_silent = link.is_silent

        orders.take(link.orders(), now_s)
        may_react = seen_s is not None and link.is_young(seen_s, now_s) and not safety.judge.stopped
        behavior = director.choose(feeling, now_s) if may_react else None
        if behavior is not None and player.play(behavior, now_s):
            notes.reaction(behavior, now_s)
        player.tick(now_s)
        if orders.mode == "stopped":
            music.end()
        else:
            music.tick(feeling, now_s)


def state(feeling, player, safety, orders, about, joints_rad):
    """What a frame says of the robot beside its picture, by the names in contract.Frame."""
    return {
        "doing": player.doing,
        "mood": feeling.emotion,
        "trouble": safety.trouble,
        "mode": orders.mode,
        "attends": feeling.face_id,
        "smoothed": feeling.scores,
        "done": orders.had,
        "about": about,
        "joints_rad": joints_rad,
    }


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
