"""The lake as DuckDB sees it: base relations over one consistent snapshot, and views that questions are asked of."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from .folder import open_folder
from .literal import pattern_of, quoted_file
from .part import find_width
from .schema import TABLES
from .snapshot import LakeSnapshot, Snapshot, find_lake_snapshot

HELPERS, VIEWS = ("dictionary.sql", "persons.sql"), ("views.sql", "losses.sql")
"""Views in schema `lake`, and those for people. Read in this order: each builds on those before it."""

RECORDED = {
    "events": "received_at",
    "identities": "recorded_at",
    "traits": "recorded_at",
    "page_counts": "told_at",
}
"""Per table the column that says when a row came to be known. What is not here only names ids that others carry."""

MOST_ANCESTORS = 1_000_000
"""So many pairs of an element and an ancestor are held in memory at most: about 25 MB."""

_SQL = Path(__file__).parent / "sql"


def connect(
    path: Path,
    *,
    memory_limit: str | None = None,
    threads: int | None = None,
    snapshot: LakeSnapshot | None = None,
    has_views: bool = True,
    as_of: int | None = None,
    supposed: pa.Table | None = None,
) -> duckdb.DuckDBPyConnection:
    """A connection that reads one snapshot of the folder at `path` for as long as it is open.

    Base relations are in schema `lake`, one per table; `events`, `elements`, `placements`, `people` and `losses` are
    views for people, which `has_views` leaves out: making them takes a while. With `as_of` there is only what was known
    by that moment (microseconds). Identity edges in `supposed` are read as if they were recorded.
    """
    folder = open_folder(path)
    connection = duckdb.connect()
    try:
        configure(connection, folder.spill, memory_limit, threads)
        register(connection, snapshot or find_lake_snapshot(folder.lake), as_of)
        if supposed is not None:
            suppose(connection, supposed)
        create_views(connection, HELPERS + VIEWS * has_views)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_fresh(files: Mapping[str, Sequence[str]], fresh: Collection[str]) -> duckdb.DuckDBPyConnection:
    """A connection to the elements and placements in the files `fresh` alone, and what is above them, to judge those.

    `files` are all live files by table. The relation `lake.fresh` holds the ids as `place_id`.
    """
    connection = duckdb.connect()
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("create schema lake")
        for name, key in (("elements", "element_id"), ("placements", "placement_id")):
            newest = [file for file in files[name] if file in fresh]
            _create_rows(connection, f"newest_{name}", newest, TABLES[name])
            _create_rows(connection, f"all_{name}", files[name], TABLES[name])
            connection.execute(f"""
                create table lake.{name} as
                select * from lake.newest_{name}
                union all
                select * from lake.all_{name}
                where {key} in (select unnest(ancestors) from lake.newest_{name})
                    and {key} not in (select {key} from lake.newest_{name})""")
        connection.execute("""
            create view lake.fresh as
            select element_id as place_id from lake.newest_elements
            union all
            select placement_id from lake.newest_placements""")
        _create_rows(connection, "descriptors", files["descriptors"], TABLES["descriptors"])
        connection.execute((_SQL / "dictionary.sql").read_text(encoding="utf-8"))
    except BaseException:
        connection.close()
        raise
    return connection


def configure(
    connection: duckdb.DuckDBPyConnection, spill: Path, memory_limit: str | None, threads: int | None
) -> None:
    """Limits of one connection. What does not fit into memory goes to `spill`, and is removed with the connection."""
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set preserve_insertion_order = false")
    connection.execute("set enable_progress_bar = false")
    # Files never change, so what their footers say need not be read for every view and statement.
    connection.execute("set parquet_metadata_cache = true")
    if os.access(spill.parent, os.W_OK):
        spill.mkdir(mode=0o700, exist_ok=True)
        connection.execute("set temp_directory = $spill", {"spill": str(spill)})
    if memory_limit is not None:
        connection.execute("set memory_limit = $memory_limit", {"memory_limit": memory_limit})
    if threads is not None:
        connection.execute("set threads = $threads", {"threads": threads})


def register(connection: duckdb.DuckDBPyConnection, snapshot: LakeSnapshot, as_of: int | None = None) -> None:
    """Make the base relations in schema `lake`, and note what they show: with `as_of` what was known by then."""
    connection.execute("create schema lake")
    connection.execute("create table lake.snapshot (table_name varchar, version bigint, files varchar[])")
    for name in TABLES:
        _register(connection, name, snapshot.tables.get(name), as_of)


def renew(connection: duckdb.DuckDBPyConnection, before: LakeSnapshot, after: LakeSnapshot) -> None:
    """Let a connection that reads one snapshot, without views for people, read another one of the same lake."""
    changed = [name for name in TABLES if before.tables.get(name) != after.tables.get(name)]
    for name in changed:
        had_files = bool((table := before.tables.get(name)) and table.files)
        connection.execute(f"drop {'view' if had_files else 'table'} lake.{name}")
        connection.execute("delete from lake.snapshot where table_name = $name", {"name": name})
        _register(connection, name, after.tables.get(name))
    if "identities" in changed:
        create_views(connection, ("persons.sql",))
    if "elements" in changed:
        create_views(connection, ("dictionary.sql",))
        connection.execute("drop table if exists lake.held_ancestors")


def hold_ancestors(connection: duckdb.DuckDBPyConnection) -> None:
    """Let `lake.element_ancestors` answer from memory until the elements change, unless they are too many for that."""
    if connection.execute("from duckdb_tables() where table_name = 'held_ancestors'").fetchone():
        return
    [(pairs,)] = connection.execute("select coalesce(sum(len(ancestors)), 0) from lake.elements").fetchall()
    if pairs > MOST_ANCESTORS:
        return
    connection.execute("create table lake.held_ancestors as select * from lake.element_ancestors")
    connection.execute("create or replace view lake.element_ancestors as select * from lake.held_ancestors")


def _register(
    connection: duckdb.DuckDBPyConnection, name: str, table: Snapshot | None, as_of: int | None = None
) -> None:
    files = table.files if table else []
    connection.execute(
        "insert into lake.snapshot values ($name, $version, $files)",
        {"name": name, "version": table.version if table else None, "files": files},
    )
    _create_rows(connection, name, files, TABLES[name], known_by(name, as_of))


def known_by(table: str, as_of: int | None) -> str:
    """The condition on the rows of a table that leaves those that were known by `as_of`; empty for all of them."""
    if as_of is None or table not in RECORDED:
        return ""
    return f" where {RECORDED[table]} <= make_timestamptz({as_of:d})"


def suppose(connection: duckdb.DuckDBPyConnection, edges: pa.Table) -> None:
    """Let the connection read these identity edges as if they were recorded; before the views are made."""
    connection.register("_supposed", edges)
    connection.execute("create table lake.supposed as select * from _supposed")
    connection.unregister("_supposed")
    [(kind,)] = connection.execute("""
        select case when table_type = 'VIEW' then 'view' else 'table' end from information_schema.tables
        where table_schema = 'lake' and table_name = 'identities'""").fetchall()
    connection.execute(f"alter {kind} lake.identities rename to recorded_identities")
    connection.execute("""
        create view lake.identities as
        select * from lake.recorded_identities union all by name select * from lake.supposed""")


def _create_rows(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    files: Sequence[str],
    schema: pa.Schema,
    condition: str = "",
) -> None:
    """The relation `name` with all rows of these files that meet the condition."""
    if files:
        connection.execute(f"create view lake.{name} as {rows_of(connection, files, schema)}{condition}")
    else:
        connection.register("_empty", schema.empty_table())
        connection.execute(f"create table lake.{name} as select * from _empty")
        connection.unregister("_empty")


def places_at(
    connection: duckdb.DuckDBPyConnection, name: str, condition: str, columns: Sequence[str]
) -> pa.Table:
    """`filename`, `file_row_number` and some columns of those rows of a table that meet a condition."""
    [(files,)] = connection.execute(
        "select files from lake.snapshot where table_name = $name", {"name": name}
    ).fetchall()
    listed = ", ".join(map(quoted_file, files))
    # It costs a look into every file before the first row, so only where they differ.
    by_name = "true" if len(set(map(find_width, files))) > 1 else "false"
    found: pa.Table = connection.sql(f"""
        select filename, file_row_number, {", ".join(columns)}
        from read_parquet(
            [{listed}], hive_partitioning = false, union_by_name = {by_name}, filename = true,
            file_row_number = true
        )
        where {condition}""").to_arrow_table()
    return found


def rows_at(
    connection: duckdb.DuckDBPyConnection,
    places: Mapping[str, Sequence[int]],
    schema: pa.Schema,
    columns: str = "*",
) -> str:
    """A select of the rows with these numbers in each file: of the others hardly anything is read."""
    parts = []
    for file, numbers in places.items():
        listed = ", ".join(map(str, sorted(numbers)))
        there = "*" if find_width(file) == len(schema) else _columns_of(connection, [file], schema)
        parts.append(
            f"select {columns} from (select {there} from (select * exclude (file_row_number) from "
            f"read_parquet([{quoted_file(file)}], hive_partitioning = false, file_row_number = true) "
            f"where file_row_number in ({listed})) as numbered) as rows"
        )
    return " union all by name ".join(parts)


def rows_of(connection: duckdb.DuckDBPyConnection, files: Sequence[str], schema: pa.Schema) -> str:
    """A select of all rows, with null in the columns that were not there yet when a file was written."""
    listed = ", ".join(map(quoted_file, files))
    if {find_width(file) for file in files} == {len(schema)}:
        return f"select * from read_parquet([{listed}], hive_partitioning = false)"
    # It costs a look into every file before the first row, so only where they differ.
    return f"select {_columns_of(connection, files, schema)} from {_by_name(files)}"


def _by_name(files: Sequence[str]) -> str:
    listed = ", ".join(map(quoted_file, files))
    return f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"


def _columns_of(connection: duckdb.DuckDBPyConnection, files: Sequence[str], schema: pa.Schema) -> str:
    there = {row[0] for row in connection.execute(f"describe select * from {_by_name(files)}").fetchall()}
    connection.register("_empty", schema.empty_table())
    types = {row[0]: row[1] for row in connection.execute("describe select * from _empty").fetchall()}
    connection.unregister("_empty")
    return ", ".join(
        f'"{name}"' if name in there else f'null::{types[name]} as "{name}"' for name in schema.names
    )


def create_views(connection: duckdb.DuckDBPyConnection, names: Sequence[str] = HELPERS + VIEWS) -> None:
    """Make the helper and user views over base relations in schema `lake`, whatever those are."""
    for name in names:
        try:
            connection.execute((_SQL / name).read_text(encoding="utf-8"))
        except duckdb.BinderException as problem:
            # The words are ours, so a file does not have the columns that it was written with.
            raise duckdb.IOException(
                f"A Parquet file has other columns than its table: {problem}"
            ) from problem


def snapshot_versions(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Which Delta version of each table the connection reads; tables that do not exist yet are left out."""
    rows = connection.execute(
        "select table_name, version from lake.snapshot where version is not null order by table_name"
    )
    return dict(rows.fetchall())


def lock_down(connection: duckdb.DuckDBPyConnection, also: Sequence[str] = ()) -> None:
    """Let the connection read the files of its snapshot and those of `also`, and nothing else, for good.

    No other file, no network, no extension, no change of a limit. Statements that write are for the caller to refuse.
    """
    [files] = connection.execute(
        "select coalesce(flatten(list(files)), []) from lake.snapshot"
    ).fetchone() or ([],)
    allowed = [*files, *also]
    # Of a name that looks like a pattern, DuckDB asks for what the statement says before it asks for the file.
    patterns = map(pattern_of, allowed)
    connection.execute("set allowed_paths = $files", {"files": list({*allowed, *patterns})})
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
