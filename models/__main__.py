"""python -m models: from data to a network of the zoo, and all that is said of it.

Each command says what it did; none downloads anything.
"""

import json
import sys
from pathlib import Path

import click
from ruamel.yaml import YAML

from config.contract import EMOTIONS
from models import zoo

DATA = click.option(
    "--data",
    "path",
    required=True,
    type=click.Path(path_type=Path),
    help="fer2013.csv, its folder, a folder of sheets, or class folders of pictures.",
)
LABELS = click.option(
    "--labels",
    type=click.Choice(["fer2013", "ferplus"]),
    help="[default: those the network was trained for, where DATA has them]",
)
SPLIT = click.option(
    "--split", default="PublicTest", show_default=True, help="Training, PublicTest or PrivateTest."
)
JSON = click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures here too.")
CARD = click.option("--card", is_flag=True, help="Keep the figures in the network's card.")
RECIPE = click.option(
    "--recipe",
    type=click.Path(exists=True, path_type=Path),
    help="How it is taught  [default: the recipe on its card, else xrs-fer2013]",
)
METHODS = ("pca", "fpgm", "sfp", "magnitude", "sqdc")  # of models/filters.py, which needs torch
ABOUT = ("model", "data", "split", "labels", "parameters", "macs")  # what a card says elsewhere


@click.group(help=__doc__)
def main() -> None:
    pass


@main.command()
@click.argument("recipe", required=False, type=click.Path(exists=True, path_type=Path))
@DATA
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run  [default: runs/<recipe>]")
def train(recipe: Path | None, path: Path, out: Path | None) -> None:
    """Follow RECIPE; without one, teach the default network the faces of DATA. Goes on where it was stopped."""
    if recipe:
        from models.train import train as run

        print(run(recipe, path, out or Path("runs") / recipe.stem))
        return
    from models import finetune

    out = out or Path("runs") / f"finetune-{path.resolve().name}"
    print(finetune.table(*finetune.finetune(default_name(), path, out)))
    print(f"To keep it: python -m models export {out}/weights.safetensors NEWNAME --recipe {out}/recipe.yaml")


@main.command()
@click.argument("recipe", type=click.Path(exists=True, path_type=Path))
@DATA
@click.option("--epochs", default=20, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/optimizers"), show_default=True)
def optimizers(recipe: Path, path: Path, epochs: int, out: Path) -> None:
    """Train RECIPE once with each optimiser (paper 000, fig. 7)."""
    from models import optimizers as study
    from models.recipe import Recipe

    labels = Recipe.read(recipe).labels
    logs = study.compare(recipe, path, out, epochs)
    study.draw(logs, labels, out / "optimizers.png")
    print(study.table(logs, labels))


@main.command()
@click.argument("name")
@DATA
@click.option("--method", type=click.Choice(METHODS), default="pca", show_default=True)
@click.option("--rate", default=0.4, show_default=True, help="Share of the parameters that goes, at least.")
@click.option("--alpha", default=0.85, show_default=True, help="pca: contribution of the components kept.")
@click.option(
    "--costly", default=0.0, show_default=True, help="Above 0 (say 0.1): layers with large maps lose more."
)
@click.option("--multiple", default=2, show_default=True, help="Widths stay multiples of this; 16 is fastest.")
@click.option("--epochs", default=20, show_default=True)
@RECIPE
@click.option("--out", type=click.Path(path_type=Path), help="[default: runs/NAME-METHOD-RATE]")
def prune(
    name: str,
    path: Path,
    method: str,
    rate: float,
    alpha: float,
    costly: float,
    multiple: int,
    epochs: int,
    recipe: Path | None,
    out: Path | None,
) -> None:
    """Remove filters of NAME (of the zoo, or a run's folder with both its classifiers) and teach what is left.

    Goes on where it was stopped.
    """
    from models import prune as pruning

    out = out or Path("runs") / f"{Path(name).name}-{method}-{rate}"
    start = pruning.start_named(name, recipe)
    print(pruning.table(pruning.prune(start, method, rate, path, out, epochs, alpha, costly, multiple)))
    print(f"To keep it: python -m models export {out}/weights.safetensors NEWNAME --recipe {out}/recipe.yaml")


@main.command("prune-study")
@click.argument("names", nargs=-1, required=True)
@DATA
@click.option("--methods", default=",".join(METHODS), show_default=True)
@click.option("--rates", default="0.3,0.4", show_default=True)
@click.option("--alphas", default="0.8,0.85,0.9,0.95", show_default=True)
@click.option("--epochs", default=15, show_default=True, help="Of fine-tuning, in each run.")
@click.option("--base-epochs", default=36, show_default=True, help="Of NAMES that are not of the zoo.")
@RECIPE
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/prune-study"), show_default=True)
def prune_study(
    names: tuple[str, ...],
    path: Path,
    methods: str,
    rates: str,
    alphas: str,
    epochs: int,
    base_epochs: int,
    recipe: Path | None,
    out: Path,
) -> None:
    """Prune NAMES (xrs-fer2013, resnet20 ...) in all ways (paper 000, figs. 10-12, table 2)."""
    from models import studies

    lines = studies.prune_study(
        names, methods.split(","), numbers(rates), numbers(alphas), read(recipe), path, out, epochs, base_epochs
    )
    print(studies.study_table(lines))
    print(*studies.draw_study(lines, out))


@main.command()
@DATA
@click.option("--epochs", default=20, show_default=True)
@click.option("--seeds", default="1,2,3", show_default=True)
@RECIPE
@click.option("--networks", default="conventional,separable,xr,xs,xrs", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/ablation"), show_default=True)
def ablation(path: Path, epochs: int, seeds: str, recipe: Path | None, networks: str, out: Path) -> None:
    """Train NETWORKS by one recipe: those of paper 000, table 1, or others."""
    from models import studies

    ask = (epochs, [int(seed) for seed in numbers(seeds)], networks.split(","))
    rows = studies.ablation(read(recipe), path, out, *ask)
    print(studies.ablation_table(rows))


def numbers(text: str) -> list[float]:
    """ "0.3,0.4" -> [0.3, 0.4]."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise click.BadParameter(f"numbers with commas between them are needed; {text!r} came.") from None


def read(recipe: Path | None) -> dict:
    """The table of a recipe, by default that of xrs-fer2013."""
    return YAML(typ="safe").load((recipe or Path(__file__).parent / "recipes/xrs-fer2013.yaml").read_text())


@main.command()
@click.argument("weights", type=click.Path(exists=True, path_type=Path))
@click.argument("name")
@click.option(
    "--recipe", required=True, type=click.Path(exists=True, path_type=Path), help="The recipe it followed."
)
@click.option("--second", is_flag=True, help="Serve the second classifier (FER+).")
@click.option(
    "--crop-margin", default=1.0, show_default=True, help="Side of the crop over the box's longer side."
)
@click.option(
    "--lean",
    "leans",
    multiple=True,
    type=(click.Choice(EMOTIONS), float),
    metavar="EMOTION LOGIT",
    help="Name a rare EMOTION more often: LOGIT is added to its own.",
)
@click.option("--mirrored", is_flag=True, help="Score a face and its mirror: better, in twice the time.")
@click.option("--half", is_flag=True, help="Keep the weights in 16 bits: half the file, as good.")
def export(
    weights: Path,
    name: str,
    recipe: Path,
    second: bool,
    crop_margin: float,
    leans: tuple,
    mirrored: bool,
    half: bool,
) -> None:
    """Make WEIGHTS of a finished run a network of the zoo called NAME."""
    from models import export as exporter
    from models.prune import losses
    from models.recipe import Recipe
    from models.runlog import cost

    own = weights.with_name("recipe.yaml")  # the run's, which knows the widths of what was pruned
    followed = Recipe.read(own if own.is_file() else recipe)
    facts = {
        "recipe": recipe.name,
        "labels": "ferplus" if second else followed.labels,
        "crop_margin": crop_margin,
    }
    if weights.with_name("log.csv").is_file():
        facts["training"] = cost(weights.parent)
    if (report := weights.with_name("report.json")).is_file():
        facts["pruned"] = losses(json.loads(report.read_text()))
    shape = followed.shape
    print(exporter.export(weights, name, followed.network, facts, second, shape, dict(leans), mirrored, half))


@main.command()
@click.argument("name", required=False)
@DATA
@SPLIT
@LABELS
@click.option(
    "--votes", type=click.Path(path_type=Path), help="FER+ votes  [default: fer2013new.csv beside DATA]"
)
@JSON
@CARD
def evaluate(
    name: str | None,
    path: Path,
    split: str,
    labels: str | None,
    votes: Path | None,
    json_path: Path | None,
    card: bool,
) -> None:
    """Accuracy of NAME (else the default network) on ready crops."""
    from models import evaluate as judge

    report = judge.evaluate(name or default_name(), path, split, labels, votes)
    low, high = judge.wilson(report["accuracy"], report["images"])
    without = report["accuracy_without_duplicates"]
    print(
        f"{report['model']} on {report['images']} images of {report['data']}, {report['split']}, "
        f"{report['labels']} labels: accuracy {report['accuracy']:.2%} "
        f"(95 % interval {low:.1%} to {high:.1%}), macro F1 {report['macro_f1']:.2%}, ECE {report['ece']:.3f}, "
        f"{report['parameters']:,} parameters, {report['macs']:,} multiply-adds"
    )
    if without is None:
        print("Without duplicates: not known, Training is not there to compare with, or holds them all.")
    else:
        print(f"Without exact duplicates of training images: {without:.2%}")
    for emotion, row in report["per_class"].items():
        print(f"  {emotion:10} recall {row['recall']:6.1%}   precision {row['precision']:6.1%}")
    kept = {key: value for key, value in report.items() if key not in ABOUT} | {"interval": [low, high]}
    keep(report, f"{report['split']} {report['labels']}", kept, json_path, card)


@main.command()
@click.argument("name", required=False)
@DATA
@SPLIT
@LABELS
@JSON
@CARD
def robustness(
    name: str | None, path: Path, split: str, labels: str | None, json_path: Path | None, card: bool
) -> None:
    """Accuracy of NAME on the same faces dark, blurred, half hidden, small, coarsely coded."""
    from models.robustness import CORRUPTIONS
    from models.robustness import robustness as measure

    report = measure(name or default_name(), path, split, labels)
    print(f"{report['model']} on {report['images']} images of {report['split']}, {report['labels']} labels")
    for corruption, accuracy in report["accuracy"].items():
        print(f"  {CORRUPTIONS[corruption].says:28} {accuracy:7.2%}")
    kept = {"images": report["images"], "accuracy": report["accuracy"]}
    keep(report, f"robustness {report['split']} {report['labels']}", kept, json_path, card)


@main.command("end-to-end")
@click.argument("name", required=False)
@DATA
@LABELS
@click.option("--images", default=1500, show_default=True)
@click.option(
    "--margin", type=float, help="Crop margin; a tenth less and more is tried too  [default: the card's]"
)
@JSON
@CARD
def end_to_end(
    name: str | None,
    path: Path,
    labels: str | None,
    images: int,
    margin: float | None,
    json_path: Path | None,
    card: bool,
) -> None:
    """Faces pasted into scenes, through detector and crop, beside their ready crops."""
    from models.end_to_end import end_to_end as measure

    report = measure(name or default_name(), path, labels, images, margin)
    print(
        f"{report['model']}: {report['found']:.1%} of {report['images']} faces found, "
        f"{report['found_of_certain_faces']:.1%} of those that no voter called no face; "
        f"ready crops of the found {report['ready_crops']:.2%}"
    )
    for tried, accuracy in report["through_detector"].items():
        print(f"  margin {tried}: {accuracy:.2%}")
    kept = {key: value for key, value in report.items() if key not in ABOUT}
    keep(report, f"end to end {report['labels']}", kept, json_path, card)


@main.command()
@click.argument("name")
@DATA
def calibrate(name: str, path: Path) -> None:
    """Make the scores of NAME mean what they say; changes its model.onnx and its card."""
    from models.calibrate import calibrate as run

    report = run(name, path)
    print(
        f"{name}: temperature {report['temperature']}, judged on {report['images']} images, {report['labels']} "
        f"labels: ECE {report['ece_before']:.3f} -> {report['ece_after']:.3f} on faces it was not fitted on"
    )
    if report["unsure_below"] is None:
        print(f"No threshold makes {report['aim']:.0%} of what is kept right.")
    else:
        print(
            f"Unsure below {report['unsure_below']}: keeps {report['kept']:.1%}, of which "
            f"{report['right']:.1%} are right (aim {report['aim']:.0%})"
        )


@main.command()
@click.argument("name")
@DATA
def quantize(name: str, path: Path) -> None:
    """Write model.int8.onnx of NAME, if it is as good; the card says which."""
    from models.quantize import TOLERANCE
    from models.quantize import quantize as run

    report = run(name, path)
    verdict = "shipped" if report["shipped"] else f"not shipped: more than {TOLERANCE:.1%} is lost"
    print(
        f"{name}: int8 ({report['method']}) {report['int8']:.2%}, float {report['float']:.2%} on "
        f"{report['images']} images of PublicTest; {verdict}"
    )


@main.command()
@click.argument("name", required=False)
@DATA
@CARD
def runtimes(name: str | None, path: Path, card: bool) -> None:
    """Accuracy and time of NAME as float, int8 and, with OpenVINO, bf16, on one core."""
    from models import runtimes as study

    report = study.compare(name or default_name(), path)
    print(study.table(report))
    if card:
        zoo.note(report["model"], "runtimes", {k: v for k, v in report.items() if k != "model"})


@main.command()
@click.argument("names", nargs=-1)
def card(names: tuple[str, ...]) -> None:
    """Write README.md and its pictures beside the card.yaml of NAMES (else of all networks)."""
    from models import cards

    for name in names or zoo.carded():
        print(cards.write(name))


@main.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
def curves(run: Path) -> None:
    """Draw loss and accuracy of a RUN's log.csv as curves.png in its folder."""
    from models import plots

    print(plots.curves(run / "log.csv", run / "curves.png"))


def keep(report: dict, key: str, kept: dict, json_path: Path | None, card: bool) -> None:
    """Write a report where it was asked for; `kept` is what the card takes of it."""
    if json_path:
        write_json(report, json_path)
    if card:
        zoo.note(report["model"], key, kept)


def write_json(report: dict | list, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")


@main.group("data")
def data_group() -> None:
    """Data sets as their owners pack them (models/adapters.py names the layouts)."""


@data_group.command("check")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@JSON
def check(path: Path, json_path: Path | None) -> None:
    """Count the faces in PATH and name what is wrong: flaws, duplicates, contradictions, leaks."""
    from models import check as checker

    report = checker.check(path)
    print(checker.text(report))
    if json_path:
        write_json(report._asdict(), json_path)


@main.command()
@click.argument("names", nargs=-1)
@click.option("--plot", type=click.Path(path_type=Path), help="Draw accuracy over milliseconds as this PNG.")
@click.option("--markdown", is_flag=True, help="As the table of models/README.md.")
@JSON
def compare(names: tuple[str, ...], plot: Path | None, markdown: bool, json_path: Path | None) -> None:
    """NAMES beside each other, else all of the zoo and the papers: accuracy, size, time, memory, cost."""
    from models import compare as study

    rows = study.compare(names)
    show_table([list(study.HEAD), *map(study.cells, rows)], markdown)
    if plot:
        print(study.draw(rows, plot))
    if json_path:
        write_json(rows, json_path)


@main.command("list")
@click.option("--markdown", is_flag=True, help="As the table of models/README.md.")
@JSON
def show(markdown: bool, json_path: Path | None) -> None:
    """The networks of the zoo, each checked against its card; "-" as file: too large for the repository."""
    from models.compare import parameters

    files = {name: None if zoo.left_out(name) else zoo.load(name).onnx_path for name in zoo.carded()}
    known = [(zoo.read_card(name), path) for name, path in files.items()]
    show_table([HEAD, *(row(card, path) for card, path in known)], markdown)
    if json_path:
        told = ("network", "labels", "multiply_adds", "figures")
        listed = [
            {"name": card["name"], "parameters": parameters(card), "file": path and str(path)}
            | {key: card.get(key) for key in told}
            for card, path in known
        ]
        write_json(listed, json_path)


def show_table(rows: list[list[str]], markdown: bool) -> None:
    """Print a table, the first row being its head; in columns, or as markdown."""
    if markdown:
        print("\n".join(f"| {' | '.join(cells)} |" for cells in [rows[0], ["---"] * len(rows[0]), *rows[1:]]))
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)))


HEAD = [
    "network",
    "FER2013 labels",
    "FER+ labels",
    "found",
    "through the detector",
    "parameters",
    "multiply-adds",
    "file",
]


def row(card: dict, path: Path | None) -> list[str]:
    """A line of the zoo's table; figures are those of PublicTest, "-" where the card has none."""
    figures = card.get("figures", {})
    of = lambda labels: figures.get(f"PublicTest {labels}", {}).get("accuracy")  # noqa: E731
    scenes = figures.get(f"end to end {card['labels']}", {})
    through = scenes.get("through_detector", {}).get(str(card["crop_margin"]))
    shares = [of("fer2013"), of("ferplus"), scenes.get("found"), through]
    return [
        card["name"],
        *("-" if share is None else f"{share:.2%}" for share in shares),
        f"{card['parameters']:,}",
        f"{card['multiply_adds'] / 1e6:.1f} M",
        f"{path.stat().st_size / 1e6:.1f} MB" if path else "-",
    ]


def default_name() -> str:
    from config import settings

    return settings.load().reader.model


if __name__ == "__main__":
    try:
        main()
    except ValueError as error:  # DataError, ZooError, SettingsError: sentences for a person
        print(error, file=sys.stderr)
        sys.exit(2)
