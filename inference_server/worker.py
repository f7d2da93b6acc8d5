"""A worker: one reader in a process of its own, on one core, answering the frames that the server hands it.

    python -m inference_server.worker ipc:///tmp/nao-emotion-x/worker-1-1      only the server starts it

Design   one frame at a time and one thread. What it knows of a robot, where its faces were, may be lost.
         stdin    first line: the reader's settings as JSON; its end, also when the server dies, ends the worker
         stdout   words, each a line of JSON: {"model", "runtime"} when it is ready, or {"failed": why it cannot
                  be}; kserve_worker.py has one more. Its end tells the server that the worker has ended
Wire     DEALER to DEALER; the robot's own message parts go through untouched.
         server -> worker   [robot_id, came_s, version, header, image]   read this; came_s by time.monotonic()
                            [robot_id]                                   the robot is gone: forget it
         worker -> server   [robot_id, nth, version, header]             its Reading; frames of that robot that
                                                                         its reader had seen before
"""

import contextlib
import json
import logging
import os
import sys
import time
from collections import Counter
from functools import partial

import zmq

from config.contract import ContractError, Reading, decode_frame, encode_reading, refusal

log = logging.getLogger("inference_server")


def main(open_=None) -> None:
    """Open the reader that stdin describes, say so, and work until stdin ends.

    open_    gives the reader from the line of stdin and say(**word); None: a reader that asks nobody
    """
    logging.basicConfig(format="%(message)s", level="WARNING")
    words = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no word to the server
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.bind(sys.argv[1])
    try:
        reader = (open_ or _open)(sys.stdin.readline(), partial(say, words))
    except ValueError as error:  # each of the rooms' errors is one, and says what a person can do
        say(words, failed=str(error))
        sys.exit(2)
    say(words, model=reader.model, runtime=reader.runtime)
    work(reader, socket, sys.stdin.fileno())
    socket.close(linger=0)
    context.term()


def say(words: int, **word: str) -> None:
    """A word to the server, in one piece, by any thread."""
    os.write(words, json.dumps(word).encode() + b"\n")


def _open(line: str, _):
    """The reader of these settings, warm. The slow imports are in here."""
    from config.settings import ReaderSettings
    from inference_server.runtime import open_reader

    return open_reader(ReaderSettings.model_validate_json(line))


def work(reader, socket: zmq.Socket, lifeline: int) -> None:
    """Answer what comes on `socket` until the file `lifeline` ends."""
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN)
    poller.register(lifeline, zmq.POLLIN)
    seen: Counter[bytes] = Counter()  # frames of each robot, since the reader knows of it
    while lifeline not in dict(poller.poll()):
        robot_id, *parts = socket.recv_multipart()
        if parts:
            came_s, *parts = parts
            reading = read(reader, robot_id.decode(), float(came_s), parts)
            with contextlib.suppress(zmq.Again):  # the server is gone, and so will be the lifeline
                answer = [robot_id, b"%d" % seen[robot_id], *encode_reading(reading)]
                socket.send_multipart(answer, zmq.DONTWAIT)
            seen[robot_id] += reading.error is None or reading.error[0] == "internal"
        else:
            reader.forget(robot_id.decode())
            seen.pop(robot_id, None)


def read(reader, robot_id: str, came_s: float, parts: list[bytes]) -> Reading:
    """The Reading of one frame; a fault of ours becomes one with an error, and its traceback is logged."""
    started_s = time.monotonic()
    frame = decode_frame(parts)  # the server has refused what breaks the contract
    try:
        reading = reader.read(frame, robot_id, came_s)
    except Exception:
        log.exception("server: reading a frame of %s failed", robot_id)
        fault = ContractError("internal", "the PC failed while reading this frame; its log says why.")
        reading = refusal(fault, frame.seq, frame.taken_s)
    reading.timings_ms["wait"] = (started_s - came_s) * 1e3
    return reading


if __name__ == "__main__":
    main()
