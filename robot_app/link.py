# -*- coding: utf-8 -*-
"""The line to the PC: a Frame goes out, the freshest Reading comes back, and nothing ever queues.

Design   `Pace` decides (credit, liveness, age) and holds neither socket nor clock; `Link` owns the socket.
Threads  none; one thread uses a Link.
Time     the robot's own clock, given as an argument; an answer's age is now less when we took that picture.
PCs      of several, the next one is asked after HOP_S without an answer of use, and kept while it answers.
Safety   an answer that is too old, twice here, overtaken or never asked for does not reach the robot.

The socket options are those measured to be fresh again soonest after a lost network or a restarted PC:
one waiting message, no queue before a connection stands, and a new socket after a silence.
"""

from __future__ import division, print_function

from collections import deque

import zmq

from config import contract
from robot_app.handshake import Handshake

# After an answer that says our frames are no use, the next one waits this long, s. By code; else at once.
HOLD_S = {"wrong_version": 1.0, "bad_header": 1.0, "bad_image": 1.0, "too_large": 1.0, "not_ready": 0.2}
BUSY_S = 0.02  # of waiting for its turn at the PC, from which on a frame shows that the PC has enough of them
HOP_S = 0.8  # without an answer of use, after which another PC is asked, where there is one
UNREACHED_S = 0.1  # after a frame that found no connection: no picture is taken for nothing meanwhile
ACTED_ON = ("fresh", "error")  # verdicts whose orders all count: a broken camera keeps no order away
MAX_ANSWER_BYTES = 64 * 1024

OPTIONS = (
    (zmq.SNDHWM, 1),
    (zmq.IMMEDIATE, 1),
    (zmq.LINGER, 0),
    (zmq.CONNECT_TIMEOUT, 1000),
    (zmq.RECONNECT_IVL, 100),
    (zmq.RECONNECT_IVL_MAX, 1000),
    (zmq.HEARTBEAT_IVL, 1000),
    (zmq.HEARTBEAT_TIMEOUT, 3000),
    (zmq.MAXMSGSIZE, MAX_ANSWER_BYTES),
)


def addresses(server):
    """Those in a text like tcp://192.168.1.5:5555,tcp://192.168.1.6:5555; raises ValueError for none."""
    found = [address.strip() for address in server.split(",") if address.strip()]
    if not found:
        raise ValueError("--server needs an address like tcp://192.168.1.5:5555; none came.")
    return found


class Pace(object):
    """When to ask, which answers count, and when the line is dead."""

    def __init__(self, in_flight, max_age_s, silence_s, hop_s=None):
        self.is_silent = False  # from a silence of `silence_s` until the next answer
        self._in_flight = in_flight
        self._max_age_s = max_age_s
        self._silence_s = silence_s
        self._hop_s = hop_s  # None: there is no other PC
        self._seq = 0  # of the last frame sent; ours begin at 1, 0 is a frame that the PC could not read
        self._waiting = {}  # seq: taken_s
        self._overtaken = deque(maxlen=16)  # seqs given up because a later one was answered
        self._quiet_since_s = None  # since when we have wanted an answer in vain
        self._unserved_since_s = None  # the same, for an answer that is not "not_ready"
        self._hold_until_s = None
        self._is_busy = False  # the PC; then more frames under way would only be thrown away there

    def may_ask(self, now_s):
        """Whether a frame may go now: credit is left, and the PC did not ask for patience."""
        held = self._hold_until_s is not None and now_s < self._hold_until_s
        return len(self._waiting) < (1 if self._is_busy else self._in_flight) and not held

    def ask(self, now_s):
        """The seq of the next frame; from now on an answer is wanted, whether the frame gets through or not."""
        if self._quiet_since_s is None:
            self._quiet_since_s = now_s
        if self._unserved_since_s is None:
            self._unserved_since_s = now_s
        return self._seq + 1

    def sent(self, seq, taken_s):
        self._seq = seq
        self._waiting[seq] = taken_s

    def unsent(self, now_s):
        self._hold_until_s = now_s + UNREACHED_S

    def heard(self, seq, now_s, code=None, waited_s=0.0):
        """Judge an answer that came with this seq and error code: (verdict, age_s or None).

        waited_s   for how long the frame waited at the PC
        Verdicts: fresh, stale, overtaken (a later one was answered before), unasked (or here twice), error.
        """
        self.is_silent = False
        self._is_busy = waited_s > BUSY_S
        self._quiet_since_s = None
        if code != "not_ready":
            self._unserved_since_s = None
        if code is not None:
            self._hold_until_s = now_s + HOLD_S.get(code, 0.0)
        if seq in self._overtaken:
            self._overtaken.remove(seq)
            return "overtaken", None
        taken_s = self._waiting.pop(seq, None)
        if taken_s is None:
            if code is not None:  # it cannot say which frame it could not read
                self._waiting.clear()
                return "error", None
            return "unasked", None
        for older in [waiting for waiting in self._waiting if waiting < seq]:
            del self._waiting[older]
            self._overtaken.append(older)
        if self._waiting:
            self._quiet_since_s = now_s
        age_s = now_s - taken_s
        if code is not None:
            return "error", age_s
        return ("stale" if age_s > self._max_age_s else "fresh"), age_s

    def gone_silent(self, now_s):
        """True once per `silence_s` without an answer: the line is to be opened anew, and owes us nothing."""
        if self._quiet_since_s is None or now_s - self._quiet_since_s < self._silence_s:
            return False
        self.is_silent = True
        self._quiet_since_s = now_s
        self._owe_nothing()
        return True

    def to_another(self, now_s):
        """True once per `hop_s` without an answer of use: the next PC is to be asked, and owes us nothing."""
        if (
            self._hop_s is None
            or self._unserved_since_s is None
            or now_s - self._unserved_since_s < self._hop_s
        ):
            return False
        self._unserved_since_s = now_s
        self._hold_until_s = None
        self._owe_nothing()
        return True

    def _owe_nothing(self):
        self._waiting.clear()
        self._overtaken.clear()


class Link(object):
    """A Pace on a ZeroMQ socket. `tell(topic, sentence)` is for a person, `notes` for the summary.

    server   an address, or several with commas between
    pair     the keys, as handshake.pair_for gives them; None for a plain line. With several addresses, a list
    Raises ValueError where an address is none.
    """

    def __init__(self, server, settings, tell, notes, pair=None):
        self._addresses = addresses(server)
        self._pairs = pair if isinstance(pair, list) else [pair] * len(self._addresses)
        self._turn = 0  # which of them is asked
        self._max_age_s = settings["max_age_s"]
        self._name = settings["name"]
        self._tell = tell
        self._notes = notes
        hop_s = HOP_S if len(self._addresses) > 1 else None
        self._pace = Pace(settings["in_flight"], settings["max_age_s"], settings["silence_s"], hop_s)
        self._answer_age_s = None
        self._orders = []
        self._context = zmq.Context()
        self._socket = self._handshake = None
        try:
            for turn in reversed(range(len(self._addresses))):
                self._turn = turn
                self._open()
        except zmq.ZMQError as error:
            self.close()
            raise ValueError(
                "--server needs an address like tcp://192.168.1.5:5555; %s came: %s." % (self.address, error)
            )

    @property
    def address(self):
        """Of the PC that is asked now."""
        return self._addresses[self._turn]

    @property
    def is_silent(self):
        """Whether the PC has not answered for `silence_s`."""
        return self._pace.is_silent

    def may_ask(self, now_s):
        return self._pace.may_ask(now_s)

    def is_young(self, taken_s, now_s):
        """Whether a picture that was taken then may still move the robot."""
        return now_s - taken_s <= self._max_age_s

    def ask(self, picture, state, now_s):
        """Send a camera.Picture, if the PC can be reached at all; never waits.

        state: what else the Frame says, {"doing": ..., "mood": ...} and whatever of contract.SELDOM there is
        """
        seq = self._pace.ask(now_s)
        frame = contract.Frame(
            seq, picture.taken_s, picture.width, picture.height, picture.encoding,
            robot=self._name, answer_age_s=self._answer_age_s, image=picture.image, **state
        )  # fmt: skip
        try:
            self._socket.send_multipart(contract.encode_frame(frame), zmq.DONTWAIT)
        except zmq.Again:
            self._pace.unsent(now_s)
            return
        self._pace.sent(seq, picture.taken_s)
        self._notes.frame(picture.taken_s)

    def answer(self, wait_s, clock):
        """The freshest Reading that may move the robot, or None; waits at most `wait_s` for one.

        Looks after the line too: after a silence it is opened anew.
        """
        freshest = None
        wait_ms = int(wait_s * 1000)
        while self._socket.poll(wait_ms):
            wait_ms = 0
            freshest = self._judge(self._socket.recv_multipart(), clock()) or freshest
        trouble = self._handshake.look()
        if trouble:
            self._tell("pc", trouble)
        if self._pace.gone_silent(clock()):
            silence = (
                "no answer from %s; is the server started there, and its firewall open for port %s? Trying on."
            )
            asked = " and ".join(self._addresses)
            self._tell("pc", trouble or silence % (asked, self.address.rsplit(":", 1)[-1]))
            if len(self._addresses) == 1:
                self._open()
        if self._pace.to_another(clock()):
            self._hop()
        return freshest

    def orders(self):
        """The operator's Orders that came since the last call, in their order.

        Of an answer that is too old, those alone that calm the robot: others come again while they are wanted.
        """
        orders, self._orders = self._orders, []
        return orders

    def close(self):
        self._close_socket()
        self._context.term()

    def _hop(self):
        """Ask the next PC."""
        before = self.address
        self._turn = (self._turn + 1) % len(self._addresses)
        if not self.is_silent:
            self._tell("pc", "%s does not answer; %s is asked." % (before, self.address))
        self._open()

    def _open(self):
        self._close_socket()
        self._socket = self._context.socket(zmq.DEALER)
        for option, value in OPTIONS:
            self._socket.setsockopt(option, value)
        self._handshake = Handshake(self._socket, self.address, self._pairs[self._turn])
        self._socket.connect(self.address)

    def _close_socket(self):
        if self._handshake is not None:
            self._handshake.close()
        if self._socket is not None:
            self._socket.close(linger=0)

    def _judge(self, parts, now_s):
        """The Reading in `parts` if it is to be acted on, else None; counted and told either way."""
        try:
            reading = contract.decode_reading(parts)
        except contract.ContractError as error:
            self._pace.heard(0, now_s, error.code)
            self._notes.dropped["unreadable"] += 1
            self._tell("pc", "the answer of %s cannot be read: %s" % (self.address, error.text))
            return None
        code = reading.error[0] if reading.error else None
        waited_s = reading.timings_ms.get("wait", 0.0) / 1e3
        verdict, age_s = self._pace.heard(reading.seq, now_s, code, waited_s)
        if verdict != "unasked":
            self._orders += [o for o in reading.orders if verdict in ACTED_ON or o.what in contract.CALMING]
        if age_s is not None:
            self._answer_age_s = max(age_s, 0.0)
            self._notes.answer(age_s)
        if reading.error:
            self._tell("pc", "%s could not read our picture (%s): %s" % ((self.address,) + reading.error))
        elif self._tell.last("pc") is not None and verdict == "fresh":
            self._tell("pc", "%s answers." % self.address)
        if verdict != "fresh":
            self._notes.dropped[verdict] += 1
            return None
        self._notes.readings += 1
        return reading
