"""A robot's end of the line for tests of the server: frames to send, answers to wait for."""

import time

import zmq

from config.contract import Frame, decode_reading, encode_frame

PATIENCE_S = 60.0  # also on a machine that is busy with something else
GRAY = bytes(64 * 48)


def frame(seq=1, image=GRAY, robot="nao", encoding="gray8", size=(64, 48)):
    return Frame(seq, seq / 10, *size, encoding, robot, None, None, None, image)


class Robot:
    """A robot's end of the line: DEALER, no identity."""

    def __init__(self, address):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(address)

    def send(self, message):
        self.socket.send_multipart(encode_frame(message) if isinstance(message, Frame) else message)

    def hear(self, within_s=PATIENCE_S):
        assert self.socket.poll(within_s * 1000), "no answer came"
        return decode_reading(self.socket.recv_multipart())

    def ask(self, message):
        self.send(message)
        return self.hear()

    def ask_until_ready(self, message):
        """As a robot does it: again after each "not_ready"."""
        while (answer := self.ask(message)).error and answer.error[0] == "not_ready":
            self.socket.poll(50)
        return answer


def wait_for(subscription, kind):
    """The next event of this kind."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        for event in subscription.take(timeout_s=0.5):
            if isinstance(event, kind):
                return event
    raise AssertionError(f"no {kind.__name__} came")
