# -*- coding: utf-8 -*-
"""The forms in which programs call NAOqi, as tables: arguments as they come, and what must come back.

Tables alone; test_naoqi_forms.py calls them over a real session. The forms are those that were counted in other
people's programs. Valid Python 2.7 and 3.
"""

from __future__ import division, print_function, unicode_literals

import collections
import math
import numbers

# call     "Service.method"
# gives    what must come back: a value, or a function of it that is true; ANY is anything at all
# joints   {joint: rad} where these joints are afterwards
Form = collections.namedtuple("Form", "call arguments gives joints")


def form(call, *arguments, **then):
    return Form(call, arguments, then.get("gives", None), then.get("joints", {}))


def ANY(value):
    return True


def a_bool(value):
    return isinstance(value, bool)


def a_text(value):
    return isinstance(value, (type(""), type(str(""))))


def an_int(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def a_float(value):
    return isinstance(value, float)


def numbers_of(count):
    """A list of so many numbers."""

    def holds(value):
        return len(value) == count and all(isinstance(item, numbers.Real) for item in value)

    return holds


def list_of(kind, least=1):
    """A list of at least so many of a kind."""

    def holds(value):
        return len(value) >= least and all(kind(item) for item in value)

    return holds


def with_item(wanted):
    return lambda value: wanted in value


def near(wanted):
    return lambda value: abs(value - wanted) < 0.01


ARM = ["LShoulderPitch", "LShoulderRoll", "LElbowYaw", "LElbowRoll", "LWristYaw", "LHand"]
BODY = (["HeadYaw", "HeadPitch"] + ARM
        + [side + joint for side in "LR" for joint in
           ("HipYawPitch", "HipRoll", "HipPitch", "KneePitch", "AnklePitch", "AnkleRoll")]
        + ["R" + joint[1:] for joint in ARM])  # fmt: skip
HANDLE = [3, -0.1, 0.0]

MOVES = (
    # setAngles
    form("ALMotion.setAngles", "HeadYaw", 0.3, 0.9, joints={"HeadYaw": 0.3}),
    form("ALMotion.setAngles", "HeadYaw", 1, 0.9, joints={"HeadYaw": 1.0}),
    form("ALMotion.setAngles", ["HeadYaw"], [0.3], 0.9, joints={"HeadYaw": 0.3}),
    form("ALMotion.setAngles", ["HeadYaw", "LHand"], [0.3, 1], 0.9, joints={"HeadYaw": 0.3, "LHand": 1.0}),
    form("ALMotion.setAngles", ["HeadYaw", "HeadPitch"], (0.3, -0.2), 0.9, joints={"HeadPitch": -0.2}),
    form("ALMotion.setAngles", "Head", [0.3, -0.2], 0.9, joints={"HeadYaw": 0.3, "HeadPitch": -0.2}),
    form("ALMotion.setAngles", "Body", [0.0] * 26, 1.0, joints={"LShoulderPitch": 0.0}),
    form("ALMotion.changeAngles", ["HeadYaw"], [0.25], 0.9, joints={"HeadYaw": 0.25}),
    form("ALMotion.changeAngles", "HeadYaw", 0.25, 0.9, joints={"HeadYaw": 0.25}),
    # angleInterpolation
    form("ALMotion.angleInterpolation", "HeadYaw", 0.3, 1.0, True, joints={"HeadYaw": 0.3}),
    form("ALMotion.angleInterpolation", "HeadYaw", 0.3, 1, True, joints={"HeadYaw": 0.3}),
    form("ALMotion.angleInterpolation", "Head", [0.3, -0.2], 1.0, True, joints={"HeadPitch": -0.2}),
    form("ALMotion.angleInterpolation", "HeadYaw", [0.3, -0.3, 0], [0.4, 0.8, 2], True, joints={"HeadYaw": 0}),
    form("ALMotion.angleInterpolation", ["HeadYaw", "LHand"], [0.3, 0.8], 1.0, True, joints={"LHand": 0.8}),
    form("ALMotion.angleInterpolation", ["HeadYaw", "LHand"], [[0.3, 0], [1, 0.5, 0.2]],
         [[1, 2.0], [0.5, 1, 1.5]], True, joints={"HeadYaw": 0.0, "LHand": 0.2}),
    form("ALMotion.angleInterpolation", ["HeadYaw"], [[0.3]], [[1]], True, joints={"HeadYaw": 0.3}),
    form("ALMotion.angleInterpolation", ["HeadYaw"], [0.3], [1.0], True, joints={"HeadYaw": 0.3}),
    form("ALMotion.angleInterpolation", "HeadYaw", 0.3, 1.0, 1, joints={"HeadYaw": 0.3}),
    form("ALMotion.angleInterpolation", "HeadYaw", 0.3, 1.0, False, joints={"HeadYaw": 0.3}),
    form("ALMotion.angleInterpolation", ["HeadPitch"], [-0.1], 1.0, 0, joints={"HeadPitch": -0.27}),
    form("ALMotion.angleInterpolation", [], [], [], True),
    # angleInterpolationBezier
    form("ALMotion.angleInterpolationBezier", ["HeadYaw"], [[0.5, 1]], [[0.2, 0.3]], joints={"HeadYaw": 0.3}),
    form("ALMotion.angleInterpolationBezier", ["HeadYaw"], [[1]], [[[0.3, HANDLE]]], joints={"HeadYaw": 0.3}),
    form("ALMotion.angleInterpolationBezier", ["HeadYaw", "LHand"], [[0.5, 1.0], [1]],
         [[[0.2, HANDLE, [3, 0.1, 0.0]], [0.3, [3, -0.1, 0], [3, 0, 0]]], [[1, HANDLE, [3, 0, 0]]]],
         joints={"HeadYaw": 0.3, "LHand": 1.0}),
    form("ALMotion.angleInterpolationBezier", [], [], []),
    # angleInterpolationWithSpeed
    form("ALMotion.angleInterpolationWithSpeed", "LArm", [1, 0.2, -1, -0.5, 0, 1], 0.8, joints={"LHand": 1.0}),
    form("ALMotion.angleInterpolationWithSpeed", "Head", [0.3, -0.2], 0.8, joints={"HeadYaw": 0.3}),
    form("ALMotion.angleInterpolationWithSpeed", "Body", [0.0] * 26, 1.0, joints={"RShoulderPitch": 0.0}),
    form("ALMotion.angleInterpolationWithSpeed", "HeadYaw", 0.3, 0.8, joints={"HeadYaw": 0.3}),
    form("ALMotion.angleInterpolationWithSpeed", "HeadYaw", 1, 0.8, joints={"HeadYaw": 1.0}),
    form("ALMotion.angleInterpolationWithSpeed", ["HeadYaw", "LHand"], [1, 0], 0.8, joints={"LHand": 0.0}),
    form("ALMotion.angleInterpolationWithSpeed", ["HeadYaw"], [0.3], 0.8, joints={"HeadYaw": 0.3}),
    # hands, places
    form("ALMotion.openHand", "LHand", joints={"LHand": 1.0}),
    form("ALMotion.closeHand", "RHand", joints={"RHand": 0.0}),
    form("ALMotion.positionInterpolation", "LArm", 0, [[0.15, 0.15, 0.1, 0, 0, 0]], 7, [1.0], True),
    form("ALMotion.positionInterpolation", "RArm", 2, [[0.02, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]], 7,
         [1, 2.0], False),
    form("ALMotion.positionInterpolation", "LArm", 0, [0.15, 0.15, 0.1, 0.0, 0.0, 0.0], 7, 1.0, True),
    form("ALMotion.transformInterpolations", "LArm", 0,
         [[1, 0, 0, 0.15, 0, 1, 0, 0.15, 0, 0, 1, 0.1, 0, 0, 0, 1]], 7, [1.0]),
    form("ALMotion.transformInterpolations", ["LArm", "RArm"], 0,
         [[[1, 0, 0, 0.15, 0, 1, 0, 0.15, 0, 0, 1, 0.1]], [[1, 0, 0, 0.15, 0, 1, 0, -0.15, 0, 0, 1, 0.1]]],
         [7, 7], [[1.0], [1]]),
    form("ALMotion.setPositions", "LArm", 0, [0.15, 0.15, 0.1, 0, 0, 0], 0.5, 7),
    # head and arms towards places
    form("ALTracker.lookAt", [1.0, 1.0, 0.1265], 0, 0.9, False,
         joints={"HeadYaw": math.pi / 4, "HeadPitch": 0.0}),
    form("ALTracker.lookAt", (1.0, 0.0, 0.1265), 0, 0.9, False, joints={"HeadYaw": 0.0}),
    form("ALTracker.pointAt", "LArm", [1.0, 0.098, 0.1], 0, 0.9, joints={"LShoulderPitch": 0.0}),
    form("ALTracker.pointAt", "RArm", (1.0, -0.098, 0.1), 0, 0.9, joints={"RShoulderPitch": 0.0}),
    form("ALTracker.pointAt", "LArm", [1, 0, 0], 2, 0.9),
    # postures
    form("ALRobotPosture.goToPosture", "StandInit", 1.0, gives=True, joints={"LKneePitch": 0.7}),
    form("ALRobotPosture.goToPosture", "StandZero", 1, gives=True, joints={"LShoulderPitch": 0.0}),
    form("ALRobotPosture.goToPosture", "Stand", 0.5, gives=True, joints={"HeadPitch": -0.17}),
)  # fmt: skip

ANSWERS = (
    form("ALMotion.getAngles", "HeadYaw", True, gives=numbers_of(1)),
    form("ALMotion.getAngles", ["HeadYaw", "LHand"], True, gives=numbers_of(2)),
    form("ALMotion.getAngles", "LArm", False, gives=numbers_of(6)),
    form("ALMotion.getAngles", "Body", 1, gives=numbers_of(26)),
    form("ALMotion.getAngles", ["Body"], 0, gives=numbers_of(26)),
    form("ALMotion.getAngles", [], True, gives=[]),
    form("ALMotion.getStiffnesses", "Body", gives=numbers_of(26)),
    form("ALMotion.getStiffnesses", ["HeadYaw"], gives=numbers_of(1)),
    form("ALMotion.getLimits", "HeadYaw", gives=list_of(numbers_of(4))),
    form("ALMotion.getLimits", ["HeadYaw"], gives=list_of(numbers_of(4))),
    form("ALMotion.getBodyNames", "Body", gives=BODY),
    form("ALMotion.getBodyNames", "LLeg", gives=BODY[8:14]),
    form("ALMotion.getJointNames", "Body", gives=BODY),
    form("ALMotion.setStiffnesses", "Body", 1.0),
    form("ALMotion.setStiffnesses", "Head", 1),
    form("ALMotion.setStiffnesses", ["HeadYaw", "HeadPitch"], 1.0),
    form("ALMotion.setStiffnesses", ["HeadYaw", "HeadPitch"], [1.0, 1]),
    form("ALMotion.stiffnessInterpolation", "Body", 1.0, 0.5),
    form("ALMotion.stiffnessInterpolation", "Body", 1, 1),
    form("ALMotion.stiffnessInterpolation", ["HeadYaw", "HeadPitch"], 1.0, 0.5),
    form("ALMotion.stiffnessInterpolation", ["HeadYaw", "HeadPitch"], [1.0, 0.8], [0.5, 0.5]),
    # walking
    form("ALMotion.moveInit"),
    form("ALMotion.walkInit"),
    form("ALMotion.moveTo", 0.05, 0, 0, gives=True),
    form("ALMotion.moveTo", 0, 0.05, 0, gives=True),
    form("ALMotion.moveTo", 0, 0, 0.2, gives=True),
    form("ALMotion.moveTo", 0.05, 0.0, 0.1, gives=True),
    form("ALMotion.moveTo", 0, 0, 0, gives=True),
    form("ALMotion.moveTo", 0.05, 0, 0, [["MaxStepX", 0.02], ["MaxStepFrequency", 1], ["TorsoWy", 0.1]],
         gives=True),
    form("ALMotion.walkTo", 0.05, 0, 0, gives=True),
    form("ALMotion.walkTo", 0.05, 0, 0.0, [["MaxStepFrequency", 0.5]], gives=True),
    form("ALMotion.move", 0.05, 0, 0),
    form("ALMotion.move", 0.05, 0.0, 0.1, [["Frequency", 0.1]]),
    form("ALMotion.moveToward", 0.5, 0.0, 0.0),
    form("ALMotion.moveToward", 1, 0, 0, [["Frequency", 1]]),
    form("ALMotion.setWalkTargetVelocity", 1, 0, 0, 1),
    form("ALMotion.setWalkTargetVelocity", 0.5, 0.0, -0.2, 0.5, [["LeftMaxStepX", 0.02]]),
    form("ALMotion.stopMove"),
    form("ALMotion.stopWalk"),
    form("ALMotion.moveIsActive", gives=False),
    form("ALMotion.walkIsActive", gives=False),
    form("ALMotion.waitUntilMoveIsFinished"),
    form("ALMotion.waitUntilWalkIsFinished"),
    form("ALMotion.setMoveArmsEnabled", True, False),
    form("ALMotion.setWalkArmsEnabled", False, False),
    form("ALMotion.setWalkArmsEnable", True, True),
    form("ALMotion.setMotionConfig", [["ENABLE_FOOT_CONTACT_PROTECTION", True]]),
    form("ALMotion.getRobotPosition", True, gives=numbers_of(3)),
    form("ALMotion.getRobotVelocity", gives=numbers_of(3)),
    form("ALMotion.setFootSteps", ["LLeg"], [[0.04, 0.1, 0]], [0.6], False),
    form("ALMotion.getFootSteps", gives=ANY),
    form("ALMotion.stepTo", "LLeg", 0.04, 0.1, 0.0),
    form("ALMotion.getFootGaitConfig", "Default", gives=list_of(lambda pair: len(pair) == 2)),
    # places
    form("ALMotion.getPosition", "Torso", 0, True, gives=numbers_of(6)),
    form("ALMotion.getPosition", "LArm", 2, False, gives=numbers_of(6)),
    form("ALMotion.getTransform", "CameraTop", 2, True, gives=numbers_of(16)),
    form("ALMotion.getTransform", "RLeg", 1, 0, gives=numbers_of(16)),
    form("ALMotion.getTransform", "HeadYaw", 0, True, gives=numbers_of(16)),
    # tasks and switches
    form("ALMotion.getTaskList", gives=[]),
    form("ALMotion.killTask", 12345, gives=False),
    form("ALMotion.killAll"),
    form("ALMotion.areResourcesAvailable", ["Head"], gives=True),
    form("ALMotion.setBreathEnabled", "Body", False),
    form("ALMotion.getBreathEnabled", "Arms", gives=a_bool),
    form("ALMotion.setIdlePostureEnabled", "Head", True),
    form("ALMotion.getIdlePostureEnabled", "Head", gives=a_bool),
    form("ALMotion.setCollisionProtectionEnabled", "Arms", True, gives=True),
    form("ALMotion.setExternalCollisionProtectionEnabled", "All", True),
    form("ALMotion.setExternalCollisionProtectionEnabled", "Move", True),
    form("ALMotion.setSmartStiffnessEnabled", True),
    form("ALMotion.getSmartStiffnessEnabled", gives=True),
    form("ALMotion.setOrthogonalSecurityDistance", 0.2),
    form("ALMotion.setTangentialSecurityDistance", 0.05),
    form("ALMotion.wbEnable", True),
    form("ALMotion.wbFootState", "Fixed", "Legs"),
    form("ALMotion.wbEnableBalanceConstraint", True, "Legs"),
    form("ALMotion.wbGoToBalance", "LLeg", 1.0),
    form("ALMotion.wbEnableEffectorControl", "Head", True),
    form("ALMotion.wbSetEffectorControl", "Head", [0.1, 0, 0.0]),
    form("ALMotion.wbEnableEffectorOptimization", "LArm", True),
    form("ALMotion.wakeUp"),
    form("ALMotion.robotIsWakeUp", gives=True),
    form("ALMotion.getSummary", gives=a_text),
    form("ALMotion.getRobotConfig", gives=lambda rows: len(rows) == 2 and len(rows[0]) == len(rows[1])),
    form("ALMotion.getSensorNames", gives=list_of(a_text)),
    # every module
    form("ALMotion.ping", gives=True),
    form("ALMemory.version", gives=a_text),
    form("ALMotion.getMethodList", gives=with_item("setAngles")),
    form("ALTextToSpeech.pCall", "say", "one", gives=an_int),
    form("ALAnimatedSpeech.pCall", "say", "one", {"bodyLanguageMode": "disabled"}, gives=an_int),
    form("ALTextToSpeech.isRunning", 12345, gives=False),
    form("ALTextToSpeech.wait", 12345, gives=False),
    form("ALMotion.wait", 12345, 0, gives=False),
    form("ALMotion.stop", 12345),
    # cameras
    form("ALVideoDevice.setActiveCamera", 0, gives=True),
    form("ALVideoDevice.getActiveCamera", gives=0),
    form("ALVideoDevice.setParam", 18, 0, gives=True),
    form("ALVideoDevice.setAllParametersToDefault", 0, gives=True),
    form("ALVideoDevice.openCamera", 0, gives=True),
    form("ALVideoDevice.startCamera", 0, gives=True),
    form("ALVideoDevice.stopCamera", 0, gives=a_bool),
    form("ALVideoDevice.hasDepthCamera", gives=False),
    form("ALVideoDevice.getExpectedImageParameters", 0, gives=numbers_of(2)),
    form("ALVideoDevice.getAngularPositionFromImagePosition", 0, [0.5, 0.5], gives=numbers_of(2)),
    form("ALVideoDevice.getImagePositionFromAngularPosition", 0, (0.0, 0), gives=numbers_of(2)),
    form("ALVideoDevice.releaseImage", "nobody_0", gives=False),
    form("ALVideoDevice.unsubscribe", "nobody_0", gives=False),
    form("ALVideoDevice.getImageRemote", "nobody_0", gives=None),
    # speech
    form("ALTextToSpeech.say", "one"),
    form("ALTextToSpeech.say", "\u4f60\u597d, \u00e7a, \u043f\u0440\u0438\u0432\u0435\u0442, hall\u00e5"),
    form("ALTextToSpeech.say", ""),
    form("ALTextToSpeech.say", "one", "English"),
    form("ALTextToSpeech.say", "\\rspd=85\\one \\pau=100\\two \\style=neutral\\three \\RSPD=75\\four"),
    form("ALTextToSpeech.say", "\\\\rspd=85\\\\one"),
    form("ALAnimatedSpeech.say", "^start(animations/Stand/x) one ^wait(x) ^startTag(hi) ^mode(disabled)"),
    form("ALAnimatedSpeech.say", "one", {"bodyLanguageMode": "contextual"}),
    form("ALAnimatedSpeech.declareTagForAnimations", {"hello": ["animations/Stand/Gestures/Hey_1"]}),
    form("ALAnimatedSpeech.setBodyLanguageMode", 0),
    form("ALAnimatedSpeech.setBodyLanguageModeFromStr", "contextual"),
    form("ALTextToSpeech.setLanguage", "English"),
    form("ALTextToSpeech.getLanguage", gives="English"),
    form("ALTextToSpeech.getAvailableLanguages", gives=with_item("English")),
    form("ALTextToSpeech.setParameter", "speed", 100),
    form("ALTextToSpeech.setParameter", "pitchShift", 1.1),
    form("ALTextToSpeech.setVolume", 0.5),
    form("ALTextToSpeech.setVolume", 1),
    form("ALTextToSpeech.getVolume", gives=a_float),
    form("ALTextToSpeech.setVoice", "naoenu"),
    form("ALTextToSpeech.getVoice", gives="naoenu"),
    form("ALTextToSpeech.stopAll"),
    form("ALAudioDevice.setOutputVolume", 60),
    form("ALAudioDevice.getOutputVolume", gives=60),
    # lights
    form("ALLeds.fadeRGB", "FaceLeds", 0x00FF0000, 0.1),
    form("ALLeds.fadeRGB", "FaceLeds", 0x00FF00FF, 1),
    form("ALLeds.fadeRGB", "LeftFaceLeds", 65536.0 * 255 + 256 * 10 + 3, 0),
    form("ALLeds.fadeRGB", "ChestLeds", 1.0, 0.5, 0, 0.1),
    form("ALLeds.fadeRGB", "FaceLeds", "red", 0.1),
    form("ALLeds.fadeListRGB", "FaceLeds", [0xFF0000, 0x00FF00], [0.1, 0.2]),
    form("ALLeds.rotateEyes", 0x0000FF, 1.0, 0.2),
    form("ALLeds.setIntensity", "EarLeds", 0.5),
    form("ALLeds.getIntensity", "EarLeds", gives=numbers_of(1)),
    form("ALLeds.on", "AllLeds"),
    form("ALLeds.off", "AllLeds"),
    form("ALLeds.off", "BrainLedsFront"),
    form("ALLeds.off", "FaceLed7"),
    form("ALLeds.off", "FeetLeds"),
    form("ALLeds.reset", "AllLeds"),
    # postures and life
    form("ALRobotPosture.getPosture", gives="Stand"),
    form("ALRobotPosture.getPostureFamily", gives="Standing"),
    form("ALRobotPosture.getPostureList", gives=lambda names: len(names) == 8 and "LyingBack" in names),
    form("ALRobotPosture.getPostureFamilyList", gives=with_item("Sitting")),
    form("ALRobotPosture.stopMove"),
    form("ALRobotPosture.setMaxTryNumber", 2),
    form("ALAutonomousLife.setState", "interactive"),
    form("ALAutonomousLife.setState", "safeguard"),
    form("ALAutonomousLife.setState", "disabled"),
    form("ALAutonomousLife.getState", gives="disabled"),
    form("ALAutonomousLife.setState", "solitary"),
    form("ALAutonomousLife.setAutonomousAbilityEnabled", "All", False),
    form("ALAutonomousLife.setAutonomousAbilityEnabled", "BasicAwareness", True),
    form("ALAutonomousLife.getAutonomousAbilityEnabled", "BasicAwareness", gives=True),
    form("ALAutonomousLife.getAutonomousAbilitiesStatus", gives=list_of(lambda row: "enabled" in row)),
    form("ALBasicAwareness.setEnabled", True),
    form("ALBasicAwareness.setEngagementMode", "FullyEngaged"),
    form("ALBasicAwareness.setStimulusDetectionEnabled", "Sound", False),
    form("ALBasicAwareness.pauseAwareness"),
    form("ALBasicAwareness.resumeAwareness"),
    # memory
    form("ALMemory.getData", "FrontTactilTouched", gives=0.0),
    form("ALMemory.getData", "FrontTactilTouched", 0, gives=0.0),
    form("ALMemory.getData", "Device/SubDeviceList/US/Left/Sensor/Value", 0, gives=a_float),
    form("ALMemory.getData", "Device/SubDeviceList/InertialSensor/AngleX/Sensor/Value", gives=a_float),
    form("ALMemory.getData", "Device/SubDeviceList/LFoot/FSR/FrontLeft/Sensor/Value", gives=near(0.675)),
    form("ALMemory.getData", "Device/SubDeviceList/Battery/Charge/Sensor/Value", gives=1.0),
    form("ALMemory.getData", "WordRecognized", gives=lambda word: word[0] == "" and a_float(word[1])),
    form("ALMemory.getData", "FaceDetected", 0, gives=[]),
    form("ALMemory.getData", "AutonomousLife/State", gives="solitary"),
    form("ALMemory.getListData", ["DCM/Time"] + ["Device/SubDeviceList/InertialSensor/%s/Sensor/Value" % name
         for name in ("GyroscopeX", "GyroscopeY", "GyroscopeZ", "AccelerometerX", "AccelerometerY",
                      "AccelerometerZ", "AngleX", "AngleY", "AngleZ")], gives=numbers_of(10)),
    form("ALMemory.getDataList", "RobotConfig/", gives=list_of(a_text)),
    form("ALMemory.getDataList", "Device/SubDeviceList/Head/Temperature/Sensor/Value", gives=list_of(a_text)),
    form("ALMemory.insertData", "Forms/Empty", []),
    form("ALMemory.getData", "Forms/Empty", gives=[]),
    form("ALMemory.insertData", "Forms/Mixed", [1, 2.5, "three", [4]]),
    form("ALMemory.getData", "Forms/Mixed", gives=[1, 2.5, "three", [4]]),
    form("ALMemory.insertData", "WordRecognized", ["", 0.0]),
    form("ALMemory.raiseEvent", "Forms/Event", True),
    form("ALMemory.raiseEvent", "Forms/Event", ["a", 1]),
    form("ALMemory.raiseMicroEvent", "Forms/Micro", {"a": 1}),
    form("ALMemory.declareEvent", "Forms/Declared"),
    form("ALMemory.removeData", "Forms/Event"),
    form("ALMemory.getEventList", gives=with_item("FrontTactilTouched")),
    form("ALMemory.getMicroEventList", gives=list_of(a_text)),
    form("ALMemory.getSubscribers", "FrontTactilTouched", gives=[]),
    # the rest
    form("ALTouch.getStatus", gives=lambda rows: [rows[7][:2], rows[8][:2]] == [["Head/Touch/Front", False],
                                                                               ["Head/Touch/Middle", False]]),
    form("ALTracker.registerTarget", "RedBall", 0.06),
    form("ALTracker.registerTarget", "Face", 0.1),
    form("ALTracker.registerTarget", "LandMark", [0.1, [64]]),
    form("ALTracker.track", "Face"),
    form("ALTracker.setMode", "Move"),
    form("ALTracker.setEffector", "None"),
    form("ALTracker.setRelativePosition", [-0.3, 0.0, 0.0, 0.1, 0.1, 0.3]),
    form("ALTracker.getRelativePosition", gives=numbers_of(6)),
    form("ALTracker.unregisterTarget", "RedBall"),
    form("ALTracker.stopTracker"),
    form("ALTracker.unregisterAllTargets"),
    form("ALSonar.subscribe", "forms"),
    form("ALSonar.unsubscribe", "forms"),
    form("ALFaceDetection.subscribe", "forms"),
    form("ALFaceDetection.subscribe", "forms", 500, 0.0),
    form("ALFaceDetection.unsubscribe", "forms"),
    form("ALLandMarkDetection.subscribe", "forms", 500, 0.0),
    form("ALLandMarkDetection.unsubscribe", "forms"),
    form("ALSoundDetection.setParameter", "Sensitivity", 0.3),
    form("ALSoundDetection.subscribe", "forms"),
    form("ALSoundDetection.unsubscribe", "forms"),
    form("ALSoundLocalization.subscribe", "forms"),
    form("ALSoundLocalization.getSubscribersInfo", gives=list_of(lambda row: row[0] == "forms")),
    form("ALSoundLocalization.unsubscribe", "forms"),
    form("ALSpeechRecognition.setVocabulary", ["yes", "no"], False),
    form("ALSpeechRecognition.setLanguage", "English"),
    form("ALSpeechRecognition.setAudioExpression", False),
    form("ALSpeechRecognition.subscribe", "forms"),
    form("ALSpeechRecognition.pause", True),
    form("ALSpeechRecognition.setVocabulary", ["maybe"], True),
    form("ALSpeechRecognition.pause", False),
    form("ALSpeechRecognition.unsubscribe", "forms"),
    form("ALBehaviorManager.getInstalledBehaviors", gives=[]),
    form("ALBehaviorManager.getRunningBehaviors", gives=[]),
    form("ALBehaviorManager.isBehaviorRunning", "dance", gives=False),
    form("ALBehaviorManager.isBehaviorInstalled", "dance", gives=False),
    form("ALBehaviorManager.getDefaultBehaviors", gives=[]),
    form("ALBehaviorManager.stopAllBehaviors"),
    form("ALAudioDevice.setClientPreferences", "forms", 16000, 3, 0),
    form("ALAudioDevice.subscribe", "forms"),
    form("ALAudioDevice.unsubscribe", "forms"),
    form("ALAudioDevice.enableEnergyComputation"),
    form("ALAudioDevice.getFrontMicEnergy", gives=a_float),
    form("ALAudioDevice.playSine", 440, 50, 0, 0.2),
    form("ALAudioPlayer.stopAll"),
    form("ALSystem.systemVersion", gives=lambda version: [int(part) for part in version.split(".")] > [2, 0]),
    form("ALSystem.robotName", gives=a_text),
    form("ALBattery.getBatteryCharge", gives=100),
    form("ALRobotModel.getRobotType", gives="Nao"),
)  # fmt: skip

# What fails, and the words in the error's text.
FAILURES = (
    (form("ALMemory.getData", "Nowhere"), "no data under"),
    (form("ALMotion.setAngles", "Nose", 0.1, 0.1), "unknown joint"),
    (form("ALMotion.angleInterpolation", "HeadYaw", "far", 1.0, True), "must be a number"),
    (form("ALMotion.angleInterpolation", ["HeadYaw"], [0.1, 0.2], [1.0], True), "2 angles came with 1 times"),
    (form("ALMotion.moveTo", 0.1, 0, 0, [["Speed", 1]]), "unknown gait parameter"),
    (form("ALMotion.getPosition", "Nose", 0, True), "unknown part"),
    (form("ALRobotPosture.goToPosture", "Fly", 0.5), "unknown posture"),
    (form("ALVideoDevice.subscribeCamera", "forms", 7, 1, 11, 10), "unknown camera"),
    (form("ALTextToSpeech.setLanguage", "Klingon"), "not installed"),
    (form("ALTextToSpeech.setParameter", "pitch", 1.0), "unknown parameter"),
    (form("ALLeds.fadeRGB", "NoseLeds", 0xFF, 0.1), "unknown group"),
    (form("ALAutonomousLife.setState", "asleep"), "unknown state"),
    (form("ALBehaviorManager.runBehavior", "dance"), "not installed"),
    (form("ALAnimationPlayer.run", "animations/Stand/Gestures/Hey_1"), "not installed"),
    (form("ALMemory.unsubscribeToEvent", "FrontTactilTouched", "Nobody"), "has not subscribed"),
    (form("ALTracker.track", "Sound"), "not registered"),
    (form("ALMotion.exit"), "cannot be ended"),
)
