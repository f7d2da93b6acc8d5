"""MTCNN's three networks: their weights, read from the `mtcnn` wheel, as ONNX graphs that take gray pictures.

The wheel's TensorFlow is not needed. Its three files are joblib pickles, and nothing here unpickles: a sha256
pins every byte, so the arrays are read from where they are known to lie. This file runs no network.

Letters at line ends: N windows, H x W pixels, K cells (places of P-Net's window on all levels).
"""

import hashlib
import math
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import lz4.frame
import numpy as np
import onnx
from onnx import helper, numpy_helper


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
    pool_first: bool  # in the first layer, where that is faster; see without_prelu()
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
    pool_first=True,
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
    pool_first=True,
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
    pool_first=False,
    box=Head(4, (1540816, 1544960)),
    landmarks=Head(10, (1545040, 1555328)),
    face=Head(2, (1555424, 1557520)),
)


class ModelError(ValueError):
    """The weights cannot be used; the sentence says which file and what to do."""


def installed_weights() -> Path:
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
    nodes, last = _chain(net, "windows", "")
    nodes.append(helper.make_node("Flatten", [last], ["out"]))
    windows = _picture("windows", "N", net.side_px, net.side_px)
    return _model(nodes, [windows], ["N", len(weights[-1][1])], without_prelu(weights, net.pool_first))


def pyramid_graph(weights, sizes_px) -> onnx.ModelProto:
    """P-Net on all levels as ONNX: level0 (1, 1, H, W) uint8 ... -> (5, K), the cells row by row."""
    nodes, maps = [], []
    for i in range(len(sizes_px)):
        more, last = _chain(P_NET, f"level{i}", f"{i}_")
        maps.append(f"{i}_cells")
        nodes += [*more, helper.make_node("Reshape", [last, "flat"], maps[-1:])]
    nodes.append(helper.make_node("Concat", maps, ["out"], axis=1))
    pictures = [_picture(f"level{i}", 1, *size) for i, size in enumerate(sizes_px)]
    arrays = without_prelu(weights, P_NET.pool_first) | {"flat": np.array([5, -1])}
    return _model(nodes, pictures, [5, "K"], arrays)


def _chain(net: Net, source: str, mark: str) -> tuple[list[onnx.NodeProto], str]:
    """The nodes from a picture to the heads' map (N, 5 or 15, H, W), and that map's name."""
    nodes = [helper.make_node("Cast", [source], [f"{mark}x"], to=onnx.TensorProto.FLOAT)]
    last = f"{mark}x"

    def add(what: str, *inputs: str, **how) -> str:
        name = f"{mark}{len(nodes)}"
        nodes.append(helper.make_node(what, inputs, [name], **how))
        return name

    for i, layer in enumerate(net.layers):
        # a window that is cut off at the rim counts too: ceil_mode
        pool = {"kernel_shape": [layer.pool] * 2, "strides": [2, 2], "ceil_mode": 1}
        pool_first = net.pool_first and i == 0
        last = add("Conv", last, f"kernel{i}", f"bias{i}")
        if pool_first:
            last = add("MaxPool", last, **pool)
        group = 1 if pool_first else layer.outputs
        bent = add("Relu", add("Conv", last, f"bent{i}", group=group))
        last = add("Add", add("Conv", last, f"straight{i}", group=group), bent)
        if layer.pool and not pool_first:
            last = add("MaxPool", last, **pool)
    heads = len(net.layers)
    return nodes, add("Conv", last, f"kernel{heads}", f"bias{heads}")


def _picture(name: str, count, height: int, width: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx.TensorProto.UINT8, [count, 1, height, width])


def _model(nodes, inputs, out_shape, arrays: dict[str, np.ndarray]) -> onnx.ModelProto:
    tensors = [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in arrays.items()]
    out = helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, out_shape)
    graph = helper.make_graph(nodes, "mtcnn", inputs, [out], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def without_prelu(weights, pool_first: bool) -> dict[str, np.ndarray]:
    """The arrays of a graph that says PReLU by convolutions: ONNX Runtime's own takes longer than the networks.

    With a slope a <= 1, PReLU(x) = a x + relu((1 - a) x): `straight` and `bent`, 1x1, for each channel alone.
    With a > 1, as in some first layers, both signs are turned to give -PReLU(x), and so are the next kernel's.

    pool_first   pool the first layer's channels before they are bent, which leaves a quarter to be bent: max
                 may come before what rises. With a < 0 PReLU falls, then rises; its max is that of max x and
                 max a x. Such a channel comes twice, u and v = a u; when both were pooled, v + relu(u - v).
    """
    arrays = {}
    *layers, (heads, heads_bias) = weights
    signs = np.ones(1, np.float32)  # of the channels that come in
    for i, (kernel, bias, slopes) in enumerate(layers):
        kernel, slopes = kernel * signs[:, None, None], slopes.ravel()
        signs = np.where(slopes > 1, -1, 1).astype(np.float32)
        straight, bent = (signs * slopes)[:, None], (signs * (1 - slopes))[:, None]
        if pool_first and i == 0:
            falls = np.flatnonzero(slopes < 0)
            again = np.eye(len(slopes), dtype=np.float32)[:, falls]
            straight, bent = np.diag(straight[:, 0]), np.diag(bent[:, 0])
            straight[falls], bent[falls, falls] = 0, 1
            straight, bent = np.hstack([straight, again]), np.hstack([bent, -again])
            kernel = np.concatenate([kernel, kernel[falls] * slopes[falls, None, None, None]])
            bias = np.concatenate([bias, bias[falls] * slopes[falls]])
        arrays |= {f"kernel{i}": kernel, f"bias{i}": bias}
        arrays |= {f"straight{i}": straight[:, :, None, None], f"bent{i}": bent[:, :, None, None]}
    return arrays | {f"kernel{len(layers)}": heads * signs[:, None, None], f"bias{len(layers)}": heads_bias}
