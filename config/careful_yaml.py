"""YAML from a file that anybody may have written: bounded before it is built. PC only (ruamel.yaml).

A few lines of YAML can stand for gigabytes, by names that stand for names. Settings and sheets need no such
names, so they are refused, as are files beyond a size and nesting beyond a depth. What comes is YAML 1.2.
"""

from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.events import AliasEvent, ScalarEvent

MAX_FILE_BYTES = 100_000
MAX_DEPTH = 12


def read(path: Path) -> str:
    """The text of a file; raises OSError, or ValueError where it is no UTF-8 or too long."""
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"it has more than {MAX_FILE_BYTES} bytes")
    return data.decode("utf-8")


class CarefulComposer(Composer):
    """Refuses what it is about to build, before it does."""

    depth = 0

    def compose_node(self, parent, index):
        event = self.parser.peek_event()
        if isinstance(event, AliasEvent):
            raise ComposerError(problem="names (&, *) are not taken here", problem_mark=event.start_mark)
        if self.depth >= MAX_DEPTH:
            raise ComposerError(problem=f"it nests deeper than {MAX_DEPTH}", problem_mark=event.start_mark)
        if parent is not None and index is None and not isinstance(event, ScalarEvent):
            raise ComposerError(problem="a key must be a single word", problem_mark=event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def load(text: str):
    """The value, with ruamel's line numbers; raises YAMLError, also for what is refused here."""
    yaml = YAML(typ="rt")
    yaml.Composer = CarefulComposer
    try:
        return yaml.load(StringIO(text))
    except (TypeError, ValueError) as error:  # a date in a 13th month, a number that is none
        raise ComposerError(problem=f"a value cannot be read: {error}") from None
