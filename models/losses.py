"""What the networks are trained to lower: cross-entropy, the margins and centres of the papers, votes.

Each loss takes an embedding (N, C) or logits (N, 7), and gives one number; none of them knows how it is
scheduled or logged.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASSES = 7


class ArcFace(nn.Module):
    """Paper 000 eq. 6 (Deng et al., arXiv 1801.07698): a margin of `m` rad on a sphere of radius `s`.

    embedding (N, C), labels (N,) int64 -> mean loss, a scalar.
    """

    def __init__(self, channels: int, classes: int = CLASSES, s: float = 16.0, m: float = 0.2):
        super().__init__()
        self.centres = nn.Parameter(torch.empty(classes, channels))
        nn.init.xavier_normal_(self.centres)
        self.s, self.m = s, m

    def forward(self, embedding: Tensor, labels: Tensor) -> Tensor:
        cosine = F.linear(F.normalize(embedding), F.normalize(self.centres))  # (N, classes)
        theta = torch.acos(cosine.clamp(-1 + 1e-6, 1 - 1e-6))
        own = F.one_hot(labels, cosine.shape[1]).bool()
        with_margin = torch.cos((theta + self.m).clamp(max=math.pi))
        return F.cross_entropy(self.s * torch.where(own, with_margin, cosine), labels)


class Island(nn.Module):
    """Centre loss (paper 003 eqs. 7-9) and, with `apart` above 0, island loss (paper 002 eq. 7).

    Embeddings are drawn to the centre of their class; the centres follow the embeddings by eq. 9 at `rate`
    and, for island loss, move away from each other: `apart` is lambda_1, which weighs cos + 1 of all pairs.

    embedding (N, C), labels (N,) int64 -> mean loss, a scalar.
    """

    def __init__(self, channels: int, apart: float = 0.0, rate: float = 0.5, classes: int = CLASSES):
        super().__init__()
        self.register_buffer("centres", torch.randn(classes, channels) / channels**0.5)
        self.apart, self.rate = apart, rate

    def forward(self, embedding: Tensor, labels: Tensor) -> Tensor:
        if self.training:
            self._follow(embedding.detach(), labels)
        to_centre = (embedding - self.centres[labels]).square().sum(1).mean() / 2  # paper 003, eq. 7
        return to_centre + self.apart * closeness(self.centres)

    def _follow(self, embedding: Tensor, labels: Tensor) -> None:
        own = F.one_hot(labels, len(self.centres)).to(embedding.dtype)  # (N, classes)
        count = own.sum(0)[:, None]
        step = (count * self.centres - own.T @ embedding) / (1 + count)  # paper 003, eq. 9
        if self.apart:
            with torch.enable_grad():
                centres = self.centres.clone().requires_grad_()
                (push,) = torch.autograd.grad(closeness(centres), centres)
            step = step + self.apart * push
        self.centres -= self.rate * step


def closeness(centres: Tensor) -> Tensor:
    """Sum of cos + 1 over all ordered pairs of different centres (classes, C): 0 where all are opposite."""
    cosine = F.normalize(centres) @ F.normalize(centres).T
    return (cosine + 1).sum() - 2 * len(centres)


class Objective(nn.Module):
    """Paper 000 eq. 5, cross-entropy + ArcFace, and what other papers and the votes add to it.

    arcface, s, m   weight of eq. 6 (1 in the paper, 0 leaves it out), its radius and margin
    centre, apart   weight of the centre loss, and lambda_1, which makes it island loss
    smoothing       of the labels in the cross-entropy
    second          weight of a second classifier on the same embedding, which learns the votes of FER+ as
                    soft targets (N, 7): it steadies the trunk, and can be exported in place of the first
    """

    def __init__(
        self,
        channels: int,
        arcface: float = 1.0,
        s: float = 16.0,
        m: float = 0.2,
        centre: float = 0.0,
        apart: float = 0.0,
        smoothing: float = 0.1,
        second: float = 0.0,
    ):
        super().__init__()
        self.weights = {"arcface": arcface, "centre": centre, "second": second}
        self.smoothing = smoothing
        self.arcface = ArcFace(channels, s=s, m=m)
        self.island = Island(channels, apart)
        self.second = nn.Linear(channels, CLASSES)

    def forward(self, embedding: Tensor, logits: Tensor, labels: Tensor, votes: Tensor) -> Tensor:
        loss = F.cross_entropy(logits, labels, label_smoothing=self.smoothing)
        if weight := self.weights["arcface"]:
            loss = loss + weight * self.arcface(embedding, labels)
        if weight := self.weights["centre"]:
            loss = loss + weight * self.island(embedding, labels)
        if weight := self.weights["second"]:
            loss = loss - weight * (votes * F.log_softmax(self.second(embedding), 1)).sum(1).mean()
        return loss


def distillation(logits: Tensor, soft: Tensor, temperature: float) -> Tensor:
    """Hinton et al. (arXiv 1503.02531): a student's logits (N, 7) against its teacher's soft scores (N, 7)."""
    student = F.log_softmax(logits / temperature, 1)
    return F.kl_div(student, soft, reduction="batchmean") * temperature**2
