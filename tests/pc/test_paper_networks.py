"""The networks of papers 001 to 004: their sizes, their parts; each trains, shrinks and is exported."""

import csv

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (pip install -e '.[train]')")

import torch.nn.functional as F  # noqa: E402
from ruamel.yaml import YAML  # noqa: E402
from torch import nn  # noqa: E402

from models import export, prune  # noqa: E402
from models.attention import AFF, ECA, PSA, SpatialGate, WithinMap, cbam  # noqa: E402
from models.filters import METHODS  # noqa: E402
from models.layers import projection  # noqa: E402
from models.mini_xception import MiniXception  # noqa: E402
from models.mobilenet import a_mobilenet  # noqa: E402
from models.networks import build  # noqa: E402
from models.psa import PSAResNet  # noqa: E402
from models.train import train  # noqa: E402

torch.set_num_threads(1)


def residual(size):
    return {
        "stem": [16, 2, 2],
        "blocks": [[32, 1, 16, 16, True, size], [32, 1, 16, 24, False, size], [48, 2, 16, 16, True, size]],
    }


SMALL = {
    "mini-xception": {"modules": [[16, 16], [24, 20]]},
    "psa-resnet50": {"stem": [16, 2, 2], "blocks": [[256, 4, 64, 64, True, 0], [256, 1, 64, 64, False, 0]]},
    "resnet50": residual(0),
    "se-resnet50": residual(8),
    "cbam-resnet50": residual(8),
    "eca-resnet50": residual(3),
    "aff-resnet50": residual(8),
    "a-mobilenet": {"side_px": 32, "stem": [16, 2], "blocks": [[24, 1, 0], [32, 2, 8], [32, 1, 0], [48, 2, 8]]},
    "mobilenet-v1": {"side_px": 32, "stem": [16, 2], "blocks": [[24, 1, 0], [32, 2, 0], [48, 2, 0]]},
    "mobilenet-v2": {
        "stem": [16, 2, "relu6"],
        "blocks": [[16, 1, 0, False], [24, 2, 48, False], [24, 1, 64, True]],
        "last": [64],
    },
    "mobilenet-v3-small": {
        "stem": [16, 2, "hardswish"],
        "blocks": [
            [16, 2, 0, False, 3, 8, "relu"],
            [24, 2, 48, False, 5, 16, "hardswish"],
            [24, 1, 64, True, 5, 16, "hardswish"],
        ],
        "last": [64, 96],
    },
    "xception-relu6": {
        "side_px": 32,
        "stem": [[8, 1], [16, 1]],
        "modules": [[[24] * 2, 2, "projected"], [[32] * 3, 1, "projected"], [[32] * 3, 1, "same"]],
        "tail": [48],
    },
    "xception": {
        "stem": [[8, 2], [16, 1]],
        "modules": [[[24] * 2, 2, "projected"], [[24] * 3, 1, "same"], [[24, 32], 2, "projected"]],
        "tail": [48, 64],
    },
    "vgg19": {"stages": [[16, 16], [24, 24], [32]]},
}
SEEN_OVER_CHANNELS = {"a-mobilenet", "cbam-resnet50", "eca-resnet50"}  # these see how many channels there are


def small(name, seed=0):
    """A small network whose normalisations differ from channel to channel."""
    torch.manual_seed(seed)
    net = build(name, **SMALL[name]).eval()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.5, 0.5)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    return net


def trainable(net):
    return sum(p.numel() for p in net.parameters())


def statistics(net):
    """The means and variances of the batch normalisations, which Keras counts as parameters too."""
    return sum(b.numel() for b in net.buffers() if b.ndim)


@pytest.fixture(scope="module")
def fer2013(tmp_path_factory):
    """A folder with fer2013.csv of 20 made-up images in the official layout."""
    folder = tmp_path_factory.mktemp("fer")
    images = np.random.default_rng(0).integers(0, 256, (20, 48 * 48))
    with open(folder / "fer2013.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for place, pixels in enumerate(images):
            writer.writerow([place % 7, " ".join(map(str, pixels)), "Training" if place < 16 else "PublicTest"])
    return folder


# What the papers say of their networks


def test_mini_xception_has_both_counts_of_paper_001_which_includes_the_statistics_in_one():
    net = MiniXception()
    assert trainable(net) == 56_951
    assert trainable(net) + statistics(net) == 58_423


def test_mini_xception_has_the_15_convolutions_of_table_3_and_5_poolings_where_the_table_says_9():
    net = MiniXception()
    layers = list(net.modules())
    depthwise = [m for m in layers if isinstance(m, nn.Conv2d) and m.groups > 1]
    others = [m for m in layers if isinstance(m, nn.Conv2d) and m.groups == 1]
    assert len(depthwise) == 8 and len(others) - len(depthwise) == 6  # a separable one counts once
    assert len(others) + 1 == 15  # the classifier is the last convolution
    maxima = [m for m in layers if isinstance(m, nn.MaxPool2d) and m.kernel_size > 1]
    assert len(maxima) + 1 == 5  # and one global mean


def test_its_classifier_is_the_mean_of_a_3x3_convolution_to_seven_maps():
    net = MiniXception().eval()
    conv = nn.Conv2d(128, 7, 3, padding=1)
    conv.weight.data = net.classifier.weight.data.view(7, 128, 3, 3)
    conv.bias.data = net.classifier.bias.data
    faces = torch.rand(2, 1, 48, 48)
    assert torch.allclose(conv(net.body(faces)).mean((2, 3)), net(faces), atol=1e-5)


def test_a_mobilenet_has_the_3_4_million_parameters_of_paper_003_0_2_more_than_v1():
    counts = {name: trainable(build(name)) for name in ("a-mobilenet", "mobilenet-v1", "mobilenet-v3-small")}
    assert {name: round(count / 1e6, 1) for name, count in counts.items()} == {
        **{"a-mobilenet": 3.4, "mobilenet-v1": 3.2, "mobilenet-v3-small": 1.5}
    }


def test_mobilenet_v2_has_the_2_3_million_of_paper_003_only_with_the_statistics():
    net = build("mobilenet-v2")
    assert trainable(net) / 1e6 == pytest.approx(2.23, abs=0.005)
    assert (trainable(net) + statistics(net)) / 1e6 == pytest.approx(2.27, abs=0.005)


def test_cbam_stands_behind_four_blocks_of_a_mobilenet_as_in_table_1_and_depthwise_is_linear():
    net = a_mobilenet()
    assert [place for place, row in enumerate(net.shape["blocks"]) if row[2]] == [3, 5, 10, 12]
    assert net.dropout.p == 0.5
    assert all(isinstance(block[2], nn.Conv2d) for block in net.body[1:])  # nothing but a normalisation between


@pytest.mark.parametrize(
    ("name", "published", "embedding"),  # with 1000 classes and colours, as their articles' own programs count
    [
        *[("resnet50", 25_557_032, 2048), ("se-resnet50", 28_088_024, 2048), ("xception", 22_855_952, 2048)],
        *[("mobilenet-v1", 4_231_976, 1024), ("mobilenet-v2", 3_504_872, 1280)],
        ("mobilenet-v3-small", 2_542_856, 1024),
    ],
)
def test_a_known_network_has_its_published_size_but_for_colours_and_classes(name, published, embedding):
    with torch.device("meta"):
        net = build(name)
    colours = 2 * net.body[0][0].weight.numel()
    assert trainable(net) + colours + (1000 - 7) * (embedding + 1) == published


def test_psa_has_the_kernels_and_groups_of_equations_1_and_2_each_on_all_channels():
    kernels = [(conv.kernel_size[0], conv.groups, conv.in_channels) for conv in PSA(64).branches]
    assert kernels == [(3, 2, 64), (5, 4, 64), (7, 8, 64), (9, 16, 64)]


def test_psa_resnet50_is_lighter_than_resnet50_and_by_one_group_less_its_authors_22_56_million():
    with torch.device("meta"):
        net = build("psa-resnet50")
    ungrouped = sum(b.second[0].branches[0].weight.numel() for b in net.blocks)  # as much again without groups
    count = trainable(net) + ungrouped + 2 * net.body[0][0].weight.numel() + (1000 - 7) * 2049
    assert trainable(net) < 23_516_103
    assert count / 1e6 == pytest.approx(22.56, abs=0.01)


def test_the_shares_of_the_four_scales_of_psa_add_up_to_one():
    psa = PSA(64).eval()
    for conv in psa.branches:
        nn.init.constant_(conv.weight, 0)
    psa.branches[0].weight.data[:, :, 1, 1] = 1
    for conv in psa.branches[1:]:  # the same mean of inputs at all scales
        conv.weight.data[:, :, conv.kernel_size[0] // 2, conv.kernel_size[0] // 2] = 1
    x = torch.ones(1, 64, 9, 9)
    scales = [conv(x) for conv in psa.branches]
    shares = [part / scale for part, scale in zip(psa(x).chunk(4, 1), scales, strict=True)]
    assert torch.allclose(sum(shares), torch.ones_like(shares[0]), atol=1e-5)


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("kernel", [3, 5, 7, 9])
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 3), (3, 5), (12, 12)])
def test_what_of_a_kernel_lies_outside_a_small_map_changes_neither_the_outcome_nor_what_is_learnt(
    size, kernel, step
):
    conv = WithinMap(4, 6, kernel, step, kernel // 2, groups=2, bias=False)
    x = torch.randn(3, 4, *size)
    whole = F.conv2d(x, conv.weight, None, step, kernel // 2, groups=2)
    within = conv(x)
    assert torch.allclose(within, whole, atol=1e-5)
    learnt = [torch.autograd.grad(out.square().sum(), conv.weight)[0] for out in (within, whole)]
    assert torch.allclose(*learnt, atol=1e-4)


def test_psa_refuses_channels_that_its_groups_do_not_divide():
    with pytest.raises(ValueError, match="16 groups"):
        PSA(96)


@pytest.mark.parametrize("gate", [cbam(16, 4), ECA(3), SpatialGate()], ids=lambda gate: type(gate).__name__)
def test_a_gate_weighs_by_zero_to_one_and_learns(gate):
    features = torch.rand(2, 16, 5, 5) + 0.1
    out = gate.train()(features)
    assert 0 < (out / features).min() and (out / features).max() < 1
    out.sum().backward()
    assert all(p.grad is not None for p in gate.parameters())


def test_aff_begins_as_the_sum_and_later_gives_something_between_twice_either_input():
    x, y = torch.rand(2, 16, 5, 5), torch.rand(2, 16, 5, 5)
    aff = AFF(16, 4).eval()
    assert torch.allclose(aff(x, y), x + y)
    for part in (aff.local, aff.whole):
        nn.init.ones_(part[-1].weight)
    out = aff(x, y) / 2
    assert not torch.allclose(out, (x + y) / 2, atol=1e-3)
    assert (out <= torch.maximum(x, y) + 1e-6).all() and (out >= torch.minimum(x, y) - 1e-6).all()


def test_the_kernel_of_eca_follows_the_channels_as_in_its_article():
    assert [ECA.kernel(channels) for channels in (64, 256, 512, 1024, 2048)] == [3, 5, 5, 5, 7]


def test_a_projection_is_a_strided_1x1_convolution():
    ours = projection(8, 12, 2).eval()
    strided = F.conv2d(torch.ones(1, 8, 7, 7).cumsum(3), ours[1].weight, stride=2)
    assert torch.allclose(ours[2](strided), ours(torch.ones(1, 8, 7, 7).cumsum(3)), atol=1e-5)


def test_an_unknown_attention_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="none, psa, se, cbam, eca, aff; 'spa' came"):
        PSAResNet(attention="spa")


@pytest.mark.parametrize("attention", ["none", "psa", "se", "cbam", "eca"])
def test_a_block_of_resnet50_begins_by_changing_nothing(attention):
    block = PSAResNet(attention=attention).eval().blocks[1]
    x = torch.rand(2, 256, 4, 4)
    assert torch.equal(block(x), x)


def test_a_network_brings_faces_to_the_side_it_works_on():
    net = a_mobilenet(64, (8, 2), [[8, 1, 0]])
    assert net.resized(torch.zeros(1, 1, 48, 48)).shape == (1, 1, 64, 64)
    assert net.body(net.resized(torch.zeros(1, 1, 48, 48))).shape == (1, 8, 32, 32)


# What is done with each network


@pytest.mark.parametrize("name", SMALL)
def test_a_network_learns_an_epoch_and_its_weights_can_be_read_again(name, fer2013, tmp_path):
    recipe = {
        **{"network": name, "shape": SMALL[name], "labels": "fer2013", "seed": 1, "epochs": 1, "batch": 8},
        **{"rate": 0.01, "momentum": 0.9, "weight_decay": 0.0, "ema": 0.5},
        **{"loss": {"arcface": 0.0, "centre": 0.01, "apart": 0.01}, "augmentation": {}},
    }
    YAML().dump(recipe, tmp_path / "recipe.yaml")
    weights = train(tmp_path / "recipe.yaml", fer2013, tmp_path)
    net = export.restore(name, export.load_file(weights), shape=SMALL[name])
    assert torch.isfinite(net(torch.rand(2, 1, 48, 48))).all()


@pytest.mark.parametrize("name", SMALL)
def test_a_network_can_be_pruned_and_filters_that_do_nothing_are_not_missed(name):
    """Every filter that goes is made to give zero before; so nothing may change."""
    net = small(name)
    widths = prune.widths_for(name, net, 0.3)
    order = prune.ranking(net, METHODS["pca"](net))
    for group_name, group in prune.groups_of(net).items():
        lost = order[group_name][: len(order[group_name]) - widths[group_name]]
        makers = prune.makers(group, METHODS["pca"](net).parts)
        layers = [dep.target.module for dep, _ in group]
        for layer in [m for m in layers if isinstance(m, nn.BatchNorm2d)]:
            layer.bias.data[lost] = 0
            layer.running_mean[lost] = 0
        for conv in makers:
            conv.weight.data[lost] = 0
            if conv.bias is not None:
                conv.bias.data[lost] = 0
    pruned = prune.remove(name, net, order, widths)
    faces = torch.rand(3, 1, 48, 48) * 2 - 1
    assert 0.3 <= 1 - prune.parameters(pruned) / prune.parameters(net) < 0.5
    assert pruned(faces).shape == (3, 7)
    if name not in SEEN_OVER_CHANNELS:
        assert torch.allclose(pruned(faces), net(faces), atol=1e-4)


@pytest.mark.long
@pytest.mark.parametrize("name", ["mini-xception", "psa-resnet50", "a-mobilenet"])
def test_the_onnx_of_a_network_agrees_with_torch(name, tmp_path):
    net = small(name)
    export.write_onnx(net, tmp_path / "model.onnx")  # raises where ONNX Runtime and torch differ
    assert export.multiply_adds(net) > 0


def test_a_network_learns_from_class_folders_and_is_pruned_on_them(tmp_path):
    cv2 = pytest.importorskip("cv2")
    for word in ("happy", "sad"):
        (tmp_path / "faces" / word).mkdir(parents=True)
        for place in range(10):
            noise = np.random.default_rng(place).integers(0, 256, (60, 60), np.uint8)
            cv2.imwrite(str(tmp_path / "faces" / word / f"{place}.png"), noise)
    recipe = {
        **{"network": "mini-xception", "shape": SMALL["mini-xception"], "labels": "fer2013", "seed": 1},
        **{"epochs": 1, "batch": 8, "rate": 0.01, "momentum": 0.9, "weight_decay": 0.0, "ema": 0.5},
        **{"loss": {"arcface": 0.0}, "augmentation": {}},
    }
    run = tmp_path / "run"
    run.mkdir()
    YAML().dump(recipe, run / "recipe.yaml")
    assert train(run / "recipe.yaml", tmp_path / "faces", run).is_file()
    start = prune.start_named(str(run), run / "recipe.yaml")
    report = prune.prune(start, "pca", 0.3, tmp_path / "faces", tmp_path / "pruned", epochs=1)
    assert report["taught"]["parameters"] < report["before"]["parameters"] * 0.7
    assert prune.Recipe.read(tmp_path / "pruned" / "recipe.yaml").rate == 0.01  # as it was given
