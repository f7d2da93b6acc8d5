# -*- coding: utf-8 -*-
"""A line with keys: it opens to the PC it was paired with, and where it does not, a sentence says why."""

from __future__ import division, print_function

import os
import stat

import pytest
import zmq
from test_link import PATIENCE_S, SETTINGS, Lines, Pc, picture, reading

from config import keys
from robot_app import handshake
from robot_app.clock import now_s
from robot_app.link import Link
from robot_app.notes import Notes
from robot_app.tell import Teller


class Doorkeeper(object):
    """A PC with keys: a Pc whose ROUTER asks who comes, and the ZAP that answers with `status`."""

    def __init__(self, context, where, status=b"200"):
        self.status = status
        self.zap = context.socket(zmq.REP)
        self.zap.bind("inproc://zeromq.zap.01")
        pair = keys.of_pc(where)
        self.public = pair["public"]
        self.pc = Pc(Guarded(context, pair["secret"]))
        self.port = self.pc.port

    def attend(self):
        while self.zap.poll(0):
            request = self.zap.recv_multipart()
            self.zap.send_multipart(request[:2] + [self.status, b"", b"nao", b""])


class Guarded(object):
    """In place of a context: its sockets ask for keys."""

    def __init__(self, context, secret):
        self._context, self._secret = context, secret

    def socket(self, kind):
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_SECRETKEY, keys.raw(self._secret))
        socket.setsockopt(zmq.ZAP_DOMAIN, b"emotion")
        return socket


class Robot(object):
    """A Link with keys, or without, that waits `silence_s` for an answer, and what it said."""

    def __init__(self, port, pair, silence_s=0.4):
        self.lines, self.notes = Lines(), Notes()
        address = "tcp://127.0.0.1:%d" % port
        settings = dict(SETTINGS, silence_s=silence_s)
        self.link = Link(address, settings, Teller(self.lines), self.notes, pair)

    def go_on(self, enough, attend):
        """Live until `enough()`."""
        until_s = now_s() + PATIENCE_S
        while not enough() and now_s() < until_s:
            attend()
            if self.link.may_ask(now_s()):
                self.link.ask(picture(now_s()), {"doing": None, "mood": None}, now_s())
            self.link.answer(0.01, now_s)
        assert enough(), "it did not come: " + self.lines.text


@pytest.fixture
def context():
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def where(tmpdir):
    return str(tmpdir.join("keys"))


def test_a_paired_robot_is_answered(context, where):
    door = Doorkeeper(context, where)
    robot = Robot(door.port, keys.pair_robot(where, door.public), silence_s=PATIENCE_S)

    def attend():
        door.attend()
        if door.pc.socket.poll(0):
            who, frame = door.pc.frame()
            door.pc.answer(who, reading(frame))

    robot.go_on(lambda: robot.notes.readings >= 3, attend)
    robot.link.close()
    assert robot.lines.text == ""


def test_a_key_that_is_not_allowed_is_said_once_with_what_to_type_on_the_pc(context, where):
    door = Doorkeeper(context, where, status=b"400")
    pair = keys.pair_robot(where, door.public)
    robot = Robot(door.port, pair)
    robot.go_on(lambda: "does not allow" in robot.lines.text, door.attend)
    until_s = now_s() + 1.0
    robot.go_on(lambda: now_s() > until_s, door.attend)  # it tries again after each silence
    robot.link.close()
    assert robot.lines.text.count("\n") == 1, robot.lines.text
    assert "keys allow NAME " + pair["public"] in robot.lines.text
    assert not door.pc.socket.poll(0), "a picture reached a PC that had not let the robot in"


def test_after_it_was_allowed_it_is_answered_without_a_restart(context, where):
    door = Doorkeeper(context, where, status=b"400")
    robot = Robot(door.port, keys.pair_robot(where, door.public))
    robot.go_on(lambda: "does not allow" in robot.lines.text, door.attend)
    door.status = b"200"

    def attend():
        door.attend()
        if door.pc.socket.poll(0):
            who, frame = door.pc.frame()
            door.pc.answer(who, reading(frame))

    robot.go_on(lambda: robot.notes.readings > 0, attend)
    robot.link.close()
    assert robot.lines.text.rstrip().endswith("answers.")


def test_another_pc_than_the_one_it_was_paired_with_is_said(context, where, tmpdir):
    door = Doorkeeper(context, where)
    other = keys.of_pc(str(tmpdir.join("other")))["public"]
    robot = Robot(door.port, keys.pair_robot(where, other))
    robot.go_on(lambda: "is not the PC that this robot was paired with" in robot.lines.text, door.attend)
    robot.link.close()
    assert keys.fingerprint(other) in robot.lines.text


def test_a_pc_that_asks_for_keys_where_the_robot_has_none_is_said(context, where):
    door = Doorkeeper(context, where)
    robot = Robot(door.port, None)
    robot.go_on(lambda: "asks for a key" in robot.lines.text, door.attend)
    robot.link.close()


def test_a_pc_without_keys_gets_no_picture_from_a_robot_that_has_them(context, where):
    plain = Pc(context)
    robot = Robot(plain.port, keys.pair_robot(where, keys.of_pc(where)["public"]))
    robot.go_on(lambda: "runs with --plain" in robot.lines.text, lambda: None)
    robot.link.close()
    assert not plain.socket.poll(0)


# When keys are needed


def test_the_line_is_plain_on_this_machine_and_where_the_settings_say_so(where):
    settings = {"keys": where, "plain": False}
    assert handshake.pair_for("tcp://127.0.0.1:5555", settings) is None
    assert handshake.pair_for("tcp://localhost:5555", settings) is None
    assert handshake.pair_for("tcp://192.0.2.7:5555", dict(settings, plain=True)) is None


def test_over_a_network_a_robot_that_was_never_paired_is_told_how(where):
    with pytest.raises(keys.KeysError) as refused:
        handshake.pair_for("tcp://192.0.2.7:5555", {"keys": where, "plain": False})
    assert "paired with no PC" in str(refused.value) and "--plain" in str(refused.value)


def test_over_a_network_a_paired_robot_uses_its_keys(where):
    pc = keys.of_pc(where)["public"]
    ours = keys.pair_robot(where, pc)
    assert handshake.pair_for("tcp://192.0.2.7:5555", {"keys": where, "plain": False}) == ours
    assert ours["pc"] == pc and len(set(ours.values())) == 3


def test_of_several_pcs_each_has_its_own_key_and_the_others_the_common_one(where):
    a, b, c = ("tcp://192.0.2.%d:5555" % n for n in (1, 2, 3))
    keys.pair_robot(where, "ab" * 32)
    keys.pair_robot(where, "cd" * 32, [b])
    found = [handshake.pair_for(server, {"keys": where, "plain": False})["pc"] for server in (a, b, c)]
    assert found == ["ab" * 32, "cd" * 32, "ab" * 32]


def test_pairing_anew_keeps_the_robots_own_key(where):
    first = keys.pair_robot(where, keys.of_pc(where)["public"])
    again = keys.pair_robot(where, "ab" * 32)
    assert (again["public"], again["pc"]) == (first["public"], "ab" * 32)
    path = os.path.join(where, keys.ROBOT)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


@pytest.mark.parametrize("key", ["", "ab" * 31, "AB" * 32, "zz" * 32, "ab" * 32 + "\n"])
def test_what_is_no_key_is_refused(where, key):
    with pytest.raises(keys.KeysError):
        keys.pair_robot(where, key)


def test_a_fingerprint_is_short_and_differs(where):
    one, other = keys.of_pc(where)["public"], keys.of_robot(where)["public"]
    assert len(keys.fingerprint(one)) == 24
    assert keys.fingerprint(one) != keys.fingerprint(other)
