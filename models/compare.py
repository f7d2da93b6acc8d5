"""All networks beside each other: how good, how large, how fast, and what their papers say of them.

    python -m models compare --json FILE

Accuracy is the card's (`evaluate --card`), the cost of training that of the run (in the card since the export);
time and memory are taken here. A network whose weights are not here is timed with random ones; one that nobody
finished training keeps its row, without accuracy. Never trains, and changes no card.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from ruamel.yaml import YAML

from models import runtimes, zoo
from models.engine import with_onnxruntime
from models.runlog import peak_mb

PAPERS = YAML(typ="safe").load(Path(__file__).with_name("papers.yaml"))
ROUNDS = 60
MEMORY_FACES = 200  # that a process of its own scores, to see what it takes
COLUMNS = (
    *("name", "labels", "fer2013", "ferplus", "ferplus_classifier", "parameters", "multiply_adds", "file_mb"),
    *("median_ms", "p95_ms", "memory_mb", "cores", "epochs", "hours", "training_mb", "paper"),
)


def compare(names: Sequence[str] = (), rounds: int = ROUNDS, home: Path = zoo.ZOO) -> list[dict]:
    """A row (COLUMNS) for each of `names`, networks of the zoo or of models/networks.py; else for all of the
    zoo, and for those of the papers that are not in it. What is not known is None.

    labels              what the served classifier was taught
    ferplus_classifier  accuracy on FER+ labels of the classifier that its run taught them
    median_ms, p95_ms   one face on one core in ONNX Runtime, all networks taking turns
    memory_mb, cores    peak memory, and processors kept busy, of a process that does nothing but score faces
    epochs, hours, training_mb  what training took (on which machine, its recipe says), and its peak memory
    paper               what its paper reports, as in papers.yaml
    """
    with tempfile.TemporaryDirectory() as folder:
        rows, files = [], {}
        for name in names or all_names(home):
            rows.append(of_zoo(name, home) if name in zoo.carded(home) else untrained(name))
            if name in zoo.names(home):
                files[name] = home / name / zoo.ONNX
            else:
                files[name] = with_random_weights(name, Path(folder) / f"{name}.onnx", home)
        times = runtimes.on_one_core(lambda: runtimes.take_turns(scorers(files), one_face(), rounds))
        for row in rows:
            path = files[row["name"]]
            row |= spent(times[row["name"]]) | alone(path)
            row["file_mb"] = round(path.stat().st_size / 1e6, 2)
    return [{column: row.get(column) for column in COLUMNS} for row in rows]


def all_names(home: Path) -> list[str]:
    """Those of the zoo, and the papers' networks of which the zoo has none."""
    there = {zoo.read_card(name, home)["network"] for name in zoo.carded(home)}
    return [*zoo.carded(home), *(name for name in PAPERS if name not in there)]


def of_zoo(name: str, home: Path) -> dict:
    """What the card says."""
    card = zoo.read_card(name, home)
    figures = card.get("figures", {})
    return {
        "name": name,
        "labels": card["labels"],
        **{
            labels: figures.get(f"PublicTest {labels}", {}).get("accuracy") for labels in ("fer2013", "ferplus")
        },
        "parameters": parameters(card),
        "multiply_adds": card["multiply_adds"],
        **card.get("training", {}),
        "paper": PAPERS.get(card["network"]),
    }


def parameters(card: dict) -> int:
    """As the network's paper counts: that of mini-Xception with the statistics of batch normalisation."""
    paper = PAPERS.get(card["network"], {})
    return card["parameters_and_statistics" if paper.get("counts_statistics") else "parameters"]


def untrained(name: str) -> dict:
    """Size alone."""
    from models import export
    from models.networks import build

    card = {"network": name, **export.sizes(build(name).eval())}
    return {
        "name": name,
        "parameters": parameters(card),
        "multiply_adds": card["multiply_adds"],
        "paper": PAPERS.get(name),
    }


def with_random_weights(name: str, path: Path, home: Path) -> Path:
    """The ONNX file of a network, of the shape on its card where it has one, for its size and time alone."""
    from models import export
    from models.networks import build

    card = zoo.read_card(name, home) if name in zoo.carded(home) else {"network": name}
    net = build(card["network"], **card.get("shape", {})).eval()
    export.write_onnx(net, path, card.get("mirrored", False))
    return path


def scorers(files: dict[str, Path]) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Each file as a function of faces, on one thread."""
    runs = {name: with_onnxruntime(path.read_bytes()).run for name, path in files.items()}
    return {name: lambda faces, run=run: run({"faces": faces}) for name, run in runs.items()}


def one_face() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (1, 1, 48, 48)).astype(np.float32)


def spent(times_ms: Sequence[float]) -> dict[str, float]:
    return {
        "median_ms": round(float(np.median(times_ms)), 3),
        "p95_ms": round(float(np.percentile(times_ms, 95)), 3),
    }


def alone(path: Path) -> dict[str, float | None]:
    """Peak memory and busy processors of a new process that scores faces one by one with this file."""
    code = "import json, sys; from models.compare import scored; print(json.dumps(scored(sys.argv[1])))"
    done = subprocess.run([sys.executable, "-c", code, path], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def scored(path: str | Path) -> dict[str, float | None]:
    """What it took this process to score MEMORY_FACES faces."""
    session, face = onnxruntime.InferenceSession(path), one_face()
    began, busy = time.perf_counter(), time.process_time()
    for _ in range(MEMORY_FACES):
        session.run(None, {"faces": face})
    cores = (time.process_time() - busy) / (time.perf_counter() - began)
    return {"memory_mb": peak_mb(), "cores": round(cores, 2)}


# Words


HEAD = (
    *("network", "FER2013", "FER+", "FER+ classifier", "parameters", "multiply-adds", "file", "ms", "p95"),
    *("memory", "cores", "training", "its paper"),
)


def cells(row: dict) -> list[str]:
    """A row as words; "-" where nothing is known."""
    has = lambda key, words: words.format(row[key]) if row[key] is not None else "-"  # noqa: E731
    trained = "not trained"
    if row["epochs"] is not None:
        trained = f"{row['epochs']} epochs, {row['hours']:.1f} h"
        trained += f", {row['training_mb']:.0f} MB" if row["training_mb"] else ""
    elif row["fer2013"] is not None:
        trained = "-"
    return [
        row["name"],
        has("fer2013", "{:.2%}"),
        has("ferplus", "{:.2%}"),
        has("ferplus_classifier", "{:.2%}"),
        has("parameters", "{:,}"),
        f"{row['multiply_adds'] / 1e6:.1f} M",
        has("file_mb", "{:.1f} MB"),
        has("median_ms", "{:.2f}"),
        has("p95_ms", "{:.2f}"),
        has("memory_mb", "{:.0f} MB"),
        has("cores", "{:.1f}"),
        trained,
        of_paper(row["paper"]),
    ]


def of_paper(paper: dict | None) -> str:
    """What a paper reports, in a few words."""
    if not paper:
        return "-"
    sets = {"fer2013": "FER2013", "ferplus": "FER+", "rafdb": "RAF-DB", "ckplus": "CK+"}
    said = [f"{word} {paper[key]:.2%}" for key, word in sets.items() if key in paper]
    said += [f"{paper['parameters']:,} parameters"] if "parameters" in paper else []
    return f"{', '.join(said)} ({paper['paper']})" if said else paper["paper"]


def draw(rows: Sequence[dict], path: Path) -> Path:
    """Accuracy over milliseconds, a panel for each label set, each network by its classifier for that set.

    What has none, or was not trained, is left out.
    """
    from models import plots

    shares = {
        "FER2013 labels": lambda row: row["fer2013"] if row["labels"] == "fer2013" else None,
        "FER+ labels": lambda row: row["ferplus"] if row["labels"] == "ferplus" else row["ferplus_classifier"],
    }
    points = {
        word: [(row["name"], row["median_ms"], share(row)) for row in rows if share(row)]
        for word, share in shares.items()
    }
    return plots.trade(points, path)
