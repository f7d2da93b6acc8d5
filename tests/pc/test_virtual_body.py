"""The virtual NAO's body is one: places, breath, walks, touch, warmth and memory's keys agree."""

import math

import numpy as np
import pytest

from robot_app.virtual import body, kinematics
from robot_app.virtual.breath import DEPTH_RAD
from robot_app.virtual.hand_clock import HandClock
from robot_app.virtual.nao import NaoError, VirtualNAO


class Robot:
    """A virtual NAO with a hand-moved clock: robot("Service.method", ...)."""

    def __init__(self):
        self.clock = HandClock()
        self.nao = VirtualNAO(clock=self.clock)

    def __call__(self, call, *arguments):
        return self.nao.call(*call.split("."), arguments)

    def live(self, seconds):
        self.clock.live(self.nao, seconds)

    def key(self, name):
        return self("ALMemory.getData", f"Device/SubDeviceList/{name}/Sensor/Value")


@pytest.fixture
def robot():
    return Robot()


def test_a_nao_in_stand_zero_has_its_parts_where_its_bones_put_them():
    zero = body.POSTURES["StandZero"]
    assert kinematics.pose(zero, "HeadYaw")[:3, 3] == pytest.approx([0, 0, 0.1265])
    assert kinematics.pose(zero, "LLeg")[:3, 3] == pytest.approx([0, 0.05, -0.333], abs=1e-3)
    assert kinematics.torso_in(2, zero, None, (0, 0, 0))[:3, 3] == pytest.approx([0, 0, 0.333], abs=1e-3)
    turned = kinematics.torso_in(1, zero, None, (1.0, 2.0, math.pi / 2))
    assert kinematics.six(turned) == pytest.approx([1, 2, 0.333, 0, 0, math.pi / 2], abs=1e-3)


def test_a_place_and_its_transform_are_the_same():
    pose = kinematics.from_six([0.1, -0.2, 0.3, 0.4, -0.5, 0.6])
    assert kinematics.six(pose) == pytest.approx([0.1, -0.2, 0.3, 0.4, -0.5, 0.6])
    assert np.allclose(kinematics.from_transform(list(pose.ravel())), pose)


def test_a_hand_reaches_a_place_and_one_too_far_is_told_in_the_diary(robot):
    here = robot("ALMotion.getPosition", "LArm", 0, True)
    goal = [here[0] + 0.04, here[1], here[2] + 0.04, 0, 0, 0]
    move = robot("ALMotion.positionInterpolation", "LArm", 0, [goal], 7, [1.0], True)
    robot.live(1.1)
    assert move.how == "done"
    assert robot("ALMotion.getPosition", "LArm", 0, True)[:3] == pytest.approx(goal[:3], abs=2e-3)
    robot("ALMotion.positionInterpolation", "LArm", 0, [[2, 0, 0, 0, 0, 0]], 7, [1.0], True)
    assert robot.nao.diary.find(what="out of reach")[0]["effector"] == "LArm"


def test_it_breathes_when_told_with_joints_that_nothing_else_uses(robot):
    before = dict(robot.nao.angles)
    robot("ALMotion.setBreathEnabled", "Arms", True)
    robot.live(1.25)  # a quarter of a breath at 12 a minute
    off = {joint: robot.nao.angles[joint] - before[joint] for joint in body.JOINTS}
    assert off["LShoulderPitch"] == pytest.approx(DEPTH_RAD["LShoulderPitch"] / 2, rel=0.05)
    assert off["HeadPitch"] == 0.0
    robot("ALMotion.angleInterpolation", "LShoulderPitch", 1.0, 0.5, True)
    robot.live(0.5)
    assert robot.nao.angles["LShoulderPitch"] == pytest.approx(1.0)
    robot("ALMotion.setBreathEnabled", "Arms", False)
    robot.live(0.1)
    assert robot.nao.angles["RShoulderPitch"] == pytest.approx(before["RShoulderPitch"])


def test_who_sits_stands_up_before_it_walks_and_feels_its_feet_again(robot):
    robot("ALRobotPosture.goToPosture", "Sit", 1.0)
    robot.live(8)
    assert robot.key("LFoot/FSR/TotalWeight") == 0.0
    walk = robot("ALMotion.moveTo", 0.08, 0, 0)
    robot.live(0.5)
    assert robot("ALMotion.getRobotPosition", True)[0] == 0.0
    robot.live(12)
    assert (walk.how, walk.result) == ("done", True) and robot.key("LFoot/FSR/TotalWeight") > 2


def test_a_turn_is_felt_by_the_gyrometer_and_kept_by_the_angle(robot):
    robot("ALMotion.move", 0, 0, 0.2)
    robot.live(2.0)
    assert robot.key("InertialSensor/GyroscopeZ") == pytest.approx(0.2)
    assert robot.key("InertialSensor/AngleZ") == pytest.approx(0.4, abs=0.02)
    robot("ALMotion.move", 100, 0, 0)
    assert robot("ALMotion.getRobotVelocity")[0] <= 0.1


def test_a_touch_is_the_same_for_memory_for_its_key_and_for_altouch(robot):
    robot("VirtualNAO.press", "left hand")
    rows = {name: touched for name, touched, _ in robot("ALTouch.getStatus")}
    assert (
        rows["LHand"]
        and rows["LHand/Touch/Back"]
        and not rows["RHand"]
        and robot.key("LHand/Touch/Back") == 1.0
    )
    assert robot("ALMemory.getData", "HandLeftBackTouched") == 1.0
    robot("VirtualNAO.release", "left hand")
    assert not any(touched for _, touched, _ in robot("ALTouch.getStatus"))


def test_heat_charge_and_plug_are_told_where_programs_look(robot):
    robot("VirtualNAO.heat", ["LKneePitch"])
    assert robot.key("LKneePitch/Temperature") > 80 > robot.key("RKneePitch/Temperature")
    robot("VirtualNAO.charge", 40)
    robot("VirtualNAO.plug", True)
    assert robot("ALBattery.getBatteryCharge") == 40 and robot.key("Battery/Current") > 0
    with pytest.raises(NaoError, match=r"the charge must lie in 0\.\.100"):
        robot("VirtualNAO.charge", 140)


def test_posture_and_wakefulness_are_told_when_they_change(robot):
    heard = []
    for key in ("PostureFamilyChanged", "robotIsWakeUp"):
        robot("ALMemory.subscriber", key).listen(heard.append)
    robot("ALMotion.rest")
    for _ in range(40):
        robot.live(0.2)
    assert "Crouching" in heard and heard[-1] is False


def test_what_is_only_kept_says_so_in_the_diary(robot):
    robot("ALMotion.setFallManagerEnabled", False)
    assert robot("ALMotion.getFallManagerEnabled") is False
    assert robot.nao.diary.find(method="setFallManagerEnabled")[0]["kept"] is True
    robot("ALMotion.setBreathEnabled", "Arms", False)
    assert "kept" not in robot.nao.diary.find(method="setBreathEnabled")[0]
