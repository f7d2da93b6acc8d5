"""What other programs may ask of the service over HTTP: state, orders, marks; what is refused, and to whom."""

import json
import re
import time
from pathlib import Path

import pytest
from asking import ask, keys_of
from test_recorder import answered

from config.contract import EMOTIONS, TUNABLE, About, Order
from inference_server import api
from inference_server.events import Events, Gone, Marked, Ordered, Settled
from inference_server.monitor import Monitor
from inference_server.recorder import Recorder
from inference_server.recorder_web import routes

WAIT_S = 20
DEFAULTS = {"purpose": "", "images": False, "consent": ""}
ABOUT = About({"happy": ["cheer", "wave"]}, {"enter": 0.5}, 0.8, ("HeadYaw", 41.5))


class Server:
    """Stands where the server's order() stands: notes what it is asked for, or refuses."""

    def __init__(self):
        self.given = []

    def order(self, robot_id, what, **wish):
        if len(self.given) == 8:
            raise ValueError("server: nao-1 has too many orders waiting; it does not answer.")
        self.given.append((robot_id, what, wish))
        return Order(what, len(self.given), **wish)


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def monitor(events, server, tmp_path):
    with (
        Recorder(events, tmp_path, {"model": "xrs"}) as recorder,
        Monitor(events, port=0, routes=routes(recorder, DEFAULTS), order=server.order) as monitor,
    ):
        yield monitor


def told(monitor, path, wanted=lambda told: True):
    """What a GET gives, as soon as it is as wanted."""
    until_s = time.monotonic() + WAIT_S
    while time.monotonic() < until_s:
        status, _, body = ask(monitor, path)
        if status == 200 and wanted(json.loads(body)):
            return json.loads(body)
    pytest.fail(f"{path} does not say what is waited for: {body}")


def test_a_robot_is_told_as_it_is_now(monitor, events):
    assert told(monitor, "/robots") == {"robots": []}
    events.publish(answered(5, mood="happy", doing="cheer", smoothed=[0.4] + [0.1] * 6, about=ABOUT, attends=1))
    (robot,) = told(monitor, "/robots", lambda told: told["robots"])["robots"]
    assert told(monitor, "/robots/nao-1") | {"quiet_s": 0} == robot | {"quiet_s": 0}
    api.RobotState.model_validate(robot)
    assert robot["faces"][0]["scores"] == dict(zip(EMOTIONS, [0.7] + [0.05] * 6, strict=True))
    assert (robot["mood"], robot["doing"], robot["attended"], robot["here"]) == ("happy", "cheer", 1, True)
    assert (robot["behaviors"], robot["battery"], robot["hottest"]) == (ABOUT.behaviors, 0.8, ["HeadYaw", 41.5])
    events.publish(Gone("nao-1", time.monotonic()))
    assert told(monitor, "/robots/nao-1", lambda told: not told["here"])["smoothed"]["happy"] == 0.4


def test_an_order_is_taken_and_the_robots_state_tells_what_came_of_it(monitor, events, server):
    events.publish(answered(1))
    told(monitor, "/robots/nao-1")
    status, _, body = ask(monitor, "/robots/nao-1/orders", {"what": "play", "name": "cheer"})
    assert (status, json.loads(body)) == (202, {"number": 1})
    assert server.given == [("nao-1", "play", {"name": "cheer"})]
    cheer = Order("play", 1, "cheer")
    events.publish(Ordered("nao-1", cheer, 10.0))
    assert told(monitor, "/robots/nao-1", lambda told: told["orders"])["orders"][0]["state"] == "waiting"
    events.publish(Settled("nao-1", cheer, "there is no such behaviour.", 10.25))
    (order,) = told(monitor, "/robots/nao-1", lambda told: told["orders"][0]["after_s"])["orders"]
    assert (order["state"], order["why_not"], order["after_s"]) == (
        "refused",
        "there is no such behaviour.",
        0.25,
    )


ORDERS = [
    ({"what": "stop"}, {}),
    ({"what": "attend", "face": 3}, {"face": 3}),
    ({"what": "attend", "face": 3.0}, {"face": 3}),
    ({"what": "attend", "face": None}, {"face": None}),
    (
        {"what": "tune", "settings": {"enter": 0.6, "dwell_s": 1}},
        {"settings": {"enter": 0.6, "dwell_s": 1.0}},
    ),
]


@pytest.mark.parametrize(("wish", "handed_on"), ORDERS)
def test_every_kind_of_order_is_handed_on_as_it_was_meant(monitor, events, server, wish, handed_on):
    events.publish(answered(1))
    told(monitor, "/robots/nao-1")
    assert ask(monitor, "/robots/nao-1/orders", wish)[0] == 202
    assert server.given == [("nao-1", wish["what"], handed_on)]


WRONG = [
    b"",
    b"no json",
    b"\xff",
    b"[]",
    b'{"what": "play"}',
    b'{"what": "dance", "name": "cheer"}',
    b'{"what": "play", "name": "cheer", "loud": true}',
    b'{"what": "play", "name": 7}',
    b'{"what": "attend", "face": "3"}',
    b'{"what": "tune", "settings": {}}',
    b'{"what": "tune", "settings": {"enter": 1.5}}',
    b'{"what": "tune", "settings": {"enter": NaN}}',
    b'{"what": "play", "name": "' + b"x" * 40_000 + b'"}',
]


@pytest.mark.parametrize("wish", WRONG)
def test_a_wish_that_cannot_be_meant_is_refused_in_a_sentence(monitor, events, server, wish):
    events.publish(answered(1))
    told(monitor, "/robots/nao-1")
    status, headers, body = ask(monitor, "/robots/nao-1/orders", wish)
    assert status == 400 and headers["content-type"].startswith("text/plain")
    assert len(body.decode().splitlines()) == 1 and server.given == []


def test_who_is_not_there_is_a_404_and_what_cannot_be_done_now_a_409(monitor, events, server):
    events.publish(answered(1))
    told(monitor, "/robots/nao-1")
    for path, wish in (("/robots/nao-9", None), ("/robots/nao-9/orders", {"what": "stop"})):
        status, _, body = ask(monitor, path, wish)
        assert (status, body) == (404, b"There is no robot 'nao-9'; there are: nao-1.")
    for _ in range(8):
        ask(monitor, "/robots/nao-1/orders", {"what": "stop"})
    status, _, body = ask(monitor, "/robots/nao-1/orders", {"what": "stop"})
    assert status == 409 and b"too many orders" in body


def test_a_mark_reaches_whoever_watches_the_events(monitor, events):
    watching = events.subscribe_to_all(10)
    assert ask(monitor, "/markers", {"text": " stimulus\u0000 A "})[0] == 204
    assert ask(monitor, "/markers", {})[0] == 204
    assert [event.text for event in watching.take(0) if isinstance(event, Marked)] == ["stimulus A", "mark"]


def test_nothing_is_changed_by_asking(monitor, events, server):
    events.publish(answered(1))
    told(monitor, "/robots/nao-1")
    watching = events.subscribe_to_all(10)
    for path in ("/robots/nao-1/orders", "/markers", "/record/stop", "/record/start"):
        status, headers, _ = ask(monitor, path)
        assert (status, headers.get("allow")) in ((405, "POST"), (404, None)), path
    assert watching.take(0) == server.given == []


BROWSERS = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "none"},
    {"Cookie": "a=b"},
]


@pytest.mark.parametrize("browser", BROWSERS)
def test_no_other_web_page_can_act_here(monitor, events, server, browser):
    events.publish(answered(1))
    told(monitor, "/robots/nao-1")
    for path in ("/robots/nao-1/orders", "/markers", "/record/start"):
        assert ask(monitor, path, {"what": "stop"}, **browser)[0] == 403
    assert server.given == []


def test_a_viewers_key_reads_what_is_live_and_changes_nothing_and_no_key_gets_nothing(events, tmp_path):
    server = Server()
    with (
        Recorder(events, tmp_path, {}) as recorder,
        Monitor(
            events, host="0.0.0.0", port=0, routes=routes(recorder, DEFAULTS), order=server.order
        ) as monitor,
    ):
        events.publish(answered(1))
        keys = keys_of(monitor)
        wrong = {"Authorization": "Bearer wrong"}
        for path in ("/robots", "/robots/nao-1", "/openapi.json", "/record"):
            statuses = [ask(monitor, path, **key)[0] for key in (keys["steer"], keys["watch"], wrong, {})]
            assert statuses == [200, 200, 403, 403], path
        for path, wish in (("/robots/nao-1/orders", {"what": "stop"}), ("/markers", {}), ("/record/stop", {})):
            refused = [ask(monitor, path, wish, **key)[0] for key in (keys["watch"], wrong, {})]
            assert refused == [403, 403, 403], path
        assert ask(monitor, "/record/any.mcap", **keys["watch"])[0] == 403
        assert ask(monitor, "/record/any.mcap", **keys["steer"])[0] == 404
        assert ask(monitor, "/robots/nao-1/orders", {"what": "stop"}, **keys["steer"])[0] == 202
        assert server.given == [("nao-1", "stop", {})]


def test_a_monitor_that_only_watches_takes_no_orders(events):
    with Monitor(events, port=0) as monitor:
        assert ask(monitor, "/markers", {})[0] == 403
        assert "/record" not in told(monitor, "/openapi.json")["paths"]


def test_the_page_for_programmers_names_every_operation():
    text = (Path(api.__file__).parent / "INTEROP.md").read_text("utf-8")
    table = "".join(re.findall(r"^\| `(?:GET|POST) .*$", text, re.M))
    for operation in api.OPERATIONS:
        assert f"/{re.sub('{.*}', lambda name: name[0][1:-1].upper(), operation.path[1:])}`" in table, operation


def test_the_document_names_what_is_served_and_its_schemas_are_those_that_are_kept(monitor, events):
    document = told(monitor, "/openapi.json")
    assert document["openapi"] == "3.1.0"
    operations = {(o.path, o.method) for o in api.OPERATIONS}
    assert {(path, method) for path, of in document["paths"].items() for method in of} == operations
    schemas = document["components"]["schemas"]
    named = set(json.dumps(document["paths"]).split("#/components/schemas/")[1:])
    assert all(name.partition('"')[0] in schemas for name in named)
    tune = schemas["MoodSettings"]["properties"]
    assert {name: (of["minimum"], of["maximum"]) for name, of in tune.items()} == TUNABLE
    events.publish(answered(1))
    told(monitor, "/robots/nao-1")
    for path, of in document["paths"].items():
        for method in of:
            status = ask(monitor, path.format(id="nao-1", name="x"), {} if method == "post" else None)[0]
            assert status not in (404, 405, 403) or (path, status) == ("/record/{name}", 404), (path, status)
