"""The robot's end under a real Python 2.7, from the very package that a NAO gets, in the whole loop.

CPython 2.7.18 with nothing but NAOqi's qi 1.8.3 of its own, as on a NAO; pyzmq 19.0.2 comes out of the package.
It talks to the virtual NAO over libqi and to the server over ZeroMQ; both of them run this Python.
`tests/robot/make_py27.sh` makes the old one.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from naos_python import NEEDS_PYTHON27, VENV, naos_python
from programs import ROOT, Program, free_port

pytest.importorskip("qi", reason="no qi wheel for this Python: there is no virtual NAO to connect to")
pytestmark = NEEDS_PYTHON27


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The package as `make robot-package` makes it, but with pyzmq for this machine, and small pictures: this
    Python has no JPEG."""
    out = tmp_path_factory.mktemp("made") / "nao-emotion.pkg"
    command = [sys.executable, "-m", "robot_app.package", "build", "--machine", "x86_64", "--out", out]
    command += ["--set", "robot.resolution=qvga"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if "could not fetch" in made.stderr:
        pytest.skip(made.stderr.strip())
    assert made.returncode == 0, made.stderr
    return out


@pytest.fixture(scope="module")
def folder(package, tmp_path_factory):
    """The package unpacked into an empty folder, somewhere without the repository around it."""
    out = tmp_path_factory.mktemp("nao") / "nao-emotion"
    with zipfile.ZipFile(package) as archive:
        archive.extractall(out)
    return out


@pytest.fixture(scope="module")
def python2(tmp_path_factory):
    return naos_python(tmp_path_factory.mktemp("python2"))


def on_robot(python2, folder, *arguments):
    """The app as a process of the robot's Python, started from somewhere else than its folder."""
    return subprocess.Popen(
        [python2, folder, *map(str, arguments)],
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def own_files(folder):
    """The Python files in it that are the project's."""
    return sorted(path for path in folder.rglob("*.py") if path.relative_to(folder).parts[0] != "lib")


def test_the_package_holds_what_a_robot_needs_and_nothing_for_a_pc(folder):
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    tops = {name.split("/")[0] for name in there}
    papers = {"manifest.xml", "BUILD", "LICENSE", "LICENCES.md"}
    assert tops == {"__main__.py", "lib", "config", "behaviors", "robot_app", *papers}
    assert {"config/robot.json", "behaviors/behaviors.json", "robot_app/__main__.py"} <= there
    assert not any("virtual" in name or name.endswith((".yaml", ".pyc")) for name in there)


def modules(folder, under):
    """The names of all modules below a folder, compiled ones too."""
    files = [
        path for path in under.rglob("*") if path.suffix in (".py", ".so") and "pyzmq.libs" not in path.parts
    ]
    names = {".".join(path.relative_to(folder).with_suffix("").parts) for path in files}
    return sorted(name.removesuffix(".__init__") for name in names)


def test_every_file_in_it_is_imported_by_python_2_7_from_the_package_alone(python2, folder):
    ours = [name for room in ("config", "behaviors", "robot_app") for name in modules(folder, folder / room)]
    bundled = modules(folder / "lib", folder / "lib")
    program = f"""
import importlib, json, sys
sys.path[:1] = [{str(folder)!r}, {str(folder / "lib")!r}]
for name in {[*ours, *bundled]!r}: importlib.import_module(name)
places = [getattr(module, "__file__", None) for module in sys.modules.values()]
print(json.dumps({{"places": [place for place in places if place], "path": sys.path}}))
"""
    run = subprocess.run([python2, "-c", program], cwd="/", capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert len(ours) > 20 and len(bundled) > 40
    told = json.loads(run.stdout)
    assert f"{folder}/lib/zmq/backend/cython/socket.so" in told["places"]
    places = [Path(place) for place in told["places"] + told["path"]]
    assert not [place for place in places if place.is_relative_to(ROOT) and not place.is_relative_to(VENV)]


def test_the_files_are_python_2_7_by_their_text_too(folder):
    vermin = shutil.which("vermin", path=os.path.dirname(sys.executable)) or pytest.skip(
        "vermin is not installed"
    )
    files = [path for path in own_files(folder) if path.name != "__init__.py"]
    run = subprocess.run([vermin, "-t=2.7-", "-t=3.10-", "--no-tips", *files], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_started_by_the_wrong_python_it_says_which_one_to_take(folder):
    run = subprocess.run([sys.executable, folder, "--doctor"], cwd="/", capture_output=True, text=True)
    assert run.returncode == 2 and "Traceback" not in run.stderr
    assert "start it with python2" in run.stderr


def test_a_robot_that_is_absent_is_a_sentence_on_2_7_too(python2, folder):
    address = f"tcp://127.0.0.1:{free_port()}"
    app = on_robot(python2, folder, "--robot", address, "--server", "tcp://127.0.0.1:1")
    said, _ = app.communicate(timeout=30)
    assert app.returncode == 2, said
    assert address in said and "Traceback" not in said


@pytest.mark.parametrize("number", [None, signal.SIGTERM], ids=["its seconds are over", "SIGTERM"])
def test_python_2_7_sees_a_face_on_the_virtual_nao_and_reacts(python2, folder, tmp_path, number):
    server, nao = f"tcp://127.0.0.1:{free_port()}", f"tcp://127.0.0.1:{free_port()}"
    diary, summary = tmp_path / "diary.jsonl", tmp_path / "summary.json"
    with (
        Program("robot_app.virtual", "--listen", nao, "--camera", "demo", "--diary", diary) as body,
        Program("inference_server", "serve", "--listen", server, "--no-monitor") as brain,
    ):
        body.wait_for_line("listens")
        brain.wait_for_line(server)
        seconds = ["--seconds", 15] if number is None else []
        doctor = on_robot(python2, folder, "--robot", nao, "--server", server, "--doctor")
        found, _ = doctor.communicate(timeout=60)
        assert doctor.returncode == 0, found
        app = on_robot(python2, folder, "--robot", nao, "--server", server, "--json", summary, *seconds)
        if number is not None:
            wait_until(lambda: gestures(diary), app)
            app.send_signal(number)
        said, _ = app.communicate(timeout=60)
        assert app.returncode == 0, said
        assert "Traceback" not in said
        assert brain.end() == 0 and body.end() == 0
    told = json.loads(summary.read_text())
    assert told["frames"] >= told["readings"] > 0 and told["reactions"], said
    lines = told_by(diary)
    assert gestures(diary)
    assert any(line.get("method") == "fadeRGB" for line in lines)
    if number is None:  # a signal may come after a few pictures
        assert told["readings"] > 5 and told["answer_age_ms"]["p50"] < 500
        assert any(line.get("method") == "say" for line in lines)
    assert any(line.get("method") == "unsubscribe" for line in lines)


def told_by(diary):
    """The whole lines of a virtual NAO's diary, so far."""
    return [json.loads(line) for line in diary.read_text().rpartition("\n")[0].splitlines()]


def gestures(diary):
    """The motions that have begun."""
    return [
        line for line in told_by(diary) if line["event"] == "began" and line["method"] == "angleInterpolation"
    ]


def wait_until(ready, app, within_s=40):
    """Poll until `ready()`; fails where the app ends first."""
    until = time.monotonic() + within_s
    while not ready():
        assert app.poll() is None, app.communicate()[0]
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)
