# -*- coding: utf-8 -*-
"""The line to the PC: first its decisions with time as an argument, then real ZeroMQ sockets."""

from __future__ import division, print_function

import socket

import pytest
import zmq

from config import contract
from config.contract import ContractError, Face, Order, Reading
from robot_app.camera import Picture
from robot_app.clock import now_s
from robot_app.link import BUSY_S, Link, Pace
from robot_app.notes import Notes
from robot_app.tell import Teller

SETTINGS = {"name": "nao", "in_flight": 1, "max_age_s": 0.5, "silence_s": 2.0}
PATIENCE_S = 20.0
REST = {"doing": None, "mood": None}
FACE = Face(1, [10.0, 10.0, 80.0, 80.0], 0.9, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])


def asked(pace, at_s):
    """Ask at `at_s` with a picture taken then, and send it; gives the seq."""
    seq = pace.ask(at_s)
    pace.sent(seq, at_s)
    return seq


# Decisions


def test_credit_of_one_lets_one_frame_go_until_its_answer():
    pace = Pace(1, 0.5, 2.0)
    assert pace.may_ask(0.0)
    seq = asked(pace, 0.0)
    assert not pace.may_ask(0.1)
    assert pace.heard(seq, 0.1) == ("fresh", 0.1)
    assert pace.may_ask(0.1)


def test_while_frames_wait_at_the_pc_one_under_way_is_enough():
    pace = Pace(3, 0.5, 2.0)
    for seq in (1, 2):
        pace.sent(seq, 0.0)
    assert pace.may_ask(0.1)
    assert pace.heard(1, 0.1, waited_s=2 * BUSY_S) == ("fresh", 0.1)
    assert not pace.may_ask(0.1)
    pace.heard(2, 0.2, waited_s=2 * BUSY_S)
    assert pace.may_ask(0.2)
    pace.sent(3, 0.2)
    assert not pace.may_ask(0.2)
    pace.heard(3, 0.3, waited_s=BUSY_S / 2)
    pace.sent(4, 0.3)
    assert pace.may_ask(0.3)


def test_an_answer_older_than_max_age_is_stale_by_our_own_clock():
    pace = Pace(1, 0.5, 2.0)
    seq = asked(pace, 10.0)
    assert pace.heard(seq, 10.6)[0] == "stale"
    assert pace.may_ask(10.6)


def test_the_same_answer_twice_counts_once():
    pace = Pace(1, 0.5, 2.0)
    seq = asked(pace, 0.0)
    assert pace.heard(seq, 0.1)[0] == "fresh"
    assert pace.heard(seq, 0.1)[0] == "unasked"


def test_a_later_answer_overtakes_an_earlier_frame_and_frees_its_credit():
    pace = Pace(2, 0.5, 2.0)
    first, second = asked(pace, 0.0), asked(pace, 0.05)
    assert not pace.may_ask(0.06)
    assert pace.heard(second, 0.1)[0] == "fresh"
    assert pace.may_ask(0.1)
    assert pace.heard(first, 0.12) == ("overtaken", None)
    assert pace.heard(first, 0.13) == ("unasked", None)


def test_silence_is_told_once_per_silence_s_and_gives_the_credit_back():
    pace = Pace(1, 0.5, 2.0)
    asked(pace, 0.0)
    assert not pace.gone_silent(1.9)
    assert pace.gone_silent(2.0)
    assert pace.is_silent
    assert pace.may_ask(2.0)
    assert not pace.gone_silent(3.9)
    assert pace.gone_silent(4.0)


def test_an_answer_ends_the_silence():
    pace = Pace(1, 0.5, 2.0)
    asked(pace, 0.0)
    assert pace.gone_silent(2.0)
    seq = asked(pace, 2.1)
    pace.heard(seq, 2.2)
    assert not pace.is_silent
    assert not pace.gone_silent(100.0)


def test_frames_that_cannot_even_leave_are_silence_too():
    pace = Pace(1, 0.5, 2.0)
    for eighth in range(16):
        assert pace.may_ask(eighth / 8)
        pace.ask(eighth / 8)
        pace.unsent(eighth / 8)
        assert not pace.may_ask(eighth / 8 + 0.05)
        assert not pace.gone_silent(eighth / 8)
    assert pace.gone_silent(2.0)


def test_a_robot_that_asks_nothing_is_not_answered_and_that_is_no_silence():
    assert not Pace(1, 0.5, 2.0).gone_silent(1000.0)


@pytest.mark.parametrize("code, pause_s", [("wrong_version", 1.0), ("bad_image", 1.0), ("not_ready", 0.2)])
def test_after_an_answer_that_refuses_our_frames_the_next_one_waits(code, pause_s):
    pace = Pace(1, 0.5, 2.0)
    seq = asked(pace, 0.0)
    assert pace.heard(seq, 0.1, code)[0] == "error"
    assert not pace.may_ask(0.1 + 0.9 * pause_s)
    assert pace.may_ask(0.1 + 1.1 * pause_s)


def test_a_failure_inside_the_pc_holds_nothing_up():
    pace = Pace(1, 0.5, 2.0)
    seq = asked(pace, 0.0)
    pace.heard(seq, 0.1, "internal")
    assert pace.may_ask(0.1)


def test_a_refusal_that_cannot_name_the_frame_gives_all_credit_back():
    pace = Pace(2, 0.5, 2.0)
    asked(pace, 0.0)
    asked(pace, 0.1)
    assert pace.heard(0, 0.2, "bad_header") == ("error", None)
    assert pace.may_ask(1.3)


# Sockets


class Lines(object):
    """A stream that keeps what is printed."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


class Pc(object):
    """The other end of the line: a ROUTER that answers when the test says so."""

    def __init__(self, context, port=0):
        self.socket = context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.LINGER, 0)
        if port:
            self.socket.bind("tcp://127.0.0.1:%d" % port)
        else:
            port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self.port = port

    def frame(self):
        """(who, Frame) of the next message."""
        assert self.socket.poll(int(PATIENCE_S * 1000)), "no frame came"
        parts = self.socket.recv_multipart()
        return parts[0], contract.decode_frame(parts[1:])

    def answer(self, who, reading):
        self.send(who, contract.encode_reading(reading))

    def send(self, who, parts):
        self.socket.send_multipart([who] + list(parts))


@pytest.fixture
def context():
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def pc(context):
    return Pc(context)


class Ends(object):
    """A Link to a Pc with everything one may want to look at."""

    def __init__(self, port, **changes):
        self.lines = Lines()
        self.notes = Notes()
        self.link = Link("tcp://127.0.0.1:%s" % port, dict(SETTINGS, **changes), Teller(self.lines), self.notes)

    def ask(self):
        """Send a picture as soon as the line takes one."""
        until_s = now_s() + PATIENCE_S
        before = self.notes.frames
        while self.notes.frames == before and now_s() < until_s:
            if self.link.may_ask(now_s()):
                self.link.ask(picture(now_s()), REST, now_s())
            self.link.answer(0.01, now_s)
        assert self.notes.frames == before + 1, "no frame could be sent"

    def hear(self, enough):
        """Listen until `enough()`; gives the last Reading that may move the robot, or None."""
        until_s, last = now_s() + PATIENCE_S, None
        while not enough() and now_s() < until_s:
            last = self.link.answer(0.01, now_s) or last
        assert enough(), "it did not come: " + self.lines.text
        return last


@pytest.fixture
def ends(pc):
    ends = Ends(pc.port)
    yield ends
    ends.link.close()


def picture(taken_s):
    return Picture(taken_s, 4, 2, "gray8", b"12345678")


def reading(frame, faces=(), orders=(), error=None):
    return Reading(frame.seq, frame.taken_s, list(faces), list(orders), {}, "xrs", error)


def test_a_frame_reaches_the_pc_and_its_answer_comes_back(pc, ends):
    ends.ask()
    who, frame = pc.frame()
    assert (frame.seq, frame.width, frame.height, bytes(frame.image)) == (1, 4, 2, b"12345678")
    pc.answer(who, reading(frame, [FACE]))
    heard = ends.hear(lambda: ends.notes.readings == 1)
    assert heard.faces == [FACE]
    assert ends.lines.text == ""


def test_the_next_frame_says_how_old_the_last_answer_was(pc, ends):
    ends.ask()
    who, frame = pc.frame()
    assert frame.answer_age_s is None
    pc.answer(who, reading(frame))
    ends.hear(lambda: ends.notes.readings == 1)
    ends.ask()
    assert pc.frame()[1].answer_age_s >= 0


def test_a_stale_answer_moves_nothing_but_it_may_still_stop_the_robot(pc):
    ends = Ends(pc.port, max_age_s=0.0)
    ends.ask()
    who, frame = pc.frame()
    pc.answer(who, reading(frame, [FACE], [Order("play", 1, "cheer"), Order("stop", 2)]))
    assert ends.hear(lambda: ends.notes.dropped["stale"] == 1) is None
    assert ends.link.orders() == [Order("stop", 2)]
    assert ends.link.orders() == []
    ends.link.close()


def test_a_repeated_answer_is_dropped_with_its_orders(pc, ends):
    ends.ask()
    who, frame = pc.frame()
    for _ in range(2):
        pc.answer(who, reading(frame, [], [Order("pause", 1)]))
    ends.hear(lambda: ends.notes.dropped["unasked"] == 1)
    assert ends.link.orders() == [Order("pause", 1)]
    assert ends.notes.readings == 1


def test_an_absent_pc_is_told_once_in_a_sentence_and_its_return_too(context):
    absent = socket.socket()
    absent.bind(("127.0.0.1", 0))  # taken, so nobody else listens there: it refuses
    port = absent.getsockname()[1]
    ends = Ends(port, silence_s=0.2)
    silences = []

    def silent_thrice():
        if ends.link.may_ask(now_s()):
            ends.link.ask(picture(now_s()), REST, now_s())
        if ends.link.is_silent and ends.lines.text:
            silences.append(1)
        return len(silences) > 60

    ends.hear(silent_thrice)
    assert ends.lines.text.count("no answer from tcp://127.0.0.1:%d" % port) == 1
    assert ends.notes.frames == 0, "a frame was queued for a PC that is not there; it would arrive old"

    absent.close()
    back = Pc(context, port)
    until_s = now_s() + PATIENCE_S
    while ends.notes.readings == 0 and now_s() < until_s:
        if ends.link.may_ask(now_s()):
            ends.link.ask(picture(now_s()), REST, now_s())
        if back.socket.poll(10):
            who, frame = back.frame()
            back.answer(who, reading(frame))
        ends.link.answer(0.01, now_s)
    assert not ends.link.is_silent
    assert ends.lines.text.count("answers.") == 1
    ends.link.close()


def test_after_a_silence_the_robot_comes_back_on_a_new_connection(pc):
    ends = Ends(pc.port, silence_s=0.2)
    ends.ask()
    before, _ = pc.frame()
    ends.hear(lambda: ends.link.is_silent)
    ends.ask()
    after, frame = pc.frame()
    assert after != before
    pc.answer(before, reading(frame._replace(seq=1)))  # the old connection reaches nobody
    pc.answer(after, reading(frame))
    assert ends.hear(lambda: ends.notes.readings == 1).seq == 2
    assert not ends.notes.dropped
    ends.link.close()


def test_a_pc_of_another_version_is_told_once_and_not_flooded(pc, ends):
    for _ in range(2):
        ends.ask()
        who, _ = pc.frame()
        pc.send(who, [b"emotion/9", b"{}"])
        ends.hear(lambda: ends.notes.dropped["unreadable"] == 1)
        assert not ends.link.may_ask(now_s())
        ends.notes.dropped.clear()
    assert ends.lines.text.count("emotion/9") == 1
    assert "update" in ends.lines.text


def test_an_error_reading_is_told_once_and_gone_when_all_is_well(pc, ends):
    problem = ("internal", "the PC failed.")
    for times in (1, 2):
        ends.ask()
        who, frame = pc.frame()
        pc.answer(who, reading(frame, error=problem))
        ends.hear(lambda times=times: ends.notes.dropped["error"] == times)
    assert ends.lines.text.count("the PC failed.") == 1
    ends.ask()
    who, frame = pc.frame()
    pc.answer(who, reading(frame))
    ends.hear(lambda: ends.notes.readings == 1)
    assert ends.lines.text.count("answers.") == 1


@pytest.mark.parametrize("code", sorted(contract.CODES))
def test_every_refusal_of_the_pc_gives_a_sentence_and_moves_nothing(pc, ends, code):
    ends.ask()
    who, _ = pc.frame()
    pc.answer(who, contract.refusal(ContractError(code, contract.CODES[code])))
    assert ends.hear(lambda: ends.notes.dropped["error"] == 1) is None
    assert contract.CODES[code] in ends.lines.text


def test_an_address_that_is_none_is_refused_with_a_sentence():
    with pytest.raises(ValueError) as refused:
        Link("192.168.1.5:5555", SETTINGS, Teller(Lines()), Notes())
    assert "tcp://192.168.1.5:5555" in str(refused.value)


def test_only_what_was_seen_within_max_age_may_move_the_robot(pc):
    ends = Ends(pc.port, max_age_s=0.5)
    assert ends.link.is_young(10.0, 10.5)
    assert not ends.link.is_young(10.0, 10.501)
    ends.link.close()


# Several PCs


def test_after_a_while_without_an_answer_the_next_pc_is_to_be_asked_and_owes_nothing():
    pace = Pace(1, 0.5, 2.0, hop_s=0.8)
    asked(pace, 0.0)
    assert not pace.to_another(0.7)
    assert pace.to_another(0.8)
    assert pace.may_ask(0.8)
    asked(pace, 0.9)
    assert not pace.to_another(1.5)
    assert pace.to_another(1.6)
    assert pace.gone_silent(2.0)


def test_a_pc_that_is_never_ready_is_left_for_another_and_one_that_answers_is_not():
    pace = Pace(1, 0.5, 2.0, hop_s=0.8)
    for tenth in range(8):
        pace.heard(asked(pace, tenth / 10), tenth / 10, "not_ready")
        assert not pace.to_another(tenth / 10)
    assert pace.to_another(0.8)
    for tenth in range(10, 30):
        pace.heard(asked(pace, tenth / 10), tenth / 10)
        assert not pace.to_another(tenth / 10)


def test_where_there_is_one_pc_it_is_never_left():
    pace = Pace(1, 0.5, 2.0)
    asked(pace, 0.0)
    assert not pace.to_another(100.0)


def test_when_one_pc_falls_silent_its_robot_is_at_the_next_and_comes_round_again(context):
    one, two = Pc(context), Pc(context)
    ends = Ends("%d,tcp://127.0.0.1:%d" % (one.port, two.port))

    def answered_by(pc, count):
        while pc.socket.poll(0):
            who, frame = pc.frame()
            pc.answer(who, reading(frame))  # one of an earlier connection reaches nobody
        return ends.notes.readings == count

    for count, (pc, other) in enumerate(((one, two), (two, one), (one, two)), 1):
        ends.ask()
        ends.hear(lambda pc=pc, count=count: answered_by(pc, count))
        address = "tcp://127.0.0.1:%d" % pc.port
        assert ends.link.address == address
        ends.ask()  # and is not answered
        ends.hear(lambda address=address: ends.link.address != address)
        assert not ends.link.is_silent
        assert "%s does not answer; tcp://127.0.0.1:%d is asked." % (address, other.port) in ends.lines.text
    ends.link.close()


def test_of_several_addresses_each_must_be_one():
    with pytest.raises(ValueError) as refused:
        Link("tcp://127.0.0.1:5555,192.168.1.5:5555", SETTINGS, Teller(Lines()), Notes())
    assert "192.168.1.5:5555 came" in str(refused.value)
