"""Train a network by a recipe: one plain loop that can be stopped at any moment and goes on where it was.

    python -m models train models/recipes/xrs-fer2013.yaml --data ../fer2013 --out runs/xrs-fer2013

A run's folder holds `last.safetensors` (all it takes to go on), `log.csv` (a line an epoch) and, at the
end, `weights.safetensors` (the running mean, which is what gets published). PublicTest is looked at once
an epoch for the log; nothing is chosen by it. Never reads PrivateTest. Uses a GPU where there is one; with
`torchrun` several processes or GPUs train together (crew.py).
"""

import copy
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models import adapters, data, losses
from models.augment import Augmentation
from models.crew import Crew
from models.lessons import Lessons, Teacher, part, to_input
from models.networks import build, fill
from models.recipe import OPTIMIZERS, Recipe
from models.runlog import log, peak_mb

PUBLISHED = "weights.safetensors"
LARGE = 512 * 512  # numbers of a 1x1 convolution from which a product of matrices is faster


class Plateau:
    """Paper 000: after `patience` epochs without a lower loss the rate falls; `factor` is what is left."""

    patience, fall, least = 5, 0.2, 0.01

    def __init__(self, factor: float = 1.0, best: float = math.inf, waited: int = 0):
        self.factor, self.best, self.waited = factor, best, waited

    def update(self, loss: float) -> None:
        self.waited = 0 if loss < self.best else self.waited + 1
        self.best = min(self.best, loss)
        if self.waited >= self.patience:
            self.factor, self.waited = max(self.least, self.factor * self.fall), 0


class Run:
    """The state of one training run: networks, optimiser, epoch. Saves and restores itself whole."""

    def __init__(self, recipe: Recipe, out: Path):
        torch.manual_seed(recipe.seed)
        self.recipe, self.out, self.epoch = recipe, out, 0
        self.crew = Crew()
        self.device = self.crew.device
        if recipe.batch % self.crew.count:
            raise data.DataError(
                f"train: a batch of {recipe.batch} cannot be shared by {self.crew.count} processes alike; "
                "start as many as divide it."
            )
        self.net = build(recipe.network, **(recipe.shape or {}))
        self.objective = losses.Objective(self.net.classifier.in_features, **recipe.loss)
        if recipe.start:
            self.begin_with(Path(recipe.start))
        self.net.to(self.device, memory_format=torch.channels_last)
        self.objective.to(self.device)
        self.mean = copy.deepcopy(self.net).eval()
        self.teachers = [Teacher(name, self.device) for name in recipe.teacher]
        if self.device == "cpu":
            multiply_as_matrices(self.net)
        if recipe.precision == "bf16" and self.device == "cpu":
            keep_slow_ones_f32(self.net)
        decayed = [p for p in self.net.parameters() if p.ndim > 1]
        plain = [p for p in self.net.parameters() if p.ndim <= 1]
        groups = [
            {"params": decayed + list(self.objective.parameters())},
            {"params": plain, "weight_decay": 0.0},
        ]
        self.optimizer = OPTIMIZERS[recipe.optimizer](groups, recipe)
        self.plateau = Plateau()

    def begin_with(self, path: Path) -> None:
        """Take the weights of another run instead of random ones; what it does not hold begins anew."""
        if not path.is_file():
            raise data.DataError(
                f"train: the recipe starts from {path}, which is not there; train that one first."
            )
        weights = published(load_file(path))
        second = part(weights, "second.")
        weights = {k: v for k, v in weights.items() if not k.startswith("second.")}
        if self.recipe.grown:
            weights = grown(self.net, weights, self.recipe.grown)
        fill(self.net, weights, f"{self.recipe.network} (train: start is {path})")
        if second:
            self.objective.second.load_state_dict(second)

    def rate(self, epoch: float) -> float:
        """Learning rate at `epoch`, 0..epochs."""
        r = self.recipe
        if epoch < r.warmup:
            return r.rate * (epoch + 0.01) / r.warmup
        if r.schedule == "plateau":
            return r.rate * self.plateau.factor
        return r.rate / 2 * (1 + math.cos(math.pi * (epoch - r.warmup) / (r.epochs - r.warmup)))

    def multiplications(self) -> torch.autocast:
        """The context in which networks multiply with the precision of the recipe."""
        return torch.autocast(self.device, torch.bfloat16, enabled=self.recipe.precision == "bf16")

    def save(self) -> None:
        state = {f"net.{k}": v for k, v in self.net.state_dict().items()}
        state |= {f"mean.{k}": v for k, v in self.mean.state_dict().items()}
        state |= {f"objective.{k}": v for k, v in self.objective.state_dict().items()}
        for place, slots in self.optimizer.state_dict()["state"].items():
            state |= {f"optimizer.{place}.{k}": v for k, v in slots.items() if isinstance(v, Tensor)}
        state = {k: v.contiguous() for k, v in state.items()}
        partial = self.out / "last.part"
        save_file(state, partial, {"epoch": str(self.epoch), "plateau": json.dumps(vars(self.plateau))})
        partial.replace(self.out / "last.safetensors")  # a run killed here keeps the older file

    def resume(self) -> None:
        path = self.out / "last.safetensors"
        if not path.is_file():
            return
        with safe_open(path, "pt") as file:
            self.epoch = int(file.metadata()["epoch"])
            self.plateau = Plateau(**json.loads(file.metadata()["plateau"]))
        parts: dict[str, dict[str, Tensor]] = {"net": {}, "mean": {}, "objective": {}, "optimizer": {}}
        for key, value in load_file(path).items():
            part, _, rest = key.partition(".")
            parts[part][rest] = value
        for part in ("net", "mean", "objective"):
            fill(getattr(self, part), parts[part], f"this recipe (train: {path} is to go on)")
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in parts["optimizer"].items():
            place, _, name = key.partition(".")
            slots.setdefault(int(place), {})[name] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": slots})
        for weight, kept in self.optimizer.state.items():  # a fused step takes it that all lie in one order
            kept |= {k: torch.empty_like(weight).copy_(v) for k, v in kept.items() if v.shape == weight.shape}

    def publish(self, recipe_name: str) -> Path:
        """Write the running mean, and the second classifier beside it, as finished weights."""
        weights = dict(self.mean.state_dict())
        weights |= {f"second.{k}": v for k, v in self.objective.second.state_dict().items()}
        path = self.out / PUBLISHED
        save_file({k: v.contiguous() for k, v in weights.items()}, path, {"recipe": recipe_name})
        return path


def published(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Of all that a stopped run keeps, what a finished one publishes; published weights as they are."""
    mean = part(state, "mean.")
    second = {f"second.{k}": v for k, v in part(state, "objective.second.").items()}
    return mean | second if mean else state


def grown(net: nn.Module, weights: dict[str, Tensor], places: Sequence[int | None]) -> dict[str, Tensor]:
    """The weights of a shallower XRS for `net`: its block i was block places[i], or changes nothing yet."""
    if len(places) != len(net.blocks):
        raise data.DataError(f"train: grown needs a place for each of {len(net.blocks)} blocks; {places} came.")
    state = {k: v for k, v in weights.items() if not k.startswith("blocks.")}
    for new, (block, old) in enumerate(zip(net.blocks, places, strict=True)):
        if old is None:
            nn.init.zeros_(block.second[-1].weight)  # what the attention weighs is 0, so the input passes
        own = block.state_dict() if old is None else part(weights, f"blocks.{old}.")
        state |= {f"blocks.{new}.{k}": v for k, v in own.items()}
    return state


def multiply_as_matrices(net: nn.Module) -> None:
    """Large 1x1 convolutions as the products of matrices they are: on few pixels forward and backward are up to
    three times faster so (torch 2.13 on CPU)."""

    def product(conv: nn.Conv2d):
        def forward(x: Tensor) -> Tensor:
            (down, across), matrix = conv.stride, conv.weight.flatten(1)  # (C out, C in)
            pixels = x[:, :, ::down, ::across].permute(0, 2, 3, 1)  # (N, H, W, C in)
            return nn.functional.linear(pixels, matrix, conv.bias).permute(0, 3, 1, 2)

        return forward

    for conv in net.modules():
        if isinstance(conv, nn.Conv2d) and conv.kernel_size == (1, 1) and conv.groups == 1:
            if conv.weight.numel() >= LARGE:
                conv.forward = product(conv)


def keep_slow_ones_f32(net: nn.Module) -> None:
    """Strided depthwise convolutions go back five times slower on 16 bits (torch 2.13 on CPU): not these."""

    def wrapped(conv: nn.Conv2d):
        whole = conv.forward

        def forward(x: Tensor) -> Tensor:
            with torch.autocast("cpu", enabled=False):
                return whole(x.float())

        return forward

    for conv in net.modules():
        if isinstance(conv, nn.Conv2d) and conv.groups > 1 and conv.stride != (1, 1):
            conv.forward = wrapped(conv)


def train(recipe_path: str | Path, data_path: str | Path, out: str | Path) -> Path:
    """Follow a recipe on the Training part of a data set (adapters.py); gives the path of finished weights."""
    recipe, out = Recipe.read(recipe_path), Path(out)
    out.mkdir(parents=True, exist_ok=True)
    validation = adapters.load(data_path, "PublicTest")
    training = adapters.load(data_path, "Training")
    training = training.take(data.is_face(training) & ~data.stands_in(training, validation))
    run = Run(recipe, out)
    run.resume()
    first = run.crew.is_first
    if first:
        keep_recipe(Path(recipe_path), out / "recipe.yaml")
    lessons = Lessons.of(training, run)
    if first:
        seen = f"{len(lessons.images)} faces to learn from, {len(validation.images)} to look at"
        print(f"{seen}; epoch {run.epoch}")
    while run.epoch < recipe.epochs:
        started = time.monotonic()
        loss = one_epoch(run, lessons)
        run.epoch += 1
        run.plateau.update(loss)
        if not first:
            continue
        run.save()
        line = {"epoch": run.epoch, "loss": loss, **look(run, validation)}
        log(out / "log.csv", line | {"seconds": time.monotonic() - started, "memory_mb": peak_mb() or math.nan})
    run.crew.close()
    return run.publish(Path(recipe_path).stem) if first else out / PUBLISHED


def keep_recipe(recipe: Path, kept: Path) -> None:
    """A copy of the recipe stands with the run, so that its weights can be read again by the folder alone."""
    if recipe.resolve() != kept.resolve():
        kept.write_text(recipe.read_text())


def one_epoch(run: Run, lessons: Lessons) -> float:
    """All faces once, in an order of this epoch's own; gives the mean loss."""
    recipe, n = run.recipe, len(lessons.images)
    generator = torch.Generator(run.device).manual_seed(recipe.seed * 1000 + run.epoch)
    torch.manual_seed(recipe.seed * 1000 + run.epoch)  # dropout draws from torch's own
    change = Augmentation(**{k: tuple(v) if isinstance(v, list) else v for k, v in recipe.augmentation.items()})
    order = draw(lessons.labels, recipe.balance, generator)
    order = order[: n // recipe.batch * recipe.batch].view(-1, recipe.batch)
    taught = [*run.net.parameters(), *run.objective.parameters()]
    total = 0.0
    run.net.train()
    run.objective.train()
    for step, rows in enumerate(order):
        for group in run.optimizer.param_groups:
            group["lr"] = run.rate(run.epoch + step / len(order))
        faces = run.crew.share(change(to_input(lessons.images[rows]), generator))
        loss = learn(run, faces, lessons, run.crew.share(rows))
        run.optimizer.zero_grad()
        loss.backward()
        run.crew.average(parameter.grad for parameter in taught)
        nn.utils.clip_grad_norm_(run.net.parameters(), 5.0)
        run.optimizer.step()
        run.crew.average(run.net.buffers())
        seen = run.epoch * len(order) + step
        follow(run.mean, run.net, min(recipe.ema, (1 + seen) / (10 + seen)))  # the start is soon forgotten
        total += loss.item()
    mean = torch.tensor([total / len(order)], dtype=torch.float64, device=run.device)
    run.crew.average([mean])
    return float(mean)


def learn(run: Run, faces: Tensor, lessons: Lessons, rows: Tensor) -> Tensor:
    """The loss of one batch of changed faces against the lessons of its `rows`; of mixed faces against both."""
    recipe, share = run.recipe, 1.0
    if recipe.mixup:
        share = float(torch.distributions.Beta(recipe.mixup, recipe.mixup).sample())
        faces = share * faces + (1 - share) * faces.flip(0)
    with run.multiplications():
        embedding = run.net.embed(faces.contiguous(memory_format=torch.channels_last))  # (N, C)
    embedding = embedding.float()
    logits = run.net.classifier(run.net.dropout(embedding))  # (N, 7)
    classifiers = (logits, run.objective.second(embedding))

    def against(rows: Tensor) -> Tensor:
        loss = run.objective(embedding, logits, lessons.labels[rows], lessons.votes[rows])
        for own, soft in zip(classifiers, lessons.soft, strict=False):
            weight, temperature = recipe.distil["weight"], recipe.distil["temperature"]
            loss = loss + weight * losses.distillation(own, soft[rows], temperature)
        return loss

    return against(rows) if share == 1 else share * against(rows) + (1 - share) * against(rows.flip(0))


def draw(labels: Tensor, balance: float, generator: torch.Generator) -> Tensor:
    """An order (n,) of the rows: each once, or, with balance above 0, drawn with odds of count ** -balance."""
    if not balance:
        return torch.randperm(len(labels), generator=generator, device=labels.device)
    odds = labels.bincount(minlength=7).clamp(min=1).float() ** -balance
    return torch.multinomial(odds[labels], len(labels), replacement=True, generator=generator)


@torch.no_grad()
def follow(mean: nn.Module, net: nn.Module, keep: float) -> None:
    """Move the running mean a small step towards the trained weights; counters are copied."""
    for slow, fast in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
        if slow.is_floating_point():
            slow.lerp_(fast, 1 - keep)
        else:
            slow.copy_(fast)


@torch.no_grad()
def look(run: Run, validation: data.Faces) -> dict[str, float]:
    """Accuracy of the running mean on the validation faces, either label set by the classifier for it."""
    voted = None if validation.votes is None else data.ferplus_majority(validation.votes)
    first, second = [], []
    for images in np.array_split(validation.images, 32):
        embedding = run.mean.embed(to_input(images).to(run.device))
        first.append(run.mean.classifier(embedding).argmax(1).cpu().numpy())
        second.append(run.objective.second(embedding).argmax(1).cpu().numpy())
    if run.recipe.labels == "ferplus":
        return {"ferplus": float((np.concatenate(first) == voted)[voted >= 0].mean())}
    scores = {"fer2013": float((np.concatenate(first) == validation.emotion).mean())}
    if voted is not None and run.objective.weights["second"]:
        scores["ferplus"] = float((np.concatenate(second) == voted)[voted >= 0].mean())
    return scores
