"""An import: rows of files become events of a site, a stretch of rows at a time. Running it again adds nothing.

The id of an event follows from the source's own (or from the row), so that what is stored already is known by it. That
makes an import that was killed one that is run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from deltalake.exceptions import DeltaError

from expost.clock import Clock, to_micros, wall_clock
from expost.errors import FolderError, ImportRunning
from expost.lake.folder import Folder
from expost.lake.lock import Lock, find_holder
from expost.lake.moment import DAY
from expost.lake.retention import cut_of
from expost.state.audit import NOBODY, Actor, note
from expost.state.database import State
from expost.state.sites import Site

from .aside import aside
from .batches import MAX_EVENT_BYTES, Identified, bodies, size_of
from .delivery import Delivery, Trial, delivery_to
from .files import Found
from .foreign import Foreign, Place, Row, Unusable, event_id, shown
from .implied import Implied
from .known import Distinct, KnownEvents, count_imported
from .report import Rejects, Report

STRETCH = 10_000
"""So many rows are in memory at once."""

LOCK = "import.lock"
EARLIEST = to_micros(datetime(1990, 1, 1, tzinfo=UTC))
"""Nobody kept events before: a time in 1970 is one whose unit is not what was said."""

MAX_ID = 200

_json = msgspec.json.Encoder(order="sorted", enc_hook=str).encode

Read = Callable[[Row], Iterator[Foreign]]
Progress = Callable[[Report], None]


@dataclass(frozen=True, slots=True)
class Source:
    """What is imported: the `name` of the format, its rows file by file, and what makes events of a row.

    With `keeps_repeats` rows that are the same in every respect are several events; else they are one. With `has_ids`
    rows have ids, so that two of one id may say different things: the first counts.
    """

    name: str
    files: Iterable[Iterable[Found]]
    read: Read
    keeps_repeats: bool = False
    has_ids: bool = True


def import_history(
    folder: Folder,
    state: State,
    site: Site,
    source: Source,
    rejects: Path,
    *,
    is_dry_run: bool = False,
    clock: Clock = wall_clock,
    by: Actor = NOBODY,
    progress: Progress | None = None,
) -> Report:
    """Import what the source holds into a folder, at rest or while its server runs, and say what became of it.

    Rows that cannot be used are written to `rejects`. A dry run changes nothing.
    """
    report = Report(source.name, site.slug, is_dry_run)
    try:
        _run(folder, state, site, source, report, rejects, clock, by, progress)
    except (OSError, DeltaError) as problem:
        raise FolderError(
            f"The import cannot go on: {getattr(problem, 'strerror', None) or problem}.",
            hint="Make room on the disk, or look who may write there, and run it again: nothing is stored twice.",
        ) from problem
    return report


def _run(
    folder: Folder,
    state: State,
    site: Site,
    source: Source,
    report: Report,
    rejects: Path,
    clock: Clock,
    by: Actor,
    progress: Progress | None,
) -> None:
    began = time.monotonic()

    def wait(said: str) -> None:
        report.waits_for = said
        if progress is not None:
            progress(report)

    with ExitStack() as stack:
        kept = stack.enter_context(Rejects(rejects))
        delivery: Delivery = Trial(site, clock)
        if not report.is_dry_run:
            stack.callback(_only_one(folder).release)
            with state.writing() as connection:
                note(connection, clock(), by, "import history", site.slug, f"a {source.name} export")
            delivery = stack.enter_context(delivery_to(folder, state, site, clock, by, wait))
        place = stack.enter_context(aside())
        known = KnownEvents(folder, site.slug, place)
        run = _Import(site, source, report, kept, known, delivery, clock, place)
        for rows in source.files:
            report.files += 1
            run.take(rows, progress)
        delivery.finish()
        if not report.is_dry_run:
            # What the lake has counts: of people who were erased nothing is stored, whatever was sent.
            report.missing = report.stored + report.made - (count_imported(folder, site.slug) - known.in_lake)
    report.rejects_file = kept.written
    report.seconds = time.monotonic() - began


def _only_one(folder: Folder) -> Lock:
    """Keeps other imports out of a folder: two at once would not know of each other what they store."""
    path = folder.path / LOCK
    try:
        return Lock(path)
    except FolderError:
        raise ImportRunning(find_holder(path)) from None


@dataclass(frozen=True, slots=True)
class Taken:
    """A row with where it stood and the event that it became."""

    place: Place
    row: Row
    foreign: Foreign


class _Import:
    """One run of an import."""

    def __init__(
        self,
        site: Site,
        source: Source,
        report: Report,
        rejects: Rejects,
        known: KnownEvents,
        delivery: Delivery,
        clock: Clock,
        place: Path,
    ) -> None:
        self._site = site.slug
        self._kept = site.kept
        self._cut = None if site.keep_months is None else cut_of(site.keep_months, clock())
        self._latest = clock() + DAY
        self._source = source
        self._report = report
        self._rejects = rejects
        self._known = known
        self._delivery = delivery
        self._implied = Implied()
        self._repeats: dict[str, int] = {}
        self._users, self._devices = Distinct(place), Distinct(place)
        self._sequence = 0

    def take(self, rows: Iterable[Found], progress: Progress | None) -> None:
        """Import the rows of one file."""
        stretch: list[Taken] = []
        for place, row in rows:
            self._report.rows += 1
            if isinstance(row, Unusable):
                self._reject(place, str(row), row.hint, None)
                continue
            try:
                stretch += [Taken(place, row, self._checked(each)) for each in self._source.read(row)]
            except Unusable as problem:
                self._reject(place, str(problem), problem.hint, row)
            if len(stretch) >= STRETCH:
                self._store(stretch)
                stretch = []
                if progress is not None:
                    progress(self._report)
        self._store(stretch)

    def _checked(self, foreign: Foreign) -> Foreign:
        if self._cut is not None and foreign.time < self._cut:
            raise Unusable(
                f"it is older than this site keeps events, {self._kept}",
                hint=f"Keep them longer before the import: expost sites change {self._site} --keep-months forever",
            )
        for noun, said in (("device", foreign.device), ("user", foreign.user)):
            if "\0" in said or len(said) > MAX_ID:
                raise Unusable(
                    f"its {noun} {shown(said)} is longer than {MAX_ID} characters, or holds the character U+0000",
                    hint="Look whether the column is the right one: such an id is most likely another text.",
                )
        if (size := size_of(foreign)) > MAX_EVENT_BYTES:
            raise Unusable(
                f"its properties have {size:,} bytes, and at most {MAX_EVENT_BYTES:,} are kept",
                hint="Leave out the column that is so large: a mapping says so with drop.",
            )
        return foreign

    def _store(self, stretch: Sequence[Taken]) -> None:
        """Deliver what of these rows is new, with the logins that they imply."""
        if not stretch:
            return
        candidates: list[tuple[Identified, Taken | None]] = []
        for (id_, is_first), taken in zip(self._ids(stretch), stretch, strict=True):
            # Every second number: what an event implies of groups comes before it.
            self._sequence += 2
            foreign = taken.foreign
            self._doubt(taken)
            sequence = self._sequence if foreign.sequence is None else max(foreign.sequence, 0)
            login = self._implied.login(foreign)
            if login is not None:
                candidates.append(((self._id(login), sequence, login), None))
            candidates += [
                ((self._id(member), max(sequence - 1, 0), member), None)
                for member in self._implied.memberships(foreign)
            ]
            if is_first:
                self._report.leave(foreign)
                candidates.append(((id_, sequence, foreign), taken))
            else:
                self._report.repeats += 1
        self._deliver(candidates)

    def _ids(self, stretch: Sequence[Taken]) -> Iterator[tuple[str, bool]]:
        """The id of each event, and whether it is the first one of that id in this import."""
        ids = [self._id(taken.foreign) for taken in stretch]
        first = self._known.are_first(ids).tolist()
        if self._source.has_ids and not self._source.keeps_repeats:
            self._doubt_others(ids, first, stretch)
        for id_, is_first, taken in zip(ids, first, stretch, strict=True):
            if is_first or not self._source.keeps_repeats:
                yield id_, is_first
            else:
                # The same again: the second one of its kind, the third … whatever else stands between.
                count = self._repeats[id_] = self._repeats.get(id_, 1) + 1
                yield self._id(taken.foreign, count), True

    def _doubt_others(self, ids: Sequence[str], first: Sequence[bool], stretch: Sequence[Taken]) -> None:
        """Note which rows have the id of an earlier one, and say something else."""
        contents = [
            event_id(id_, "content", content_of(taken.row)) for id_, taken in zip(ids, stretch, strict=True)
        ]
        are_new = self._known.are_first(contents).tolist()
        for is_first, is_new, taken in zip(first, are_new, stretch, strict=True):
            if is_new and not is_first:
                self._report.doubt(
                    taken.place,
                    "it has the id of an earlier row and says something else: the earlier one is kept",
                )

    def _doubt(self, taken: Taken) -> None:
        for each in taken.foreign.doubts:
            self._report.doubt(taken.place, each)
        if taken.foreign.time < EARLIEST:
            self._report.doubt(taken.place, "it happened before 1990: is the unit of its time the right one?")
        elif taken.foreign.time > self._latest:
            self._report.doubt(taken.place, "it lies in the future")

    def _id(self, foreign: Foreign, count: int = 1) -> str:
        return event_id(self._site, self._source.name, foreign.key + (f"\0{count}" if count > 1 else ""))

    def _deliver(self, candidates: Sequence[tuple[Identified, Taken | None]]) -> None:
        stored = self._known.are_stored([identified[0] for identified, _ in candidates]).tolist()
        new = [each for each, is_stored in zip(candidates, stored, strict=True) if not is_stored]
        self._report.stored_before += sum(
            is_stored and taken is not None for (_, taken), is_stored in zip(candidates, stored, strict=True)
        )
        refusals = self._delivery.deliver(list(bodies(identified for identified, _ in new)))
        self._report.waits_for = ""
        refused = {each.id: each.reason for each in refusals}
        for (id_, _, foreign), taken in new:
            if taken is None:
                self._report.make(foreign, is_refused=id_ in refused)
            elif id_ in refused:
                self._reject(taken.place, refused[id_], "", taken.row)
            else:
                self._report.stored += 1
                self._report.count(foreign)
                self._users.add(foreign.user)
                self._devices.add(foreign.device)
        self._report.users, self._report.devices = self._users.count(), self._devices.count()

    def _reject(self, place: Place, reason: str, hint: str, row: Row | None) -> None:
        self._report.reject(place, reason, hint)
        self._rejects.keep(place, reason, hint, row)


def content_of(row: Row) -> str:
    """All that a row says, in an order of its own."""
    return _json(row).decode()
