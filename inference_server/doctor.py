"""What keeps the PC's end from answering a robot, found before anybody waits for it: inference_server doctor.

Every finding is one sentence; a bad one says what to do. It looks at this Python, at the network that reads
faces, at the two ports, at what stands between them and a robot, and at the robot's own ports. It changes
nothing. Whether a firewall lets a robot in is known for certain on the robot alone: robot_app --doctor tells.
"""

import errno
import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

import zmq

from config import keys
from config.contract import Frame
from config.settings import ReaderSettings, ServerSettings, Settings

PATIENCE_S = 3.0
NAOQI_PORT, SSH_PORT = 9559, 22
SLOW_MS = 150  # from here on, answers are older than the robot acts on at its usual rate
YEAR = 2024  # no copy of this program is older
SOMEWHERE = "192.0.2.1"  # set aside for documents: asked for the way there, never spoken to
EMPTY = Frame(1, 0.0, 320, 240, "gray8", "doctor", None, None, None, b"\x80" * (320 * 240))
LISTENING = "0A"  # state in /proc/net/tcp


class Finding(NamedTuple):
    """One thing that was looked at: `grade` is ok, note or BAD."""

    grade: str
    text: str


def good(text: str) -> Finding:
    return Finding("ok", text)


def note(text: str) -> Finding:
    return Finding("note", text)


def bad(text: str) -> Finding:
    return Finding("BAD", text)


def examine(chosen: Settings, robot: str | None = None) -> Iterator[Finding]:
    """All Findings, as they come. `robot` is the address of a NAO that is to be reached."""
    host, port = parts_of(chosen.server.listen)
    yield from look_at_python()
    yield from look_at_clock(time.time())
    yield from look_at_reader(chosen.reader)
    yield look_at_port("robots", host, port, "--listen tcp://0.0.0.0:5556")
    yield look_at_port("browsers", chosen.monitor.host, chosen.monitor.port, "--monitor 127.0.0.1:8081")
    yield look_at_way(host, port, robot)
    if not is_loopback(host):
        yield look_at_keys(chosen.server)
        yield from look_at_firewall(port)
    if robot is not None:
        yield from look_at_robot(robot)


def report(findings: Iterable[Finding], stream: TextIO) -> int:
    """Print Findings as they come; gives the exit code: 0, or 1 where there is a bad one."""
    bad_ones = 0
    for grade, text in findings:
        bad_ones += grade == "BAD"
        print(f"{grade:<5} {text}", file=stream, flush=True)
    if bad_ones:
        print(f"{bad_ones} found that will keep it from working.", file=stream)
    return 1 if bad_ones else 0


# This machine


def look_at_python() -> Iterator[Finding]:
    where = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if zmq.has("curve"):
        yield good(f"{where} with pyzmq {zmq.__version__}, libzmq {zmq.zmq_version()}.")
    else:
        yield bad(f"{where}: this libzmq {zmq.zmq_version()} cannot encrypt; install pyzmq from its wheel.")


def look_at_clock(epoch_s: float) -> Iterator[Finding]:
    """Only where it is plainly wrong: no reaction depends on it, but records are dated by it."""
    if time.gmtime(epoch_s).tm_year < YEAR:
        stands = time.strftime("%Y-%m-%d %H:%M", time.gmtime(epoch_s))
        yield note(f"the clock stands at {stands}: records will bear that date; set it.")


def look_at_reader(chosen: ReaderSettings) -> Iterator[Finding]:
    """Load what reads faces, and have it read one empty picture."""
    from inference_server.reader import ReaderError
    from inference_server.runtime import open_reader
    from models.mtcnn_nets import ModelError
    from models.zoo import ZooError

    try:
        reader = open_reader(chosen)
        reader.read(EMPTY, "doctor", 0.0)
        began_s = time.perf_counter()
        error = reader.read(EMPTY, "doctor", 1.0).error
        took_ms = 1e3 * (time.perf_counter() - began_s)
    except (ModelError, ReaderError, ZooError) as trouble:
        error = (None, str(trouble))
    if error:
        yield bad(f"faces cannot be read: {error[1]}")
        return
    told = f"{reader.model} reads an empty picture of 320x240 px in {took_ms:.0f} ms"
    yield good(f"{told}.") if took_ms < SLOW_MS else note(f"{told}, which is slow: what else runs here?")


# Ports


def parts_of(address: str) -> tuple[str, int]:
    """(host, port) of tcp://HOST:PORT as the settings allow it; port 0 for one that is chosen freely."""
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    return host.strip("[]"), 0 if port == "*" else int(port)


def is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def look_at_port(whom: str, host: str, port: int, other: str) -> Finding:
    """Whether a port can be listened at; `other` is an option that names another one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        try:
            probe.bind(("" if host == "*" else host, port))
            probe.listen()
        except OSError as error:
            return bad(f"{host}:{port}, for {whom}, {_unbound(error, host, port, other)}")
    return good(f"{host}:{port}, for {whom}, is free.")


def _unbound(error: OSError, host: str, port: int, other: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"is taken{_by_whom(port)}: end that, or choose another port with {other}."
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"is no address of this machine, which is {own_address() or 'without a network'}."
    if error.errno == errno.EACCES:
        return f"needs more rights, as all ports below 1024 do: choose another one with {other}."
    return f"cannot be listened at: {error.strerror or error}."


def _by_whom(port: int) -> str:
    """ " by ..." with the program that listens at a port, where Linux lets us see it."""
    inodes = {f"socket:[{inode}]" for inode in _listening(port)}
    for fd in Path("/proc").glob("[0-9]*/fd/*") if inodes else ():
        try:
            if os.readlink(fd) in inodes:
                words = (fd.parents[1] / "cmdline").read_bytes().split(b"\0")
                command = b" ".join(words).decode("utf-8", "replace").strip()
                return f" by process {fd.parents[1].name} ({command})"
        except OSError:  # it ended meanwhile, or is another user's
            continue
    return ""


def _listening(port: int) -> Iterator[str]:
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for row in table.read_text().splitlines()[1:] if table.exists() else ():
            columns = row.split()
            if columns[3] == LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                yield columns[9]


# The way to a robot


def own_address(towards: str = SOMEWHERE) -> str | None:
    """This machine's address on the way to another one, or None where no way leads there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect((towards, NAOQI_PORT))  # sends nothing
            return way.getsockname()[0]
        except OSError:
            return None


def look_at_way(host: str, port: int, robot: str | None) -> Finding:
    """Under which address a robot finds this PC, if it can at all."""
    if is_loopback(host):
        return note(
            f"{host} serves programs on this machine only; for a robot in the network start it with "
            f"--listen tcp://0.0.0.0:{port}."
        )
    address = own_address(robot or SOMEWHERE)
    if address is None:
        return bad(
            "this machine has no network that leads to a robot; connect it to the robot's Wi-Fi or cable."
        )
    return good(f"a robot finds this PC at tcp://{address}:{port}; give it that as --server.")


def look_at_keys(chosen: ServerSettings) -> Finding:
    """Whether robots in the network will be let in, and whether the files of the keys are as they must be."""
    if chosen.plain:
        return note(
            "the network is served without keys (server.plain): everybody in it sees and sends pictures."
        )
    where = keys.folder(chosen.keys)
    try:
        allowed = keys.allowed(where)
        if (Path(where) / keys.SERVER).exists():
            keys.of_pc(where)
    except keys.KeysError as error:
        return bad(str(error))
    if not allowed:
        return note(f"no robot is allowed yet ({where}): python -m inference_server keys pair ROBOT")
    return good(f"the keys in {where} let in: {', '.join(sorted(allowed.values()))}.")


def look_at_firewall(port: int, etc: Path = Path("/etc")) -> Iterator[Finding]:
    """The firewalls that a PC usually has, as far as they let themselves be asked."""
    if shutil.which("firewall-cmd") and _says("firewall-cmd", "--state") == "running":
        if _says("firewall-cmd", f"--query-port={port}/tcp") == "yes":
            yield good(f"firewalld lets TCP port {port} in.")
        else:
            yield bad(f"firewalld keeps robots out: sudo firewall-cmd --add-port={port}/tcp")
    ufw = etc / "ufw" / "ufw.conf"
    if ufw.exists() and "ENABLED=yes" in ufw.read_text("utf-8", "replace"):
        yield note(f"ufw is on; unless that was done, let robots in: sudo ufw allow {port}/tcp")


def _says(*words: str) -> str:
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def look_at_robot(address: str) -> Iterator[Finding]:
    """Whether a NAO is there: NAOqi's port, and the one over which the package comes."""
    host, _, port = address.removeprefix("tcp://").partition(":")
    trouble = _unreached(host, int(port or NAOQI_PORT))
    if trouble:
        yield bad(f"{host}:{port or NAOQI_PORT}, NAOqi's port, {trouble}")
        return
    yield good(f"NAOqi listens at {host}:{port or NAOQI_PORT}.")
    if _unreached(host, SSH_PORT):
        yield note(f"{host} has no ssh open: make deploy will not work, the app on this PC will.")
    else:
        yield good(f"{host} has ssh open, for make deploy.")


def _unreached(host: str, port: int) -> str | None:
    """Why no connection comes about, with what to do, or None."""
    try:
        socket.create_connection((host, port), PATIENCE_S).close()
    except socket.gaierror:
        return "cannot be found; give its address in numbers: NAO says it when its chest button is pressed."
    except TimeoutError:
        return "does not answer at all: is NAO on, in this network, and does the Wi-Fi let its guests meet?"
    except OSError as error:
        if error.errno == errno.ECONNREFUSED:
            return "refuses: the machine is there, but NAOqi does not run on it, or at another port."
        return f"cannot be reached: {error.strerror or error}."
    return None
