"""Real programs for whole tests: started, watched line by line, and always ended."""

import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
MEDIA = ROOT.parent / "shared" / "media"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """`python -m ...` in the repository's root, in a session of its own; usable as a context manager.

    With `code`, that is run instead of the module, and the first argument is only its name.
    """

    def __init__(self, *arguments: object, code: str | None = None):
        self.lines: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        words = [*map(str, arguments)] if code is None else [*map(str, arguments[1:])]
        self.process = subprocess.Popen(
            [sys.executable, "-u", *(["-m"] if code is None else ["-c", code]), *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self._queue.put(line.rstrip())
        self._queue.put(None)

    def wait_for_line(self, part: str, within_s: float = 30) -> str:
        """The next line that holds `part`; fails with all that was said where none comes."""
        until = time.monotonic() + within_s
        while (left := until - time.monotonic()) > 0:
            try:
                line = self._queue.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                break
            self.lines.append(line)
            if part in line:
                return line
        raise AssertionError(f"no line with {part!r} within {within_s} s; said was:\n" + "\n".join(self.lines))

    def end(self, number: int = signal.SIGINT, within_s: float = 10) -> int:
        """Send a signal and wait; gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait(within_s)

    def wait(self, within_s: float = 30) -> int:
        code = self.process.wait(within_s)
        while (line := self._queue.get(timeout=5)) is not None:
            self.lines.append(line)
        return code

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
