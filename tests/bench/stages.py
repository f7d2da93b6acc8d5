"""The reader, frame by frame and stage by stage, on one core: what a worker does with a frame.

All clips take turns, frame by frame, so that whatever else the machine does falls on all alike.
"""

import statistics
import time

import numpy as np

from config.contract import encode_frame
from config.settings import ReaderSettings
from inference_server import worker
from inference_server.runtime import open_reader
from tests.bench.clips import FPS, Clip
from tests.bench.machine import one_core

WARM_UP = 30  # frames of each clip


def measure(clips: list[Clip], chosen: ReaderSettings, seconds: float) -> list[dict]:
    """A row for each clip: milliseconds a frame (wall median and p95, CPU mean and p95), and of each stage."""
    reader = open_reader(chosen)
    notes: dict[str, list[dict]] = {clip.name: [] for clip in clips}
    with one_core():
        until_s, i = time.monotonic() + seconds, 0
        while i < WARM_UP + FPS or time.monotonic() < until_s:
            for clip in clips:
                note = _read(reader, clip, i)
                if i >= WARM_UP:
                    notes[clip.name].append(note)
            i += 1
    return [_row(name, of_clip) for name, of_clip in notes.items()]


def _read(reader, clip: Clip, i: int) -> dict:
    parts = encode_frame(clip.frame(i))
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    reading = worker.read(reader, clip.name, i / FPS, parts)
    cpu_ms, wall_ms = (time.process_time() - began_cpu_s) * 1e3, (time.perf_counter() - began_s) * 1e3
    stages = {stage: ms for stage, ms in reading.timings_ms.items() if stage != "wait"}
    return {"wall": wall_ms, "cpu": cpu_ms, "faces": len(reading.faces), "stages": stages}


def _row(name: str, notes: list[dict]) -> dict:
    wall, cpu = [note["wall"] for note in notes], [note["cpu"] for note in notes]
    stages = {stage: None for note in notes for stage in note["stages"]}
    return {
        "clip": name,
        "frames": len(notes),
        "with a face": f"{sum(note['faces'] > 0 for note in notes) / len(notes):.1%}",
        "median_ms": statistics.median(wall),
        "p95_ms": float(np.percentile(wall, 95)),
        "cpu_ms_mean": statistics.mean(cpu),
        "cpu_ms_p95": float(np.percentile(cpu, 95)),
        **{f"{s}_ms": statistics.mean(note["stages"].get(s, 0.0) for note in notes) for s in stages},
    }
