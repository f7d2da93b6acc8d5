"""python -m robot_app.virtual: a virtual NAO that any NAOqi client can connect to.

This file reads the command line and waits for its end; it knows nothing of robots.
"""

import importlib.util
import os
import signal
import sys
import threading
import time

import click

from .diary import Diary
from .fast_clock import FastClock
from .nao import VirtualNAO
from .pictures import SourceError, open_source
from .profiles import PROFILES

NO_QI = (
    "virtual NAO: the package qi is not installed, and without it nothing can listen. On Linux x86_64 with "
    "Python 3.10 to 3.12 install it by pip install -e '.[sim]'; elsewhere run the virtual NAO inside the robot "
    "app: python -m robot_app --robot virtual."
)


@click.group(invoke_without_command=True, context_settings={"max_content_width": 110})
@click.option("--listen", default="tcp://127.0.0.1:9559", show_default=True, help="Port 0 takes a free one.")
@click.option(
    "--camera",
    default="demo",
    show_default=True,
    help="What it sees: a film, a photo, a folder of photos, webcam, webcam:1, demo or none.",
)
@click.option("--diary", type=click.Path(dir_okay=False), help="Write what happens there, as JSON lines.")
@click.option(
    "--loop/--once", default=True, show_default=True, help="A film again from its beginning, or black."
)
@click.option(
    "--naoqi",
    type=click.Choice(list(PROFILES)),
    default="2.8",
    show_default=True,
    help="The NAOqi that it resembles.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="How many times as fast it lives, for tests.",
)
@click.option(
    "--view",
    is_flag=False,
    flag_value="127.0.0.1:8090",
    metavar="[HOST:PORT]",
    help="Serve its page, on this machine alone: the body, what it sees and is told, and buttons.",
)
@click.pass_context
def main(context, listen, camera, diary, loop, naoqi, speed, view):
    """A NAO that is not there: NAOqi's services on real libqi."""
    if context.invoked_subcommand:
        return
    if importlib.util.find_spec("qi") is None:
        _give_up(NO_QI)
    from .qi_host import HostError, QiHost

    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    page, told = None, (SourceError, HostError)
    if view:
        from .page import Page, PageError

        told += (PageError,)
    try:
        source = open_source(camera, loop)
        clock = time.monotonic if speed == 1 else FastClock(speed)
        nao = VirtualNAO(source, Diary(diary), clock=clock, naoqi=naoqi)
        if view:
            page = Page(nao, view, camera)
        host = QiHost(nao, listen if "://" in listen else f"tcp://{listen}")
    except told as error:
        _give_up(f"virtual NAO: {error}")
    except OSError as error:
        _give_up(f"virtual NAO: the diary cannot be written: {error}.")
    shown = f", its page is {page.url}" if page else ""
    click.echo(f"virtual NAO listens at {host.url}, its camera shows {camera}{shown}")
    # In slices: a signal that the kernel gives to a thread of libqi (it may after SIGCONT) is handled here only
    # when this thread runs some Python.
    while not over.wait(0.2):
        pass
    if page:
        page.close()
    nao.close()
    host.close()
    # A thread of libqi may still hold a Python object. If it met an interpreter that is being taken down, libqi
    # would end the process with an abort.
    sys.stdout.flush()
    os._exit(0)


@main.command()
@click.option("--csv", "path", type=click.Path(dir_okay=False), required=True, help="Calls that were counted.")
def census(path):
    """How many of the calls that programs make this virtual NAO offers; see census.py."""
    from .census import read, table

    try:
        rows = read(path)
    except (OSError, ValueError) as error:
        _give_up(f"virtual NAO: {error}")
    click.echo("\n".join(table(rows)))


def _give_up(sentence):
    click.echo(sentence, err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
