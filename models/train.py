"""Train a network by a recipe: one plain loop that can be stopped at any moment and goes on where it was.

    python -m models train models/recipes/xrs-fer2013.yaml --data ../fer2013 --out runs/xrs-fer2013

A run's folder holds `last.safetensors` (all it takes to go on), `log.csv` (a line an epoch) and, at the
end, `weights.safetensors` (the running mean, which is what gets published). PublicTest is looked at once
an epoch for the log; nothing is chosen by it. Never reads PrivateTest. Uses a GPU where there is one; with
`torchrun` several processes or GPUs train together (crew.py).
"""

import copy
import csv
import hashlib
import json
import math
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from ruamel.yaml import YAML
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models import adapters, data, export, losses, zoo
from models.augment import Augmentation
from models.compare import peak_mb
from models.crew import Crew
from models.networks import build

PUBLISHED = "weights.safetensors"
LARGE = 512 * 512  # numbers of a 1x1 convolution from which a product of matrices is faster


class Recipe(NamedTuple):
    """One run, as in models/recipes/*.yaml; the keys without a default must be there.

    network, shape       what is built: networks.build(network, **shape)
    labels               "fer2013" or "ferplus": what the first classifier learns
    epochs, batch, seed
    optimizer            one of OPTIMIZERS
    rate                 learning rate at its highest
    schedule             "cosine": up over `warmup` epochs, then half a cosine to zero; "plateau": a fifth after
                         five epochs without a lower loss, down to a hundredth (paper 000)
    momentum, weight_decay
    ema                  what one step keeps of the running mean of the weights
    loss                 arguments of losses.Objective
    augmentation         arguments of augment.Augmentation
    balance              a face is drawn with odds of its emotion's count to the power of -balance
    rare_votes           FER+ votes for an emotion weigh by its share of all votes to the power of -rare_votes
    mixup                alpha of the Beta distribution by which two faces are mixed (arXiv 1710.09412); 0: none
    start                weights of a finished run to go on from, or last.safetensors of a stopped one
    grown                for each block of an XRS the block of `start` that it takes over, or null: a new one,
                         which begins by changing nothing
    teacher, distil      networks whose mean score of the unchanged faces is learnt too, with {weight,
                         temperature}: a name of the zoo, or the folder of a finished run, whose FER+ classifier
                         then teaches the second one
    precision            "bf16": multiplications on 16 bits, weights and sums on 32, about 1.5 times faster on a
                         CPU with AMX; "f32"
    """

    network: str
    labels: str
    seed: int
    epochs: int
    batch: int
    rate: float
    momentum: float
    weight_decay: float
    ema: float
    loss: dict
    augmentation: dict
    warmup: float = 0.0
    shape: dict | None = None
    optimizer: str = "sgd"
    schedule: str = "cosine"
    balance: float = 0.0
    rare_votes: float = 0.0
    mixup: float = 0.0
    start: str | None = None
    grown: list[int | None] | None = None
    teacher: tuple[str, ...] = ()
    distil: dict | None = None
    precision: str = "f32"

    @classmethod
    def read(cls, path: str | Path) -> "Recipe":
        """The recipe in a YAML file; a key too many or too few, or a word that means nothing, is named."""
        table = YAML(typ="safe").load(Path(path).read_text())
        unknown = table.keys() - set(cls._fields)
        missing = set(cls._fields) - table.keys() - cls._field_defaults.keys()
        if unknown or missing:
            raise data.DataError(
                f"{path}: unknown keys {sorted(unknown)}, missing keys {sorted(missing)}; "
                f"there are {', '.join(cls._fields)}."
            )
        recipe = cls(**table)
        for key, allowed in WORDS.items():
            if getattr(recipe, key) not in allowed:
                raise data.DataError(
                    f"{path}: {key} must be one of {', '.join(allowed)}; {getattr(recipe, key)!r} came."
                )
        return recipe


OPTIMIZERS = {
    "sgd": lambda groups, r: torch.optim.SGD(
        groups, r.rate, r.momentum, weight_decay=r.weight_decay, nesterov=r.momentum > 0
    ),
    "adam": lambda groups, r: torch.optim.Adam(groups, r.rate, weight_decay=r.weight_decay),
    "adamw": lambda groups, r: torch.optim.AdamW(groups, r.rate, weight_decay=r.weight_decay),
    "rmsprop": lambda groups, r: torch.optim.RMSprop(groups, r.rate, weight_decay=r.weight_decay),
    "adagrad": lambda groups, r: torch.optim.Adagrad(groups, r.rate, weight_decay=r.weight_decay),
}
WORDS = {
    "optimizer": OPTIMIZERS,
    "schedule": ("cosine", "plateau"),
    "labels": ("fer2013", "ferplus"),
    "precision": ("f32", "bf16"),
}


def to_input(images: np.ndarray | Tensor) -> Tensor:
    """(N, 48, 48) uint8 -> (N, 1, 48, 48) float in -1..1, the input of every network here."""
    return torch.as_tensor(images)[:, None].float().div_(127.5).sub_(1)


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
        self.net.load_state_dict(weights)
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
            getattr(self, part).load_state_dict(parts[part])
        slots: dict[int, dict[str, Tensor]] = {}
        for key, value in parts["optimizer"].items():
            place, _, name = key.partition(".")
            slots.setdefault(int(place), {})[name] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": slots})

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


def part(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The weights whose names begin with `prefix`, without it."""
    return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}


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


class Teacher:
    """A finished network to learn from: one of the zoo by its name, or one of a run by the run's folder."""

    def __init__(self, name: str, device: str):
        folder = Path(name)
        if folder.is_dir():
            recipe, weights = Recipe.read(folder / "recipe.yaml"), load_file(folder / "weights.safetensors")
            network, shape, second = recipe.network, recipe.shape, part(weights, "second.")
        else:
            card, weights = zoo.load(name).card, load_file(zoo.ZOO / name / "weights.safetensors")
            network, shape, second = card["network"], card.get("shape"), {}
        self.net = export.restore(network, weights, shape=shape).requires_grad_(False)
        self.net.to(device, memory_format=torch.channels_last)
        self.second = None
        if second:
            self.second = nn.Linear(self.net.classifier.in_features, losses.CLASSES).requires_grad_(False)
            self.second.load_state_dict(second)
            self.second.to(device)

    def logits(self, faces: Tensor) -> list[Tensor]:
        """The scores (N, 7) of the first classifier, and of the second if there is one."""
        embedding = self.net.embed(faces).float()
        heads = [self.net.classifier, *([self.second] if self.second else [])]
        return [head(embedding).float() for head in heads]

    @torch.no_grad()
    def softened(self, images: Tensor, temperature: float) -> list[Tensor]:
        """(n, 48, 48) uint8 -> softened scores (n, 7) of each classifier, mean of a face and its mirror."""
        scores = []
        for batch in images.split(256):
            faces = to_input(batch).contiguous(memory_format=torch.channels_last)
            both = zip(self.logits(faces), self.logits(faces.flip(3)), strict=True)
            scores.append([((a / temperature).softmax(1) + (b / temperature).softmax(1)) / 2 for a, b in both])
        return [torch.cat(parts) for parts in zip(*scores, strict=True)]


class Lessons(NamedTuple):
    """The training faces on the device: images (n, 48, 48) uint8, labels (n,) int64, votes (n, 7), and for each
    classifier that is taught the teachers' mean softened scores (n, 7)."""

    images: Tensor
    labels: Tensor
    votes: Tensor
    soft: tuple[Tensor, ...] = ()

    @classmethod
    def of(cls, faces: data.Faces, run: Run) -> "Lessons":
        """For FER+ labels only faces with a single most-voted emotion of ours are taken."""
        labels = run.recipe.labels
        if faces.votes is None and labels == "ferplus":
            raise data.DataError("train: FER+ labels need fer2013new.csv beside the csv, or sheets with votes.")
        emotion = faces.emotion
        if labels == "ferplus":
            emotion = data.ferplus_majority(faces.votes)
            faces, emotion = faces.take(emotion >= 0), emotion[emotion >= 0]
        votes = np.zeros((len(emotion), 7), np.float32)
        if faces.votes is not None:
            votes = weighed(data.ferplus_target(faces.votes), run.recipe.rare_votes)
        lessons = cls(*(torch.as_tensor(part).to(run.device) for part in (faces.images, emotion, votes)))
        teachers = run.teachers if run.epoch < run.recipe.epochs else []  # a finished run asks nobody
        taught = [asked(teacher, lessons.images, run) for teacher in teachers]
        first = [scores[0] for scores in taught]
        second = [scores[1] for scores in taught if len(scores) > 1]
        return lessons._replace(soft=tuple(torch.stack(each).mean(0) for each in (first, second) if each))


def asked(teacher: Teacher, images: Tensor, run: Run) -> list[Tensor]:
    """What a teacher says of the faces (Teacher.softened); kept beside the runs, since it takes minutes."""
    temperature = run.recipe.distil["temperature"]
    known = hashlib.sha256(json.dumps([temperature, run.recipe.precision]).encode())
    heads = teacher.second.state_dict() if teacher.second else {}
    for tensor in (images, *teacher.net.state_dict().values(), *heads.values()):
        known.update(tensor.cpu().contiguous().numpy())
    path = run.out.parent / f"taught-{known.hexdigest()[:16]}.safetensors"
    if not path.is_file():
        with run.multiplications():
            scores = torch.stack(teacher.softened(images, temperature))  # (classifiers, n, 7)
        if not run.crew.is_first:
            return list(scores)
        partial = path.with_suffix(".part")
        save_file({"scores": scores.float().contiguous()}, partial)
        partial.replace(path)
    return list(load_file(path)["scores"].to(run.device))


def weighed(votes: np.ndarray, power: float) -> np.ndarray:
    """Votes (n, 7), each weighed by its emotion's share of all to the power of -`power`; their sum stays."""
    share = votes.mean(0)
    weights = np.maximum(share, 1e-3) ** -power
    return (votes * (weights * share.sum() / (weights * share).sum())).astype(np.float32)


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


def log(path: Path, row: dict[str, float]) -> None:
    """Append a line to the csv, and show it."""
    new = not path.exists()
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow({k: v if isinstance(v, int) else f"{v:.4f}" for k, v in row.items()})
    print("  ".join(f"{k} {v if isinstance(v, int) else format(v, '.4f')}" for k, v in row.items()), flush=True)


def read_log(path: Path) -> list[dict[str, float]]:
    """The lines that `log` wrote, one an epoch."""
    with open(path, newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def cost(run: Path) -> dict[str, float | None]:
    """What the run in a folder took, with the runs that it began from where their folders are there.

    epochs, hours       of median epochs, so that a pause or a busy machine counts little
    training_mb         peak memory; None where a run did not note it
    ferplus_classifier  what the second classifier came to on PublicTest's FER+ labels; None without one
    """
    parts = [read_log(folder / "log.csv") for folder in parts_of(run)]
    most = max((row.get("memory_mb", math.nan) for rows in parts for row in rows), default=math.nan)
    seconds = sum(len(rows) * statistics.median(row["seconds"] for row in rows) for rows in parts)
    return {
        "epochs": sum(map(len, parts)),
        "hours": round(seconds / 3600, 2),
        "training_mb": None if math.isnan(most) else round(most),
        "ferplus_classifier": parts[0][-1].get("ferplus"),
    }


def parts_of(run: Path) -> Iterator[Path]:
    """The folder of a run, and those of the runs that it, and they, began from."""
    seen: set[Path] = set()
    while run not in seen and (run / "log.csv").is_file():
        seen.add(run)
        yield run
        recipe = run / "recipe.yaml"
        if not recipe.is_file() or not (start := Recipe.read(recipe).start):
            return
        run = Path(start).parent
