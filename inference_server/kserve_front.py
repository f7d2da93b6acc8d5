"""The front door's end of a model server: workers that ask it for scores, and what is said of it.

Design   Each worker asks by itself (kserve.py), as each can score by itself: no robot waits for the model
         server to come up, or to come back. In here is only what they tell, put together: what one worker has
         said is not said again when the others notice it too.
It imports no client of the model server, and waits for nothing.
"""

import json
from collections.abc import Callable

from config.settings import KServeSettings, ReaderSettings
from inference_server.workers import Process, Worker, Workers


class KServeProcess(Process):
    """A worker that asks; its wire, stdin and stdout are told in kserve_worker.py."""

    def __init__(self, reader: ReaderSettings, kserve: KServeSettings, address: str):
        told = {"reader": reader.model_dump(mode="json"), "kserve": kserve.model_dump(mode="json")}
        self._begin("inference_server.kserve_worker", address, json.dumps(told))


class KServeWorkers(Workers):
    """Workers of which each says whether the model server answers it."""

    def __init__(self, launch: Callable[[str], Process], count: int, context, poller, say):
        self._why: dict[int, str] = {}  # of each worker, by number: why it scores by itself; "": it does not
        self._told: set[str] = set()  # since the model server was last there
        self._was_there = False
        super().__init__(launch, count, context, poller, say)

    @property
    def by(self) -> str:
        return "kserve" if self._is_there else "workers"

    @property
    def _is_there(self) -> bool:
        return all(self._why.get(worker.number) == "" for worker in self._workers)

    def _start(self, worker: Worker, now_s: float) -> None:
        self._why.pop(worker.number, None)
        super()._start(worker, now_s)

    def _note(self, worker: Worker, word: dict) -> None:
        if "kserve" not in word:
            super()._note(worker, word)
            return
        why = self._why[worker.number] = word["kserve"]
        if why and why not in self._told:
            self._told.add(why)
            level = "error" if self._was_there else "warning"
            self._say(level, f"{why} This PC's own workers score until it can be used.")
        elif self._is_there and (self._told or not self._was_there):
            self._say(
                "info", f"the model server {'answers again' if self._was_there else 'scores from now on'}."
            )
            self._was_there = True
            self._told.clear()
