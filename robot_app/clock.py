# -*- coding: utf-8 -*-
"""The robot's one clock: `now_s()`, seconds that only grow, whatever happens to the wall clock.

A NAO without a network wakes up in 1970 and jumps when it finds the time; no age and no pause may depend
on that. Only the programs' outer loops call this; everything else gets the time as an argument.
"""

from __future__ import division, print_function

import ctypes
import time

CLOCK_MONOTONIC = 1  # linux/time.h


class _Timespec(ctypes.Structure):
    _fields_ = (("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long))


def _linux_clock():
    """CLOCK_MONOTONIC by the C library. librt: before glibc 2.17 (NAO V5) only that has clock_gettime."""
    clock_gettime = ctypes.CDLL("librt.so.1", use_errno=True).clock_gettime

    def now_s():
        now = _Timespec()
        if clock_gettime(CLOCK_MONOTONIC, ctypes.byref(now)):
            raise OSError(ctypes.get_errno(), "clock_gettime")
        return now.tv_sec + now.tv_nsec * 1e-9

    return now_s


# Version specific: Python 2 has no time.monotonic.
now_s = getattr(time, "monotonic", None) or _linux_clock()
