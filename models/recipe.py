"""What one training run is told: the keys of models/recipes/*.yaml, and the optimisers that they name.

Reads and checks a recipe; never trains.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from ruamel.yaml import YAML

from models.data import DataError


class Recipe(NamedTuple):
    """One run, as in models/recipes/*.yaml; the keys without a default must be there.

    network, shape       what is built: networks.build(network, **shape)
    labels               "fer2013" or "ferplus": what the first classifier learns
    epochs, batch, seed
    optimizer            one of OPTIMIZERS
    rate                 learning rate at its highest
    schedule             "cosine": up over `warmup` epochs, then half a cosine to zero; "plateau": a fifth after
                         five epochs without a lower loss, down to a hundredth (paper 000)
    momentum, weight_decay
    ema                  what one step keeps of the running mean of the weights
    loss                 arguments of losses.Objective
    augmentation         arguments of augment.Augmentation
    balance              a face is drawn with odds of its emotion's count to the power of -balance
    rare_votes           FER+ votes for an emotion weigh by its share of all votes to the power of -rare_votes
    mixup                alpha of the Beta distribution by which two faces are mixed (arXiv 1710.09412); 0: none
    start                weights of a finished run to go on from, or last.safetensors of a stopped one
    grown                for each block of an XRS the block of `start` that it takes over, or null: a new one,
                         which begins by changing nothing
    teacher, distil      networks whose mean score of the unchanged faces is learnt too, with {weight,
                         temperature}: a name of the zoo, or the folder of a finished run, whose FER+ classifier
                         then teaches the second one
    precision            "bf16": multiplications on 16 bits, weights and sums on 32, about 1.5 times faster on a
                         CPU with AMX; "f32"
    """

    network: str
    labels: str
    seed: int
    epochs: int
    batch: int
    rate: float
    momentum: float
    weight_decay: float
    ema: float
    loss: dict
    augmentation: dict
    warmup: float = 0.0
    shape: dict | None = None
    optimizer: str = "sgd"
    schedule: str = "cosine"
    balance: float = 0.0
    rare_votes: float = 0.0
    mixup: float = 0.0
    start: str | None = None
    grown: list[int | None] | None = None
    teacher: tuple[str, ...] = ()
    distil: dict | None = None
    precision: str = "f32"

    @classmethod
    def read(cls, path: str | Path) -> "Recipe":
        """The recipe in a YAML file; a key too many or too few, or a word that means nothing, is named."""
        table = YAML(typ="safe").load(Path(path).read_text())
        unknown = table.keys() - set(cls._fields)
        missing = set(cls._fields) - table.keys() - cls._field_defaults.keys()
        if unknown or missing:
            raise DataError(
                f"{path}: unknown keys {sorted(unknown)}, missing keys {sorted(missing)}; "
                f"there are {', '.join(cls._fields)}."
            )
        recipe = cls(**table)
        for key, allowed in WORDS.items():
            if getattr(recipe, key) not in allowed:
                raise DataError(
                    f"{path}: {key} must be one of {', '.join(allowed)}; {getattr(recipe, key)!r} came."
                )
        if recipe.teacher and set(recipe.distil or {}) != {"weight", "temperature"}:
            raise DataError(
                f"{path}: with teacher, distil needs weight and temperature; {recipe.distil!r} came."
            )
        return recipe


# Fused, a step of 26 million weights takes 0.08 s in the place of 0.28 (Adam, one core of a Xeon at 2.3 GHz).
OPTIMIZERS = {
    "sgd": lambda groups, r: torch.optim.SGD(
        groups, r.rate, r.momentum, weight_decay=r.weight_decay, nesterov=r.momentum > 0, fused=True
    ),
    "adam": lambda groups, r: torch.optim.Adam(groups, r.rate, weight_decay=r.weight_decay, fused=True),
    "adamw": lambda groups, r: torch.optim.AdamW(groups, r.rate, weight_decay=r.weight_decay, fused=True),
    "rmsprop": lambda groups, r: torch.optim.RMSprop(groups, r.rate, weight_decay=r.weight_decay),
    "adagrad": lambda groups, r: torch.optim.Adagrad(groups, r.rate, weight_decay=r.weight_decay),
}
WORDS = {
    "optimizer": OPTIMIZERS,
    "schedule": ("cosine", "plateau"),
    "labels": ("fer2013", "ferplus"),
    "precision": ("f32", "bf16"),
}
