"""One shaded face, nobody's portrait, drawn from the numbers of a pose.

The head is a relief: a height over every pixel, made of ellipsoids, ridges and grooves, lit by a soft
lamp, a weaker one and a sky, with darker hollows. Eyes, brows, lips and teeth lie between curves. Everything
was written down from anatomy (lengths of an average adult) and corrected by looking at the pictures, beside
photographs, as a painter would; no pixel was found by asking a network. Knows no time and no scene.
"""

from typing import NamedTuple

import cv2
import numpy as np

UNIT_PX = 90  # a face unit, see face_actions
LEFT, RIGHT, TOP, BOTTOM = -1.5, 1.5, -2.0, 2.1  # the canvas, in face units
EYE_X, EYE_HALF, IRIS = 0.45, 0.215, 0.086
MOUTH_Y = 1.0
LID_FOLD = 0.055  # the crease above the upper lid

# Linear light, blue green red.
SKIN = (0.27, 0.40, 0.66)
FLUSH = (0.20, 0.24, 0.60)
LIP = (0.18, 0.17, 0.46)
HAIR = (0.020, 0.030, 0.050)
BROW = (0.022, 0.032, 0.052)
IRIS_COLOUR = (0.05, 0.09, 0.15)
SCLERA = (0.52, 0.54, 0.58)
TEETH = (0.66, 0.74, 0.80)
CAVITY = (0.012, 0.012, 0.030)
GUM = (0.16, 0.15, 0.40)
TONGUE = (0.13, 0.13, 0.36)

# Lamps: direction (x right, y down, z to the viewer) and linear strength, blue green red.
KEY = ((-0.45, -0.55, 0.72), (0.74, 0.80, 0.86))
FILL = ((0.75, -0.05, 0.65), (0.17, 0.16, 0.15))
AMBIENT = (0.23, 0.23, 0.23)


class Head(NamedTuple):
    """A drawn head: linear BGR (H, W, 3) float32, its alpha (H, W) 0..1, and the relief (H, W) in px."""

    colour: np.ndarray
    alpha: np.ndarray
    relief_px: np.ndarray


def smooth(low, high, x):
    """0 below `low`, 1 above `high`, and a smooth step between; `high` may be the smaller one."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def bump(x, y, at_x, at_y, wide, high):
    """A Gaussian hill of height 1."""
    return np.exp(-(((x - at_x) / wide) ** 2) - ((y - at_y) / high) ** 2)


def grain(shape, sigma_px, seed):
    """Random texture of mean 0 and deviation 1; the same on every machine and run."""
    noise = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=sigma_px[0], sigmaY=sigma_px[1])
    return (noise - noise.mean()) / noise.std()


class Window:
    """A rectangle of the canvas with its coordinates in face units: x (1, W), y (H, 1)."""

    def __init__(self, left, right, top, bottom):
        self.columns = slice(round((left - LEFT) * UNIT_PX), round((right - LEFT) * UNIT_PX))
        self.rows = slice(round((top - TOP) * UNIT_PX), round((bottom - TOP) * UNIT_PX))
        self.x = ((np.arange(self.columns.start, self.columns.stop) + 0.5) / UNIT_PX + LEFT)[None].astype(
            np.float32
        )
        self.y = ((np.arange(self.rows.start, self.rows.stop) + 0.5) / UNIT_PX + TOP)[:, None].astype(
            np.float32
        )
        self.shape = (self.y.size, self.x.size)

    def of(self, picture):
        """The part of a canvas-sized array that lies in this window."""
        return picture[self.rows, self.columns]


# Half width of the face, and height of its middle over the ears' plane, from the top of the skull to the chin.
OUTLINE_Y = (
    -1.62,
    -1.58,
    -1.48,
    -1.30,
    -1.00,
    -0.60,
    -0.20,
    0.10,
    0.40,
    0.70,
    1.00,
    1.20,
    1.38,
    1.50,
    1.58,
    1.63,
)
OUTLINE_X = (0.00, 0.26, 0.52, 0.74, 0.90, 0.96, 0.98, 0.99, 0.97, 0.91, 0.81, 0.71, 0.57, 0.43, 0.27, 0.00)
PROFILE = (0.00, 0.20, 0.42, 0.62, 0.80, 0.90, 0.93, 0.95, 0.96, 0.97, 0.98, 0.96, 0.92, 0.82, 0.64, 0.35)

NOSE_Y = (-0.32, -0.10, 0.12, 0.32, 0.46, 0.54, 0.60, 0.66, 0.72)
NOSE_HIGH = (0.00, 0.050, 0.11, 0.18, 0.23, 0.24, 0.20, 0.10, 0.00)
NOSE_WIDE = (0.17, 0.150, 0.160, 0.17, 0.18, 0.18, 0.17, 0.17, 0.17)

# Hills and hollows of the skin at rest: height, x (both sides where not 0), y, width, length.
HILLS = (
    (0.055, 0.42, -0.27, 0.36, 0.11),  # brow ridge
    (-0.13, 0.43, -0.04, 0.27, 0.15),  # eye socket
    (0.065, 0.45, 0.00, 0.20, 0.13),  # eyeball
    (0.10, 0.175, 0.575, 0.080, 0.080),  # wing of the nose
    (0.06, 0.0, 0.545, 0.11, 0.09),  # tip of the nose
    (0.07, 0.62, 0.28, 0.28, 0.22),  # cheek bone
    (-0.05, 0.70, 0.80, 0.20, 0.30),  # hollow of the cheek
    (0.08, 0.0, 1.00, 0.42, 0.32),  # round of the teeth
    (-0.018, 0.0, 0.82, 0.035, 0.09),  # philtrum
    (-0.035, 0.0, 1.24, 0.25, 0.06),  # under the lip
    (0.07, 0.0, 1.45, 0.24, 0.14),  # chin
    (-0.05, 0.92, -0.35, 0.18, 0.30),  # temple
)

# Folds of an expression: grooves (depth, width, points of the right side, which is mirrored) and hills.
GROOVES = {
    "smile_fold": ((0.075, 0.030, ((0.27, 0.50), (0.38, 0.60), (0.52, 0.78), (0.60, 0.96), (0.59, 1.10))),),
    "sneer_fold": ((0.065, 0.026, ((0.22, 0.42), (0.31, 0.58), (0.43, 0.76), (0.50, 0.95), (0.49, 1.08))),),
    "crow_feet": (
        (0.022, 0.012, ((0.74, -0.03), (0.82, -0.09), (0.90, -0.16))),
        (0.022, 0.012, ((0.75, 0.02), (0.85, 0.02), (0.93, 0.01))),
        (0.022, 0.012, ((0.74, 0.07), (0.82, 0.12), (0.89, 0.18))),
    ),
    "lid_bag": ((0.040, 0.020, ((0.22, 0.10), (0.36, 0.165), (0.52, 0.17), (0.68, 0.10))),),
    "forehead": (
        (0.030, 0.014, ((0.0, -0.80), (0.22, -0.82), (0.48, -0.79), (0.66, -0.70))),
        (0.030, 0.014, ((0.0, -0.67), (0.22, -0.69), (0.48, -0.67), (0.68, -0.58))),
        (0.030, 0.014, ((0.0, -0.55), (0.22, -0.57), (0.48, -0.56), (0.66, -0.49))),
    ),
    "forehead_inner": (
        (0.030, 0.016, ((0.0, -0.71), (0.15, -0.72), (0.32, -0.66))),
        (0.030, 0.016, ((0.0, -0.60), (0.15, -0.61), (0.30, -0.55))),
    ),
    "frown": (
        (0.060, 0.020, ((0.075, -0.42), (0.065, -0.28), (0.085, -0.14))),
        (0.030, 0.016, ((0.15, -0.46), (0.145, -0.36))),
    ),
    "nose_wrinkle": (
        (0.045, 0.016, ((0.0, -0.05), (0.10, -0.07), (0.17, -0.02))),
        (0.040, 0.015, ((0.0, 0.03), (0.10, 0.03), (0.18, 0.09))),
        (0.045, 0.016, ((0.09, 0.20), (0.17, 0.13), (0.26, 0.10))),
    ),
    "corner_fold": ((0.050, 0.025, ((0.39, 1.06), (0.45, 1.17), (0.47, 1.30))),),
}
SWELLINGS = {
    "cheek": ((0.10, 0.54, 0.36, 0.24, 0.17),),
    "smile_fold": ((0.05, 0.66, 0.72, 0.16, 0.22),),
    "sneer_fold": ((0.05, 0.36, 0.42, 0.14, 0.16),),
    "frown": ((0.045, 0.19, -0.27, 0.10, 0.08),),
    "lid_bag": ((0.03, 0.45, 0.10, 0.20, 0.04),),
    "chin": ((0.05, 0.0, 1.42, 0.20, 0.10), (-0.03, 0.0, 1.27, 0.26, 0.05)),
    "corner_fold": ((0.03, 0.58, 1.12, 0.12, 0.14),),
    "forehead_inner": ((0.03, 0.12, -0.50, 0.16, 0.09),),
}


class FacePainter:
    """Draws the head of a pose; what no expression moves is prepared once."""

    def __init__(self):
        self.whole = Window(LEFT, RIGHT, TOP, BOTTOM)
        self.face = Window(-1.08, 1.08, -1.20, 2.05)
        self.mouth = Window(-0.66, 0.66, 0.66, 1.66)
        self.eyes = (Window(-0.78, -0.16, -0.24, 0.22), Window(0.16, 0.78, -0.24, 0.22))
        self.brows = (Window(-0.92, -0.02, -0.66, -0.04), Window(0.02, 0.92, -0.66, -0.04))
        self.skin_relief = self._skin_relief()
        self.oval = self._oval()
        self.pores = (
            grain(self.whole.shape, (0.7, 0.7), 1) * 0.06 + grain(self.whole.shape, (2.5, 2.5), 2) * 0.07
        )
        self.skin = self._skin()
        self.folds = self._folds()
        self.hairs = grain(self.whole.shape, (0.6, 1.6), 3)
        self.back, self.back_alpha = self._back()
        self.fringe, self.fringe_alpha = self._hair(front=True)

    # What is prepared once ------------------------------------------------------------------------

    def _skin_relief(self):
        x, y = self.whole.x, self.whole.y
        half = np.interp(y, OUTLINE_Y, OUTLINE_X).astype(np.float32)
        profile = np.interp(y, OUTLINE_Y, PROFILE).astype(np.float32)
        across = np.clip(1.0 - (np.abs(x) / np.maximum(half, 1e-3)) ** 2.3, 0.0, 1.0)
        z = cv2.GaussianBlur(profile * np.sqrt(across), (0, 0), 3.0)
        z = z + np.interp(y, NOSE_Y, NOSE_HIGH) * np.exp(-((x / np.interp(y, NOSE_Y, NOSE_WIDE)) ** 2))
        for hill in HILLS:
            z = z + _hill(x, y, hill)
        return cv2.GaussianBlur((z * UNIT_PX).astype(np.float32), (0, 0), 1.2)

    def _oval(self):
        right = [(x, y) for x, y in zip(OUTLINE_X, OUTLINE_Y, strict=True)]
        outline = np.array(right + [(-x, y) for x, y in right[::-1]])
        return _filled(self.whole.shape, outline, 1.2)

    def _skin(self):
        """The skin's colour (H, W, 3): redder at cheeks, nose and chin, and a little uneven."""
        x, y = self.whole.x, self.whole.y
        red = sum(
            strength * (bump(x, y, at, at_y, wide, high) + (bump(x, y, -at, at_y, wide, high) if at else 0))
            for strength, at, at_y, wide, high in (
                (0.45, 0.58, 0.42, 0.26, 0.24),
                (0.40, 0.0, 0.52, 0.16, 0.12),
                (0.20, 0.0, 1.45, 0.25, 0.14),
                (0.25, 0.44, -0.02, 0.26, 0.16),
            )
        )
        red = np.clip(red + 0.05 * grain(self.whole.shape, (9, 9), 4), 0, 1)[..., None]
        mottle = 1 + 0.02 * grain(self.whole.shape, (1.2, 1.2), 5)[..., None]
        colour = (np.float32(SKIN) * (1 - red) + np.float32(FLUSH) * red) * mottle
        for side in (-1, 1):
            nostril = np.exp(-((((x - side * 0.095) / 0.058) ** 2 + ((y - 0.655) / 0.030) ** 2) ** 2))
            shadow = 0.30 * bump(x, y, 0.04, 0.75, 0.20, 0.06)
            crease = bump(x, y, side * 0.245, 0.60, 0.022, 0.085)
            colour = colour * (1 - 0.93 * nostril - 0.25 * crease - 0.5 * shadow)[..., None]
        return colour.astype(np.float32)

    def _folds(self):
        """Relief of every fold at strength 1, in px, over the face's window: {name: (H, W)}."""
        folds = {}
        for name in {**GROOVES, **SWELLINGS}:
            z = np.zeros(self.face.shape, np.float32)
            for depth, wide, points in GROOVES.get(name, ()):
                z -= depth * self._groove(wide, points)
            for hill in SWELLINGS.get(name, ()):
                z += _hill(self.face.x, self.face.y, hill)
            folds[name] = (z * UNIT_PX).astype(np.float32)
        return folds

    def _groove(self, wide, points):
        """A line through `points` and its mirror, thinning out at the ends; 1 on the line."""
        along = np.linspace(0, len(points) - 1, 60)
        line = np.array([np.interp(along, range(len(points)), axis) for axis in np.transpose(points)]).T
        fade = np.sin(np.linspace(0.15 if points[0][0] else 1.5, np.pi - 0.15, 60))
        z = np.zeros(self.face.shape, np.float32)
        for side in (-1, 1):
            for (at_x, at_y), strength in zip(line, fade, strict=True):
                z = np.maximum(z, strength * bump(self.face.x, self.face.y, side * at_x, at_y, wide, wide))
        return z

    def _back(self):
        """What lies behind the face: ears and the hair at the back, linear colour and alpha."""
        x, y = self.whole.x, self.whole.y
        ear_alpha = np.zeros(self.whole.shape, np.float32)
        relief = np.zeros(self.whole.shape, np.float32)
        for side in (-1, 1):
            u, v = (x - side * 0.99) / 0.14, (y - 0.17 - 0.10 * (x * side - 1.02)) / 0.33
            r = np.sqrt(u * u + v * v)
            ear_alpha = np.maximum(ear_alpha, smooth(1.05, 0.95, r))
            relief += 9.0 * np.exp(-(((r - 0.80) / 0.22) ** 2)) - 5.0 * np.exp(-((r / 0.5) ** 2))
        skin = np.float32(SKIN) * 0.45 + np.float32(FLUSH) * 0.45
        ears = light(skin * np.ones((*self.whole.shape, 3), np.float32), cv2.GaussianBlur(relief, (0, 0), 1.0))
        hair, hair_alpha = self._hair(front=False)
        colour = ears * ear_alpha[..., None] + hair * (1 - ear_alpha)[..., None]
        return colour.astype(np.float32), np.maximum(ear_alpha, hair_alpha).astype(np.float32)

    def _hair(self, front):
        """Short hair, combed from a parting: linear colour and alpha, behind or before the face."""
        x, y = self.whole.x, self.whole.y
        edge = 0.022 * grain(self.whole.shape, (1.0, 3.0), 6)
        skull = np.sqrt((x / 1.09) ** 2 + ((y + 0.52) / 1.25) ** 2) + 0.4 * edge
        alpha = smooth(1.02, 0.96, skull) * smooth(0.30, 0.05, y + edge)
        if front:
            line = -1.00 - 0.16 * np.exp(-(((x - 0.38) / 0.30) ** 2)) + 0.75 * np.abs(x) ** 4.5 + 1.2 * edge
            burns = smooth(0.02, -0.05, y + edge) * smooth(0.90, 0.96, np.abs(x) + 0.3 * edge)
            alpha = alpha * np.maximum(smooth(0.04, -0.05, y - line), burns)
        angle = np.arctan2(y + 1.9, x - 0.35)
        strands = cv2.remap(
            grain((64, 1024), (0.8, 12), 7),
            ((angle / np.pi + 1) * 400 + 60).astype(np.float32),
            (np.hypot(x - 0.35, y + 1.9) * 12 + 8).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        strands = 0.7 * strands + 0.5 * grain(self.whole.shape, (0.8, 2.5), 8)
        sheen = 0.9 * bump(x, y, -0.35, -1.32, 0.55, 0.20) + 0.35 * bump(x, y, 0.6, -1.20, 0.30, 0.25)
        round_off = smooth(1.05, 0.55, skull)
        bright = (0.45 + 0.9 * round_off + 3.2 * sheen) * np.exp(0.38 * strands)
        colour = np.float32(HAIR) * bright[..., None] * np.float32((0.85, 0.9, 1.0))
        return colour.astype(np.float32), alpha.astype(np.float32)

    # What a pose moves ----------------------------------------------------------------------------

    def paint(self, pose) -> Head:
        """The head of a pose (all keys of face_actions.REST)."""
        relief, skin, oval = self._sunk(pose)
        for name, fold in self.folds.items():
            if pose[name] > 0.01:
                relief = relief + pose[name] * fold
        relief = np.ascontiguousarray(relief)
        lips = Lips(self.mouth, pose)
        part = self._in_face(self.mouth)
        relief[part] += lips.relief_px
        skin[part] = mix(skin[part], LIP * (1 + 0.04 * self.mouth.of(self.hairs)[..., None]), lips.red)
        for side, window in zip((-1, 1), self.brows, strict=True):
            brow = self._brow(window, side, pose)
            part = self._in_face(window)
            skin[part] = mix(skin[part], BROW, brow)
            relief[part] += 1.2 * brow
        colour = light(skin, relief + self.face.of(self.pores))
        part = self._in_face(self.mouth)
        colour[part] = lips.opened(colour[part])
        for side, window in zip((-1, 1), self.eyes, strict=True):
            part = self._in_face(window)
            colour[part] = eye(window, side, pose, colour[part])
        return self._assembled(colour, oval, relief)

    def _in_face(self, window):
        """Where a window lies inside the face's window."""
        top, left = window.rows.start - self.face.rows.start, window.columns.start - self.face.columns.start
        return slice(top, top + window.shape[0]), slice(left, left + window.shape[1])

    def _sunk(self, pose):
        """Relief, skin and oval of the face's window, the jaw let down."""
        jaw = pose["jaw"]
        aside = smooth(0.30, 0.80, np.abs(self.face.x))  # cheeks stretch over a longer way than lips
        down = smooth(MOUTH_Y - 0.12 - 0.95 * aside, MOUTH_Y + 0.22 + 0.35 * aside, self.face.y - 0.5 * jaw)
        rows = np.broadcast_to((np.arange(self.face.shape[0])[:, None] - jaw * UNIT_PX * down), self.face.shape)
        columns = np.broadcast_to(np.arange(self.face.shape[1])[None], self.face.shape)
        rows, columns = np.float32(rows), np.float32(columns)
        return tuple(
            cv2.remap(np.ascontiguousarray(self.face.of(a)), columns, rows, cv2.INTER_LINEAR)
            for a in (self.skin_relief, self.skin, self.oval)
        )

    def _brow(self, window, side, pose):
        """How much of a brow's hair covers each pixel of its window, 0..1."""
        u = side * window.x
        inner, outer = pose["brow_inner_x"], 0.80
        t = np.clip((u - inner) / (outer - inner), 0, 1)
        a, b, c = pose["brow_inner_y"], pose["brow_middle_y"], pose["brow_outer_y"]
        middle = a * (1 - t) * (1 - 2 * t) + 4 * b * t * (1 - t) + c * t * (2 * t - 1)
        thick = 0.075 * (1 - 0.75 * t**1.6) * smooth(-0.10, 0.16, t + 0.02)
        ends = smooth(inner - 0.05, inner + 0.06, u) * smooth(outer + 0.02, outer - 0.14, u)
        body = np.exp(-(((window.y - middle) / np.maximum(thick, 0.012)) ** 4))
        return np.clip(body * ends * (0.84 + 0.16 * window.of(self.hairs)), 0, 0.97)

    def _assembled(self, colour, oval, relief):
        back = self.back.copy()
        alpha = self.back_alpha.copy()
        z = np.zeros(self.whole.shape, np.float32)
        here = (self.face.rows, self.face.columns)
        back[here] = mix(back[here], colour, oval)
        alpha[here] = np.maximum(alpha[here], oval)
        z[here] = relief * oval
        top = slice(0, round((0.4 - TOP) * UNIT_PX))
        back[top] = mix(back[top], self.fringe[top], self.fringe_alpha[top])
        return Head(back, alpha, z)


class Lips:
    """The mouth of a pose between four curves: edges of both lips, outer and inner."""

    def __init__(self, window, pose):
        x, self.y = window.x, window.y
        corner, self.jaw = pose["corner_x"], pose["jaw"]
        s = np.clip(np.abs(x) / corner, 0, 1)
        inside = np.clip(1 - s * s, 0, 1)
        opening = inside ** (0.9 - 0.4 * pose["lips_round"])
        line = MOUTH_Y + pose["corner_y"] * s**1.7 + 0.006 * (1 - s) * np.cos(7 * s)
        self.upper = line - max(pose["lips_up"], 0) * opening
        self.lower = line + max(pose["lips_down"], 0) * opening
        bow = 1 - 0.22 * np.exp(-((x / 0.07) ** 2)) + 0.05 * np.exp(-(((np.abs(x) - 0.12) / 0.06) ** 2))
        full = inside**0.62
        self.top = self.upper - pose["upper_lip"] * full * bow
        self.bottom = self.lower + pose["lower_lip"] * inside**0.55
        self.within = smooth(corner + 0.02, corner - 0.02, np.abs(x))
        px = 1.0 / UNIT_PX
        soft = 1.2 * px
        self.gap = (
            self.within * smooth(-soft, soft, self.y - self.upper) * smooth(-soft, soft, self.lower - self.y)
        )
        self.red = (
            self.within
            * smooth(-2.2 * px, 2.2 * px, self.y - self.top)
            * smooth(-2.6 * px, 2.6 * px, self.bottom - self.y)
        ) * 0.9
        self.relief_px = UNIT_PX * self._bulge(pose).astype(np.float32)
        self.corner, self.x = corner, x

    def _bulge(self, pose):
        up = np.clip((self.y - self.top) / np.maximum(self.upper - self.top, 0.01), 0, 1)
        down = np.clip((self.y - self.lower) / np.maximum(self.bottom - self.lower, 0.01), 0, 1)
        shape = 0.05 * np.sin(np.pi * up**1.3) + 0.065 * np.sin(np.pi * down**0.75)
        return shape * self.within * smooth(0.0, 0.06, self.bottom - self.top)

    def opened(self, colour):
        """`colour` with the dark line between the lips, and what shows where they part."""
        px = 1.0 / UNIT_PX
        seam = np.minimum(np.abs(self.y - self.upper), np.abs(self.y - self.lower))
        dark = 0.75 * np.exp(-((seam / (1.3 * px)) ** 2)) * self.within
        colour = colour * (1 - dark)[..., None]
        return mix(colour, self._inside(), self.gap)

    def _inside(self):
        """What shows between parted lips: darkness, tongue, gums, two rows of teeth."""
        s = np.abs(self.x) / 0.50
        height = self.lower - self.upper
        tongue = smooth(0.75, 0.95, (self.y - self.upper) / np.maximum(height, 0.02)) * smooth(
            0.22, 0.34, height
        )
        deep = np.float32(CAVITY) * np.ones((*self.gap.shape, 3), np.float32)
        deep = mix(deep, TONGUE, tongue * smooth(1.0, 0.5, np.abs(self.x) / self.corner) * 0.6)
        beside = np.abs(self.x) / 0.095 % 1.0  # how far from the gap between two teeth, in teeth
        gaps = 1 - 0.35 * np.exp(-((np.minimum(beside, 1 - beside) / 0.085) ** 2))
        lit = gaps * (1 - 0.55 * s**1.5) * (0.70 + 0.30 * smooth(0.0, 0.06, self.y - self.upper))
        teeth = np.float32(TEETH) * lit[..., None]
        deep = mix(deep, 0.7 * teeth, self._lower_teeth(s))
        root = MOUTH_Y - 0.09 - 0.02 * np.abs(np.sin(np.pi * self.x / 0.095)) - 0.06 * s**2
        upper = mix(np.float32(GUM) * lit[..., None], teeth, smooth(-0.01, 0.01, self.y - root))
        return mix(deep, upper, self._upper_teeth(s))

    def _upper_teeth(self, s):
        edge = np.minimum(MOUTH_Y + 0.075 - 0.10 * s**2 + 0.02 * (self.upper - MOUTH_Y), self.lower - 0.012)
        return smooth(0.0, 0.02, edge - self.y) * smooth(1.0, 0.8, s)

    def _lower_teeth(self, s):
        edge = MOUTH_Y + 0.10 - 0.05 * s**2 + 0.95 * self.jaw
        return smooth(0.0, 0.02, self.y - edge) * smooth(0.9, 0.6, s)


def eye(window, side, pose, skin):
    """`skin` (H, W, 3), linear, with one eye: lids' edges and crease, eyeball, iris, lashes."""
    px = 1.0 / UNIT_PX
    u = (side * window.x - EYE_X) / EYE_HALF  # -1 inner corner, 1 outer
    y = window.y + 0.015 * u
    arch = np.clip(1 - u * u, 0, 1)
    upper = -pose["lid_upper"] * arch**0.62 * (1 - 0.10 * u) + pose["lid_droop"] * u * arch
    lower = pose["lid_lower"] * arch**0.80 * (1 + 0.14 * u)
    upper = np.minimum(upper, lower)
    width = smooth(1.02, 0.97, np.abs(u))
    open_ = width * smooth(-px, px, y - upper) * smooth(-px, px, lower - y)
    fold = -(0.078 + LID_FOLD) * np.clip(1.10 - u * u, 0, 1) ** 0.6 - 0.35 * (pose["lid_upper"] - 0.078)
    crease = 0.45 * np.exp(-(((y - fold) / 0.020) ** 2)) * smooth(1.15, 0.85, np.abs(u))
    skin = skin * (1 - crease)[..., None]
    ball = _ball(window, side, y, upper, pose, u)
    colour = mix(skin, ball, open_)
    lash = np.exp(-(((y - upper + 0.006) / (0.015 + 0.006 * u)) ** 2)) * smooth(1.14, 0.94, np.abs(u + 0.02))
    under = 0.35 * np.exp(-(((y - lower) / 0.010) ** 2)) * smooth(1.0, 0.8, np.abs(u))
    return mix(colour, BROW, np.clip(0.92 * lash + under, 0, 0.95))


def _ball(window, side, y, upper, pose, u):
    """The eyeball as seen between the lids: white, iris, pupil, the lid's shadow and a light in it."""
    px = 1.0 / UNIT_PX
    white = np.float32(SCLERA) * (1 - 0.38 * u * u)[..., None] * np.ones((*y.shape, 1), np.float32)
    pink = np.clip((np.abs(u) - 0.75) / 0.25, 0, 1) * 0.5
    white = mix(white, np.float32((0.25, 0.25, 0.50)), pink * np.ones_like(y))
    r = np.hypot(side * window.x - EYE_X, y - pose["gaze_y"])
    iris = np.float32(IRIS_COLOUR) * (0.55 + 0.9 * smooth(0.9 * IRIS, 0.35 * IRIS, r))[..., None]
    iris = iris * (0.5 + 0.5 * smooth(IRIS, 0.85 * IRIS, r))[..., None]
    ball = mix(white, iris, smooth(IRIS + px, IRIS - px, r))
    ball = ball * (1 - 0.97 * smooth(0.036 + px, 0.036 - px, r))[..., None]
    ball = ball * (0.45 + 0.55 * smooth(0.0, 0.07, y - upper))[..., None]
    spark = np.exp(-((np.hypot(window.x - side * EYE_X + 0.028, y - pose["gaze_y"] + 0.030) / 0.016) ** 2))
    return ball + 0.9 * spark[..., None]


def light(albedo, relief_px):
    """Linear colour of a lit surface: albedo (H, W, 3), relief (H, W) in px, both float32."""
    dx = cv2.Sobel(relief_px, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
    dy = cv2.Sobel(relief_px, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
    nz = 1.0 / np.sqrt(1.0 + dx * dx + dy * dy)
    nx, ny = -dx * nz, -dy * nz
    hollow = relief_px - cv2.blur(relief_px, (15, 15))
    open_sky = np.clip(1.0 + 0.075 * hollow, 0.30, 1.15)
    lit = np.empty(albedo.shape, np.float32)
    key, fill = _towards(KEY[0], nx, ny, nz), _towards(FILL[0], nx, ny, nz)
    sky = 0.75 - 0.45 * ny
    gloss = 0.05 * _gloss(nx, ny, nz)
    for c in range(3):
        wrap = 0.10 + 0.09 * c  # red light goes furthest under the skin
        lit[..., c] = KEY[1][c] * np.clip((key + wrap) / (1 + wrap), 0, None)
        lit[..., c] += FILL[1][c] * np.clip((fill + wrap) / (1 + wrap), 0, None)
        lit[..., c] += AMBIENT[c] * sky
        lit[..., c] *= open_sky
    return albedo * lit + gloss[..., None]


def _towards(direction, nx, ny, nz):
    x, y, z = np.array(direction) / np.linalg.norm(direction)
    return np.float32(x) * nx + np.float32(y) * ny + np.float32(z) * nz


def _gloss(nx, ny, nz):
    half = np.array(KEY[0]) / np.linalg.norm(KEY[0]) + (0, 0, 1)
    return np.clip(_towards(half, nx, ny, nz), 0, 1) ** 24


def mix(below, above, alpha):
    """`above` laid over `below` with alpha (H, W)."""
    a = alpha[..., None]
    return below * (1 - a) + np.asarray(above, np.float32) * a


def _hill(x, y, hill):
    height, at_x, at_y, wide, high = hill
    z = bump(x, y, at_x, at_y, wide, high)
    return height * (z + bump(x, y, -at_x, at_y, wide, high) if at_x else z)


def _filled(shape, outline, blur_px):
    """Alpha of a closed outline in face units."""
    points = np.round((outline - (LEFT, TOP)) * UNIT_PX * 16).astype(np.int32)
    alpha = np.zeros(shape, np.uint8)
    cv2.fillPoly(alpha, [points], 255, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(alpha, (0, 0), blur_px).astype(np.float32) / 255
