"""How much of what other people's programs call the virtual NAO offers, by the command that counts it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from robot_app.virtual import census
from robot_app.virtual.__main__ import main

COUNTED = Path(__file__).parents[2].parent / "shared" / "reference" / "naoqi-census.csv"


def run(*arguments):
    return CliRunner().invoke(main, ["census", *map(str, arguments)])


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "calls.csv"
    rows = (
        "service,method,call_sites",
        "ALMotion,wakeUp,55",
        "ALVideoDevice,subscribe,28",
        "ALTextToSpeech,sing,2",
        "ALDialog,subscribe,8",
        "ALMemory,version (every module),1",
    )
    path.write_text("\n".join(rows) + "\n")
    return path


def test_calls_are_told_apart_by_whether_they_are_offered(small):
    told = run("--csv", small).output
    assert "speech                           2        0    0.0 %" in told
    assert "core services                   86       84   97.7 %" in told
    assert "all                             94       84   89.4 %" in told
    assert "ALDialog (8): subscribe 8" in told and "ALTextToSpeech (2): sing 2" in told
    assert "ALVideoDevice.subscribe (28): 2.1, 2.5" in told


@pytest.mark.skipif(not COUNTED.is_file(), reason=f"no {COUNTED}: the census of other people's programs")
def test_of_the_calls_in_the_core_services_95_percent_are_offered_and_80_of_all():
    rows = census.read(COUNTED)
    core = {service for services in census.CORE.values() for service in services}
    offered, calls = census.share([row for row in rows if row.service in core])
    assert offered >= 0.95 * calls
    offered, calls = census.share(rows)
    assert offered >= 0.80 * calls


def test_a_file_that_is_no_census_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("name,age\n")
    told = run("--csv", path)
    assert told.exit_code == 2 and "lacks the columns service, method, call_sites" in told.output
    assert run("--csv", tmp_path / "gone.csv").exit_code == 2
