"""Xception (Chollet 2017, arXiv 1610.02357, fig. 5), and the Xception-ReLU6 that paper 004 (Yu) makes of it.

This file says what the networks are and nothing else.

Paper 004 gives channels and steps of seven modules, and names two kinds of residual that its figure 2 draws.
Read here as Xception's own two: "Residual 1" of two separable convolutions, with a maximum over 3x3 pixels
and a projected shortcut; "Residual 2" of three, with the input added. It states no number of parameters.
Where the paper contradicts itself: its first Residual 2 goes from 128 to 256 channels, so that one's input is
projected too; section 2 puts the 1x1 convolution before the 3x3, and then takes Keras's SeparableConv2D,
which does not, and neither do we; the last 1x1 convolution gives 7 numbers, not the 1 x 1 x 728 of the text.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from models.layers import Network, convolution, projection
from models.xrs import separable

ACTIVATIONS = {"relu": nn.ReLU, "relu6": nn.ReLU6}

# Widths of the separable convolutions, step, shortcut; the comment is the map at 48 px.
RELU6 = (
    ([128] * 2, 2, "projected"),  # 24x24
    ([256] * 3, 1, "projected"),
    ([728] * 2, 2, "projected"),  # 12x12
    ([728] * 3, 1, "same"),
    ([728] * 3, 1, "same"),
    ([728] * 2, 2, "projected"),  # 6x6
)
XCEPTION = (
    ([128] * 2, 2, "projected"),  # 12x12
    ([256] * 2, 2, "projected"),  # 6x6
    ([728] * 2, 2, "projected"),  # 3x3
    *[([728] * 3, 1, "same")] * 8,
    ([728, 1024], 2, "projected"),  # 2x2
)


class Module(nn.Module):
    """Separable convolutions, an activation before each (`eager`: not before the first), the input added."""

    def __init__(
        self, channels: int, widths: Sequence[int], step: int, shortcut: str, activation: str, eager: bool
    ):
        super().__init__()
        self.step, self.kind = step, shortcut
        self.shortcut = projection(channels, widths[-1], step) if shortcut == "projected" else nn.Sequential()
        layers = []
        for place, out in enumerate(widths):
            layers += [] if eager and place == 0 else [ACTIVATIONS[activation]()]
            layers.append(separable(channels, out))
            channels = out
        self.layers = nn.Sequential(*layers, *([nn.MaxPool2d(3, step, 1)] if step > 1 else []))

    @property
    def row(self) -> list:
        """The widths as they are now, also after channels were taken away."""
        widths = [part[1].out_channels for part in self.layers if isinstance(part, nn.Sequential)]
        return [widths, self.step, self.kind]

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return self.layers(x) + self.shortcut(x)  # (N, widths[-1], H/step, W/step)


class Xception(Network):
    """See Network. `stem` has rows of channels out and step; `modules` has rows of the widths of the separable
    convolutions, step, and shortcut ("projected", "same"); `tail` has the widths of the last ones."""

    def __init__(
        self,
        side_px: int = 96,
        stem: Sequence[Sequence[int]] = ((32, 2), (64, 1)),
        modules: Sequence[Sequence] = XCEPTION,
        tail: Sequence[int] = (1536, 2048),
        activation: str = "relu",
        dropout: float = 0.0,
    ):
        super().__init__(side_px, tail[-1], dropout)
        self.activation = activation
        layers, channels = [], 1
        for out, step in stem:
            layers.append(convolution(channels, out, 3, step, activation=ACTIVATIONS[activation]))
            channels = out
        for place, (widths, step, shortcut) in enumerate(modules):
            layers.append(Module(channels, widths, step, shortcut, activation, eager=place == 0))
            channels = widths[-1]
        for out in tail:
            layers.append(nn.Sequential(*separable(channels, out), ACTIVATIONS[activation]()))
            channels = out
        self.body = nn.Sequential(*layers)  # (N, 2048, side/32, side/32)
        self.stems = len(stem)

    @property
    def shape(self) -> dict:
        firsts = [part[0] for part in self.body[: self.stems]]
        modules = [part for part in self.body if isinstance(part, Module)]
        return {
            "side_px": self.side_px,
            "stem": [[conv.out_channels, conv.stride[0]] for conv in firsts],
            "modules": [part.row for part in modules],
            "tail": [part[1].out_channels for part in self.body[self.stems + len(modules) :]],
            "activation": self.activation,
            "dropout": self.dropout.p,
        }


def xception_relu6(
    side_px: int = 48,
    stem: Sequence[Sequence[int]] = ((32, 1), (64, 1)),
    modules: Sequence[Sequence] = RELU6,
    tail: Sequence[int] = (728,),
    activation: str = "relu6",
    dropout: float = 0.0,
) -> Xception:
    """Paper 004, section 4: (N, 1, 48, 48) -> (N, 64, 48, 48) -> (N, 728, 6, 6) -> (N, 7)."""
    return Xception(side_px, stem, modules, tail, activation, dropout)
