"""What the virtual NAO says, from this machine's loudspeakers: espeak-ng, where it is installed. Off at first.

The robot's own time does not wait for it: a text that takes espeak longer than the robot is cut by the next.
"""

import queue
import shutil
import subprocess
import threading

from .memory import Subscriber
from .voice import TAG, WORD_S

PROGRAM = "espeak-ng"
VOICES = {
    "Chinese": "cmn", "English": "en", "French": "fr-fr", "German": "de", "Italian": "it", "Japanese": "ja",
    "Korean": "ko", "Portuguese": "pt", "Brazilian": "pt-br", "Russian": "ru", "Spanish": "es",
}  # fmt: skip
END = object()


class Aloud:
    """Listens to one VirtualNAO and says what it says while `on`; `possible` where there is an espeak-ng."""

    def __init__(self, nao):
        self.on = False
        self.possible = shutil.which(PROGRAM) is not None
        self._speech = nao["ALTextToSpeech"]
        self._texts = queue.SimpleQueue()  # what to say next, None for silence, END
        self._thread = threading.Thread(target=self._speak, name="aloud", daemon=True)
        self._thread.start()
        Subscriber(nao["ALMemory"], "ALTextToSpeech/Status").listen(self._hear)

    def close(self):
        """Be silent for good."""
        self.on = False
        self._texts.put(END)
        self._thread.join(2)

    def _hear(self, status):
        """An event of the voice: [task, "started" | "stopped" | ...]; its words are at the queue's head."""
        voice = self._speech
        if status[1] == "started" and self.on and voice.queue:
            self._texts.put((voice.queue[0].text, voice.language, voice.parameters["speed"]))
        elif status[1] == "stopped":
            self._texts.put(None)

    def _speak(self):
        program = None
        while (wanted := self._texts.get()) is not END:
            _end(program)
            program = _start(*wanted) if wanted and self.possible else None
        _end(program)


def _start(text, language, speed):
    words_a_minute = str(round(60 / WORD_S * speed / 100))
    command = [PROGRAM, "--stdin", "-v", VOICES.get(language, "en"), "-s", words_a_minute]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    program = subprocess.Popen(command, stdin=subprocess.PIPE, **quiet)
    try:
        program.stdin.write(TAG.sub(" ", text).encode())
        program.stdin.close()
    except BrokenPipeError:
        pass  # it could not start: no such voice, no loudspeaker
    return program


def _end(program):
    if program is not None:
        program.kill()
        program.wait()
