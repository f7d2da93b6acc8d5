"""python -m robot_app.authoring play | record: reached by python -m behaviors play | record.

`play` uses the robot app's own player, guard and senses, so an author sees what the service would do. Whatever
ends it, the robot is put back as it was found.
"""

import select
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import click

from behaviors import authoring, library
from behaviors.authoring_commands import robot_option, sheets_option, write_sheet
from behaviors.keyframes import BehaviorError
from config import robot as robot_settings
from config.contract import EMOTIONS
from robot_app import robots
from robot_app.__main__ import Ending
from robot_app.authoring.record import Recorder
from robot_app.clock import now_s
from robot_app.interact import watch
from robot_app.notes import Notes
from robot_app.player import Player
from robot_app.safety import Safety
from robot_app.tell import Teller
from robot_app.undo import Undo

TICK_S = 0.02
HELP = "Move the robot by hand; Enter or a touch on its head takes a pose, q and Enter ends it."


@click.group()
def main() -> None:
    """An author's hands on a robot."""


@main.command()
@click.argument("name")
@sheets_option
@robot_option
def play(name: str, folder: Path, robot: str) -> None:
    """Play a behaviour once."""
    ended = Ending(now_s)
    behavior = library.load(str(folder))[name]
    settings = robot_settings.load()["robot"]
    tell = Teller(sys.stderr)
    with put_back(robot, ended, tell) as (body, undo):
        player, safety = Player(body, settings, undo, tell), Safety(body, tell)
        try:
            player.prepare(ended)
            safety.prepare()
            played = not ended() and player.play(behavior, now_s())
            while player.playing and not ended():
                watch(safety, player, Notes(), now_s())
                player.tick(now_s())
                time.sleep(TICK_S)
        finally:
            player.halt()
    if not played or safety.judge.stopped:
        sys.exit(1)
    click.echo(f"{name} was played." if not ended() else f"{name} was stopped.")


@main.command()
@click.argument("name")
@robot_option
@click.option("--emotion", type=click.Choice(EMOTIONS), required=True)
@click.option("--chains", default="Head,LArm,RArm")
@click.option("--every", "step_s", type=click.FloatRange(0.1, 5), default=0.8)
@click.option("--out", type=click.Path(path_type=Path), default=Path())
def record(name: str, robot: str, emotion: str, chains: str, step_s: float, out: Path) -> None:
    """Make a sheet of poses taken by hand."""
    ended = Ending(now_s)
    tell = Teller(sys.stderr)
    with put_back(robot, ended, tell) as (body, undo):
        recorder = Recorder(body, [chain for chain in chains.split(",") if chain], undo)
        click.echo(f"{chains} will be limp in a moment: hold the arms.")
        recorder.begin()
        click.echo(HELP)
        for pose in poses_taken(recorder, ended):
            click.echo(f"pose {len(recorder.poses)}: " + ", ".join(f"{j} {a:.2f}" for j, a in pose.items()))
        click.echo("The joints get their stiffness back now.")
    if not recorder.poses:
        raise BehaviorError(["no pose was taken, so no sheet is written."])
    notes: list[str] = []
    keyframes = authoring.without_still_chains(authoring.paced(recorder.poses, step_s))
    text = authoring.sheet(emotion, "", authoring.inside(keyframes, notes), f"Recorded by hand on {robot}.")
    write_sheet(out / f"{name}.yaml", text, notes)


def poses_taken(recorder: Recorder, ended):
    """Poses as they are asked for, until q, the end of the input, or `ended()`."""
    while not ended():
        if recorder.is_asked():
            yield recorder.take()
        if select.select([sys.stdin], [], [], TICK_S)[0]:
            line = sys.stdin.readline()
            if not line or line.strip().lower() == "q":
                return
            yield recorder.take()


@contextmanager
def put_back(address: str, ended, tell):
    """(Robot, Undo) of a connected robot; at the end, whatever it is, all that was noted is undone."""
    body = robots.over_network(address if "://" in address else f"tcp://{address}")
    undo = Undo(body, tell)
    body.connect(ended)
    try:
        yield body, undo
    finally:
        undo.run()
        body.end()


if __name__ == "__main__":
    try:
        main()
    except (BehaviorError, robots.RobotError, ValueError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
