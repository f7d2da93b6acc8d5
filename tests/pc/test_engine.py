"""Which runtime runs a network: the faster one that says the same, and never one that is not there."""

import numpy as np
import pytest

from models import engine, zoo
from models.engine import BF16, FLOAT32, Engine, EngineError, Engines

GRAPH = zoo.load("xrs-fer2013").onnx_path.read_bytes()
FACE = engine.example(GRAPH)


class Trial:
    """Two runtimes whose runs take what a test says, by a clock of their own."""

    def __init__(self, monkeypatch, onnx_ms=2.0, openvino_ms=1.0, answer=1.0, says=None):
        self._now_s = 0.0
        self._says = says
        onnx = Engine("ONNX Runtime", FLOAT32, self._taking(onnx_ms, 1.0))
        openvino = Engine("OpenVINO", BF16, self._taking(openvino_ms, answer))
        monkeypatch.setattr(engine, "has_bf16", lambda: True)
        monkeypatch.setattr(engine, "with_onnxruntime", lambda graph, threads: onnx)
        monkeypatch.setattr(engine, "with_openvino", self._or_failing(openvino))
        self.engines = Engines("auto", now_s=lambda: self._now_s)

    def _taking(self, ms, answer):
        def run(inputs):
            self._now_s += ms / 1e3
            return np.full((1, 7), answer, np.float32)

        return run

    def _or_failing(self, openvino):
        def with_openvino(graph, threads):
            if self._says:
                raise RuntimeError(self._says)
            return openvino

        return with_openvino


def test_the_faster_runtime_that_agrees_is_taken(monkeypatch):
    trial = Trial(monkeypatch, answer=1.02)
    assert trial.engines.open("classifier", GRAPH).runtime == "OpenVINO"
    assert trial.engines.in_use == "OpenVINO, bf16"


@pytest.mark.parametrize("difference", [{"openvino_ms": 1.95}, {"openvino_ms": 3.0}, {"answer": 1.2}])
def test_one_that_is_hardly_faster_or_says_something_else_is_not(monkeypatch, difference):
    assert Trial(monkeypatch, **difference).engines.open("classifier", GRAPH).runtime == "ONNX Runtime"


def test_one_that_cannot_run_the_network_is_told_and_not_taken(monkeypatch, caplog):
    trial = Trial(monkeypatch, says="Unsupported operation\nat line 7")
    assert trial.engines.open("R-Net", GRAPH).runtime == "ONNX Runtime"
    assert "OpenVINO cannot run the R-Net: Unsupported operation" in caplog.text and "line 7" not in caplog.text


def test_what_won_for_a_kind_runs_all_of_that_kind_without_another_trial(monkeypatch):
    trial = Trial(monkeypatch)
    trial.engines.open("P-Net", GRAPH)
    monkeypatch.setattr(engine, "is_better", lambda *_: pytest.fail("a second trial"))
    assert trial.engines.open("P-Net", GRAPH).runtime == "OpenVINO"


def test_kinds_that_run_by_different_runtimes_are_named():
    engines = Engines()
    engines._in_use = {"R-Net": "A, float32", "O-Net": "A, float32", "classifier": "B, bf16"}
    assert engines.in_use == "A, float32 (R-Net, O-Net); B, bf16 (classifier)"


def test_an_installation_that_does_not_load_is_told_and_leaves_the_other_runtime(monkeypatch, caplog):
    def broken():
        raise ImportError("libopenvino.so: cannot open shared object file")

    monkeypatch.setattr(engine, "has_bf16", broken)
    assert Engines("auto").open("classifier", GRAPH).runtime.startswith("ONNX Runtime")
    assert "does not start: libopenvino.so" in caplog.text


def test_openvino_by_name_says_how_to_install_it_where_it_is_not(monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r"not installed: pip install -e '\.\[openvino\]'"):
        Engines("openvino")
    assert Engines("auto").open("classifier", GRAPH).precision == FLOAT32


def test_both_runtimes_say_the_same_of_a_face():
    pytest.importorskip("openvino", reason="no OpenVINO: pip install -e '.[openvino]'")
    one, other = engine.with_onnxruntime(GRAPH), engine.with_openvino(GRAPH, precision=FLOAT32)
    np.testing.assert_allclose(other.run(FACE), one.run(FACE), atol=1e-4)
    assert Engines("openvino").open("classifier", GRAPH).runtime.startswith("OpenVINO")
