"""What happened on the PC, for whoever watches: one small bus, and values that say what and when.

The server publishes; monitor and recorder subscribe and take what they need. Nobody asks back, and a
slow or forgotten subscriber costs the publisher nothing: for every robot it keeps only the newest event,
or, where it asked for all, a fixed number of them.

    events = Events()
    watching = events.subscribe()
    for event in watching.take(timeout_s=1.0): ...
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from config.contract import Frame, Order, Reading

KEPT_LINES = 100  # of KEPT, for each subscriber
MAX_MARK = 200  # characters


class Answered(NamedTuple):
    """A frame was read and answered."""

    robot_id: str  # made by the server, as in "nao-1"; never two robots with the same one
    frame: Frame
    reading: Reading
    at_s: float  # when, by time.monotonic()
    picture_jpeg: bytes  # what a browser can show; b"" for raw encodings: decode.as_jpeg(frame) makes it
    came_s: float = 0.0  # when the frame came, by the same clock; the time that the reader was given
    nth: int = 0  # frames of this robot that the reader had seen before; 0: it knew nothing of it


class Gone(NamedTuple):
    """A robot has been silent for so long that the server has forgotten it."""

    robot_id: str
    at_s: float


class Said(NamedTuple):
    """A line of the log that a person should see."""

    level: str  # "info", "warning" or "error"
    text: str
    at_s: float


class Ordered(NamedTuple):
    """The operator ordered something; its number says which order it is when it is settled."""

    robot_id: str
    order: Order
    at_s: float


class Settled(NamedTuple):
    """An order waits no more: it was done, or `why_not` is a sentence."""

    robot_id: str
    order: Order
    why_not: str | None
    at_s: float


class Marked(NamedTuple):
    """The operator marked this moment."""

    text: str
    at_s: float


def marked(text: str, at_s: float) -> Marked:
    """A mark of what somebody wrote: what can be shown of it, at most MAX_MARK characters, or "mark"."""
    shown = "".join(letter for letter in text if letter.isprintable()).strip()[:MAX_MARK]
    return Marked(shown or "mark", at_s)


def waking(flag: asyncio.Event) -> Callable[[], None]:
    """A `wake` for subscribe() that sets `flag`, in the asyncio loop that runs now."""
    loop = asyncio.get_running_loop()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop may have ended meanwhile
            loop.call_soon_threadsafe(flag.set)

    return wake


Event = Answered | Gone | Said | Marked | Ordered | Settled
KEPT = Said | Marked | Ordered | Settled  # in their order; of the others only the newest of a robot


class Subscription:
    """Events for one subscriber, bounded: the newest of each robot, and the last KEPT_LINES of KEPT."""

    def __init__(self, wake: Callable[[], None] | None, end: Callable[["Subscription"], None]):
        self._wake = wake
        self._end = end
        self._news = threading.Condition()
        self._of_robot: dict[str, Answered | Gone] = {}
        self._lines: deque[KEPT] = deque(maxlen=KEPT_LINES)

    def take(self, timeout_s: float | None = None) -> list[Event]:
        """All that is new, lines first; waits for it up to `timeout_s` (None: for ever; 0: not at all)."""
        with self._news:
            self._news.wait_for(lambda: self._of_robot or self._lines, timeout_s)
            events: list[Event] = [*self._lines, *self._of_robot.values()]
            self._lines.clear()
            self._of_robot.clear()
        return events

    def close(self) -> None:
        """Take no more part; events that were not taken are dropped."""
        self._end(self)

    def _put(self, event: Event) -> None:
        with self._news:
            self._keep(event)
            self._news.notify()
        if self._wake:
            self._wake()

    def _keep(self, event: Event) -> None:
        if isinstance(event, KEPT):
            self._lines.append(event)
        else:
            self._of_robot.pop(event.robot_id, None)  # so that the order is that of the newest
            self._of_robot[event.robot_id] = event


class All(Subscription):
    """Every event in its order, up to `at_most` that were not taken yet; what comes beyond is missed."""

    def __init__(self, wake: Callable[[], None] | None, end: Callable[[Subscription], None], at_most: int):
        super().__init__(wake, end)
        self._at_most = at_most
        self._events: deque[Event] = deque()
        self.missed = 0  # events, so far

    def take(self, timeout_s: float | None = None) -> list[Event]:
        with self._news:
            self._news.wait_for(lambda: self._events, timeout_s)
            events = list(self._events)
            self._events.clear()
        return events

    def _keep(self, event: Event) -> None:
        if len(self._events) < self._at_most:
            self._events.append(event)
        else:
            self.missed += 1


class Events:
    """The bus. Every method may be called from any thread."""

    def __init__(self):
        self._subscriptions: tuple[Subscription, ...] = ()
        self._lock = threading.Lock()

    def publish(self, event: Event) -> None:
        """Hand `event` to every subscriber; returns at once."""
        for subscription in self._subscriptions:
            subscription._put(event)

    def subscribe(self, wake: Callable[[], None] | None = None) -> Subscription:
        """A new Subscription. `wake`, if given, is called after each event, from the publisher's thread.

        It must return at once; an asyncio program gives waking(flag).
        """
        return self._add(Subscription(wake, self._drop))

    def subscribe_to_all(self, at_most: int, wake: Callable[[], None] | None = None) -> All:
        """The same for who needs every event, as long as no more than `at_most` wait to be taken."""
        return self._add(All(wake, self._drop, at_most))

    def _add(self, subscription: Subscription) -> Subscription:
        with self._lock:
            self._subscriptions += (subscription,)
        return subscription

    def _drop(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)
