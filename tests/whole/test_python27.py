"""The robot's end under a real Python 2.7, from the very folder that a NAO gets, in the whole loop.

CPython 2.7.18 with qi 1.8.3 and pyzmq 19.0.2 talks to the virtual NAO over libqi and to the server over
ZeroMQ; both of them run this Python. `tests/robot/make_py27.sh` makes the old one.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from programs import ROOT, Program, free_port

from robot_app.package.__main__ import ROBOT_FILES

RUN = ROOT / ".venv27" / "run"

pytest.importorskip("qi", reason="no qi wheel for this Python: there is no virtual NAO to connect to")
pytestmark = pytest.mark.skipif(
    not RUN.exists(), reason="no .venv27: make it with tests/robot/make_py27.sh (it needs a Python 2.7)"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """build/robot as the README makes it, somewhere without the repository around it."""
    out = tmp_path_factory.mktemp("nao") / "robot"
    made = subprocess.run(
        [sys.executable, "-m", "robot_app.package", "--out", out], cwd=ROOT, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    return out


def on_robot(folder, *arguments, **more):
    """A process of the robot's Python that sees nothing but the folder."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.Popen(
        ["./start", *map(str, arguments)],
        cwd=folder,
        env=dict(environment, PYTHON=str(RUN)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **more,
    )


def test_the_folder_holds_what_a_robot_needs_and_nothing_for_a_pc(folder):
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    rooms = {name.split("/")[0] for name in there}
    assert rooms == {"start", *ROBOT_FILES}
    assert {"config/robot.json", "behaviors/behaviors.json", "robot_app/__main__.py"} <= there
    assert not any("virtual" in name or name.endswith((".yaml", ".pyc")) for name in there)


def test_every_file_in_the_folder_is_imported_by_python_2_7(folder):
    modules = sorted(
        str(path.relative_to(folder).with_suffix("")).replace("/", ".").removesuffix(".__init__")
        for path in folder.rglob("*.py")
    )
    program = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    run = subprocess.run([RUN, "-c", program, *modules], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_the_files_are_python_2_7_by_their_text_too(folder):
    vermin = shutil.which("vermin", path=os.path.dirname(sys.executable)) or pytest.skip(
        "vermin is not installed"
    )
    files = sorted(path for path in folder.rglob("*.py") if path.name != "__init__.py")
    run = subprocess.run([vermin, "-t=2.7-", "-t=3.10-", "--no-tips", *files], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_a_robot_that_is_absent_is_a_sentence_on_2_7_too(folder):
    address = f"tcp://127.0.0.1:{free_port()}"
    app = on_robot(folder, "--robot", address, "--server", "tcp://127.0.0.1:1")
    said, _ = app.communicate(timeout=30)
    assert app.returncode == 2, said
    assert address in said and "Traceback" not in said


@pytest.mark.parametrize("number", [None, signal.SIGTERM], ids=["its seconds are over", "SIGTERM"])
def test_python_2_7_sees_a_face_on_the_virtual_nao_and_reacts(folder, tmp_path, number):
    server, nao = f"tcp://127.0.0.1:{free_port()}", f"tcp://127.0.0.1:{free_port()}"
    diary, summary = tmp_path / "diary.jsonl", tmp_path / "summary.json"
    with (
        Program("robot_app.virtual", "--listen", nao, "--camera", "demo", "--diary", diary) as body,
        Program("inference_server", "serve", "--listen", server, "--no-monitor") as brain,
    ):
        body.wait_for_line("listens")
        brain.wait_for_line(server)
        seconds = ["--seconds", 15] if number is None else []
        app = on_robot(folder, "--robot", nao, "--server", server, "--json", summary, *seconds)
        if number is not None:
            wait_until(lambda: "angleInterpolation" in diary.read_text(), app)
            app.send_signal(number)
        said, _ = app.communicate(timeout=60)
        assert app.returncode == 0, said
        assert "Traceback" not in said
        assert brain.end() == 0 and body.end() == 0
    told = json.loads(summary.read_text())
    assert told["frames"] >= told["readings"] > 5, said
    assert told["reactions"], said
    assert told["answer_age_ms"]["p50"] < 500
    lines = [json.loads(line) for line in diary.read_text().splitlines()]
    assert any(line.get("method") == "angleInterpolation" and line["event"] == "began" for line in lines)
    assert any(line.get("method") == "fadeRGB" for line in lines)
    if number is None:
        assert any(line.get("method") == "say" for line in lines)
    assert any(line.get("method") == "unsubscribe" for line in lines)


def wait_until(ready, app, within_s=40):
    """Poll until `ready()`; fails where the app ends first."""
    until = time.monotonic() + within_s
    while not ready():
        assert app.poll() is None, app.communicate()[0]
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)
