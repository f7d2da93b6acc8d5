"""Recording from the page in a real Chromium: a person presses, and a session lies in the folder."""

import time

import pytest
from test_monitor_browser import CHROMIUM, Screen, answered, chromium, playwright  # noqa: F401

from inference_server import session
from inference_server.events import Answered, Events, Marked
from inference_server.monitor import Monitor
from inference_server.recorder import Recorder
from inference_server.recorder_web import routes

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="the browser test needs a program named chromium")
PATIENCE_S = 20
DEFAULTS = {"purpose": "a study", "images": False, "consent": ""}


def wait_for(watching, kind):
    until_s = time.monotonic() + PATIENCE_S
    while not any(isinstance(event, kind) for event in watching.take(0.5)):
        assert time.monotonic() < until_s, f"no {kind.__name__} came"


def test_a_session_is_recorded_with_the_page_and_pictures_need_consent(chromium, tmp_path):  # noqa: F811
    events = Events()
    with (
        Recorder(events, tmp_path, {}) as recorder,
        Monitor(
            events, port=0, about={"sessions": "here"}, routes=routes(recorder, DEFAULTS), order=lambda *_: None
        ) as monitor,
    ):
        page = Screen(chromium, monitor.url).page
        page.locator("#record").click()
        page.get_by_label("Keep the camera's pictures").check()
        page.get_by_role("button", name="Start recording").click()
        assert recorder.state() is None, "the browser lets nobody leave out who agreed"
        page.get_by_label("Who agreed").fill("the tester")
        page.get_by_role("button", name="Start recording").click()
        page.locator("#record", has_text="Recording").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Stop recording").wait_for(state="hidden")  # else it gets the key
        watching = events.subscribe()
        events.publish(answered({"happy": 0.9}))
        page.keyboard.press("m")
        wait_for(watching, Marked)
        page.locator("#record").click()
        page.get_by_role("button", name="Stop recording").click()
        link = page.locator(".sessions .list a")
        link.wait_for()
        page.get_by_role("button", name="Start recording").wait_for()
        with page.expect_download() as download:
            link.click()
        path = tmp_path / download.value.suggested_filename
        kinds = [type(event) for event in session.events(path)]
        assert kinds.count(Answered) == kinds.count(Marked) == 1
        assert session.about(path)["consent"] == "the tester" and session.is_whole(path)
        page.context.close()
