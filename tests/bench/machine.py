"""The machine under the measurements: its name, its load, what a process uses of it; and tables.

Figures of processes come from /proc, so they are Linux's; elsewhere they are None and a table shows "-".
"""

import os
import platform
import subprocess
from contextlib import contextmanager
from pathlib import Path

from inference_server.workers import cores


def described() -> dict:
    """What belongs beside every figure."""
    return {
        "cpu": _cpu_info("model name") or platform.processor() or platform.machine(),
        "cores": cores(),
        "bf16": "bf16" in _cpu_info("flags"),
        "load": os.getloadavg()[0],
    }


@contextmanager
def one_core():
    """This process on one core alone, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
    return [int(child) for child in found.stdout.split()]


def below(pid: int) -> list[int]:
    """A process's children, and theirs."""
    return [one for child in children(pid) for one in (child, *below(child))]


def cpu_s(pid: int) -> float | None:
    """Seconds of CPU that a process has used."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return None
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pids: list[int]) -> float | None:
    """Resident memory of these processes, added up; what they share counts in each."""
    total = 0.0
    for pid in pids:
        status = Path(f"/proc/{pid}/status")
        if not status.exists():
            return None
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        total += int(line.split()[1]) / 1024
    return total


def table(title: str, rows: list[dict]) -> str:
    """Rows of the same keys as text; the keys are the headings."""
    if not rows:
        return f"\n{title}\n  nothing"
    heads = list(rows[0])
    cells = [[_cell(row.get(head)) for head in heads] for row in rows]
    wide = [max(len(head), *(len(row[i]) for row in cells)) for i, head in enumerate(heads)]
    lines = [f"\n{title}", "  " + "  ".join(head.rjust(w) for head, w in zip(heads, wide, strict=True))]
    lines += ["  " + "  ".join(cell.rjust(w) for cell, w in zip(row, wide, strict=True)) for row in cells]
    return "\n".join(lines)


def _cell(value) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 1 else f"{value:.1f}"
    return str(value)


def _cpu_info(key: str) -> str:
    """What Linux says of the first core under this key, else ""."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
