"""The summaries of a snapshot's files, open for one question: what most definitions ask is decided by facts alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from expost.lake.reader import rows_of
from expost.lake.schema import ID, TABLES, TIME
from expost.lake.summary import Summary, find_summary

from .definition import Definition
from .interval import ALWAYS
from .statement import Fragment

FACTS = Fragment("facts")
"""The relation of all facts; those of a file are told apart by `file_number`."""
REST = Fragment("events_of_no_fact")
"""The relation of the events in files that have no summary."""

KNOWN = frozenset({"types", "selector", "target_only", "pierce", "text", "host", "path", "event_name"})
"""What a definition may ask for and a fact knows."""

BATCH_EVENTS = 500_000
"""So many moments are in memory at a time, unless a single fact has more."""

_MOMENTS = pa.schema([("time", TIME), ("device_id", ID), ("own_user_id", ID), ("verdict", pa.int8())])


@dataclass(frozen=True, slots=True)
class Facts:
    """The relation `FACTS`, whose moments are in `summaries`, and if there are more events, `REST`."""

    connection: duckdb.DuckDBPyConnection
    summaries: Sequence[Summary]
    has_rest: bool

    def make_moments(self, relation: str, facts: str) -> None:
        """The relation of the moments of those facts: (file_number, first_moment, events, own_user_id, verdict)."""
        found = self.connection.sql(
            f"select file_number, first_moment, events, own_user_id, verdict from {facts}"
        ).to_arrow_table()
        batches = pa.RecordBatchReader.from_batches(_MOMENTS, self._moments(found))
        self.connection.register("moments_read", batches)
        self.connection.execute(f"create or replace temp table {relation} as select * from moments_read")
        self.connection.unregister("moments_read")

    def _moments(self, found: pa.Table) -> Iterator[pa.RecordBatch]:
        numbers, firsts, counts, verdicts = (
            found.column(name).to_numpy() for name in ("file_number", "first_moment", "events", "verdict")
        )
        owners = found.column("own_user_id").combine_chunks()
        for number, summary in enumerate(self.summaries):
            for facts in _pieces(np.flatnonzero(numbers == number), counts):
                events = counts[facts].astype(np.int64)
                times, devices = summary.moments_of(firsts[facts].astype(np.int64), events)
                if owners.null_count == len(owners):
                    users = pa.nulls(len(times), ID)
                else:
                    users = owners.take(pa.array(np.repeat(facts, events)))
                yield pa.record_batch(
                    [times, devices, users, pa.array(np.repeat(verdicts[facts], events))], _MOMENTS
                )


def are_enough(definition: Definition) -> bool:
    """Whether facts decide what a definition matches: it asks nothing that only single events know."""
    return all(each.to_json().keys() <= KNOWN and each.interval == ALWAYS for each in definition.alternatives)


def facts_asked(definitions: Iterable[Definition]) -> list[str]:
    """The columns of facts that decide these definitions, of which facts are enough."""
    asked = {"type", "site"}
    for each in (alternative for definition in definitions for alternative in definition.alternatives):
        asked |= {"element_id", "placement_id"} if each.selector else set()
        asked |= {"label", "text", "marks"} if each.text else set()
        asked |= {"name"} if each.event_name else set()
        asked |= {column for column in ("host", "path") if getattr(each, column)}
    return sorted(asked)


@contextmanager
def opened_facts(connection: duckdb.DuckDBPyConnection, cache: Path | None) -> Iterator[Facts | None]:
    """The facts of the events of the connection, until the block ends; None where no file has a summary."""
    files = [] if cache is None else _event_files(connection)
    found = [(file, find_summary(cache, Path(file))) for file in files] if cache is not None else []
    summaries = [summary for _, summary in found if summary is not None]
    if not summaries:
        yield None
        return
    rest = [file for file, summary in found if summary is None]
    connection.register(FACTS, pa.Table.from_batches(
        each.facts.append_column("file_number", pa.array(np.full(each.facts.num_rows, number, np.int32)))
        for number, each in enumerate(summaries)
    ))  # fmt: skip
    try:
        if rest:
            rows = rows_of(connection, rest, TABLES["events"])
            connection.execute(f"create or replace temp view {REST} as {rows}")
        yield Facts(connection, summaries, bool(rest))
    finally:
        # What is mapped into memory holds deleted files on the disk.
        connection.unregister(FACTS)


def _event_files(connection: duckdb.DuckDBPyConnection) -> list[str]:
    [(files,)] = connection.execute("select files from lake.snapshot where table_name = 'events'").fetchall()
    return list(files)


def _pieces(facts: NDArray[np.int64], counts: NDArray[np.int32]) -> Iterator[NDArray[np.int64]]:
    """These facts in pieces of few events each."""
    pieces = np.cumsum(counts[facts], dtype=np.int64) // BATCH_EVENTS
    yield from np.split(facts, np.flatnonzero(np.diff(pieces)) + 1) if len(facts) else ()
