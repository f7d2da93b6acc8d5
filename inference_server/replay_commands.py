"""The command `replay`: recorded pictures read as if a robot had seen them.

    python -m inference_server replay SOURCE --out FOLDER
    python -m inference_server replay SOURCE SOURCE... --out FOLDER
    python -m inference_server replay compare A B --out FOLDER

Each command imports what it needs; the errors a person can put right are one sentence and exit code 2.
"""

import importlib.util
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from inference_server.options import config_option, one_sentence, set_option

ONE, COMPARE = "", "compare"


class Replay(click.Group):
    """`replay compare` compares; whatever else comes first is a source."""

    def parse_args(self, context, args):
        return super().parse_args(context, args if args and args[0] == COMPARE else [ONE, *args])


@click.group(cls=Replay)
def replay() -> None:
    """Read films, images, folders, webcams or sessions."""


@replay.command(ONE)
@click.argument("sources", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder for tables, film and report."
)
@click.option(
    "--rate",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.001, 1000),
    help="Images a second of a folder.",
)
@click.option("--film/--no-film", default=True, show_default=True, help="Write the annotated film.")
@click.option("--parquet", is_flag=True, help="The tables as Parquet too; needs pyarrow.")
@click.option("--seconds", type=click.FloatRange(0.0), help="Read no more than this of each source.")
@click.option("--robot", metavar="ID", help="Which robot of a session; else the first.")
@click.option("--workers", type=click.IntRange(1, 64), help="Sources read at a time; else one a core.")
@click.option("--backend", type=click.Choice(["processes", "ray"]), default="processes", show_default=True)
@config_option
@set_option
def sources_(sources, out, workers, backend, config, overrides, **how) -> None:
    """Read each of SOURCES as if a robot saw it: a film, an image, a folder of images, `webcam` or a session.

    Several, or a folder of films, get a folder each in that of --out; what was finished is not done again.
    With --backend ray they are spread over the cluster that the settings name (ray.address).
    `replay compare A B` compares two networks, or two results.
    """
    from inference_server import replay_many

    options = {"config": config, "overrides": list(overrides), **how}
    sources = list(sources)
    with one_sentence(*_kinds()):
        many = replay_many.expanded(sources)
        if many == sources and len(sources) == 1:
            _one(sources[0], out, options)
        elif not many:
            raise click.UsageError("there is nothing to replay.")
        else:
            sys.exit(_many(many, out, options, workers, backend == "ray"))


def _one(source: Path, out: Path, options: dict) -> None:
    from inference_server.replay_one import replay_one

    with _progress(source.name) as (on_frame, on_count):
        summary = replay_one(source, out, options, on_frame, on_count)
    click.echo(f"{summary}written to {out}")


def _many(sources: list[Path], out: Path, options: dict, workers: int | None, by_ray: bool) -> int:
    """The exit code: 1 where one of them failed."""
    from inference_server import replay_many
    from inference_server.replay_one import figures
    from inference_server.workers import cores

    pool = _ray_pool(options) if by_ray else replay_many.processes
    todo = replay_many.tasks(sources, options)
    failed = replay_many.replay_all(todo, out, figures, workers or cores(), click.echo, _kinds(), pool)
    click.echo(f"{len(todo) - failed} of {len(todo)} are in {out}; overview.csv has a row for each")
    return 1 if failed else 0


def _ray_pool(options: dict):
    """Raises UsageError where Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise click.UsageError("--backend ray needs Ray, which is not installed: pip install -e '.[ray]'")
    from config import settings
    from inference_server.ray_replay import Pool

    return partial(Pool, settings.load(options["config"], options["overrides"]).ray.address)


@replay.command(COMPARE)
@click.argument("a")
@click.argument("b")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for table and page.")
@click.option("--source", type=click.Path(path_type=Path), help="What two networks are to read.")
@config_option
@set_option
def compare_(a, b, out, source, config, overrides) -> None:
    """Compare A and B: two networks by name on one --source, or two folders that replay wrote."""
    from inference_server import compare

    with one_sentence(compare.CompareError, *_kinds()):
        folders = Path(a), Path(b)
        if source is not None:
            options = {"config": config, "rate": 1.0, "robot": None}
            options |= {"film": False, "parquet": False, "seconds": None}
            folders = out / a, out / b
            for name, folder in zip((a, b), folders, strict=True):
                from inference_server.replay_one import replay_one

                chosen = {"overrides": [*overrides, f"reader.model={name}"]}
                with _progress(f"{source.name}, {name}") as (on_frame, on_count):
                    replay_one(source, folder, options | chosen, on_frame, on_count)
        found = compare.compare(*folders, (a, b) if source else None)
        compare.write(found, out)
        click.echo(f"{found}written to {out}")


def _kinds() -> tuple[type[Exception], ...]:
    """What can be wrong with a source or a network, and is said in a sentence."""
    from inference_server.film import FilmError
    from inference_server.forms import FormError
    from inference_server.ray_front import RayError
    from inference_server.reader import ReaderError
    from inference_server.session import SessionError
    from models.mtcnn_nets import ModelError
    from models.zoo import ZooError

    return FilmError, FormError, ModelError, RayError, ReaderError, SessionError, ZooError


@contextmanager
def _progress(name: str):
    """A bar on the terminal; gives functions to call with the number of pictures read, and with that of all."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=None)
        yield (
            lambda done: progress.update(task, completed=done),
            lambda count: progress.update(task, total=count),
        )
