"""The gate for images: from a Frame's bytes to gray pixels, or a ContractError that says what is wrong.

What a JPEG says of itself is read from its header before any decoder sees it: a picture of 10 KB can ask
for gigabytes. The networks see gray, so no colour is ever decoded to be thrown away: a JPEG and NAO's YUV
hold brightness by itself. This file knows nothing of faces, robots or sockets.
"""

import cv2
import numpy as np
import simplejpeg

from config.contract import MAX_HEIGHT_PX, MAX_WIDTH_PX, ContractError, Frame

START, END_MARK, SCAN_MARK = b"\xff\xd8", b"\xff\xd9", b"\xff\xda"
MAX_SCANS = 24  # every scan walks the whole picture again; progressive pictures have about ten
SHOWN_QUALITY = 80

# ITU-T T.81, table B.1: frame headers (SOF0..SOF15 but the tables DHT, JPG, DAC that lie among them),
# and markers that stand alone, without a length.
SIZE_MARKS = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
LONE_MARKS = {0x01, *range(0xD0, 0xD8)}


def decode(frame: Frame) -> np.ndarray:
    """The picture of a Frame that has passed the contract: gray (H, W) uint8, perhaps not to be written to.

    Raises ContractError "bad_image" or "too_large".
    """
    return DECODERS[frame.encoding](frame)


def as_jpeg(frame: Frame) -> bytes:
    """The frame's picture as a JPEG that a browser can show; that of a jpeg frame is passed on as it came."""
    if frame.encoding == "jpeg":
        return frame.image
    shown = _colours(frame) if frame.encoding == "yuv422" else decode(frame)
    return cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, SHOWN_QUALITY])[1].tobytes()


def jpeg_size(image: bytes) -> tuple[int, int]:
    """Width and height in px as the JPEG's own header says; raises ContractError without decoding anything."""
    if image[:2] != START:
        raise ContractError("bad_image", f"a JPEG begins with ff d8; {image[:2].hex(' ') or 'nothing'} came.")
    at = 2
    while at + 4 <= len(image):
        if image[at] != 0xFF:
            break
        mark = image[at + 1]
        if mark == 0xFF:  # filling
            at += 1
        elif mark in LONE_MARKS:
            at += 2
        elif mark in SIZE_MARKS:
            if at + 9 > len(image):
                break
            height, width = (int.from_bytes(image[i : i + 2], "big") for i in (at + 5, at + 7))
            return width, height
        else:
            at += 2 + int.from_bytes(image[at + 2 : at + 4], "big")
    raise ContractError("bad_image", f"the JPEG of {len(image)} bytes ends or breaks before it names its size.")


def _from_jpeg(frame: Frame) -> np.ndarray:
    width, height = jpeg_size(frame.image)
    if width > MAX_WIDTH_PX or height > MAX_HEIGHT_PX:
        raise ContractError(
            "too_large",
            f"the JPEG is {width} x {height} px; at most {MAX_WIDTH_PX} x {MAX_HEIGHT_PX} px are taken.",
        )
    if (width, height) != (frame.width, frame.height):
        raise ContractError(
            "bad_image",
            f"the header says {frame.width} x {frame.height} px, the JPEG itself {width} x {height} px.",
        )
    if frame.image.count(SCAN_MARK) > MAX_SCANS:
        raise ContractError("bad_image", f"the JPEG has more than {MAX_SCANS} scans.")
    if frame.image.rfind(END_MARK) <= frame.image.rfind(SCAN_MARK):
        raise ContractError("bad_image", f"the JPEG of {len(frame.image)} bytes is cut short.")
    # In its own size: half of it would save 4 % at VGA and 12 % at 1280 x 960, and lose small faces.
    try:  # as other programs do, forgive what can be forgiven: some cameras leave stray bytes
        gray = simplejpeg.decode_jpeg(frame.image, "GRAY", fastdct=True, strict=False)  # (H, W, 1)
    except ValueError:
        gray = None
    if gray is None or gray.shape != (height, width, 1):
        raise ContractError("bad_image", f"the JPEG of {len(frame.image)} bytes cannot be decoded.")
    return gray[:, :, 0]


def _from_yuv422(frame: Frame) -> np.ndarray:
    return np.ascontiguousarray(_pairs(frame)[:, :, 0])


def _from_gray8(frame: Frame) -> np.ndarray:
    return np.frombuffer(frame.image, np.uint8).reshape(frame.height, frame.width)


def _pairs(frame: Frame) -> np.ndarray:
    """NAO's kYUV422: Y0 U Y1 V, a pair of pixels in four bytes, each of the full range 0..255 as in JPEG."""
    if frame.width % 2:
        raise ContractError("bad_image", f"yuv422 holds pairs of pixels; a width of {frame.width} px came.")
    return np.frombuffer(frame.image, np.uint8).reshape(frame.height, frame.width, 2)


def _colours(frame: Frame) -> np.ndarray:
    """A yuv422 frame as OpenCV shows it: (H, W, 3) uint8, blue first."""
    pairs = _pairs(frame)
    blue, red = pairs[:, 0::2, 1].repeat(2, axis=1), pairs[:, 1::2, 1].repeat(2, axis=1)
    return cv2.cvtColor(cv2.merge([pairs[:, :, 0], red, blue]), cv2.COLOR_YCrCb2BGR)


DECODERS = {"jpeg": _from_jpeg, "yuv422": _from_yuv422, "gray8": _from_gray8}
