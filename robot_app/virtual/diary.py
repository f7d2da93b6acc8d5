"""What happened to the virtual NAO, line by line, for tests and people to read. It never decides anything.

Every line is a JSON object with `at_s` (seconds since this NAO was switched on), `event` and `service`:

    called   method, args, and `result` or `error`          a call that was answered at once; with "kept": true,
                                                            nothing comes of it but what its getter gives
    began    method, args, task                             a call that takes time: a gesture, speech, light
    ended    method, args, task, how (done|killed|cancelled), result
    noticed  what, and whatever belongs to it               e.g. a joint that was sent beyond its range
    counted  calls                                          at the end: how often the many-a-second methods came
"""

import collections
import itertools
import json
import threading

KEPT_LINES = 20_000


class Diary:
    """A diary in memory, and in a file as well when a path is given. Safe to use from any thread."""

    def __init__(self, path=None):
        """`path`: a file that is begun anew and flushed line by line; raises OSError where that fails."""
        self.lines = collections.deque(maxlen=KEPT_LINES)
        self.counts = collections.Counter()
        self._changed = threading.Condition()
        self._file = open(path, "w", encoding="utf-8") if path else None

    def write(self, at_s: float, event: str, service: str, **rest):
        """Add one line."""
        line = {"at_s": round(at_s, 4), "event": event, "service": service, **rest}
        text = json.dumps(line, default=_in_words, ensure_ascii=False)
        with self._changed:
            self.lines.append(json.loads(text))
            if self._file:
                self._file.write(text + "\n")
                self._file.flush()
            self._changed.notify_all()

    def count(self, service: str, method: str):
        """Note a call that comes too often for a line of its own."""
        with self._changed:
            self.counts[f"{service}.{method}"] += 1
            self._changed.notify_all()

    def find(self, **fields) -> list[dict]:
        """The lines so far whose fields are these, e.g. find(event="ended", method="say")."""
        with self._changed:
            return [line for line in self.lines if all(line.get(key) == value for key, value in fields.items())]

    def after(self, line: dict | None, most: int) -> list[dict]:
        """The lines written after `line`, which this gave before (None: all), at most the newest `most`."""
        with self._changed:
            newest = itertools.takewhile(lambda other: other is not line, reversed(self.lines))
            return list(itertools.islice(newest, most))[::-1]

    def wait_for(self, predicate, timeout_s: float) -> dict:
        """The first line, past or to come, for which `predicate(line)` holds; else TimeoutError."""
        with self._changed:
            found = self._changed.wait_for(lambda: next(filter(predicate, self.lines), None), timeout_s)
            if found is None:
                raise TimeoutError(
                    f"no such line in the diary within {timeout_s:g} s; it has {len(self.lines)}."
                )
            return found

    def close(self, at_s: float):
        """Write the counts and close the file; the lines stay readable."""
        if self._file and self._file.closed:
            return
        self.write(at_s, "counted", "", calls=dict(self.counts))
        if self._file:
            self._file.close()


def _in_words(value):
    """What JSON cannot hold: bytes by their number, the rest by their repr."""
    if isinstance(value, (bytes, bytearray)):
        return f"<{len(value)} bytes>"
    return repr(value)
