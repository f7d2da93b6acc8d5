"""Every shipped behaviour on the virtual NAO, judged by its own limits: nothing is bent, all ends in Stand."""

import pytest

from behaviors import sheets
from behaviors.joints import GESTURE_NAMES, STAND
from robot_app.virtual import body
from robot_app.virtual.hand_clock import HandClock
from robot_app.virtual.nao import VirtualNAO

STARTS = {
    "Stand": STAND,
    "the lower ends of all ranges": {joint: body.JOINTS[joint].min_rad for joint in GESTURE_NAMES},
    "the upper ends of all ranges": {joint: body.JOINTS[joint].max_rad for joint in GESTURE_NAMES},
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("behavior", sheets.load(), ids=lambda behavior: behavior.name)
def test_a_behaviour_is_played_as_written_from_any_start(behavior, start):
    clock = HandClock()
    nao = VirtualNAO(clock=clock)
    nao.angles.update(STARTS[start])
    names = sorted(behavior.joints)
    times_s, angles = zip(*(behavior.joints[joint] for joint in names), strict=True)
    task = nao.call("ALMotion", "angleInterpolation", (names, list(angles), list(times_s), True))
    for _ in range(int(behavior.duration_s / 0.02) + 2):
        clock.live(nao, 0.02)
    assert task.how == "done"
    assert [nao.angles[joint] for joint in names] == pytest.approx([STAND[joint] for joint in names], abs=2e-3)
    complaints = [entry for what in ("too fast", "beyond the range") for entry in nao.diary.find(what=what)]
    if start != "Stand":  # from there NAO itself holds the head back, while it comes out of the corner
        complaints = [entry for entry in complaints if entry["joint"] != "HeadPitch"]
    assert complaints == []


def test_the_virtual_naos_diary_does_complain_about_a_motion_that_is_too_fast():
    """Or else the test above could not fail."""
    clock = HandClock()
    nao = VirtualNAO(clock=clock)
    nao.call("ALMotion", "angleInterpolation", ("LShoulderPitch", [-1.4], [0.2], True))
    for _ in range(20):
        clock.live(nao, 0.02)
    assert nao.diary.find(what="too fast")
