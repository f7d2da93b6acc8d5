"""The networks alone, by runtime and by how many windows at once, on one core and taking turns.

OpenVINO's columns are there where it is installed (pip install openvino); bf16's where the CPU has it too.
"""

import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import onnxruntime

from models import mtcnn, zoo
from models import mtcnn_nets as nets
from tests.bench.clips import VGA
from tests.bench.machine import one_core

BATCHES = {"P-Net, VGA pyramid": (1,), "R-Net": (1, 4, 14), "O-Net": (1, 4, 8), "classifier": (1, 4, 8)}
WARM_UP = 5
Run = Callable[[dict], np.ndarray]  # inputs by name -> first output


def measure(name: str, min_face_px: int, seconds: float) -> list[dict]:
    """A row for each network and batch: CPU milliseconds a run (median), by runtime and precision."""
    rng = np.random.default_rng(0)
    turns = []  # (network, batch, form, run, inputs, taken)
    for network, graph in _graphs(name, min_face_px).items():
        forms = _forms(graph)
        for batch in BATCHES[network]:
            inputs = _inputs(graph, batch, rng)
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
    session = _session(graph)
    forms: dict[str, Run] = {"ORT f32": lambda inputs: session.run(None, inputs)[0]}
    if not find_spec("openvino"):
        return forms
    import openvino

    core = openvino.Core()
    network = core.read_model(graph)
    has_bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    options = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
    for precision in ("f32", "bf16") if has_bf16 else ("f32",):
        options["INFERENCE_PRECISION_HINT"] = precision
        request = core.compile_model(network, "CPU", options).create_infer_request()
        forms[f"OpenVINO {precision}"] = lambda inputs, request=request: request.infer(
            inputs, share_inputs=True, share_outputs=True
        )[0]
    return forms


def _session(graph: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _inputs(graph: bytes, batch: int, rng) -> dict[str, np.ndarray]:
    """Noise of the shapes and types that the graph asks for."""
    made = {}
    for wanted in _session(graph).get_inputs():
        shape = [side if isinstance(side, int) else batch for side in wanted.shape]
        noise = rng.integers(0, 256, shape)
        made[wanted.name] = noise.astype(np.uint8 if "uint8" in wanted.type else np.float32)
    return made
