"""What a hostile or broken neighbour does to the server, as a program: python -m tests.faults.attack KIND ...

    idle HOST PORT COUNT         so many TCP connections that never speak, opened again when they are closed
    wrong_keys SERVER PC_KEY     a hundred handshakes a second, each with a new key
    flood SERVER FOLDER          a thousand frames a second, with an allowed key
    bomb SERVER FOLDER           JPEGs that say they are 32000 x 32000 px, with an allowed key
    huge SERVER FOLDER           messages of 100 MB, with an allowed key

Prints "attacking" when it begins, goes on until something comes on its stdin, and prints how much it did.
"""

import select
import socket
import sys
import time

import numpy as np
import simplejpeg
import zmq
from zmq.utils import z85

from config import keys
from config.contract import Frame, encode_frame
from tests.faults.robots import QVGA

HUGE_BYTES = 100_000_000


def over() -> bool:
    return bool(select.select([sys.stdin], [], [], 0)[0])


def line(context: zmq.Context, server: str, pair: dict) -> zmq.Socket:
    dealer = context.socket(zmq.DEALER)
    dealer.linger = 0
    dealer.setsockopt(zmq.CURVE_SERVERKEY, keys.raw(pair["pc"]))
    dealer.setsockopt(zmq.CURVE_PUBLICKEY, keys.raw(pair["public"]))
    dealer.setsockopt(zmq.CURVE_SECRETKEY, keys.raw(pair["secret"]))
    dealer.connect(server)
    return dealer


def paced(per_s: float):
    """Yield so many times a second, until it is over."""
    due_s = time.monotonic()
    while not over():
        yield
        due_s += 1 / per_s
        time.sleep(max(0.0, due_s - time.monotonic()))


def idle(host: str, port: str, count: str) -> int:
    open_ones: list[socket.socket] = []
    done = 0
    print("attacking", flush=True)
    for _ in paced(100):
        closed = [one for one in open_ones if readable(one)]
        for one in closed:
            open_ones.remove(one)
            one.close()
        for _ in range(min(100, int(count) - len(open_ones))):
            try:
                open_ones.append(socket.create_connection((host, int(port)), 2.0))
                done += 1
            except OSError:
                break
    return done


def readable(one: socket.socket) -> bool:
    """Whether the other end has closed a connection that says nothing (but ZeroMQ's greeting)."""
    try:
        return one.recv(100, socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def wrong_keys(server: str, pc: str) -> int:
    context, done, lines = zmq.Context(), 0, []
    print("attacking", flush=True)
    for _ in paced(100):
        public, secret = (keys.text(z85.decode(key)) for key in zmq.curve_keypair())
        lines.append(line(context, server, {"public": public, "secret": secret, "pc": pc}))
        done += 1
        if len(lines) > 50:
            lines.pop(0).close()
    return done


def send(server: str, folder: str, per_s: float, parts: list[bytes]) -> int:
    dealer, done = line(zmq.Context(), server, keys.of_robot(folder)), 0
    print("attacking", flush=True)
    for _ in paced(per_s):
        try:
            dealer.send_multipart(parts, zmq.DONTWAIT)
            done += 1
        except zmq.Again:
            pass
        while dealer.poll(0):
            dealer.recv_multipart()
    return done


def frame(image: bytes, width: int, height: int) -> list[bytes]:
    return encode_frame(Frame(1, 0.0, width, height, "jpeg", "attack", None, None, None, image))


def one_jpeg() -> bytes:
    return simplejpeg.encode_jpeg(np.full((QVGA[1], QVGA[0], 1), 128, np.uint8), 80, "GRAY")


def flood(server: str, folder: str) -> int:
    return send(server, folder, 1000, frame(one_jpeg(), *QVGA))


def bomb(server: str, folder: str) -> int:
    image = one_jpeg()
    at = image.index(b"\xff\xc0") + 5
    side = (32000).to_bytes(2, "big")
    return send(server, folder, 30, frame(image[:at] + side + side + image[at + 4 :], 1280, 960))


def huge(server: str, folder: str) -> int:
    version, header, _ = frame(b"x", *QVGA)
    return send(server, folder, 2, [version, header, bytes(HUGE_BYTES)])


KINDS = {act.__name__: act for act in (idle, wrong_keys, flood, bomb, huge)}

if __name__ == "__main__":
    print(f"did {KINDS[sys.argv[1]](*sys.argv[2:])}", flush=True)
