"""The events of saved definitions, kept in files from one question to the next.

Files of events never change, and neither does what a version of a definition finds in one: their elements were in the
dictionary before them. So what was found in a file is kept under its name, and only new files are searched. Any process
may write here, and anybody may delete.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from expost.lake.kept import kept_of, make_private

MAX_BYTES = 448_000_000
LEAST_BYTES = 4_000_000
"""Smaller files are searched every time: they will soon be merged into larger ones."""
MOST_EVENTS = 2_000_000
"""What more events than this match is not kept: reading it would take as long as searching."""
IN_USE_SECONDS = 600
"""What was asked for so lately may be read at this moment."""
_KEY = b"expost.key"


@dataclass(frozen=True, slots=True)
class EventCache:
    """A folder of found events. Past `max_bytes` those go that were not asked for the longest; 0 keeps none.

    `too_many` are the keys of definitions that match too much to be kept.
    """

    cache: Path
    max_bytes: int = MAX_BYTES
    least_bytes: int = LEAST_BYTES
    too_many: set[str] = field(default_factory=set)

    def worth_keeping(self, files: Sequence[str]) -> list[str]:
        """Those of the event files that are large enough."""
        if not self.max_bytes:
            return []
        return [file for file in files if Path(file).stat().st_size >= self.least_bytes]

    def find(self, key: str, file: str) -> Path | None:
        """What was kept of a file under this key."""
        path = self._path(key, file)
        try:
            if pq.read_metadata(path).metadata.get(_KEY) != key.encode():
                return None
            os.utime(path)
        except (OSError, pa.ArrowException, AttributeError):
            return None  # not there, removed this moment, or torn by a power cut: it is made anew
        return path

    def keep(self, key: str, file: str, found: pa.Table) -> None:
        """Keep what was found in a file. Where nothing can be written, it is searched again next time."""
        path = self._path(key, file)
        fresh = path.with_name(f".{uuid.uuid4()}")
        with suppress(OSError):
            make_private(path.parent, self.cache)
            try:
                pq.write_table(found.replace_schema_metadata({_KEY: key}), fresh, compression="zstd")
                fresh.replace(path)
            finally:
                fresh.unlink(missing_ok=True)
            if not Path(file).exists():
                # The file was deleted meanwhile, and what is kept of it with it, perhaps before this was written.
                path.unlink(missing_ok=True)
            self._shrink(path)

    def has_room(self) -> bool:
        """Whether what was asked for lately leaves half of the room: the rest makes way for what is new."""
        lately = time.time() - IN_USE_SECONDS
        return sum(size for asked_at, size, _ in self._statuses() if asked_at >= lately) < self.max_bytes / 2

    def is_half_filled(self, kept: Sequence[Path]) -> bool:
        """Whether these alone take half of the room."""
        wanted = set(kept)
        return sum(size for _, size, path in self._statuses() if path in wanted) >= self.max_bytes / 2

    def _path(self, key: str, file: str) -> Path:
        return kept_of(self.cache, Path(file)) / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.parquet"

    def _shrink(self, newest: Path) -> None:
        total = kept = 0
        lately = time.time() - IN_USE_SECONDS
        for asked_at, size, path in sorted(self._statuses(), reverse=True):
            total += size
            if total > self.max_bytes and asked_at < lately:
                path.unlink(missing_ok=True)
            else:
                kept += size
        if kept > self.max_bytes:
            # All of it may be read at this moment, so what was just found is searched every time instead.
            newest.unlink(missing_ok=True)
        for path in (self.cache / "events").glob("*/.*"):
            # Of a process that was ended while it wrote. Folders are drafts of summaries, which go with forget_gone.
            with suppress(FileNotFoundError):
                if path.is_file() and path.stat().st_mtime < lately:
                    path.unlink()

    def _statuses(self) -> Iterator[tuple[float, int, Path]]:
        for path in (self.cache / "events").glob("*/*.parquet"):
            with suppress(FileNotFoundError):  # another process removed it
                status = path.stat()
                yield status.st_mtime, status.st_size, path
