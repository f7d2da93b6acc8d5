"""Hours of it: many robots, faults drawn from a seed, and what becomes of memory and of the answers.

    python -m tests.faults.soak --minutes 60 [--seed 7] [--robots 8] [--fps 15]          root, Linux

Fault follows fault, each for some seconds, none at the same time as another: the network is cut or bad, workers
and robots die or hang, a hostile neighbour attacks. Session after session is recorded meanwhile. At the end it
prints what was promised and what was seen (exit code 1 where they differ), and leaves soak.json and soak.png in
build/soak. The server itself is never touched: it must live through all of it.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from config import keys
from inference_server import session
from tests.faults.stage import PC, PORT, ROBOTS, ROOT, SERVER, Program, Stage, memory_mb, reason_why_not

PAGE = "127.0.0.1:8080"  # in the PC's namespace, where nobody else is
SAMPLE_S, SESSION_S = 10.0, 300.0
CALM_S, FAULT_S = (10.0, 40.0), (3.0, 30.0)  # between faults, and how long each lasts
SETTLED_S = 600.0  # after that, memory is to stay where it is
MOST_MB_H, PART = 1.0, "Pss_Anon"
GOOD = {"cut": False, "loss": 0.0, "delay_ms": 0.0, "jitter_ms": 0.0, "mbit_s": 1000.0}


class Soak:
    """The stage with a server and robots on it; what a fault changes is changed here."""

    def __init__(self, stage: Stage, options, folder: Path):
        self.stage, self.options = stage, options
        kept = ("--set", f"record.folder={folder / 'sessions'}")
        self.server = stage.serve("--monitor", PAGE, *kept, page=True)
        self.renew_robots()

    def renew_robots(self) -> None:
        self.robots = self.stage.robots(self.options.robots, "--fps", self.options.fps)

    def workers(self) -> list[int]:
        asked = ["pgrep", "-P", str(self.server.process.pid), "-f", "inference_server.worker "]
        return [int(pid) for pid in subprocess.run(asked, capture_output=True).stdout.split()]

    def attack(self, *words: object) -> Program:
        enemy = self.stage.start(ROBOTS, "tests.faults.attack", *words, first=False)
        enemy.wait_for("attacking")
        return enemy

    def record(self, order: str, **wish: str) -> None:
        """As the page's button does."""
        code = (
            "import sys, urllib.request as r; r.urlopen(r.Request(sys.argv[1], sys.argv[2].encode(), "
            "{'content-type': 'application/json', 'origin': sys.argv[3]}), timeout=20).read()"
        )
        words = (f"http://{PAGE}/record/{order}", json.dumps(wish), f"http://{PAGE}")
        subprocess.run(["ip", "netns", "exec", PC, sys.executable, "-c", code, *words], check=True)


# Faults: each begins, waits at its yield until its time is over, and ends.


def cut(soak: Soak, dice: random.Random) -> Iterator[None]:
    soak.stage.air(cut=True)
    yield
    soak.stage.air(**GOOD)


def bad_air(soak: Soak, dice: random.Random) -> Iterator[None]:
    soak.stage.air(loss=dice.uniform(0.01, 0.1), delay_ms=40, jitter_ms=30, mbit_s=dice.uniform(4, 20))
    yield
    soak.stage.air(**GOOD)


def worker_killed(soak: Soak, dice: random.Random) -> Iterator[None]:
    os.kill(dice.choice(soak.workers()), signal.SIGKILL)
    yield


def worker_hangs(soak: Soak, dice: random.Random) -> Iterator[None]:
    pid = dice.choice(soak.workers())
    os.kill(pid, signal.SIGSTOP)
    yield
    if pid in soak.workers():  # the server has not replaced it, as no frame waited for it
        os.kill(pid, signal.SIGCONT)


def robots_killed(soak: Soak, dice: random.Random) -> Iterator[None]:
    soak.robots.kill()
    yield
    soak.renew_robots()


def attacked_by(*kind: object) -> Callable[[Soak, random.Random], Iterator[None]]:
    def attacked(soak: Soak, dice: random.Random) -> Iterator[None]:
        enemy = soak.attack(*(what(soak) if callable(what) else what for what in kind))
        yield
        enemy.write("")
        enemy.wait_for("did ")
        enemy.end()

    return attacked


def allowed_key(soak: Soak) -> Path:
    return soak.stage.robot_keys / str(soak.options.robots)  # one more than there are robots


FAULTS: dict[str, Callable[[Soak, random.Random], Iterator[None]]] = {
    "link cut": cut,
    "bad air": bad_air,
    "worker killed": worker_killed,
    "worker hangs": worker_hangs,
    "robots killed": robots_killed,
    "1,200 idle connections": attacked_by("idle", SERVER.removeprefix("tcp://").partition(":")[0], PORT, 1200),
    "wrong keys": attacked_by("wrong_keys", SERVER, lambda soak: keys.of_pc(str(soak.stage.pc_keys))["public"]),
    "flood": attacked_by("flood", SERVER, allowed_key),
    "32000 px": attacked_by("bomb", SERVER, allowed_key),
    "100 MB": attacked_by("huge", SERVER, allowed_key),
}


def plan(seed: int, seconds: float) -> list[tuple[float, float, str]]:
    """(begins, ends, fault), s from the start, until the time is over less a calm minute at the end."""
    dice, at_s, found = random.Random(seed), 30.0, []
    while True:
        begins_s = at_s + dice.uniform(*CALM_S)
        at_s = begins_s + dice.uniform(*FAULT_S)
        if at_s > seconds - 60:
            return found
        found.append((round(begins_s, 1), round(at_s, 1), dice.choice([*FAULTS])))


def run(soak: Soak, faults: list[tuple[float, float, str]], seed: int, seconds: float) -> list[dict]:
    """Live through the plan; gives a sample every SAMPLE_S, as of sample()."""
    dice, began_s, waiting, acting = random.Random(seed), time.monotonic(), [*faults], None
    samples, ages_s, sample_s, session_s = [], [], SAMPLE_S, 0.0
    while (now_s := time.monotonic() - began_s) < seconds:
        if now_s >= session_s:
            if session_s:
                soak.record("stop")
            soak.record("start", purpose="soak")
            session_s += SESSION_S
        if acting is None and waiting and now_s >= waiting[0][0]:
            _, ends_s, name = waiting.pop(0)
            print(f"{now_s:7.1f} s  {name} for {ends_s - now_s:.0f} s", flush=True)
            acting = FAULTS[name](soak, dice), ends_s, name
            next(acting[0])
        if acting and now_s >= acting[1]:
            next(acting[0], None)
            acting = None
        ages_s += ages_of(soak.robots.new_lines(within_s=0.2))
        soak.robots.lines.clear()
        if now_s >= sample_s:
            samples.append(sample(soak, now_s, ages_s, acting[2] if acting else ""))
            ages_s, sample_s = [], sample_s + SAMPLE_S
        assert soak.server.process.poll() is None, f"the server ended: {soak.server.lines[-20:]}"
    soak.record("stop")
    return samples


def ages_of(lines: list[tuple[float, str]]) -> list[float]:
    rows = (json.loads(line) for _, line in lines if line.startswith("{"))
    return [row["age_s"] for row in rows if "faces" in row]


def sample(soak: Soak, now_s: float, ages_s: list[float], fault: str) -> dict:
    pid = soak.server.process.pid
    p50, p95 = np.percentile(ages_s, [50, 95]) * 1e3 if ages_s else (None, None)
    return {
        **{"at_s": round(now_s, 1), "mb": memory_mb(pid, part=PART)},
        **{"front_mb": memory_mb(pid, children=False, part=PART)},
        **{"answers": len(ages_s), "p50_ms": p50, "p95_ms": p95, "fault": fault},
    }


def slope_mb_h(samples: list[dict], of: str) -> float:
    """How memory grows by a straight line through the samples after SETTLED_S."""
    late = [s for s in samples if s["at_s"] >= SETTLED_S] or samples
    return float(np.polyfit([s["at_s"] / 3600 for s in late], [s[of] for s in late], 1)[0])


def judged(soak: Soak, samples: list[dict], folder: Path) -> list[tuple[str, str, bool]]:
    """(what was promised, what was seen, whether that is the same)."""
    files = sorted((folder / "sessions").glob("*.mcap"))
    read = [sum(1 for _ in session.events(path)) for path in files if session.is_whole(path)]
    total, front = slope_mb_h(samples, "mb"), slope_mb_h(samples, "front_mb")
    calm = [s for s in samples[-5:] if s["answers"]]
    last = f"{sum(s['answers'] for s in calm) / (len(calm) * SAMPLE_S or 1):.0f} a second"
    return [
        ("the server is not started again", f"it runs, {len(soak.workers())} workers", len(soak.workers()) > 0),
        (
            f"memory, libraries left out, grows by less than {MOST_MB_H:g} MB an hour",
            f"{total:+.2f} (of it the front door {front:+.2f}); {samples[-1]['mb']:.0f} MB at the end",
            total < MOST_MB_H,
        ),
        (
            "every session can be read",
            f"{len(read)} of {len(files)}, {sum(read)} events",
            len(read) == len(files),
        ),
        ("all are answered at the end", last, len(calm) == len(samples[-5:])),
    ]


def draw(samples: list[dict], faults: list[tuple[float, float, str]], path: Path) -> None:
    """Memory and age over time, faults shaded."""
    from models.plots import pyplot

    figure, (memory, age) = pyplot.subplots(2, 1, figsize=(9, 5), sharex=True, layout="constrained")
    minutes = [s["at_s"] / 60 for s in samples]
    memory.plot(minutes, [s["mb"] for s in samples], label="server with its workers")
    memory.plot(minutes, [s["front_mb"] for s in samples], label="front door alone")
    for key in ("p50_ms", "p95_ms"):
        age.plot(minutes, [np.nan if s[key] is None else s[key] for s in samples], label=key[:3])
    for axes in (memory, age):
        for begins_s, ends_s, _ in faults:
            axes.axvspan(begins_s / 60, ends_s / 60, color="#c8553d", alpha=0.12, linewidth=0)
        axes.legend(frameon=False, loc="upper left")
        axes.spines[["top", "right"]].set_visible(False)
    memory.set(ylabel="memory, MB", ylim=(0, None))
    age.set(ylabel="age of an answer, ms", xlabel="minutes (shaded: a fault)", yscale="log")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--robots", type=int, default=8)
    parser.add_argument("--fps", type=float, default=15)
    parser.add_argument("--out", type=Path, default=ROOT / "build/soak")
    options = parser.parse_args()
    if why_not := reason_why_not():
        print(f"soak: skipped, {why_not}")
        return
    seconds, faults = options.minutes * 60, plan(options.seed, options.minutes * 60)
    print(f"seed {options.seed}: {len(faults)} faults in {options.minutes:g} minutes", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Stage(Path(folder), robots=options.robots + 1) as stage:
        soak = Soak(stage, options, Path(folder))
        samples = run(soak, faults, options.seed, seconds)
        verdict = judged(soak, samples, Path(folder))
    figures = {"options": {**vars(options), "out": str(options.out)}, "faults": faults, "samples": samples}
    (options.out / "soak.json").write_text(json.dumps({**figures, "verdict": verdict}, indent=1))
    draw(samples, faults, options.out / "soak.png")
    print("| promised | seen | held |\n|---|---|---|")
    for promised, seen, held in verdict:
        print(f"| {promised} | {seen} | {'yes' if held else 'NO'} |")
    sys.exit(0 if all(held for *_, held in verdict) else 1)


if __name__ == "__main__":
    main()
