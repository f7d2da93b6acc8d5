"""One way to read faces as a program: a path of a JPEG on each line in, one line of JSON out.

    python -m tests.bench.peer "fer, Haar"

It runs in whatever environment has what it needs, so it imports nothing of this project but for ours. First
it says {"load_s"}; then for each frame {"wall_ms", "cpu_ms", "faces", "memory_mb"}, from bytes in memory to
boxes (ours and fer: to scores).
"""

import json
import os
import sys
import time

for threads in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(threads, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

FPS = 15
KEPT = []  # what must not be collected


def ours(whole_cascade=False):
    """As the server's workers do; `whole_cascade`: every frame as if it were a robot's first."""
    import cv2

    from config import settings
    from config.contract import Frame, encode_frame
    from inference_server import worker
    from inference_server.decode import jpeg_size
    from inference_server.runtime import open_reader

    cv2.setNumThreads(1)
    reader, count = open_reader(settings.load().reader), [0]

    def read(jpeg):
        count[0] += 1
        width, height = jpeg_size(jpeg)
        frame = Frame(count[0], 0.0, width, height, "jpeg", "", None, None, None, jpeg)
        robot_id = str(count[0]) if whole_cascade else "peer"
        return worker.read(reader, robot_id, count[0] / FPS, encode_frame(frame)).faces

    return read


def torch_on_one_thread():
    """Torch, and torchvision fit for it.

    The usual torchvision's compiled part wants CUDA. Of all in it facenet-pytorch needs non-maximum
    suppression alone; where torch is the CPU's, OpenCV does that, which is compiled too.
    """
    import cv2
    import numpy
    import torch

    torch.set_num_threads(1)
    if torch.version.cuda is not None:
        return

    def nms(boxes, scores, limit):
        corners = boxes.numpy()
        sized = numpy.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1)
        kept = cv2.dnn.NMSBoxes(sized.tolist(), scores.tolist(), 0.0, limit)
        return torch.as_tensor(numpy.asarray(kept, numpy.int64))

    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.impl(name, nms, "CPU")
    KEPT.append(library)
    import torchvision.extension

    torchvision.extension._has_ops = lambda: True


def fer(mtcnn):
    torch_on_one_thread()  # before TensorFlow, which otherwise ends the process (LLVM's options come twice)
    import cv2
    import numpy
    import pkg_resources
    from fer.fer import FER

    haar = pkg_resources.resource_filename("fer", "data/haarcascade_frontalface_default.xml")
    detector = FER(mtcnn=mtcnn, cascade_file=None if mtcnn else haar)
    return lambda jpeg: detector.detect_emotions(cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), 1))


def facenet():
    torch_on_one_thread()
    import cv2
    import numpy
    from facenet_pytorch import MTCNN

    detector = MTCNN(keep_all=True, min_face_size=40, device="cpu")

    def read(jpeg):
        boxes, _ = detector.detect(cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), 1)[:, :, ::-1].copy())
        return [] if boxes is None else list(boxes)

    return read


def mtcnn():
    import cv2
    import numpy
    from mtcnn import MTCNN

    detector = MTCNN()
    return lambda jpeg: detector.detect_faces(cv2.imdecode(numpy.frombuffer(jpeg, numpy.uint8), 1)[:, :, ::-1])


STACKS = {
    "ours": ours,
    "ours, whole cascade on every frame": lambda: ours(whole_cascade=True),
    "fer, Haar": lambda: fer(mtcnn=False),
    "fer, MTCNN": lambda: fer(mtcnn=True),
    "facenet-pytorch MTCNN, min_face 40": facenet,
    "mtcnn 1.0.0": mtcnn,
}


def memory_mb():
    """The most it has held, by /proc (getrusage would count what its parent held when it was started)."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return None


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the libraries print is no answer
    began_s = time.perf_counter()
    read = STACKS[sys.argv[1]]()
    print(json.dumps({"load_s": time.perf_counter() - began_s}), file=answers, flush=True)
    for line in sys.stdin:
        with open(line.strip(), "rb") as file:
            jpeg = file.read()
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        faces = read(jpeg)
        note = {
            "cpu_ms": (time.process_time() - began_cpu_s) * 1e3,
            "wall_ms": (time.perf_counter() - began_s) * 1e3,
            "faces": len(faces),
            "memory_mb": memory_mb(),
        }
        print(json.dumps(note), file=answers, flush=True)


if __name__ == "__main__":
    main()
