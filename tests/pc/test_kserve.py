"""The model server is asked while it can be, and not waited for while it cannot; tests/kserve has a real one.

A test stands where the client of the model server stands, and where the workers' processes stand.
"""

import importlib.util
import json
import os
import threading

import numpy as np
import pytest
import zmq
from click.testing import CliRunner
from line import PATIENCE_S, frame
from test_reader import Boxes, bright_is_happy  # noqa: F401
from test_server import own_signals  # noqa: F401

from config import settings
from config.contract import MAX_FACES, ContractError
from inference_server.__main__ import main
from inference_server.kserve import Asker, KServeError, UnansweredError
from inference_server.kserve_front import KServeWorkers
from inference_server.reader import Reader

FACES = np.zeros((2, 1, 48, 48), np.float32)
SCORES = np.full((2, 7), 1 / 7, np.float32)
SURPRISED = np.array([[0, 0, 0, 0, 0, 1, 0]], np.float32)


class Client:
    """Answers what the test wants: scores, or an error; proves itself where it has no reason not to."""

    def __init__(self, answer=SCORES, why_not=None):
        self.answer, self.why_not = answer, why_not
        self.asked = 0

    def scores(self, faces):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def check(self):
        if self.why_not:
            raise self.why_not

    def close(self):
        pass


class Asking:
    """An Asker and all that it tells."""

    def __init__(self, client, look_s=0.01):
        self.told, self._more = [], threading.Condition()
        self.client, self.asker = client, Asker(client, self._tell, look_s)

    def _tell(self, why):
        with self._more:
            self.told.append(why)
            self._more.notify_all()

    def wait_for(self, *told):
        with self._more:
            assert self._more.wait_for(lambda: self.told == list(told), PATIENCE_S), self.told


@pytest.fixture
def asking():
    """asking(client) -> Asking, closed at the end."""
    opened = []

    def asking(*words, **more):
        opened.append(Asking(*words, **more))
        return opened[-1]

    yield asking
    for one in opened:
        one.asker.close()


def test_a_server_that_has_proved_itself_scores(asking):
    one = asking(Client())
    one.wait_for("")
    assert one.asker(FACES) is SCORES


def test_until_it_proves_itself_nobody_asks_it_and_why_is_told_once(asking):
    one = asking(Client(why_not=UnansweredError("it cannot be reached.")))
    one.wait_for("it cannot be reached.")
    assert one.asker(FACES) is None and one.client.asked == 0
    one.client.why_not = KServeError("it is another network.")
    one.wait_for("it cannot be reached.", "it is another network.")
    one.client.why_not = None
    one.wait_for("it cannot be reached.", "it is another network.", "")
    assert one.asker(FACES) is SCORES


def test_after_a_late_answer_nobody_waits_for_another_until_it_proves_itself(asking):
    one = asking(Client(), look_s=PATIENCE_S)
    one.wait_for("")
    one.client.answer = UnansweredError("late.")
    assert one.asker(FACES) is None
    one.client.answer = SCORES
    assert one.asker(FACES) is None and one.client.asked == 1
    assert one.told == [""]  # one late answer is nothing to tell


def test_a_silence_that_lasts_is_told_and_so_is_its_end(asking):
    one = asking(Client())
    one.wait_for("")
    one.client.answer = one.client.why_not = UnansweredError("late.")
    assert one.asker(FACES) is None
    one.wait_for("", "late.")
    one.client.answer, one.client.why_not = SCORES, None
    one.wait_for("", "late.", "")
    assert one.asker(FACES) is SCORES


def test_a_wrong_answer_is_no_reading_and_it_must_prove_itself_anew(asking, bright_is_happy):  # noqa: F811
    one = asking(Client(), look_s=PATIENCE_S)
    one.wait_for("")
    one.client.answer = KServeError("it gave numbers that are not finite.")
    reader = Reader(Boxes([5, 5, 30, 30]), bright_is_happy, before=one.asker)
    reading = reader.read(frame(1), "nao-1", 0.0)
    assert (reading.faces, reading.error) == ([], ("internal", "it gave numbers that are not finite."))
    assert reader.read(frame(2), "nao-1", 0.1).faces[0].scores[1] == 1  # angry: this PC's own network
    with pytest.raises(ContractError):
        one.asker._is_there = True
        one.asker(FACES)


def test_a_reader_takes_the_scores_that_it_is_given_for_its_crops(bright_is_happy):  # noqa: F811
    came = []
    reader = Reader(
        Boxes([5, 5, 30, 30]), bright_is_happy, before=lambda crops: came.append(crops) or SURPRISED
    )
    assert reader.read(frame(1), "nao-1", 0.0).faces[0].scores == SURPRISED[0].tolist()
    assert [(crops.shape, crops.dtype) for crops in came] == [((1, 1, 48, 48), np.float32)]


# ---- the front door ----------------------------------------------------------------------------------


class Worker:
    """A worker's process that says what the test wants."""

    def __init__(self, context, address):
        self._hears, self._says = os.pipe()
        self._socket = context.socket(zmq.DEALER)
        self._socket.bind(address)

    def say(self, *words):
        os.write(self._says, b"".join(json.dumps(word).encode() + b"\n" for word in words))

    def fileno(self):
        return self._hears

    def word(self):
        return os.read(self._hears, 65536)

    def stop(self):
        if self._says is not None:
            os.close(self._says)
            self._says = None

    def ended(self, within_s):
        os.close(self._hears)
        self._socket.close(linger=0)
        return "by itself"


class Door:
    def __init__(self):
        self.context, self.poller = zmq.Context(), zmq.Poller()
        self.processes, self.said = [], []
        say = lambda level, text: self.said.append((level, text))  # noqa: E731
        self.workers = KServeWorkers(self.launch, 2, self.context, self.poller, say)

    def launch(self, address):
        self.processes.append(Worker(self.context, address))
        return self.processes[-1]

    def say(self, number, *words):
        self.processes[number].say(*words)
        self.workers.attend(dict(self.poller.poll(PATIENCE_S * 1000)), 0.0)


@pytest.fixture
def door():
    door = Door()
    yield door
    door.workers.close()
    door.context.destroy(linger=0)


ABOUT = {"model": "net", "runtime": "two"}
OWN = "This PC's own workers score until it can be used."


def test_what_every_worker_notices_is_said_once(door):
    door.say(0, {"kserve": ""}, ABOUT)
    assert (door.workers.by, door.workers.about, door.said) == ("workers", None, [])
    door.say(1, ABOUT, {"kserve": ""})
    assert (door.workers.by, door.workers.about) == ("kserve", ABOUT)
    for number in (0, 1):
        door.say(number, {"kserve": "it is late."})
    assert door.workers.by == "workers"
    door.say(0, {"kserve": "it cannot be reached."})
    for number in (0, 1):
        door.say(number, {"kserve": ""})
    assert door.workers.by == "kserve"
    assert door.said == [
        ("info", "the model server scores from now on."),
        ("error", f"it is late. {OWN}"),
        ("error", f"it cannot be reached. {OWN}"),
        ("info", "the model server answers again."),
    ]


def test_a_worker_that_is_replaced_is_no_news_of_the_model_server(door):
    for number in (0, 1):
        door.say(number, ABOUT, {"kserve": ""})
    door.processes[0].stop()
    door.workers.attend(dict(door.poller.poll(PATIENCE_S * 1000)), 0.0)
    assert door.workers.by == "workers"
    door.say(2, ABOUT, {"kserve": ""})
    assert door.workers.by == "kserve"
    assert not any("model server answers" in text for _, text in door.said)


# ---- what a person may get wrong ---------------------------------------------------------------------


def test_without_its_client_the_backend_is_a_sentence(monkeypatch, own_signals):  # noqa: F811
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = CliRunner().invoke(main, ["serve", "--backend", "kserve"])
    assert result.exit_code == 2
    assert "needs tritonclient, which is not installed: pip install -e '.[kserve]'" in " ".join(
        result.output.split()
    )


@pytest.mark.parametrize("wrong", ["address=http://box:8001", "address=box", "model=a/b", "deadline_s=0"])
def test_an_address_without_a_port_or_no_deadline_is_refused(wrong):
    with pytest.raises(settings.SettingsError, match=f"kserve.{wrong.partition('=')[0]}"):
        settings.load(overrides=[f"kserve.{wrong}"])


def test_a_picture_full_of_faces_goes_there_in_one_go():
    assert settings.load(overrides=["server.backend=kserve"]).server.backend == "kserve"
    assert MAX_FACES * 48 * 48 * 4 < 4 * 2**20  # what gRPC takes in one message
