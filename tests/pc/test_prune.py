"""Pruning: equations 7-14 by hand, and that what is removed is gone while the rest answers as before."""

import csv
import json
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (pip install -e '.[train]')")

from ruamel.yaml import YAML  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

from models import data, export, prune, studies, zoo  # noqa: E402
from models.filters import METHODS, PCA, Parts, components, composite, cosines, filters_of, parts_of  # noqa: E402
from models.networks import build  # noqa: E402
from models.runlog import read_log  # noqa: E402

torch.set_num_threads(1)

SMALL = {"stem": [[8, 1], [16, 2]], "modules": [[24, 2], [24, 1], [32, 2], [32, 2]]}
NETS = {
    "xrs": SMALL,
    "conventional": {"modules": [[24, 2, None, 0, "none"], [24, 1, None, 0, "none"]]},
    "xr": {"stem": [[16, 2]], "modules": [[24, 2, None, 0], [24, 1, None, 0]]},
    "xs": {"stem": [[16, 2]], "modules": [[24, 2, None, None, "none"], [24, 1, None, None, "none"]]},
    "resnet20": {},
}


def small(name="xrs", seed=0):
    """A network with weights and normalisations that differ from channel to channel."""
    torch.manual_seed(seed)
    net = build(name, **NETS[name]).eval()
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.weight, 0.5, 1.5)
            torch.nn.init.uniform_(layer.bias, -0.5, 0.5)
            torch.nn.init.uniform_(layer.running_var, 0.5, 1.5)
    return net


@pytest.fixture(scope="module")
def fer2013(tmp_path_factory):
    """A folder with fer2013.csv of 50 made-up images in the official layout."""
    folder = tmp_path_factory.mktemp("fer")
    images = np.random.default_rng(0).integers(0, 256, (50, 48 * 48))
    with open(folder / "fer2013.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for place, pixels in enumerate(images):
            writer.writerow([place % 7, " ".join(map(str, pixels)), "Training" if place < 40 else "PublicTest"])
    return folder


@pytest.fixture(scope="module")
def recipe():
    """The shipped recipe, with batches small enough for 40 images."""
    table = YAML(typ="safe").load((zoo.ZOO.parent / "recipes" / "xrs-fer2013.yaml").read_text())
    return table | {"batch": 8, "epochs": 1, "warmup": 0.5}


# The equations


def test_cosine_similarity_is_that_of_equation_14():
    filters = torch.tensor([[3.0, 4.0], [4.0, 3.0], [-3.0, -4.0]])
    assert cosines(filters)[0].tolist() == pytest.approx([1, 24 / 25, -1])


def test_a_filter_of_zeros_is_similar_to_every_other():
    assert cosines(torch.tensor([[0.0, 0.0], [1.0, 0.0]])).tolist() == [[1, 1], [1, 1]]


def test_components_are_taken_up_to_the_contribution_alpha():
    contributions = torch.tensor([0.6, 0.25, 0.1, 0.05])  # their sums: 0.6, 0.85, 0.95, 1
    assert [components(contributions, alpha) for alpha in (0.5, 0.6, 0.80, 0.85, 0.90, 0.95, 1.0)] == [
        *(1, 1, 2, 2, 3, 3, 4)
    ]


def test_the_composite_score_is_that_of_equations_7_to_13_done_by_covariance():
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    values, vectors = torch.linalg.eigh(torch.cov(x.T))  # eq. 8, ascending
    values, vectors = values.flip(0), vectors.flip(1)
    share = values / values.sum()  # eq. 11
    for alpha in (0.5, 0.85, 1.0):
        h = next(h for h in range(1, 5) if share[:h].sum() >= alpha - 1e-9)  # eq. 12
        expected = ((x @ vectors[:, :h]).abs() * share[:h]).sum(1)  # eqs. 9, 10, 13
        assert torch.allclose(composite(x, alpha), expected)


def test_a_composite_score_by_hand_where_the_filters_lie_on_a_line():
    z = composite(torch.tensor([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]]), 0.85)  # one component, contribution 1
    assert z.tolist() == pytest.approx([math.sqrt(2), 2 * math.sqrt(2), 4 * math.sqrt(2)])


def test_copies_of_a_filter_rank_below_filters_that_nothing_resembles():
    unique = torch.eye(6)[:3]
    copies = torch.tensor([[0, 0, 0, 1.0, 1.0, 1.0]]) * torch.tensor([[1.0], [1.1], [0.9]])
    score = PCA(small()).score(torch.cat([unique, copies]))
    assert score[3:].max() < score[:3].min()


@pytest.mark.parametrize("method", METHODS)
def test_a_filter_of_zeros_or_of_the_middle_goes_first_and_no_score_is_negative(method):
    filters = torch.randn(16, 30, generator=torch.Generator().manual_seed(2))
    filters[5] = 0
    score = METHODS[method](small()).score(filters)
    assert score.argmin() == 5 and score.min() >= 0


def test_fpgm_takes_the_filter_nearest_the_geometric_median_and_not_the_smallest():
    filters = torch.tensor([[10.0, 10.0], [10.0, 12.0], [12.0, 10.0], [1.0, 0.0], [20.0, 20.0]])
    net = small()
    assert METHODS["fpgm"](net).score(filters).argmin() in (0, 1, 2)
    assert METHODS["magnitude"](net).score(filters).argmin() == 3


def test_weights_too_small_for_four_bits_count_next_to_nothing_in_sqdc():
    score = METHODS["sqdc"](small()).score(torch.tensor([[7.0] + [0.0] * 9, [0.4] * 10, [1.0] + [0.0] * 9]))
    assert score.argsort().tolist() == [1, 2, 0]  # the second has the greater sum of the last two


def test_a_filter_of_a_separable_layer_is_the_convolution_that_both_halves_amount_to():
    net = small()
    first = net.blocks[0].first
    weight = filters_of(first[1], parts_of(net)[first[1]]).view(24, 16, 3, 3)
    x = torch.randn(1, 16, 9, 9)
    behind = torch.nn.functional.conv2d(x, weight, stride=2, padding=1)
    at_zero = first(torch.zeros_like(x))  # what the normalisation adds
    assert torch.allclose(first(x), behind + at_zero, atol=1e-4)


def test_a_convolution_without_normalisation_is_its_own_filter():
    conv = small().blocks[0].attention.excite[0]
    assert torch.equal(filters_of(conv, Parts()), conv.weight.flatten(1))


# The removal


@pytest.mark.parametrize("name", NETS)
def test_at_least_the_rate_of_the_parameters_goes_and_little_more(name):
    net = small(name)
    for rate in (0.3, 0.4):
        pruned = prune.remove(
            name, net, prune.ranking(net, METHODS["pca"](net)), prune.widths_for(name, net, rate)
        )
        gone = 1 - prune.parameters(pruned) / prune.parameters(net)
        assert rate <= gone < rate + 0.1


@pytest.mark.long
def test_every_method_removes_two_fifths_of_the_real_xrs_and_leaves_even_widths():
    net = build("xrs").eval()
    widths = prune.widths_for("xrs", net, 0.4)
    for method, importance in METHODS.items():
        pruned = prune.remove("xrs", net, prune.ranking(net, importance(net)), widths)
        assert 0.40 <= 1 - prune.parameters(pruned) / 1_517_143 < 0.41, method
        assert export.multiply_adds(pruned) < 0.61 * export.multiply_adds(net), method
        assert all(row[0] % 2 == row[2] % 2 == 0 for row in pruned.shape["modules"]), method


@pytest.mark.long
def test_layers_with_large_maps_lose_more_when_asked():
    net = build("xrs").eval()
    order = {name: torch.arange(len(group[0].idxs)) for name, group in prune.groups_of(net).items()}
    even, lean = (prune.remove("xrs", net, order, prune.widths_for("xrs", net, 0.4, c)) for c in (0.0, 0.15))
    assert export.multiply_adds(lean) < 0.9 * export.multiply_adds(even)
    assert lean.shape["stem"][1][0] < even.shape["stem"][1][0]


@pytest.mark.parametrize("name", NETS)
def test_filters_that_do_nothing_are_removed_and_the_answers_stay(name):
    """Every filter that goes, its bias and its gate's input are made zero before; so nothing may change."""
    net = small(name)
    widths = prune.widths_for(name, net, 0.4)
    order = prune.ranking(net, METHODS["magnitude"](net))
    parts = parts_of(net)
    for group_name, group in prune.groups_of(net).items():
        lost = order[group_name][: len(order[group_name]) - widths[group_name]]
        for conv in prune.makers(group, parts):
            conv.weight.data[lost] = 0
            if conv in parts:
                parts[conv].norm.bias.data[lost] = 0
                parts[conv].norm.running_mean[lost] = 0
            if conv.bias is not None:
                conv.bias.data[lost] = 0
    second = torch.nn.Linear(net.classifier.in_features, 7)
    pruned, narrowed = prune.remove_both(name, net, second, order, widths)
    faces = torch.rand(3, 1, 48, 48) * 2 - 1
    assert prune.parameters(pruned) < 0.65 * prune.parameters(net)
    assert torch.allclose(pruned(faces), net(faces), atol=1e-5)
    assert torch.allclose(narrowed(pruned.embed(faces)), second(net.embed(faces)), atol=1e-5)


@pytest.mark.long
def test_a_pruned_network_is_rebuilt_from_the_yaml_of_its_shape_and_its_onnx_agrees_with_torch(tmp_path):
    net = small()
    pruned = prune.remove("xrs", net, prune.ranking(net, PCA(net)), prune.widths_for("xrs", net, 0.4))
    prune.save(pruned, tmp_path / "weights.safetensors")
    YAML().dump(pruned.shape, tmp_path / "shape.yaml")
    shape = YAML(typ="safe").load(tmp_path / "shape.yaml")
    again = export.restore("xrs", load_file(tmp_path / "weights.safetensors"), shape=shape)
    faces = torch.rand(2, 1, 48, 48)
    assert torch.equal(again(faces), pruned(faces))
    export.write_onnx(again, tmp_path / "model.onnx")  # raises where ONNX Runtime and torch differ


def test_the_unpruned_network_stays_as_it_was():
    net = small()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    prune.remove("xrs", net, prune.ranking(net, PCA(net)), prune.widths_for("xrs", net, 0.4))
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.2])
def test_a_rate_that_is_no_share_is_refused(rate):
    with pytest.raises(data.DataError, match="above 0 and below 1"):
        prune.widths_for("xrs", small(), rate)


def test_a_rate_beyond_what_layers_may_lose_is_refused():
    with pytest.raises(data.DataError, match="not 99% of this network"):
        prune.widths_for("xrs", small(), 0.99)


def test_normalisations_are_taken_anew_from_the_faces_that_are_given():
    net = small()
    images = np.random.default_rng(0).integers(0, 256, (64, 48, 48), np.uint8)
    prune.recalibrate(net, images)
    seen = net.stem[0](prune.to_input(images))
    assert torch.allclose(net.stem[1].running_mean, seen.mean((0, 2, 3)), atol=1e-4)
    assert net.stem[1].momentum == 0.1 and not net.training


# One run, and the studies


@pytest.mark.parametrize("method", ["pca", "sfp", "sqdc"])
def test_a_run_prunes_teaches_reports_and_is_not_done_twice(fer2013, recipe, tmp_path, method, capsys):
    start = prune.Start("xrs", small(), recipe, "fer2013")
    report = prune.prune(start, method, 0.4, fer2013, tmp_path, epochs=2, soft_epochs=1)
    assert (
        report["pruned"]["parameters"] == report["taught"]["parameters"] <= 0.6 * report["before"]["parameters"]
    )
    assert json.loads((tmp_path / "report.json").read_text()) == report
    assert "after fine-tuning" in prune.table(report)
    trained = len((tmp_path / "log.csv").read_text().splitlines())
    capsys.readouterr()
    assert prune.prune(start, method, 0.4, fer2013, tmp_path, epochs=2, soft_epochs=1) == report
    assert len((tmp_path / "log.csv").read_text().splitlines()) == trained == (3 if method == "pca" else 2)


def test_another_run_in_the_same_folder_is_refused(fer2013, recipe, tmp_path):
    (tmp_path / "report.json").write_text('{"asked": {"method": "fpgm"}}')
    with pytest.raises(data.DataError, match="holds another run"):
        prune.prune(prune.Start("xrs", small(), recipe, "fer2013"), "pca", 0.4, fer2013, tmp_path, epochs=1)


def test_soft_pruning_sets_filters_to_zero_and_sparse_training_shrinks_the_scales():
    net = small()
    prune.zero_lowest(net, METHODS["sfp"](net), prune.widths_for("xrs", net, 0.4))
    assert (net.blocks[0].first[1].weight.flatten(1).abs().sum(1) == 0).sum() >= 4
    before = net.blocks[1].first[2].weight.clone()
    prune.shrink_scales(net, METHODS["sqdc"](net), {})
    assert torch.allclose(net.blocks[1].first[2].weight, before - prune.SHRINK)


def test_a_finished_run_is_pruned_with_both_its_classifiers_and_teaches_both(fer2013, recipe, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    YAML().dump(recipe | {"shape": SMALL, "epochs": 1}, run / "recipe.yaml")
    prune.training.train(run / "recipe.yaml", fer2013, run)
    report = prune.prune(prune.start_named(str(run)), "pca", 0.4, fer2013, tmp_path / "pruned", epochs=1)
    card = prune.losses(report)
    assert (card["method"], card["rate"], card["alpha"]) == ("pca", 0.4, 0.85)
    assert 0.4 <= card["parameters_gone"] < 0.7 and 0 < card["multiply_adds_gone"] < 0.7
    taught = prune.Teacher(str(tmp_path / "pruned"), "cpu")
    assert taught.second.in_features == taught.net.classifier.in_features < 32
    assert prune.Recipe.read(tmp_path / "pruned" / "recipe.yaml").teacher == [str(run)]


def test_a_network_of_the_zoo_teaches_what_is_left_of_it(tmp_path):
    start = prune.from_zoo("xrs-fer2013")
    path = prune.write_recipe(start, start.net, tmp_path, 3)
    followed = prune.Recipe.read(path)
    assert followed.teacher == ["xrs-fer2013"] and followed.shape == start.net.shape and followed.epochs == 3


@pytest.mark.long
def test_the_pruning_study_writes_a_line_a_run_draws_it_and_goes_on_where_it_was(fer2013, recipe, tmp_path):
    ask = (["fpgm", "pca"], [0.4], [0.8, 0.9], recipe, fer2013, tmp_path, 1, 1)
    lines = studies.prune_study(["resnet20"], *ask)
    assert [studies.label(line) for line in lines] == ["fpgm", "pca 0.8", "pca 0.9"]
    assert all(float(line["parameters_gone"]) >= 0.4 for line in lines)
    table = (tmp_path / "study.csv").read_text()
    (tmp_path / "study.csv").write_text(
        "\n".join(table.splitlines()[:2]) + "\n"
    )  # as if stopped after the first
    assert studies.prune_study(["resnet20"], *ask) == lines
    assert len(studies.study_table(lines).splitlines()) == 4
    for picture in studies.draw_study(lines, tmp_path):
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_an_ablation_counts_the_network_of_the_shape_that_its_recipe_has(fer2013, recipe, tmp_path):
    one_pixel = {"side_px": 32, "stem": [8, 2, 2], "blocks": [[16, 8, 8, 8, True, 0]]}
    (row,) = studies.ablation(recipe | {"shape": one_pixel}, fer2013, tmp_path, 1, [1], ["resnet50"])
    assert row["parameters"] == prune.parameters(build("resnet50", **one_pixel))
    assert row["multiply_adds"] == export.multiply_adds(build("resnet50", **one_pixel).eval())


def test_an_ablation_names_a_network_that_there_is_not_before_it_trains_any(recipe, tmp_path):
    with pytest.raises(ValueError, match="no network 'resnet51'"):
        studies.ablation(recipe, tmp_path, tmp_path, 1, [1], ["resnet50", "resnet51"])


def test_the_study_names_a_method_that_there_is_not(recipe, tmp_path):
    with pytest.raises(ValueError, match=r"no method \['lasso'\]"):
        studies.prune_study(["resnet20"], ["lasso"], [0.4], [0.85], recipe, tmp_path, tmp_path, 1, 1)


@pytest.mark.long
def test_the_ablation_is_a_row_a_network_with_the_mean_over_its_seeds(fer2013, recipe, tmp_path):
    rows = studies.ablation(recipe, fer2013, tmp_path, 1, [1, 2], ["resnet20", "xr"])
    assert [row["network"] for row in rows] == ["resnet20", "xr"]
    ends = [read_log(tmp_path / f"xr-{seed}" / "log.csv")[-1]["fer2013"] for seed in (1, 2)]
    assert rows[1]["accuracy"] == pytest.approx(sum(ends) / 2)
    assert len(studies.ablation_table(rows).splitlines()) == 3
    assert len((tmp_path / "ablation.csv").read_text().splitlines()) == 3
