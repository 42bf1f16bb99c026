"""Live files that nobody can read: how one is told from a disk that fails just now, and where it is noted.

Whoever meets one notes it in `broken/`, an empty file named after it. The writer of the lake looks after them.
"""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from .checksum import NOT_AS_WRITTEN, is_as_written
from .folder import Folder

READ_PROBLEMS = (duckdb.Error, pa.ArrowException, OSError, UnicodeDecodeError)
"""What reading a lake may end in when a file of it is damaged, missing or deleted meanwhile."""


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A live file of a table that cannot be read, and why not."""

    table: str
    name: str
    reason: str


def why_broken(path: Path, *, is_whole: bool = True) -> str | None:
    """Why a Parquet file of a table is not what was written, `None` where it is.

    Unless `is_whole` only its ends are looked at. One whose name says its checksum is read, others are unpacked.

    Raises OSError where the system is why: it fails to read, has no room or no handle left. That may pass.
    """
    try:
        as_written = is_as_written(path) if is_whole else None
        if as_written is not None:
            return None if as_written else NOT_AS_WRITTEN
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            if _is_renamed(file):
                return "its columns are called otherwise than when it was written"
            for _ in file.iter_batches() if is_whole else ():
                pass
    except FileNotFoundError:
        return "it is missing"
    except pa.ArrowMemoryError:
        raise OSError("there is no memory to read it") from None
    except (pa.ArrowException, OSError, UnicodeDecodeError) as problem:
        # The last of them where a bit flipped in the name of a column.
        if getattr(problem, "errno", None):
            raise
        return _in_words(problem)
    return None


def _is_renamed(file: pq.ParquetFile) -> bool:
    """Whether a bit flipped in the name of a column: the end of a file says its names twice.

    Asked of files of older versions, of whose end no checksum knows.
    """
    written = (file.metadata.metadata or {}).get(b"ARROW:schema")
    if written is None:
        return False
    try:
        names = pa.ipc.read_schema(pa.py_buffer(b64decode(written))).names
    except ValueError:
        return True
    return bool(names != file.schema_arrow.names)


def _in_words(problem: Exception) -> str:
    """The first line, of which the reader of Parquet may have made something that no terminal shows."""
    line = (str(problem).splitlines() or [""])[0]
    return "".join(filter(str.isprintable, line)).strip(" :.") or type(problem).__name__


def note_broken(folder: Folder, files: Iterable[Path]) -> None:
    """Let the writer look after these live files. On a disk that takes nothing they stay unnoted."""
    with suppress(OSError):
        folder.broken.mkdir(mode=0o700, exist_ok=True)
        for path in files:
            (folder.broken / f"{path.parent.name}.{path.name}").touch(mode=0o600)


def noted_broken(folder: Folder) -> dict[Path, Path]:
    """The files that were noted, each by its note."""
    noted = {}
    for note in folder.broken.glob("*.parquet") if folder.broken.is_dir() else ():
        table, _, name = note.name.partition(".")
        noted[note] = folder.lake / table / name
    return noted


def is_mending(folder: Folder) -> bool:
    """Whether a file was noted that is not looked after yet, or left its table and its rows are not back."""
    return folder.broken.is_dir() and any(True for _ in folder.broken.iterdir())
