"""The networks alone, by runtime and by how many windows at once, on one core and taking turns.

OpenVINO's columns are there where it is installed (pip install openvino); bf16's where the CPU has it too.
"""

import statistics
import time
from importlib.util import find_spec

from models import engine, mtcnn, zoo
from models import mtcnn_nets as nets
from models.engine import Run
from tests.bench.clips import VGA
from tests.bench.machine import one_core

BATCHES = {"P-Net, VGA pyramid": (1,), "R-Net": (1, 4, 14), "O-Net": (1, 4, 8), "classifier": (1, 4, 8)}
WARM_UP = 5


def measure(name: str, min_face_px: int, seconds: float) -> list[dict]:
    """A row for each network and batch: CPU milliseconds a run (median), by runtime and precision."""
    turns = []  # (network, batch, form, run, inputs, taken)
    for network, graph in _graphs(name, min_face_px).items():
        forms = _forms(graph)
        for batch in BATCHES[network]:
            inputs = engine.example(graph, batch)
            turns += [(network, batch, form, run, inputs, []) for form, run in forms.items()]
    with one_core():
        until_s, rounds = time.monotonic() + seconds, 0
        while rounds < 2 * WARM_UP or time.monotonic() < until_s:
            for *_, run, inputs, taken in turns:
                began_s = time.process_time()
                run(inputs)
                if rounds >= WARM_UP:
                    taken.append((time.process_time() - began_s) * 1e3)
            rounds += 1
    rows: dict[tuple, dict] = {}
    for network, batch, form, *_, taken in turns:
        row = rows.setdefault((network, batch), {"network": network, "windows": batch})
        row[form] = statistics.median(taken)
    return list(rows.values())


def _graphs(name: str, min_face_px: int) -> dict[str, bytes]:
    """All networks of the reader as ONNX."""
    folder = nets.installed_weights()
    p, r, o = (nets.read_weights(net, folder) for net in (nets.P_NET, nets.R_NET, nets.O_NET))
    sizes_px = mtcnn.level_sizes(VGA[1], VGA[0], min_face_px)
    return {
        "P-Net, VGA pyramid": nets.pyramid_graph(p, sizes_px).SerializeToString(),
        "R-Net": nets.window_graph(nets.R_NET, r).SerializeToString(),
        "O-Net": nets.window_graph(nets.O_NET, o).SerializeToString(),
        "classifier": zoo.load(name).onnx_path.read_bytes(),
    }


def _forms(graph: bytes) -> dict[str, Run]:
    forms = {"ORT f32": engine.with_onnxruntime(graph).run}
    if find_spec("openvino"):
        forms["OpenVINO f32"] = engine.with_openvino(graph, precision=engine.FLOAT32).run
    if engine.has_bf16():
        forms["OpenVINO bf16"] = engine.with_openvino(graph, precision=engine.BF16).run
    return forms
