"""The numbers for Prometheus are those of what happened, and say nothing of anybody."""

import re
import urllib.error
import urllib.request
from contextlib import closing

import pytest
from line import PATIENCE_S, Robot, frame, wait_for
from test_server import Gate, events, start  # noqa: F401

from config.contract import Face, Reading
from inference_server.events import Answered, Events, Gone, Said
from inference_server.metrics import Counts, Metrics, MetricsError


class Server:
    """Stands where the server stands, as the test wants it."""

    reads_by, is_ready, alive = "workers", True, True

    def is_alive(self, now_s):
        return self.alive


def get(metrics, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics.port}{path}", timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def answered(seq, took_s, age_s=None, faces=()):
    reading = Reading(seq, 0.0, list(faces), [], {"detect": 4.0, "score": 6.0}, "net", None)
    return Answered("secret-name", frame(seq)._replace(answer_age_s=age_s), reading, 10.0 + took_s, b"", 10.0)


def values(text):
    return {name: float(value) for name, value in re.findall(r"^(emotion_\S+) (\S+)$", text, re.M)}


def test_what_happened_is_counted_and_nobody_is_named():
    counts, face = Counts(), Face(1, [0.0] * 4, 0.9, [1.0] + [0.0] * 6)
    for event in (
        answered(1, 0.004),
        answered(2, 0.25, age_s=0.04, faces=[face, face]),
        answered(3, 7.0, age_s=0.06),
        Said("error", "trouble", 0.0),
    ):
        counts.take(event)
    text = counts.text("ray", is_ready=True)
    found = values(text)
    assert found["emotion_robots"] == found["emotion_by_ray"] == found["emotion_ready"] == 1
    assert found["emotion_by_kserve"] == 0
    assert found["emotion_faces_total"] == 2
    assert found['emotion_said_total{level="error"}'] == 1
    assert found['emotion_step_seconds_total{step="score"}'] == pytest.approx(0.018)
    assert [found[f'emotion_answer_seconds_bucket{{le="{at}"}}'] for at in ("0.005", "0.2", "0.3", "+Inf")] == [
        1, 1, 2, 3
    ]  # fmt: skip
    assert found["emotion_answer_seconds_sum"] == pytest.approx(7.254)
    assert found["emotion_age_seconds_count"] == 2
    assert "secret-name" not in text and "trouble" not in text
    counts.take(Gone("secret-name", 0.0))
    assert values(counts.text(True, True))["emotion_robots"] == 0


def test_every_line_is_of_a_kind_that_prometheus_reads():
    counts = Counts()
    counts.take(answered(1, 0.1))
    for line in counts.text(False, False).splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) emotion_\w+ .+|emotion_\w+(\{\w+="[^"]+"\})? [0-9.]+', line), line


def test_whether_it_lives_and_is_ready_is_told_by_the_status():
    server = Server()
    with closing(Metrics(Events(), server, "127.0.0.1:0")) as metrics:
        assert [get(metrics, path)[0] for path in ("/live", "/ready", "/", "/metrics?x=1")] == [
            200,
            200,
            404,
            200,
        ]
        server.alive = server.is_ready = False
        assert [get(metrics, path)[0] for path in ("/live", "/ready")] == [503, 503]


def test_the_numbers_of_a_server_that_answers(start, events):  # noqa: F811
    gate = Gate()
    gate.let_through.release(9)
    server, watching = start(gate), events.subscribe()
    with closing(Metrics(events, server, "127.0.0.1:0")) as metrics:
        nao = Robot(server.address)
        assert nao.ask(frame(1)).error is None
        wait_for(watching, Answered)
        nao.socket.close()
        while not values(get(metrics, "/metrics")[1])["emotion_answer_seconds_count"]:
            pass
        found = values(get(metrics, "/metrics")[1])
        assert (found["emotion_robots"], found["emotion_by_ray"], found["emotion_ready"]) == (1, 0, 1)
        assert get(metrics, "/live")[0] == get(metrics, "/ready")[0] == 200


def test_an_address_that_is_taken_is_a_sentence():
    with closing(Metrics(Events(), Server(), "127.0.0.1:0")) as metrics, pytest.raises(MetricsError) as refused:
        Metrics(Events(), Server(), f"127.0.0.1:{metrics.port}")
    assert "Give another as server.metrics" in str(refused.value)
