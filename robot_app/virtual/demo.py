"""The whole service on one machine: server, monitor, virtual NAO and robot app, each a program of its own.

    python -m robot_app.virtual.demo --seconds 30 --json FILE

This file starts programs, shows what they say, and stops them in the order that lets the robot come to
rest; it imports none of them. Where there is no qi wheel, the robot app holds the virtual NAO itself.
"""

import importlib.util
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import click

PATIENCE_S = 20.0  # for a program to start
FAREWELL_S = 2.5  # for a program to end by itself


class Program:
    """One child process; its lines are shown with its name before them."""

    def __init__(
        self, name: str, arguments: list[str], ready_word: str = "", on_end: Callable[[], None] = lambda: None
    ):
        self.name, self.ready_word, self.on_end = name, ready_word, on_end
        self.ready = threading.Event()
        # A session of its own: Ctrl-C reaches this program alone, which then stops the others in order.
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self._show, daemon=True)
        self.reader.start()

    def _show(self) -> None:
        for line in self.process.stdout:
            click.echo(f"{self.name:>8} | {line.rstrip()}")
            if self.ready_word and self.ready_word in line:
                self.ready.set()
        self.process.wait()
        self.ready.set()  # nobody waits for a program that has ended
        self.on_end()

    def stop(self) -> None:
        """Ask it to end; end it where it does not."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(FAREWELL_S)
        except subprocess.TimeoutExpired:
            click.echo(f"{self.name:>8} | did not end within {FAREWELL_S:g} s and was killed")
            self.process.kill()
        self.reader.join(1)


@click.command()
@click.option(
    "--camera", default="demo", show_default=True, help="What the robot sees: demo, webcam, or a file."
)
@click.option("--seconds", type=float, help="End by itself after so long; without it, Ctrl-C ends it.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the summary here too.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/demo"), show_default=True)
@click.option("--server-port", default=5555, show_default=True)
@click.option("--nao-port", default=9559, show_default=True)
@click.option("--monitor-port", default=8080, show_default=True)
@click.option("--view-port", default=8090, show_default=True, help="Of the virtual NAO's own page.")
@click.option("--in-process", is_flag=True, help="Hold the virtual NAO inside the robot app, without libqi.")
def main(camera, seconds, json_path, out, server_port, nao_port, monitor_port, view_port, in_process) -> None:
    """Start everything, show it, stop it in order."""
    out.mkdir(parents=True, exist_ok=True)
    diary, summary = out / "diary.jsonl", json_path or out / "summary.json"
    for old in (diary, summary):
        old.unlink(missing_ok=True)
    server = f"tcp://127.0.0.1:{server_port}"
    view = ["--view", f"127.0.0.1:{view_port}"]
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())

    serve = ["inference_server", "serve", "--listen", server, "--monitor", f"127.0.0.1:{monitor_port}"]
    programs = [Program("server", serve, "serv", over.set)]
    app = ["robot_app", "--server", server, "--json", str(summary)]
    if seconds:
        app += ["--seconds", f"{seconds:g}"]
    if in_process or importlib.util.find_spec("qi") is None:
        click.echo("    demo | no libqi: the virtual NAO runs inside the robot app" if not in_process else "")
        app += ["--robot", "virtual", "--camera", camera, "--diary", str(diary), *view]
    else:
        listen = f"tcp://127.0.0.1:{nao_port}"
        nao = ["robot_app.virtual", "--listen", listen, "--camera", camera, "--diary", str(diary), *view]
        programs.append(Program("nao", nao, "listens", over.set))
        app += ["--robot", listen]
    started = all(program.ready.wait(PATIENCE_S) for program in programs)
    if started and not over.is_set():
        programs.append(Program("robot", app, on_end=over.set))
        click.echo(f"    demo | watch it at http://127.0.0.1:{monitor_port}; Ctrl-C ends it")
        click.echo(f"    demo | the robot itself is at http://127.0.0.1:{view_port}")
        while not over.wait(0.2):  # in slices: a signal may come to another thread than this one
            pass
    for program in reversed(programs):  # the robot first, so that it still has a body to bring to rest
        program.stop()
    sys.exit(conclude(programs, summary))


def conclude(programs: list[Program], summary: Path) -> int:
    """Say what happened; 0 if the robot app ran and ended well."""
    failed = [p for p in programs if p.process.returncode not in (0, -signal.SIGINT)]
    if failed or not summary.is_file():
        names = ", ".join(f"{p.name} (exit code {p.process.returncode})" for p in failed) or "the robot app"
        click.echo(f"    demo | did not work: {names}; the reason stands above.", err=True)
        return 2
    told = json.loads(summary.read_text())
    age = told["answer_age_ms"]
    click.echo(f"    demo | {told['frames']} frames, {told['readings']} readings, "
               f"answers {age['p50']} ms old (p95 {age['p95']} ms)")  # fmt: skip
    for reaction in told["reactions"]:
        click.echo(f"    demo | {reaction['at_s']:6.1f} s  {reaction['emotion']:10} {reaction['behavior']}")
    return 0


if __name__ == "__main__":
    main()
