"""Episodes in the forms of other programs: ELAN's tiers, WebVTT's captions; readings as Parquet.

Nothing here reads pictures or decides what an episode is.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from behaviors.mood import Episode

BATCH = 4096  # rows of Parquet that are held in memory
SHORTEST_S = 0.001  # ELAN wants an end after the beginning
VTT_HINT = "NOTE How much the face looks like what people call so; not what somebody feels."


class FormError(ValueError):
    """A form cannot be written; the sentence says what to do."""


class Span(NamedTuple):
    """A stretch of time with a text, for a tier."""

    start_s: float
    end_s: float
    text: str


def spans(episodes: Iterable[Episode]) -> list[Span]:
    return [Span(e.start_s, e.end_s, f"{e.emotion} {e.confidence:.0%}") for e in episodes]


def write_vtt(path: Path, episodes: Iterable[Span]) -> None:
    """Captions for a film: one for each episode."""
    cues = [f"{_clock(s.start_s)} --> {_clock(s.end_s)}\n{s.text}\n" for s in episodes]
    path.write_text("\n".join(["WEBVTT\n", VTT_HINT + "\n", *cues]), "utf-8")


def _clock(time_s: float) -> str:
    ms = round(time_s * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def write_eaf(path: Path, tiers: dict[str, list[Span]], film: str | None) -> None:
    """An ELAN annotation file (EAF 3.0) with a tier a name; `film` is the file to show beside it."""
    root = ET.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "nao-emotion",
            "DATE": "1970-01-01T00:00:00+00:00",  # it is the same however often it is made
            "FORMAT": "3.0",
            "VERSION": "3.0",
        },
    )
    header = ET.SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    if film:
        media = {"MEDIA_URL": f"./{film}", "RELATIVE_MEDIA_URL": f"./{film}", "MIME_TYPE": "video/mp4"}
        ET.SubElement(header, "MEDIA_DESCRIPTOR", media)
    order = ET.SubElement(root, "TIME_ORDER")
    slots = 0
    for name, held in tiers.items():
        tier = ET.SubElement(root, "TIER", {"TIER_ID": name, "LINGUISTIC_TYPE_REF": "default-lt"})
        for span in held:
            ends = (span.start_s, max(span.end_s, span.start_s + SHORTEST_S))
            for time_s in ends:
                slots += 1
                slot = {"TIME_SLOT_ID": f"ts{slots}", "TIME_VALUE": str(round(time_s * 1000))}
                ET.SubElement(order, "TIME_SLOT", slot)
            refs = {"TIME_SLOT_REF1": f"ts{slots - 1}", "TIME_SLOT_REF2": f"ts{slots}"}
            holder = ET.SubElement(tier, "ANNOTATION")
            said = ET.SubElement(holder, "ALIGNABLE_ANNOTATION", {"ANNOTATION_ID": f"a{slots // 2}"} | refs)
            ET.SubElement(said, "ANNOTATION_VALUE").text = span.text
    kind = {"LINGUISTIC_TYPE_ID": "default-lt", "TIME_ALIGNABLE": "true", "GRAPHIC_REFERENCES": "false"}
    ET.SubElement(root, "LINGUISTIC_TYPE", kind)
    ET.indent(root)
    ET.ElementTree(root).write(path, "utf-8", xml_declaration=True)


class Parquet:
    """A table in Parquet, written a batch at a time. columns: {name: float, int, str or bool}; None is allowed.

    Raises FormError where pyarrow is absent.
    """

    def __init__(self, path: Path, columns: dict[str, type]):
        arrow = arrow_or_sentence()
        kinds = {float: arrow.float64(), int: arrow.int64(), str: arrow.string(), bool: arrow.bool_()}
        self._schema = arrow.schema([(name, kinds[kind]) for name, kind in columns.items()])
        self._path, self._rows, self._writer = path, [], None

    def add(self, row: Iterable) -> None:
        self._rows.append(dict(zip(self._schema.names, row, strict=True)))
        if len(self._rows) >= BATCH:
            self._write()

    def _write(self) -> None:
        import pyarrow.parquet

        if self._writer is None:
            self._writer = pyarrow.parquet.ParquetWriter(self._path, self._schema)
        self._writer.write_table(pyarrow.Table.from_pylist(self._rows, self._schema))
        self._rows = []

    def close(self) -> None:
        self._write()
        self._writer.close()


def arrow_or_sentence():
    """pyarrow; raises FormError where it is absent."""
    try:
        import pyarrow
    except ImportError:
        raise FormError(
            "replay: Parquet needs pyarrow; install it (pip install -e '.[parquet]') or leave out --parquet."
        ) from None
    return pyarrow
