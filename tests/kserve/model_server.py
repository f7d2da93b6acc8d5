"""Triton with networks of the zoo in it, each run by ONNX Runtime in a process beside; for tests alone.

    python -m tests.kserve.model_server 8001 served=xrs-ferplus-pruned other=xrs-fer2013

Triton is NVIDIA's own, as the package nvidia-pytriton brings it. That has no ONNX Runtime within, so Triton
hands the faces to a function in here. It says so when it answers at this port, and ends with its input.

    shaped=NETWORK    a network of this name gives three scores instead of seven
    spoilt=NETWORK    one of this name gives numbers that are not finite, but for the drawn face
"""

import sys

import numpy as np
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

from config.contract import EMOTIONS, MAX_FACES
from inference_server.reader import open_classifier
from models import golden, zoo
from tests.whole.programs import free_port

FACES = Tensor(name="faces", dtype=np.float32, shape=(1, 48, 48))


def scorer(name: str, network: str):
    """What Triton calls, with the faces of one or more requests together."""
    classifier = open_classifier(zoo.load(network))

    @batch
    def score(faces):
        scores = classifier.run({"faces": faces})
        if name == "spoilt":
            scores[(faces != golden.face()).any((1, 2, 3))] = np.nan
        return {"scores": scores[:, : outputs(name)]}

    return score


def outputs(name: str) -> int:
    return 3 if name == "shaped" else len(EMOTIONS)


def main(port: str, *networks: str) -> None:
    here = "127.0.0.1"
    config = TritonConfig(
        grpc_address=here,
        grpc_port=int(port),
        http_address=here,
        http_port=free_port(),
        allow_metrics=False,
    )
    with Triton(config=config) as triton:
        for name, _, network in (word.partition("=") for word in networks):
            triton.bind(
                model_name=name,
                infer_func=scorer(name, network),
                inputs=[FACES],
                outputs=[Tensor(name="scores", dtype=np.float32, shape=(outputs(name),))],
                config=ModelConfig(max_batch_size=MAX_FACES, batcher=DynamicBatcher()),
            )
        triton.run()
        print("Triton answers", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
