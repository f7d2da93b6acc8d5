"""The page in a real Chromium: what a person would see, fed by real events over the real WebSocket."""

import base64
import shutil
import time
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from config.contract import EMOTIONS, JOINTS, About, Face, Frame, Reading
from inference_server.events import Answered, Events, Gone, Marked, Said
from inference_server.monitor import Monitor

playwright = pytest.importorskip("playwright.sync_api", reason="the browser test needs playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="the browser test needs a program named chromium")

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)
WAIT_MS = 60_000  # on a machine that does other work
GREEN_BGR = (60, 120, 40)
SMALL_PX, PHONE_PX, LAPTOP_PX = (360, 640), (390, 844), (1440, 900)


def a_picture():
    """A green 640 x 480 JPEG."""
    return cv2.imencode(".jpg", np.full((480, 640, 3), GREEN_BGR, np.uint8))[1].tobytes()


def answered(scores=None, robot_id="nao-1", age_s=0.0, faces=1, quality=(), **frame):
    """A frame `age_s` ago; `scores` is {emotion: share}, the rest is shared out; flawed faces are unsure."""
    fields = {"robot": "nao", "doing": None, "mood": None, "answer_age_s": 0.042} | frame
    scores = scores or {}
    rest = (1 - sum(scores.values())) / (len(EMOTIONS) - len(scores))
    shares = [scores.get(emotion, rest) for emotion in EMOTIONS]
    found = [
        Face(i, [240 + 180 * i, 160, 120, 150], 0.99, shares, quality, bool(quality)) for i in range(faces)
    ]
    at_s = time.monotonic() - age_s
    reading = Reading(0, at_s, found, [], {"decode": 1.5, "faces": 12.0}, "xrs", None)
    return Answered(robot_id, Frame(0, at_s, 640, 480, "jpeg", image=b"", **fields), reading, at_s, a_picture())


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as programs:
        browser = programs.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def monitor(events):
    with Monitor(events, port=0, about={"network": "xrs-fer2013", "listen": "tcp://127.0.0.1:5555"}) as monitor:
        yield monitor


class Screen:
    """One open page, and what the browser complained of or asked for meanwhile."""

    def __init__(self, chromium, url, size_px=LAPTOP_PX, **options):
        viewport = {"width": size_px[0], "height": size_px[1]}
        self.page = chromium.new_context(viewport=viewport, **options).new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.complaints, self.places = [], set()
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.places.add(urlsplit(request.url).netloc))
        self.page.on("websocket", lambda line: self.places.add(urlsplit(line.url).netloc))
        self.page.goto(url)

    def wait_until(self, holds):
        """Let the page paint, frame after frame, until `holds()`."""
        until_s = time.monotonic() + WAIT_MS / 1000
        while not holds():
            assert time.monotonic() < until_s, "what the page should show did not come"
            self.page.evaluate("() => new Promise(requestAnimationFrame)")

    def wait_for_text(self, selector, text):
        self.page.locator(selector, has_text=text).first.wait_for()

    def text(self, selector):
        return self.page.locator(selector).inner_text()

    def pixels(self, canvas_id):
        """What a canvas shows: (H, W, 4) uint8, RGBA."""
        picture = self.page.evaluate("id => document.getElementById(id).toDataURL()", canvas_id)
        png = np.frombuffer(base64.b64decode(picture.partition(",")[2]), np.uint8)
        return cv2.cvtColor(cv2.imdecode(png, cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)


@pytest.fixture
def open_page(chromium, monitor):
    """open_page(size_px) opens the monitor; at the end no page may have complained or left this server."""
    screens = []

    def open_it(size_px=LAPTOP_PX, **options):
        screens.append(Screen(chromium, monitor.url, size_px, **options))
        return screens[-1]

    yield open_it
    for screen in screens:
        screen.page.context.close()
        assert screen.complaints == []
        assert screen.places == {urlsplit(monitor.url).netloc}


def test_before_any_robot_the_page_says_how_to_start_one(open_page):
    screen = open_page()
    screen.wait_for_text("#cover-title", "No robot has connected yet")
    assert "python -m robot_app --server tcp://127.0.0.1:5555 --robot virtual" in screen.text("#cover-commands")
    assert screen.text("#link-text") == "Connected"
    assert "xrs-fer2013" in screen.text("#about")


def test_a_face_is_shown_with_its_box_word_and_seven_bars(open_page, events):
    screen = open_page()
    events.publish(answered({"surprised": 0.7}, mood="surprised", doing="startle"))
    screen.wait_for_text("#mood", "Surprised")
    assert screen.page.locator("#cover").is_hidden()
    assert screen.page.locator("#steer").is_hidden(), "this page may only watch"
    assert screen.text(".doing") == "The robot plays startle"
    labels = screen.page.locator("#bars .label").all_inner_texts()
    assert [label.lower() for label in labels] == list(EMOTIONS)
    assert screen.page.locator("#bars .number").all_inner_texts() == ["5 %"] * 5 + ["70 %", "5 %"]
    assert screen.page.locator("#bars li[data-best=true] .label").inner_text() == "Surprised"
    picture = screen.pixels("picture")
    height, width = picture.shape[:2]
    assert np.abs(picture[height // 20, width // 20, :3].astype(int) - GREEN_BGR[::-1]).max() <= 4
    top, left = round(height * 235 / 480), round(width * 240 / 640)  # half-way down the box's left side
    assert (picture[top, left - 2 : left + 3, :3] > 230).all(axis=1).any()
    above = picture[round(height * 130 / 480) : round(height * 158 / 480), left : left + width // 5, :3]
    assert (above > 230).all(axis=2).sum() > 100  # the word, in white
    screen.page.locator("#picture[aria-label='Picture from nao: one face: surprised, 70 percent']").wait_for()


def test_speed_and_age_are_those_that_robot_and_server_measured(open_page, events):
    screen = open_page()

    def shown():
        events.publish(answered({"happy": 0.5}))  # figures are shown of a robot that is heard now
        figures = [screen.text(id) for id in ("#age", "#work", "#rate")]
        return figures[:2] == ["42 ms", "14 ms"] and figures[2].endswith("fps") and float(figures[2][:-4]) > 0

    screen.wait_until(shown)
    assert screen.page.locator("#steps li").all_inner_texts() == ["decode\n1.5", "faces\n12.0"]


def test_the_timeline_grows_and_can_be_read_by_keyboard(open_page, events):
    screen = open_page()

    def coloured():
        colours = screen.pixels("timeline")[:, :, :3].astype(int)
        return (colours.max(axis=2) - colours.min(axis=2) > 60).sum()

    assert coloured() == 0
    for i in range(4):
        before = coloured()
        events.publish(answered({"sad": 0.5 + i / 20}, age_s=2 - i / 2, mood="sad", doing="droop"))
        screen.wait_until(lambda before=before: coloured() > before)
    screen.page.locator("#timeline").focus()
    for _ in range(2):
        screen.page.keyboard.press("ArrowLeft")
    screen.wait_for_text("#timeline-aside", "mood sad")
    assert "plays droop" in screen.page.locator("#timeline").get_attribute("aria-valuetext")


def test_nobody_in_view_and_a_robot_that_left_are_said(open_page, events):
    screen = open_page()

    def nobody():
        events.publish(answered(faces=0))
        return screen.page.locator("#note").is_visible() and screen.text("#note") == "Nobody in view"

    screen.wait_until(nobody)
    assert screen.text("#mood") == "Nobody in view"
    events.publish(Gone("nao-1", time.monotonic()))
    screen.wait_for_text("#cover-title", "nao has left")
    events.publish(answered({"happy": 0.9}, robot_id="nao-2", mood="happy"))
    screen.wait_for_text("#mood", "Happy")
    assert screen.page.locator("#robots button").count() == 1


def test_a_person_may_look_at_another_robot_and_markup_in_names_stays_text(open_page, events):
    screen = open_page()
    events.publish(answered({"happy": 0.9}, mood="happy"))
    screen.wait_for_text("#mood", "Happy")
    name = "<img src=x onerror=alert(1)>"
    events.publish(answered({"angry": 0.9}, robot_id="b-2", robot=name, mood="angry", doing="<b>fume</b>"))
    events.publish(Said("error", "<script>alert(1)</script>", time.monotonic()))
    screen.page.get_by_role("button", name=name).click()
    screen.wait_for_text("#mood", "Angry")
    assert screen.text(".doing") == "The robot plays <b>fume</b>"
    screen.wait_for_text("#log", "<script>alert(1)</script>")
    assert screen.page.locator("#robots img, .doing b, #log script").count() == 0


def test_the_robots_body_is_shown_once_it_says_where_its_joints_are(open_page, events):
    screen = open_page()
    events.publish(answered({"happy": 0.9}, mood="happy"))
    screen.wait_for_text("#mood", "Happy")
    body = screen.page.locator(".robot-body")
    assert body.is_hidden()
    seen = set()

    def moved():
        events.publish(answered({"happy": 0.9}, mood="happy", joints_rad=[0.1 * len(seen)] * JOINTS))
        if body.is_visible():
            seen.add(body.evaluate("canvas => canvas.toDataURL()"))
        return len(seen) > 2

    screen.wait_until(moved)
    events.publish(Gone("nao-1", time.monotonic()))
    body.wait_for(state="hidden")


def test_what_is_pressed_goes_to_the_robot_that_is_shown_and_stop_all_to_every_one(chromium, events):
    given = []
    about = About({"happy": ["cheer"]}, {}, 0.15, ("LKneePitch", 61.0))
    with Monitor(
        events, port=0, order=lambda robot, what, **wish: given.append((robot, what, wish))
    ) as monitor:
        screen = Screen(chromium, monitor.url)

        def press(action, *orders):
            del given[:]
            action()
            screen.wait_until(lambda: given == list(orders))

        def wish(name=None, face=None):
            return {"name": name, "face": face, "settings": None}

        events.publish(answered({"happy": 0.9}, faces=2, attends=1, quality=("dark",), about=about))
        screen.wait_for_text("#bars-aside", "unsure: too dark")
        screen.wait_for_text("#battery", "15 %")
        assert screen.text("#hottest") == "61 °C"
        assert screen.page.locator("#faces button").count() == 2
        press(screen.page.get_by_role("button", name="Play cheer").click, ("nao-1", "play", wish("cheer")))
        picture = screen.page.locator("#picture").bounding_box()
        scale = picture["width"] / 640
        where = {"x": 300 * scale, "y": 230 * scale}  # in the left one of the two faces
        press(lambda: screen.page.locator("#picture").click(position=where), ("nao-1", "attend", wish(face=0)))
        press(lambda: screen.page.keyboard.press("a"), ("nao-1", "attend", wish(face=0)))
        press(lambda: screen.page.keyboard.press("Shift+A"), ("nao-1", "attend", wish()))
        events.publish(answered(robot_id="b-2", robot="b"))
        screen.page.locator("#stop-all").wait_for()
        press(lambda: screen.page.keyboard.press("Shift+S"), ("nao-1", "stop", wish()), ("b-2", "stop", wish()))
        screen.page.keyboard.press("]")
        screen.page.locator("#robots button[aria-pressed=true]", has_text="b").wait_for()
        press(lambda: screen.page.keyboard.press("s"), ("b-2", "stop", wish()))
        screen.page.context.close()
        assert screen.complaints == []


def test_the_timeline_can_be_zoomed_and_reads_out_marks(open_page, events):
    screen, shown_s = open_page(), time.monotonic() - 200
    events.publish(Marked("the toy is shown", shown_s))
    events.publish(answered({"happy": 0.9}, age_s=time.monotonic() - shown_s, mood="happy"))
    screen.wait_for_text("#mood", "Happy")
    for title in ("Last 2:00 min", "Last 4:00 min"):
        screen.page.keyboard.press("-")
        screen.wait_for_text("#timeline-title", title)
    place = screen.page.locator("#timeline").bounding_box()

    def read_out():
        share = 1 - (time.monotonic() - shown_s) / 240
        screen.page.mouse.move(place["x"] + share * place["width"], place["y"] + 20)
        return "mood happy · mark “the toy is shown”" in screen.text("#timeline-aside")

    screen.wait_until(read_out)
    screen.page.keyboard.press("+")
    screen.wait_for_text("#timeline-title", "2:00 min of the past")
    screen.page.get_by_role("button", name="Now").click()
    screen.wait_for_text("#timeline-title", "Last 2:00 min")


def test_a_second_page_shows_the_same_minute(open_page, events):
    first = open_page()
    events.publish(answered({"fearful": 0.8}, mood="fearful"))
    first.wait_for_text("#mood", "Fearful")
    second = open_page()
    second.wait_for_text("#mood", "Fearful")
    events.publish(answered({"happy": 0.8}, mood="happy"))
    for screen in (first, second):
        screen.wait_for_text("#mood", "Happy")


@pytest.mark.parametrize("size_px", [SMALL_PX, PHONE_PX, (820, 1180), (1024, 768), LAPTOP_PX], ids=str)
def test_no_screen_has_to_be_scrolled_sideways(open_page, events, size_px):
    screen = open_page(size_px)
    screen.wait_for_text("#cover-title", "No robot has connected yet")
    room = "document.documentElement.scrollWidth - innerWidth"
    assert screen.page.evaluate(room) <= 0
    long_name = "a robot of a very long name " * 2
    events.publish(answered({"disgusted": 0.8}, faces=2, mood="disgusted", robot=long_name))
    events.publish(Said("warning", "a-word-that-knows-no-end" * 9, time.monotonic()))
    screen.wait_for_text("#mood", "Disgusted")
    screen.wait_for_text("#log", "no-end")
    assert screen.page.evaluate(room) <= 0


def test_the_theme_is_the_systems_until_the_button_is_pressed(open_page):
    screen = open_page(color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = screen.page.evaluate(ground)
    screen.page.get_by_role("button", name="Use the dark theme").click()
    dark = screen.page.evaluate(ground)
    assert light != dark
    screen.page.reload()
    assert screen.page.evaluate(ground) == dark


def test_the_page_says_that_the_server_is_gone_and_finds_it_again(chromium, events):
    first = Monitor(events, port=0)
    screen = Screen(chromium, first.url)
    screen.wait_for_text("#cover-title", "No robot has connected yet")
    first.close()
    screen.wait_for_text("#cover-title", "The server is gone")
    with Monitor(events, port=urlsplit(first.url).port, about={"network": "another"}):
        screen.wait_for_text("#about", "another")
        assert screen.text("#cover-title") == "No robot has connected yet"
    screen.page.context.close()
