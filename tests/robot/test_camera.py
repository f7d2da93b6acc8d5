# -*- coding: utf-8 -*-
"""The camera: its subscription, pictures that come once, and what NAOqi may give instead of one."""

from __future__ import division, print_function

import io

import pytest
from stand_in import Future, Naoqi

from robot_app import jpeg
from robot_app.camera import BLIND_S, STALE_S, Camera
from robot_app.robots import CALL_S, Robot, RobotError, RobotLost
from robot_app.tell import Teller
from robot_app.undo import Undo

SETTINGS = {"camera": "top", "resolution": "vga", "fps": 10, "jpeg_quality": 80}


class Looking(object):
    """A Camera on a stand-in, with raw pictures."""

    def __init__(self, naoqi=None):
        self.naoqi = naoqi or Naoqi()
        self.said = io.StringIO() if str is not bytes else io.BytesIO()
        self.tell = Teller(self.said)
        self.robot = Robot(lambda ended: self.naoqi, "the stand-in")
        self.undo = Undo(self.robot, self.tell)
        self.robot.connect()
        self.camera = Camera(self.robot, SETTINGS, jpeg.raw, self.undo, self.tell)


@pytest.fixture
def looking():
    looking = Looking()
    looking.camera.open()
    return looking


def test_a_picture_carries_our_own_time_its_size_and_its_bytes(looking):
    looking.naoqi.see(7)
    picture = looking.camera.look(3.5)
    assert (picture.taken_s, picture.width, picture.height, picture.encoding) == (3.5, 4, 2, "yuv422")
    assert picture.image == b"\x07" * 16


@pytest.mark.parametrize("kind", [tuple, list])
def test_naoqi_may_give_a_tuple_or_a_list(looking, kind):
    looking.naoqi.see(7)
    looking.naoqi.image = kind(looking.naoqi.image)
    assert looking.camera.look(0.0).image == b"\x07" * 16


def test_the_bytes_may_be_a_str_as_old_naoqi_gives_them(looking):
    looking.naoqi.see(7)
    image = list(looking.naoqi.image)
    image[6] = bytes(image[6])
    looking.naoqi.image = image
    assert looking.camera.look(0.0).image == b"\x07" * 16


def test_the_same_picture_is_never_given_twice(looking):
    looking.naoqi.see(1)
    assert looking.camera.look(0.0) is not None
    assert looking.camera.look(1.0) is None
    looking.naoqi.see(2)
    assert looking.camera.look(2.0) is not None


def test_nothing_is_fetched_before_the_next_picture_is_due(looking):
    looking.naoqi.see(1)
    looking.camera.look(0.0)
    looking.naoqi.see(2)
    assert looking.camera.look(0.05) is None
    assert len(looking.naoqi.of("ALVideoDevice", "getImageRemote")) == 1
    assert looking.camera.look(0.1) is not None


def on_its_way(looking, gray):
    """A picture that is asked for and does not come before its future ends."""
    looking.naoqi.see(gray)
    image, looking.naoqi.image = looking.naoqi.image, Future()
    return looking.naoqi.image, image


def test_a_picture_on_its_way_is_not_waited_for_and_as_old_as_the_question(looking):
    future, image = on_its_way(looking, 7)
    assert looking.camera.look(1.0) is None and looking.camera.look(1.05) is None
    future.end(image)
    picture = looking.camera.look(1.08)
    assert (picture.taken_s, picture.image) == (1.0, b"\x07" * 16)
    assert len(looking.naoqi.of("ALVideoDevice", "getImageRemote")) == 1


def test_a_picture_that_was_asked_for_before_a_pause_is_not_given_after_it(looking):
    future, image = on_its_way(looking, 7)
    assert looking.camera.look(1.0) is None
    future.end(image)
    looking.naoqi.see(8)
    picture = looking.camera.look(1.0 + 2 * STALE_S)
    assert (picture.taken_s, picture.image) == (1.0 + 2 * STALE_S, b"\x08" * 16)


def test_a_robot_whose_picture_never_comes_is_lost(looking):
    on_its_way(looking, 7)
    for twentieth in range(int(CALL_S * 20)):
        assert looking.camera.look(twentieth / 20.0) is None
    with pytest.raises(RobotLost, match="getImageRemote at the stand-in has not answered for %g s" % CALL_S):
        looking.camera.look(CALL_S)


@pytest.mark.parametrize("nothing", [None, [], (4, 2, 2, 9, 0, 0, None, 0, 0, 0, 0, 0)])
def test_no_picture_is_waited_for_and_told_once(looking, nothing):
    looking.naoqi.image = nothing
    for tenth in range(60):
        assert looking.camera.look(tenth / 10) is None
    assert looking.said.getvalue().count("no new picture for %g s" % BLIND_S) == 1


def test_a_refusing_camera_is_told_and_asked_again_later(looking):
    looking.naoqi.broken["ALVideoDevice.getImageRemote"] = "ALVideoDevice::getImageRemote\n\tno"
    assert looking.camera.look(0.0) is None
    assert "refuses" in looking.said.getvalue()
    looking.naoqi.broken.clear()
    looking.naoqi.see(1)
    assert looking.camera.look(0.5) is None
    assert looking.camera.look(1.0) is not None


def test_a_lost_robot_is_no_refusal(looking):
    looking.naoqi.connected = False
    with pytest.raises(RobotLost):
        looking.camera.look(0.0)


def test_places_left_by_a_crashed_client_of_ours_are_freed_and_others_kept():
    looking = Looking()
    looking.naoqi.subscribers = ["nao-emotion_0", "somebody_0", "nao-emotion_1"]
    looking.camera.open()
    assert looking.naoqi.subscribers == ["somebody_0", "nao-emotion_0"]


def test_a_camera_without_a_place_is_a_sentence():
    looking = Looking()
    looking.naoqi.subscribers, looking.naoqi.places = ["somebody_0"], 1
    with pytest.raises(RobotError) as refused:
        looking.camera.open()
    assert "camera" in str(refused.value)


def test_at_the_end_the_subscription_is_gone_and_the_parameter_as_it_was(looking):
    assert looking.naoqi.keep_alive == 1
    looking.undo.run()
    assert looking.naoqi.subscribers == []
    assert looking.naoqi.keep_alive == 0


def colours(yuv422, make):
    """The JPEG of an encoder as (height, width, 3) Y, Cb, Cr by PIL."""
    image = pytest.importorskip("PIL.Image")
    numpy = pytest.importorskip("numpy")
    encoding, data = make(95)(yuv422, 16, 8)
    assert encoding == "jpeg"
    picture = image.open(io.BytesIO(data))
    picture.draft("YCbCr", None)
    return numpy.asarray(picture.convert("YCbCr")).astype(int)


@pytest.mark.parametrize("make", [jpeg.with_pil, jpeg.with_cv2], ids=["PIL", "cv2"])
@pytest.mark.parametrize("y, u, v", [(120, 128, 128), (90, 200, 110), (200, 90, 160), (16, 128, 128)])
def test_a_jpeg_has_the_colours_of_its_yuv422(make, y, u, v):
    for module in ("numpy", "PIL", "cv2") if make is jpeg.with_cv2 else ("numpy", "PIL"):
        pytest.importorskip(module)
    seen = colours(bytes(bytearray([y, u, y, v] * 64)), make)
    assert seen.shape == (8, 16, 3)
    assert abs(seen.reshape(-1, 3).mean(axis=0) - [y, u, v]).max() < 4


def test_without_any_library_the_picture_stays_raw():
    assert jpeg.raw(b"\x01\x02", 1, 1) == ("yuv422", b"\x01\x02")
