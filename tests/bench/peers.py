"""Ours beside what people use today: each second of film goes to each of them in turn, all on one core.

Each is a process of its own. After another's turn nothing of its own is in the caches, so a turn is a second:
in use each would have its core to itself.

The peers live in an environment of their own, build/peers (peers.sh); one that does not start there has a row
that says why. A ratio is a peer's mean CPU time by ours.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from tests.bench.clips import FPS, Clip
from tests.bench.machine import one_core
from tests.whole.programs import ROOT

PEERS = ROOT / "build" / "peers" / "bin" / "python"
OURS = ("ours", "ours, whole cascade on every frame")
THEIRS = ("fer, Haar", "fer, MTCNN", "facenet-pytorch MTCNN, min_face 40", "mtcnn 1.0.0")
HEADS = (
    "stack", "frames", "with a face", "median_ms", "p95_ms", "cpu_ms_mean", "memory_mb", "load_s", "ratio",
)  # fmt: skip
WARM_UP, TURN = 3, FPS  # frames; the first ones build graphs


class Stack:
    """One program that reads frames (peer.py), in the environment that it needs."""

    def __init__(self, name: str, python: Path):
        self.name = name
        self.notes: list[dict] = []
        command = [str(python), "-m", "tests.bench.peer", name]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def hear(self) -> dict:
        """Its next line; {"missing": why} when it has ended."""
        line = self._process.stdout.readline()
        if line:
            return json.loads(line)
        last = [text for text in self._process.stderr.read().splitlines() if text.strip()]
        return {"missing": last[-1].strip()[:100] if last else "it ended without a word"}

    def read(self, path: Path) -> dict:
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        return self.hear()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def measure(clips: list[Clip], seconds: float) -> list[dict]:
    """A row for each stack: ms a frame (wall median and p95, mean CPU), memory, time to load, ratio to ours."""
    with ExitStack() as things:
        folder = Path(things.enter_context(tempfile.TemporaryDirectory()))
        things.enter_context(one_core())  # which the stacks inherit
        stacks, loaded = [], {}
        for name in OURS + THEIRS:  # one after the other, so that none waits for another's loading
            if name in OURS or PEERS.exists():
                stack = Stack(name, Path(sys.executable) if name in OURS else PEERS)
                things.callback(stack.close)
                loaded[name] = stack.hear()
                if "missing" not in loaded[name]:
                    stacks.append(stack)
            else:
                loaded[name] = {"missing": "there is no build/peers: make bench-peers makes it"}
        frames, until_s = _files(clips, folder), time.monotonic() + seconds
        for stack in stacks:
            for path in frames[:WARM_UP]:
                stack.read(path)
        for first in range(WARM_UP, len(frames), TURN):
            if first > WARM_UP and time.monotonic() > until_s:
                break
            for stack in stacks:
                stack.notes += [stack.read(path) for path in frames[first : first + TURN]]
    notes = {stack.name: stack.notes for stack in stacks}
    ours_ms = statistics.mean(note["cpu_ms"] for note in notes[OURS[0]])
    return [_row(name, notes.get(name), loaded[name], ours_ms) for name in OURS + THEIRS]


def _files(clips: list[Clip], folder: Path) -> list[Path]:
    """The frames as files, the clips one after the other."""
    paths = []
    for clip in clips:
        for i, jpeg in enumerate(clip.jpegs):
            paths.append(folder / f"{clip.name}-{i:04}.jpg")
            paths[-1].write_bytes(jpeg)
    return paths


def _row(name: str, notes: list[dict] | None, loaded: dict, ours_ms: float) -> dict:
    row = dict.fromkeys(HEADS) | {"stack": name}
    if not notes:
        return row | {"stack": f"{name}: {loaded['missing']}"}
    wall, cpu_ms = [note["wall_ms"] for note in notes], statistics.mean(note["cpu_ms"] for note in notes)
    return row | {
        "frames": len(notes),
        "with a face": f"{sum(note['faces'] > 0 for note in notes) / len(notes):.1%}",
        "median_ms": statistics.median(wall),
        "p95_ms": float(np.percentile(wall, 95)),
        "cpu_ms_mean": cpu_ms,
        "memory_mb": notes[-1]["memory_mb"],
        "load_s": loaded["load_s"],
        "ratio": cpu_ms / ours_ms,
    }
