"""Files of YAML that anybody may have written: what would take the machine's memory is refused."""

import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as some
from ruamel.yaml.error import YAMLError

from behaviors import sheets
from behaviors.keyframes import BehaviorError
from config import careful_yaml, settings

NAMES = "z0: &z0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"z{i}: &z{i} [{','.join([f'*z{i - 1}'] * 9)}]\n" for i in range(1, 9)
)
BAD = {
    "a value that stands for a billion": (NAMES + "robot: {name: *z8}\n", "are not taken here"),
    "deep nesting": ("robot: {name: " + "[" * 100 + "]" * 100 + "}\n", "nests deeper than"),
    "a key that is a list": ("{a: 1, [b]: 2, {c: [d]}: 3}\n", "a key must be a single word"),
    "a date that is none": ("robot: {name: 2026-13-41}\n", "cannot be read|not YAML"),
    "a huge file": ("#" * 10_000_000, "more than 100000 bytes"),
    "no text": ("\udcff", "cannot be read"),
}


def readers(path):
    return [lambda: settings.load(path), lambda: sheets.load(path)]


@pytest.mark.parametrize("name", BAD)
def test_a_yaml_bomb_or_a_huge_file_is_refused_with_a_sentence(tmp_path, name):
    text, part = BAD[name]
    path = tmp_path / "bad.yaml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    for read in readers(path):
        with pytest.raises((settings.SettingsError, BehaviorError), match=part):
            read()


@tried(deadline=None)
@given(some.text(max_size=200) | some.text(alphabet="{}[]:,-&*!|>'\"#% \n\tab12.", max_size=200))
def test_any_text_is_a_value_or_refused(text):
    try:
        careful_yaml.load(text)
    except YAMLError as error:
        assert str(error)
