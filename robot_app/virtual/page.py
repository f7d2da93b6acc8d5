"""The virtual NAO's own page: its body in 3D, what it says, sees and is told, and buttons for what befalls it.

It shows and asks; what happens is decided by the service VirtualNAO (faults.py) and by the camera. The robot is
the same without it.

Wire
  GET   / and its files, /body.js, /body.json (behaviors/shapes.py), /camera.jpg: what the robot sees now
  POST  /camera: the bytes of a film or photo, ?name= its file's name; it becomes what the robot sees
  /live down: {"state": state.py's, "diary": [new lines], "refused": a sentence or null, ...} up to RATE_HZ
        up: {"seen": true} for each, {"do": a method of VirtualNAO, "with": [arguments]},
        {"look": "webcam" | a path | ...}, {"aloud": true | false}
Safety
  It listens on this machine alone, for it has buttons and no key. Host and Origin are checked, so no other web
  page can press them; no GET changes anything; nothing is loaded from elsewhere.
"""

import asyncio
import contextlib
import ipaddress
import json
import re
import shutil
import socket
import tempfile
import threading
from pathlib import Path

import cv2
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from behaviors import shapes

from .aloud import Aloud
from .faults import Outside
from .nao import NaoError, VirtualNAO
from .pictures import SourceError, open_source
from .state import state

WEB = Path(__file__).with_name("web")
ADDRESS = "127.0.0.1:8090"
RATE_HZ = 25
HEARTBEAT_S = 1.0  # a page hears something at least this often
MAX_UNSEEN = 2  # messages on their way to one page
MAX_LINES = 300  # of the diary, in one message
MAX_FILM_BYTES = 2_000_000_000
JPEG_QUALITY = 85
START_S, STOP_S = 10.0, 1.5
SUFFIX = re.compile(r"\.\w{1,5}$", re.ASCII)

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
HEADERS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


class PageError(ValueError):
    """The page cannot be served; the text is a sentence for a person."""


class Page:
    """The page of `nao` at `address`, HOST:PORT (port 0 takes a free one), served by a thread until `close`.

    camera   what the robot sees, in words, as --camera was given
    Raises PageError.
    """

    def __init__(self, nao: VirtualNAO, address: str = ADDRESS, camera: str = ""):
        self._nao = nao
        self._camera = camera
        listener = _listen(address)
        host, port = listener.getsockname()[:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        self._folder = Path(tempfile.mkdtemp(prefix="virtual-nao-"))
        self._film = None  # the folder in it of the film that was dropped and is seen
        self._aloud = Aloud(nao)
        self._looking = asyncio.Lock()
        config = uvicorn.Config(
            self._app(),
            log_config=None,
            access_log=False,
            ws_max_size=4096,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
        )
        self._uvicorn = uvicorn.Server(config)
        self._started = threading.Event()
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs={"sockets": [listener]}, name="page", daemon=True
        )
        self._thread.start()
        if not self._started.wait(START_S):
            raise PageError(f"the page at {self.url} did not start within {START_S:g} s.")

    def close(self) -> None:
        """Stop serving; open pages say that the robot is gone."""
        self._uvicorn.should_exit = True
        self._thread.join(STOP_S)
        self._aloud.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def close_all(self) -> None:
        """Stop serving, and the robot with it."""
        self.close()
        self._nao.close()

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                WebSocketRoute("/live", self._live),
                Route("/camera.jpg", self._picture),
                Route("/camera", self._dropped, methods=["POST"]),
                Route("/body.js", lambda _: FileResponse(shapes.WEB / "body.js")),
                Route("/body.json", lambda _: JSONResponse(shapes.table())),
                Mount("/", StaticFiles(directory=WEB, html=True)),
            ],
            middleware=[
                Middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK), www_redirect=False),
                Middleware(Guard),
            ],
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette):
        self._started.set()
        yield

    def _picture(self, _request: Request) -> Response:
        """What the camera sees now; in a thread of its own, for it takes some milliseconds."""
        seen = self._nao["ALVideoDevice"].seen()
        _, jpeg = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        return Response(jpeg.tobytes(), media_type="image/jpeg", headers={"cache-control": "no-store"})

    async def _dropped(self, request: Request) -> Response:
        """A film or a photo from the person's own disk."""
        name = request.query_params.get("name", "")
        suffix = SUFFIX.search(name)
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        path = folder / f"dropped{suffix[0] if suffix else ''}"
        refused = await _save(request, path) or await self._look(str(path), name or "a dropped film", folder)
        if refused is None:
            return Response(status_code=204)
        shutil.rmtree(folder, ignore_errors=True)
        return PlainTextResponse(refused.replace(str(path), name or "it"), 422)

    async def _look(self, spec: str, shown: str, folder: Path | None = None) -> str | None:
        """Have the camera see what `spec` names (a file in `folder`, if that is ours); why not, or None."""
        async with self._looking:
            try:
                source = await asyncio.to_thread(open_source, spec)
            except SourceError as error:
                return str(error)
            await asyncio.to_thread(self._nao["ALVideoDevice"].show, source)
            if self._film is not None:
                shutil.rmtree(self._film, ignore_errors=True)
            self._camera, self._film = shown, folder
        return None

    async def _live(self, socket: WebSocket) -> None:
        """One page, from its opening to its end."""
        await socket.accept()
        viewer = Viewer()
        sending = asyncio.create_task(self._send(socket, viewer))
        try:
            while (heard := await socket.receive())["type"] == "websocket.receive":
                await self._hear(viewer, heard.get("text") or "")
        finally:
            sending.cancel()

    async def _send(self, socket: WebSocket, viewer: "Viewer") -> None:
        """What is new, as fast as the page paints it; something now and then where nothing is."""
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await viewer.room.acquire()
                message = await self._news(viewer)
                await socket.send_text(json.dumps(message, separators=(",", ":")))

    async def _news(self, viewer: "Viewer") -> dict:
        """The next message; waits while there is nothing new, at most HEARTBEAT_S."""
        for _ in range(int(HEARTBEAT_S * RATE_HZ)):
            await asyncio.sleep(1 / RATE_HZ)
            lines = self._nao.diary.after(viewer.line, MAX_LINES)
            now = {
                "state": state(self._nao),
                "refused": viewer.refused,
                "camera": self._camera,
                "aloud": self._aloud.on if self._aloud.possible else None,
            }
            if lines or _apart_from_time(now) != _apart_from_time(viewer.sent):
                break
        viewer.line = lines[-1] if lines else viewer.line
        viewer.sent = now
        return now | {"diary": lines}

    async def _hear(self, viewer: "Viewer", text: str) -> None:
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
        if isinstance(said.get("aloud"), bool):
            self._aloud.on = said["aloud"]
        if isinstance(said.get("look"), str):
            viewer.refused = await self._look(said["look"].strip(), said["look"].strip())
        if isinstance(said.get("do"), str):
            viewer.refused = self._befall(said["do"], said.get("with"))

    def _befall(self, what: str, arguments) -> str | None:
        """A method of the service VirtualNAO; why not, or None."""
        try:
            self._nao.call(Outside.name, what, arguments if isinstance(arguments, list) else [])
        except NaoError as error:
            return str(error).rpartition("\t")[2]
        return None


async def _save(request: Request, path: Path) -> str | None:
    """Write the body of a request to a file; why not, or None."""
    size = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_FILM_BYTES:
                return f"camera: more than {MAX_FILM_BYTES // 10**6} MB are not taken here; give a path."
            file.write(chunk)
    return None


class Viewer:
    """One open page: what it was told, and how much more it can take."""

    def __init__(self):
        self.room = asyncio.BoundedSemaphore(MAX_UNSEEN)
        self.sent = None
        self.line = None  # of the diary
        self.refused = None


def _apart_from_time(message: dict | None) -> dict | None:
    return message and {**message, "state": {**message["state"], "at_s": 0}}


class Guard:
    """ASGI middleware: our own Origin for the WebSocket and for all that changes something; safe headers."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        async def send_with_headers(message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["type"] in ("http", "websocket") and not _is_welcome(HTTPConnection(scope)):
            refusal = PlainTextResponse("Only the virtual NAO's own page may do this.", 403)
            await refusal(scope, receive, send_with_headers)
        else:
            await self.app(scope, receive, send_with_headers)


def _is_welcome(asked: HTTPConnection) -> bool:
    reads = asked.scope["type"] == "http" and asked.scope["method"] in ("GET", "HEAD")
    return reads or asked.headers.get("origin") == f"http://{asked.headers.get('host', '')}"


def _listen(address: str) -> socket.socket:
    """A bound socket on this machine alone; raises PageError with a sentence."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if not port.isdigit() or not _is_loopback(host):
        raise PageError(
            f"the page needs HOST:PORT on this machine, as in {ADDRESS}; {address} came. It has buttons and no "
            "key, so no other machine can open it; from there, use ssh -L 8090:127.0.0.1:8090."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family)
    except (OSError, OverflowError) as error:
        reason = str(getattr(error, "strerror", None) or error).partition(" (while")[0]  # cut the address
        raise PageError(
            f"the page cannot use {address}: {reason}. Stop what uses it, or give another with --view."
        ) from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
