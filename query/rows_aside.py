"""Rows that memory does not hold, put aside on the disk: those of some people at a time come back.

They lie in one file without a name, so whatever ends this process leaves nothing behind. Rows that are written together
lie column after column, in the order of their places: a hash of the person says the place.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from expost.errors import FolderError, QueryLimit

from .event_rows import EventRows, joined
from .latest_start import Numbers
from .person_map import NOBODY
from .places import hashed

PLACE_BITS = 8
"""The place is so many bits of a hash: one byte, which is sorted by counting."""
RUN_ROWS = 1 << 18
"""So many rows at least are written together."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The places from a `first` to before a `last` one, where so `many` rows lie."""

    first: int
    last: int
    many: int

    def of(self, rows: EventRows) -> EventRows:
        """Those of these rows whose place is one of them."""
        if self == EVERYBODY:
            return rows
        place = places_of(rows)
        return rows.where((place >= self.first) & (place < self.last))


EVERYBODY = Stretch(0, 1 << PLACE_BITS, 0)
"""All places, where nothing lies aside."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Rows that were written together from the byte `begin` on; `ends` are the rows after the last of each place."""

    begin: int
    ends: Numbers

    def of(self, stretch: Stretch) -> tuple[int, int]:
        """The numbers of the first row there and of the one after the last."""
        return (int(self.ends[stretch.first - 1]) if stretch.first else 0), int(self.ends[stretch.last - 1])


@dataclass
class RowsAside:
    """A file of rows in `folder`. Raises QueryLimit where the disk has no room for more.

    It never takes more than it leaves free: half of a disk alone, a third beside another question's, and so on.
    """

    folder: Path
    written: int = 0
    _runs: list[_Run] = field(default_factory=list)
    _waiting: list[EventRows] = field(default_factory=list)
    _types: tuple[np.dtype[Any], ...] = ()

    def __post_init__(self) -> None:
        self._file = self._opened()

    def put(self, rows: EventRows) -> None:
        """Put these rows aside."""
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= RUN_ROWS:
            self.write()

    def write(self) -> None:
        """Write what waits to be written together with more."""
        rows = joined(self._waiting)
        self._waiting.clear()
        if not len(rows):
            return
        place = places_of(rows)
        columns = rows.where(np.argsort(place, kind="stable")).columns
        self._types = tuple(column.dtype for column in columns)
        run = _Run(self.written, np.cumsum(np.bincount(place, minlength=1 << PLACE_BITS)))
        for column in columns:
            self._write(column)
        self._runs.append(run)

    def stretches(self, most_rows: int) -> Iterator[Stretch]:
        """All places, in stretches with so many rows at most, or of one place alone."""
        ends = sum((run.ends for run in self._runs), np.zeros(1 << PLACE_BITS, np.int64)).tolist()
        first, begin = 0, 0
        for place in range(1, len(ends)):
            if ends[place] - begin > most_rows:
                yield Stretch(first, place, ends[place - 1] - begin)
                first, begin = place, ends[place - 1]
        yield Stretch(first, len(ends), ends[-1] - begin)

    def between(self, stretch: Stretch) -> EventRows:
        """The rows that lie there."""
        if not self._runs:
            return joined([])
        columns = [np.empty(stretch.many, type_) for type_ in self._types]
        at = 0
        for run in self._runs:
            begin, end = run.of(stretch)
            offset = run.begin
            for column in columns:
                self._read(column[at : at + end - begin], offset + begin * column.itemsize)
                offset += int(run.ends[-1]) * column.itemsize
            at += end - begin
        return EventRows(*columns)

    def close(self) -> None:
        """Give the disk its room back."""
        self._file.close()

    def _opened(self) -> IO[bytes]:
        try:
            # Without a buffer: nothing is left to be written, and to fail, when it is closed.
            return TemporaryFile(dir=self.folder, buffering=0)
        except OSError as problem:
            raise self._no_room(problem.strerror) from problem

    def _write(self, column: NDArray[Any]) -> None:
        left = column.view(np.uint8).data
        free = free_bytes(self.folder)
        if self.written + len(left) > free - len(left):
            raise self._no_room(
                f"with {len(left):,} more it would take more of the {free:,} free bytes than it leaves"
            )
        try:
            while left:
                count = os.pwrite(self._file.fileno(), left, self.written)
                self.written += count
                left = left[count:]
        except OSError as problem:
            raise self._no_room(problem.strerror) from problem

    def _read(self, column: NDArray[Any], offset: int) -> None:
        left = column.view(np.uint8).data
        while left:
            try:
                count = os.preadv(self._file.fileno(), [left], offset)
            except OSError as problem:
                raise self._lost(problem.strerror) from problem
            if not count:
                raise self._lost("the file ends before them")
            offset += count
            left = left[count:]

    def _lost(self, reason: str | None) -> FolderError:
        return FolderError(
            f"Rows that were put aside in {self.folder} cannot be read back: {reason}.",
            hint="Nothing of the lake is lost by it. Ask again, and look after that disk if it goes on.",
        )

    def _no_room(self, reason: str | None) -> QueryLimit:
        return QueryLimit(
            f"The question was stopped: what memory does not hold cannot be written to {self.folder} "
            f"after {self.written:,} bytes: {reason}.",
            hint="Make room on that disk, ask about a shorter range, or raise the setting query_memory.",
        )


def free_bytes(folder: Path) -> int:
    """How many bytes are free there."""
    return shutil.disk_usage(folder).free


def places_of(rows: EventRows) -> NDArray[np.uint8]:
    """The place of each row: its person says it, and of a row that is nobody's its moment."""
    is_nobody = (rows.marks & NOBODY) != 0
    numbers = np.where(is_nobody, rows.moment, rows.person) if is_nobody.any() else rows.person
    return hashed(numbers, PLACE_BITS, 1).astype(np.uint8)
