"""python -m tests.bench all | peers | hour: how fast it is, as tables, JSON and plots. `make bench` runs it.

It only measures and prints; whether a figure is good enough is said nowhere in here. Figures of a machine
that does other work are worth little: the load stands beside them.
"""

import json
from contextlib import contextmanager, nullcontext
from pathlib import Path

import click

from config import settings
from tests.bench import capacity, clips, fleet, hour, loop, machine, networks, peers, plots, stages, viewers

ROBOTS = (1, 8, 16, 24, 32)
FACES = (0, 1, 2, 4, 8)
PAGES = 20
FOR_GROWTH = 4  # robots, while faces or resolution grow

seconds_option = click.option(
    "--seconds", default=10.0, show_default=True, help="How long each measurement takes."
)
clip_option = click.option(
    "--clip",
    "paths",
    multiple=True,
    envvar="CLIPS",
    type=click.Path(exists=True, path_type=Path),
    help="A film to show, one face in it; may be repeated. Else those in ../shared/media, else our own scene.",
)
json_option = click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write all figures here."
)


@click.group()
def main():
    """Measure."""


@main.command("all")
@seconds_option
@clip_option
@json_option
@click.option("--plots", "folder", type=click.Path(path_type=Path), default="build/bench", show_default=True)
@click.option(
    "--only", multiple=True, type=click.Choice(["reader", "networks", "clients", "growth", "viewers", "loop"])
)
def everything(seconds, paths, json_path, folder, only):
    """The reader, the networks, many robots, open pages, and the whole loop."""
    shown, chosen = clips.find(paths), settings.load()
    workers = machine.cores()
    report = {"machine": machine.described(), "clips": [clip.name for clip in shown]}
    with written(report, json_path):
        click.echo("{cpu}, {cores} cores, load {load:.1f}".format(**report["machine"]))
        click.echo("clips: " + ", ".join(report["clips"]))
        if not only or "reader" in only:
            rows = stages.measure([*shown, clips.nobody()], chosen.reader, seconds)
            report |= {"reader": rows} | of_all(rows[: len(shown)])
            click.echo(machine.table("Reader, one core, VGA JPEG to scores, ms a frame", rows))
        if not only or "networks" in only:
            report["networks"] = networks.measure(chosen.reader.model, chosen.reader.min_face_px, seconds)
            click.echo(machine.table("Network, one core, CPU ms a run", report["networks"]))
        if not only or "clients" in only:
            report["clients"] = [fleet.measure(shown, count, workers, seconds) for count in ROBOTS]
            title = (
                f"Whole loop, {clips.FPS} fps VGA JPEG a client, clients on the same cores; CPU for an answer"
            )
            click.echo(machine.table(title, report["clients"]))
        if not only or "growth" in only:
            report["growth"] = growth(shown[0], workers, seconds)
            for grows, points in report["growth"].items():
                rows = [{grows: label} | row for label, row in points]
                click.echo(machine.table(f"{FOR_GROWTH} clients, by {grows}", rows))
        if not only or "viewers" in only:
            report["viewers"] = viewers.measure(shown[0], PAGES, seconds)
            click.echo(machine.table("One robot while pages are open, on the same cores", report["viewers"]))
        if not only or "loop" in only:
            loop.measure(shown[0], seconds, report)
            click.echo(machine.table("Robot's end and whole loop", loop.rows(report)))
        grown = report.get("growth", {})
        if "clients" in report:
            grown = {"robots": [(str(row["clients"]), row) for row in report["clients"]]} | grown
        for path in plots.draw(folder, grown):
            click.echo(f"plot: {path}")


@main.command("peers")
@seconds_option
@clip_option
@json_option
def beside_peers(seconds, paths, json_path):
    """Ours and what people use today, on the same clips in the same run."""
    report = {"machine": machine.described()}
    with written(report, json_path):
        click.echo("{cpu}, {cores} cores, load {load:.1f}".format(**report["machine"]))
        report["peers"] = peers.measure(clips.find(paths), seconds)
        report["ratios"] = {row["stack"]: row["ratio"] for row in report["peers"] if row["ratio"]}
        click.echo(machine.table("VGA JPEG to faces, one core, turn by turn", report["peers"]))


@main.command("hour")
@click.option("--minutes", default=60.0, show_default=True, help="How long the film is.")
@click.option(
    "--clip",
    "path",
    default=clips.MEDIA / clips.USUAL[0],
    show_default=True,
    type=click.Path(exists=True, path_type=Path),
    help="What is looped.",
)
@click.option("--plots", "folder", type=click.Path(path_type=Path), default="build/bench", show_default=True)
@json_option
def long_film(minutes, path, folder, json_path):
    """A long film through replay: its memory over time, and how many times faster than life."""
    report = {"machine": machine.described()}
    with written(report, json_path):
        click.echo("{cpu}, {cores} cores, load {load:.1f}".format(**report["machine"]))
        report["hour"] = hour.measure(path, minutes, folder)
        click.echo(machine.table("A long film through replay, without the annotated one", [report["hour"]]))
        click.echo(f"plot: {folder / 'hour.png'}")


@main.command("ray")
@seconds_option
@clip_option
@json_option
@click.option("--robots", multiple=True, type=int, default=(4, 16), show_default=True)
@click.option("--replicas", multiple=True, type=int, default=(1, 2, 4), show_default=True)
@click.option("--batch", default=settings.load().ray.batch, show_default=True, help="As ray.batch.")
def beside_ray(seconds, paths, json_path, robots, replicas, batch):
    """Workers, and Ray with several numbers of replicas, on the same clips in the same run."""
    shown, report = clips.find(paths), {"machine": machine.described(), "ray": []}
    with written(report, json_path):
        click.echo("{cpu}, {cores} cores, load {load:.1f}".format(**report["machine"]))
        for count in robots:
            row = fleet.measure(shown, count, machine.cores(), seconds)
            report["ray"].append({"read by": f"{machine.cores()} workers"} | row)
            for number in replicas:
                options = ("--backend", "ray", "--set", f"ray.replicas={number}", "--set", f"ray.batch={batch}")
                row = fleet.measure(shown, count, 1, seconds, more=options, ready="Ray reads from now on")
                report["ray"].append({"read by": f"{number} replicas, 1 worker in reserve"} | row)
        click.echo(
            machine.table(f"{clips.FPS} fps VGA JPEG a client, clients on the same cores", report["ray"])
        )


@main.command("capacity")
@seconds_option
@clip_option
@json_option
@click.option("--robots", multiple=True, type=int, default=(1, 2, 4, 8, 16, 24), show_default=True)
@click.option(
    "--ray-nodes", type=int, default=0, help="Read by a Ray cluster of so many nodes of one core each."
)
def how_many(seconds, paths, json_path, robots, ray_nodes):
    """What nobody and one robot cost, what that predicts for more and what they do cost; then up to 10,000."""
    shown, report = clips.find(paths), {"machine": machine.described()}
    with written(report, json_path):
        click.echo("{cpu}, {cores} cores, load {load:.1f}".format(**report["machine"]))
        with by_ray(ray_nodes) if ray_nodes else nullcontext({"workers": machine.cores()}) as how:
            nobody, *rows = [
                fleet.measure(shown, n, seconds=seconds, **how) for n in (0, *sorted({1, *robots}))
            ]
        cost = capacity.Cost.of(nobody, rows[0], shown)
        report |= {"cost": cost._asdict(), "points": capacity.compared(cost, rows, machine.cores())}
        report["needed"] = [capacity.needed(cost, count) for count in capacity.MANY]
        line = "nobody: {idle_cores:.2f} cores; an answer: {front_ms:.2f} + {read_ms:.2f} ms; a picture: "
        line += "{picture_bytes:.0f} bytes"
        click.echo(line.format(**report["cost"]))
        click.echo(machine.table("Cores, predicted from nobody and one robot, and measured", report["points"]))
        click.echo(machine.table(f"Needed at {clips.FPS} pictures a second", report["needed"]))


@contextmanager
def by_ray(nodes: int):
    """How fleet.measure is to read by a cluster of so many nodes of one core each, on this machine."""
    from tests.ray.stage import cluster

    with cluster(*[1] * nodes) as (head, others):
        options = ("--set", f"ray.address={head.address}", "--set", f"ray.replicas={nodes}")
        yield {
            "workers": 1,
            "more": ("--backend", "ray", *options),
            "ready": "Ray reads from now on",
            "also": lambda: [pid for one in (head, *others) for pid in one.pids],
        }


def of_all(rows: list[dict]) -> dict:
    """The two figures of the reader over all clips that show a face."""
    return {
        "reader_cpu_ms_mean": sum(row["cpu_ms_mean"] for row in rows) / len(rows),
        "reader_cpu_ms_p95": max(row["cpu_ms_p95"] for row in rows),
    }


def growth(clip: clips.Clip, workers: int, seconds: float) -> dict:
    """{what grows: [(label, row)]} with FOR_GROWTH robots."""
    by_faces = [(str(n), clips.crowded(clip, n)) for n in FACES]
    by_size = [(size, clips.resized(clip, size)) for size in clips.SIZES]
    return {
        grows: [(label, fleet.measure([shown], FOR_GROWTH, workers, seconds)) for label, shown in points]
        for grows, points in {"faces in VGA": by_faces, "resolution": by_size}.items()
    }


@contextmanager
def written(report: dict, path: Path | None):
    """Write what was measured, also when something later went wrong."""
    try:
        yield
    finally:
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
