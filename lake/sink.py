"""From the journal to the lake, group by group, and what else is for the one writer of a folder.

`sink_life.py` is the process that does it beside a server; imports and commands do it where none runs.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from expost.clock import wall_clock

from .batch import Accepted
from .edits import take_edits
from .erasure import carry_out, forget_late_rejected
from .erasures import waiting
from .folder import Folder
from .journal import sealed_segments
from .patience import Patience
from .quarantine import note_damage, rebuild
from .recovery import forget_old_damage, set_aside
from .redaction import redact_segment
from .rejected import Rejected, keep_rejected
from .segment import OPEN, read_segment, segment_number
from .sent import read_frame, segment_bytes_to_read
from .sink_log import Say, in_words, log
from .stored_segments import forget_stored, keep_stored
from .writer import Writer

GROUP_BYTES = 10_000_000
"""Segments that wait are committed together up to this size, unpacked: under load the cost of a commit is shared.

In memory clicks become about 25 times as much. What pages send takes a third of it on the disk.
"""

FORGET_EVERY_SECONDS = 10.0
"""How often it is looked which stored segments have been kept for long enough, or take room that is needed."""


class Order(msgspec.Struct, frozen=True):
    """What the serving process asks for: to remove now what is older than each site keeps it."""

    keep_months: dict[str, int | None]


Orders = deque[Order]
"""Holds the latest order until it is carried out."""


class Sink:
    """Moves sealed segments of one folder into its lake, group by group."""

    def __init__(
        self,
        folder: Folder,
        writer: Writer,
        patience: Patience | None = None,
        say: Say = lambda _: None,
    ) -> None:
        self._folder = folder
        self._writer = writer
        self._patience = patience or Patience()
        self._say = say
        self._forget_at = 0.0
        self._erasures_seen = 0
        self._almost_erased: set[str] = set()

    def move(self) -> bool:
        """Commit the next group of sealed segments, and keep them as stored; False when none was waiting."""
        # First of all, because on a full disk all that follows would fail.
        self._forget_stored()
        segments = self._sealed()
        done = [path for path in segments if segment_number(path) <= self._writer.committed]
        group = self._next_group(segments[len(done) :])
        if group:
            number = segment_number(group[-1])
            unreadable: list[Rejected] = []

            def keep(rejected: Sequence[Rejected]) -> None:
                self._keep(number, [*unreadable, *rejected])

            ingested = self._writer.ingest(number, self._read(group, unreadable), keep)
            if ingested.duplicates:
                self._say({"stored_before": ingested.duplicates, "conflicts": ingested.conflicts})
            if ingested.suppressed:
                log("suppressed", events=ingested.suppressed, hint="They are of people who were erased.")
                self._redact(group)
        # Of those that were committed before this process began, nobody remembers whether somebody erased is in them.
        self._redact(done)
        keep_stored(path for path in (*done, *group) if path.exists())
        self._writer.tend()
        return bool(group)

    def carry_out(self, orders: Orders) -> bool:
        """Remove what was ordered to be removed; False when that failed, and the writer is of no more use."""
        if not orders or self._writer.is_interrupted:
            return True
        order = orders.pop()
        try:
            forget_old_damage(self._folder.rejected, wall_clock() / 1_000_000)
            forget_late_rejected(self._folder, self._writer.redaction)
            removed = self._writer.remove_expired(order.keep_months)
        except Exception as problem:  # noqa: BLE001 - a full disk, a damaged file: what comes in is stored all the same
            note_damage(self._folder, problem)
            log("not removed", error=in_words(problem), hint="It is tried again tomorrow.")
            return False
        if rows := {table: count for table, count in removed.items() if count}:
            log("removed", hint="It was older than its site keeps it.", **rows)
        return True

    def _redact(self, segments: Sequence[Path]) -> None:
        if self._writer.redaction:
            for path in segments:
                redact_segment(path, self._writer.redaction)

    def _forget_stored(self) -> None:
        now = time.monotonic()
        if now >= self._forget_at:
            self._forget_at = now + FORGET_EVERY_SECONDS
            forget_stored(self._folder.journal, wall_clock() / 1_000_000)

    def edit(self) -> None:
        """Take what editors said of people."""
        take_edits(self._folder, self._writer)

    def erase(self) -> bool:
        """Carry out the erasures that were asked for, as far as the journal is in the lake.

        False when one failed, and the writer is of no more use.
        """
        if not self._folder.erasures.is_dir():
            return True
        changed = self._erasures_changed()
        if changed == self._erasures_seen or not self._patience.is_due(changed):
            return True
        asked = {each.id for each in waiting(self._folder)}
        if not asked:
            # Whatever is asked for from now on changes the folder again.
            self._erasures_seen = changed
            return True
        if asked <= self._almost_erased and self._writer.has_files_in_the_making():
            # Of those whose rows are gone, older files stay as long as somebody writes: there is nothing to do yet.
            return True
        try:
            erased = carry_out(self._folder, self._writer)
        except Exception as problem:  # noqa: BLE001 - a full disk, a damaged file: what comes in is stored all the same
            pause = self._patience.fail(self._erasures_changed())
            note_damage(self._folder, problem)
            hint = (
                "Nothing is forgotten: it is tried again, and /health and the page Erase say so until then."
            )
            log("not erased", error=in_words(problem), hint=hint, retry_after_seconds=pause)
            # Part of it may be done, or another erasure before it.
            self._say({"erased": 0})
            return False
        self._patience.succeed()
        self._almost_erased = {each.id for each in waiting(self._folder) if each.status == "begun"}
        for erasure in erased:
            log("erased", erasure=erasure.id, **erasure.counts)
        if erased:
            self._say({"erased": len(erased)})
        return True

    def _erasures_changed(self) -> int:
        """Another number whenever an erasure was asked for, or went on."""
        return self._folder.erasures.stat().st_mtime_ns

    def rebuild(self) -> None:
        """Store again what the journal holds of files that were set aside."""
        if not self._writer.is_interrupted:
            rows = rebuild(self._folder, self._writer)
            if rows is not None:
                hint = "That was all the journal still holds of files set aside; what is older comes from a backup."
                log("rebuilt", hint=hint, **rows)

    def _sealed(self) -> list[Path]:
        # A segment whose sealing failed is sealed later than its followers. Those wait for it, because the lake takes
        # numbers only in order. Open ones are listed first: one that is sealed in between is then in the second list.
        unsealed = [segment_number(path) for path in self._folder.journal.glob(f"*{OPEN}")]
        first = min(unsealed, default=None)
        return [
            path
            for path in sealed_segments(self._folder.journal)
            if first is None or segment_number(path) < first
        ]

    def _next_group(self, segments: Sequence[Path]) -> Sequence[Path]:
        begun = self._writer.begun
        if begun > self._writer.committed:
            # The group that was interrupted is repeated exactly, since its number already stands in some tables.
            interrupted = [path for path in segments if segment_number(path) <= begun]
            if interrupted:
                return interrupted
        total = 0
        for count, path in enumerate(segments):
            total += segment_bytes_to_read(path)
            if total > GROUP_BYTES and count:
                return segments[:count]
        return segments

    def _read(self, segments: Sequence[Path], rejected: list[Rejected]) -> Iterator[Accepted]:
        """The batches of these segments in order; a frame that cannot be understood is added to `rejected`."""
        for segment in segments:
            for _, payload in read_segment(segment, self._damage(segment)):
                try:
                    yield read_frame(payload)
                except (msgspec.MsgspecError, ValueError) as problem:
                    rejected.append(Rejected.of_frame(payload, problem))

    def _damage(self, segment: Path) -> Callable[[int, bytes], None]:
        def keep(offset: int, data: bytes) -> None:
            path = set_aside(self._folder.rejected, segment_number(segment), offset, data)
            log("damaged", segment=segment.name, offset=offset, bytes=len(data), file=path.name)

        return keep

    def _keep(self, number: int, rejected: Sequence[Rejected]) -> None:
        for path in keep_rejected(self._folder.rejected, wall_clock(), number, rejected):
            log("rejected", count=len(rejected), reason=rejected[0].reason, file=path.name)
