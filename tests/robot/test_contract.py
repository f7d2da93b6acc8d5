# -*- coding: utf-8 -*-
"""The contract: the same bytes from Python 2.7 and 3, and one sentence with a code for whatever breaks it."""

from __future__ import division, print_function

import json
import os

import golden
import pytest

from config import contract
from config.contract import ContractError

NAMES = sorted(golden.encoded())
HEADER = json.loads(golden.encoded()["frame_first"][1].decode("ascii"))
JPEG = golden.FRAMES["frame_first"].image


@pytest.mark.parametrize("name", NAMES)
def test_this_python_makes_the_golden_bytes(name):
    assert golden.pack(golden.encoded()[name]) == golden.stored(name)


@pytest.mark.parametrize("name", NAMES)
def test_this_python_reads_the_golden_bytes(name):
    parts = golden.unpack(golden.stored(name))
    if name in golden.FRAMES:
        assert contract.decode_frame(parts) == golden.FRAMES[name]
    else:
        assert contract.decode_reading(parts) == golden.READINGS[name]


def test_no_golden_file_is_left_that_no_value_makes():
    assert sorted(file[:-4] for file in os.listdir(golden.FOLDER)) == NAMES


def frame_parts(version=contract.VERSION, image=JPEG, **changes):
    """A frame's parts with some header keys changed; a change to Ellipsis takes the key away."""
    header = dict(HEADER, **changes)
    header = dict((key, value) for key, value in header.items() if value is not Ellipsis)
    return [version, json.dumps(header).encode("ascii"), image]


def with_header(text):
    return [contract.VERSION, text, JPEG]


BROKEN_FRAMES = [
    ("nothing", [], "wrong_version"),
    ("an older version", frame_parts(version=b"emotion/0"), "wrong_version"),
    ("bytes as version", frame_parts(version=b"\xff\xfe" * 99), "wrong_version"),
    ("two parts", frame_parts()[:2], "bad_header"),
    ("four parts", frame_parts() + [b""], "bad_header"),
    ("no JSON", with_header(b"{seq: 1}"), "bad_header"),
    ("not UTF-8", with_header(b'{"seq": "\xff"}'), "bad_header"),
    ("no object", with_header(b"[1]"), "bad_header"),
    ("deep nesting", with_header(b"[" * 2000), "bad_header"),
    ("NaN", with_header(b'{"taken_s": NaN}'), "bad_header"),
    ("infinite", frame_parts(taken_s=1e300), "bad_header"),
    ("a long integer", with_header(b'{"seq": ' + b"9" * 2000 + b"}"), "bad_header"),
    ("a missing key", frame_parts(seq=Ellipsis), "bad_header"),
    ("a negative seq", frame_parts(seq=-1), "bad_header"),
    ("a true seq", frame_parts(seq=True), "bad_header"),
    ("a text as time", frame_parts(taken_s="now"), "bad_header"),
    ("an unknown encoding", frame_parts(encoding="png"), "bad_header"),
    ("an unknown mood", frame_parts(mood="hungry"), "bad_header"),
    ("a long name", frame_parts(robot="n" * 65), "bad_header"),
    ("a negative age", frame_parts(answer_age_s=-0.1), "bad_header"),
    ("25 joints", frame_parts(joints_rad=[0.0] * 25), "bad_header"),
    ("a joint in degrees", frame_parts(joints_rad=[90.0] + [0.0] * 25), "bad_header"),
    ("a large header", with_header(b" " * (contract.MAX_FRAME_HEADER_BYTES + 1)), "too_large"),
    ("a wide picture", frame_parts(width=1281), "too_large"),
    ("a large image", frame_parts(image=b"\x00" * (contract.MAX_IMAGE_BYTES + 1)), "too_large"),
    ("too few pixels", frame_parts(encoding="gray8"), "bad_image"),
]


@pytest.mark.parametrize(
    "parts, code", [row[1:] for row in BROKEN_FRAMES], ids=[row[0] for row in BROKEN_FRAMES]
)
def test_a_broken_frame_is_refused_with_a_code_and_a_sentence(parts, code):
    with pytest.raises(ContractError) as refused:
        contract.decode_frame(parts)
    assert refused.value.code == code
    assert refused.value.text.endswith((".", "...")) or refused.value.text.startswith("the header is not JSON")


def reading_parts(**changes):
    header = json.loads(golden.encoded()["reading_two_faces"][1].decode("ascii"))
    header.update(changes)
    return [contract.VERSION, json.dumps(header).encode("ascii")]


BROKEN_READINGS = [
    ("six scores", reading_parts(faces=[{"id": 1, "box_px": [0, 0, 1, 1], "detection": 1, "scores": [0] * 6}])),
    (
        "a score of 2",
        reading_parts(faces=[{"id": 1, "box_px": [0, 0, 1, 1], "detection": 1, "scores": [2] * 7}]),
    ),
    ("three sides", reading_parts(faces=[{"id": 1, "box_px": [0, 0, 1], "detection": 1, "scores": [0] * 7}])),
    ("33 faces", reading_parts(faces=[{}] * 33)),
    ("a face that is a list", reading_parts(faces=[[]])),
    ("an unknown order", reading_parts(orders=[{"what": "dance", "name": None}])),
    ("an unknown error", reading_parts(error={"code": "tired", "text": ""})),
    ("an error without text", reading_parts(error={"code": "internal"})),
    ("timings as a list", reading_parts(timings_ms=[1])),
    ("a third part", reading_parts() + [b""]),
]


@pytest.mark.parametrize("parts", [row[1] for row in BROKEN_READINGS], ids=[row[0] for row in BROKEN_READINGS])
def test_a_broken_reading_is_refused(parts):
    with pytest.raises(ContractError) as refused:
        contract.decode_reading(parts)
    assert refused.value.code == "bad_header"


QUOTED = [("nested", json.loads("[" * 7 + "]" * 7)), ("brackets", "[" * 30), ("quotes", '"[{' * 9)]


@pytest.mark.parametrize("value", [row[1] for row in QUOTED], ids=[row[0] for row in QUOTED])
def test_every_refusal_can_be_sent_whatever_it_quotes(value):
    with pytest.raises(ContractError) as refused:
        contract.decode_frame(frame_parts(encoding=value))
    sent = contract.encode_reading(contract.refusal(refused.value))
    assert contract.decode_reading(sent).error == ("bad_header", refused.value.text)


def test_brackets_in_a_name_are_no_nesting():
    assert contract.decode_frame(frame_parts(robot="[" * 60)).robot == "[" * 60


def test_keys_of_a_later_release_are_ignored():
    assert contract.decode_frame(frame_parts(weather="fine")) == golden.FRAMES["frame_first"]


def test_nothing_leaves_this_end_that_the_other_would_refuse():
    with pytest.raises(ContractError):
        contract.encode_frame(golden.FRAMES["frame_first"]._replace(width=0))


def test_a_wrong_version_says_which_and_what_to_do():
    with pytest.raises(ContractError) as refused:
        contract.decode_frame(frame_parts(version=b"emotion/0"))
    assert "emotion/0" in refused.value.text and "update" in refused.value.text
