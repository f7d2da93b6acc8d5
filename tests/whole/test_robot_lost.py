"""A NAOqi that goes away and comes back: the robot app says so, tries on, and sees and reacts again."""

import json
import signal
import time

import pytest
from programs import Program, free_port

pytest.importorskip("qi", reason="no qi wheel for this Python: there is no virtual NAO to lose")


def test_a_robot_that_was_switched_off_and_on_again_is_used_again(tmp_path):
    server, nao = f"tcp://127.0.0.1:{free_port()}", f"tcp://127.0.0.1:{free_port()}"
    second_diary = tmp_path / "second.jsonl"
    with Program("inference_server", "serve", "--listen", server, "--no-monitor") as brain:
        brain.wait_for_line(server)
        with Program("robot_app.virtual", "--listen", nao, "--camera", "demo") as first:
            first.wait_for_line("listens")
            app = Program("robot_app", "--robot", nao, "--server", server, "--json", tmp_path / "summary.json")
            with app:
                app.wait_for_line("looks")
                first.process.kill()
                app.wait_for_line("lost")
                with Program(
                    "robot_app.virtual", "--listen", nao, "--camera", "demo", "--diary", second_diary
                ) as second:
                    app.wait_for_line("is back")
                    wait_for_method(second, second_diary, "angleInterpolation")
                    assert app.end(signal.SIGTERM) == 0, app.said
                    assert second.end() == 0
        assert "Traceback" not in app.said
        assert brain.end() == 0
    methods = [json.loads(line).get("method") for line in second_diary.read_text().splitlines()]
    assert methods.count("subscribeCamera") == methods.count("unsubscribe") == 1


def test_a_robot_that_stays_away_does_not_keep_the_app_from_ending(tmp_path):
    server, nao = f"tcp://127.0.0.1:{free_port()}", f"tcp://127.0.0.1:{free_port()}"
    with Program("robot_app.virtual", "--listen", nao, "--camera", "none") as body:
        body.wait_for_line("listens")
        with Program("robot_app", "--robot", nao, "--server", server) as app:
            app.wait_for_line("looks")
            body.process.kill()
            app.wait_for_line("lost")
            assert app.end(signal.SIGTERM, within_s=5) == 0, app.said
    assert app.said.count("not put back") == 1
    assert "Traceback" not in app.said


def wait_for_method(program, diary, method, within_s=40):
    """Until the diary names the method."""
    until = time.monotonic() + within_s
    while method not in diary.read_text():
        assert program.process.poll() is None, program.said
        assert time.monotonic() < until, f"no {method} within {within_s} s"
        time.sleep(0.02)
