"""python -m behaviors check | build | list | preview | physics ...: prove the sheets and look at them."""

import shutil
import sys
from pathlib import Path

import click

from behaviors import check as proof
from behaviors import library, physics, preview, sheets, sounds
from behaviors.authoring_commands import COMMANDS
from behaviors.keyframes import BehaviorError
from config.contract import EMOTIONS

SHEETS = click.option(
    "--sheets",
    "folder",
    type=click.Path(path_type=Path),
    default=sheets.HERE,
    help="Folder of sheets, or one sheet.  [default: the sheets of this project]",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """What the robot can do about an emotion."""


@main.command()
@SHEETS
def check(folder: Path) -> None:
    """Prove every sheet: limits, speeds, head, collisions, times, words, colours. Exit code 2 if one fails."""
    measures = proof.check(folder)
    print(proof.table(measures))
    unanswered = [emotion for emotion in EMOTIONS if emotion not in {m.emotion for m in measures}]
    if unanswered:
        print(f"note: no behaviour answers {', '.join(unanswered)}")


@main.command()
@SHEETS
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSON file to write.")
def build(folder: Path, out: Path) -> None:
    """Prove all sheets and compile them into the one JSON file that a robot reads."""
    proof.check(folder)
    behaviors = library.load(str(folder))
    try:
        carried = sounds.carried(behaviors)
        library.dump(behaviors, str(out), carried)
        for path, name in carried.items():
            (out.parent / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(path, out.parent / name)
    except OSError as error:
        raise BehaviorError([f"behaviours: {out} cannot be written: {error}."]) from None
    print(f"{out}: {len(behaviors)} behaviours, {out.stat().st_size} bytes")


@main.command("list")
@SHEETS
def list_(folder: Path) -> None:
    """One line for each behaviour: its emotion, its name, and what a person sees."""
    for behavior in _in_order(folder):
        print(f"{behavior.emotion:10} {behavior.name:10} {behavior.duration_s:.1f} s  {behavior.sees}")


@main.command("preview")
@SHEETS
@click.argument("names", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the pictures.")
def preview_(folder: Path, names: tuple[str, ...], out: Path) -> None:
    """Draw a contact sheet (PNG) for each of NAMES, or for all, and one overview of all."""
    behaviors = library.load(str(folder))
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in names or behaviors.names:
            preview.save(preview.sheet(behaviors[name]), out / f"{name}.png")
        if not names:
            preview.save(preview.overview(_in_order(folder)), out / "overview.png")
    except OSError as error:
        raise BehaviorError([f"behaviours: {out}: {error}."]) from None
    print(f"{out}: {len(names) or len(behaviors) + 1} pictures")


@main.command("physics")
@SHEETS
@click.argument("names", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for a PNG and a GIF of each.")
def physics_(folder: Path, names: tuple[str, ...], out: Path | None) -> None:
    """Play NAMES, or all, with a simulated body: it must stand, arrive and not touch itself; else code 2."""
    behaviors = library.load(str(folder))
    wanted = [behaviors[name] for name in names] or _in_order(folder)
    runs = physics.play_all(wanted)
    print(physics.table(runs))
    if out is not None:
        from behaviors import pictures

        out.mkdir(parents=True, exist_ok=True)
        for behavior, run in zip(wanted, runs, strict=True):
            pictures.draw(behavior, run, out)
        print(f"{out}: {2 * len(runs)} pictures")
    troubles = [f"behaviour {run.name}: it {trouble}" for run in runs for trouble in run.troubles]
    if troubles:
        raise BehaviorError(troubles)


def _in_order(folder: Path) -> list:
    """The behaviours in the order of EMOTIONS."""
    return sorted(library.load(str(folder)), key=lambda b: (EMOTIONS.index(b.emotion), b.name))


for command in COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    try:
        main()
    except BehaviorError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
