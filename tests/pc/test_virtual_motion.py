"""The virtual NAO's body moves as a NAO's does: in time, within its limits, and not without stiffness."""

import pytest

from behaviors import joints as sheets
from robot_app.virtual import body, paths
from robot_app.virtual.hand_clock import HandClock
from robot_app.virtual.nao import NaoError, VirtualNAO


class Robot:
    """A virtual NAO with a hand-moved clock, and short words for what the tests say often."""

    def __init__(self, **options):
        self.clock = HandClock()
        self.nao = VirtualNAO(clock=self.clock, **options)

    def live(self, seconds):
        self.clock.live(self.nao, seconds)

    def motion(self, method, *arguments):
        return self.nao.call("ALMotion", method, arguments)

    def angle(self, joint):
        return self.motion("getAngles", joint, True)[0]


@pytest.fixture
def robot():
    return Robot()


def test_a_freshly_started_nao_stands_awake_with_stiffness_and_a_life_of_its_own(robot):
    assert robot.motion("robotIsWakeUp") is True
    assert set(robot.motion("getStiffnesses", "Body")) == {1.0}
    assert robot.nao.call("ALRobotPosture", "getPosture") == "Stand"
    assert robot.nao.call("ALRobotPosture", "getPostureFamily") == "Standing"
    assert robot.nao.call("ALAutonomousLife", "getState") == "solitary"


def test_an_interpolation_passes_its_keys_at_their_times(robot):
    task = robot.motion("angleInterpolation", "HeadYaw", [1.0, 0.5], [1.0, 2.0], True)
    robot.live(0.5)
    assert robot.angle("HeadYaw") == pytest.approx(0.5, abs=0.01)
    robot.live(0.5)
    assert robot.angle("HeadYaw") == pytest.approx(1.0, abs=0.01) and task.how is None
    robot.live(1.0)
    assert robot.angle("HeadYaw") == pytest.approx(0.5) and task.how == "done"
    assert robot.nao.diary.find(event="ended", method="angleInterpolation")[0]["at_s"] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("names", "angles", "times", "at_the_end"),
    [
        ("HeadYaw", 0.5, 1, {"HeadYaw": 0.5}),
        ("HeadYaw", [0.2, 0.5], [0.5, 1], {"HeadYaw": 0.5}),
        ("HeadYaw", [[0.2, 0.5]], [[0.5, 1.0]], {"HeadYaw": 0.5}),
        (["HeadYaw"], [[0.5]], [[1.0]], {"HeadYaw": 0.5}),
        ("Head", [0.5, 0.1], 1.0, {"HeadYaw": 0.5, "HeadPitch": 0.1}),
        (["HeadYaw", "LHand"], [0.5, 1], 1.0, {"HeadYaw": 0.5, "LHand": 1.0}),
        (["HeadYaw", "LHand"], [[0.2, 0.5], [1]], [[0.5, 1], [0.8]], {"HeadYaw": 0.5, "LHand": 1.0}),
        (("HeadYaw", "LHand"), (0.5, 1), (1.0, 0.9), {"HeadYaw": 0.5, "LHand": 1.0}),
    ],
)
def test_every_form_of_arguments_that_programs_use_is_understood(robot, names, angles, times, at_the_end):
    robot.motion("angleInterpolation", names, angles, times, True)
    robot.live(1.1)
    assert {joint: robot.angle(joint) for joint in at_the_end} == pytest.approx(at_the_end, abs=1e-3)


def test_a_relative_interpolation_starts_from_where_the_joint_is(robot):
    before = robot.angle("LShoulderPitch")
    robot.motion("angleInterpolation", "LShoulderPitch", -0.5, 1.0, False)
    robot.live(1.1)
    assert robot.angle("LShoulderPitch") == pytest.approx(before - 0.5)


def test_bezier_keys_with_choregraphes_handles_are_reached(robot):
    keys = [[[0.5, [3, -0.3, 0.0], [3, 0.3, 0.0]], [-0.5, [3, -0.3, 0.0], [3, 0.0, 0.0]]], [1.0]]
    task = robot.motion("angleInterpolationBezier", ["HeadYaw", "RHand"], [[1.0, 2.0], [1.5]], keys)
    robot.live(1.0)
    assert robot.angle("HeadYaw") == pytest.approx(0.5, abs=0.01)
    robot.live(1.0)
    assert (robot.angle("HeadYaw"), robot.angle("RHand")) == pytest.approx((-0.5, 1.0), abs=1e-3)
    assert task.how == "done"


def test_a_bezier_curve_with_flat_handles_is_slow_at_both_ends_and_fast_in_the_middle():
    curve = paths.bezier(0.0, [paths.Key(1.0, 1.0)])
    assert (curve(0.0), curve(0.5), curve(1.0)) == pytest.approx((0.0, 0.5, 1.0), abs=1e-6)
    assert curve(0.1) < 0.05 and curve(0.9) > 0.95


def test_no_joint_is_faster_than_its_motor_and_the_diary_says_when_it_should_have_been(robot):
    task = robot.motion("angleInterpolation", "HeadYaw", 2.0, 0.1, True)
    robot.live(0.1)
    assert robot.angle("HeadYaw") == pytest.approx(0.1 * body.JOINTS["HeadYaw"].max_speed_rad_s, rel=0.01)
    assert task.how is None
    robot.live(0.3)
    assert robot.angle("HeadYaw") == pytest.approx(2.0) and task.how == "done"
    assert [line["joint"] for line in robot.nao.diary.find(what="too fast")] == ["HeadYaw"]


def test_no_joint_leaves_its_range_and_the_diary_says_when_it_should_have(robot):
    task = robot.motion("angleInterpolation", "LShoulderRoll", 3.0, 2.0, True)
    robot.live(2.1)
    assert robot.angle("LShoulderRoll") == body.JOINTS["LShoulderRoll"].max_rad and task.how == "done"
    assert len(robot.nao.diary.find(what="beyond the range")) == 1


def test_a_turned_head_may_nod_less_than_a_straight_one(robot):
    robot.motion("angleInterpolation", ["HeadYaw", "HeadPitch"], [0.0, 0.5], 1.0, True)
    robot.live(1.1)
    assert robot.angle("HeadPitch") == pytest.approx(0.5)
    robot.motion("angleInterpolation", "HeadYaw", 1.526988, 1.0, True)
    robot.live(1.1)
    assert robot.angle("HeadPitch") == pytest.approx(0.200015, abs=1e-4)


def test_with_speed_the_slowest_joint_sets_the_time(robot):
    task = robot.motion("angleInterpolationWithSpeed", ["HeadYaw", "LHand"], [1.0, 0.35], 0.5)
    needed_s = 1.0 / (0.5 * body.JOINTS["HeadYaw"].max_speed_rad_s)
    robot.live(needed_s - 0.03)
    assert task.how is None
    robot.live(0.05)
    assert task.how == "done" and robot.angle("HeadYaw") == pytest.approx(1.0)


def test_set_angles_returns_at_once_and_the_joint_goes_there_at_its_share_of_speed(robot):
    assert robot.motion("setAngles", "HeadYaw", 1, 0.1) is None
    robot.live(0.5)
    assert robot.angle("HeadYaw") == pytest.approx(0.5 * 0.1 * body.JOINTS["HeadYaw"].max_speed_rad_s, rel=0.02)
    robot.motion("changeAngles", ["HeadYaw"], [-5], 1.0)
    robot.live(1.0)
    assert robot.angle("HeadYaw") == body.JOINTS["HeadYaw"].min_rad


def test_a_second_interpolation_waits_until_its_joints_are_free(robot):
    first = robot.motion("angleInterpolation", "HeadYaw", 1.0, 1.0, True)
    second = robot.motion("angleInterpolation", ["HeadYaw", "LHand"], [0.0, 1.0], 1.0, True)
    third = robot.motion("angleInterpolation", "RHand", 1.0, 1.0, True)
    robot.live(1.02)
    assert (first.how, second.how, third.how) == ("done", None, "done")
    robot.live(1.02)
    assert second.how == "done" and robot.angle("HeadYaw") == pytest.approx(0.0)


def test_a_killed_task_leaves_its_joints_where_they_are(robot):
    task = robot.motion("angleInterpolation", ["HeadYaw", "LHand"], [1.0, 1.0], 1.0, True)
    robot.live(0.5)
    rows = robot.motion("getTaskList")
    assert rows == [["angleInterpolation", task.id, "virtual", ["HeadYaw", "LHand"]]]
    assert robot.motion("areResourcesAvailable", ["Head"]) is False
    assert robot.motion("areResourcesAvailable", ["RArm"]) is True
    assert robot.motion("killTask", task.id) is True
    assert task.how == "killed" and robot.motion("getTaskList") == []
    robot.live(1.0)
    assert robot.angle("HeadYaw") == pytest.approx(0.5, abs=0.02)
    assert robot.motion("killTask", task.id) is False


def test_tasks_are_killed_by_the_joints_they_hold_or_all_together(robot):
    head = robot.motion("angleInterpolation", "HeadYaw", 1.0, 1.0, True)
    arm = robot.motion("openHand", "LHand")
    robot.motion("killTasksUsingResources", ["Head"])
    assert (head.how, arm.how) == ("killed", None)
    robot.motion("killAll")
    assert arm.how == "killed"


def test_a_cancelled_task_stops_as_a_killed_one_does(robot):
    task = robot.motion("angleInterpolation", "HeadYaw", 1.0, 1.0, True)
    robot.live(0.5)
    robot.nao.cancel(task)
    robot.live(0.5)
    assert robot.angle("HeadYaw") == pytest.approx(0.5, abs=0.02)
    assert robot.nao.diary.find(event="ended")[0]["how"] == "cancelled"


@pytest.mark.parametrize(
    ("method", "arguments", "why"),
    [
        ("angleInterpolation", ("Nose", 0.1, 1.0, True), "unknown joint or chain: 'Nose'"),
        ("angleInterpolation", (["HeadYaw"], [0.1, 0.2], [1.0], True), "2 angles came with 1 times"),
        ("angleInterpolation", ("HeadYaw", [0.1, 0.2], [1.0, 0.5], True), "times must be above 0 and rise"),
        ("angleInterpolation", ("HeadYaw", "far", 1.0, True), "an angle must be a number, not 'far'"),
        ("setAngles", ("HeadYaw", float("nan"), 0.1), "an angle must be a number, not nan"),
        ("angleInterpolation", ("HeadYaw", 0.1), "2 arguments came; it takes 4"),
        ("setAngles", (["HeadYaw", "HeadPitch"], [0.1], 0.2), "2 joints need 2 angles; 1 came"),
        ("setAngles", ("HeadYaw", 0.1, 1.5), "must lie in ]0..1]"),
        ("setStiffnesses", ("Body", 2), "a stiffness must lie in 0..1"),
        ("openHand", ("HeadYaw",), "is no hand"),
        ("fly", (), "no such method"),
    ],
)
def test_what_a_nao_refuses_is_refused_in_naoqis_form_and_stands_in_the_diary(robot, method, arguments, why):
    with pytest.raises(NaoError) as refused:
        robot.motion(method, *arguments)
    assert str(refused.value).startswith(f"ALMotion::{method}\n\t") and why in str(refused.value)
    assert robot.nao.diary.find(event="called", method=method)[0]["error"] == str(refused.value)


def test_without_stiffness_nothing_moves_and_a_motion_is_refused(robot):
    robot.motion("setStiffnesses", "Head", 0.0)
    with pytest.raises(NaoError, match="no stiffness in HeadYaw"):
        robot.motion("angleInterpolation", "HeadYaw", 0.5, 1.0, True)
    with pytest.raises(NaoError, match="no stiffness in HeadYaw"):
        robot.motion("setAngles", "HeadYaw", 0.5, 0.2)
    robot.motion("stiffnessInterpolation", "Head", 1, 0.5)
    robot.live(0.6)
    robot.motion("angleInterpolation", "HeadYaw", 0.5, 1.0, True)


def test_rest_crouches_and_lets_go_and_wake_up_stands_again(robot):
    rest = robot.motion("rest")
    robot.live(5)
    assert rest.how == "done" and robot.motion("robotIsWakeUp") is False
    assert set(robot.motion("getStiffnesses", "Body")) == {0.0}
    assert robot.nao.call("ALRobotPosture", "getPosture") == "Crouch"
    wake = robot.motion("wakeUp")
    robot.live(5)
    assert wake.how == "done" and robot.nao.call("ALRobotPosture", "getPosture") == "Stand"
    assert robot.motion("wakeUp") is None


def test_a_posture_is_reached_with_true_and_an_interrupted_one_gives_false(robot):
    sit = robot.nao.call("ALRobotPosture", "goToPosture", ["Sit", 0.5])
    robot.live(0.1)
    robot.nao.call("ALRobotPosture", "stopMove")
    assert (sit.how, sit.result) == ("killed", False)
    stand = robot.nao.call("ALRobotPosture", "goToPosture", ["StandInit", 1.0])
    robot.live(5)
    assert (stand.how, stand.result) == ("done", True)
    assert robot.nao.angles == pytest.approx(body.POSTURES["StandInit"], abs=1e-3)
    with pytest.raises(NaoError, match="unknown posture 'Fly'"):
        robot.nao.call("ALRobotPosture", "goToPosture", ["Fly", 1.0])


def test_a_sleeping_nao_can_be_had_for_tests():
    robot = Robot(awake=False, life="disabled")
    assert robot.motion("robotIsWakeUp") is False
    assert robot.nao.call("ALAutonomousLife", "getState") == "disabled"


@pytest.mark.parametrize(
    ("what", "of", "at_the_start"),
    [
        ("BreathEnabled", ["Arms"], False),
        ("IdlePostureEnabled", ["Head"], False),
        ("CollisionProtectionEnabled", ["LArm"], True),
        ("ExternalCollisionProtectionEnabled", ["All"], True),
        ("FallManagerEnabled", [], True),
        ("SmartStiffnessEnabled", [], True),
    ],
)
def test_a_switch_stays_as_it_was_put(robot, what, of, at_the_start):
    assert robot.motion(f"get{what}", *of) is at_the_start
    robot.motion(f"set{what}", *of, not at_the_start)
    assert robot.motion(f"get{what}", *of) is not at_the_start
    if what.startswith(("Breath", "Idle", "Collision")):
        with pytest.raises(NaoError, match="'Tail'"):
            robot.motion(f"set{what}", "Tail", True)


@pytest.mark.parametrize("argument", ["?", None, 1, -0.5, [], ["?"], [[]], [[1, 2]], {"?": 1}, b"?"], ids=repr)
def test_every_method_answers_or_refuses_in_naoqis_form_whatever_comes(robot, argument):
    for name, service in robot.nao.services.items():
        for method, offer in service.offers.items():
            for arity in offer.arities:
                try:
                    robot.nao.call(name, method, [argument] * arity)
                except NaoError as refused:
                    assert str(refused).startswith(f"{name}::{method}\n\t")
    robot.live(2)


def test_a_walk_takes_its_time_and_ends_where_it_was_sent(robot):
    walk = robot.motion("moveTo", 0.16, 0, 0.0)
    robot.live(1.0)
    assert robot.motion("moveIsActive") and robot.motion("getRobotPosition", True)[0] == pytest.approx(0.08)
    robot.live(1.1)
    assert (walk.how, walk.result) == ("done", True)
    assert robot.motion("getRobotPosition", True) == pytest.approx([0.16, 0, 0], abs=0.01)
    robot.motion("move", 0.05, 0, 0)
    robot.live(1.0)
    robot.motion("stopMove")
    robot.live(1.0)
    assert robot.motion("getRobotPosition", True)[0] == pytest.approx(0.21, abs=0.01)


def test_the_robots_limits_and_those_of_the_sheets_are_the_same_figures():
    assert sheets.JOINTS.keys() == body.JOINTS.keys()
    for name, joint in body.JOINTS.items():
        assert sheets.JOINTS[name][:3] == pytest.approx(joint[:3], abs=1e-3), name
    for yaw in (0.0, 0.3, -0.6, 0.8, 1.0, -1.3, 2.0):
        assert sheets.head_pitch_limits(yaw) == pytest.approx(body.head_pitch_limits(yaw), abs=1e-3)
    for name, angle in sheets.STAND.items():
        assert body.POSTURES["Stand"][name] == pytest.approx(angle, abs=1e-3), name


def test_every_posture_lies_within_the_limits():
    for name, angles in body.POSTURES.items():
        for joint, angle in angles.items():
            low, high = body.JOINTS[joint][:2]
            assert low - 1e-3 <= angle <= high + 1e-3, (name, joint)
