"""From the journal to the lake, exactly once.

A group of sealed segments becomes one commit per table, numbered by its last segment; the dictionaries come before the
events that point at them, and the events last. So whatever moment the process ends, the next one sees from the tables
how far the group came: what has its number is skipped, the rest is done again with the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import Transaction
from numpy.typing import NDArray

from expost.clock import Clock, wall_clock
from expost.errors import FolderError

from .batch import Accepted
from .contents import Contents, checksums
from .delta_log import mend
from .dictionary import DICTIONARIES, Dictionary
from .erasures import marks_in_force
from .event_table import forget_texts
from .folder import Folder
from .lock import Lock
from .own_secret import refuse_other_secret
from .redaction import Mark, Redaction
from .rejected import Rejected, without_bad_ids
from .replay import append_missing
from .retention import Cuts, KeepMonths, remove_expired
from .schema import TABLES
from .seen import Hashes, SeenIds
from .segment import segment_number
from .sifting import Batch, rows_of
from .snapshot import find_committed
from .standing import EVENTS, OTHERS, standing
from .stored_segments import stored_segments
from .table import Table

APPLICATION = "journal"
"""Names the series of segment numbers in the transactions of the log."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of the events of a group of segments; `suppressed` are those of people who were erased.

    `duplicates` were stored before; `conflicts` are those of them that say something else than the first, as far as
    that is remembered.
    """

    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    suppressed: int = 0
    rejected: Sequence[Rejected] = ()


class Writer:
    """The one writer of a folder's lake. Close it, or use it in a `with`, to let another one in.

    After an exception from `ingest` or `remove_expired` it is of no more use: open a new one, which finds out what was
    committed.
    """

    def __init__(self, folder: Folder, clock: Clock = wall_clock) -> None:
        self._clock = clock
        self._lock: Lock | None = _lock(folder)
        try:
            refuse_other_secret(folder)
            self._tables = {name: Table(folder.lake / name, schema) for name, schema in TABLES.items()}
            self._secret = folder.secret()
            self._dictionary = self._read_dictionary()
            self._marks: Sequence[Mark] = marks_in_force(folder)
            self._redaction = Redaction(self._secret, self._marks)
            self._contents = Contents()
            self._seen = SeenIds(self._secret, folder.seen)
            self._seen.load(self._tables["events"], clock())
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def check(self) -> None:
        """Raise OSError where the folder was moved away or another one took its place, of which this knows nothing."""
        if self._lock is not None:
            self._lock.check()

    def close(self) -> None:
        """Let another writer in."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @property
    def committed(self) -> int:
        """The last segment that is wholly in the lake, −1 when none is."""
        return self._tables["events"].committed(APPLICATION)

    @property
    def begun(self) -> int:
        """The last segment of a group of which some table may hold rows already.

        Where it is greater than `committed`, the group up to it was interrupted and must be ingested again as it was.
        """
        return max(table.committed(APPLICATION) for table in self._tables.values())

    def ingest(
        self,
        number: int,
        accepted: Iterable[Accepted],
        keep: Callable[[Sequence[Rejected]], None] | None = None,
    ) -> Ingested:
        """Store what `accepted` holds that is new, as segment `number`, or as the group that ends with it.

        It is durable and queryable when this returns. The same number again stores nothing. `keep` is given what cannot
        be stored before anything is committed, so that an end in between loses none of it.
        """
        if number <= self.committed:
            return Ingested()
        given = list(accepted)
        latest = _latest(given)
        wanted = self._redacted(given)
        suppressed = _event_count(given) - _event_count(wanted) if self._redaction else 0
        identified, hashes, rejected = self._identified(wanted)
        all_hashes, new = hashes, self._seen.are_new(hashes)
        batches, hashes, duplicates = self._unseen(identified, hashes, new)
        tables, broken = rows_of(batches, self._dictionary)
        rejected += broken
        if keep is not None:
            keep(rejected)
        for name in OTHERS:
            table, rows = self._tables[name], tables.get(name)
            # Of a group that was interrupted, these rows are there already. Dictionaries know by themselves.
            is_done = name not in DICTIONARIES and table.committed(APPLICATION) >= number
            if rows is not None and not is_done:
                table.append(rows, APPLICATION, number)
        self._commit_events(tables.get(EVENTS), number)
        self._dictionary.settle()
        conflicts = self._conflicts(identified, all_hashes, new)
        self._seen.add(hashes, latest)
        self._seen.forget(self._clock())
        self._seen.spill(self._tables["events"])
        return Ingested(len(hashes) - len(broken), duplicates, conflicts, suppressed, rejected)

    def replay(self, accepted: Iterable[Accepted]) -> dict[str, int]:
        """Store again what `accepted` holds that the lake has lost; how many rows of each table that were.

        Not while a group `is_interrupted`.
        """
        wanted, _, _ = self._identified(self._redacted(list(accepted)))
        batches: list[Batch] = [(batch, batch.events) for batch in wanted if batch.events]
        tables, _ = rows_of(batches, self._dictionary)
        appended = append_missing(self._tables, tables)
        self._dictionary.settle()
        hashes = self._seen.hashes([event.id for _, events in batches for event in events])
        self._seen.add(hashes[self._seen.are_new(hashes)], _latest(batch for batch, _ in batches))
        return appended

    def note_standing(self) -> None:
        """Let the log of events say how far the other tables are now, after what they lost was stored again."""
        self._tables[EVENTS].mark(*standing(self._tables))

    def _commit_events(self, rows: pa.Table | None, number: int) -> None:
        events, also = self._tables[EVENTS], standing(self._tables)
        if rows is not None:
            events.append(rows, APPLICATION, number, *also)
        else:
            # Of a group of repeats alone. Else it would look as if the lake had lost it.
            events.mark(Transaction(APPLICATION, number), *also)

    @property
    def is_interrupted(self) -> bool:
        """Whether a group of segments stands in some tables only, and is still to be ingested again."""
        return self.begun > self.committed

    def remove_expired(self, keep_months: KeepMonths) -> dict[str, int]:
        """Remove what is older than its site keeps it, and what was known of people only for that.

        Gives how many rows of each table that were. Not while a group `is_interrupted`.
        """
        removed = remove_expired(self._tables, Cuts(keep_months, self._clock()))
        if any(removed.get(name) for name in DICTIONARIES):
            # Who comes back must get a row again, so what is known is read anew.
            self.read_names()
        return removed

    @property
    def tables(self) -> dict[str, Table]:
        """The tables, opened for writing."""
        return self._tables

    def now(self) -> int:
        """The time by the writer's clock."""
        return self._clock()

    @property
    def redaction(self) -> Redaction:
        """What takes those out of a batch of whom nothing is to be stored any more."""
        return self._redaction

    def suppress(self, marks: Sequence[Mark]) -> None:
        """Store nothing any more of those whom these marks name."""
        self._marks = marks
        self._redaction = Redaction(self._secret, marks)

    def redaction_with(self, event_ids: Collection[str]) -> Redaction:
        """The same, and single events."""
        return Redaction(self._secret, self._marks, frozenset(event_ids))

    def read_names(self) -> None:
        """Read anew which names and elements the lake holds, after some were removed, and remember nothing else."""
        forget_texts()
        self._dictionary = self._read_dictionary()

    def unsorted_bytes(self) -> int:
        """How much of the largest part of the lake is not yet compacted."""
        return max(table.unsorted_bytes() for table in self._tables.values())

    def has_files_in_the_making(self) -> bool:
        """Whether another process writes to a table at this moment, such as a compaction."""
        return any(table.has_files_in_the_making() for table in self._tables.values())

    def tend(self) -> None:
        """Keep the tables quick to open and to read."""
        for table in self._tables.values():
            table.tend()

    def _redacted(self, accepted: list[Accepted]) -> list[Accepted]:
        if not self._redaction:
            return accepted
        return [kept for kept in map(self._redaction, accepted) if kept is not None]

    def _identified(self, accepted: list[Accepted]) -> tuple[list[Accepted], Hashes, list[Rejected]]:
        """The batches with the hashes of their events' ids, without those whose ids are none."""
        rejected: list[Rejected] = []
        try:
            hashes = self._seen.hashes([event.id for batch in accepted for event in batch.events])
        except ValueError as problem:
            # The collector lets no such id through, and reading each by an expression costs more than all the rest.
            accepted, rejected = without_bad_ids(accepted, problem)
            hashes = self._seen.hashes([event.id for batch in accepted for event in batch.events])
        return accepted, hashes, rejected

    def _conflicts(self, accepted: list[Accepted], hashes: Hashes, new: NDArray[np.bool_]) -> int:
        """How many of these that are not new say something else than the first of their id, if that is remembered."""
        said = checksums([event for batch in accepted for event in batch.events])
        # The first ones before: what repeats one of them may stand in the same group.
        self._contents.keep(hashes[new], said[new])
        return self._contents.count_others(hashes[~new], said[~new])

    def _unseen(
        self, accepted: list[Accepted], hashes: Hashes, new: NDArray[np.bool_]
    ) -> tuple[list[Batch], Hashes, int]:
        if new.all():
            return [(batch, batch.events) for batch in accepted if batch.events], hashes, 0
        verdict = iter(new.tolist())
        batches: list[Batch] = []
        for batch in accepted:
            events = [event for event in batch.events if next(verdict)]
            if events:
                batches.append((batch, events))
        return batches, hashes[new], len(hashes) - int(new.sum())

    def _read_dictionary(self) -> Dictionary:
        known = {name: self._ids(name) for name in DICTIONARIES}
        return Dictionary(self._secret, known, self._clock())

    def _ids(self, name: str) -> NDArray[np.int64]:
        column = DICTIONARIES[name]
        files = self._tables[name].snapshot().files
        ids = [pq.read_table(file, columns=[column])[column].to_numpy() for file in files]
        return np.concatenate(ids) if ids else np.empty(0, np.int64)


def ingest(
    folder: Folder, segment_number: int, accepted: Iterable[Accepted], clock: Clock = wall_clock
) -> Ingested:
    """Store batches as one segment, in this process; for tests and for tools. No server may run on the folder."""
    with Writer(folder, clock) as writer:
        return writer.ingest(segment_number, accepted)


def last_segment(folder: Folder) -> int:
    """The greatest segment number that the lake has seen, −1 for none: a journal must start above it.

    Tables that a power cut left torn are mended first, so that a server starts on them.
    """
    try:
        lock = _lock(folder)
    except FolderError:
        # A sink is at work. It mended them when it began.
        pass
    else:
        try:
            for name in TABLES:
                mend(folder.lake / name)
        finally:
            lock.release()
    return max(find_committed(folder.lake / name, APPLICATION) for name in TABLES)


def lost_segments(folder: Folder) -> list[Path]:
    """The stored segments that the lake knows nothing of: it came out of a backup, or lost entries of its log."""
    committed = find_committed(folder.lake / "events", APPLICATION)
    return [path for path in stored_segments(folder.journal) if segment_number(path) > committed]


def _event_count(batches: Iterable[Accepted]) -> int:
    return sum(len(batch.events) for batch in batches)


def _lock(folder: Folder) -> Lock:
    return Lock(folder.path / "sink.lock")


def _latest(batches: Iterable[Accepted]) -> int:
    """When the last of these was received."""
    return max((batch.received_at for batch in batches), default=0)
