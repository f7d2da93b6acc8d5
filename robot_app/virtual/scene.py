"""The demo's camera picture: somebody of our own making in a room, whose expression changes over time.

`DemoScene().picture(t_s)` is a pure function of time and loops by itself; `DemoScene.plan` is the table of
what it shows when. The face is drawn by face_render from the action units in face_actions: a relief with
light on it, nobody's portrait, and no photograph stands behind it. This file knows time and places; it knows
nothing of detectors or networks, and reads no clock and no file.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np

from . import face_actions, face_render
from .face_render import FacePainter, bump, grain, light, mix, smooth

WIDTH_PX, HEIGHT_PX = 640, 480
UNIT_PX = 78  # a face unit in the picture, on average
HEAD_X_PX, HEAD_Y_PX = 320, 205  # where the middle between the eyes is, on average
NECK_Y = 1.5  # the head turns about this height, in face units
AWAY_X_PX = 560  # how far aside somebody stands who is out of the picture


class Part(NamedTuple):
    """One line of the plan: what is shown from start_s to end_s; expression None: nobody is there.

    The change from the part before (also walking out and in) takes the first SETTLE_S of it.
    """

    start_s: float
    end_s: float
    expression: str | None


SETTLE_S = 1.2
EASE_S = 0.6  # a face changes faster than somebody walks

PLAN = tuple(
    Part(*row)
    for row in (
        (0.0, 2.0, "neutral"),
        (2.0, 7.0, "happy"),
        (7.0, 10.0, "neutral"),
        (10.0, 15.0, "surprised"),
        (15.0, 18.0, "neutral"),
        (18.0, 23.0, "sad"),
        (23.0, 26.0, "neutral"),
        (26.0, 31.0, "angry"),
        (31.0, 34.0, "neutral"),
        (34.0, 39.0, "fearful"),
        (39.0, 42.0, "neutral"),
        (42.0, 47.0, None),
        (47.0, 50.0, "neutral"),
    )
)
LOOP_S = PLAN[-1].end_s

BLINKS_S = (1.3, 5.7, 8.6, 16.4, 21.2, 24.4, 32.6, 40.4, 48.9)
BLINK_S = 0.24

# Slow movement of the head: times a loop, phase in turns, size. x and y in px, roll in degrees, the turns
# to the side and down in px of shift per px of relief, the distance as a factor.
SWAYS = {
    "x": ((5, 0.0, 13.0), (11, 0.3, 5.0)),
    "y": ((7, 0.2, 4.0), (13, 0.6, 2.0)),
    "roll": ((4, 0.1, 2.0), (9, 0.5, 1.0)),
    "yaw": ((6, 0.4, 0.07), (13, 0.1, 0.03)),
    "pitch": ((8, 0.7, 0.03),),
    "scale": ((3, 0.25, 0.05),),
}
BREATHS = 12  # a loop
BREATH_PX = 1.6
STEP_PX = 5.0  # up and down while walking

# How an expression holds the head: px down, roll, pitch.
BEARING = {
    "happy": (0.0, 2.0, 0.0),
    "surprised": (-6.0, 0.0, -0.03),
    "sad": (8.0, 3.0, 0.05),
    "angry": (3.0, 0.0, 0.03),
    "fearful": (-4.0, -2.0, -0.02),
}

BODY_LEFT, BODY_RIGHT, BODY_TOP, BODY_BOTTOM = -2.6, 2.6, 0.9, 4.3  # in face units

# Linear light, blue green red.
WALL = (0.42, 0.46, 0.48)
SHIRT = (0.16, 0.10, 0.055)

# Furniture, out of focus: left, top, right, bottom in px, and colour.
FURNITURE = (
    (-20, 30, 120, 300, (1.30, 1.22, 1.12)),  # window
    (46, 30, 54, 300, (0.45, 0.45, 0.45)),
    (-20, 160, 120, 168, (0.45, 0.45, 0.45)),
    (120, 20, 150, 330, (0.40, 0.42, 0.46)),  # curtain
    (470, 90, 640, 106, (0.10, 0.16, 0.24)),  # shelf with books
    (470, 210, 640, 226, (0.10, 0.16, 0.24)),
    (478, 130, 496, 210, (0.10, 0.10, 0.35)),
    (498, 122, 520, 210, (0.30, 0.20, 0.10)),
    (522, 138, 536, 210, (0.40, 0.45, 0.50)),
    (538, 126, 562, 210, (0.12, 0.22, 0.14)),
    (590, 140, 622, 210, (0.15, 0.25, 0.45)),
    (486, 30, 540, 90, (0.08, 0.20, 0.10)),
    (560, 50, 600, 90, (0.50, 0.52, 0.55)),
    (0, 400, 200, 480, (0.14, 0.18, 0.28)),  # back of a chair
)


class DemoScene:
    """`picture(t_s)`, and `plan`: what the pictures show when, over one loop of LOOP_S."""

    plan = PLAN

    def __init__(self):
        self._painter = FacePainter()
        self._room = _room()
        self._body = _body()
        self._noise = np.clip(np.round(1.4 * grain((HEIGHT_PX + 97, WIDTH_PX + 89), (0.6, 0.6), 21)), -6, 6)
        self._noise = np.repeat(self._noise[..., None], 3, 2).astype(np.int8)
        shape = self._painter.whole.shape
        self._columns, self._rows = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in shape[::-1]))
        self._depth = cv2.GaussianBlur(self._painter.skin_relief, (0, 0), 3) - 0.5 * face_render.UNIT_PX

    def picture(self, t_s: float) -> np.ndarray:
        """The camera's picture at t_s seconds, (480, 640, 3) uint8, BGR."""
        t_s = float(t_s) % LOOP_S
        picture = self._room.copy()
        place = placed(t_s)
        if abs(place["away_px"]) < AWAY_X_PX:
            self._stand(picture, place, t_s)
            self._face(picture, place, t_s)
        return self._grained(picture, t_s)

    def _stand(self, picture, place, t_s):
        shift = place["away_px"] + 0.5 * place["x"], -BREATH_PX * _wave(BREATHS, 0.0, t_s)
        scale = place["scale"] * UNIT_PX / face_render.UNIT_PX
        _lay(picture, self._body, _placing(scale, 0.0, shift, BODY_LEFT, BODY_TOP))

    def _face(self, picture, place, t_s):
        head = self._painter.paint(pose_at(t_s))
        drawn = _to_bytes(head.colour, head.alpha)
        columns = self._columns - place["yaw"] * self._depth
        rows = self._rows - place["pitch"] * self._depth
        turned = cv2.remap(drawn, columns, rows, cv2.INTER_LINEAR)
        scale = place["scale"] * UNIT_PX / face_render.UNIT_PX
        shift = place["away_px"] + place["x"], place["y"]
        to_picture = _placing(scale, place["roll"], shift, face_render.LEFT, face_render.TOP)
        _lay(picture, turned, to_picture)

    def _grained(self, picture, t_s):
        step = round(t_s * 1000)
        top, left = step * 31 % 97, step * 17 % 89
        noise = self._noise[top : top + HEIGHT_PX, left : left + WIDTH_PX]
        return cv2.add(picture, noise, dtype=cv2.CV_8U)


def parts_at(t_s: float) -> tuple[Part, Part]:
    """The line of the plan that holds at t_s, and the one before it."""
    i = next(i for i, part in enumerate(PLAN) if t_s % LOOP_S < part.end_s)
    return PLAN[i], PLAN[i - 1]


def weights_at(t_s: float) -> dict[str, float]:
    """How much of each expression the face shows at t_s; they sum to 1. Away counts as neutral."""
    now, before = parts_at(t_s)
    share = _ease((t_s % LOOP_S - now.start_s) / EASE_S)
    weights = {before.expression or "neutral": 1 - share}
    weights[now.expression or "neutral"] = weights.get(now.expression or "neutral", 0.0) + share
    return weights


def pose_at(t_s: float) -> dict[str, float]:
    """The face's shape at t_s: the plan's expression, a little unsteady, and a blink now and then."""
    units = face_actions.blend(weights_at(t_s))
    unsteady = 0.97 + 0.03 * _wave(31, 0.0, t_s)
    units = {unit: strength * unsteady for unit, strength in units.items()}
    units["AU45"] = max(math.sin(math.pi * _share((t_s % LOOP_S - at_s) / BLINK_S)) for at_s in BLINKS_S)
    return face_actions.pose(units)


def placed(t_s: float) -> dict[str, float]:
    """Where somebody is at t_s: the keys of SWAYS, and `away_px`, how far aside."""
    place = {
        name: sum(size * _wave(times, phase, t_s) for times, phase, size in waves)
        for name, waves in SWAYS.items()
    }
    place["scale"] += 1.0
    place["y"] -= 0.6 * BREATH_PX * _wave(BREATHS, 0.0, t_s)
    for expression, weight in weights_at(t_s).items():
        down_px, roll, pitch = BEARING.get(expression, (0.0, 0.0, 0.0))
        place["y"] += weight * down_px
        place["roll"] += weight * roll
        place["pitch"] += weight * pitch
    away = away_at(t_s)
    place["away_px"] = AWAY_X_PX * away
    place["y"] += STEP_PX * math.sin(4 * math.pi * away)
    return place


def away_at(t_s: float) -> float:
    """How far somebody has gone out of the picture: 0 not at all, 1 wholly."""
    now, before = parts_at(t_s)
    share = _ease((t_s % LOOP_S - now.start_s) / SETTLE_S)
    return share * (now.expression is None) + (1 - share) * (before.expression is None)


def _wave(times, phase, t_s):
    return math.sin(2 * math.pi * (times * t_s / LOOP_S + phase))


def _share(x):
    return min(1.0, max(0.0, x))


def _ease(x):
    return _share(x) ** 2 * (3 - 2 * _share(x))


def _placing(scale, roll_degrees, shift_px, left, top):
    """The (2, 3) matrix from a canvas to the picture: turned and scaled about the neck, then shifted.

    left, top   the canvas's corner, in face units
    """
    x, y = -left * face_render.UNIT_PX, (NECK_Y - top) * face_render.UNIT_PX
    matrix = cv2.getRotationMatrix2D((x, y), roll_degrees, scale)
    matrix[:, 2] += HEAD_X_PX + shift_px[0] - x, HEAD_Y_PX + NECK_Y * UNIT_PX + shift_px[1] - y
    return matrix


def _lay(picture, layer, matrix):
    """Lay a layer (H, W, 4) uint8, its colour already multiplied by alpha, over the picture, in place."""
    height, width = layer.shape[:2]
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
    left, top = np.maximum(np.floor(corners.min(1)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(corners.max(1)), (WIDTH_PX, HEIGHT_PX)).astype(int)
    if left >= right or top >= bottom:
        return
    matrix = matrix - np.array([[0, 0, left], [0, 0, top]])
    warped = cv2.warpAffine(layer, matrix, (int(right - left), int(bottom - top)), flags=cv2.INTER_LINEAR)
    below = picture[top:bottom, left:right]
    through = cv2.cvtColor(255 - warped[..., 3], cv2.COLOR_GRAY2BGR)
    below[:] = cv2.add(cv2.multiply(below, through, scale=1 / 255), warped[..., :3])


def _to_bytes(colour, alpha):
    """Linear BGR and alpha to (H, W, 4) uint8 for a screen, the colour multiplied by alpha."""
    shown = cv2.sqrt(np.maximum(colour, 0.0)) * alpha[..., None]
    return np.dstack((cv2.convertScaleAbs(shown, alpha=255), cv2.convertScaleAbs(alpha, alpha=255)))


def _room():
    """The empty room, out of focus, (480, 640, 3) uint8."""
    x, y = np.meshgrid(np.arange(WIDTH_PX, dtype=np.float32), np.arange(HEIGHT_PX, dtype=np.float32))
    daylight = 0.75 + 0.55 * np.exp(-(((x - 60) / 330) ** 2) - ((y - 170) / 320) ** 2)
    room = np.float32(WALL) * daylight[..., None]
    for left, top, right, bottom, colour in FURNITURE:
        room[max(0, top) : bottom, max(0, left) : right] = colour
    room = cv2.GaussianBlur(room, (0, 0), 9.0)
    corner = 1 - 0.25 * ((x / WIDTH_PX - 0.5) ** 2 + (y / HEIGHT_PX - 0.5) ** 2)
    return (np.sqrt(np.clip(0.72 * room * corner[..., None], 0, 1)) * 255).astype(np.uint8)


def _body():
    """Neck, shoulders and a shirt, (H, W, 4) uint8, the colour multiplied by alpha."""
    unit = face_render.UNIT_PX
    columns = np.arange(round((BODY_RIGHT - BODY_LEFT) * unit), dtype=np.float32)
    rows = np.arange(round((BODY_BOTTOM - BODY_TOP) * unit), dtype=np.float32)
    x, y = np.meshgrid((columns + 0.5) / unit + BODY_LEFT, (rows + 0.5) / unit + BODY_TOP)
    half = np.interp(
        y, (0.9, 1.6, 1.85, 2.05, 2.3, 2.7, 3.4, 4.3), (0.60, 0.62, 0.68, 0.92, 1.45, 1.95, 2.2, 2.3)
    )
    half = cv2.GaussianBlur(half.astype(np.float32), (0, 0), 6)
    inside = half - np.abs(x)
    alpha = smooth(-0.015, 0.015, inside)
    relief = unit * 0.75 * np.sqrt(np.clip(1 - (np.abs(x) / half) ** 2.4, 0, 1))
    tendons = 2.5 * (
        np.exp(-(((np.abs(x) - 0.62 + 0.32 * (y - 1.2)) / 0.07) ** 2)) - 0.8 * bump(x, y, 0, 2.2, 0.12, 0.15)
    )
    neck = light(
        np.float32(face_render.SKIN) * np.ones((*x.shape, 3), np.float32), np.float32(relief + tendons)
    )
    neck = neck * (1 - 0.72 * smooth(2.15, 1.62, y + 0.10 * x * x))[..., None]
    collar = 1.93 + 0.26 * np.clip(1 - (x / 0.72) ** 2, 0, None)
    shirt = smooth(-0.012, 0.012, y - collar)
    hem = np.exp(-(((y - collar - 0.07) / 0.06) ** 2)) * smooth(0.9, 0.7, np.abs(x))
    creases = 2.6 * grain(x.shape, (16, 40), 31) + 3.5 * hem + 0.05 * grain(x.shape, (0.8, 0.8), 32)
    cloth = light(np.float32(SHIRT) * np.ones((*x.shape, 3), np.float32), np.float32(relief + creases))
    cloth = cloth * (1 - 0.45 * np.exp(-(((y - collar + 0.01) / 0.03) ** 2)))[..., None]
    return _to_bytes(mix(neck, cloth, shirt), alpha)
