# -*- coding: utf-8 -*-
"""The robot's camera: pictures from ALVideoDevice, each at most once, as JPEG where this Python can.

It looks and encodes; it sends nothing, judges nothing, and waits for nothing: a picture that takes its time to
come is there at a later look. A subscription costs NAOqi one of the few places
it keeps for a name, and a crashed client never gives its place back: ours all begin with PREFIX, so stale
ones are found and freed before a new one is made.

A picture's `taken_s` is the robot app's own clock just before it was asked for: never younger than true.
"""

from __future__ import division, print_function

from collections import namedtuple

from robot_app.robots import CALL_S, RobotError, RobotLost
from robot_app.undo import call

PREFIX = "nao-emotion"
PLACES = 8  # the most that any NAOqi keeps for a name
CAMERAS = {"top": 0, "bottom": 1}
RESOLUTIONS = {"vga": 2, "qvga": 1, "qqvga": 0}
YUV422 = 9  # NAO's own format, the cheapest to get
KEEP_ALIVE = 35  # parameter: the camera is not restarted between subscribers
RETRY_S = 0.01  # after a look that found the same picture again
STALE_S = 0.1  # without a look, after which a picture that was asked for before is not wanted any more
BLIND_S = 2.0  # after this long without any picture a person is told
REST_S = 1.0  # after a refusal

# taken_s by the robot app's clock; width, height in px; encoding one of contract.ENCODINGS; image: bytes.
Picture = namedtuple("Picture", "taken_s width height encoding image")


class Camera(object):
    """`settings` is the section "robot"; `encode` one of jpeg's; `undo` an Undo; `tell(topic, sentence)`."""

    def __init__(self, robot, settings, encode, undo, tell):
        self._robot = robot
        self._index = CAMERAS[settings["camera"]]
        self._resolution = RESOLUTIONS[settings["resolution"]]
        self._fps = settings["fps"]
        self._encode = encode
        self._undo = undo
        self._tell = tell
        self._handle = None
        self._stamp = None  # (s, us) of the last picture, by NAOqi's clock: only compared for being another one
        self._asked = None  # (when, future) of the picture that is on its way
        self._looked_s = None  # when look() was last called
        self._next_s = None  # no look before this
        self._seen_s = None  # when the last new picture came

    def open(self):
        """Subscribe; raises RobotError with a sentence when there is no camera to be had."""
        self._free_leaked()
        self._keep_alive()
        self._handle = self._robot.call(
            "ALVideoDevice", "subscribeCamera", PREFIX, self._index, self._resolution, YUV422, self._fps
        )
        if not self._handle:
            raise RobotError(
                "the robot's camera %d cannot be subscribed: NAOqi has no place left for %s, or there is no "
                "such camera." % (self._index, PREFIX)
            )
        self._undo.replace("the camera's subscription", call("ALVideoDevice", "unsubscribe", self._handle))
        self._asked = self._stamp = self._next_s = self._seen_s = None

    def look(self, now_s):
        """A new Picture, or None: it is too early, it is on its way, it was seen already, or NAOqi has none."""
        if self._seen_s is None:
            self._seen_s = self._looked_s = now_s
        if now_s - self._looked_s > STALE_S:
            self._asked = None
        self._looked_s = now_s
        if self._asked is None and self._next_s is not None and now_s < self._next_s:
            return None
        try:
            taken_s, image = self._ask(now_s)
        except RobotLost:
            raise
        except RobotError as error:
            self._tell("camera", "the camera refuses: %s" % error)
            self._next_s = now_s + REST_S
            return None
        if not image or not image[6] or (image[4], image[5]) == self._stamp:
            self._next_s = now_s + RETRY_S
            if now_s - self._seen_s > BLIND_S:
                self._tell("camera", "the camera has given no new picture for %g s." % BLIND_S)
            return None
        self._tell("camera", None)
        self._stamp = (image[4], image[5])
        self._seen_s = now_s
        self._next_s = taken_s + 1.0 / self._fps - RETRY_S
        width, height = int(image[0]), int(image[1])
        encoding, data = self._encode(bytes(bytearray(image[6])), width, height)
        return Picture(taken_s, width, height, encoding, data)

    def _ask(self, now_s):
        """(when it was asked for, what NAOqi gave); None in place of the latter while it is on its way."""
        if self._asked is None:
            self._asked = now_s, self._robot.start("ALVideoDevice", "getImageRemote", self._handle)
        asked_s, future = self._asked
        if not future.isFinished() and now_s - asked_s < CALL_S:
            return asked_s, None
        self._asked = None
        return asked_s, self._robot.result("ALVideoDevice", "getImageRemote", future)

    def _free_leaked(self):
        """Give back the places that robot apps which were killed have left behind."""
        handles = ["%s_%d" % (PREFIX, place) for place in range(PLACES)]
        if self._robot.offers("ALVideoDevice", "getSubscribers"):
            listed = self._robot.call("ALVideoDevice", "getSubscribers") or []
            handles = [str(handle) for handle in listed if str(handle).startswith(PREFIX)]
        for handle in handles:
            try:
                self._robot.call("ALVideoDevice", "unsubscribe", handle)
            except RobotLost:
                raise
            except RobotError:
                pass  # nobody had that place

    def _keep_alive(self):
        """Ask NAOqi to leave the camera running between subscribers, where this camera knows of that."""
        try:
            before = self._robot.call("ALVideoDevice", "getParameter", self._index, KEEP_ALIVE)
            if before != 1:
                self._robot.call("ALVideoDevice", "setParameter", self._index, KEEP_ALIVE, 1)
                self._undo.note(
                    "the camera's keep-alive",
                    call("ALVideoDevice", "setParameter", self._index, KEEP_ALIVE, before),
                )
        except RobotLost:
            raise
        except RobotError:
            pass  # NAOqi 2.1 on an older camera: it restarts, which costs a second and nothing else
