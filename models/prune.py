"""Take filters out of a finished network and teach what is left; with the method of paper 000 and four others.

    python -m models prune xrs-fer2013 --method pca --rate 0.4 --alpha 0.85 --data FOLDER

The filters are removed, not masked: out comes an ordinary network of the same class with smaller widths.
Which layers share their channels is found by torch-pruning (Fang et al. 2023, arXiv 2301.12900); which
channels matter least is said by `models/filters.py`. As in the paper every layer loses the same share of its
filters, the least share by which `rate` of all parameters is gone, as far as widths of whole groups allow.

A run's folder gets start.safetensors (pruned, not yet taught), recipe.yaml (the fine-tuning, which
`python -m models train` understands), report.json, and what training writes. A run that was stopped goes
on. Never changes the zoo, and never looks at PrivateTest.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch_pruning as tp
from ruamel.yaml import YAML
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models import adapters, data, export, zoo
from models import train as training
from models.filters import METHODS, FilterImportance, makers
from models.lessons import Lessons, Teacher, to_input
from models.losses import CLASSES
from models.networks import build
from models.recipe import Recipe

MOST = 0.85  # no layer loses more than this share
CALIBRATION_FACES = 2048
SHRINK = 0.02  # sqdc: what an epoch takes off the scale of a normalisation
RATE_SHARE = 0.25  # learning rate of the fine-tuning, as a share of the recipe's
DISTIL = {"weight": 1.0, "temperature": 3.0}
RECIPES = Path(__file__).with_name("recipes")


class Start(NamedTuple):
    """A finished network to prune: its name in models/networks.py, itself, the recipe of its fine-tuning (a
    dict), the labels it was trained for, the name or folder by which it can teach (none: no distillation),
    and its classifier for FER+ where it has one beside the first."""

    network: str
    net: nn.Module
    recipe: dict
    labels: str
    teacher: str | None = None
    second: nn.Linear | None = None


def start_named(name: str, recipe: Path | None = None) -> Start:
    """The network of a run by the run's folder, or one of the zoo by its name."""
    return from_run(Path(name), recipe) if Path(name).is_dir() else from_zoo(name, recipe)


def from_run(folder: Path, recipe: Path | None = None) -> Start:
    """The finished network of a run with both its classifiers; fine-tuning goes by `recipe`, else the run's."""
    followed = Recipe.read(folder / "recipe.yaml")
    table = fine_tuning(recipe, folder / "recipe.yaml")
    teacher = Teacher(str(folder), "cpu")
    net = teacher.net.requires_grad_(True)  # torch-pruning follows gradients from layer to layer
    return Start(followed.network, net, table, followed.labels, str(folder), teacher.second)


def from_zoo(name: str, recipe: Path | None = None) -> Start:
    """The network `name` of the zoo; fine-tuning goes by `recipe`, else by the one on its card."""
    card = zoo.load(name).card
    table = fine_tuning(recipe, RECIPES / card["recipe"])
    net = export.restore(
        card["network"], load_file(zoo.ZOO / name / "weights.safetensors"), shape=card.get("shape")
    )
    return Start(card["network"], net, table, card["labels"], name)


def fine_tuning(given: Path | None, followed: Path) -> dict:
    """The recipe that was `given` for the fine-tuning, else the one that was `followed`, at a lower rate."""
    path = given or followed
    if not path.is_file():
        raise data.DataError(f"prune: the recipe {path} is not there; give one with --recipe.")
    table = YAML(typ="safe").load(path.read_text())
    return table if given else gentler(table)


def gentler(recipe: dict) -> dict:
    """A recipe for finished weights, made from one for random ones."""
    return recipe | {"rate": recipe["rate"] * RATE_SHARE}


# Removing


def graph_of(net: nn.Module) -> tp.DependencyGraph:
    return tp.DependencyGraph().build_dependency(net, torch.zeros(1, 1, data.SIDE_PX, data.SIDE_PX))


def groups_of(net: nn.Module) -> dict[str, tp.Group]:
    """The channels that can only go together, by the name of a convolution that makes them."""
    names = {module: name for name, module in net.named_modules()}
    whole = [net.classifier, *getattr(net, "whole", ())]
    groups = graph_of(net).get_all_groups(ignored_layers=whole)
    return {names[group[0].dep.target.module]: group for group in groups}


def ranking(net: nn.Module, importance: FilterImportance) -> dict[str, Tensor]:
    """The channels (n,) of each group, those that matter least first."""
    return {name: importance(group).argsort() for name, group in groups_of(net).items()}


def kept(channels: int, share: float, multiple: int = 2) -> int:
    """How many channels stay when `share` of them should go: a multiple of `multiple`, at least that."""
    return min(channels, max(multiple, round(channels * (1 - share) / multiple) * multiple))


def remove(network: str, net: nn.Module, order: dict[str, Tensor], widths: dict[str, int]) -> nn.Module:
    """A network of the same kind with the last `widths` of the channels in `order`; `net` stays."""
    return remove_both(network, net, None, order, widths)[0]


def remove_both(
    network: str,
    net: nn.Module,
    second: nn.Linear | None,
    order: dict[str, Tensor],
    widths: dict[str, int],
) -> tuple[nn.Module, nn.Linear | None]:
    """As `remove`, with a second classifier on the same embedding, which loses the same channels."""
    copied = copy.deepcopy(net)
    heads = [copied.classifier, *([second] if second else [])]
    copied.classifier = one_linear(heads)
    graph = graph_of(copied)
    modules = dict(copied.named_modules())
    for name, channels in order.items():
        lost = channels[: len(channels) - widths[name]]
        if len(lost):
            graph.get_pruning_group(modules[name], tp.prune_conv_out_channels, lost.tolist()).prune()
    copied.classifier, *rest = (
        one_linear([copied.classifier], slice(place * CLASSES, (place + 1) * CLASSES))
        for place in range(len(heads))
    )
    pruned = build(network, **copied.shape)
    pruned.load_state_dict(copied.state_dict())
    return pruned.eval(), (rest[0] if rest else None)


@torch.no_grad()
def one_linear(heads: list[nn.Linear], rows: slice = slice(None)) -> nn.Linear:
    """These `rows` of all `heads` together as one layer."""
    weight = torch.cat([head.weight for head in heads])[rows]
    bias = torch.cat([head.bias for head in heads])[rows]
    whole = nn.Linear(weight.shape[1], weight.shape[0])
    whole.weight.copy_(weight)
    whole.bias.copy_(bias)
    return whole


def widths_for(
    network: str, net: nn.Module, rate: float, costly: float = 0.0, multiple: int = 2
) -> dict[str, int]:
    """The channels that stay, by group, when every layer loses the least share by which `rate` is gone.

    `costly` 0 takes the same share everywhere; above 0 a group's share grows with the pixels of its map to
    that power, so that layers which cost much time lose more. Widths stay multiples of `multiple`: CPUs take
    channels in groups, ONNX Runtime with AVX-512 in groups of 16.
    """
    if not 0 < rate < 1:
        raise data.DataError(
            f"prune: the rate is the share of parameters that goes, above 0 and below 1; not {rate}."
        )
    groups = groups_of(net)
    any_order = {name: torch.arange(len(group[0].idxs)) for name, group in groups.items()}
    weight = {name: size**costly for name, size in map_sizes(net, list(groups)).items()}
    middle = float(np.mean(list(weight.values())))
    target, low, high = (1 - rate) * parameters(net), 0.0, 1.0

    def widths(level: float) -> dict[str, int]:
        return {
            name: kept(len(order), min(MOST, level * weight[name] / middle), multiple)
            for name, order in any_order.items()
        }

    if parameters(remove(network, net, any_order, widths(high))) > target:
        raise data.DataError(
            f"prune: no more than {MOST:.0%} of a layer goes, in steps of {multiple} channels, and that is not "
            f"{rate:.0%} of this network."
        )
    while high - low > 3e-3:
        level = (low + high) / 2
        if parameters(remove(network, net, any_order, widths(level))) > target:
            low = level
        else:
            high = level
    return widths(high)


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@torch.no_grad()
def map_sizes(net: nn.Module, names: list[str]) -> dict[str, int]:
    """Pixels of the map that each named layer gives for one face."""
    modules, sizes = dict(net.named_modules()), {}
    hooks = [
        modules[name].register_forward_hook(
            lambda _, __, out, name=name: sizes.update({name: out[0, 0].numel()})
        )
        for name in names
    ]
    net(torch.zeros(1, 1, data.SIDE_PX, data.SIDE_PX))
    for hook in hooks:
        hook.remove()
    return sizes


@torch.no_grad()
def recalibrate(net: nn.Module, images: np.ndarray) -> None:
    """Take the means and variances of all normalisations anew from `images` (n, 48, 48) uint8."""
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
    net.train()
    for batch in np.array_split(images, max(1, len(images) // 128)):
        net(to_input(batch))
    net.eval()
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum


# What happens after each epoch of the two methods that train before they remove


def zero_lowest(net: nn.Module, importance: FilterImportance, widths: dict[str, int]) -> None:
    """SFP: the filters that would go now are set to zero; they may grow again."""
    for name, group in groups_of(net).items():
        order = importance(group).argsort()
        for conv in makers(group, importance.parts):
            conv.weight.data[order[: len(order) - widths[name]]] = 0


@torch.no_grad()
def shrink_scales(net: nn.Module, importance: FilterImportance, widths: dict[str, int]) -> None:
    """SQDC: the proximal step of an L1 penalty on the scales of the normalisations."""
    for parts in importance.parts.values():
        scale = parts.norm.weight
        scale.copy_(scale.sign() * (scale.abs() - SHRINK).clamp(min=0))


SOFT: dict[str, Callable] = {"sfp": zero_lowest, "sqdc": shrink_scales}


def soften(recipe_path: Path, path: Path, out: Path, method: str, widths: dict[str, int]) -> nn.Module:
    """Train by the recipe, with the step of `method` after every epoch; gives the network after the last."""
    recipe = Recipe.read(recipe_path)
    run = training.Run(recipe, out)
    run.resume()
    lessons = Lessons.of(learnt_faces(path), run)
    while run.epoch < recipe.epochs:
        loss = training.one_epoch(run, lessons)
        run.net.cpu()
        SOFT[method](run.net, METHODS[method](run.net), widths)
        run.net.to(run.device)
        run.epoch += 1
        run.plateau.update(loss)
        run.save()
        print(f"{method}: soft epoch {run.epoch}  loss {loss:.4f}", flush=True)
    return run.net.cpu().eval()


# One run


def prune(
    start: Start,
    method: str,
    rate: float,
    path: Path,
    out: Path,
    epochs: int,
    alpha: float = 0.85,
    costly: float = 0.0,
    multiple: int = 2,
    soft_epochs: int = 2,
) -> dict:
    """Prune and fine-tune in the folder `out`; gives the report that it also writes there.

    All methods train for `epochs` in all; `soft_epochs` of these come before the removal for sfp and sqdc.
    """
    asked = {"network": start.network, "of": start.teacher, "method": method, "rate": rate, "epochs": epochs}
    asked |= {"alpha": alpha} if method == "pca" else {}
    asked |= {"costly": costly} if costly else {}
    asked |= {"multiple": multiple} if multiple != 2 else {}
    report_path = out / "report.json"
    report = json.loads(report_path.read_text()) if report_path.is_file() else {"asked": asked}
    if report["asked"] != asked:
        raise data.DataError(f"prune: {out} holds another run ({report['asked']}); give another --out.")
    validation = adapters.load(path, "PublicTest")
    if "pruned" not in report:
        out.mkdir(parents=True, exist_ok=True)
        soft = min(soft_epochs, epochs - 1) if method in SOFT else 0
        widths = widths_for(start.network, start.net, rate, costly, multiple)
        report["before"] = facts(start.net, validation, start.labels, start.second)
        net = start.net
        if soft:
            (out / "soft").mkdir(exist_ok=True)
            save(start.net, out / "soft" / "start.safetensors", start.second)
            net = soften(write_recipe(start, start.net, out / "soft", soft), path, out / "soft", method, widths)
        importance = METHODS[method](net, alpha) if method == "pca" else METHODS[method](net)
        pruned, second = remove_both(start.network, net, start.second, ranking(net, importance), widths)
        recalibrate(pruned, learnt_faces(path).images[:CALIBRATION_FACES])
        save(pruned, out / "start.safetensors", second)
        write_recipe(start, pruned, out, epochs - soft)
        report["pruned"] = facts(pruned, validation, start.labels, second)
        write(report_path, report)
    training.train(out / "recipe.yaml", path, out)
    taught = Teacher(str(out), "cpu")
    report["taught"] = facts(taught.net, validation, start.labels, start.second and taught.second)
    write(report_path, report)
    return report


def write(path: Path, report: dict) -> None:
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(report, indent=1) + "\n")
    partial.replace(path)


def save(net: nn.Module, path: Path, second: nn.Linear | None = None) -> None:
    weights = net.state_dict()
    if second:
        weights |= {f"second.{k}": v for k, v in second.state_dict().items()}
    save_file({k: v.contiguous() for k, v in weights.items()}, path)


def write_recipe(start: Start, net: nn.Module, folder: Path, epochs: int) -> Path:
    """recipe.yaml in `folder`: to go on from start.safetensors, taught by the unpruned network."""
    base = start.recipe
    table = base | {
        "network": start.network,
        "shape": net.shape,
        "start": str(folder / "start.safetensors"),
        "labels": start.labels,
        "epochs": epochs,
        "warmup": min(1.0, epochs / 10),
    }
    table.pop("grown", None)
    if start.teacher:
        table |= {"teacher": [start.teacher], "distil": DISTIL}
    yaml = YAML()
    yaml.default_flow_style = None
    yaml.dump(table, folder / "recipe.yaml")
    return folder / "recipe.yaml"


def learnt_faces(path: Path) -> data.Faces:
    """The faces that training learns from."""
    faces = adapters.load(path, "Training")
    return faces.take(data.is_face(faces) & ~data.stands_in(faces, adapters.load(path, "PublicTest")))


@torch.no_grad()
def facts(net: nn.Module, faces: data.Faces, labels: str, second: nn.Linear | None = None) -> dict[str, float]:
    """Parameters, multiply-adds, accuracy on `faces` by the labels the network was trained for, and that of
    the second classifier by FER+ labels."""
    known = {"fer2013": faces.emotion, "ferplus": None}
    if faces.votes is not None:
        known["ferplus"] = data.ferplus_majority(faces.votes)
    batches = np.array_split(faces.images, max(1, len(faces.images) // 128))
    embedding = torch.cat([net.eval().embed(to_input(batch)) for batch in batches])  # (n, C)
    found = {"parameters": parameters(net), "multiply_adds": export.multiply_adds(net)}
    for key, head, told in (("accuracy", net.classifier, known[labels]), ("second", second, known["ferplus"])):
        if head is not None and told is not None and (told >= 0).any():
            right = head(embedding).argmax(1).numpy() == told
            found[key] = float(right[told >= 0].mean())
    return found


def losses(report: dict) -> dict[str, str | float]:
    """What a card says of the pruning: how it was asked for, and which shares went."""
    told = ("method", "rate", "alpha", "costly", "multiple")
    gone = {
        f"{key}_gone": round(1 - report["pruned"][key] / report["before"][key], 4)
        for key in ("parameters", "multiply_adds")
    }
    return {key: report["asked"][key] for key in told if key in report["asked"]} | gone


def table(report: dict) -> str:
    """The report as a few lines: before, pruned and not yet taught, taught."""
    lines = [f"{'':22} {'parameters':>12} {'multiply-adds':>14} {'accuracy':>9}"]
    for key, name in (("before", "before"), ("pruned", "after the removal"), ("taught", "after fine-tuning")):
        row = report[key]
        second = f" {row['second']:9.2%} (FER+ classifier)" if "second" in row else ""
        lines.append(
            f"{name:22} {row['parameters']:12,} {row['multiply_adds']:14,} {row['accuracy']:9.2%}{second}"
        )
    gone = losses(report)
    lines.append(f"{'gone':22} {gone['parameters_gone']:12.1%} {gone['multiply_adds_gone']:14.1%}")
    return "\n".join(lines)
