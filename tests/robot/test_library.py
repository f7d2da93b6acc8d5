# -*- coding: utf-8 -*-
"""The library: what a robot's file gives, and one sentence for a file that is missing, foreign or unsafe."""

from __future__ import division, print_function

import copy
import io
import json
import sys

import pytest

from behaviors import library
from behaviors.keyframes import BehaviorError, from_dict

NOD = {
    "name": "nod",
    "emotion": "neutral",
    "duration_s": 2.5,
    "joints": {"HeadPitch": [[0.8, 1.4, 2.5], [0.1, -0.2, -0.17]]},
    "eyes": [[0.0, 0xFFFFFF, 0.3]],
    "say": [[0.5, {"English": ["Hello."], "French": [b"\xc3\x87a va.".decode("utf-8")]}]],
    "sees": "A nod.",
}
SHAKE = dict(NOD, name="shake", emotion="sad", joints={"HeadYaw": [[0.8, 2.5], [0.3, 0.0]]})
SIGH = dict(NOD, name="sigh", emotion="sad")


def write(folder, table):
    path = str(folder.join("behaviors.json"))
    with io.open(path, "wb") as file:
        file.write(json.dumps(table).encode("ascii"))
    return path


def file_of(*behaviors):
    return {"format": library.FORMAT, "behaviors": list(behaviors)}


def refusal(path):
    with pytest.raises(BehaviorError) as caught:
        library.load(path)
    return str(caught.value)


def test_behaviours_are_found_by_name_and_by_emotion(tmpdir):
    loaded = library.load(write(tmpdir, file_of(SIGH, NOD, SHAKE)))
    assert loaded.names == ["nod", "shake", "sigh"] and len(loaded) == 3
    assert "nod" in loaded and "dance" not in loaded
    assert loaded["nod"] == from_dict(NOD)
    assert [behavior.name for behavior in loaded.for_emotion("sad")] == ["shake", "sigh"]
    assert loaded.for_emotion("angry") == []


def test_what_is_dumped_is_loaded_again_byte_for_byte(tmpdir):
    first, second = str(tmpdir.join("first.json")), str(tmpdir.join("second.json"))
    library.dump(library.Library([from_dict(NOD), from_dict(SHAKE)]), first)
    library.dump(library.load(first), second)
    with io.open(first, "rb") as one, io.open(second, "rb") as other:
        assert one.read() == other.read()


def test_an_unknown_name_is_answered_with_its_neighbour(tmpdir):
    loaded = library.load(write(tmpdir, file_of(NOD, SHAKE)))
    with pytest.raises(BehaviorError, match="no behaviour 'shak'; did you mean shake?"):
        loaded["shak"]


def test_a_missing_file_is_a_sentence(tmpdir):
    assert "cannot be read" in refusal(str(tmpdir.join("none.json")))


@pytest.mark.parametrize("text", [b"", b"{", b"[1, 2", b"\xff\xfe", b"[" * 100000])
def test_a_file_that_is_not_json_is_a_sentence(tmpdir, text):
    path = str(tmpdir.join("behaviors.json"))
    with io.open(path, "wb") as file:
        file.write(text)
    assert "cannot be read" in refusal(path)


@pytest.mark.parametrize(
    "table", [[], {}, {"format": "behaviors/9", "behaviors": [NOD]}, file_of(), {"behaviors": [NOD]}]
)
def test_a_file_of_another_kind_is_a_sentence(tmpdir, table):
    assert "is not a behaviors/1 file" in refusal(write(tmpdir, table))


def test_too_large_a_file_is_not_read(tmpdir):
    path = str(tmpdir.join("behaviors.json"))
    with io.open(path, "wb") as file:
        file.write(b" " * (library.MAX_FILE_BYTES + 1))
    assert "more than 1000000 bytes" in refusal(path)


def test_a_robot_refuses_what_breaks_the_rules_and_tells_all_of_it(tmpdir):
    """A file that was edited by hand after the build must not reach the motors."""
    fast, bent = copy.deepcopy(NOD), copy.deepcopy(SHAKE)
    fast["joints"]["HeadPitch"] = [[0.8, 0.9, 2.5], [0.4, -0.6, -0.17]]
    bent["joints"]["LHand"] = [[1.0, 2.5], [3.0, 0.3]]
    flaws = refusal(write(tmpdir, file_of(fast, bent))).splitlines()
    assert len(flaws) == 2
    assert "behaviour nod: HeadPitch on its way to 0.9 s peaks at" in flaws[0]
    assert "behaviour shake: LHand at 1 s must lie in 0.0200..0.9800" in flaws[1]


def test_two_behaviours_of_one_name_are_refused(tmpdir):
    assert "two behaviours are called nod" in refusal(write(tmpdir, file_of(NOD, dict(SHAKE, name="nod"))))


def test_behaviours_that_are_no_list_are_refused(tmpdir):
    table = dict(file_of(NOD), behaviors={"nod": NOD})
    assert "'behaviors' is a list" in refusal(write(tmpdir, table))


@pytest.mark.skipif(sys.version_info[0] > 2, reason="a PC has a YAML reader")
def test_without_a_yaml_reader_the_robot_is_told_to_bring_its_file():
    assert "reads only behaviors.json" in refusal(None)
