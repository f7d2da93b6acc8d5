"""python -m robot_app.package --out build/robot: everything a NAO needs, and nothing else, in one folder.

It holds the robot's end, the contract, the behaviours as JSON and the settings as JSON, all for the robot's
own Python 2.7. Nothing is sent anywhere; the README says how to copy it and start it.
"""

import os
import shutil
import sys
import zipfile
from pathlib import Path

import click

from behaviors import library as behavior_library
from config import robot as robot_settings

ROOT = Path(__file__).parents[2]

# room: the files that run on the robot
ROBOT_FILES = {
    "config": ("__init__.py", "contract.py", "robot.py"),
    "behaviors": ("__init__.py", "joints.py", "keyframes.py", "library.py", "mood.py", "rules.py"),
    "robot_app": ("*.py",),
}

START = """\
#!/bin/sh
# The robot's end, on the robot itself:  ./start --server tcp://PC:5555
here=$(cd "$(dirname "$0")" && pwd)
PYTHONPATH="$here:$here/lib:$PYTHONPATH" exec "${PYTHON:-python2}" -m robot_app "$@"
"""


@click.command()
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder to make."
)
@click.option("--settings", help="YAML settings instead of the default ones.")
@click.option("--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE", help="One setting.")
@click.option(
    "--wheel",
    "wheels",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A wheel to unpack into lib/, such as pyzmq's for NAO.",
)
def main(out: Path, settings: str | None, overrides: tuple[str, ...], wheels: tuple[Path, ...]) -> None:
    """Make the folder that is copied to a NAO."""
    try:
        checked = robot_settings.load(settings, overrides)
        behaviors = behavior_library.load()
        build(out, checked, behaviors, wheels)
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        click.echo(f"robot_app.package: {error}", err=True)
        sys.exit(2)
    click.echo(f"{out} is ready: {len(behaviors)} behaviours, {size_bytes(out) / 1e3:.0f} kB.")


def build(
    out: Path, settings: dict, behaviors: behavior_library.Library, wheels: tuple[Path, ...] = ()
) -> None:
    """Write the folder `out` anew. Raises FileExistsError where it holds something that is not ours."""
    start = out / "start"
    if out.exists() and any(out.iterdir()) and not start.exists():
        raise FileExistsError(f"{out} holds other files; name a new or an empty folder.")
    shutil.rmtree(out, ignore_errors=True)
    for room, patterns in ROBOT_FILES.items():
        (out / room).mkdir(parents=True)
        for path in (path for pattern in patterns for path in sorted((ROOT / room).glob(pattern))):
            shutil.copy(path, out / room)
    robot_settings.dump(settings, str(out / "config" / "robot.json"))
    behavior_library.dump(behaviors, str(out / "behaviors" / "behaviors.json"))
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(out / "lib")
    start.write_text(START, "ascii")
    os.chmod(start, 0o755)


def size_bytes(folder: Path) -> int:
    """The sum of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
