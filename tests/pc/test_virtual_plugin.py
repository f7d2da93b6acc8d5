"""Other people's tests get a virtual NAO from a fixture, and as many as they like."""

import time
from pathlib import Path

import pytest

from robot_app import virtual

pytest.importorskip("qi", reason="there is no qi wheel for this Python or machine")
pytest_plugins = ["robot_app.virtual.pytest_plugin"]

PAGE = Path(virtual.__file__).parent / "README.md"
BLOCKS = [part.split("```")[0] for part in PAGE.read_text("utf-8").split("```python\n")[1:]]


def test_a_foreign_program_talks_to_it_and_the_diary_tells(virtual_nao):
    virtual_nao.service("ALTextToSpeech").say("")
    assert virtual_nao.wait_for(event="ended", method="say")["how"] == "done"
    assert virtual_nao.url == f"tcp://{virtual_nao.ip}:{virtual_nao.port}"


def test_touching_its_head_reaches_the_callback_of_a_program(virtual_nao):
    memory, heard = virtual_nao.service("ALMemory"), []
    signal = memory.subscriber("FrontTactilTouched").signal
    signal.connect(heard.append)
    virtual_nao.world.press("head")
    until = time.monotonic() + 30
    while not heard and time.monotonic() < until:
        memory.ping()
    assert heard == [1.0]


@pytest.mark.virtual_nao(speed=20, naoqi="2.1", awake=False, life="disabled")
def test_the_marker_says_how_it_is(virtual_nao):
    motion = virtual_nao.service("ALMotion")
    assert motion.version().startswith("2.1") and motion.robotIsWakeUp() is False
    assert virtual_nao.service("ALAutonomousLife").getState() == "disabled"
    motion.wakeUp()
    assert virtual_nao.angle("LKneePitch") == pytest.approx(-0.092, abs=1e-3)


def test_several_on_one_machine_are_several_robots(make_virtual_nao):
    robots = [make_virtual_nao(speed=5) for _ in range(3)]
    assert len({robot.url for robot in robots}) == 3
    for number, robot in enumerate(robots):
        robot.service("ALMotion").angleInterpolation("HeadYaw", 0.1 * number, 0.2, True)
        robot.service("ALSystem").setRobotName(f"nao {number}")
    robots[1].world.fall()
    robots[1].wait_for(event="called", method="fall")
    assert [robot.service("ALSystem").robotName() for robot in robots] == ["nao 0", "nao 1", "nao 2"]
    assert [robot.angle("HeadYaw") for robot in robots] == pytest.approx([0.0, 0.1, 0.2], abs=1e-3)
    assert [len(robot.diary.find(method="fall")) for robot in robots] == [0, 1, 0]


def test_a_line_that_never_comes_is_a_timeout(virtual_nao):
    with pytest.raises(TimeoutError, match="no such line in the diary"):
        virtual_nao.wait_for(0.01, method="dance")


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_of_its_page_passes(block, make_virtual_nao):
    names = {}
    exec(compile(block, str(PAGE), "exec"), names)
    (example,) = [value for name, value in names.items() if name.startswith("test_")]
    if example.__code__.co_varnames[0] == "make_virtual_nao":
        example(make_virtual_nao)
    else:
        marks = getattr(example, "pytestmark", [])
        example(make_virtual_nao(**(marks[0].kwargs if marks else {})))
