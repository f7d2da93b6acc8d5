"""What happens, as it happens, for other programs: a WebSocket that says what a recording would hold.

    ws://127.0.0.1:8080/feed, each message one JSON object in a text:
    {"v": 1, "topic": "/nao-1/mood", "schema": "nao.Mood", "time_s": 1790000000.25, "event": 17, "data": {...}}

Design   topics and data are those of a session (session.py), so that a program reads what is live and what was
         recorded alike; without pictures and without `answer`, which says all of it again. The first message,
         on /feed, says which emotions there are; who reads too slowly misses events and is told there how many.
         /feed?as=ros4hri says it in the words of rosbridge (ros4hri.py).
         The page's own line (/live) is another thing: state to paint with its picture, paced by the page.
Threads  the monitor's. A program that is slow or stuck delays nobody: AT_MOST events wait for it.
Nothing that a program sends here is listened to; rest.py is for that.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterable

from starlette.websockets import WebSocket, WebSocketDisconnect

from config.contract import EMOTIONS
from inference_server import ros4hri
from inference_server.events import Event, Events, Gone, waking
from inference_server.session import Line, Telling

V = 1  # of what a message looks like; a key more is no other version
MAX_PROGRAMS = 16
AT_MOST = 64  # events that wait for one program
TOO_MANY = 4008  # close code
LEFT_OUT = "nao.Answer"


class Feed:
    """The feed of one bus; serve() is the route's."""

    def __init__(self, events: Events):
        self._events = events
        self._open = 0

    async def serve(self, socket: WebSocket) -> None:
        """One program, from its opening to its end."""
        await socket.accept()
        if self._open >= MAX_PROGRAMS:
            await socket.close(TOO_MANY, f"{MAX_PROGRAMS} programs listen already; end one.")
            return
        self._open += 1
        sending = asyncio.create_task(self._send(socket))
        try:
            while True:
                await socket.receive()
        except (WebSocketDisconnect, RuntimeError):  # RuntimeError: it is gone already
            pass
        finally:
            self._open -= 1
            sending.cancel()

    async def _send(self, socket: WebSocket) -> None:
        flag = asyncio.Event()
        telling = Telling(False, time.time_ns(), time.monotonic())
        words = InRos(telling) if socket.query_params.get("as") == "ros4hri" else Words(telling)
        news = self._events.subscribe_to_all(AT_MOST, waking(flag))
        missed = -1
        with contextlib.suppress(WebSocketDisconnect), contextlib.closing(news):
            while True:
                if news.missed != missed:
                    missed = news.missed
                    for text in words.missed(missed, time.monotonic()):
                        await socket.send_text(text)
                await flag.wait()
                flag.clear()
                for event in news.take(timeout_s=0):
                    for text in words.of(event):
                        await socket.send_text(text)


class Words:
    """What one program is sent: the lines of a session, one a message."""

    def __init__(self, telling: Telling):
        self._telling = telling
        self._count = 0

    def missed(self, count: int, now_s: float) -> list[str]:
        """That so many events were missed so far; with 0 the first message of all."""
        own = {"emotions": EMOTIONS, "missed": count}
        return [message(Line("/feed", "nao.Feed", own, self._telling.at_ns(now_s)), self._count)]

    def of(self, event: Event) -> list[str]:
        """One event."""
        self._count += 1
        lines = self._telling.messages(event)
        return [message(line, self._count) for line in lines if line.schema != LEFT_OUT]


class InRos:
    """The same for a program that hands it to rosbridge."""

    def __init__(self, telling: Telling):
        self._telling = telling
        self._publisher = ros4hri.Publisher()

    def missed(self, count: int, now_s: float) -> list[str]:
        """rosbridge has no word for it; the first message of all."""
        return _texts(self._publisher.hello())

    def of(self, event: Event) -> list[str]:
        """One event."""
        if isinstance(event, Gone):
            return _texts(self._publisher.gone(event.robot_id, self._telling.at_ns(event.at_s)))
        lines = self._telling.messages(event)
        return _texts(operation for line in lines for operation in self._publisher.operations(line))


def _texts(operations: Iterable[dict]) -> list[str]:
    return [json.dumps(operation, separators=(",", ":"), allow_nan=False) for operation in operations]


def message(line: Line, event: int) -> str:
    """One message of the feed; `event` is the number of what it tells of, on this line."""
    head = {"v": V, "topic": line.topic, "schema": line.schema, "time_s": line.at_ns / 1e9, "event": event}
    return json.dumps(head | {"data": line.body}, separators=(",", ":"), allow_nan=False)
