"""The log of a run, a line an epoch, and what can be read from it afterwards: its curves and its cost.

Knows nothing of networks.
"""

import csv
import math
import statistics
from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml import YAML


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
    epochs = [int(rows[-1]["epoch"]) for rows in parts]  # a run stopped before it wrote a line lacks that line
    each = [statistics.median(row["seconds"] for row in rows) for rows in parts]
    seconds = sum(count * one for count, one in zip(epochs, each, strict=True))
    return {
        "epochs": sum(epochs),
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
        start = YAML(typ="safe").load(recipe.read_text()).get("start") if recipe.is_file() else None
        if not start:
            return
        run = Path(start).parent


def peak_mb() -> float | None:
    """The most memory this process has held; None where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    lines = status.read_text().splitlines()
    return next((round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmHWM:")), None)
