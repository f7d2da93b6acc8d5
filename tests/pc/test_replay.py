"""Replay: recorded pictures come out as tables and a film, with the times of the file, whatever it holds."""

import csv
import socket
import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from behaviors.mood import Feeling
from config.contract import EMOTIONS, Face
from inference_server.__main__ import main
from inference_server.film import annotated, open_source
from inference_server.replay import COLUMNS

MEDIA = Path(__file__).parents[3] / "shared" / "media"
needs_media = pytest.mark.skipif(not MEDIA.is_dir(), reason=f"no real faces to look at: {MEDIA} is absent")

# A matrix of a QuickTime track header (tkhd): as it is, and with the flag "turn by 90 degrees clockwise".
UPRIGHT = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
TURNED = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)


def write_film(path, times_s, size=(96, 64)):
    """A film of gray pictures, the n-th at times_s[n]; its left upper corner is white."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.gop_size = 25
        for i, time_s in enumerate(times_s):
            rgb = np.full((size[1], size[0], 3), 40 + i % 100, np.uint8)
            rgb[: size[1] // 2, : size[0] // 2] = 255
            picture = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            picture.pts, picture.time_base = round(time_s * 1000), Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def replay(source, out, *more):
    return CliRunner().invoke(main, ["replay", str(source), "--out", str(out), *more])


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def pictures(path):
    with av.open(str(path)) as film:
        return [(frame.time, frame.to_ndarray(format="rgb24")) for frame in film.decode(video=0)]


# ---- real faces --------------------------------------------------------------------------------------


@needs_media
def test_a_clip_becomes_tables_a_film_and_a_summary(tmp_path):
    result = replay(MEDIA / "single_face.mp4", tmp_path)
    assert result.exit_code == 0, result.output
    rows = table(tmp_path / "readings.csv")
    assert list(rows[0]) == list(COLUMNS)
    assert [int(row["frame"]) for row in rows] == list(range(72))
    assert {row["face"] for row in rows} == {"1"}
    assert float(rows[30]["time_s"]) == pytest.approx(1.0, abs=0.002)
    assert all(sum(float(row[e]) for e in EMOTIONS) == pytest.approx(1, abs=1e-3) for row in rows)
    assert all(row["argmax"] == max(EMOTIONS, key=lambda e: float(row[e])) for row in rows)
    moods = [row["mood"] for row in rows]
    assert "happy" in moods
    episodes = table(tmp_path / "episodes.csv")
    assert [e["emotion"] for e in episodes] == list(dict.fromkeys(mood for mood in moods if mood))
    assert all(float(e["start_s"]) < float(e["end_s"]) and 0 < float(e["confidence"]) <= 1 for e in episodes)
    film = pictures(tmp_path / "annotated.mp4")
    assert len(film) == 72
    assert film[30][0] == pytest.approx(1.0, abs=0.002)
    assert film[0][1].shape == (360, 640, 3)
    assert "72 pictures in 2.4 s, a face in 100.0% of them" in (tmp_path / "summary.txt").read_text()
    assert (tmp_path / "summary.txt").read_text() in result.output


@needs_media
def test_where_there_is_no_face_there_is_no_mood(tmp_path):
    assert replay(MEDIA / "face_noface.mov", tmp_path).exit_code == 0
    late = [row for row in table(tmp_path / "readings.csv") if int(row["frame"]) > 110]
    assert len(late) == 169 - 111  # one row a picture, also without a face
    assert {(row["face"], row["x"], row["happy"], row["argmax"], row["mood"]) for row in late} == {("",) * 5}


@needs_media
def test_a_single_image_becomes_an_annotated_image(tmp_path):
    result = replay(MEDIA / "single_face.jpg", tmp_path)
    assert result.exit_code == 0
    assert "faces by their highest score: happy 1" in result.output
    assert cv2.imread(str(tmp_path / "annotated.jpg")).shape == (562, 572, 3)
    assert not (tmp_path / "annotated.mp4").exists()
    (row,) = table(tmp_path / "readings.csv")
    assert row["argmax"] == "happy"


def test_the_emotion_stands_in_white_over_the_face_and_the_mood_in_the_corner():
    gray = np.full((240, 320, 3), 120, np.uint8)
    face = Face(1, [100.0, 80.0, 90.0, 110.0], 0.99, [0.9, 0.1, 0, 0, 0, 0, 0])
    shown = annotated(gray, [face], Feeling("happy", 0.8, 0.0, [0.8] + [0] * 6, 1))
    white = (shown > 200).all(-1)
    assert white[60:80, 100:200].any()  # over the box
    assert white[80:190, 100].all()  # its left side
    assert white[220:, :160].any()
    assert (gray == 120).all()  # the original is left alone
    bare = annotated(gray, [], Feeling(None, 0.0, 0.0, None, None))
    assert not (bare > 200).all(-1)[:200].any()


def test_a_face_that_reaches_over_the_rim_can_be_drawn():
    for box in ([-50, -50, 80, 80], [90, 60, 80, 80], [-10, -10, 300, 300]):
        face = Face(1, [float(v) for v in box], 0.9, [1, 0, 0, 0, 0, 0, 0])
        assert annotated(np.zeros((64, 96, 3), np.uint8), [face], Feeling(None, 0, 0, None, None)).any()


# ---- times, turns, folders ---------------------------------------------------------------------------


def test_times_are_those_of_the_file_also_when_they_are_uneven(tmp_path):
    times_s = [0.0, 0.04, 0.5, 0.51, 2.0, 2.25]
    film = write_film(tmp_path / "uneven.mkv", times_s)
    assert replay(film, tmp_path / "out").exit_code == 0
    assert [float(row["time_s"]) for row in table(tmp_path / "out/readings.csv")] == times_s
    written = [time_s for time_s, _ in pictures(tmp_path / "out/annotated.mp4")]
    assert written == pytest.approx(times_s, abs=0.001)


def test_times_count_from_the_first_picture(tmp_path):
    film = write_film(tmp_path / "late.mkv", [5.0, 5.5, 6.0])
    assert replay(film, tmp_path / "out").exit_code == 0
    assert [row["time_s"] for row in table(tmp_path / "out/readings.csv")] == ["0.000", "0.500", "1.000"]


def test_a_film_that_lies_on_its_side_is_set_upright(tmp_path):
    film = write_film(tmp_path / "phone.mp4", [0.0, 0.1])
    data = film.read_bytes()
    header = data.index(b"tkhd")
    at = data.index(UPRIGHT, header)
    film.write_bytes(data[:at] + TURNED + data[at + len(TURNED) :])
    (first, *_) = list(open_source(film).shots)
    assert first.rgb.shape == (96, 64, 3)
    assert first.rgb[5, 60].min() > 240  # the white corner was upper left; clockwise it is upper right
    assert first.rgb[5, 5].max() < 100


@pytest.mark.parametrize("form", ["yuv420p", "yuvj420p", "rgb24"])
def test_gray_is_that_of_the_colours_and_the_same_where_none_are_asked_for(tmp_path, form):
    film = tmp_path / "film.mkv"
    with av.open(str(film), "w") as container:
        codec = "libx264rgb" if form == "rgb24" else "libx264"
        stream = container.add_stream(codec, rate=10, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 70, 50, form
        shade = np.tile(np.linspace(0, 255, 70).astype(np.uint8), (50, 1))
        frame = av.VideoFrame.from_ndarray(np.dstack([shade] * 3), format="rgb24")
        container.mux([*stream.encode(frame.reformat(format=form)), *stream.encode()])
    (colour,), (plain,) = (list(open_source(film, colour=wanted).shots) for wanted in (True, False))
    assert np.array_equal(plain.gray, colour.gray) and plain.rgb is None
    assert np.abs(colour.gray.astype(int) - cv2.cvtColor(colour.rgb, cv2.COLOR_RGB2GRAY)).max() <= 2
    assert colour.gray.min() <= 2 and colour.gray.max() >= 253


def test_a_folder_of_images_is_read_in_the_order_of_numbers_and_one_broken_image_stops_nothing(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in (10, 9, 2):
        cv2.imwrite(str(folder / f"shot{number}.png"), np.full((40 + number, 60, 3), number, np.uint8))
    (folder / "shot3.jpg").write_bytes(b"\xff\xd8 broken")
    (folder / "notes.txt").write_text("not an image")
    shots = list(open_source(folder, rate_hz=2.0).shots)
    assert [shot.time_s for shot in shots] == [0.0, 0.5, 1.0, 1.5]
    assert [None if shot.rgb is None else shot.rgb.shape[0] for shot in shots] == [42, None, 49, 50]
    result = replay(folder, tmp_path / "out", "--rate", "2")
    assert result.exit_code == 0
    assert "3 pictures in 1.5 s, a face in 0.0% of them; 1 more could not be read" in result.output
    assert [row["frame"] for row in table(tmp_path / "out/readings.csv")] == ["0", "2", "3"]
    assert {image.shape for _, image in pictures(tmp_path / "out/annotated.mp4")} == {(42, 60, 3)}


def test_an_odd_size_can_be_written_as_a_film(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for i in range(2):
        cv2.imwrite(str(folder / f"{i}.png"), np.zeros((45, 61, 3), np.uint8))
    assert replay(folder, tmp_path / "out").exit_code == 0
    assert pictures(tmp_path / "out/annotated.mp4")[0][1].shape == (46, 62, 3)


def test_garbage_in_the_middle_of_a_film_costs_pictures_but_not_the_replay(tmp_path):
    film = write_film(tmp_path / "film.ts", [i / 25 for i in range(200)])
    data = bytearray(film.read_bytes())
    start, end = len(data) // 3, len(data) // 3 + 4000
    data[start:end] = np.random.default_rng(3).bytes(end - start)
    film.write_bytes(data)
    result = replay(film, tmp_path / "out")
    assert result.exit_code == 0, result.output
    times_s = [float(row["time_s"]) for row in table(tmp_path / "out/readings.csv")]
    assert times_s[-1] > 7
    assert times_s == sorted(times_s)


def test_a_film_that_was_cut_off_is_read_to_where_it_ends(tmp_path):
    film = write_film(tmp_path / "film.mkv", [i / 25 for i in range(100)])
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 3])
    assert replay(film, tmp_path / "out").exit_code == 0
    assert 1 < len(table(tmp_path / "out/readings.csv")) < 100


def test_what_lay_in_the_folder_from_before_does_not_mix_with_what_is_new(tmp_path):
    film = write_film(tmp_path / "film.mkv", [0.0, 0.1])
    (tmp_path / "out").mkdir()
    (tmp_path / "out/annotated.jpg").write_bytes(b"old")
    (tmp_path / "out/mine.txt").write_text("kept")
    assert replay(film, tmp_path / "out").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("annotated.mp4", "episodes.csv", "mine.txt", "readings.csv", "summary.txt")
    ]


# ---- bad input ---------------------------------------------------------------------------------------


def sound(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        samples.sample_rate = 8000
        container.mux(stream.encode(samples))
        container.mux(stream.encode())


def no_frames(path):
    """A film whose header is whole and whose pictures are all zeros."""
    write_film(path, [i / 25 for i in range(50)])
    data = path.read_bytes()
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    path.write_bytes(data[:start] + bytes(end - start) + data[end:])


@pytest.mark.parametrize(
    ("name", "make", "sentence"),
    [
        ("nothing.mp4", lambda path: None, "nothing.mp4 does not exist."),
        ("empty.mp4", lambda path: path.write_bytes(b""), "empty.mp4 is neither a film nor an image"),
        ("text.txt", lambda path: path.write_text("hello\n" * 50), "text.txt is neither a film nor an image"),
        ("text.mp4", lambda path: path.write_text("hello\n" * 50), "text.mp4 is neither a film nor an image"),
        (
            "text.png",
            lambda path: path.write_text("hello"),
            "text.png is not an image, whatever its name says.",
        ),
        ("sound.mka", sound, "sound.mka has no video in it."),
        ("zeros.mp4", no_frames, "zeros.mp4 holds no picture that could be decoded."),
        ("folder", lambda path: path.mkdir(), "folder holds no images (jpg, jpeg, png"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value and " " not in value else "",
)
def test_bad_input_is_one_sentence_and_exit_code_2(tmp_path, name, make, sentence):
    make(tmp_path / name)
    result = replay(tmp_path / name, tmp_path / "out")
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output
    assert len(result.output.strip().splitlines()) == 1, result.output


def test_a_list_that_names_an_address_fetches_nothing(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        address = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/a.ts"
        (tmp_path / "list.m3u8").write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{address}\n")
        result = replay(tmp_path / "list.m3u8", tmp_path / "out")
        assert result.exit_code == 2
        assert "list.m3u8 is neither a film nor an image" in result.output
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    film = write_film(tmp_path / "film.mkv", [0.0, 0.1])
    (tmp_path / "file").write_text("in the way")
    result = replay(film, tmp_path / "file")
    assert result.exit_code == 2
    assert result.output.strip() == f"{tmp_path / 'file'}: File exists."
