"""A bad network of our own: two network namespaces joined by this process, which delays, loses and cuts.

    python -m tests.faults.relay ROBOTS PC        root, on Linux; the namespaces exist; ends with its stdin

Each namespace gets a TUN device (10.77.0.1 in ROBOTS, 10.77.0.2 in PC) and every packet between them passes
here, real TCP above. What the network is like comes as JSON lines on stdin, any of

    {"delay_ms": 40, "jitter_ms": 30, "loss": 0.05, "mbit_s": 6, "cut": true}

and holds from then on, both ways; each line is answered with one. Packets never overtake each other, as on one
Wi-Fi link. It needs no netem in the kernel.
"""

import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN_NO_PI = 0x400454CA, 0x1001
QUEUE_S = 0.5  # what waits longer for its turn on the air is lost, as in an access point
MTU = 1500


@dataclass
class Air:
    """What the network is like."""

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    mbit_s: float = 1000.0
    cut: bool = False


@dataclass
class Way:
    """One direction: where packets go, until when the air is taken, and when the last one arrives."""

    to: int
    taken_s: float = 0.0
    last_s: float = 0.0
    under_way: list = field(default_factory=list)  # heap of (when it arrives, number, packet)


def arrival_s(way: Way, air: Air, size_bytes: int, now_s: float, chance: random.Random) -> float | None:
    """When a packet that comes now reaches the other side; None: never."""
    if air.cut or chance.random() < air.loss:
        return None
    begins_s = max(way.taken_s, now_s)
    if begins_s - now_s > QUEUE_S:
        return None
    way.taken_s = begins_s + size_bytes * 8 / (air.mbit_s * 1e6)
    delay_s = (air.delay_ms + chance.uniform(-air.jitter_ms, air.jitter_ms)) / 1e3
    way.last_s = max(way.last_s, way.taken_s + max(delay_s, 0.0))
    return way.last_s


def open_tun(namespace: str, name: str, address: str) -> int:
    """A TUN device in that namespace, as a file of this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    home, there = os.open("/proc/self/ns/net", os.O_RDONLY), os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if libc.setns(there, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN_NO_PI))
    libc.setns(home, CLONE_NEWNET)
    ip = ["ip", "-n", namespace]
    subprocess.run([*ip, "addr", "add", f"{address}/24", "dev", name], check=True)
    subprocess.run([*ip, "link", "set", name, "mtu", str(MTU), "up"], check=True)
    return device


def main() -> None:
    robots, pc = open_tun(sys.argv[1], "robots", "10.77.0.1"), open_tun(sys.argv[2], "pc", "10.77.0.2")
    ways, air = {robots: Way(pc), pc: Way(robots)}, Air()
    chance, count = random.Random(1), 0
    print(json.dumps("up"), flush=True)
    while True:
        due = [way.under_way[0][0] for way in ways.values() if way.under_way]
        wait_s = max(0.0, min(due) - time.monotonic()) if due else None
        ready, _, _ = select.select([sys.stdin, robots, pc], [], [], wait_s)
        now_s = time.monotonic()
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                return
            air = Air(**{**vars(air), **json.loads(line)})
            print(json.dumps(vars(air)), flush=True)
        for device in set(ready) & set(ways):
            count = receive(device, ways[device], air, now_s, chance, count)
        for way in ways.values():
            while way.under_way and way.under_way[0][0] <= now_s:
                packet = heapq.heappop(way.under_way)[2]
                if not air.cut:  # nor does what was on its way arrive
                    os.write(way.to, packet)


def receive(device: int, way: Way, air: Air, now_s: float, chance: random.Random, count: int) -> int:
    """Take all packets that wait at a device onto their way; gives the number of packets so far."""
    while True:
        try:
            packet = os.read(device, MTU + 100)
        except BlockingIOError:
            return count
        at_s = arrival_s(way, air, len(packet), now_s, chance)
        if at_s is not None:
            count += 1
            heapq.heappush(way.under_way, (at_s, count, packet))


if __name__ == "__main__":
    main()
