"""PSA-ResNet50: the network of paper 002 (Gu and Jin), and the rivals of its table 3 in the same block.

This file says what the networks are and nothing else. ResNet-50 (He et al. 2016, table 1) with pyramid split
attention in the place of each 3x3 convolution; with `attention` another it is that rival, with "none" the
paper's "Basic". The paper starts from weights of ImageNet, which are not part of this project.

Where the paper contradicts itself: the gain over Basic is 4.34 points on FER2013 and 3.55 on CK+ by its tables
3 and 4, and the other way round in its text; it has 35,886 faces of FER2013, which are 35,887.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.attention import AFF, ECA, PSA, cbam, hidden_channels
from models.layers import Network, convolution, projection
from models.xrs import SqueezeExcite

STAGES = ((3, 64, 1), (4, 128, 2), (6, 256, 2), (3, 512, 2))  # blocks, width, first step: 12x12, 6x6, 3x3, 2x2
ATTENTIONS = ("none", "psa", "se", "cbam", "eca", "aff")


class Row(NamedTuple):
    """One block: channels out, step, channels of its first and its second convolution, input projected or not,
    and the size of its attention: channels inside (se, cbam, aff), kernel (eca), 0 (psa, none)."""

    out: int
    step: int
    first: int
    second: int
    projected: bool
    size: int


def size_of(attention: str, channels: int) -> int:
    """The size of an attention on so many channels."""
    if attention == "eca":
        return ECA.kernel(channels)
    return hidden_channels(channels) if attention in ("se", "cbam", "aff") else 0


class Block(nn.Module):
    """Fig. 3: 1x1, then PSA or 3x3, then 1x1 convolution; attention on it; the input added."""

    def __init__(self, channels: int, row: Row, attention: str):
        super().__init__()
        self.step, self.size = row.step, row.size
        self.first = convolution(channels, row.first, 1)
        if attention == "psa":
            self.second = nn.Sequential(
                PSA(row.first, row.step), nn.BatchNorm2d(row.second), nn.ReLU(inplace=True)
            )
        else:
            self.second = convolution(row.first, row.second, 3, row.step)
        self.third = convolution(row.second, row.out, 1, activation=None)
        nn.init.zeros_(self.third[1].weight)  # a block begins by changing nothing: arXiv 1706.02677, 5.1
        self.gate, self.fuse = nn.Identity(), None
        if attention == "se":
            self.gate = SqueezeExcite(row.out, row.size)
        elif attention == "cbam":
            self.gate = cbam(row.out, row.size)
        elif attention == "eca":
            self.gate = ECA(row.size)
        elif attention == "aff":
            self.fuse = AFF(row.out, row.size)
        self.shortcut = projection(channels, row.out, row.step) if row.projected else nn.Sequential()

    @property
    def row(self) -> Row:
        """The widths as they are now, also after channels were taken away."""
        hidden = {SqueezeExcite: lambda g: g.excite[0], nn.Sequential: lambda g: g[0].mlp[0]}.get(
            type(self.gate)
        )
        size = hidden(self.gate).out_channels if hidden else self.size
        size = self.fuse.local[0].out_channels if self.fuse else size
        widths = (self.first[0].out_channels, self.second[1].num_features)
        return Row(self.third[0].out_channels, self.step, *widths, len(self.shortcut) > 0, size)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        y = self.second(self.first(x))  # (N, second, H/step, W/step)
        y = self.gate(self.third(y))  # (N, out, H/step, W/step)
        x = self.shortcut(x)
        return torch.relu(self.fuse(y, x) if self.fuse else y + x)


class PSAResNet(Network):
    """See Network. `stem` is the width and the step of the first convolution, and the step of the maximum
    behind it; `blocks` has rows of the fields of Row (None: ResNet-50's)."""

    def __init__(
        self,
        side_px: int = 48,
        attention: str = "psa",
        stem: Sequence[int] = (64, 2, 2),
        blocks: Sequence[Sequence[int | bool]] | None = None,
        dropout: float = 0.0,
    ):
        if attention not in ATTENTIONS:
            raise ValueError(f"psa: attention must be one of {', '.join(ATTENTIONS)}; {attention!r} came.")
        width, step, pool = stem
        rows = resnet50_rows(attention, width) if blocks is None else [Row(*row) for row in blocks]
        super().__init__(side_px, rows[-1].out, dropout)
        self.attention, self.pool = attention, pool
        layers, channels = [convolution(1, width, 7, step)], width  # (N, 1, 48, 48) -> (N, 64, 24, 24)
        if pool > 1:
            layers.append(nn.MaxPool2d(3, pool, 1))  # (N, 64, 12, 12)
        for row in rows:
            layers.append(Block(channels, row, attention))
            channels = row.out
        self.body = nn.Sequential(*layers)  # (N, 2048, 2, 2)

    @property
    def blocks(self) -> list[Block]:
        return [part for part in self.body if isinstance(part, Block)]

    @property
    def whole(self) -> tuple[nn.Module, ...]:
        """The groups of PSA must keep their channels, so the convolutions before and in it stay whole."""
        if self.attention != "psa":
            return ()
        return tuple(layer for b in self.blocks for layer in (b.first[0], *b.second[0].branches))

    @property
    def shape(self) -> dict:
        first = self.body[0][0]
        return {
            "side_px": self.side_px,
            "attention": self.attention,
            "stem": [first.out_channels, first.stride[0], self.pool],
            "blocks": [list(block.row) for block in self.blocks],
            "dropout": self.dropout.p,
        }


def resnet50_rows(attention: str, channels: int) -> list[Row]:
    """The 16 blocks of ResNet-50 behind a stem of so many `channels`."""
    rows = []
    for count, width, first_step in STAGES:
        out = 4 * width
        for place in range(count):
            step = first_step if place == 0 else 1
            rows.append(Row(out, step, width, width, channels != out, size_of(attention, out)))
            channels = out
    return rows
