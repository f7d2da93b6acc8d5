"""The fault suite's own: a reason to skip, how often a fault is tried, and a table of what was seen."""

import os

import pytest

from tests.faults.stage import reason_why_not

TRIED: list[tuple[str, str, str, str]] = []


def pytest_collection_modifyitems(items):
    why_not = reason_why_not()
    for item in items:
        if why_not:
            item.add_marker(pytest.mark.skip(reason=why_not))
        item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture
def times():
    """times(10): how often to try, ten times or as FAULT_TIMES says."""
    return lambda usually: int(os.environ.get("FAULT_TIMES", usually))


@pytest.fixture
def note():
    """note(fault, tried, expected, seen): a line of the table at the end."""
    return lambda *row: TRIED.append(tuple(map(str, row)))


def pytest_terminal_summary(terminalreporter):
    if TRIED:
        terminalreporter.write_line("")
        rows = [("fault or input", "tried", "expected", "seen"), ("---",) * 4, *TRIED]
        for row in rows:
            terminalreporter.write_line(f"| {' | '.join(row)} |")
