"""Networks beside each other: every row is there, finished or not, and says where its figures are from."""

import json

import pytest

pytest.importorskip("torch", reason="torch is not installed (pip install -e '.[train]')")
pytest.importorskip("matplotlib", reason="matplotlib is not installed (pip install -e '.[train]')")

from click.testing import CliRunner

from config import settings
from models import cards, compare, runlog, zoo
from models.__main__ import main
from models.networks import NETWORKS

RECIPES = zoo.ZOO.parent / "recipes"


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """The default network of the zoo, and one that nobody finished training."""
    empty = tmp_path_factory.mktemp("zoo")
    trained = compare.compare([settings.load().reader.model], rounds=3)
    return [*trained, *compare.compare(["mini-xception"], rounds=3, home=empty)]


def test_a_finished_network_brings_the_figures_of_its_card_and_its_time_here(rows):
    row, card = rows[0], zoo.read_card(rows[0]["name"])
    assert row["fer2013"] == card["figures"]["PublicTest fer2013"]["accuracy"]
    assert row["parameters"] == card["parameters"]
    assert 0 < row["median_ms"] <= row["p95_ms"]
    assert row["file_mb"] > 1


def test_an_untrained_network_keeps_its_row_without_accuracy(rows):
    row = rows[1]
    assert (row["fer2013"], row["ferplus"], row["epochs"]) == (None, None, None)
    assert row["parameters"] == 58423  # as paper 001 counts
    assert row["median_ms"] > 0
    assert compare.cells(row)[1:3] == ["-", "-"] and "not trained" in compare.cells(row)


def test_a_papers_own_figures_stand_beside_ours(rows):
    assert "FER2013 67.00%, 58,423 parameters (001" in compare.cells(rows[1])[-1]
    assert compare.of_paper(None) == "-"


def test_the_papers_speak_of_networks_that_can_be_built():
    assert set(compare.PAPERS) <= set(NETWORKS)


def test_without_names_the_whole_zoo_and_every_network_of_the_papers_is_compared():
    names = compare.all_names(zoo.ZOO)
    assert set(zoo.carded()) <= set(names)
    built = {zoo.read_card(name)["network"] if name in zoo.carded() else name for name in names}
    assert set(compare.PAPERS) <= built


def test_a_network_too_large_for_the_repository_keeps_its_figures_and_is_timed_with_random_weights(tmp_path):
    name = settings.load().reader.model
    card = zoo.read_card(name) | {"name": "large", "network": "mini-xception", "shape": {}, "weights_mb": 76.4}
    (tmp_path / "large").mkdir()
    zoo.write_card(tmp_path / "large", card)
    (row,) = compare.compare(["large"], rounds=3, home=tmp_path)
    assert row["fer2013"] == card["figures"]["PublicTest fer2013"]["accuracy"]
    assert row["median_ms"] > 0 and row["file_mb"] > 0.2
    cards.write("large", tmp_path)
    assert "(76.4 MB) are too large for the repository" in (tmp_path / "large/README.md").read_text()


def test_the_plot_has_a_dot_for_each_network_with_accuracy(rows, tmp_path):
    path = compare.draw(rows, tmp_path / "trade.png")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_an_unknown_network_is_named():
    with pytest.raises(ValueError, match="there is no network 'mini-exception'"):
        compare.compare(["mini-exception"])


def test_what_a_run_cost_is_read_from_its_log_and_from_that_of_the_run_it_began_from(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, seconds in ((first, (30.0, 10.0, 12.0)), (second, (36.0, 36.0))):
        folder.mkdir()
        for epoch, took in enumerate(seconds, 1):
            row = {"epoch": epoch, "loss": 1.0, "fer2013": 0.6, "ferplus": 0.8 + epoch / 100, "seconds": took}
            runlog.log(folder / "log.csv", row | {"memory_mb": 900.4 + epoch})
    alone = {"epochs": 3, "hours": 0.01, "training_mb": 903, "ferplus_classifier": 0.83}
    assert runlog.cost(first) == alone
    lines = (first / "log.csv").read_text().splitlines(keepends=True)
    (first / "log.csv").write_text("".join(line for line in lines if not line.startswith("2,")))
    assert runlog.cost(first) == {**alone, "hours": 0.02}  # stopped before it wrote of its second epoch
    (first / "log.csv").write_text("".join(lines))
    recipe = (RECIPES / "mini-xception.yaml").read_text()
    (second / "recipe.yaml").write_text(f"{recipe}\nstart: {first}/weights.safetensors\n")
    assert runlog.cost(second) == {"epochs": 5, "hours": 0.03, "training_mb": 903, "ferplus_classifier": 0.82}


def test_the_list_as_json_names_each_network_its_parameters_and_its_file(tmp_path):
    path = tmp_path / "list.json"
    assert CliRunner().invoke(main, ["list", "--json", str(path)]).exit_code == 0
    listed = json.loads(path.read_text())
    assert [row["name"] for row in listed] == zoo.carded()
    assert all(row["parameters"] > 0 for row in listed)
    assert [row["name"] for row in listed if row["file"]] == zoo.names()
