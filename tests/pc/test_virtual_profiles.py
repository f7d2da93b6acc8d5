"""The virtual NAO resembles the NAOqi that it is told to: what a release lacks is not there."""

import pytest

from robot_app.virtual.hand_clock import HandClock
from robot_app.virtual.nao import NaoError, VirtualNAO
from robot_app.virtual.profiles import PROFILES


@pytest.fixture(params=list(PROFILES))
def nao(request):
    return VirtualNAO(clock=HandClock(), naoqi=request.param)


def test_it_says_which_naoqi_it_is(nao):
    version = nao.call("ALSystem", "systemVersion")
    assert PROFILES[version[:3]] is nao.profile and nao.call("ALMotion", "version") == version
    assert nao.call("ALMemory", "getData", ["RobotConfig/Body/BaseVersion"]) == nao.profile.body


@pytest.mark.parametrize(
    ("naoqi", "service", "method", "there"),
    [
        ("2.1", "ALVideoDevice", "subscribe", True),
        ("2.5", "ALVideoDevice", "subscribe", True),
        ("2.8", "ALVideoDevice", "subscribe", False),
        ("2.1", "ALAutonomousMoves", "getExpressiveListeningEnabled", True),
        ("2.8", "ALAutonomousMoves", "getExpressiveListeningEnabled", False),
        ("2.1", "ALBackgroundMovement", "setEnabled", False),
        ("2.8", "ALBackgroundMovement", "setEnabled", True),
        ("2.1", "ALBasicAwareness", "startAwareness", True),
        ("2.1", "ALBasicAwareness", "setEnabled", False),
        ("2.1", "ALAutonomousLife", "setAutonomousAbilityEnabled", False),
        ("2.5", "ALAutonomousLife", "setAutonomousAbilityEnabled", True),
    ],
)
def test_a_release_has_what_it_has(naoqi, service, method, there):
    nao = VirtualNAO(clock=HandClock(), naoqi=naoqi)
    assert (service in nao.services and method in nao[service].offers) is there


def test_of_old_the_active_camera_is_meant():
    nao = VirtualNAO(clock=HandClock(), naoqi="2.1")
    nao.call("ALVideoDevice", "setActiveCamera", [1])
    handle = nao.call("ALVideoDevice", "subscribe", ["old", 1, 11, 10])
    image = nao.call("ALVideoDevice", "getImageRemote", [handle])
    assert len(image) == 12 and image[:4] == (320, 240, 3, 11) and image[7] == 1


def test_each_camera_model_has_its_own_size_and_angle():
    for naoqi, model in (("2.5", 2), ("2.8", 3)):
        nao = VirtualNAO(clock=HandClock(), naoqi=naoqi)
        assert nao.call("ALVideoDevice", "getCameraModel", [0]) == model
        if model == 2:
            with pytest.raises(NaoError, match="unknown resolution 4"):
                nao.call("ALVideoDevice", "subscribeCamera", ["large", 0, 4, 11, 1])
        else:
            nao.call("ALVideoDevice", "subscribeCamera", ["large", 0, 4, 11, 1])


def test_a_fall_is_told_under_the_key_of_the_release():
    for naoqi, key in (("2.1", "robotIsFalling"), ("2.8", "ALMotion/RobotIsFalling")):
        nao = VirtualNAO(clock=HandClock(), naoqi=naoqi)
        nao.call("VirtualNAO", "fall")
        assert nao.call("ALMemory", "getData", [key]) is True
