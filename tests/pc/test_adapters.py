"""Data sets as their owners pack them, made up small: labels, parts and people are read, flaws are named."""

import csv
import json

import cv2
import numpy as np
import pytest

pytest.importorskip("PIL", reason="pillow is not installed (pip install -e '.[train]')")

from click.testing import CliRunner

from config.contract import EMOTIONS
from models import adapters, check, data, evaluate
from models.__main__ import main

DRAW = np.random.default_rng(0)


def picture(path, side=48, pixels=None):
    """Write a picture of noise, or these pixels, and give the pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = DRAW.integers(0, 256, (side, side), np.uint8) if pixels is None else pixels
    assert cv2.imwrite(str(path), pixels)
    return pixels


def middle(gray):
    """A finder for pictures in which the face fills the middle half."""
    height, width = gray.shape
    return [width / 4, height / 4, width / 2, height / 2]


def told(found):
    """{file's name: (emotion, part, person)}"""
    return {p.path.name: (p.emotion, p.part, p.person) for p in found.pictures}


@pytest.fixture
def raf(tmp_path):
    lines = {"train_00001": 5, "train_00002": 1, "test_0001": 7, "train_00003": 2}
    for name in list(lines)[:3]:
        picture(tmp_path / "basic" / "Image" / "aligned" / f"{name}_aligned.jpg", 100)
    picture(tmp_path / "basic" / "Image" / "aligned" / "train_00009_aligned.jpg", 100)
    labels = tmp_path / "basic" / "EmoLabel" / "list_patition_label.txt"
    labels.parent.mkdir()
    labels.write_text("".join(f"{name}.jpg {code}\n" for name, code in lines.items()) + "train_00004.jpg 8\n")
    return tmp_path


def test_raf_db_has_numbers_from_1_and_two_parts_and_a_fault_of_each_kind_is_named(raf):
    found = adapters.read(raf)
    assert found.layout == "RAF-DB"
    assert told(found) == {
        "train_00001_aligned.jpg": ("sad", "Training", ""),
        "train_00002_aligned.jpg": ("surprised", "Training", ""),
        "test_0001_aligned.jpg": ("neutral", "PublicTest", ""),
    }
    assert [EMOTIONS[e] for e in found.faces.emotion] == ["sad", "surprised", "neutral"]
    assert found.faces.images.shape == (3, 48, 48)
    said = "\n".join(found.flaws)
    assert "'train_00004.jpg 8' is no name and a number of 1 to 7" in said
    assert "train_00009_aligned.jpg: no label" in said
    assert "train_00003_aligned.jpg is no picture that can be read" in said
    assert len(found.flaws) == 3


def test_a_network_is_measured_on_raf_db_by_the_part_that_its_owners_test_on(raf):
    measured = evaluate.read(raf, "PublicTest")
    assert (measured.data, measured.split) == ("RAF-DB", "PublicTest")
    assert measured.faces.emotion.tolist() == [EMOTIONS.index("neutral")]


@pytest.fixture
def ck(tmp_path):
    """Six people; the first is happy, the second shows contempt, the third has a label of words."""
    for person, code in enumerate(["5", "2", "five", "1", "7", "3"]):
        folder = f"S{person + 10:03}/001"
        for frame in range(1, 7):
            picture(tmp_path / "cohn-kanade-images" / folder / f"S{person + 10:03}_001_{frame:08}.png", 96)
        label = tmp_path / "Emotion" / folder / f"S{person + 10:03}_001_00000006_emotion.txt"
        label.parent.mkdir(parents=True)
        label.write_text(f"   {code}.0000000e+00\n" if code.isdigit() else code)
    return tmp_path


def test_a_sequence_of_ck_gives_its_last_three_frames_and_its_first_as_neutral(ck):
    found = adapters.read(ck, find=middle)
    own = {name: facts for name, facts in told(found).items() if name.startswith("S010")}
    assert own == {
        "S010_001_00000001.png": ("neutral", "Training", "S010"),
        "S010_001_00000004.png": ("happy", "Training", "S010"),
        "S010_001_00000005.png": ("happy", "Training", "S010"),
        "S010_001_00000006.png": ("happy", "Training", "S010"),
    }
    assert any("3 pictures of 'contempt', no emotion of ours, are left out" in flaw for flaw in found.flaws)
    assert any("holds 'five', needed is a number of 0 to 7" in flaw for flaw in found.flaws)


def test_people_stay_on_one_side_where_the_owners_have_no_parts(ck):
    found = adapters.read(ck, find=middle)
    people = {part: {p.person for p in found.pictures if p.part == part} for part in ("Training", "PublicTest")}
    assert people["PublicTest"] and not people["Training"] & people["PublicTest"]
    assert check.check(ck, find=middle).leaks == []


def test_a_face_is_cut_out_where_pictures_show_more_and_named_where_none_is_found(ck):
    cut = adapters.read(ck, find=middle).faces.images[0]
    whole = adapters.read(ck, find=lambda gray: [0, 0, 96, 96]).faces.images[0]
    assert not np.array_equal(cut, whole)
    missed = adapters.read(ck, find=lambda gray: None)
    assert len(missed.faces.images) == 0 and "no face was found in it" in missed.flaws[-2]


def test_the_detector_of_the_service_finds_no_face_in_noise(ck):
    assert adapters.face_finder()(DRAW.integers(0, 256, (120, 120), np.uint8)) is None


def test_ck48_knows_its_people_from_the_names_of_files(tmp_path):
    for person in range(10, 16):
        for word in ("anger", "contempt", "happy"):
            picture(tmp_path / "CK+48" / word / f"S{person:03}_004_00000017.png")
    found = adapters.read(tmp_path)
    assert found.layout == "CK+48" and len(found.pictures) == 12
    assert {p.person for p in found.pictures if p.part == "PublicTest"} == {"S014"}
    assert found.flaws == ["6 pictures of 'contempt', no emotion of ours, are left out."]


def test_kdef_tells_person_emotion_and_view_by_the_name_of_the_file(tmp_path):
    for session in "AB":
        for view in ("FL", "HL", "S", "HR", "FR"):
            picture(tmp_path / f"{session}F01" / f"{session}F01AF{view}.JPG", 96)
    picture(tmp_path / "AM02" / "AM02SUS.JPG", 96)
    picture(tmp_path / "AM02" / "portrait.jpg", 96)
    found = adapters.read(tmp_path, find=middle)
    assert found.layout == "KDEF"
    assert told(found)["BF01AFHL.JPG"] == ("fearful", "Training", "F01")  # one person in both sessions
    assert told(found)["AM02SUS.JPG"][0] == "surprised"
    assert len(found.pictures) == 7  # neither full profile
    assert any("portrait.jpg: is not named as in KDEF" in flaw for flaw in found.flaws)


def test_affectnet_keeps_its_numbers_in_npy_files_and_has_two_parts(tmp_path):
    for part, codes in (("train_set", (1, 6, 7)), ("val_set", (0, 4))):
        for place, code in enumerate(codes):
            picture(tmp_path / part / "images" / f"{place}.jpg", 224)
            (tmp_path / part / "annotations").mkdir(exist_ok=True)
            np.save(tmp_path / part / "annotations" / f"{place}_exp.npy", str(code))
    picture(tmp_path / "train_set" / "images" / "9.jpg", 224)
    found = adapters.read(tmp_path)
    assert found.layout == "AffectNet"
    assert [(p.emotion, p.part) for p in found.pictures] == [
        *[("happy", "Training"), ("angry", "Training")],
        *[("neutral", "PublicTest"), ("fearful", "PublicTest")],
    ]
    assert any("9_exp.npy is missing" in flaw for flaw in found.flaws)
    assert any("1 pictures of 'contempt'" in flaw for flaw in found.flaws)


def test_kaggles_fer2013_keeps_public_and_private_apart_by_the_names_in_one_test_folder(tmp_path):
    picture(tmp_path / "train" / "angry" / "Training_3908.jpg")
    picture(tmp_path / "test" / "disgust" / "PublicTest_2.jpg")
    picture(tmp_path / "test" / "surprise" / "PrivateTest_1.jpg")
    found = adapters.read(tmp_path)
    assert found.layout == "FER2013 folders"
    assert told(found) == {
        "Training_3908.jpg": ("angry", "Training", ""),
        "PublicTest_2.jpg": ("disgusted", "PublicTest", ""),
        "PrivateTest_1.jpg": ("surprised", "PrivateTest", ""),
    }


def test_plain_class_folders_hold_back_every_fifth_picture_of_a_class(tmp_path):
    for word in ("Happiness", "sad"):
        for place in range(10):
            picture(tmp_path / word / f"{place}.png", 60)
    found = adapters.read(tmp_path)
    held = [p.path.name for p in found.pictures if p.part == "PublicTest"]
    assert found.layout == "class folders" and held == ["4.png", "9.png"] * 2
    assert adapters.load(tmp_path, "Training").emotion.tolist() == [0] * 8 + [4] * 8
    assert adapters.load(tmp_path, "PublicTest").images.shape == (4, 48, 48)


@pytest.mark.parametrize(
    ("folders", "parts"),
    [
        (("train", "test"), {"train": "Training", "test": "PublicTest"}),
        (("train", "val", "test"), {"train": "Training", "val": "PublicTest", "test": "PrivateTest"}),
        (("Training", "PublicTest"), {"Training": "Training", "PublicTest": "PublicTest"}),
    ],
)
def test_parts_that_the_owner_made_are_kept(tmp_path, folders, parts):
    for folder in folders:
        picture(tmp_path / folder / "happy" / f"{folder}.png")
    assert {p.path.stem: p.part for p in adapters.read(tmp_path).pictures} == parts


def test_the_official_csv_goes_the_same_way(tmp_path):
    with open(tmp_path / "fer2013.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for place in range(6):
            pixels = DRAW.integers(0, 256, 48 * 48) if place else np.zeros(48 * 48, int)
            writer.writerow([3, " ".join(map(str, pixels)), "Training" if place < 4 else "PublicTest"])
    assert adapters.load(tmp_path, "Training").emotion.tolist() == [0] * 4
    report = check.check(tmp_path)
    assert report.counts["Training"]["happy"] == 4 and "PrivateTest" not in report.counts
    assert report.flaws == ["Training 0: constant, or called no face by a voter of FER+."]


def test_a_folder_that_is_none_of_these_is_refused_with_what_is_needed(tmp_path):
    (tmp_path / "holiday").mkdir()
    with pytest.raises(data.DataError, match="laid out like no data set known here; needed are class folders"):
        adapters.read(tmp_path)
    with pytest.raises(data.DataError, match="no folder"):
        adapters.read(tmp_path / "nowhere")


def test_a_part_without_a_usable_picture_is_refused_with_the_reason(tmp_path):
    picture(tmp_path / "train" / "happy" / "1.png")
    (tmp_path / "test" / "happy").mkdir(parents=True)
    (tmp_path / "test" / "happy" / "1.png").write_bytes(b"")
    with pytest.raises(data.DataError, match="no usable picture in the part PublicTest"):
        adapters.load(tmp_path, "PublicTest")


# What `data check` says


@pytest.fixture
def spoilt(tmp_path):
    """Class folders with one of each: a double, a contradiction, a leak, a constant, a broken file, a stray."""
    happy = picture(tmp_path / "train" / "happy" / "1.png")
    picture(tmp_path / "train" / "happy" / "1 (copy).png", pixels=happy)
    sad = picture(tmp_path / "train" / "sad" / "1.png")
    picture(tmp_path / "train" / "angry" / "1.png", pixels=sad)
    fear = picture(tmp_path / "train" / "fear" / "1.png")
    picture(tmp_path / "test" / "fear" / "1.png", pixels=fear)
    picture(tmp_path / "test" / "happy" / "2.png", pixels=np.full((48, 48), 7, np.uint8))
    (tmp_path / "train" / "happy" / "cut.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "train" / "happy" / "notes.txt").write_text("x")
    return tmp_path


def test_check_finds_one_of_each(spoilt):
    report = check.check(spoilt)
    assert report.counts == {
        "Training": {**dict.fromkeys(EMOTIONS, 0), "happy": 2, "angry": 1, "fearful": 1, "sad": 1},
        "PublicTest": {**dict.fromkeys(EMOTIONS, 0), "happy": 1, "fearful": 1},
    }
    assert len(report.flaws) == 3
    assert any("cut.jpg" in flaw for flaw in report.flaws) and any("notes.txt" in flaw for flaw in report.flaws)
    assert any("2.png: all its pixels are the same" in flaw for flaw in report.flaws)
    assert len(report.duplicates) == 1 and "1 (copy).png (Training, happy)" in report.duplicates[0]
    assert len(report.contradictions) == 1 and "sad" in report.contradictions[0]
    assert len(report.leaks) == 1 and "(PublicTest, fearful)" in report.leaks[0]


def test_a_person_on_both_sides_is_a_leak(tmp_path):
    for part in ("train", "test"):
        picture(tmp_path / part / "happy" / f"S010_00{len(part)}_00000017.png")
    assert check.check(tmp_path).leaks == ["the person S010 is in Training and PublicTest"]


def test_the_command_prints_counts_and_findings_and_writes_them(spoilt, tmp_path):
    done = CliRunner().invoke(
        main, ["data", "check", str(spoilt), "--json", str(tmp_path / "report.json")], catch_exceptions=False
    )
    assert done.exit_code == 0
    assert "class folders" in done.output and "leaks from Training into another part: 1" in done.output
    assert json.loads((tmp_path / "report.json").read_text())["counts"]["Training"]["happy"] == 2


def test_a_long_list_of_findings_is_cut_and_counted():
    report = check.Report("class folders", {}, [f"{place}: broken." for place in range(14)], [], [], [])
    assert "flaws: 14" in check.text(report) and "  and 4 more" in check.text(report)
    assert "9: broken." in check.text(report) and "10: broken." not in check.text(report)
