"""The one way from a face box to what a network sees; training data, service and measurements share it.

It never finds faces and never judges them.
"""

import cv2
import numpy as np

SIDE_PX = 48


def crop_face(gray: np.ndarray, box_px, margin: float = 1.0, side_px: int = SIDE_PX) -> np.ndarray:
    """Cut a square around the middle of `box_px` and bring it to (side_px, side_px) uint8.

    gray     (H, W) uint8
    box_px   [x, y, width, height], may reach over the rim (the rim's pixels are repeated there)
    margin   side of the square as a multiple of the longer side of the box
    """
    x, y, width, height = box_px
    side = max(2, round(margin * max(width, height)))
    left, top = round(x + width / 2 - side / 2), round(y + height / 2 - side / 2)
    rows, columns = gray.shape
    inside = gray[max(0, top) : max(0, min(rows, top + side)), max(0, left) : max(0, min(columns, left + side))]
    if inside.size == 0:
        raise ValueError(f"crop: the box {list(box_px)} lies outside the {columns} x {rows} picture.")
    if inside.shape != (side, side):
        over = (max(0, -top), max(0, top + side - rows), max(0, -left), max(0, left + side - columns))
        inside = cv2.copyMakeBorder(inside, *over, cv2.BORDER_REPLICATE)
    how = cv2.INTER_AREA if side > side_px else cv2.INTER_LINEAR
    return cv2.resize(inside, (side_px, side_px), interpolation=how)
