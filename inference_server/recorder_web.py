"""The recorder for the page: what runs and what is there, start, stop, and a session to take home.

    GET  /record          {"running", "defaults", "sessions"}
    POST /record/start    {"purpose", "images", "consent"} -> the same as GET
    POST /record/stop     -> the same as GET
    GET  /record/NAME     the file

Who may do what is decided in guard.py. The page never names a path: sessions go by their names.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from inference_server.api import RecordWish
from inference_server.recorder import Recorder, RecordError
from inference_server.rest import wished

SHOWN = ("started", "purpose", "images", "model")  # of what a session says of itself


def routes(recorder: Recorder, defaults: dict) -> list[Route]:
    """For the monitor. defaults: purpose, images and consent of the settings, to begin with."""

    def state() -> dict:
        running = recorder.state()
        sessions = [
            {"name": s.name, "bytes": s.bytes, "state": s.state} | {key: s.about.get(key, "") for key in SHOWN}
            for s in recorder.sessions()
        ]
        return {"running": running and running._asdict(), "defaults": defaults, "sessions": sessions}

    def begin(wish: dict) -> dict:
        recorder.start(**defaults | wish)
        return state()

    def end() -> dict:
        recorder.stop()
        return state()

    async def look(_request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(state))

    async def start(request: Request) -> Response:
        return await _do(begin, await wished(request, RecordWish))

    async def stop(_request: Request) -> Response:
        return await _do(end)

    async def give(request: Request) -> Response:
        path = await run_in_threadpool(recorder.path, request.path_params["name"])
        if path is None:
            return PlainTextResponse("There is no such session.", 404)
        return FileResponse(path, media_type="application/octet-stream", filename=path.name)

    return [
        Route("/record", look),
        Route("/record/start", start, methods=["POST"]),
        Route("/record/stop", stop, methods=["POST"]),
        Route("/record/{name}", give),
    ]


async def _do(what, *args) -> Response:
    try:
        return JSONResponse(await run_in_threadpool(what, *args))
    except RecordError as error:
        return PlainTextResponse(str(error), 409)
