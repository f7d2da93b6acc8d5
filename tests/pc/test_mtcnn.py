"""MTCNN finds the faces that are there, says nothing where there are none, and takes no altered weights."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from models import mtcnn, mtcnn_nets
from models.mtcnn import Detector
from models.mtcnn_nets import O_NET, P_NET, R_NET, ModelError, installed_weights, read_weights, window_graph

MEDIA = Path(__file__).parents[3] / "shared" / "media"
needs_media = pytest.mark.skipif(not MEDIA.is_dir(), reason=f"no real faces to look at: {MEDIA} is absent")


@pytest.fixture(scope="module")
def detector():
    return Detector()


@pytest.fixture
def portrait():
    """One smiling man, 572 x 562 px, his face about [185, 145, 190, 262]."""
    return cv2.imread(str(MEDIA / "single_face.jpg"), cv2.IMREAD_GRAYSCALE)


@pytest.fixture
def weights(tmp_path):
    """A copy of the weights that may be spoilt."""
    shutil.copytree(installed_weights(), tmp_path / "weights")
    return tmp_path / "weights"


def frames(name, step=1):
    with av.open(str(MEDIA / name)) as film:
        for i, frame in enumerate(film.decode(video=0)):
            if i % step == 0:
                yield i, frame.to_ndarray(format="gray")


def overlap(a_px, b_px):
    """Intersection over union of two [x, y, width, height]."""
    wide = min(a_px[0] + a_px[2], b_px[0] + b_px[2]) - max(a_px[0], b_px[0])
    high = min(a_px[1] + a_px[3], b_px[1] + b_px[3]) - max(a_px[1], b_px[1])
    shared = max(0, wide) * max(0, high)
    return shared / (a_px[2] * a_px[3] + b_px[2] * b_px[3] - shared)


# ---- real faces --------------------------------------------------------------------------------------


@needs_media
def test_of_the_29_faces_of_solvay_1927_at_least_27_are_found_and_next_to_nothing_else(detector):
    found = detector.detect(cv2.imread(str(MEDIA / "solvay1927.jpg"), cv2.IMREAD_GRAYSCALE))
    faces = [face for face in found if face.score > 0.9]  # one pair of hands is taken for a face, with 0.8
    assert 27 <= len(faces) <= 29
    assert len(found) <= len(faces) + 1
    assert all(overlap(a.box_px, b.box_px) < 0.2 for a in faces for b in faces if a is not b)
    areas = [face.box_px[2] * face.box_px[3] for face in found]
    assert areas == sorted(areas, reverse=True)


@needs_media
def test_box_and_landmarks_lie_on_the_face(detector, portrait):
    (face,) = detector.detect(portrait)
    assert overlap(face.box_px, [185, 145, 190, 262]) > 0.85
    assert face.score > 0.99
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks_px
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


@needs_media
@pytest.mark.parametrize("scale", [0.25, 0.5, 1.5])
def test_a_face_is_found_where_it_is_at_any_size(detector, portrait, scale):
    (whole,) = detector.detect(portrait)
    (face,) = detector.detect(cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    assert overlap([v / scale for v in face.box_px], whole.box_px) > 0.85


@needs_media
def test_a_face_that_is_cut_by_the_rim_is_found_and_its_box_reaches_over_it(detector, portrait):
    (face,) = detector.detect(portrait[170:])  # without the forehead
    assert face.box_px[1] < 0


@needs_media
def test_a_face_in_every_frame_of_a_clip_also_behind_a_hand(detector):
    counts = [len(detector.detect(image)) for _, image in frames("WolfgangLanger_Pexels.mp4", step=6)]
    assert np.mean(np.array(counts) == 1) >= 0.99


@needs_media
def test_no_face_where_there_is_none(detector):
    counts = {i: len(detector.detect(image)) for i, image in frames("face_noface.mov", step=4)}
    assert all(count == 1 for i, count in counts.items() if i < 70)
    assert all(count == 0 for i, count in counts.items() if i > 76)


@needs_media
def test_the_smallest_face_looked_for_is_a_choice(portrait):
    small = cv2.resize(portrait, None, fx=0.1, fy=0.1, interpolation=cv2.INTER_AREA)  # a face of about 26 px
    small = cv2.copyMakeBorder(small, 50, 50, 50, 50, cv2.BORDER_REPLICATE)
    assert not Detector(min_face_px=60).detect(small)
    assert len(Detector(min_face_px=20).detect(small)) == 1


@needs_media
def test_threads_that_share_a_detector_find_the_same(detector, portrait):
    pictures = [portrait, portrait[:400, :500], portrait, portrait[:400, :500]]
    alone = [detector.detect(picture)[0].box_px for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = [found[0].box_px for found in pool.map(detector.detect, pictures)]
    assert together == alone


@needs_media
def test_a_face_is_confirmed_where_it_is_and_nowhere_else(detector, portrait):
    (face,) = detector.detect(portrait)
    x, y, width, height = face.box_px
    near, away = [x + 0.1 * width, y, width, height], [x - 1.5 * width, y, width, height]
    here, moved, nowhere, outside = detector.confirm(portrait, [face.box_px, near, away, [900, 900, 80, 80]])
    assert overlap(here.box_px, face.box_px) > 0.9
    assert overlap(moved.box_px, face.box_px) > 0.85
    assert nowhere is None
    assert outside is None


@needs_media
def test_a_face_that_is_known_is_not_looked_for(detector, portrait):
    two = cv2.resize(np.hstack([portrait, portrait]), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    one, other = detector.detect(two)
    (found,) = detector.detect(two, [one.box_px])
    assert overlap(found.box_px, other.box_px) > 0.95
    assert detector.detect(two, [one.box_px, other.box_px]) == []


@needs_media
@pytest.mark.parametrize("thresholds", mtcnn.THRESHOLDS)
def test_each_set_of_thresholds_finds_the_man(portrait, thresholds):
    assert len(Detector(thresholds=thresholds).detect(portrait)) == 1


# ---- pictures without faces --------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (12, 12), (39, 640), (40, 40), (97, 131), (480, 640)])
def test_any_size_is_taken_and_noise_is_no_face(detector, shape):
    noise = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    assert detector.detect(noise) == []
    assert detector.detect(np.full(shape, 127, np.uint8)) == []


def test_a_picture_of_another_kind_is_refused_with_what_came(detector):
    with pytest.raises(
        ValueError, match=r"must be gray, uint8 of shape \(H, W\); float64 of shape \(9, 9\) came"
    ):
        detector.detect(np.zeros((9, 9)))
    with pytest.raises(ValueError, match=r"uint8 of shape \(9, 9, 3\) came"):
        detector.confirm(np.zeros((9, 9, 3), np.uint8), [])


# ---- the parts ---------------------------------------------------------------------------------------


def test_the_pyramid_begins_at_the_smallest_face_and_ends_before_the_window_outgrows_the_picture():
    sizes = mtcnn.level_sizes(480, 640, 40)
    assert sizes[0] == (144, 192)
    assert min(sizes[-1]) >= 12
    assert min(sizes[-1]) * 0.709 < 12
    assert mtcnn.level_sizes(30, 640, 40) == ()


def test_windows_tile_the_picture_from_corner_to_corner():
    windows, level = mtcnn.level_windows(480, 640, mtcnn.level_sizes(480, 640, 40))
    assert np.allclose(windows[0], [0, 0, 40, 40])
    assert np.allclose(windows[1] - windows[0], [20 / 3, 0, 20 / 3, 0])
    assert (windows[:, 2] <= 640 * 1.15).all()
    assert (windows[:, 3] <= 480 * 1.15).all()
    assert (np.diff(level) >= 0).all()


@pytest.mark.parametrize(
    ("second", "limit", "suppress", "kept"),
    [
        ([0, 0, 10, 10], 0.5, mtcnn.suppress, 1),
        ([5, 0, 15, 10], 0.5, mtcnn.suppress, 2),  # a third of the union
        ([5, 0, 15, 10], 0.3, mtcnn.suppress, 1),
        ([4, 4, 6, 6], 0.5, mtcnn.suppress, 2),  # inside, but small
        ([4, 4, 6, 6], 0.5, mtcnn.suppress_parts, 1),
        ([20, 20, 30, 30], 0.0, mtcnn.suppress, 2),
    ],
    ids=["same", "third", "third-strict", "inside", "inside-of-smaller", "apart"],
)
def test_the_weaker_of_two_boxes_goes_when_they_share_too_much(second, limit, suppress, kept):
    boxes = np.array([second, [0, 0, 10, 10]], np.float32)
    rows = suppress(boxes, np.array([0.2, 0.9]), limit)
    assert rows[0] == 1  # the best comes first
    assert len(rows) == kept


def test_boxes_of_two_levels_leave_each_other_alone():
    boxes, scores = np.array([[0, 0, 10, 10]] * 3, np.float32), np.array([-0.2, 0.9, 0.3])
    assert sorted(mtcnn.suppress(boxes, scores, 0.5, np.array([1, 0, 1]))) == [1, 2]
    assert len(mtcnn.suppress(boxes[:0], scores[:0], 0.5)) == 0


def test_a_square_keeps_the_middle_and_the_longer_side():
    assert mtcnn.squared(np.array([[0.0, 0.0, 4.0, 10.0]])).tolist() == [[-3, 0, 7, 10]]


def test_cutting_over_the_rim_gives_black_there():
    white = np.full((20, 20), 255, np.uint8)
    ((window,),) = mtcnn.cut(white, np.array([[-12.0, 0.0, 12.0, 24.0]]), 24)
    assert window[:, :12].max() == 0
    assert window[:20, 12:].min() == 255
    assert window[20:].max() == 0
    assert mtcnn.cut(white, np.array([[50.0, 50.0, 74.0, 74.0]]), 24).max() == 0


# ---- weights -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("net", [P_NET, R_NET, O_NET], ids=lambda net: net.file)
def test_the_arrays_are_read_from_where_joblib_finds_them(net, weights):
    """The table of offsets against the library that wrote the files."""
    joblib = pytest.importorskip("joblib")
    theirs = joblib.load(weights / net.file)
    ours = read_weights(net, weights)
    kernel, bias, slopes = ours[1]
    assert np.array_equal(kernel, theirs[3].transpose(3, 2, 0, 1))
    assert np.array_equal(bias, theirs[4])
    assert np.array_equal(slopes.ravel(), theirs[5].ravel())
    heads_kernel, heads_bias = ours[-1]
    box, score = len(net.layers) * 3, len(theirs) - 2  # box first, face last, landmarks between
    assert np.array_equal(heads_kernel[1:5, :, 0, 0], theirs[box].reshape(-1, 4).T)
    assert np.array_equal(heads_bias[1:5], theirs[box + 1])
    face = theirs[score].reshape(-1, 2)
    assert np.allclose(heads_kernel[0, :, 0, 0], face[:, 1] - face[:, 0])
    if net.landmarks:
        assert np.array_equal(heads_kernel[5:, :, 0, 0], theirs[box + 2].T)


@pytest.mark.parametrize("net", [P_NET, R_NET, O_NET], ids=lambda net: net.file)
def test_what_the_graphs_say_without_prelu_is_what_prelu_says(net):
    arrays = read_weights(net, installed_weights())
    windows = np.random.default_rng(1).integers(0, 256, (3, 1, net.side_px, net.side_px), np.uint8)
    session = onnxruntime.InferenceSession(window_graph(net, arrays).SerializeToString())
    ours = session.run(None, {"windows": windows})[0]
    assert np.abs(ours - with_prelu(net, arrays, windows)).max() < 1e-4


def with_prelu(net, arrays, windows):
    """The network straight from its table, by ONNX's own PRelu: (N, 5 or 15)."""
    node, last, steps = helper.make_node, "x", []
    for i, layer in enumerate(net.layers):
        steps += [
            node("Conv", [last, f"k{i}", f"b{i}"], [f"c{i}"]),
            node("PRelu", [f"c{i}", f"s{i}"], [f"p{i}"]),
        ]
        last = f"p{i}"
        if layer.pool:
            how = {"kernel_shape": [layer.pool] * 2, "strides": [2, 2], "ceil_mode": 1}
            steps.append(node("MaxPool", [last], [f"m{i}"], **how))
            last = f"m{i}"
    steps += [node("Conv", [last, "k", "b"], ["heads"]), node("Flatten", ["heads"], ["out"])]
    *layers, heads = arrays
    named = {
        f"{letter}{i}": a for i, layer in enumerate(layers) for letter, a in zip("kbs", layer, strict=True)
    }
    named |= dict(zip("kb", heads, strict=True))
    tensors = [numpy_helper.from_array(np.ascontiguousarray(a), name) for name, a in named.items()]
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, windows.shape)
    out = helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, None)
    graph = helper.make_graph(steps, "reference", [x], [out], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"x": windows.astype(np.float32)})[0]


def test_a_single_altered_byte_is_noticed(weights):
    data = bytearray((weights / "rnet.lz4").read_bytes())
    data[len(data) // 2] ^= 1
    (weights / "rnet.lz4").write_bytes(data)
    with pytest.raises(
        ModelError, match=r"rnet\.lz4 is not the file of mtcnn 1\.0\.0 .* install mtcnn 1\.0\.0"
    ):
        Detector(weights=weights)


def test_a_missing_file_is_named(weights):
    (weights / "onet.lz4").unlink()
    with pytest.raises(ModelError, match=r"onet\.lz4 cannot be read \(No such file or directory\)"):
        Detector(weights=weights)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(mtcnn_nets, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="the package `mtcnn`, which holds the weights, is missing"):
        Detector()
