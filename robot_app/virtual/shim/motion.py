# -*- coding: utf-8 -*-
"""The constants of ALMotion that programs of the older style take from `motion`."""

FRAME_TORSO, FRAME_WORLD, FRAME_ROBOT = 0, 1, 2
SPACE_TORSO, SPACE_WORLD, SPACE_NAO = 0, 1, 2
AXIS_MASK_X, AXIS_MASK_Y, AXIS_MASK_Z = 1, 2, 4
AXIS_MASK_WX, AXIS_MASK_WY, AXIS_MASK_WZ = 8, 16, 32
AXIS_MASK_VEL, AXIS_MASK_ROT, AXIS_MASK_ALL, AXIS_MASK_NONE = 7, 56, 63, 0
