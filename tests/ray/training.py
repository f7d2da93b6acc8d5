"""Two processes under torchrun teach a network what one does, within noise. `make test-torchrun` runs it."""

import csv
import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (pip install -e '.[train]')")

from models import zoo
from models.runlog import read_log
from tests.whole.programs import ROOT

pytestmark = pytest.mark.timeout(1200)
FACES = ["Training"] * 128 + ["PublicTest"] * 32
BRIGHT = 30  # gray values between two emotions; what is to be learnt is how bright a picture is


@pytest.fixture
def fer2013(tmp_path):
    """fer2013.csv of made-up pictures that can be told apart."""
    generator = np.random.default_rng(0)
    with open(tmp_path / "fer2013.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for place, usage in enumerate(FACES):
            gray = generator.normal(30 + BRIGHT * (place % 7), 5, 48 * 48).clip(0, 255).astype(int)
            writer.writerow([place % 7, " ".join(map(str, gray)), usage])
    return tmp_path


@pytest.fixture
def recipe(tmp_path):
    """The shipped recipe for a minute, in f32 and without what is thrown dice for in each process."""
    text = (zoo.ZOO.parent / "recipes" / "xrs-fer2013.yaml").read_text()
    path = tmp_path / "short.yaml"
    path.write_text(text.replace("epochs: 36", "epochs: 4").replace("batch: 128", "batch: 16"))
    return path


def run(*words):
    told = subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr[-2000:]
    return told


def test_two_processes_learn_what_one_learns_and_write_one_run(fer2013, recipe, tmp_path):
    train = ("models", "train", recipe, "--data", fer2013, "--out")
    run(*train, tmp_path / "one")
    told = run("torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", *train, tmp_path / "two")
    assert told.stdout.count("faces to learn from") == 1
    one, two = (read_log(tmp_path / name / "log.csv") for name in ("one", "two"))
    losses = [(a["loss"], b["loss"]) for a, b in zip(one, two, strict=True)]
    print("loss of one process and of two, by epoch:", " ".join(f"{a:.3f}/{b:.3f}" for a, b in losses))
    assert losses[0][0] > losses[-1][0] and losses[0][1] > losses[-1][1]
    assert abs(sum(a - b for a, b in losses)) < 0.1 * sum(a for a, _ in losses)
    assert (tmp_path / "two/weights.safetensors").stat().st_size == (
        tmp_path / "one/weights.safetensors"
    ).stat().st_size


def test_a_batch_that_cannot_be_shared_alike_is_a_sentence(fer2013, recipe, tmp_path):
    words = (
        "--nproc-per-node=3",
        "-m",
        "models",
        "train",
        recipe,
        "--data",
        fer2013,
        "--out",
        tmp_path / "three",
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", *map(str, words)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (
        told.returncode and "a batch of 16 cannot be shared by 3 processes alike" in told.stderr + told.stdout
    )
