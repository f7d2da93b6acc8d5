"""The feed for other programs: what it says, that a recording says the same, and whom it never delays."""

import json
import re
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from asking import keys_of
from mcap.reader import make_reader
from test_recorder import JPEG, answered, recorded
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from config.contract import EMOTIONS, Order
from inference_server import session
from inference_server.events import Events, Gone, Marked, Ordered, Said, Settled
from inference_server.feed import AT_MOST, MAX_PROGRAMS, TOO_MANY
from inference_server.monitor import Monitor
from inference_server.recorder import Recorder

WAIT_S = 20
HERE = Path(session.__file__).parent
TOPICS = {
    "feed": "nao.Feed",
    "faces": "nao.Faces",
    "scores": "nao.Scores",
    "mood": "nao.Mood",
    "behaviours": "nao.Behaviour",
    "health": "nao.Health",
    "naoqi": "nao.Naoqi",
    "orders": "nao.Order",
    "markers": "nao.Marker",
    "log": "foxglove.Log",
}
ROS = [
    ("advertise", "tracked"),
    ("publish", "tracked"),
    *((op, f"nao_1_f{i}/roi") for i in (1, 2) for op in ("advertise", "publish")),
    *((op, f"nao_1_f{i}/expression") for i in (1, 2) for op in ("advertise", "publish")),
    ("publish", "tracked"),
    ("unadvertise", "nao_1_f2/expression"),
    ("unadvertise", "nao_1_f2/roi"),
    ("publish", "nao_1_f1/roi"),
    ("publish", "tracked"),
    ("unadvertise", "nao_1_f1/expression"),
    ("unadvertise", "nao_1_f1/roi"),
]
PLAIN = (["at_s"], ["timestamp", "name", "at_s"])  # of orders and log: the same moment again


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def monitor(events):
    with Monitor(events, port=0) as monitor:
        yield monitor


class Program:
    """One that reads the feed: `greeting` is its first message."""

    def __init__(self, socket):
        self.socket = socket
        self.greeting = self.take()

    def take(self):
        return json.loads(self.socket.recv(WAIT_S))

    def take_until(self, topic):
        """All messages up to the next on `topic`."""
        messages = [self.take()]
        while messages[-1]["topic"] != topic:
            messages.append(self.take())
        return messages


@contextmanager
def listening(monitor, query="", **options):
    options = {
        "open_timeout": WAIT_S,
        "close_timeout": 0.1,
    } | options  # who has not read all cannot part in form
    with connect(f"ws://127.0.0.1:{urlsplit(monitor.url).port}/feed{query}", **options) as socket:
        yield Program(socket)


HAPPENED = [
    answered(1, mood="happy", doing="cheer", smoothed=[0.4] + [0.1] * 6),
    answered(2, robot_id="pepper-2", faces=3, trouble="a motor is hot"),
    answered(3, doing="cheer"),
    Marked("stimulus A", time.monotonic()),
    Said("warning", "a motor is hot", time.monotonic()),
    Ordered("nao-1", Order("tune", 7, settings={"enter": 0.4}), time.monotonic()),
    Settled("nao-1", Order("tune", 7, settings={"enter": 0.4}), "no", time.monotonic()),
    Marked("end", time.monotonic()),
]


def test_the_feed_says_what_a_recording_of_the_same_says(monitor, events, tmp_path):
    with listening(monitor) as program, Recorder(events, tmp_path, {}) as recorder:
        path = recorded(recorder, events, *HAPPENED)
        told = program.take_until("/markers") + program.take_until("/markers")
    with path.open("rb") as file:
        kept = [(s.name, c.topic, json.loads(m.data)) for s, c, m in make_reader(file).iter_messages()]
    lines = [line for line in told if line["topic"] != "/log"]  # where the recorder speaks too
    wanted = [line for line in kept if line[1] != "/log" and line[0] != "nao.Answer"]
    assert len(lines) == len(wanted) > 15
    for line in lines:
        assert (line["schema"], line["topic"], line["data"]) in wanted
        assert abs(line["time_s"] - time.time()) < 3600 and line["v"] == 1


def test_a_message_is_one_json_object_whose_data_are_as_its_schema_says(monitor, events):
    with listening(monitor) as program:
        assert program.greeting["topic"] == "/feed"
        assert program.greeting["data"] == {"emotions": list(EMOTIONS), "missed": 0}
        for event in HAPPENED:
            events.publish(event)
        for line in program.take_until("/markers"):
            assert set(line) == {"v", "topic", "schema", "time_s", "event", "data"}
            assert set(line["data"]) <= set(session.SCHEMAS[line["schema"]]["properties"])


def test_the_page_for_programmers_names_every_topic_and_every_key(monitor, events):
    rows = re.findall(r"^\| `(?:/ROBOT)?(/\w+)` \| (.*?) \|", (HERE / "INTEROP.md").read_text("utf-8"), re.M)
    words = dict(rows)
    assert set(words) == {f"/{name}" for name in TOPICS}
    for name, schema in TOPICS.items():
        known = session.SCHEMAS[schema]["properties"] if schema in session.SCHEMAS else {}
        missing = [key for key in known if f"`{key}`" not in words[f"/{name}"]]
        assert missing in ([], *PLAIN), f"INTEROP.md does not say what {name} has: {missing}"


def test_what_belongs_to_one_answer_has_one_number_and_holds_no_picture(monitor, events):
    with listening(monitor) as program:
        events.publish(answered(1, mood="sad"))
        events.publish(answered(2, mood="sad"))
        first = program.take_until("/nao-1/health")
        second = program.take_until("/nao-1/health")
    topics = [line["topic"].rpartition("/")[2] for line in first]
    assert topics == ["faces", "scores", "mood", "behaviours", "health"]
    assert [line["topic"].rpartition("/")[2] for line in second] == ["faces", "scores", "mood", "health"]
    assert {line["event"] for line in first} == {1} and {line["event"] for line in second} == {2}
    assert JPEG[2:-2].decode("ascii", "ignore") not in json.dumps(first)
    assert first[1]["data"]["faces"][0]["happy"] == 0.7 and first[2]["data"]["emotion"] == "sad"


def test_the_feed_in_the_words_of_ros_names_faces_regions_and_expressions(monitor, events):
    sure = answered(1, faces=2)
    sure.reading.faces[1] = sure.reading.faces[1]._replace(scores=[0.1] * 3 + [0.4] + [0.1] * 3, unsure=False)
    unsure = answered(2)
    unsure.reading.faces[0] = unsure.reading.faces[0]._replace(unsure=True, box_px=[-10.0, 6.0, 42.0, 100.0])
    with listening(monitor, query="?as=ros4hri") as program:
        for event in (sure, unsure, Marked("x", time.monotonic()), Gone("nao-1", time.monotonic())):
            events.publish(event)
        said = [program.greeting, *(program.take() for _ in ROS[1:])]
    assert [(one["op"], one["topic"].removeprefix("/humans/faces/")) for one in said] == ROS
    kinds = {one["type"] for one in said if one["op"] == "advertise"}
    names = ("IdsList", "NormalizedRegionOfInterest2D", "Expression")
    assert kinds == {f"hri_msgs/msg/{name}" for name in names}
    told = [one["msg"] for one in said if one["op"] == "publish"]
    assert [one["ids"] for one in told if "ids" in one] == [["nao_1_f1", "nao_1_f2"], ["nao_1_f1"], []]
    assert [(one["expression"], one["confidence"]) for one in told if "expression" in one] == [
        ("happy", 0.7),
        ("scared", 0.4),
    ]
    region = {key: value for key, value in told[6].items() if key != "header"}
    assert region == {"xmin": 0.0, "ymin": 0.125, "xmax": 0.5, "ymax": 1.0, "c": 0.9912}


def test_a_program_that_does_not_read_misses_events_and_is_told_how_many(monitor, events, monkeypatch):
    held, at_work = threading.Event(), threading.Event()
    tell = session.Telling.messages

    def slow(self, event):
        at_work.set()
        held.wait(WAIT_S)
        return tell(self, event)

    with listening(monitor) as program:
        monkeypatch.setattr(session.Telling, "messages", slow)
        events.publish(answered(0))
        assert at_work.wait(WAIT_S)
        for seq in range(AT_MOST + 50):
            events.publish(answered(seq))  # returns at once
        held.set()
        assert program.take_until("/feed")[-1]["data"]["missed"] == 50


def test_a_program_that_reads_nothing_delays_no_other(monitor, events):
    with listening(monitor), listening(monitor) as quick:
        for seq in range(100):
            events.publish(answered(seq, faces=32, trouble="x" * 400))
            assert quick.take_until("/nao-1/health")[-1]["event"] == seq + 1


def test_what_a_program_says_is_not_listened_to(monitor, events):
    with listening(monitor) as program:
        for words in ("", "{}", '{"order": {"robot": "nao-1", "what": "stop"}}', '{"mark": "x"}', b"\x00"):
            program.socket.send(words)
        events.publish(Marked("still here", time.monotonic()))
        assert program.take()["data"]["text"] == "still here"


def test_one_program_too_many_is_told_so_and_may_come_when_another_left(monitor):
    with ExitStack() as programs:
        for _ in range(MAX_PROGRAMS):
            programs.enter_context(listening(monitor))
        with pytest.raises(ConnectionClosed) as ended, listening(monitor):
            pass
        assert ended.value.rcvd.code == TOO_MANY
    until_s = time.monotonic() + WAIT_S
    while time.monotonic() < until_s:
        try:
            with listening(monitor):
                return
        except ConnectionClosed:
            continue
    pytest.fail("the places were not given back")


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_no_other_web_page_can_listen(monitor, origin):
    with pytest.raises(InvalidStatus) as refusal, listening(monitor, origin=origin):
        pass
    assert refusal.value.response.status_code == 403


def test_beyond_this_machine_a_viewers_key_is_needed_and_enough(events):
    with Monitor(events, host="0.0.0.0", port=0) as monitor:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}):
            with pytest.raises(InvalidStatus), listening(monitor, additional_headers=headers):
                pass
        for headers in keys_of(monitor).values():
            with listening(monitor, additional_headers=headers) as program:
                assert program.greeting["v"] == 1


def test_the_end_of_the_service_ends_the_feed(events):
    monitor = Monitor(events, port=0)
    with listening(monitor) as program:
        monitor.close()
        with pytest.raises(ConnectionClosed):
            program.take()
