"""Paper 000 fig. 7: one network, one recipe, several optimisers; loss and accuracy of every epoch.

    python -m models optimizers models/recipes/xrs-paper.yaml --data FOLDER --epochs 20

Each optimiser is a run of its own under runs/optimizers and goes on where it was stopped. Never changes
the recipe's other keys, but for SGD, whose learning rate has another scale.
"""

from pathlib import Path

from ruamel.yaml import YAML

from models.runlog import read_log
from models.studies import trained

RATES = {
    "adagrad": 1e-2,
    "rmsprop": 1e-3,
    "adam": 1e-3,
    "sgd": 5e-2,
}  # where each learns; the paper starts at 1e-3


def compare(recipe_path: Path, data_path: Path, out: Path, epochs: int) -> dict[str, list[dict[str, float]]]:
    """Train once with each optimiser; gives the rows of their logs (epoch, loss, accuracy, seconds)."""
    recipe = YAML(typ="safe").load(recipe_path.read_text())
    logs = {}
    for name, rate in RATES.items():
        own = {**recipe, "optimizer": name, "rate": rate, "epochs": epochs}
        trained(recipe["network"], own, data_path, out / name)
        logs[name] = read_log(out / name / "log.csv")
    return logs


def table(logs: dict[str, list[dict[str, float]]], labels: str) -> str:
    """Accuracy after the first, the best and the last epoch, and the last loss, a line an optimiser."""
    lines = [f"{'optimiser':10} {'first':>7} {'best':>7} {'last':>7} {'loss':>7} {'s/epoch':>8}"]
    for name, rows in logs.items():
        shares = [row[labels] for row in rows]
        seconds = sum(row["seconds"] for row in rows) / len(rows)
        lines.append(
            f"{name:10} {shares[0]:7.2%} {max(shares):7.2%} {shares[-1]:7.2%} "
            f"{rows[-1]['loss']:7.3f} {seconds:8.1f}"
        )
    return "\n".join(lines)


def draw(logs: dict[str, list[dict[str, float]]], labels: str, path: Path) -> None:
    """Both curves of every optimiser as a PNG."""
    from models.plots import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for key, axis in ((labels, axes[0]), ("loss", axes[1])):
        for name, rows in logs.items():
            axis.plot([row["epoch"] for row in rows], [row[key] for row in rows], label=name)
        axis.set_xlabel("epoch")
        axis.set_ylabel("accuracy on PublicTest" if key == labels else "training loss")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
