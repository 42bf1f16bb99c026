"""One person taken out of the lake, the journal and all that lies beside them.

The steps stand in an order in which each can be done again: whatever a later one needs to find is still there while an
earlier one is at work. So it is carried out from the beginning after a `kill -9`, and ends at the same.
"""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from .disk import DRAFT, sync
from .erasures import (
    Erasure,
    find_erasure,
    find_subject,
    finish,
    forget_unasked,
    marks_in_force,
    save,
    waiting,
)
from .folder import Folder
from .mention import is_of_marked, names_one_of
from .reader import connect
from .redaction import Redaction, redact_segment
from .rejected import forget_lines
from .rewrite import rewrite
from .segment import OPEN, SEALED, segment_number
from .stored_segments import stored_segments
from .table import Table
from .traces import Found, counts_of, find_person
from .unneeded import remove_unneeded
from .writer import Writer

MAX_PROBLEM = 500


def carry_out(folder: Folder, writer: Writer) -> list[Erasure]:
    """Carry out what waits, as far as the journal allows; those that are done now.

    Every segment that was there when it was asked for has to be in the lake first: so nothing slips through behind.
    """
    writer.suppress(marks_in_force(folder))
    done = []
    # Those that failed come last, so that nobody waits behind them.
    for each in sorted(waiting(folder), key=lambda each: bool(each.problem)):
        erasure = _with_end(folder, each)
        if _is_drained(folder.journal, erasure.drained or 0) and not writer.is_interrupted:
            after = _try(folder, writer, erasure)
            done += [after] if after.status == "done" else []
    forget_unasked(folder)
    return done


def _with_end(folder: Folder, erasure: Erasure) -> Erasure:
    """The erasure with the last segment that may hold something from before it."""
    if erasure.drained is not None:
        return erasure
    return save(folder, msgspec.structs.replace(erasure, drained=_last_undone(folder.journal)))


def _try(folder: Folder, writer: Writer, erasure: Erasure) -> Erasure:
    try:
        return _erase(folder, writer, erasure)
    except Exception as problem:
        # So that whoever looks at the receipt is told. On a full disk even this may fail.
        with suppress(OSError):
            said = f"{type(problem).__name__}: {problem}"[:MAX_PROBLEM]
            save(folder, msgspec.structs.replace(find_erasure(folder, erasure.id), problem=said))
        raise


def _erase(folder: Folder, writer: Writer, erasure: Erasure) -> Erasure:
    connection = connect(folder.path, memory_limit="512MB", threads=1)
    try:
        found = find_person(connection, find_subject(folder, erasure))
        counts = counts_of(connection, found)
    finally:
        connection.close()
    if erasure.status == "waiting" or any(counts.values()):
        erasure = _begin(folder, erasure, found, counts)
    writer.suppress(marks_in_force(folder))
    tables, ids = writer.tables, [mark.id for mark in erasure.marks]
    counts = dict(erasure.counts)
    # First what is found by way of the events, then these, then what is found by the marks, and what nobody points at.
    counts["rejected"] = counts.get("rejected", 0) + _clean_rejected(folder, found.texts)
    remove_uploads(folder)
    segments = _redact(folder, writer.redaction_with(found.event_ids.to_pylist()))
    counts["journal"] = counts.get("journal", 0) + segments
    _remove(tables["traits"], ids, found, "subject_id")
    _remove(tables["events"], (), found)
    _remove(tables["identities"], ids, found, "from_id", "to_id")
    _remove(tables["page_counts"], ids, None, "device_id")
    counts |= {name: counts.get(name, 0) + gone for name, gone in remove_unneeded(tables).items()}
    writer.read_names()
    _empty(folder.spill, folder.quarantine)
    erasure = save(folder, msgspec.structs.replace(erasure, counts=counts))
    # While another process writes at length, such as a compaction, its files are left alone: then it goes on later.
    is_past_forgotten = all(table.forget_past() for table in tables.values())
    # What was kept of files that are gone went with them, unless the process that deleted them was killed right then.
    _empty(folder.cache)
    return finish(folder, erasure, writer.now()) if is_past_forgotten else erasure


def _begin(folder: Folder, erasure: Erasure, found: Found, counts: dict[str, int]) -> Erasure:
    """Note what will go while it is all still there: the marks of all their ids, and how many rows."""
    known = {mark.id for mark in erasure.marks}
    more = [mark for mark in found.marks(erasure.marks[0].until) if mark.id not in known]
    noted = {
        name: max(count, erasure.counts.get(name, 0)) for name, count in counts.items() if name != "devices"
    }
    return save(
        folder,
        msgspec.structs.replace(
            erasure, status="begun", marks=[*erasure.marks, *more], counts=erasure.counts | noted
        ),
    )


def _remove(table: Table, ids: Collection[int], found: Found | None, *columns: str) -> int:
    gone = pa.array(ids, pa.int64())
    by_event = found is not None and "event_id" in table.schema.names

    def is_theirs(rows: pa.Table) -> pa.ChunkedArray:
        due = [pc.is_in(rows[name], value_set=gone) for name in columns]
        if by_event:
            assert found is not None
            due.append(pc.is_in(rows["event_id"], value_set=found.event_ids))
        picked = due[0]
        for each in due[1:]:
            picked = pc.or_(picked, each)
        return picked

    return rewrite(table, [*columns, *(["event_id"] if by_event else [])], is_theirs)


def _redact(folder: Folder, redact: Redaction) -> int:
    """Take their events out of the segments that are kept; how many those were."""
    events = sum(redact_segment(path, redact) for path in stored_segments(folder.journal))
    # Of a process that was killed while it did this.
    for draft in folder.journal.glob(f"*{DRAFT}"):
        draft.unlink()
        sync(folder.journal)
    return events


def _clean_rejected(folder: Folder, texts: Sequence[str]) -> int:
    """Remove lines that name somebody, and damaged bytes, of which nobody can tell whose they are."""
    removed = forget_lines(folder.rejected, lambda line: names_one_of(line, texts))
    for path in folder.rejected.glob("journal-*.damaged"):
        path.unlink()
        sync(folder.rejected)
        removed += 1
    return removed


def remove_uploads(folder: Folder) -> None:
    """Remove exports that wait to be imported, with their reports: they can be uploaded again, without the erased."""
    _empty(folder.imports)
    for number, place in enumerate(sorted(folder.imports.glob("*"))):
        # Under another name first: an import that still goes on writes nothing more into it.
        gone = place.with_name(f"removed-{number}-{place.name}")
        # Whoever tidies up may have been first.
        with suppress(FileNotFoundError):
            place.rename(gone)
            shutil.rmtree(gone)


def forget_late_rejected(folder: Folder, redaction: Redaction) -> int:
    """Remove what was rejected of somebody after they were erased, as far as it says whose it is; how many lines."""
    return forget_lines(folder.rejected, lambda line: is_of_marked(line, redaction)) if redaction else 0


def _last_undone(journal: Path) -> int:
    return max((segment_number(path) for path in _undone(journal)), default=0)


def _is_drained(journal: Path, until: int) -> bool:
    return all(segment_number(path) > until for path in _undone(journal))


def _undone(journal: Path) -> list[Path]:
    return [path for path in journal.iterdir() if path.suffix in (OPEN, SEALED)]


def _empty(*folders: Path) -> None:
    """Delete every file below these folders, so that no power cut brings one back."""
    places = set()
    for folder in folders:
        for path in folder.rglob("*") if folder.is_dir() else ():
            if path.is_file():
                path.unlink(missing_ok=True)
                places.add(path.parent)
    for place in places:
        # Whoever makes room in them may remove them.
        with suppress(FileNotFoundError):
            sync(place)
