"""What the robot says: ALTextToSpeech, ALAnimatedSpeech.

Nothing is heard. A text takes the time of its words; the tags rspd, pau, mrk and rst are obeyed, the others
change only the sound. One text is said after the other. The speed of an ordinary voice is our estimate.
"""

import re
from typing import NamedTuple

from .service import Refused, Service, Task, number, offered, word

WORD_S = 0.36  # one word at \rspd=100\ and "speed" 100
START_S = 0.15  # from the call to the first sound
LANGUAGES = ("English", "French")
VOICES = {"naoenu": "English", "naofrf": "French"}
PARAMETERS = {
    "speed": (50, 400),
    "pitchShift": (0.0, 4.0),
    "doubleVoice": (0.0, 4.0),
    "doubleVoiceLevel": (0.0, 4.0),
    "doubleVoiceTimeShift": (0.0, 0.5),
}
TAG = re.compile(r"\\+([A-Za-z]+)(?:=([^\\]*))?\\+")
GESTURE = re.compile(r"\^\w+(?:\([^)]*\))?")  # ALAnimatedSpeech's ^start(...), ^mode(...) and their like
BODY_LANGUAGES = ("disabled", "random", "contextual")


class Speech(NamedTuple):
    """What a text sounds like: how long it takes, and the bookmarks (time_s, number) in it."""

    duration_s: float
    marks: list[tuple[float, int]]


def speech_of(text: str, speed: float = 100.0) -> Speech:
    """The time that a text takes at a "speed" in percent, with its tags."""
    now_s, rate, marks = START_S, 1.0, []
    place = 0
    for tag in TAG.finditer(text):
        now_s += _words(text[place : tag.start()]) * WORD_S / (rate * speed / 100)
        place = tag.end()
        name, value = tag[1].lower(), tag[2]
        if name == "rspd":
            rate = min(max(_value(tag), 50.0), 400.0) / 100
        elif name == "pau":
            now_s += _value(tag) / 1000
        elif name == "mrk":
            marks.append((now_s, int(_value(tag))))
        elif name == "rst" and value is None:
            rate = 1.0
    now_s += _words(text[place:]) * WORD_S / (rate * speed / 100)
    return Speech(now_s, marks)


def _words(text: str) -> float:
    """How many words: by the spaces, and two characters each where a script has none."""
    dense = len(re.findall(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", text))
    return len(re.findall(r"[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+(?:['’]\w+)*", text)) + dense / 2


def _value(tag) -> float:
    try:
        return float(tag[2])
    except (TypeError, ValueError):
        raise Refused(f"the tag {tag[0]} needs a number.") from None


def volume_of(value) -> float:
    """A loudness 0..1; raises Refused for anything else."""
    if not 0 <= number(value, "the volume") <= 1:
        raise Refused(f"the volume must lie in 0..1, not {value!r}.")
    return float(value)


class Saying(Task):
    """One text on its way: waiting for its turn, then spoken."""

    def __init__(self, text, speech):
        super().__init__("say")
        self.text = text
        self.speech = speech


class TextToSpeech(Service):
    """ALTextToSpeech."""

    name = "ALTextToSpeech"

    def __init__(self, nao):
        super().__init__(nao)
        self.language = LANGUAGES[0]
        self.volume = 0.8
        self.parameters = {"speed": 100.0, "pitchShift": 1.0}
        self.queue = []
        self.installed = list(LANGUAGES)

    def speak(self, text: str, language=None) -> Saying:
        """A task that says a text after those before it; the events of ALTextToSpeech tell where it is."""
        if language is not None:
            self._known(language)
        task = Saying(text, speech_of(word(text, "the text"), self.parameters["speed"]))
        self.nao.number(task)
        self.queue.append(task)
        task.when_ended(self._ended)
        self._tell("Status", [task.id, "enqueued"])
        if self.queue[0] is task:
            self._begin(task)
        return task

    def _begin(self, task):
        began_s = self.nao.lived_s
        self._tell("CurrentSentence", task.text)
        self._tell("Status", [task.id, "started"])
        self._tell("TextStarted", 1)
        self._tell("TextDone", 0)

        def pass_mark(mark):
            if task.how is None:
                self._tell("CurrentBookMark", mark)

        for mark_s, mark in task.speech.marks:
            self.nao.at(began_s + mark_s, lambda mark=mark: pass_mark(mark))
        self.nao.at(began_s + task.speech.duration_s, task.end)

    def _ended(self, task):
        spoke = self.queue[0] is task
        self.queue.remove(task)
        if spoke:
            self._tell("TextStarted", 0)
            self._tell("TextDone" if task.how == "done" else "TextInterrupted", 1)
        self._tell("Status", [task.id, "done" if task.how == "done" else "stopped"])
        if spoke and self.queue:
            self._begin(self.queue[0])

    def _tell(self, event, value):
        self.nao["ALMemory"].tell(f"{self.name}/{event}", value)

    def _known(self, language):
        if language not in self.installed:
            there = ", ".join(self.installed) or "none"
            raise Refused(f"the language {language!r} is not installed; there are {there}.")
        return language

    @offered
    def say(self, text, language=None):
        """Say a text, in a language for this once."""
        self._known(self.language if language is None else language)
        return self.speak(text, language)

    @offered
    def stopAll(self):
        """Stop all texts, the waiting ones first."""
        for task in reversed(self.queue.copy()):
            task.end("killed")

    @offered
    def setLanguage(self, language):
        """The language from now on."""
        self.language = self._known(language)

    @offered
    def getLanguage(self):
        """The language."""
        return self.language

    @offered
    def getAvailableLanguages(self):
        """The languages that are installed."""
        return list(self.installed)

    @offered
    def getSupportedLanguages(self):
        """The same here."""
        return list(LANGUAGES)

    @offered
    def setVolume(self, volume):
        """Loudness 0..1."""
        self.volume = volume_of(volume)

    @offered
    def getVolume(self):
        """Loudness 0..1."""
        return self.volume

    @offered
    def setParameter(self, name, value):
        """One of PARAMETERS, within its range."""
        if name not in PARAMETERS:
            raise Refused(f"unknown parameter {name!r}; there are {', '.join(PARAMETERS)}.")
        low, high = PARAMETERS[name]
        if not low <= number(value, name) <= high:
            raise Refused(f"{name} must lie in {low}..{high}, not {value!r}.")
        self.parameters[name] = float(value)

    @offered
    def getParameter(self, name):
        """The value of one of PARAMETERS."""
        if name not in PARAMETERS:
            raise Refused(f"unknown parameter {name!r}; there are {', '.join(PARAMETERS)}.")
        return self.parameters.get(name, 0.0)

    @offered
    def resetSpeed(self):
        """The ordinary speed."""
        self.parameters["speed"] = 100.0

    @offered
    def getAvailableVoices(self):
        """The voices."""
        return list(VOICES)

    @offered
    def getVoice(self):
        """The voice of the language."""
        return next(voice for voice, language in VOICES.items() if language == self.language)

    @offered
    def setVoice(self, voice):
        """One of VOICES, and with it the language."""
        if voice not in VOICES:
            raise Refused(f"unknown voice {voice!r}; there are {', '.join(VOICES)}.")
        self.language = self._known(VOICES[voice])

    @offered
    def isSpeaking(self):
        """Whether it says something now."""
        return bool(self.queue)


class AnimatedSpeech(Service):
    """ALAnimatedSpeech: texts with gestures, of which none is installed here; the voice alone is left."""

    name = "ALAnimatedSpeech"

    def __init__(self, nao):
        super().__init__(nao)
        self.mode = "contextual"
        self.tags = {}

    @offered
    def say(self, text, configuration=()):
        """Say a text; {"bodyLanguageMode": one of BODY_LANGUAGES} may come with it."""
        self._mode_of(dict(configuration).get("bodyLanguageMode", self.mode))
        plain = GESTURE.sub(" ", word(text, "the text"))
        memory = self.nao["ALMemory"]
        task = self.nao["ALTextToSpeech"].speak(plain)
        memory.tell("ALAnimatedSpeech/Status", [task.id, "started"])

        def ended(task):
            memory.tell("ALAnimatedSpeech/Status", [task.id, "done" if task.how == "done" else "stopped"])
            memory.tell("ALAnimatedSpeech/EndOfAnimatedSpeech", task.id)

        task.when_ended(ended)
        return task

    @offered
    def stopAll(self):
        """Stop all texts."""
        self.nao["ALTextToSpeech"].stopAll()

    @offered(kept=True)
    def declareTagForAnimations(self, tags):
        """{tag: [animation, ...]}; none is ever chosen here."""
        if not isinstance(tags, dict):
            raise Refused(f"a table {{tag: [animation, ...]}} is needed, not {tags!r}.")
        self.tags.update(tags)

    def _mode_of(self, mode):
        if mode not in BODY_LANGUAGES:
            raise Refused(f"unknown body language {mode!r}; there are {', '.join(BODY_LANGUAGES)}.")
        return mode

    @offered
    def setBodyLanguageMode(self, mode):
        """0 disabled, 1 random, 2 contextual."""
        if mode not in range(len(BODY_LANGUAGES)):
            raise Refused(f"a body language of 0, 1 or 2 is needed, not {mode!r}.")
        self.mode = BODY_LANGUAGES[mode]

    @offered
    def setBodyLanguageModeFromStr(self, mode):
        """One of BODY_LANGUAGES."""
        self.mode = self._mode_of(mode)

    @offered
    def getBodyLanguageMode(self):
        """0 disabled, 1 random, 2 contextual."""
        return BODY_LANGUAGES.index(self.mode)

    @offered
    def getBodyLanguageModeToStr(self):
        """One of BODY_LANGUAGES."""
        return self.mode
