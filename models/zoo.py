"""The zoo: finished networks, each a folder with model.onnx, weights.safetensors and card.yaml.

This file finds a network and makes sure that it is the one its card speaks of. It needs no torch and
runs nothing. Weights are never pickles. Those too large for the repository stay with whoever trained them:
their card is there, with all its figures, and says by which recipe they come back.
"""

import difflib
import hashlib
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from config.contract import EMOTIONS

ZOO = Path(__file__).with_name("zoo")
ONNX = "model.onnx"
INT8 = "model.int8.onnx"  # the smaller form, where it is as good
LARGEST_MB = 10.0  # a file above this stays out of the repository (.gitignore)
NEEDED = ("name", "network", "emotions", "input_px", "crop_margin", "sha256")


class ZooError(ValueError):
    """A network that cannot be used; the sentence says which file and what to do."""


class Entry(NamedTuple):
    """A network that can be served: its name, the ONNX file (checked against the card) and the card.

    The ONNX takes `faces` (N, 1, 48, 48) float32, gray 0..255, and gives `scores` (N, 7) float32,
    probabilities in the order of EMOTIONS.
    """

    name: str
    onnx_path: Path
    card: dict


def names(zoo: Path = ZOO) -> list[str]:
    """The networks that can be served, in alphabetical order."""
    return [name for name in carded(zoo) if not left_out(name, zoo)]


def carded(zoo: Path = ZOO) -> list[str]:
    """All that were trained, those too whose weights are not in the repository."""
    return sorted(path.parent.name for path in zoo.glob("*/card.yaml"))


def left_out(name: str, zoo: Path = ZOO) -> bool:
    """Whether the weights of `name` are too large for the repository, and nobody put them here."""
    return read_card(name, zoo).get("weights_mb", 0) > LARGEST_MB and not (zoo / name / ONNX).is_file()


def load(name: str, zoo: Path = ZOO) -> Entry:
    """One network by name; raises ZooError where a file is missing, altered, or of other emotions."""
    folder = zoo / name
    card = read_card(name, zoo)
    if left_out(name, zoo):
        raise ZooError(
            f"zoo: the weights of {name} ({card['weights_mb']} MB) are too large for the repository; train it: "
            f"python -m models train models/recipes/{card['recipe']} --data FOLDER, then export them as {name}."
        )
    if tuple(card["emotions"]) != EMOTIONS:
        raise ZooError(
            f"zoo: {name} was trained for {', '.join(card['emotions'])}; "
            f"needed is the order {', '.join(EMOTIONS)}."
        )
    for file, expected in card["sha256"].items():
        _check(folder / file, expected)
    return Entry(name, folder / ONNX, card)


def note(name: str, key: str, report: dict, zoo: Path = ZOO) -> None:
    """Keep measured figures in the card of `name`, under `figures`, `key`."""
    card = read_card(name, zoo)
    card.setdefault("figures", {})[key] = report
    write_card(zoo / name, card)


def write_card(folder: Path, card: dict) -> None:
    """Write card.yaml, with the rows of its tables on a line each."""
    yaml = YAML()
    yaml.width = 100
    yaml.default_flow_style = None
    yaml.dump(card, folder / "card.yaml")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_card(name: str, zoo: Path = ZOO) -> dict:
    """The card alone, whatever its files are; raises ZooError where it is missing or no card."""
    path = zoo / name / "card.yaml"
    if not path.is_file():
        near = difflib.get_close_matches(name, carded(zoo), 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(carded(zoo)) or 'none'}."
        raise ZooError(f"zoo: there is no network {name!r}; {hint}")
    try:
        card = YAML(typ="safe").load(path)
    except YAMLError as error:
        raise ZooError(f"zoo: {path} is not YAML: {' '.join(str(error).split())}") from None
    missing = [key for key in NEEDED if key not in (card or {})]
    if missing:
        raise ZooError(f"zoo: {path} lacks {', '.join(missing)}; restore it from the release.")
    return card


def _check(path: Path, expected: str) -> None:
    if not path.is_file():
        raise ZooError(f"zoo: {path} is missing; restore it from the release, or export the network again.")
    found = sha256(path)
    if found != expected:
        raise ZooError(
            f"zoo: {path} was altered or cut short (its sha256 begins {found[:12]}, the card says "
            f"{expected[:12]}); restore it from the release, or export the network again."
        )
