"""Two clients call whatever they like at once: the virtual NAO neither breaks, hangs, bends too far nor grows.

CALLS=100000 (make test-clients) does it over libqi; without it, some hundred calls are made in this process.
"""

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
from robot_app.virtual.hand_clock import HandClock
from robot_app.virtual.nao import NaoError, VirtualNAO

CALLS = int(os.environ.get("CALLS", "300"))
AT_ONCE = 25  # calls of each client before anybody looks at an answer
STEPS = 12
MANY = 10_000
PATIENCE_MS, SLICE_MS = 60_000, 200
GROWN_MB = 40  # what may come on top of a robot that has had a fifth of the calls
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


def some_calls(seed):
    """AT_ONCE calls: half of them as programs make them, half of them of any method with anything."""
    dice = random.Random(seed)
    for _ in range(AT_ONCE):
        if dice.random() < 0.5:
            yield dice.choice(USUAL)
        else:
            name, method, arity = dice.choice(METHODS)
            yield name, method, tuple(a_value(dice) for _ in range(arity))


seeds = st.integers(0, 2**32)


class Client:
    """A session of its own, and the calls whose answers it has not looked at."""

    def __init__(self, url):
        self.session = qi.Session()
        self.session.connect(url)
        self.services = {}
        self.open = []

    def service(self, name):
        if name not in self.services:
            self.services[name] = self.session.service(name)
        return self.services[name]

    def begin(self, name, method, arguments):
        """A call that is not waited for; what cannot even be sent is no matter of the robot."""
        try:
            future = getattr(self.service(name), method)(*arguments, _async=True)
        except RuntimeError as error:
            assert any(words in str(error) for words in LIBQI), f"{name}.{method}{arguments}: {error}"
        else:
            self.open.append((f"{name}.{method}{arguments}", future))

    def end(self):
        """Every call has come to an end, once it is cancelled; refusals are NAOqi's."""
        for what, future in self.open:
            patience_ms = PATIENCE_MS
            while not future.isFinished() and patience_ms > 0:
                future.cancel()  # again and again: libqi loses one that overtakes its call
                future.wait(SLICE_MS)
                patience_ms -= SLICE_MS
            assert future.isFinished(), f"{what} never ended"
            if not future.isCanceled() and future.hasError():
                error = future.error()
                known = "::" in error.partition("\n\t")[0] or any(words in error for words in LIBQI)
                assert known, f"{what} broke: {error}"
        self.open.clear()


class Robot:
    """The virtual NAO as a process, and what is counted about it."""

    def __init__(self):
        self.program = VirtualRobot(sys.executable, "--speed", "10")
        self.clients = [Client(self.program.url) for _ in range(2)]
        self.calls = 0
        self.sizes_mb = []  # (calls so far, MB)

    def size_mb(self):
        status = Path(f"/proc/{self.program.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.fixture(scope="module")
def robot():
    robot = Robot()
    yield robot
    robot.program.end()


def machine_for(robot):
    motion = robot.clients[0].service("ALMotion")

    class Machine(RuleBasedStateMachine):
        @rule(first=seeds, second=seeds)
        def both_call_at_once(self, first, second):
            for pair in zip(some_calls(first), some_calls(second), strict=True):
                for client, call in zip(robot.clients, pair, strict=True):
                    client.begin(*call)
            for client in robot.clients:
                client.end()
            robot.calls += 2 * AT_ONCE
            robot.sizes_mb.append((robot.calls, robot.size_mb()))

        @invariant()
        def no_joint_is_out_of_its_limits(self):
            angles = dict(zip(body.JOINTS, motion.getAngles("Body", True), strict=True))
            for joint, (low, high, *_) in body.JOINTS.items():
                assert low - 1e-6 <= angles[joint] <= high + 1e-6, (joint, angles[joint])

        def teardown(self):
            motion.killAll()
            robot.clients[1].service("ALTextToSpeech").stopAll()
            robot.clients[1].service("VirtualNAO").standUp()

    return Machine


def test_the_calls_of_two_clients_in_turn_are_answered_or_refused_and_no_joint_leaves_its_limits():
    clock = HandClock()
    nao = VirtualNAO(clock=clock)
    for seed in range(0, 12, 2):
        for pair in zip(some_calls(seed), some_calls(seed + 1), strict=True):
            for name, method, arguments in pair:
                try:
                    nao.call(name, method, arguments)
                except NaoError as refused:
                    assert "::" in str(refused).partition("\n\t")[0]
        clock.live(nao, 0.4)
        for joint, (low, high, *_) in body.JOINTS.items():
            assert low - 1e-6 <= nao.angles[joint] <= high + 1e-6, (joint, nao.angles[joint])


@pytest.mark.timeout(0)
@pytest.mark.skipif("CALLS" not in os.environ, reason="long: make test-clients runs it")
def test_two_clients_at_once_cannot_break_it(robot):
    examples = max(5, CALLS // (2 * AT_ONCE * STEPS))
    how = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=CALLS < MANY,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    while robot.calls < CALLS:
        run_state_machine_as_test(machine_for(robot), settings=how)
    memory = robot.clients[0].service("ALMemory")
    before, until = memory.getData("DCM/Time"), time.monotonic() + 60
    while memory.getData("DCM/Time") == before and time.monotonic() < until:
        time.sleep(0.01)
    assert memory.getData("DCM/Time") > before, "its heart has stopped"
    at_a_fifth = next(size for calls, size in robot.sizes_mb if calls >= robot.calls / 5)
    at_the_end = robot.sizes_mb[-1][1]
    grown = f"{at_a_fifth:.0f} MB after a fifth of them, {at_the_end:.0f} MB at the end"
    print(f"{robot.calls} calls by two clients; {grown}")
    assert at_the_end - at_a_fifth < GROWN_MB
