"""What became of an import: so many rows read, stored, had before, rejected with reasons; and what was left behind."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import msgspec

from expost.clock import from_micros
from expost.lake.rejected import kind_of

from .foreign import Foreign, Place, Row

MOST_REASONS = 100
MOST_SAMPLES = 5
SAMPLE_CHARACTERS = 300
MAX_CONTENT = 4_000


@dataclass(frozen=True, slots=True)
class Example:
    """One row with a reason: where it stands, the reason whole, and what to do about it."""

    file: str
    row: int
    reason: str
    hint: str = ""

    def to_json(self) -> dict[str, Any]:
        """The same for a program."""
        return {"file": self.file, "row": self.row, "reason": self.reason, "hint": self.hint}


@dataclass(slots=True)
class Report:
    """Counts of one import: rows are stored, repeats of others, stored before or rejected, one of the four.

    `doubts` are of rows that are stored, and may be meant otherwise. `logins_made` and `memberships_made` are events
    that no row stands for, because the source says of every event whose it is. `missing` are events that were accepted
    and are not in the lake: people who were erased are not stored again.
    """

    source: str
    site: str
    is_dry_run: bool = False
    files: int = 0
    rows: int = 0
    stored: int = 0
    logins_made: int = 0
    memberships_made: int = 0
    repeats: int = 0
    stored_before: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    left_behind: Counter[str] = field(default_factory=Counter)
    doubts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, Example] = field(default_factory=dict)
    """The first row of each kind of reason and of doubt."""

    samples: list[dict[str, Any]] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    first: int | None = None
    last: int | None = None
    missing: int = 0
    rejects_file: str = ""
    waits_for: str = ""
    """What the server answers while it takes nothing."""

    seconds: float = 0.0
    users: int = 0
    devices: int = 0

    def count(self, foreign: Foreign) -> None:
        """Take an event that is new and would be stored."""
        self.first = foreign.time if self.first is None else min(self.first, foreign.time)
        self.last = foreign.time if self.last is None else max(self.last, foreign.time)
        _raise(self.names, foreign.name or foreign.type)
        if len(self.samples) < MOST_SAMPLES:
            self.samples.append(_sample(foreign))

    def make(self, foreign: Foreign, *, is_refused: bool) -> None:
        """Take an event that no row stands for."""
        if not is_refused:
            self.logins_made += foreign.type == "identify"
            self.memberships_made += foreign.type == "group"

    @property
    def made(self) -> int:
        """How many events there are that no row stands for."""
        return self.logins_made + self.memberships_made

    def leave(self, foreign: Foreign) -> None:
        """Note what of a row is left behind."""
        for each in foreign.left_behind:
            _raise(self.left_behind, kind_of(each))

    def reject(self, place: Place, reason: str, hint: str = "") -> None:
        """Note a row that became no event."""
        kind = _raise(self.rejected, kind_of(reason))
        self.examples.setdefault(kind, Example(place.file, place.row, reason, hint))

    def doubt(self, place: Place, reason: str) -> None:
        """Note that a row, which is stored, may be meant otherwise."""
        kind = _raise(self.doubts, kind_of(reason))
        self.examples.setdefault(kind, Example(place.file, place.row, reason))

    @property
    def rejected_rows(self) -> int:
        """How many rows became no event."""
        return self.rejected.total()

    def to_json(self) -> dict[str, Any]:
        """The report for a program."""
        return {
            "source": self.source,
            "site": self.site,
            "dry_run": self.is_dry_run,
            "files": self.files,
            "rows": self.rows,
            "stored": self.stored,
            "logins_made": self.logins_made,
            "memberships_made": self.memberships_made,
            "duplicates": {"in_these_files": self.repeats, "stored_before": self.stored_before},
            "rejected": {"rows": self.rejected_rows, "reasons": dict(self.rejected.most_common()),
                         "examples": self._examples(self.rejected), "file": self.rejects_file or None},
            "doubts": {"reasons": dict(self.doubts.most_common()), "examples": self._examples(self.doubts)},
            "missing": self.missing,
            "time_range": [_moment(self.first), _moment(self.last)],
            "users": self.users,
            "devices": self.devices,
            "names": dict(self.names.most_common()),
            "left_behind": dict(self.left_behind.most_common()),
            "samples": self.samples,
            "waits_for": self.waits_for or None,
            "seconds": round(self.seconds, 3),
        }  # fmt: skip

    def _examples(self, counts: Counter[str]) -> list[dict[str, Any]]:
        return [self.examples[kind].to_json() for kind, _ in counts.most_common() if kind in self.examples]


class Rejects:
    """A file of rows that became no event, one JSON object a line. It is made with the first of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> Rejects:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def written(self) -> str:
        """The path of the file, empty when there is none."""
        return "" if self._file is None else str(self._path)

    def keep(self, place: Place, reason: str, hint: str, row: Row | None) -> None:
        """Write a row down, with where it stood and why it is here."""
        if self._file is None:
            # Rows may say who somebody is: nobody else reads them.
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._file = os.fdopen(descriptor, "w", encoding="utf-8")
        said = {
            "file": place.file,
            "row": place.row,
            "reason": reason,
            "hint": hint,
            "content": _content(row),
        }
        self._file.write(json.dumps(said, ensure_ascii=False) + "\n")


def _content(row: Row | None) -> str:
    if row is None:
        return ""
    try:
        return msgspec.json.encode(row, enc_hook=str).decode()[:MAX_CONTENT]
    except (TypeError, ValueError, RecursionError):
        return repr(row)[:MAX_CONTENT]


def _raise(counts: Counter[str], name: str) -> str:
    """Count it, and say under which name."""
    counted = name if name in counts or len(counts) < MOST_REASONS else "others"
    counts[counted] += 1
    return counted


def _sample(foreign: Foreign) -> dict[str, Any]:
    """An event for a person to look at."""
    said = {"name": foreign.name, "device": foreign.device, "user": foreign.user, "url": foreign.url,
            "label": foreign.label}  # fmt: skip
    kept = foreign.traits if foreign.type in ("identify", "group") else foreign.properties
    shown = {name: value[:SAMPLE_CHARACTERS] for name, value in said.items() if value}
    return (
        {"time": _moment(foreign.time), "type": foreign.type}
        | shown
        | {"properties": _content(kept)[:SAMPLE_CHARACTERS]}
    )


def _moment(micros: int | None) -> str | None:
    return None if micros is None else from_micros(micros).isoformat()
