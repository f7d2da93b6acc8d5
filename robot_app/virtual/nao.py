"""The virtual NAO: its clock, its 20 ms cycle, its services, and the one way in for every call.

It never speaks to a network: `qi_host.py` and `session.py` carry calls to `VirtualNAO.call`. Time is a clock
passed in. The body lives in cycles of 20 ms and is brought up to the clock by `step`, which a thread does in a
program (`start`) and a test does by hand; so nothing in here ever sleeps.
"""

import heapq
import itertools
import threading
import time

from . import body
from .about import Battery, RobotModel, System
from .applications import AnimationPlayer, BehaviorManager
from .diary import Diary
from .extractors import (
    AudioSourceLocalization,
    BarcodeReader,
    FaceCharacteristics,
    FaceDetection,
    LandMarkDetection,
    PeoplePerception,
    Sonar,
    SoundDetection,
    SoundLocalization,
    SpeechRecognition,
    Touch,
)
from .faults import Outside
from .life import (
    AutonomousBlinking,
    AutonomousLife,
    AutonomousMoves,
    BackgroundMovement,
    BasicAwareness,
    ListeningMovement,
    SpeakingMovement,
)
from .lights import Leds
from .memory import Memory
from .motion import Motion
from .pictures import Grey
from .posture import RobotPosture
from .profiles import PROFILES
from .senses import Senses
from .service import Refused, Task
from .sound import AudioDevice, AudioPlayer, AudioRecorder
from .tracker import Tracker
from .video import VideoDevice
from .voice import AnimatedSpeech, TextToSpeech

CYCLE_S = 0.02
ROOMS = (
    Memory,
    Motion,
    RobotPosture,
    VideoDevice,
    TextToSpeech,
    AnimatedSpeech,
    AudioPlayer,
    AudioDevice,
    AudioRecorder,
    Leds,
    AutonomousLife,
    AutonomousMoves,
    BackgroundMovement,
    BasicAwareness,
    AutonomousBlinking,
    SpeakingMovement,
    ListeningMovement,
    Tracker,
    Touch,
    Sonar,
    FaceDetection,
    PeoplePerception,
    FaceCharacteristics,
    LandMarkDetection,
    BarcodeReader,
    SoundDetection,
    SoundLocalization,
    AudioSourceLocalization,
    SpeechRecognition,
    Battery,
    RobotModel,
    System,
    BehaviorManager,
    AnimationPlayer,
    Outside,
)


class NaoError(RuntimeError):
    """A refused call, in NAOqi's form: `Class::method`, a new line, a tab, the reason."""


class VirtualNAO:
    """A freshly started NAO V6: awake, standing, stiff, its autonomous life solitary.

    camera   what it sees: anything with `picture(t_s) -> (H, W, 3) uint8 BGR`; grey where None
    diary    a Diary; one in memory where None
    clock    a function that gives seconds, never going back
    awake    False: it crouches without stiffness instead
    life     the state of ALAutonomousLife
    naoqi    the NAOqi that it resembles, one of profiles.PROFILES; raises KeyError for another
    """

    def __init__(self, camera=None, diary=None, clock=time.monotonic, awake=True, life="solitary", naoqi="2.8"):
        self.profile = PROFILES[naoqi]
        self.lock = threading.RLock()
        self.diary = diary or Diary()
        self._clock = clock
        self._switched_on = clock()
        self._cycles = 0
        self._agenda = []
        self._order = itertools.count()
        self._task_ids = itertools.count(1)
        self._tasks = {}
        self._heart = None
        self._closing = threading.Event()
        self.camera = camera or Grey()
        self.awake = awake
        self.lying = None  # the posture that a fall left it in
        self.life = life
        self.installed = {}  # behavior: how many seconds it takes
        self.latency_s = 0.0  # by which a slow network delays every answer
        self.hosts = []  # each a function of seconds that breaks its connections for so long
        self.angles = dict(body.POSTURES["Stand" if awake else "Crouch"])
        self.stiffnesses = dict.fromkeys(body.JOINTS, 1.0 if awake else 0.0)
        self.senses = Senses(self)
        self.modules = []  # each a function of (module, method, arguments) that calls a client's module
        self.services = {room.name: room(self) for room in ROOMS if room.name not in self.profile.no_services}
        for service, method in self.profile.no_methods:
            del self.services[service].offers[method]

    def __getitem__(self, name):
        """The plain service of this name, e.g. nao["ALMotion"]."""
        return self.services[name]

    @property
    def clock_s(self) -> float:
        """Seconds since this NAO was switched on."""
        return self._clock() - self._switched_on

    @property
    def lived_s(self) -> float:
        """The same for the body: the end of its last cycle, at most one cycle behind while `step` is called."""
        return self._cycles * CYCLE_S

    # Time

    def step(self):
        """Bring the body, the voice and the lights up to the clock, cycle by cycle."""
        with self.lock:
            now_s = self.clock_s  # once: a machine that cannot keep up with a fast clock must end here
            before = self._cycles
            while self.lived_s + CYCLE_S <= now_s + 1e-9:
                self._cycles += 1
                self["ALMotion"].cycle(CYCLE_S)
                while self._agenda and self._agenda[0][0] <= self.lived_s + 1e-9:
                    heapq.heappop(self._agenda)[2]()
            if self._cycles != before:
                self["ALRobotPosture"].look()

    def at(self, due_s: float, action):
        """Call `action()` in the first cycle that ends at or after `due_s`."""
        heapq.heappush(self._agenda, (due_s, next(self._order), action))

    def later(self, seconds: float, action):
        """Call `action()` after so long, from any thread."""
        with self.lock:
            self.at(self.lived_s + seconds, action)

    def start(self):
        """Let a thread call `step` at every cycle until `close`, as hosts do; a second call changes nothing."""
        with self.lock:
            if not self._heart:
                self._heart = threading.Thread(target=self._beat, name="nao-heart", daemon=True)
                self._heart.start()

    def _beat(self):
        while not self._closing.wait(CYCLE_S):
            self.step()

    def close(self):
        """Stop the thread, kill what still runs, let go of the camera, close the diary."""
        self._closing.set()
        if self._heart:
            self._heart.join()
        with self.lock:
            for task in list(self._tasks.values()):
                task.end("killed")
        self["ALVideoDevice"].close()
        self.diary.close(self.clock_s)

    # Calls

    def call(self, service_name: str, method: str, arguments=()):
        """What a client asked for; gives the result, a Task for what takes time, or raises NaoError."""
        service = self.services[service_name]
        arguments = list(arguments)
        offer = service.offers.get(method)
        try:
            if offer is None or len(arguments) not in offer.arities:
                raise Refused(f"{len(arguments)} arguments came; it takes {_in_words(offer)}.")
            with service.lock:
                if service.lock is self.lock:
                    self.step()
                return self._answer(service, offer, arguments)
        except (Refused, TypeError, ValueError, OverflowError) as reason:
            error = f"{service.name}::{method}\n\t{reason}"
            entry = {"service": service.name, "method": method, "args": arguments}
            self.diary.write(service.now_s, "called", **entry, error=error)
            raise NaoError(error) from None

    def _answer(self, service, offer, arguments):
        result = getattr(service, offer.method)(*arguments)
        entry = {"service": service.name, "method": offer.method, "args": arguments}
        if offer.kept:
            entry["kept"] = True
        if offer.counted:
            self.diary.count(service.name, offer.method)
        elif isinstance(result, Task):
            self._begin(result, entry)
        else:
            self.diary.write(service.now_s, "called", **entry, result=result)
        return result

    def _begin(self, task, entry):
        """Give a task its number, and let the diary tell its beginning and its end."""
        self.number(task)
        self.diary.write(self.lived_s, "began", **entry, task=task.id)

        def ended(task):
            self.diary.write(self.lived_s, "ended", **entry, task=task.id, how=task.how, result=task.result)

        task.when_ended(ended)

    def next_id(self) -> int:
        """A number that no task and no file has."""
        return next(self._task_ids)

    def number(self, task):
        """Give a task its number; a later call changes nothing."""
        if not task.id:
            task.id = self.next_id()
            self._tasks[task.id] = task
            task.when_ended(lambda task: self._tasks.pop(task.id, None))

    def task(self, task_id):
        """The task of this number while it runs, or None."""
        return self._tasks.get(task_id) if isinstance(task_id, int) else None

    def waiting(self, task_id, limit_s: float):
        """A task that ends, with False, when that one does, or after `limit_s` (0: never) with True."""
        waiting = Task("wait", done=False, stopped=True)
        task = self.task(task_id)
        if task is None:
            waiting.end()
        else:
            task.when_ended(lambda _: waiting.end())
            if limit_s > 0:
                self.at(self.lived_s + limit_s, lambda: waiting.end("killed"))
        return waiting

    def cancel(self, task):
        """End a task because its client no longer wants it."""
        with self.lock:
            task.end("cancelled")

    def when_ended(self, task, callback):
        """Call `callback(task)` once the task has ended."""
        with self.lock:
            task.when_ended(callback)

    def lose_sessions(self, seconds: float):
        """Have every host break its connections, a moment later: the call that asks for it gets its answer."""
        self.at(self.lived_s + CYCLE_S, lambda: [lose(seconds) for lose in list(self.hosts)])

    def call_module(self, module: str, method: str, *arguments):
        """Have every host call a module that one of its clients registered; nobody waits for it."""
        for call in self.modules:
            call(module, method, arguments)

    def notice(self, service: str, what: str, **details):
        """Tell the diary something that no client asked for."""
        self.diary.write(self[service].now_s, "noticed", service, what=what, **details)


def _in_words(offer):
    if offer is None:
        return "no such method"
    return " or ".join(map(str, offer.arities))
