"""ALVideoDevice: the two cameras, who looks through them, and the pictures in the form they asked for.

Both cameras show the same source. A subscriber gets one picture per period of its frame rate; within the period
it gets the same one again. The film begins at the first subscription.
"""

import math
import threading
import time

import cv2
import numpy as np

from .pictures import fit
from .service import Refused, Service, as_list, number, offered, word

SAME_NAME = 6  # subscriptions under one name, after Aldebaran's page
TOP_FPS = 30
CAMERAS = (0, 1)  # top, bottom

# id: (width, height), px
RESOLUTIONS = {
    8: (40, 30), 7: (80, 60), 0: (160, 120), 1: (320, 240), 2: (640, 480), 3: (1280, 960), 4: (2560, 1920),
}  # fmt: skip

KEEP_ALIVE = 35
# id: value at the start; brightness 0, contrast 1, saturation 2, hue 3, gain 6, flips 7 and 8, automatics 11 to
# 13, resolution 14, rate 15, exposure 17, camera 18, colour space 20, exposure algorithm 22, sharpness 24,
# white balance 33, backlight 34, keep alive 35, luminance 39, focus 40 and 43
PARAMETERS = {
    0: 0, 1: 32, 2: 64, 3: 0, 6: 32, 7: 0, 8: 0, 11: 1, 12: 1, 13: 1, 14: 2, 15: 30, 17: 100, 18: 0, 20: 9,
    22: 1, 24: 0, 33: 4000, 34: 0, KEEP_ALIVE: 0, 39: 128, 40: 1, 43: 0,
}  # fmt: skip


def _yuv(bgr):
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2YCrCb)[..., (0, 2, 1)]


def _yuv422(bgr):
    """(H, W, 2): Y0 U Y1 V, full range, the colour of each pair of pixels being its mean."""
    yuv = _yuv(bgr)
    packed = np.empty((*bgr.shape[:2], 2), np.uint8)
    packed[..., 0] = yuv[..., 0]
    colour = (yuv[:, 0::2, 1:].astype(np.uint16) + yuv[:, 1::2, 1:] + 1) // 2
    packed[:, 0::2, 1] = colour[..., 0]
    packed[:, 1::2, 1] = colour[..., 1]
    return packed


def _hsy(bgr):
    hsy = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV_FULL)
    hsy[..., 2] = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    return hsy


# id: (layers, function from (H, W, 3) BGR to the bytes' array); 0 to 8 are single channels
COLOUR_SPACES = {
    0: (1, lambda bgr: cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)),
    1: (1, lambda bgr: _yuv(bgr)[..., 1]),
    2: (1, lambda bgr: _yuv(bgr)[..., 2]),
    3: (1, lambda bgr: bgr[..., 2]),
    4: (1, lambda bgr: bgr[..., 1]),
    5: (1, lambda bgr: bgr[..., 0]),
    6: (1, lambda bgr: _hsy(bgr)[..., 0]),
    7: (1, lambda bgr: _hsy(bgr)[..., 1]),
    8: (1, lambda bgr: _hsy(bgr)[..., 2]),
    9: (2, _yuv422),
    10: (3, _yuv),
    11: (3, lambda bgr: bgr[..., ::-1]),
    12: (3, _hsy),
    13: (3, lambda bgr: bgr),
}


class Looker:
    """One subscription: what it asked for, and the picture it has now."""

    def __init__(self, camera, resolution, colour_space, fps, since_s):
        self.camera, self.resolution, self.colour_space, self.fps = camera, resolution, colour_space, fps
        self.since_s = since_s
        self.period = None
        self.image = None


class VideoDevice(Service):
    """ALVideoDevice. It has a lock of its own: pictures never wait for the body, nor the body for them."""

    name = "ALVideoDevice"

    def __init__(self, nao):
        super().__init__(nao)
        self.lock = threading.RLock()
        self._lookers = {}
        self._several = {}  # the handle of subscribeCameras: the handles of each camera
        self.hfov_rad, self.vfov_rad = map(math.radians, nao.profile.fov_deg)
        self._film_began_s = None
        self._put = {}  # camera: the picture that putImage gave last
        self._active = 0
        self._opened = set()
        self._parameters = {camera: dict(PARAMETERS) for camera in CAMERAS}
        self._epoch_s = time.time() - nao.clock_s

    @property
    def now_s(self) -> float:
        return self.nao.clock_s

    def close(self):
        """Let go of the source; subscribers get None from now on."""
        with self.lock:
            self._lookers.clear()
            self._several.clear()
            self.nao.camera.close()

    def seen(self, camera: int = 0):
        """(H, W, 3) uint8 BGR: what this camera would give now, whoever looks through it."""
        with self.lock:
            if camera in self._put:
                return self._put[camera]
            since_s = 0.0 if self._film_began_s is None else self.nao.clock_s - self._film_began_s
            return self.nao.camera.picture(since_s)

    def show(self, source):
        """Another source from now on, from its beginning, instead of what was put; the old one is closed."""
        with self.lock:
            self.nao.camera.close()
            self.nao.camera = source
            self._put.clear()
            if self._film_began_s is not None:
                self._film_began_s = self.nao.clock_s

    def leave_behind(self, handle):
        """A subscription that nobody will ever end: the limit for a name does not hold it back."""
        with self.lock:
            self._lookers[handle] = Looker(0, 2, 9, 15, self.nao.clock_s)

    @offered
    def subscribeCamera(self, name, camera, resolution, colour_space, fps):
        """Look through a camera; gives the handle that the other methods want."""
        looker = Looker(
            _camera(camera),
            self._resolution(resolution),
            _colour_space(colour_space),
            _fps(fps),
            self.nao.clock_s,
        )
        word(name, "the name")
        taken = {handle for handle in self._lookers if handle.rpartition("_")[0] == name}
        if len(taken) >= SAME_NAME:
            leaked = ", ".join(sorted(taken))
            raise Refused(f"{name!r} has subscribed {SAME_NAME} times already; unsubscribe one of {leaked}.")
        handle = next(h for h in (f"{name}_{n}" for n in range(SAME_NAME)) if h not in taken)
        if self._film_began_s is None:
            self._film_began_s = looker.since_s
            self.nao.notice(self.name, "the film begins")
        self._opened.add(camera)
        self._lookers[handle] = looker
        return handle

    @offered
    def subscribe(self, name, resolution, colour_space, fps):
        """Look through the active camera, as programs of old do; NAOqi 2.8 has this no more."""
        return self.subscribeCamera(name, self._active, resolution, colour_space, fps)

    @offered
    def subscribeCameras(self, name, cameras, resolutions, colour_spaces, fps):
        """Look through several cameras under one handle."""
        rows = [as_list(value) for value in (cameras, resolutions, colour_spaces)]
        if len({len(row) for row in rows}) != 1 or not rows[0]:
            raise Refused("as many resolutions and colour spaces as cameras are needed, and one at least.")
        handles = []
        try:
            for camera, resolution, colour_space in zip(*rows, strict=True):
                handles.append(self.subscribeCamera(name, camera, resolution, colour_space, fps))
        except Refused:
            for handle in handles:
                self.unsubscribe(handle)
            raise
        self._several[handles[0]] = handles
        return handles[0]

    @offered
    def unsubscribe(self, name):
        """End a subscription by its handle, or all of a name; True if there was any."""
        for handle in self._several.pop(name, [name])[1:]:
            self.unsubscribe(handle)
        gone = [handle for handle in self._lookers if name in (handle, handle.rpartition("_")[0])]
        for handle in gone:
            camera = self._lookers.pop(handle).camera
            if not self._parameters[camera][KEEP_ALIVE] and camera not in self._watched():
                self._opened.discard(camera)
        return bool(gone)

    def _watched(self):
        return {looker.camera for looker in self._lookers.values()}

    @offered
    def getSubscribers(self):
        """All handles."""
        return sorted(self._lookers)

    @offered(returns="+(iiiiiiriffff)", counted=True)
    def getImageRemote(self, handle):
        """The newest picture, or None where there is no such subscription.

        (width, height, layers, colour space, seconds, microseconds, bytes, camera, and the picture's left, top,
        right and bottom rims in rad)
        """
        looker = self._lookers.get(handle)
        if looker is None:
            return None
        period = int((self.nao.clock_s - looker.since_s) * looker.fps + 1e-6)
        if looker.image is None or period != looker.period:
            looker.period = period
            looker.image = self._image(looker)
        return looker.image

    @offered(returns="[(iiiiiiriffff)]", counted=True)
    def getImagesRemote(self, handle):
        """The newest pictures of all cameras of subscribeCameras; none where there is no such subscription."""
        images = [self.getImageRemote(each) for each in self._several.get(handle, [handle])]
        return [image for image in images if image is not None]

    @offered(counted=True)
    def releaseImages(self, handle):
        """Done with the pictures; True if the subscription exists."""
        return handle in self._lookers

    def _image(self, looker):
        now_s = self.nao.clock_s
        width, height = RESOLUTIONS[looker.resolution]
        layers, convert = COLOUR_SPACES[looker.colour_space]
        pixels = convert(fit(self.seen(looker.camera), width, height))
        seconds, rest = divmod(self._epoch_s + now_s, 1)
        return (
            width, height, layers, looker.colour_space, int(seconds), int(rest * 1e6),
            bytearray(pixels.tobytes()), looker.camera,
            self.hfov_rad / 2, -self.vfov_rad / 2, -self.hfov_rad / 2, self.vfov_rad / 2,
        )  # fmt: skip

    @offered(counted=True)
    def releaseImage(self, handle):
        """Done with the picture; True if the subscription exists."""
        return handle in self._lookers

    def _looker(self, handle):
        if handle not in self._lookers:
            raise Refused(f"no subscription {handle!r}.")
        self._lookers[handle].image = None
        return self._lookers[handle]

    @offered
    def setResolution(self, handle, resolution):
        """Another size from now on."""
        self._looker(handle).resolution = self._resolution(resolution)
        return True

    @offered
    def getResolution(self, handle):
        """The id of the size."""
        return self._looker(handle).resolution

    @offered
    def setColorSpace(self, handle, colour_space):
        """Another colour space from now on."""
        self._looker(handle).colour_space = _colour_space(colour_space)
        return True

    @offered
    def getColorSpace(self, handle):
        """The id of the colour space."""
        return self._looker(handle).colour_space

    @offered
    def setFrameRate(self, handle, fps):
        """Another rate from now on, 1..30."""
        looker = self._looker(handle)
        looker.fps, looker.since_s = _fps(fps), self.nao.clock_s
        return True

    @offered
    def getFrameRate(self, handle):
        """Pictures a second."""
        return self._looker(handle).fps

    @offered(takes=("m", "m", "m", "r"), counted=True)
    def putImage(self, camera, width, height, pixels):
        """What a camera sees from now on, instead of the source: width * height * 3 bytes of RGB."""
        needed = int(width) * int(height) * 3
        if len(pixels) != needed or needed <= 0:
            raise Refused(f"{width} x {height} px of RGB take {needed} bytes; {len(pixels)} came.")
        picture = np.frombuffer(bytes(pixels), np.uint8).reshape(int(height), int(width), 3)
        self._put[_camera(camera)] = np.ascontiguousarray(picture[..., ::-1])
        return True

    @offered
    def getExpectedImageParameters(self, camera):
        """[resolution, frame rate] that putImage should come in."""
        parameters = self._parameters[_camera(camera)]
        watching = [looker for looker in self._lookers.values() if looker.camera == camera]
        if not watching:
            return [parameters[14], parameters[15]]
        largest = max(watching, key=lambda looker: RESOLUTIONS[looker.resolution])
        return [largest.resolution, max(looker.fps for looker in watching)]

    @offered
    def setParameter(self, camera, parameter, value):
        """One of PARAMETERS; they are kept, and change no picture."""
        self._known(camera, parameter)
        self._parameters[camera][parameter] = int(number(value, "the value"))
        return True

    @offered
    def getParameter(self, camera, parameter):
        """The value of one of PARAMETERS."""
        self._known(camera, parameter)
        return self._parameters[camera][parameter]

    @offered
    def setParameterToDefault(self, camera, parameter):
        """One of PARAMETERS back to its start."""
        self._known(camera, parameter)
        self._parameters[camera][parameter] = PARAMETERS[parameter]
        return True

    @offered
    def setAllParametersToDefault(self, camera):
        """All of PARAMETERS back to their start."""
        self._parameters[_camera(camera)] = dict(PARAMETERS)
        return True

    @offered
    def setParam(self, parameter, value):
        """setParameter of the active camera, by its old name."""
        return self.setParameter(self._active, parameter, value)

    @offered
    def getParam(self, parameter):
        """getParameter of the active camera, by its old name."""
        return self.getParameter(self._active, parameter)

    @offered
    def setCameraParameter(self, handle, parameter, value):
        """setParameter of the camera of a subscription."""
        return self.setParameter(self._looker(handle).camera, parameter, value)

    @offered
    def getCameraParameter(self, handle, parameter):
        """getParameter of the camera of a subscription."""
        return self.getParameter(self._looker(handle).camera, parameter)

    def _known(self, camera, parameter):
        if parameter not in self._parameters[_camera(camera)]:
            raise Refused(f"unknown parameter {parameter!r}.")

    @offered
    def getCameraIndexes(self):
        """The cameras: 0 top, 1 bottom."""
        return list(CAMERAS)

    @offered
    def getCameraModel(self, camera):
        """The id of the camera's make."""
        _camera(camera)
        return self.nao.profile.camera

    @offered
    def hasDepthCamera(self):
        """False."""
        return False

    @offered
    def isCameraOpen(self, camera):
        """Whether a camera is on."""
        return _camera(camera) in self._opened

    @offered
    def openCamera(self, camera):
        """Switch a camera on."""
        self._opened.add(_camera(camera))
        return True

    @offered
    def closeCamera(self, camera):
        """Switch a camera off, if nobody looks through it."""
        if _camera(camera) in self._watched():
            return False
        self._opened.discard(camera)
        return True

    @offered
    def startCamera(self, camera):
        """openCamera by its old name."""
        return self.openCamera(camera)

    @offered
    def stopCamera(self, camera):
        """closeCamera by its old name."""
        return self.closeCamera(camera)

    @offered(arities=(0, 1))
    def getActiveCamera(self, handle=None):
        """The camera that old programs mean, or that of a subscription."""
        return self._active if handle is None else self._looker(handle).camera

    @offered(arities=(1, 2))
    def setActiveCamera(self, *handle_and_camera):
        """Choose it, or another camera for a subscription."""
        *handle, camera = handle_and_camera
        if handle:
            self._looker(handle[0]).camera = _camera(camera)
            self._opened.add(camera)
        else:
            self._active = _camera(camera)
        return True

    @offered
    def getAngularPositionFromImagePosition(self, camera, place):
        """[left rad, down rad] of a place (0..1, 0..1) in the picture, seen from the camera."""
        _camera(camera)
        across, down = (number(value, "a place") for value in _pair(place))
        return [(0.5 - across) * self.hfov_rad, (down - 0.5) * self.vfov_rad]

    @offered
    def getImagePositionFromAngularPosition(self, camera, angles):
        """The other way."""
        _camera(camera)
        left, down = (number(value, "an angle") for value in _pair(angles))
        return [0.5 - left / self.hfov_rad, 0.5 + down / self.vfov_rad]

    def _resolution(self, resolution):
        known = [key for key in RESOLUTIONS if key <= self.nao.profile.largest or key > 6]
        if resolution not in known:
            raise Refused(f"unknown resolution {resolution!r}; there are {sorted(known)}.")
        return resolution


def _pair(values):
    if len(as_list(values)) != 2:
        raise Refused(f"two numbers are needed, not {values!r}.")
    return values


def _camera(index):
    if index not in CAMERAS:
        raise Refused(f"unknown camera {index!r}: 0 is the top one, 1 the bottom one.")
    return index


def _colour_space(colour_space):
    if colour_space not in COLOUR_SPACES:
        raise Refused(f"unknown colour space {colour_space!r}; there are {sorted(COLOUR_SPACES)}.")
    return colour_space


def _fps(fps):
    if not 1 <= number(fps, "the frame rate") <= TOP_FPS:
        raise Refused(f"the frame rate must lie in 1..{TOP_FPS}, not {fps!r}.")
    return int(fps)
