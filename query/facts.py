"""The summaries of a snapshot's files, open for one question: what most definitions ask is decided by facts alone."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from expost.lake.reader import rows_of
from expost.lake.schema import TABLES
from expost.lake.summary import LEAST_BYTES, Summary, find_summary, seems_summed_up

from .alternative import Alternative
from .definition import Definition
from .interval import ALWAYS
from .moments import FoundFacts, MomentCounts, Owners
from .statement import Fragment

FACTS = Fragment("facts")
"""The relation of all facts; those of a file are told apart by `file_number`."""
REST = Fragment("events_of_no_fact")
"""The relation of the events in files that have no summary."""

PART_BYTES = 160_000_000
"""Facts of so many bytes are looked at together; what a question reads of them is half of it at most."""

KNOWN = frozenset({"types", "selector", "target_only", "pierce", "text", "host", "path", "event_name"})
"""What a definition may ask for and a fact knows."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The relation `FACTS` of some `files`, whose moments are in `summaries`; of the others, if there are, `REST`."""

    connection: duckdb.DuckDBPyConnection
    files: tuple[str, ...]
    summaries: Sequence[Summary]
    has_rest: bool
    shown: list[str] = field(default_factory=list)

    def in_parts(self) -> Iterator[None]:
        """Let `FACTS` be the facts of some files after the others, so that memory never holds those of all.

        To the end: then it is all of them again.
        """
        batches = _numbered(self.summaries)
        part = np.cumsum([each.nbytes for each in batches]) // PART_BYTES
        if part[-1] == part[0]:
            yield
            self.let_go()
            return
        for number in np.unique(part):
            chosen = np.flatnonzero(part == number).tolist()
            self.connection.register(FACTS, pa.Table.from_batches([batches[place] for place in chosen]))
            yield
            for place in chosen:
                self.summaries[place].let_go()
        self.connection.register(FACTS, pa.Table.from_batches(batches))

    def show(self, relation: str, rows: pa.Table) -> None:
        """Let the connection read these rows, until the facts are closed."""
        self.connection.register(relation, rows)
        self.shown.append(relation)

    def let_go(self) -> None:
        """Give back the memory in which facts were read, as what comes next may want it."""
        for each in self.summaries:
            each.let_go()

    def strings_of(self, column: str) -> pa.Array:
        """The different strings of a column, and maybe some that no fact has."""
        found = [each.facts.column(column).dictionary for each in self.summaries]
        return pa.chunked_array(found).unique()

    def count_moments(self, facts: str, owners: Owners) -> MomentCounts:
        """The moments of those facts: (file_number, first_moment, events, own_user_id, verdict)."""
        found = self.connection.sql(
            f"select file_number, first_moment, events, own_user_id, verdict from {facts}"
        ).to_arrow_table()
        numbers, firsts, events, verdicts = (
            found.column(name).to_numpy() for name in ("file_number", "first_moment", "events", "verdict")
        )
        own_users = found.column("own_user_id").combine_chunks()
        every = FoundFacts(firsts.astype(np.int64), events.astype(np.int64), verdicts, own_users)

        def counted(number: int, summary: Summary) -> MomentCounts:
            counts = MomentCounts(owners)
            counts.add(summary, every.of(np.flatnonzero(numbers == number)))
            return counts

        whole = MomentCounts(owners)
        [(threads,)] = self.connection.execute("select current_setting('threads')").fetchall()
        # All that takes long is done outside of the interpreter's lock.
        with ThreadPoolExecutor(threads) as pool:
            for part in pool.map(counted, range(len(self.summaries)), self.summaries):
                whole.join(part)
        return whole


def are_enough(definition: Definition) -> bool:
    """Whether facts decide what a definition matches: it asks nothing that only single events know."""
    return all(each.to_json().keys() <= KNOWN and each.interval == ALWAYS for each in definition.alternatives)


def facts_asked(alternatives: Iterable[Alternative]) -> list[str]:
    """The columns of facts that decide these alternatives, of which facts are enough."""
    asked = {"type", "site"}
    for each in alternatives:
        asked |= {"element_id", "placement_id"} if each.selector else set()
        asked |= {"label", "text", "marks"} if each.text else set()
        asked |= {"name"} if each.event_name else set()
        asked |= {column for column in ("host", "path") if getattr(each, column)}
    return sorted(asked)


def are_summed_up(connection: duckdb.DuckDBPyConnection, cache: Path | None) -> bool:
    """Whether each larger file of events of the connection has a summary."""
    if cache is None:
        return False
    large = [path for path in map(Path, _event_files(connection)) if path.stat().st_size >= LEAST_BYTES]
    return bool(large) and all(seems_summed_up(cache, path) for path in large)


@contextmanager
def facts_when_needed(
    connection: duckdb.DuckDBPyConnection, cache: Path | None
) -> Iterator[Callable[[], Facts | None]]:
    """What opens the facts when it is called for the first time, and gives them until the block ends."""
    with ExitStack() as stack:
        yield functools.cache(lambda: stack.enter_context(opened_facts(connection, cache)))


@contextmanager
def opened_facts(connection: duckdb.DuckDBPyConnection, cache: Path | None) -> Iterator[Facts | None]:
    """The facts of the events of the connection, until the block ends; None where no file has a summary."""
    files = [] if cache is None else _event_files(connection)
    found = [(file, find_summary(cache, Path(file))) for file in files] if cache is not None else []
    told = [file for file, summary in found if summary is not None]
    summaries = [summary for _, summary in found if summary is not None]
    if not summaries:
        yield None
        return
    rest = [file for file, summary in found if summary is None]
    connection.register(FACTS, pa.Table.from_batches(_numbered(summaries)))
    try:
        if rest:
            rows = rows_of(connection, rest, TABLES["events"])
            connection.execute(f"create or replace temp view {REST} as {rows}")
        facts = Facts(connection, tuple(told), summaries, bool(rest))
        try:
            yield facts
        finally:
            for relation in facts.shown:
                connection.unregister(relation)
    finally:
        # What is mapped into memory holds deleted files on the disk.
        connection.unregister(FACTS)


def _numbered(summaries: Sequence[Summary]) -> list[pa.RecordBatch]:
    """The facts of each file with its `file_number`."""
    return [
        each.facts.append_column("file_number", pa.array(np.full(each.facts.num_rows, number, np.int32)))
        for number, each in enumerate(summaries)
    ]


def _event_files(connection: duckdb.DuckDBPyConnection) -> list[str]:
    [(files,)] = connection.execute("select files from lake.snapshot where table_name = 'events'").fetchall()
    return list(files)
