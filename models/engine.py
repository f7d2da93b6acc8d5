"""A network's graph, opened by what runs it fastest on this machine: ONNX Runtime or, if installed, OpenVINO.

OpenVINO multiplies on 16 bits (bf16) where the processor can. Without that it was slower with every network
here (1.3 to 1.8 times, one picture at a time), so it is not tried; with it both take turns, for each kind of
network, and the faster one stays whose answers agree. On 16 bits XRS gave 99.7 % of PublicTest the same label
(84.0 and 83.9 % right), and MTCNN the same faces in every frame, IoU 0.989. This file never knows what a graph
is for.
"""

import logging
import statistics
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
import onnxruntime

log = logging.getLogger("models")

ROUNDS, WARM_UP = 25, 5
AHEAD = 0.95  # of ONNX Runtime's time: what OpenVINO must stay below to be taken
AGREE = 0.05  # by which answers may differ, absolute or of the value; bf16 keeps 8 bits of it
FLOAT32, BF16 = "float32", "bf16"
Run = Callable[[dict[str, np.ndarray]], np.ndarray]  # inputs by name -> first output


class EngineError(ValueError):
    """The runtime that was asked for is not there."""


class Engine(NamedTuple):
    """A graph that is ready; `run` may be called by several threads."""

    runtime: str  # "ONNX Runtime 1.31.1"
    precision: str  # FLOAT32 or BF16
    run: Run


class Engines:
    """Opens graphs, each by the runtime that suits its kind.

    runtime   auto (by trial), onnxruntime or openvino (always that one)
    threads   of one run
    now_s     the clock of the trials, s

    Raises EngineError where OpenVINO is named and not installed.
    """

    def __init__(
        self, runtime: str = "onnxruntime", threads: int = 1, now_s: Callable[[], float] = time.perf_counter
    ):
        if runtime == "openvino" and find_spec("openvino") is None:
            raise EngineError(
                "engine: reader.runtime is openvino, which is not installed: pip install -e '.[openvino]', "
                "or set it to auto."
            )
        self._threads, self._now_s = threads, now_s
        self._try = runtime == "auto" and may_be_faster()
        self._open = with_openvino if runtime == "openvino" else with_onnxruntime
        self._chosen: dict[str, Callable[[bytes, int], Engine]] = {}
        self._in_use: dict[str, str] = {}  # by kind: runtime and precision

    def open(self, kind: str, graph: bytes) -> Engine:
        """The graph (ONNX) as an Engine; all of one kind run by what won with the first of them."""
        if kind in self._chosen:
            return self._chosen[kind](graph, self._threads)
        engine, self._chosen[kind] = self._open(graph, self._threads), self._open
        if self._try:
            rival = self._rival(kind, graph)
            if rival and is_better(rival, engine, example(graph), self._now_s):
                engine, self._chosen[kind] = rival, with_openvino
        self._in_use[kind] = f"{engine.runtime}, {engine.precision}"
        return engine

    def _rival(self, kind: str, graph: bytes) -> Engine | None:
        try:
            return with_openvino(graph, self._threads)
        except Exception as error:  # its errors have no common class; there is another runtime
            log.warning("OpenVINO cannot run the %s: %s", kind, str(error).splitlines()[0])
            return None

    @property
    def in_use(self) -> str:
        """For people: "ONNX Runtime 1.31.1, float32", with the kinds where there are several."""
        ways = dict.fromkeys(self._in_use.values())
        if len(ways) < 2:
            return next(iter(ways), "nothing yet")
        kinds = {way: [kind for kind, its in self._in_use.items() if its == way] for way in ways}
        return "; ".join(f"{way} ({', '.join(of)})" for way, of in kinds.items())


def is_better(rival: Engine, engine: Engine, inputs: dict[str, np.ndarray], now_s: Callable[[], float]) -> bool:
    """Whether `rival` says what `engine` says and is clearly faster; both take turns."""
    if not np.allclose(rival.run(inputs), engine.run(inputs), rtol=AGREE, atol=AGREE):
        return False
    taken_s: dict[Run, list[float]] = {rival.run: [], engine.run: []}
    for number in range(WARM_UP + ROUNDS):
        for run, times in taken_s.items():
            began_s = now_s()
            run(inputs)
            if number >= WARM_UP:
                times.append(now_s() - began_s)
    return statistics.median(taken_s[rival.run]) < AHEAD * statistics.median(taken_s[engine.run])


def example(graph: bytes, batch: int = 1, seed: int = 0) -> dict[str, np.ndarray]:
    """Noise 0..255 of the shapes and types that the graph asks for; `batch` where it leaves a side open."""
    rng, made = np.random.default_rng(seed), {}
    for wanted in onnx_session(graph, 1).get_inputs():
        shape = [side if isinstance(side, int) else batch for side in wanted.shape]
        made[wanted.name] = rng.integers(0, 256, shape).astype(
            np.uint8 if "uint8" in wanted.type else np.float32
        )
    return made


# ---- the two runtimes --------------------------------------------------------------------------------


def onnx_session(graph: bytes, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def with_onnxruntime(graph: bytes, threads: int = 1) -> Engine:
    session = onnx_session(graph, threads)
    return Engine(
        f"ONNX Runtime {onnxruntime.__version__}", FLOAT32, lambda inputs: session.run(None, inputs)[0]
    )


def may_be_faster() -> bool:
    """Whether a trial of OpenVINO is worth its time here; where it does not even load, that is told."""
    try:
        return has_bf16()
    except Exception as error:  # whatever a library raises that cannot be loaded
        log.warning("OpenVINO is installed, but does not start: %s", str(error).splitlines()[0])
        return False


def has_bf16() -> bool:
    """Whether OpenVINO is there and this processor multiplies on 16 bits."""
    if find_spec("openvino") is None:
        return False
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def with_openvino(graph: bytes, threads: int = 1, precision: str | None = None) -> Engine:
    """`precision`: FLOAT32 or BF16; None: BF16 where the processor has it."""
    import openvino

    precision = precision or (BF16 if has_bf16() else FLOAT32)
    options = {
        "INFERENCE_PRECISION_HINT": "f32" if precision == FLOAT32 else "bf16",
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": False,  # several workers would all take the first core
    }
    core = openvino.Core()
    network = core.compile_model(core.read_model(graph), "CPU", options)
    own = threading.local()  # a request serves one thread

    def run(inputs: dict[str, np.ndarray]) -> np.ndarray:
        if not hasattr(own, "request"):
            own.request = network.create_infer_request()
        return own.request.infer(inputs, share_inputs=True)[0]

    return Engine(f"OpenVINO {openvino.__version__.partition('-')[0]}", precision, run)
