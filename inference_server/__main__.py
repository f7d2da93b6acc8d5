"""The command line of the PC's end: `serve` robots, `replay` recorded pictures, or ask the `doctor`.

It opens what the settings say and closes it again; what a person got wrong is one sentence and exit code 2.
Each command imports what it needs: the process that serves reads no pictures and loads no networks.
"""

import importlib.util
import json
import logging
import signal
import sys
import threading
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import click

from behaviors import songs
from config import keys, settings
from config.keys import KeysError
from config.settings import MusicSettings, SettingsError
from inference_server.keys import command as keys_command
from inference_server.options import config_option, one_sentence, set_option
from inference_server.replay_commands import replay


@click.group()
def main() -> None:
    """The PC's end: from a robot's pictures to faces and emotions."""


main.add_command(keys_command)
main.add_command(replay)


@main.command()
@click.option(
    "--listen", metavar="ADDRESS", help="As tcp://127.0.0.1:5555; tcp://0.0.0.0:5555 for the network."
)
@click.option("--monitor", metavar="HOST:PORT", help="Where the page to watch is served.")
@click.option("--no-monitor", is_flag=True, help="Serve no page.")
@click.option("--plain", is_flag=True, help="Serve a network without keys; only in one that you trust.")
@click.option(
    "--backend",
    type=click.Choice(["workers", "ray", "kserve"]),
    help="What reads; see `server` in the settings.",
)
@config_option
@set_option
def serve(listen, monitor, no_monitor, plain, backend, config, overrides) -> None:
    """Answer robots until Ctrl-C."""
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    logging.basicConfig(format="%(message)s", level="WARNING")
    logging.getLogger("inference_server").setLevel("INFO")
    from inference_server.events import Events
    from inference_server.lsl import LslError
    from inference_server.metrics import Metrics, MetricsError
    from inference_server.monitor import Monitor, MonitorError
    from inference_server.recorder import RecordError
    from inference_server.server import Server, ServerError, allow_open_files
    from inference_server.workers import core_names, enough_for

    kinds = (KeysError, LslError, MetricsError, MonitorError, RecordError, ServerError, songs.SongsError)
    with one_sentence(*kinds), ExitStack() as open_things:
        overrides = [*overrides, *_as_overrides(listen, monitor), *(["server.plain=true"] if plain else [])]
        overrides += [f"server.backend={backend}"] if backend else []
        chosen = settings.load(config, overrides)
        music = _music(chosen.music)
        events = Events()
        allow_open_files()
        workers = chosen.server.workers or enough_for(chosen.server.listen)
        where = keys.folder(chosen.server.keys) if _needs_keys(chosen.server) else None
        server = Server(
            events=events, listen=chosen.server.listen, workers=workers, keys=where, **_backend(chosen)
        )
        open_things.enter_context(server)
        network = server.about["model"]
        runtime = f"{server.about['runtime']}, {workers} worker{'s' * (workers > 1)} on core {core_names()}"
        line = f"serving at {server.address} · {network} · {runtime} · {_who_may_come(server)}"
        recorder = open_things.enter_context(_recorder(chosen, events, server))
        if chosen.server.metrics:
            open_things.enter_context(closing(Metrics(events, server, chosen.server.metrics)))
        if chosen.lsl.send:
            open_things.enter_context(_lsl_outlet(events, server))
            line += " · streams to LabStreamingLayer"
        if chosen.record.from_start:
            recorder.start(**_record_defaults(chosen))
        if not no_monitor:
            about = {"listen": server.address, "network": network, "runtime": runtime}
            about["sessions"] = chosen.record.folder  # where there is one, the page has the button to record
            routes = _record_routes(recorder, chosen)
            place = chosen.monitor.host, chosen.monitor.port
            page = Monitor(events, *place, about, music, routes, server.order)
            open_things.enter_context(closing(page))
            line += f" · watch it at {page.url}"
            if page.url_to_watch != page.url:
                line += f" (who may only watch: {page.url_to_watch})"
        click.echo(line)
        while not over.wait(0.2):  # in slices: the kernel may give the signal to a thread that is not this one
            pass


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


def _backend(chosen) -> dict:
    """What reads: `launch`, and `before` or `keep`, as Server takes them. Raises ServerError."""
    from inference_server.kserve_front import KServeProcess, KServeWorkers
    from inference_server.ray_front import Bridge, RayFirst
    from inference_server.workers import Process

    if chosen.server.backend == "kserve":
        _needs("tritonclient", "kserve", "tritonclient")
        return {"launch": partial(KServeProcess, chosen.reader, chosen.kserve), "keep": KServeWorkers}
    ways = {"launch": partial(Process, chosen.reader)}
    if chosen.server.backend == "ray":
        _needs("ray", "ray", "Ray")
        ways["before"] = partial(RayFirst, partial(Bridge, chosen.reader, chosen.ray))
    return ways


def _needs(module: str, backend: str, name: str) -> None:
    """Raises ServerError where what a backend needs is not installed."""
    from inference_server.server import ServerError

    if importlib.util.find_spec(module) is None:
        raise ServerError(
            f"server: the backend {backend} needs {name}, which is not installed: pip install -e '.[{backend}]'"
        )


def _needs_keys(chosen) -> bool:
    return not (chosen.plain or keys.is_loopback(chosen.listen))


def _who_may_come(server) -> str:
    """Of the network, for the line that says what is served."""
    if server.gate is None:
        return "for this machine alone" if keys.is_loopback(server.address) else "PLAIN, without keys"
    if not server.gate.allowed:
        return "no robot has been allowed yet: python -m inference_server keys pair ROBOT"
    return f"{server.gate.allowed} keys allowed, its own is {server.gate.fingerprint}"


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


def _lsl_outlet(events, server):
    from inference_server.lsl import Outlet

    return Outlet(events, server.address)


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


def _as_overrides(listen: str | None, monitor: str | None) -> list[str]:
    """The two addresses in the form of --set, so that they are checked like every setting."""
    overrides = [f"server.listen={json.dumps(listen)}"] if listen else []
    if monitor:
        host, colon, port = monitor.rpartition(":")
        if not (colon and host and port.isdigit()):
            raise SettingsError(f"--monitor needs HOST:PORT, as in 127.0.0.1:8080; {monitor!r} came.")
        overrides += [f"monitor.host={json.dumps(host.strip('[]'))}", f"monitor.port={port}"]
    return overrides


if __name__ == "__main__":
    main()
