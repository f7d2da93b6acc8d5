"""What a network still recognises in bad pictures: dark, blurred, half hidden, far away, coarsely coded.

Every corruption is a line of a table and gives the same pictures each time. It measures the file that is
served and changes nothing.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from models import zoo
from models.evaluate import Classifier, own_labels, read, share, truth

SEED = 2013
GRAY = 128  # of what hides half a face


def lit(images: np.ndarray, gain: float, offset: float = 0.0) -> np.ndarray:
    """Every pixel times `gain`, plus `offset`, cut off at 0 and 255."""
    return (images * np.float32(gain) + np.float32(offset)).clip(0, 255).round().astype(np.uint8)


def blurred(images: np.ndarray, sigma_px: float) -> np.ndarray:
    return np.stack([cv2.GaussianBlur(image, (0, 0), sigma_px) for image in images])


def noisy(images: np.ndarray, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(SEED).normal(0, deviation, images.shape)
    return (images + noise).clip(0, 255).round().astype(np.uint8)


def hidden(images: np.ndarray, columns: slice) -> np.ndarray:
    images = images.copy()
    images[:, :, columns] = GRAY
    return images


def small(images: np.ndarray, side_px: int) -> np.ndarray:
    """As a face of `side_px` in the picture would arrive: shrunk, then brought back to its size."""
    side = images.shape[1]
    shrunk = [cv2.resize(image, (side_px, side_px), interpolation=cv2.INTER_AREA) for image in images]
    return np.stack([cv2.resize(image, (side, side), interpolation=cv2.INTER_LINEAR) for image in shrunk])


def coded(images: np.ndarray, quality: int) -> np.ndarray:
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    return np.stack([cv2.imdecode(cv2.imencode(".jpg", i, options)[1], cv2.IMREAD_GRAYSCALE) for i in images])


class Corruption(NamedTuple):
    """What is done to faces, in words and as a function: (n, 48, 48) uint8 -> the same, spoilt."""

    says: str
    spoil: Callable[[np.ndarray], np.ndarray]


CORRUPTIONS = {
    "none": Corruption("as they are", lambda images: images),
    "dark": Corruption("dark: light x 0.3", lambda images: lit(images, 0.3)),
    "bright": Corruption("bright: light x 1.7", lambda images: lit(images, 1.7)),
    "low_contrast": Corruption("low contrast: x 0.3", lambda images: lit(images, 0.3, 0.7 * GRAY)),
    "blur": Corruption("blurred: sigma 1.5 px", lambda images: blurred(images, 1.5)),
    "noise": Corruption("noisy: deviation 20 of 255", lambda images: noisy(images, 20)),
    "left_hidden": Corruption("left half hidden", lambda images: hidden(images, slice(0, 24))),
    "right_hidden": Corruption("right half hidden", lambda images: hidden(images, slice(24, 48))),
    "small_24": Corruption("small: 24 px", lambda images: small(images, 24)),
    "small_16": Corruption("small: 16 px", lambda images: small(images, 16)),
    "jpeg_30": Corruption("JPEG quality 30", lambda images: coded(images, 30)),
    "jpeg_10": Corruption("JPEG quality 10", lambda images: coded(images, 10)),
}


def robustness(
    name: str, path: str | Path, split: str = "PublicTest", labels: str | None = None, home: Path = zoo.ZOO
) -> dict:
    """Accuracy on the same faces under every corruption: {..., "accuracy": {corruption: share}}."""
    entry, measured = zoo.load(name, home), read(path, split)
    labels = labels or own_labels(entry.card, measured.faces)
    rows, right = truth(measured.faces, labels)
    images, classifier = measured.faces.images[rows], Classifier(entry)
    return {
        "model": name,
        "split": measured.split,
        "labels": labels,
        "images": len(rows),
        "accuracy": {
            name: share(classifier(corruption.spoil(images)).argmax(1) == right)
            for name, corruption in CORRUPTIONS.items()
        },
    }
