"""XRS: the Xception + ResNet + squeeze-and-excitation network of paper 000 (IEEE Access 2023, 3333381).

This file says what the network is and nothing else: it never reads data, trains, or touches files.
Letters at line ends: N images in a batch, C channels, H x W pixels.

The paper's figures 2 and 3 give the order of the parts (separable convolution, channel attention, sum
with the input), equations 1-3 the attention, but not the widths; ours are chosen so that few
multiply-adds fall on large maps (paper: 1,892,681 parameters).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

CLASSES = 7
SIDE_PX = 48


class Row(NamedTuple):
    """One module. What is None follows from the rest, as in the unpruned network.

    out, step   channels it gives; step of its first depthwise convolution
    inner       channels between its two separable convolutions (None: out)
    hidden      channels inside the channel attention (None: an eighth of out, at least 8; 0: no attention)
    shortcut    "same": the input is added; "projected": it goes through a 1x1 convolution first;
                "none": it is not added. None: projected where the width changes
    """

    out: int
    step: int
    inner: int | None = None
    hidden: int | None = None
    shortcut: str | None = None

    def filled(self, channels: int) -> "Row":
        """The same module, its input being `channels` wide, with nothing left to follow."""
        return Row(
            self.out,
            self.step,
            self.out if self.inner is None else self.inner,
            max(8, self.out // 8) if self.hidden is None else self.hidden,
            self.shortcut or ("same" if channels == self.out else "projected"),
        )


# One row a module: channels out, step. The comment is the map it gives.
STEM = ((24, 1), (48, 2))  # 48x48, 24x24
MODULES = (
    (64, 1),  # 24x24
    (128, 2),  # 12x12
    (128, 1),
    (256, 2),  # 6x6
    (256, 1),
    (256, 1),
    (448, 2),  # 3x3
    (448, 1),
)


class SqueezeExcite(nn.Module):
    """Channel attention (eqs. 1-3): a weight in 0..1 for every channel, made from the channel means.

    >>> SqueezeExcite(64)(torch.zeros(2, 64, 6, 6)).shape
    torch.Size([2, 64, 6, 6])
    """

    def __init__(self, channels: int, hidden: int = 8):
        super().__init__()
        self.excite = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.ReLU(inplace=True), nn.Conv2d(hidden, channels, 1), nn.Sigmoid()
        )

    def forward(self, u: Tensor) -> Tensor:
        z = u.mean((2, 3), keepdim=True)  # eq. 1   (N, C, H, W) -> (N, C, 1, 1)
        s = self.excite(z)  # eq. 2                  (N, C, 1, 1)
        return u * s  # eq. 3                        (N, C, H, W)


def separable(channels: int, out: int, step: int = 1) -> nn.Sequential:
    """Depthwise 3x3, then pointwise 1x1 (fig. 1): (N, channels, H, W) -> (N, out, H/step, W/step)."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, step, 1, groups=channels, bias=False),
        nn.Conv2d(channels, out, 1, bias=False),
        nn.BatchNorm2d(out),
    )


class Nothing(nn.Module):
    """A shortcut that adds nothing."""

    def forward(self, x: Tensor) -> float:
        return 0.0


class XRSModule(nn.Module):
    """Fig. 2: two separable convolutions, channel attention on their output, the input added to it.

    Where width or size change, the shortcut is a mean over step x step pixels and a 1x1 convolution: no
    pixel is skipped, and the strided 1x1 whose gradient crashes torch 2.13 on CPU does not occur.
    """

    def __init__(self, channels: int, row: Row, convolution: Callable[..., nn.Sequential] = separable):
        super().__init__()
        out, step, inner, hidden, shortcut = row.filled(channels)
        self.first = convolution(channels, inner, step)
        self.second = convolution(inner, out)
        self.attention = SqueezeExcite(out, hidden) if hidden else nn.Identity()
        self.shortcut = Nothing() if shortcut == "none" else nn.Sequential()
        if step != 1 and shortcut != "none":
            self.shortcut.append(nn.AvgPool2d(step))
        if shortcut == "projected":
            self.shortcut.extend([nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out)])
        self.kind = shortcut

    @property
    def row(self) -> Row:
        """The widths as they are now, also after channels were taken away."""
        hidden = self.attention.excite[0].out_channels if isinstance(self.attention, SqueezeExcite) else 0
        step = self.first[0].stride[0]
        return Row(self.second[-1].num_features, step, self.first[-1].num_features, hidden, self.kind)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        y = torch.relu(self.first(x))  # (N, inner, H/step, W/step)
        y = self.attention(self.second(y))  # (N, out, H/step, W/step)
        return torch.relu(y + self.shortcut(x))


class XRS(nn.Module):
    """Gray faces to seven scores before softmax, in the order of `config.contract.EMOTIONS`.

    Input (N, 1, 48, 48) float, pixel 0..255 mapped to -1..1; output (N, classes), unbounded.
    `embed` gives the (N, channels) vector below the classifier, on which ArcFace works (eq. 6).
    `stem` has rows of channels out and step, `modules` rows of the fields of Row.
    """

    convolution = staticmethod(separable)

    def __init__(
        self,
        stem: Sequence[Sequence[int]] = STEM,
        modules: Sequence[Sequence[int | str]] = MODULES,
        classes: int = CLASSES,
        dropout: float = 0.3,
    ):
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for out, step in stem:
            layers += [
                nn.Conv2d(channels, out, 3, step, 1, bias=False),
                nn.BatchNorm2d(out),
                nn.ReLU(inplace=True),
            ]
            channels = out
        self.stem = nn.Sequential(*layers)
        blocks = []
        for row in modules:
            blocks.append(XRSModule(channels, Row(*row), self.convolution))
            channels = row[0]
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(channels, classes)

    @property
    def shape(self) -> dict[str, list[list[int | str]]]:
        """Plain lists that build this network again, whatever was pruned: XRS(**shape)."""
        stem = [[conv.out_channels, conv.stride[0]] for conv in self.stem[::3]]
        return {"stem": stem, "modules": [list(block.row) for block in self.blocks]}

    def embed(self, faces: Tensor) -> Tensor:
        x = self.stem(faces)  # (N, 1, 48, 48) -> (N, 48, 24, 24)
        x = self.blocks(x)  # (N, 448, 3, 3)
        return x.mean((2, 3))  # (N, 448)

    def forward(self, faces: Tensor) -> Tensor:
        return self.classifier(self.dropout(self.embed(faces)))  # (N, 7)
