"""What goes wrong at the door is one sentence that says what to do, never a traceback."""

import shutil
import socket
import subprocess
import sys

import pytest
import zmq
from programs import ROOT, Program, free_port

from config import contract, settings
from config.contract import Frame, decode_reading, encode_frame

QI = pytest.mark.skipif(
    subprocess.run([sys.executable, "-c", "import qi"], capture_output=True).returncode != 0,
    reason="no qi wheel for this Python",
)


def refused(*arguments, part, within_s=40):
    """The program ends with exit code 2 and says `part` in a line of its own."""
    with Program(*arguments) as program:
        assert program.wait(within_s) == 2, program.said
    assert "Traceback" not in program.said, program.said
    assert part in program.said, program.said


@QI
def test_a_robot_that_is_absent():
    address = f"tcp://127.0.0.1:{free_port()}"
    refused("robot_app", "--robot", address, "--server", "tcp://127.0.0.1:1", part=address)


@QI
def test_a_server_that_is_absent_is_named_and_waited_for(tmp_path):
    server = f"tcp://127.0.0.1:{free_port()}"
    arguments = ("--robot", "virtual", "--camera", "demo", "--server", server, "--seconds", 6)
    with Program("robot_app", *arguments) as program:
        line = program.wait_for_line(server + " ")
        while "answer" not in line:
            line = program.wait_for_line(server)
        assert program.wait(20) == 0
    assert "Traceback" not in program.said


@pytest.mark.parametrize("camera", ["no-such-file.mp4", "README.md", "webcam:97"])
def test_a_camera_that_is_not_there(camera):
    refused(
        "robot_app.virtual", "--listen", f"tcp://127.0.0.1:{free_port()}", "--camera", camera, part=camera[:6]
    )


def test_a_sheet_with_a_joint_that_nao_lacks(tmp_path):
    sheet = ROOT / "behaviors" / "repertoire" / "nod.yaml"
    wrong = tmp_path / sheet.name
    wrong.write_text(sheet.read_text().replace("HeadPitch", "HeadPich", 1))
    refused("behaviors", "check", "--sheets", tmp_path, part="HeadPitch")


@pytest.mark.parametrize("spoil", ["altered", "missing"])
def test_weights_that_are_not_what_the_card_says(tmp_path, spoil):
    name = settings.load().reader.model
    for room in ("config", "behaviors", "inference_server", "models"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    weights = tmp_path / "models" / "zoo" / name / "model.onnx"
    if spoil == "missing":
        weights.unlink()
    else:
        weights.write_bytes(weights.read_bytes()[:-100])
    run = subprocess.run(
        [sys.executable, "-m", "inference_server", "serve", "--listen", "tcp://127.0.0.1:*", "--no-monitor"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 2
    assert "model.onnx" in run.stderr and "Traceback" not in run.stderr


@pytest.mark.parametrize("which", ["server", "monitor", "nao"])
def test_a_port_that_is_in_use(which):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        address = f"tcp://127.0.0.1:{port}"
        if which == "server":
            refused("inference_server", "serve", "--listen", address, "--no-monitor", part=str(port))
        elif which == "monitor":
            free = f"tcp://127.0.0.1:{free_port()}"
            refused(
                "inference_server", "serve", "--listen", free, "--monitor", f"127.0.0.1:{port}", part=str(port)
            )
        else:
            pytest.importorskip("qi")
            refused("robot_app.virtual", "--listen", address, "--camera", "none", part=str(port))


@pytest.fixture(scope="module")
def server():
    address = f"tcp://127.0.0.1:{free_port()}"
    with Program("inference_server", "serve", "--listen", address, "--no-monitor") as program:
        program.wait_for_line(address)
        yield address
        assert program.end() == 0, program.said
        assert "Traceback" not in program.said


def ask(address, parts):
    """Send parts as a robot would; gives the Reading."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as robot:
        robot.linger = 0
        robot.connect(address)
        robot.send_multipart(parts)
        assert robot.poll(10_000), "no answer within 10 s"
        return decode_reading(robot.recv_multipart())


def frame(encoding, image):
    return encode_frame(Frame(1, 1.0, 640, 480, encoding, "nao", None, None, None, image))


def test_a_broken_jpeg_is_answered_and_the_next_frame_is_read(server):
    assert ask(server, frame("jpeg", b"\xff\xd8 not a picture")).error[0] == "bad_image"
    assert ask(server, frame("gray8", bytes(640 * 480))).error is None


def test_another_version_of_the_contract_is_answered_with_what_to_do(server):
    _, header, image = frame("gray8", bytes(640 * 480))
    code, text = ask(server, [b"emotion/9", header, image]).error
    assert code == "wrong_version"
    assert "emotion/9" in text and contract.VERSION.decode() in text and "update" in text
