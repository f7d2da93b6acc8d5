"""Music by the robot's own loudspeakers, in the real program; and a folder that lacks songs, at both ends."""

import json
import subprocess
import sys
import wave

import pytest
from answering import Pc
from programs import ROOT, Program

from config.contract import EMOTIONS

SETTINGS = "music:\n  player: {player}\n  folder: {folder}\n  after_s: 0.5\n  fade_s: 0.3\n"


@pytest.fixture
def folder(tmp_path):
    """A second of silence for each emotion."""
    for emotion in EMOTIONS:
        (tmp_path / "songs" / emotion).mkdir(parents=True)
        with wave.open(str(tmp_path / "songs" / emotion / "song.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(bytes(2 * 8000 * 30))
    return tmp_path / "songs"


def settings(folder, player):
    path = folder.parent / "settings.yaml"
    path.write_text(SETTINGS.format(player=player, folder=folder))
    return path


def test_the_robot_plays_a_song_for_a_mood_that_lasts_and_fades_it_at_the_end_of_the_mood(folder, tmp_path):
    diary = tmp_path / "diary.jsonl"
    words = (
        "--robot",
        "virtual",
        "--camera",
        "none",
        "--diary",
        diary,
        "--settings",
        settings(folder, "robot"),
    )
    with Pc("sad") as pc, Program("robot_app", *words, "--server", pc.address, "--seconds", 4) as app:
        app.wait_for_line("looks")
        while not diary.exists() or '"ALAudioPlayer", "method": "play"' not in diary.read_text():
            assert app.process.poll() is None, app.said
        pc.emotion = None
        assert app.wait() == 0, app.said
    lines = [
        line for line in map(json.loads, diary.read_text().splitlines()) if line["service"] == "ALAudioPlayer"
    ]
    assert lines[0]["args"] == [str(folder / "sad" / "song.wav")]
    levels = [line["args"][1] for line in lines if line["method"] == "setVolume"]
    assert levels == sorted(levels, reverse=True) and 0 < levels[-1] < lines[1]["args"][1] == 0.4
    assert [line["method"] for line in lines if line["event"] == "called"][-2:] == ["stop", "unloadFile"]


@pytest.mark.parametrize(
    ("program", "player"),
    [(("robot_app", "--robot", "virtual"), "robot"), (("inference_server", "serve"), "page")],
)
def test_a_folder_that_lacks_an_emotion_is_a_sentence_at_the_start(folder, program, player):
    (folder / "fearful" / "song.wav").unlink()
    option = "--config" if player == "page" else "--settings"
    run = subprocess.run(
        [sys.executable, "-m", *program, option, settings(folder, player)],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.returncode == 2, run.stderr
    assert "no song for fearful" in run.stderr and "Traceback" not in run.stderr
