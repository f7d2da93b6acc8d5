"""What about a face's picture makes its scores doubtful: too dark, too small, turned away, blurred.

Four cheap measures of the crop that the network sees and of MTCNN's five points, each with a limit from the
settings. It knows no scores.
"""

from typing import NamedTuple

import cv2
import numpy as np


class Limits(NamedTuple):
    """See config/default.yaml."""

    dark_below: float = 20.0
    small_below_px: float = 24.0
    profile_above: float = 0.7
    blurred_below: float = 0.12


def flaws(crop: np.ndarray, box_px, points_px: np.ndarray | None, limits: Limits) -> tuple[str, ...]:
    """Which of contract.FLAWS a face has.

    crop        (48, 48) uint8, as the network sees it
    points_px   (5, 2): eyes, nose, corners of the mouth; None where they are not known
    """
    brightness, contrast = cv2.meanStdDev(crop)
    found = []
    if brightness[0, 0] < limits.dark_below:
        found.append("dark")
    if max(box_px[2:]) < limits.small_below_px:
        found.append("small")
    if points_px is not None and turned(points_px) > limits.profile_above:
        found.append("profile")
    if sharpness(crop, contrast[0, 0]) < limits.blurred_below:
        found.append("blurred")
    return tuple(found)


def sharpness(crop: np.ndarray, contrast: float) -> float:
    """How much of the contrast lies in the finest detail, whatever the light: about 0.8 in a good picture."""
    _, detail = cv2.meanStdDev(cv2.Laplacian(crop, cv2.CV_16S))
    return detail[0, 0] / max(contrast, 1.0)


def turned(points_px: np.ndarray) -> float:
    """How far the head is turned: 0 where the nose is midway between the eyes, 1 before one of them."""
    (left_x, left_y), (right_x, right_y), (nose_x, nose_y) = points_px[:3].tolist()
    across_x, across_y = right_x - left_x, right_y - left_y
    wide = across_x * across_x + across_y * across_y
    if wide == 0:
        return 1.0
    return abs(2 * ((nose_x - left_x) * across_x + (nose_y - left_y) * across_y) / wide - 1)
