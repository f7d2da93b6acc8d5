"""Layers that several networks of the papers share; none of them knows which network it stands in.

Letters at line ends, here and in the networks: N images in a batch, C channels, H x W pixels.
"""

import torch.nn.functional as F
from torch import Tensor, nn

CLASSES = 7


def convolution(
    channels: int, out: int, kernel: int = 3, step: int = 1, groups: int = 1, activation: type | None = nn.ReLU
) -> nn.Sequential:
    """Convolution, batch normalisation and `activation`: (N, channels, H, W) -> (N, out, H/step, W/step)."""
    layers = [
        nn.Conv2d(channels, out, kernel, step, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out),
    ]
    return nn.Sequential(*layers, *([activation(inplace=True)] if activation else []))


def projection(channels: int, out: int, step: int = 1) -> nn.Sequential:
    """A shortcut that changes width or size: every step-th pixel, 1x1 convolution, batch normalisation.

    It computes just what a strided 1x1 convolution does, whose gradient crashes torch 2.13 on CPU.
    """
    return nn.Sequential(
        *([nn.MaxPool2d(1, step)] if step > 1 else []),
        nn.Conv2d(channels, out, 1, bias=False),
        nn.BatchNorm2d(out),
    )


class Network(nn.Module):
    """Gray faces to seven scores before softmax, in the order of `config.contract.EMOTIONS`.

    Input (N, 1, 48, 48) float, pixel 0..255 mapped to -1..1; output (N, 7), unbounded. The network itself
    brings the faces to `side_px`, so whoever trains, exports or serves it need not know. Subclasses set
    `body`, which gives the last map, and the property `shape`: plain lists that build the network again,
    whatever was pruned.
    """

    body: nn.Module
    whole: tuple[nn.Module, ...] = ()  # layers whose width pruning must leave

    def __init__(self, side_px: int, embedding: int, dropout: float):
        super().__init__()
        self.side_px = side_px
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(embedding, CLASSES)

    def resized(self, faces: Tensor) -> Tensor:
        """(N, 1, H, W) -> (N, 1, side_px, side_px)"""
        if faces.shape[-1] == self.side_px:
            return faces
        return F.interpolate(faces, size=(self.side_px, self.side_px), mode="bilinear", align_corners=False)

    def embed(self, faces: Tensor) -> Tensor:
        return self.body(self.resized(faces)).mean((2, 3))  # (N, 1, 48, 48) -> (N, C)

    def forward(self, faces: Tensor) -> Tensor:
        return self.classifier(self.dropout(self.embed(faces)))  # (N, 7)
