"""What the faces are read with: the reader that the settings describe.

Whoever imports this file loads the networks' runtime; the server's own process never does, its workers do.
"""

import cv2

from config.settings import ReaderSettings
from inference_server.quality import Limits
from inference_server.reader import Reader
from models import zoo
from models.engine import Engines
from models.mtcnn import Detector

USUAL_PX = 480, 640  # height and width of what most robots send


def open_reader(chosen: ReaderSettings, before=None) -> Reader:
    """The Reader, in one thread; `before` as it takes it.

    Raises EngineError, ModelError, ReaderError or ZooError.
    """
    cv2.setNumThreads(1)
    engines = Engines(chosen.runtime)
    detector = Detector(chosen.min_face_px, chosen.thresholds, engines=engines)
    detector.prepare(*USUAL_PX)
    following = {"find_within_s": chosen.find_within_s, "attend": chosen.attend}
    limits = Limits(*(getattr(chosen, name) for name in Limits._fields))
    doubting = {"limits": limits, "unsure_below": chosen.unsure_below}
    entry = zoo.load(chosen.model)
    return Reader(detector, entry, chosen.crop_margin, engines, **following, **doubting, before=before)
