"""The zoo serves only what its card vouches for."""

import shutil
import subprocess

import numpy as np
import onnxruntime
import pytest

from config import settings
from models import zoo


@pytest.fixture
def copy(tmp_path):
    """A copy of the default network that may be spoilt."""
    name = settings.load().reader.model
    shutil.copytree(zoo.ZOO / name, tmp_path / name)
    return tmp_path, name


def test_every_network_of_the_zoo_is_whole():
    assert zoo.names()
    for name in zoo.names():
        assert zoo.load(name).onnx_path.is_file()


def test_the_default_network_gives_probabilities_for_any_number_of_faces():
    session = onnxruntime.InferenceSession(zoo.load(settings.load().reader.model).onnx_path)
    for count in (1, 3):
        faces = np.full((count, 1, 48, 48), 128, np.float32)
        (scores,) = session.run(None, {"faces": faces})
        assert scores.shape == (count, 7)
        assert np.allclose(scores.sum(1), 1, atol=1e-4)


def test_a_single_flipped_byte_is_noticed(copy):
    home, name = copy
    path = home / name / "model.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(zoo.ZooError, match="altered or cut short"):
        zoo.load(name, home)


def test_a_missing_file_is_named(copy):
    home, name = copy
    (home / name / "model.onnx").unlink()
    with pytest.raises(zoo.ZooError, match=r"model\.onnx is missing"):
        zoo.load(name, home)


def test_an_unknown_name_brings_the_nearest_one(copy):
    home, name = copy
    with pytest.raises(zoo.ZooError, match=f"did you mean '{name}'"):
        zoo.load(name.replace("r", ""), home)


def test_another_order_of_emotions_is_refused(copy):
    home, name = copy
    card = home / name / "card.yaml"
    card.write_text(card.read_text().replace("happy", "joy", 1))
    with pytest.raises(zoo.ZooError, match="needed is the order happy"):
        zoo.load(name, home)


@pytest.fixture
def too_large(copy):
    """A network whose weights are not in the repository: its card is all there is."""
    home, name = copy
    for file in ("model.onnx", "model.int8.onnx", "weights.safetensors"):
        (home / name / file).unlink(missing_ok=True)
    zoo.write_card(home / name, zoo.read_card(name, home) | {"weights_mb": 76.4})
    return home, name


def test_a_network_too_large_for_the_repository_keeps_its_card_and_is_not_served(too_large):
    home, name = too_large
    assert zoo.names(home) == [] and zoo.carded(home) == [name]
    with pytest.raises(zoo.ZooError, match=r"\(76\.4 MB\) are too large for the repository; train it: "):
        zoo.load(name, home)


def test_it_is_served_once_somebody_made_its_weights_again(too_large):
    home, name = too_large
    shutil.copy(zoo.ZOO / name / "model.onnx", home / name)
    assert zoo.names(home) == [name]


def test_no_file_of_the_repositorys_zoo_is_too_large():
    listed = subprocess.run(["git", "ls-files", "-z", zoo.ZOO], cwd=zoo.ZOO, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no clone of the repository")
    files = [zoo.ZOO / name for name in listed.stdout.decode().split("\0") if name]
    assert [file for file in files if file.stat().st_size > zoo.LARGEST_MB * 1e6] == []


def test_mini_xception_takes_at_most_300_kb_and_60_000_parameters():
    entry = zoo.load("mini-xception")
    assert entry.onnx_path.stat().st_size <= 300_000
    assert entry.card["parameters_and_statistics"] <= 60_000
