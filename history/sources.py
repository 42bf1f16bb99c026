"""The formats by name: what reads the files of each, and what makes events of their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as Named
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path
from typing import Any

from expost.errors import InvalidInput

from . import amplitude, mixpanel, posthog, snowplow
from .files import Found, Shape, find_files, headings, is_text_table, objects, tables
from .importing import Read, Source
from .mapping import (
    MappedReader,
    Mapping,
    mapping_of,
    read_mapping,
    zone_of,
)
from .proposal import proposal

READERS: Named[str, Callable[[tzinfo], Read]] = {
    "posthog": posthog.Reader,
    "amplitude": lambda zone: partial(amplitude.read, zone=zone),
    "mixpanel": mixpanel.Reader,
    "snowplow": lambda zone: partial(snowplow.read, zone=zone),
}
"""What makes events of the rows of each product, whose times are in a zone where they do not say it."""

TABLES = ("csv", "parquet")
"""Kinds that need a mapping."""

TABLES = ("csv", "parquet")
"""Kinds that need a mapping."""


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
    return Source(name, rows, READERS[name](zone))


def mapped_source(name: str, files: Sequence[Path], mapping: Mapping) -> Source:
    """What tables hold, by a mapping. Refuses a mapping that names a column which one of them lacks."""
    reader, found = MappedReader(mapping), find_files(files)
    for path in found:
        for table, columns in headings(path, mapping.shape_of(path)):
            mapping.refuse_missing(table, columns)
    rows = (tables(path, mapping.shape_of(path)) for path in found)
    return Source(name, rows, reader, keeps_repeats=mapping.repeats == "each", has_ids=bool(mapping.id))


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
