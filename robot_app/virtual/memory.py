"""ALMemory: values by key, and events that clients hear of. It decides nothing about either.

A key holds a value that was put there, or a function that reads it from the robot. The keys of sensors that
nobody touches stand at rest.
"""

from . import body, lights
from .senses import SENSORS
from .service import Refused, Service, Task, as_list, offered, word

CHARGE = "Device/SubDeviceList/Battery/Charge/Sensor/Value"

AT_REST = {
    **{sensor.event: 0.0 for sensor in SENSORS.values()},
    "BatteryChargeChanged": 100,
    "BatteryEmpty": False,
    "robotHasFallen": False,
    "footContact": 1.0,
    "footContactChanged": True,
    "TouchChanged": [],
    "FaceDetected": [],
    "HotDeviceDetected": [],
    "ALTextToSpeech/TextStarted": 0,
    "ALTextToSpeech/TextDone": 0,
    "ALTextToSpeech/CurrentSentence": "",
    "ALTextToSpeech/CurrentBookMark": 0,
    "ALTextToSpeech/Status": [0, "done"],
    "ALAnimatedSpeech/EndOfAnimatedSpeech": 0,
    "ALAnimatedSpeech/Status": [0, "done"],
    "ALMotion/MoveFailed": [],
    "BatteryPowerPluggedChanged": False,
    "WordRecognized": ["", 0.0],
    "WordRecognizedAndGrammar": ["", 0.0, ""],
    "SpeechDetected": 0,
    "ALSpeechRecognition/Status": "Idle",
    "LandmarkDetected": [],
    "SoundDetected": [],
    "ALSoundLocalization/SoundLocated": [],
    "BarcodeReader/BarcodeDetected": [],
    "PeoplePerception/PeopleList": [],
    "RobotConfig/Body/Type": "nao",
    "Device/DeviceList/ChestBoard/BodyId": "VIRTUAL0000000000",
}


class Subscriber:
    """What subscriber(key) gives: a way to hear the key's events. Hosts dress it up as NAOqi's `signal`."""

    def __init__(self, memory, key):
        self._memory = memory
        self.key = key

    def __repr__(self):
        return f"<subscriber of {self.key}>"

    def listen(self, callback):
        """Call `callback(value)` at every event of the key, quickly and in order."""
        with self._memory.lock:
            self._memory.listeners.setdefault(self.key, []).append(callback)

    def forget(self, callback):
        """End that."""
        with self._memory.lock:
            self._memory.listeners[self.key].remove(callback)


class Memory(Service):
    """ALMemory."""

    name = "ALMemory"

    def __init__(self, nao):
        super().__init__(nao)
        self.listeners = {}
        self._hearers = {}  # key: {module: (method, more arguments)}
        self._values = dict(AT_REST)
        self._values[nao.profile.falling] = False
        for part in ("Body", "Head"):
            self._values[f"RobotConfig/{part}/BaseVersion"] = nao.profile.body
        self._read = {
            "AutonomousLife/State": lambda: nao.life,
            "robotIsWakeUp": lambda: nao.awake,
            "PostureFamilyChanged": lambda: nao["ALRobotPosture"].getPostureFamily(),
            "ALRobotPosture/Changed": lambda: nao["ALRobotPosture"].getPosture(),
            "DCM/Time": lambda: int(1000 * nao.lived_s),
            CHARGE: lambda: self._values["BatteryChargeChanged"] / 100,
        }
        self._read.update(nao.senses.keys())
        for key, (lamp, colour) in lights.KEYS.items():
            self._read[key] = lambda lamp=lamp, colour=colour: nao["ALLeds"].level(lamp, colour)
        for joint in body.JOINTS:
            for kind in ("Actuator", "Sensor"):
                key = f"Device/SubDeviceList/{joint}/Position/{kind}/Value"
                self._read[key] = lambda joint=joint: nao.angles[joint]

    def tell(self, key, value):
        """Put a value there and let everybody who listens hear it."""
        self._values[key] = value
        for callback in list(self.listeners.get(key, ())):
            callback(value)
        for module, (method, *more) in list(self._hearers.get(key, {}).items()):
            self.nao.call_module(module, method, key, value, *(more or [""]))

    def _keys(self):
        return sorted({*self._values, *self._read})

    @offered(counted=True)
    def getData(self, key, unused=0):
        """The value of a key; the second argument is one of old times."""
        if key in self._read:
            return self._read[key]()
        if key in self._values:
            return self._values[key]
        raise Refused(f"no data under {key!r}.")

    @offered(counted=True)
    def getListData(self, keys):
        """The values of several keys, None where there is none."""
        known = set(self._keys())
        return [self.getData(key) if key in known else None for key in as_list(keys)]

    @offered
    def getDataList(self, part):
        """The keys that hold this text."""
        return [key for key in self._keys() if word(part, "the filter") in key]

    @offered
    def getDataListName(self):
        """All keys."""
        return self._keys()

    @offered
    def getEventList(self):
        """All keys that may raise events, which here are all."""
        return self._keys()

    @offered
    def getMicroEventList(self):
        """The same: here is one kind of events."""
        return self._keys()

    @offered(counted=True)
    def insertData(self, key, value):
        """Put a value there, and tell nobody."""
        self._values[word(key, "the key")] = value

    @offered
    def insertListData(self, pairs):
        """insertData of several: [[key, value], ...]."""
        for key, value in pairs:
            self.insertData(key, value)

    @offered
    def raiseEvent(self, key, value):
        """Put a value there, and tell everybody who listens."""
        self.tell(word(key, "the key"), value)

    @offered
    def raiseMicroEvent(self, key, value):
        """The same; NAOqi keeps two kinds."""
        self.tell(word(key, "the key"), value)

    @offered
    def declareEvent(self, key, module=""):
        """Announce an event."""
        self._values.setdefault(word(key, "the key"), None)

    @offered
    def removeData(self, key):
        """Forget a key."""
        if key not in self._values:
            raise Refused(f"no data under {key!r}.")
        del self._values[key]

    @offered
    def getDataOnChange(self, key, unused=0):
        """Wait for the key's next event, and give its value."""
        return self.next_of(key)

    def next_of(self, key):
        """A task that ends with the value of the key's next event."""
        self.getData(key)
        task, subscriber = Task("getDataOnChange"), Subscriber(self, key)

        def hear(value):
            task.result_will_be(value)
            task.end()

        subscriber.listen(hear)
        task.when_ended(lambda _: subscriber.forget(hear))
        return task

    # Modules of clients, called by name

    @offered(arities=(3, 4))
    def subscribeToEvent(self, key, module, *message_and_method):
        """Call `module.method(key, value, message)`, a service that a client registered, at every event."""
        *message, method = message_and_method
        self._hear(key, module, method, *message)

    @offered
    def subscribeToMicroEvent(self, key, module, message, method):
        """The same with a message of the client's own."""
        self._hear(key, module, method, message)

    def _hear(self, key, module, method, *more):
        module, method = word(module, "the module"), word(method, "the method")
        self._hearers.setdefault(word(key, "the key"), {})[module] = (method, *more)

    @offered
    def unsubscribeToEvent(self, key, module):
        """End that; raises where there was no such subscription."""
        if word(module, "the module") not in self._hearers.get(word(key, "the key"), {}):
            raise Refused(f"{module!r} has not subscribed to {key!r}.")
        del self._hearers[key][module]

    @offered
    def unsubscribeToMicroEvent(self, key, module):
        """The same."""
        self.unsubscribeToEvent(key, module)

    @offered
    def getSubscribers(self, key):
        """The modules that are called at a key's events."""
        return list(self._hearers.get(word(key, "the key"), ()))

    @offered
    def subscriber(self, key):
        """An object whose `signal` fires at every event of the key."""
        return Subscriber(self, word(key, "the key"))
