"""What is shown to all that is measured: short clips as the JPEGs a robot would send, and how to vary them.

Real clips are used where there are some (--clip, or ../shared/media beside the repository), else a scene of
our own making. They are kept in memory, as bytes; nothing is measured in here.
"""

from itertools import islice
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from config.contract import Frame
from inference_server.film import open_source
from robot_app.virtual.pictures import fit

FPS = 15
SECONDS = 10  # of each clip
QUALITY = 80
VGA = (640, 480)
SIZES = {"qqvga": (160, 120), "qvga": (320, 240), "vga": VGA, "960p": (1280, 960)}
MEDIA = Path(__file__).parents[3] / "shared" / "media"
USUAL = ("WolfgangLanger_Pexels.mp4", "single_face.mp4")  # one face in each


class Clip(NamedTuple):
    """Pictures at FPS, each (H, W, 3) uint8 BGR, and the same as JPEG."""

    name: str
    pictures: list[np.ndarray]
    jpegs: list[bytes]

    def frame(self, i: int) -> Frame:
        """The i-th frame of a robot that looks at it for ever: forth and back, so that nothing ever jumps."""
        last = len(self.jpegs) - 1
        place = last - abs(last - i % (2 * last)) if last else 0
        height, width = self.pictures[0].shape[:2]
        jpeg = self.jpegs[place]
        return Frame(i, i / FPS, width, height, "jpeg", "bench", None, None, None, jpeg)


def find(paths: tuple[Path, ...] = ()) -> list[Clip]:
    """The clips of these paths in VGA, else the usual ones, else our own scene."""
    paths = paths or tuple(MEDIA / name for name in USUAL if (MEDIA / name).is_file())
    if not paths:
        return [scene()]
    return [clip(path.stem, (cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR) for rgb in _at_fps(path))) for path in paths]


def scene() -> Clip:
    """Our own: somebody who smiles and wonders."""
    from robot_app.virtual.scene import DemoScene

    painted = DemoScene()
    return clip("scene", (painted.picture(2 + i / FPS) for i in range(FPS * SECONDS)))


def nobody() -> Clip:
    """Our scene's room while nobody is there."""
    from robot_app.virtual.scene import DemoScene

    painted = DemoScene()
    return clip("nobody", (painted.picture(44 + i / FPS) for i in range(FPS * 2)))


def clip(name: str, pictures, size: tuple[int, int] = VGA) -> Clip:
    """A Clip of BGR pictures, fitted to `size` (width, height)."""
    fitted = [fit(picture, *size) for picture in pictures]
    return Clip(name, fitted, [_jpeg(picture) for picture in fitted])


def resized(one: Clip, size: str) -> Clip:
    """The same clip in one of SIZES."""
    return clip(size, one.pictures, SIZES[size])


def crowded(one: Clip, faces: int) -> Clip:
    """The same clip with its middle, where the face is, `faces` times side by side in VGA, on gray."""
    columns = max(1, int(np.ceil(np.sqrt(faces))))
    pictures = []
    for picture in one.pictures:
        height, width = picture.shape[:2]
        middle = picture[:, (width - height) // 2 : (width + height) // 2]
        crowd = np.full((VGA[1], VGA[0], 3), 128, np.uint8)
        side = min(VGA[0] // columns, VGA[1] // -(-faces // columns)) if faces else 0
        for k in range(faces):
            top, left = k // columns * side, k % columns * side
            crowd[top : top + side, left : left + side] = fit(middle, side, side)
        pictures.append(crowd)
    return clip(f"{faces} faces", pictures)


def _at_fps(path: Path):
    """The pictures of a film, FPS a second by its own times, for at most SECONDS."""
    return islice(_thinned(open_source(path)), FPS * SECONDS)


def _thinned(source):
    due_s = 0.0
    for shot in source.shots:
        if shot.rgb is not None and shot.time_s >= due_s - 1e-3:
            due_s += 1 / FPS
            yield shot.rgb


def _jpeg(picture: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
