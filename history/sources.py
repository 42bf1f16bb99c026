"""The formats by name: what reads the files of each, and what makes events of their rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Named
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path
from typing import Any

from expost.errors import InvalidInput

from . import amplitude, mixpanel, posthog, snowplow
from .files import Found, Shape, find_files, is_text_table, objects, tables
from .foreign import Row, text_of
from .importing import Source
from .mapping import (
    MappedReader,
    Mapping,
    guess_shape,
    inspect,
    mapping_of,
    propose,
    read_mapping,
    write_mapping,
    zone_of,
)

READERS = {
    "posthog": posthog.read,
    "amplitude": amplitude.read,
    "mixpanel": mixpanel.read,
    "snowplow": snowplow.read,
}


def source_of(name: str, files: Sequence[Path], time_zone: str | None = None) -> Source:
    """What the export of a product holds."""
    zone: tzinfo = zone_of(time_zone) if time_zone else UTC
    found = find_files(files)
    rows: Iterable[Iterable[Found]]
    if name == "snowplow":
        rows = (tables(path, snowplow.SHAPE) for path in found)
    elif name == "posthog":
        rows = (tables(path, Shape()) if is_text_table(path) else objects(path) for path in found)
    else:
        rows = map(objects, found)
    return Source(name, rows, partial(READERS[name], zone=zone))


def mapped_source(name: str, files: Sequence[Path], mapping: Mapping) -> Source:
    """What tables hold, by a mapping."""
    rows = (tables(path, mapping.shape_of(path)) for path in find_files(files))
    return Source(name, rows, MappedReader(mapping), keeps_repeats=mapping.repeats == "each")


def mapping_for(files: Sequence[Path], path: Path | None, said: Named[str, Any]) -> Mapping:
    """The mapping of a file with what is said beside it. Without either, the refusal proposes one."""
    if path is None and not said:
        proposed = proposal(find_files(files)[0])
        raise InvalidInput(
            "There is no mapping that says which column is what. This one seems to fit; look at it, write it into a "
            f"file and name it with --mapping:\n\n{proposed.to_toml()}",
            hint="The same again: expost import inspect FILE > mapping.toml",
        )
    return mapping_of(said, "the options", read_mapping(path) if path else None)


@dataclass(frozen=True, slots=True)
class Proposal:
    """The columns of a table with values of its first rows, and a mapping for a person to look at."""

    columns: Named[str, Sequence[str]]
    mapping: Mapping

    def to_toml(self) -> str:
        """The mapping as a file, with the columns as comments."""
        lines = [f"# {name}: {', '.join(samples)}" for name, samples in self.columns.items()]
        return "\n".join(["# Columns and some of their values:", *lines, "", write_mapping(self.mapping)])

    def to_json(self) -> dict[str, Any]:
        """The same for a program."""
        columns = {name: list(each) for name, each in self.columns.items()}
        return {"columns": columns, "mapping": write_mapping(self.mapping)}


def proposal(path: Path) -> Proposal:
    """A look at the first rows of a table."""
    shape = guess_shape(path)
    rows = inspect(path)
    if not rows:
        raise InvalidInput(
            f"No row of {path} can be read.", hint="Tables have one event a line, and a first row of names."
        )
    names = list(dict.fromkeys(name for row in rows for name in row))
    return Proposal({name: _samples(rows, name) for name in names}, propose(rows, shape))


def _samples(rows: Sequence[Row], name: str) -> list[str]:
    texts = dict.fromkeys(text_of(row.get(name)) for row in rows)
    # Comments of TOML are one line.
    return [ascii(text)[1:-1][:40] for text in texts if text][:3]
