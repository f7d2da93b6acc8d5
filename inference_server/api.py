"""What other programs send and get over HTTP, as data; and the OpenAPI document that is made of it.

rest.py and recorder_web.py serve it, guard.py decides who may; INTEROP.md says the same in words. A wish is
read strictly: what is misspelt or of another kind is refused with a sentence, never guessed at.
"""

from collections.abc import Collection
from typing import Annotated, Literal, NamedTuple

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic.json_schema import models_json_schema

from config.contract import EMOTIONS, FLAWS, MAX_NAME, MODES, ORDERS, TUNABLE
from inference_server.events import MAX_MARK
from inference_server.session import versions

MAX_BODY_BYTES = 32 * 1024
JSON, TEXT, FILE = "application/json", "text/plain; charset=utf-8", "application/octet-stream"

Emotion = Literal[EMOTIONS]
Shares = dict[Emotion, Annotated[float, Field(ge=0, le=1)]]


class WishError(ValueError):
    """A wish that cannot be understood; one sentence says what of it."""


# ---- wishes ------------------------------------------------------------------------------------------


class Wish(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Play(Wish):
    """Play a behaviour by its name; a robot says in `behaviors` which it has."""

    what: Literal["play"]
    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


class Steady(Wish):
    """pause: only what is ordered is played. stop: the robot rests within 3 s. resume: it goes on by itself."""

    what: Literal["pause", "resume", "stop"]


def _whole(value: object) -> object:
    """3.0 is an integer too, in JSON."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Attend(Wish):
    """Answer this face; null: whomever the service names first."""

    what: Literal["attend"]
    face: Annotated[int, Field(ge=0, le=2**53), BeforeValidator(_whole)] | None


def _left_out() -> None:
    """The default of what may be left out, so that the schema names none."""


class Some(Wish):
    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    @model_validator(mode="after")
    def _something(self) -> "Some":
        if not self.model_fields_set:
            raise ValueError(f"at least one of {', '.join(TUNABLE)} is needed")
        return self


MoodSettings = create_model(
    "MoodSettings",
    __base__=Some,
    __doc__="What of the mood is to change, at least one of them; seconds, and scores 0..1.",
    **{
        name: (float, Field(default_factory=_left_out, ge=low, le=high))
        for name, (low, high) in TUNABLE.items()
    },
)


class Tune(Wish):
    """Change the mood while it runs."""

    what: Literal["tune"]
    settings: MoodSettings


class OrderWish(RootModel[Annotated[Play | Steady | Attend | Tune, Field(discriminator="what")]]):
    """One order to one robot."""


class MarkWish(Wish):
    """A moment to find again; the text stands in the recording and on the page."""

    text: Annotated[str, Field(max_length=MAX_MARK)] = "mark"


class RecordWish(Wish):
    """What a recording is for; pictures need consent. What is left out is as the settings say."""

    purpose: Annotated[str, Field(default_factory=_left_out, max_length=400)]
    images: Annotated[bool, Field(default_factory=_left_out)]
    consent: Annotated[str, Field(default_factory=_left_out, max_length=1000)]


def understood(wish: type[BaseModel], body: bytes) -> dict:
    """What `body` says, without what was left out. Raises WishError."""
    try:
        return wish.model_validate_json(body).model_dump(exclude_unset=True)
    except ValidationError as error:
        flaw = error.errors()[0]
        place = ".".join(str(part) for part in flaw["loc"]) or "the body"
        raise WishError(f"{place}: {flaw['msg'][0].lower()}{flaw['msg'][1:]}; see /openapi.json.") from None


# ---- answers -----------------------------------------------------------------------------------------


class SeenFace(BaseModel):
    """A face in the newest picture; box_px is [x, y, width, height]."""

    id: int
    box_px: Annotated[list[float], Field(min_length=4, max_length=4)]
    detection: float
    scores: Shares
    quality: list[Literal[FLAWS]]
    unsure: bool


class GivenOrder(BaseModel):
    """An order and what came of it; after_s: how long that took."""

    number: int
    what: Literal[ORDERS]
    name: str | None
    face: int | None
    settings: dict[str, float] | None
    state: Literal["waiting", "done", "refused"]
    why_not: str | None
    after_s: float | None


class RobotState(BaseModel):
    """A robot now; `here` is false for a minute after it has left. Of what it has not told, null."""

    id: str
    name: str
    here: bool
    quiet_s: float
    rate_hz: float
    lost: float
    mode: Literal[MODES] | None
    doing: str | None
    mood: Emotion | None
    trouble: str | None
    width: int
    height: int
    faces: list[SeenFace]
    attended: int | None
    smoothed: Shares | None
    joints_rad: list[float] | None
    answer_age_s: float | None
    timings_ms: dict[str, float]
    battery: float | None
    hottest: tuple[str, float] | None
    naoqi: list[dict[str, float]]
    behaviors: dict[Emotion, list[str]]
    settings: dict[str, float]
    orders: list[GivenOrder]


class Robots(BaseModel):
    robots: list[RobotState]


class Taken(BaseModel):
    """The order is on its way; the robot's state tells under this number what came of it."""

    number: int


class Running(BaseModel):
    """The session that is being recorded: since when (Unix, s), bytes on disk, events missed."""

    name: str
    since_s: float
    bytes: int
    missed: int
    images: bool


class SessionFile(BaseModel):
    """A session that lies on the disk; one that is cut was not closed and can be repaired."""

    name: str
    bytes: int
    state: Literal["running", "whole", "cut"]
    started: str
    purpose: str
    images: str
    model: str


class RecordDefaults(BaseModel):
    purpose: str
    images: bool
    consent: str


class RecordState(BaseModel):
    running: Running | None
    defaults: RecordDefaults
    sessions: list[SessionFile]


# ---- the document ------------------------------------------------------------------------------------


class Operation(NamedTuple):
    """One thing to ask for. path as in OpenAPI; codes: those of its refusals, beside 403."""

    method: str
    path: str
    summary: str
    wish: type[BaseModel] | None = None
    status: int = 200
    answer: type[BaseModel] | str | None = None
    codes: tuple[int, ...] = ()
    steers: bool = False


OPERATIONS = (
    Operation("get", "/robots", "Every robot as it is now", answer=Robots),
    Operation("get", "/robots/{id}", "One robot", answer=RobotState, codes=(404,)),
    Operation(
        "post", "/robots/{id}/orders", "Order something", OrderWish, 202, Taken, (400, 404, 409), steers=True
    ),
    Operation("post", "/markers", "Mark this moment", MarkWish, 204, codes=(400,), steers=True),
    Operation("get", "/record", "What is being recorded, and what was", answer=RecordState),
    Operation("post", "/record/start", "Record", RecordWish, answer=RecordState, codes=(400, 409), steers=True),
    Operation("post", "/record/stop", "End the recording", answer=RecordState, codes=(409,), steers=True),
    Operation("get", "/record/{name}", "A session's MCAP file", answer=FILE, codes=(404,), steers=True),
    Operation("get", "/openapi.json", "This document", answer=dict),
)
REFUSALS = {
    400: "What came cannot be understood; a sentence says why.",
    403: "This key, or no key, may not do that.",
    404: "There is no such thing.",
    409: "It cannot be done now; a sentence says why.",
}
ABOUT = (
    "State and orders of the robots that this service reads for. Beyond loopback every request carries a key, "
    "one of the two that the server prints when it starts: an operator's may all, a viewer's may read what is "
    "live. Refusals are one sentence of plain text. The WebSocket /feed says what happens as it happens."
)


def document(served: Collection[str]) -> dict:
    """The OpenAPI document of those OPERATIONS whose paths are `served`."""
    there = [operation for operation in OPERATIONS if operation.path in served]
    models = {model for o in there for model in (o.wish, o.answer) if _is_model(model)}
    pairs = [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)]
    _, schemas = models_json_schema(pairs, ref_template="#/components/schemas/{model}")
    paths: dict[str, dict] = {}
    for operation in there:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Emotion service",
            "version": versions().get("nao-emotion", "0"),
            "description": ABOUT,
        },
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _described(operation: Operation) -> dict:
    """An Operation as OpenAPI says it."""
    name = operation.path.partition("{")[2].partition("}")[0]
    who = "An operator's key is needed." if operation.steers else "A viewer's key is enough."
    table = {"summary": operation.summary, "description": who}
    if name:
        table["parameters"] = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}}]
    if operation.wish:
        table["requestBody"] = {"required": True, "content": {JSON: {"schema": _schema(operation.wish)}}}
    answer = {"description": operation.summary}
    if operation.answer:
        kind = FILE if operation.answer == FILE else JSON
        answer["content"] = {kind: {"schema": _schema(operation.answer)}}
    table["responses"] = {str(operation.status): answer} | {
        str(code): {"description": REFUSALS[code], "content": {TEXT: {"schema": {"type": "string"}}}}
        for code in sorted({403, *operation.codes})
    }
    return table


def _schema(answer: type[BaseModel] | str) -> dict:
    if _is_model(answer):
        return {"$ref": f"#/components/schemas/{answer.__name__}"}
    return {} if answer == FILE else {"type": "object"}


def _is_model(kind) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
