"""What a network is taught: faces, their labels and votes, and what finished networks say of them.

Never changes a weight, and never sees more than the Training part.
"""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models import data, export, losses, zoo
from models.recipe import Recipe

if TYPE_CHECKING:
    from models.train import Run


def to_input(images: np.ndarray | Tensor) -> Tensor:
    """(N, 48, 48) uint8 -> (N, 1, 48, 48) float in -1..1, the input of every network here."""
    return torch.as_tensor(images)[:, None].float().div_(127.5).sub_(1)


def part(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The weights whose names begin with `prefix`, without it."""
    return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}


class Teacher:
    """A finished network to learn from: one of the zoo by its name, or one of a run by the run's folder."""

    def __init__(self, name: str, device: str):
        folder = Path(name)
        if folder.is_dir() or len(folder.parts) > 1:
            if not (folder / "weights.safetensors").is_file():
                raise data.DataError(
                    f"train: the teacher is the finished run {folder}, which is not there; train that one "
                    "first, or name a network of the zoo, which teaches the first classifier alone."
                )
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
    def of(cls, faces: data.Faces, run: "Run") -> "Lessons":
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


def asked(teacher: Teacher, images: Tensor, run: "Run") -> list[Tensor]:
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
