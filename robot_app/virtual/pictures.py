"""Where the virtual NAO's camera gets its pictures: film, photos, webcam, the demo scene, or plain grey.

A source answers `picture(t_s) -> (H, W, 3) uint8 BGR`, t_s being the seconds since the camera was first looked
through, and `close()`. It never scales or converts; `fit` below does, and never distorts.
"""

import threading
from pathlib import Path

import cv2
import numpy as np

PHOTOS = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
PHOTO_S = 2.0  # how long each photo of a folder is shown
USUAL_FPS = 25.0  # of a film that does not say
BLACK = np.zeros((480, 640, 3), np.uint8)


class SourceError(ValueError):
    """A camera source that cannot be opened; the text is a sentence for a person."""


def open_source(spec: str, loop: bool = True):
    """The source that `spec` names: demo, none, webcam, webcam:1, or a film, a photo, a folder of photos.

    loop    False: a film or a folder is followed by black
    Raises SourceError.
    """
    kind, _, rest = spec.partition(":")
    if spec == "none":
        return Grey()
    if spec == "demo":
        return _demo()
    if kind == "webcam" and (not rest or rest.isdigit()):
        return Webcam(int(rest or 0))
    path = Path(spec)
    if path.is_dir():
        photos = sorted(item for item in path.iterdir() if item.suffix.lower() in PHOTOS)
        if not photos:
            raise SourceError(f"camera: the folder {spec} holds no photo ({', '.join(PHOTOS)}).")
        return Photos(photos, loop)
    if not path.is_file():
        raise SourceError(
            f"camera: there is no {spec}; give a film, a photo, a folder of photos, webcam, demo or none."
        )
    return Photos([path]) if path.suffix.lower() in PHOTOS else Film(path, loop)


def _demo():
    try:
        from .scene import DemoScene
    except ModuleNotFoundError as error:
        raise SourceError(f"camera: the demo scene is not in this copy of the project ({error}).") from None
    return Drawn(DemoScene())


class Grey:
    """Nothing to see: one even grey."""

    def __init__(self):
        self._picture = np.full((480, 640, 3), 128, np.uint8)

    def picture(self, t_s: float) -> np.ndarray:
        return self._picture

    def close(self):
        """Nothing to let go of."""


class Drawn:
    """A scene that draws itself: anything with `picture(t_s)`."""

    def __init__(self, scene):
        self.picture = scene.picture

    def close(self):
        """Nothing to let go of."""


class Photos:
    """Photos shown one after the other, PHOTO_S each; one alone stays."""

    def __init__(self, paths, loop=True):
        self._paths, self._loop = paths, loop
        self._shown, self._picture = None, None
        self._show(0)

    def picture(self, t_s: float) -> np.ndarray:
        index = int(t_s / PHOTO_S)
        if len(self._paths) > 1 and not self._loop and index >= len(self._paths):
            return BLACK
        self._show(index % len(self._paths))
        return self._picture

    def _show(self, index):
        if index != self._shown:
            picture = cv2.imread(str(self._paths[index]), cv2.IMREAD_COLOR)
            if picture is None:
                raise SourceError(f"camera: {self._paths[index]} is not a photo that can be read.")
            self._shown, self._picture = index, picture

    def close(self):
        """Nothing to let go of."""


class Film:
    """A film file in its own time. Time that goes back, by little, shows the same picture again."""

    def __init__(self, path, loop=True):
        self._path, self._loop = path, loop
        self._file = self._open()
        fps = self._file.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 1 <= fps <= 1000 else USUAL_FPS
        self._read = 0  # pictures so far, over all rounds
        self._round = 0  # pictures so far in this round
        self._length = 0  # pictures of one round, once known
        self._picture = None
        if not self._advance():
            raise SourceError(f"camera: {path} holds no pictures that can be read.")
        self._keep()

    def _open(self):
        file = cv2.VideoCapture(str(self._path))
        if not file.isOpened():
            raise SourceError(f"camera: {self._path} is neither a film nor a photo that can be read.")
        return file

    def picture(self, t_s: float) -> np.ndarray:
        index = int(t_s * self.fps + 1e-6)
        if self._length and index - self._read > self._length:  # nobody looked for rounds: skip whole ones
            self._read += (index - self._read) // self._length * self._length
        moved = False
        while self._read <= index:
            if not self._advance():
                self._picture = BLACK
                return BLACK
            moved = True
        if moved:
            self._keep()
        return self._picture

    def _advance(self) -> bool:
        """Go on by one picture, into the next round at the end; False where the film is over."""
        if not self._file.grab():
            self._length = self._round
            if not self._loop or not self._length:
                return False
            self._file.release()
            self._file = self._open()
            self._round = 0
            if not self._file.grab():
                return False
        self._read += 1
        self._round += 1
        return True

    def _keep(self):
        read, picture = self._file.retrieve()
        if read:
            self._picture = picture

    def close(self):
        """Close the file."""
        self._file.release()


class Webcam:
    """A camera of this machine; a thread keeps its newest picture, so that none is old."""

    def __init__(self, number=0):
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # what it would say is said below
        self._file = cv2.VideoCapture(number)
        cv2.utils.logging.setLogLevel(level)
        read, self._picture = self._file.read()
        if not read:
            self._file.release()
            raise SourceError(f"camera: no webcam {number} answers; plug one in, or give a film, demo or none.")
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._look, name="webcam", daemon=True)
        self._thread.start()

    def _look(self):
        while not self._closing.is_set():
            read, picture = self._file.read()
            if read:
                self._picture = picture
            else:
                self._closing.wait(0.1)

    def picture(self, t_s: float) -> np.ndarray:
        return self._picture

    def close(self):
        """Give the camera back."""
        self._closing.set()
        self._thread.join(2)
        self._file.release()


def fit(picture: np.ndarray, width_px: int, height_px: int) -> np.ndarray:
    """The whole picture (H, W, 3), undistorted, on (height_px, width_px, 3); black bars fill the rest."""
    height, width = picture.shape[:2]
    if (width, height) == (width_px, height_px):
        return picture
    scale = min(width_px / width, height_px / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(picture, inner, interpolation=how)
    fitted = np.zeros((height_px, width_px, 3), np.uint8)
    left, top = (width_px - inner[0]) // 2, (height_px - inner[1]) // 2
    fitted[top : top + inner[1], left : left + inner[0]] = scaled
    return fitted
