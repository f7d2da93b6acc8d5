"""The networks by name, so that a recipe, a card and the command line mean the same thing by it."""

from functools import partial

from torch import Tensor, nn

from models import ablation
from models.mini_xception import MiniXception
from models.mobilenet import MobileNetV1, a_mobilenet, mobilenet_v2, mobilenet_v3_small
from models.psa import PSAResNet
from models.resnet import resnet, resnet18
from models.vgg import VGG
from models.xception import Xception, xception_relu6
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
    "mini-xception": MiniXception,  # paper 001
    "psa-resnet50": PSAResNet,  # paper 002, and the rivals of its table 3
    "resnet50": partial(PSAResNet, attention="none"),
    "se-resnet50": partial(PSAResNet, attention="se"),
    "cbam-resnet50": partial(PSAResNet, attention="cbam"),
    "eca-resnet50": partial(PSAResNet, attention="eca"),
    "aff-resnet50": partial(PSAResNet, attention="aff"),
    "a-mobilenet": a_mobilenet,  # paper 003, and the baselines of its tables 3 and 4
    "mobilenet-v1": MobileNetV1,
    "mobilenet-v2": mobilenet_v2,
    "mobilenet-v3-small": mobilenet_v3_small,
    "xception-relu6": xception_relu6,  # paper 004
    "xception": Xception,
    "vgg19": VGG,
}


def build(name: str, **shape) -> nn.Module:
    """A fresh network; `shape` are the widths of a pruned one."""
    if name not in NETWORKS:
        raise ValueError(f"networks: there is no network {name!r}; there are {', '.join(sorted(NETWORKS))}.")
    return NETWORKS[name](**shape)


def fill(net: nn.Module, weights: dict[str, Tensor], name: str) -> None:
    """Give a network its weights, each of them; those of another network or shape raise ValueError."""
    own, came = ({k: tuple(v.shape) for k, v in state.items()} for state in (net.state_dict(), weights))
    unlike = [key for key in own | came if own.get(key) != came.get(key)]
    if unlike:
        key = unlike[0]
        raise ValueError(
            f"networks: {len(unlike)} of {len(own)} weights do not fit {name}: {key} needs {own.get(key)}, "
            f"{came.get(key)} came; name the network and the shape that they were trained in."
        )
    net.load_state_dict(weights)
