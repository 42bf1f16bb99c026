"""The elements or placements of each selector of a question, asked of the dictionary or kept from an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from expost.lake.reader import connect_fresh, hold_ancestors

from .condition import CompiledDefinition, UsedSelector
from .element_cache import ELEMENTS, ElementCache, Judged
from .grain import ELEMENTS as OF_ELEMENTS
from .selector_sql import ENGINE_VERSION
from .statement import Fragment, expressions, render

FILES = "select table_name, files from lake.snapshot where table_name in ('descriptors', 'elements', 'placements')"


@dataclass(frozen=True, slots=True)
class ElementsMade:
    """The statement that makes a selector's relation, and the values that it binds."""

    text: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements of one selector. `judged` are those that were kept; without, its relation was made by `made`."""

    made: ElementsMade
    relation: str
    judged: Judged | None = None

    def show(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the selector's relation, if it is not there."""
        if self.judged is not None:
            connection.register("kept_elements", self.judged.rows)
            connection.execute(f"create or replace temp table {self.relation} as select * from kept_elements")
            connection.unregister("kept_elements")

    def surely(self, connection: duckdb.DuckDBPyConnection) -> NDArray[np.int64]:
        """Those that surely match, in order."""
        rows = self.judged.rows if self.judged is not None else _rows(connection, self.relation)
        found: NDArray[np.int64] = rows.filter(rows["is_sure"])["place_id"].to_numpy()
        return np.sort(found)


def made_elements(used: UsedSelector) -> ElementsMade:
    """How the relation of a selector is made."""
    compiled = used.compiled
    text = render(
        "elements.sql",
        relation=Fragment(used.relation),
        expressions=expressions(compiled.ctes),
        matches=Fragment(compiled.matches),
        surely=Fragment(compiled.surely),
        possibly=Fragment(compiled.possibly),
        id=Fragment(compiled.grain.id),
    )
    return ElementsMade(text, compiled.parameters)


def dictionary_files(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, ...]]:
    """The live files of the element dictionary, by table."""
    return {name: tuple(files) for name, files in connection.execute(FILES).fetchall()}


def make_elements(
    connection: duckdb.DuckDBPyConnection, definition: CompiledDefinition, cache: ElementCache | None
) -> list[ElementsMade]:
    """Make the relation of each selector of `definition`, and say how: by the same text, kept or not."""
    files = dictionary_files(connection) if cache is not None and definition.selectors else {}
    made = []
    for used in definition.selectors:
        found = find_elements(connection, used, cache, files)
        found.show(connection)
        made.append(found.made)
    return made


def find_elements(
    connection: duckdb.DuckDBPyConnection,
    used: UsedSelector,
    cache: ElementCache | None,
    files: Mapping[str, tuple[str, ...]],
) -> Elements:
    """The elements of a selector in the dictionary of these `files`, from the cache if they are there."""
    made = made_elements(used)
    if cache is None:
        _judge(connection, made)
        return Elements(made, used.relation)
    live = live_names(files)
    key = f"engine {ENGINE_VERSION}: {used.words}"
    kept = cache.find(key, live)
    if kept is None:
        _judge(connection, made)
        cache.keep(key, Judged(_rows(connection, used.relation), live))
        return Elements(made, used.relation)
    if kept.files != live:
        kept = Judged(_with_fresh(kept, files, made, used.relation), live)
        cache.keep(key, kept)
    return Elements(made, used.relation, kept)


def live_names(files: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """The bare names of these files."""
    return frozenset(PurePath(file).name for each in files.values() for file in each)


def _with_fresh(
    kept: Judged, files: Mapping[str, tuple[str, ...]], made: ElementsMade, relation: str
) -> pa.Table:
    """What was kept, and the elements that came since: the dictionary only grew, so the others have their answer."""
    fresh = {file for each in files.values() for file in each if PurePath(file).name not in kept.files}
    fresh.difference_update(files["descriptors"])
    if not fresh:
        return kept.rows
    with connect_fresh(files, fresh) as connection:
        _run(connection, made)
        rows = _rows(connection, f"{relation} where place_id in (select place_id from lake.fresh)")
    # A dictionary may hold an element twice, with the same answer.
    return pa.concat_tables([kept.rows, rows]).group_by("place_id").aggregate(
        [("is_sure", "max"), ("is_subject", "max")]
    ).rename_columns(ELEMENTS.names).cast(ELEMENTS)  # fmt: skip


def _judge(connection: duckdb.DuckDBPyConnection, made: ElementsMade) -> None:
    if OF_ELEMENTS.ancestors in made.text:
        hold_ancestors(connection)
    _run(connection, made)


def _run(connection: duckdb.DuckDBPyConnection, made: ElementsMade) -> None:
    connection.execute(made.text, dict(made.parameters))


def _rows(connection: duckdb.DuckDBPyConnection, source: str) -> pa.Table:
    found: pa.Table = connection.sql(f"select place_id, is_sure, is_subject from {source}").to_arrow_table()
    return found.cast(ELEMENTS)
