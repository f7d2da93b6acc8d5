"""Two clients call whatever they like at once: the virtual NAO neither breaks, hangs, bends too far nor grows.

CALLS=100000 (make test-clients) does it over libqi, and says how fast and in how much memory; without it, every
method and every usual form is called in this process, by the same dice. No call is waited for without a bound.
"""

import collections
import contextlib
import json
import os
import random
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("qi", reason="there is no qi wheel for this Python or machine")
sys.path.insert(0, str(Path(__file__).parents[1] / "robot"))

import qi
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from naoqi_forms import ANSWERS, FAILURES, MOVES
from virtual_robot import VirtualRobot

from robot_app.virtual import body
from robot_app.virtual.diary import KEPT_LINES
from robot_app.virtual.hand_clock import HandClock
from robot_app.virtual.nao import NaoError, VirtualNAO

CALLS = int(os.environ.get("CALLS", "300"))
AT_ONCE = 25  # calls of each client in one go; they run on beside those of the next, then they are cancelled
STEPS = 12
MANY = 10_000
PATIENCE_MS = 60_000  # for an answer, and for the end of what was cancelled
FILLING_MB, GROWN_MB = (
    40,
    10,
)  # more after the last call than after a fifth of them: the diary fills, then nothing
LIBQI = ("did not match", "cancel", "Call argument")  # what libqi itself says of a call

# What would end the robot or its network, write files, or slow everything down.
LEFT_OUT = {
    ("ALSystem", "reboot"),
    ("ALSystem", "shutdown"),
    ("VirtualNAO", "loseSessions"),
    ("VirtualNAO", "slowNetwork"),
    ("VirtualNAO", "diary"),
    ("ALAudioRecorder", "startMicrophonesRecording"),
    ("ALVideoDevice", "putImage"),
}
METHODS = [
    (name, method, arity)
    for name, service in VirtualNAO(clock=HandClock()).services.items()
    for method, offer in service.offers.items()
    for arity in offer.arities
    if (name, method) not in LEFT_OUT
]
USUAL = [(*form.call.split("."), form.arguments) for form in (*MOVES, *ANSWERS)]
USUAL += [(*form.call.split("."), form.arguments) for form, _ in FAILURES]
WORDS = (
    *(
        "HeadYaw",
        "Head",
        "LArm",
        "Body",
        "Legs",
        "Arms",
        "RLeg",
        "Torso",
        "FaceLeds",
        "Stand",
        "Sit",
        "say",
        "",
    ),
    *("FrontTactilTouched", "head", "left bumper", "Face", "English", "speed", "interactive", "test", "test_0"),
)


def a_value(dice, depth=2):
    """Anything that a program might give."""
    if depth and dice.random() < 0.3:
        return [a_value(dice, depth - 1) for _ in range(dice.randrange(4))]
    kinds = (None, dice.random() < 0.5, dice.randint(-3, 12), dice.uniform(-3, 3), *[dice.choice(WORDS)] * 3)
    return dice.choice(kinds)


def a_call(dice, name, method, arity):
    """That method with anything."""
    return name, method, tuple(a_value(dice) for _ in range(arity))


def some_calls(seed):
    """AT_ONCE calls: half of them as programs make them, half of them of any method with anything."""
    dice = random.Random(seed)
    for _ in range(AT_ONCE):
        yield dice.choice(USUAL) if dice.random() < 0.5 else a_call(dice, *dice.choice(METHODS))


def all_calls(seed):
    """Every usual form, and as many of any method with anything, no method left out; in any order."""
    dice = random.Random(seed)
    calls = USUAL + [a_call(dice, *method) for method in METHODS]
    dice.shuffle(calls)
    return calls


def check_joints(angles):
    """No joint is out of its limits; `angles` in rad, by joint."""
    for joint, (low, high, *_) in body.JOINTS.items():
        assert low - 1e-6 <= angles[joint] <= high + 1e-6, (joint, angles[joint])


seeds = st.integers(0, 2**32)


class Client:
    """A session of its own, its calls that may still run, and what became of the others."""

    def __init__(self, url):
        self.session = qi.Session()
        self.session.connect(url)
        self.services = {}
        self.begun, self.before = [], []
        self.ends = collections.Counter()
        self.slowest_s = 0.0

    def service(self, name):
        if name not in self.services:
            self.services[name] = self.session.service(name, _async=True).value(PATIENCE_MS)
        return self.services[name]

    def ask(self, name, method, *arguments):
        """The answer to a call."""
        return getattr(self.service(name), method)(*arguments, _async=True).value(PATIENCE_MS)

    def begin(self, name, method, arguments):
        """A call that is not waited for; one that libqi does not even send is not counted."""
        try:
            future = getattr(self.service(name), method)(*arguments, _async=True)
        except RuntimeError as error:
            assert any(words in str(error) for words in LIBQI), f"{name}.{method}{arguments}: {error}"
        else:
            self.begun.append((name, method, arguments, future))

    def end_those_before(self):
        """What was begun before the last time has come to an end, if need be once it is cancelled."""
        since_s = time.monotonic()
        for *_, future in self.before:
            if not future.isFinished():
                future.cancel()
        for call in self.before:
            self.ends[self._end_of(*call)] += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - since_s)
        self.before, self.begun = self.begun, []

    def _end_of(self, name, method, arguments, future):
        """How it ended; refusals are NAOqi's."""
        future.wait(PATIENCE_MS)
        if not future.isFinished():
            diary = map(json.loads, self.ask("VirtualNAO", "diary").splitlines())
            lines = [line for line in diary if (line["service"], line.get("method")) == (name, method)]
            raise AssertionError(f"{name}.{method}{arguments} never ended; the diary says {lines[-4:]}")
        if future.isCanceled():
            return "cancelled"
        if not future.hasError():
            return "answered"
        error = future.error()
        known = "::" in error.partition("\n\t")[0] or any(words in error for words in LIBQI)
        assert known, f"{name}.{method}{arguments} broke: {error}"
        return "refused"


class Robot:
    """The virtual NAO as a process, its two clients, and what is counted about it."""

    def __init__(self):
        self.program = VirtualRobot(sys.executable, "--speed", "10")
        self.clients = [Client(self.program.url) for _ in range(2)]
        self.began_s = time.monotonic()
        self.sizes_mb = []  # (calls so far, MB)
        self.broken = None  # by what; hypothesis, which tries again, may have another tale to tell

    @contextlib.contextmanager
    def watched(self):
        """The first thing that goes wrong in here is the one to tell."""
        try:
            yield
        except Exception as error:
            self.broken = self.broken or error
            raise

    @property
    def calls(self):
        return sum(sum(client.ends.values()) for client in self.clients)

    def measure(self):
        """Note its memory, and tell at each tenth of the calls how it stands."""
        status = Path(f"/proc/{self.program.process.pid}/status").read_text()
        before = self.sizes_mb[-1][0] if self.sizes_mb else 0
        self.sizes_mb.append((self.calls, int(status.partition("VmRSS:")[2].split()[0]) / 1024))
        if self.calls * 10 // CALLS > before * 10 // CALLS:
            rate = self.calls / (time.monotonic() - self.began_s)
            print(f"{self.calls:7d} calls, {rate:.0f} a second: {self.sizes_mb[-1][1]:.0f} MB", flush=True)

    def beats(self):
        """Whether its body lives on."""
        before, until = self._lived_ms(), time.monotonic() + PATIENCE_MS / 1000
        while self._lived_ms() == before and time.monotonic() < until:
            time.sleep(0.01)
        return self._lived_ms() > before

    def _lived_ms(self):
        return self.clients[0].ask("ALMemory", "getData", "DCM/Time")


@pytest.fixture(scope="module")
def robot():
    robot = Robot()
    yield robot
    robot.program.end()


def machine_for(robot):
    one, other = robot.clients

    class Machine(RuleBasedStateMachine):
        @rule(first=seeds, second=seeds)
        def both_call_at_once(self, first, second):
            with robot.watched():
                for pair in zip(some_calls(first), some_calls(second), strict=True):
                    for client, call in zip(robot.clients, pair, strict=True):
                        client.begin(*call)
                for client in robot.clients:
                    client.end_those_before()
            robot.measure()

        @invariant()
        def no_joint_is_out_of_its_limits(self):
            with robot.watched():
                angles = one.ask("ALMotion", "getAngles", "Body", True)
                check_joints(dict(zip(body.JOINTS, angles, strict=True)))

        def teardown(self):
            one.ask("ALMotion", "killAll")
            other.ask("ALTextToSpeech", "stopAll")
            other.ask("VirtualNAO", "standUp")

    return Machine


def test_every_method_is_answered_or_refused_whatever_comes_and_no_joint_leaves_its_limits():
    clock = HandClock()
    nao = VirtualNAO(clock=clock)
    for number, (name, method, arguments) in enumerate(all_calls(1)):
        try:
            nao.call(name, method, arguments)
        except NaoError as refused:
            assert "::" in str(refused).partition("\n\t")[0]
        if number % AT_ONCE == 0:
            clock.live(nao, 0.4)
            check_joints(nao.angles)
        if number % (AT_ONCE * STEPS) == 0:
            nao.call("VirtualNAO", "standUp")
    for task in list(nao._tasks.values()):
        nao.cancel(task)
    assert not nao["ALMotion"].moves and not nao["ALTextToSpeech"].queue and not nao._tasks


@pytest.mark.timeout(0)
@pytest.mark.skipif("CALLS" not in os.environ, reason="long: make test-clients runs it")
def test_two_clients_at_once_cannot_break_it(robot):
    print()
    while robot.calls < CALLS:
        how = settings(
            max_examples=(CALLS - robot.calls) // (2 * AT_ONCE * STEPS) + 1,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=CALLS < MANY,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        try:
            run_state_machine_as_test(machine_for(robot), settings=how)
        except Exception as error:
            raise robot.broken or error from None
        for client in robot.clients:
            client.end_those_before()
            client.end_those_before()
    assert robot.beats(), "its heart has stopped"
    ends = sum((client.ends for client in robot.clients), collections.Counter())
    slowest_s = max(client.slowest_s for client in robot.clients)
    at_a_fifth = next((calls, size) for calls, size in robot.sizes_mb if calls >= robot.calls / 5)
    at_the_end = robot.sizes_mb[-1][1]
    print(f"{robot.calls} calls by two clients: {', '.join(f'{count} {how}' for how, count in ends.items())}")
    print(f"the slowest {AT_ONCE} had ended {slowest_s:.2f} s after they were cancelled; its heart beats")
    print(f"{at_a_fifth[1]:.0f} MB after a fifth of the calls, {at_the_end:.0f} MB at the end")
    assert at_the_end - at_a_fifth[1] < (GROWN_MB if at_a_fifth[0] >= KEPT_LINES else FILLING_MB)
