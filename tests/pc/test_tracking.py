"""Faces over time: who is who, found soon and cheaply, and never said to be there when they are gone."""

from pathlib import Path
from typing import NamedTuple, get_args

import av
import cv2
import numpy as np
import pytest

from config.settings import ReaderSettings
from inference_server.tracking import ATTEND, Tracks
from models.mtcnn import THRESHOLDS, Detector, Found

MEDIA = Path(__file__).parents[3] / "shared" / "media"
needs_media = pytest.mark.skipif(not MEDIA.is_dir(), reason=f"no real faces to look at: {MEDIA} is absent")
FPS = 15
EMPTY = np.zeros((480, 640), np.uint8)


class Person(NamedTuple):
    """Walks from x to x + speed * t, visible in the stretches of `seen_s`; one who is `front` hides others."""

    x: float
    speed: float = 0.0
    side: float = 80.0
    seen_s: tuple[tuple[float, float], ...] = ((0.0, 99.0),)

    def box_px(self, t_s):
        return [self.x + self.speed * t_s, 200.0, self.side, self.side]

    def is_seen(self, t_s):
        return any(begin <= t_s < end for begin, end in self.seen_s)


class Stage:
    """Stands where the detector stands: it sees people of whom it knows where they are. The larger hide others.

    As O-Net does, `confirm` finds a face that lies near where it is looked for.
    """

    def __init__(self, *people):
        self.people = people
        self.t_s = 0.0
        self.searches_s = []

    def visible(self):
        boxes = [p.box_px(self.t_s) for p in self.people if p.is_seen(self.t_s)]
        in_front = lambda a, b: a[2] > b[2] and abs(a[0] - b[0]) < 0.6 * a[2]  # noqa: E731
        return [Found(b, 0.99, None) for b in boxes if not any(in_front(a, b) for a in boxes)]

    def detect(self, gray, known_px=()):
        self.searches_s.append(self.t_s)
        return [f for f in self.visible() if all(abs(f.box_px[0] - k[0]) > 20 for k in known_px)]

    def confirm(self, gray, boxes_px):
        near = lambda box: [f for f in self.visible() if abs(f.box_px[0] - box[0]) < 0.4 * box[2]]  # noqa: E731
        return [min(near(box), key=lambda f: abs(f.box_px[0] - box[0]), default=None) for box in boxes_px]


def watch(stage, seconds, tracks=None, fps=FPS, begin_s=0.0):
    """[(time, faces)] of a robot that watches the stage."""
    tracks, seen = tracks or Tracks(), []
    for i in range(round(seconds * fps)):
        stage.t_s = begin_s + i / fps
        seen.append((stage.t_s, tracks.follow(stage, EMPTY, stage.t_s)))
    return seen


def ids(seen):
    """Every set of numbers in the order in which they came."""
    found = []
    for _, faces in seen:
        now = sorted(face.id for face in faces)
        if not found or found[-1] != now:
            found.append(now)
    return found


# ---- who is who --------------------------------------------------------------------------------------


def test_a_face_keeps_its_number_while_it_moves_and_a_new_one_gets_its_own():
    seen = watch(Stage(Person(50, speed=120), Person(520, seen_s=((1.0, 9.0),))), 3)
    assert ids(seen) == [[1], [1, 2]]


@pytest.mark.parametrize("hidden_s", [0.1, 0.5, 0.9])
def test_a_face_that_hides_for_a_moment_has_its_number_again(hidden_s):
    stage = Stage(Person(200, seen_s=((0, 1.0), (1.0 + hidden_s, 9.0))))
    assert ids(watch(stage, 3)) == [[1], [], [1]]


def test_a_face_that_was_away_for_longer_is_another_face():
    stage = Stage(Person(200, seen_s=((0, 1.0), (2.5, 9.0))))
    assert ids(watch(stage, 4)) == [[1], [], [2]]


def test_a_face_elsewhere_is_another_face():
    stage = Stage(Person(100, seen_s=((0, 1.0),)), Person(400, seen_s=((1.2, 9.0),)))
    assert ids(watch(stage, 3)) == [[1], [], [2]]


@pytest.mark.parametrize("speed", [80, 150, 300])
def test_two_who_cross_keep_their_numbers(speed):
    near, far = Person(40, speed, side=100), Person(500, -speed, side=75)
    seen = watch(Stage(near, far), 420 / speed)
    for t_s, faces in (seen[0], seen[-1]):
        numbers = {face.id: face.box_px for face in faces}
        assert numbers[1][0] == pytest.approx(near.box_px(t_s)[0], abs=8)
        assert numbers[2][0] == pytest.approx(far.box_px(t_s)[0], abs=8)
    assert {face.id for _, faces in seen for face in faces} == {1, 2}


def test_two_faces_never_share_a_number_nor_one_face_two():
    seen = watch(Stage(Person(40, 120, side=100), Person(500, -120, side=75)), 3)
    for _, faces in seen:
        assert len({face.id for face in faces}) == len(faces) <= 2
        assert len({round(face.box_px[0]) for face in faces}) == len(faces)


def test_another_size_of_picture_begins_anew():
    tracks, stage = Tracks(), Stage(Person(100))
    (first,) = tracks.follow(stage, EMPTY, 0.0)
    (second,) = tracks.follow(stage, np.zeros((240, 320), np.uint8), 0.1)
    assert (first.id, second.id) == (1, 2)


def test_a_clock_that_falls_back_or_jumps_does_no_harm():
    tracks, stage = Tracks(), Stage(Person(100))
    for at_s in (5.0, 5.0, 1.0, 1.1, 900.0, 900.1, -3.0):
        assert len(tracks.follow(stage, EMPTY, at_s)) == 1


# ---- when it searches --------------------------------------------------------------------------------


@pytest.mark.parametrize("fps", [5, 10, 15, 24, 30])
@pytest.mark.parametrize("comes_s", [1.0, 1.13, 1.29, 1.41])
def test_a_new_face_is_found_within_half_a_second_at_any_rate(fps, comes_s):
    stage = Stage(Person(50), Person(400, seen_s=((comes_s, 9.0),)))
    seen = watch(stage, 2.2, fps=fps)
    in_sight_s = next(t_s for t_s, _ in seen if t_s >= comes_s)
    found_s = next(t_s for t_s, faces in seen if len(faces) == 2)
    assert found_s - in_sight_s <= 0.5 + 1e-6


def test_while_nothing_changes_one_picture_in_seven_is_searched():
    stage = Stage(Person(100, speed=20))
    watch(stage, 10)
    assert len(stage.searches_s) == pytest.approx(10 * FPS / 7, abs=2)


def test_a_lost_face_is_searched_for_at_once_and_often():
    stage = Stage(Person(100, seen_s=((0, 2.0),)))
    watch(stage, 4)
    after = [t_s for t_s in stage.searches_s if 2.0 <= t_s < 3.0]
    assert after[0] == pytest.approx(2.0, abs=1e-6)
    assert 7 <= len(after) <= 11
    assert len([t_s for t_s in stage.searches_s if t_s >= 3.1]) <= 3


def test_robots_that_began_together_do_not_search_together():
    moments = []
    for share in (0.0, 0.25, 0.5, 0.75):
        stage = Stage(Person(100))
        watch(stage, 5, Tracks(share=share))
        moments += [round(t_s * FPS) for t_s in stage.searches_s if t_s > 0]
    most = max(moments.count(moment) for moment in moments)
    assert most == 1


def test_a_face_that_is_gone_is_not_said_to_be_there_in_the_very_next_picture():
    seen = watch(Stage(Person(100, speed=200, seen_s=((0, 1.0),))), 2)
    assert all(len(faces) == (t_s < 1.0) for t_s, faces in seen)


# ---- whom to attend to -------------------------------------------------------------------------------


def attended(policy, *people, seconds=3):
    """Numbers of the attended face, in the order in which they came."""
    found = []
    for _, faces in watch(Stage(*people), seconds, Tracks(attend=policy)):
        if faces and (not found or found[-1] != faces[0].id):
            found.append(faces[0].id)
    return found


FIRST = Person(60, side=80)
CLOSE = Person(400, side=140, seen_s=((1.0, 2.0),))
A_LITTLE_CLOSER = Person(400, side=90, seen_s=((1.0, 2.0),))
IN_THE_MIDDLE = Person(280, side=60, seen_s=((1.0, 2.0),))


@pytest.mark.parametrize(
    ("policy", "other", "expected"),
    [
        ("nearest", CLOSE, [1, 2, 1]),
        ("nearest", A_LITTLE_CLOSER, [1]),
        ("nearest", IN_THE_MIDDLE, [1]),
        ("central", IN_THE_MIDDLE, [1, 2, 1]),
        ("central", Person(500, side=200, seen_s=((1.0, 2.0),)), [1]),
        ("first", CLOSE, [1]),
        ("held", CLOSE, [1]),
    ],
)
def test_whom_the_robot_attends_to_is_a_choice(policy, other, expected):
    assert attended(policy, FIRST, other) == expected


def test_held_and_first_differ_when_the_attended_one_leaves_and_returns():
    leaves = FIRST._replace(seen_s=((0, 1.0), (2.5, 9.0)))
    assert attended("held", leaves, Person(400), seconds=5) == [1, 2]
    early, large = Person(60, seen_s=((0, 9),)), Person(400, side=140, seen_s=((1, 9),))
    assert attended("first", early, large, seconds=5) == [1]


def test_attention_returns_to_one_who_was_hidden_for_a_moment():
    hides = FIRST._replace(seen_s=((0, 1.0), (1.4, 9.0)))
    assert attended("held", hides, Person(400), seconds=3) == [1, 2, 1]


def test_the_others_follow_by_their_size():
    people = (Person(20, side=60), Person(200, side=90), Person(420, side=75))
    (_, faces), *_ = watch(Stage(*people), 0.1)
    assert [face.box_px[2] for face in faces] == [90, 75, 60]


def test_settings_and_code_know_the_same_names():
    fields = ReaderSettings.model_fields
    assert set(get_args(fields["attend"].annotation)) == set(ATTEND)
    assert set(get_args(fields["thresholds"].annotation)) == set(THRESHOLDS)


# ---- real faces --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def detector():
    return Detector()


def gray_frames(name, step=1):
    with av.open(str(MEDIA / name)) as film:
        for i, frame in enumerate(film.decode(video=0)):
            if i % step == 0:
                yield i, frame.to_ndarray(format="gray")


@needs_media
def test_one_person_is_one_face_in_every_frame_also_behind_a_hand(detector):
    tracks = Tracks()
    found = [tracks.follow(detector, gray, i / 24) for i, gray in gray_frames("WolfgangLanger_Pexels.mp4")]
    assert np.mean([len(faces) == 1 for faces in found]) >= 0.99
    assert {face.id for faces in found for face in faces} == {1}


@needs_media
def test_when_the_film_cuts_away_the_face_is_gone_with_it(detector):
    tracks = Tracks()
    counts = [len(tracks.follow(detector, gray, i / 30)) for i, gray in gray_frames("face_noface.mov")]
    assert counts[:70] == [1] * 70
    assert sum(counts[72:]) == 0


@needs_media
def test_the_box_of_a_still_face_hardly_moves_under_the_cameras_noise(detector):
    (_, still), *_ = gray_frames("single_face.mp4")
    noise, tracks, boxes = np.random.default_rng(4), Tracks(), []
    for i in range(40):
        noisy = np.clip(still + noise.normal(0, 4, still.shape), 0, 255).astype(np.uint8)
        coded = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
        ((_, box, *_),) = tracks.follow(detector, cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), i / FPS)
        boxes.append(box)
    middles = np.array(boxes)[10:, :2] + np.array(boxes)[10:, 2:] / 2
    assert np.abs(np.diff(middles, axis=0)).mean() < 0.25  # px from frame to frame, of a face of 180 px
    assert middles.std(0).max() < 0.5


@needs_media
def test_two_real_faces_that_cross_keep_their_numbers(detector):
    man = head(detector, cv2.imread(str(MEDIA / "single_face.jpg"), cv2.IMREAD_GRAYSCALE), 120)
    woman = head(detector, next(gray_frames("WolfgangLanger_Pexels.mp4"))[1], 95)
    tracks, numbers = Tracks(), []
    for i in range(45):
        scene, step = np.full((480, 640), 120, np.uint8), 160 * i / FPS
        paste(scene, woman, 550 - step)
        paste(scene, man, 90 + step)  # in front
        faces = sorted(tracks.follow(detector, scene, i / FPS), key=lambda face: face.box_px[0])
        numbers.append([face.id for face in faces])
    assert numbers[0] == [1, 2]
    assert [1] in numbers  # she was hidden
    assert numbers[-1] == [2, 1]


def head(detector, gray, height_px):
    """The largest face of a picture with its hair, its box `height_px` high."""
    x, y, width, height = detector.detect(gray)[0].box_px
    rows = slice(int(max(0, y - 0.3 * height)), int(y + 1.25 * height))
    columns = slice(int(max(0, x - 0.3 * width)), int(x + 1.3 * width))
    scale = height_px / height
    return cv2.resize(gray[rows, columns], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def paste(scene, picture, middle_px):
    left, top = round(middle_px - picture.shape[1] / 2), 240 - picture.shape[0] // 2
    scene[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
