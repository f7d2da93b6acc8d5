"""`python -m robot_app.virtual` starts, serves a client in another process, and ends when it is told to."""

import ctypes
import json
import os
import platform
import signal
import subprocess
import sys
import threading

import pytest

pytest.importorskip("qi", reason="there is no qi wheel for this Python or machine")

PATIENCE_S = 30
TGKILL = 234

CLIENT = """
import sys, qi
session = qi.Session()
session.connect(sys.argv[1])
video = session.service("ALVideoDevice")
handle = video.subscribeCamera("client", 0, 2, 13, 15)
image = video.getImageRemote(handle)
assert len(image) == 12 and bytes(image[6]) == b"\\x80" * 640 * 480 * 3, image[:6]
motion = session.service("ALMotion")
move = motion.angleInterpolation(["LShoulderPitch", "RHand"], [[0.5], [1.0]], [[60], [60]], True, _async=True)
session.service("ALTextToSpeech").say("one")
motion.killTask(motion.getTaskList()[0][1])
move.value()
video.unsubscribe(handle)
session.close()
"""


def program(*arguments):
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "robot_app.virtual", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def address_of(running):
    """The address in the line that the program prints when it is ready."""
    watchdog = threading.Timer(PATIENCE_S, running.kill)
    watchdog.start()
    line = running.stdout.readline()
    watchdog.cancel()
    assert line.startswith("virtual NAO listens at tcp://"), line + running.stderr.read()
    return line.split()[4].rstrip(",")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_within_three_seconds_of_a_signal_though_a_client_is_busy(number, tmp_path):
    running = program(
        "--listen", "tcp://127.0.0.1:0", "--camera", "none", "--diary", str(tmp_path / "diary.jsonl")
    )
    busy = "\n".join((CLIENT.split("video =")[0], 'session.service("ALTextToSpeech").say("\\\\pau=60000\\\\")'))
    client = subprocess.Popen([sys.executable, "-c", busy, address_of(running)], stderr=subprocess.DEVNULL)
    try:
        wait_for_line(tmp_path / "diary.jsonl", "began")
        running.send_signal(number)
        assert running.wait(3) == 0
        client.wait(PATIENCE_S)
    finally:
        running.kill()
        client.kill()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the number of tgkill is known for x86_64 alone")
def test_a_signal_that_comes_to_another_of_its_threads_ends_it_too():
    """As the kernel may choose, right after SIGSTOP and SIGCONT: then the main thread is not eligible yet."""
    running = program("--listen", "tcp://127.0.0.1:0", "--camera", "none")
    try:
        address_of(running)
        other = next(int(task) for task in os.listdir(f"/proc/{running.pid}/task") if int(task) != running.pid)
        assert ctypes.CDLL(None).syscall(TGKILL, running.pid, other, signal.SIGINT) == 0
        assert running.wait(3) == 0
    finally:
        running.kill()


def wait_for_line(path, event):
    """Until the diary file holds a line of this event, by following the file with `tail`."""
    tail = subprocess.Popen(["tail", "-F", "-n", "+1", str(path)], stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(PATIENCE_S, tail.kill)
    watchdog.start()
    try:
        assert any(json.loads(line)["event"] == event for line in tail.stdout), "the diary holds no such line."
    finally:
        watchdog.cancel()
        tail.kill()


def test_a_client_in_another_process_sees_moves_and_speaks_and_the_diary_tells_it(tmp_path):
    diary = tmp_path / "diary.jsonl"
    running = program("--listen", "tcp://127.0.0.1:0", "--camera", "none", "--diary", str(diary))
    try:
        subprocess.run([sys.executable, "-c", CLIENT, address_of(running)], check=True, timeout=PATIENCE_S)
    finally:
        running.send_signal(signal.SIGTERM)
    assert running.wait(PATIENCE_S) == 0
    lines = [json.loads(line) for line in diary.read_text().splitlines()]
    told = [(line["event"], line["method"], line.get("how")) for line in lines if "task" in line]
    assert told == [
        ("began", "angleInterpolation", None),
        ("began", "say", None),
        ("ended", "say", "done"),
        ("ended", "angleInterpolation", "killed"),
    ]
    assert lines[-1]["calls"] == {"ALVideoDevice.getImageRemote": 1}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--camera", "gone.mp4"], "there is no gone.mp4"),
        (["--camera", "webcam:99"], "no webcam 99 answers"),
        (["--camera", "none", "--diary", "/nowhere/diary.jsonl"], "the diary cannot be written"),
        (["--camera", "none", "--listen", "udp://127.0.0.1:0"], "cannot listen at udp://127.0.0.1:0"),
        (["--resolution"], "No such option"),
    ],
)
def test_bad_input_gives_one_sentence_and_exit_code_two(arguments, sentence):
    running = program("--listen", "tcp://127.0.0.1:0", *arguments)
    out, err = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 2 and sentence in err and "Traceback" not in err and out == ""


def test_without_the_qi_wheel_it_says_what_to_do(tmp_path):
    without = (
        "import sys, importlib.util as u; find = u.find_spec;"
        "u.find_spec = lambda name, *rest: None if name == 'qi' else find(name, *rest);"
        "sys.argv = ['virtual', '--camera', 'none'];"
        "from robot_app.virtual.__main__ import main; main()"
    )
    ended = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True, timeout=PATIENCE_S)
    assert ended.returncode == 2 and "--robot virtual" in ended.stderr and "Traceback" not in ended.stderr
