"""Records what happens: every event goes into an MCAP file, from when a person says so until they say stop.

Design   features only, unless the person who is seen has agreed to pictures and the agreement is written down.
         Once a second all is handed to the system: killed, the program loses no more than that second.
         A disk that fills up ends the recording with a sentence; the service goes on without it.
Threads  one writes. Publishers only put events into its subscription, which keeps AT_MOST; how many it had
         to miss is counted and written.
It opens no image and asks nobody anything.
"""

import json
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from inference_server.events import Event, Events, Said
from inference_server.session import ENDING, METADATA, SCHEMAS, Line, Listed, Telling, listed, new_writer

AT_MOST = 256  # events that wait to be written
FLUSH_S = 1.0
LOOK_S = 0.2  # how often it looks for the end when nothing comes
END_S = 5.0  # for the last events to be written
MB = 1_000_000


class RecordError(ValueError):
    """It cannot be recorded; one sentence says why and what to do."""


class State(NamedTuple):
    """Of a recording that runs: its file, since when (Unix, s), bytes on disk, events missed, with pictures?"""

    name: str
    since_s: float
    bytes: int
    missed: int
    images: bool


class Recorder:
    """Records on demand, one session at a time; close() ends the one that runs.

    folder        where sessions lie; made when it is needed
    about         what is written into each of them: {"config", "model", "sha256", "runtime", "versions"}
    begin_anew    called when pictures are to be recorded: the reader shall forget what it saw before, because
                  only then can the session be read again alike
    min_free_mb   of the disk; with less the recording ends
    """

    def __init__(
        self,
        events: Events,
        folder: Path,
        about: dict[str, str],
        begin_anew: Callable[[], None] = lambda: None,
        min_free_mb: int = 100,
    ):
        self._events = events
        self._folder = Path(folder)
        self._about = about
        self._begin_anew = begin_anew
        self._min_free_mb = min_free_mb
        self._guard = threading.Lock()
        self._running: Recording | None = None

    def start(self, purpose: str, images: bool = False, consent: str = "") -> State:
        """Begin a session. Raises RecordError, also where `images` lack a `consent`."""
        purpose, consent = purpose.strip(), consent.strip()
        if not purpose:
            raise RecordError("record: say what it is for, as in record.purpose: 'pilot of study 3'.")
        if images and not consent:
            raise RecordError(
                "record: pictures of people are recorded only with their consent; write down who agreed to "
                "what, as in record.consent: 'participant 7, signed on 2026-03-01, for research'."
            )
        with self._guard:
            if self._running and self._running.is_alive():
                raise RecordError(
                    f"record: {self._running.path.name} is being recorded already; stop it first."
                )
            said = {"purpose": purpose, "consent": consent, "images": "yes" if images else "no"}
            self._running = Recording(self._events, self._folder, self._about | said, images, self._min_free_mb)
            if images:
                self._begin_anew()
            return self._running.state()

    def stop(self) -> str:
        """End the session; its file's name. Raises RecordError where none runs."""
        with self._guard:
            running, self._running = self._running, None
        if running is None or not running.is_alive():
            raise RecordError("record: nothing is being recorded.")
        running.stop()
        return running.path.name

    def state(self) -> State | None:
        """Of the session that is being recorded, or None."""
        running = self._running
        return running.state() if running and running.is_alive() else None

    def sessions(self) -> list[Listed]:
        """What lies in the folder, the newest first; the one that runs has the state "running"."""
        running = self.state()
        return [
            s._replace(state="running") if running and s.name == running.name else s
            for s in listed(self._folder)
        ]

    def path(self, name: str) -> Path | None:
        """The file of a listed session."""
        return self._folder / name if any(s.name == name for s in listed(self._folder)) else None

    def close(self) -> None:
        with suppress(RecordError):
            self.stop()

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Recording:
    """One session while it is written, by a thread of its own. Raises RecordError where it cannot begin."""

    def __init__(self, events: Events, folder: Path, about: dict[str, str], images: bool, min_free_mb: int):
        self._events, self._images, self._min_free_bytes = events, images, min_free_mb * MB
        self._since_ns, start_s = time.time_ns(), time.monotonic()
        began = datetime.fromtimestamp(self._since_ns / 1e9, timezone.utc)
        self.path = _new_path(folder, began)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if self._is_full():
                raise RecordError(f"record: {self._room()}; make room, or give another record.folder.")
            self._file = self.path.open("xb")
            self._writer = new_writer(self._file)
            self._writer.add_metadata(METADATA, about | {"started": began.isoformat(timespec="seconds")})
            self._writer.flush()
        except OSError as error:
            raise RecordError(f"record: {self.path} cannot be written ({error.strerror}).") from None
        self._channels: dict[tuple[str, str], int] = {}
        self._schemas: dict[str, int] = {}
        self._sequence = 0
        self._written_missed = 0
        self._telling = Telling(images, self._since_ns, start_s)
        self._over = threading.Event()
        self._news = events.subscribe_to_all(AT_MOST)
        self._thread = threading.Thread(target=self._record, name="recorder", daemon=True)
        self._thread.start()
        self._say("info", f"recording {self.path}{' with pictures' if images else ''}.")

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def state(self) -> State:
        size = self.path.stat().st_size if self.path.exists() else 0
        return State(self.path.name, self._since_ns / 1e9, size, self._news.missed, self._images)

    def stop(self) -> None:
        """Write what has come until now, and the end."""
        self._over.set()
        self._thread.join(END_S)

    # ---- the thread ----------------------------------------------------------------------------------

    def _record(self) -> None:
        try:
            self._write_until_over()
            self._writer.finish()
            self._file.close()
            self._say("info", f"{self.path} is recorded.")
        except OSError as error:
            with suppress(OSError):
                self._file.close()
            self._say(
                "error",
                f"the recording has stopped: {self.path}: {error.strerror}. The service goes on. "
                f"Make room; then `python -m inference_server repair {self.path}` makes it whole.",
            )
        finally:
            self._news.close()

    def _write_until_over(self) -> None:
        flushed_s = time.monotonic()
        while True:
            over = self._over.is_set()  # asked first: what came before stop() is written
            for event in self._news.take(0 if over else LOOK_S):
                self._write(event)
            now_s = time.monotonic()
            if over or now_s - flushed_s >= FLUSH_S:
                flushed_s = now_s
                self._write_missed(now_s)
                self._writer.flush()
                if self._is_full():
                    self._say("error", f"the recording has stopped: {self._room()}. The service goes on.")
                    return
            if over:
                return

    def _write(self, event: Event) -> None:
        self._sequence += 1
        for message in self._telling.messages(event):
            self._add(message)

    def _write_missed(self, now_s: float) -> None:
        if self._news.missed != self._written_missed:
            self._written_missed = self._news.missed
            body = {"missed": self._written_missed}
            self._add(Line("/recorder", "nao.Recorder", body, self._telling.at_ns(now_s)))

    def _add(self, message: Line) -> None:
        kind = message.topic, message.schema
        if kind not in self._channels:
            if message.schema not in self._schemas:
                schema = json.dumps({"title": message.schema, **SCHEMAS[message.schema]}).encode()
                self._schemas[message.schema] = self._writer.register_schema(
                    message.schema, "jsonschema", schema
                )
            schema_id = self._schemas[message.schema]
            self._channels[kind] = self._writer.register_channel(message.topic, "json", schema_id)
        data = json.dumps(message.body, separators=(",", ":"), allow_nan=False).encode()
        self._writer.add_message(self._channels[kind], message.at_ns, data, message.at_ns, self._sequence)

    def _is_full(self) -> bool:
        return shutil.disk_usage(self.path.parent).free < self._min_free_bytes

    def _room(self) -> str:
        free, kept = shutil.disk_usage(self.path.parent).free / MB, self._min_free_bytes / MB
        return f"{self.path.parent} has {free:.0f} MB left; record.min_free_mb keeps {kept:g} MB free"

    def _say(self, level: str, text: str) -> None:
        self._events.publish(Said(level, text, time.monotonic()))


def _new_path(folder: Path, began: datetime) -> Path:
    """A name that is free, by the time of day (UTC)."""
    stem = began.strftime("%Y-%m-%dT%H-%M-%SZ")
    names = (stem + (f"_{turn}" if turn else "") + ENDING for turn in range(1000))
    return next(folder / name for name in names if not (folder / name).exists())
