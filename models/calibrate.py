"""Scores that mean what they say: one temperature, put into the served ONNX, and a threshold for "unsure".

Guo et al. 2017 (arXiv 1706.04599): scores = softmax(logits / T), with T of the lowest negative log
likelihood on validation faces, or 1 where that leaves the smaller calibration error. It changes how sure a
network is, never which emotion it names.

So as not to fool ourselves, every figure "after" is cross-fitted: T (and the threshold) found on one half
of the faces is judged on the other, both ways round; only what is published is fitted on all of them.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models import golden, zoo
from models.evaluate import Classifier, ece, read, reliability, truth

TEMPERATURE = "temperature"  # name of the number in the ONNX graph
LOWEST, HIGHEST = 0.05, 20.0  # between which a temperature is sought
AIM = {"fer2013": 0.8, "ferplus": 0.9}  # share right among the faces that are kept
THRESHOLDS = np.round(np.arange(0, 1, 0.01), 2)
SHOWN = (0.0, *np.round(np.arange(0.2, 1, 0.05), 2))  # thresholds of the table in the card
SEED = 2013


class Calibration(NamedTuple):
    """What was found.

    temperature     that of the file now, over raw logits
    nll_before, nll_after, ece_before, ece_after   the "after" ones cross-fitted
    ece_by_chance   the error that scores which are exactly right would show on as many faces
    unsure_below    the highest score below which a face had better be called unsure; None: no threshold does it
    kept, right     cross-fitted: the share of faces above the threshold, and the share right among them
    """

    temperature: float
    nll_before: float
    nll_after: float
    ece_before: float
    ece_after: float
    ece_by_chance: float
    unsure_below: float | None
    kept: float | None
    right: float | None


def calibrate(name: str, path: str | Path, home: Path = zoo.ZOO) -> dict:
    """Fit on PublicTest with the network's own labels, change model.onnx and the card; gives the figures."""
    entry = zoo.load(name, home)
    labels = entry.card["labels"]
    faces = read(path, "PublicTest").faces
    rows, right = truth(faces, labels)
    logits = raw(Classifier(entry)(faces.images[rows])) * stored_temperature(entry.onnx_path)
    found = fit_and_check(logits, right, AIM[labels])
    store_temperature(entry.onnx_path, found.temperature)
    calibrated = softmax(logits / found.temperature)
    report = {
        **{key: None if value is None else round(value, 4) for key, value in found._asdict().items()},
        "labels": labels,
        "images": len(rows),
        "aim": AIM[labels],
        "reliability": [
            [b.faces, round(b.score, 4), round(b.right, 4)] for b in reliability(calibrated, right)
        ],
        "coverage": coverage(calibrated, right, SHOWN),
    }
    renew_card(name, report, home)
    return {"model": name, **report}


def renew_card(name: str, report: dict, home: Path) -> None:
    """The card vouches for the changed file and says what was done to it; what was made of the old one goes."""
    folder = home / name
    card = zoo.read_card(name, home)
    card["sha256"]["model.onnx"] = zoo.sha256(folder / "model.onnx")
    card["golden"] = golden.scores(folder / "model.onnx")
    card["temperature"] = report["temperature"]
    card["unsure_below"] = report["unsure_below"]
    figures = card.setdefault("figures", {})
    figures["calibration"] = report
    (folder / zoo.INT8).unlink(missing_ok=True)
    card["sha256"].pop(zoo.INT8, None)
    figures.pop("int8", None)
    figures.pop("runtimes", None)
    zoo.write_card(folder, card)


def fit_and_check(logits: np.ndarray, right: np.ndarray, aim: float) -> Calibration:
    """The fitted temperature, or 1 where the scores are nearer to what is right as they are."""
    return min((checked(logits, right, aim, how) for how in (fit, as_it_is)), key=lambda c: c.ece_after)


def as_it_is(logits: np.ndarray, right: np.ndarray) -> float:
    """The temperature that changes nothing."""
    return 1.0


def checked(
    logits: np.ndarray, right: np.ndarray, aim: float, fit: Callable[[np.ndarray, np.ndarray], float]
) -> Calibration:
    """The temperature that `fit` finds for all faces (n, 7), and how well those of one half do on the other."""
    order = np.random.default_rng(SEED).permutation(len(right))
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    scores = np.empty(logits.shape)  # of every face, with the temperature of the other half
    kept = np.zeros(len(right), bool)
    for known, new in (halves, halves[::-1]):
        temperature = fit(logits[known], right[known])
        scores[new] = softmax(logits[new] / temperature)
        threshold = unsure_below(softmax(logits[known] / temperature), right[known], aim)
        kept[new] = threshold is not None and scores[new].max(1) >= threshold
    temperature, before = fit(logits, right), softmax(logits)
    hit = scores.argmax(1) == right
    return Calibration(
        temperature,
        *(nll(before, right), nll(scores, right)),
        *(ece(before, right), ece(scores, right), ece_by_chance(scores)),
        unsure_below(softmax(logits / temperature), right, aim),
        float(kept.mean()) if kept.any() else None,
        float(hit[kept].mean()) if kept.any() else None,
    )


def fit(logits: np.ndarray, right: np.ndarray) -> float:
    """The temperature of the lowest negative log likelihood: logits (n, 7), right (n,) indices.

    The likelihood is concave in b = 1 / T, and its slope is the mean right logit less the mean expected
    one; where that changes its sign is sought by halving.
    """
    low, high = 1 / HIGHEST, 1 / LOWEST
    wanted = logits[np.arange(len(right)), right].mean()
    for _ in range(60):
        b = (low + high) / 2
        expected = (softmax(b * logits) * logits).sum(1).mean()
        low, high = (b, high) if wanted > expected else (low, b)
    return 2 / (low + high)


def coverage(scores: np.ndarray, right: np.ndarray, thresholds: Iterable[float]) -> list[list[float]]:
    """Rows [threshold, share of faces at or above it, share right among these]; ends where none is left."""
    top, hit = scores.max(1), scores.argmax(1) == right
    rows = []
    for threshold in thresholds:
        kept = top >= threshold
        if kept.any():
            rows.append([float(threshold), round(float(kept.mean()), 4), round(float(hit[kept].mean()), 4)])
    return rows


def unsure_below(scores: np.ndarray, right: np.ndarray, aim: float) -> float | None:
    """The lowest threshold at which at least `aim` of the kept are right; None where there is none."""
    for threshold, _, accuracy in coverage(scores, right, THRESHOLDS):
        if accuracy >= aim:
            return threshold
    return None


def ece_by_chance(scores: np.ndarray, times: int = 20) -> float:
    """The mean calibration error of scores (n, 7) where what is right is drawn by these very scores."""
    generator = np.random.default_rng(SEED)
    edges = scores.cumsum(1)
    drawn = [(generator.random((len(scores), 1)) > edges[:, :-1]).sum(1) for _ in range(times)]
    return float(np.mean([ece(scores, right) for right in drawn]))


def nll(scores: np.ndarray, right: np.ndarray) -> float:
    """The mean negative log likelihood of what was right."""
    return float(-np.log(scores[np.arange(len(right)), right].clip(1e-30)).mean())


def raw(scores: np.ndarray) -> np.ndarray:
    """Logits (n, 7) that give these probabilities: true but for a constant a row, which softmax ignores."""
    return np.log(scores.astype(np.float64).clip(1e-30))


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def stored_temperature(path: Path) -> float:
    """The temperature in an ONNX of the zoo; 1 where there is none."""
    numbers = {number.name: number for number in onnx.load(path).graph.initializer}
    return float(numpy_helper.to_array(numbers[TEMPERATURE])) if TEMPERATURE in numbers else 1.0


def store_temperature(path: Path, temperature: float) -> None:
    """Divide what goes into the last softmax by `temperature`; one that stands there is replaced."""
    model = onnx.load(path)
    graph = model.graph
    value = helper.make_tensor(TEMPERATURE, TensorProto.FLOAT, [], [temperature])
    standing = [i for i, number in enumerate(graph.initializer) if number.name == TEMPERATURE]
    if standing:
        graph.initializer[standing[0]].CopyFrom(value)
    else:
        last = graph.node[-1]
        if last.op_type != "Softmax" or list(last.output) != ["scores"]:
            raise zoo.ZooError(f"calibrate: {path} does not end with a softmax called scores; export it again.")
        division = helper.make_node("Div", [last.input[0], TEMPERATURE], ["tempered"], "calibrate")
        last.input[0] = "tempered"
        graph.node.insert(len(graph.node) - 1, division)
        graph.initializer.append(value)
    onnx.checker.check_model(model)
    onnx.save(model, path)
