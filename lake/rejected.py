"""What could not be stored, as lines of JSON with the reason, for a person to look at.

Files in `rejected/` are called `<site>.<day>.<number>.ndjson`. The collector counts its numbers, the sink's name the
segment. The collector removes both when they are old or too many.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import duckdb
import msgspec

from expost.clock import from_micros

from .batch import Accepted, Event, is_uuid
from .disk import DRAFT, write_synced
from .literal import quoted, quoted_file
from .lock import exclusive

MAX_CONTENT_BYTES = 64_000
"""How much of one rejected thing is kept."""

MAX_KIND = 120
"""How long the kind of a reason may be."""

PARTICULAR = r"""(?:`[^`]*`|'[^']*'|"[^"]*"|[0-9]+(?:,[0-9][0-9][0-9])*)(?:\.$)?"""
"""What of a reason is particular to one event, with the full stop after it, as an expression that Python and RE2 read
alike."""

_particular = re.compile(PARTICULAR)

SUFFIX = ".ndjson"
NO_SITE = "_"
"""Stands for the site in the name of a file; no site can be called that."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """One thing that could not be stored. `received_at` is 0 where that cannot be read."""

    reason: str
    site: str
    received_at: int
    content: bytes
    id: str = ""

    @classmethod
    def of_event(cls, accepted: Accepted, event: Event, problem: Exception) -> Rejected:
        """An event that could not be made into a row."""
        try:
            content = msgspec.json.encode(event)
        except Exception:  # noqa: BLE001 - what cannot be stored can often not be encoded either
            content = repr(event).encode("utf-8", "backslashreplace")
        return cls(_sentence(problem), accepted.site, accepted.received_at, content, event.id)

    @classmethod
    def of_frame(cls, payload: bytes, problem: Exception) -> Rejected:
        """A frame of the journal that could not be read."""
        return cls(_sentence(problem), "", 0, payload)


def without_bad_ids(
    accepted: Iterable[Accepted], problem: Exception
) -> tuple[list[Accepted], list[Rejected]]:
    """The batches without the events whose ids are no UUIDs, and those."""
    sound: list[Accepted] = []
    rejected: list[Rejected] = []
    for batch in accepted:
        bad = [event for event in batch.events if not is_uuid(event.id)]
        rejected += [Rejected.of_event(batch, event, problem) for event in bad]
        good = [event for event in batch.events if is_uuid(event.id)] if bad else batch.events
        sound.append(msgspec.structs.replace(batch, events=good) if bad else batch)
    return sound, rejected


def kind_of(reason: str) -> str:
    """A reason without what is particular to one event, so that there are few of them.

    >>> kind_of("InvalidInput: it has no such thing as 'x'.")
    'InvalidInput: it has no such thing as …'
    >>> kind_of("its x has to be a whole number, and is 'text'"), kind_of("it points to view 3, which is not there")
    ('its x has to be a whole number, and is …', 'it points to view …, which is not there')
    """
    return _particular.sub("…", reason)[:MAX_KIND]


def rejected_files(folder: Path) -> list[str]:
    """The files that hold lines, of both processes."""
    return sorted(str(path) for path in folder.glob(f"*{SUFFIX}"))


def create_rejected_view(connection: duckdb.DuckDBPyConnection, files: Sequence[str]) -> None:
    """Make the view `rejected` over these files: one row for each thing that was set aside.

    `kind` is the reason without what is particular to one event. A line that is being written is left out.
    """
    names = ", ".join(map(quoted_file, files))
    columns = (
        "{reason: 'varchar', site: 'varchar', received_at: 'timestamptz', id: 'varchar', content: 'varchar'}"
    )
    source = f"read_json([{names}], format = 'nd', columns = {columns}, ignore_errors = true)"
    if not files:
        source = (
            "(select '' as reason, '' as site, now() as received_at, '' as id, '' as content where false)"
        )
    connection.execute(
        f"""
        create or replace view rejected as
        select
            site, received_at, reason
            , left(regexp_replace(reason, {quoted(PARTICULAR)}, '…', 'g'), {MAX_KIND}) as kind
            , id as event_id, content
        from {source}
        where reason is not null
        """
    )


def line_of(reason: str, site: str, received_at: int, id_: str, content: str) -> bytes:
    """The line that says what was rejected and why."""
    at = from_micros(received_at).isoformat() if received_at else None
    line = {"reason": reason, "site": site, "received_at": at, "id": id_, "content": content}
    return json.dumps(line).encode() + b"\n"


def keep_rejected(folder: Path, now: int, segment: int, rejected: Sequence[Rejected]) -> list[Path]:
    """Write what was rejected of a group of segments, one file a site; durable when this returns.

    The same group again replaces them.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = []
    for site, of_site in groupby(sorted(rejected, key=_site), key=_site):
        path = folder / f"{site}.{from_micros(now).date()}.{segment:020}{SUFFIX}"
        write_synced(path, b"".join(map(_line, of_site)))
        written.append(path)
    return written


def lock_path(folder: Path) -> Path:
    """The lock of these files: held together by those who add lines or remove files, alone by who rewrites some."""
    return folder.with_name(f"{folder.name}.lock")


def forget_lines(folder: Path, is_due: Callable[[bytes], bool]) -> int:
    """Rewrite the files without some lines, durably; how many those were. Nobody's new line is lost meanwhile."""
    removed = 0
    with exclusive(lock_path(folder)):
        # Of a process that was killed while it wrote them: they may hold lines that are due.
        for draft in folder.glob(f"*{DRAFT}"):
            draft.unlink()
        for path in folder.glob(f"*{SUFFIX}"):
            lines = path.read_bytes().splitlines(keepends=True)
            kept = [line for line in lines if not is_due(line)]
            if len(kept) < len(lines):
                removed += len(lines) - len(kept)
                write_synced(path, b"".join(kept))
    return removed


def _line(rejected: Rejected) -> bytes:
    content = rejected.content[:MAX_CONTENT_BYTES].decode("utf-8", "backslashreplace")
    return line_of(rejected.reason, rejected.site, rejected.received_at, rejected.id, content)


def _site(rejected: Rejected) -> str:
    # What stands in a journal becomes part of a path only if it can be the name of a site.
    name = rejected.site
    return name if name.isascii() and name.replace("-", "").isalnum() else NO_SITE


def _sentence(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}"[:500]
