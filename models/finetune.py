"""Teach a finished network the faces of one's own: the one that is served learns on, from a folder.

    python -m models train --data my_faces/

A fifth of the faces (whole people, where the layout tells them apart) is kept aside and judges: the table says
how the network did on them before and after. The run's folder is that of any training: it can be stopped and
goes on, and its weights can be exported. Never changes the zoo.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from ruamel.yaml import YAML
from safetensors.torch import load_file
from torch import nn

from config.contract import EMOTIONS
from models import adapters, data, evaluate, export, zoo
from models import train as training
from models.lessons import to_input

RECIPE = Path(__file__).with_name("recipes") / "finetune.yaml"
FEWEST = 20  # faces to learn from; with fewer nothing can be said afterwards


class Judged(NamedTuple):
    """How often a network is right about the faces kept aside, and (7, 7) counts, rows: truth."""

    accuracy: float
    confusion: np.ndarray


def finetune(name: str, path: Path, out: Path) -> tuple[Judged, Judged]:
    """Train the network `name` of the zoo on the faces in `path`; what it could before, and what after."""
    card = zoo.load(name).card
    count = len(adapters.load(path, "Training").images)
    if count < FEWEST:
        raise data.DataError(f"train: {path} has {count} faces to learn from; at least {FEWEST} are needed.")
    out.mkdir(parents=True, exist_ok=True)
    yaml, shape, start = YAML(), card.get("shape"), zoo.ZOO / name / "weights.safetensors"
    recipe = YAML(typ="safe").load(RECIPE.read_text())
    recipe |= {"network": card["network"], "shape": shape, "start": str(start), "teacher": [name]}
    recipe["batch"] = min(recipe["batch"], count)
    yaml.default_flow_style = None
    yaml.dump(recipe, out / "recipe.yaml")
    aside = adapters.load(path, "PublicTest")
    before = judge(export.restore(card["network"], load_file(start), shape=shape), aside)
    weights = training.train(out / "recipe.yaml", path, out)
    return before, judge(export.restore(card["network"], load_file(weights), shape=shape), aside)


@torch.no_grad()
def judge(net: nn.Module, faces: data.Faces) -> Judged:
    batches = np.array_split(faces.images, max(1, len(faces.images) // 128))
    guess = np.concatenate([net(to_input(batch)).argmax(1).numpy() for batch in batches])
    return Judged(float((guess == faces.emotion).mean()), evaluate.confusion(guess, faces.emotion))


def table(before: Judged, after: Judged) -> str:
    """Both, as a few lines: right answers by emotion and in all, the latter with its 95 % interval."""
    lines = [f"{'kept aside':12} {'faces':>6} {'before':>8} {'after':>8}"]
    for place, emotion in enumerate(EMOTIONS):
        count = before.confusion[place].sum()
        if count:
            right = [judged.confusion[place, place] / count for judged in (before, after)]
            lines.append(f"{emotion:12} {count:6} {right[0]:8.1%} {right[1]:8.1%}")
    count = int(before.confusion.sum())
    lines.append(f"{'all':12} {count:6} {before.accuracy:8.1%} {after.accuracy:8.1%}")
    spans = [evaluate.wilson(judged.accuracy, count) for judged in (before, after)]
    lines.append("95 % interval: " + ", then ".join(f"{low:.0%} to {high:.0%}" for low, high in spans))
    return "\n".join(lines)
