# -*- coding: utf-8 -*-
"""A stand-in for NAOqi at the lowest seam, where qi.Session stands; it runs on both Pythons.

It keeps every call, answers what the robot app asks, and does what a test tells it: motions end when the
test says so, a picture comes when the test takes it. It moves no body and checks nothing; the virtual NAO
does, in the whole tests.
"""

from __future__ import division, print_function

from behaviors.joints import BODY_NAMES, JOINTS, STAND


class Future(object):
    """A qi.Future as far as it is used; it ends when told."""

    def __init__(self):
        self._finished, self._result, self._error = False, None, None

    def end(self, result=None, error=None):
        if not self._finished:
            self._finished, self._result, self._error = True, result, error
        return self

    def isFinished(self):
        return self._finished

    def wait(self, timeout_ms=None):
        return self._finished

    def hasError(self):
        return self._error is not None

    def error(self):
        return self._error

    def value(self):
        return self._result


class Service(object):
    def __init__(self, naoqi, name):
        self._naoqi, self._name = naoqi, name

    def __getattr__(self, method):
        if not hasattr(self._naoqi, self._name + "_" + method):
            raise AttributeError("no method %s" % method)

        def call(*arguments, **named):
            return self._naoqi.take(self._name, method, arguments)

        return call


class Naoqi(object):
    """The robot, and the session with it. A method named ALService_method answers that call.

    calls    [(service, method, arguments)] so far, in order
    broken   {"ALService.method": error text} that are to fail
    """

    def __init__(self, awake=True, posture="Stand", family="Standing"):
        self.calls = []
        self.broken = {}
        self.connected = True
        self.awake, self.posture, self.family = awake, posture, family
        self.angles = dict((joint, STAND.get(joint, 0.0)) for joint in BODY_NAMES)
        self.motions = []  # [id, Future]
        self.foreign_tasks = []  # rows of getTaskList that are not ours
        self.killed = []
        self.languages, self.language, self.volume = ["English", "French"], "English", 0.8
        self.aware, self.speaking_moves = True, True
        self.image = None
        self.subscribers = []
        self.places = 6
        self.keep_alive = 0
        self.life = "solitary"
        self.installed = []  # NAOqi's own animations
        self.songs = []  # [path, volume or None once it is stopped, Future]
        # What nothing touches; what is not in there raises, as in NAOqi.
        self.memory = {"FrontTactilTouched": 0.0, "RightBumperPressed": 0.0, "footContact": 1.0}

    # The session

    def isConnected(self):
        return self.connected

    def opened(self, ended=None):
        """The session, connected anew."""
        self.connected = True
        return self

    def close(self):
        self.connected = False

    def service(self, name):
        if not self.connected:
            raise RuntimeError("Session closed.")
        if not any(member.startswith(name + "_") for member in dir(self)):
            raise RuntimeError("Cannot find service '%s' in index" % name)
        return Service(self, name)

    def take(self, service, method, arguments):
        if not self.connected:
            raise RuntimeError("Socket is not connected")
        self.calls.append((service, method, arguments))
        error = self.broken.get("%s.%s" % (service, method))
        if error:
            return Future().end(error=error)
        result = getattr(self, service + "_" + method)(*arguments)
        return result if isinstance(result, Future) else Future().end(result)

    # What tests ask and do

    def of(self, service, method):
        """The arguments of every such call, in order."""
        return [a for s, m, a in self.calls if (s, m) == (service, method)]

    def end_motion(self, error=None):
        """The body is where the last motion leads."""
        self.motions[-1][1].end(error=error)

    def see(self, number, width=4, height=2):
        """A new picture stands before the camera: all its bytes are `number`."""
        self.image = (width, height, 2, 9, number, 0, bytearray([number] * (2 * width * height)), 0, 0, 0, 0, 0)

    # ALMotion, ALRobotPosture

    def ALMotion_getBodyNames(self, chain):
        return list(BODY_NAMES)

    def ALMotion_getLimits(self, chain):
        return [list(JOINTS[joint][:3]) + [1.0] for joint in BODY_NAMES]

    def ALMotion_robotIsWakeUp(self):
        return self.awake

    def ALMotion_wakeUp(self):
        self.awake, self.posture, self.family = True, "Stand", "Standing"

    def ALMotion_rest(self):
        self.awake, self.posture, self.family = False, "Crouch", "Crouching"

    def ALMotion_getAngles(self, names, use_sensors):
        return [self.angles[name] for name in names]

    def ALMotion_angleInterpolation(self, names, angles, times_s, is_absolute):
        self.motions.append((100 + len(self.motions), Future()))
        for name, joint_angles in zip(names, angles):
            self.angles[name] = joint_angles[-1]
        return self.motions[-1][1]

    def ALMotion_getTaskList(self):
        ours = [
            ["angleInterpolation", number, "broker", []]
            for number, future in self.motions
            if not future.isFinished()
        ]
        return self.foreign_tasks + ours

    def ALMotion_killTask(self, task):
        self.killed.append(task)
        for number, future in self.motions:
            if number == task:
                future.end()
        return True

    def ALRobotPosture_getPostureFamily(self):
        return self.family

    def ALRobotPosture_getPosture(self):
        return self.posture

    def ALRobotPosture_goToPosture(self, name, speed):
        self.posture = name
        self.family = "Standing" if name.startswith("Stand") else name
        return True

    # ALTextToSpeech, ALLeds, what moves by itself

    def ALTextToSpeech_say(self, text, language=None):
        return None

    def ALTextToSpeech_stopAll(self):
        return None

    def ALTextToSpeech_getLanguage(self):
        return self.language

    def ALTextToSpeech_setLanguage(self, language):
        self.language = language

    def ALTextToSpeech_getAvailableLanguages(self):
        return self.languages

    def ALTextToSpeech_getVolume(self):
        return self.volume

    def ALTextToSpeech_setVolume(self, volume):
        self.volume = volume

    def ALLeds_fadeRGB(self, name, colour, seconds):
        return None

    def ALLeds_fade(self, name, intensity, seconds):
        return None

    def ALLeds_fadeListRGB(self, name, colours, times_s):
        return None

    def ALLeds_reset(self, name):
        return None

    def ALBasicAwareness_isEnabled(self):
        return self.aware

    def ALBasicAwareness_setEnabled(self, on):
        self.aware = on

    def ALSpeakingMovement_isEnabled(self):
        return self.speaking_moves

    def ALSpeakingMovement_setEnabled(self, on):
        self.speaking_moves = on

    def ALAutonomousLife_getState(self):
        return self.life

    def ALAutonomousLife_setState(self, state):
        self.life = state

    # ALMemory, ALBehaviorManager, ALAudioPlayer

    def ALMemory_getData(self, key):
        if key not in self.memory:
            return Future().end(error="ALMemory::getData\n\tno data under %s" % key)
        return self.memory[key]

    def ALMemory_getListData(self, keys):
        return [self.memory.get(key) for key in keys]

    def ALMemory_insertData(self, key, value):
        self.memory[key] = value

    def ALBehaviorManager_isBehaviorInstalled(self, path):
        return path in self.installed

    def ALBehaviorManager_runBehavior(self, path):
        self.motions.append((100 + len(self.motions), Future()))
        return self.motions[-1][1]

    def ALBehaviorManager_stopBehavior(self, path):
        self.motions[-1][1].end()

    def ALAudioPlayer_playFile(self, path):
        return Future()

    def ALAudioPlayer_stopAll(self):
        return None

    def ALAudioPlayer_loadFile(self, path):
        self.songs.append([path, None, Future()])
        return len(self.songs) - 1

    def ALAudioPlayer_play(self, song, volume, pan):
        self.songs[song][1] = volume
        return self.songs[song][2]

    def ALAudioPlayer_setVolume(self, song, volume):
        self.songs[song][1] = volume

    def ALAudioPlayer_stop(self, song):
        self.songs[song][2].end()

    def ALAudioPlayer_unloadFile(self, song):
        self.songs[song][1] = None

    # ALVideoDevice

    def ALVideoDevice_getSubscribers(self):
        return list(self.subscribers)

    def ALVideoDevice_subscribeCamera(self, name, camera, resolution, colour_space, fps):
        if len(self.subscribers) >= self.places:
            return ""
        taken = [handle for handle in self.subscribers if handle.startswith(name + "_")]
        handle = "%s_%d" % (name, len(taken))
        self.subscribers.append(handle)
        return handle

    def ALVideoDevice_unsubscribe(self, handle):
        if handle in self.subscribers:
            self.subscribers.remove(handle)

    def ALVideoDevice_getImageRemote(self, handle):
        return self.image if handle in self.subscribers else None

    def ALVideoDevice_getParameter(self, camera, parameter):
        return self.keep_alive

    def ALVideoDevice_setParameter(self, camera, parameter, value):
        self.keep_alive = value
        return True
