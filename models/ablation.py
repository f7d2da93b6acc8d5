"""The five networks of paper 000, table 1: what the shortcut and the channel attention bring.

This file says what the networks are and nothing else. All five have XRS's stem, modules, steps, dropout
and classifier. The four with separable convolutions have its widths too, and lack what the name does not
say; so they are lighter than XRS by the parts they lack. The conventional one would have eight times
XRS's parameters at its widths; like the paper's (1,814,602 beside 1,883,465) it is narrower, and has about
as many as the separable one.
"""

from collections.abc import Sequence

from torch import nn

from models.xrs import MODULES, STEM, XRS, Row

NARROW = tuple((round(out * 0.335 / 4) * 4, step) for out, step in MODULES)


def without(attention: bool = True, shortcut: bool = True, rows: Sequence = MODULES) -> list[list[int | str]]:
    """XRS's modules, without the parts that are named False."""
    return [
        list(Row(out, step, hidden=None if attention else 0, shortcut=None if shortcut else "none"))
        for out, step in rows
    ]


def conventional_convolution(channels: int, out: int, step: int = 1) -> nn.Sequential:
    """One 3x3 convolution over all channels: (N, channels, H, W) -> (N, out, H/step, W/step)."""
    return nn.Sequential(nn.Conv2d(channels, out, 3, step, 1, bias=False), nn.BatchNorm2d(out))


class Conventional(XRS):
    """XRS with one 3x3 convolution in the place of each separable one."""

    convolution = staticmethod(conventional_convolution)


def conventional(stem: Sequence = STEM, modules: Sequence | None = None) -> XRS:
    """Table 1, row 1: neither separable convolutions nor shortcut nor attention."""
    return Conventional(stem, modules or without(attention=False, shortcut=False, rows=NARROW))


def separable(stem: Sequence = STEM, modules: Sequence | None = None) -> XRS:
    """Row 2: separable convolutions, neither shortcut nor attention."""
    return XRS(stem, modules or without(attention=False, shortcut=False))


def xr(stem: Sequence = STEM, modules: Sequence | None = None) -> XRS:
    """Row 3, Xception + ResNet: the shortcut, no attention."""
    return XRS(stem, modules or without(attention=False))


def xs(stem: Sequence = STEM, modules: Sequence | None = None) -> XRS:
    """Row 4, Xception + squeeze-and-excitation: attention, no shortcut."""
    return XRS(stem, modules or without(shortcut=False))
