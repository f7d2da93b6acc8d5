"""What the faces are read with: the reader that the settings describe, and its runtime's name for people.

Whoever imports this file loads the networks' runtime; the server's own process never does, its workers do.
"""

import cv2
import onnxruntime

from config.settings import ReaderSettings
from inference_server.quality import Limits
from inference_server.reader import Reader
from models import zoo
from models.mtcnn import Detector

RUNTIME = f"ONNX Runtime {onnxruntime.__version__}, float32"


def open_reader(chosen: ReaderSettings, before=None) -> Reader:
    """The Reader, in one thread; `before` as it takes it. Raises ModelError, ReaderError or ZooError."""
    cv2.setNumThreads(1)
    detector = Detector(chosen.min_face_px, chosen.thresholds)
    following = {"find_within_s": chosen.find_within_s, "attend": chosen.attend}
    limits = Limits(*(getattr(chosen, name) for name in Limits._fields))
    doubting = {"limits": limits, "unsure_below": chosen.unsure_below}
    return Reader(detector, zoo.load(chosen.model), chosen.crop_margin, **following, **doubting, before=before)
