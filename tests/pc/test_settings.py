"""Settings: what is wrong is named with its place, all of it at once."""

import json

import pytest

from config import robot, settings


def test_the_default_file_is_valid_and_every_key_has_a_comment():
    settings.load()
    lines = settings.DEFAULT.read_text().splitlines()
    for number, line in enumerate(lines):
        if line and not line.startswith((" ", "#")):
            assert lines[number - 1].startswith("#"), f"line {number + 1}: section {line} has no comment"
        elif line.startswith("  ") and not line.lstrip().startswith("#"):
            previous = lines[number - 1].lstrip()
            assert previous.startswith(("#", "enter:")), f"line {number + 1}: {line.strip()} has no comment"


def test_every_flaw_is_named_at_once_with_file_and_line(tmp_path):
    path = tmp_path / "lab.yaml"
    path.write_text("server:\n  workers: 0\nrobot:\n  fsp: 15\n  camera: left\nreactions:\n  ignore: [sadd]\n")
    with pytest.raises(settings.SettingsError) as error:
        settings.load(path)
    text = str(error.value)
    assert f"{path}:2: server.workers" in text
    assert f"{path}:4: there is no setting 'robot.fsp'; did you mean 'fps'?" in text
    assert f"{path}:5: robot.camera" in text
    assert f"{path}:7: reactions.ignore" in text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("robot:\n  fps: 10\n  fps: 12\n", "fps"),
        ("robot: [1, 2\n", "is not YAML"),
        ("- robot\n", "must hold sections"),
        ("mood:\n  enter: 0.2\n  leave: 0.3\n", "must not lie above"),
        ("server: 5\n", "server"),
    ],
    ids=["twice the same key", "broken YAML", "a list", "leave above enter", "a section that is a number"],
)
def test_a_file_that_cannot_be_meant_is_refused_with_a_sentence(tmp_path, text, part):
    path = tmp_path / "lab.yaml"
    path.write_text(text)
    with pytest.raises(settings.SettingsError, match=part):
        settings.load(path)


def test_a_file_changes_only_what_it_names_and_an_override_comes_last(tmp_path):
    path = tmp_path / "lab.yaml"
    path.write_text("robot:\n  fps: 10\n  name: left\n")
    checked = settings.load(path, ["robot.name=right"])
    assert (checked.robot.fps, checked.robot.name, checked.robot.resolution) == (10, "right", "vga")


def test_the_network_can_be_chosen_without_its_section():
    assert settings.load(overrides=["model=resnet20"]).reader.model == "resnet20"


@pytest.mark.parametrize("item", ["fps", "fps=3", "robot.fps", "robot.fsp=3", "robot.fps=[", "nothing.fps=3"])
def test_a_wrong_override_is_refused_with_its_own_words(item):
    with pytest.raises(settings.SettingsError, match=r"--set"):
        settings.load(overrides=[item])


def test_the_robot_reads_as_json_what_the_pc_checked(tmp_path):
    path = str(tmp_path / "robot.json")
    table = robot.load(overrides=["mood.dwell_s=0.7"])
    robot.dump(table, path)
    assert robot.load(path) == table == json.load(open(path))
    assert table["mood"]["dwell_s"] == 0.7


def test_a_robot_file_without_its_sections_is_refused(tmp_path):
    path = tmp_path / "robot.json"
    path.write_text('{"robot": {}}')
    with pytest.raises(ValueError, match="lacks the sections mood, reactions"):
        robot.load(str(path))


def test_each_emotion_may_be_answered_by_its_own_policy_or_by_named_behaviours():
    wishes = "reactions.override={angry: empathy, sad: [droop, weep]}"
    assert robot.load(overrides=[wishes])["reactions"]["override"] == {
        "angry": "empathy",
        "sad": ["droop", "weep"],
    }


@pytest.mark.parametrize(
    "item, words",
    [
        ("reactions.policy=love", "'mirror' or 'empathy'; 'love' came"),
        ("reactions.override={hapy: mirror}", "'happy', 'angry', .*; 'hapy' came"),
        ("reactions.override={happy: 3}", "; 3 came"),
        ("reactions.full_at=80", "less than or equal to 1; 80 came"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_what_there_is(item, words):
    with pytest.raises(settings.SettingsError, match=words):
        settings.load(overrides=[item])
