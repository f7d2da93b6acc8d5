"""The stage of the faults: a PC and robots in network namespaces of their own, with a bad network between.

Everything on it is a real program. It needs root, `ip` and /dev/net/tun; reason_why_not() says what is missing.
"""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from config import keys

ROOT = Path(__file__).parents[2]
PORT = 5555
SERVER = f"tcp://10.77.0.2:{PORT}"
START_S = 120.0  # for the server, on a machine that is very busy
ROBOTS, PC = "faults-robots", "faults-pc"


def reason_why_not() -> str:
    """Why the faults cannot be tried here, or ''."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "the fault suite needs root, for network namespaces: sudo make test-faults"
    if not shutil.which("ip") or not os.path.exists("/dev/net/tun"):
        return "the fault suite needs the program ip (iproute2) and /dev/net/tun"
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        return "the fault suite needs network namespaces, which are not allowed here"
    return ""


class Program:
    """A program in a namespace: its lines come with the time at which they were heard."""

    def __init__(self, namespace: str | None, *words: object, first: bool = True):
        inside = ["ip", "netns", "exec", namespace] if namespace else []
        # `first`: before all else that this machine does, which is not to be measured; else after it
        inside = [*(["chrt", "--rr", "1"] if first else ["nice", "-n", "10"]), *inside]
        self._lines: queue.Queue[tuple[float, str] | None] = queue.Queue()
        self.lines: list[tuple[float, str]] = []
        self.serving_s = 0.0  # of a server: since when it has said so
        self.process = subprocess.Popen(
            [*inside, sys.executable, "-u", "-m", *map(str, words)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self) -> None:
        for line in self.process.stdout:
            self._lines.put((time.monotonic(), line.rstrip()))
        self._lines.put(None)

    def new_lines(self, within_s: float = 0.0) -> list[tuple[float, str]]:
        """What was said since the last call; waits for something up to `within_s`."""
        found = []
        try:
            while (line := self._lines.get(timeout=within_s if not found else 0.001)) is not None:
                found.append(line)
        except queue.Empty:
            pass
        self.lines += found
        return found

    def wait_for(self, part: str, within_s: float = START_S, since_s: float = 0.0) -> tuple[float, str]:
        """The first line that holds `part` and was said after `since_s`: (when, line)."""
        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            for at_s, line in self.new_lines(within_s=0.2):
                if part in line and at_s >= since_s:
                    return at_s, line
        last = "\n".join(line for _, line in self.lines[-20:])
        raise AssertionError(f"no line with {part!r} within {within_s:g} s; the last were:\n{last}")

    def rows(self) -> list[dict]:
        """The JSON lines so far."""
        self.new_lines()
        return [json.loads(line) for _, line in self.lines if line.startswith("{")]

    def write(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """As kill -9 does."""
        self.process.kill()
        self.process.wait(10)

    def end(self) -> None:
        """Have it end; kill it where it does not."""
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()


class Stage:
    """The two namespaces, what joins them, keys for robots; a context manager.

    bad   joined by the relay, whose air() can be spoilt; else by a cable of the kernel's
    """

    def __init__(self, folder: Path, robots: int = 1, bad: bool = True):
        self._bad = bad
        self.pc_keys, self.robot_keys = folder / "pc", folder / "robots"
        public = keys.of_pc(str(self.pc_keys))["public"]
        for robot in range(robots):
            pair = keys.pair_robot(str(self.robot_keys / str(robot)), public)
            keys.allow(str(self.pc_keys), f"robot-{robot}", pair["public"])
        self._programs: list[Program] = []

    def __enter__(self) -> "Stage":
        for name in (ROBOTS, PC):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)
            subprocess.run(["ip", "netns", "add", name], check=True)
            subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        if self._bad:
            self._relay = self.start(None, "tests.faults.relay", ROBOTS, PC)
            self._relay.wait_for("up")
        else:
            cable = ["ip", "link", "add", "robots", "netns", ROBOTS, "type", "veth", "peer", "name", "pc"]
            subprocess.run([*cable, "netns", PC], check=True)
            for name, device, address in ((ROBOTS, "robots", "10.77.0.1/24"), (PC, "pc", "10.77.0.2/24")):
                subprocess.run(["ip", "-n", name, "addr", "add", address, "dev", device], check=True)
                subprocess.run(["ip", "-n", name, "link", "set", device, "up"], check=True)
        return self

    def __exit__(self, *_: object) -> None:
        for program in reversed(self._programs):
            program.end()
        for name in (ROBOTS, PC):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)

    def start(self, namespace: str | None, *words: object, first: bool = True) -> Program:
        self._programs.append(Program(namespace, *words, first=first))
        return self._programs[-1]

    def air(self, **changes) -> float:
        """Change the network (relay.Air); gives when it had changed."""
        self._relay.write(json.dumps(changes))
        return self._relay.wait_for("delay_ms")[0]

    def firewall(self, drops: bool) -> float:
        """Have the PC drop every packet (nftables), or let them in again; gives when it had changed."""
        rules = "table inet faults { chain incoming { type filter hook input priority 0; policy drop; }; }"
        words = ["nft", "-f", "-"] if drops else ["nft", "delete", "table", "inet", "faults"]
        subprocess.run(["ip", "netns", "exec", PC, *words], input=rules, text=True, check=True)
        return time.monotonic()

    def serve(self, *more: object, page: bool = False) -> Program:
        """The server, in its namespace, serving; with the monitor's page or without."""
        where = ("--set", f"server.keys={self.pc_keys}", "--set", "server.workers=1")
        words = (
            "serve",
            "--listen",
            f"tcp://0.0.0.0:{PORT}",
            *([] if page else ["--no-monitor"]),
            *where,
            *more,
        )
        server = self.start(PC, "inference_server", *words)
        server.serving_s, _ = server.wait_for("serving")
        return server

    def robots(self, count: int = 1, *more: object) -> Program:
        """Robots without bodies (robots.py), in their namespace; the first answer has come."""
        words = ("--server", SERVER, "--keys", self.robot_keys, "--robots", count, *more)
        robots = self.start(ROBOTS, "tests.faults.robots", *words)
        robots.wait_for('"faces"')
        return robots


def memory_mb(pid: int, children: bool = True, part: str = "Pss") -> float:
    """What a process holds, with its children or without, MB: its share of all (Pss), or of what is in no file
    (Pss_Anon), which does not change when other programs that use the same libraries come and go."""
    asked = ["pgrep", "-P", str(pid)]
    found = subprocess.run(asked, capture_output=True, text=True).stdout.split() if children else []
    total_kb = 0
    for each in [str(pid), *found]:
        try:
            sizes = Path(f"/proc/{each}/smaps_rollup").read_text()
        except OSError:  # it has ended meanwhile
            continue
        total_kb += sum(int(line.split()[1]) for line in sizes.splitlines() if line.startswith(f"{part}:"))
    return total_kb / 1024
