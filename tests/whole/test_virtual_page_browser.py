"""The virtual NAO's page in a real Chromium: what a person sees and presses there reaches another program."""

import queue
import shutil
import time

import cv2
import numpy as np
import pytest
from programs import Program

qi = pytest.importorskip("qi", reason="there is no qi wheel for this Python or machine")
playwright = pytest.importorskip("playwright.sync_api", reason="the browser test needs playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="the browser test needs a program named chromium")

FLAGS = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking"
PATIENCE_S = 20
SHOWN = "document.querySelector('#body').toDataURL()"


@pytest.fixture(scope="module")
def robot():
    """(address of NAOqi, address of the page) of `python -m robot_app.virtual --view`."""
    with Program("robot_app.virtual", "--listen", "tcp://127.0.0.1:0", "--view", "127.0.0.1:0") as program:
        words = program.wait_for_line("its page is").split()
        yield words[4].rstrip(","), words[-1]
        assert program.end() == 0


@pytest.fixture(scope="module")
def session(robot):
    session = qi.Session()
    session.connect(robot[0])
    yield session
    session.close()


@pytest.fixture(scope="module")
def page(robot):
    with playwright.sync_playwright() as programs:
        browser = programs.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENCE_S * 1000)
        complaints = []
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(robot[1])
        page.locator("[data-link=open]").wait_for()
        yield page
        browser.close()
        assert complaints == []


def test_touching_the_head_on_the_page_reaches_another_programs_callback(page, session):
    heard = queue.Queue()
    subscriber = session.service("ALMemory").subscriber("FrontTactilTouched")
    subscriber.signal.connect(heard.put)
    page.get_by_role("button", name="Touch the head").click()
    assert [heard.get(timeout=PATIENCE_S), heard.get(timeout=PATIENCE_S)] == [1.0, 0.0]


def test_what_a_program_has_the_robot_say_stands_in_a_bubble_and_in_the_diary(page, session):
    future = session.service("ALTextToSpeech").say("Hello \\rspd=80\\out there. \\pau=30000\\", _async=True)
    page.locator("#bubble", has_text="Hello out there.").wait_for()
    page.locator("#diary li", has_text="ALTextToSpeech.say").wait_for()
    session.service("ALTextToSpeech").stopAll()
    page.locator("#bubble").wait_for(state="hidden")
    future.wait()


def test_the_body_moves_with_the_robot_and_turns_with_the_mouse(page, session):
    at_rest = page.evaluate(SHOWN)
    session.service("ALMotion").angleInterpolation("LShoulderPitch", -1.0, 0.5, True)
    page.wait_for_function(f"before => {SHOWN} !== before", arg=at_rest, polling=100)
    page.locator("#diary li", has_text="angleInterpolation is done").wait_for()
    raised = page.evaluate(SHOWN)
    middle = page.locator("#body").bounding_box()
    page.mouse.move(middle["x"] + 200, middle["y"] + 300)
    page.mouse.down()
    page.mouse.move(middle["x"] + 320, middle["y"] + 300, steps=3)
    page.mouse.up()
    page.wait_for_function(f"before => {SHOWN} !== before", arg=raised, polling=100)


def test_a_button_that_is_down_says_how_to_undo_it(page, session):
    page.get_by_role("button", name="Push it over").click()
    page.get_by_role("button", name="Help it up").click()
    page.get_by_role("button", name="Push it over").wait_for()
    assert session.service("ALRobotPosture").getPosture() == "Stand"


def test_a_photo_that_the_person_chooses_is_what_the_robot_sees(page, session, tmp_path):
    cv2.imwrite(str(tmp_path / "blue.png"), np.full((48, 64, 3), (250, 30, 10), np.uint8))
    page.locator("#file").set_input_files(tmp_path / "blue.png")
    page.locator("#source", has_text="blue.png").wait_for()
    video = session.service("ALVideoDevice")
    handle = video.subscribeCamera("test", 0, 0, 13, 10)
    awaited_until_s, away = time.monotonic() + PATIENCE_S, 255
    while away >= 4 and time.monotonic() < awaited_until_s:  # the camera takes its next picture in its own time
        corner = bytes(video.getImageRemote(handle)[6])[:3]
        away = np.abs(np.subtract(list(corner), (250, 30, 10))).max()
    video.unsubscribe(handle)
    assert away < 4


@pytest.mark.parametrize("size", [(390, 844), (1000, 700), (1920, 1080)], ids=str)
def test_no_screen_has_to_be_scrolled_sideways(page, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
