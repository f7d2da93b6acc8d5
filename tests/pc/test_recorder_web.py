"""The page's way to the recorder, over real HTTP: start, stop, list, take home; and who may not."""

import http.client
import json
from urllib.parse import urlsplit

import pytest
from test_recorder import answered

from inference_server import session
from inference_server.events import Events
from inference_server.monitor import Monitor
from inference_server.recorder import Recorder
from inference_server.recorder_web import routes

WAIT_S = 20
DEFAULTS = {"purpose": "a study", "images": False, "consent": ""}


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def recorder(events, tmp_path):
    with Recorder(events, tmp_path / "sessions", {"model": "xrs"}) as recorder:
        yield recorder


@pytest.fixture
def monitor(events, recorder):
    with Monitor(events, port=0, routes=routes(recorder, DEFAULTS)) as monitor:
        yield monitor


def ask(monitor, path, wish=None, **headers):
    """(status, body) of a GET, or of a POST of `wish`."""
    place = urlsplit(monitor.url)
    line = http.client.HTTPConnection("127.0.0.1", place.port, timeout=WAIT_S)
    headers = {"Host": place.netloc, "Origin": f"http://{place.netloc}"} | headers
    body = None if wish is None else wish if isinstance(wish, bytes) else json.dumps(wish)
    line.request("GET" if wish is None else "POST", path, body, headers)
    answer = line.getresponse()
    body = answer.read()
    line.close()
    return answer.status, body


def test_a_session_is_started_listed_stopped_and_taken_home(monitor, events):
    assert json.loads(ask(monitor, "/record")[1]) == {"running": None, "defaults": DEFAULTS, "sessions": []}
    status, body = ask(monitor, "/record/start", {"purpose": "pilot"})
    running = json.loads(body)["running"]
    assert status == 200 and running["images"] is False
    events.publish(answered(7))
    status, body = ask(monitor, "/record/stop", {})
    (listed,) = json.loads(body)["sessions"]
    assert status == 200 and json.loads(body)["running"] is None
    assert (listed["name"], listed["purpose"], listed["state"]) == (running["name"], "pilot", "whole")
    status, data = ask(monitor, f"/record/{listed['name']}")
    assert status == 200 and data.endswith(session.END) and len(data) == listed["bytes"]


def test_what_cannot_be_recorded_is_said_in_a_sentence(monitor):
    status, body = ask(monitor, "/record/start", {"images": True})
    assert status == 409 and b"only with their consent" in body
    status, body = ask(monitor, "/record/stop", {})
    assert status == 409 and b"nothing is being recorded" in body


@pytest.mark.parametrize("wish", [b"{", b"[]", b"7", b'{"a": "' + b"x" * 9000 + b'"}', b"\xff"])
def test_a_wish_that_is_no_small_json_object_is_refused(monitor, recorder, wish):
    assert ask(monitor, "/record/start", wish)[0] == 400
    assert recorder.state() is None


def test_another_page_can_neither_start_nor_stop(monitor, recorder):
    assert ask(monitor, "/record/start", {}, Origin="http://evil.example")[0] == 403
    assert recorder.state() is None
    recorder.start("a study")
    assert ask(monitor, "/record/stop", {}, Origin="http://evil.example")[0] == 403
    assert recorder.state() is not None


@pytest.mark.parametrize("name", ["..%2f..%2fsecret.mcap", "secret.mcap", "%2e%2e", "start"])
def test_nothing_but_a_listed_session_is_given_away(monitor, tmp_path, name):
    (tmp_path / "secret.mcap").write_bytes(b"secret")
    status, body = ask(monitor, f"/record/{name}")
    assert status in (404, 405) and b"secret" not in body
