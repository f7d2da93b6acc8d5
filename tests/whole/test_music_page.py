"""The monitor plays a song for a mood that lasts, for a robot without loudspeakers: in a real Chromium."""

import wave

import numpy as np
import pytest
from test_monitor_browser import CHROMIUM, FLAGS, Screen, answered, playwright

from config.contract import EMOTIONS
from inference_server.events import Events
from inference_server.monitor import Monitor, Music

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="the browser test needs a program named chromium")

VOLUME = 0.4
HEARD = (
    "() => { const a = window.heard; return a && !a.paused ? [a.src.split('/songs/')[1], a.volume] : null; }"
)
# The page keeps its Audio to itself; a test has to know it.
LISTEN = "const Own = Audio; window.Audio = function () { return (window.heard = new Own()); };"


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as programs:
        browser = programs.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS.split(), "--mute-audio"])
        yield browser
        browser.close()


@pytest.fixture
def songs(tmp_path):
    """{emotion: [path]}, each a minute of a tone; no music for neutral."""
    tone = (8000 * np.sin(np.arange(8000 * 60) / 5)).astype("<i2").tobytes()
    paths = {emotion: tmp_path / f"{emotion}.wav" for emotion in EMOTIONS if emotion != "neutral"}
    for path in paths.values():
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(tone)
    return {emotion: [str(paths[emotion])] if emotion in paths else [] for emotion in EMOTIONS}


def test_a_song_plays_while_its_mood_lasts_and_fades_into_the_next(chromium, songs):
    events = Events()
    with Monitor(events, port=0, music=Music(songs, after_s=0.3, fade_s=0.3, volume=VOLUME)) as monitor:
        screen = Screen(chromium, "about:blank")
        screen.page.add_init_script(LISTEN)
        screen.page.goto(monitor.url)

        def heard():
            return screen.page.evaluate(HEARD)

        def feel(mood):
            events.publish(answered({"happy": 0.7}, mood=mood))

        feel("happy")
        screen.wait_until(lambda: feel("happy") or screen.page.locator("#mood-word").inner_text() == "Happy")
        assert heard() is None
        screen.page.get_by_role("button", name="Play music").click()
        screen.wait_until(lambda: feel("happy") or heard() == ["happy/0", pytest.approx(VOLUME)])
        screen.wait_until(lambda: feel("sad") or heard() == ["sad/0", pytest.approx(VOLUME)])
        screen.wait_until(lambda: feel("neutral") or heard() is None)
        screen.wait_until(lambda: feel("sad") or heard() is not None)
        screen.page.get_by_role("button", name="Stop the music").click()
        screen.wait_until(lambda: heard() is None)
        assert screen.complaints == []
        screen.page.context.close()


def test_without_music_there_is_no_button_and_no_song(chromium):
    with Monitor(Events(), port=0) as monitor:
        screen = Screen(chromium, monitor.url)
        screen.wait_for_text("#cover-title", "No robot has connected yet")
        assert not screen.page.locator("#music").is_visible()
        assert screen.page.request.get(monitor.url + "songs/happy/0").status == 404
        screen.page.context.close()


@pytest.mark.parametrize("name", ["happy/1", "joy/0", "happy/-1", "..%2f..%2fetc%2fpasswd/0"])
def test_a_song_that_is_not_there_is_not_found(chromium, songs, name):
    with Monitor(Events(), port=0, music=Music(songs, 1.0, 1.0, VOLUME)) as monitor:
        context = chromium.new_context()
        assert context.request.get(monitor.url + "songs/" + name).status == 404
        assert context.request.get(monitor.url + "songs/happy/0").status == 200
        context.close()


def test_a_robot_that_does_not_move_says_why_on_the_page(chromium):
    events = Events()
    with Monitor(events, port=0) as monitor:
        screen = Screen(chromium, monitor.url)
        screen.wait_until(
            lambda: (
                events.publish(answered(trouble="it was lifted."))
                or screen.page.locator("#trouble").is_visible()
            )
        )
        assert screen.text("#trouble") == "The robot: it was lifted."
        screen.wait_until(
            lambda: events.publish(answered()) or not screen.page.locator("#trouble").is_visible()
        )
        screen.page.context.close()
