"""Workers as real processes: whatever becomes of one, robots are answered and nothing is left behind.

A stopped process (SIGSTOP) stands for one that hangs; a killed one for a crash in a library.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import zmq
from line import PATIENCE_S, Robot, frame, wait_for

from config import settings
from config.contract import encode_frame
from inference_server import worker
from inference_server import workers as workers_module
from inference_server.events import Events, Said
from inference_server.server import Server, ServerError
from inference_server.workers import Process

ROOT = Path(__file__).parents[2]


@contextmanager
def server(workers=1):
    """A running Server, a robot at its line, and a subscription to what it says; ended in the end."""
    events = Events()
    said = events.subscribe()
    with Server(partial(Process, settings.load().reader), events, "tcp://127.0.0.1:*", workers) as running:
        nao = Robot(running.address)
        try:
            yield running, nao, said
        finally:
            nao.socket.close()


def children(parent):
    """The process ids of a process's workers, the first-born first."""
    asked = ["pgrep", "-P", str(parent), "-f", "inference_server.worker "]
    return [int(pid) for pid in subprocess.run(asked, capture_output=True).stdout.split()]


def workers_now():
    """The workers of this test's own server."""
    return [pid for pid in children(os.getpid()) if is_there(pid)]


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_worker_that_dies_over_a_frame_is_replaced_and_the_robot_told():
    with server() as (_, nao, said):
        assert nao.ask(frame(seq=1)).error is None
        (pid,) = workers_now()
        os.kill(pid, signal.SIGSTOP)
        nao.send(frame(seq=2))
        nao.ask([b"emotion/0", b"", b""])  # 2 has come before it
        said.take(0)
        os.kill(pid, signal.SIGKILL)
        answer = nao.hear()
        assert (answer.seq, answer.error[0]) == (2, "internal")
        sentence = "worker 1 ended by SIGKILL while it read a frame of nao-1; another takes its place."
        assert wait_for(said, Said).text == sentence
        assert nao.ask(frame(seq=3)).error[0] == "not_ready"
        assert nao.ask_until_ready(frame(seq=4)).error is None
        assert len(workers_now()) == 1
    assert not workers_now()


def test_a_worker_that_hangs_is_ended_and_replaced(monkeypatch):
    monkeypatch.setattr(workers_module, "HUNG_S", 0.1)
    with server() as (_, nao, said):
        os.kill(workers_now()[0], signal.SIGSTOP)
        assert nao.ask(frame(seq=1)).error[0] == "internal"
        assert any("has read one frame for 0.1 s" in event.text for event in said.take(0))
        monkeypatch.undo()
        assert nao.ask_until_ready(frame(seq=2)).error is None


def test_the_other_workers_robots_notice_nothing_of_a_dead_one():
    with server(workers=2) as (running, nao, _):
        other = Robot(running.address)
        assert nao.ask(frame(seq=1)).error is None
        first = workers_now()[0]
        os.kill(first, signal.SIGSTOP)
        assert [other.ask(frame(seq=seq)).seq for seq in (1, 2, 3)] == [1, 2, 3]
        os.kill(first, signal.SIGKILL)
        assert [other.ask(frame(seq=seq)).seq for seq in (4, 5, 6)] == [4, 5, 6]
        other.socket.close()


def test_a_reader_that_cannot_be_opened_is_a_sentence_and_leaves_nothing_behind():
    wrong = settings.load(overrides=["reader.model=xrs-fer2014"]).reader
    with pytest.raises(ServerError, match="did you mean 'xrs-fer2013'"):
        Server(partial(Process, wrong), Events(), "tcp://127.0.0.1:*", 2)
    assert not workers_now()


def test_workers_end_with_a_server_that_was_killed():
    program = subprocess.Popen(
        [sys.executable, "-m", "inference_server", "serve", "--listen", "tcp://127.0.0.1:*", "--no-monitor"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert "1 worker on" in program.stdout.readline()
    (pid,) = children(program.pid)
    program.kill()
    program.communicate()
    until = time.monotonic() + PATIENCE_S
    while is_there(pid):
        assert time.monotonic() < until, "the worker lives on"


def test_a_worker_ends_whose_server_died_over_a_frame(tmp_path):
    context, (lifeline, held) = zmq.Context(), os.pipe()
    socket, servers_end = context.socket(zmq.DEALER), context.socket(zmq.DEALER)
    gone = socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    socket.bind(f"ipc://{tmp_path}/worker")
    servers_end.connect(f"ipc://{tmp_path}/worker")
    servers_end.send_multipart([b"nao", b"0.0", *encode_frame(frame())])

    class Reader:
        def read(self, *_):
            servers_end.close(linger=0)
            assert gone.poll(PATIENCE_S * 1000)
            os.close(held)
            raise RuntimeError("nobody is left to hear of it")

    try:
        worker.work(Reader(), socket, lifeline)
    finally:
        os.close(lifeline)
        socket.disable_monitor()
        context.destroy(linger=0)
