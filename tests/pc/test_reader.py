"""From bytes to faces with scores: what is broken is named before it can harm, what is whole is read."""

import struct
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from config.contract import CODES, EMOTIONS, MAX_FACES, ContractError, Frame
from inference_server.decode import as_jpeg, decode, jpeg_size
from inference_server.reader import Reader, ReaderError
from inference_server.tracking import distance
from models import golden, zoo
from models.mtcnn import Detector, Found
from models.zoo import Entry

MEDIA = Path(__file__).parents[3] / "shared" / "media"
needs_media = pytest.mark.skipif(not MEDIA.is_dir(), reason=f"no real faces to look at: {MEDIA} is absent")


def frame(image, width=64, height=48, encoding="jpeg", seq=7):
    return Frame(seq, 12.5, width, height, encoding, "nao", None, None, None, image)


def jpeg(width=64, height=48, *parameters):
    """A picture with some structure, as a JPEG."""
    y, x = np.mgrid[:height, :width]
    bgr = np.stack([x * 3 % 256, y * 5 % 256, (x + y) % 256], -1).astype(np.uint8)
    return cv2.imencode(".jpg", bgr, list(parameters))[1].tobytes()


def says_it_is(width, height):
    """The JPEG above with another size written into its header."""
    image = bytearray(jpeg())
    at = image.index(b"\xff\xc0")
    image[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(image)


JPEG = jpeg()
PNG = cv2.imencode(".png", np.zeros((48, 64, 3), np.uint8))[1].tobytes()


# ---- the gate ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "code", "sentence"),
    [
        (b"", "bad_image", "a JPEG begins with ff d8; nothing came"),
        (b"\xff", "bad_image", "begins with ff d8; ff came"),
        (PNG, "bad_image", "begins with ff d8; 89 50 came"),
        (b"\xff\xd8", "bad_image", "ends or breaks before it names its size"),
        (b"\xff\xd8" + b"\x00" * 500, "bad_image", "ends or breaks before it names its size"),
        (b"\xff\xd8" + b"\xff" * 500, "bad_image", "ends or breaks before it names its size"),
        (b"\xff\xd8" + b"\xff\xe0\x00\x00" * 99, "bad_image", "ends or breaks before it names its size"),
        (JPEG[: JPEG.index(b"\xff\xc0") + 6], "bad_image", "ends or breaks before it names its size"),
        (says_it_is(32000, 32000), "too_large", "the JPEG is 32000 x 32000 px; at most 1280 x 960 px"),
        (says_it_is(1281, 48), "too_large", "the JPEG is 1281 x 48 px"),
        (says_it_is(640, 480), "bad_image", "the header says 64 x 48 px, the JPEG itself 640 x 480 px"),
        (says_it_is(64, 0), "bad_image", "the JPEG itself 64 x 0 px"),
        (JPEG[: len(JPEG) // 2], "bad_image", "is cut short"),
        (JPEG[:-2], "bad_image", "is cut short"),
        (JPEG[:-2] + JPEG[JPEG.index(b"\xff\xda") : -2] * 30 + JPEG[-2:], "bad_image", "more than 24 scans"),
        (JPEG[: JPEG.index(b"\xff\xda")] + b"\xff\xd9", "bad_image", "cannot be decoded"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_a_broken_jpeg_is_refused_with_a_sentence(image, code, sentence):
    with pytest.raises(ContractError) as caught:
        decode(frame(image))
    assert caught.value.code == code
    assert sentence in caught.value.text


@given(st.lists(st.tuples(st.integers(0, len(JPEG) - 1), st.integers(0, 255)), max_size=12))
def test_whatever_is_altered_in_a_jpeg_it_is_refused_or_has_the_size_it_was_declared_with(changes):
    image = bytearray(JPEG)
    for at, value in changes:
        image[at] = value
    try:
        picture = decode(frame(bytes(image)))
    except ContractError as error:
        assert error.code in CODES
    else:
        assert picture.shape == (48, 64)
        assert picture.dtype == np.uint8


@given(st.binary(max_size=300))
def test_any_bytes_after_the_magic_are_refused_or_name_a_size(tail):
    try:
        width, height = jpeg_size(b"\xff\xd8" + tail)
    except ContractError as error:
        assert error.code == "bad_image"
    else:
        assert 0 <= width < 65536
        assert 0 <= height < 65536


@pytest.mark.parametrize("progressive", [0, 1], ids=["baseline", "progressive"])
def test_a_whole_jpeg_comes_out_as_its_brightness(progressive):
    bgr = np.zeros((48, 64, 3), np.uint8)
    bgr[:, :32] = (0, 0, 255)  # red on the left
    image = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive])[1].tobytes()
    gray = decode(frame(image))
    assert abs(int(gray[24, 8]) - 76) < 4
    assert gray[24, 50] < 4


def test_a_gray_jpeg_is_taken_and_stray_bytes_before_its_end_are_forgiven():
    image = cv2.imencode(".jpg", np.full((48, 64), 99, np.uint8))[1].tobytes()
    assert decode(frame(image)).mean() == pytest.approx(99, abs=1)
    assert decode(frame(image[:-2] + b"\0\0" + image[-2:])).mean() == pytest.approx(99, abs=1)


def test_the_orientation_in_a_jpegs_exif_does_not_turn_the_picture():
    """Boxes are in the pixels that were declared."""
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + JPEG[2:]
    assert np.array_equal(decode(frame(turned)), decode(frame(JPEG)))


def test_yuv422_is_read_as_nao_sends_it():
    red, gray = bytes([76, 85, 76, 255]), bytes([128, 128, 128, 128])  # Y0 U Y1 V
    assert decode(frame(red + gray, 4, 1, "yuv422")).tolist() == [[76, 76, 128, 128]]
    tiles = frame((red * 16 + gray * 16) * 16, 64, 16, "yuv422")
    shown = cv2.imdecode(np.frombuffer(as_jpeg(tiles), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(shown[8, 8].astype(int) - (0, 0, 255)).max() <= 6  # OpenCV has blue first
    assert np.ptp(shown[8, 56]) <= 2


def test_yuv422_of_an_odd_width_is_refused():
    with pytest.raises(ContractError, match="pairs of pixels; a width of 3 px came") as caught:
        decode(frame(bytes(6), 3, 1, "yuv422"))
    assert caught.value.code == "bad_image"


def test_gray8_is_taken_as_it_is():
    image = bytes(range(12))
    assert decode(frame(image, 4, 3, "gray8")).tobytes() == image


@pytest.mark.parametrize("encoding", ["jpeg", "yuv422", "gray8"])
def test_every_encoding_can_be_shown_by_a_browser(encoding):
    image = {"jpeg": JPEG, "yuv422": bytes(64 * 48 * 2), "gray8": bytes(64 * 48)}[encoding]
    shown = as_jpeg(frame(image, encoding=encoding))
    assert jpeg_size(shown) == (64, 48)
    assert cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_COLOR) is not None


# ---- the reader --------------------------------------------------------------------------------------


class Boxes:
    """Stands where the detector stands and finds what it was told; these tests are about what comes after."""

    def __init__(self, *boxes_px):
        self.found = [Found(box, 0.9, np.zeros((5, 2))) for box in boxes_px]

    def detect(self, gray, known_px=()):
        return self.found

    def confirm(self, gray, boxes_px):
        return [next((f for f in self.found if distance(f.box_px, b) < 0.5), None) for b in boxes_px]


def network(path, *nodes, outputs=7, **constants):
    """A made-up network: `mean` (N, 1) of each face in 0..1 is there for the nodes, which give `scores`."""
    flat = [
        helper.make_node("ReduceMean", ["faces"], ["level"], axes=[2, 3], keepdims=0),
        helper.make_node("Div", ["level", "white"], ["mean"]),
    ]
    arrays = {"white": [[255.0]], **constants}
    tensors = [onnx.numpy_helper.from_array(np.array(a, np.float32), name) for name, a in arrays.items()]
    faces = helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["N", 1, 48, 48])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", outputs])
    graph = helper.make_graph([*flat, *nodes], "made-up", [faces], [scores], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return Entry("made-up", path, {"crop_margin": 1.0})


@pytest.fixture
def bright_is_happy(tmp_path):
    """Scores: happy as bright as the face is, angry the rest."""
    return network(
        tmp_path / "model.onnx",
        helper.make_node("MatMul", ["mean", "happy"], ["part"]),
        helper.make_node("Add", ["part", "angry"], ["scores"]),
        happy=[[1, -1, 0, 0, 0, 0, 0]],
        angry=[[0, 1, 0, 0, 0, 0, 0]],
    )


def test_each_face_is_scored_by_its_own_pixels_in_one_go(bright_is_happy):
    gray = np.zeros((100, 200), np.uint8)
    gray[:, 100:] = 204
    reader = Reader(Boxes([110, 10, 80, 80], [10, 10, 80, 80]), bright_is_happy)
    reading = reader.read(frame(gray.tobytes(), 200, 100, "gray8"), "nao-1", 1.0)
    assert (reading.seq, reading.taken_s, reading.model, reading.error) == (7, 12.5, "made-up", None)
    assert [face.box_px for face in reading.faces] == [[110, 10, 80, 80], [10, 10, 80, 80]]
    assert np.allclose([face.scores[:2] for face in reading.faces], [[0.8, 0.2], [0, 1]], atol=1e-5)
    assert set(reading.timings_ms) == {"decode", "detect", "crop", "score"}
    assert all(ms >= 0 for ms in reading.timings_ms.values())


def test_the_margin_of_the_crop_is_the_cards_unless_one_is_given(bright_is_happy):
    gray = np.zeros((100, 100), np.uint8)
    gray[25:75, 25:75] = 255  # the box is half of it, its crop at margin 2 all
    box = Boxes([25, 25, 50, 50])

    def happy(margin):
        return (
            Reader(box, bright_is_happy, margin).read(frame(gray.tobytes(), 100, 100, "gray8"), "n", 0).faces[0]
        )

    assert happy(None).scores[0] == pytest.approx(1, abs=1e-3)
    assert happy(2.0).scores[0] == pytest.approx(0.25, abs=0.03)


def test_each_robot_has_its_own_numbers_and_forgets_them_when_it_is_gone(bright_is_happy):
    reader = Reader(Boxes([10, 10, 30, 30]), bright_is_happy)

    def face_id(robot_id, at_s):
        return reader.read(frame(bytes(64 * 48), encoding="gray8"), robot_id, at_s).faces[0].id

    assert [face_id("a", 1.0), face_id("b", 1.0), face_id("a", 1.1)] == [1, 1, 1]
    reader._detector.found = [Found([55, 10, 8, 8], 0.9, None)]
    assert face_id("a", 1.2) == 2
    reader.forget("a")
    assert face_id("a", 1.3) == 1


def test_no_more_faces_than_the_contract_takes(bright_is_happy):
    boxes = [[x * 2.0, y * 2.0, 9.0, 9.0] for x in range(10) for y in range(5)]
    reading = Reader(Boxes(*boxes), bright_is_happy).read(frame(bytes(64 * 48), encoding="gray8"), "nao-1", 0)
    assert len(reading.faces) == MAX_FACES


def test_a_picture_without_faces_has_none(bright_is_happy):
    reading = Reader(Detector(), bright_is_happy).read(frame(JPEG), "nao-1", 0.0)
    assert reading.faces == []
    assert reading.error is None


def test_a_broken_picture_is_answered_with_its_seq_and_a_sentence(bright_is_happy):
    reading = Reader(Boxes(), bright_is_happy).read(frame(JPEG[:300]), "nao-1", 0.0)
    assert (reading.seq, reading.taken_s) == (7, 12.5)
    assert reading.error[0] == "bad_image"


def test_numbers_that_are_not_finite_are_no_scores(tmp_path):
    """Nothing is wrong at the start; a black face makes this network divide by zero."""
    entry = network(
        tmp_path / "model.onnx",
        helper.make_node("Div", ["mean", "mean"], ["one"]),
        helper.make_node("MatMul", ["one", "share"], ["scores"]),
        share=[[1 / 7] * 7],
    )
    reader = Reader(Boxes([10, 10, 30, 30]), entry)
    reading = reader.read(frame(bytes(64 * 48), encoding="gray8"), "nao-1", 0.0)
    assert reading.faces == []
    assert reading.error == ("internal", "the network made-up gave numbers that are not finite.")
    assert reader.read(frame(bytes([99]) * (64 * 48), encoding="gray8"), "nao-1", 0.1).error is None


def test_a_network_that_breaks_its_promise_is_refused_at_the_start(tmp_path):
    three = network(
        tmp_path / "a.onnx", helper.make_node("MatMul", ["mean", "w"], ["scores"]), outputs=3, w=[[1] * 3]
    )
    with pytest.raises(ReaderError, match=r"must give 7 probabilities a face; shape \(2, 3\)"):
        Reader(Boxes(), three)
    loud = network(tmp_path / "b.onnx", helper.make_node("MatMul", ["mean", "w"], ["scores"]), w=[[1] * 7])
    with pytest.raises(ReaderError, match=r"with sums \[4\.1\d* 3\.5\d*\] came"):
        Reader(Boxes(), loud)
    (tmp_path / "c.onnx").write_bytes(b"not a network")
    with pytest.raises(ReaderError, match=r"c\.onnx is not a network of the zoo"):
        Reader(Boxes(), Entry("c", tmp_path / "c.onnx", {"crop_margin": 1.0}))


@pytest.mark.parametrize("name", zoo.names())
def test_every_network_says_of_the_drawn_face_what_its_card_says(name):
    entry = zoo.load(name)
    assert golden.differs(np.array(golden.scores(entry.onnx_path)), entry.card) is None
    assert "golden" in entry.card, f"python -c 'from models import golden; golden.renew({name!r})'"
    assert sum(entry.card["golden"]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("off", [0.002, float("nan")])
def test_a_network_that_says_something_else_of_the_drawn_face_than_its_card_is_refused(off):
    entry = zoo.load("xrs-fer2013")
    wrong = [entry.card["golden"][0] + off, *entry.card["golden"][1:]]
    with pytest.raises(ReaderError, match="says something else of the drawn face than its card"):
        Reader(Boxes(), entry._replace(card={**entry.card, "golden": wrong}))


def test_a_network_whose_weights_are_not_finite_is_refused_at_the_start(tmp_path):
    spoilt = network(
        tmp_path / "nan.onnx", helper.make_node("MatMul", ["mean", "w"], ["scores"]), w=[[float("nan")] * 7]
    )
    with pytest.raises(ReaderError, match="must give 7 probabilities a face"):
        Reader(Boxes(), spoilt)


@needs_media
@pytest.mark.parametrize("encoding", ["jpeg", "yuv422", "gray8"])
def test_the_smiling_man_is_happy_to_the_real_network_in_every_encoding(encoding):
    bgr = cv2.imread(str(MEDIA / "single_face.jpg"))
    height, width = bgr.shape[:2]
    image = {
        "jpeg": lambda: cv2.imencode(".jpg", bgr)[1].tobytes(),
        "yuv422": lambda: cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_YUY2).tobytes(),
        "gray8": lambda: cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY).tobytes(),
    }[encoding]()
    reader = Reader(Detector(), zoo.load("xrs-fer2013"))
    (face,) = reader.read(frame(image, width, height, encoding), "nao-1", 0.0).faces
    assert EMOTIONS[int(np.argmax(face.scores))] == "happy"
    assert sum(face.scores) == pytest.approx(1, abs=1e-4)
