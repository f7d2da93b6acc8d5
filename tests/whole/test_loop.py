"""The whole service as real programs: what a face before the camera makes the robot do."""

import json
import signal
import time

import pytest
from programs import MEDIA, Program, free_port

qi = pytest.importorskip("qi", reason="no qi wheel for this Python: the loop over libqi is not tested")


def diary_of(folder):
    return [json.loads(line) for line in (folder / "diary.jsonl").read_text().splitlines()]


def demo(folder, seconds, camera="demo", *more):
    """Run the demo on free ports until it ends by itself; gives (program, summary, diary)."""
    ports = ("--server-port", free_port(), "--nao-port", free_port(), "--monitor-port", free_port())
    arguments = ("--seconds", seconds, "--camera", camera, "--json", folder / "summary.json", "--out", folder)
    with Program("robot_app.virtual.demo", *ports, "--view-port", 0, *arguments, *more) as program:
        code = program.wait(within_s=seconds + 40)
    assert code == 0, program.said
    assert "Traceback" not in program.said
    return program, json.loads((folder / "summary.json").read_text()), diary_of(folder)


def emotions(summary):
    return [reaction["emotion"] for reaction in summary["reactions"]]


def clip(name):
    if not (MEDIA / name).is_file():
        pytest.skip(f"{name} is not there: the real clips lie beside the repository, not in it")
    return MEDIA / name


def began(diary, service, within_s=15.0):
    """What of this service began or was called in the first seconds after the camera was subscribed."""
    start = next(line["at_s"] for line in diary if line.get("method") == "subscribeCamera")
    return [
        line
        for line in diary
        if line["service"] == service
        and line["event"] in ("began", "called")
        and 0 < line["at_s"] - start < within_s
    ]


def test_the_demo_answers_a_face_with_gesture_voice_and_eyes_within_15_seconds(tmp_path):
    program, summary, diary = demo(tmp_path, 20)
    assert len(set(emotions(summary))) >= 2, program.said
    first = summary["reactions"][0]
    assert first["at_s"] < 15
    gestures = [line for line in began(diary, "ALMotion") if line["method"].startswith("angleInterpolation")]
    assert gestures and any(line["method"] == "say" for line in began(diary, "ALTextToSpeech"))
    assert any(line["method"] == "fadeRGB" for line in began(diary, "ALLeds"))
    assert summary["readings"] > 50 and summary["answer_age_ms"]["p50"] < 500


def test_the_demo_works_with_the_virtual_nao_in_the_robot_apps_own_process(tmp_path):
    program, summary, diary = demo(tmp_path, 12, "demo", "--in-process")
    assert summary["reactions"], program.said
    assert began(diary, "ALMotion") and began(diary, "ALTextToSpeech")


def test_a_woman_who_is_sad_and_then_happy_is_answered_so(tmp_path):
    program, summary, _ = demo(tmp_path, 19, clip("WolfgangLanger_Pexels.mp4"))
    told = summary["reactions"]
    assert "sad" in emotions(summary) and "happy" in emotions(summary), program.said
    assert emotions(summary).index("sad") < emotions(summary).index("happy")
    assert min(r["at_s"] for r in told if r["emotion"] == "happy") > 250 / 24, program.said
    assert len([r for r in told if r["emotion"] not in ("sad", "happy")]) <= 2, program.said


def test_nobody_in_view_is_not_answered(tmp_path):
    program, summary, _ = demo(tmp_path, 5.5, clip("face_noface.mov"))
    assert all(r["at_s"] < 72 / 30 + 1.5 for r in summary["reactions"]), program.said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_robot_that_is_stopped_in_a_gesture_is_left_as_it_was_found(tmp_path, number):
    server, nao = f"tcp://127.0.0.1:{free_port()}", f"tcp://127.0.0.1:{free_port()}"
    with Program("robot_app.virtual", "--listen", nao, "--camera", "demo") as body:
        body.wait_for_line("listens")
        session = qi.Session()
        session.connect(nao)
        before = state(session)
        with Program("inference_server", "serve", "--listen", server, "--no-monitor") as brain:
            brain.wait_for_line(server)
            with Program("robot_app", "--server", server, "--robot", nao) as app:
                moving = session.service("ALMotion")
                until = time.monotonic() + 30
                while not moving.getTaskList() and time.monotonic() < until:
                    app.process.poll()
                assert moving.getTaskList(), "no gesture began"
                asked = time.monotonic()
                assert app.end(number) == 0, app.said
                assert time.monotonic() - asked < 3.5
            assert brain.end() == 0, brain.said
        after = state(session)
        session.close()
        assert body.end() == 0
    joints_before, joints_after = before.pop("joints"), after.pop("joints")
    assert after == before
    assert joints_after == pytest.approx(joints_before, abs=0.05)


def state(session):
    """All that the robot app may change on a NAO."""
    service = session.service
    return {
        "joints": service("ALMotion").getAngles("Body", True),
        "stiffness": service("ALMotion").getStiffnesses("Body"),
        "awake": service("ALMotion").robotIsWakeUp(),
        "life": service("ALAutonomousLife").getState(),
        "language": service("ALTextToSpeech").getLanguage(),
        "volume": service("ALTextToSpeech").getVolume(),
        "subscribers": list(service("ALVideoDevice").getSubscribers()),
    }
