"""How the server is: ready, or degraded and why. What `/health` answers, from what the parts know of themselves."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from expost.lake.journal import Journal, sealed_segments

LATE_SECONDS = 60.0
"""A sealed segment older than this should be in the lake by now."""
LEAST_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Health:
    """`reasons` are sentences, none when all is well. Not `is_taking`: what pages send is answered with 503."""

    reasons: tuple[str, ...] = ()
    is_taking: bool = True

    @property
    def status(self) -> Literal["ready", "degraded"]:
        """One word for it."""
        return "degraded" if self.reasons else "ready"

    def to_json(self) -> dict[str, Any]:
        """What `/health` answers."""
        return {"status": self.status, "takes_events": self.is_taking, "reasons": list(self.reasons)}


class Watch(Protocol):
    """Who knows how the server is."""

    def health(self) -> Health:
        """How it is now."""
        ...

    def limited(self) -> Mapping[str, int]:
        """How many batches were refused since the start because too much was sent, by who sent it."""
        ...

    async def metrics(self) -> bytes:
        """All figures in the text format of Prometheus."""
        ...


class Unwatched:
    """Pages without a server around them have nothing to tell."""

    def health(self) -> Health:
        """All is well."""
        return Health()

    def limited(self) -> Mapping[str, int]:
        """Nobody."""
        return {}

    async def metrics(self) -> bytes:
        """No figures."""
        return b""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is acknowledged and not yet in the lake."""

    segments: int
    bytes: int
    age_seconds: float


def find_backlog(directory: Path, now: float) -> Backlog:
    """The sealed segments; the sink removes them under our eyes."""
    sizes, oldest = [], now
    for path in sealed_segments(directory):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        sizes.append(status.st_size)
        oldest = min(oldest, status.st_mtime)
    return Backlog(len(sizes), sum(sizes), now - oldest)


def find_health(
    journal: Journal,
    is_sink_running: bool,
    *,
    not_erased: int = 0,
    now: Callable[[], float] = time.time,
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
) -> Health:
    """How the journal, the sink and the disk are."""

    def reasons() -> Iterator[str]:
        if journal.problem is not None:
            yield f"The disk does not take what arrives: {journal.problem}. Senders come back by themselves."
        if not is_sink_running:
            yield "The process that fills the lake is not running; it starts again by itself."
        backlog = find_backlog(journal.directory, now())
        if backlog.age_seconds > LATE_SECONDS:
            yield f"The lake is {backlog.age_seconds:,.0f} seconds behind; {backlog.bytes:,} bytes wait for it."
        if not_erased:
            people = "One person" if not_erased == 1 else f"{not_erased:,} people"
            yield f"{people} could not be erased yet; it is tried again. The page Erase and expost erasures say why."
        try:
            free = free_bytes(journal.directory)
        except OSError as problem:
            yield f"The data folder cannot be looked at: {problem.strerror or problem}."
        else:
            if free < LEAST_FREE_BYTES:
                yield f"The disk of the data folder has {free / 1e6:,.0f} MB left."

    return Health(tuple(reasons()), is_taking=journal.problem is None)
