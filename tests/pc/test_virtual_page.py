"""The virtual NAO's page over real HTTP and WebSocket: shows the robot, passes presses on, lets nobody in."""

import contextlib
import json
import os
import time
import urllib.error
import urllib.request

import cv2
import numpy as np
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from behaviors.joints import BODY_NAMES
from robot_app.virtual.memory import Subscriber
from robot_app.virtual.nao import VirtualNAO
from robot_app.virtual.page import ADDRESS, Page, PageError

PATIENCE_S = 20
FREE = "127.0.0.1:0"


@pytest.fixture
def nao():
    nao = VirtualNAO()
    nao.start()
    yield nao
    nao.close()


@pytest.fixture
def page(nao):
    page = Page(nao, FREE, "none")
    yield page
    page.close()


class Browser:
    """One open page, as far as the wire tells."""

    def __init__(self, line):
        self.line = line

    def say(self, words):
        self.line.send(words if isinstance(words, (str, bytes)) else json.dumps(words))

    def news(self):
        """The next message."""
        news = json.loads(self.line.recv(timeout=PATIENCE_S))
        self.say({"seen": True})
        return news

    def wait_for(self, holds):
        """The first message that `holds`."""
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            news = self.news()
            if holds(news):
                return news
        raise AssertionError("no such message came")


@contextlib.contextmanager
def opened(page, origin=None):
    """A Browser on the page, by default as the page itself would be."""
    with connect(page.url.replace("http", "ws") + "live", origin=origin or page.url.rstrip("/")) as line:
        yield Browser(line)


@pytest.fixture
def browser(page):
    with opened(page) as browser:
        yield browser


def ask(page, path="", method="GET", body=None, **headers):
    """(status, bytes) of a request."""
    asked = urllib.request.Request(page.url + path, body, headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def post(page, path, body):
    return ask(page, path, "POST", body, Origin=page.url.rstrip("/"))


def jpeg(bgr):
    return cv2.imencode(".jpg", np.full((120, 160, 3), bgr, np.uint8))[1].tobytes()


def camera_bgr(page):
    """The middle of what the page shows of the camera."""
    status, picture = ask(page, "camera.jpg")
    assert status == 200
    return cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)[60, 80].tolist()


def test_the_body_the_lamps_and_the_words_are_those_of_the_robot(nao, browser):
    nao.call("ALMotion", "setAngles", ["HeadYaw", 0.5, 1.0])
    nao.call("ALLeds", "fadeRGB", ["FaceLeds", 0xFF8000, 0.0])
    nao.call("ALTextToSpeech", "say", ["Hello \\rspd=80\\you. \\pau=9000\\"])
    yaw = BODY_NAMES.index("HeadYaw")
    shown = browser.wait_for(lambda news: news["state"]["angles"][yaw] == 0.5)["state"]
    assert shown["lamps"]["left eye"] == [0xFF8000] * 8 and len(shown["lamps"]["right ear"]) == 10
    assert shown["says"] == "Hello you."
    assert shown["facts"]["posture"] == "Stand" and shown["facts"]["charge"] == 100


def test_the_diary_grows_line_by_line_and_a_new_page_gets_what_was(nao, page, browser):
    browser.news()
    for volume in (0.3, 0.4):
        nao.call("ALTextToSpeech", "setVolume", [volume])
    lines = browser.wait_for(lambda news: news["diary"])["diary"]
    while len(lines) < 2:
        lines += browser.news()["diary"]
    assert [line["args"] for line in lines] == [[0.3], [0.4]]
    with opened(page) as late:
        assert [line["args"] for line in late.news()["diary"]] == [[0.3], [0.4]]


def test_a_pressed_button_reaches_whoever_listens_to_the_robots_memory(nao, browser):
    heard = []
    Subscriber(nao["ALMemory"], "FrontTactilTouched").listen(heard.append)
    browser.say({"do": "touch", "with": ["head"]})
    browser.wait_for(lambda news: heard == [1.0, 0.0])
    browser.say({"do": "press", "with": ["chest"]})
    browser.wait_for(lambda news: news["state"]["facts"]["touched"] == ["chest"])


def test_a_fall_a_lift_and_hot_motors_are_seen(browser):
    browser.say({"do": "lift", "with": []})
    browser.wait_for(lambda news: news["state"]["lifted_m"] > 0)
    browser.say({"do": "heat", "with": [["LElbowRoll"]]})
    browser.wait_for(lambda news: news["state"]["facts"]["hot"] == ["LElbowRoll"])
    browser.say({"do": "fall"})
    browser.wait_for(lambda news: news["state"]["lying"] == "LyingBelly")


def test_what_the_robot_refuses_is_said_until_something_works(browser):
    browser.say({"do": "touch", "with": ["nose"]})
    assert "no 'nose' to touch" in browser.wait_for(lambda news: news["refused"])["refused"]
    browser.say({"do": "touch", "with": ["chest"]})
    browser.wait_for(lambda news: news["refused"] is None)


@pytest.mark.parametrize(
    "words", ["{", "[]", b"\x00", {"do": 5}, {"look": []}, {"aloud": 1}, {"seen": [[]]}], ids=str
)
def test_nonsense_is_passed_over(browser, words):
    for _ in range(3):
        browser.say(words)
    browser.say({"do": "charge", "with": [7]})
    browser.wait_for(lambda news: news["state"]["facts"]["charge"] == 7)


def test_a_dropped_photo_becomes_what_the_camera_sees(nao, page, browser):
    assert post(page, "camera?name=blue.jpg", jpeg((250, 20, 10)))[0] == 204
    assert browser.wait_for(lambda news: news["camera"] == "blue.jpg")
    assert np.abs(np.subtract(camera_bgr(page), (250, 20, 10))).max() < 6
    handle = nao.call("ALVideoDevice", "subscribeCamera", ["test", 0, 1, 13, 10])
    image = nao.call("ALVideoDevice", "getImageRemote", [handle])
    assert np.abs(np.subtract(list(image[6][:3]), (250, 20, 10))).max() < 6


def test_what_is_no_film_is_refused_and_the_camera_sees_on(page):
    assert post(page, "camera?name=green.png", jpeg((10, 250, 20)))[0] == 204
    status, why = post(page, "camera?name=notes.mp4", b"not a film")
    assert status == 422 and why.decode() == "camera: notes.mp4 is neither a film nor a photo that can be read."
    assert np.abs(np.subtract(camera_bgr(page), (10, 250, 20))).max() < 6


def test_a_path_is_shown_and_one_that_is_not_there_is_said(page, browser, tmp_path):
    (tmp_path / "red.jpg").write_bytes(jpeg((10, 20, 250)))
    browser.say({"look": str(tmp_path / "red.jpg")})
    browser.wait_for(lambda news: news["camera"].endswith("red.jpg"))
    assert np.abs(np.subtract(camera_bgr(page), (10, 20, 250))).max() < 6
    browser.say({"look": "gone.mp4"})
    assert "there is no gone.mp4" in browser.wait_for(lambda news: news["refused"])["refused"]


def test_dropped_films_are_gone_with_the_page(nao):
    page = Page(nao, FREE)
    folder = page._folder
    for name in ("one.jpg", "two.jpg"):
        assert post(page, f"camera?name={name}", jpeg((1, 2, 3)))[0] == 204
        assert len(list(folder.rglob("dropped*"))) == 1
    page.close()
    assert not folder.exists()


def test_other_pages_can_neither_look_nor_press(page):
    own = page.url.rstrip("/")
    for origin in ("null", "http://evil.example", own.replace("127.0.0.1", "localhost")):
        with pytest.raises(InvalidStatus, match="403"), opened(page, origin):
            pass
        assert ask(page, "camera?name=a.jpg", "POST", jpeg((0, 0, 0)), Origin=origin)[0] == 403
    assert ask(page, "camera?name=a.jpg", "POST", jpeg((0, 0, 0)))[0] == 403
    assert ask(page, Host="evil.example")[0] == 400
    assert ask(page, "camera")[0] in (404, 405)


def test_every_file_of_the_page_comes_from_here_and_none_from_elsewhere(page):
    for path in ("", "nao.js", "nao.css", "icon.svg", "body.js"):
        status, text = ask(page, path)
        assert status == 200 and b"https:" not in text, path
    status, table = ask(page, "body.json")
    assert status == 200 and json.loads(table)["joints"] == list(BODY_NAMES)


@pytest.mark.parametrize(
    "address, why",
    [
        ("0.0.0.0:8090", "needs HOST:PORT on this machine"),
        ("192.168.1.20:8090", "needs HOST:PORT on this machine"),
        ("8090", "needs HOST:PORT on this machine"),
        ("127.0.0.1:x", f"as in {ADDRESS}"),
        ("127.0.0.1:99999", "cannot use 127.0.0.1:99999"),
    ],
)
def test_an_address_that_cannot_be_is_told_in_a_sentence(nao, address, why):
    with pytest.raises(PageError, match=why):
        Page(nao, address)


def test_a_port_that_is_taken_is_told(nao, page):
    with pytest.raises(PageError, match="in use"):
        Page(nao, page.url.split("/")[2])


def test_with_espeak_its_words_are_spoken_while_that_is_wanted(nao, tmp_path, monkeypatch):
    program, heard = tmp_path / "espeak-ng", tmp_path / "heard"
    program.write_text(f'#!/bin/sh\necho "$@: $(cat)" >> {heard}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    page = Page(nao, FREE)
    with opened(page) as browser:
        assert browser.news()["aloud"] is False
        nao.call("ALTextToSpeech", "say", ["unheard"])
        browser.say({"aloud": True})
        browser.wait_for(lambda news: news["aloud"])
        nao.call("ALTextToSpeech", "stopAll")
        nao.call("ALTextToSpeech", "say", ["\\vol=60\\-Good morning"])
        until_s = time.monotonic() + PATIENCE_S
        while not (heard.exists() and heard.read_text().endswith("\n")) and time.monotonic() < until_s:
            browser.news()
    page.close()
    assert heard.read_text() == "--stdin -v en -s 167:  -Good morning\n"
