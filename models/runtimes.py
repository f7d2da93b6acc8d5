"""The forms of one network side by side on one core: float, int8, and with OpenVINO float, bf16 and int8.

    python -m models runtimes NAME --data FOLDER --card

All of them take turns on the same face, pinned to one core, so that whatever else the machine does falls
on all alike. OpenVINO is an extra; where it is missing its rows are left out. Changes nothing.
"""

import os
import platform
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from models import engine, zoo
from models.evaluate import read, share, truth

ROUNDS, WARM_UP = 300, 20
Scorer = Callable[[np.ndarray], np.ndarray]  # faces (N, 1, 48, 48) float32 -> scores (N, 7)


def compare(name: str, path: str | Path, rounds: int = ROUNDS, home: Path = zoo.ZOO) -> dict:
    """{"model", "labels", "images", "cpu", "forms": {form: {"accuracy", "median_ms", "p95_ms"}}}."""
    entry = zoo.load(name, home)
    faces = read(path, "PublicTest").faces
    rows, right = truth(faces, entry.card["labels"])
    images = faces.images[rows][:, None].astype(np.float32)
    forms = forms_of(entry)
    times = on_one_core(lambda: take_turns(forms, images[:1], rounds))
    return {
        "model": name,
        "labels": entry.card["labels"],
        "images": len(rows),
        "cpu": cpu(),
        "forms": {
            form: {
                "accuracy": share(in_batches(score, images).argmax(1) == right),
                "median_ms": round(float(np.median(times[form])), 3),
                "p95_ms": round(float(np.percentile(times[form], 95)), 3),
            }
            for form, score in forms.items()
        },
    }


def table(report: dict) -> str:
    """The figures, a line a form."""
    lines = [
        f"{report['model']} on {report['images']} images, {report['labels']} labels; {report['cpu']}, one core"
    ]
    lines.append(f"{'form':22} {'accuracy':>9} {'median ms':>10} {'p95 ms':>8}")
    for form, row in report["forms"].items():
        lines.append(f"{form:22} {row['accuracy']:9.2%} {row['median_ms']:10.3f} {row['p95_ms']:8.3f}")
    return "\n".join(lines)


def forms_of(entry: zoo.Entry) -> dict[str, Scorer]:
    """Float, and int8 where it is shipped; OpenVINO's where it is installed, bf16 where the CPU has it."""
    runs = {}
    for form, file in (("f32", "model.onnx"), ("int8", zoo.INT8)):
        if file in entry.card["sha256"]:
            graph = entry.onnx_path.with_name(file).read_bytes()
            runs[f"ONNX Runtime {form}"] = engine.with_onnxruntime(graph).run
            if find_spec("openvino"):
                runs[f"OpenVINO {form}"] = engine.with_openvino(graph, precision=engine.FLOAT32).run
    if engine.has_bf16():
        runs["OpenVINO bf16"] = engine.with_openvino(entry.onnx_path.read_bytes(), precision=engine.BF16).run
    return {form: lambda faces, run=run: run({"faces": faces}) for form, run in runs.items()}


def in_batches(score: Scorer, images: np.ndarray) -> np.ndarray:
    return np.concatenate([score(images[i : i + 64]) for i in range(0, len(images), 64)])


def take_turns(forms: dict[str, Scorer], face: np.ndarray, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every round of every form, one after the other in each round."""
    times: dict[str, list[float]] = {form: [] for form in forms}
    for number in range(WARM_UP + rounds):
        for form, score in forms.items():
            started = time.perf_counter()
            score(face)
            if number >= WARM_UP:
                times[form].append((time.perf_counter() - started) * 1e3)
    return times


def on_one_core(work: Callable[[], dict]) -> dict:
    """Do `work` with this process pinned to one core, where the system can pin."""
    if not hasattr(os, "sched_setaffinity"):
        return work()
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        return work()
    finally:
        os.sched_setaffinity(0, before)


def cpu() -> str:
    """What the machine calls its processor."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
