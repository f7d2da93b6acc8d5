"""A session that was recorded from a real server, read again: the same readings, to the last bit."""

import csv
import re
import time
from functools import partial
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner
from line import PATIENCE_S, Robot, frame
from test_recorder import answered

from config import settings
from config.contract import Order
from inference_server import session
from inference_server.__main__ import main
from inference_server.events import Answered, Events, Marked, Ordered
from inference_server.film import open_source
from inference_server.recorder import Recorder
from inference_server.server import Server
from inference_server.workers import Process

MEDIA = Path(__file__).parents[3] / "shared" / "media"
needs_media = pytest.mark.skipif(not MEDIA.is_dir(), reason=f"no real faces to look at: {MEDIA} is absent")
CONSENT = {"images": True, "consent": "the actor, by the clip's licence"}


def replay(*words):
    return CliRunner().invoke(main, ["replay", *map(str, words)])


def pictures(name, count):
    """JPEGs of every second frame of a clip, as a robot would send them: (bytes, (width, height))."""
    shots = (shot.rgb for shot in open_source(MEDIA / name).shots)
    for _, rgb in zip(range(count), (rgb for i, rgb in enumerate(shots) if not i % 2), strict=False):
        jpeg = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()
        yield jpeg, (rgb.shape[1], rgb.shape[0])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A session of two robots that see different clips; it begins when the server knows one of them already."""

    def wait_for(seq, robots):
        """Until the answers to `seq` are published, which is when a recorder hears of them."""
        heard = []
        while sum(e.frame.seq == seq for e in heard if isinstance(e, Answered)) < robots:
            news = last.take(PATIENCE_S)
            assert news, f"the answers to {seq} were not published"
            heard += news

    folder, events, chosen = tmp_path_factory.mktemp("sessions"), Events(), settings.load()
    last = events.subscribe_to_all(1000)
    about = {"model": chosen.reader.model, "config": chosen.model_dump_json()}
    with Server(partial(Process, chosen.reader), events, "tcp://127.0.0.1:*") as server:
        nao, other = Robot(server.address), Robot(server.address)
        clips = [pictures("single_face.mp4", 30), pictures("face_noface.mov", 24)]
        for seq, (jpeg, size) in zip(range(4), clips[0], strict=False):
            nao.ask_until_ready(frame(seq, jpeg, "nao", "jpeg", size))
        wait_for(seq, robots=1)
        with Recorder(events, folder, about, server.begin_anew) as recorder:
            name = recorder.start("a test", **CONSENT).name
            last = events.subscribe_to_all(1000)  # hears of each answer after the recorder
            for seq in range(4, 24):
                for robot, clip in ((nao, clips[0]), (other, clips[1])):
                    jpeg, size = next(clip)
                    robot.send(frame(seq, jpeg, "nao", "jpeg", size))
                for robot in (nao, other):
                    assert robot.hear().error is None
            wait_for(seq, robots=2)
            events.publish(Marked("the end", time.monotonic()))
            recorder.stop()
        for robot in (nao, other):
            robot.socket.close()
    return folder / name


@needs_media
def test_a_recorded_session_read_again_gives_the_same_readings_to_the_last_bit(recorded, tmp_path):
    events = list(session.events(recorded))
    for robot in {event.robot_id for event in events if isinstance(event, Answered)}:
        out = tmp_path / robot
        result = replay(
            recorded, "--out", out, "--robot", robot, *([] if robot.endswith("1") else ["--no-film"])
        )
        assert result.exit_code == 0, result.output
        assert "20 of 20 readings the same to the last bit" in result.output
        answers = [event for event in events if isinstance(event, Answered) and event.robot_id == robot]
        faces = [face for answer in answers for face in answer.reading.faces]
        with (out / "readings.csv").open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["face"]]
        assert [float(row["happy"]) for row in rows] == [face.scores[0] for face in faces]
        assert (out / "annotated.mp4").exists() == robot.endswith("1")
    assert len(answers) == 20


@needs_media
def test_the_session_is_read_with_its_own_settings_unless_others_are_given(recorded, tmp_path):
    result = replay(recorded, "--out", tmp_path, "--set", "reader.crop_margin=1.3", "--no-film")
    assert result.exit_code == 0
    same, of = map(int, re.search(r"(\d+) of (\d+) readings the same", result.output).groups())
    assert of == 20 and same < of
    assert not (tmp_path / "annotated.mp4").exists()


@needs_media
def test_what_comes_after_a_gap_is_read_but_not_compared(recorded, tmp_path):
    """As when the disk was too slow: one answer is missing."""
    events = [e for e in session.events(recorded) if isinstance(e, Answered)]
    robot = events[0].robot_id
    mine = [event for event in events if event.robot_id == robot]
    del mine[8]
    bus = Events()
    with Recorder(bus, tmp_path, {"config": session.about(recorded)["config"]}) as recorder:
        recorder.start("a test", **CONSENT)
        for event in mine:
            bus.publish(event)
        path = recorder.path(recorder.stop())
    result = replay(path, "--out", tmp_path / "out", "--no-film")
    assert "8 of 8 readings the same to the last bit; 11 more cannot be compared" in result.output


def test_a_session_without_pictures_gives_its_readings_and_the_robots_side(tmp_path):
    happened = []
    for seq in range(60):
        mood = "happy" if seq >= 10 else None
        doing = "cheer" if 14 <= seq < 30 else "wave" if seq >= 40 else None
        event = answered(seq, mood=mood, doing=doing)
        taken = event.frame._replace(taken_s=seq / 10)
        happened.append(event._replace(frame=taken, came_s=100 + seq / 10, at_s=100 + seq / 10, nth=seq))
    events = Events()
    config = '{"reader": {"model": "xrs-fer2013", "of_an_older_release": 1}}'
    with Recorder(events, tmp_path, {"model": "xrs-fer2013", "config": config}) as recorder:
        recorder.start("a study")
        for event in happened:
            if event.frame.seq == 36:
                events.publish(Ordered("nao-1", Order("play", 1, "wave"), event.at_s))
            events.publish(event)
        events.publish(Marked("stimulus <A>", 102.0))
        path = recorder.path(recorder.stop())
    result = replay(path, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "a study" in result.output and "reactions: 2, 0.40 s after the mood began" in result.output
    assert "1.40 s after the face showed it" in result.output
    report = (tmp_path / "out/report.html").read_text("utf-8")
    assert "0.40 s" in report and "ordered" in report and "stimulus &lt;A&gt;" in report
    assert "none; no picture was recorded" in report and "below 50 ms in half" in report
    assert 'TIER_ID="markers"' in (tmp_path / "out/episodes.eaf").read_text("utf-8")
    with (tmp_path / "out/readings.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60 and {row["happy"] for row in rows} == {"0.70000"}


def test_a_session_that_holds_no_answer_is_a_sentence(tmp_path):
    with Recorder(Events(), tmp_path, {}) as recorder:
        recorder.start("a test")
        path = recorder.path(recorder.stop())
    result = replay(path, "--out", tmp_path / "out")
    assert result.exit_code == 2 and result.output.strip() == f"{path} holds no answer."
