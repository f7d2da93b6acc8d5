"""Streams for LabStreamingLayer, for labs that record EEG and the like: scores and markers in LSL's time.

    "nao-1 scores"      7 x float32, irregular: probabilities in the order of EMOTIONS, of the face that the
                        robot attends to; a sample for each picture with such a face, stamped with when it was
                        taken
    "emotion markers"   1 x string, irregular: markers/TEXT, nao-1/mood/happy, nao-1/behaviours/cheer, and the
                        same without a last word when it ends

Design   the streams of a robot exist until it is gone. Robot, PC and LSL have clocks of their own; Taken and
         _push are the two places where a time goes from one to the next.
Threads  one, and those of liblsl. Publishers only put events into its subscription.
LSL knows no keys: whoever is in the network can read along. It needs pylsl, and only when it is asked for.
"""

import platform
import threading
import time
from collections import deque
from typing import NamedTuple

from config.contract import EMOTIONS
from inference_server.board import attended
from inference_server.events import Answered, Event, Events, Gone, Marked

AT_MOST = 256  # events that wait to be sent
LOOK_S = 0.2  # how often it looks for the end when nothing comes
WINDOW_S = 60.0
BUFFERED_S = 60  # of samples, for a reader that lags
END_S = 5.0


class LslError(ValueError):
    """There can be no streams; one sentence says why and what to do."""


class Taken:
    """When the pictures of one robot were taken, by the PC's clock instead of the robot's.

    Of the ways that its pictures took within WINDOW_S the shortest counts as none. So a time is late by the
    shortest way, a few milliseconds; a way that was long once does not show. Clocks that drift apart are
    followed: what they lose in WINDOW_S, up to 6 ms, is the rest of the error.
    """

    def __init__(self):
        self._ways: deque[tuple[float, float]] = deque()  # (when, came - taken), each shorter than those before
        self._seq = -1

    def at_s(self, seq: int, taken_s: float, came_s: float) -> float:
        """Of a Frame's seq and taken_s, and when it came; never later than that."""
        if seq < self._seq:
            self._ways.clear()  # its program began anew, perhaps by another clock
        self._seq = seq
        way = came_s - taken_s
        while self._ways and self._ways[-1][1] >= way:
            self._ways.pop()
        self._ways.append((came_s, way))
        while came_s - self._ways[0][0] > WINDOW_S:
            self._ways.popleft()
        return taken_s + self._ways[0][1]


class Streamed(NamedTuple):
    """What is known of a robot that is told of."""

    scores: object  # pylsl.StreamOutlet
    taken: Taken
    last: dict[str, str]  # {"mood": ..., "behaviours": ...} as they were told


class Outlet:
    """Streams what `events` tell until close(). `where` tells this service from others, as in its address.

    Raises LslError where there is no pylsl.
    """

    def __init__(self, events: Events, where: str):
        try:
            import pylsl
        except (ImportError, RuntimeError) as error:  # RuntimeError: pylsl is there and liblsl is not
            raise LslError(
                f"lsl: the streams need pylsl ({str(error).splitlines()[0]}): pip install -e '.[lsl]', or "
                "leave out lsl.send."
            ) from None
        self._lsl = pylsl
        self._source = f"nao-emotion {platform.node()} {where}"
        self._robots: dict[str, Streamed] = {}
        self._markers = pylsl.StreamOutlet(self._info("emotion markers", "Markers", 1, pylsl.cf_string))
        self._over = threading.Event()
        self._news = events.subscribe_to_all(AT_MOST)
        self._thread = threading.Thread(target=self._stream, name="lsl", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the streams."""
        self._over.set()
        self._thread.join(END_S)

    def __enter__(self) -> "Outlet":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- the thread ----------------------------------------------------------------------------------

    def _stream(self) -> None:
        while not self._over.is_set():
            for event in self._news.take(LOOK_S):
                self._tell(event)
        self._news.close()
        self._robots.clear()
        self._markers = None

    def _tell(self, event: Event) -> None:
        if isinstance(event, Answered):
            self._answered(event)
        elif isinstance(event, Marked):
            self._push(self._markers, [f"markers/{event.text}"], event.at_s)
        elif isinstance(event, Gone):
            self._robots.pop(event.robot_id, None)

    def _answered(self, event: Answered) -> None:
        robot = self._robots.get(event.robot_id) or self._welcome(event)
        at_s = robot.taken.at_s(event.frame.seq, event.frame.taken_s, event.came_s)
        face = attended(event)
        if face:
            self._push(robot.scores, list(face.scores), at_s)
        now = {"mood": event.frame.mood or "", "behaviours": event.frame.doing or ""}
        for what, word in now.items():
            if robot.last[what] != word:
                robot.last[what] = word
                self._push(self._markers, [f"{event.robot_id}/{what}/{word}"], at_s)

    def _welcome(self, event: Answered) -> Streamed:
        name = f"{event.robot_id} scores"
        info = self._info(name, "Expression", len(EMOTIONS), self._lsl.cf_float32)
        about = info.desc()
        about.append_child_value("robot", event.frame.robot)
        about.append_child_value("model", event.reading.model)
        channels = about.append_child("channels")
        for emotion in EMOTIONS:
            channel = channels.append_child("channel")
            channel.append_child_value("label", emotion).append_child_value("unit", "probability")
        outlet = self._lsl.StreamOutlet(info, max_buffered=BUFFERED_S)
        robot = self._robots[event.robot_id] = Streamed(outlet, Taken(), {"mood": "", "behaviours": ""})
        return robot

    def _info(self, name: str, kind: str, channels: int, form: int):
        source = f"{self._source} {name}"
        return self._lsl.StreamInfo(name, kind, channels, self._lsl.IRREGULAR_RATE, form, source)

    def _push(self, outlet, sample: list, at_s: float) -> None:
        """at_s is by time.monotonic(), which need not be LSL's clock."""
        outlet.push_sample(sample, at_s + self._lsl.local_clock() - time.monotonic())
