"""The two doctors: each usual cause of a robot that does not react is made here, and named by one of them."""

import os
import socket
import subprocess
import sys
import threading
import time
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import zmq

from config import keys, settings
from inference_server import doctor as pc_doctor
from robot_app import doctor
from robot_app.robots import Robot
from robot_app.virtual.hand_clock import HandClock
from robot_app.virtual.nao import VirtualNAO
from robot_app.virtual.session import InProcessSession

ROOT = Path(__file__).parents[2]
CHOSEN = settings.load()
ROBOT = CHOSEN.robot.model_dump(mode="json")


def texts(findings, grade):
    return [text for its, text in findings if its == grade]


# The robot's doctor, on a virtual NAO


class Black:
    """What a camera with its cap on sees."""

    def picture(self, t_s):
        return np.zeros((480, 640, 3), np.uint8)

    def close(self):
        """Nothing to let go of."""


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def nao(clock):
    nao = VirtualNAO(clock=clock)
    yield nao
    nao.close()


@pytest.fixture
def examined(nao):
    """A function that has the robot examined: [(grade, text)]."""
    sessions = []

    def examine(epoch_s=time.time, **changed):
        sessions.append(InProcessSession(nao))
        robot = Robot(lambda ended: sessions[-1], "the virtual NAO")
        robot.connect()
        return list(doctor.look_at_robot(robot, {**ROBOT, **changed}, time.monotonic, epoch_s))

    yield examine
    for session in sessions:
        session.close()


def test_a_healthy_robot_has_no_bad_finding_and_is_left_as_it_was(nao, examined):
    before = (dict(nao.angles), dict(nao.stiffnesses), nao.life)
    found = examined()
    assert texts(found, "BAD") == [] and len(texts(found, "ok")) >= 5
    assert nao["ALVideoDevice"].getSubscribers() == []
    assert (nao.angles, nao.stiffnesses, nao.life) == before


def lies_down(nao):
    nao.lying, nao.awake = "LyingBelly", False  # as after a fall


def without_voice(nao):
    nao["VirtualNAO"].setLanguages([])


def without_stiffness(nao):
    nao.stiffnesses["LElbowRoll"] = 0.0


def in_safeguard(nao):
    nao.life = "safeguard"


def with_an_activity(nao):
    nao.life = "interactive"


def hot(nao):
    nao["VirtualNAO"].heat(["LShoulderPitch"])


def nearly_empty(nao):
    nao["VirtualNAO"].charge(7)


def muted(nao):
    nao["ALAudioDevice"].setOutputVolume(0)


@pytest.mark.parametrize(
    ("fault", "part"),
    [
        (lies_down, "the robot lies down (LyingBelly): set it on its feet"),
        (without_voice, "no voice at all"),
        (without_stiffness, "no stiffness and will not move: LElbowRoll"),
        (in_safeguard, "safeguard"),
        (with_an_activity, "runs an activity"),
        (hot, "these are hot: LShoulderPitch"),
        (nearly_empty, "the battery holds 7 %; plug"),
        (muted, "the robot is silent"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_fault_of_the_robot_is_the_one_bad_finding(nao, examined, fault, part):
    fault(nao)
    (text,) = texts(examined(), "BAD")
    assert part in text


def test_a_language_without_a_voice_is_named_with_those_that_there_are(examined):
    (text,) = texts(examined(language="Chinese"), "BAD")
    assert "no voice for Chinese" in text and "English, French" in text


def test_places_at_the_camera_that_a_crashed_app_left_are_counted(nao, examined):
    nao["VirtualNAO"].leak("nao-emotion", 8)
    nao["VirtualNAO"].leak("theirs", 6)
    notes = texts(examined(), "note")
    assert any("8 places at the camera are held as nao-emotion" in text for text in notes)
    assert any("leaked all 6 places of theirs" in text for text in notes)
    assert len(nao["ALVideoDevice"].getSubscribers()) == 14


def test_a_dark_camera_and_a_wrong_clock_are_notes(nao, examined):
    nao.camera = Black()
    notes = texts(examined(epoch_s=lambda: time.time() + 3600), "note")
    assert any("is dark" in text for text in notes)
    assert any("clock is 3600 s behind" in text or "clock is 3599 s behind" in text for text in notes)


def test_a_robot_that_is_lost_half_way_ends_the_examination_with_a_sentence(nao):
    session = InProcessSession(nao)
    robot = Robot(lambda ended: session, "the virtual NAO")
    robot.connect()
    found = doctor.look_at_robot(robot, ROBOT, time.monotonic, time.time)
    next(found)
    session.close()
    assert [grade for grade, _ in found] == ["BAD"]


# The robot's doctor, on the way to the PC


class Listener:
    """A TCP port that says one thing to everybody, or nothing."""

    def __init__(self, says=b""):
        self._says = says
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            with line:
                line.recv(1000)
                line.sendall(self._says)

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


def asked(address):
    (finding,) = doctor.look_at_server(address, ROBOT, time.monotonic)
    return finding


def test_a_pc_without_a_server_refuses_and_the_finding_says_how_to_start_one():
    listener = Listener()
    listener.close()
    grade, text = asked(listener.address)
    assert grade == "BAD" and "refuses" in text and "--listen tcp://0.0.0.0" in text


def test_another_program_at_the_port_is_told_from_an_inference_server():
    listener = Listener(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    grade, text = asked(listener.address)
    listener.close()
    assert grade == "BAD" and "taken by another program" in text


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("udp://10.0.0.1:5555", "needs an address like"),
        ("tcp://10.0.0.1", "needs an address like"),
        ("tcp://no-such-machine.invalid:5555", "no machine called no-such-machine.invalid"),
    ],
)
def test_an_address_that_leads_nowhere_is_a_finding(address, part):
    grade, text = asked(address)
    assert grade == "BAD" and part in text


def test_silence_is_put_down_to_the_firewall():
    assert "open TCP port 5555" in doctor.unreached(TimeoutError("timed out"), "10.0.0.1", 5555)


def test_a_server_that_wants_a_key_which_this_robot_lacks_is_a_finding():
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.curve_server = True
    router.curve_secretkey = zmq.curve_keypair()[1]
    port = router.bind_to_random_port("tcp://127.0.0.1")
    grade, text = asked(f"tcp://127.0.0.1:{port}")
    context.destroy(linger=0)
    assert grade == "BAD" and "asks for a key" in text


def test_the_pcs_doctor_tells_who_is_let_in_and_which_file_others_can_read(tmp_path):
    server = CHOSEN.server.model_copy(update={"keys": str(tmp_path)})
    assert pc_doctor.look_at_keys(server).grade == "note" and not list(tmp_path.iterdir())
    keys.of_pc(str(tmp_path))
    keys.allow(str(tmp_path), "lab-nao", "ab" * 32)
    assert pc_doctor.look_at_keys(server) == ("ok", f"the keys in {tmp_path} let in: lab-nao.")
    os.chmod(tmp_path / "robots.txt", 0o644)
    grade, text = pc_doctor.look_at_keys(server)
    assert grade == "BAD" and "chmod 600" in text
    assert "without keys" in pc_doctor.look_at_keys(server.model_copy(update={"plain": True})).text


def test_a_zeromq_program_that_does_not_answer_pictures_is_told(monkeypatch):
    monkeypatch.setattr(doctor, "ANSWER_S", 0.3)
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    grade, text = asked(f"tcp://127.0.0.1:{port}")
    context.destroy(linger=0)
    assert grade == "BAD" and "does not answer a picture" in text


def test_a_clock_that_stands_in_1970_is_a_note_and_one_that_goes_is_nothing():
    (finding,) = doctor.look_at_clock(60.0)
    assert finding.grade == "note" and "1970-01-01" in finding.text
    assert list(doctor.look_at_clock(time.time())) == list(pc_doctor.look_at_clock(time.time())) == []


@pytest.mark.parametrize("which", [doctor, pc_doctor])
def test_one_bad_finding_makes_the_exit_code_1(which):
    out = StringIO()
    assert which.report([which.good("a."), which.note("b.")], out) == 0
    assert which.report([which.good("a."), which.bad("c.")], out) == 1
    assert "BAD   c.\n1 found that will keep it from working.\n" in out.getvalue()


# The PC's doctor


def pc(*words):
    """`python -m inference_server doctor` as a person runs it: (exit code, all that was said)."""
    command = [sys.executable, "-m", "inference_server", "doctor", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_a_port_that_is_taken_is_named_with_the_program_that_has_it():
    listener = Listener()
    port = listener.address.rpartition(":")[2]
    grade, text = pc_doctor.look_at_port("robots", "127.0.0.1", int(port), "--listen X")
    listener.close()
    assert grade == "BAD" and f"is taken by process {os.getpid()} (" in text and "--listen X" in text


def test_an_address_that_this_machine_does_not_have_is_a_finding():
    grade, text = pc_doctor.look_at_port("robots", "203.0.113.9", 0, "--listen X")
    assert grade == "BAD" and "no address of this machine" in text


def test_a_server_for_this_machine_alone_is_a_note_that_says_how_robots_get_in():
    grade, text = pc_doctor.look_at_way("127.0.0.1", 5555, None)
    assert grade == "note" and "--listen tcp://0.0.0.0:5555" in text


def test_the_pc_tells_the_address_that_the_robot_needs():
    grade, text = pc_doctor.look_at_way("0.0.0.0", 5555, "127.0.0.1")
    assert grade == "ok" and "tcp://127.0.0.1:5555; give it that as --server" in text


def test_a_firewall_that_is_on_is_named_with_the_command_that_opens_it(tmp_path, monkeypatch):
    (tmp_path / "ufw").mkdir()
    (tmp_path / "ufw" / "ufw.conf").write_text("ENABLED=yes\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    (finding,) = pc_doctor.look_at_firewall(5555, tmp_path)
    assert finding.grade == "note" and "sudo ufw allow 5555/tcp" in finding.text
    (tmp_path / "ufw" / "ufw.conf").write_text("ENABLED=no\n")
    asks = tmp_path / "firewall-cmd"
    asks.write_text('#!/bin/sh\n[ "$1" = --state ] && echo running || echo no\n')
    asks.chmod(0o755)
    (finding,) = pc_doctor.look_at_firewall(5555, tmp_path)
    assert finding.grade == "BAD" and "--add-port=5555/tcp" in finding.text


def test_a_robot_whose_naoqi_does_not_listen_is_a_finding():
    listener = Listener()
    listener.close()
    ((grade, text),) = pc_doctor.look_at_robot(listener.address)
    assert grade == "BAD" and "NAOqi does not run on it" in text


def test_the_command_examines_all_and_ends_with_0_where_nothing_is_in_the_way():
    code, said = pc("--listen", "tcp://127.0.0.1:*", "--monitor", "127.0.0.1:0")
    assert code == 0, said
    assert "reads an empty picture" in said and "for robots, is free" in said


def test_a_network_that_is_not_in_the_zoo_is_a_bad_finding_and_a_slip_is_a_sentence():
    code, said = pc(
        "--listen", "tcp://127.0.0.1:*", "--monitor", "127.0.0.1:0", "--set", "reader.model=nothing"
    )
    assert code == 1 and "faces cannot be read" in said and "Traceback" not in said
    code, said = pc("--listen", "nonsense")
    assert code == 2 and "server.listen" in said and "Traceback" not in said
