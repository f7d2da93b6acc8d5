# -*- coding: utf-8 -*-
"""A program in qi's style: at every touch of its head NAO greets and its eyes turn green for a moment.

    python qi_greet_when_touched.py tcp://127.0.0.1:9559 2       ends after two greetings

The callback disconnects itself while it speaks, so that one touch gives one greeting.
"""

from __future__ import division, print_function

import sys
import threading

import qi

KEY = "FrontTactilTouched"


class Greeter(object):
    """Greets `times` times."""

    def __init__(self, session, times):
        self.speech, self.leds = session.service("ALTextToSpeech"), session.service("ALLeds")
        self.signal = session.service("ALMemory").subscriber(KEY).signal
        self.left = times
        self.done = threading.Event()
        self.link = self.signal.connect(self.on_touch)

    def on_touch(self, value):
        if not value or self.done.is_set():
            return
        self.signal.disconnect(self.link)
        self.leds.fadeRGB("FaceLeds", 0x00FF00, 0.1)
        self.speech.say("Hello!")
        self.leds.fadeRGB("FaceLeds", 0xFFFFFF, 0.1)
        self.left -= 1
        print("greeted")
        sys.stdout.flush()
        if self.left:
            self.link = self.signal.connect(self.on_touch)
        else:
            self.done.set()


def main(url, times):
    session = qi.Session()
    session.connect(url)
    greeter = Greeter(session, times)
    print("touch my head")
    sys.stdout.flush()
    while not greeter.done.wait(0.2):  # in slices, so that Ctrl-C is heard on Python 2.7
        pass
    session.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
