"""What elements a selector matches, kept in files from one question to the next.

A file holds the answer for one selector and one version of the engine, and the names of the dictionary's files that
were judged. These never change and are never written anew under their name, so an answer holds for as long as all of
them are live. Any process may write a file, and anybody may delete one.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from expost.lake.kept import make_private

ELEMENTS = pa.schema([("place_id", pa.int64()), ("is_sure", pa.bool_()), ("is_subject", pa.bool_())])
MAX_BYTES = 64_000_000
WRITING_SECONDS = 600
"""What is so old and not under its name yet is of a process that was ended while it wrote."""
_JUDGED = b"expost.judged"


@dataclass(frozen=True, slots=True)
class Judged:
    """Elements or placements that match surely or possibly, of all in the dictionary's `files` (their bare names)."""

    rows: pa.Table
    files: frozenset[str]


@dataclass(frozen=True, slots=True)
class ElementCache:
    """A folder of answers. Past `max_bytes` those go that were not asked for the longest; 0 keeps none."""

    folder: Path
    max_bytes: int = MAX_BYTES

    def find(self, key: str, live: frozenset[str]) -> Judged | None:
        """What was kept under `key`, if every file that it was judged by is still among the `live` ones."""
        if not self.max_bytes:
            return None
        path = self._path(key)
        try:
            rows = pq.read_table(path)
            judged = json.loads(rows.schema.metadata[_JUDGED])
            os.utime(path)
        except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
            return None  # not there, removed this moment, or torn by a power cut: it is made anew
        files = frozenset(judged["files"])
        if judged["key"] != key or not files <= live or not rows.schema.equals(ELEMENTS):
            return None
        return Judged(rows, files)

    def keep(self, key: str, judged: Judged) -> None:
        """Keep an answer for later questions. Where nothing can be written, it is asked again next time."""
        if judged.rows.nbytes > self.max_bytes // 4:
            return  # nearly the whole dictionary: it would push out all others
        note = {_JUDGED: json.dumps({"key": key, "files": sorted(judged.files)})}
        fresh = self.folder / f".{uuid.uuid4()}"
        with suppress(OSError):
            make_private(self.folder, self.folder.parent)
            try:
                pq.write_table(
                    judged.rows.cast(ELEMENTS).replace_schema_metadata(note), fresh, compression="zstd"
                )
                fresh.replace(self._path(key))
            finally:
                fresh.unlink(missing_ok=True)
            self._shrink()

    def _path(self, key: str) -> Path:
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.parquet"

    def _shrink(self) -> None:
        kept = sorted(_status(self.folder.glob("*.parquet")), reverse=True)
        total = 0
        for _, size, path in kept:
            total += size
            if total > self.max_bytes:
                path.unlink(missing_ok=True)
        lately = time.time() - WRITING_SECONDS
        for asked_at, _, path in _status(self.folder.glob(".*")):
            if asked_at < lately:
                path.unlink(missing_ok=True)


def _status(paths: Iterable[Path]) -> Iterable[tuple[float, int, Path]]:
    for path in paths:
        with suppress(FileNotFoundError):  # another process removed it
            status = path.stat()
            yield status.st_mtime, status.st_size, path
