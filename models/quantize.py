"""A smaller form of a network: int8, beside model.onnx, only where it is as good.

Weights become eight-bit numbers a channel of its own, what flows between layers eight-bit numbers by the
ranges seen on Training faces. PublicTest is only the gate: a form more than TOLERANCE below the float one
there is not shipped, and the card says so. Serving uses model.onnx; this is the choice of who has the
hardware for it.
"""

import tempfile
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from models import data, zoo
from models.evaluate import Classifier, read, share, truth

TOLERANCE = 0.005  # of accuracy on PublicTest, that int8 may lose
CALIBRATION_FACES, COMPARED_FACES = 512, 1024
SEED = 2013
PERCENTILE = 99.99  # of what flows through a layer, that its range holds
METHODS = {"minmax": CalibrationMethod.MinMax, "percentile": CalibrationMethod.Percentile}


class Batches(CalibrationDataReader):
    """Faces (n, 48, 48) uint8 in the batches that ONNX Runtime asks for."""

    def __init__(self, faces: np.ndarray):
        self.batches = iter(np.array_split(faces[:, None].astype(np.float32), max(1, len(faces) // 32)))

    def get_next(self) -> dict[str, np.ndarray] | None:
        batch = next(self.batches, None)
        return None if batch is None else {"faces": batch}


def quantize(name: str, path: str | Path, home: Path = zoo.ZOO) -> dict:
    """Make the int8 form of a network, ship it or not, note it in the card; gives the figures.

    The range method is the one whose scores are nearer to the float ones on Training faces that were not
    calibrated with.
    """
    entry = zoo.load(name, home)
    labels = entry.card["labels"]
    training = read(path, "Training").faces
    training = training.images[data.is_face(training)]
    order = np.random.default_rng(SEED).permutation(len(training))[: CALIBRATION_FACES + COMPARED_FACES]
    some, others = np.split(training[order], [min(CALIBRATION_FACES, len(order) // 2)])
    with tempfile.TemporaryDirectory(dir=entry.onnx_path.parent) as folder:
        forms = {method: write_int8(entry.onnx_path, Path(folder), method, some) for method in METHODS}
        expected = Classifier(entry)(others)
        away = {
            method: round(distance(expected, Classifier(entry, file=form)(others)), 5)
            for method, form in forms.items()
        }
        best = min(away, key=away.get)
        report = {"labels": labels, "method": best, "divergence": away}
        report |= gate(entry, forms[best], path, labels)
        if report["shipped"]:
            forms[best].replace(entry.onnx_path.with_name(zoo.INT8))
    renew_card(entry, report, home)
    return {"model": name, **report}


def write_int8(onnx_path: Path, folder: Path, method: str, faces: np.ndarray) -> Path:
    """The int8 form of a network in `folder`, with ranges from `faces` by `method`.

    Weights use seven of the eight bits: on CPUs without VNNI the products of full eight-bit ones overflow.
    """
    prepared, out = folder / "prepared.onnx", folder / f"{method}.onnx"
    with redirect_stdout(StringIO()):  # ONNX Runtime counts its histograms aloud
        quant_pre_process(onnx_path, prepared, skip_symbolic_shape=True)  # it knows not all of CBAM's nodes
        quantize_static(
            prepared,
            out,
            Batches(faces),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=METHODS[method],
            op_types_to_quantize=["Conv", "Gemm", "Add", "Mul"],
            extra_options={"CalibPercentile": PERCENTILE},
        )
    return out


def distance(expected: np.ndarray, scores: np.ndarray) -> float:
    """The mean Kullback-Leibler divergence of scores (n, 7) from the expected ones, nats."""
    ratio = np.log(expected.clip(1e-9)) - np.log(scores.clip(1e-9))
    return float((expected * ratio).sum(1).mean())


def gate(entry: zoo.Entry, form: Path, path: str | Path, labels: str) -> dict:
    """Whether another form of the network is as good on PublicTest: {"float", "int8", "images", "shipped"}."""
    faces = read(path, "PublicTest").faces
    rows, right = truth(faces, labels)
    hits = {
        "float": Classifier(entry)(faces.images[rows]).argmax(1) == right,
        "int8": Classifier(entry, file=form)(faces.images[rows]).argmax(1) == right,
    }
    shares = {kind: share(hit) for kind, hit in hits.items()}
    shipped = float(hits["int8"].mean()) >= float(hits["float"].mean()) - TOLERANCE
    return {**shares, "images": len(rows), "tolerance": TOLERANCE, "shipped": bool(shipped)}


def renew_card(entry: zoo.Entry, report: dict, home: Path) -> None:
    """The card vouches for the int8 file, or says that there is none."""
    card, file = zoo.read_card(entry.name, home), entry.onnx_path.with_name(zoo.INT8)
    card["sha256"].pop(zoo.INT8, None)
    if report["shipped"]:
        card["sha256"][zoo.INT8] = zoo.sha256(file)
    else:
        file.unlink(missing_ok=True)
    card.setdefault("figures", {})["int8"] = report
    zoo.write_card(home / entry.name, card)
