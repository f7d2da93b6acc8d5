"""Loudspeakers, microphones and sound files: ALAudioPlayer, ALAudioDevice, ALAudioRecorder. Nothing is heard.

Files are those of this machine. A microphone hears silence, but for the robot's own voice.
"""

import wave
from pathlib import Path

from .service import Refused, Service, Task, Timed, as_list, number, offered, word
from .voice import volume_of

SONG_S = 180.0  # a file whose length cannot be read
QUIET, VOICE = 20.0, 1500.0  # a microphone's energy in silence, and beside the loudspeaker at full volume
RATES_HZ = (16000, 22050, 44100, 48000)


def length_s(path: str) -> float:
    """How long a sound file lasts."""
    try:
        with wave.open(path) as sound:
            return sound.getnframes() / sound.getframerate()
    except (wave.Error, EOFError):
        return SONG_S


class Song(Task):
    """A sound file that plays, from a place in it on, and pauses."""

    def __init__(self, nao, path, volume, from_s=0.0, loop=False):
        super().__init__("play")
        self.path, self.volume, self.loop = path, volume, loop
        self.length_s = length_s(path)
        self._nao = nao
        self._place_s, self._since_s = from_s, None
        self.go_on()

    @property
    def place_s(self) -> float:
        """Where in the file it is."""
        if self._since_s is None:
            return self._place_s
        place_s = self._place_s + self._nao.lived_s - self._since_s
        return place_s % self.length_s if self.loop and self.length_s else min(place_s, self.length_s)

    def go_on(self):
        """Play on."""
        since_s = self._since_s = self._nao.lived_s

        def over():
            if self._since_s == since_s:
                self.end()

        if not self.loop:
            self._nao.at(since_s + max(0.0, self.length_s - self._place_s), over)

    def pause(self):
        """Stand still, or go on."""
        if self._since_s is None:
            self.go_on()
        else:
            self._place_s, self._since_s = self.place_s, None


class AudioPlayer(Service):
    """ALAudioPlayer: it plays any file of this machine, unheard; all but .wav are taken to last SONG_S.

    A file is known by the id of loadFile, or by the id of the task that plays it.
    """

    name = "ALAudioPlayer"

    def __init__(self, nao):
        super().__init__(nao)
        self._loaded = {}  # id: path
        self.songs = {}  # id: the Song that plays

    @offered(arities=(1, 3))
    def playFile(self, path, volume=1.0, pan=0.0):
        """Play a file on the robot."""
        return self._begin(self.loadFile(path), volume)

    @offered(arities=(1, 3))
    def playFileInLoop(self, path, volume=1.0, pan=0.0):
        """Play it again and again."""
        return self._begin(self.loadFile(path), volume, loop=True)

    @offered(arities=(2, 4))
    def playFileFromPosition(self, path, from_s, volume=1.0, pan=0.0):
        """Play a file from a place in it on."""
        return self._begin(self.loadFile(path), volume, from_s)

    @offered
    def loadFile(self, path):
        """The id of a file, by which the other methods know it."""
        if not Path(word(path, "the path")).is_file():
            raise Refused(f"cannot open {path!r}.")
        song_id = self.nao.next_id()
        self._loaded[song_id] = path
        return song_id

    @offered
    def getLoadedFilesIds(self):
        """The ids of all loaded files."""
        return list(self._loaded)

    @offered
    def getLoadedFilesNames(self):
        """The paths of all loaded files."""
        return list(self._loaded.values())

    @offered(arities=(1, 3))
    def play(self, song_id, volume=1.0, pan=0.0):
        """Play a loaded file."""
        return self._begin(song_id, volume)

    @offered(arities=(1, 3))
    def playInLoop(self, song_id, volume=1.0, pan=0.0):
        """Play a loaded file again and again."""
        return self._begin(song_id, volume, loop=True)

    def _begin(self, song_id, volume, from_s=0.0, loop=False):
        path = self._known(song_id)
        volume, from_s = volume_of(volume), number(from_s, "the place")
        if from_s < 0:
            raise Refused(f"a place in a file must not be negative: {from_s!r}.")
        self.stop(song_id)
        song = self.songs[song_id] = Song(self.nao, path, volume, from_s, loop)
        song.when_ended(lambda _: self.songs.pop(song_id, None))
        return song

    def _song(self, song_id):
        """The song that plays under the id of its file or of its task, or None."""
        playing = [song for song in self.songs.values() if song.id and song.id == song_id]
        return self.songs.get(song_id) or (playing[0] if playing else None)

    @offered
    def setVolume(self, song_id, volume):
        """Loudness 0..1 of one file."""
        song = self._playing(song_id)
        if song:
            song.volume = volume_of(volume)

    @offered
    def getVolume(self, song_id):
        """Loudness 0..1 of one file, 0 while it does not play."""
        song = self._playing(song_id)
        return song.volume if song else 0.0

    @offered
    def getCurrentPosition(self, song_id):
        """Where in one file it is, s; 0 while it does not play."""
        song = self._playing(song_id)
        return song.place_s if song else 0.0

    @offered
    def getFileLength(self, song_id):
        """How long one file lasts, s."""
        song = self._playing(song_id)
        return song.length_s if song else length_s(self._loaded[song_id])

    @offered
    def pause(self, song_id):
        """One file stands still, or goes on."""
        song = self._playing(song_id)
        if song:
            song.pause()

    def _playing(self, song_id):
        song = self._song(song_id)
        if song is None:
            self._known(song_id)
        return song

    @offered
    def stop(self, song_id):
        """Stop one file."""
        song = self._song(song_id)
        if song:
            song.end("killed")

    @offered
    def unloadFile(self, song_id):
        """Forget one file."""
        self._known(song_id)
        self.stop(song_id)
        del self._loaded[song_id]

    @offered
    def unloadAllFiles(self):
        """Forget all files."""
        for song_id in list(self._loaded):
            self.unloadFile(song_id)

    @offered
    def stopAll(self):
        """Stop what plays."""
        for song in list(self.songs.values()):
            song.end("killed")

    def _known(self, song_id):
        if not isinstance(song_id, int) or song_id not in self._loaded:
            raise Refused(f"no file is loaded under {song_id!r}.")
        return self._loaded[song_id]

    @offered
    def setMasterVolume(self, volume):
        """Loudness 0..1 of all sounds."""
        self.nao["ALAudioDevice"].volume = round(100 * volume_of(volume))

    @offered
    def getMasterVolume(self):
        """Loudness 0..1 of all sounds."""
        return self.nao["ALAudioDevice"].volume / 100


class AudioDevice(Service):
    """ALAudioDevice: the loudspeakers' volume, and microphones that hear silence and the robot's own voice.

    Programs may subscribe to the microphones; no sound is ever sent to them (no `processRemote`).
    """

    name = "ALAudioDevice"

    def __init__(self, nao):
        super().__init__(nao)
        self.volume = 60
        self.muted = False
        self.subscribers = {}  # name: how it wants its sound, or None
        self.measuring = False
        self.parameters = {"inputBufferSize": 16384, "outputSampleRate": 48000}

    @offered
    def setOutputVolume(self, volume):
        """Loudness 0..100."""
        if not 0 <= number(volume, "the volume") <= 100:
            raise Refused(f"the volume must lie in 0..100, not {volume!r}.")
        self.volume = int(volume)

    @offered
    def getOutputVolume(self):
        """Loudness 0..100."""
        return self.volume

    @offered
    def muteAudioOut(self, muted):
        """Silence, or its end."""
        self.muted = bool(muted)

    @offered
    def isAudioOutMuted(self):
        """Whether the loudspeakers are silent."""
        return self.muted

    @offered
    def playSine(self, frequency_hz, gain, pan, duration_s):
        """A tone, gain 0..100, for so long."""
        if number(frequency_hz, "the frequency") <= 0 or not 0 <= number(gain, "the gain") <= 100:
            raise Refused(f"a tone has a frequency above 0 and a gain of 0..100: {frequency_hz!r}, {gain!r}.")
        return Timed("playSine", self.nao, max(0.0, number(duration_s, "the time")))

    @offered(takes=("m", "r"), counted=True)
    def sendRemoteBufferToOutput(self, samples, buffer):
        """Sound to play, unheard: 16 bit, two channels; False where that is not what came."""
        return len(buffer) == 4 * int(number(samples, "the number of samples"))

    @offered
    def flushAudioOutputs(self):
        """Silence at once: the files stop."""
        self.nao["ALAudioPlayer"].stopAll()

    # Microphones

    @offered(kept=True)
    def setClientPreferences(self, name, rate_hz, channels, deinterleaved):
        """How a program wants its sound."""
        if rate_hz not in RATES_HZ:
            raise Refused(f"the rate must be one of {', '.join(map(str, RATES_HZ))}, not {rate_hz!r}.")
        self.settings["client", word(name, "the name")] = [rate_hz, channels, deinterleaved]

    @offered(kept=True)
    def subscribe(self, name):
        """Want the microphones' sound."""
        self.subscribers[word(name, "the name")] = self.settings.get(("client", name))

    @offered
    def unsubscribe(self, name):
        """No more."""
        self.subscribers.pop(word(name, "the name"), None)

    @offered
    def enableEnergyComputation(self):
        """Measure how loud it is."""
        self.measuring = True

    @offered
    def disableEnergyComputation(self):
        """No more: the energies are 0."""
        self.measuring = False

    def _energy(self):
        speaks = bool(self.nao["ALTextToSpeech"].queue) and not self.muted
        loud = VOICE * self.volume / 100 * self.nao["ALTextToSpeech"].volume if speaks else 0.0
        return QUIET + loud if self.measuring else 0.0

    @offered(counted=True)
    def getFrontMicEnergy(self):
        """How loud it is at the front microphone, where that is measured."""
        return self._energy()

    @offered(counted=True)
    def getRearMicEnergy(self):
        """The rear one."""
        return self._energy()

    @offered(counted=True)
    def getLeftMicEnergy(self):
        """The left one."""
        return self._energy()

    @offered(counted=True)
    def getRightMicEnergy(self):
        """The right one."""
        return self._energy()

    @offered(kept=True)
    def setParameter(self, name, value):
        """A parameter by its name."""
        self.parameters[word(name, "the parameter")] = int(number(value, "the value"))

    @offered
    def getParameter(self, name):
        """What setParameter was told."""
        if name not in self.parameters:
            raise Refused(f"unknown parameter {name!r}.")
        return self.parameters[name]


class AudioRecorder(Service):
    """ALAudioRecorder: it writes what the microphones hear into a file of this machine: silence."""

    name = "ALAudioRecorder"

    def __init__(self, nao):
        super().__init__(nao)
        self._path, self._rate_hz, self._channels, self._since_s = None, 16000, 1, 0.0

    @offered
    def startMicrophonesRecording(self, path, kind, rate_hz, channels):
        """Begin a .wav at one of RATES_HZ, of the microphones (left, right, front, rear) that are 1."""
        if self._path:
            raise Refused(f"it records into {self._path!r} already.")
        if kind != "wav" or rate_hz not in RATES_HZ:
            rates = ", ".join(map(str, RATES_HZ))
            raise Refused(f"only wav at {rates} Hz is recorded here, not {kind!r} at {rate_hz!r}.")
        try:
            open(word(path, "the path"), "wb").close()
        except OSError as error:
            raise Refused(f"cannot write {path!r}: {error.strerror}.") from None
        self._path, self._rate_hz, self._since_s = path, rate_hz, self.nao.lived_s
        self._channels = max(1, sum(bool(channel) for channel in as_list(channels)))

    @offered
    def stopMicrophonesRecording(self):
        """The end; without a beginning, nothing."""
        if self._path:
            frames = int((self.nao.lived_s - self._since_s) * self._rate_hz)
            with wave.open(self._path, "wb") as file:
                file.setparams((self._channels, 2, self._rate_hz, 0, "NONE", ""))
                file.writeframes(bytes(2 * self._channels * frames))
            self._path = None
