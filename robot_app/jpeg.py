# -*- coding: utf-8 -*-
"""From NAO's YUV422 to JPEG with what this Python has: PIL or cv2, each with numpy; else it stays raw.

An encoder is a function (yuv422 bytes, width, height) -> (encoding, bytes). YUV422 lies as Y0 U Y1 V, two
bytes a pixel, in full range as JPEG has it; so PIL takes the values as they are, and no pixel goes through
RGB.
"""

from __future__ import division, print_function

import io


def best_encoder(quality):
    """The first encoder that works here; `quality` 1..100."""
    for make in (with_pil, with_cv2):
        try:
            return make(quality)
        except ImportError:
            continue
    return raw


def raw(yuv422, width, height):
    return "yuv422", yuv422


def with_pil(quality):
    from PIL import Image

    unpack = _unpacker()

    def encode(yuv422, width, height):
        file = io.BytesIO()
        pixels = unpack(yuv422, width, height).tobytes()
        Image.frombytes("YCbCr", (width, height), pixels).save(file, "JPEG", quality=quality)
        return "jpeg", file.getvalue()

    return encode


def with_cv2(quality):
    import cv2

    unpack = _unpacker()

    def encode(yuv422, width, height):
        y_cr_cb = unpack(yuv422, width, height)[:, :, (0, 2, 1)]  # cv2 has Cr before Cb
        bgr = cv2.cvtColor(y_cr_cb, cv2.COLOR_YCrCb2BGR)
        return "jpeg", cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()

    return encode


def _unpacker():
    import numpy

    def unpack(yuv422, width, height):
        """(H, W, 3) uint8: Y, U, V of every pixel; a pair shares its U and V."""
        packed = numpy.frombuffer(yuv422, numpy.uint8).reshape(height, width, 2)  # (H, W, 2): Y, U or V
        full = numpy.empty((height, width, 3), numpy.uint8)
        full[:, :, 0] = packed[:, :, 0]
        full[:, :, 1] = packed[:, 0::2, 1].repeat(2, axis=1)
        full[:, :, 2] = packed[:, 1::2, 1].repeat(2, axis=1)
        return full

    return unpack
