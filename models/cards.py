"""The page of a network, written from its card.yaml alone: README.md and three pictures beside it.

    python -m models card NAME

The card is the source; whoever wants other figures measures them (`--card`) and writes the page again.
Nothing here measures or reads data.
"""

from pathlib import Path

from models import plots, zoo
from models.evaluate import wilson
from models.robustness import CORRUPTIONS

LABELS = {"fer2013": "FER2013", "ferplus": "FER+"}


def write(name: str, home: Path = zoo.ZOO) -> Path:
    """Write the page and the pictures of one network; gives the path of the page."""
    card = zoo.read_card(name, home) if zoo.left_out(name, home) else zoo.load(name, home).card
    folder = home / name
    parts = [part(card, folder) for part in PARTS]
    page = folder / "README.md"
    page.write_text("\n\n".join(part for part in parts if part) + "\n")
    return page


def head(card: dict, _: Path) -> str:
    return (
        f"# {card['name']}\n\n"
        f"The seven emotions ({', '.join(card['emotions'])}) from a gray face of {card['input_px']} x "
        f"{card['input_px']} px. Network `{card['network']}`, "
        f"{card['parameters']:,} parameters, {card['multiply_adds'] / 1e6:.1f} M multiply-adds a face; "
        f"{pruned(card)}trained on {LABELS[card['labels']]} labels by `models/recipes/{card['recipe']}`"
        f"{cost(card)}. The service cuts a face out with {card['crop_margin']} times the longer side of its "
        f"box.{mirrored(card)}{leans(card)}{elsewhere(card)}"
    )


def cost(card: dict) -> str:
    """How long it was trained, in a few words; nothing where no log told."""
    it = card.get("training")
    return f" ({it['epochs']} epochs, {it['hours']:.1f} hours)" if it else ""


def mirrored(card: dict) -> str:
    if not card.get("mirrored"):
        return ""
    return " It answers by the mean score of a face and its mirror; multiply-adds and times are those of both."


def elsewhere(card: dict) -> str:
    """That the weights are not in the repository, in a sentence; nothing for others."""
    if card.get("weights_mb", 0) <= zoo.LARGEST_MB:
        return ""
    return (
        f" Its weights ({card['weights_mb']} MB) are too large for the repository; the recipe makes them again."
    )


def pruned(card: dict) -> str:
    """How a pruned network came to its size, in a few words; nothing for another."""
    it = card.get("pruned")
    if not it:
        return ""
    return (
        f"pruned by {it['method']} ({it['parameters_gone']:.0%} of the parameters and "
        f"{it['multiply_adds_gone']:.0%} of the multiply-adds are gone), then "
    )


def leans(card: dict) -> str:
    """What was added to which logit, in a sentence; nothing for a network that leans nowhere."""
    return "".join(
        f" Its logit of {emotion} is raised by {logit} (Menon et al. 2021, arXiv 2007.07314), as chosen on "
        "PublicTest, so that this rare emotion is named more often."
        for emotion, logit in card.get("leans", {}).items()
    )


def data(card: dict, _: Path) -> str:
    return f"## Data and limits\n\n{card['data']}\n\n{card['limits']}"


def accuracy(card: dict, _: Path) -> str:
    rows = [["labels", "images", "accuracy", "95 % interval", "without duplicates", "macro F1", "ECE"]]
    for labels, word in LABELS.items():
        figures = card.get("figures", {}).get(f"PublicTest {labels}")
        if figures:
            low, high = wilson(figures["accuracy"], figures["images"])
            without = figures.get("accuracy_without_duplicates")
            rows.append(
                [
                    word + (" (its own)" if labels == card["labels"] else ""),
                    f"{figures['images']:,}",
                    f"{figures['accuracy']:.2%}",
                    f"{low:.1%} to {high:.1%}",
                    "-" if without is None else f"{without:.2%}",
                    f"{figures['macro_f1']:.2%}",
                    f"{figures['ece']:.3f}" if "ece" in figures else "-",
                ]
            )
    if len(rows) == 1:
        return ""
    return (
        f"## Accuracy\n\nOn PublicTest, FER2013's validation part, ready crops.\n\n{markdown(rows)}\n\n"
        '"Without duplicates" leaves out images whose very pixels also stand in Training (the recipes leave '
        "them out of training). ECE: expected calibration error over 15 bins of equal width. FER+ counts "
        "images whose single most-voted column of all ten is one of the seven."
    )


def emotions(card: dict, folder: Path) -> str:
    figures = card.get("figures", {}).get(f"PublicTest {card['labels']}", {})
    if "confusion" not in figures:
        return ""
    plots.confusion(figures["confusion"], card["emotions"], folder / "confusion.png")
    rows = [["emotion", "images", "recall", "95 % interval", "precision"]]
    for (emotion, row), counts in zip(figures["per_class"].items(), figures["confusion"], strict=True):
        shown = sum(counts)
        low, high = wilson(row["recall"], shown) if shown else (0, 1)
        rows.append(
            [emotion, str(shown), f"{row['recall']:.1%}", f"{low:.0%} to {high:.0%}", f"{row['precision']:.1%}"]
        )
    return (
        f"## Emotion by emotion\n\n{LABELS[card['labels']]} labels.\n\n{markdown(rows)}\n\n"
        "![What was answered for each label](confusion.png)"
    )


def calibration(card: dict, folder: Path) -> str:
    figures = card.get("figures", {}).get("calibration")
    if not figures:
        return ""
    plots.reliability(figures["reliability"], folder / "reliability.png")
    plots.coverage(figures["coverage"], figures["unsure_below"], figures["aim"], folder / "coverage.png")
    text = (
        f"## How far its scores can be trusted\n\nTemperature {figures['temperature']} (in model.onnx), fitted "
        f"on PublicTest, {LABELS[figures['labels']]} labels. Judged on the half of the images it was not "
        f"fitted on, both ways round: ECE {figures['ece_before']:.3f} before, {figures['ece_after']:.3f} after "
        f"(scores that are exactly right would give {figures['ece_by_chance']:.3f} on as many images, by "
        f"chance alone); negative log likelihood {figures['nll_before']:.3f} before, "
        f"{figures['nll_after']:.3f} after.\n\n"
        "![Share right over score](reliability.png) ![Share right over share kept](coverage.png)\n\n"
    )
    rows = [["highest score at least", "faces kept", "of these right"]]
    rows += [[f"{at:.2f}", f"{kept:.1%}", f"{right:.1%}"] for at, kept, right in figures["coverage"][::2]]
    if figures["unsure_below"] is None:
        return text + markdown(rows)
    return text + (
        f"Whoever needs {figures['aim']:.0%} right calls a face unsure below {figures['unsure_below']:.2f} "
        f"(`unsure_below`): that keeps {figures['kept']:.1%} of the faces, {figures['right']:.1%} of them "
        "right. The service shows such a face as unsure, and no mood of the robot begins on it.\n\n"
        f"{markdown(rows)}"
    )


def robustness(card: dict, _: Path) -> str:
    figures = card.get("figures", {}).get(f"robustness PublicTest {card['labels']}")
    if not figures:
        return ""
    rows = [["the same faces", "accuracy"]]
    for corruption, share in figures["accuracy"].items():
        rows.append([CORRUPTIONS[corruption].says, f"{share:.2%}"])
    return (
        f"## In bad pictures\n\n{figures['images']:,} images, {LABELS[card['labels']]} labels.\n\n"
        f"{markdown(rows)}"
    )


def scenes(card: dict, _: Path) -> str:
    figures = card.get("figures", {}).get(f"end to end {card['labels']}")
    if not figures:
        return ""
    rows = [["crop margin", "accuracy"], ["ready crops", f"{figures['ready_crops']:.2%}"]]
    rows += [[margin, f"{share:.2%}"] for margin, share in figures["through_detector"].items()]
    certain = figures.get("found_of_certain_faces")
    among = f" ({certain:.1%} of those that no FER+ voter called no face)" if certain else ""
    return (
        f"## Through the detector\n\n{figures['images']:,} faces pasted at 60 to 160 px into VGA scenes: "
        f"{figures['found']:.1%} found by MTCNN{among}; on the found ones:\n\n{markdown(rows)}"
    )


def forms(card: dict, _: Path) -> str:
    figures = card.get("figures", {})
    text = ""
    if "int8" in figures:
        it = figures["int8"]
        verdict = (
            "shipped as `model.int8.onnx`"
            if it["shipped"]
            else "**not shipped**: it loses more than is allowed"
        )
        text += (
            f"Static int8 (ranges by {it['method']}) reaches {it['int8']:.2%} where float reaches "
            f"{it['float']:.2%} on {it['images']:,} images; at most {it['tolerance'] * 100:g} points may be "
            f"lost: {verdict}. The service uses the float one.\n\n"
        )
    if "runtimes" in figures:
        it = figures["runtimes"]
        rows = [["form", "accuracy", "median ms", "p95 ms"]]
        for form, row in it["forms"].items():
            rows.append([form, f"{row['accuracy']:.2%}", f"{row['median_ms']:.2f}", f"{row['p95_ms']:.2f}"])
        text += f"One face at a time on one core of {it['cpu']}, the forms taking turns:\n\n{markdown(rows)}"
    return f"## Forms\n\n{text.strip()}" if text else ""


def files(card: dict, _: Path) -> str:
    rows = [["file", "sha256"]] + [[file, f"`{digest}`"] for file, digest in card["sha256"].items()]
    return f"## Files\n\n{markdown(rows)}"


PARTS = (head, data, accuracy, emotions, calibration, robustness, scenes, forms, files)


def markdown(rows: list[list[str]]) -> str:
    """A table; the first row is its head."""
    rows = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
