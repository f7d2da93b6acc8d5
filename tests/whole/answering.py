"""A PC's end that sees what a test tells it: it answers every frame at once, over real ZeroMQ."""

import threading

import zmq

from config import contract
from config.contract import EMOTIONS, Face, Order, Reading
from inference_server.orders import Waiting
from robot_app.clock import now_s

WAIT_S = 5.0


class Pc(threading.Thread):
    """Listens at `address` until `close`.

    emotion   what the one face in every picture shows; None: nobody is there
    frames    all frames so far
    """

    def __init__(self, emotion: str | None = None):
        super().__init__(daemon=True)
        self.emotion = emotion
        self.frames: list[contract.Frame] = []
        self._orders = Waiting()
        self._guard = threading.Lock()  # of the orders
        self._ordered = 0
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self.address = f"tcp://127.0.0.1:{self._socket.bind_to_random_port('tcp://127.0.0.1')}"
        self._over = threading.Event()
        self.start()

    def order(self, what: str, name: str | None = None) -> None:
        """Send an operator's order with every answer, as the server does, until the robot says it had it."""
        with self._guard:
            self._ordered += 1
            self._orders.add(Order(what, self._ordered, name), now_s())

    def run(self) -> None:
        while not self._over.is_set():
            if self._socket.poll(20):
                client, *parts = self._socket.recv_multipart()
                frame = contract.decode_frame(parts)
                self.frames.append(frame._replace(image=b""))
                self._socket.send_multipart([client, *contract.encode_reading(self._reading(frame))])
        self._context.destroy(linger=0)

    def _reading(self, frame: contract.Frame) -> Reading:
        scores = [float(name == self.emotion) for name in EMOTIONS]
        faces = [Face(1, [0.0, 0.0, 90.0, 90.0], 0.9, scores)] if self.emotion else []
        with self._guard:
            self._orders.settle(frame.done or [], now_s())
            orders = self._orders.riding()
        return Reading(frame.seq, frame.taken_s, faces, orders, {}, "told", None)

    def close(self) -> None:
        """Go away: from now on nobody answers."""
        self._over.set()
        self.join(WAIT_S)

    def __enter__(self) -> "Pc":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
