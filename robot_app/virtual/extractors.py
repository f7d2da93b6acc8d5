"""The services that watch and listen: programs subscribe, and ALMemory tells what was found.

They find nothing by themselves, in the camera's picture or anywhere: the service VirtualNAO says what there is
to find (`see`, `sound`, `hear`, `obstacle`), and each of them tells it only while somebody has subscribed.
"""

import time

from . import kinematics
from .senses import FAR_M
from .service import Refused, Service, as_list, number, offered, word

FACE_RAD = 0.15  # how large a face or landmark is taken to be


class Extractor(Service):
    """What all of them share: who has subscribed, how often and how well.

    EVENTS   the keys of ALMemory that it tells
    """

    EVENTS = ()

    def __init__(self, nao):
        super().__init__(nao)
        self.subscribers = {}  # name: [period_ms, precision]
        self.paused = False
        self.parameters = {}

    @property
    def active(self) -> bool:
        """Whether somebody wants to know."""
        return bool(self.subscribers) and not self.paused

    def tell(self, value):
        """Tell everybody, where somebody wants to know."""
        for event in self.EVENTS if self.active else ():
            self.nao["ALMemory"].tell(event, value)

    def stamp(self) -> list[int]:
        """[seconds, microseconds] as NAOqi stamps what it found."""
        seconds, rest = divmod(time.time(), 1)
        return [int(seconds), int(rest * 1e6)]

    @offered(arities=(1, 3))
    def subscribe(self, name, period_ms=30, precision=0.0):
        """Want to know, under a name; a second time changes the period and the precision."""
        self.subscribers[word(name, "the name")] = [
            int(number(period_ms, "the period")),
            number(precision, "the precision"),
        ]

    @offered
    def unsubscribe(self, name):
        """No more; a name that had not subscribed is no mistake."""
        self.subscribers.pop(word(name, "the name"), None)

    @offered
    def updatePeriod(self, name, period_ms):
        """Another period."""
        self._of(name)[0] = int(number(period_ms, "the period"))

    @offered
    def updatePrecision(self, name, precision):
        """Another precision."""
        self._of(name)[1] = number(precision, "the precision")

    @offered
    def getMyPeriod(self, name):
        """The period of a subscriber."""
        return self._of(name)[0]

    @offered
    def getMyPrecision(self, name):
        """The precision of a subscriber."""
        return self._of(name)[1]

    @offered
    def getCurrentPeriod(self):
        """The shortest period that somebody wants."""
        return min((period for period, _ in self.subscribers.values()), default=30)

    @offered
    def getCurrentPrecision(self):
        """The best precision that somebody wants."""
        return max((precision for _, precision in self.subscribers.values()), default=0.0)

    @offered
    def getSubscribersInfo(self):
        """[[name, period, precision], ...]."""
        return [[name, *wanted] for name, wanted in self.subscribers.items()]

    @offered
    def getEventList(self):
        """The events that it raises."""
        return list(self.EVENTS)

    @offered
    def getMemoryKeyList(self):
        """The keys that it writes: those of its events."""
        return list(self.EVENTS)

    @offered
    def getOutputNames(self):
        """The same."""
        return list(self.EVENTS)

    @offered
    def pause(self, paused):
        """Silence for a while, or its end."""
        self.paused = bool(paused)

    @offered
    def isPaused(self):
        """Whether it pauses."""
        return self.paused

    @offered
    def isProcessing(self):
        """Whether somebody has subscribed and it does not pause."""
        return self.active

    @offered(kept=True)
    def setParameter(self, name, value):
        """A parameter by its name."""
        self.parameters[word(name, "the parameter")] = value

    @offered
    def getParameter(self, name):
        """What setParameter was told."""
        if name not in self.parameters:
            raise Refused(f"nobody has set the parameter {name!r}.")
        return self.parameters[name]

    def _of(self, name):
        if name not in self.subscribers:
            raise Refused(f"{name!r} has not subscribed.")
        return self.subscribers[name]


class Seer(Extractor):
    """One that finds things in directions, seen from the camera."""

    def __init__(self, nao):
        super().__init__(nao)
        self.found = []

    def find(self, things):
        """Things are there, each with its direction, or none any more."""
        self.found = [self.thing(thing) for thing in things]
        self.tell(self.value() if self.found else [])

    def camera_poses(self) -> list[list[float]]:
        """Where the camera is, for the torso and for the robot."""
        motion = self.nao["ALMotion"]
        return [motion.getPosition("CameraTop", frame, True) for frame in (kinematics.TORSO, kinematics.ROBOT)]


def _direction(thing, count, what):
    if len(thing) != count:
        raise Refused(f"{what}, not {thing!r}.")
    return [number(value, "a direction") for value in thing[-2:]]


class FaceDetection(Seer):
    """ALFaceDetection."""

    name = "ALFaceDetection"
    EVENTS = ("FaceDetected",)

    def __init__(self, nao):
        super().__init__(nao)
        self.learned = []
        self.recognition = self.tracking = True

    def thing(self, thing):
        alpha, beta = _direction(thing, 2, "a face is [alpha rad, beta rad]")
        return [[0, alpha, beta, FACE_RAD, FACE_RAD], [0, 0.0, "", [], [], [], [], [], []]]

    def value(self):
        return [self.stamp(), [*self.found, []], *self.camera_poses(), 0]

    @offered
    def learnFace(self, name):
        """Remember the face that is there under a name; False where none is."""
        if self.found and word(name, "the name") not in self.learned:
            self.learned.append(name)
        return bool(self.found)

    @offered
    def reLearnFace(self, name):
        """Remember it anew; False where none is there or the name is not known."""
        return bool(self.found) and name in self.learned

    @offered
    def forgetPerson(self, name):
        """Forget a name; False where it is not known."""
        known = name in self.learned
        self.learned = [other for other in self.learned if other != name]
        return known

    @offered
    def getLearnedFacesList(self):
        """The names."""
        return list(self.learned)

    @offered
    def clearDatabase(self):
        """Forget all names."""
        self.learned.clear()
        return True

    @offered(kept=True)
    def setRecognitionEnabled(self, enabled):
        """Whether faces get their names; here they never do."""
        self.recognition = bool(enabled)

    @offered(kept=True)
    def enableRecognition(self, enabled):
        """setRecognitionEnabled by its old name."""
        self.recognition = bool(enabled)

    @offered
    def isRecognitionEnabled(self):
        """What setRecognitionEnabled was told."""
        return self.recognition

    @offered(kept=True)
    def setTrackingEnabled(self, enabled):
        """Whether faces are followed from picture to picture."""
        self.tracking = bool(enabled)

    @offered(kept=True)
    def enableTracking(self, enabled):
        """setTrackingEnabled by its old name."""
        self.tracking = bool(enabled)

    @offered
    def isTrackingEnabled(self):
        """What setTrackingEnabled was told."""
        return self.tracking


class PeoplePerception(Seer):
    """ALPeoplePerception: who is there, by numbers."""

    name = "ALPeoplePerception"
    EVENTS = ("PeoplePerception/PeopleList",)

    def __init__(self, nao):
        super().__init__(nao)
        self.shares = {}  # person: [neutral, happy, surprised, angry, sad]

    def find(self, things):
        self.shares.clear()
        super().find(things)

    def thing(self, thing):
        if len(thing) != 6:
            raise Refused(f"a person is [number, neutral, happy, surprised, angry, sad], not {thing!r}.")
        person = int(number(thing[0], "its number"))
        self.shares[person] = [number(share, "a share") for share in thing[1:]]
        return person

    def value(self):
        return self.found


class FaceCharacteristics(Extractor):
    """ALFaceCharacteristics: what it reads in the face of somebody whom ALPeoplePerception has found."""

    name = "ALFaceCharacteristics"

    @offered
    def analyzeFaceCharacteristics(self, person):
        """Put what is read under the person's keys; False where that person is not there."""
        people = self.nao["ALPeoplePerception"]
        if not people.active or person not in people.shares:
            return False
        self.nao["ALMemory"].tell(
            f"PeoplePerception/Person/{person}/ExpressionProperties", people.shares[person]
        )
        return True


class LandMarkDetection(Seer):
    """ALLandMarkDetection."""

    name = "ALLandMarkDetection"
    EVENTS = ("LandmarkDetected",)

    def thing(self, thing):
        alpha, beta = _direction(thing, 3, "a landmark is [number, alpha rad, beta rad]")
        return [[0, alpha, beta, FACE_RAD, FACE_RAD, 0.0], [int(number(thing[0], "its number"))]]

    def value(self):
        return [self.stamp(), self.found, *self.camera_poses(), "CameraTop"]


class BarcodeReader(Seer):
    """ALBarcodeReader."""

    name = "ALBarcodeReader"
    EVENTS = ("BarcodeReader/BarcodeDetected",)

    def thing(self, thing):
        alpha, beta = _direction(thing, 3, "a barcode is [text, alpha rad, beta rad]")
        return [word(thing[0], "its text"), [alpha, beta]]

    def value(self):
        return self.found


class SoundDetection(Extractor):
    """ALSoundDetection."""

    name = "ALSoundDetection"
    EVENTS = ("SoundDetected",)

    def notice_sound(self, azimuth_rad, elevation_rad, loudness):
        self.tell([[0, 1, loudness, *self.stamp()]])


class SoundLocalization(Extractor):
    """ALSoundLocalization."""

    name = "ALSoundLocalization"
    EVENTS = ("ALSoundLocalization/SoundLocated",)

    def notice_sound(self, azimuth_rad, elevation_rad, loudness):
        motion = self.nao["ALMotion"]
        head = [motion.getPosition("Head", frame, True) for frame in (kinematics.TORSO, kinematics.ROBOT)]
        self.tell([self.stamp(), [azimuth_rad, elevation_rad, loudness, loudness], *head])


class AudioSourceLocalization(SoundLocalization):
    """ALSoundLocalization by its old name."""

    name = "ALAudioSourceLocalization"
    EVENTS = ("ALAudioSourceLocalization/SoundLocated",)


class Sonar(Extractor):
    """ALSonar: the distances under its keys are those of the moment somebody last had subscribed."""

    name = "ALSonar"
    EVENTS = tuple(f"Sonar{side}{what}Detected" for side in ("Left", "Right") for what in ("", "Nothing"))
    NEAR_M = 0.5

    def __init__(self, nao):
        super().__init__(nao)
        self._last = (FAR_M, FAR_M)

    def distances_m(self) -> tuple[float, float]:
        """[left, right]."""
        if self.active:
            self._last = self.nao.senses.distances_m()
        return self._last

    def look(self):
        """Raise the events of what stands there now."""
        for side, far_m in zip(("Left", "Right"), self.distances_m(), strict=True):
            if self.active:
                found = "Detected" if far_m < self.NEAR_M else "NothingDetected"
                self.nao["ALMemory"].tell(f"Sonar{side}{found}", far_m)


class Touch(Service):
    """ALTouch."""

    name = "ALTouch"

    @offered(counted=True)
    def getStatus(self):
        """[[name, touched, []], ...]: seven parts of the body, then the sensors."""
        return self.nao.senses.touched()

    @offered
    def getSensorList(self):
        """The names of the sensors."""
        return [name for name, _, _ in self.nao.senses.touched()]


class SpeechRecognition(Extractor):
    """ALSpeechRecognition: it hears what VirtualNAO.hear says, where that is in its vocabulary."""

    name = "ALSpeechRecognition"
    EVENTS = ("WordRecognized",)

    def __init__(self, nao):
        super().__init__(nao)
        self.vocabulary, self.spotting = [], False
        self.language = "English"
        self.expressions = {"audio": True, "visual": True}

    def hear(self, phrase, confidence) -> bool:
        """Somebody says a phrase; whether it was recognized."""
        known = [text for text in self.vocabulary if text == phrase or self.spotting and text in phrase]
        if not known or not self.active:
            return False
        memory = self.nao["ALMemory"]
        memory.tell("SpeechDetected", 1)
        heard = f"<...> {known[0]} <...>" if self.spotting else known[0]
        memory.tell("LastWordRecognized", [heard, confidence])
        self.tell([heard, confidence])
        return True

    @offered(arities=(1, 2))
    def setVocabulary(self, words, spotting=False):
        """What it can hear, and whether the words may stand among others; refused while it listens."""
        if self.active:
            raise Refused("the vocabulary cannot be changed while it listens; pause(True) first.")
        self.vocabulary = [word(text, "a word") for text in as_list(words)]
        self.spotting = bool(spotting)

    @offered
    def setLanguage(self, language):
        """The language that it hears."""
        if language not in self.nao["ALTextToSpeech"].installed:
            raise Refused(f"the language {language!r} is not installed.")
        self.language = language

    @offered
    def getLanguage(self):
        """The language that it hears."""
        return self.language

    @offered
    def getAvailableLanguages(self):
        """The languages that are installed."""
        return list(self.nao["ALTextToSpeech"].installed)

    @offered(kept=True)
    def setAudioExpression(self, enabled):
        """A beep when it begins and ends to listen."""
        self.expressions["audio"] = bool(enabled)

    @offered
    def getAudioExpression(self):
        """What setAudioExpression was told."""
        return self.expressions["audio"]

    @offered(kept=True)
    def setVisualExpression(self, enabled):
        """Eyes that show when it listens."""
        self.expressions["visual"] = bool(enabled)

    @offered
    def getVisualExpression(self):
        """What setVisualExpression was told."""
        return self.expressions["visual"]

    @offered
    def removeAllContext(self):
        """Forget the vocabulary."""
        self.vocabulary = []
