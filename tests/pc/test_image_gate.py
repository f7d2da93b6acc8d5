"""Laws of the image gate that hold for all pictures, and for all rubbish that calls itself one."""

import resource
import subprocess
import sys

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as some

from config.contract import MAX_HEIGHT_PX, MAX_WIDTH_PX, ContractError, Frame
from inference_server.decode import decode, jpeg_size

PICTURE = np.random.default_rng(1).integers(0, 255, (48, 64, 1), np.uint8)
JPEG = simplejpeg.encode_jpeg(PICTURE, 90, "GRAY")


def frame(image, encoding="jpeg", width=64, height=48):
    return Frame(1, 0.0, width, height, encoding, "nao", None, None, None, image)


def read_or_refused(image, encoding="jpeg", width=64, height=48):
    """A gray picture of the declared size, or a ContractError; anything else fails."""
    try:
        gray = decode(frame(image, encoding, width, height))
    except ContractError as error:
        assert error.code in ("bad_image", "too_large") and error.text.endswith(".")
        return None
    assert gray.shape == (height, width) and gray.dtype == np.uint8
    return gray


@settings(deadline=None)
@given(some.binary(max_size=400))
def test_any_bytes_are_a_picture_or_refused(data):
    read_or_refused(data)
    read_or_refused(b"\xff\xd8" + data)


@settings(deadline=None)
@given(some.integers(0, len(JPEG) - 1), some.binary(min_size=1, max_size=40))
def test_a_jpeg_with_any_bytes_overwritten_is_a_picture_or_refused(at, data):
    read_or_refused(JPEG[:at] + data + JPEG[at + len(data) :])


@settings(deadline=None)
@given(some.integers(0, len(JPEG)))
def test_a_jpeg_that_is_cut_anywhere_is_a_picture_or_refused(length):
    assert read_or_refused(JPEG[:length]) is None or length == len(JPEG)


@settings(deadline=None)
@given(some.integers(1, 65535), some.integers(1, 65535))
def test_no_jpeg_is_opened_that_is_larger_than_it_may_be_or_than_it_was_declared(width, height):
    at = JPEG.index(b"\xff\xc0") + 5
    image = JPEG[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + JPEG[at + 4 :]
    assert jpeg_size(image) == (width, height)
    if (width, height) == (64, 48):
        return
    with pytest.raises(ContractError) as refused:
        decode(frame(image))
    large = width > MAX_WIDTH_PX or height > MAX_HEIGHT_PX
    assert refused.value.code == ("too_large" if large else "bad_image")


@settings(deadline=None)
@given(some.integers(1, 64), some.integers(1, 48), some.sampled_from(["yuv422", "gray8"]))
def test_raw_pictures_are_read_in_any_size_and_odd_pairs_refused(width, height, encoding):
    data = bytes(width * height * (2 if encoding == "yuv422" else 1))
    read = read_or_refused(data, encoding, width, height)
    assert (read is None) == (encoding == "yuv422" and width % 2 == 1)


def test_a_bomb_takes_no_memory():
    """A JPEG of a few kB that says it is 32000 x 32000 px is refused by its header."""
    at = JPEG.index(b"\xff\xc0") + 5
    bomb = JPEG[:at] + (32000).to_bytes(2, "big") * 2 + JPEG[at + 4 :]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(100):
        assert read_or_refused(bomb, width=1280, height=960) is None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def test_the_server_may_open_more_files_than_a_shell_allows():
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (512, resource.getrlimit(7)[1]))\n"
        "from inference_server.server import allow_open_files; allow_open_files()\n"
        "soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE); assert soft == min(8192, hard), soft"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
