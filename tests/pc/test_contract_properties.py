"""Laws of the contract that hold for all messages, and for all rubbish."""

import json

from hypothesis import given
from hypothesis import strategies as some

from config import contract
from config.contract import (
    CODES,
    EMOTIONS,
    FLAWS,
    MAX_REFUSAL,
    MODES,
    ORDERS,
    TUNABLE,
    About,
    ContractError,
    Face,
    Frame,
    Order,
    Reading,
)

names = some.text(max_size=contract.MAX_NAME)
shares = some.floats(0, 1)
lengths_px = some.floats(-2000, 2000)
seqs = some.integers(0, 2**53)
times_s = some.floats(-1e15, 1e15)
numbers = some.integers(1, 2**53)
tunings = some.fixed_dictionaries({}, optional={k: some.floats(*span) for k, span in TUNABLE.items()})

people = some.tuples(seqs, some.lists(some.sampled_from([0.0, 0.125, 1.0]), min_size=5, max_size=5))
frames = some.builds(
    Frame,
    seq=seqs,
    taken_s=times_s,
    width=some.integers(1, contract.MAX_WIDTH_PX),
    height=some.integers(1, contract.MAX_HEIGHT_PX),
    encoding=some.just("jpeg"),
    robot=names,
    doing=some.none() | names,
    mood=some.none() | some.sampled_from(EMOTIONS),
    answer_age_s=some.none() | some.floats(0, 1e9),
    image=some.binary(max_size=500),
    mode=some.none() | some.sampled_from(MODES),
    attends=some.none() | seqs,
    done=some.none()
    | some.lists(
        some.tuples(numbers, some.none() | some.text(max_size=MAX_REFUSAL)), max_size=contract.MAX_ORDERS
    ),
    about=some.none()
    | some.builds(
        About,
        behaviors=some.dictionaries(some.sampled_from(EMOTIONS), some.lists(names, max_size=4)),
        mood=tunings,
        battery=some.none() | shares,
        hottest=some.none() | some.tuples(names, some.floats(-100, 1000)),
        naoqi=some.none() | some.lists(people, max_size=contract.MAX_PEOPLE),
    ),
    joints_rad=some.none()
    | some.lists(
        some.floats(-7, 7).map(lambda v: round(v, 3)), min_size=contract.JOINTS, max_size=contract.JOINTS
    ),
)
faces = some.builds(
    Face,
    id=seqs,
    box_px=some.lists(lengths_px, min_size=4, max_size=4),
    detection=shares,
    scores=some.lists(shares, min_size=7, max_size=7),
    quality=some.lists(some.sampled_from(FLAWS), unique=True).map(tuple),
    unsure=some.booleans(),
)
wishes = {"play": {"name": names.filter(bool)}, "tune": {"settings": tunings.filter(bool)}}
orders = some.sampled_from(ORDERS).flatmap(
    lambda what: some.builds(
        Order,
        what=some.just(what),
        number=numbers,
        **({"name": some.none() | names, "face": some.none() | seqs} | wishes.get(what, {})),
    )
)
readings = some.builds(
    Reading,
    seq=seqs,
    taken_s=times_s,
    faces=some.lists(faces, max_size=4),
    orders=some.lists(orders, max_size=contract.MAX_ORDERS),
    timings_ms=some.dictionaries(names, some.floats(0, 1e6), max_size=4),
    model=names,
    error=some.none() | some.tuples(some.sampled_from(sorted(CODES)), some.text(max_size=400)),
)
json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=20),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(frames)
def test_a_frame_comes_back_as_it_went(frame):
    assert contract.decode_frame(contract.encode_frame(frame)) == frame


@given(readings)
def test_a_reading_comes_back_but_for_rounding_and_a_second_trip_changes_nothing(reading):
    once = contract.decode_reading(contract.encode_reading(reading))
    assert once._replace(faces=[], timings_ms={}) == reading._replace(faces=[], timings_ms={})
    for face, came in zip(reading.faces, once.faces, strict=True):
        assert all(abs(a - b) <= 0.051 for a, b in zip(face.box_px, came.box_px, strict=True))
        assert all(abs(a - b) <= 6e-6 for a, b in zip(face.scores, came.scores, strict=True))
    assert contract.decode_reading(contract.encode_reading(once)) == once


def refused_or_read(decode, parts):
    """Rubbish may be read, or refused with a code and a sentence that can be sent; anything else fails."""
    try:
        decode(parts)
    except ContractError as error:
        assert error.code in CODES and error.text
        contract.decode_reading(contract.encode_reading(contract.refusal(error)))


@given(some.lists(some.binary(max_size=200), max_size=5))
def test_any_parts_are_read_or_refused(parts):
    for decode in (contract.decode_frame, contract.decode_reading):
        refused_or_read(decode, parts)
        refused_or_read(decode, [contract.VERSION, *parts])


@given(json_values, some.binary(max_size=50))
def test_any_json_header_is_read_or_refused(header, image):
    text = json.dumps(header).encode()
    refused_or_read(contract.decode_frame, [contract.VERSION, text, image])
    refused_or_read(contract.decode_reading, [contract.VERSION, text])


@given(frames, some.sampled_from(sorted(Frame._fields[:-1])), json_values)
def test_any_value_in_any_place_of_a_frame_is_read_or_refused(frame, key, value):
    version, header, image = contract.encode_frame(frame)
    spoilt = dict(json.loads(header), **{key: value})
    refused_or_read(contract.decode_frame, [version, json.dumps(spoilt).encode(), image])


@given(readings, some.sampled_from(sorted(Reading._fields)), json_values)
def test_any_value_in_any_place_of_a_reading_is_read_or_refused(reading, key, value):
    version, header = contract.encode_reading(reading)
    spoilt = dict(json.loads(header), **{key: value})
    refused_or_read(contract.decode_reading, [version, json.dumps(spoilt).encode()])
