"""mini-Xception: the network of paper 001 (Juni Khyat 10-12, 2020; the body is Arriaga's, arXiv 1710.07557).

This file says what the network is and nothing else. Two convolutions, four residual modules of two separable
convolutions each, a last 3x3 convolution to seven maps and their global means: 56,951 trainable parameters,
58,423 with the statistics of batch normalisation, as the paper counts.

Where the paper contradicts itself: table 3 counts 9 poolings, its figure 6 and its count allow 5 (four
maxima, one mean; the 15 convolutions agree). The file of 872.9 kB holds about four numbers a parameter, as
Adam's do: the 58,423 floats alone take 234 kB.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers import Network, convolution, projection
from models.xrs import separable

STEM = (8, 8)  # 48x48
MODULES = ((16, 16), (32, 32), (64, 64), (128, 128))  # out, between the two: 24x24, 12x12, 6x6, 3x3


class Module(nn.Module):
    """Two separable convolutions and a maximum over 3x3 pixels, the projected input added."""

    def __init__(self, channels: int, out: int, inner: int):
        super().__init__()
        self.first, self.second = separable(channels, inner), separable(inner, out)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.shortcut = projection(channels, out, 2)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        y = torch.relu(self.first(x))  # (N, inner, H, W)
        return self.pool(self.second(y)) + self.shortcut(x)  # (N, out, H/2, W/2)


class MiniXception(Network):
    """See Network. `stem` has widths; `modules` has rows of channels out and channels in the middle.

    The mean of the last convolution's seven maps is a linear function of nine means of the map below, one a
    place of the 3x3 kernel. These are the embedding, (N, 9 * 128), so that the classifier is a Linear as in
    the other networks, with the weights of that convolution.
    """

    def __init__(
        self,
        side_px: int = 48,
        stem: Sequence[int] = STEM,
        modules: Sequence[Sequence[int]] = MODULES,
        dropout: float = 0.0,
    ):
        super().__init__(side_px, 9 * modules[-1][0], dropout)
        layers, channels = [], 1
        for out in stem:
            layers.append(convolution(channels, out))
            channels = out
        for out, inner in modules:
            layers.append(Module(channels, out, inner))
            channels = out
        self.body = nn.Sequential(*layers)

    @property
    def shape(self) -> dict:
        stem = [part[0].out_channels for part in self.body if isinstance(part, nn.Sequential)]
        modules = [
            [part.second[1].out_channels, part.first[1].out_channels]
            for part in self.body
            if isinstance(part, Module)
        ]
        return {"side_px": self.side_px, "stem": stem, "modules": modules, "dropout": self.dropout.p}

    def embed(self, faces: Tensor) -> Tensor:
        x = self.body(self.resized(faces))  # (N, 1, 48, 48) -> (N, 128, 3, 3)
        means = F.avg_pool2d(F.pad(x, [1] * 4), x.shape[2:], 1)  # (N, 128, 3, 3): a mean a place of the kernel
        return means.flatten(1)  # (N, 1152)
