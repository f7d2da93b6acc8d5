"""The server answers the newest, refuses the broken with a sentence, and is disturbed by nobody.

Sockets are real ZeroMQ on free ports. A thread of the test stands where a worker's process stands and does
that process's work (test_workers.py has the real ones). Where a test must hold a frame in reading, a Gate
stands where the Reader stands; all else runs the real one.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import zmq
from click.testing import CliRunner
from line import GRAY, PATIENCE_S, Robot, frame, wait_for

from config import settings
from config.contract import MAX_FRAME_HEADER_BYTES, MAX_ORDERS, Order, Reading, encode_frame
from config.keys import is_loopback
from inference_server import server as server_module
from inference_server.__main__ import main
from inference_server.events import Answered, Events, Gone, Ordered, Said, Settled
from inference_server.orders import LATE, LEFT, LIVES_S, STOPPED, UNTAKEN, Waiting
from inference_server.reader import Reader
from inference_server.server import Complaints, Server, ServerError
from inference_server.slots import Slots
from inference_server.worker import work
from inference_server.workers import enough_for
from models import zoo
from models.mtcnn import Detector

ROOT = Path(__file__).parents[2]


class Gate:
    """Stands where the Reader stands: tells what it is reading and holds it until it is let through."""

    def __init__(self):
        self.begun = threading.Semaphore(0)
        self.let_through = threading.Semaphore(0)
        self.read_seqs = []
        self.forgotten = []

    def read(self, frame, robot_id, at_s):
        self.read_seqs.append(frame.seq)
        self.begun.release()
        assert self.let_through.acquire(timeout=PATIENCE_S)
        return Reading(frame.seq, frame.taken_s, [], [], {}, "gate", None)

    def forget(self, robot_id):
        self.forgotten.append(robot_id)


class InThread:
    """Stands where a worker's Process stands: the same work, words and ends, in a thread."""

    def __init__(self, reader, address):
        self._hears, self._says = os.pipe()
        self._lifeline, self._life = os.pipe()
        self._socket = zmq.Context.instance().socket(zmq.DEALER)
        self._socket.bind(address)
        self._thread = threading.Thread(target=self._run, args=(reader,), daemon=True)
        self._thread.start()
        os.write(self._says, json.dumps({"model": "in a thread", "runtime": "none"}).encode())

    def _run(self, reader):
        work(reader, self._socket, self._lifeline)
        self._socket.close(linger=0)
        os.close(self._says)

    def fileno(self):
        return self._hears

    def word(self):
        return os.read(self._hears, 65536)

    def stop(self):
        os.close(self._life)

    def ended(self, within_s):
        self._thread.join(within_s)
        os.close(self._hears)
        os.close(self._lifeline)
        return "by itself"


@pytest.fixture(scope="module")
def reader():
    return Reader(Detector(), zoo.load("xrs-fer2013"))


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def start(events):
    """start(reader, ...) -> Server on a free port, closed at the end; every reader has a worker."""
    started = []

    def start(*readers, listen="tcp://127.0.0.1:*"):
        ahead = iter(readers)
        started.append(Server(lambda address: InThread(next(ahead), address), events, listen, len(readers)))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def robot():
    """robot(server) -> Robot, its socket closed at the end."""
    robots = []

    def connect(server):
        robots.append(Robot(f"tcp://127.0.0.1:{server.port}"))
        return robots[-1]

    yield connect
    for one in robots:
        one.socket.close()


# ---- answers -----------------------------------------------------------------------------------------


def test_a_frame_is_answered_with_its_seq_and_time_and_told_to_whoever_watches(start, robot, reader, events):
    watching = events.subscribe()
    nao = robot(start(reader))
    answer = nao.ask(frame(seq=41))
    assert (answer.seq, answer.taken_s, answer.faces, answer.error) == (41, 4.1, [], None)
    assert answer.model == "xrs-fer2013"
    assert set(answer.timings_ms) == {"wait", "decode", "detect", "crop", "score"}
    event = wait_for(watching, Answered)
    assert event.robot_id == "nao-1"
    assert event.frame.seq == event.reading.seq == 41


def test_two_robots_of_the_same_name_get_their_own_answers_and_ids(start, robot, reader, events):
    server = start(reader)
    one, two = robot(server), robot(server)
    one.send(frame(seq=1))
    two.send(frame(seq=2))
    assert two.hear().seq == 2
    assert one.hear().seq == 1
    server.order("nao-1", "pause")
    server.order("nao-2", "stop")
    assert {one.ask(frame(seq=3)).orders[0].what, two.ask(frame(seq=4)).orders[0].what} == {"pause", "stop"}


def test_only_the_newest_frame_waits(start, robot):
    gate = Gate()
    nao = robot(start(gate))
    nao.send(frame(seq=1))
    assert gate.begun.acquire(timeout=PATIENCE_S)
    for seq in (2, 3, 4):
        nao.send(frame(seq=seq))
    assert nao.ask([b"emotion/1", b"not json", b""]).error[0] == "bad_header"  # 2, 3, 4 have come before it
    gate.let_through.release(2)
    assert [nao.hear().seq, nao.hear().seq] == [1, 4]
    assert gate.read_seqs == [1, 4]


def test_reading_never_keeps_the_network_from_answering(start, robot):
    """A broken message of another robot is answered while a frame is held in reading."""
    gate = Gate()
    server = start(gate)
    slow, other = robot(server), robot(server)
    slow.send(frame(seq=1))
    assert gate.begun.acquire(timeout=PATIENCE_S)
    assert other.ask([b"emotion/0", b"{}", b""]).error[0] == "wrong_version"
    gate.let_through.release()
    assert slow.hear().seq == 1


def test_each_robot_keeps_its_worker_and_new_ones_go_where_the_fewest_are(start, robot):
    gates = [Gate(), Gate()]
    server = start(*gates)
    for gate in gates:
        gate.let_through.release(9)
    for number, nao in enumerate([robot(server) for _ in range(4)]):
        nao.ask(frame(seq=number * 10))
        nao.ask(frame(seq=number * 10 + 1))
    assert [gate.read_seqs for gate in gates] == [[0, 1, 20, 21], [10, 11, 30, 31]]


def test_workers_read_several_robots_at_once_but_one_robots_frames_in_turn(start, robot):
    gates = [Gate(), Gate()]
    server = start(*gates)
    one, two = robot(server), robot(server)
    one.send(frame(seq=1))
    assert gates[0].begun.acquire(timeout=PATIENCE_S)
    one.send(frame(seq=2))
    two.send(frame(seq=11))
    assert gates[1].begun.acquire(timeout=PATIENCE_S)
    assert gates[0].read_seqs == [1]  # 2 waits for 1, whatever the other worker does
    gates[1].let_through.release()
    assert two.hear().seq == 11
    gates[0].let_through.release(2)
    assert [one.hear().seq, one.hear().seq] == [1, 2]


def test_robots_take_turns():
    slots = Slots()
    for robot_id, item in (("a", "a1"), ("b", "b1"), ("a", "a2"), ("c", "c1")):
        slots.put(robot_id, item)
    assert slots.take() == "a2"
    slots.put("a", "a3")
    assert [slots.take() for _ in range(3)] == ["b1", "c1", "a3"]
    slots.put("d", "d1")
    slots.drop("d")
    assert slots.take() is None


# ---- broken messages ---------------------------------------------------------------------------------

HEADER = encode_frame(frame())[1]
BROKEN = {
    "older version": ([b"emotion/0", HEADER, GRAY], "wrong_version", "speaks emotion/0, this end emotion/1"),
    "no version": ([b"", HEADER, GRAY], "wrong_version", "update the older one"),
    "one part": ([b"emotion/1"], "bad_header", "a message of 1 parts came; 3 are needed"),
    "four parts": ([b"emotion/1", HEADER, GRAY, b""], "bad_header", "a message of 4 parts came"),
    "no JSON": ([b"emotion/1", b"\xff\x00{", GRAY], "bad_header", "not JSON"),
    "a list": ([b"emotion/1", b"[]", GRAY], "bad_header", "must be a JSON object"),
    "not a number": ([b"emotion/1", HEADER.replace(b"0.1", b"NaN"), GRAY], "bad_header", "must be finite"),
    "deep": ([b"emotion/1", b"[" * 2000, GRAY], "bad_header", "nests deeper"),
    "long header": (
        [b"emotion/1", b" " * MAX_FRAME_HEADER_BYTES + HEADER, GRAY],
        "too_large",
        "the header has",
    ),
    "too few pixels": ([b"emotion/1", HEADER, GRAY[:-1]], "bad_image", "take 3072 bytes; 3071 came"),
    "large image": ([b"emotion/1", HEADER, bytes(1_000_001)], "too_large", "at most 1000000"),
    "no JPEG": (encode_frame(frame(image=b"xyz", encoding="jpeg")), "bad_image", "begins with ff d8"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_message_is_answered_with_a_sentence_and_the_next_frame_as_ever(start, robot, reader, name):
    parts, code, sentence = BROKEN[name]
    nao = robot(start(reader))
    answer = nao.ask(parts)
    assert answer.error[0] == code
    assert sentence in answer.error[1]
    assert nao.ask(frame(seq=2)).error is None


def test_a_message_beyond_all_measure_cuts_the_line_and_harms_nobody_else(start, robot, reader):
    server = start(reader)
    flood, nao = robot(server), robot(server)
    flood.send([b"emotion/1", HEADER, bytes(5_000_000)])
    assert nao.ask(frame(seq=2)).error is None
    flood.send(frame(seq=3))  # ZeroMQ has connected anew by itself
    assert flood.hear().seq == 3


def test_the_same_complaint_is_logged_once_and_the_rest_counted(start, robot, reader, events):
    watching = events.subscribe()
    nao = robot(start(reader))
    for _ in range(20):
        nao.ask(BROKEN["no JSON"][0])
    lines = [e.text for e in watching.take(0) if isinstance(e, Said) and e.level == "warning"]
    assert len(lines) == 1
    assert "127.0.0.1 was refused (bad_header)" in lines[0]


def test_what_others_send_cannot_write_to_the_terminal_through_the_log(start, robot, reader, events):
    watching = events.subscribe()
    robot(start(reader)).ask([b"\x1b[2J\x07\n", HEADER, GRAY])
    assert "the other end speaks ?[2J??," in wait_for(watching, Said).text


def test_a_complaint_comes_again_after_a_minute_with_the_number_left_out():
    complaints = Complaints()
    assert complaints.line("bad_image", "broken", 100.0) == "broken"
    assert [complaints.line("bad_image", "broken", 100.0 + i) for i in (1, 2, 59)] == [None] * 3
    assert complaints.line("bad_header", "other", 101.0) == "other"
    assert complaints.line("bad_image", "broken", 161.0) == "broken (3 more like it)"
    assert complaints.line("bad_image", "broken", 222.0) == "broken"


def test_a_fault_of_ours_is_answered_and_the_next_frame_is_read(start, robot, caplog):
    class Stumbles(Gate):
        def read(self, frame, robot_id, at_s):
            if frame.seq == 1:
                raise RuntimeError("stumbled")
            return Reading(frame.seq, frame.taken_s, [], [], {}, "stumbles", None)

    nao = robot(start(Stumbles()))
    answer = nao.ask(frame(seq=1))
    assert (answer.seq, answer.error[0]) == (1, "internal")
    assert "stumbled" in caplog.text
    assert nao.ask(frame(seq=2)).error is None


# ---- orders ------------------------------------------------------------------------------------------


def test_an_order_rides_in_every_reading_until_the_robot_has_had_it(start, robot, reader, events):
    server, watching = start(reader), events.subscribe_to_all(100)
    nao = robot(server)
    nao.ask(frame(seq=1))
    play, pause = server.order("nao-1", "play", name="cheer"), server.order("nao-1", "pause")
    assert play.number < pause.number
    for seq in (2, 3):
        assert nao.ask(frame(seq=seq)).orders == [play, pause]
    assert nao.ask(frame(seq=4)._replace(done=[(play.number, "it lies.")])).orders == [pause]
    assert nao.ask(frame(seq=5)._replace(done=[(pause.number, None)])).orders == []
    told = [event for event in watching.take() if isinstance(event, Ordered | Settled)]
    assert [event.order for event in told] == [play, pause, play, pause]
    assert [event.why_not for event in told[2:]] == ["it lies.", None]


def test_an_order_rides_with_an_error_too(start, robot, reader):
    """A broken camera must not keep a stop from the robot."""
    server = start(reader)
    nao = robot(server)
    nao.ask(frame(seq=1))
    stop = server.order("nao-1", "stop")
    answer = nao.ask(frame(seq=2, image=b"xyz", encoding="jpeg"))
    assert answer.error[0] == "bad_image"
    assert answer.orders == [stop]


def test_an_order_that_a_later_one_overtook_is_not_sent_again():
    waiting = Waiting()
    play, stop = Order("play", 7, "cheer"), Order("stop", 8)
    waiting.add(play, 0.0)
    waiting.add(stop, 0.1)
    assert waiting.settle([(8, None)], 0.2) == [(play, LATE), (stop, None)]
    assert waiting.riding() == []


def test_an_order_that_nobody_takes_is_given_up_but_not_a_stop():
    waiting = Waiting()
    play, stop = Order("play", 7, "cheer"), Order("stop", 8)
    for order in (play, stop):
        waiting.add(order, 0.0)
    assert waiting.settle([], LIVES_S) == []
    assert waiting.settle([(5, None), (2**50, None)], LIVES_S + 0.1) == [(play, UNTAKEN)]
    assert waiting.riding() == [stop]
    assert waiting.settle([], 9.0, gone=True) == [(stop, LEFT)]


def test_orders_that_cannot_be_are_refused_with_a_sentence(start, robot, reader):
    server = start(reader)
    with pytest.raises(ServerError, match=r"there is no robot 'pepper-1'; there are: none"):
        server.order("pepper-1", "stop")
    robot(server).ask(frame())
    with pytest.raises(ServerError, match=r"there is no robot 'pepper-1'; there are: nao-1"):
        server.order("pepper-1", "stop")
    with pytest.raises(ServerError, match="this is no order: a text of 65 characters came"):
        server.order("nao-1", "play", name="x" * 65)
    with pytest.raises(ServerError, match=r"this is no order: 'enter' must lie in 0..1; 2 came"):
        server.order("nao-1", "tune", settings={"enter": 2})
    with pytest.raises(ServerError, match=r"this is no order: 'what' must be one of play"):
        server.order("nao-1", "explode")
    for _ in range(MAX_ORDERS):
        server.order("nao-1", "pause")
    with pytest.raises(ServerError, match="nao-1 has too many orders waiting"):
        server.order("nao-1", "pause")


def test_a_stop_is_never_one_too_many_and_nothing_ordered_before_it_is_done(start, robot, reader, events):
    server, watching = start(reader), events.subscribe_to_all(100)
    nao = robot(server)
    nao.ask(frame(seq=1))
    plays = [server.order("nao-1", "play", name="cheer") for _ in range(MAX_ORDERS)]
    stop = server.order("nao-1", "stop")
    assert nao.ask(frame(seq=2)).orders == [stop]
    given_up = [event for event in watching.take() if isinstance(event, Settled)]
    assert [(event.order, event.why_not) for event in given_up] == [(play, STOPPED) for play in plays]


# ---- coming and going --------------------------------------------------------------------------------


def test_a_silent_robot_is_forgotten_and_is_a_new_one_when_it_returns(start, robot, events, monkeypatch):
    monkeypatch.setattr(server_module, "GONE_S", 0.2)
    monkeypatch.setattr(server_module, "LOOK_ROUND_S", 0.05)
    watching = events.subscribe()
    gate = Gate()
    gate.let_through.release(9)
    nao = robot(start(gate))
    nao.ask(frame(seq=1))
    assert wait_for(watching, Gone).robot_id == "nao-1"
    nao.ask(frame(seq=2))
    assert gate.forgotten == ["nao-1"]
    assert wait_for(watching, Answered).robot_id == "nao-2"


def test_what_a_robot_calls_itself_cannot_break_its_id(start, robot, reader, events):
    watching = events.subscribe()
    robot(start(reader)).ask(frame(robot="<b>Näo & 7</b>"))
    assert re.fullmatch(r"[a-z0-9-]+-1", wait_for(watching, Answered).robot_id)


def test_more_robots_than_can_be_served_are_told_so(start, robot, monkeypatch):
    monkeypatch.setattr(server_module, "MAX_ROBOTS", 2)
    gate = Gate()
    gate.let_through.release(9)
    server = start(gate)
    naos = [robot(server) for _ in range(3)]
    answers = [nao.ask(frame()) for nao in naos]
    assert [answer.error and answer.error[0] for answer in answers] == [None, None, "not_ready"]


def test_a_robot_is_answered_again_when_the_server_returns(start, robot, reader):
    first = start(reader)
    nao = robot(first)
    assert nao.ask(frame(seq=1)).seq == 1
    address = first.address
    first.close()
    start(reader, listen=address)
    assert nao.ask(frame(seq=2)).seq == 2


def test_idle_connections_that_never_speak_keep_nobody_out(start, robot, reader):
    server = start(reader)
    mute = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100)]
    assert robot(server).ask(frame()).error is None
    for connection in mute:
        connection.sendall(np.random.default_rng(0).bytes(2000))
    assert robot(server).ask(frame()).error is None
    for connection in mute:
        connection.close()


def test_a_port_in_use_is_a_sentence(start, reader, events):
    address = start(reader).address
    with pytest.raises(ServerError, match=f"{address} is in use by another program"):
        Server(partial(InThread, reader), events, address)


def test_an_address_of_another_machine_is_a_sentence(reader, events):
    with pytest.raises(ServerError, match=r"cannot listen at tcp://192\.0\.2\.1:5 \("):
        Server(partial(InThread, reader), events, "tcp://192.0.2.1:5")


def test_an_open_link_is_pointed_out(start, reader, events):
    watching = events.subscribe()
    start(reader, listen="tcp://127.0.0.1:*")
    assert watching.take(0) == []
    start(reader, listen="tcp://0.0.0.0:*")
    (said,) = watching.take(0)
    assert said.level == "warning"
    assert "open to the network and PLAIN, without keys" in said.text


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("tcp://127.0.0.1:5555", True),
        ("tcp://localhost:5555", True),
        ("tcp://[::1]:5555", True),
        ("tcp://0.0.0.0:5555", False),
        ("tcp://*:5555", False),
        ("tcp://192.168.1.7:5555", False),
    ],
)
def test_loopback_is_told_from_the_network(address, expected):
    assert is_loopback(address) == expected
    assert enough_for(address) >= 1 and (enough_for(address) == 1 or not expected)


# ---- events ------------------------------------------------------------------------------------------


def test_a_subscriber_that_never_takes_keeps_only_the_newest_of_each_robot():
    events = Events()
    watching = events.subscribe()
    for seq in range(1000):
        events.publish(Answered("nao-1", frame(seq=seq), None, float(seq), b""))
        events.publish(Answered("nao-2", frame(seq=seq), None, float(seq), b""))
        events.publish(Said("info", str(seq), float(seq)))
    events.publish(Gone("nao-1", 1000.0))
    taken = watching.take(0)
    assert [e for e in taken if not isinstance(e, Said)] == [
        Answered("nao-2", frame(seq=999), None, 999.0, b""),
        Gone("nao-1", 1000.0),
    ]
    assert len(taken) < 200
    assert watching.take(0) == []


def test_a_closed_subscription_hears_no_more_and_a_wake_is_called_for_each_event():
    events = Events()
    woken = []
    watching = events.subscribe(wake=lambda: woken.append(1))
    events.publish(Gone("nao-1", 1.0))
    watching.close()
    events.publish(Gone("nao-2", 2.0))
    assert woken == [1]
    assert watching.take(0) == [Gone("nao-1", 1.0)]


# ---- the command -------------------------------------------------------------------------------------


@pytest.fixture
def own_signals():
    """Gives pytest its signals back after a command has run in its process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def serve(*arguments):
    """`serve` as a program of its own, and its first line."""
    program = subprocess.Popen(
        [sys.executable, "-u", "-m", "inference_server", "serve", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return program, program.stdout.readline()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_says_where_and_with_what_and_ends_at_a_signal(number):
    program, line = serve("--listen", "tcp://127.0.0.1:*", "--monitor", "127.0.0.1:0")
    try:
        model = settings.load().reader.model
        found = re.search(rf"serving at (tcp://127\.0\.0\.1:\d+) · {model} · ONNX Runtime .* http://127", line)
        assert found, line
        nao = Robot(found[1])
        assert nao.ask(frame()).error is None
        nao.socket.close()
        program.send_signal(number)
        rest, _ = program.communicate(timeout=5)
        assert program.returncode == 0
        assert "Traceback" not in rest
    finally:
        program.kill()


def test_what_a_person_got_wrong_is_one_sentence_and_exit_code_2(start, reader, tmp_path, own_signals):
    taken = start(reader).address
    (tmp_path / "bad.yaml").write_text("server:\n  wokers: 2\n")
    cases = {
        f"--listen {taken} --no-monitor": "is in use by another program",
        "--listen nowhere": "server.listen",
        "--monitor 8080": "--monitor needs HOST:PORT, as in 127.0.0.1:8080",
        "--set reader.model=xrs-fer2014": "did you mean 'xrs-fer2013'",
        f"--config {tmp_path / 'bad.yaml'}": "did you mean 'workers'",
        f"--config {tmp_path / 'none.yaml'}": "cannot be read",
    }
    for arguments, sentence in cases.items():
        result = CliRunner().invoke(main, ["serve", *arguments.split()])
        assert result.exit_code == 2, arguments
        assert sentence in result.output, arguments
        assert "Traceback" not in result.output
        assert result.output.count("\n") == 1, result.output
