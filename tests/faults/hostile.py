"""Hostile neighbours: what they do to others' answers and to the server's memory (rows 10, 11, 14, 15, 18).

For each of them the ages of two calm robots are measured without and with it, in turns.
"""

import os
import time

import numpy as np
import pytest

from config import keys
from tests.faults.stage import PORT, ROBOTS, SERVER, Stage, memory_mb

CALM = 2
ATTACKER = "2"  # the robot whose key is used by neighbours that have one
SECONDS = float(os.environ.get("FAULT_SECONDS", 20))  # of each look
MAX_GROWTH_MS, MAX_GROWTH_MB = 20.0, 50.0
HOST = SERVER.removeprefix("tcp://").partition(":")[0]

ATTACKS = {  # by the name that attack.py has for it: what it is, and what attack.py needs to know
    "idle": ("1,200 idle connections", lambda stage: (HOST, PORT, 1200)),
    "wrong_keys": (
        "100 handshakes a second with wrong keys",
        lambda stage: (SERVER, keys.of_pc(str(stage.pc_keys))["public"]),
    ),
    "flood": (
        "one robot that sends 1,000 frames a second",
        lambda stage: (SERVER, stage.robot_keys / ATTACKER),
    ),
    "bomb": ("JPEG headers of 32000 x 32000 px", lambda stage: (SERVER, stage.robot_keys / ATTACKER)),
    "huge": ("messages of 100 MB", lambda stage: (SERVER, stage.robot_keys / ATTACKER)),
}


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """(stage, server, robots): two calm robots are served."""
    with Stage(tmp_path_factory.mktemp("hostile"), robots=CALM + 1, bad=False) as stage:
        server = stage.serve()
        yield stage, server, stage.robots(CALM)


def ages_ms(robots, seconds):
    """The ages of the answers that come in so many seconds."""
    began_s = time.monotonic()
    time.sleep(seconds)
    rows = [row for row in robots.rows() if row["at_s"] >= began_s and "age_s" in row]
    assert {row["robot"] for row in rows} == set(range(CALM)), "a calm robot was not answered at all"
    return 1e3 * np.array([row["age_s"] for row in rows])


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_neighbours_delay_nobody_else(busy, note, attack):
    stage, server, robots = busy
    calm, memory = ages_ms(robots, SECONDS), memory_mb(server.process.pid)
    title, needed = ATTACKS[attack]
    enemy = stage.start(ROBOTS, "tests.faults.attack", attack, *needed(stage), first=False)
    enemy.wait_for("attacking")
    time.sleep(2.0)
    attacked = ages_ms(robots, SECONDS)
    grown_mb = memory_mb(server.process.pid) - memory
    enemy.write("")
    did = enemy.wait_for("did ")[1].split()[-1]
    calm = np.concatenate([calm, ages_ms(robots, SECONDS)])
    p95 = [np.percentile(ages, 95) for ages in (calm, attacked)]
    note(
        title,
        f"{SECONDS:g} s ({did})",
        "p95 of the others + 20 ms, memory + 50 MB at most",
        f"p95 {p95[0]:.0f} -> {p95[1]:.0f} ms, memory {grown_mb:+.0f} MB",
    )
    assert server.process.poll() is None
    assert p95[1] - p95[0] < MAX_GROWTH_MS and grown_mb < MAX_GROWTH_MB


def test_a_refused_key_is_a_sentence_at_both_ends_within_3_s(busy, note, tmp_path):
    stage, server, _ = busy
    keys.pair_robot(str(tmp_path / "0"), keys.of_pc(str(stage.pc_keys))["public"])
    words = ("--server", SERVER, "--keys", tmp_path, "--robots", 1)
    stranger = stage.start(ROBOTS, "tests.faults.robots", *words)
    robot_s, _ = stranger.wait_for("does not allow")
    pc_s, _ = server.wait_for(keys.fingerprint(keys.of_robot(str(tmp_path / "0"))["public"]))
    apart_s = abs(robot_s - pc_s)
    note("a key that is not allowed", 1, "a sentence at both ends within 3 s", f"{apart_s:.2f} s apart")
    assert apart_s < 3
