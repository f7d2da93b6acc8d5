"""Many sources replayed, each into a folder of its own, several at a time, and taken up again after a break.

A source is read into NAME.part, which becomes NAME when all of it is there: what was finished is not done again
(done.json knows it, with the settings it was done with), what was begun starts anew. overview.csv has a row a
source. This file moves folders, and has processes started, here or by ray_replay.py; it reads no pictures.
"""

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from config.contract import EMOTIONS
from inference_server.film import FILM_ENDS, IMAGE_ENDS, WEBCAM, natural
from inference_server.session import is_session

DONE, OVERVIEW = "done.json", "overview.csv"
FIGURES = ("source", "seconds", "pictures", "with_face", "episodes", *EMOTIONS)


class Task(NamedTuple):
    """One source, the folder for it, and the options of replay_one; its result depends on nothing else."""

    source: Path
    folder: str
    options: dict

    def fingerprint(self) -> str:
        """Changes with the source and with the options."""
        files = sorted(self.source.iterdir()) if self.source.is_dir() else [self.source]
        state = [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in files]
        told = json.dumps([str(self.source.resolve()), state, self.options], sort_keys=True, default=str)
        return hashlib.sha256(told.encode()).hexdigest()


def expanded(sources: Iterable[Path]) -> list[Path]:
    """A folder of films and sessions stands for these; a folder of images is one source."""
    found = []
    for source in sources:
        inside = sorted(source.iterdir(), key=natural) if source.is_dir() else []
        films = [p for p in inside if p.suffix.lower() in FILM_ENDS or is_session(p)]
        images = any(p.suffix.lower() in IMAGE_ENDS for p in inside)
        found += films if films and not images else [source]
    return found


def tasks(sources: list[Path], options: dict) -> list[Task]:
    """A task for each source, in folders of different names."""
    names: dict[str, int] = {}
    made = []
    for source in sources:
        stem = source.stem if source.suffix else source.name
        names[stem] = names.get(stem, 0) + 1
        folder = stem if names[stem] == 1 else f"{stem}-{names[stem]}"
        made.append(Task(source, folder, options))
    return made


def processes(workers: int) -> Executor:
    """Processes of this machine."""
    return ProcessPoolExecutor(workers, get_context("spawn"))


def replay_all(
    todo: list[Task],
    out: Path,
    work: Callable[[Path, Path, dict], dict],
    workers: int,
    say: Callable[[str], None],
    expected: tuple[type[Exception], ...],
    pool: Callable[[int], Executor] = processes,
) -> int:
    """Do what is not done yet; how many failed.

    work       work(source, folder, options) -> a row of FIGURES; runs in a process of its own
    pool       what runs so many of them at a time
    expected   errors of work that are the source's fault: said, and the others go on
    """
    out.mkdir(parents=True, exist_ok=True)
    done = _read_done(out)
    ahead = [task for task in todo if not _is_done(task, out, done)]
    for task in (t for t in todo if t not in ahead):
        say(f"{task.source}: done before")
    failed = 0
    with pool(min(workers, len(ahead)) or 1) as running_at:
        running = {running_at.submit(_do, task, out, work): task for task in ahead}
        try:
            for future in as_completed(running):
                task = running[future]
                try:
                    row = future.result()
                except (*expected, OSError) as error:
                    failed += 1
                    say(f"{task.source}: {error}")
                    continue
                done[task.folder] = {"fingerprint": task.fingerprint(), "figures": row}
                _write(out / DONE, json.dumps(done, indent=1))
                say(f"{task.source}: {row['pictures']} pictures, {row['seconds']:.1f} s -> {out / task.folder}")
        except KeyboardInterrupt:
            running_at.shutdown(wait=False, cancel_futures=True)
            raise
    _write_overview(out, [done[task.folder]["figures"] for task in todo if _is_done(task, out, done)])
    return failed


def _do(task: Task, out: Path, work: Callable[[Path, Path, dict], dict]) -> dict:
    part, whole = out / f"{task.folder}.part", out / task.folder
    shutil.rmtree(part, ignore_errors=True)
    row = work(task.source, part, task.options)
    shutil.rmtree(whole, ignore_errors=True)
    os.replace(part, whole)
    return row


def _is_done(task: Task, out: Path, done: dict) -> bool:
    known = done.get(task.folder)
    if not known or not (out / task.folder).is_dir() or WEBCAM.match(str(task.source)):
        return False
    return task.source.exists() and known["fingerprint"] == task.fingerprint()


def _read_done(out: Path) -> dict:
    try:
        return json.loads((out / DONE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, "utf-8")
    os.replace(part, path)


def _write_overview(out: Path, rows: list[dict]) -> None:
    with (out / OVERVIEW).open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, FIGURES)
        table.writeheader()
        table.writerows(rows)
