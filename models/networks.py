"""The networks by name, so that a recipe, a card and the command line mean the same thing by it."""

from functools import partial

from torch import nn

from models import ablation
from models.resnet import resnet, resnet18
from models.xrs import XRS

NETWORKS = {
    "xrs": XRS,
    "conventional": ablation.conventional,
    "separable": ablation.separable,
    "xr": ablation.xr,
    "xs": ablation.xs,
    "resnet18": resnet18,
    "resnet20": partial(resnet, 20),
    "resnet32": partial(resnet, 32),
    "resnet56": partial(resnet, 56),
}


def build(name: str, **shape) -> nn.Module:
    """A fresh network; `shape` are the widths of a pruned one."""
    if name not in NETWORKS:
        raise ValueError(f"networks: there is no network {name!r}; there are {', '.join(sorted(NETWORKS))}.")
    return NETWORKS[name](**shape)
