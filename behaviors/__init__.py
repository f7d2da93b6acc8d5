# -*- coding: utf-8 -*-
"""What the robot can do about an emotion, and when: keyframe sheets, NAO's limits, and the mood."""

from __future__ import division, print_function
