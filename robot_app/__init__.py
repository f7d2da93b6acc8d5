# -*- coding: utf-8 -*-
"""The robot's end: it looks, asks the PC, feels, chooses and plays. Runs on NAO itself or beside it."""

from __future__ import division, print_function
