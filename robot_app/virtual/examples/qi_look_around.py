# -*- coding: utf-8 -*-
"""A program in qi's style: NAO looks left and right, tells how bright it is there, and rests its head.

python qi_look_around.py tcp://127.0.0.1:9559        Python 2.7 or 3, any NAO
"""

from __future__ import division, print_function

import sys

import qi

SIDES = (("left", 0.8), ("right", -0.8))


def brightness(video, handle):
    """The mean of the picture's bytes, 0..255; the first layer of yuv is all there is."""
    image = video.getImageRemote(handle)
    pixels = bytearray(image[6])
    video.releaseImage(handle)
    return sum(pixels) / len(pixels)


def main(url):
    session = qi.Session()
    session.connect(url)
    motion, video = session.service("ALMotion"), session.service("ALVideoDevice")
    speech = session.service("ALTextToSpeech")
    motion.wakeUp()
    handle = video.subscribeCamera("look_around", 0, 0, 0, 15)  # top camera, 160 x 120, grey
    try:
        for side, yaw_rad in SIDES:
            motion.angleInterpolationWithSpeed("HeadYaw", yaw_rad, 0.3)
            sentence = "On my %s it is %d of 255 bright." % (side, brightness(video, handle))
            print(sentence)
            speech.say(sentence)
    finally:
        video.unsubscribe(handle)
        motion.angleInterpolationWithSpeed("Head", [0.0, -0.17], 0.3)
    session.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:9559")
