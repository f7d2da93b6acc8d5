"""The page to watch: the newest picture with its faces, seven scores, a minute of history, the log.

It listens to the events and shows them to browsers; it never asks the server or a robot for anything, changes
nothing, and keeps no picture but the newest of each robot.

Design
  The board (board.py) makes the messages. A page says when it has painted one; with MAX_UNSEEN of them
  unpainted it is sent nothing, so a slow page sees fewer pictures and delays nobody.
Threads
  uvicorn and all of this file run in one thread of their own. Publishers only set a flag.
Wire
  Down: the board's messages. Up: {"seen": true} for each of them, {"watch": robot id} to look at another robot.
Safety
  It listens on this machine alone unless told otherwise; then a key is needed, made anew at each start.
  Host and Origin are checked, so no other web page can read along.
"""

import asyncio
import contextlib
import hmac
import ipaddress
import json
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from inference_server.board import Board, View
from inference_server.events import Events

WEB = Path(__file__).with_name("web")
HEARTBEAT_S = 1.0  # a page hears something at least this often, so that it notices a dead line
MAX_UNSEEN = 2  # messages on their way to one page
MAX_VIEWERS = 32
START_S = 10.0  # longest wait for uvicorn
STOP_S = 2.0

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
ANYWHERE = ("0.0.0.0", "::", "")
COOKIE = "monitor_key"
HEADERS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}
TOO_MANY = 4008  # close code, read by link.js


class MonitorError(RuntimeError):
    """The page cannot be served; the text is one sentence that says why and what to do."""


class Music(NamedTuple):
    """What the page may play: {emotion: [path, ...]}, and when, how loud, and how it ends."""

    songs: dict[str, list[str]]
    after_s: float
    fade_s: float
    volume: float

    def for_page(self) -> dict:
        """The same with addresses instead of paths."""
        songs = {e: [f"songs/{e}/{turn}" for turn in range(len(paths))] for e, paths in self.songs.items()}
        return self._replace(songs=songs)._asdict()


@dataclass(eq=False)
class Viewer:
    """One open page."""

    view: View = field(default_factory=View)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    room: asyncio.BoundedSemaphore = field(default_factory=lambda: asyncio.BoundedSemaphore(MAX_UNSEEN))


class Monitor:
    """The page, served from a thread of its own until close().

        with Monitor(events, about={"model": "xrs-fer2013", "runtime": "ONNX Runtime"}) as monitor:
            print(monitor.url)

    `about` is shown as it stands, label and text; its "listen" is the server's own address. `music` is a Music,
    where the page is to play songs. `routes` are served beside the page, behind the same guard. Port 0
    takes any free one. Raises MonitorError where it cannot listen.
    """

    def __init__(
        self,
        events: Events,
        host: str = "127.0.0.1",
        port: int = 8080,
        about: dict | None = None,
        music: Music | None = None,
        routes: Sequence[Route] = (),
    ):
        self._events = events
        self._routes = routes
        self._music = music
        words = {label: str(text) for label, text in (about or {}).items()}
        self._board = Board(words, music and music.for_page())
        self._viewers: set[Viewer] = set()
        self._key = None if _is_loopback(host) else secrets.token_urlsafe(16)
        listener = _listen(host, port)
        shown = "localhost" if host in ANYWHERE else f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{listener.getsockname()[1]}/" + (f"?key={self._key}" if self._key else "")
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                self._app(host),
                log_config=None,
                access_log=False,
                ws_max_size=1024,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs={"sockets": [listener]}, name="monitor", daemon=True
        )
        self._started = threading.Event()
        self._thread.start()
        if not self._started.wait(START_S):
            raise MonitorError(f"monitor: the page at {self.url} did not start within {START_S:g} s.")

    def close(self) -> None:
        """Stop serving; open pages say that the server is gone."""
        self._uvicorn.should_exit = True
        self._thread.join(STOP_S)

    def __enter__(self) -> "Monitor":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _app(self, host: str) -> Starlette:
        # On every interface any name may lead here; there the key, which only our own page holds, is the guard.
        hosts = ["*"] if host in ANYWHERE else [*LOOPBACK, host, f"[{host}]"]
        return Starlette(
            routes=[
                WebSocketRoute("/live", self._live),
                Route("/songs/{emotion}/{turn:int}", self._song),
                *self._routes,
                Mount("/", StaticFiles(directory=WEB, html=True)),
            ],
            middleware=[
                Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
                Middleware(Guard, key=self._key),
            ],
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette):
        pump = asyncio.create_task(self._pump())
        yield
        pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pump

    async def _pump(self) -> None:
        """Bring events to the board, and wake the viewers."""
        loop, news = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop may have ended meanwhile
                loop.call_soon_threadsafe(news.set)

        watching = self._events.subscribe(wake)
        self._started.set()
        try:
            while True:
                await news.wait()
                news.clear()
                for event in watching.take(timeout_s=0):
                    self._board.take(event)
                for viewer in self._viewers:
                    viewer.news.set()
        finally:
            watching.close()

    async def _song(self, request: Request):
        """One song, by its emotion and its number; the page never names a file."""
        try:
            return FileResponse(self._music.songs[request.path_params["emotion"]][request.path_params["turn"]])
        except (AttributeError, LookupError):
            return PlainTextResponse("There is no such song.", 404)

    async def _live(self, socket: WebSocket) -> None:
        """One page, from its opening to its end."""
        await socket.accept()
        if len(self._viewers) >= MAX_VIEWERS:
            await socket.close(TOO_MANY, f"{MAX_VIEWERS} pages are open already; close one.")
            return
        viewer = Viewer()
        self._viewers.add(viewer)
        sending = asyncio.create_task(self._send(socket, viewer))
        try:
            while True:
                self._hear(viewer, await socket.receive_text())
        except (WebSocketDisconnect, KeyError):  # KeyError: bytes came, where only text is understood
            pass
        finally:
            self._viewers.discard(viewer)
            sending.cancel()

    async def _send(self, socket: WebSocket, viewer: Viewer) -> None:
        """News to one page, as fast as it paints them, and a word now and then where there are none."""
        viewer.news.set()  # the greeting
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await viewer.room.acquire()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(viewer.news.wait(), HEARTBEAT_S)
                viewer.news.clear()
                await socket.send_bytes(self._board.message(viewer.view, time.monotonic()))

    def _hear(self, viewer: Viewer, text: str) -> None:
        """Act on what a page sent; what is not understood is passed over."""
        try:
            said = json.loads(text)
        except ValueError:
            return
        if not isinstance(said, dict):
            return
        if said.get("seen"):
            with contextlib.suppress(ValueError):  # it says so more often than it was sent something
                viewer.room.release()
        if isinstance(said.get("watch"), str):
            self._board.watch(viewer.view, said["watch"])
            viewer.news.set()


class Guard:
    """ASGI middleware: the key where one is needed, our own Origin for the WebSocket, safe headers for all."""

    def __init__(self, app, key: str | None):
        self.app = app
        self.key = key

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(HTTPConnection(scope))
        if refusal is None:
            await self.app(scope, receive, _with_headers(send))
        else:
            await refusal(scope, receive, _with_headers(send))

    def _refusal(self, asked: HTTPConnection):
        """The response that keeps this request out, or None."""
        if asked.scope["type"] == "websocket":
            host = asked.headers.get("host", "")
            if asked.headers.get("origin") not in (f"http://{host}", f"https://{host}"):
                return PlainTextResponse("Only this monitor's own page may connect.", 403)
        if self.key is None or self._is_key(asked.cookies.get(COOKIE)):
            return None
        if self._is_key(asked.query_params.get("key")):
            response = RedirectResponse("/", 303)
            response.set_cookie(COOKIE, self.key, httponly=True, samesite="strict")
            return response
        return PlainTextResponse("Open the whole address that the server printed, with its ?key=.", 403)

    def _is_key(self, word: str | None) -> bool:
        return word is not None and hmac.compare_digest(word.encode(), self.key.encode())


def _with_headers(send):
    async def send_with_headers(message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return send_with_headers


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket; raises MonitorError with a sentence."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        reason = str(getattr(error, "strerror", None) or error).partition(" (while")[0]  # cut the address
        raise MonitorError(
            f"monitor: the page cannot use {host}:{port}: {reason}. "
            "Stop what uses it, give another with --monitor HOST:PORT, or leave the page out with --no-monitor."
        ) from None
