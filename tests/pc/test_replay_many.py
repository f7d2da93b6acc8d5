"""Replay of many sources, its other forms, and two results beside each other."""

import csv
import re
import sys
import time
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from test_replay import write_film

from behaviors.mood import Episode, Feeling
from config.contract import EMOTIONS, Face
from inference_server import film, forms, report
from inference_server.__main__ import main
from inference_server.findings import BINS, Findings, Timeline
from models import zoo

MEDIA = Path(__file__).parents[3] / "shared" / "media"
needs_media = pytest.mark.skipif(not MEDIA.is_dir(), reason=f"no real faces to look at: {MEDIA} is absent")
WOMAN = "WolfgangLanger_Pexels.mp4"


def replay(*words):
    return CliRunner().invoke(main, ["replay", *map(str, words)])


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def face(happy=0.7, number=1, **more):
    rest = (1 - happy) / 6
    return Face(number, [0.0, 0.0, 50.0, 50.0], 0.99, [happy] + [rest] * 6, **more)


# ---- many sources ------------------------------------------------------------------------------------


def test_many_films_get_a_folder_each_and_what_was_finished_is_not_done_again(tmp_path):
    films, out = tmp_path / "films", tmp_path / "out"
    films.mkdir()
    for name in ("2.mkv", "10.mkv"):
        write_film(films / name, [0.0, 0.1, 0.2])
    (films / "broken.mp4").write_text("hello")
    first = replay(films, "--out", out, "--workers", "2", "--no-film")
    assert first.exit_code == 1
    assert "broken.mp4 is neither a film nor an image" in first.output and "2 of 3 are in" in first.output
    assert [row["source"] for row in table(out / "overview.csv")] == [
        str(films / n) for n in ("2.mkv", "10.mkv")
    ]
    before = (out / "2/readings.csv").stat().st_mtime_ns
    (out / "10.part").mkdir()  # as a broken off replay leaves it
    (out / "10.part/readings.csv").write_text("half")
    write_film(films / "10.mkv", [0.0, 0.1, 0.2, 0.3])
    (films / "broken.mp4").unlink()
    second = replay(films, "--out", out, "--workers", "1", "--no-film")
    assert second.exit_code == 0, second.output
    assert f"{films / '2.mkv'}: done before" in second.output
    assert (out / "2/readings.csv").stat().st_mtime_ns == before
    assert len(table(out / "10/readings.csv")) == 4
    assert sorted(p.name for p in out.iterdir()) == ["10", "2", "done.json", "overview.csv"]


def test_other_settings_or_options_are_another_result():
    from inference_server.replay_many import tasks

    source = Path(__file__)
    (one,) = tasks([source], {"overrides": []})
    (other,) = tasks([source], {"overrides": ["mood.enter=0.6"]})
    assert one.fingerprint() != other.fingerprint()
    assert one.fingerprint() == tasks([source], {"overrides": []})[0].fingerprint()
    assert [task.folder for task in tasks([Path("a/x.mp4"), Path("b/x.mov")], {})] == ["x", "x-2"]


# ---- forms -------------------------------------------------------------------------------------------


class Outline(HTMLParser):
    """What a page asks for from elsewhere, and its text."""

    def __init__(self, text):
        super().__init__()
        self.asked, self.said, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.asked += [value for name, value in attributes if name in ("src", "href", "srcset", "data")]

    def handle_data(self, data):
        self.said.append(data)


@needs_media
def test_the_woman_is_first_sad_and_then_happy_in_every_form(tmp_path):
    has_arrow = find_spec("pyarrow") is not None
    result = replay(MEDIA / WOMAN, "--out", tmp_path, "--no-film", *(["--parquet"] if has_arrow else []))
    assert result.exit_code == 0, result.output
    episodes = table(tmp_path / "episodes.csv")
    moods = [e["emotion"] for e in sorted(episodes, key=lambda e: float(e["start_s"]))]
    assert moods.index("sad") < moods.index("happy") == len(moods) - 1
    longest = sorted(episodes, key=lambda e: float(e["start_s"]) - float(e["end_s"]))[:2]
    assert {e["emotion"] for e in longest} == {"sad", "happy"}
    tier = ET.parse(tmp_path / "episodes.eaf").find("TIER[@TIER_ID='mood']")
    assert [a.text.split()[0] for a in tier.iter("ANNOTATION_VALUE")] == moods
    vtt = (tmp_path / "episodes.vtt").read_text("utf-8")
    assert vtt.startswith("WEBVTT\n\n")
    cues = re.findall(r"^(\d\d:\d\d:\d\d\.\d{3}) --> (\d\d:\d\d:\d\d\.\d{3})\n(\w+) \d+%$", vtt, re.M)
    assert [mood for *_, mood in cues] == moods
    page = Outline((tmp_path / "report.html").read_text("utf-8"))
    assert page.asked == [] and "script" not in page.tags and "link" not in page.tags
    said = " ".join(page.said)
    assert WOMAN in said and "Not measured on children" in said and "FER2013 PublicTest" in said
    assert "They do not say what somebody feels" in said
    parquet = pytest.importorskip("pyarrow.parquet", reason="the table as Parquet needs pyarrow")
    rows, again = (
        table(tmp_path / "readings.csv"),
        parquet.read_table(tmp_path / "readings.parquet").to_pylist(),
    )
    assert len(rows) == len(again) == 472
    assert [round(row["sad"], 5) for row in again] == [float(row["sad"]) for row in rows]
    assert [row["mood"] for row in again] == [row["mood"] for row in rows]


def test_without_pyarrow_parquet_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = replay(write_film(tmp_path / "film.mkv", [0.0]), "--out", tmp_path / "out", "--parquet")
    assert result.exit_code == 2
    assert result.output.strip().startswith("replay: Parquet needs pyarrow; install it (pip install")
    assert not (tmp_path / "out").exists()


def test_an_episode_has_its_times_in_elan_and_in_captions(tmp_path):
    held = [Episode(0.5, 3661.25, "sad", 0.7), Episode(3661.25, 3661.25, "happy", 0.9)]
    forms.write_vtt(tmp_path / "a.vtt", forms.spans(held))
    assert "00:00:00.500 --> 01:01:01.250\nsad 70%\n" in (tmp_path / "a.vtt").read_text("utf-8")
    forms.write_eaf(tmp_path / "a.eaf", {"mood": forms.spans(held), "markers": []}, "annotated.mp4")
    root = ET.parse(tmp_path / "a.eaf").getroot()
    slots = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")}
    spans = [
        (slots[a.get("TIME_SLOT_REF1")], slots[a.get("TIME_SLOT_REF2")])
        for a in root.iter("ALIGNABLE_ANNOTATION")
    ]
    assert spans == [(500, 3661250), (3661250, 3661251)]  # ELAN refuses one without length
    assert root.find("HEADER/MEDIA_DESCRIPTOR").get("RELATIVE_MEDIA_URL") == "./annotated.mp4"


# ---- the report --------------------------------------------------------------------------------------


def test_the_timeline_of_hours_is_no_larger_than_that_of_minutes():
    timeline = Timeline()
    for second in range(4 * 3600):
        timeline.add(float(second), face(0.9 if second < 7200 else 0.2) if second % 10 else None)
    columns = timeline.columns()
    assert BINS / 2 <= len(columns) <= BINS
    assert columns[3].scores[0] == pytest.approx(0.9) and columns[-3].scores[0] == pytest.approx(0.2)


def test_shares_are_of_time_and_a_pause_counts_as_a_second_at_most():
    found = Findings("film", "net")
    for time_s, mood in ((0.0, "happy"), (0.5, "happy"), (1.0, None), (1.5, "sad"), (100.0, "sad")):
        found.add(time_s, [face()], Feeling(mood, 0.5, 0.0, [0.0] * 7, 1))
    assert found.felt_s == {"happy": 1.0, "undecided": 0.5, "sad": 1.0}


def test_flaws_and_unsure_faces_are_counted_and_shown():
    found = Findings("<film>", "net")
    for i in range(4):
        faces = [face(unsure=i == 0, quality=("dark",) if i < 2 else ())]
        found.add(i / 10, faces, Feeling(None, 0.0, 0.0, [0.0] * 7, 1))
    page = Outline(report.html(found, zoo.read_card("xrs-fer2013")))
    said = [text for text in page.said if text.strip()]
    assert said[said.index("Unsure", said.index("Confidence and quality")) + 1] == "25.0%"
    assert said[said.index("Picture too dark") + 1] == "50.0%"
    assert "<film>" in said  # escaped, and so still text


def test_a_network_is_told_by_the_labels_it_was_trained_for():
    found = Findings("film", "net")
    found.add(0.0, [face()], Feeling(None, 0.0, 0.0, [0.0] * 7, 1))
    card = zoo.read_card("xrs-ferplus-pruned")
    own = card["figures"]["PublicTest ferplus"]
    assert f"On {own['images']} photographs (FER2013 PublicTest, labels of FER+)" in report.html(found, card)
    assert f"{own['accuracy']:.1%} (95 % interval" in report.html(found, card)


def test_every_emotion_has_the_colours_of_the_monitor():
    style = (Path(report.__file__).parent / "web/monitor.css").read_text("utf-8")
    for emotion, (light, dark) in report.COLOURS.items():
        assert re.findall(rf"--{emotion}: (#[0-9a-f]{{6}})", style) == [dark, light]


# ---- two beside each other ---------------------------------------------------------------------------


def write_result(folder, argmaxes, mood="happy"):
    folder.mkdir()
    with (folder / "readings.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["time_s", "frame", "face", *EMOTIONS, "argmax", "mood", "unsure"])
        for i, argmax in enumerate(argmaxes):
            scores = [float(e == argmax) for e in EMOTIONS] if argmax else [""] * 7
            rows.writerow([f"{i / 10:.3f}", i, 1 if argmax else "", *scores, argmax or "", mood, False])
            if argmax:  # another face, which is not attended to
                rows.writerow([f"{i / 10:.3f}", i, 2, *scores, "angry", mood, False])
    (folder / "episodes.csv").write_text("start_s,end_s,emotion,confidence\n0.000,0.300,happy,0.8000\n")


def test_two_results_are_compared_picture_by_picture(tmp_path):
    write_result(tmp_path / "a", ["happy", "happy", "sad", "sad", None])
    write_result(tmp_path / "b", ["happy", "sad", "sad", "sad", None], mood="")
    result = replay("compare", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "a and b name the same emotion in 80.0% of 5 pictures (Cohen's kappa 0.69)" in result.output
    assert "the same mood in 0.0%" in result.output
    rows = {row.pop("a \\ b"): row for row in table(tmp_path / "out/agreement.csv")}
    assert (rows["happy"]["happy"], rows["happy"]["sad"], rows["sad"]["sad"]) == ("1", "1", "2")
    assert rows["no face"]["no face"] == "1"
    page = Outline((tmp_path / "out/compare.html").read_text("utf-8"))
    assert page.asked == [] and page.tags.count("svg") == 4


def test_results_of_different_pictures_are_not_compared(tmp_path):
    write_result(tmp_path / "a", ["happy"])
    write_result(tmp_path / "b", ["happy", "sad"])
    result = replay("compare", tmp_path / "a", tmp_path / "b", "--out", tmp_path / "out")
    assert result.exit_code == 2 and "are not of the same pictures" in result.output
    result = replay("compare", tmp_path / "a", tmp_path / "c", "--out", tmp_path / "out")
    assert result.exit_code == 2 and "must be a folder that replay wrote" in result.output


@needs_media
def test_two_networks_are_compared_on_one_film(tmp_path):
    names = ("xrs-fer2013", "xrs-ferplus")
    result = replay("compare", *names, "--source", MEDIA / "single_face.mp4", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "name the same emotion in" in result.output and "of 72 pictures" in result.output
    assert all((tmp_path / name / "report.html").exists() for name in names)


# ---- sources -----------------------------------------------------------------------------------------


def test_a_webcam_that_is_not_there_is_a_sentence(tmp_path):
    result = replay("webcam:97", "--out", tmp_path)
    assert result.exit_code == 2
    assert "webcam 97 cannot be opened" in result.output


def test_a_cameras_pictures_have_the_times_at_which_they_come(tmp_path):
    shots = list(film._webcam(str(write_film(tmp_path / "film.mkv", [0.0, 1.0, 2.0]))).shots)
    assert [shot.rgb.shape for shot in shots] == [(64, 96, 3)] * 3
    assert 0 <= shots[0].time_s < shots[1].time_s < shots[2].time_s < 60


def test_no_more_is_read_than_the_seconds_that_were_asked_for(tmp_path):
    movie = write_film(tmp_path / "film.mkv", [i / 10 for i in range(30)])
    assert replay(movie, "--out", tmp_path / "out", "--seconds", "1", "--no-film").exit_code == 0
    assert len(table(tmp_path / "out/readings.csv")) == 11


def test_pictures_are_decoded_no_further_ahead_than_a_few_and_its_errors_reach_the_reader():
    made = []

    def source():
        for i in range(100):
            made.append(i)
            yield np.zeros((2, 2))
        raise film.FilmError("broken")

    ahead = film.ahead(source())
    next(ahead)
    until_s = time.monotonic() + 10
    while len(made) < film.DEPTH + 2 and time.monotonic() < until_s:
        pass
    assert len(made) <= film.DEPTH + 2
    with pytest.raises(film.FilmError, match="broken"):
        list(ahead)
    assert len(made) == 100


def test_what_goes_wrong_behind_is_raised_before():
    def work(item):
        raise OSError(28, "No space left on device")

    behind = film.Behind(work)
    with pytest.raises(OSError, match="No space left"):
        for i in range(10 * film.DEPTH):
            behind.add(i)
    with pytest.raises(OSError, match="No space left"):
        behind.close()
