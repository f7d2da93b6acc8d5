"""The whole loop with a virtual NAO: how soon it reads, how soon it moves, and what the robot's end costs.

first_reading_s    from the server's start as a program to the first Reading at a robot; median of STARTS
face_to_joint_ms   from taking the frame that tipped the mood to the first joint command. The mood's own
                   window is left out: it is settings, not speed. (reaction.py)
robot_app          CPU milliseconds for each frame at 15 fps VGA, by Python
"""

import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np

from config import settings
from robot_app.clock import now_s
from robot_app.virtual.scene import LOOP_S, DemoScene
from tests.bench.clips import FPS, VGA, Clip
from tests.bench.fleet import START_S, Robot, living
from tests.bench.machine import cpu_s
from tests.whole.programs import ROOT, Program, free_port

STARTS = 3
REACTIONS_S = 12  # times as long as other measurements: an emotion comes every eight seconds
PYTHON27 = ROOT / ".venv27" / "run"
SETTLE_S = 2.0


def measure(clip: Clip, seconds: float, found: dict) -> None:
    """Put "first_reading_s", "face_to_joint_ms", "robot_app" into `found`; the last two need the qi wheel."""
    found["first_reading_s"] = statistics.median(_first_reading_s(clip) for _ in range(STARTS))
    if importlib.util.find_spec("qi") is None:
        return
    server, nao = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))
    with ExitStack() as programs:
        serve = Program("inference_server", "serve", "--listen", server, "--no-monitor")
        folder = Path(programs.enter_context(tempfile.TemporaryDirectory()))
        body = Program("robot_app.virtual", "--listen", nao, "--camera", _filmed(folder / "demo.avi"))
        programs.enter_context(serve).wait_for_line("serving", START_S)
        programs.enter_context(body).wait_for_line("listens", START_S)
        ends = ["--server", server, "--robot", nao]
        found["face_to_joint_ms"] = _face_to_joint_ms(ends, REACTIONS_S * seconds)
        found["robot_app"] = {"3": _cpu_of_robot_app([sys.executable, "-m", "robot_app", *ends], seconds)}
        if PYTHON27.exists():
            package = _package(folder)
            found["robot_app"]["2.7"] = _cpu_of_robot_app([PYTHON27, package, *ends], seconds)


def rows(found: dict) -> list[dict]:
    """The same for people."""
    told = [{"what": "first Reading after the start, s", "figure": found["first_reading_s"]}]
    latency = found.get("face_to_joint_ms")
    if latency:
        what = f"face to first joint command, ms, {latency['reactions']} reactions"
        told += [{"what": f"{what}, {key}", "figure": latency[key]} for key in ("median", "p95")]
    for python, cpu_ms in found.get("robot_app", {}).items():
        told.append({"what": f"robot app under Python {python}, CPU ms a frame", "figure": cpu_ms})
    return told


def _first_reading_s(clip: Clip) -> float:
    address, robot = f"tcp://127.0.0.1:{free_port()}", Robot(clip, 0)
    with living([robot], address):
        began_s = now_s()
        with Program("inference_server", "serve", "--listen", address, "--monitor", "127.0.0.1:0") as server:
            while not robot.notes.all and now_s() - began_s < START_S:
                time.sleep(0.002)
            server.end()
    return robot.notes.all[0][0] - began_s


def _filmed(path: Path) -> Path:
    """A film of the demo scene: a camera has its picture ready, and does not draw it when it is asked for."""
    scene = DemoScene()
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, VGA)
    for i in range(int(LOOP_S * FPS)):
        film.write(scene.picture(i / FPS))
    film.release()
    return path


def _face_to_joint_ms(ends: list[str], seconds: float) -> dict:
    command = [sys.executable, "-m", "tests.bench.reaction", *ends, "--seconds", str(seconds)]
    told = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, timeout=seconds + START_S)
    taken_ms = json.loads(told.stdout)
    if not taken_ms:
        return {"reactions": 0, "median": None, "p95": None}
    return {
        "reactions": len(taken_ms),
        "median": statistics.median(taken_ms),
        "p95": float(np.percentile(taken_ms, 95)),
    }


def _package(folder: Path) -> Path:
    """The package that a NAO gets, but for pyzmq, unpacked."""
    packed = folder / "nao-emotion.pkg"
    build = [sys.executable, "-m", "robot_app.package", "build", "--machine", "none", "--out", packed]
    subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def _cpu_of_robot_app(command: list, seconds: float) -> float | None:
    """CPU milliseconds for each frame, once it looks; None where it does not start or /proc is not there."""
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as app:
        for line in app.stderr:
            if "is asked" in line:
                break
        time.sleep(SETTLE_S)
        before, began_s = cpu_s(app.pid), now_s()
        time.sleep(seconds)
        after, ended_s = cpu_s(app.pid), now_s()
        app.terminate()
        app.communicate()
    if before is None or after is None:
        return None
    return (after - before) * 1e3 / (ended_s - began_s) / settings.load().robot.fps
