"""How much of what programs call the virtual NAO offers: a census of call sites against its services.

    python -m robot_app.virtual census --csv FILE

FILE is a table of calls counted in other people's programs: columns service, method, call_sites. It is read,
never kept. A method counts as offered where one of the profiles has it (profiles.py); that it answers rightly
is what the tests of the forms say, not this file.
"""

import csv
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from .nao import VirtualNAO
from .profiles import PROFILES

# The services that programs cannot do without, by what they are for.
CORE = {
    "motion": ("ALMotion",),
    "posture": ("ALRobotPosture",),
    "video": ("ALVideoDevice",),
    "speech": ("ALTextToSpeech", "ALAnimatedSpeech"),
    "LEDs": ("ALLeds",),
    "memory": ("ALMemory", "ALMemory.subscriber"),
    "life": ("ALAutonomousLife",),
    "awareness": ("ALBasicAwareness",),
    "behaviours": ("ALBehaviorManager",),
    "animations": ("ALAnimationPlayer",),
    "audio out": ("ALAudioDevice", "ALAudioPlayer"),
    "tracker": ("ALTracker",),
    "touch": ("ALTouch",),
    "sonar": ("ALSonar",),
    "battery": ("ALBattery",),
    "system": ("ALSystem",),
}
SIGNALS = {"ALMemory.subscriber": {"signal.connect"}}  # what both hosts dress a Subscriber up with
COLUMNS = ("service", "method", "call_sites")
EVERY_MODULE = " (every module)"  # how the table marks a method that all services share


class Row(NamedTuple):
    """One method of the census: how often it is called, and in which profiles it is offered."""

    service: str
    method: str
    calls: int
    profiles: tuple[str, ...]


def offers() -> dict[str, dict[str, set[str]]]:
    """{profile: {service: methods}} of all that the virtual NAO offers."""
    found = {}
    for profile in PROFILES:
        nao = VirtualNAO(naoqi=profile)
        found[profile] = {name: set(service.offers) for name, service in nao.services.items()} | SIGNALS
        nao.close()
    return found


def read(path: Path) -> list[Row]:
    """The rows of a census; raises ValueError for a file that is none."""
    offered = offers()
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(
                f"census: {path} lacks the columns {', '.join(missing)}; needed are {', '.join(COLUMNS)}."
            )
        rows = []
        for line in reader:
            service, method = line["service"], line["method"].removesuffix(EVERY_MODULE)
            there = tuple(name for name, has in offered.items() if method in has.get(service, ()))
            rows.append(Row(service, method, int(line["call_sites"]), there))
    return rows


def share(rows: list[Row]) -> tuple[int, int]:
    """(call sites that are offered, all call sites)."""
    return sum(row.calls for row in rows if row.profiles), sum(row.calls for row in rows)


def table(rows: list[Row]) -> list[str]:
    """The lines to print: shares by purpose, then what is not offered, then what only some profiles have."""
    core = {service for services in CORE.values() for service in services}
    lines = [f"{'':24}{'call sites':>10}{'offered':>9}{'share':>9}"]
    for purpose, services in CORE.items():
        lines.append(_line(purpose, [row for row in rows if row.service in services]))
    lines.append(_line("core services", [row for row in rows if row.service in core]))
    lines.append(_line("other services", [row for row in rows if row.service not in core]))
    lines.append(_line("all", rows))
    lines += ["", "not offered:", *_listed(row for row in rows if not row.profiles)]
    some = [row for row in rows if row.profiles and len(row.profiles) < len(PROFILES)]
    lines += ["", "offered in some profiles:"]
    lines += [f"  {row.service}.{row.method} ({row.calls}): {', '.join(row.profiles)}" for row in some]
    return lines


def _line(what, rows):
    offered, all_calls = share(rows)
    part = f"{100 * offered / all_calls:7.1f} %" if all_calls else "       -"
    return f"{what:24}{all_calls:10}{offered:9}{part}"


def _listed(rows):
    """One line for each service, those with most calls first."""
    calls, methods = Counter(), {}
    for row in rows:
        calls[row.service] += row.calls
        methods.setdefault(row.service, []).append(f"{row.method} {row.calls}")
    return [f"  {service} ({count}): {', '.join(methods[service])}" for service, count in calls.most_common()]
