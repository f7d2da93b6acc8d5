# -*- coding: utf-8 -*-
"""A program in the older style (ALBroker, ALModule): a module whose callbacks NAO's bumpers call.

    PYTHONPATH=robot_app/virtual/shim python naoqi_bumper_module.py 127.0.0.1 9559

At the left bumper it takes a picture, at the right one it ends. As is usual in that style, the callback
unsubscribes at its beginning and subscribes again at its end.
"""

from __future__ import division, print_function

import sys
import threading

import vision_definitions as vision
from naoqi import ALBroker, ALModule, ALProxy

NAME = "bumperModule"


class BumperModule(ALModule):
    """Callbacks for both bumpers."""

    def __init__(self, name):
        ALModule.__init__(self, name)
        self.memory, self.video = ALProxy("ALMemory"), ALProxy("ALVideoDevice")
        self.over = threading.Event()
        self.memory.subscribeToEvent("LeftBumperPressed", name, "onLeft")
        self.memory.subscribeToEvent("RightBumperPressed", name, "onRight")

    def onLeft(self, key, value, message):
        """A picture."""
        self.memory.unsubscribeToEvent("LeftBumperPressed", NAME)
        if value:
            handle = self.video.subscribeCamera(NAME, 0, vision.kQVGA, vision.kRGBColorSpace, 10)
            image = self.video.getImageRemote(handle)
            self.video.unsubscribe(handle)
            print("%s: %d x %d, %d bytes" % (key, image[0], image[1], len(image[6])))
            sys.stdout.flush()
        self.memory.subscribeToEvent("LeftBumperPressed", NAME, "onLeft")

    def onRight(self, key, value, message):
        """The end."""
        if value:
            self.over.set()


def main(ip, port):
    broker = ALBroker("broker", "0.0.0.0", 0, ip, port)
    module = BumperModule(NAME)
    print("press a bumper")
    sys.stdout.flush()
    while not module.over.wait(0.2):
        pass
    broker.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
