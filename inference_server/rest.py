"""State and orders for other programs, over HTTP: what the page shows and does, as JSON. See INTEROP.md.

    GET  /robots                 {"robots": [...]}, each as it is now
    GET  /robots/ID              one of them
    POST /robots/ID/orders       {"what": "play", "name": "cheer"} -> {"number"}
    POST /markers                {"text": "stimulus A"}
    GET  /openapi.json           all of it for machines, with /record (recorder_web.py)

Whatever changes something is a POST. Who may do what is decided in guard.py. All of it runs in the monitor's
thread, which the board belongs to, and none of it waits.
"""

import time
from collections.abc import Callable, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inference_server import api
from inference_server.board import Board, Robot, attended
from inference_server.events import Events, marked
from inference_server.session import named, people

DOCUMENT = "/openapi.json"
UNSTEERED = "This page may watch, and change nothing."


def routes(board: Board, events: Events, order: Callable | None, beside: Sequence[Route] = ()) -> list[Route]:
    """For the monitor. order: Server.order, or None where nothing is steered; beside: what else is served."""

    def robots(_request: Request) -> dict:
        now_s = time.monotonic()
        return {"robots": [state(robot, now_s) for robot in board.listed(now_s)]}

    def robot(request: Request) -> dict:
        return state(_found(board, request), time.monotonic())

    def ordered(request: Request, wish: dict) -> dict:
        try:
            return {"number": order(_found(board, request).id, wish.pop("what"), **wish).number}
        except ValueError as error:  # the server's: a sentence
            raise HTTPException(409, str(error)) from None

    def mark(_request: Request, wish: dict) -> None:
        events.publish(marked(wish.get("text", ""), time.monotonic()))

    here = [
        Route("/robots", _told(robots)),
        Route("/robots/{id}", _told(robot)),
        Route("/robots/{id}/orders", _done(ordered, api.OrderWish, 202, order), methods=["POST"]),
        Route("/markers", _done(mark, api.MarkWish, 204, order), methods=["POST"]),
    ]
    document = api.document([DOCUMENT, *(route.path for route in (*here, *beside))])
    return [*here, Route(DOCUMENT, lambda _: JSONResponse(document))]


def state(robot: Robot, now_s: float) -> dict:
    """A robot as api.RobotState has it."""
    frame, reading, about = robot.newest.frame, robot.newest.reading, robot.about
    faces = [face._asdict() | {"scores": named(face.scores)} for face in reading.faces]
    return robot.header(now_s) | {
        "doing": frame.doing,
        "mood": frame.mood,
        "trouble": frame.trouble,
        "width": frame.width,
        "height": frame.height,
        "faces": faces,
        "attended": getattr(attended(robot.newest), "id", None),
        "smoothed": named(frame.smoothed),
        "joints_rad": frame.joints_rad,
        "answer_age_s": frame.answer_age_s,
        "timings_ms": reading.timings_ms,
        "battery": about and about.battery,
        "hottest": about and about.hottest,
        "naoqi": people(about) if about else [],
        "behaviors": about.behaviors if about else {},
        "settings": about.mood if about else {},
        "orders": [{key: row[key] for key in api.GivenOrder.model_fields} for row in robot.orders],
    }


async def wished(request: Request, wish: type) -> dict:
    """What a request's body says. Raises HTTPException with a sentence."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > api.MAX_BODY_BYTES:
            raise HTTPException(400, f"At most {api.MAX_BODY_BYTES} bytes are taken.")
    try:
        return api.understood(wish, body)
    except api.WishError as error:
        raise HTTPException(400, str(error)) from None


def _told(tell: Callable) -> Callable:
    async def told(request: Request) -> Response:
        return JSONResponse(tell(request))

    return told


def _done(do: Callable, wish: type, status: int, steers: Callable | None) -> Callable:
    async def done(request: Request) -> Response:
        if steers is None:
            raise HTTPException(403, UNSTEERED)
        answer = do(request, await wished(request, wish))
        return Response(status_code=status) if answer is None else JSONResponse(answer, status)

    return done


def _found(board: Board, request: Request) -> Robot:
    name = request.path_params["id"]
    if name not in board.robots:
        there = ", ".join(board.robots) or "none"
        raise HTTPException(404, f"There is no robot {name!r}; there are: {there}.")
    return board.robots[name]
