"""Pictures of behaviours: a figure of plain shapes at several moments, with eye colours and words.

A drawing to judge a gesture by before a robot plays it, not a simulation: it knows where parts are, not what
they weigh. PC only (numpy, OpenCV). Colours are RGB until the last line writes them.
"""

import os
from collections.abc import Callable, Mapping

import cv2
import numpy as np

from behaviors import body, rules
from behaviors.joints import STAND
from behaviors.keyframes import Behavior

CELL_PX = (232, 240)  # width, height of one figure
SCALE_PX_M = 300
HIGHEST_M = 0.44  # z at the top of a cell, from the torso's origin
FINE = 2  # drawn this many times larger, then shrunk, for smooth edges
# Where the camera stands: turned from the robot's front to its left, and raised; rad.
VIEWS = {"front": (np.radians(12), np.radians(12)), "side": (np.radians(75), np.radians(8))}

PAPER = (250, 249, 246)
INK = (52, 56, 64)
SHELL = (232, 233, 235)
TINTS = {"hand": (196, 200, 206), "foot": (196, 200, 206), "forearm": (214, 217, 221)}
VISOR = (58, 62, 70)
EARS_M = [(0.0, y, 0.060) for y in (0.062, -0.062)]
EAR_BLUE = (40, 110, 255)
EYES_M = [(0.070, y, 0.062) for y in (0.024, -0.024)]  # in the head's frame
VISOR_M = [(0.056, y, 0.062) for y in (0.026, -0.026)]
# Roots of the fingers, in the wrist's frame.
FINGERS_M = [(0.085, 0.020, 0.004), (0.085, -0.020, 0.004), (0.085, 0.0, -0.022)]
FINGER_M = 0.045  # length of an open one
FIST_M = (0.088, 0.0, -0.004)
OVERVIEW_SCALE = 0.6  # keeps the file small
SHUT = 0.2  # a hand that is less open is drawn as a fist

# A capsule in the torso's frame: start, end, radius_m, colour. The shapes of a group share one outline.
Shape = tuple[np.ndarray, np.ndarray, float, tuple]


# Where the joints are at t_s: a behaviour's own path, or what was measured of a body that played it.
Path = Callable[[float], Mapping[str, float]]


def sheet(behavior: Behavior, moments: int = 8, path: Path | None = None) -> np.ndarray:
    """A contact sheet (H, W, 3) uint8 RGB: `moments` in a row, from the front and below from the side."""
    times_s = np.linspace(0, behavior.duration_s, moments)
    rows = [strip(behavior, times_s, view, path) for view in VIEWS]
    clock = np.full((30, rows[0].shape[1], 3), PAPER, np.uint8)
    for i, t_s in enumerate(times_s):
        _write(clock, f"{t_s:.1f} s", (i * CELL_PX[0] + CELL_PX[0] // 2 - 18, 20), 0.45)
    return np.vstack([_title(behavior, rows[0].shape[1]), clock, *rows])


def overview(behaviors: list[Behavior], moments: int = 8) -> np.ndarray:
    """All behaviours below each other, from the front, (H, W, 3) uint8 RGB."""
    parts = []
    for behavior in behaviors:
        row = strip(behavior, np.linspace(0, behavior.duration_s, moments), "front")
        parts += [_title(behavior, row.shape[1]), row[10:]]
    return shrunk(np.vstack(parts), OVERVIEW_SCALE)


def shrunk(picture: np.ndarray, scale: float) -> np.ndarray:
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def strip(behavior: Behavior, times_s: np.ndarray, view: str, path: Path | None = None) -> np.ndarray:
    """One figure for each of the times, side by side, (H, W, 3) uint8 RGB."""
    return np.hstack([moment(behavior, t_s, view, path) for t_s in times_s])


def moment(behavior: Behavior, t_s: float, view: str, path: Path | None = None) -> np.ndarray:
    """The figure at `t_s`, CELL_PX large, (H, W, 3) uint8 RGB."""
    angles = (path or behavior.evaluate)(t_s)
    return figure(angles, eye_colour(behavior, t_s), VIEWS[view], ear_light(behavior, t_s))


def eye_colour(behavior: Behavior, t_s: float) -> tuple[int, int, int]:
    """RGB of the eyes at `t_s`: white at first, then each key fades from what was there before."""
    keys = [(time_s, np.array(_rgb(colour), float), fade_s) for time_s, colour, fade_s in behavior.eyes]
    return tuple(int(v) for v in _faded(np.array(_rgb(rules.WHITE), float), keys, t_s).round())


def ear_light(behavior: Behavior, t_s: float) -> float:
    """How bright the ears are at `t_s`, 0..1, likewise."""
    return float(_faded(rules.EARS_AT_REST, behavior.ears, t_s))


def _faded(value, keys, t_s: float):
    for time_s, wanted, fade_s in keys:
        if t_s < time_s:
            break
        share = min((t_s - time_s) / fade_s, 1.0) if fade_s > 0 else 1.0
        value = value + share * (wanted - value)
    return value


def _rgb(colour: int) -> tuple[int, int, int]:
    return colour >> 16, colour >> 8 & 255, colour & 255


def figure(
    angles: Mapping[str, float], eyes: tuple[int, int, int], view: tuple[float, float], ears: float = 1.0
) -> np.ndarray:
    """One figure on paper, CELL_PX large, (H, W, 3) uint8 RGB.

    angles {joint: rad}, eyes RGB, one of VIEWS, ears 0..1. What is missing stands as in Stand.
    """
    camera = _Camera(*view)
    for group in sorted(_groups(angles, eyes, ears), key=camera.depth_of):
        camera.draw(group)
    return camera.picture()


def _groups(angles: Mapping[str, float], eyes: tuple[int, int, int], ears: float) -> list[list[Shape]]:
    """The shapes of the whole figure, those that belong together in one list."""
    poses = body.frames(angles)
    parts = {}
    for name, (start, end) in body.segments(angles).items():
        tint = TINTS.get(name.split()[-1], SHELL)
        parts[name] = (start[0], end[0], body.CAPSULES[name].radius_m, tint)
    trunk = [parts.pop(name) for name in ("chest", "belly", "pelvis")]
    visor = (*_placed(poses["HeadPitch"], VISOR_M), 0.021, VISOR)
    lights = [(eye, eye, 0.0145, eyes) for eye in _placed(poses["HeadPitch"], EYES_M)]
    blue = tuple(int(shell + ears * (c - shell)) for shell, c in zip(SHELL, EAR_BLUE, strict=True))
    lights += [(ear, ear, 0.012, blue) for ear in _placed(poses["HeadPitch"], EARS_M)]
    hands = [_fingers(poses[side + "WristYaw"], angles.get(side + "Hand", STAND["LHand"])) for side in "LR"]
    return [trunk, [visor], *([part] for part in parts.values()), *([light] for light in lights), *hands]


def _fingers(wrist: np.ndarray, opening: float) -> list[Shape]:
    """A fist where the hand is shut, else three fingers, the longer and the more spread the more it is open."""
    if opening < SHUT:
        (fist,) = _placed(wrist, [FIST_M])
        return [(fist, fist, 0.027, TINTS["hand"])]
    length, spread = FINGER_M * (0.2 + 0.8 * opening), 1 + 0.9 * opening
    tips = [(x + length, y * spread, z * spread) for x, y, z in FINGERS_M]
    ends = zip(_placed(wrist, FINGERS_M), _placed(wrist, tips), strict=True)
    return [(root, tip, 0.008, TINTS["hand"]) for root, tip in ends]


def _placed(poses: np.ndarray, points: list[tuple]) -> list[np.ndarray]:
    return [body.in_torso(poses, point)[0] for point in points]


class _Camera:
    """Looks at the figure from afar, without perspective."""

    def __init__(self, azimuth_rad: float, height_rad: float):
        cos, sin = np.cos(azimuth_rad), np.sin(azimuth_rad)
        flat, up = np.cos(height_rad), np.sin(height_rad)
        self._toward = np.array([flat * cos, flat * sin, up])
        self._right = np.array([-sin, cos, 0.0])  # on paper, the robot's left is on our right
        self._up = np.array([-up * cos, -up * sin, flat])
        self._canvas = np.full((CELL_PX[1] * FINE, CELL_PX[0] * FINE, 3), PAPER, np.uint8)

    def depth_of(self, group: list[Shape]) -> float:
        """What is nearer to the camera is larger, and drawn later; small parts lie on large ones."""
        return max(float((start + end) @ self._toward / 2 + radius_m) for start, end, radius_m, _ in group)

    def draw(self, group: list[Shape]) -> None:
        for rim_px, ink in ((2 * FINE, INK), (0, None)):
            for start, end, radius_m, colour in group:
                width = round(2 * radius_m * SCALE_PX_M * FINE) + rim_px
                ends = self._on_paper(start), self._on_paper(end)
                cv2.line(self._canvas, *ends, ink or colour, width, cv2.LINE_AA)

    def _on_paper(self, point: np.ndarray) -> tuple[int, int]:
        x = CELL_PX[0] / 2 + SCALE_PX_M * (point @ self._right)
        y = SCALE_PX_M * (HIGHEST_M - point @ self._up)
        return round(x * FINE), round(y * FINE)

    def picture(self) -> np.ndarray:
        return cv2.resize(self._canvas, CELL_PX, interpolation=cv2.INTER_AREA)


def _title(behavior: Behavior, width_px: int) -> np.ndarray:
    """A band with emotion, name, eye colours and words."""
    band = np.full((34, width_px, 3), PAPER, np.uint8)
    cv2.line(band, (0, 0), (width_px, 0), INK, 1)
    answer = "" if len(behavior.policies) > 1 else f", {behavior.policies[0]}"
    _write(band, f"{behavior.emotion}: {behavior.name}{answer}", (12, 24), 0.6, 2)
    for i, colour in enumerate(dict.fromkeys(colour for _, colour, _ in behavior.eyes)):
        cv2.circle(band, (340 + 24 * i, 18), 8, _rgb(colour), -1, cv2.LINE_AA)
        cv2.circle(band, (340 + 24 * i, 18), 8, INK, 1, cv2.LINE_AA)
    words = " ... ".join(spoken(texts["English"][0]) for _, texts in behavior.say)
    _write(band, f'"{words}"', (430, 24), 0.5)
    return band


def spoken(text: str) -> str:
    r"""The words of a text without the voice's tags such as \rspd=80\."""
    return " ".join("".join(text.split("\\")[::2]).split())


def _write(picture: np.ndarray, text: str, at_px: tuple, size: float, weight: int = 1) -> None:
    cv2.putText(picture, text, at_px, cv2.FONT_HERSHEY_SIMPLEX, size, INK, weight, cv2.LINE_AA)


def save(picture: np.ndarray, path: os.PathLike) -> None:
    """Write an RGB picture as a small PNG (a palette would be smaller still, and blur the eyes' colours)."""
    if not cv2.imwrite(str(path), picture[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9]):
        raise OSError(f"{path} cannot be written")
