"""A film or webcam becomes a simulated robot's camera: pictures go over real libqi to the virtual NAO."""

import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("qi", reason="there is no qi wheel for this Python or machine")

from robot_app.virtual import qi_host  # before qi: it sets what libqi reads when it is loaded

import qi  # isort: skip

from robot_app.feeder.__main__ import Feeder
from robot_app.robots import RobotError, over_network
from robot_app.virtual.nao import VirtualNAO

ROOT = Path(__file__).parents[2]


class Count:
    """A film whose picture at t_s is one colour: blue 200, green 100, red t_s."""

    def picture(self, t_s):
        return np.full((240, 320, 3), (200, 100, int(t_s)), np.uint8)


@pytest.fixture
def host():
    nao = VirtualNAO()
    host = qi_host.QiHost(nao, "tcp://127.0.0.1:0")
    yield host
    host.close()
    nao.close()


@pytest.fixture
def robot(host):
    robot = over_network(host.url)
    robot.connect()
    yield robot
    robot.end()


def seen(url, camera=0):
    """(480, 640, 3) RGB: what a NAOqi client of the robot sees now."""
    session = qi.Session()
    session.connect(url)
    video = session.service("ALVideoDevice")
    handle = video.subscribeCamera("test", camera, 2, 11, 30)
    image = video.getImageRemote(handle)
    video.unsubscribe(handle)
    session.close()
    return np.frombuffer(image[6], np.uint8).reshape(image[1], image[0], 3)


def test_what_the_source_shows_is_what_the_robots_camera_sees(host, robot):
    feeder = Feeder(robot, Count(), 0)
    feeder.feed(7.0)
    assert (seen(host.url) == (7, 100, 200)).all()
    feeder.feed(8.0)
    assert (seen(host.url) == (8, 100, 200)).all()
    assert feeder.fed == 2


def test_each_camera_is_fed_by_itself(host, robot):
    Feeder(robot, Count(), 1).feed(9.0)
    assert (seen(host.url, camera=1) == (9, 100, 200)).all()
    assert not (seen(host.url, camera=0) == (9, 100, 200)).all()


def test_a_robot_that_takes_no_pictures_is_told_in_a_sentence(robot):
    with pytest.raises(RobotError, match="putImage"):
        Feeder(robot, Count(), 5).feed(0.0)


def feeder(*words):
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "robot_app.feeder", *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_program_feeds_a_photo_until_it_is_told_to_end(host, tmp_path):
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), np.full((480, 640, 3), (10, 20, 30), np.uint8))
    running = feeder("--robot", host.url, "--camera", photo)
    assert "sees" in running.stdout.readline()
    assert (seen(host.url) == (30, 20, 10)).all()
    running.send_signal(signal.SIGTERM)
    said, _ = running.communicate(timeout=20)
    assert running.returncode == 0 and "pictures were sent" in said


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--robot", "tcp://127.0.0.1:1"], "no robot answers at tcp://127.0.0.1:1"),
        (["--robot", "tcp://127.0.0.1:1", "--camera", "gone.mp4"], "there is no gone.mp4"),
        (["--camera", "demo"], "--robot"),
    ],
    ids=["no robot", "no film", "no address"],
)
def test_what_a_person_mistypes_is_a_sentence(words, part):
    running = feeder(*(["--camera", "none"] if "--camera" not in words else []), *words)
    said, _ = running.communicate(timeout=30)
    assert running.returncode == 2 and part in said and "Traceback" not in said
