"""A face that is drawn, never photographed, and what a network says of it: by that a network proves itself.

A sha256 shows that a file is the one its card speaks of; the golden scores show that this machine's runtime
makes of it what it made where it was exported. The face is drawn in whole numbers: the same everywhere.
"""

from pathlib import Path

import numpy as np
import onnxruntime

from models import zoo
from models.crop import SIDE_PX

TOLERANCE = 1e-3  # of a score; runtimes and processors differ by some 1e-6


def face() -> np.ndarray:
    """The drawn face: (1, 1, 48, 48) float32, gray 0..255."""
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX] - SIDE_PX // 2  # whole numbers from the middle
    gray = np.full((SIDE_PX, SIDE_PX), 90, np.int64)
    gray[x * x * 9 + y * y * 5 < 3600] = 190  # the head
    for side in (-8, 8):
        eye = (x - side) ** 2 * 2 + (y + 6) ** 2 * 5
        gray[eye < 60] = 235
        gray[eye < 16] = 20
        gray[(abs(x - side) < 6) & (abs(y + 12) < 2)] = 50  # brow
    gray[(abs(x) < 2) & (abs(y - 2) < 5)] = 150  # nose
    mouth = x * x + (y - 4) ** 2 * 2
    gray[(mouth < 220) & (mouth > 150) & (y > 10)] = 40  # a smile
    gray += (x * 3 + y * 2) // 4  # light from one side
    return gray.clip(0, 255).astype(np.float32)[None, None]


def scores(path: Path) -> list[float]:
    """What the network in this ONNX file says of the drawn face: seven scores."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return [round(float(score), 5) for score in session.run(None, {"faces": face()})[0][0]]


def renew(name: str, home: Path = zoo.ZOO) -> list[float]:
    """Write the golden scores of a network into its card, once its files are as they are to be."""
    card = zoo.read_card(name, home)
    card["golden"] = scores(zoo.load(name, home).onnx_path)
    zoo.write_card(home / name, card)
    return card["golden"]


def differs(got: np.ndarray, card: dict, allowed: float = TOLERANCE) -> float | None:
    """By how much scores (7,) of the drawn face are off the card's; None: they are not, or it has none."""
    if "golden" not in card:
        return None
    worst = float(np.abs(got - np.asarray(card["golden"], np.float32)).max())
    return None if worst <= allowed else worst  # NaN is not below it
