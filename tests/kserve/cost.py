"""What a score by a real Triton on this machine costs beside one by the worker itself; a table, and no test.

Triton's CPU time counts that of all its processes. What else the machine does is told by its load.
"""

import time

import numpy as np

from config import settings
from inference_server.kserve import Client
from inference_server.reader import open_classifier
from models import golden, zoo
from tests.bench import machine
from tests.kserve.stage import PATIENCE_S, ModelServer

TIMES = 300


def measured(score, faces: np.ndarray, pids: list[int]) -> dict:
    """Milliseconds of an answer, and of CPU in here and in these processes."""
    began, there, took = time.process_time(), _cpu_s(pids), []
    for _ in range(TIMES):
        since = time.perf_counter()
        score(faces)
        took.append(1e3 * (time.perf_counter() - since))
    return {
        "faces": len(faces),
        "median_ms": float(np.median(took)),
        "p95_ms": float(np.percentile(took, 95)),
        "worker_cpu_ms": 1e3 * (time.process_time() - began) / TIMES,
        "model_server_cpu_ms": 1e3 * (_cpu_s(pids) - there) / TIMES,
    }


def _cpu_s(pids: list[int]) -> float:
    return sum(machine.cpu_s(pid) or 0.0 for pid in pids)


def main() -> None:
    name = settings.load().reader.model
    entry, triton = zoo.load(name), ModelServer(f"{name}={name}")
    try:
        chosen = settings.load().kserve.model_copy(update={"address": triton.address})
        client, own = Client(chosen, name, entry.card), open_classifier(entry)
        ways = {
            "this worker": lambda faces: own.run({"faces": faces}),
            "Triton": lambda faces: client.scores(faces, PATIENCE_S),
        }
        for faces in (np.repeat(golden.face(), count, axis=0) for count in (1, 8, 32)):
            for score in ways.values():
                score(faces)
        rows = [
            {"scored by": who} | measured(score, np.repeat(golden.face(), count, axis=0), triton.pids)
            for count in (1, 8, 32)
            for who, score in ways.items()
        ]
        client.close()
    finally:
        triton.kill()
    print("{cpu}, {cores} cores, load {load:.1f}".format(**machine.described()))
    print(machine.table(f"{name}, one request at a time", rows))


if __name__ == "__main__":
    main()
