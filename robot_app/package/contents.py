"""What a NAO's package holds, and the package itself: one zip file, the same bytes every time it is made.

The files that run on the robot are found, not listed: those that the robot app imports when it starts. What a
function imports later stays on the PC. Everything else in the package is made here: settings and behaviours as
JSON, pyzmq out of its own wheel, the manifest that NAOqi reads. Nothing here talks to a robot.
"""

import ast
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

from behaviors import library as behavior_library
from behaviors import sounds
from config import robot as robot_settings

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
UUID = "nao-emotion"  # NAOqi's name of the package
SERVICE = "emotion"  # and of the program in it
BUILD = "BUILD"  # the file in it that holds its fingerprint
STARTS = ("robot_app.__main__", "robot_app.doctor")

NAOQI = "/opt/aldebaran/lib/python2.7/site-packages"  # a V6's qi, which ssh does not put on the path
PYZMQ = "19.0.2"  # the last for Python 2.7
BITS = {"i686": 32, "x86_64": 64}
# machine: sha256 of the wheel. NAO V5 and V6 both run 32-bit programs; the other one is for tests.
WHEELS = {
    "i686": "c20dd60b9428f532bc59f2ef6d3b1029a28fc790d408af82f871a7db03e722ff",
    "x86_64": "d46fb17f5693244de83e434648b3dbb4f4b0fec88415d6cbab1c1452b6f2ae17",
}
# What a DEALER socket never needs: pyzmq's tests, its ways for other event loops, its files to compile with.
LEFT_OUT = ("tests/", "asyncio/", "eventloop/", "auth/ioloop", "green/", "ssh/", "log/", "backend/cffi/")
NO_SOURCES = (".h", ".c", ".pxd", ".pxi", ".pyx")

EPOCH = (1980, 1, 1, 0, 0, 0)  # of every file: a package is the same whenever it is made

MAIN = '''\
# -*- coding: utf-8 -*-
"""python2 FOLDER [--server tcp://PC:5555]: the robot's end, from the folder that its package became."""

from __future__ import division, print_function

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:1] = [HERE, os.path.join(HERE, "lib")]
sys.path.append("{naoqi}")

try:
    from robot_app.__main__ import main
except ImportError as error:
    from robot_app import doctor

    print("robot_app: %s" % doctor.wrong_python(error), file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    sys.exit(main())
'''

# autorun is off: the robot does not begin to watch people because somebody switched it on.
MANIFEST = """\
<?xml version="1.0" encoding="UTF-8"?>
<package uuid="{uuid}" version="{version}">
  <names>
    <name lang="en_US">Emotion</name>
  </names>
  <descriptions>
    <description lang="en_US">NAO answers the emotion that it sees, with gesture, voice and eyes.</description>
  </descriptions>
  <descriptionLanguages>
    <language>en_US</language>
  </descriptionLanguages>
  <supportedLanguages>
    <language>en_US</language>
  </supportedLanguages>
  <contents/>
  <services>
    <service name="{service}" execStart="/usr/bin/python2 __main__.py" autorun="false"/>
  </services>
  <requirements>
    <naoqiRequirement minVersion="2.1"/>
    <robotRequirement model="NAO"/>
  </requirements>
</package>
"""


class PackageError(RuntimeError):
    """The package cannot be made; the text is a sentence."""


def contents(settings: dict, behaviors: behavior_library.Library, wheel: Path | None) -> dict[str, bytes]:
    """{name in the package: bytes}. `settings` as config.robot.load gives them; without a `wheel`, no lib/."""
    files = {str(path.relative_to(ROOT)): path.read_bytes() for path in on_robot()}
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.json"
        robot_settings.dump(settings, str(made))
        files["config/robot.json"] = made.read_bytes()
        carried = sounds.carried(behaviors)
        behavior_library.dump(behaviors, str(made), carried)
        files["behaviors/behaviors.json"] = made.read_bytes()
        files |= {f"behaviors/{name}": Path(path).read_bytes() for path, name in carried.items()}
    files["__main__.py"] = MAIN.format(naoqi=NAOQI).encode()
    files["manifest.xml"] = MANIFEST.format(uuid=UUID, service=SERVICE, version=version()).encode()
    files["LICENCES.md"] = (HERE / "LICENCES.md").read_bytes()
    files["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    if wheel is not None:
        with zipfile.ZipFile(wheel) as archive:
            files |= {f"lib/{name}": archive.read(name) for name in archive.namelist() if _is_needed(name)}
    files[BUILD] = fingerprint(files).encode()
    return files


def fingerprint(files: Mapping[str, bytes]) -> str:
    """A short name for exactly these files, by which a package on a robot is known."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name} {len(files[name])}\n".encode() + files[name])
    return digest.hexdigest()[:16]


def on_robot() -> list[Path]:
    """The project's files that the robot app imports when it starts, sorted."""
    found, ahead = set(), list(STARTS)
    while ahead:
        path = _file_of(ahead.pop())
        if path is not None and path not in found:
            found |= {path, path.parent / "__init__.py"}
            ahead += _imported(ast.parse(path.read_text("utf-8")))
    return sorted(found)


def _file_of(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _imported(tree: ast.AST) -> Iterator[str]:
    """Names of the modules that a file imports as soon as it is loaded, so not inside a function."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif not isinstance(node, (ast.FunctionDef, ast.Lambda)):
            yield from _imported(node)


def _is_needed(name: str) -> bool:
    inside = name.removeprefix("zmq/")
    return not (inside != name and (inside.startswith(LEFT_OUT) or name.endswith(NO_SOURCES)))


def version() -> str:
    """The project's version."""
    return re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)[1]


def write(path: Path, files: Mapping[str, bytes]) -> None:
    """Write the package. Stored without compression: no zlib of another release makes other bytes of it."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # Unix, wherever it is made
            archive.writestr(entry, files[name])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())


def fetch_wheel(machine: str, folder: Path) -> Path:
    """pyzmq's wheel for a Python 2.7 of this machine type, fetched by pip unless it is in `folder` already.

    Raises PackageError where it cannot be had, or is not the one that was examined.
    """
    tag = f"manylinux1_{machine}"
    wheel = folder / f"pyzmq-{PYZMQ}-cp27-cp27mu-{tag}.whl"
    if not wheel.exists():
        how = "--only-binary=:all: --python-version 27 --implementation cp --abi cp27mu --platform".split()
        words = [*how, tag, "--no-deps", "-d", str(folder), f"pyzmq=={PYZMQ}"]
        pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", *words]
        done = subprocess.run(pip, capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip() or "no reason was given").splitlines()[-1]
            raise PackageError(f"pip could not fetch {wheel.name}: {reason}. Is this PC on line?")
    if (sha256 := hashlib.sha256(wheel.read_bytes()).hexdigest()) != WHEELS[machine]:
        raise PackageError(
            f"{wheel} has the sha256 {sha256}, not {WHEELS[machine]}: delete it, and do not use it."
        )
    return wheel


def points_at_itself(settings: dict) -> bool:
    """Whether a robot with these settings would look for the PC on itself."""
    return settings["robot"]["server"].partition("://")[2].startswith(("127.", "localhost", "[::1]"))


def describe(files: Mapping[str, bytes]) -> str:
    """The package in a few words."""
    behaviors = json.loads(files["behaviors/behaviors.json"])["behaviors"]
    size_kb = sum(map(len, files.values())) / 1e3
    return f"{len(files)} files, {size_kb:.0f} kB, {len(behaviors)} behaviours"
