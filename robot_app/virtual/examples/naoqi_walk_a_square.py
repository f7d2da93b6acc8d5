# -*- coding: utf-8 -*-
"""A program in the older style (naoqi.ALProxy): NAO walks a square while it counts the corners, and sits down.

PYTHONPATH=robot_app/virtual/shim python naoqi_walk_a_square.py 127.0.0.1 9559 0.2
"""

from __future__ import division, print_function

import math
import sys

import motion
from naoqi import ALProxy


def main(ip, port, side_m):
    body = ALProxy("ALMotion", ip, port)
    posture = ALProxy("ALRobotPosture", ip, port)
    speech = ALProxy("ALTextToSpeech", ip, port)
    body.wakeUp()
    body.moveInit()
    for corner in (1, 2, 3, 4):
        talking = speech.post.say("Corner %d" % corner)
        body.moveTo(side_m, 0, 0)
        body.moveTo(0, 0, math.pi / 2)
        speech.wait(talking, 0)
    x, y, theta = body.getRobotPosition(True)
    print("back at %.2f m, %.2f m, turned %.2f rad" % (x, y, theta))
    print("left hand at %.2f m" % body.getPosition("LArm", motion.FRAME_ROBOT, True)[2])
    sitting = posture.post.goToPosture("Sit", 0.8)
    posture.wait(sitting, 0)
    print(posture.getPosture())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
