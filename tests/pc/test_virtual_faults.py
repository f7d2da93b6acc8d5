"""The virtual NAO goes wrong when it is asked to, as a real one would, and is right again afterwards."""

import wave

import pytest

from robot_app.virtual import body
from robot_app.virtual.hand_clock import HandClock
from robot_app.virtual.nao import NaoError, VirtualNAO


class Robot:
    """A virtual NAO with a hand-moved clock, and `robot.ALService.method(...)`."""

    def __init__(self):
        self.clock = HandClock()
        self.nao = VirtualNAO(clock=self.clock)

    def live(self, seconds):
        self.clock.live(self.nao, seconds)

    def call(self, service, method, *arguments):
        return self.nao.call(service, method, arguments)

    def fault(self, method, *arguments):
        return self.call("VirtualNAO", method, *arguments)

    def recall(self, key):
        return self.call("ALMemory", "getData", key)


@pytest.fixture
def robot():
    return Robot()


def test_a_fall_ends_the_gesture_and_leaves_it_lying_without_stiffness(robot):
    gesture = robot.call("ALMotion", "angleInterpolation", "HeadYaw", [0.5], [3.0], True)
    robot.fault("fall")
    assert gesture.how == "killed" and robot.recall("ALMotion/RobotIsFalling") is True
    robot.live(1.0)
    assert robot.recall("robotHasFallen") is True and not robot.nao.awake
    assert set(robot.nao.stiffnesses.values()) == {0.0}
    assert robot.call("ALRobotPosture", "getPostureFamily") == "LyingBelly"
    with pytest.raises(NaoError, match="no stiffness"):
        robot.call("ALMotion", "angleInterpolation", "HeadYaw", [0.5], [3.0], True)


def test_helped_to_its_feet_it_stands_awake(robot):
    robot.fault("fall")
    robot.live(1.0)
    robot.fault("standUp")
    assert robot.nao.awake and robot.call("ALRobotPosture", "getPosture") == "Stand"
    assert robot.recall("robotHasFallen") is False and robot.recall("footContact") == 1.0


def test_a_tap_on_the_head_passes(robot):
    robot.fault("touch", "head")
    assert robot.recall("FrontTactilTouched") == 1.0
    robot.live(0.3)
    assert robot.recall("FrontTactilTouched") == 0.0
    with pytest.raises(NaoError, match="left bumper"):
        robot.fault("touch", "nose")


def test_battery_and_heat_are_told_under_their_keys(robot):
    robot.fault("charge", 7)
    assert robot.recall("Device/SubDeviceList/Battery/Charge/Sensor/Value") == pytest.approx(0.07)
    assert robot.call("ALBattery", "getBatteryCharge") == 7
    robot.fault("heat", ["LElbowRoll"])
    assert "LElbowRoll" in robot.recall("HotDeviceDetected")[0]
    robot.fault("heat", [])
    assert robot.recall("HotDeviceDetected") == []


def test_leaked_subscriptions_fill_every_place_of_a_name(robot):
    robot.fault("leak", "nao-emotion", 8)
    assert len(robot.call("ALVideoDevice", "getSubscribers")) == 8
    with pytest.raises(NaoError, match="unsubscribe one of"):
        robot.call("ALVideoDevice", "subscribeCamera", "nao-emotion", 0, 2, 9, 15)


def test_without_languages_nothing_can_be_said(robot):
    robot.fault("setLanguages", [])
    assert robot.call("ALTextToSpeech", "getAvailableLanguages") == []
    with pytest.raises(NaoError, match="not installed"):
        robot.call("ALTextToSpeech", "say", "hello")


def test_it_rests_sitting_where_it_sat(robot):
    robot.nao.angles.update(body.POSTURES["Sit"])
    robot.call("ALMotion", "rest")
    robot.live(5.0)
    assert robot.call("ALRobotPosture", "getPosture") == "Sit" and set(robot.nao.stiffnesses.values()) == {0.0}


def test_the_lamps_can_be_read_in_memory(robot):
    robot.call("ALLeds", "fadeRGB", "LeftFaceLeds", 0xFF8000, 0.0)
    robot.call("ALLeds", "fade", "EarLeds", 0.5, 0.0)
    robot.live(0.1)
    red, green, blue = (
        robot.recall(f"Device/SubDeviceList/Face/Led/{colour}/Left/45Deg/Actuator/Value")
        for colour in ("Red", "Green", "Blue")
    )
    assert (red, green, blue) == (1.0, pytest.approx(0.5, abs=0.01), 0.0)
    ear = robot.recall("Device/SubDeviceList/Ears/Led/Right/36Deg/Actuator/Value")
    assert ear == pytest.approx(0.5, abs=0.01)
    assert robot.nao["ALLeds"].colour("EarLeds") == 0x000080


def test_a_song_lasts_as_long_as_its_file_and_can_be_faded_and_stopped(robot, tmp_path):
    path = str(tmp_path / "song.wav")
    with wave.open(path, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 8000 * 3))
    player = robot.nao["ALAudioPlayer"]
    number = robot.call("ALAudioPlayer", "loadFile", path)
    playing = robot.call("ALAudioPlayer", "play", number, 0.4, 0.0)
    robot.call("ALAudioPlayer", "setVolume", number, 0.1)
    robot.live(2.9)
    assert playing.how is None and player.getVolume(number) == 0.1
    robot.live(0.2)
    assert playing.how == "done" and player.getVolume(number) == 0.0
    again = robot.call("ALAudioPlayer", "play", number)
    robot.call("ALAudioPlayer", "stop", number)
    assert again.how == "killed"
