"""How much a filter matters: the score of paper 000 (PCA) and of the methods it is compared with.

This file scores and never removes anything; `models/prune.py` removes the filters that score lowest.

What a filter is here, for every method alike. It is the weights that make one output channel, as they work
in the trained network: multiplied by the scale of the batch normalisation behind them and, where a depthwise
convolution stands directly before, by its kernels. Nothing non-linear stands between the two halves of a
separable convolution, so pointwise weight [o, i] times depthwise kernel [i] is exactly the 3x3 filter
that the pair amounts to; a filter of a separable layer is therefore in x 3 x 3 long, as that of an ordinary
one. Where several layers make the same channel (they are added by shortcuts), each is scored by itself,
divided by the layer's mean, and the channel's score is the mean over the layers.
"""

from typing import NamedTuple

import torch
import torch_pruning as tp
from torch import Tensor, nn


class Parts(NamedTuple):
    """What stands around a convolution: the depthwise one before it, the normalisation behind it."""

    depthwise: nn.Conv2d | None = None
    norm: nn.BatchNorm2d | None = None


def parts_of(net: nn.Module) -> dict[nn.Conv2d, Parts]:
    """The parts around every convolution that has a normalisation behind it."""
    found = {}
    for row in (list(m) for m in net.modules() if isinstance(m, nn.Sequential)):
        for before, conv, behind in zip([None, *row], row, row[1:], strict=False):
            if isinstance(conv, nn.Conv2d) and isinstance(behind, nn.BatchNorm2d):
                separable = isinstance(before, nn.Conv2d) and before.groups == before.out_channels > 1
                found[conv] = Parts(before if separable else None, behind)
    return found


def filters_of(conv: nn.Conv2d, parts: Parts) -> Tensor:
    """The filters (out, in * 3 * 3) of a layer, or (out, in) where it is 1x1 and stands alone."""
    weight = conv.weight.detach()  # (out, in, k, k)
    if parts.depthwise is not None:
        weight = weight * parts.depthwise.weight.detach()[:, 0]  # (out, in, 1, 1) * (in, 3, 3)
    if parts.norm is not None:
        scale = parts.norm.weight.detach() / (parts.norm.running_var + parts.norm.eps).sqrt()
        weight = weight * scale[:, None, None, None]
    return weight.flatten(1)


def makers(group: tp.Group, parts: dict[nn.Conv2d, Parts]) -> list[nn.Conv2d]:
    """The convolutions of a group that make its channels; a gate (attention) only weighs what others make."""
    convolutions = [dep.target.module for dep, _ in group if dep.handler == tp.prune_conv_out_channels]
    return [conv for conv in convolutions if conv in parts] or convolutions


class FilterImportance(tp.importance.Importance):
    """A score for every channel of a torch-pruning group; subclasses say what a layer's filters score."""

    def __init__(self, net: nn.Module):
        self.parts = parts_of(net)

    def __call__(self, group: tp.Group) -> Tensor:
        """(channels,) scores of at least 0; the lowest matter least."""
        layers = []
        for conv in makers(group, self.parts):
            score = self.score(filters_of(conv, self.parts.get(conv, Parts())))
            layers.append(score / score.mean().clamp(min=1e-12))
        return torch.stack(layers).mean(0)

    def score(self, filters: Tensor) -> Tensor:
        """filters (n, d) -> (n,)"""
        raise NotImplementedError


class PCA(FilterImportance):
    """Pu and Nie, "Convolutional Channel Attention Facial Expression Recognition Network ..." (IEEE Access
    2023, 3333381), section III-B, eqs. 7-14, read as follows where the text leaves a step open.

    Which filters are similar (eq. 14, "geometric medians" in the abstract): those that FPGM would take, with
    cosine similarity in the place of distance: the `similar` share of the layer whose sum of cosines to all
    filters is greatest. The text gives no number; half leaves room for rates up to 0.5 a layer. A filter of
    zeros has no direction and counts as similar (1) to every other. The filters outside the set are unlike
    the rest and rank above it, the more unlike the higher.
    The matrix X (eq. 7): its p rows are the similar filters, its q columns their weights. (Eq. 14 sums its
    weights to p, but eq. 13 gives a number a row, and it is filters that need one.)
    Covariance (eq. 8): of the columns, mean taken off, E being the expectation. Its eigenvectors come from
    the singular value decomposition of the p x q matrix, which gives the same without the q x q one.
    Components (eqs. 11-12): the smallest h whose contributions add up to at least alpha.
    Y = XA (eqs. 9-10): as written, of X itself and not of X less its mean, so that a filter of zeros has
    score zero.
    Z (eq. 13): the sign of an eigenvector is arbitrary, and with it the sign of y; so Z adds con_i |y_i|.
    "Evaluated" by Z: a low Z is a filter that has little of what the similar filters differ in, and goes.
    """

    def __init__(self, net: nn.Module, alpha: float = 0.85, similar: float = 0.5):
        super().__init__(net)
        self.alpha, self.similar = alpha, similar

    def score(self, filters: Tensor) -> Tensor:
        closeness = cosines(filters).sum(1)  # (n,)
        chosen = closeness.topk(max(1, round(len(filters) * self.similar))).indices
        z = composite(filters[chosen], self.alpha)
        score = 1 + (closeness.max() - closeness) / len(filters)  # at least 1
        score[chosen] = z / z.max().clamp(min=1e-12)  # at most 1
        return score


def cosines(filters: Tensor) -> Tensor:
    """Eq. 14: filters (n, d) -> similarity of each to each (n, n), -1..1; 1 to a filter of zeros."""
    norm = filters.norm(dim=1)
    similarity = filters @ filters.T / (norm[:, None] * norm).clamp(min=1e-24)
    nothing = norm < 1e-12
    return similarity.masked_fill(nothing[:, None] | nothing, 1.0)


def components(contributions: Tensor, alpha: float) -> int:
    """Eq. 12: how many of the contributions (descending, sum 1) it takes to reach alpha."""
    return int((contributions.cumsum(0) < alpha - 1e-6).sum()) + 1


def composite(x: Tensor, alpha: float) -> Tensor:
    """Eqs. 7-13: the similar filters X (p, q) -> their composite scores Z (p,), at least 0."""
    _, singular, a = torch.linalg.svd(x - x.mean(0), full_matrices=False)  # eq. 8; a (min(p, q), q)
    eigenvalues = singular.square()
    contributions = eigenvalues / eigenvalues.sum().clamp(min=1e-24)  # eq. 11
    h = min(components(contributions, alpha), len(contributions))
    y = x @ a[:h].T  # eqs. 9-10   (p, h)
    return y.abs() @ contributions[:h]  # eq. 13


class FPGM(FilterImportance):
    """He, Liu, Wang, Hu, Yang, "Filter Pruning via Geometric Median for Deep Convolutional Neural Networks
    Acceleration" (CVPR 2019, arXiv 1811.00250), section 3: g, the sum of Euclidean distances to all filters
    of the layer. The filters nearest the geometric median, those of least g, can be made from the others.
    """

    def score(self, filters: Tensor) -> Tensor:
        return torch.cdist(filters.double(), filters.double()).sum(1).to(filters.dtype)


class SFP(FilterImportance):
    """He, Kang, Dong, Fu, Yang, "Soft Filter Pruning for Accelerating Deep Convolutional Neural Networks"
    (IJCAI 2018, arXiv 1808.06866), eq. 2 with p = 2: the norm of a filter. What makes it soft, that filters
    are set to zero after an epoch and may grow again in the next, is in `models/prune.py`.
    """

    def score(self, filters: Tensor) -> Tensor:
        return filters.norm(dim=1)


class Magnitude(FilterImportance):
    """Li, Kadav, Durdanovic, Samet, Graf, "Pruning Filters for Efficient ConvNets" (ICLR 2017, arXiv
    1608.08710), section 3.1: the sum of a filter's absolute weights.
    """

    def score(self, filters: Tensor) -> Tensor:
        return filters.abs().sum(1)


class SQDC(FilterImportance):
    """ "Sparse and Quantization Driven Compression", which paper 000 names in section IV-B and neither cites
    nor describes. Ours is therefore a reading of the name alone: sparse, the scales of the batch
    normalisation are shrunk after every epoch (in `models/prune.py`; L1 as in network slimming, Liu et al.,
    ICCV 2017, arXiv 1708.06519, eq. 1); driven by quantisation, a filter scores the sum of its absolute
    weights after they were rounded to 4 bits of the layer's range, so that small weights count nothing.
    """

    levels = 7  # -7..7

    def score(self, filters: Tensor) -> Tensor:
        step = filters.abs().max().clamp(min=1e-12) / self.levels
        rounded = (filters / step).round() * step
        return rounded.abs().sum(1) + 1e-6 * filters.abs().sum(1)  # the rest decides between equals


METHODS = {"pca": PCA, "fpgm": FPGM, "sfp": SFP, "magnitude": Magnitude, "sqdc": SQDC}
