"""ResNet-20, -32 and -56 (He et al. 2016, arXiv 1512.03385, section 4.2), on which paper 000 tries its pruning.

This file says what the networks are and nothing else. Three stages of 2n convolutions, 16, 32 and 64
channels wide, as for CIFAR-10; here for gray 48x48 faces. Two steps differ from the article: a shortcut
that changes the width is a 1x1 convolution (its option B, since padding with zeros cannot be pruned), on
means of 2x2 pixels where it changes the size.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.layers import Network

WIDTHS = ((16, 1), (32, 2), (64, 2))  # channels and first step of a stage: 48x48, 24x24, 12x12


class Row(NamedTuple):
    """One block of two 3x3 convolutions: channels out, step, channels between, input projected or not."""

    out: int
    step: int
    inner: int
    projected: bool


def convolution(channels: int, out: int, step: int = 1) -> nn.Sequential:
    """3x3, then batch normalisation: (N, channels, H, W) -> (N, out, H/step, W/step)."""
    return nn.Sequential(nn.Conv2d(channels, out, 3, step, 1, bias=False), nn.BatchNorm2d(out))


class Block(nn.Module):
    """Fig. 2 of the article: two convolutions, the input added to their output."""

    def __init__(self, channels: int, row: Row):
        super().__init__()
        self.first = convolution(channels, row.inner, row.step)
        self.second = convolution(row.inner, row.out)
        self.shortcut = nn.Sequential()
        if row.projected:
            self.shortcut.extend(
                [
                    nn.AvgPool2d(row.step),
                    nn.Conv2d(channels, row.out, 1, bias=False),
                    nn.BatchNorm2d(row.out),
                ]
            )

    @property
    def row(self) -> Row:
        """The widths as they are now, also after channels were taken away."""
        step, projected = self.first[0].stride[0], len(self.shortcut) > 0
        return Row(self.second[0].out_channels, step, self.first[0].out_channels, projected)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        y = torch.relu(self.first(x))  # (N, inner, H/step, W/step)
        return torch.relu(self.second(y) + self.shortcut(x))  # (N, out, H/step, W/step)


class ResNet(Network):
    """See Network. `stem` is the width of the first convolution, `blocks` has rows of the fields of Row."""

    def __init__(
        self, stem: int, blocks: Sequence[Sequence[int | bool]], side_px: int = 48, dropout: float = 0.0
    ):
        super().__init__(side_px, blocks[-1][0], dropout)
        self.stem = convolution(1, stem)
        layers, channels = [], stem
        for row in blocks:
            layers.append(Block(channels, Row(*row)))
            channels = row[0]
        self.blocks = nn.Sequential(*layers)

    @property
    def shape(self) -> dict:
        """Plain lists that build this network again, whatever was pruned: ResNet(**shape)."""
        blocks = [list(block.row) for block in self.blocks]
        return {"stem": self.stem[0].out_channels, "blocks": blocks, "side_px": self.side_px}

    def embed(self, faces: Tensor) -> Tensor:
        x = torch.relu(self.stem(self.resized(faces)))  # (N, 1, 48, 48) -> (N, 16, 48, 48)
        return self.blocks(x).mean((2, 3))  # (N, 64, 12, 12) -> (N, 64)


def resnet(
    depth: int, stem: int = 16, blocks: Sequence[Sequence[int | bool]] | None = None, side_px: int = 48
) -> ResNet:
    """ResNet of depth 6n + 2, unpruned if `blocks` is None.

    >>> sum(p.numel() for p in resnet(20).parameters())
    271991
    """
    if blocks is None:
        blocks, channels = [], stem
        for out, first_step in WIDTHS:
            for place in range((depth - 2) // 6):
                blocks.append(Row(out, first_step if place == 0 else 1, out, channels != out))
                channels = out
    return ResNet(stem, blocks, side_px)


def resnet18(
    widths: Sequence[int] = (64, 128, 256, 512),
    stem: int = 32,
    blocks: Sequence[Sequence[int | bool]] | None = None,
    side_px: int = 48,
) -> ResNet:
    """ResNet-18 (table 1 of the article: four stages of two blocks), its stem made fit for 48 px.

    >>> sum(p.numel() for p in resnet18((48, 96, 192, 384)).parameters()) < 6_400_000
    True
    """
    if blocks is None:
        blocks = []
        for out in widths:
            blocks += [Row(out, 2, out, True), Row(out, 1, out, False)]
    return ResNet(stem, blocks, side_px, dropout=0.3)
