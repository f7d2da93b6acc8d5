# -*- coding: utf-8 -*-
"""The contract between robot and PC: one Frame up, one Reading down, and the bytes of both.

This file turns values into message parts and parts into values, under limits, and does nothing else:
no sockets, no clocks, no logging. It is valid Python 2.7 and 3 and needs the standard library alone,
because both ends run this very file. CONTRACT.md is the same in one page of words.

    Frame    robot -> PC   [version, header, image]
    Reading  PC -> robot   [version, header]

Whoever receives a part it cannot accept raises a ContractError with one of CODES and a sentence.
"""

from __future__ import division, print_function

import json
import re
from collections import namedtuple

VERSION = b"emotion/1"

# The order of paper 000, where they are numbered 1 to 7. Every list of seven scores follows it.
EMOTIONS = ("happy", "angry", "disgusted", "fearful", "sad", "surprised", "neutral")

# What NAOqi's own estimate (ALFaceCharacteristics) tells apart, in its order.
NAOQI_EMOTIONS = ("neutral", "happy", "surprised", "angry", "sad")

ENCODINGS = ("jpeg", "yuv422", "gray8")
BYTES_A_PIXEL = {"yuv422": 2, "gray8": 1}  # yuv422 is NAO's kYUV422: Y0 U Y1 V, 0..255

MAX_WIDTH_PX = 1280
MAX_HEIGHT_PX = 960
MAX_IMAGE_BYTES = 1000 * 1000  # a VGA yuv422 frame is 614,400
MAX_FRAME_HEADER_BYTES = 16 * 1024
MAX_READING_HEADER_BYTES = 32 * 1024
MAX_FACES = 32
MAX_ORDERS = 8
MAX_PEOPLE = 8  # of whom NAOqi says something
MAX_BEHAVIORS = 100  # that a robot names
MAX_NAME = 64  # characters of a robot's, behaviour's or model's name
MAX_REFUSAL = 160  # characters of why an order was not done
JOINTS = 26  # of a NAO's body; behaviors/joints.py has their names and their order
MOST_RAD = 7.0  # of any of them
MAX_DEPTH = 8  # of lists and objects in a header
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')  # in JSON

# What a Reading can say instead of faces. The text beside the code is one sentence for a person.
CODES = {
    "wrong_version": "the two ends speak different versions of the contract",
    "bad_header": "the header is not the JSON object that the contract describes",
    "bad_image": "the image bytes are not what the header says",
    "too_large": "the header, the image or its size in pixels is above the limit",
    "not_ready": "the PC has no answer yet",
    "internal": "the PC failed while reading this frame; the next one may be fine",
}


class ContractError(ValueError):
    """A message that breaks the contract: `code` is one of CODES, the text says what came."""

    def __init__(self, code, text):
        ValueError.__init__(self, text)
        self.code = code
        self.text = text


# One camera picture on its way to the PC.
#   seq       int >= 0, rises by one with every frame of a connection
#   taken_s   float, when it was taken, by the robot's own monotonic clock; the PC only sends it back
#   width, height   px
#   encoding  one of ENCODINGS
#   robot     its name, for people to read; never used to tell robots apart
#   doing     the behaviour that is playing now, or None
#   mood      the emotion the robot is answering to now, or None
#   answer_age_s   how old the last Reading was when it came, by the robot's clock, or None
#   image     bytes
# None, and left out, where there is nothing to say:
#   trouble   why the robot does not move as it would (it has fallen, its motors are hot), a sentence
#   mode      one of MODES
#   attends   id of the face that the mood is of
#   smoothed  that face's seven scores after smoothing, in the order of EMOTIONS
#   done      list of (number, None or why not): the last orders that this robot has had, the newest last
#   about     an About, about once a second
#   joints_rad  where its joints were a moment ago, rad (hands 0..1), in the order of ALMotion's "Body"
Frame = namedtuple(
    "Frame",
    "seq taken_s width height encoding robot doing mood answer_age_s image "
    "trouble mode attends smoothed done about joints_rad",
)
Frame.__new__.__defaults__ = (None,) * 7
SELDOM = Frame._fields[-7:]  # those that may be left out

# What a robot tells of itself now and then.
#   behaviors  {emotion: [name, ...]} of what it can play, at most MAX_BEHAVIORS
#   mood       {setting: number} of its mood, by the names in TUNABLE
#   battery    charge 0..1, or None
#   hottest    (joint, degrees Celsius) of its warmest motor, or None
#   naoqi      list of (NAOqi's id of a person, five shares in the order of NAOQI_EMOTIONS): what NAOqi itself
#              read in faces since the last About; None, and left out, where it was not asked or said nothing
About = namedtuple("About", "behaviors mood battery hottest naoqi")
About.__new__.__defaults__ = (None,)

# One face: id (int, the same while it stays in view), box_px [x, y, width, height] in the frame's
# pixels (may reach over its rim), detection 0..1, scores: seven probabilities in the order of EMOTIONS.
#   quality   tuple of FLAWS: what about its picture makes the scores doubtful
#   unsure    whether the scores are not to be acted on: none is high enough, or the picture is flawed
Face = namedtuple("Face", "id box_px detection scores quality unsure")
Face.__new__.__defaults__ = ((), False)

# An operator's wish, one of ORDERS. Its number tells it from every other: it comes with each Reading until the
# robot has said that it had it, and is done once.
#   name      of the behaviour, for "play"
#   face      id, for "attend"; None: whomever the PC names first
#   settings  {setting: number} of the mood, for "tune"
Order = namedtuple("Order", "what number name face settings")
Order.__new__.__defaults__ = (None,) * 3

# The PC's answer to one Frame, with its seq and taken_s sent back.
#   faces       list of Face, the one to attend to first, then by size
#   orders      list of Order, the oldest first
#   timings_ms  {step: milliseconds} of the PC's work on this frame
#   model       name of the network that gave the scores
#   error       None, or (code, text)
Reading = namedtuple("Reading", "seq taken_s faces orders timings_ms model error")

ORDERS = ("play", "pause", "resume", "stop", "attend", "tune")
MODES = ("paused", "stopped")  # plays what is ordered alone; rests until it is told to go on
FLAWS = ("dark", "small", "profile", "blurred")

CALMING = ("stop", "pause")  # orders that are right however late they come

# What of the mood may be changed while it runs: lowest and highest value. See behaviors/mood.py.
TUNABLE = {"smooth_s": (0, 10), "enter": (0, 1), "leave": (0, 1), "dwell_s": (0, 10), "absent_s": (0, 60)}

TEXT = type(b"".decode("ascii"))  # what JSON's texts become: unicode in Python 2.7, str in 3
WHOLE = (int, type(2**53))  # int and long in a 32-bit Python 2.7


def encode_frame(frame):
    """A Frame as its three message parts."""
    header = frame._asdict()
    image = header.pop("image")
    if frame.about is not None:
        header["about"] = _about_header(frame.about)
    if frame.smoothed is not None:
        header["smoothed"] = [_rounded(v, 3) for v in frame.smoothed]
    if frame.joints_rad is not None:
        header["joints_rad"] = [_rounded(v, 3) for v in frame.joints_rad]
    _leave_out(header, SELDOM, None)
    parts = [VERSION, _to_json(header), bytes(image)]
    decode_frame(parts)  # nothing leaves this end that the other end would refuse
    return parts


def decode_frame(parts):
    """Three message parts as a Frame; raises ContractError."""
    header = _open(parts, 3, MAX_FRAME_HEADER_BYTES)
    image = parts[2]
    width = _integer(header, "width", 1, MAX_WIDTH_PX)
    height = _integer(header, "height", 1, MAX_HEIGHT_PX)
    encoding = _one_of(header, "encoding", ENCODINGS)
    if len(image) > MAX_IMAGE_BYTES:
        raise ContractError(
            "too_large", "the image has %d bytes; at most %d are taken." % (len(image), MAX_IMAGE_BYTES)
        )
    if encoding in BYTES_A_PIXEL:
        needed = width * height * BYTES_A_PIXEL[encoding]
        if len(image) != needed:
            raise ContractError(
                "bad_image",
                "%d x %d px in %s take %d bytes; %d came." % (width, height, encoding, needed, len(image)),
            )
    return Frame(
        seq=_integer(header, "seq", 0, 2**53),
        taken_s=_number(header, "taken_s"),
        width=width,
        height=height,
        encoding=encoding,
        robot=_name(header, "robot") or "",
        doing=_name(header, "doing"),
        mood=None if header.get("mood") is None else _one_of(header, "mood", EMOTIONS),
        answer_age_s=None if header.get("answer_age_s") is None else _number(header, "answer_age_s", 0),
        image=image,
        trouble=None if header.get("trouble") is None else _text(header["trouble"]),
        mode=None if header.get("mode") is None else _one_of(header, "mode", MODES),
        attends=None if header.get("attends") is None else _integer(header, "attends", 0, 2**53),
        smoothed=None if header.get("smoothed") is None else _shares(header, "smoothed"),
        done=None if header.get("done") is None else [_done(row) for row in _list(header, "done", MAX_ORDERS)],
        about=None if header.get("about") is None else _about(header["about"]),
        joints_rad=None if header.get("joints_rad") is None else _joints(header),
    )


def encode_reading(reading):
    """A Reading as its two message parts."""
    header = reading._asdict()
    header["faces"] = [_face_header(face) for face in reading.faces[:MAX_FACES]]
    header["orders"] = [
        _leave_out(order._asdict(), ("face", "settings"), None) for order in reading.orders[:MAX_ORDERS]
    ]
    header["timings_ms"] = dict((step, _rounded(ms, 3)) for step, ms in reading.timings_ms.items())
    if reading.error:
        header["error"] = {"code": reading.error[0], "text": reading.error[1]}
    parts = [VERSION, _to_json(header)]
    decode_reading(parts)
    return parts


def decode_reading(parts):
    """Two message parts as a Reading; raises ContractError."""
    header = _open(parts, 2, MAX_READING_HEADER_BYTES)
    error = header.get("error")
    if error is not None:
        if not isinstance(error, dict):
            raise ContractError("bad_header", "'error' must be an object with code and text.")
        error = (_one_of(error, "code", tuple(sorted(CODES))), _text(error.get("text")))
    timings = header.get("timings_ms", {})
    if not isinstance(timings, dict):
        raise ContractError("bad_header", "'timings_ms' must be an object.")
    return Reading(
        seq=_integer(header, "seq", 0, 2**53),
        taken_s=_number(header, "taken_s"),
        faces=[_face(item) for item in _list(header, "faces", MAX_FACES)],
        orders=[_order(item) for item in _list(header, "orders", MAX_ORDERS)],
        timings_ms=dict((_text(step), _number(timings, step)) for step in timings),
        model=_name(header, "model") or "",
        error=error,
    )


def refusal(error, seq=0, taken_s=0.0):
    """The Reading that answers a frame which raised `error`, a ContractError."""
    return Reading(seq, taken_s, [], [], {}, "", (error.code, error.text))


def _face_header(face):
    header = face._asdict()
    header.update(
        box_px=[_rounded(v, 1) for v in face.box_px],
        detection=_rounded(face.detection, 4),
        scores=[_rounded(v, 5) for v in face.scores],
    )
    return _leave_out(_leave_out(header, ("quality",), ()), ("unsure",), False)


def _leave_out(header, keys, value):
    """`header` without those of `keys` that say `value`, which is the rule."""
    for key in keys:
        if header[key] == value:
            del header[key]
    return header


def _face(item):
    if not isinstance(item, dict):
        raise ContractError("bad_header", "each of 'faces' must be an object.")
    return Face(
        id=_integer(item, "id", 0, 2**53),
        box_px=[_number({"box_px": v}, "box_px") for v in _exactly(item, "box_px", 4)],
        detection=_number(item, "detection", 0, 1),
        scores=_shares(item, "scores"),
        quality=tuple(_one_of({"quality": v}, "quality", FLAWS) for v in _list(item, "quality", len(FLAWS))),
        unsure=_flag(item, "unsure"),
    )


def _order(item):
    if not isinstance(item, dict):
        raise ContractError("bad_header", "each of 'orders' must be an object.")
    order = Order(
        what=_one_of(item, "what", ORDERS),
        number=_integer(item, "number", 1, 2**53),
        name=_name(item, "name"),
        face=None if item.get("face") is None else _integer(item, "face", 0, 2**53),
        settings=None if item.get("settings") is None else _tunable(item["settings"]),
    )
    if order.what == "play" and not order.name:
        raise ContractError("bad_header", "an order to play needs the 'name' of a behaviour.")
    if order.what == "tune" and not order.settings:
        raise ContractError("bad_header", "an order to tune needs 'settings'.")
    return order


def _done(row):
    if not isinstance(row, list) or len(row) != 2:
        raise ContractError("bad_header", "each of 'done' must be a number and a text or null.")
    number = _integer({"done": row[0]}, "done", 1, 2**53)
    return number, None if row[1] is None else _text(row[1], MAX_REFUSAL)


def _about_header(about):
    header = about._asdict()
    if about.naoqi is not None:
        header["naoqi"] = [[person, [_rounded(v, 3) for v in shares]] for person, shares in about.naoqi]
    return _leave_out(header, ("naoqi",), None)


def _about(item):
    if not isinstance(item, dict):
        raise ContractError("bad_header", "'about' must be an object.")
    named = item.get("behaviors")
    if not isinstance(named, dict):
        raise ContractError("bad_header", "'behaviors' must be an object.")
    behaviors = {}
    for emotion in named:
        names = _list(named, emotion, MAX_BEHAVIORS)
        behaviors[_one_of({"behaviors": emotion}, "behaviors", EMOTIONS)] = [_text(n, MAX_NAME) for n in names]
    if sum(len(names) for names in behaviors.values()) > MAX_BEHAVIORS:
        raise ContractError("bad_header", "'behaviors' must name at most %d." % MAX_BEHAVIORS)
    hottest = item.get("hottest")
    if hottest is not None:
        joint, celsius = _exactly(item, "hottest", 2)
        hottest = (_text(joint, MAX_NAME), _number({"hottest": celsius}, "hottest", -100, 1000))
    return About(
        behaviors=behaviors,
        mood=_tunable(item.get("mood")),
        battery=None if item.get("battery") is None else _number(item, "battery", 0, 1),
        hottest=hottest,
        naoqi=None if item.get("naoqi") is None else [_person(row) for row in _list(item, "naoqi", MAX_PEOPLE)],
    )


def _person(row):
    if not isinstance(row, list) or len(row) != 2:
        raise ContractError("bad_header", "each of 'naoqi' must be a person's id and five numbers.")
    shares = _exactly({"naoqi": row[1]}, "naoqi", len(NAOQI_EMOTIONS))
    person = _integer({"naoqi": row[0]}, "naoqi", 0, 2**53)
    return person, [_number({"naoqi": v}, "naoqi", 0, 1) for v in shares]


def _tunable(item):
    if not isinstance(item, dict):
        raise ContractError("bad_header", "settings of the mood must be an object.")
    for name in item:
        _one_of({"settings": name}, "settings", tuple(sorted(TUNABLE)))
    return dict((str(name), _number(item, name, *TUNABLE[name])) for name in item)


def _shares(header, key):
    """Seven numbers 0..1."""
    return [_number({key: v}, key, 0, 1) for v in _exactly(header, key, len(EMOTIONS))]


def _joints(header):
    angles = _exactly(header, "joints_rad", JOINTS)
    return [_number({"joints_rad": v}, "joints_rad", -MOST_RAD, MOST_RAD) for v in angles]


def _flag(header, key):
    value = header.get(key, False)
    if not isinstance(value, bool):
        raise ContractError("bad_header", "%r must be true or false; %s came." % (str(key), _short(value)))
    return value


def _rounded(value, digits):
    """Rounded alike by Python 2.7 and 3, whose round() differ on ties."""
    return float("%.*f" % (digits, value))


def _to_json(header):
    """The same bytes from Python 2.7 and 3: keys sorted, no spaces, ASCII, shortest floats."""
    return json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _open(parts, count, limit):
    """Check the version, the number of parts and the header's limits; give the header."""
    if not parts or bytes(parts[0]) != VERSION:
        theirs = bytes(parts[0])[:32].decode("ascii", "replace") if parts else "nothing"
        raise ContractError(
            "wrong_version",
            "the other end speaks %s, this end %s: update the older one, so that both run the same release."
            % (theirs, VERSION.decode("ascii")),
        )
    if len(parts) != count:
        raise ContractError("bad_header", "a message of %d parts came; %d are needed." % (len(parts), count))
    if len(parts[1]) > limit:
        raise ContractError(
            "too_large", "the header has %d bytes; at most %d are taken." % (len(parts[1]), limit)
        )
    try:
        text = bytes(parts[1]).decode("utf-8")
        _check_depth(text)
        header = json.loads(text, parse_constant=_refuse_constant, parse_int=_bounded_int)
    except ContractError:
        raise
    except (ValueError, RuntimeError) as error:  # RecursionError is a RuntimeError
        raise ContractError("bad_header", "the header is not JSON: %s" % error)
    if not isinstance(header, dict):
        raise ContractError("bad_header", "the header must be a JSON object.")
    return header


def _check_depth(text):
    """Refuse deep nesting before the parser walks into it. Brackets in strings are only text."""
    depth = 0
    for letter in STRING.sub("", text):
        if letter in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ContractError("bad_header", "the header nests deeper than %d." % MAX_DEPTH)
        elif letter in "]}":
            depth -= 1


def _refuse_constant(word):
    raise ContractError("bad_header", "the header holds %s; numbers must be finite." % word)


def _bounded_int(digits):
    if len(digits) > 20:
        raise ContractError("bad_header", "the header holds a number of %d digits." % len(digits))
    return int(digits)


def _number(header, key, low=-1e15, high=1e15):
    value = header.get(key)
    if isinstance(value, bool) or not isinstance(value, WHOLE + (float,)):
        raise ContractError("bad_header", "%r must be a number; %s came." % (str(key), _short(value)))
    if not low <= value <= high:  # also refuses NaN and the infinite (1e999)
        raise ContractError(
            "bad_header", "%r must lie in %g..%g; %s came." % (str(key), low, high, _short(value))
        )
    return float(value)


def _integer(header, key, low, high):
    value = header.get(key)
    if isinstance(value, bool) or not isinstance(value, WHOLE):
        raise ContractError("bad_header", "%r must be a whole number; %s came." % (str(key), _short(value)))
    if not low <= value <= high:
        code = "too_large" if key in ("width", "height") and value > high else "bad_header"
        raise ContractError(code, "%r must lie in %d..%d; %s came." % (str(key), low, high, _short(value)))
    return int(value)


def _one_of(header, key, allowed):
    value = header.get(key)
    if not isinstance(value, TEXT) or value not in allowed:
        raise ContractError(
            "bad_header", "%r must be one of %s; %s came." % (str(key), ", ".join(allowed), _short(value))
        )
    return str(value)


def _name(header, key):
    value = header.get(key)
    if value is None:
        return None
    return _text(value, MAX_NAME)


def _text(value, limit=400):
    if not isinstance(value, TEXT):
        raise ContractError("bad_header", "a text is needed; %s came." % _short(value))
    if len(value) > limit:
        raise ContractError(
            "bad_header", "a text of %d characters came; at most %d are taken." % (len(value), limit)
        )
    return value


def _list(header, key, limit):
    value = header.get(key, [])
    if not isinstance(value, list) or len(value) > limit:
        raise ContractError("bad_header", "%r must be a list of at most %d." % (str(key), limit))
    return value


def _exactly(header, key, count):
    value = _list(header, key, count)
    if len(value) != count:
        raise ContractError("bad_header", "%r must hold %d numbers; %d came." % (str(key), count, len(value)))
    return value


def _short(value):
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
