"""A long film through replay: does its memory stay where it is, and how many times faster than life is it?

The film is a short clip again and again, packed anew without being encoded anew. replay runs as people run it,
in a process of its own; from beside, the memory of it and of its children is looked at until it ends.
"""

import subprocess
import sys
import time
from pathlib import Path

import av

from tests.bench import machine
from tests.whole.programs import ROOT

LOOK_S = 0.5
SETTLED = 0.1  # of the time; from then on memory should stay


def measure(clip: Path, minutes: float, folder: Path) -> dict:
    """A row of figures; folder gets the film, what replay writes, and hour.png."""
    film, seconds = looped(clip, minutes * 60, folder)
    started_s = time.monotonic()
    samples = watched(["replay", str(film), "--out", str(folder / "replayed"), "--no-film"])
    took_s = time.monotonic() - started_s
    settled = [mb for at_s, mb in samples if at_s >= SETTLED * took_s]
    draw(samples, folder / "hour.png", f"replay of {seconds / 60:.0f} minutes of film")
    return {
        "film": film.name,
        "seconds": seconds,
        "took_s": took_s,
        "times_real_time": seconds / took_s,
        "rss_mb_at_first": settled[0],
        "rss_mb_at_last": settled[-1],
        "rss_mb_most": max(mb for _, mb in samples),
    }


def looped(clip: Path, seconds: float, folder: Path) -> tuple[Path, float]:
    """A film of about so many seconds, and how many: the clip's packets, each turn behind the one before."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{clip.stem}-{seconds:.0f}s.mp4"
    with av.open(str(clip)) as source:
        stream = source.streams.video[0]
        packets = [packet for packet in source.demux(stream) if packet.dts is not None]
        turn = sum(packet.duration for packet in packets)
        turn_s = float(turn * stream.time_base)
        turns = max(1, round(seconds / turn_s))
        with av.open(str(path), "w") as film:
            copied = film.add_stream_from_template(stream)
            times = [(packet.pts, packet.dts) for packet in packets]
            for k in range(turns):
                for packet, (pts, dts) in zip(packets, times, strict=True):
                    packet.pts, packet.dts, packet.time_base = pts + k * turn, dts + k * turn, stream.time_base
                    packet.stream = copied
                    film.mux(packet)
    return path, turns * turn_s


def watched(words: list[str]) -> list[tuple[float, float]]:
    """Run `python -m inference_server WORDS`; [(s, MB)] of it and its children. Raises where it fails."""
    command = [sys.executable, "-m", "inference_server", *words]
    samples, started_s = [], time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            megabytes = machine.memory_mb([process.pid, *machine.children(process.pid)])
            if megabytes is not None:
                samples.append((time.monotonic() - started_s, megabytes))
            time.sleep(LOOK_S)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return samples


def draw(samples: list[tuple[float, float]], path: Path, title: str) -> None:
    """Memory over time; needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    axes.plot([at_s for at_s, _ in samples], [mb for _, mb in samples], color="#2a6f97")
    axes.set(xlabel="s", ylabel="resident memory, MB", ylim=(0, None), xlim=(0, None), title=title)
    figure.savefig(path, dpi=120)
    plt.close(figure)
