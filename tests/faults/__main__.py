"""Every fault of README.md's table tried, and what was seen: its tests run, then the whole table is printed.

    python -m tests.faults [--out build/faults] [what else pytest takes, such as -x]

Where it is not root on Linux, the rows that need real networks say so. It leaves table.md in that folder and
ends as pytest does; it tries nothing itself.
"""

import argparse
import re
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

FAULTS = Path(__file__).with_name("README.md")
ROW = re.compile(r"\| (\d+) \| (.+?) \| (.+?) \| (.+) \|")
NAMED = re.compile(r"`(tests/[\w/]+\.py::\w+(?:\[\w+\])?)`")
EXAMPLES = re.compile(r"(\d+) passing")  # in what hypothesis says of a test
COLUMNS = ("#", "fault or bad input", "tried", "expected", "seen")


class Row(NamedTuple):
    """One row of the page: what can go wrong, what then happens, and the tests that hold it."""

    number: int
    fault: str
    expected: str
    tests: list[str]


class Case(NamedTuple):
    """How one case of a test ended: passed, failed or skipped, how often it tried, and what it noted."""

    outcome: str
    tried: int
    notes: list[tuple[str, str, str, str]]
    reason: str


class Seen:
    """A pytest plugin that keeps the Cases, by pytest's id."""

    def __init__(self):
        self.cases: dict[str, Case] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if report.when == "call" or not report.passed:
            notes = [value for key, value in report.user_properties if key == "note"]
            often = EXAMPLES.findall(getattr(item, "hypothesis_statistics", ""))
            often += [tried for _, tried, _, _ in notes if tried.isdigit()]
            reason = report.longrepr[2].removeprefix("Skipped: ") if report.skipped else ""
            self.cases[item.nodeid] = Case(report.outcome, sum(map(int, often)) or 1, notes, reason)
        return report


def rows(page: Path = FAULTS) -> list[Row]:
    found = (ROW.match(line) for line in page.read_text("utf-8").splitlines())
    return [Row(int(row[1]), row[2], row[3], NAMED.findall(row[4])) for row in found if row]


def told(row: Row, cases: dict[str, Case]) -> list[str]:
    """The row's fields, by COLUMNS."""
    own = [case for test, case in cases.items() if {test, test.partition("[")[0]} & {*row.tests}]
    count = Counter(case.outcome for case in own)
    ran = count["passed"] + count["failed"]
    tried = sum(case.tried for case in own if case.outcome != "skipped")
    seen = [f"as expected in {count['passed']} of {ran} cases" if ran else "not tried"]
    seen += [f"{fault}: {result} ({often})" for case in own for fault, often, _, result in case.notes]
    seen += sorted({case.reason for case in own if case.reason})
    return [str(row.number), row.fault, f"{tried}" if ran else "-", row.expected, "; ".join(seen)]


def table(found: list[Row], cases: dict[str, Case]) -> str:
    lines = [COLUMNS, ["---"] * len(COLUMNS), *(told(row, cases) for row in found)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/faults"))
    options, more = parser.parse_known_args()
    found, seen = rows(), Seen()
    tests = dict.fromkeys(test for row in found for test in row.tests)
    networks = [test for test in tests if test.startswith("tests/faults/")]  # measured, so before all others
    code = pytest.main(["-q", *networks, *(test for test in tests if test not in networks), *more], [seen])
    text = table(found, seen.cases)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "table.md").write_text(text, "utf-8")
    print(text)
    sys.exit(code)


if __name__ == "__main__":
    main()
