# -*- coding: utf-8 -*-
"""What a NAO does by itself: kept, paused or switched off, and back at the end whatever the policy."""

from __future__ import division, print_function

import io

import pytest
from stand_in import Naoqi

from robot_app.life import Life
from robot_app.robots import Robot
from robot_app.tell import Teller
from robot_app.undo import Undo


class Living(object):
    def __init__(self, policy, naoqi=None):
        self.naoqi = naoqi or Naoqi()
        said = io.StringIO() if str is not bytes else io.BytesIO()
        robot = Robot(lambda ended: self.naoqi, "the stand-in")
        robot.connect()
        self.undo = Undo(robot, Teller(said))
        self.undo.adopt()
        self.life = Life(robot, policy, self.undo)
        self.life.prepare(lambda: False)

    def seen(self):
        return self.naoqi.life, self.naoqi.aware, self.naoqi.speaking_moves


@pytest.mark.parametrize(
    "policy, before, during, after",
    [
        ("keep", ("solitary", True, True), ("solitary", False, False), ("solitary", True, True)),
        ("pause", ("solitary", False, False), ("solitary", False, False), ("solitary", False, False)),
        ("off", ("disabled", False, False), ("disabled", False, False), ("disabled", False, False)),
    ],
)
def test_each_policy_holds_what_it_says_and_puts_it_back(policy, before, during, after):
    living = Living(policy)
    seen = [living.seen()]
    living.life.hold()
    seen.append(living.seen())
    living.life.release()
    seen.append(living.seen())
    assert seen == [before, during, after]
    living.undo.run()
    assert living.seen() == ("solitary", True, True)


@pytest.mark.parametrize("policy", ["keep", "pause", "off"])
def test_what_was_off_before_stays_off(policy):
    naoqi = Naoqi()
    naoqi.aware, naoqi.life = False, "disabled"
    living = Living(policy, naoqi)
    living.life.hold()
    living.life.release()
    living.undo.run()
    assert living.seen() == ("disabled", False, True)


def test_what_a_killed_app_held_is_let_go_by_the_next_one_at_once():
    first = Living("keep")
    first.life.hold()
    second = Living("keep", first.naoqi)
    assert second.seen() == ("solitary", True, True)


def test_a_naoqi_of_old_is_asked_by_its_old_names():
    class Old(Naoqi):
        ALBasicAwareness_isEnabled = ALBasicAwareness_setEnabled = property()

        def ALBasicAwareness_isAwarenessRunning(self):
            return self.aware

        def ALBasicAwareness_stopAwareness(self):
            self.aware = False

        def ALBasicAwareness_startAwareness(self):
            self.aware = True

    living = Living("keep", Old())
    living.life.hold()
    assert not living.naoqi.aware
    living.life.release()
    assert living.naoqi.aware


def test_the_fall_manager_is_never_touched():
    living = Living("off")
    living.life.hold()
    living.undo.run()
    assert not [call for call in living.naoqi.calls if "Fall" in call[1] or "Collision" in call[1]]
