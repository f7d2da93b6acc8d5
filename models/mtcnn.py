"""MTCNN: where the faces of a picture are, found by three small networks in a cascade.

Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks"
(arXiv 1604.02878); papers 000 and 001 use it. P-Net proposes windows on a pyramid of smaller pictures,
R-Net refines them, O-Net decides and gives five landmarks. This file finds faces; it never says what a face
shows, and never follows one over time.

The networks were trained on RGB; here they see gray, as if R = G = B. That saves a third of the time up to
the boxes, and on real clips the same faces were found (`python -m tests.bench.reader` measures it).

The weights are those in the `mtcnn` wheel, without its TensorFlow. Its three files are joblib pickles, and
nothing here unpickles: a sha256 pins every byte, so the arrays are read from where they are known to lie.
The networks are built as ONNX graphs and run by ONNX Runtime.

Design: boxes are rows [x1, y1, x2, y2] in px inside this file, `box_px = [x, y, width, height]` outside.
Letters at line ends: N windows, H x W pixels, K cells (places of P-Net's window on all levels).
"""

import hashlib
import math
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import cv2
import lz4.frame
import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

WINDOW_PX = 12  # side of P-Net's window
STRIDE_PX = 2  # between neighbouring windows
SHRINK = 0.709  # from level to level; about half the area, as in the authors' code
SIZES_KEPT = 4  # picture sizes whose graphs are kept ready

# Overlap above which the weaker of two boxes is dropped, as in the authors' code.
WITHIN_LEVEL, BETWEEN_LEVELS, AFTER_R, AFTER_O = 0.5, 0.7, 0.7, 0.7
OF_KNOWN = 0.5  # of the smaller one, from which on a proposal shows a face that is known already

# Of P-, R- and O-Net: the authors', and some that let fewer windows through to the larger networks. Of 300
# faces of PublicTest in VGA scenes 275 and 270 were found, in 9.1 and 7.6 ms of CPU; no false one with either.
THRESHOLDS = {"reference": (0.6, 0.7, 0.7), "fast": (0.8, 0.7, 0.7)}


class Layer(NamedTuple):
    """A convolution with PReLU; `pool` is the side of the max pooling (step 2) behind it, 0 for none.

    at: where kernel, bias and slopes begin, in bytes, in the unpacked file.
    """

    inputs: int
    outputs: int
    kernel: int
    pool: int
    at: tuple[int, int, int]


class Head(NamedTuple):
    """A linear layer on the last map; at: where kernel and bias begin."""

    outputs: int
    at: tuple[int, int]


class Net(NamedTuple):
    """One of the three networks. `dense`: its last layer was a fully connected one."""

    file: str
    sha256: str
    side_px: int
    layers: tuple[Layer, ...]
    dense: bool
    face: Head  # not a face, face
    box: Head  # how far the window's x1, y1, x2, y2 are off, in window sides
    landmarks: Head | None  # x of eyes, nose, corners of the mouth, then y, in window sides


P_NET = Net(
    "pnet.lz4",
    "ea6b0c3e685ebee3165326ad6484acc95f2ef78f1c94fbf40a55704fa989f7b5",
    12,
    (
        Layer(3, 10, 3, 2, (240, 1376, 1472)),  # 12x12 -> 5x5
        Layer(10, 16, 3, 0, (1568, 7376, 7504)),  # 3x3
        Layer(16, 32, 3, 0, (7632, 26112, 26304)),  # 1x1
    ),
    dense=False,
    box=Head(4, (26496, 27056)),
    face=Head(2, (27136, 27440)),
    landmarks=None,
)
R_NET = Net(
    "rnet.lz4",
    "cb00e6460f3c98b0bfafaba3c0a0ded4bdf6e62cee7174d969e8670d7e757fee",
    24,
    (
        Layer(3, 28, 3, 3, (240, 3312, 3488)),  # 24x24 -> 11x11
        Layer(28, 48, 3, 3, (3664, 52096, 52352)),  # 4x4
        Layer(48, 64, 2, 0, (52608, 101808, 102128)),  # 3x3
        Layer(64, 128, 3, 0, (102448, 397408, 397968)),  # 1x1
    ),
    dense=True,
    box=Head(4, (398528, 400624)),
    face=Head(2, (400688, 401760)),
    landmarks=None,
)
O_NET = Net(
    "onet.lz4",
    "94f6ea2f4cf985275ee958cdd762d17b6009348a4fb9d8c6be39ba73ffd22ca3",
    48,
    (
        Layer(3, 32, 3, 3, (240, 3744, 3936)),  # 48x48 -> 23x23
        Layer(32, 64, 3, 3, (4128, 77904, 78224)),  # 10x10
        Layer(64, 64, 3, 2, (78544, 226048, 226368)),  # 4x4
        Layer(64, 128, 2, 0, (226688, 357808, 358384)),  # 3x3
        Layer(128, 256, 3, 0, (358960, 1538656, 1539728)),  # 1x1
    ),
    dense=True,
    box=Head(4, (1540816, 1544960)),
    landmarks=Head(10, (1545040, 1555328)),
    face=Head(2, (1555424, 1557520)),
)


class ModelError(ValueError):
    """The weights cannot be used; the sentence says which file and what to do."""


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
    threads       of one network run
    weights       folder of the three files, None: the installed `mtcnn` package

    Raises ModelError where a weights file is missing or altered.
    """

    def __init__(self, min_face_px=40, thresholds="reference", threads: int = 1, weights=None):
        folder = _installed_weights() if weights is None else Path(weights)
        self._min_face_px = min_face_px
        self._limits = [logit(score) for score in THRESHOLDS.get(thresholds, thresholds)]
        self._threads = threads
        self._p_weights = read_weights(P_NET, folder)
        self._r_net = self._session(window_graph(R_NET, read_weights(R_NET, folder)))
        self._o_net = self._session(window_graph(O_NET, read_weights(O_NET, folder)))
        self._pyramid = lru_cache(SIZES_KEPT)(self._make_pyramid)

    def detect(self, gray: np.ndarray, known_px: Sequence[Sequence[float]] = ()) -> list[Found]:
        """The faces in (H, W) uint8, the largest first; those whose boxes are `known_px` are not looked for."""
        check_gray(gray)
        squares = self._propose(gray)  # (N, 4)
        squares = squares[unknown(squares, known_px)]  # (fewer, 4)
        squares = self._refine(gray, squares)
        boxes, scores, points = self._judge(gray, squares)
        sure = np.flatnonzero(scores > self._limits[2])
        kept = sure[suppress(boxes[sure], scores[sure], AFTER_O, of_smaller=True)]
        found = [as_found(boxes[i], scores[i], points[i]) for i in kept]
        return sorted(found, key=lambda face: face.box_px[2] * face.box_px[3], reverse=True)

    def confirm(self, gray: np.ndarray, boxes_px: Sequence[Sequence[float]]) -> list[Found | None]:
        """For each box that is expected to hold a face: that face, or None. O-Net alone, all in one go."""
        check_gray(gray)
        boxes, scores, points = self._judge(gray, squared(corners(boxes_px)))
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
        out = pyramid.session.run(None, {f"level{i}": level for i, level in enumerate(levels)})[0]  # (5, K)
        cells = np.flatnonzero(out[0] > self._limits[0])
        windows, scores, level = pyramid.windows[cells], out[0, cells], pyramid.level[cells]
        kept = [
            group[suppress(windows[group], scores[group], WITHIN_LEVEL)]
            for group in (np.flatnonzero(level == i) for i in range(len(levels)))
        ]
        kept = np.concatenate(kept)
        kept = kept[suppress(windows[kept], scores[kept], BETWEEN_LEVELS)]
        return squared(moved(windows[kept], out[1:5, cells[kept]].T))

    def _refine(self, gray: np.ndarray, squares: np.ndarray) -> np.ndarray:
        """R-Net on every square: those that it believes in, moved, (fewer, 4)."""
        if not len(squares):
            return squares
        squares = np.rint(squares)
        out = self._r_net.run(None, {"windows": cut(gray, squares, R_NET.side_px)})[0]  # (N, 5)
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
        out = self._o_net.run(None, {"windows": cut(gray, squares, O_NET.side_px)})[0]  # (N, 15)
        boxes = moved(squares, out[:, 1:5])
        scores = np.where(middle_inside(boxes, gray), out[:, 0], -np.inf)
        corner, side = squares[:, None, :2], (squares[:, 2:] - squares[:, :2])[:, None]
        return boxes, scores, corner + side * out[:, 5:].reshape(-1, 2, 5).transpose(0, 2, 1)

    def _make_pyramid(self, shape: tuple[int, int]) -> "Pyramid | None":
        sizes_px = level_sizes(*shape, self._min_face_px)
        if not sizes_px:
            return None
        windows, level = level_windows(*shape, sizes_px)
        return Pyramid(sizes_px, self._session(pyramid_graph(self._p_weights, sizes_px)), windows, level)

    def _session(self, graph: onnx.ModelProto) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return onnxruntime.InferenceSession(
            graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )


class Pyramid(NamedTuple):
    """All that P-Net needs for one size of picture, every level in one graph."""

    sizes_px: tuple[tuple[int, int], ...]  # height, width of each level, falling
    session: onnxruntime.InferenceSession  # level0 (1, 1, H, W) uint8 ... -> (5, K)
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
    """The picture at each (height, width), falling, as (1, 1, H, W): halved while that is enough, then linear.

    Resizing straight from a large picture would cost a third of the whole detector.
    """
    levels = []
    for height, width in sizes_px:
        while gray.shape[0] >= 2 * height and gray.shape[1] >= 2 * width:
            even = gray[: gray.shape[0] // 2 * 2, : gray.shape[1] // 2 * 2]
            gray = cv2.resize(even, (even.shape[1] // 2, even.shape[0] // 2), interpolation=cv2.INTER_AREA)
        gray = cv2.resize(gray, (width, height), interpolation=cv2.INTER_LINEAR)
        levels.append(gray[None, None])
    return levels


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


def squared(boxes: np.ndarray) -> np.ndarray:
    """The square around the middle of each box, as wide as its longer side: (N, 4) -> (N, 4)."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(1, keepdims=True) / 2
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


def suppress(boxes: np.ndarray, scores: np.ndarray, limit: float, of_smaller: bool = False) -> np.ndarray:
    """Non-maximum suppression: rows of `boxes` (N, 4) to keep, the highest score first.

    A box goes when it shares more than `limit` with a better one: of their union, or of the smaller box.
    """
    order = np.argsort(-scores, kind="stable")
    areas = area(boxes)
    kept = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        shared = shared_area(boxes[best], boxes[rest])
        if of_smaller:
            whole = np.minimum(areas[best], areas[rest])
        else:
            whole = areas[best] + areas[rest] - shared
        order = rest[shared <= limit * whole]
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


# ---- weights and graphs ------------------------------------------------------------------------------


def _installed_weights() -> Path:
    """The folder of weights in the `mtcnn` package, which is not imported: it would want TensorFlow."""
    spec = find_spec("mtcnn")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("mtcnn: the package `mtcnn`, which holds the weights, is missing; install mtcnn 1.0.")
    return Path(spec.submodule_search_locations[0]) / "assets" / "weights"


def read_weights(net: Net, folder: Path) -> list[tuple[np.ndarray, ...]]:
    """Kernel (out, in, H, W), bias (out,) and slopes (out, 1, 1) of each layer; last the heads, merged.

    The heads' kernel gives [face, x1, y1, x2, y2, landmarks...]; `face` is the difference of the two
    outputs of the softmax, so that a sigmoid of it is the probability. The first layer takes gray pixels
    as they are: its three colours are added up, and MTCNN's (pixel - 127.5) / 128 is folded into it.
    """
    path = folder / net.file
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise ModelError(f"mtcnn: {path} cannot be read ({error.strerror}); install mtcnn 1.0 again.") from None
    found = hashlib.sha256(packed).hexdigest()
    if found != net.sha256:
        raise ModelError(
            f"mtcnn: {path} is not the file of mtcnn 1.0.0 (its sha256 begins {found[:12]}, needed is "
            f"{net.sha256[:12]}); install mtcnn 1.0.0 again."
        )
    data = lz4.frame.decompress(packed)

    def array(start: int, *shape: int) -> np.ndarray:
        return np.frombuffer(data, "<f4", math.prod(shape), start).reshape(shape)

    weights = []
    for i, layer in enumerate(net.layers):
        kernel = array(layer.at[0], layer.kernel, layer.kernel, layer.inputs, layer.outputs)
        fully_connected = net.dense and i == len(net.layers) - 1  # laid out column first: W, H, in, out
        kernel = kernel.transpose((3, 2, 1, 0) if fully_connected else (3, 2, 0, 1))
        slopes = array(layer.at[2], layer.outputs, 1, 1)
        weights.append((kernel, array(layer.at[1], layer.outputs), slopes))
    kernel, bias, slopes = weights[0]
    weights[0] = (kernel.sum(1, keepdims=True) / 128, bias - kernel.sum((1, 2, 3)) * (127.5 / 128), slopes)

    inputs = net.layers[-1].outputs
    heads = [head for head in (net.face, net.box, net.landmarks) if head]
    kernels = [array(head.at[0], inputs, head.outputs).T for head in heads]
    biases = [array(head.at[1], head.outputs) for head in heads]
    kernels[0], biases[0] = kernels[0][1:] - kernels[0][:1], biases[0][1:] - biases[0][:1]
    weights.append((np.concatenate(kernels)[:, :, None, None], np.concatenate(biases)))
    return weights


def window_graph(net: Net, weights) -> onnx.ModelProto:
    """R- or O-Net as ONNX: `windows` (N, 1, side, side) uint8 -> (N, 5 or 15)."""
    nodes, last = _chain(net.layers, "windows", "")
    nodes.append(helper.make_node("Flatten", [last], ["out"]))
    windows = _picture("windows", "N", net.side_px, net.side_px)
    return _model(nodes, [windows], ["N", len(weights[-1][1])], weights)


def pyramid_graph(weights, sizes_px) -> onnx.ModelProto:
    """P-Net on all levels as ONNX: level0 (1, 1, H, W) uint8 ... -> (5, K), the cells row by row."""
    nodes, maps = [], []
    for i in range(len(sizes_px)):
        more, last = _chain(P_NET.layers, f"level{i}", f"{i}_")
        maps.append(f"{i}_cells")
        nodes += [*more, helper.make_node("Reshape", [last, "flat"], maps[-1:])]
    nodes.append(helper.make_node("Concat", maps, ["out"], axis=1))
    pictures = [_picture(f"level{i}", 1, *size) for i, size in enumerate(sizes_px)]
    return _model(nodes, pictures, [5, "K"], weights, flat=np.array([5, -1]))


def _chain(layers: tuple[Layer, ...], source: str, mark: str) -> tuple[list[onnx.NodeProto], str]:
    """The nodes from a picture to the heads' map (N, 5 or 15, H, W), and that map's name."""
    nodes = [helper.make_node("Cast", [source], [f"{mark}x"], to=onnx.TensorProto.FLOAT)]
    last = f"{mark}x"
    for i, layer in enumerate(layers):
        conv, bent, pooled = f"{mark}conv{i}", f"{mark}bent{i}", f"{mark}pooled{i}"
        nodes.append(helper.make_node("Conv", [last, f"kernel{i}", f"bias{i}"], [conv]))
        nodes.append(helper.make_node("PRelu", [conv, f"slopes{i}"], [bent]))
        last = bent
        if layer.pool:
            side = [layer.pool, layer.pool]  # a window that is cut off at the rim counts too: ceil_mode
            nodes.append(
                helper.make_node("MaxPool", [last], [pooled], kernel_shape=side, strides=[2, 2], ceil_mode=1)
            )
            last = pooled
    heads = len(layers)
    nodes.append(helper.make_node("Conv", [last, f"kernel{heads}", f"bias{heads}"], [f"{mark}heads"]))
    return nodes, f"{mark}heads"


def _picture(name: str, count, height: int, width: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx.TensorProto.UINT8, [count, 1, height, width])


def _model(nodes, inputs, out_shape, weights, **more: np.ndarray) -> onnx.ModelProto:
    names = ("kernel", "bias", "slopes")
    arrays = {f"{name}{i}": a for i, layer in enumerate(weights) for name, a in zip(names, layer, strict=False)}
    tensors = [numpy_helper.from_array(np.ascontiguousarray(a), n) for n, a in (arrays | more).items()]
    out = helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, out_shape)
    graph = helper.make_graph(nodes, "mtcnn", inputs, [out], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
