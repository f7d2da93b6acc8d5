"""python -m robot_app.package build | deploy | pair: the package that a NAO gets, made here and brought there.

It reads the command line; contents.py makes the package, deploy.py installs and starts it. Robot and PC learn
each other's public keys on the way; no secret one is ever sent.
"""

import sys
import zipfile
from functools import partial
from pathlib import Path

import click

from behaviors import library as behavior_library
from config import keys
from config import robot as robot_settings
from config import settings as pc_settings
from robot_app.package import contents, deploy

WHEELS = contents.ROOT / "build" / "wheels"
PKG = contents.ROOT / "build" / "nao-emotion.pkg"
TROUBLE = (ValueError, OSError, zipfile.BadZipFile, contents.PackageError, deploy.DeployError)

settings_option = click.option("--settings", help="YAML settings instead of the default ones.")
set_option = click.option("--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE", help="One setting.")
out_option = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=PKG,
    show_default="build/nao-emotion.pkg",
    help="The package.",
)
machine_option = click.option(
    "--machine",
    type=click.Choice([*contents.WHEELS, "none"]),
    default="i686",
    show_default=True,
    help="Whose pyzmq goes into lib/: a NAO's (i686), that of a PC to test on, or none.",
)
user_option = click.option("--user", default="nao", show_default=True, help="Who logs in on the robot.")
ssh_port_option = click.option("--ssh-port", default=22, show_default=True)
identity_option = click.option(
    "--identity", type=click.Path(exists=True, dir_okay=False), help="An ssh key, as ssh -i."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """The package that a NAO gets."""


@main.command()
@out_option
@machine_option
@settings_option
@set_option
def build(out: Path, machine: str, settings: str | None, overrides: tuple[str, ...]) -> None:
    """Make the package."""
    try:
        checked = robot_settings.load(settings, overrides)
        make(out, machine, checked)
    except TROUBLE as error:
        _give_up(error)
    if contents.points_at_itself(checked):
        click.echo(
            f"note: the robot will look for the PC at {checked['robot']['server']}, which is the robot itself; "
            "build with --set robot.server=tcp://PC:5555, or start it with --server."
        )


@main.command("deploy")
@click.argument("nao")
@click.option("--pc", metavar="ADDRESS", help="This PC as the robot sees it.  [default: found out]")
@click.option("--port", default=5555, show_default=True, help="Where the inference server listens on this PC.")
@user_option
@ssh_port_option
@identity_option
@out_option
@machine_option
@settings_option
@set_option
def deploy_(nao, pc, port, user, ssh_port, identity, out, machine, settings, overrides) -> None:
    """Make the package, install it on NAO (its address) and start it there; every step is told."""
    try:
        robot = deploy.Robot(nao, user, ssh_port, identity, out.parent / "known_hosts", click.echo)
        server = f"tcp://{pc or robot.pc_address()}:{port}"
        checked = robot_settings.load(settings, [*overrides, f'robot.server="{server}"'])
        make(out, machine, checked)
        where = keys.folder(pc_settings.load(settings, overrides).server.keys)
        is_plain = checked["robot"]["plain"] or keys.is_loopback(server)
        with robot:
            pair = (lambda _: None) if is_plain else partial(_pair, robot, where, nao)
            started = robot.deploy(out, contents.BITS.get(machine), server, pair)
    except TROUBLE as error:
        _give_up(error)
    sys.exit(0 if started else 1)


@main.command("pair")
@click.argument("nao")
@click.option("--name", help="Under which it is to be known here.  [default: its address]")
@user_option
@ssh_port_option
@identity_option
@settings_option
@set_option
def pair_(nao, name, user, ssh_port, identity, settings, overrides) -> None:
    """Have NAO (its address) and this PC know each other's keys; the app must be on it already."""
    try:
        where = keys.folder(pc_settings.load(settings, overrides).server.keys)
        PKG.parent.mkdir(exist_ok=True)
        with deploy.Robot(nao, user, ssh_port, identity, PKG.parent / "known_hosts", click.echo) as robot:
            _pair(robot, where, name or nao)
    except TROUBLE as error:
        _give_up(error)


def _pair(robot: deploy.Robot, where: str, name: str, folder: str | None = None) -> None:
    key = robot.pair(keys.of_pc(where)["public"], folder)
    keys.allow(where, name, key)
    click.echo(f"The robot and this PC know each other's keys; here it is {name} ({keys.fingerprint(key)}).")


def make(out: Path, machine: str, settings: dict) -> None:
    """Write the package and say what is in it."""
    wheel = None if machine == "none" else contents.fetch_wheel(machine, WHEELS)
    files = contents.contents(settings, behavior_library.load(), wheel)
    contents.write(out, files)
    click.echo(f"{out} is made: {contents.describe(files)}.")


def _give_up(error: Exception) -> None:
    click.echo(f"robot_app.package: {error}", err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
