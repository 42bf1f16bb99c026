"""A data folder, open for questions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import gettempdir
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from expost.clock import Clock, to_micros, wall_clock
from expost.errors import InvalidInput, NotBuilt, UnknownCohort
from expost.lake.broken import READ_PROBLEMS
from expost.lake.folder import open_folder
from expost.lake.held import HeldConnection, forget
from expost.lake.kept import shares_of
from expost.lake.readable import ReadableLake, read_lake
from expost.lake.reader import connect, snapshot_versions
from expost.lake.rejected import rejected_files
from expost.lake.snapshot import LakeSnapshot
from expost.state.database import State
from expost.state.sites import Site, find_site, sites

from .answer import Answer
from .beside import funnel, retention
from .calendar import Calendar, calendar_of
from .cohort import Cohort
from .cohort_size import CohortSize, cohort_size
from .difference import Difference, difference
from .element_cache import ElementCache
from .engine_memory import engine_memory
from .event_cache import EventCache
from .event_detail import EventDetail, event_detail
from .explanation import Explanation
from .flag_list import FlagList, flag_list
from .funnel import Funnel, FunnelPeople
from .funnel_people import funnel_people
from .health import Health, health
from .kept_cohorts import KeptCohorts
from .left_out import counting_of
from .lifecycle import Lifecycle, lifecycle
from .live import Live, live
from .losses import Losses, losses
from .membership import with_cohorts
from .other_rules import explanation
from .paths import Paths, paths
from .people import PeopleEdits
from .preview import Preview, PreviewAnswer, preview, preview_parts
from .process_memory import taking_at_most
from .question import Question
from .reading import Reading
from .reconcile import Reconcile
from .reconciling import reconcile
from .rejected import RejectedList, rejected
from .retention import Retention, RetentionPeople
from .retention_people import retention_people
from .rights import Rights
from .sampling import estimated, with_sample
from .sandbox import SqlQuery, sql_query
from .session_detail import SessionDetail, session_detail
from .session_list import sessions
from .sessions import Sessions
from .settled import Asked, as_asked, settled
from .stickiness import Stickiness, stickiness
from .suggested import Suggestions, suggested
from .timeline import Timeline, timeline
from .trend import Trend, TrendPeople
from .trend_figures import trend
from .trend_people import trend_people
from .unnamed import Unnamed, unnamed
from .watch import Look, watched

Found = TypeVar("Found", bound=Answer)

ANSWERS: dict[type[Question], Callable[[Reading, Any], Answer]] = {
    Preview: preview,
    Funnel: funnel,
    FunnelPeople: funnel_people,
    Retention: retention,
    Trend: trend,
    RetentionPeople: retention_people,
    TrendPeople: trend_people,
    Explanation: explanation,
    Stickiness: stickiness,
    Lifecycle: lifecycle,
    Paths: paths,
    Sessions: sessions,
    SessionDetail: session_detail,
    Reconcile: reconcile,
    CohortSize: cohort_size,
    Difference: difference,
    Live: live,
    EventDetail: event_detail,
    Timeline: timeline,
    Suggestions: suggested,
    Unnamed: unnamed,
    Health: health,
    FlagList: flag_list,
    Losses: losses,
    RejectedList: rejected,
    SqlQuery: sql_query,
}

OF_PEOPLE = (
    Funnel,
    FunnelPeople,
    Retention,
    Trend,
    Stickiness,
    Lifecycle,
    Paths,
    RetentionPeople,
    TrendPeople,
    Explanation,
)
COHORTS_OF = (*OF_PEOPLE, Sessions, Reconcile, Preview, Live)
"""Questions that can be asked of the people of a cohort."""

WITHOUT_VIEWS = (Preview, CohortSize, Timeline, Sessions, SessionDetail, *OF_PEOPLE)
"""Questions that are asked of the lake itself: they do without the views for people, and share one connection."""


class Analysis(KeptCohorts, PeopleEdits, Rights):
    """A data folder, open for questions. Each question reads the newest snapshot; the folder may be in use.

    `memory_limit` (like "800MB"), `threads` and `max_seconds` bound each question: past them it ends in QueryLimit. The
    engine gets half of the memory, and spills to disk what it has no room for (`engine_memory.py`).
    `cache_bytes` bounds what is kept on disk of what definitions match; 0 keeps nothing, and changes no answer. `look`
    is told how far a question is while it runs, and may end it (Cancelled).
    """

    def __init__(
        self,
        folder: Path,
        *,
        memory_limit: str | None = None,
        threads: int | None = None,
        max_seconds: float | None = None,
        cache_bytes: int | None = None,
        clock: Clock = wall_clock,
        look: Look | None = None,
    ) -> None:
        self.look = look
        self.folder = open_folder(folder)
        self.memory_limit = memory_limit
        self.threads = threads
        self.max_seconds = max_seconds
        self.clock = clock
        shares = shares_of(cache_bytes)
        self.cache = ElementCache(self.folder.cache / "elements", shares.elements)
        self.events = EventCache(self.folder.cache, shares.events)
        self._summaries = self.folder.cache if shares.summaries else None
        self.state = State(self.folder.state_path)
        self._engine_memory = engine_memory(memory_limit)
        self._held = HeldConnection(
            self.folder.path, self.folder.lake, memory_limit=self._engine_memory, threads=threads
        )

    def close(self) -> None:
        """Let go of the state and the lake."""
        self._held.close()
        self.state.close()

    def ask(self, question: Question) -> Answer:
        """The answer to a question: the question, and the answer beside it, of any kind in ANSWERS."""
        answer_to = ANSWERS.get(type(question))
        if answer_to is None:
            raise NotBuilt(
                f"Questions of the kind {type(question).__name__} are not built yet.",
                hint="Ask one of the kinds that ANSWERS names.",
            )
        asked = self._settled(question)
        # To the end: what is left in the middle counts as failed, and its connection is not lent again.
        [answer] = self._answers(asked, lambda reading: [estimated(answer_to(reading, asked))])
        return answer if asked is question else as_asked(answer, question)

    def preview_parts(self, question: Preview) -> Iterator[PreviewAnswer]:
        """The answer to a preview as it comes: the count first, and then the whole."""
        asked = self._settled(question)
        for answer in self._answers(asked, lambda reading: preview_parts(reading, asked)):
            yield answer if asked is question else as_asked(answer, question)

    def sizes(self) -> dict[str, tuple[int, int]]:
        """How many live files and rows each table of the lake has."""
        return read_lake(self.folder, self._sizes)

    def _sizes(self, snapshot: LakeSnapshot) -> dict[str, tuple[int, int]]:
        with connect(self.folder.path, threads=self.threads, snapshot=snapshot) as connection:
            found = {}
            for name, table in snapshot.tables.items():
                [rows] = connection.execute(f"select count(*) from lake.{name}").fetchone() or (0,)
                found[name] = (len(table.files) if table else 0, rows)
            return found

    def _answers(
        self, question: Question, answers_to: Callable[[Reading], Iterable[Found]]
    ) -> Iterator[Found]:
        """The answers, each once, though the lake changes or a file of it turns out to be broken meanwhile."""
        began = time.perf_counter()
        lake, given = ReadableLake(self.folder), 0
        while True:
            try:
                with self._reading(question, lake) as reading:
                    for answer in islice(answers_to(reading), given, None):
                        given += 1
                        yield _completed(answer, began, lake.notes)
                return
            except READ_PROBLEMS as problem:
                lake.learn(problem)
            except InvalidInput as problem:
                # A query that somebody wrote is at fault, unless a file is.
                if not isinstance(problem.__cause__, duckdb.Error):
                    raise
                lake.learn(problem)

    @contextmanager
    def _reading(self, question: Question, lake: ReadableLake) -> Iterator[Reading]:
        site = self._site(question)
        calendar = calendar_of(site, question.time_zone, question.week_start)
        as_of = self._as_of(question, calendar)
        # What others ask is written by us, and takes no more than its engine counts.
        most = self.memory_limit if isinstance(question, SqlQuery) else None
        with (
            self._connection(question, as_of, lake) as connection,
            self._bounded(connection) as go_on,
            taking_at_most(most),
        ):
            reading = self._read(question, connection, calendar, as_of, is_whole=lake.is_whole)
            yield replace(reading, go_on=go_on)

    def _read(
        self,
        question: Question,
        connection: duckdb.DuckDBPyConnection,
        calendar: Calendar,
        as_of: int | None = None,
        *,
        is_whole: bool = True,
    ) -> Reading:
        site = self._site(question)
        may_keep = is_whole and question.cache
        reading = Reading(
            connection=connection,
            question=question,
            site=site.slug,
            calendar=calendar,
            now=self._now(question, as_of),
            as_of=as_of,
            counting=counting_of(question, site),
            snapshot=snapshot_versions(connection),
            resolve=partial(self._resolve, site.slug),
            named=partial(self._named, question.site),
            named_cohorts=partial(self._cohorts_named, question, connection, as_of),
            rejected_files=partial(rejected_files, self.folder.rejected),
            cache=self.cache if may_keep else replace(self.cache, max_bytes=0),
            events=self.events if may_keep else replace(self.events, max_bytes=0),
            summaries=self._summaries if may_keep and as_of is None else None,
            memory=self._held.memory_of(connection) if may_keep and self.events.max_bytes else None,
            memory_of_files=self._held.memory_of_files(connection) if may_keep else None,
            spill=self.folder.spill if os.access(self.folder.spill, os.W_OK) else Path(gettempdir()),
            saved=partial(self._in_use, site.slug),
            find_cohort=partial(self.cohort, site=site.slug),
        )
        _refuse_empty_range(reading)
        _refuse_cohorts(question)
        return with_sample(with_cohorts(reading))

    def _cohorts_named(
        self, question: Question, connection: duckdb.DuckDBPyConnection, as_of: int | None, name: str
    ) -> list[tuple[Reading, Cohort]]:
        """The cohorts of that name, of the site that is asked or of every one, each with a reading of its site."""
        found = []
        for site in sites(self.state):
            if question.site in (None, site.slug):
                with suppress(UnknownCohort):
                    cohort = self.cohort(name, site=site.slug)
                    asked = replace(question, site=site.slug)
                    calendar = calendar_of(site, question.time_zone, question.week_start)
                    found.append((self._read(asked, connection, calendar, as_of), cohort))
        return found

    @contextmanager
    def _supposing(
        self, supposed: pa.Table | None, snapshot: LakeSnapshot
    ) -> Iterator[Callable[[Question], Answer]]:
        """What answers questions of a snapshot with these edges as if they were recorded."""
        with connect(
            self.folder.path,
            memory_limit=self._engine_memory,
            threads=self.threads,
            snapshot=snapshot,
            has_views=False,
            supposed=supposed,
        ) as connection:

            def answer(question: Question) -> Answer:
                asked = self._settled(question)
                calendar = calendar_of(self._site(asked), asked.time_zone, asked.week_start)
                forget(connection)
                with self._bounded(connection):
                    return ANSWERS[type(asked)](self._read(asked, connection, calendar), asked)

            yield answer

    def _connection(
        self, question: Question, as_of: int | None, lake: ReadableLake
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        is_without_views = isinstance(question, WITHOUT_VIEWS)
        if is_without_views and as_of is None and not lake.broken and question.cache:
            return self._held.lend()
        # Others see the past, need the views for people, leave files out, or lock their connection down for good.
        return connect(
            self.folder.path,
            memory_limit=self._engine_memory,
            threads=self.threads,
            snapshot=lake.snapshot(),
            has_views=not is_without_views,
            as_of=as_of,
        )

    def _bounded(self, connection: duckdb.DuckDBPyConnection) -> AbstractContextManager[Callable[[], None]]:
        """The limits of one question, and whoever looks after it."""
        return watched(
            connection, look=self.look, max_seconds=self.max_seconds, memory_limit=self.memory_limit
        )

    def _settled(self, question: Asked) -> Asked:
        if question.last is None:
            return question
        calendar = calendar_of(self._site(question), question.time_zone, question.week_start)
        return settled(question, calendar, self._now(question, self._as_of(question, calendar)))

    def _now(self, question: Question, as_of: int | None) -> int:
        return to_micros(question.now) if question.now is not None else as_of or self.clock()

    def _as_of(self, question: Question, calendar: Calendar) -> int | None:
        if question.as_of is None:
            return None
        as_of = calendar.micros(question.as_of, 0)
        if as_of > self.clock():
            raise InvalidInput(
                f"as_of {question.as_of} lies in the future: nobody knows what is known then.",
                hint="Give a moment that is over, such as 2026-11-02T08:00:00+01:00, or leave it out.",
            )
        return as_of

    def _site(self, question: Question) -> Site:
        if isinstance(question, SqlQuery) and question.site is None:
            # The views hold every site.
            return next(iter(sites(self.state)), Site("", ""))
        return find_site(self.state, question.site)


def _completed(answer: Found, began: float, notes: Sequence[str]) -> Found:
    """The answer with how long it took since `began`, and the notes of the lake first."""
    elapsed = round((time.perf_counter() - began) * 1_000, 1)
    basis = answer.basis
    said = replace(basis, elapsed_ms=elapsed, notes=(*notes, *basis.notes), unread=tuple(notes))
    return replace(answer, basis=said)


def _refuse_empty_range(reading: Reading) -> None:
    if reading.has_range and reading.start >= reading.end:
        first, last = (str(each) for each in (reading.question.start, reading.question.end))
        raise InvalidInput(
            f"The range from {first} to {last} is empty.",
            hint="It ends before `to`: swap the two, or for a single day give the day after it as `to`.",
        )


def _refuse_cohorts(question: Question) -> None:
    if (question.cohort or question.not_cohort) and not isinstance(question, COHORTS_OF):
        raise NotBuilt(
            f"A {type(question).__name__} is not asked of a cohort.",
            hint="Funnels, retention, trends, stickiness, lifecycles, paths, sessions, previews and live events are.",
        )
