"""The networks alone, by runtime and by how many faces at once, on one core and taking turns.

OpenVINO's rows are there where it is installed (pip install openvino); bf16's where the CPU has it too.
"""

import statistics
import time

import numpy as np

from models import zoo
from models.runtimes import on_onnxruntime, on_openvino
from tests.bench.machine import one_core

BATCHES = (1, 4, 8)
WARM_UP = 5


def measure(name: str, seconds: float) -> list[dict]:
    """A row for each batch: CPU milliseconds a run (median), by runtime and precision."""
    entry = zoo.load(name)
    forms = on_onnxruntime(entry) | on_openvino(entry)
    rng = np.random.default_rng(0)
    faces = {batch: rng.integers(0, 256, (batch, 1, 48, 48)).astype(np.float32) for batch in BATCHES}
    cpu_ms: dict[tuple, list[float]] = {(form, batch): [] for form in forms for batch in BATCHES}
    with one_core():
        until_s, rounds = time.monotonic() + seconds, 0
        while rounds < 2 * WARM_UP or time.monotonic() < until_s:
            for (form, batch), taken in cpu_ms.items():
                began_s = time.process_time()
                forms[form](faces[batch])
                if rounds >= WARM_UP:
                    taken.append((time.process_time() - began_s) * 1e3)
            rounds += 1
    return [
        {"network": name, "faces": batch, **{form: statistics.median(cpu_ms[form, batch]) for form in forms}}
        for batch in BATCHES
    ]
