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
import onnxruntime

from models import zoo
from models.evaluate import read, share, truth

ROUNDS, WARM_UP = 300, 20
Scorer = Callable[[np.ndarray], np.ndarray]  # faces (N, 1, 48, 48) float32 -> scores (N, 7)


def compare(name: str, path: str | Path, rounds: int = ROUNDS, home: Path = zoo.ZOO) -> dict:
    """{"model", "labels", "images", "cpu", "forms": {form: {"accuracy", "median_ms", "p95_ms"}}}."""
    entry = zoo.load(name, home)
    faces = read(path, "PublicTest").faces
    rows, right = truth(faces, entry.card["labels"])
    images = faces.images[rows][:, None].astype(np.float32)
    forms = on_onnxruntime(entry) | on_openvino(entry)
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


def on_onnxruntime(entry: zoo.Entry) -> dict[str, Scorer]:
    """Float, and int8 where it is shipped."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    forms = {}
    for form, file in (("ONNX Runtime f32", "model.onnx"), ("ONNX Runtime int8", zoo.INT8)):
        if file in entry.card["sha256"]:
            session = onnxruntime.InferenceSession(
                entry.onnx_path.with_name(file), options, providers=["CPUExecutionProvider"]
            )
            forms[form] = lambda faces, session=session: session.run(None, {"faces": faces})[0]
    return forms


def on_openvino(entry: zoo.Entry) -> dict[str, Scorer]:
    """Float, bf16 where the CPU has it, and int8 where it is shipped; nothing without OpenVINO."""
    if not find_spec("openvino"):
        return {}
    import openvino

    core = openvino.Core()
    wanted = [("OpenVINO f32", "model.onnx", "f32")]
    if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        wanted.append(("OpenVINO bf16", "model.onnx", "bf16"))
    if zoo.INT8 in entry.card["sha256"]:
        wanted.append(("OpenVINO int8", zoo.INT8, "f32"))
    forms = {}
    for form, file, precision in wanted:
        options = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": 1,
            "PERFORMANCE_HINT": "LATENCY",
        }
        network = core.compile_model(entry.onnx_path.with_name(file), "CPU", options)
        request = network.create_infer_request()
        forms[form] = lambda faces, request=request: request.infer(faces)[0].copy()
    return forms


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
