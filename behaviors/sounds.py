"""Sounds of a sheet: files that lie beside it, and go along with the behaviours to a robot. PC only.

NAO's ALAudioPlayer plays a sound from a path on the robot. A sheet names it by that path, from /, and we cannot
look there; or by its name beside the sheet, and we can: then it is proved, and carried along.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from behaviors.keyframes import Behavior

SUFFIXES = (".wav", ".ogg", ".mp3")
MAX_BYTES = 2_000_000
FOLDER = "sounds"  # beside the JSON that a robot reads


def trouble(folder: Path, name: str) -> str | None:
    """Why the file `name` beside a sheet in `folder` cannot be its sound, in a sentence; None where it can."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        return f"there is no file {name!r} beside the sheet; one on the robot is named from /, in full."
    if path.suffix.lower() not in SUFFIXES:
        return f"a sound is a file of {', '.join(SUFFIXES)}; {name!r} came."
    if not 0 < path.stat().st_size <= MAX_BYTES:
        return f"a sound has 1 to {MAX_BYTES} bytes; {name!r} has {path.stat().st_size}."
    return None


def carried(behaviors: Iterable[Behavior]) -> dict[str, str]:
    """{full path of a sound that lies on this PC: where it goes beside the JSON}; not of the robot's own."""
    found = sorted({path for behavior in behaviors for _, path in behavior.sounds if Path(path).is_file()})
    return {path: f"{FOLDER}/{_name(Path(path))}" for path in found}


def _name(path: Path) -> str:
    """Its own name, and a word of its bytes: two files of one name stay two."""
    return f"{path.stem}-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}{path.suffix}"
