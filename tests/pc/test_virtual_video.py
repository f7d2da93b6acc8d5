"""The virtual NAO's camera gives the right bytes, at the right pace, to as many as may look."""

import cv2
import numpy as np
import pytest

from robot_app.virtual import pictures
from robot_app.virtual.hand_clock import HandClock
from robot_app.virtual.nao import NaoError, VirtualNAO
from robot_app.virtual.video import RESOLUTIONS

KVGA, KQVGA = 2, 1
KYUV, KYUV422, KYUV3, KRGB, KHSY, KBGR = 0, 9, 10, 11, 12, 13


class Counting:
    """A source whose picture holds the time it was asked for: blue 100 * t_s, green 40, red 200."""

    def __init__(self):
        self.asked_s = []

    def picture(self, t_s):
        self.asked_s.append(t_s)
        return np.full((480, 640, 3), (round(100 * t_s), 40, 200), np.uint8)

    def close(self):
        self.asked_s = None


class Watched:
    """A virtual NAO with a hand-moved clock and a source that counts."""

    def __init__(self):
        self.clock, self.source = HandClock(), Counting()
        self.nao = VirtualNAO(self.source, clock=self.clock)

    def video(self, method, *arguments):
        return self.nao.call("ALVideoDevice", method, arguments)

    def look(self, colour_space=KBGR, resolution=KQVGA, fps=10, name="test"):
        return self.video("subscribeCamera", name, 0, resolution, colour_space, fps)

    def pixels(self, handle):
        width, height, layers, *_ = image = self.video("getImageRemote", handle)
        return np.frombuffer(image[6], np.uint8).reshape(height, width, layers)


@pytest.fixture
def robot():
    return Watched()


def test_an_image_has_twelve_items_and_as_many_bytes_as_they_say(robot):
    for resolution, (width, height) in RESOLUTIONS.items():
        handle = robot.look(KYUV422, resolution)
        image = robot.video("getImageRemote", handle)
        assert len(image) == 12 and image[:4] == (width, height, 2, KYUV422) and image[7] == 0
        assert isinstance(image[6], bytearray) and len(image[6]) == width * height * 2
        robot.video("unsubscribe", handle)


def test_each_colour_space_says_the_same_colour_in_its_own_bytes(robot):
    blue, green, red = 0, 40, 200
    luma = round(0.299 * red + 0.587 * green + 0.114 * blue)
    u, v = round(128 + 0.564 * (blue - luma)), round(128 + 0.713 * (red - luma))
    expected = {
        KYUV: [luma],
        KYUV422: [luma, u, luma, v],
        KYUV3: [luma, u, v],
        KRGB: [red, green, blue],
        KBGR: [blue, green, red],
    }
    for colour_space, first in expected.items():
        begin = robot.pixels(robot.look(colour_space)).ravel()[: len(first)]
        assert begin.astype(int).tolist() == pytest.approx(first, abs=1), colour_space
    assert robot.pixels(robot.look(KHSY, name="hsy")).ravel()[2] == pytest.approx(luma, abs=1)


def test_a_yuv422_picture_decodes_to_the_picture_it_came_from(robot):
    drawn = np.zeros((480, 640, 3), np.uint8)
    drawn[:240, :320], drawn[240:, 320:] = (30, 160, 220), (200, 60, 20)
    robot.source.picture = lambda t_s: drawn
    packed = robot.pixels(robot.look(KYUV422, KVGA)).astype(np.float32)
    luma, u, v = packed[..., 0], packed[:, 0::2, 1].repeat(2, 1) - 128, packed[:, 1::2, 1].repeat(2, 1) - 128
    decoded = np.stack([luma + 1.772 * u, luma - 0.344 * u - 0.714 * v, luma + 1.402 * v], 2)
    assert np.abs(decoded - drawn).max() < 4


def test_within_a_period_of_its_rate_a_subscriber_gets_the_same_picture_and_time_again(robot):
    handle = robot.look(fps=10)
    first = robot.video("getImageRemote", handle)
    robot.clock.now_s += 0.09
    assert robot.video("getImageRemote", handle) is first
    robot.clock.now_s += 0.02
    second = robot.video("getImageRemote", handle)
    assert (second[4] + second[5] / 1e6) - (first[4] + first[5] / 1e6) == pytest.approx(0.11, abs=1e-3)
    assert second[6][0] - first[6][0] == 11
    assert len(robot.source.asked_s) == 2


def test_a_film_begins_when_somebody_first_looks(robot):
    robot.clock.now_s = 50.0
    handle = robot.look()
    robot.video("getImageRemote", handle)
    robot.clock.now_s = 51.0
    robot.video("getImageRemote", robot.look(name="another"))
    assert robot.source.asked_s == pytest.approx([0.0, 1.0])
    assert robot.nao.diary.find(what="the film begins")[0]["at_s"] == 50.0


def test_one_name_may_subscribe_six_times_and_the_refusal_names_the_leaks(robot):
    handles = [robot.look() for _ in range(6)]
    assert handles == [f"test_{n}" for n in range(6)] == robot.video("getSubscribers")
    with pytest.raises(NaoError, match=r"ALVideoDevice::subscribeCamera\n\t'test' has subscribed 6 times"):
        robot.look()
    robot.look(name="other")
    robot.video("unsubscribe", "test_3")
    assert robot.look() == "test_3"
    assert robot.video("unsubscribe", "test") is True
    assert robot.video("getSubscribers") == ["other_0"]


def test_after_unsubscribe_there_is_no_picture(robot):
    handle = robot.look()
    assert robot.video("unsubscribe", handle) is True
    assert robot.video("getImageRemote", handle) is None
    assert robot.video("unsubscribe", handle) is False
    assert robot.video("releaseImage", handle) is False


def test_a_subscription_can_be_changed_while_it_lasts(robot):
    handle = robot.look(KBGR, KQVGA)
    robot.video("setResolution", handle, KVGA)
    robot.video("setColorSpace", handle, KYUV)
    assert robot.video("getImageRemote", handle)[:4] == (640, 480, 1, KYUV)
    robot.video("setFrameRate", handle, 30)
    first = robot.video("getImageRemote", handle)
    robot.clock.now_s += 0.04
    assert robot.video("getImageRemote", handle) is not first


def test_put_image_takes_the_sources_place_from_then_on(robot):
    handle = robot.look(KRGB, KQVGA, fps=10)
    assert robot.video("getExpectedImageParameters", 0) == [KQVGA, 10]
    assert robot.pixels(handle)[0, 0].tolist() == [200, 40, 0]
    assert robot.video("putImage", 0, 4, 3, bytes([1, 2, 3] * 12)) is True
    robot.clock.now_s += 0.1
    assert robot.pixels(handle)[120, 160].tolist() == [1, 2, 3]
    with pytest.raises(NaoError, match="4 x 3 px of RGB take 36 bytes; 5 came"):
        robot.video("putImage", 0, 4, 3, b"12345")


def test_another_source_takes_its_place_from_its_own_beginning(robot):
    handle = robot.look()
    robot.clock.now_s += 1.0
    assert robot.nao["ALVideoDevice"].seen()[0, 0, 0] == 100
    other = Counting()
    robot.nao["ALVideoDevice"].show(other)
    assert robot.source.asked_s is None  # closed
    robot.clock.now_s += 0.5
    assert robot.pixels(handle)[0, 0, 0] == robot.nao["ALVideoDevice"].seen()[0, 0, 0] == 50


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("n", 7, 1, 11, 10), "unknown camera 7"),
        (("n", 0, 99, 11, 10), "unknown resolution 99"),
        (("n", 0, 1, 55, 10), "unknown colour space 55"),
        (("n", 0, 1, 11, 60), "the frame rate must lie in 1..30"),
        ((5, 0, 1, 11, 10), "the name must be a text"),
    ],
)
def test_a_subscription_that_no_camera_can_serve_is_refused(robot, arguments, why):
    with pytest.raises(NaoError, match=why):
        robot.video("subscribeCamera", *arguments)
    assert robot.video("getSubscribers") == []


def test_keep_alive_leaves_the_camera_open_when_the_last_one_leaves(robot):
    robot.video("unsubscribe", robot.look())
    assert robot.video("isCameraOpen", 0) is False
    assert robot.video("setParameter", 0, 35, 1) is True and robot.video("getParameter", 0, 35) == 1
    robot.video("unsubscribe", robot.look())
    assert robot.video("isCameraOpen", 0) is True


def test_pictures_are_counted_and_not_written_line_by_line(robot):
    handle = robot.look()
    for _ in range(5):
        robot.video("getImageRemote", handle)
    assert robot.nao.diary.counts["ALVideoDevice.getImageRemote"] == 5
    assert robot.nao.diary.find(method="getImageRemote") == []


def test_a_wide_picture_is_fitted_without_distortion():
    wide = np.full((90, 160, 3), 255, np.uint8)
    fitted = pictures.fit(wide, 320, 240)
    rows = np.flatnonzero(fitted[:, 160, 0] > 127)
    assert fitted.shape == (240, 320, 3) and (rows[0], rows[-1]) == (30, 209)


@pytest.fixture
def film(tmp_path):
    """A film of 20 pictures at 10 a second; picture n is a grey of 10 * n."""
    path = tmp_path / "film.avi"
    file = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for n in range(20):
        file.write(np.full((48, 64, 3), 10 * n, np.uint8))
    file.release()
    return path


def number_of(picture):
    """Which picture of the film this is."""
    return round(picture.mean() / 10)


def test_a_film_runs_in_its_own_time_and_begins_again(film):
    source = pictures.open_source(str(film))
    assert [number_of(source.picture(t_s)) for t_s in (0.0, 0.05, 0.1, 0.95, 1.9)] == [0, 0, 1, 9, 19]
    assert [number_of(source.picture(t_s)) for t_s in (2.0, 2.5, 3.95, 4.0)] == [0, 5, 19, 0]
    assert number_of(source.picture(1000.3)) == 3
    source.close()


def test_a_film_that_is_shown_once_ends_in_black(film):
    source = pictures.open_source(str(film), loop=False)
    assert number_of(source.picture(1.9)) == 19
    assert source.picture(2.1).max() == 0 == source.picture(60.0).max()
    source.close()


def test_photos_of_a_folder_follow_each_other(tmp_path):
    for n in (1, 2):
        cv2.imwrite(str(tmp_path / f"{n}.png"), np.full((4, 4, 3), n, np.uint8))
    (tmp_path / "notes.txt").write_text("no photo")
    shown = pictures.open_source(str(tmp_path))
    assert [shown.picture(t_s)[0, 0, 0] for t_s in (0.0, 1.9, 2.0, 4.0)] == [1, 1, 2, 1]
    once = pictures.open_source(str(tmp_path), loop=False)
    assert once.picture(4.5).max() == 0
    one = pictures.open_source(str(tmp_path / "2.png"))
    assert one.picture(99.0)[0, 0, 0] == 2


def test_a_source_that_is_not_there_is_told_in_one_sentence(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    (tmp_path / "empty").mkdir()
    reasons = {
        "gone.mp4": "there is no",
        "broken.jpg": "not a photo",
        "broken.mp4": "neither",
        "empty": "holds no",
    }
    for name, reason in reasons.items():
        with pytest.raises(pictures.SourceError, match=reason):
            pictures.open_source(str(tmp_path / name))
