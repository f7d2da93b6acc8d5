"""The fault suite's own: a reason to skip, how often a fault is tried, and what was seen, for the table."""

import os
from pathlib import Path

import pytest

from tests.faults.stage import reason_why_not


def pytest_collection_modifyitems(items):
    why_not = reason_why_not()
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(3600))
            if why_not:
                item.add_marker(pytest.mark.skip(reason=why_not))


@pytest.fixture
def times():
    """times(10): how often to try, ten times or as FAULT_TIMES says."""
    return lambda usually: int(os.environ.get("FAULT_TIMES", usually))


@pytest.fixture
def note(record_property):
    """note(fault, tried, expected, seen): what the table of the whole (__main__.py) says of it."""
    return lambda *row: record_property("note", tuple(map(str, row)))
