"""The REST of a running service against its own OpenAPI document: python -m tests.api [--seconds 60]

The whole service runs with a virtual NAO that sees nobody, in a folder that is thrown away; schemathesis makes
up requests, right ones and wrong ones, and holds every answer against the document. It is not among the default
tests (make test-api): each run is another, for as long as it is given. It ends with 1 where something does not
hold.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import click

from tests.whole.programs import Program, free_port

START_S = 60.0
ROBOT = re.compile(r'"id":"([\w-]+)"')
# Orders go to the robot that is there; who it is stays unknown to the other operations.
CONFIG = """
[[operations]]
include-path = "/robots/{{id}}/orders"
parameters = {{ id = {robot} }}
"""


@click.command()
@click.option("--seconds", default=60, show_default=True, help="How long it tries.")
@click.option("--seed", type=int, help="The same requests again.")
def main(seconds: int, seed: int | None) -> None:
    """Ask the service whatever its document allows and forbids, for so long."""
    with tempfile.TemporaryDirectory() as folder:
        port, page = free_port(), free_port()
        serve = ("serve", "--listen", f"tcp://127.0.0.1:{port}", "--monitor", f"127.0.0.1:{page}")
        robot = ("--server", f"tcp://127.0.0.1:{port}", "--robot", "virtual", "--camera", "none")
        with (
            Program("inference_server", *serve, "--set", f"record.folder={folder}/sessions") as server,
            Program("robot_app", *robot),
        ):
            server.wait_for_line("serving at", START_S)
            url = f"http://127.0.0.1:{page}"
            config = Path(folder, "schemathesis.toml")
            config.write_text(CONFIG.format(robot=json.dumps(_robot(url))), "utf-8")
            sys.exit(_schemathesis(url, config, seconds, seed))


def _robot(url: str) -> str:
    """The id of the robot, once it is there."""
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        with urllib.request.urlopen(f"{url}/robots") as answer:
            found = ROBOT.search(answer.read().decode())
        if found:
            return found[1]
        time.sleep(0.1)
    raise click.ClickException(f"no robot came within {START_S:g} s.")


def _schemathesis(url: str, config: Path, seconds: int, seed: int | None) -> int:
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run", f"{url}/openapi.json"]
    command += ["--checks", "all", "--max-time", str(seconds), "--continue-on-failure"]
    command += ["--seed", str(seed)] if seed is not None else []
    return subprocess.run([*map(str, command)], cwd=config.parent).returncode


if __name__ == "__main__":
    main()
