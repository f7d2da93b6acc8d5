"""The page's server, asked over real HTTP and WebSockets: what it gives, and whom it refuses."""

import http.client
import json
import re
import socket
import threading
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from config.contract import EMOTIONS, Face, Frame, Reading
from inference_server.events import Answered, Events, Gone, Marked, Said
from inference_server.monitor import MAX_UNSEEN, MAX_VIEWERS, TOO_MANY, WEB, Monitor, MonitorError

WAIT_S = 10


def answered(seq=0, robot_id="nao-1"):
    frame = Frame(seq, 0.0, 640, 480, "jpeg", "nao", None, None, None, b"")
    face = Face(1, [200, 100, 120, 120], 0.99, [0.7, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05])
    reading = Reading(seq, 0.0, [face], [], {"faces": 12.5}, "xrs", None)
    return Answered(robot_id, frame, reading, time.monotonic(), b"picture %d" % seq)


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def monitor(events):
    with Monitor(events, port=0, about={"network": "xrs-fer2013"}) as monitor:
        yield monitor


def ask(monitor, path="/", method="GET", **headers):
    """(status, headers, body) of one HTTP request; `headers` may replace Host."""
    place = urlsplit(monitor.url)
    line = http.client.HTTPConnection("127.0.0.1", place.port, timeout=WAIT_S)
    line.request(method, path, headers={"Host": place.netloc} | headers)
    answer = line.getresponse()
    body = answer.read()
    line.close()
    return answer.status, dict(answer.getheaders()), body


class Page:
    """What an open page does: take a message, say that it was painted."""

    def __init__(self, monitor, **options):
        place = urlsplit(monitor.url)
        options = {"origin": f"http://{place.netloc}", "open_timeout": WAIT_S} | options
        self._line = connect(f"ws://127.0.0.1:{place.port}/live", **options)

    def __enter__(self):
        self.socket = self._line.__enter__()
        return self

    def __exit__(self, *reason):
        self._line.__exit__(*reason)

    def take(self):
        """(header, picture) of the next message."""
        message = self.socket.recv(WAIT_S)
        length = int.from_bytes(message[:4], "big")
        return json.loads(message[4 : 4 + length]), message[4 + length :]

    def seen(self):
        self.socket.send(json.dumps({"seen": True}))

    def look_until(self, wanted):
        """Take and paint until `wanted(header, picture)`; gives that message."""
        until_s = time.monotonic() + WAIT_S
        while time.monotonic() < until_s:
            message = self.take()
            self.seen()
            if wanted(*message):
                return message
        pytest.fail("what the page waits for did not come")


def test_the_page_and_all_its_files_come_from_here_under_a_strict_policy(monitor):
    status, headers, body = ask(monitor)
    assert status == 200
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    wanted = set(re.findall(r'(?:src|href)="([^"]+)"', body.decode()))
    for name in list(wanted):
        if name.endswith(".js"):
            wanted |= set(re.findall(r'from "\./([^"]+)"', (WEB / name).read_text("utf-8")))
    assert {"monitor.css", "monitor.js", "link.js", "icon.svg"} <= wanted
    for name in wanted:
        assert ask(monitor, f"/{name}")[0] == 200, name


def test_no_file_of_the_page_names_another_host():
    for path in WEB.iterdir():
        text = path.read_text("utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert not re.search(r"https?://|//\w+\.\w+/|@import|\.innerHTML", text), path.name


def test_each_emotion_has_its_colour_in_both_themes():
    style = (WEB / "monitor.css").read_text("utf-8")
    for emotion in EMOTIONS:
        assert len(re.findall(rf"^  --{emotion}: #[0-9a-f]{{6}};", style, re.M)) == 2, emotion
        assert f'[data-emotion="{emotion}"] {{ --emotion: var(--{emotion}); }}' in style


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8080", "192.168.0.7"])
def test_a_foreign_host_name_gets_nothing(monitor, host):
    assert ask(monitor, Host=host)[0] == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_files_cannot_be_changed_and_no_other_page_may_try(monitor, method):
    assert ask(monitor, method=method, Origin=f"http://{urlsplit(monitor.url).netloc}")[0] == 405
    assert ask(monitor, method=method, Origin="http://evil.example")[0] == 403
    assert ask(monitor, method=method)[0] == 403


def test_no_way_leads_out_of_the_folder(monitor):
    for path in ("/../monitor.py", "/%2e%2e/monitor.py", "/..%2fmonitor.py"):
        assert ask(monitor, path)[0] == 404


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1", "null", None])
def test_only_our_own_page_may_read_along(monitor, origin):
    with pytest.raises(InvalidStatus) as refusal, Page(monitor, origin=origin):
        pass
    assert refusal.value.response.status_code == 403


def test_an_answer_reaches_the_page_with_its_picture(monitor, events):
    with Page(monitor) as page:
        assert page.take()[0]["about"] == {"network": "xrs-fer2013"}
        events.publish(answered(7))
        events.publish(Said("warning", "a <b>line</b>", time.monotonic()))
        header, picture = page.look_until(lambda header, _: "frame" in header)
        assert picture == b"picture 7"
        assert header["frame"]["faces"][0]["scores"][0] == 0.7
        assert header["watched"] == "nao-1"


def test_what_happened_before_a_page_opened_is_on_it(monitor, events):
    events.publish(answered(1))
    events.publish(Said("info", "nao-1 is here.", time.monotonic()))
    events.publish(Gone("nao-1", time.monotonic()))
    with Page(monitor) as page:
        header, _ = page.look_until(lambda header, _: header["lines"])
        assert header["lines"][0]["text"] == "nao-1 is here."


def test_a_page_that_paints_nothing_is_sent_two_messages_and_delays_nobody(monitor, events):
    with Page(monitor) as stuck, Page(monitor) as quick:
        for _ in range(MAX_UNSEEN):
            stuck.take()
        for seq in range(300):
            events.publish(answered(seq))
        quick.look_until(lambda _, picture: picture == b"picture 299")
        with pytest.raises(TimeoutError):
            stuck.socket.recv(0)
        stuck.seen()
        assert stuck.take()[1] == b"picture 299"


def test_a_page_is_not_sent_a_message_for_having_painted_one(monkeypatch, events):
    monkeypatch.setattr("inference_server.monitor.HEARTBEAT_S", 3600)
    with Monitor(events, port=0) as monitor, Page(monitor) as page:
        page.take()
        for _ in range(MAX_UNSEEN + 1):
            page.seen()
        with pytest.raises(TimeoutError):
            page.socket.recv(0.3)
        events.publish(answered(1))
        assert page.take()[1] == b"picture 1"


def test_the_publisher_does_not_wait_for_any_page(monitor, events):
    with Page(monitor):
        done = threading.Event()

        def publish():
            for seq in range(2000):
                events.publish(answered(seq))
            done.set()

        threading.Thread(target=publish, daemon=True).start()
        assert done.wait(WAIT_S)


class Orders:
    """Stands where Server.order stands: notes what it is asked for, or refuses."""

    def __init__(self):
        self.given = []

    def __call__(self, robot_id, what, **wish):
        if robot_id != "nao-1":
            raise ValueError(f"there is no robot {robot_id!r}")
        self.given.append((what, {key: value for key, value in wish.items() if value is not None}))


def test_what_the_operator_orders_is_handed_on_and_a_refusal_is_told_to_that_page_alone(events):
    orders = Orders()
    with Monitor(events, port=0, order=orders) as monitor, Page(monitor) as page, Page(monitor) as other:
        assert page.take()[0]["may_steer"]
        page.seen()
        for order in (
            {"robot": "nao-1", "what": "play", "name": "cheer"},
            {"robot": "nao-1", "what": "tune", "settings": {"enter": 0.6}},
            {"robot": "nao-9", "what": "stop"},
        ):
            page.socket.send(json.dumps({"order": order}))
        header, _ = page.look_until(lambda header, _: "told" in header)
        assert header["told"] == ["there is no robot 'nao-9'"]
        assert orders.given == [("play", {"name": "cheer"}), ("tune", {"settings": {"enter": 0.6}})]
        events.publish(answered(5))
        seen = []
        other.look_until(lambda header, picture: seen.append(header) or picture == b"picture 5")
        assert not any("told" in header for header in seen)


def test_a_mark_reaches_whoever_watches_the_events(events):
    watching = events.subscribe_to_all(10)
    with Monitor(events, port=0, order=Orders()) as monitor, Page(monitor) as page, Page(monitor) as other:
        page.socket.send(json.dumps({"mark": " the child\u0000 laughs "}))
        header, _ = other.look_until(lambda header, _: header["marks"])
        assert header["marks"][0]["text"] == "the child laughs"
    marks = [event for event in watching.take(0) if isinstance(event, Marked)]
    assert [mark.text for mark in marks] == ["the child laughs"]


def test_a_page_that_may_only_watch_orders_nothing(monitor, events):
    watching = events.subscribe_to_all(10)
    with Page(monitor) as page:
        assert not page.take()[0]["may_steer"]
        page.seen()
        page.socket.send(json.dumps({"order": {"robot": "nao-1", "what": "stop"}, "mark": "x"}))
        header, _ = page.look_until(lambda header, _: "told" in header)
        assert "may watch" in header["told"][0]
    assert watching.take(0) == []


NONSENSE = ["", "no json", "[]", "7", '{"watch": 7}', '{"watch": "nobody"}', '{"order": 7, "mark": 7}', b"\x00"]


@pytest.mark.parametrize("words", NONSENSE)
def test_what_a_page_should_not_say_harms_nobody(monitor, events, words):
    with Page(monitor) as rude, Page(monitor) as page:
        rude.socket.send(words)
        events.publish(answered(3))
        page.look_until(lambda _, picture: picture == b"picture 3")


def test_one_page_too_many_is_told_so(monitor):
    with ExitStack() as pages:
        for _ in range(MAX_VIEWERS):
            pages.enter_context(Page(monitor)).take()
        late = pages.enter_context(Page(monitor))
        with pytest.raises(ConnectionClosed) as ended:
            late.take()
        assert ended.value.rcvd.code == TOO_MANY


def test_a_port_in_use_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(MonitorError, match=rf"127\.0\.0\.1:{port}: Address already in use.*--monitor"):
            Monitor(Events(), port=port)


def test_closing_ends_the_pages_and_frees_the_port():
    monitor = Monitor(Events(), port=0)
    with Page(monitor) as page:
        page.take()
        monitor.close()
        with pytest.raises(ConnectionClosed):
            while True:
                page.take()
    with socket.create_server(("127.0.0.1", urlsplit(monitor.url).port)):
        pass


def test_the_key_to_watch_gives_no_right_to_steer_or_to_see_what_was_recorded(events):
    ordered = []
    routes = [Route("/record/old", lambda _: PlainTextResponse("people"))]
    routes += [Route("/record/stop", lambda _: PlainTextResponse("stopped"), methods=["POST"])]
    order = lambda *wish, **more: ordered.append(wish)  # noqa: E731
    with Monitor(events, host="0.0.0.0", port=0, routes=routes, order=order) as monitor:
        origin = f"http://127.0.0.1:{urlsplit(monitor.url).port}"
        may = {}
        for right, url in (("steer", monitor.url), ("watch", monitor.url_to_watch)):
            status, headers, _ = ask(monitor, f"/?{urlsplit(url).query}")
            assert status == 303
            cookie = {"Cookie": headers["set-cookie"].split(";")[0]}
            here = {"Host": origin.removeprefix("http://"), "Origin": origin}
            stop = ask(monitor, "/record/stop", "POST", **here, **cookie)[0]
            may[right] = [ask(monitor, "/", **cookie)[0], ask(monitor, "/record/old", **cookie)[0], stop]
            with Page(monitor, origin=origin, additional_headers=cookie) as page:
                assert page.take()[0]["may_steer"] is (right == "steer")
                page.seen()
                page.socket.send(json.dumps({"order": {"robot": right, "what": "stop"}}))
                page.socket.send(json.dumps({"mark": "heard"}))
                page.look_until(lambda header, _, r=right: "told" in header or r == "steer")
        assert may == {"steer": [200, 200, 200], "watch": [200, 403, 403]}
    assert all(robot == "steer" for robot, _ in ordered)


def test_beyond_this_machine_a_key_is_needed(events):
    with Monitor(events, host="0.0.0.0", port=0) as monitor:
        key = urlsplit(monitor.url).query.removeprefix("key=")
        assert len(key) >= 20
        for path in ("/", "/monitor.js", "/?key=", "/?key=wrong"):
            assert ask(monitor, path)[0] == 403
        origin = f"http://127.0.0.1:{urlsplit(monitor.url).port}"
        with pytest.raises(InvalidStatus), Page(monitor, origin=origin):
            pass
        status, headers, _ = ask(monitor, f"/?key={key}")
        assert status == 303 and headers["location"] == "/"
        assert "HttpOnly" in headers["set-cookie"] and "samesite=strict" in headers["set-cookie"].lower()
        cookie = {"Cookie": headers["set-cookie"].split(";")[0]}
        assert ask(monitor, "/", **cookie)[0] == 200
        with Page(monitor, origin=origin, additional_headers=cookie) as page:
            page.take()
