"""MTCNN: where the faces of a picture are, found by three small networks in a cascade.

Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks"
(arXiv 1604.02878); papers 000 and 001 use it. P-Net proposes windows on a pyramid of smaller pictures,
R-Net refines them, O-Net decides and gives five landmarks. This file finds faces; it never says what a face
shows, and never follows one over time.

The networks were trained on RGB; here they see gray, as if R = G = B. That saves a third of the time up to
the boxes, and on real clips the same faces were found (`python -m tests.bench.reader` measures it).

mtcnn_nets.py reads the weights and builds the networks; engine.py runs them.

Design: boxes are rows [x1, y1, x2, y2] in px inside this file, `box_px = [x, y, width, height]` outside.
Letters at line ends: N windows, H x W pixels, K cells (places of P-Net's window on all levels).
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import onnx

from models.engine import Engine, Engines
from models.mtcnn_nets import O_NET, P_NET, R_NET, installed_weights, pyramid_graph, read_weights, window_graph

WINDOW_PX = 12  # side of P-Net's window
STRIDE_PX = 2  # between neighbouring windows
SHRINK = 0.709  # from level to level; about half the area, as in the authors' code
SIZES_KEPT = 4  # picture sizes whose graphs are kept ready

# Overlap above which the weaker of two boxes is dropped, as in the authors' code.
WITHIN_LEVEL, BETWEEN_LEVELS, AFTER_R, AFTER_O = 0.5, 0.7, 0.7, 0.7
AS_BY_R = 0.98  # side of R-Net's squares, as a part of the box that O-Net then gives; median of 1,700 windows
OF_KNOWN = 0.5  # of the smaller one, from which on a proposal shows a face that is known already

# Of P-, R- and O-Net: the authors', and some that let more windows through to O-Net, which decides, or fewer.
# Of 1,500 faces of PublicTest in VGA scenes 90.9 % (reference) are found, or 92.4 % (thorough, 5 % slower).
THRESHOLDS = {"reference": (0.6, 0.7, 0.7), "thorough": (0.5, 0.6, 0.7), "fast": (0.8, 0.7, 0.7)}


class Found(NamedTuple):
    """A face: box_px [x, y, width, height] (may reach over the rim), score 0..1, landmarks_px (5, 2).

    The landmarks are x, y of the left eye, right eye, nose, left and right corner of the mouth, where left
    and right are those of the picture.
    """

    box_px: list[float]
    score: float
    landmarks_px: np.ndarray


class Detector:
    """Finds faces; may be shared by threads.

    min_face_px   smallest face that is looked for
    thresholds    a name in THRESHOLDS, or three numbers 0..1
    weights       folder of the three files, None: the installed `mtcnn` package
    engines       what opens the networks; None: ONNX Runtime, on one thread

    Raises ModelError where a weights file is missing or altered.
    """

    def __init__(self, min_face_px=40, thresholds="reference", weights=None, engines: Engines | None = None):
        folder = installed_weights() if weights is None else Path(weights)
        self._min_face_px = min_face_px
        self._limits = [logit(score) for score in THRESHOLDS.get(thresholds, thresholds)]
        self._engines = engines or Engines()
        self._p_weights = read_weights(P_NET, folder)
        self._r_net = self._opened("R-Net", window_graph(R_NET, read_weights(R_NET, folder)))
        self._o_net = self._opened("O-Net", window_graph(O_NET, read_weights(O_NET, folder)))
        self._pyramid = lru_cache(SIZES_KEPT)(self._make_pyramid)

    def prepare(self, height_px: int, width_px: int) -> None:
        """Open the networks for pictures of this size, as the first of them would."""
        self._pyramid((height_px, width_px))

    def detect(self, gray: np.ndarray, known_px: Sequence[Sequence[float]] = ()) -> list[Found]:
        """The faces in (H, W) uint8, the largest first; those whose boxes are `known_px` are not looked for."""
        check_gray(gray)
        squares = self._propose(gray)  # (N, 4)
        squares = squares[unknown(squares, known_px)]  # (fewer, 4)
        squares = self._refine(gray, squares)
        boxes, scores, points = self._judge(gray, squares)
        sure = np.flatnonzero(scores > self._limits[2])
        kept = sure[suppress_parts(boxes[sure], scores[sure], AFTER_O)]
        found = [as_found(boxes[i], scores[i], points[i]) for i in kept]
        return sorted(found, key=lambda face: face.box_px[2] * face.box_px[3], reverse=True)

    def confirm(self, gray: np.ndarray, boxes_px: Sequence[Sequence[float]]) -> list[Found | None]:
        """For each box that is expected to hold a face: that face, or None. O-Net alone, all in one go."""
        check_gray(gray)
        boxes, scores, points = self._judge(gray, squared(corners(boxes_px), AS_BY_R))
        return [
            as_found(*face) if face[1] > self._limits[2] else None
            for face in zip(boxes, scores, points, strict=True)
        ]

    def _propose(self, gray: np.ndarray) -> np.ndarray:
        """P-Net over the whole pyramid: squares (N, 4) that may hold a face."""
        pyramid = self._pyramid(gray.shape)
        if pyramid is None:
            return np.zeros((0, 4), np.float32)
        levels = shrink(gray, pyramid.sizes_px)
        out = pyramid.p_net.run({f"level{i}": level for i, level in enumerate(levels)})  # (5, K)
        cells = np.flatnonzero(out[0] > self._limits[0])
        windows, scores, level = pyramid.windows[cells], out[0, cells], pyramid.level[cells]
        kept = suppress(windows, scores, WITHIN_LEVEL, level)
        kept = kept[suppress(windows[kept], scores[kept], BETWEEN_LEVELS)]
        return squared(moved(windows[kept], out[1:5, cells[kept]].T))

    def _refine(self, gray: np.ndarray, squares: np.ndarray) -> np.ndarray:
        """R-Net on every square: those that it believes in, moved, (fewer, 4)."""
        if not len(squares):
            return squares
        squares = np.rint(squares)
        out = self._r_net.run({"windows": cut(gray, squares, R_NET.side_px)})  # (N, 5)
        sure = np.flatnonzero(out[:, 0] > self._limits[1])
        sure = sure[suppress(squares[sure], out[sure, 0], AFTER_R)]
        return squared(moved(squares[sure], out[sure, 1:5]))

    def _judge(self, gray: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """O-Net on every square: boxes (N, 4), raw scores (N,) and landmarks (N, 5, 2).

        A box whose middle lies outside the picture has the score -inf.
        """
        if not len(squares):
            return np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2))
        squares = np.rint(squares)
        out = self._o_net.run({"windows": cut(gray, squares, O_NET.side_px)})  # (N, 15)
        boxes = moved(squares, out[:, 1:5])
        scores = np.where(middle_inside(boxes, gray), out[:, 0], -np.inf)
        corner, side = squares[:, None, :2], (squares[:, 2:] - squares[:, :2])[:, None]
        return boxes, scores, corner + side * out[:, 5:].reshape(-1, 2, 5).transpose(0, 2, 1)

    def _make_pyramid(self, shape: tuple[int, int]) -> "Pyramid | None":
        sizes_px = level_sizes(*shape, self._min_face_px)
        if not sizes_px:
            return None
        windows, level = level_windows(*shape, sizes_px)
        p_net = self._opened("P-Net", pyramid_graph(self._p_weights, sizes_px))
        return Pyramid(sizes_px, p_net, windows, level)

    def _opened(self, kind: str, graph: onnx.ModelProto) -> Engine:
        return self._engines.open(kind, graph.SerializeToString())


class Pyramid(NamedTuple):
    """All that P-Net needs for one size of picture, every level in one graph."""

    sizes_px: tuple[tuple[int, int], ...]  # height, width of each level, falling
    p_net: Engine  # level0 (1, 1, H, W) uint8 ... -> (5, K)
    windows: np.ndarray  # (K, 4) in the picture's px
    level: np.ndarray  # (K,)


# ---- pictures ----------------------------------------------------------------------------------------


def check_gray(gray: np.ndarray) -> None:
    """Raises ValueError for anything but (H, W) uint8."""
    if gray.dtype != np.uint8 or gray.ndim != 2:
        raise ValueError(
            f"mtcnn: the picture must be gray, uint8 of shape (H, W); {gray.dtype} of shape {gray.shape} came."
        )


def level_sizes(height_px: int, width_px: int, min_face_px: int) -> tuple[tuple[int, int], ...]:
    """Height and width of every level: on the first P-Net's window is min_face_px, on the last the picture."""
    sizes = []
    scale = WINDOW_PX / min_face_px
    while min(height_px, width_px) * scale >= WINDOW_PX:
        sizes.append((math.ceil(height_px * scale), math.ceil(width_px * scale)))
        scale *= SHRINK
    return tuple(sizes)


def shrink(gray: np.ndarray, sizes_px) -> list[np.ndarray]:
    """The picture at each (height, width), falling, as (1, 1, H, W)."""
    levels = []
    for height, width in sizes_px:
        gray = cv2.resize(halved(gray, height, width), (width, height), interpolation=cv2.INTER_LINEAR)
        levels.append(gray[None, None])
    return levels


def halved(gray: np.ndarray, height_px: int, width_px: int) -> np.ndarray:
    """The picture at half its size again and again, but not below height and width.

    The rest of the way costs little then: one step from a large picture takes up to eight times as long.
    """
    while gray.shape[0] >= 2 * height_px and gray.shape[1] >= 2 * width_px:
        even = gray[: gray.shape[0] // 2 * 2, : gray.shape[1] // 2 * 2]
        gray = cv2.resize(even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return gray


def cut(gray: np.ndarray, squares: np.ndarray, side_px: int) -> np.ndarray:
    """Every square (whole px) at side_px, black beyond the rim: (N, 4) -> (N, 1, side_px, side_px) uint8."""
    rows, columns = gray.shape
    windows = np.zeros((len(squares), 1, side_px, side_px), np.uint8)
    for (window,), (x1, y1, x2, y2) in zip(windows, squares.astype(int), strict=True):
        inside = gray[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
        if inside.size == 0:
            continue
        if inside.shape != (y2 - y1, x2 - x1):
            rim = (max(-y1, 0), max(y2 - rows, 0), max(-x1, 0), max(x2 - columns, 0))
            inside = cv2.copyMakeBorder(inside, *rim, cv2.BORDER_CONSTANT)
        inside = halved(inside, 4 * side_px, 4 * side_px)
        how = cv2.INTER_AREA if x2 - x1 > side_px else cv2.INTER_LINEAR
        cv2.resize(inside, (side_px, side_px), dst=window, interpolation=how)
    return windows


# ---- boxes -------------------------------------------------------------------------------------------


def level_windows(height_px: int, width_px: int, sizes_px) -> tuple[np.ndarray, np.ndarray]:
    """P-Net's window at every cell of every level, in the picture's px (K, 4), and each one's level (K,)."""
    windows, level = [], []
    for i, (height, width) in enumerate(sizes_px):
        y, x = np.mgrid[: cells_along(height), : cells_along(width)] * STRIDE_PX  # (H, W) each
        corners = np.stack([x, y, x + WINDOW_PX, y + WINDOW_PX], -1).reshape(-1, 4)
        windows.append(corners * np.tile([width_px / width, height_px / height], 2))
        level.append(np.full(len(corners), i))
    return np.concatenate(windows).astype(np.float32), np.concatenate(level)


def cells_along(length_px: int) -> int:
    """How many cells P-Net gives along so many pixels: 3x3, pooled by 2 (rounded up), 3x3, 3x3."""
    return -(-(length_px - 2) // 2) - 4


def moved(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Boxes (N, 4) moved by offsets (N, 4), which are in box sides."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return boxes + offsets * np.tile(sides, 2)


def squared(boxes: np.ndarray, part: float = 1.0) -> np.ndarray:
    """The square around the middle of each box (N, 4), as wide as a part of its longer side: (N, 4)."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = part * (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True) / 2
    return np.concatenate([middle - half, middle + half], 1)


def middle_inside(boxes: np.ndarray, gray: np.ndarray) -> np.ndarray:
    """Which boxes (N, 4) have their middle in the picture: (N,) bool."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    return ((middle >= 0) & (middle < gray.shape[::-1])).all(1)


def unknown(squares: np.ndarray, known_px: Sequence[Sequence[float]]) -> np.ndarray:
    """Which squares (N, 4) show none of the known boxes: (N,) bool."""
    free = np.ones(len(squares), bool)
    for box in corners(known_px):
        free &= shared_area(box, squares) <= OF_KNOWN * np.minimum(area(box), area(squares))
    return free


def suppress(boxes: np.ndarray, scores: np.ndarray, limit: float, level=None) -> np.ndarray:
    """Non-maximum suppression: rows of `boxes` (N, 4) to keep.

    A box goes when a better one, of its `level` (N,) if given, shares more than `limit` of their union with it.
    """
    if not len(boxes):
        return np.zeros(0, np.intp)
    sized = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1).tolist()
    above_0 = (scores - scores.min() + 1).tolist()  # OpenCV takes no others
    level = [0] * len(boxes) if level is None else level.tolist()
    return np.array(cv2.dnn.NMSBoxesBatched(sized, above_0, level, 0.0, limit), np.intp)


def suppress_parts(boxes: np.ndarray, scores: np.ndarray, limit: float) -> np.ndarray:
    """As suppress(), the highest score first, but by the share of the smaller of the two boxes."""
    order = np.argsort(-scores, kind="stable")
    areas = area(boxes)
    kept = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        shared = shared_area(boxes[best], boxes[rest])
        order = rest[shared <= limit * np.minimum(areas[best], areas[rest])]
    return np.array(kept, np.intp)


def area(boxes: np.ndarray) -> np.ndarray:
    """Of boxes (..., 4), 0 where one is turned inside out: (...)."""
    return np.maximum(boxes[..., 2:] - boxes[..., :2], 0).prod(-1)


def shared_area(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """What a box (4,) has in common with each of `boxes` (N, 4): (N,)."""
    corner = np.maximum(box[:2], boxes[:, :2])
    return np.maximum(np.minimum(box[2:], boxes[:, 2:]) - corner, 0).prod(1)


def corners(boxes_px: Sequence[Sequence[float]]) -> np.ndarray:
    """Boxes [x, y, width, height] as rows [x1, y1, x2, y2]: (N, 4)."""
    boxes = np.array(boxes_px, np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def logit(score: float) -> float:
    """The networks' raw output that means `score`: thresholds are compared before any softmax."""
    return math.inf if score >= 1 else -math.inf if score <= 0 else math.log(score / (1 - score))


def as_found(box: np.ndarray, raw_score: float, landmarks_px: np.ndarray) -> Found:
    """A row [x1, y1, x2, y2] with O-Net's raw score as a Found."""
    x1, y1, x2, y2 = (float(v) for v in box)
    return Found([x1, y1, x2 - x1, y2 - y1], float(1 / (1 + np.exp(-raw_score))), landmarks_px)
