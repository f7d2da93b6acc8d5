"""VGG19 (Simonyan and Zisserman 2015, arXiv 1409.1556, table 1, column E), a rival of paper 000.

This file says what the network is and nothing else. Sixteen 3x3 convolutions; with batch normalisation behind
each, which the article is older than, and one linear layer on the means in the place of three, which alone
would have 119.6 M parameters at 224 px.
"""

from collections.abc import Sequence

from torch import nn

from models.layers import Network, convolution

STAGES = ([64] * 2, [128] * 2, [256] * 4, [512] * 4, [512] * 4)  # 48x48, 24x24, 12x12, 6x6, 3x3


class VGG(Network):
    """See Network. `stages` has the widths of the convolutions between two maxima over 2x2 pixels."""

    def __init__(self, side_px: int = 48, stages: Sequence[Sequence[int]] = STAGES, dropout: float = 0.5):
        super().__init__(side_px, stages[-1][-1], dropout)
        layers, channels = [], 1
        for place, widths in enumerate(stages):
            if place:
                layers.append(nn.MaxPool2d(2))
            for out in widths:
                layers.append(convolution(channels, out))
                channels = out
        self.body = nn.Sequential(*layers)  # (N, 512, 3, 3)

    @property
    def shape(self) -> dict:
        stages = [[]]
        for part in self.body:
            if isinstance(part, nn.MaxPool2d):
                stages.append([])
            else:
                stages[-1].append(part[0].out_channels)
        return {"side_px": self.side_px, "stages": stages, "dropout": self.dropout.p}
