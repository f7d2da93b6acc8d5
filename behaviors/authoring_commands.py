"""The commands of `python -m behaviors` by which a behaviour comes from elsewhere, goes there, or onto a robot.

`import` and `export` work on files. `play` and `record` need a robot, so they hand over to robot_app.authoring,
the program that may move one.
"""

import os
import sys
from pathlib import Path

import click

from behaviors import authoring, check, choregraphe, library, sheets
from behaviors.keyframes import BehaviorError
from config.contract import EMOTIONS

ASIDE_RAD = 0.05  # a curve that runs farther beside ours is told

sheets_option = click.option(
    "--sheets",
    "folder",
    type=click.Path(path_type=Path),
    default=sheets.HERE,
    help="Folder of sheets, or one sheet.  [default: the sheets of this project]",
)
robot_option = click.option("--robot", required=True, metavar="tcp://NAO:9559", help="Where NAOqi listens.")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--emotion", type=click.Choice(EMOTIONS), required=True, help="What it is to answer.")
@click.option("--name", help="The behaviour's name.  [default: the file's]")
@click.option("--part", type=click.IntRange(1), help="Which motion, where the file holds several.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path(), help="Folder for the sheet.  [default: here]"
)
def import_(file: Path, emotion: str, name: str | None, part: int | None, out: Path) -> None:
    """Read Choregraphe's exported Python keyframes into a sheet. Nothing in FILE is executed."""
    motion = _chosen(file, choregraphe.read(file), part)
    notes: list[str] = []
    for joint, keys in motion.items():
        gap, at_s = choregraphe.farthest_aside(keys)
        if gap > ASIDE_RAD:
            notes.append(
                f"{joint}: the curve ran {gap:.2f} rad beside ours near {at_s:.1f} s; ours rests at each key."
            )
    keyframes = {joint: [(key.time_s, key.angle) for key in keys] for joint, keys in motion.items()}
    keyframes = authoring.whole_arms(authoring.only_gestures(keyframes, notes), notes)
    keyframes = authoring.delayed(authoring.inside(keyframes, notes), notes)
    text = authoring.sheet(emotion, "", keyframes, f"From {file.name}, by Choregraphe.")
    write_sheet(out / f"{name or file.stem}.yaml", text, notes)


def _chosen(file: Path, motions: list[choregraphe.Motion], part: int | None) -> choregraphe.Motion:
    if part is None and len(motions) > 1:
        raise BehaviorError(
            [f"{file}: holds {len(motions)} motions; say which with --part 1 to {len(motions)}."]
        )
    if (part or 1) > len(motions):
        raise BehaviorError([f"{file}: holds {len(motions)} motions; there is no part {part}."])
    return motions[(part or 1) - 1]


def write_sheet(path: Path, text: str, notes: list[str]) -> None:
    """Write a new sheet, tell what was changed on the way, prove it; raises BehaviorError with its flaws."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise BehaviorError([f"{path}: is there already; give another --name or --out."]) from None
    except OSError as error:
        raise BehaviorError([f"{path}: cannot be written: {error.strerror}."]) from None
    for note in notes:
        click.echo(f"note: {note}")
    click.echo(f"{path} is written; colours, words and what a person sees are yours to add.")
    check.check(path)
    click.echo("A NAO can play it: all rules are kept.")


@click.command()
@click.argument("name")
@sheets_option
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: standard output]")
def export(name: str, folder: Path, out: Path | None) -> None:
    """Write a behaviour's joints as Python keyframes for Choregraphe."""
    text = choregraphe.write(library.load(str(folder))[name])
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise BehaviorError([f"{out}: cannot be written: {error.strerror}."]) from None
    click.echo(f"{out} is written.")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@sheets_option
@robot_option
def play(name: str, folder: Path, robot: str) -> None:
    """Play a behaviour on a robot, once, as the robot app would."""
    _on_robot("play", name, "--sheets", str(folder), "--robot", robot)


@click.command()
@click.argument("name")
@robot_option
@click.option("--emotion", type=click.Choice(EMOTIONS), required=True, help="What it is to answer.")
@click.option("--chains", default="Head,LArm,RArm", show_default=True, help="What goes limp and is recorded.")
@click.option("--every", "step_s", type=float, default=0.8, show_default=True, help="Seconds between poses.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path(), help="Folder for the sheet.  [default: here]"
)
def record(name: str, robot: str, emotion: str, chains: str, step_s: float, out: Path) -> None:
    """Make a sheet of poses into which somebody moves the robot by hand."""
    words = (
        "--robot",
        robot,
        "--emotion",
        emotion,
        "--chains",
        chains,
        "--every",
        f"{step_s:g}",
        "--out",
        str(out),
    )
    _on_robot("record", name, *words)


def _on_robot(*words: str) -> None:
    """This process becomes the program that may move a robot, so that Ctrl-C reaches it alone."""
    os.execv(sys.executable, [sys.executable, "-m", "robot_app.authoring", *words])


COMMANDS = (import_, export, play, record)
