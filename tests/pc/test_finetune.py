"""A network of the zoo learns the faces of a folder, and the table tells before and after."""

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (pip install -e '.[train]')")

import torch
from click.testing import CliRunner

from config import settings
from models import data, finetune
from models.__main__ import main
from models.recipe import Recipe

torch.set_num_threads(1)


def faces(folder, each):
    """Class folders of two kinds of noise that a network can tell apart: light and dark."""
    for emotion, level in (("happy", 180), ("sad", 60)):
        (folder / emotion).mkdir(parents=True)
        for place in range(each):
            noise = np.random.default_rng(place).integers(0, 60, (50, 50)) + level
            cv2.imwrite(str(folder / emotion / f"{place}.png"), noise.astype(np.uint8))
    return folder


def test_the_shipped_network_learns_a_folder_and_says_before_and_after(tmp_path, monkeypatch):
    short = tmp_path / "short.yaml"
    short.write_text(finetune.RECIPE.read_text().replace("epochs: 15", "epochs: 1"))
    monkeypatch.setattr(finetune, "RECIPE", short)
    folder, out = faces(tmp_path / "my_faces", 13), tmp_path / "run"
    done = CliRunner().invoke(main, ["train", "--data", str(folder), "--out", str(out)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "kept aside" in done.output and "python -m models export" in done.output
    assert (out / "weights.safetensors").is_file()
    assert Recipe.read(out / "recipe.yaml").teacher == [settings.load().reader.model]


def test_the_table_counts_what_was_kept_aside():
    before = finetune.Judged(
        0.5, np.diag([2, 0, 0, 0, 0, 0, 0]) + np.eye(7, k=1, dtype=int) * [0, 2, 0, 0, 0, 0, 0]
    )
    after = finetune.Judged(1.0, np.diag([4, 0, 0, 0, 0, 0, 0]))
    lines = finetune.table(before, after).splitlines()
    assert lines[1].split() == ["happy", "4", "50.0%", "100.0%"]
    assert lines[2].split() == ["all", "4", "50.0%", "100.0%"]
    assert "95 % interval" in lines[3]


def test_too_few_faces_are_refused(tmp_path):
    with pytest.raises(data.DataError, match="8 faces to learn from; at least 20"):
        finetune.finetune(settings.load().reader.model, faces(tmp_path / "few", 5), tmp_path / "run")
