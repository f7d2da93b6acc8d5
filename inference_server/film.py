"""Recorded pictures in, with their times; an annotated film out. One picture in memory at a time.

This file decodes, draws and encodes; it never looks for faces. Times are those of the file: the film may
have any frame rate, also a changing one, and lie on its side (its rotation flag is obeyed).
"""

import queue
import re
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange

from behaviors.mood import Feeling
from config.contract import EMOTIONS, Face

FILM_ENDS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".ogv", ".flv", ".wmv")
WEBCAM = re.compile(r"webcam(?::(\d+))?\Z")
IMAGE_ENDS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
# The containers we open, by libav's names; it would open text, and lists of other files and addresses, too.
FILMS = "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,ogg,flv,asf,gif,ivf,h264,hevc,yuv4mpegpipe"
LUMA_FIRST = {f"yuv{j}{way}p" for j in ("", "j") for way in ("420", "422", "444")} | {"nv12", "nv21"}
STRETCHED = ((np.arange(256) - 16) * 255 / 219).round().clip(0, 255).astype(np.uint8)  # video's black is 16
CLOCK_HZ = 90_000  # of the films we write
WHITE = (255, 255, 255)


class FilmError(ValueError):
    """The source cannot be read at all; one sentence says why."""


class Shot(NamedTuple):
    """One picture of a source: time_s from its first, and what it shows.

    gray  (H, W) uint8; None where it is broken
    rgb   (H, W, 3) uint8; None where it is broken, or colour was not asked for
    """

    time_s: float
    gray: np.ndarray | None = None
    rgb: np.ndarray | None = None


class Source(NamedTuple):
    """A film, an image, a folder of images or a webcam; `shots` is walked once. count: None if not known."""

    shots: Iterator[Shot]
    count: int | None
    is_image: bool


def open_source(path: Path, rate_hz: float = 1.0, colour: bool = True) -> Source:
    """The pictures of `path`; those of a folder come in the order of their names, `rate_hz` a second.

    Without `colour` films are decoded to gray alone, the same gray; it is less work.
    "webcam" or "webcam:1" is a camera, which is read for as long as its pictures are taken.
    Raises FilmError, here or at the first shot, where there is no picture.
    """
    camera = WEBCAM.match(str(path))
    if camera and not path.exists():
        return _webcam(int(camera[1] or 0))
    if not path.exists():
        raise FilmError(f"{path} does not exist.")
    if path.is_dir():
        images = sorted((p for p in path.iterdir() if p.suffix.lower() in IMAGE_ENDS), key=natural)
        if not images:
            raise FilmError(f"{path} holds no images ({', '.join(end[1:] for end in IMAGE_ENDS)}).")
        return Source(_images(images, rate_hz), len(images), False)
    if path.suffix.lower() in IMAGE_ENDS:
        if cv2.haveImageReader(str(path)):
            return Source(_images([path], rate_hz), 1, True)
        raise FilmError(f"{path} is not an image, whatever its name says.")
    return _film(path, colour)


def natural(path: Path) -> list:
    """A key that sorts 2.png before 10.png."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name.lower())]


def _images(paths: list[Path], rate_hz: float) -> Iterator[Shot]:
    for i, path in enumerate(paths):
        try:
            bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
        except cv2.error:
            bgr = None
        yield _shot(i / rate_hz, bgr)


def _shot(time_s: float, bgr: np.ndarray | None) -> Shot:
    if bgr is None:
        return Shot(time_s)
    return Shot(time_s, cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))


def _webcam(device: int | str) -> Source:
    camera = cv2.VideoCapture(device)
    if not camera.isOpened():
        raise FilmError(f"webcam {device} cannot be opened: is it there, and does no other program use it?")
    return Source(_taken(camera), None, False)


def _taken(camera: cv2.VideoCapture) -> Iterator[Shot]:
    """A camera has no times of its own: they are those at which its pictures come."""
    started_s = time.monotonic()
    try:
        while True:
            got, bgr = camera.read()
            if not got:
                return
            yield _shot(time.monotonic() - started_s, bgr)
    finally:
        camera.release()


def _film(path: Path, colour: bool) -> Source:
    try:
        container = av.open(str(path), options={"format_whitelist": FILMS})
    except (av.FFmpegError, OSError) as error:
        raise FilmError(f"{path} is neither a film nor an image ({error.strerror or error}).") from None
    if not container.streams.video:
        container.close()
        raise FilmError(f"{path} has no video in it.")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return Source(_shots(container, stream, colour), _count(container, stream), False)


def _count(container, stream) -> int | None:
    if stream.frames:
        return stream.frames
    if container.duration and stream.average_rate:
        return round(container.duration / av.time_base * stream.average_rate)
    return None


def _shots(container, stream, colour: bool) -> Iterator[Shot]:
    """Every frame with its own time from the first; a broken packet is a Shot without a picture."""
    first_s, time_s = None, 0.0
    step_s = float(1 / stream.average_rate) if stream.average_rate else 1 / 25
    packets = container.demux(stream)
    with container:
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                frames = packet.decode()
            except av.EOFError:
                return
            except av.FFmpegError:
                yield Shot(time_s)
                continue
            for frame in frames:
                given_s = time_s + step_s if frame.time is None else frame.time
                first_s = given_s if first_s is None else first_s
                time_s = max(time_s, given_s - first_s)  # time never falls
                rgb = _upright(frame.to_ndarray(format="rgb24"), frame) if colour else None
                yield Shot(time_s, _upright(_gray(frame), frame), rgb)


def _gray(frame: av.VideoFrame) -> np.ndarray:
    """Its luma where that lies there as bytes, stretched to 0..255: less than half the work of its colours."""
    if frame.format.name not in LUMA_FIRST:
        return cv2.cvtColor(frame.to_ndarray(format="rgb24"), cv2.COLOR_RGB2GRAY)
    plane = frame.planes[0]
    luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    is_full = frame.format.name.startswith("yuvj") or frame.color_range == ColorRange.JPEG
    return luma.copy() if is_full else cv2.LUT(luma, STRETCHED)


def _upright(picture: np.ndarray, frame: av.VideoFrame) -> np.ndarray:
    turns = round(frame.rotation / 90)  # counterclockwise
    return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture


# ---- beside the reader: one thread decodes ahead, one draws and encodes behind ------------------------

DEPTH = 4  # pictures that wait on either side
PATIENCE_S = 0.2  # between two looks whether the other side has ended
END = object()


def ahead(items: Generator) -> Iterator:
    """The same items, made by a thread that is at most DEPTH of them ahead; its errors are raised here."""
    ready: queue.Queue = queue.Queue(DEPTH)
    over = threading.Event()

    def make() -> None:
        end = END
        try:
            with closing(items):
                for item in items:
                    if not _put(ready, item, over):
                        return
        except Exception as error:
            end = _Failed(error)
        finally:
            _put(ready, end, over)

    maker = threading.Thread(target=make, name="decoder", daemon=True)
    maker.start()
    try:
        while (item := ready.get()) is not END:
            if isinstance(item, _Failed):
                raise item.error
            yield item
    finally:
        over.set()
        maker.join()


class Behind:
    """Calls `work` for what is added, in a thread; add() waits while DEPTH wait, and raises what it raised."""

    def __init__(self, work: Callable[..., None]):
        self._work = work
        self._waiting: queue.Queue = queue.Queue(DEPTH)
        self._failed: Exception | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="film", daemon=True)
        self._thread.start()

    def add(self, *what: Any) -> None:
        if not _put(self._waiting, what, self._over):
            raise self._failed

    def close(self) -> None:
        """Wait until all is worked off."""
        _put(self._waiting, END, self._over)
        self._thread.join()
        if self._failed:
            raise self._failed

    def _run(self) -> None:
        try:
            while (what := self._waiting.get()) is not END:
                self._work(*what)
        except Exception as error:
            self._failed = error
            self._over.set()


class _Failed(NamedTuple):
    error: Exception


def _put(line: queue.Queue, item: Any, over: threading.Event) -> bool:
    """Put it as soon as there is room; False where the other side has ended."""
    while not over.is_set():
        with suppress(queue.Full):
            line.put(item, timeout=PATIENCE_S)
            return True
    return False


# ---- the annotated film ------------------------------------------------------------------------------


class Film:
    """Writes an H.264 film, each picture at its own time and fitted into the size of the first."""

    def __init__(self, path: Path):
        self._path = path
        self._container = None
        self._last_pts = -1

    def add(self, rgb: np.ndarray, time_s: float) -> None:
        if self._container is None:
            self._open(rgb.shape[1], rgb.shape[0])
        picture = cv2.cvtColor(fitted(rgb, self._stream.width, self._stream.height), cv2.COLOR_RGB2YUV_I420)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")  # libav would take 2 ms more for it
        frame.pts = self._last_pts = max(round(time_s * CLOCK_HZ), self._last_pts + 1)
        frame.time_base = Fraction(1, CLOCK_HZ)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        if self._container is not None:
            self._container.mux(self._stream.encode())
            self._container.close()

    def _open(self, width: int, height: int) -> None:
        options = {"preset": "superfast", "crf": "22", "threads": "1"}
        self._container = av.open(str(self._path), "w")
        self._stream = self._container.add_stream("libx264", rate=30, options=options)
        self._stream.width, self._stream.height = width + width % 2, height + height % 2  # must be even
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, CLOCK_HZ)


def fitted(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
    """The picture as large as it goes in (height, width), black around it."""
    if rgb.shape[:2] == (height, width):
        return rgb
    scale = min(width / rgb.shape[1], height / rgb.shape[0])
    if abs(scale - 1) > 0.01:
        size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    canvas = np.zeros((height, width, 3), np.uint8)
    y, x = max(0, height - rgb.shape[0]) // 2, max(0, width - rgb.shape[1]) // 2
    part = rgb[:height, :width]
    canvas[y : y + part.shape[0], x : x + part.shape[1]] = part
    return canvas


def annotated(rgb: np.ndarray, faces: list[Face], feeling: Feeling) -> np.ndarray:
    """A copy with each face's emotion in white over it, as in paper 000, and the mood in the corner."""
    rgb = rgb.copy()
    size = max(0.5, rgb.shape[0] / 600)  # of the letters
    for face in faces:
        x, y, width, height = (round(v) for v in face.box_px)
        cv2.rectangle(rgb, (x, y), (x + width, y + height), WHITE, max(1, round(2 * size)), cv2.LINE_AA)
        leader = max(range(len(EMOTIONS)), key=lambda i: face.scores[i])
        _write(rgb, f"{EMOTIONS[leader]} {face.scores[leader]:.0%}", x, y, size)
    mood = f"mood: {feeling.emotion} {feeling.confidence:.0%}" if feeling.emotion else "mood: undecided"
    _write(rgb, mood if faces or feeling.emotion else "mood: nobody there", 0, rgb.shape[0], size)
    return rgb


def _write(rgb: np.ndarray, text: str, left: int, bottom: int, size: float) -> None:
    """White letters on a darkened plate; its lower left corner is at (left, bottom), or just inside."""
    font, weight, rim = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(1.5 * size)), round(8 * size)
    (width, height), below = cv2.getTextSize(text, font, size, weight)
    left = max(0, min(left, rgb.shape[1] - width - 2 * rim))
    bottom = min(max(bottom, height + below + rim), rgb.shape[0])
    rgb[bottom - height - below - rim : bottom, left : left + width + 2 * rim] //= 3
    at = (left + rim, bottom - below - rim // 2)
    cv2.putText(rgb, text, at, font, size, WHITE, weight, cv2.LINE_AA)
