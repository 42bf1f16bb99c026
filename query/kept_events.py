"""The events of a saved definition as a relation of its own: found in the lake, or kept from an earlier question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from expost.lake.literal import quoted, quoted_file
from expost.lake.reader import rows_of
from expost.lake.schema import TABLES

from .condition import CompiledDefinition
from .definition import Definition
from .event_cache import MOST_EVENTS, EventCache
from .selector_sql import ENGINE_VERSION
from .statement import Fragment, identifier, render

COLUMNS = (
    "site", "event_id", "time", "page_id", "page_seq", "device_id", "user_id", "source", "is_bot", "is_internal",
    "environment", "type", "name", "element_id", "placement_id", "label", "text", "host", "path", "release",
)  # fmt: skip
"""What is kept of an event. A question that asks for more searches the lake."""
LAKE = Fragment("lake.events")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement finds the events of one definition: a relation, and the conditions on its rows `e`.

    `text` is the statement that makes the relation, where it is not the lake itself.
    """

    relation: Fragment
    match: CompiledDefinition
    text: str = ""


def in_lake(match: CompiledDefinition) -> Source:
    """The events of the lake that match."""
    return Source(LAKE, match)


def kept_source(
    connection: duckdb.DuckDBPyConnection,
    cache: EventCache,
    site: str,
    definition: Definition,
    match: CompiledDefinition,
    prefix: str,
) -> Source | None:
    """The relation `{prefix}_events`; None for a definition that is not worth it, in a lake that is not."""
    [(files,)] = connection.execute("select files from lake.snapshot where table_name = 'events'").fetchall()
    large = cache.worth_keeping(files)
    validities = [each.interval for each in definition.alternatives]
    key = f"engine {ENGINE_VERSION}: {site}: {definition.body()}: {validities}: {COLUMNS}"
    if not large or key in cache.too_many:
        return None
    search = _Search(connection, match, prefix)
    missing = [file for file in large if cache.find(key, file) is None]
    if missing and not (cache.has_room() and search.keep(cache, key, missing)):
        return None
    kept = [path for file in large if (path := cache.find(key, file)) is not None]
    if len(kept) < len(large):
        # Where others take the room it is asked again, once they were not in use for a while.
        if cache.is_half_filled(kept):
            cache.too_many.add(key)
        return None  # nothing could be written, or there is no room for all of it
    search.make_view([str(path) for path in kept], [file for file in files if file not in set(large)])
    found = CompiledDefinition((), {}, Fragment("e.is_sure"), Fragment("true"))
    return Source(Fragment(f"{prefix}_events"), found, search.text(f"{prefix}_events", LAKE))


@dataclass(frozen=True, slots=True)
class _Search:
    connection: duckdb.DuckDBPyConnection
    match: CompiledDefinition
    prefix: str

    def text(self, relation: str, source: Fragment, *, has_file: bool = False) -> str:
        columns = [identifier(name) for name in COLUMNS]
        return render(
            "events.sql",
            relation=Fragment(relation),
            match=self.match,
            columns=columns,
            source=source,
            has_file=has_file,
        )

    def run(self, text: str) -> None:
        for statement in self.connection.extract_statements(text):
            values: Mapping[str, Any] = self.match.parameters
            bound = {name: values[name] for name in sorted(statement.named_parameters)}
            self.connection.execute(statement, bound)

    def keep(self, cache: EventCache, key: str, files: Sequence[str]) -> bool:
        """Search these files and keep what is found in each; False if that is too much."""
        source = self._rows("searched", files, has_file=True)
        counting = render("events_count.sql", match=self.match, source=source)
        [statement] = self.connection.extract_statements(counting)
        bound = {name: self.match.parameters[name] for name in sorted(statement.named_parameters)}
        [(count,)] = self.connection.execute(statement, bound).fetchall()
        if count > MOST_EVENTS:
            cache.too_many.add(key)
            return False
        self.run(self.text(f"{self.prefix}_found", source, has_file=True))
        for file in files:
            of_file = self.connection.sql(
                f"select * exclude (filename) from {self.prefix}_found where filename = $file",
                params={"file": file},
            )
            cache.keep(key, file, of_file.to_arrow_table())
        self.connection.execute(f"drop table {self.prefix}_found")
        return True

    def make_view(self, kept: Sequence[str], small: Sequence[str]) -> None:
        listed = ", ".join(map(quoted_file, kept))
        parts = [f"select * from read_parquet([{listed}], hive_partitioning = false)"]
        if small:
            self.run(self.text(f"{self.prefix}_fresh", self._rows("small", small)))
            parts.append(f"select * from {self.prefix}_fresh")
        self.connection.execute(
            f"create or replace temp view {self.prefix}_events as {' union all by name '.join(parts)}"
        )

    def _rows(self, name: str, files: Sequence[str], *, has_file: bool = False) -> Fragment:
        """A view of the rows of these files alone."""
        view = Fragment(f"{self.prefix}_{name}")
        selects: Iterable[str] = [rows_of(self.connection, files, TABLES["events"])]
        if has_file:
            selects = [
                f"select *, {quoted(file)} as filename from "
                f"({rows_of(self.connection, [file], TABLES['events'])})"
                for file in files
            ]
        self.connection.execute(f"create or replace temp view {view} as {' union all '.join(selects)}")
        return view
