"""From trained weights to a folder of the zoo: ONNX, safetensors, and a card that vouches for both.

The ONNX holds all that belongs to the network's answer (scaling of pixels, softmax), so that whoever
serves it can get nothing wrong. Never changes a weight, but for a bias of the classifier where it is told to.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from config.contract import EMOTIONS
from models import golden, zoo
from models.networks import build, fill

DATA = (
    "FER2013 Training (Goodfellow et al. 2013; research use, its owners state no licence), votes of FER+ "
    "(Barsoum et al. 2016, MIT). Left out: constant images, images that some voter called no face, and "
    "images that also stand in PublicTest."
)
LIMITS = (
    "Photographs found on the web in 2013, mostly acted or press pictures of adults; labels say what people "
    "saw in a picture, not what somebody felt. Not measured on children, on masks, or by age, gender or skin "
    "colour. Not to be used to judge, select, diagnose or monitor people."
)
TOLERANCE = 1e-4  # largest difference of a probability between torch and ONNX Runtime
HALF_TOLERANCE = (
    2e-3  # the same where kernels, with the normalisation folded in, are kept in 16 bits (11 of them count)
)


class Served(nn.Module):
    """Gray faces (N, 1, 48, 48), 0..255 -> probabilities (N, 7).

    `mirrored`: by the mean score of a face and its mirror, which are one emotion, in twice the time.
    """

    def __init__(self, net: nn.Module, mirrored: bool = False):
        super().__init__()
        self.net, self.mirrored = net, mirrored

    def forward(self, faces: Tensor) -> Tensor:
        faces = faces / 127.5 - 1
        if not self.mirrored:
            return self.net(faces).softmax(1)
        both = self.net(torch.cat([faces, faces.flip(3)]))  # (2N, 7)
        return both.unflatten(0, (2, -1)).mean(0).softmax(1)


def restore(
    network: str, weights: dict[str, Tensor], second: bool = False, shape: dict | None = None
) -> nn.Module:
    """The network of a finished run, of this `shape` where it was pruned.

    `second` puts the FER+ classifier in the place of the first.
    """
    net = build(network, **(shape or {}))
    state = {k: v for k, v in weights.items() if not k.startswith("second.")}
    if second:
        state |= {
            f"classifier.{k.removeprefix('second.')}": v for k, v in weights.items() if k.startswith("second.")
        }
    fill(net, state, network)
    return net.eval()


def export(
    weights: str | Path,
    name: str,
    network: str,
    facts: dict,
    second: bool = False,
    shape: dict | None = None,
    leans: dict[str, float] | None = None,
    mirrored: bool = False,
    half: bool = False,
    home: Path = zoo.ZOO,
) -> Path:
    """Write models/zoo/<name>; `facts` go into the card as they are. Raises if ONNX and torch disagree.

    half     weights are kept in 16 bits, as they are without asking where they fit the repository only so
             (zoo.LARGEST_MB); all is computed with 32
    mirrored see Served
    leans    {emotion: what is added to its logit}: an emotion that is rare in the training faces is named too
             seldom, and more often with this (logit adjustment, Menon et al. 2021, arXiv 2007.07314, eq. 9)
    """
    net = restore(network, load_file(weights), second, shape)
    with torch.no_grad():
        for emotion, logit in (leans or {}).items():
            net.classifier.bias[EMOTIONS.index(emotion)] += logit
    folder = home / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / zoo.INT8).unlink(missing_ok=True)  # made of weights that go now
    half |= megabytes(net.state_dict()) > zoo.LARGEST_MB >= megabytes(halved(net.state_dict()))
    state = halved(net.state_dict()) if half else net.state_dict()
    net.load_state_dict(state)
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "weights.safetensors")
    write_onnx(net, folder / zoo.ONNX, mirrored, half)
    files = {file: zoo.sha256(folder / file) for file in (zoo.ONNX, "weights.safetensors")}
    size = sizes(net)
    size["multiply_adds"] *= 1 + mirrored
    card = {
        "name": name,
        "network": network,
        **({"shape": shape} if shape else {}),
        **({"leans": leans} if leans else {}),
        **({"mirrored": True} if mirrored else {}),
        "emotions": list(EMOTIONS),
        "input_px": 48,
        **size,
        "weights_mb": round(megabytes(state), 1),
        **facts,
        "data": DATA,
        "limits": LIMITS,
        "sha256": files,
        "golden": golden.scores(folder / zoo.ONNX),
    }
    zoo.write_card(folder, card)
    return folder


def halved(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Kernels and matrices in 16 bits; biases and statistics, which are few, as they are."""
    return {key: value.half() if value.ndim > 1 else value for key, value in state.items()}


def megabytes(state: dict[str, Tensor]) -> float:
    return sum(value.numel() * value.element_size() for value in state.values()) / 1e6


def write_onnx(net: nn.Module, path: Path, mirrored: bool = False, half: bool = False) -> None:
    """`net` as one ONNX file with any batch size, compared with torch on random faces."""
    served = Served(net, mirrored).eval()
    faces = torch.rand(2, 1, 48, 48) * 255
    batch = torch.export.Dim("faces", min=1, max=1024)
    with without_torchs_remarks():
        program = torch.onnx.export(
            served, (faces,), dynamo=True, input_names=["faces"], output_names=["scores"],
            dynamic_shapes=({0: batch},), verbose=False,
        )  # fmt: skip
    model = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]  # where in torch it came from: a quarter of a small file
    if half:
        halve(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for count in (1, 5):
        faces = torch.rand(count, 1, 48, 48) * 255
        with torch.no_grad():
            expected = served(faces).numpy()
        worst = np.abs(session.run(None, {"faces": faces.numpy()})[0] - expected).max()
        allowed = HALF_TOLERANCE if half else TOLERANCE
        if not worst < allowed:
            raise RuntimeError(
                f"export: {path} differs from torch by {worst:g}; at most {allowed:g} is allowed."
            )


@contextmanager
def without_torchs_remarks() -> Iterator[None]:
    """Its exporter remarks on torchvision, which is not needed, and on changes within torch; errors stay."""
    remarks = logging.getLogger("torch.onnx")
    level = remarks.level
    remarks.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        remarks.setLevel(level)


def halve(graph: onnx.GraphProto) -> None:
    """Keep the weights of an ONNX graph in 16 bits, which it widens when it is opened."""
    widened = []
    for number in graph.initializer:
        if number.data_type == TensorProto.FLOAT and len(number.dims) > 1:
            name, half = number.name, numpy_helper.to_array(number).astype(np.float16)
            number.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
            widened.append(helper.make_node("Cast", [number.name], [name], to=TensorProto.FLOAT))
            graph.value_info.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, half.shape))
    for place, node in enumerate(widened):
        graph.node.insert(place, node)


def sizes(net: nn.Module) -> dict[str, int]:
    """Numbers that are learnt, these with the statistics of batch normalisation, and multiply-adds."""
    learnt = sum(p.numel() for p in net.parameters())
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    return {
        "parameters": learnt,
        "parameters_and_statistics": learnt + sum(2 * norm.num_features for norm in norms),
        "multiply_adds": multiply_adds(net),
    }


@torch.no_grad()
def multiply_adds(net: nn.Module) -> int:
    """Multiply-adds of one face through all convolutions and linear layers."""
    total = 0

    def count(layer: nn.Module, _: tuple, out: Tensor) -> None:
        nonlocal total
        weights_an_output = layer.weight.numel() // layer.weight.shape[0]
        total += out[0].numel() * weights_an_output

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    net(torch.zeros(1, 1, 48, 48))
    for hook in hooks:
        hook.remove()
    return total
