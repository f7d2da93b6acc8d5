"""The command line of the PC's end: `serve` robots, `replay` recorded pictures, or ask the `doctor`.

It opens what the settings say and closes it again; what a person got wrong is one sentence and exit code 2.
Each command imports what it needs: the process that serves reads no pictures and loads no networks.
"""

import json
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import click

from behaviors import songs
from config import settings
from config.settings import MusicSettings, SettingsError

config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="A YAML file laid over config/default.yaml."
)
set_option = click.option(
    "--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE", help="One setting; may be repeated."
)


@click.group()
def main() -> None:
    """The PC's end: from a robot's pictures to faces and emotions."""


@main.command()
@click.option(
    "--listen", metavar="ADDRESS", help="As tcp://127.0.0.1:5555; tcp://0.0.0.0:5555 for the network."
)
@click.option("--monitor", metavar="HOST:PORT", help="Where the page to watch is served.")
@click.option("--no-monitor", is_flag=True, help="Serve no page.")
@config_option
@set_option
def serve(listen, monitor, no_monitor, config, overrides) -> None:
    """Answer robots until Ctrl-C."""
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    logging.basicConfig(format="%(message)s", level="WARNING")
    logging.getLogger("inference_server").setLevel("INFO")
    from inference_server.events import Events
    from inference_server.monitor import Monitor, MonitorError
    from inference_server.recorder import RecordError
    from inference_server.server import Server, ServerError
    from inference_server.workers import Process, cores, enough_for

    kinds = (MonitorError, RecordError, ServerError, songs.SongsError)
    with one_sentence(*kinds), ExitStack() as open_things:
        chosen = settings.load(config, [*overrides, *_as_overrides(listen, monitor)])
        music = _music(chosen.music)
        events = Events()
        workers = chosen.server.workers or enough_for(chosen.server.listen)
        server = Server(partial(Process, chosen.reader), events, chosen.server.listen, workers)
        open_things.enter_context(server)
        network = server.about["model"]
        runtime = f"{server.about['runtime']}, {workers} worker{'s' * (workers > 1)} on {cores()} cores"
        line = f"serving at {server.address} · {network} · {runtime}"
        recorder = open_things.enter_context(_recorder(chosen, events, server))
        if chosen.record.from_start:
            recorder.start(**_record_defaults(chosen))
        if not no_monitor:
            about = {"listen": server.address, "network": network, "runtime": runtime}
            page = Monitor(
                events, chosen.monitor.host, chosen.monitor.port, about, music, _record_routes(recorder, chosen)
            )
            open_things.enter_context(closing(page))
            line += f" · watch it at {page.url}"
        click.echo(line)
        while not over.wait(0.2):  # in slices: the kernel may give the signal to a thread that is not this one
            pass


@main.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for tables and film.")
@click.option(
    "--rate",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.001, 1000),
    help="Images a second of a folder.",
)
@config_option
@set_option
def replay(source, out, rate, config, overrides) -> None:
    """Read SOURCE, a film, an image or a folder of images, as if a robot had seen it."""
    from inference_server.film import FilmError, open_source
    from inference_server.reader import ReaderError
    from inference_server.replay import replay as replay_source
    from inference_server.runtime import open_reader
    from models.mtcnn import ModelError
    from models.zoo import ZooError

    with one_sentence(FilmError, ModelError, ReaderError, ZooError):
        chosen = settings.load(config, overrides)
        pictures = open_source(source, rate)
        reader = open_reader(chosen.reader)
        with _progress(source.name, pictures.count) as on_frame:
            summary = replay_source(pictures, source.name, reader, chosen.mood.model_dump(), out, on_frame)
        click.echo(f"{summary}written to {out}")


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
def repair(file) -> None:
    """Make the session FILE whole whose end was lost, by a crash or a full disk."""
    from inference_server import session

    with one_sentence(session.SessionError):
        if session.is_whole(file):
            click.echo(f"{file} is whole already.")
        else:
            click.echo(f"{file} is whole again: {session.repair(file)} messages.")


@main.command("doctor")
@click.option("--listen", metavar="ADDRESS", help="The address that `serve` is to have.")
@click.option("--monitor", metavar="HOST:PORT", help="The page's.")
@click.option("--robot", metavar="NAO", help="A robot's address, to see whether it can be reached.")
@config_option
@set_option
def doctor_(listen, monitor, robot, config, overrides) -> None:
    """Say what would keep `serve` from answering robots; exit code 1 if something would."""
    from inference_server import doctor

    with one_sentence():
        chosen = settings.load(config, [*overrides, *_as_overrides(listen, monitor)])
        sys.exit(doctor.report(doctor.examine(chosen, robot), sys.stdout))


def _recorder(chosen, events, server):
    """The recorder, with all that a session says of what made it."""
    from inference_server.recorder import Recorder
    from inference_server.session import versions
    from models import zoo

    about = {
        **server.about,
        "sha256": zoo.read_card(chosen.reader.model)["sha256"]["model.onnx"],
        "config": chosen.model_dump_json(),
        "versions": json.dumps(versions()),
    }
    return Recorder(events, Path(chosen.record.folder), about, server.begin_anew, chosen.record.min_free_mb)


def _record_defaults(chosen) -> dict:
    return {key: getattr(chosen.record, key) for key in ("purpose", "images", "consent")}


def _record_routes(recorder, chosen) -> list:
    from inference_server.recorder_web import routes

    return routes(recorder, _record_defaults(chosen))


def _music(chosen: MusicSettings):
    """What the page plays, or None; raises SongsError."""
    from inference_server.monitor import Music

    if chosen.player != "page":
        return None
    return Music(songs.load(chosen.folder), chosen.after_s, chosen.fade_s, chosen.volume)


@contextmanager
def one_sentence(*kinds: type[Exception]) -> Iterator[None]:
    """What a person can put right, one of `kinds` or the settings, is said in a sentence, with exit code 2."""
    try:
        yield
    except (SettingsError, *kinds) as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except OSError as error:
        click.echo(f"{error.filename or 'a file'}: {error.strerror or error}.", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        click.echo("stopped by hand; what was read until then is written.", err=True)
        sys.exit(130)


def _as_overrides(listen: str | None, monitor: str | None) -> list[str]:
    """The two addresses in the form of --set, so that they are checked like every setting."""
    overrides = [f"server.listen={json.dumps(listen)}"] if listen else []
    if monitor:
        host, colon, port = monitor.rpartition(":")
        if not (colon and host and port.isdigit()):
            raise SettingsError(f"--monitor needs HOST:PORT, as in 127.0.0.1:8080; {monitor!r} came.")
        overrides += [f"monitor.host={json.dumps(host.strip('[]'))}", f"monitor.port={port}"]
    return overrides


@contextmanager
def _progress(name: str, count: int | None):
    """A bar on the terminal; gives a function to call with the number of pictures read."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=count)
        yield lambda done: progress.update(task, completed=done)


if __name__ == "__main__":
    main()
