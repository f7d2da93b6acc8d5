# -*- coding: utf-8 -*-
"""Every form in which programs call NAOqi is understood by the virtual NAO, over a real session of libqi.

One robot and one session for all of them. The same file runs with qi 3 on Python 3 and with qi 1.8 on NAO's own
Python 2.7. Time goes faster there, so that nobody waits.
"""

from __future__ import division, print_function, unicode_literals

import os

import pytest

os.environ.setdefault("QI_LOG_LEVEL", "1")
qi = pytest.importorskip("qi", reason="there is no qi for this Python or machine")

from naoqi_forms import ANSWERS, FAILURES, MOVES  # noqa: E402
from virtual_robot import VirtualRobot, poll, python3  # noqa: E402

SPEED = "20"


@pytest.fixture(scope="module")
def robot():
    program = python3()
    if program is None:
        pytest.skip("no Python 3 with the project's packages: name one with VIRTUAL_NAO_PYTHON")
    robot = VirtualRobot(program, "--speed", SPEED)
    yield robot
    robot.end()


class Nao(object):
    """A session with it: nao("Service.method", ...)."""

    def __init__(self, url):
        self.session = qi.Session()
        self.session.connect(url)
        self._services = {}

    def __getitem__(self, name):
        if name not in self._services:
            self._services[name] = self.session.service(name)
        return self._services[name]

    def __call__(self, call, *arguments, **how):
        service, method = str(call).split(".")
        return getattr(self[service], method)(*[plain(argument) for argument in arguments], **how)


@pytest.fixture(scope="module")
def session(robot):
    nao = Nao(robot.url)
    yield nao
    nao.session.close()


@pytest.fixture
def nao(session):
    session("ALMotion.killAll")
    session("VirtualNAO.standUp")
    yield session


def plain(value):
    """Texts as programs write them: on Python 2.7 the bytes of UTF-8."""
    if isinstance(value, (list, tuple)):
        return type(value)(plain(item) for item in value)
    if isinstance(value, dict):
        return dict((plain(key), plain(item)) for key, item in value.items())
    return value.encode("utf-8") if str is bytes and isinstance(value, type("")) else value


def name_of(form):
    return str("%s%s" % (form.call, ascii_of(form.arguments)))[:90]


def ascii_of(value):
    return repr(value).encode("ascii", "replace").decode("ascii")


def check(form, given):
    if callable(form.gives):
        assert form.gives(given), "%s gave %r" % (name_of(form), given)
    else:
        assert given == form.gives, "%s gave %r" % (name_of(form), given)


@pytest.mark.parametrize("form", MOVES, ids=[name_of(form) for form in MOVES])
def test_a_motion_is_understood_and_ends_where_it_should(nao, form):
    check(form, nao(form.call, *form.arguments))
    names, wanted = list(form.joints), list(form.joints.values())

    def there():
        now = nao("ALMotion.getAngles", names, True)
        return all(abs(is_at - angle) < 5e-3 for is_at, angle in zip(now, wanted))

    assert poll(there), "at %r, not %r" % (nao("ALMotion.getAngles", names, True), form.joints)


@pytest.mark.parametrize("form", ANSWERS, ids=[name_of(form) for form in ANSWERS])
def test_a_call_is_understood_and_answered_in_its_kind(nao, form):
    check(form, nao(form.call, *form.arguments))


@pytest.mark.parametrize(("form", "words"), FAILURES, ids=[name_of(form) for form, _ in FAILURES])
def test_what_cannot_be_fails_with_naoqis_kind_of_error(nao, form, words):
    with pytest.raises(RuntimeError) as failed:
        nao(form.call, *form.arguments)
    assert str(form.call).replace(".", "::") in str(failed.value) and words in str(failed.value)


# What takes more than one call


def test_a_missing_service_is_a_runtime_error_and_a_missing_method_an_attribute_error(nao):
    with pytest.raises(RuntimeError):
        nao.session.service("ALTabletService")
    with pytest.raises(AttributeError):
        nao["ALMotion"].fly()
    assert not hasattr(nao["ALVideoDevice"], "subscribe") and not hasattr(nao["ALTextToSpeech"], "post")


@pytest.mark.parametrize("colour_space", [0, 9, 10, 11, 12, 13])
@pytest.mark.parametrize(("resolution", "size"), [(0, (160, 120)), (1, (320, 240)), (2, (640, 480))])
def test_an_image_is_twelve_items_with_raw_pixels(nao, resolution, size, colour_space):
    handle = nao("ALVideoDevice.subscribeCamera", "forms", 0, resolution, colour_space, 30)
    image = nao("ALVideoDevice.getImageRemote", handle)
    width, height, layers, space, seconds, microseconds, pixels, camera, left, top, right, bottom = image
    assert ((width, height), space, camera) == (size, colour_space, 0)
    assert len(bytes(bytearray(pixels))) == width * height * layers
    assert nao("ALVideoDevice.releaseImage", handle) is True
    assert nao("ALVideoDevice.unsubscribe", handle) is True


def test_the_seventh_subscription_under_a_name_is_refused_and_the_name_itself_frees_all(nao):
    for _ in range(6):
        nao("ALVideoDevice.subscribeCamera", "often", 0, 1, 11, 10)
    with pytest.raises(RuntimeError) as refused:
        nao("ALVideoDevice.subscribeCamera", "often", 0, 1, 11, 10)
    assert "6 times already" in str(refused.value)
    nao("ALVideoDevice.unsubscribe", "often")
    nao("ALVideoDevice.unsubscribe", nao("ALVideoDevice.subscribeCamera", "often", 0, 1, 11, 10))


def test_several_cameras_under_one_handle_give_a_list_of_images_or_the_first(nao):
    handle = nao("ALVideoDevice.subscribeCameras", "both", [0, 1], [1, 0], [11, 9], 10)
    images = nao("ALVideoDevice.getImagesRemote", handle)
    assert [(image[0], image[3], image[7]) for image in images] == [(320, 11, 0), (160, 9, 1)]
    assert nao("ALVideoDevice.getImageRemote", handle)[7] == 0
    nao("ALVideoDevice.unsubscribe", handle)
    assert nao("ALVideoDevice.getImagesRemote", handle) == []


def test_a_subscription_changes_its_camera_size_colours_and_rate(nao):
    handle = nao("ALVideoDevice.subscribeCamera", "change", 0, 1, 11, 10)
    assert nao("ALVideoDevice.setResolution", handle, 0) and nao("ALVideoDevice.setColorSpace", handle, 0)
    assert nao("ALVideoDevice.setFrameRate", handle, 20) and nao("ALVideoDevice.setActiveCamera", handle, 1)
    assert nao("ALVideoDevice.setCameraParameter", handle, 0, 60) is True
    image = nao("ALVideoDevice.getImageRemote", handle)
    assert (image[0], image[2], image[3], image[7]) == (160, 1, 0, 1)
    nao("ALVideoDevice.unsubscribe", handle)


@pytest.mark.parametrize("parameter", [0, 1, 2, 3, 6, 7, 8, 11, 12, 17, 22, 24, 34, 35, 40, 43])
def test_a_cameras_parameter_stays_as_it_was_set(nao, parameter):
    assert nao("ALVideoDevice.setParameter", 0, parameter, 1) is True
    assert nao("ALVideoDevice.getParameter", 0, parameter) == 1
    assert nao("ALVideoDevice.setAllParametersToDefault", 0) is True


def test_a_picture_that_a_client_puts_there_is_what_the_camera_sees(nao):
    red = b"\xff\x00\x10" * (640 * 480)
    assert nao("ALVideoDevice.putImage", 1, 640, 480, bytearray(red)) is True
    handle = nao("ALVideoDevice.subscribeCamera", "put", 1, 2, 11, 30)
    assert bytes(bytearray(nao("ALVideoDevice.getImageRemote", handle)[6])) == red
    nao("ALVideoDevice.unsubscribe", handle)


def test_a_task_in_the_background_is_waited_for_asked_about_and_stopped_by_its_number(nao):
    task = nao("ALMotion.pCall", "angleInterpolation", "HeadYaw", 0.5, 100000.0, True)
    assert nao("ALMotion.isRunning", task) is True and nao("ALMotion.wait", task, 100) is True
    assert [row[1] for row in nao("ALMotion.getTaskList")] == [task]
    assert nao("ALMotion.killTask", task) is True
    assert nao("ALMotion.isRunning", task) is False and nao("ALMotion.wait", task, 0) is False
    speech = nao("ALTextToSpeech.pCall", "say", "\\pau=90000000\\")
    nao("ALTextToSpeech.stop", speech)
    assert nao("ALTextToSpeech.isRunning", speech) is False


def test_futures_are_waited_for_called_back_and_cancelled(nao):
    ended = []
    future = nao("ALMotion.moveTo", 0.05, 0, 0, _async=True)
    future.addCallback(lambda done: ended.append(done.value()))
    assert future.value() is True and poll(lambda: ended == [True])
    future = nao("ALMotion.angleInterpolation", "HeadYaw", 0.5, 100000.0, True, _async=True)
    future.cancel()
    assert poll(lambda: future.isCanceled()) and poll(lambda: nao("ALMotion.getTaskList") == [])


def test_long_calls_hold_up_no_other_call_of_the_same_service(nao):
    future = nao("ALTextToSpeech.say", "\\pau=90000000\\", _async=True)
    assert nao("ALTextToSpeech.getLanguage") == "English" and future.isRunning()
    assert poll(lambda: nao("ALMemory.getData", "ALTextToSpeech/TextStarted") == 1)  # it has begun
    nao("ALTextToSpeech.stopAll")
    assert poll(future.isFinished)


def test_a_behavior_that_is_installed_runs_for_its_time_and_can_be_stopped(nao):
    nao("VirtualNAO.install", "forms/dance", 2.0)
    nao("ALBehaviorManager.runBehavior", "forms/dance")
    nao("VirtualNAO.install", "forms/dance", 1e6)
    nao("ALBehaviorManager.startBehavior", "forms/dance")
    assert nao("ALBehaviorManager.isBehaviorRunning", "forms/dance") is True
    assert nao("ALBehaviorManager.getRunningBehaviors") == ["forms/dance"]
    nao("ALBehaviorManager.stopBehavior", "forms/dance")
    assert nao("ALBehaviorManager.isBehaviorRunning", "forms/dance") is False
    animation = nao("ALAnimationPlayer.run", "forms/dance", _async=True)
    assert poll(lambda: nao("ALBehaviorManager.isBehaviorRunning", "forms/dance"))
    nao("ALBehaviorManager.stopAllBehaviors")
    assert poll(animation.isFinished)


def test_a_callback_takes_one_value_and_may_disconnect_and_connect_again_inside_itself(nao):
    subscriber = nao("ALMemory.subscriber", "FrontTactilTouched")
    heard, links = [], []

    def hear(value):
        subscriber.signal.disconnect(links.pop())
        heard.append(value)
        links.append(subscriber.signal.connect(hear))

    links.append(subscriber.signal.connect(hear))
    nao("VirtualNAO.press", "head")
    assert poll(lambda: heard == [1.0] and links)
    nao("VirtualNAO.release", "head")
    assert poll(lambda: heard == [1.0, 0.0] and links)
    subscriber.signal.disconnect(links.pop())


def test_a_callback_of_the_wrong_kind_and_one_that_fails_harm_nobody_else(nao):
    subscriber = nao("ALMemory.subscriber", "MiddleTactilTouched")
    heard = []

    def fail(value):
        raise ValueError("on purpose")

    links = [subscriber.signal.connect(each) for each in (fail, lambda a, b, c: None, heard.append)]
    nao("VirtualNAO.press", "head middle")
    assert poll(lambda: heard == [1.0]) and nao("ALMotion.ping") is True
    nao("VirtualNAO.release", "head middle")
    assert poll(lambda: heard == [1.0, 0.0])
    for link in links:
        subscriber.signal.disconnect(link)


def test_a_slow_callback_holds_up_neither_the_robot_nor_other_callbacks(nao):
    import threading

    subscriber, go_on, heard = nao("ALMemory.subscriber", "RearTactilTouched"), threading.Event(), []
    links = [subscriber.signal.connect(lambda value: go_on.wait(60)), subscriber.signal.connect(heard.append)]
    nao("VirtualNAO.press", "head rear")
    assert poll(lambda: heard == [1.0])  # of two events at once libqi's threads may bring the second first
    nao("VirtualNAO.release", "head rear")
    assert nao("ALMotion.ping") is True and poll(lambda: heard == [1.0, 0.0])
    go_on.set()
    for link in links:
        subscriber.signal.disconnect(link)


class Module(object):
    """A service of a client, called by the robot as NAOqi calls modules."""

    def __init__(self):
        self.heard = []

    def onEvent(self, key, value, message):
        self.heard.append((key, value, message))


def test_a_module_of_the_client_is_called_with_key_value_and_message(nao):
    module = Module()
    number = nao.session.registerService(str("FormsModule"), module)
    nao("ALMemory.subscribeToEvent", "LeftBumperPressed", "FormsModule", "onEvent")
    nao("ALMemory.subscribeToMicroEvent", "Forms/Called", "FormsModule", "mine", "onEvent")
    assert nao("ALMemory.getSubscribers", "LeftBumperPressed") == ["FormsModule"]
    nao("VirtualNAO.press", "left bumper")
    nao("ALMemory.raiseMicroEvent", "Forms/Called", 7)
    assert poll(lambda: len(module.heard) == 2)
    assert sorted(module.heard) == [("Forms/Called", 7, "mine"), ("LeftBumperPressed", 1.0, "")]
    nao("VirtualNAO.release", "left bumper")
    nao("ALMemory.unsubscribeToEvent", "LeftBumperPressed", "FormsModule")
    nao("ALMemory.unsubscribeToMicroEvent", "Forms/Called", "FormsModule")
    nao.session.unregisterService(number)
    nao("ALMemory.raiseEvent", "LeftBumperPressed", 0.0)


def test_the_next_change_of_a_key_can_be_waited_for(nao):
    future = nao("ALMemory.getDataOnChange", "RightBumperPressed", 0, _async=True)
    assert poll(lambda: nao("VirtualNAO.touch", "right bumper") is None and future.isFinished())
    assert future.value() in (0.0, 1.0)
    assert poll(lambda: nao("ALMemory.getData", "RightBumperPressed") == 0.0)


def test_what_is_seen_and_heard_has_the_shape_that_programs_index(nao):
    nao("ALFaceDetection.subscribe", "forms", 500, 0.0)
    nao("VirtualNAO.see", "face", [0.1, -0.2])
    face = nao("ALMemory.getData", "FaceDetected", 0)
    assert face[1][0][0][1:3] == [0.1, -0.2] and len(face[0]) == 2
    nao("VirtualNAO.see", "face")
    assert nao("ALMemory.getData", "FaceDetected") == []
    nao("ALFaceDetection.unsubscribe", "forms")
    nao("ALLandMarkDetection.subscribe", "forms", 500, 0.0)
    nao("VirtualNAO.see", "landmark", [64, 0.1, -0.2])
    mark = nao("ALMemory.getData", "LandmarkDetected")[1][0]
    assert mark[0][1:3] == [0.1, -0.2] and mark[1][0] == 64
    nao("ALLandMarkDetection.unsubscribe", "forms")
    nao("ALSpeechRecognition.setVocabulary", ["yes"], False)
    nao("ALSpeechRecognition.subscribe", "forms")
    assert nao("VirtualNAO.hear", "yes", 0.7) is True and nao("VirtualNAO.hear", "perhaps") is False
    assert nao("ALMemory.getData", "WordRecognized")[0] == "yes"
    with pytest.raises(RuntimeError):
        nao("ALSpeechRecognition.setVocabulary", ["no"], False)
    nao("ALSpeechRecognition.unsubscribe", "forms")


def test_an_obstacle_is_seen_by_the_sonar_and_stops_a_walk(nao):
    nao("ALSonar.subscribe", "forms")
    nao("ALMotion.setOrthogonalSecurityDistance", 0.4)
    failed = nao("ALMemory.getDataOnChange", "ALMotion/MoveFailed", 0, _async=True)
    nao("VirtualNAO.obstacle", 0.6, 3.0)
    assert nao("ALMemory.getData", "Device/SubDeviceList/US/Left/Sensor/Value") == pytest.approx(0.6)
    assert nao("ALMotion.moveTo", 1.0, 0, 0) is False
    assert failed.value()[0] == "Obstacle detected"
    assert nao("ALMemory.getData", "Device/SubDeviceList/US/Left/Sensor/Value") < 0.4
    nao("VirtualNAO.obstacle", 5, 5)
    nao("ALSonar.unsubscribe", "forms")


def test_who_rests_gets_up_before_it_walks_and_who_lies_feels_it(nao):
    assert nao("ALRobotPosture.goToPosture", "Sit", 1.0) is True
    assert nao("ALMotion.moveTo", 0.05, 0, 0) is True
    assert nao("ALRobotPosture.getPostureFamily") == "Standing"
    nao("VirtualNAO.fall")
    assert poll(lambda: nao("ALMemory.getData", "robotHasFallen") is True)
    assert nao("ALMemory.getData", "Device/SubDeviceList/InertialSensor/AngleY/Sensor/Value") > 1.5
    assert nao("ALMemory.getData", "Device/SubDeviceList/LFoot/FSR/TotalWeight/Sensor/Value") == 0.0
    assert nao("ALRobotPosture.getPosture") == "LyingBelly"
    with pytest.raises(RuntimeError):
        nao("ALMotion.moveTo", 0.05, 0, 0)


@pytest.mark.parametrize("address", ["%s", "tcp://%s"])
def test_an_address_is_taken_with_and_without_its_scheme(robot, address):
    session = qi.Session()
    session.connect(str(address % robot.url.partition("//")[2]))
    assert session.service("ALMotion").ping() is True
    session.close()
