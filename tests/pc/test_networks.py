"""Every network by name: its size, its shape as plain lists, and the same answers when rebuilt from them."""

import io

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (pip install -e '.[train]')")

from ruamel.yaml import YAML  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

from models import export, zoo  # noqa: E402
from models.networks import NETWORKS, build  # noqa: E402
from models.recipe import Recipe  # noqa: E402
from models.xrs import XRS  # noqa: E402

torch.set_num_threads(1)

PARAMETERS = {
    "xrs": 1_517_143,
    "xs": 1_356_631,
    "xr": 1_356_191,
    "separable": 1_195_679,
    "conventional": 1_176_391,
    "resnet18": 11_154_663,
    "resnet20": 271_991,
    "resnet32": 466_423,
    "resnet56": 855_287,
    "mini-xception": 56_951,
    "psa-resnet50": 19_106_130,
    "resnet50": 23_516_103,
    "se-resnet50": 26_047_095,
    "cbam-resnet50": 26_032_615,
    "eca-resnet50": 23_516_189,
    "aff-resnet50": 28_610_183,
    "a-mobilenet": 3_418_767,
    "mobilenet-v1": 3_213_575,
    "mobilenet-v2": 2_232_263,
    "mobilenet-v3-small": 1_524_743,
    "xception-relu6": 6_553_007,
    "xception": 20_820_719,
    "vgg19": 20_032_327,
}
RECIPES = sorted((zoo.ZOO.parent / "recipes").glob("*.yaml"))
NARROW_XRS = {
    "stem": [[8, 1], [12, 2]],
    "modules": [[12, 1, 20, 6, "projected"], [16, 2, 8, 4, "projected"], [16, 2, 12, 0, "same"]],
}


def through_yaml(shape):
    text = io.StringIO()
    YAML().dump(shape, text)
    return YAML(typ="safe").load(text.getvalue())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_the_parameters_that_are_stated_and_gives_seven_scores(name):
    with torch.device("meta"):  # sizes alone: nothing is drawn or computed
        net, faces = build(name).eval(), torch.zeros(2, 1, 48, 48)
    assert sum(p.numel() for p in net.parameters()) == PARAMETERS[name]
    assert net(faces).shape == (2, 7)
    assert net.embed(faces).shape == (2, net.classifier.in_features)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_names_a_network_that_can_be_built_as_it_says(path):
    recipe = Recipe.read(path)
    with torch.device("meta"):
        net, faces = build(recipe.network, **(recipe.shape or {})).eval(), torch.zeros(2, 1, 48, 48)
    assert net(faces).shape == (2, 7)


def test_the_conventional_network_is_as_heavy_as_the_separable_one_as_in_the_paper():
    assert 0.95 < PARAMETERS["conventional"] / PARAMETERS["separable"] < 1


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_built_again_from_its_shape_in_yaml(name):
    with torch.device("meta"):
        net = build(name)
        again = build(name, **through_yaml(net.shape))
    sizes = {key: value.shape for key, value in net.state_dict().items()}
    assert {key: value.shape for key, value in again.state_dict().items()} == sizes
    assert again.shape == net.shape


def test_a_narrowed_xrs_keeps_each_width_it_was_given():
    net = XRS(**NARROW_XRS).eval()
    assert net.shape == NARROW_XRS
    assert net.blocks[0].first[-1].num_features == 20
    assert net.blocks[1].attention.excite[0].out_channels == 4
    assert net(torch.zeros(1, 1, 48, 48)).shape == (1, 7)


def test_a_shortcut_can_be_projected_though_the_width_stays():
    assert any(key.startswith("blocks.0.shortcut.") for key in XRS(**NARROW_XRS).state_dict())


@pytest.mark.parametrize("name", zoo.names())
def test_the_weights_of_the_zoo_load_into_the_network_of_their_card(name):
    card = zoo.load(name).card
    net = export.restore(
        card["network"], load_file(zoo.ZOO / name / "weights.safetensors"), shape=card.get("shape")
    )
    assert sum(p.numel() for p in net.parameters()) == card["parameters"]


def test_an_unknown_network_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"no network 'vgg'; there are a-mobilenet, aff-resnet50"):
        build("vgg")
