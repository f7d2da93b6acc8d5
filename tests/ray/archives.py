"""A folder of films through a Ray cluster: what comes out is what one machine writes, also after breaks."""

import csv
import signal

import av
import pytest

from tests.bench import clips
from tests.ray.stage import PATIENCE_S, Head
from tests.whole.programs import Program

pytestmark = pytest.mark.timeout(1800)
FILMS, PICTURES = 40, 60  # so many that the first break comes long before the end
SAME = ("readings.csv", "episodes.csv", "report.html", "episodes.eaf", "episodes.vtt")


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A folder of short films, each another part of what there is to see."""
    folder, shown = tmp_path_factory.mktemp("films"), clips.find()
    for number in range(FILMS):
        one = shown[number % len(shown)]
        with av.open(str(folder / f"{number:02}.mkv"), "w") as file:
            stream = file.add_stream("mjpeg", rate=clips.FPS)
            stream.height, stream.width = one.pictures[0].shape[:2]
            stream.pix_fmt = "yuvj420p"
            for turn in range(PICTURES):
                picture = one.pictures[(3 * number + turn) % len(one.pictures)]
                frame = av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format="yuvj420p")
                frame.pts = turn
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
    return folder


def replay(*words) -> Program:
    return Program("inference_server", "replay", *words, "--no-film")


def test_forty_films_read_by_ray_and_broken_off_twice_are_to_the_byte_those_of_one_machine(films, tmp_path):
    with replay(films, "--out", tmp_path / "one") as program:
        assert program.wait(PATIENCE_S) == 0, program.said
    head, words = Head(cores=2), (films, "--out", tmp_path / "ray", "--backend", "ray")
    try:
        for number in (signal.SIGINT, signal.SIGKILL):
            with replay(*words, "--set", f"ray.address={head.address}") as program:
                for _ in range(5):
                    program.wait_for_line(f" {PICTURES} pictures, ", PATIENCE_S)
                program.end(number, PATIENCE_S)
                assert f"{FILMS} of {FILMS}" not in program.said, "it was through before it could be broken off"
        with replay(*words, "--set", f"ray.address={head.address}") as program:
            assert program.wait(PATIENCE_S) == 0, program.said
    finally:
        head.kill()
    before = [line for line in program.said.splitlines() if line.endswith(": done before")]
    assert len(before) >= 10
    folders = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert sorted(path.name for path in (tmp_path / "ray").iterdir()) == folders
    assert (tmp_path / "ray/overview.csv").read_bytes() == (tmp_path / "one/overview.csv").read_bytes()
    with (tmp_path / "ray/overview.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == FILMS and {row["pictures"] for row in rows} == {str(PICTURES)}
    for number in range(FILMS):
        for name in SAME:
            one, other = (tmp_path / which / f"{number:02}" / name for which in ("one", "ray"))
            assert one.exists() == other.exists(), other
            assert not one.exists() or one.read_bytes() == other.read_bytes(), other


def test_a_film_that_is_none_is_a_sentence_and_the_others_are_read(tmp_path):
    (tmp_path / "films").mkdir()
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / "films" / name).write_text("hello")
    with replay(tmp_path / "films", "--out", tmp_path / "out", "--backend", "ray") as program:
        assert program.wait(PATIENCE_S) == 1
    assert program.said.count("is neither a film nor an image") == 2
    assert "Traceback" not in program.said
