"""A recorded session as a file: which channels an MCAP holds, and its events read back from it.

    /nao-1/image       foxglove.CompressedImage or RawImage: the bytes as they came; only with consent
    /nao-1/faces       where the faces are
    /nao-1/scores      seven probabilities a face, and what makes them doubtful
    /nao-1/mood        what the robot answers to ("" for nothing), and the smoothed scores
    /nao-1/behaviours  what it plays, at each change; "" for nothing
    /nao-1/orders      the operator's: when they were given, when they were done or refused
    /nao-1/health      age of the last answer, the PC's timings, the robot's trouble, battery, hottest motor
    /nao-1/naoqi       what NAOqi itself reads in faces, where the robot was asked to say so (robot.naoqi_faces)
    /nao-1/answer      the headers of the Frame and of the Reading as they crossed the line, and when
    /markers, /log, /recorder   the operator's marks, the server's lines, how many events could not be kept

The messages of one answer follow each other under one sequence number. `answer` is the last; it alone is read
back, with `image`: the others say the same for people and for the programs that draw them. Recorder writes a
session; this file says what goes into it, reads it, also where its end was cut off, and repairs that. It never
changes what a session says.
"""

import base64
import json
import os
import platform
import struct
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import zstandard
from mcap.exceptions import McapError
from mcap.records import Channel, Message, Metadata, Schema
from mcap.stream_reader import StreamReader
from mcap.writer import CompressionType, Writer

from config.contract import (
    EMOTIONS,
    NAOQI_EMOTIONS,
    VERSION,
    About,
    Face,
    Frame,
    Order,
    Reading,
    decode_frame,
    decode_reading,
    encode_frame,
    encode_reading,
)
from inference_server.events import Answered, Event, Marked, Ordered, Said, Settled

ENDING = ".mcap"
CHUNK_BYTES = 64 * 1024
END = b"\x89MCAP0\r\n"  # the last bytes of a file that is whole
LEVELS = {"info": 2, "warning": 3, "error": 4}  # of foxglove.Log
RAW = {"yuv422": "yuyv", "gray8": "mono8"}  # foxglove.RawImage's names
METADATA = "session"

_TIME = {"type": "object", "properties": {"sec": {"type": "integer"}, "nsec": {"type": "integer"}}}
_BYTES = {"type": "string", "contentEncoding": "base64"}


def _table(**types: str | dict) -> dict:
    """A JSON schema of an object; what is not known is left out of a message."""
    properties = {key: {"type": kind} if isinstance(kind, str) else kind for key, kind in types.items()}
    return {"type": "object", "properties": properties}


def _list(of: dict) -> dict:
    return {"type": "array", "items": of}


_SHARES = dict.fromkeys(EMOTIONS, "number")
_FACE = _table(id="integer", box_px=_list({"type": "number"}), detection="number")
_SCORES = _table(id="integer", **_SHARES, quality=_list({"type": "string"}), unsure="boolean")
_PERSON = _table(id="integer", **dict.fromkeys(NAOQI_EMOTIONS, "number"))
_PICTURE = {"timestamp": _TIME, "frame_id": "string", "data": _BYTES}
_ORDER = _table(
    how="string",  # ordered, done or refused
    why_not="string",
    at_s="number",
    what="string",
    number="integer",
    name="string",
    face="integer",
    settings={"type": "object"},
)
_RAW = {"width": "integer", "height": "integer", "encoding": "string", "step": "integer"}

# schema: what its messages hold. at_s and came_s are by the PC's monotonic clock, taken_s by the robot's.
SCHEMAS = {
    "foxglove.CompressedImage": _table(**_PICTURE, format="string"),
    "foxglove.RawImage": _table(**_PICTURE, **_RAW),
    "nao.Faces": _table(width="integer", height="integer", faces=_list(_FACE)),
    "nao.Scores": _table(faces=_list(_SCORES)),
    "nao.Mood": _table(emotion="string", smoothed=_table(**_SHARES)),
    "nao.Behaviour": _table(name="string"),
    "nao.Order": _ORDER,
    "nao.Health": _table(
        answer_age_s="number",
        timings_ms={"type": "object"},
        trouble="string",
        mode="string",
        battery="number",
        hottest_celsius="number",
    ),
    "nao.Naoqi": _table(people=_list(_PERSON)),
    "nao.Answer": _table(
        at_s="number", came_s="number", nth="integer", frame={"type": "object"}, reading={"type": "object"}
    ),
    "nao.Marker": _table(text="string", at_s="number"),
    "foxglove.Log": _table(timestamp=_TIME, level="integer", message="string", name="string", at_s="number"),
    "nao.Recorder": _table(missed="integer"),
}


class SessionError(ValueError):
    """The file cannot be used as a session; one sentence says why and what to do."""


class Listed(NamedTuple):
    """A session in a folder. state: whole, or cut (its end is missing: being written, or to be repaired)."""

    name: str
    bytes: int
    about: dict[str, str]
    state: str


class Line(NamedTuple):
    """One message to write: its topic, schema, JSON object and time."""

    topic: str
    schema: str
    body: dict
    at_ns: int


# ---- events to messages ------------------------------------------------------------------------------


class Telling:
    """Turns events into messages; remembers of each robot what it played, to tell changes.

    images      whether pictures are told
    unix_ns     the time of day at `start_s`, by time.monotonic()
    """

    def __init__(self, images: bool, unix_ns: int, start_s: float):
        self._images = images
        self._unix_ns, self._start_s = unix_ns, start_s
        self._doing: dict[str, str] = {}

    def messages(self, event: Event) -> list[Line]:
        """All there is to write of one event, in order."""
        at_ns = self.at_ns(event.at_s)
        if isinstance(event, Answered):
            return list(self._of_answer(event, at_ns))
        if isinstance(event, Ordered | Settled):
            return [Line(f"/{event.robot_id}/orders", "nao.Order", _order(event), at_ns)]
        if isinstance(event, Marked):
            return [Line("/markers", "nao.Marker", event._asdict(), at_ns)]
        if isinstance(event, Said):
            body = {"level": LEVELS[event.level], "message": event.text, "name": "server", "at_s": event.at_s}
            return [Line("/log", "foxglove.Log", {"timestamp": _time(at_ns), **body}, at_ns)]
        return []

    def at_ns(self, at_s: float) -> int:
        """The time of day of a time.monotonic()."""
        return self._unix_ns + round((at_s - self._start_s) * 1e9)

    def _of_answer(self, event: Answered, at_ns: int) -> Iterator[Line]:
        frame, reading, robot = event.frame, event.reading, f"/{event.robot_id}"
        if self._images:
            yield _image(frame, robot, at_ns)
        faces = [{"id": f.id, "box_px": list(f.box_px), "detection": f.detection} for f in reading.faces]
        body = {"width": frame.width, "height": frame.height, "faces": faces}
        yield Line(f"{robot}/faces", "nao.Faces", body, at_ns)
        yield Line(f"{robot}/scores", "nao.Scores", {"faces": [_scores(f) for f in reading.faces]}, at_ns)
        mood = {"emotion": frame.mood or "", "smoothed": named(frame.smoothed)}
        yield Line(f"{robot}/mood", "nao.Mood", _known(mood), at_ns)
        if self._doing.get(robot) != (frame.doing or ""):
            self._doing[robot] = frame.doing or ""
            yield Line(f"{robot}/behaviours", "nao.Behaviour", {"name": frame.doing or ""}, at_ns)
        yield Line(f"{robot}/health", "nao.Health", _health(frame, reading), at_ns)
        if frame.about and frame.about.naoqi:
            yield Line(f"{robot}/naoqi", "nao.Naoqi", {"people": people(frame.about)}, at_ns)
        yield Line(f"{robot}/answer", "nao.Answer", _answer(event), at_ns)


def _scores(face: Face) -> dict:
    return {"id": face.id} | named(face.scores) | {"quality": list(face.quality), "unsure": face.unsure}


def _order(event: Ordered | Settled) -> dict:
    why_not = getattr(event, "why_not", None)
    how = "ordered" if isinstance(event, Ordered) else "refused" if why_not else "done"
    return _known(event.order._asdict() | {"how": how, "why_not": why_not, "at_s": event.at_s})


def named(shares) -> dict | None:
    """Seven scores by their emotions; None stays None."""
    return shares and dict(zip(EMOTIONS, shares, strict=True))


def people(about: About) -> list[dict]:
    """What NAOqi reads in faces, each of its shares by its name."""
    rows = about.naoqi or []
    return [{"id": person} | dict(zip(NAOQI_EMOTIONS, shares, strict=True)) for person, shares in rows]


def _health(frame: Frame, reading: Reading) -> dict:
    body = {"answer_age_s": frame.answer_age_s, "timings_ms": reading.timings_ms}
    body |= {"trouble": frame.trouble, "mode": frame.mode}
    if frame.about:
        body |= {
            "battery": frame.about.battery,
            "hottest_celsius": frame.about.hottest and frame.about.hottest[1],
        }
    return _known(body)


def _answer(event: Answered) -> dict:
    """Both headers as they crossed the line, by the contract's own hand."""
    frame, reading = encode_frame(event.frame)[1], encode_reading(event.reading)[1]
    body = {"at_s": event.at_s, "came_s": event.came_s, "nth": event.nth}
    return body | {"frame": json.loads(frame), "reading": json.loads(reading)}


def _image(frame: Frame, robot: str, at_ns: int) -> Line:
    data = base64.b64encode(frame.image).decode("ascii")
    body = {"timestamp": _time(at_ns), "frame_id": robot[1:], "data": data}
    if frame.encoding == "jpeg":
        return Line(f"{robot}/image", "foxglove.CompressedImage", body | {"format": "jpeg"}, at_ns)
    step = len(frame.image) // frame.height
    shape = {"width": frame.width, "height": frame.height, "encoding": RAW[frame.encoding], "step": step}
    return Line(f"{robot}/image", "foxglove.RawImage", body | shape, at_ns)


def _time(at_ns: int) -> dict:
    return {"sec": at_ns // 10**9, "nsec": at_ns % 10**9}


def _known(body: dict) -> dict:
    return {key: value for key, value in body.items() if value is not None}


# ---- messages to events ------------------------------------------------------------------------------


def is_session(path: Path) -> bool:
    return path.suffix.lower() == ENDING


def about(path: Path) -> dict[str, str]:
    """What the session says of itself: started, purpose, consent, images, config, versions, model, sha256.

    Raises SessionError.
    """
    for record in _records(path):
        if isinstance(record, Metadata) and record.name == METADATA:
            return record.metadata
        if isinstance(record, Message):
            break
    raise SessionError(f"{path} is no session that `serve` has recorded: it does not say what it is.")


def events(path: Path) -> Iterator[Event]:
    """The session's events in their order; an image that was not recorded is b"". Raises SessionError."""
    images: dict[str, bytes] = {}  # by robot: of the answer that comes next
    for robot, channel, body in _messages(path):
        if channel == "image":
            images[robot] = base64.b64decode(body["data"])
        elif channel == "answer":
            yield _answered(robot, body, images.pop(robot, b""))
        elif channel == "orders":
            order = Order(*(body.get(key) for key in Order._fields))
            at = (body["at_s"],) if body["how"] == "ordered" else (body.get("why_not"), body["at_s"])
            yield (Ordered if body["how"] == "ordered" else Settled)(robot, order, *at)
        elif channel == "markers":
            yield Marked(body["text"], body["at_s"])
        elif channel == "log":
            level = next(name for name, number in LEVELS.items() if number == body["level"])
            yield Said(level, body["message"], body["at_s"])


def missed(path: Path) -> int:
    """How many events the recorder could not keep."""
    return max((body["missed"] for _, channel, body in _messages(path) if channel == "recorder"), default=0)


def _messages(path: Path) -> Iterator[tuple[str, str, dict]]:
    """Robot ("" for the session's own), channel and body of each message."""
    topics: dict[int, list[str]] = {}
    for record in _records(path):
        if isinstance(record, Channel):
            topics[record.id] = record.topic.removeprefix("/").rpartition("/")
        elif isinstance(record, Message) and record.channel_id in topics:
            robot, _, channel = topics[record.channel_id]
            yield robot, channel, json.loads(record.data)


def _answered(robot: str, body: dict, image: bytes) -> Answered:
    """Raises ContractError where the headers break the contract."""
    encoding = body["frame"]["encoding"]
    if not image:
        body["frame"]["encoding"] = "jpeg"  # of a raw picture the contract wants all bytes
    frame = decode_frame([VERSION, json.dumps(body["frame"]).encode(), image])._replace(encoding=encoding)
    reading = decode_reading([VERSION, json.dumps(body["reading"]).encode()])
    picture = image if encoding == "jpeg" else b""
    return Answered(robot, frame, reading, body["at_s"], picture, body["came_s"], body["nth"])


def _records(path: Path) -> Iterator:
    """Schemas, channels, metadata and messages, up to where the file ends or breaks."""
    begun = False
    try:
        with path.open("rb") as file:
            for record in StreamReader(file, record_size_limit=1 << 28).records:
                begun = True
                yield record
    except (McapError, struct.error, zstandard.ZstdError, ValueError) as error:
        if not begun:
            raise SessionError(f"{path} is no MCAP file ({error}).") from None
    except OSError as error:
        raise SessionError(f"{path}: {error.strerror or error}.") from None


def versions() -> dict[str, str]:
    """Of the programs that a reading depends on."""
    readers = ("onnxruntime", "openvino", "numpy", "opencv-python-headless", "simplejpeg")
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in ("nao-emotion", *readers, "mcap"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


# ---- files -------------------------------------------------------------------------------------------


def new_writer(file) -> Writer:
    """An MCAP writer into `file`, started."""
    writer = Writer(file, CHUNK_BYTES, CompressionType.ZSTD)
    writer.start(library="nao-emotion")
    return writer


def is_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(END)))
        return path.stat().st_size > len(END) and file.read() == END


def listed(folder: Path) -> list[Listed]:
    """The sessions of a folder, the newest first; a file that is none is passed over."""
    sessions = []
    for path in sorted(folder.glob(f"*{ENDING}"), reverse=True):
        try:
            said = about(path)
            sessions.append(Listed(path.name, path.stat().st_size, said, "whole" if is_whole(path) else "cut"))
        except (SessionError, OSError):
            continue
    return sessions


def repair(path: Path) -> int:
    """Give a session whose end is missing an end and an index, keeping all that can be read; its messages.

    It is written beside the old one and takes its place in one step. Raises SessionError, OSError.
    """
    part = path.with_name(path.name + ".part")
    schemas, channels, count = {0: 0}, {}, 0
    try:
        with part.open("wb") as file:
            writer = new_writer(file)
            for record in _records(path):
                if isinstance(record, Metadata):
                    writer.add_metadata(record.name, record.metadata)
                elif isinstance(record, Schema) and record.id not in schemas:
                    schemas[record.id] = writer.register_schema(record.name, record.encoding, record.data)
                elif isinstance(record, Channel) and record.id not in channels:
                    how = (record.topic, record.message_encoding, schemas[record.schema_id], record.metadata)
                    channels[record.id] = writer.register_channel(*how)
                elif isinstance(record, Message):
                    body = (record.log_time, record.data, record.publish_time, record.sequence)
                    writer.add_message(channels[record.channel_id], *body)
                    count += 1
            writer.finish()
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return count
