"""What SECURITY.md and the table of faults promise is held by tests that exist, and every row has one."""

import ast
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PAGES = ("SECURITY.md", "tests/faults/README.md")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(?:\[\w+\])?`")


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


@pytest.mark.parametrize(("page", "count"), [(PAGES[0], 8), (PAGES[1], 42)])
def test_every_row_has_its_number_and_a_test(page, count):
    found = rows(page)
    assert [int(row.split("|")[1]) for row in found] == list(range(1, count + 1))
    for row in found:
        assert NAMED.search(row), f"{page}: no test holds this row: {row}"


def test_the_lock_holds_every_library_of_the_default_install_above_its_floor_and_with_its_bytes():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")
    text = (ROOT / "requirements.lock").read_text("utf-8")
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.M))
    for line in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]:
        needed = Requirement(line)
        name = canonicalize_name(needed.name)
        assert name in locked, f"{needed.name} is not in requirements.lock: make lock"
        assert locked[name] in needed.specifier, f"{line}, but {locked[name]} is locked: make lock"
    assert all("--hash=sha256:" in part for part in re.split(r"^(?=[\w.-]+==)", text, flags=re.M)[1:])
