"""Open pages beside a robot: how much older do its answers get while people watch?

    python -m tests.bench.viewers http://127.0.0.1:8080/ 20      so many pages, until the end of stdin

A page here is what the browser's page is to the server: a WebSocket that takes every message as soon as it
comes and says that it was painted. Painting itself is left out: it is the work of the machine that watches.
"""

import asyncio
import re
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

from tests.bench import fleet
from tests.bench.clips import Clip
from tests.whole.programs import ROOT

TURNS = 3  # without pages and with them, by turns
SEEN = '{"seen": true}'


def measure(clip: Clip, pages: int, seconds: float) -> list[dict]:
    """A row without pages and one with them; each figure is the median of TURNS."""
    rows: dict[int, list[dict]] = {0: [], pages: []}
    for _ in range(TURNS):
        for count, measured in rows.items():
            measured.append(fleet.measure([clip], 1, 1, seconds, lambda line, n=count: watched(line, n)))
    return [{"pages": count} | _median(measured) for count, measured in rows.items()]


def _median(rows: list[dict]) -> dict:
    keys = ("answers_per_second_slowest", "median_age_ms", "p95_age_ms", "front_cpu_ms", "cores_busy")
    return {key: sorted(row[key] for row in rows)[len(rows) // 2] for key in keys}


@contextmanager
def watched(line: str, pages: int):
    """So many pages of the server that said `line`, in a process of their own."""
    if not pages:
        yield
        return
    url = re.search(r"http://\S+", line)[0]
    command = [sys.executable, "-m", "tests.bench.viewers", url, str(pages)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        process.stdout.readline()  # all have been greeted
        yield
        process.stdin.close()


async def watch(url: str, greeted: asyncio.Semaphore) -> None:
    """One page."""
    place = urlsplit(url).netloc
    async with connect(f"ws://{place}/live", origin=f"http://{place}", compression=None) as page:
        async for _ in page:
            greeted.release()
            await page.send(SEEN)


async def main(url: str, pages: int) -> None:
    greeted = asyncio.Semaphore(0)
    watching = [asyncio.create_task(watch(url, greeted)) for _ in range(pages)]
    for _ in range(pages):
        await greeted.acquire()
    print("open", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for page in watching:
        page.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
