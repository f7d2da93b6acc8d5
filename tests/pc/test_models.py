"""XRS, its losses and its training, on small made-up data of the official layouts."""

import copy
import csv

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (pip install -e '.[train]')")

from safetensors.torch import save_file  # noqa: E402

from config.contract import EMOTIONS  # noqa: E402
from models import data, export, losses, optimizers, zoo  # noqa: E402
from models.augment import Augmentation  # noqa: E402
from models.lessons import Teacher, to_input  # noqa: E402
from models.networks import build  # noqa: E402
from models.recipe import Recipe  # noqa: E402
from models.train import Plateau, draw, grown, multiply_as_matrices, published, train  # noqa: E402
from models.xrs import XRS, SqueezeExcite  # noqa: E402

torch.set_num_threads(1)  # tiny batches: threads would only wait for each other
FACTS = {"crop_margin": 1.0}
USAGES = ["Training"] * 40 + ["PublicTest"] * 10


@pytest.fixture(scope="module")
def fer2013(tmp_path_factory):
    """A folder with fer2013.csv and fer2013new.csv of 50 made-up images in the official layout."""
    folder = tmp_path_factory.mktemp("fer")
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (len(USAGES), 48 * 48))
    with open(folder / "fer2013.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for place, usage in enumerate(USAGES):
            writer.writerow([place % 7, " ".join(map(str, images[place])), usage])
    with open(folder / "fer2013new.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Usage", "Image name", *data.FERPLUS_COLUMNS])
        for place, usage in enumerate(USAGES):
            writer.writerow([usage, f"{place}.png", *np.roll([10, 0, 0, 0, 0, 0, 0, 0, 0, 0], place % 7)])
    return folder


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """The shipped recipe, cut down to one short epoch of small batches."""
    text = (zoo.ZOO.parent / "recipes" / "xrs-fer2013.yaml").read_text()
    path = tmp_path_factory.mktemp("recipe") / "short.yaml"
    path.write_text(
        text.replace("epochs: 36", "epochs: 1")
        .replace("batch: 128", "batch: 8")
        .replace("warmup: 2", "warmup: 0.5")
    )
    return path


def test_xrs_has_fewer_parameters_than_the_paper_and_a_vector_below_the_classifier():
    net = XRS()
    assert sum(p.numel() for p in net.parameters()) == 1_517_143 < 1_892_681
    assert net.embed(torch.zeros(2, 1, 48, 48)).shape == (2, 448)
    assert net.eval()(torch.zeros(2, 1, 48, 48)).shape == (2, 7)


def test_multiply_adds_of_a_single_convolution_are_counted_as_on_paper():
    net = torch.nn.Conv2d(1, 8, 3, padding=1)
    assert export.multiply_adds(net) == 48 * 48 * 8 * 9


def test_attention_weighs_channels_between_zero_and_one():
    features = torch.rand(2, 16, 5, 5)
    out = SqueezeExcite(16)(features)
    weight = (out / features).flatten(2)
    assert torch.allclose(weight, weight[..., :1].expand_as(weight), atol=1e-5)
    assert 0 < weight.min() and weight.max() < 1


def test_the_margin_of_arcface_makes_a_right_answer_cost_more():
    embedding, labels = torch.eye(7, 16), torch.arange(7)
    free, strict = losses.ArcFace(16, m=0.0), losses.ArcFace(16, m=0.5)
    strict.load_state_dict(free.state_dict())
    assert strict(embedding, labels) > free(embedding, labels)


def test_arcface_without_margin_is_cross_entropy_of_scaled_cosines():
    torch.manual_seed(0)
    loss, embedding, labels = (
        losses.ArcFace(16, s=8.0, m=0.0),
        torch.randn(5, 16),
        torch.tensor([0, 1, 2, 3, 4]),
    )
    cosine = torch.nn.functional.cosine_similarity(embedding[:, None], loss.centres[None], dim=2)
    assert torch.allclose(
        loss(embedding, labels), torch.nn.functional.cross_entropy(8 * cosine, labels), atol=1e-4
    )


def test_centres_follow_their_class_by_equation_9():
    loss = losses.Island(2, rate=1.0)
    loss.centres.zero_()
    loss(torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 5.0]]), torch.tensor([0, 0, 1]))
    assert torch.allclose(loss.centres[0], torch.tensor([4 / 3, 0.0]))  # (1 + 3) / (1 + 2)
    assert torch.allclose(loss.centres[1], torch.tensor([0.0, 2.5]))
    assert torch.equal(loss.centres[2], torch.zeros(2))


def test_island_loss_drives_centres_apart_where_centre_loss_leaves_them():
    def closeness_after(apart):
        torch.manual_seed(0)
        loss, embedding, labels = losses.Island(8, apart), torch.rand(14, 8), torch.arange(14) % 7
        for _ in range(20):
            loss(embedding, labels)
        return losses.closeness(loss.centres)

    assert closeness_after(0.05) < closeness_after(0.0)


def test_a_student_that_says_what_its_teacher_says_has_nothing_to_learn():
    logits = torch.randn(4, 7)
    assert losses.distillation(logits, (logits / 3).softmax(1), 3.0).abs() < 1e-6
    assert losses.distillation(logits.flip(0), (logits / 3).softmax(1), 3.0) > 0.01


def test_the_rate_falls_to_a_fifth_after_five_epochs_without_a_lower_loss_and_never_below_a_hundredth():
    plateau = Plateau()
    for loss in [1.0, *[1.1] * 4]:
        plateau.update(loss)
    assert plateau.factor == 1
    plateau.update(1.1)
    assert plateau.factor == pytest.approx(0.2)
    for _ in range(50):
        plateau.update(1.1)
    assert plateau.factor == pytest.approx(0.01)


def test_rare_emotions_are_drawn_more_often_when_asked():
    labels = torch.tensor([0] * 900 + [2] * 100)
    even = draw(labels, 1.0, torch.Generator().manual_seed(0))
    assert 400 < (labels[even] == 2).sum() < 600
    assert draw(labels, 0.0, torch.Generator().manual_seed(0)).sort().values.equal(torch.arange(1000))


def test_augmentation_repeats_itself_from_the_same_seed_and_keeps_the_range():
    faces = torch.rand(6, 1, 48, 48) * 2 - 1
    first, again, other = (Augmentation()(faces, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.shape == faces.shape and first.abs().max() <= 1


def test_augmentation_switched_off_changes_nothing_but_left_and_right():
    faces = torch.rand(8, 1, 48, 48) * 2 - 1
    off = Augmentation(0, (1, 1), 0, 0, 0, 0, 0)
    out = off(faces, torch.Generator().manual_seed(3))
    for before, after in zip(faces, out, strict=True):
        assert torch.allclose(after, before, atol=1e-4) or torch.allclose(after, before.flip(-1), atol=1e-4)


def test_the_official_csv_gives_images_labels_and_votes_in_our_order(fer2013):
    faces = data.load(fer2013, "PublicTest")
    assert faces.images.shape == (10, 48, 48) and faces.images.dtype == np.uint8
    told = [EMOTIONS[i] for i in faces.emotion[:7]]  # the rows 40 to 46, FER2013's numbers 5, 6, 0 to 4
    assert told == ["surprised", "neutral", "angry", "disgusted", "fearful", "happy", "sad"]
    assert [EMOTIONS[i] for i in data.ferplus_majority(faces.votes)[:3]] == ["disgusted", "fearful", "neutral"]


def test_votes_become_distributions_and_slips_of_the_hand_are_dropped():
    votes = np.zeros((3, 10), np.float32)
    votes[0, [0, 1]] = 6, 1  # neutral six times, happiness once
    votes[1, [3, 4]] = 5, 5
    (slip, tie, none) = data.ferplus_target(votes)
    assert slip[EMOTIONS.index("neutral")] == 1
    assert tie[EMOTIONS.index("sad")] == tie[EMOTIONS.index("angry")] == 0.5
    assert none.sum() == 0
    assert list(data.ferplus_majority(votes)[:2]) == [EMOTIONS.index("neutral"), -1]


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (lambda text: text.replace("Usage", "usag", 1), "needs the columns"),
        (lambda text: text.replace(" ", "", 1), "needed are 2304 of 0..255"),
        (lambda text: text.replace(" ", " x", 1), "pixels that are no numbers"),
        (lambda text: text.replace("PublicTest", "Other"), "no row whose Usage"),
    ],
    ids=["a column missing", "a pixel missing", "a letter among the pixels", "a split missing"],
)
def test_a_broken_csv_is_refused_with_a_sentence(fer2013, tmp_path, spoil, part):
    path = tmp_path / "fer2013.csv"
    text = (fer2013 / "fer2013.csv").read_text()
    path.write_text(spoil(text))
    with pytest.raises(data.DataError, match=part):
        data.load(path, "PublicTest" if "Other" in path.read_text() else "Training")


def test_votes_for_fewer_images_than_there_are_is_refused(fer2013, tmp_path):
    votes = tmp_path / "short.csv"
    votes.write_text("".join((fer2013 / "fer2013new.csv").read_text().splitlines(True)[:20]))
    with pytest.raises(data.DataError, match="has 19 rows"):
        data.load(fer2013 / "fer2013.csv", "Training", votes)


def test_a_folder_without_data_says_what_is_needed(tmp_path):
    with pytest.raises(data.DataError, match=r"neither training\.png nor fer2013\.csv"):
        data.load(tmp_path, "Training")


def test_a_recipe_with_a_wrong_key_is_refused(recipe, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(recipe.read_text().replace("epochs:", "epoch:"))
    with pytest.raises(data.DataError, match=r"unknown keys \['epoch'\], missing keys \['epochs'\]"):
        Recipe.read(path)


@pytest.mark.parametrize("key", ["optimizer: sdg", "schedule: cosin", "labels: fer", "precision: f16"])
def test_a_recipe_with_a_word_that_means_nothing_is_refused(recipe, tmp_path, key):
    path = tmp_path / "wrong.yaml"
    name = key.split(":")[0]
    text = "".join(line for line in recipe.read_text().splitlines(True) if not line.startswith(name))
    path.write_text(f"{text}\n{key}\n")
    with pytest.raises(data.DataError, match=f"{name} must be one of"):
        Recipe.read(path)


@pytest.mark.long
@pytest.mark.parametrize(
    "more",
    [
        "optimizer: adam",
        "optimizer: adagrad",
        "optimizer: rmsprop\nschedule: plateau",
        "mixup: 0.2\nbalance: 0.5",
        "precision: bf16",
    ],
)
def test_every_way_to_train_goes_through_and_resumes(fer2013, recipe, tmp_path, more):
    path = tmp_path / "way.yaml"
    path.write_text(recipe.read_text().replace("rate: 0.08", "rate: 0.001") + more + "\n")
    train(path, fer2013, tmp_path / "run")
    path.write_text(path.read_text().replace("epochs: 1", "epochs: 2"))
    train(path, fer2013, tmp_path / "run")
    assert len((tmp_path / "run" / "log.csv").read_text().splitlines()) == 3


@pytest.mark.long
def test_the_optimisers_of_the_paper_are_compared_in_one_table_and_picture(fer2013, recipe, tmp_path):
    logs = optimizers.compare(recipe, fer2013, tmp_path, epochs=1)
    assert set(logs) == {"adagrad", "rmsprop", "adam", "sgd"}
    lines = optimizers.table(logs, "fer2013").splitlines()
    assert len(lines) == 5 and lines[1].startswith("adagrad")
    optimizers.draw(logs, "fer2013", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5000


def test_a_student_learns_from_a_network_of_the_zoo(fer2013, recipe, tmp_path):
    path = tmp_path / "student.yaml"
    path.write_text(recipe.read_text() + "teacher: [xrs-ferplus]\ndistil: {weight: 1.0, temperature: 3.0}\n")
    assert train(path, fer2013, tmp_path / "run").is_file()


def test_what_a_teacher_said_is_kept_for_the_next_run_that_asks_the_same(
    fer2013, recipe, tmp_path, monkeypatch
):
    path = tmp_path / "student.yaml"
    path.write_text(recipe.read_text() + "teacher: [xrs-ferplus]\ndistil: {weight: 1.0, temperature: 3.0}\n")
    asked, softened = [], Teacher.softened
    monkeypatch.setattr(Teacher, "softened", lambda *args: asked.append(1) or softened(*args))
    for run in ("one", "two"):
        train(path, fer2013, tmp_path / run)
    assert len(asked) == 1
    assert (tmp_path / "one/weights.safetensors").read_bytes() == (
        tmp_path / "two/weights.safetensors"
    ).read_bytes()
    path.write_text(path.read_text().replace("temperature: 3.0", "temperature: 2.0"))
    train(path, fer2013, tmp_path / "three")
    assert len(asked) == 2


def test_a_run_begins_with_what_a_stopped_one_would_have_published(fer2013, recipe, tmp_path):
    finished = data_of(train(recipe, fer2013, tmp_path / "first"))
    stopped = published(data_of(tmp_path / "first/last.safetensors"))
    assert stopped.keys() == finished.keys()
    assert all(torch.equal(stopped[key], finished[key]) for key in finished)
    path = tmp_path / "on.yaml"
    path.write_text(f"{recipe.read_text()}start: {tmp_path}/first/last.safetensors\n")
    assert train(path, fer2013, tmp_path / "run").is_file()


def test_a_start_of_another_shape_is_refused_before_anything_is_learnt(fer2013, recipe, tmp_path):
    train(recipe, fer2013, tmp_path / "first")
    path = tmp_path / "on.yaml"
    path.write_text(
        f"{recipe.read_text()}start: {tmp_path}/first/last.safetensors\nshape: {{stem: [[8, 1], [16, 2]]}}\n"
    )
    with pytest.raises(ValueError, match=r"do not fit xrs .*start is .*needs .* came; name the network"):
        train(path, fer2013, tmp_path / "run")
    assert not (tmp_path / "run/last.safetensors").exists()


def test_a_run_whose_recipe_got_another_shape_is_not_gone_on_with_and_stays_as_it_was(
    fer2013, recipe, tmp_path
):
    train(recipe, fer2013, tmp_path / "run")
    kept = (tmp_path / "run/last.safetensors").read_bytes()
    path = tmp_path / "other.yaml"
    path.write_text(f"{recipe.read_text()}shape: {{stem: [[8, 1], [16, 2]]}}\n")
    with pytest.raises(ValueError, match=r"do not fit this recipe .*last.safetensors is to go on.*needs"):
        train(path, fer2013, tmp_path / "run")
    assert (tmp_path / "run/last.safetensors").read_bytes() == kept


def test_a_finished_run_teaches_both_classifiers_of_a_student(fer2013, recipe, tmp_path):
    train(recipe, fer2013, tmp_path / "first")
    teacher = Teacher(str(tmp_path / "first"), "cpu")
    faces = torch.zeros(2, 1, 48, 48)
    first, second = teacher.logits(faces)
    assert torch.allclose(first, teacher.net(faces)) and second.shape == (2, 7)
    path = tmp_path / "student.yaml"
    path.write_text(
        f"{recipe.read_text()}teacher: [{tmp_path}/first]\ndistil: {{weight: 1.0, temperature: 3.0}}\n"
    )
    assert train(path, fer2013, tmp_path / "run").is_file()


@pytest.mark.parametrize(
    "distil", ["", "distil: {weight: 1.0}", "distil: {weight: 1.0, temperature: 2.0, view: 1}"]
)
def test_a_recipe_with_a_teacher_says_what_distil_needs(recipe, tmp_path, distil):
    path = tmp_path / "student.yaml"
    path.write_text(f"{recipe.read_text()}teacher: [xrs-ferplus]\n{distil}\n")
    with pytest.raises(data.DataError, match="distil needs weight and temperature"):
        Recipe.read(path)


@pytest.mark.parametrize("folder", ["none", "unfinished"])
def test_a_run_that_is_to_teach_and_is_not_finished_is_named(tmp_path, folder):
    (tmp_path / "unfinished").mkdir()
    with pytest.raises(data.DataError, match=f"the finished run .*{folder}, which is not there"):
        Teacher(str(tmp_path / folder), "cpu")


def test_a_network_that_grew_a_block_begins_by_answering_as_before():
    torch.manual_seed(0)
    small = {"stem": [[8, 1], [16, 2]]}
    net = XRS(**small, modules=[[24, 2], [32, 2]]).eval()
    deeper = XRS(**small, modules=[[24, 2], [24, 1], [32, 2]]).eval()
    deeper.load_state_dict(grown(deeper, net.state_dict(), [0, None, 1]))
    faces = torch.rand(2, 1, 48, 48)
    assert torch.allclose(deeper(faces), net(faces), atol=1e-6)
    with pytest.raises(data.DataError, match="a place for each of 3 blocks"):
        grown(deeper, net.state_dict(), [0, 1])


def test_a_network_for_ferplus_learns_only_faces_with_one_most_voted_emotion(fer2013, recipe, tmp_path, capsys):
    path = tmp_path / "ferplus.yaml"
    path.write_text(recipe.read_text().replace("labels: fer2013", "labels: ferplus"))
    train(path, fer2013, tmp_path / "run")
    assert "ferplus" in capsys.readouterr().out


def test_large_1x1_convolutions_learn_the_same_as_products_of_matrices():
    plain = torch.nn.Sequential(
        torch.nn.Conv2d(512, 1024, 1, bias=False), torch.nn.Conv2d(1024, 512, 1, 2), torch.nn.Flatten(1)
    ).double()
    quick = copy.deepcopy(plain)
    multiply_as_matrices(quick)
    assert "forward" in vars(quick[0]) and "forward" in vars(quick[1])
    images = torch.randn(2, 512, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    said = [net(images) for net in (plain, quick)]
    assert said[0].shape == (2, 512 * 2 * 2)
    torch.testing.assert_close(said[1], said[0])
    for scores in said:
        scores.square().mean().backward()
    for one, other in zip(plain.parameters(), quick.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad)


def test_training_changes_the_weights_and_a_finished_run_is_not_run_again(fer2013, recipe, tmp_path, capsys):
    weights = train(recipe, fer2013, tmp_path / "run")
    trained = export.restore("xrs", data_of(weights))
    torch.manual_seed(Recipe.read(recipe).seed)
    fresh = build("xrs")
    assert not torch.equal(trained.classifier.weight, fresh.classifier.weight)
    assert len((tmp_path / "run" / "log.csv").read_text().splitlines()) == 2  # head and one epoch
    capsys.readouterr()
    train(recipe, fer2013, tmp_path / "run")
    assert "epoch 1" in capsys.readouterr().out
    assert len((tmp_path / "run" / "log.csv").read_text().splitlines()) == 2


def test_a_run_stopped_between_epochs_ends_with_the_same_weights(fer2013, recipe, tmp_path):
    long = tmp_path / "long.yaml"
    long.write_text(recipe.read_text().replace("epochs: 1", "epochs: 2"))
    whole = data_of(train(long, fer2013, tmp_path / "whole"))
    from models import train as module

    one, stopped = Recipe.read(long), tmp_path / "stopped"
    stopped.mkdir()
    run = module.Run(one, stopped)
    faces = data.load(fer2013, "Training")
    faces = faces.take(data.is_face(faces) & ~data.stands_in(faces, data.load(fer2013, "PublicTest")))
    lessons = module.Lessons.of(faces, run)
    run.plateau.update(module.one_epoch(run, lessons))
    run.epoch = 1
    run.save()
    again = data_of(train(long, fer2013, stopped))
    for name, value in whole.items():
        assert torch.allclose(value.float(), again[name].float(), atol=1e-5), name


@pytest.mark.parametrize("second", [pytest.param(False, marks=pytest.mark.long), True])
def test_an_exported_network_answers_as_torch_does(fer2013, recipe, tmp_path, second):
    from models.evaluate import Classifier

    weights = train(recipe, fer2013, tmp_path / "run")
    leans = {"disgusted": 1.5} if second else {}
    export.export(weights, "small", "xrs", {"crop_margin": 1.0}, second, leans=leans, home=tmp_path)
    entry = zoo.load("small", tmp_path)
    faces = data.load(fer2013, "PublicTest").images
    with torch.no_grad():
        logits = export.restore("xrs", data_of(weights), second)(to_input(faces))
    logits[:, EMOTIONS.index("disgusted")] += leans.get("disgusted", 0)
    expected = logits.softmax(1).numpy()
    assert np.allclose(Classifier(entry)(faces), expected, atol=1e-4)
    assert entry.card["parameters"] == 1_517_143


def test_a_mirrored_network_says_the_same_of_a_face_and_its_mirror(tmp_path):
    from models.evaluate import Classifier

    net = build("mini-xception")
    save_file(net.state_dict(), tmp_path / "weights.safetensors")
    once = export.export(tmp_path / "weights.safetensors", "once", "mini-xception", FACTS, home=tmp_path)
    twice = export.export(
        tmp_path / "weights.safetensors", "twice", "mini-xception", FACTS, mirrored=True, home=tmp_path
    )
    faces = np.random.default_rng(1).integers(0, 256, (3, 48, 48), np.uint8)
    of = {folder.name: Classifier(zoo.load(folder.name, tmp_path)) for folder in (once, twice)}
    assert not np.allclose(of["once"](faces), of["once"](faces[:, :, ::-1]), atol=1e-4)
    assert np.allclose(of["twice"](faces), of["twice"](faces[:, :, ::-1]), atol=1e-6)
    work = {name: zoo.read_card(name, tmp_path)["multiply_adds"] for name in of}
    assert work["twice"] == 2 * work["once"]


def test_weights_that_are_small_enough_in_16_bits_alone_are_kept_so(tmp_path):
    net = build("a-mobilenet", side_px=32)
    save_file(net.state_dict(), tmp_path / "weights.safetensors")
    folder = export.export(
        tmp_path / "weights.safetensors", "half", "a-mobilenet", FACTS, shape={"side_px": 32}, home=tmp_path
    )
    assert zoo.read_card("half", tmp_path)["weights_mb"] == pytest.approx(7.0, abs=0.1)
    assert all(file.stat().st_size < 8e6 for file in folder.iterdir())
    kept = data_of(folder / "weights.safetensors")
    restored = export.restore("a-mobilenet", kept, shape={"side_px": 32})
    assert {weight.dtype for weight in restored.parameters()} == {torch.float32}


def test_weights_are_kept_in_16_bits_where_that_is_asked_for_and_answer_as_before(tmp_path):
    from models.evaluate import Classifier

    save_file(build("mini-xception").state_dict(), tmp_path / "weights.safetensors")
    export.export(tmp_path / "weights.safetensors", "whole", "mini-xception", FACTS, home=tmp_path)
    export.export(tmp_path / "weights.safetensors", "half", "mini-xception", FACTS, half=True, home=tmp_path)
    whole, half = (tmp_path / name / zoo.ONNX for name in ("whole", "half"))
    assert half.stat().st_size < 0.8 * whole.stat().st_size  # so small a file is half names and shapes
    faces = np.random.default_rng(1).integers(0, 256, (3, 48, 48), np.uint8)
    scores = [Classifier(zoo.load(name, tmp_path))(faces) for name in ("whole", "half")]
    assert np.allclose(*scores, atol=2e-3) and not np.array_equal(*scores)


def data_of(weights):
    from safetensors.torch import load_file

    return load_file(weights)
