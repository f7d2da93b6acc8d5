"""A-MobileNet of paper 003 (Nan et al. 2022), and the MobileNets V1, V2 and V3-small it is measured against.

This file says what the networks are and nothing else.

A-MobileNet (table 1) is MobileNetV1 (Howard et al. 2017, arXiv 1704.04861) with linear depthwise
convolutions and CBAM behind four of its thirteen blocks: 3.4 M parameters. Its center loss is in losses.py.
Where the paper contradicts itself: once it keeps the ReLU behind the depthwise convolution in the nine blocks
without CBAM, once it leaves it out of all; so do we, as its last word on it (section 2.2). Its 2.3 M of V2
count the statistics of batch normalisation, its other figures come out with and without. Its RAF-DB has
15,539 faces, in parts of 12,271 and 3,068. CBAM's bottleneck is not given; ours is CBAM's own, a sixteenth.
V2 and V3: Sandler et al. 2018 (arXiv 1801.04381), table 2; Howard et al. 2019 (arXiv 1905.02244), table 2.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.attention import cbam, hidden_channels
from models.layers import Network, convolution

# Channels out and step of the blocks of V1; the comment is the map at 48 px.
V1 = (
    *((64, 1), (128, 2), (128, 1)),  # 24x24, 12x12
    *((256, 2), (256, 1)),  # 6x6
    *((512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1)),  # 3x3
    *((1024, 2), (1024, 1)),  # 2x2
)
CBAM_BEHIND = (3, 5, 10, 12)  # table 1: places in V1

# Expansion, channels out, how often, first step.
V2 = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))

# Kernel, channels inside, out, squeeze-and-excitation, activation, step.
V3_SMALL = (
    (3, 16, 16, True, "relu", 2),
    (3, 72, 24, False, "relu", 2),
    (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, "hardswish", 2),
    (5, 240, 40, True, "hardswish", 1),
    (5, 240, 40, True, "hardswish", 1),
    (5, 120, 48, True, "hardswish", 1),
    (5, 144, 48, True, "hardswish", 1),
    (5, 288, 96, True, "hardswish", 2),
    (5, 576, 96, True, "hardswish", 1),
    (5, 576, 96, True, "hardswish", 1),
)
ACTIVATIONS = {"relu": nn.ReLU, "relu6": nn.ReLU6, "hardswish": nn.Hardswish}


class Separable(nn.Sequential):
    """A block of V1, fig. 1, or of A-MobileNet, fig. 6: depthwise 3x3, pointwise 1x1, and CBAM if `hidden`."""

    def __init__(self, channels: int, out: int, step: int, hidden: int, linear: bool):
        depthwise = convolution(channels, channels, 3, step, channels, None if linear else nn.ReLU6)
        layers = [*depthwise, *convolution(channels, out, 1, activation=nn.ReLU6)]
        super().__init__(*layers, *([cbam(out, hidden)] if hidden else []))

    @property
    def row(self) -> list[int]:
        gate = self[-1] if isinstance(self[-1], nn.Sequential) else None
        pointwise = next(m for m in self if isinstance(m, nn.Conv2d) and m.groups == 1)
        return [pointwise.out_channels, self[0].stride[0], gate[0].mlp[0].out_channels if gate else 0]


class MobileNetV1(Network):
    """See Network. `blocks` has rows of channels out, step, channels inside CBAM (0: none); `linear` leaves
    out the activation behind the depthwise convolutions."""

    def __init__(
        self,
        side_px: int = 96,
        stem: Sequence[int] = (32, 2),
        blocks: Sequence[Sequence[int]] = tuple((*row, 0) for row in V1),
        linear: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__(side_px, blocks[-1][0], dropout)
        self.linear, channels = linear, stem[0]
        layers = [convolution(1, *stem[:1], 3, stem[1], activation=nn.ReLU6)]  # (N, 32, side/2, side/2)
        for out, step, hidden in blocks:
            layers.append(Separable(channels, out, step, hidden, linear))
            channels = out
        self.body = nn.Sequential(*layers)  # (N, 1024, side/32, side/32)

    @property
    def shape(self) -> dict:
        first = self.body[0][0]
        return {
            "side_px": self.side_px,
            "stem": [first.out_channels, first.stride[0]],
            "blocks": [block.row for block in self.body[1:]],
            "linear": self.linear,
            "dropout": self.dropout.p,
        }


def a_mobilenet(
    side_px: int = 96,
    stem: Sequence[int] = (32, 2),
    blocks: Sequence[Sequence[int]] | None = None,
    linear: bool = True,
    dropout: float = 0.5,
) -> MobileNetV1:
    """Paper 003, table 1."""
    if blocks is None:
        blocks = [
            (out, step, hidden_channels(out) if place in CBAM_BEHIND else 0)
            for place, (out, step) in enumerate(V1)
        ]
    return MobileNetV1(side_px, stem, blocks, linear, dropout)


class Row(NamedTuple):
    """One inverted residual: channels out, step, channels inside (0: those that come in, without a first
    convolution), input added or not, kernel, channels inside the attention (0: none), activation."""

    out: int
    step: int
    inner: int
    added: bool
    kernel: int = 3
    hidden: int = 0
    activation: str = "relu6"


class HardExcite(nn.Module):
    """Squeeze-and-excitation of V3, with a sigmoid of straight pieces."""

    def __init__(self, channels: int, hidden: int):
        super().__init__()
        self.excite = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, channels, 1), nn.Hardsigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.excite(x.mean((2, 3), keepdim=True))  # (N, C, H, W) * (N, C, 1, 1)


class InvertedResidual(nn.Module):
    """Widen by 1x1, filter each channel, weigh them, narrow by a linear 1x1; the input added where it fits."""

    def __init__(self, channels: int, row: Row):
        super().__init__()
        self.plan, activation = row, ACTIVATIONS[row.activation]
        inner = row.inner or channels
        self.widen = convolution(channels, inner, 1, activation=activation) if row.inner else nn.Identity()
        self.filter = convolution(inner, inner, row.kernel, row.step, inner, activation)
        self.weigh = HardExcite(inner, row.hidden) if row.hidden else nn.Identity()
        self.narrow = convolution(inner, row.out, 1, activation=None)

    @property
    def row(self) -> Row:
        """The widths as they are now, also after channels were taken away."""
        out, inner = self.narrow[0].out_channels, self.filter[0].out_channels
        hidden = self.weigh.excite[0].out_channels if self.plan.hidden else 0
        return self.plan._replace(out=out, inner=inner if self.plan.inner else 0, hidden=hidden)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        y = self.weigh(self.filter(self.widen(x)))  # (N, inner, H/step, W/step)
        y = self.narrow(y)  # (N, out, H/step, W/step)
        return x + y if self.plan.added else y


class Inverted(Network):
    """MobileNetV2 and V3; see Network. `stem` is width, step and activation; `blocks` has rows of the fields of
    Row; `last` has the width of the last convolution and, for V3, that of the layer behind the mean."""

    def __init__(
        self,
        stem: Sequence[int | str],
        blocks: Sequence[Sequence[int | bool | str]],
        last: Sequence[int],
        side_px: int = 96,
        dropout: float = 0.0,
    ):
        super().__init__(side_px, last[-1], dropout)
        self.activation = stem[2]
        activation, channels = ACTIVATIONS[stem[2]], stem[0]
        layers = [convolution(1, stem[0], 3, stem[1], activation=activation)]  # (N, C, side/2, side/2)
        for row in blocks:
            layers.append(InvertedResidual(channels, Row(*row)))
            channels = row[0]
        layers.append(convolution(channels, last[0], 1, activation=activation))
        self.body = nn.Sequential(*layers)  # (N, C, side/32, side/32)
        self.behind = nn.Sequential()
        if len(last) > 1:
            self.behind.extend([nn.Conv2d(last[0], last[1], 1), activation()])

    @property
    def shape(self) -> dict:
        first, last = self.body[0][0], [self.body[-1][0], *self.behind[:1]]
        return {
            "stem": [first.out_channels, first.stride[0], self.activation],
            "blocks": [list(block.row) for block in self.body[1:-1]],
            "last": [conv.out_channels for conv in last],
            "side_px": self.side_px,
            "dropout": self.dropout.p,
        }

    def embed(self, faces: Tensor) -> Tensor:
        x = self.body(self.resized(faces)).mean((2, 3), keepdim=True)  # (N, 1, 48, 48) -> (N, C, 1, 1)
        return torch.flatten(self.behind(x), 1)  # (N, C)


def mobilenet_v2(
    side_px: int = 96,
    stem: Sequence[int | str] = (32, 2, "relu6"),
    blocks: Sequence[Sequence] | None = None,
    last: Sequence[int] = (1280,),
    dropout: float = 0.2,
) -> Inverted:
    if blocks is None:
        blocks, channels = [], stem[0]
        for wider, out, count, first_step in V2:
            for place in range(count):
                inner = wider * channels if wider > 1 else 0
                blocks.append(Row(out, first_step if place == 0 else 1, inner, place > 0))
                channels = out
    return Inverted(stem, blocks, last, side_px, dropout)


def mobilenet_v3_small(
    side_px: int = 96,
    stem: Sequence[int | str] = (16, 2, "hardswish"),
    blocks: Sequence[Sequence] | None = None,
    last: Sequence[int] = (576, 1024),
    dropout: float = 0.2,
) -> Inverted:
    if blocks is None:
        blocks, channels = [], stem[0]
        for kernel, inner, out, weighed, activation, step in V3_SMALL:
            hidden = multiple_of_8(inner / 4) if weighed else 0
            added = step == 1 and channels == out
            blocks.append(Row(out, step, inner if inner != channels else 0, added, kernel, hidden, activation))
            channels = out
    return Inverted(stem, blocks, last, side_px, dropout)


def multiple_of_8(width: float) -> int:
    """The nearest multiple of eight that is not a tenth less; at least 8."""
    near = max(8, int(width + 4) // 8 * 8)
    return near if near >= 0.9 * width else near + 8
