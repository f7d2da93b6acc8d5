"""A real Triton on this machine, and a front door before it; each is ended by its id."""

import os
import signal
import subprocess
from contextlib import contextmanager

from tests.bench.machine import below
from tests.ray.stage import PATIENCE_S, begun, end
from tests.whole.programs import Program, free_port


class ModelServer:
    """Triton with these networks, "NAME=NETWORK OF THE ZOO" each, at a port of its own or a given one."""

    def __init__(self, *networks: str, port: int | None = None):
        self.port = port or free_port()
        self.address = f"127.0.0.1:{self.port}"
        program = ("tests.kserve.model_server", str(self.port), *networks)
        self._process = begun(*program, ready="Triton answers", stdin=subprocess.PIPE)

    @property
    def pids(self) -> list[int]:
        return [self._process.pid, *below(self._process.pid)]

    def stop(self) -> None:
        """It hangs from now on: its connections stay, and nothing comes."""
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)

    def kill(self) -> None:
        """As if its machine had lost its power."""
        for pid in self.pids:
            end(pid)
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


@contextmanager
def front_door(address: str, model: str, ready: str = "the model server scores from now on"):
    """A server as a program whose faces the model server scores: (the program, its address)."""
    listen = f"tcp://127.0.0.1:{free_port()}"
    chosen = {"kserve.address": address, "kserve.model": model, "server.workers": 2}
    options = [word for key, value in chosen.items() for word in ("--set", f"{key}={value}")]
    serve = ("serve", "--backend", "kserve", "--listen", listen, "--no-monitor", *options)
    with Program("inference_server", *serve) as program:
        program.wait_for_line(ready, PATIENCE_S)
        yield program, listen
        program.end(within_s=PATIENCE_S)
