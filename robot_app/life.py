# -*- coding: utf-8 -*-
"""What a NAO does by itself, and how much of it goes on while we are here; at the end all of it is back.

    keep    Autonomous Life goes on; what moves head and arms or lights the eyes is held while a behaviour plays
    pause   that is held from our beginning to our end
    off     besides, Autonomous Life is disabled; Aldebaran wants this of no application, experimenters do

It never touches the fall manager, the protection of the arms, or any other reflex.
"""

from __future__ import division, print_function

from robot_app.undo import call

HELD = "what moves by itself"
STATE = "Autonomous Life"
DISABLED = "disabled"
STATE_S = 0.5  # of an orderly end for Autonomous Life to come back; it goes on by itself


def _ability(service):
    return (service, ("isEnabled",), ("setEnabled", False), ("setEnabled", True))


# Of each row the first that this NAOqi offers: (service, is it on?, off, on), methods with their arguments.
ABILITIES = (
    (
        _ability("ALBasicAwareness"),
        ("ALBasicAwareness", ("isAwarenessRunning",), ("stopAwareness",), ("startAwareness",)),  # NAOqi 2.1
    ),
    (_ability("ALSpeakingMovement"),),
    (_ability("ALListeningMovement"),),
    (_ability("ALBackgroundMovement"),),
    (_ability("ALAutonomousBlinking"),),
    (("ALMotion", ("getBreathEnabled", "Body"), ("setBreathEnabled", "Body", False),
      ("setBreathEnabled", "Body", True)),),
)  # fmt: skip


class Life(object):
    """`policy` is keep, pause or off; `undo` an Undo."""

    def __init__(self, robot, policy, undo):
        self._robot = robot
        self._policy = policy
        self._undo = undo
        self._abilities = ()

    def prepare(self, ended):
        """Once connected: find what there is, and hold or disable it where the policy says so."""
        self._undo.settle(HELD)  # left from an app that was killed, or from before the connection was lost
        self._abilities = [
            next(way for way in row if self._robot.offers(way[0], way[1][0]))
            for row in ABILITIES
            if any(self._robot.offers(way[0], way[1][0]) for way in row)
        ]
        if self._policy == "off" and self._robot.offers("ALAutonomousLife", "getState"):
            state = self._robot.call("ALAutonomousLife", "getState")
            if state != DISABLED:
                self._undo.note(STATE, call("ALAutonomousLife", "setState", state, wait_s=STATE_S))
                self._robot.finish(ended, "ALAutonomousLife", "setState", DISABLED)
        if self._policy != "keep":
            self._hold()

    def hold(self):
        """A behaviour begins."""
        if self._policy == "keep":
            self._hold()

    def release(self):
        """A behaviour has ended."""
        if self._policy == "keep":
            self._undo.settle(HELD)

    def _hold(self):
        if self._undo.holds(HELD):
            return
        are_on = self._robot.call_all([(service,) + is_on for service, is_on, _, _ in self._abilities])
        on = [way for way, is_on in zip(self._abilities, are_on) if is_on]
        if on:
            self._undo.note(HELD, *[call(service, *switch_on) for service, _, _, switch_on in on])
            self._robot.call_all([(service,) + switch_off for service, _, switch_off, _ in on])
