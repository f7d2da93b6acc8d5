"""The papers repeated on the data there is: the ablation (000, table 1), the attentions (002, table 3) and the
pruning (000, figs. 10-12, table 2).

    python -m models ablation --data FOLDER --epochs 20 --seeds 1,2,3
    python -m models ablation --networks resnet50,se-resnet50,psa-resnet50 --data FOLDER --epochs 20
    python -m models prune-study resnet20 resnet56 --data FOLDER --epochs 15

Each training is a run of its own in the study's folder; what was stopped goes on and what is finished is
not done again. Nothing but the named thing differs between the runs of a study.
"""

import csv
import statistics
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path

from ruamel.yaml import YAML
from safetensors.torch import load_file

from models import export
from models.filters import METHODS
from models.networks import NETWORKS, build
from models.prune import Start, gentler, prune, start_named
from models.runlog import read_log
from models.train import train

STUDY_COLUMNS = (
    *("network", "method", "rate", "alpha", "parameters", "multiply_adds"),
    *("parameters_gone", "multiply_adds_gone", "before", "pruned", "taught", "folder"),
)


def trained(network: str, recipe: dict, path: Path, folder: Path) -> Path:
    """Finished weights of `network` by `recipe`, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    YAML().dump(recipe | {"network": network}, folder / "recipe.yaml")
    return train(folder / "recipe.yaml", path, folder)


def ablation(
    recipe: dict, path: Path, out: Path, epochs: int, seeds: Sequence[int], networks: Sequence[str]
) -> list[dict]:
    """Each network by one recipe: a row a network, its last accuracies a seed; also written to ablation.csv."""
    shape = recipe.get("shape") or {}
    sizes = {network: export.sizes(build(network, **shape).eval()) for network in networks}
    rows = []
    for network in networks:
        accuracies, seconds = [], []
        for seed in seeds:
            folder = out / f"{network}-{seed}"
            trained(network, recipe | {"epochs": epochs, "seed": seed}, path, folder)
            log = read_log(folder / "log.csv")
            accuracies.append(log[-1][recipe["labels"]])
            seconds += [line["seconds"] for line in log]
        rows.append(
            {
                "network": network,
                "parameters": sizes[network]["parameters"],
                "multiply_adds": sizes[network]["multiply_adds"],
                "seconds": statistics.median(seconds),
                "accuracy": statistics.mean(accuracies),
                "spread": statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0,
            }
        )
    with open(out / "ablation.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return rows


def ablation_table(rows: list[dict]) -> str:
    """An ablation as text: accuracy as mean and standard deviation over the seeds."""
    lines = [f"{'network':14} {'accuracy':>18} {'parameters':>12} {'multiply-adds':>14} {'s/epoch':>8}"]
    for row in rows:
        accuracy = f"{row['accuracy']:.2%} +- {row['spread']:.2%}"
        lines.append(
            f"{row['network']:14} {accuracy:>18} {row['parameters']:12,} {row['multiply_adds']:14,} "
            f"{row['seconds']:8.1f}"
        )
    return "\n".join(lines)


def start_of(name: str, recipe: dict, path: Path, out: Path, epochs: int) -> Start:
    """A network of the zoo, of a run's folder, or one of models/networks.py, trained here first."""
    if name not in NETWORKS:
        return start_named(name)
    weights = trained(name, recipe | {"epochs": epochs}, path, out / name)
    return Start(name, export.restore(name, load_file(weights)), gentler(recipe), recipe["labels"])


def runs(methods: Iterable[str], rates: Iterable[float], alphas: Sequence[float]) -> Iterator[tuple]:
    """Method, rate and alpha of each run; only pca has an alpha."""
    for rate, method in product(rates, methods):
        for alpha in alphas if method == "pca" else [None]:
            yield method, rate, alpha


def prune_study(
    names: Sequence[str],
    methods: Sequence[str],
    rates: Sequence[float],
    alphas: Sequence[float],
    recipe: dict,
    path: Path,
    out: Path,
    epochs: int,
    base_epochs: int,
) -> list[dict]:
    """Every network by every method, rate and alpha; a line a run in study.csv, as soon as it is done."""
    unknown = set(methods) - set(METHODS)
    if unknown:
        raise ValueError(f"prune-study: there is no method {sorted(unknown)}; there are {', '.join(METHODS)}.")
    out.mkdir(parents=True, exist_ok=True)
    lines = read_study(out / "study.csv")
    done = {line["folder"] for line in lines}
    for name in names:
        planned = [(*run, folder_name(name, *run)) for run in runs(methods, rates, alphas)]
        missing = [run for run in planned if run[-1] not in done]
        if not missing:
            continue
        start = start_of(name, recipe, path, out, base_epochs)
        for method, rate, alpha, folder in missing:
            report = prune(start, method, rate, path, out / folder, epochs, alpha or 0.85)
            lines.append(line_of(name, method, rate, alpha, report, folder))
            with open(out / "study.csv", "w", newline="") as file:
                writer = csv.DictWriter(file, STUDY_COLUMNS)
                writer.writeheader()
                writer.writerows(lines)
    return read_study(out / "study.csv")


def folder_name(name: str, method: str, rate: float, alpha: float | None) -> str:
    return f"{Path(name).name}-{method}-{rate}" + (f"-{alpha}" if alpha else "")


def line_of(name: str, method: str, rate: float, alpha: float | None, report: dict, folder: str) -> dict:
    """A line of study.csv: what is left, what is gone, accuracy before, after the removal, and taught."""
    before, pruned = report["before"], report["pruned"]
    sizes = ("parameters", "multiply_adds")
    return {
        **{"network": name, "method": method, "rate": rate, "alpha": alpha or "", "folder": folder},
        **{key: pruned[key] for key in sizes},
        **{f"{key}_gone": round(1 - pruned[key] / before[key], 4) for key in sizes},
        **{key: round(report[key]["accuracy"], 4) for key in ("before", "pruned", "taught")},
    }


def read_study(path: Path) -> list[dict[str, str]]:
    """The lines of study.csv, none where there is no such file."""
    if not path.is_file():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def label(line: dict[str, str]) -> str:
    return f"{line['method']} {line['alpha']}".strip()


def study_table(lines: list[dict[str, str]]) -> str:
    """Figure 12 and table 2 as text, a line a run."""
    rows = [f"{'network':16} {'rate':>5} {'method':14} {'gone':>7} {'before':>8} {'removed':>8} {'taught':>8}"]
    for line in sorted(lines, key=lambda line: (line["network"], line["rate"], label(line))):
        shares = [float(line[key]) for key in ("parameters_gone", "before", "pruned", "taught")]
        rows.append(
            f"{line['network']:16} {line['rate']:>5} {label(line):14} {shares[0]:7.1%} {shares[1]:8.2%} "
            f"{shares[2]:8.2%} {shares[3]:8.2%}"
        )
    return "\n".join(rows)


def draw_study(lines: list[dict[str, str]], out: Path) -> list[Path]:
    """curves.png (figs. 10-11: accuracy and loss an epoch) and methods.png (fig. 12 and table 2) in `out`."""
    from models.plots import pyplot

    cases = sorted({(line["network"], line["rate"]) for line in lines})
    size = {"figsize": (3.4 * len(cases) + 1, 5.6), "layout": "constrained", "squeeze": False}
    curves, axes = pyplot.subplots(2, len(cases), sharex=True, sharey="row", **size)
    bars, columns = pyplot.subplots(1, len(cases), sharey=True, **size)
    for place, case in enumerate(cases):
        own = sorted((line for line in lines if (line["network"], line["rate"]) == case), key=label)
        draw_curves(axes[:, place], own, out)
        columns[0, place].bar([label(line) for line in own], [float(line["taught"]) for line in own], width=0.6)
        columns[0, place].axhline(float(own[0]["before"]), color="black", linewidth=1, linestyle="--")
        columns[0, place].tick_params("x", rotation=90)
        for axis in (axes[0, place], columns[0, place]):
            axis.set_title(f"{case[0]}, rate {case[1]}")
    taught = [float(line[key]) for line in lines for key in ("taught", "before")]
    columns[0, 0].set_ylim(max(0, min(taught) - 0.05), min(1, max(taught) + 0.05))
    columns[0, 0].set_ylabel("accuracy on PublicTest (dashed: unpruned)")
    axes[0, 0].set_ylabel("accuracy on PublicTest")
    axes[1, 0].set_ylabel("training loss")
    axes[0, 0].legend(frameon=False)
    for figure, name in ((curves, "curves.png"), (bars, "methods.png")):
        for axis in figure.axes:
            axis.spines[["top", "right"]].set_visible(False)
        figure.savefig(out / name, dpi=110)
        pyplot.close(figure)
    return [out / "curves.png", out / "methods.png"]


def draw_curves(axes: Sequence, lines: list[dict[str, str]], out: Path) -> None:
    """Accuracy into the first, loss into the second of two axes, a curve a run."""
    for line in lines:
        log = read_log(out / line["folder"] / "log.csv")
        labels = "fer2013" if "fer2013" in log[0] else "ferplus"
        for axis, key in zip(axes, (labels, "loss"), strict=True):
            axis.plot([row["epoch"] for row in log], [row[key] for row in log], label=label(line))
    axes[1].set_xlabel("epoch of fine-tuning")
