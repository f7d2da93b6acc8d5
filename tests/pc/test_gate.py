"""Over a network a robot is its key: who has none that is allowed reaches nothing, and is told so.

Real ZeroMQ with CURVE on loopback; the server is the real one, a thread stands where a worker's process stands.
"""

import contextlib
import os
import stat
import time

import pytest
import zmq
from click.testing import CliRunner
from line import PATIENCE_S, frame, wait_for
from line import Robot as Plain
from test_server import Gate as Held
from test_server import InThread

from config import keys
from config.contract import decode_reading, encode_frame
from inference_server import server as server_module
from inference_server.__main__ import main
from inference_server.events import Answered, Events, Said
from inference_server.rates import Rates
from inference_server.server import Complaints, Server


def knock(robot):
    """Send a frame; who was refused before it was sent has no connection left that would take it."""
    with contextlib.suppress(zmq.Again):
        robot.socket.send_multipart(encode_frame(frame()), zmq.NOBLOCK)


class Robot(Plain):
    """A robot's end with keys; `where` is its folder, `pc` the server's public key."""

    def __init__(self, server, where, pc):
        pair = keys.pair_robot(str(where), pc)
        self.key = pair["public"]
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        for option, key in (
            (zmq.CURVE_SERVERKEY, pc),
            (zmq.CURVE_PUBLICKEY, pair["public"]),
            (zmq.CURVE_SECRETKEY, pair["secret"]),
        ):
            self.socket.setsockopt(option, keys.raw(key))
        self.events = self.socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        self.socket.connect(f"tcp://127.0.0.1:{server.port}")

    def is_refused(self):
        """Waits for the handshake to be refused."""
        return bool(self.events.poll(PATIENCE_S * 1000))


class Door:
    """A server with keys, its folder, and the robots that came."""

    def __init__(self, tmp_path):
        self.where = str(tmp_path / "pc")
        self.tmp_path = tmp_path
        self.events = Events()
        self.watching = self.events.subscribe()
        self.held = Held()
        self.held.let_through.release(1000)
        self.pc = keys.of_pc(self.where)["public"]
        launch = lambda address: InThread(self.held, address)  # noqa: E731
        self.server = Server(launch, self.events, "tcp://127.0.0.1:*", 1, self.where)
        self.robots = []

    def robot(self, name, allowed=True):
        robot = Robot(self.server, self.tmp_path / name, self.pc) if not allowed else None
        if allowed:
            keys.allow(self.where, name, keys.of_robot(str(self.tmp_path / name))["public"])
            robot = Robot(self.server, self.tmp_path / name, self.pc)
        self.robots.append(robot)
        return robot

    def said(self, part):
        """Wait for a line of the log that holds `part`."""
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            for event in self.watching.take(timeout_s=0.2):
                if isinstance(event, Said) and part in event.text:
                    return event.text
        raise AssertionError(f"nobody said {part!r}")

    def close(self):
        for robot in self.robots:
            if hasattr(robot, "events"):
                robot.socket.disable_monitor()
                robot.events.close()
            robot.socket.close()
        self.server.close()


@pytest.fixture
def door(tmp_path):
    door = Door(tmp_path)
    yield door
    door.close()


def test_a_robot_with_an_allowed_key_is_answered_and_bears_the_name_it_was_allowed_under(door):
    assert door.robot("lab-nao").ask(frame(robot="anything")).error is None
    assert wait_for(door.watching, Answered).robot_id == "lab-nao"


def test_an_unknown_key_reaches_no_decoder_and_both_ends_learn_it(door):
    stranger = door.robot("stranger", allowed=False)
    knock(stranger)
    assert stranger.is_refused()
    text = door.said("is not allowed")
    assert f"keys allow NAME {stranger.key}" in text and "127.0.0.1" in text
    assert keys.fingerprint(stranger.key) in text
    assert door.held.read_seqs == [] and not stranger.socket.poll(0)


def test_who_comes_without_keys_or_with_those_of_another_pc_is_refused_and_the_log_says_so(door):
    plain = Plain(f"tcp://127.0.0.1:{door.server.port}")
    door.robots.append(plain)
    knock(plain)
    assert "without keys, or with those of another PC" in door.said("was refused")
    other = keys.of_pc(str(door.tmp_path / "other"))["public"]
    lost = Robot(door.server, door.tmp_path / "lost", other)
    door.robots.append(lost)
    assert door.robot("friend").ask(frame()).error is None  # nobody else is disturbed
    assert not lost.socket.poll(100) and not plain.socket.poll(0)


def test_allowing_and_revoking_a_key_needs_no_restart(door, monkeypatch):
    monkeypatch.setattr(server_module, "LOOK_ROUND_S", 0.05)
    stranger = door.robot("stranger", allowed=False)
    assert stranger.is_refused()
    keys.allow(door.where, "newcomer", stranger.key)
    friend = Robot(door.server, door.tmp_path / "stranger", door.pc)  # as its link does after a silence
    door.robots.append(friend)
    assert friend.ask(frame(seq=1)).error is None
    keys.revoke(door.where, "newcomer")
    until_s = time.monotonic() + PATIENCE_S
    while (error := friend.ask(frame(seq=2)).error) is None and time.monotonic() < until_s:
        friend.socket.poll(20)
    assert error[0] == "not_ready" and "allowed no more" in error[1]


def test_a_robot_that_returns_on_a_new_connection_has_its_name_and_orders_again(door):
    first = door.robot("nao")
    first.ask(frame(seq=1))
    again = Robot(door.server, door.tmp_path / "nao", door.pc)
    door.robots.append(again)
    assert again.ask(frame(seq=2)).error is None
    door.server.order("nao", "stop")
    assert [order.what for order in again.ask(frame(seq=3)).orders] == ["stop"]


def test_of_two_robots_with_one_key_the_newer_takes_over_and_the_older_is_told_why(door):
    older = door.robot("nao")
    assert older.ask(frame(seq=1)).error is None
    newer = Robot(door.server, door.tmp_path / "nao", door.pc)
    door.robots.append(newer)
    assert newer.ask(frame(seq=1)).error is None
    for seq in (2, 3):
        assert "another robot has the same key" in older.ask(frame(seq=seq)).error[1]
        assert newer.ask(frame(seq=seq)).error is None


def test_a_chosen_identity_makes_nobody_another_robot(door):
    """ZeroMQ's routing identity is a label of the connection, whatever a robot writes there."""
    one, _ = door.robot("one"), door.robot("two")
    one.ask(frame(seq=1))
    impostor = zmq.Context.instance().socket(zmq.DEALER)
    impostor.linger = 0
    impostor.setsockopt(zmq.IDENTITY, b"one")
    pair = keys.of_robot(str(door.tmp_path / "two"))
    for option, key in ((zmq.CURVE_SERVERKEY, door.pc), (zmq.CURVE_PUBLICKEY, pair["public"])):
        impostor.setsockopt(option, keys.raw(key))
    impostor.setsockopt(zmq.CURVE_SECRETKEY, keys.raw(pair["secret"]))
    impostor.connect(f"tcp://127.0.0.1:{door.server.port}")
    impostor.send_multipart(encode_frame(frame(seq=9, robot="one")))
    assert impostor.poll(PATIENCE_S * 1000)
    assert decode_reading(impostor.recv_multipart()).seq == 9
    told = [event.robot_id for event in door.watching.take(0) if isinstance(event, Answered)]
    assert set(told) <= {"one", "two"}
    assert one.ask(frame(seq=2)).error is None
    impostor.close()


# ---- how often -----------------------------------------------------------------------------------------


def test_who_sends_a_thousand_frames_a_second_is_heard_no_more_often_than_sixty(door):
    rates = Rates(per_s=60, burst=60)
    heard = sum(rates.take("flood", i / 1000) for i in range(10_000))
    assert 60 + 590 <= heard <= 60 + 610
    assert all(rates.take("calm", i / 15) for i in range(1000))


def test_a_flood_is_dropped_before_it_is_decoded_and_others_are_answered(door):
    flood, calm = door.robot("flood"), door.robot("calm")
    calm.ask(frame(seq=1))
    for _ in range(300):
        flood.send([b"emotion/1", b"not json", b""])
    assert "some are dropped" in door.said("flood sends more than 60 messages")
    assert calm.ask(frame(seq=2)).error is None


def test_senders_that_are_remembered_are_bounded():
    rates = Rates()
    for sender in range(5000):
        rates.take(sender, 0.0)
    assert len(rates._left) <= 1024


def test_complaints_that_are_told_apart_are_bounded():
    complaints = Complaints()
    told = [complaints.line(f"key {number}", "unknown", 0.0) for number in range(1000)]
    assert sum(line is not None for line in told) == 33
    assert complaints.line("key 2000", "unknown", 61.0)


# ---- the files -----------------------------------------------------------------------------------------


def test_what_is_written_is_for_its_owner_alone(tmp_path):
    where = tmp_path / "made" / "here"
    keys.of_pc(str(where))
    keys.pair_robot(str(where), keys.of_pc(str(where))["public"])
    keys.allow(str(where), "nao", keys.of_robot(str(where))["public"])
    assert stat.S_IMODE(where.stat().st_mode) == 0o700
    assert {path.name for path in where.iterdir()} == {"server.json", "robot.json", "robots.txt"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in where.iterdir())


@pytest.mark.parametrize("name", ["server.json", "robots.txt"])
def test_files_that_others_can_read_are_refused_with_what_to_do(tmp_path, name):
    keys.of_pc(str(tmp_path))
    keys.allow(str(tmp_path), "nao", "ab" * 32)
    os.chmod(tmp_path / name, 0o640)
    with pytest.raises(keys.KeysError, match=f"chmod 600 .*{name}"):
        keys.of_pc(str(tmp_path))
        keys.allowed(str(tmp_path))


@pytest.mark.parametrize(
    "text", ["nao", "nao " + "ab" * 31, "-rf " + "ab" * 32, "nao " + "AB" * 32, "\N{SNOWMAN} x", "a b c"]
)
def test_a_list_of_robots_that_cannot_be_meant_is_a_sentence(tmp_path, text):
    (tmp_path / "robots.txt").write_text(text)
    os.chmod(tmp_path / "robots.txt", 0o600)
    with pytest.raises(keys.KeysError, match=r"robots\.txt"):
        keys.allowed(str(tmp_path))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"public": "x", "secret": "y"}', '{"public": 5}'])
def test_a_broken_pair_of_keys_is_a_sentence(tmp_path, text):
    (tmp_path / "server.json").write_text(text)
    os.chmod(tmp_path / "server.json", 0o600)
    with pytest.raises(keys.KeysError, match=r"server\.json is not a pair of keys"):
        keys.of_pc(str(tmp_path))


def test_a_name_or_key_allowed_again_replaces_the_former(tmp_path):
    one, two = "ab" * 32, "cd" * 32
    keys.allow(str(tmp_path), "nao", one)
    keys.allow(str(tmp_path), "nao", two)
    assert keys.allowed(str(tmp_path)) == {two: "nao"}
    keys.allow(str(tmp_path), "renamed", two)
    assert keys.allowed(str(tmp_path)) == {two: "renamed"}
    with pytest.raises(keys.KeysError, match="there is no robot 'nao'; there are: renamed"):
        keys.revoke(str(tmp_path), "nao")


# ---- the command ---------------------------------------------------------------------------------------


def run(where, *words):
    result = CliRunner().invoke(main, ["keys", "--set", f"server.keys={where}", *words])
    assert "Traceback" not in result.output
    return result.exit_code, result.output


def test_the_command_shows_the_pcs_key_and_keeps_the_list(tmp_path):
    code, said = run(tmp_path)
    key = keys.of_pc(str(tmp_path))["public"]
    assert code == 0 and key in said and keys.fingerprint(key) in said
    assert "keys pair" in run(tmp_path, "list")[1]
    assert run(tmp_path, "allow", "lab-nao", "ab" * 32)[0] == 0
    assert keys.fingerprint("ab" * 32) in run(tmp_path, "list")[1]
    assert run(tmp_path, "revoke", "lab-nao")[0] == 0 and keys.allowed(str(tmp_path)) == {}
    assert f"--pair {key}" in run(tmp_path, "pair")[1]


@pytest.mark.parametrize(
    "words", [["allow", "nao", "abc"], ["allow", "two words", "ab" * 32], ["revoke", "nao"]]
)
def test_what_a_person_mistypes_is_one_sentence(tmp_path, words):
    code, said = run(tmp_path, *words)
    assert code == 2 and said.startswith("keys: ") and said.count("\n") == 1
