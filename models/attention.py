"""The attentions that paper 002 compares (table 3) and paper 003 builds in; that of paper 000 is in xrs.py.

This file says what they compute and nothing else. Each gives a map of the size it gets.

Some gates are not to be pruned, though they work on channels that are: a mean or a maximum over channels
fits any number of them. torch-pruning, which follows gradients through a network in evaluation, would take
them for layers that must shrink; so there `aside` cuts their gradient. In training it flows.
"""

import math

import torch
from torch import Tensor, nn

from models.layers import convolution


def aside(gate: Tensor, training: bool) -> Tensor:
    return gate if training else gate.detach()


def hidden_channels(channels: int) -> int:
    """A sixteenth, the usual bottleneck of these gates."""
    return max(1, channels // 16)


class ChannelGate(nn.Module):
    """Paper 003 eq. 2: one small network on the means and on the maxima of the channels, summed."""

    def __init__(self, channels: int, hidden: int):
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Conv2d(channels, hidden, 1, bias=False),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, channels, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        both = self.mlp(x.mean((2, 3), keepdim=True)) + self.mlp(x.amax((2, 3), keepdim=True))
        return x * both.sigmoid()  # (N, C, H, W) * (N, C, 1, 1)


class SpatialGate(nn.Module):
    """Paper 003 eq. 3: a 7x7 convolution (as the text says; the equation prints 3x7) over mean and maximum."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        seen = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)  # (N, 2, H, W)
        return x * aside(self.conv(seen).sigmoid(), self.training)  # (N, C, H, W) * (N, 1, H, W)


def cbam(channels: int, hidden: int) -> nn.Sequential:
    """Paper 003 eq. 1 (Woo et al. 2018, arXiv 1807.06521): which channels, then which pixels."""
    return nn.Sequential(ChannelGate(channels, hidden), SpatialGate())


class ECA(nn.Module):
    """Wang et al. 2020 (arXiv 1910.03151): a channel's gate is a convolution over its neighbours' means."""

    def __init__(self, kernel: int):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False)

    @staticmethod
    def kernel(channels: int) -> int:
        """Eq. 12 of the article: (log2 C + 1) / 2, up to the next odd number."""
        return int((math.log2(channels) + 1) / 2) | 1

    def forward(self, x: Tensor) -> Tensor:
        gate = self.conv(x.mean((2, 3))[:, None]).sigmoid()  # (N, 1, C)
        return x * aside(gate.transpose(1, 2)[..., None], self.training)  # (N, C, 1, 1)


class AFF(nn.Module):
    """Dai et al. 2021 (arXiv 2009.14082, eq. 4): in the place of the sum, both inputs by shares.

    As in its authors' code, twice eq. 4: equal shares give the sum itself. By eq. 4 they give half of it, and
    sixteen such blocks learnt nothing in two epochs. Begins with equal shares: with those of random weights
    the first epoch brought 27 % of FER2013, where the plain sum brings 41.
    """

    def __init__(self, channels: int, hidden: int):
        super().__init__()
        self.local, self.whole = (
            nn.Sequential(
                *convolution(channels, hidden, 1),
                *convolution(hidden, channels, 1, activation=None),
            )
            for _ in range(2)
        )
        for weigh in (self.local, self.whole):
            nn.init.zeros_(weigh[-1].weight)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        both = x + y
        share = (self.local(both) + self.whole(both.mean((2, 3), keepdim=True))).sigmoid()  # (N, C, H, W)
        return 2 * (share * x + (1 - share) * y)


class WithinMap(nn.Conv2d):
    """A convolution of odd kernel and half its padding, without what of its kernel meets nothing but padding.

    From any pixel of a 3x3 map no other is more than two away, so of a 9x9 kernel 5x5 are enough: the same
    numbers from a third of the multiplications. Its weights stay whole.
    """

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.kernel_size[0]
        reach = min(kernel // 2, max(x.shape[2:]) - 1)
        seen = slice(kernel // 2 - reach, kernel // 2 + reach + 1)
        return nn.functional.conv2d(
            x, self.weight[:, :, seen, seen], self.bias, self.stride, reach, groups=self.groups
        )


class PSA(nn.Module):
    """Paper 002, figs. 4 and 5, eqs. 1-6: pyramid split attention, in the place of a 3x3 convolution.

    SPC: kernels 3, 5, 7, 9, each giving a quarter of the channels, in 2, 4, 8, 16 groups (eq. 2; the authors'
    source of the module, EPSANet, has 1 group for the first). The text divides the input among the kernels,
    eq. 3 gives each of them all of it; so do we. Of eq. 6 the names of ReLU and sigmoid are exchanged.
    """

    KERNELS = (3, 5, 7, 9)  # eq. 1

    def __init__(self, channels: int, step: int = 1, groups: tuple[int, ...] | None = None):
        super().__init__()
        if channels % 64:
            raise ValueError(f"attention: PSA has 16 groups in a quarter of its channels; not {channels}.")
        groups = groups or tuple(2 ** ((k - 1) // 2) for k in self.KERNELS)  # eq. 2
        part = channels // 4
        self.branches = nn.ModuleList(
            WithinMap(channels, part, k, step, k // 2, groups=g, bias=False)
            for k, g in zip(self.KERNELS, groups, strict=True)
        )
        hidden = hidden_channels(part)
        self.weigh = nn.Sequential(
            nn.Conv2d(part, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, part, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        scales = [branch(x) for branch in self.branches]  # eq. 3    4 of (N, C/4, H/step, W/step)
        weights = [self.weigh(f.mean((2, 3), keepdim=True)) for f in scales]  # eqs. 5, 6    4 of (N, C/4, 1, 1)
        shares = torch.stack(weights, 1).softmax(1).flatten(1, 2)  # (N, 4, C/4, 1, 1) -> (N, C, 1, 1)
        return torch.cat(scales, 1) * aside(shares, self.training)  # eq. 4    (N, C, H/step, W/step)
