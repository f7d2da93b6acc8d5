"""The recorder: what it keeps of a session, what it never keeps, and what a crash or a full disk costs."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from mcap.reader import make_reader

from config.contract import EMOTIONS, Face, Frame, Order, Reading
from inference_server import session
from inference_server.__main__ import main
from inference_server.events import Answered, Events, Gone, Marked, Ordered, Said, Settled
from inference_server.recorder import AT_MOST, Recorder, RecordError

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
JPEG = b"\xff\xd8 not looked at by the recorder \xff\xd9"
CHANNELS = {"faces", "scores", "mood", "behaviours", "health", "answer"}


def answered(seq=0, robot_id="nao-1", faces=1, orders=(), image=JPEG, encoding="jpeg", **frame):
    fields = {"robot": "nao", "doing": None, "mood": None, "answer_age_s": 0.042} | frame
    found = [Face(i + 1, [200.1, 100.0, 120.5, 120.5], 0.9912, [0.7] + [0.05] * 6) for i in range(faces)]
    at_s = time.monotonic()
    up = Frame(seq, 1 / 3 + seq, 64, 48, encoding, image=image, **fields)
    down = Reading(seq, 1 / 3 + seq, found, list(orders), {"decode": 1.5}, "xrs", None)
    return Answered(robot_id, up, down, at_s, image if encoding == "jpeg" else b"", at_s - 0.01, seq)


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def recorder(events, tmp_path):
    with Recorder(events, tmp_path / "sessions", {"model": "xrs", "sha256": "ab", "config": "{}"}) as recorder:
        yield recorder


def recorded(recorder, events, *what, **how):
    """The file of a session in which `what` happened."""
    recorder.start("a test", **how)
    for event in what:
        events.publish(event)
    return recorder.path(recorder.stop())


def without_image(event):
    return event._replace(frame=event.frame._replace(image=b""), picture_jpeg=b"")


def topics(path):
    with path.open("rb") as file:
        return {channel.topic for channel in make_reader(file).get_summary().channels.values()}


def answers(path):
    return [event for event in session.events(path) if isinstance(event, Answered)]


# ---- what is kept ------------------------------------------------------------------------------------


def test_what_happened_is_read_back_to_the_last_bit_and_without_the_pictures(recorder, events):
    happened = [
        answered(1, mood="happy", doing="cheer"),
        answered(2, robot_id="pepper-2", faces=3, trouble="a motor is hot"),
        answered(3, faces=0, encoding="gray8", image=bytes(64 * 48), orders=[Order("play", 7, "wave")]),
    ]
    path = recorded(recorder, events, *happened)
    assert answers(path) == [without_image(event) for event in happened]
    assert topics(path) >= {f"/nao-1/{name}" for name in CHANNELS} | {"/pepper-2/faces"}
    assert not any(topic.endswith("image") for topic in topics(path))
    assert JPEG[2:-2] not in path.read_bytes()


def test_pictures_are_kept_as_they_came_once_somebody_has_agreed(recorder, events):
    happened = [answered(1), answered(2, encoding="yuv422", image=os.urandom(64 * 48 * 2))]
    path = recorded(recorder, events, *happened, images=True, consent="participant 7, 2026-03-01, research")
    assert answers(path) == happened
    assert session.about(path)["consent"] == "participant 7, 2026-03-01, research"


def test_orders_marks_and_the_servers_lines_are_kept(recorder, events):
    wave, stop = Order("play", 1, "wave"), Order("stop", 2)
    happened = [Marked("stimulus A", time.monotonic()), Said("warning", "a motor is hot", time.monotonic())]
    happened += [Ordered("nao-1", wave, time.monotonic()), Ordered("nao-1", stop, time.monotonic())]
    happened += [Settled("nao-1", stop, None, time.monotonic()), Settled("nao-1", wave, "no", time.monotonic())]
    path = recorded(recorder, events, *happened, Gone("nao-1", time.monotonic()))
    assert [e for e in session.events(path) if e in happened] == happened


def test_every_channel_says_in_a_schema_what_it_holds(recorder, events):
    order = Settled("nao-1", Order("tune", 1, settings={"enter": 0.4}), "no", time.monotonic())
    happened = [answered(1), order, Marked("A", time.monotonic()), Said("info", "a", time.monotonic())]
    path = recorded(recorder, events, *happened, images=True, consent="yes")
    with path.open("rb") as file:
        for schema, channel, message in make_reader(file).iter_messages():
            body, known = json.loads(message.data), json.loads(schema.data)["properties"]
            assert schema.encoding == "jsonschema" and channel.message_encoding == "json"
            assert set(body) <= set(known), channel.topic


def test_a_session_says_what_made_it_and_what_for(recorder, events):
    about = session.about(recorded(recorder, events))
    assert (about["purpose"], about["consent"], about["images"]) == ("a test", "", "no")
    assert (about["model"], about["sha256"], about["config"]) == ("xrs", "ab", "{}")
    assert about["started"].endswith("+00:00")


def test_moods_and_scores_stand_by_their_names_for_those_who_plot_them(recorder, events):
    path = recorded(recorder, events, answered(1, mood="sad", smoothed=[0.1] * 3 + [0.0, 0.5, 0.1, 0.1]))
    with path.open("rb") as file:
        bodies = {c.topic: json.loads(m.data) for _, c, m in make_reader(file).iter_messages()}
    assert bodies["/nao-1/mood"]["emotion"] == "sad"
    assert bodies["/nao-1/mood"]["smoothed"]["sad"] == 0.5
    assert [bodies["/nao-1/scores"]["faces"][0][emotion] for emotion in EMOTIONS] == [0.7] + [0.05] * 6


# ---- rules -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"purpose": " "}, "say what it is for"),
        ({"purpose": "study", "images": True}, "only with their consent"),
        ({"purpose": "study", "images": True, "consent": " "}, "only with their consent"),
    ],
)
def test_nothing_is_recorded_without_a_purpose_and_no_picture_without_consent(recorder, wish, sentence):
    with pytest.raises(RecordError, match=sentence):
        recorder.start(**wish)
    assert recorder.state() is None and recorder.sessions() == []


@pytest.mark.parametrize("wish", ["record.images=true", "record.from_start=true"])
def test_settings_that_lack_consent_or_purpose_are_refused(wish):
    result = CliRunner().invoke(main, ["serve", "--set", wish])
    assert result.exit_code == 2
    assert "needs" in result.output and wish.partition("=")[0].split(".")[1] in result.output


def test_one_session_at_a_time_and_a_list_of_all(recorder, events):
    first = recorded(recorder, events, answered(1))
    state = recorder.start("second")
    with pytest.raises(RecordError, match="stop it first"):
        recorder.start("third")
    (running, whole) = recorder.sessions()
    assert (running.name, running.state, running.about["purpose"]) == (state.name, "running", "second")
    assert (whole.name, whole.state) == (first.name, "whole")
    recorder.stop()
    with pytest.raises(RecordError, match="nothing is being recorded"):
        recorder.stop()
    assert recorder.path("../test_recorder.py") is None


def test_the_reader_is_asked_to_begin_anew_only_where_pictures_are_kept(events, tmp_path):
    asked = []
    with Recorder(events, tmp_path, {}, lambda: asked.append(True)) as recorder:
        recorded(recorder, events)
        assert not asked
        recorded(recorder, events, images=True, consent="yes")
        assert asked == [True]


# ---- what goes wrong ---------------------------------------------------------------------------------


def test_what_a_slow_disk_makes_it_miss_is_counted_and_written(recorder, events, monkeypatch):
    held, at_work = threading.Event(), threading.Event()
    write = session.Telling.messages

    def slow(self, event):
        at_work.set()
        held.wait(PATIENCE_S)
        return write(self, event)

    monkeypatch.setattr(session.Telling, "messages", slow)
    recorder.start("a test")
    events.publish(answered(0))
    assert at_work.wait(PATIENCE_S)
    for seq in range(AT_MOST + 50):
        events.publish(answered(seq))  # returns at once, though nothing is written
    assert recorder.state().missed >= 50
    held.set()
    path = recorder.path(recorder.stop())
    assert session.missed(path) >= 50
    assert len(answers(path)) + session.missed(path) <= AT_MOST + 52


KILLED = """
import sys, time
from tests.pc.test_recorder import answered
from inference_server.events import Events
from inference_server.recorder import Recorder
events = Events()
Recorder(events, sys.argv[1], {}).start("a test")
for seq in range(10_000):
    event = answered(seq)
    events.publish(event)
    print(seq, event.at_s, flush=True)
    time.sleep(1 / 60)
"""


def test_kill_9_loses_at_most_the_last_second_and_repair_makes_the_file_whole(tmp_path):
    program = subprocess.Popen([sys.executable, "-c", KILLED, tmp_path], cwd=ROOT, stdout=subprocess.PIPE)
    lines = [program.stdout.readline() for _ in range(150)]
    program.send_signal(signal.SIGKILL)
    seq, at_s = (lines + program.communicate()[0].splitlines())[-1].split()
    (path,) = tmp_path.glob("*.mcap")
    assert not session.is_whole(path)
    kept = answers(path)
    assert float(at_s) - kept[-1].at_s < 1.5, "more than a second and a turn of the thread is lost"
    result = CliRunner().invoke(main, ["repair", str(path)])
    assert result.exit_code == 0 and "is whole again" in result.output
    assert session.is_whole(path) and answers(path) == kept
    assert [event.frame.seq for event in kept] == list(range(len(kept))) and len(kept) <= int(seq) + 1
    assert topics(path) >= {f"/nao-1/{name}" for name in CHANNELS}
    assert session.about(path)["purpose"] == "a test"
    assert "whole already" in CliRunner().invoke(main, ["repair", str(path)]).output


def test_a_file_that_is_cut_anywhere_is_read_to_the_cut(recorder, events, tmp_path):
    happened = [answered(seq, faces=3) for seq in range(120)]
    data = recorded(recorder, events, *happened).read_bytes()
    counts = []
    for share in (0.05, 0.3, 0.6, 0.9):
        cut = tmp_path / "cut.mcap"
        cut.write_bytes(data[: int(len(data) * share)])
        counts.append(len(answers(cut)))
        session.repair(cut)
        assert session.is_whole(cut) and len(answers(cut)) == counts[-1]
    assert counts == sorted(counts)


def test_what_is_no_session_is_refused_in_a_sentence(tmp_path):
    for name, data in (("text.mcap", b"hello\n" * 50), ("empty.mcap", b"")):
        (tmp_path / name).write_bytes(data)
        result = CliRunner().invoke(main, ["repair", str(tmp_path / name)])
        assert result.exit_code == 2
        assert f"{name} is no MCAP file" in result.output and len(result.output.strip().splitlines()) == 1
        assert (tmp_path / name).read_bytes() == data
    assert not list(tmp_path.glob("*.part"))


def wait_until_it_stopped(recorder, said):
    """The sentence with which the recording ended by itself."""
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        for event in said.take(timeout_s=0.2):
            if isinstance(event, Said) and event.level == "error":
                return event.text
    pytest.fail("the recording did not stop")


def test_a_full_disk_ends_the_recording_with_a_sentence_and_the_loop_goes_on(recorder, events):
    said = events.subscribe()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    state = recorder.start("a test", images=True, consent="yes")
    path = recorder.path(state.name)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))  # no file may grow beyond; as a full disk
    try:
        for seq in range(200):
            events.publish(answered(seq, image=os.urandom(5000)))
        sentence = wait_until_it_stopped(recorder, said)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "the recording has stopped" in sentence and "The service goes on" in sentence
    assert f"repair {path}" in sentence
    events.publish(answered(1))
    assert any(isinstance(event, Answered) for event in said.take(0))
    assert recorder.state() is None
    assert 0 < session.repair(path) and session.is_whole(path)
    recorded(recorder, events, answered(1))  # the next one may begin


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root can mount a small disk to fill, on Linux")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_disk_that_is_really_full_stops_the_recording_and_nothing_else(events, small_disk):
    said = events.subscribe()
    with Recorder(events, small_disk, {}, min_free_mb=0) as recorder:
        path = recorder.path(recorder.start("a test", images=True, consent="yes").name)
        for seq in range(40):
            events.publish(answered(seq, image=os.urandom(100_000)))
        sentence = wait_until_it_stopped(recorder, said)
        assert "No space left on device" in sentence and "The service goes on" in sentence
        events.publish(answered(41))
        assert any(isinstance(event, Answered) for event in said.take(0))
        assert answers(path), "what was written until then can be read"
        kept = shutil.move(path, small_disk.parent)
        recorded(recorder, events, answered(1))  # there is room again, and the next one may begin
        assert session.repair(Path(kept)) and session.is_whole(Path(kept))


def test_a_disk_with_little_room_left_ends_the_recording_in_good_order(events, tmp_path, monkeypatch):
    said = events.subscribe()
    with Recorder(events, tmp_path, {}, min_free_mb=1) as recorder:
        name = recorder.start("a test").name
        events.publish(answered(1))
        monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=10))
        assert "has 0 MB left" in wait_until_it_stopped(recorder, said)
        until_s = time.monotonic() + PATIENCE_S
        while recorder.state():
            assert time.monotonic() < until_s
        assert session.is_whole(tmp_path / name) and len(answers(tmp_path / name)) == 1
        with pytest.raises(RecordError, match="keeps 1 MB free"):
            recorder.start("again")


def test_a_folder_that_cannot_be_written_is_a_sentence(events, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match="cannot be written"):
        Recorder(events, tmp_path / "file", {}).start("a test")
