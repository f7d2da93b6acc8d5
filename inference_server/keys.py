"""The command `keys`: which robots may speak to this PC over the network.

    python -m inference_server keys                    this PC's key
    python -m inference_server keys pair ROBOT         both ends get to know each other, over ssh
    python -m inference_server keys list | allow NAME KEY | revoke NAME

It changes files (config/keys.py); a server that runs follows within a second. Pairing is a program of the
robot's room, which is started and not imported.
"""

import subprocess
import sys
from contextlib import contextmanager

import click

from config import keys, settings

BY_HAND = """\
To pair a robot without ssh, type there, in the folder of the package (on a PC: python -m robot_app --pair ...):
  python2 . --pair {key}
and here what it answers:
  python -m inference_server keys allow NAME ITS_KEY
"""


@contextmanager
def one_sentence():
    """What a person can put right is said in a sentence, with exit code 2."""
    try:
        yield
    except (keys.KeysError, settings.SettingsError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)


@click.group("keys", invoke_without_command=True)
@click.option("--config", type=click.Path(), help="A YAML file laid over config/default.yaml.")
@click.option("--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE", help="One setting.")
@click.pass_context
def command(context, config, overrides) -> None:
    """Which robots may speak to this PC over the network; alone, this PC's own key."""
    with one_sentence():
        context.obj = keys.folder(settings.load(config, overrides).server.keys)
        context.meta["settings"] = [*(["--settings", config] if config else [])]
        context.meta["settings"] += [word for item in overrides for word in ("--set", item)]
        if context.invoked_subcommand is None:
            key = keys.of_pc(context.obj)["public"]
            click.echo(f"This PC's key is {keys.fingerprint(key)}, in full:\n  {key}")
            click.echo(f"Robots allowed: {len(keys.allowed(context.obj))}. The keys are in {context.obj}.")


@command.command("list")
@click.pass_obj
def list_(where: str) -> None:
    """The robots that are allowed, with their fingerprints."""
    with one_sentence():
        rows = sorted((name, key) for key, name in keys.allowed(where).items())
        for name, key in rows:
            click.echo(f"{name:<32} {keys.fingerprint(key)}")
        if not rows:
            click.echo("No robot is allowed yet: python -m inference_server keys pair ROBOT")


@command.command()
@click.argument("name")
@click.argument("key")
@click.pass_obj
def allow(where: str, name: str, key: str) -> None:
    """Let the robot with KEY in, under NAME."""
    with one_sentence():
        keys.allow(where, name, key)
        click.echo(f"{name} is allowed, with the key {keys.fingerprint(key)}.")


@command.command()
@click.argument("name")
@click.pass_obj
def revoke(where: str, name: str) -> None:
    """Let the robot of this NAME in no more; a server that runs answers it no more either."""
    with one_sentence():
        keys.revoke(where, name)
        click.echo(f"{name} is allowed no more.")


@command.command(context_settings={"ignore_unknown_options": True})
@click.argument("robot", required=False)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def pair(context, robot: str | None, options: tuple[str, ...]) -> None:
    """Pair with ROBOT over ssh (its address); without it, say what to type at both ends.

    OPTIONS are those of `python -m robot_app.package pair`: --user, --ssh-port, --identity, --name.
    """
    with one_sentence():
        by_hand = BY_HAND.format(key=keys.of_pc(context.obj)["public"])
    if robot is None:
        click.echo(by_hand, nl=False)
        return
    words = [sys.executable, "-m", "robot_app.package", "pair", robot, *options, *context.meta["settings"]]
    code = subprocess.run(words).returncode
    if code:
        click.echo(by_hand, nl=False, err=True)
    sys.exit(code)
