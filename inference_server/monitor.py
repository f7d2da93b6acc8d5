"""The page to watch and steer: the newest picture with its faces, scores, history, log, the operator's desk.

It listens to the events and shows them to browsers, and hands what an operator wants to the server; it never
speaks to a robot itself, and keeps no picture but the newest of each.

Design
  The board (board.py) makes the messages. A page says when it has painted one; with MAX_UNSEEN of them
  unpainted it is sent nothing, so a slow page sees fewer pictures and delays nobody.
Threads
  uvicorn and all of this file run in one thread of their own. Publishers only set a flag.
Wire
  Down: the board's messages. Up: {"seen": true} for each of them, {"watch": robot id} to look at another robot,
  {"mark": text} to mark a moment, {"order": {"robot": id, "what": ...}} with an Order's name, face, settings.
  Other programs have /feed (feed.py), /robots and /markers (rest.py); /live is the page's alone.
Safety
  It listens on this machine alone unless told otherwise; then a key is needed, made anew at each start.
  Host and Origin are checked, so no other web page can read along or steer (guard.py).
"""

import asyncio
import contextlib
import ipaddress
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from behaviors import shapes
from inference_server import rest
from inference_server.board import Board, View
from inference_server.events import Events, marked, waking
from inference_server.feed import Feed
from inference_server.guard import STEER, WATCH, Guard

WEB = Path(__file__).with_name("web")
HEARTBEAT_S = 1.0  # a page hears something at least this often, so that it notices a dead line
MAX_UNSEEN = 2  # messages on their way to one page
MAX_VIEWERS = 32
MAX_CONNECTIONS = 128  # of all pages together
START_S = 10.0  # longest wait for uvicorn
STOP_S = 2.0

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
ANYWHERE = ("0.0.0.0", "::", "")
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

    view: View
    news: asyncio.Event = field(default_factory=asyncio.Event)
    room: asyncio.BoundedSemaphore = field(default_factory=lambda: asyncio.BoundedSemaphore(MAX_UNSEEN))


class Monitor:
    """The page, served from a thread of its own until close().

        with Monitor(events, about={"model": "xrs-fer2013", "runtime": "ONNX Runtime"}) as monitor:
            print(monitor.url)

    `about` is shown as it stands, label and text; its "listen" is the server's own address. `music` is a Music,
    where the page is to play songs. `routes` are served beside the page, behind the same guard. `order` is
    Server.order; without it the page only watches. Port 0 takes any free one. Raises MonitorError where it
    cannot listen.
    """

    def __init__(
        self,
        events: Events,
        host: str = "127.0.0.1",
        port: int = 8080,
        about: dict | None = None,
        music: Music | None = None,
        routes: Sequence[Route] = (),
        order: Callable | None = None,
    ):
        self._events = events
        self._routes = routes
        self._order = order
        self._music = music
        words = {label: str(text) for label, text in (about or {}).items()}
        self._board = Board(words, music and music.for_page())
        self._viewers: set[Viewer] = set()
        right_of = {secrets.token_urlsafe(16): right for right in (STEER, WATCH)}
        self._keys = None if _is_loopback(host) else right_of
        listener = _listen(host, port)
        shown = "localhost" if host in ANYWHERE else f"[{host}]" if ":" in host else host
        home = f"http://{shown}:{listener.getsockname()[1]}/"
        self.url, self.url_to_watch = (home + (f"?key={key}" if self._keys else "") for key in right_of)
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                self._app(host),
                log_config=None,
                access_log=False,
                ws_max_size=1024,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=1,
                limit_concurrency=MAX_CONNECTIONS,
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
        app = Starlette(
            routes=[
                WebSocketRoute("/live", self._live),
                WebSocketRoute("/feed", Feed(self._events).serve),
                Route("/songs/{emotion}/{turn:int}", self._song),
                Route("/body.js", lambda _: FileResponse(shapes.WEB / "body.js")),
                Route("/body.json", lambda _: JSONResponse(shapes.table())),
                *rest.routes(self._board, self._events, self._order, self._routes),
                *self._routes,
            ],
            middleware=[
                Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False),
                Middleware(Guard, keys=self._keys),
            ],
            lifespan=self._lifespan,
        )
        app.router.default = StaticFiles(directory=WEB, html=True)
        return app

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette):
        pump = asyncio.create_task(self._pump())
        yield
        pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pump

    async def _pump(self) -> None:
        """Bring events to the board, and wake the viewers."""
        news = asyncio.Event()
        watching = self._events.subscribe(waking(news))
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
        viewer = Viewer(View(may_steer=self._order is not None and socket.scope["right"] == STEER))
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
        if "order" in said or "mark" in said:
            refusal = self._do(said) if viewer.view.may_steer else "This page may watch, and change nothing."
            if refusal:
                viewer.view.told.append(refusal)
                viewer.news.set()

    def _do(self, said: dict) -> str | None:
        """Do what an operator wants; None, or a sentence that says why not."""
        if isinstance(said.get("mark"), str):
            self._events.publish(marked(said["mark"], time.monotonic()))
        if not isinstance(said.get("order"), dict):
            return None
        wish = {key: said["order"].get(key) for key in ("name", "face", "settings")}
        try:
            self._order(said["order"].get("robot"), said["order"].get("what"), **wish)
        except ValueError as error:  # the server's: a sentence
            return str(error)
        return None


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
