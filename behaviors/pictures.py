"""The gallery: a contact sheet (PNG) and a moving picture (GIF) of the simulated body in each behaviour.

Drawn by preview.py from the angles that physics.py measured; nothing here judges. PC only, with the extra
[physics] (Pillow writes the GIFs).
"""

from pathlib import Path

import numpy as np

from behaviors import preview
from behaviors.keyframes import Behavior
from behaviors.physics import Run

FRAME_S = 0.1
PAUSE_S = 0.8  # on the last picture, before it begins anew
GIF_SCALE = 0.75
PNG_SCALE = 0.6
COLOURS = 48  # of a palette: few shades, small files


def draw(behavior: Behavior, run: Run, folder: Path) -> list[Path]:
    """Write folder/NAME.png and folder/NAME.gif; gives both paths."""
    png, gif = folder / f"{behavior.name}.png", folder / f"{behavior.name}.gif"
    sheet = preview.shrunk(preview.sheet(behavior, path=measured(run)), PNG_SCALE)
    _paletted([sheet], _lights(behavior))[0].save(png, optimize=True)
    times_s = np.arange(0, behavior.duration_s + FRAME_S, FRAME_S)
    figures = [preview.moment(behavior, t_s, "front", measured(run)) for t_s in times_s]
    frames = _paletted([preview.shrunk(figure, GIF_SCALE) for figure in figures], _lights(behavior))
    pauses_ms = [round(1000 * FRAME_S)] * (len(frames) - 1) + [round(1000 * PAUSE_S)]
    frames[0].save(gif, save_all=True, append_images=frames[1:], duration=pauses_ms, loop=0, optimize=True)
    return [png, gif]


def measured(run: Run) -> preview.Path:
    """Where the simulated body's joints were at t_s."""
    return lambda t_s: {joint: float(np.interp(t_s, run.times_s, path)) for joint, path in run.angles.items()}


def _paletted(pictures: list[np.ndarray], lights: list[tuple[int, int, int]]) -> list:
    """Pillow images with one palette for all, in which the few pixels of the lights have their share."""
    from PIL import Image

    height, width, _ = pictures[0].shape
    swatches = [np.full((max(height // 4, 1), width, 3), light, np.uint8) for light in lights]
    palette = Image.fromarray(np.vstack([*pictures[:4], *swatches])).quantize(COLOURS, dither=Image.Dither.NONE)
    return [Image.fromarray(p).quantize(palette=palette, dither=Image.Dither.NONE) for p in pictures]


def _lights(behavior: Behavior) -> list[tuple[int, int, int]]:
    """The colours of eyes and ears that a drawing of it may hold."""
    times_s = np.arange(0, behavior.duration_s, FRAME_S)
    eyes = dict.fromkeys(preview.eye_colour(behavior, t_s) for t_s in times_s)
    return [*eyes][:: max(len(eyes) // 12, 1)] + [preview.EAR_BLUE]
