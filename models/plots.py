"""The pictures of a network's card and of a training run: small PNGs, quiet, from figures only.

Nothing here measures; every function takes figures and gives the path of the picture it wrote.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("agg")
from matplotlib import pyplot
from matplotlib.ticker import PercentFormatter

from models.runlog import read_log

INK, SOFT, ACCENT, SECOND = "#2b2b2b", "#b8b8b8", "#2f6f9f", "#c4622d"
STYLE = {
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


def confusion(counts: Sequence[Sequence[int]], emotions: Sequence[str], path: Path, title: str = "") -> Path:
    """Shares of every row (what was shown), the darker the more often answered; counts (7, 7)."""
    counts = np.asarray(counts)
    shares = counts / np.maximum(1, counts.sum(1, keepdims=True))
    with pyplot.rc_context(STYLE):
        figure, axis = pyplot.subplots(figsize=(4.8, 4.3), layout="constrained")
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.ndindex(shares.shape):
            share = shares[row, column]
            colour = "white" if share > 0.55 else INK
            axis.text(column, row, f"{share:.0%}", ha="center", va="center", color=colour, fontsize=8)
        axis.set_xticks(range(len(emotions)), emotions, rotation=40, ha="right")
        shown = [f"{e} ({n})" for e, n in zip(emotions, counts.sum(1), strict=True)]
        axis.set_yticks(range(len(emotions)), shown)
        axis.set(xlabel="answered", ylabel="label (images)", title=title)
        axis.spines[:].set_visible(False)
        axis.tick_params(length=0)
        return _save(figure, path)


def reliability(bins: Sequence[tuple[int, float, float]], path: Path, title: str = "") -> Path:
    """Share right over the highest score; bins are rows (faces, mean score, share right), as in a card."""
    filled = [row for row in bins if row[0]]
    faces, score, right = (np.array(column) for column in zip(*filled, strict=True))
    with pyplot.rc_context(STYLE):
        figure, axis = pyplot.subplots(figsize=(3.8, 3.6), layout="constrained")
        axis.plot([0, 1], [0, 1], color=SOFT, linewidth=1, label="as it should be")
        axis.plot(score, right, color=ACCENT, linewidth=1.2)
        size = 12 + 160 * faces / faces.max()
        axis.scatter(
            score, right, s=size, color=ACCENT, alpha=0.75, linewidth=0, label="faces (area: how many)"
        )
        axis.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="highest score", ylabel="share right", title=title)
        axis.legend(loc="upper left", markerscale=0.5)
        return _save(figure, path)


def coverage(rows: Sequence[Sequence[float]], chosen: float | None, aim: float, path: Path) -> Path:
    """Share right among the kept over the share kept; rows [threshold, kept, right], as in a card."""
    threshold, kept, right = (np.array(column) for column in zip(*rows, strict=True))
    with pyplot.rc_context(STYLE):
        figure, axis = pyplot.subplots(figsize=(4.2, 3.4), layout="constrained")
        axis.axhline(aim, color=SOFT, linewidth=1)
        axis.plot(kept, right, color=ACCENT, linewidth=1.2, marker="o", markersize=3)
        for i in np.flatnonzero(kept < 0.97)[::2]:  # further right the numbers would lie on each other
            axis.annotate(
                f"{threshold[i]:g}", (kept[i], right[i]), (4, 4), textcoords="offset points", fontsize=7
            )
        if chosen is not None:
            at = np.interp(chosen, threshold, kept), np.interp(chosen, threshold, right)
            axis.plot(
                *at, marker="o", color=SECOND, markersize=7, linestyle="", label=f"unsure below {chosen:g}"
            )
            axis.legend(loc="lower left")
        axis.set(xlim=(0, 1.02), xlabel="share of faces kept", ylabel="share right among the kept")
        axis.set_ylim(min(right.min(), aim) - 0.03, 1.005)
        return _save(figure, path)


def curves(log_path: Path, path: Path) -> Path:
    """Loss and accuracy of every epoch in a run's log.csv."""
    rows = read_log(log_path)
    epochs = [row["epoch"] for row in rows]
    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(1, 2, figsize=(7, 2.8), layout="constrained")
        axes[0].plot(epochs, [row["loss"] for row in rows], color=ACCENT, linewidth=1.2)
        axes[0].set(xlabel="epoch", ylabel="training loss")
        for (key, label), colour in zip(
            (("fer2013", "FER2013 labels"), ("ferplus", "FER+ labels")), (ACCENT, SECOND), strict=True
        ):
            if key in rows[0]:
                axes[1].plot(epochs, [row[key] for row in rows], color=colour, linewidth=1.2, label=label)
        axes[1].set(xlabel="epoch", ylabel="accuracy on PublicTest")
        axes[1].legend(loc="lower center", bbox_to_anchor=(0.5, 0.98), ncol=2)
        return _save(figure, path)


def trade(points: dict[str, Sequence[tuple[str, float, float]]], path: Path) -> Path:
    """Accuracy over milliseconds, a panel for each key; points are (name, milliseconds, share).

    Names stand in the order of accuracy on the right, each tied to its point, so that none lies on another.
    """
    most = max(len(dots) for dots in points.values())
    with pyplot.rc_context(STYLE):
        size = {"figsize": (5.2 * len(points), max(3.2, 0.19 * most)), "layout": "constrained"}
        figure, axes = pyplot.subplots(1, len(points), squeeze=False, **size)
        for axis, (title, dots) in zip(axes[0], points.items(), strict=True):
            axis.scatter([ms for _, ms, _ in dots], [share for *_, share in dots], s=26, color=ACCENT, zorder=2)
            ranked = sorted(dots, key=lambda dot: dot[2])
            for height, (name, ms, share) in zip(np.linspace(0.02, 0.98, len(dots)), ranked, strict=True):
                axis.annotate(
                    f"{name}  {share:.1%}", (ms, share), (1.06, height),
                    textcoords="axes fraction", fontsize=7.5, va="center",
                    arrowprops={"arrowstyle": "-", "color": SOFT, "linewidth": 0.5, "relpos": (0, 0.5)},
                )  # fmt: skip
            axis.set_xscale("log")
            axis.xaxis.set_major_formatter("{x:g}")
            axis.yaxis.set_major_formatter(PercentFormatter(1))
            axis.margins(0.05, 0.08)
            axis.set(xlabel="ms a face on one core (log)", ylabel="accuracy on PublicTest", title=title)
        return _save(figure, path)


def _save(figure, path: Path) -> Path:
    figure.savefig(path, dpi=100, bbox_inches="tight")
    pyplot.close(figure)
    return path
