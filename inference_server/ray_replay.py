"""Many sources replayed on a Ray cluster: a task for each source, on a core, wherever one is free.

Why tasks, and not Ray Data: a source is a folder of results that is there whole or not at all, not a stream of
rows to be joined; a task that dies with its machine is simply begun again elsewhere (replay_many.py clears what
it left). Sources and results lie where every machine finds them under the same path, as on a shared disk.
"""

import os
from concurrent.futures import Executor, Future
from functools import partial

from inference_server.ray_bridge import reach

TIMES_AGAIN = 5  # a source is begun anew so often when machines die under it


class Pool(Executor):
    """In place of a ProcessPoolExecutor. Raises RayError where the cluster cannot be reached.

    address   of the cluster; None: one of this machine, with `workers` cores, which ends with this process
    """

    def __init__(self, address: str | None, workers: int):
        reach(address, workers)
        import ray  # after reach(): what it sets is read by Ray when it is imported

        self._ray = ray
        self._run = ray.remote(num_cpus=1, max_retries=TIMES_AGAIN)(_run)
        self._here = os.getcwd()
        self._refs: list[ray.ObjectRef] = []

    def submit(self, work, /, *args) -> Future:
        ref = self._run.remote(self._here, work, args)
        self._refs.append(ref)
        told: Future = Future()
        ref.future().add_done_callback(partial(_tell, told))
        return told

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if cancel_futures:
            for ref in self._refs:
                self._ray.cancel(ref)
        self._ray.shutdown()


def _run(here: str, work, args):
    os.chdir(here)
    return work(*args)


def _tell(told: Future, done: Future) -> None:
    """The outcome of a task, and its own error rather than Ray's words around it."""
    error = done.exception()
    if error is None:
        told.set_result(done.result())
    else:
        told.set_exception(getattr(error, "cause", None) or error)
