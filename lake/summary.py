"""What a file of events says, without each event: its facts, and when and on which device each of them happened.

A fact is what many events have in common: what happened, on which element, on which page, with which words on it, in
whose environment. A question that no more than that decides looks at the facts, which are few where events repeat
themselves, and then reads the moments of those that match and of no others: they lie one after the other, in plain
arrays. Where two of them are of one device and one microsecond, it is also told which of them came first.

Files of events never change, so a summary is made once, by whoever compacts the folder, and lies beside what else is
kept of its file (`kept.py`). Deleting it loses nothing.
"""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import mmap
import shutil
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .disk import sync
from .folder import Folder
from .kept import kept_of, make_private, shares_of
from .part import LiveFile
from .sink_log import in_words, log
from .snapshot import find_live_files
from .summary_tables import FACTS, MOMENTS, TIES, summary_tables

LEAST_BYTES = 4_000_000
"""Smaller files are read as they are: they will soon be merged into larger ones."""
MOST_ROWS = 20_000_000
"""Of larger files than compaction makes there is none: making one takes 40 bytes of memory for each event."""
USUAL_SHARE = 0.4
"""How large a summary is beside its file, about."""

LEAST_FREE_BYTES = 1_000_000_000
"""So much of the disk is left free: events come first."""

_FOLDER = "summary"


@dataclass(frozen=True, slots=True)
class MomentArrays:
    """Microsecond and device of each moment, the device as a place in `devices`.

    `is_device` says which of these are one; None where all are. `mapped` is where they are.
    """

    micros: NDArray[np.int64]
    device: NDArray[np.int32]
    devices: NDArray[np.int64]
    is_device: NDArray[np.bool_] | None
    mapped: mmap.mmap

    def let_go(self) -> None:
        """Give back the memory in which they were read; who looks at them again reads them again."""
        self.mapped.madvise(mmap.MADV_DONTNEED)


@dataclass(frozen=True, slots=True)
class Summary:
    """The facts of one file of events and their moments, mapped into memory and not read.

    The `file` of the moments stays open: whoever makes room may delete it meanwhile. `mapped` is where the facts are.
    """

    facts: pa.RecordBatch
    moments: pa.RecordBatch
    ties: pa.RecordBatch
    file: pa.MemoryMappedFile
    mapped: mmap.mmap

    @property
    def times(self) -> NDArray[np.int64]:
        """When each event happened, in microseconds, fact after fact."""
        return _plain(self.moments.column("time").view(pa.int64()))

    @property
    def device_numbers(self) -> NDArray[np.int32]:
        """On which of the `devices` each event happened, in the same order."""
        return _plain(self.moments.column("device_id").indices)

    @property
    def devices(self) -> NDArray[np.int64]:
        """The devices of the file, each once and in order. Events without a device have the number after the last."""
        known: pa.Array = self.moments.column("device_id").dictionary
        return _plain(known.slice(0, len(known) - known.null_count))

    def let_go(self) -> None:
        """Give back the memory in which facts were read; who looks at them again reads them again."""
        self.mapped.madvise(mmap.MADV_DONTNEED)

    def arrays(self) -> MomentArrays:
        """All moments as arrays over memory that is mapped for them alone, and given back with the last of them."""
        mapped = _mapped(self.file)
        moments = _only_batch(pa.py_buffer(mapped))
        devices = moments.column("device_id")
        return MomentArrays(
            moments.column("time").view(pa.int64()).to_numpy(),
            devices.indices.to_numpy(),
            devices.dictionary.fill_null(0).to_numpy(),
            np.asarray(devices.dictionary.is_valid()) if devices.dictionary.null_count else None,
            mapped,
        )


def find_summary(cache: Path, file: Path) -> Summary | None:
    """The summary of a file of events, if there is one."""
    folder = kept_of(cache, file) / _FOLDER
    try:
        files = [pa.memory_map(str(folder / f"{name}.arrow")) for name in ("facts", "moments", "ties")]
        mapped, file = _mapped(files[0]), files[1]
        facts, moments, ties = _only_batch(pa.py_buffer(mapped)), _only_batch(file), _only_batch(files[2])
    except (OSError, pa.ArrowException, ValueError):
        return None  # not there, removed this moment, or not whole
    is_known = facts.schema.equals(FACTS, check_metadata=True)
    is_known &= moments.schema.equals(MOMENTS) and ties.schema.equals(TIES)
    return Summary(facts, moments, ties, file, mapped) if is_known else None


def seems_summed_up(cache: Path, file: Path) -> bool:
    """Whether a file of events has a summary, by its name alone."""
    return (kept_of(cache, file) / _FOLDER / "ties.arrow").exists()


def lacks_summaries(folder: Folder, max_bytes: int) -> bool:
    """Whether a file has none that should have one."""
    return next(_due(folder, max_bytes), None) is not None


def summarize(folder: Folder, max_bytes: int) -> int:
    """Make the summaries that are missing, those of the newest files first; how many that were.

    They take `max_bytes` of the disk at most: those of the oldest files make room for newer ones. What was kept of
    files that are gone is deleted.
    """
    forget_gone(folder)
    made = 0
    for file in _due(folder, max_bytes):
        if make_summary(folder.cache, file):
            made += 1
            _make_room(folder, max_bytes, file)
    return made


def room_for_summaries(folder: Folder, cache_bytes: int | None) -> int:
    """How many bytes summaries may take where a setting gives so many to all that is kept, or None."""
    return shares_of(cache_bytes, sum(file.size_bytes for file in _newest_first(folder))).summaries


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many `files` of events should have a summary, how many have one, and what those and the others take."""

    files: int
    summed_up: int
    taken_bytes: int
    missing_bytes: int


def coverage(folder: Folder) -> Coverage:
    """What of a folder has summaries."""
    files = [file for file in _newest_first(folder) if _is_apt(file)]
    missing = [
        file.size_bytes
        for file in files
        if find_summary(folder.cache, folder.lake / "events" / file.name) is None
    ]
    taken = sum(_sizes(folder.cache).values())
    return Coverage(len(files), len(files) - len(missing), taken, int(sum(missing) * USUAL_SHARE))


def make_summary(cache: Path, file: Path) -> bool:
    """Make the summary of a file; False where the disk, or the file, does not allow it."""
    place = kept_of(cache, file) / _FOLDER
    fresh = place.with_name(f".{uuid.uuid4()}")
    try:
        make_private(fresh, cache)
        for name, table in summary_tables(file).items():
            _write(fresh / f"{name}.arrow", table)
        sync(fresh)
        shutil.rmtree(place, ignore_errors=True)  # torn, or of another version
        fresh.rename(place)
        sync(place.parent)
    except (OSError, pa.ArrowException) as problem:
        # One that is gone by now needs none.
        if file.exists():
            log(
                "not summed up",
                file=file.name,
                error=in_words(problem),
                hint="Questions read its events instead.",
            )
        return False
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    if not file.exists():
        # It was deleted meanwhile, and what is kept of it with it, perhaps before this was written.
        shutil.rmtree(place, ignore_errors=True)
    return True


def forget_gone(folder: Folder) -> None:
    """Delete what was kept of files that are gone, if whoever took them away did not."""
    for kept in (folder.cache / "events").glob("*"):
        if not (folder.lake / "events" / f"{kept.name}.parquet").exists():
            shutil.rmtree(kept, ignore_errors=True)
        # Of a summary that was ended in the middle of its making.
        for draft in kept.glob(".*/"):
            shutil.rmtree(draft, ignore_errors=True)


def _due(folder: Folder, max_bytes: int) -> Iterator[Path]:
    """Files without a summary for which there is room beside those of newer files, the newest first."""
    sizes = _sizes(folder.cache)
    taken = 0.0
    for file in _newest_first(folder):
        path = folder.lake / "events" / file.name
        if find_summary(folder.cache, path) is not None:
            taken += sizes.get(path.stem, 0)
        elif _is_apt(file) and _has_room(folder, taken, USUAL_SHARE * file.size_bytes, max_bytes):
            yield path
            taken += _sizes(folder.cache).get(path.stem, 0)


def _make_room(folder: Folder, max_bytes: int, newest: Path) -> None:
    """Delete summaries of files older than `newest`, the oldest first, as long as all together are too large."""
    sizes = _sizes(folder.cache)
    places = {Path(file.name).stem: place for place, file in enumerate(_newest_first(folder))}
    # Of a file that is live no more, only those make use who still read an older snapshot.
    for stem in sorted(sizes, key=lambda each: places.get(each, len(places)), reverse=True):
        if sum(sizes.values()) <= max_bytes or stem == newest.stem:
            return
        shutil.rmtree(folder.cache / "events" / stem / _FOLDER, ignore_errors=True)
        del sizes[stem]


def _has_room(folder: Folder, taken: float, wanted: float, max_bytes: int) -> bool:
    if taken + wanted > max_bytes:
        return False
    return shutil.disk_usage(folder.path).free - wanted >= LEAST_FREE_BYTES


def _is_apt(file: LiveFile) -> bool:
    return file.size_bytes >= LEAST_BYTES and file.rows <= MOST_ROWS


def _newest_first(folder: Folder) -> list[LiveFile]:
    return sorted(find_live_files(folder.lake / "events"), key=_newest, reverse=True)


def _newest(file: LiveFile) -> tuple[int, str]:
    moment = file.greatest.get("time", 0)
    return (moment if isinstance(moment, int) else 0, file.name)


def _sizes(cache: Path) -> dict[str, int]:
    """How large each summary is, by the name of its file without the ending."""
    sizes: dict[str, int] = {}
    for part in (cache / "events").glob(f"*/{_FOLDER}/*"):
        with suppress(FileNotFoundError):
            stem = part.parent.parent.name
            sizes[stem] = sizes.get(stem, 0) + part.stat().st_size
    return sizes


def _plain(column: pa.Array) -> NDArray[Any]:
    values: NDArray[Any] = column.to_numpy()
    return values


def _mapped(file: pa.MemoryMappedFile) -> mmap.mmap:
    """An open file, mapped once more."""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _only_batch(source: pa.MemoryMappedFile | pa.Buffer) -> pa.RecordBatch:
    file = pa.ipc.open_file(source)
    if file.num_record_batches != 1:
        raise ValueError("a summary is written as one batch")
    return file.get_batch(0)


def _write(path: Path, table: pa.Table) -> None:
    """Write the table as one batch, which can be mapped into memory as it is; durable when this returns."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        for batch in table.combine_chunks().to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]:
            writer.write_batch(batch)
    sync(path)
