"""What SECURITY.md and the table of faults promise is held by tests that exist, and every row has one."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("SECURITY.md", "tests/faults/README.md")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows(page):
    return [line for line in (ROOT / page).read_text("utf-8").splitlines() if re.match(r"\| \d+ \|", line)]


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_exists(page):
    named = NAMED.findall((ROOT / page).read_text("utf-8"))
    assert named
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in there, f"{page} names {name}, which is not in {file}."


@pytest.mark.parametrize(("page", "count"), zip(PAGES, (8, 42), strict=True))
def test_every_row_has_its_number_and_a_test(page, count):
    found = rows(page)
    assert [int(row.split("|")[1]) for row in found] == list(range(1, count + 1))
    for row in found:
        assert NAMED.search(row), f"{page}: no test holds this row: {row}"
