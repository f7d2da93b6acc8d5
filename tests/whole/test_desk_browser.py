"""The operator's desk in a real Chromium, with the real server and a virtual NAO: what is pressed is done."""

import json
import re
import time
from functools import partial

import pytest
from programs import Program
from test_monitor_browser import CHROMIUM, PHONE_PX, Screen, chromium, playwright  # noqa: F401

from config import settings
from inference_server.events import Answered, Events, Marked, Ordered, Settled
from inference_server.monitor import Monitor
from inference_server.server import Server
from inference_server.workers import Process

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="the browser test needs a program named chromium")
PATIENCE_S = 60.0  # on a machine that does other work
TOUCH_PX = 44  # what a thumb hits


class Desk:
    """Server, page, and a robot that sees nobody: `events` are the server's, `diary` is the virtual NAO's."""

    def __init__(self, folder):
        self.events = Events()
        self._diary = folder / "diary.jsonl"
        self.server = Server(partial(Process, settings.load().reader), self.events)
        self.monitor = Monitor(self.events, port=0, order=self.server.order)
        self.url = self.monitor.url
        sees = ("--robot", "virtual", "--camera", "none", "--diary", self._diary)
        self.robot = Program("robot_app", "--server", self.server.address, *sees)

    def diary(self):
        """What has happened to the robot so far."""
        lines = self._diary.read_text("utf-8").splitlines(keepends=True) if self._diary.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def wait_for(self, found, since=0):
        """The first line of the diary from number `since` on for which `found` holds."""
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            line = next(filter(found, self.diary()[since:]), None)
            if line:
                return line
            time.sleep(0.002)
        raise AssertionError("the diary does not show it: " + self.robot.said)

    def close(self):
        self.robot.end()
        self.monitor.close()
        self.server.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    desk = Desk(tmp_path_factory.mktemp("desk"))
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def open_page(chromium, desk):  # noqa: F811
    """open_page(size_px) opens a page and waits for the robot; at the end no page may have complained."""
    screens = []

    def open_it(*size_px, **options):
        screens.append(Screen(chromium, desk.url, *size_px, **options))
        screens[-1].page.locator(".play").first.wait_for()
        return screens[-1].page

    yield open_it
    for screen in screens:
        screen.page.context.close()
        assert screen.complaints == []


@pytest.fixture(scope="module")
def opened(open_page):
    return open_page()


@pytest.fixture
def page(opened):
    """The one page that most tests use; each begins with a robot that is free to move."""
    if opened.locator("#mode").is_visible():
        opened.locator("#pause").click()
        opened.locator("#mode").wait_for(state="hidden")
    opened.locator("#find").fill("")
    opened.locator("#find").blur()
    return opened


def gesture(line):
    return line.get("method") == "angleInterpolation"


def wait_for_about(watching):
    """What the robot tells of itself next."""
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        for event in watching.take(timeout_s=0.1):
            if isinstance(event, Answered) and event.frame.about:
                return event.frame.about
    raise AssertionError("the robot told nothing of itself")


def is_begun(line):
    return gesture(line) and line["event"] == "began"


def test_a_behaviour_that_is_pressed_is_in_the_robots_diary_at_once(desk, page):
    offered = page.locator(".play").all_inner_texts()
    assert {"cheer", "droop", "fume"} <= set(offered) and len(offered) > 30
    before = len(desk.diary())
    button = page.get_by_role("button", name="Play cheer", exact=True)
    button.scroll_into_view_if_needed()
    pressed_s = time.monotonic()
    button.click()
    desk.wait_for(is_begun, before)
    print(f"\nfrom the press to the robot's diary: {1000 * (time.monotonic() - pressed_s):.0f} ms")
    page.locator("#order", has_text="cheer: done after").wait_for()
    page.locator(".play[data-playing=true]", has_text="cheer").wait_for()
    page.locator("#doing-name", has_text="cheer").wait_for()


def test_stop_ends_the_gesture_brings_rest_and_lasts_until_somebody_lets_it_go_on(desk, page):
    page.get_by_role("button", name="Play dance", exact=True).click()
    page.locator("#doing-name", has_text="dance").wait_for()
    before = len(desk.diary())
    pressed_s = time.monotonic()
    page.keyboard.press("s")
    desk.wait_for(lambda line: gesture(line) and line.get("how") == "killed", before)
    desk.wait_for(lambda line: gesture(line) and line.get("how") == "done", before)
    print(f"\nfrom the press of Stop to rest: {time.monotonic() - pressed_s:.2f} s")
    page.locator("#mode", has_text="Stopped").wait_for()
    assert page.get_by_role("button", name="Play dance", exact=True).is_disabled()
    page.keyboard.press("p")
    page.locator("#mode").wait_for(state="hidden")
    assert page.get_by_role("button", name="Play dance", exact=True).is_enabled()


def test_two_pages_see_the_same_orders_and_marks(desk, page, open_page):
    watching = desk.events.subscribe_to_all(10_000)
    one, two = page, open_page()
    one.keyboard.press("n")
    one.keyboard.type("the toy is shown")
    one.keyboard.press("Enter")
    one.locator("#mark-text").blur()
    one.keyboard.press("p")
    for page in (one, two):
        page.locator("#log", has_text="marked: the toy is shown").wait_for()
        page.locator("#mode", has_text="paused").wait_for()
        page.locator("#order", has_text="Pause: done").wait_for()
    two.keyboard.press("p")
    for page in (one, two):
        page.locator("#mode").wait_for(state="hidden")
    told = [event for event in watching.take(0) if isinstance(event, Marked | Ordered | Settled)]
    watching.close()
    assert [event.text for event in told if isinstance(event, Marked)] == ["the toy is shown"]
    ordered = [event.order for event in told if isinstance(event, Ordered)]
    settled = [event for event in told if isinstance(event, Settled)]
    assert [order.what for order in ordered] == ["pause", "resume"]
    assert [event.order for event in settled] == ordered and not any(event.why_not for event in settled)


def test_a_behaviour_is_found_and_played_by_keys_alone(page):
    page.keyboard.press("b")
    page.keyboard.type("shrin")
    assert page.locator(".play:visible").all_inner_texts() == ["shrink"]
    page.keyboard.press("Enter")
    page.locator("#order", has_text="shrink: done after").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert "rests within 3 s" in page.locator("#keys-list").inner_text()


def test_the_mood_is_tuned_while_it_runs_and_what_does_not_go_together_is_refused(desk, page):
    at_first = settings.load().mood.enter
    watching = desk.events.subscribe()
    page.locator(".tune summary").click()
    enter = page.get_by_role("slider", name="A mood begins at")
    assert page.locator(".slider output").first.inner_text() == f"{at_first:.2f}"
    enter.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.locator("#order", has_text="Mood settings: done").wait_for()
    assert wait_for_about(watching).mood["enter"] == pytest.approx(at_first + 0.03)
    watching.close()
    enter.focus()
    page.keyboard.press("Home")
    page.locator("#order", has_text=re.compile("not done, .*must not lie above")).wait_for()
    page.locator(".slider output", has_text=f"{at_first + 0.03:.2f}").wait_for()


def test_on_a_phone_stop_is_under_the_thumb_wherever_the_page_stands(open_page):
    page = open_page(PHONE_PX, has_touch=True)
    for at_px in (0, 100_000):
        page.evaluate("at => scrollTo(0, at)", at_px)
        box = page.locator("#stop").bounding_box()
        assert box["height"] >= TOUCH_PX and 0 < box["y"] < PHONE_PX[1] - box["height"]
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.locator("#stop").tap()
    page.locator("#mode", has_text="Stopped").wait_for()
    page.locator("#pause").tap()
    page.locator("#mode").wait_for(state="hidden")
