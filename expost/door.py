"""The Python names of Expost: `expost.open()` gives a `Lake`, which answers questions about one data folder."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast

from expost.door_reports import Reports
from expost.errors import InvalidInput
from expost.lake.folder import open_folder
from expost.lake.kept import CACHE_BYTES
from expost.query.analysis import Analysis
from expost.query.answer import Answer
from expost.query.breakdown import Breakdown, Flag, Several, parse_breakdown
from expost.query.cohort import Cohort, Did, Sequel
from expost.query.cohort_size import CohortAnswer, CohortSize
from expost.query.definition import Definition, Pattern, PropertyMatch, Scalar, Words, definition
from expost.query.difference import Difference, DifferenceAnswer
from expost.query.duration import parse_duration
from expost.query.event_detail import EventAnswer, EventDetail
from expost.query.flag_list import FlagList, FlagsAnswer
from expost.query.form import parse_moment
from expost.query.funnel import Funnel, FunnelAnswer, Stage
from expost.query.health import Health, HealthAnswer
from expost.query.lifecycle import Lifecycle, LifecycleAnswer
from expost.query.live import Live, LiveAnswer
from expost.query.losses import Losses, LossesAnswer
from expost.query.measure import Measure, parse_measure
from expost.query.paths import Paths, PathsAnswer
from expost.query.preview import Preview, PreviewAnswer
from expost.query.question import Moment, Question, Step
from expost.query.rejected import RejectedAnswer, RejectedList
from expost.query.retention import Retention, RetentionAnswer, parse_brackets
from expost.query.sandbox import RowsAnswer, SqlQuery
from expost.query.share import parse_share
from expost.query.stickiness import Stickiness, StickinessAnswer
from expost.query.suggested import Suggestions, SuggestionsAnswer
from expost.query.timeline import Timeline, TimelineAnswer
from expost.query.trend import Trend, TrendAnswer
from expost.query.unit import SESSION_GAP, Unit, unit_with
from expost.query.unnamed import Unnamed, UnnamedAnswer
from expost.query.word import refuse_unknown_names
from expost.state.details import Details

By = Breakdown | str | None
CONDITIONS = (
    "click", "change", "submit", "on", "view", "track", "text", "host", "path", "query", "hash", "properties",
    "target_only", "pierce",
)  # fmt: skip


def open(  # noqa: A001  (the name that people type: expost.open)
    path: Path | str = "expost-data",
    *,
    memory_limit: str | None = None,
    threads: int | None = None,
    cache_bytes: int = CACHE_BYTES,
) -> Lake:
    """The data folder at `path`, open for questions while a server may be writing to it.

    `memory_limit` (like "800MB") bounds what one question may hold; beyond it DuckDB spills to disk. `cache_bytes`
    bounds what is kept in the folder of what selectors and saved definitions matched; 0 keeps nothing.
    """
    folder = open_folder(path).path
    return Lake(Analysis(folder, memory_limit=memory_limit, threads=threads, cache_bytes=cache_bytes))


def flag(key: str, several: Several = "first") -> Flag:
    """A breakdown by the variation of each person's first exposure to this flag.

    `several` says what of a person who saw several: `first`, `exclude`, or `as_treated` (the latest at the entry).
    """
    return Flag(key, several)


def stage(
    step: Step,
    *,
    within: timedelta | str | None = None,
    optional: bool = False,
    where: Definition | None = None,
) -> Stage:
    """A step of a funnel with more to say: a window from the step before, optional, a narrower meaning."""
    return Stage(step, None if within is None else _duration(within), optional, where)


def did(step: str, times: int = 1, *, within: timedelta | str | None = None) -> Did:
    """A condition of a cohort: did this at least so many times, not longer ago than `within`."""
    return Did(step, times, None if within is None else _duration(within))


class Lake(Reports):
    """Questions about one data folder, as methods.

    A step is the name of a saved definition, or a `Definition` (from `define` or `event`). Every method takes what all
    questions take: `site`, `start`, `end`, `last`, `time_zone`, `bots`, `internal`, `environment`, `now`, `as_of` (see
    `expost.query.question.Question`).
    """

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    @property
    def people(self) -> People:
        """Who is whom: `lake.people.show("ann@shop.example")`, `.merge`, `.undo`, and what these would change."""
        return People(self.analysis)

    def event(
        self,
        name: str = "event",
        *,
        click: Words = (),
        change: Words = (),
        submit: Words = (),
        on: Words = (),
        view: Words = (),
        track: Words = (),
        text: str | Pattern | None = None,
        host: str | Pattern | None = None,
        path: str | Pattern | None = None,
        query: Mapping[str, str | None] | None = None,
        hash: str | Pattern | None = None,  # noqa: A002  (a part of an address)
        properties: Mapping[str, Scalar] | Sequence[PropertyMatch] = (),
        target_only: bool = False,
        pierce: bool = False,
    ) -> Definition:
        """A definition that is not saved. Selectors, globs and names may be lists: any of them is enough.

        `on` names any type of event, with a selector behind it or not: `on="copy .price"`.
        """
        return definition(
            name, click=click, change=change, submit=submit, on=on, view=view, track=track, text=text, host=host,
            path=path, query=query, hash=hash, properties=properties, target_only=target_only, pierce=pierce,
        )  # fmt: skip

    def define(
        self,
        name: str,
        *,
        site: str | None = None,
        valid_from: Moment | None = None,
        valid_until: Moment | None = None,
        **conditions: Any,
    ) -> Definition:
        """Save a definition with the conditions of `event`; its whole past is there at once.

        The same name with another meaning becomes a new version; with the same meaning nothing changes. With
        `valid_from` or `valid_until` it counts in between, and elsewhere the versions before it do.
        """
        refuse_unknown_names(conditions, CONDITIONS, "define")
        return self.analysis.define(
            self.event(name, **conditions),
            site=site,
            valid_from=valid_from,
            valid_until=valid_until,
            author=getpass.getuser(),
            place="Python",
        )

    def definitions(self, *, site: str | None = None) -> list[Definition]:
        """The latest version of every saved definition, by name."""
        return self.analysis.definitions(site=site)

    def difference(
        self, name: str, old: int, new: int, *, samples: int = 10, **common: Any
    ) -> DifferenceAnswer:
        """Which past events change sides between two versions of a definition: `.events("only_old")`, `.samples`."""
        return cast(
            DifferenceAnswer,
            self._ask(Difference(name, old, new, samples, **_said(common, Difference))),
        )

    def roll_back(self, name: str, version: int, *, site: str | None = None) -> Definition:
        """A new version that says what an old one said."""
        return self.analysis.roll_back(name, version, site=site, author=getpass.getuser(), place="Python")

    def describe(
        self,
        name: str,
        *,
        owner: str | None = None,
        tags: Sequence[str] | None = None,
        note: str | None = None,
        archived: bool | None = None,
        site: str | None = None,
    ) -> Details:
        """Set owner, tags or note of a definition, or whether it is archived; what is not given stays."""
        wanted = {"owner": owner, "tags": tags, "note": note, "archived": archived}
        return self.analysis.describe(name, site=site, author=getpass.getuser(), place="Python", **wanted)

    def preview(self, of: Step | None = None, **asked: Any) -> PreviewAnswer:
        """The past of a definition: events, people, unknown, first and last, texts, pages, sample elements.

        `preview("Signed up")` is of a saved one, `preview(click="form.signup button")` of the conditions of `event`.
        """
        refuse_unknown_names(asked, {*CONDITIONS, *_names(Preview)} - {"definition"}, "preview")
        conditions = {name: asked.pop(name) for name in CONDITIONS if name in asked}
        if of is not None and conditions:
            raise InvalidInput(
                f"Both a definition ({getattr(of, 'name', of)!r}) and conditions ({', '.join(conditions)}) are given.",
                hint="Leave one of them out.",
            )
        if of is None:
            if not conditions:
                raise InvalidInput(
                    "There is nothing to preview.",
                    hint='For example: preview("Signed up") or preview(click="a.buy")',
                )
            of = self.event("preview", **conditions)
        return cast(PreviewAnswer, self._ask(Preview(of, **_said(asked, Preview))))

    def funnel(
        self,
        *steps: Step | Stage,
        within: timedelta | str = "7 days",
        by: By = None,
        unit: Unit | str = "person",
        gap: timedelta | str | None = None,
        **asked: Any,
    ) -> FunnelAnswer:
        """How many people went through the steps in order, within the window of their first step.

        `unit` is `person`, `session`, `device` or `group:TYPE`. `asked` may say `order` (`ordered`, `strict`, `any`),
        `between`, `ends_attempt`, `removes_unit` (steps), `over` (`day`, `week`, `month`) and `compare` (`previous`):
        see `expost.query.funnel.Funnel`.
        """
        for name in ("between", "ends_attempt", "removes_unit"):
            if name in asked:
                asked[name] = _steps(asked[name])
        said = _said(asked, Funnel)
        question = Funnel(steps, _duration(within), by=_breakdown(by), unit=_unit(unit, gap), **said)
        return cast(FunnelAnswer, self._ask(question))

    def retention(
        self,
        start_event: Step,
        return_event: Step | None = None,
        *,
        period: Literal["day", "week", "month"] = "week",
        periods: int | None = None,
        by: By = None,
        unit: Unit | str = "person",
        gap: timedelta | str | None = None,
        brackets: Sequence[tuple[int, int]] | str = (),
        **asked: Any,
    ) -> RetentionAnswer:
        """Who came back: cohorts by the period of an entry, a `start_event`.

        `brackets` like "0,1-3,4-7" are stretches of periods. `asked` may say `entry` (`first_in_range`, `first_ever`,
        `recurring`), `mode` (`on`, `on_or_after`) and `rolling`: see `expost.query.retention.Retention`.
        """
        question = Retention(
            start_event,
            start_event if return_event is None else return_event,
            period=period,
            periods=periods,
            by=_breakdown(by),
            unit=_unit(unit, gap),
            brackets=parse_brackets(brackets) if isinstance(brackets, str) else tuple(brackets),
            **_said(asked, Retention),
        )
        return cast(RetentionAnswer, self._ask(question))

    def trend(
        self,
        of: Step,
        *,
        period: Literal["hour", "day", "week", "month"] = "day",
        by: By = None,
        unit: Unit | str = "person",
        gap: timedelta | str | None = None,
        measure: Measure | str = "events",
        per: Step | None = None,
        per_measure: Measure | str | None = None,
        **asked: Any,
    ) -> TrendAnswer:
        """Events, people and a measure per calendar period, empty ones included.

        `measure` is `events`, `people`, `per_person`, or of the numbers of a property `sum:price`, `mean:`, `min:`,
        `max:`, `median:`, `p95:`. `per` divides it by that of another definition. `asked` may say `compare="previous"`.
        """
        question = Trend(
            of,
            period=period,
            by=_breakdown(by),
            unit=_unit(unit, gap),
            measure=_measure(measure),
            per=per,
            per_measure=None if per_measure is None else _measure(per_measure),
            **_said(asked, Trend),
        )
        return cast(TrendAnswer, self._ask(question))

    def stickiness(
        self,
        of: Step,
        *,
        period: Literal["day", "week", "month"] = "day",
        by: By = None,
        unit: Unit | str = "person",
        gap: timedelta | str | None = None,
        **asked: Any,
    ) -> StickinessAnswer:
        """How many people did it in how many distinct days, weeks or months of the range."""
        question = Stickiness(
            of,
            period,
            by=_breakdown(by),
            unit=_unit(unit, gap),
            **_said(asked, Stickiness),
        )
        return cast(StickinessAnswer, self._ask(question))

    def lifecycle(
        self,
        of: Step,
        *,
        period: Literal["day", "week", "month"] = "week",
        unit: Unit | str = "person",
        gap: timedelta | str | None = None,
        **asked: Any,
    ) -> LifecycleAnswer:
        """Per period who is new, returning, resurrecting and dormant."""
        return cast(
            LifecycleAnswer,
            self._ask(
                Lifecycle(
                    of,
                    period,
                    unit=_unit(unit, gap),
                    **_said(asked, Lifecycle),
                )
            ),
        )

    def paths(
        self,
        of: Step,
        *,
        direction: Literal["after", "before"] = "after",
        steps: int = 4,
        events: Sequence[Step] = (),
        groups: Sequence[str] = (),
        gap: timedelta | str = SESSION_GAP,
        **asked: Any,
    ) -> PathsAnswer:
        """What people did after (or before) an event in the same session: `answer.edges`, step by step.

        Steps are views of pages, called by the first glob of `groups` that fits or by their path, and `events`, called
        by their names. `asked` may say `top`, how many edges of a step are told apart.
        """
        question = Paths(
            of,
            direction,
            steps,
            events=_steps(events),
            groups=tuple(groups),
            gap=_duration(gap),
            **_said(asked, Paths),
        )
        return cast(PathsAnswer, self._ask(question))

    def save_cohort(
        self,
        name: str,
        *,
        did: Did | str | Sequence[Did | str] = (),
        did_not: Did | str | Sequence[Did | str] = (),
        sequence: Sequence[str] = (),
        within: timedelta | str = "7 days",
        traits: Mapping[str, Scalar] | Sequence[PropertyMatch] = (),
        users: Sequence[str] = (),
        devices: Sequence[str] = (),
        start: date | datetime | None = None,
        end: date | datetime | None = None,
        site: str | None = None,
    ) -> Cohort:
        """Save a cohort: who fulfils all that is said, and is listed where ids are. `within` is of the sequence.

        Questions then take `cohort="Regulars"`, `not_cohort=` and `by="cohort:Regulars"`. `expost.did("Ordered", 3,
        within="90 days")` says how often and how lately.
        """
        acts, not_done = _dids(did), _dids(did_not)
        listed: Sequence[PropertyMatch] = (
            [PropertyMatch(key, "is", value) for key, value in traits.items()]
            if isinstance(traits, Mapping)
            else traits
        )
        has = tuple(listed)
        meant = None
        if acts or not_done or sequence or has:
            sequel = Sequel(tuple(sequence), _duration(within)) if sequence else None
            meant = Cohort(name, acts, not_done, sequel, has, start=start, end=end)
        return self.analysis.save_cohort(
            meant, name, users=users, devices=devices, site=site, author=getpass.getuser(), place="Python"
        )

    def cohorts(self, *, site: str | None = None) -> list[Cohort]:
        """The latest version of every saved cohort, by name."""
        return self.analysis.cohorts(site=site)

    def cohort(self, of: str | Cohort, **common: Any) -> CohortAnswer:
        """A cohort, and how many people are in it now."""
        return cast(CohortAnswer, self._ask(CohortSize(of, **_said(common, CohortSize))))

    def losses(
        self, *, by: Literal["day", "page", "browser"] = "day", limit: int = 100, **common: Any
    ) -> LossesAnswer:
        """How many events pages numbered that are not here: `total`, and `groups` by day, page or browser."""
        return cast(LossesAnswer, self._ask(Losses(by, limit, **_said(common, Losses))))

    def live(self, latest: int = 50, **common: Any) -> LiveAnswer:
        """The latest events as they arrived, newest first."""
        return cast(LiveAnswer, self._ask(Live(latest, **_said(common, Live))))

    def rejected(
        self, *, kind: str | None = None, limit: int = 100, site: str | None = None
    ) -> RejectedAnswer:
        """What could not be stored and why: `kinds` with their counts, and the latest `lines`."""
        return cast(RejectedAnswer, self._ask(RejectedList(kind, limit, site=site)))

    def event_detail(self, event_id: str, **common: Any) -> EventAnswer:
        """One event whole, with the chain of its element."""
        return cast(EventAnswer, self._ask(EventDetail(event_id, **_said(common, EventDetail))))

    def suggest(
        self,
        event_id: str | None = None,
        *,
        element: str | int | None = None,
        level: int | None = None,
        limit: int = 8,
        **common: Any,
    ) -> SuggestionsAnswer:
        """Selectors for the element of an event (or for one by its id), ranked by what each would have gathered.

        `level` counts ancestors from the target outwards; without it the nearest link, button or field is meant.
        """
        wanted = None if element is None else str(element)
        return cast(
            SuggestionsAnswer,
            self._ask(Suggestions(event_id, wanted, level=level, limit=limit, **_said(common, Suggestions))),
        )

    def unnamed(self, limit: int = 50, **common: Any) -> UnnamedAnswer:
        """Interactions that no definition matches, those of the most people first, with a name and selector each."""
        return cast(UnnamedAnswer, self._ask(Unnamed(limit, **_said(common, Unnamed))))

    def health(self, days: int | None = None, **common: Any) -> HealthAnswer:
        """Which saved definitions have fallen silent, by a test of their rate, with `repairs` for the broken ones."""
        return cast(HealthAnswer, self._ask(Health(days, **_said(common, Health))))

    def flags(self, **common: Any) -> FlagsAnswer:
        """The flags and variations that exposures name."""
        return cast(FlagsAnswer, self._ask(FlagList(**_said(common, FlagList))))

    def export_person(
        self, *, user: str | None = None, device: str | None = None, site: str | None = None
    ) -> dict[str, Any]:
        """Everything that is kept of one person: lake, journal and what was rejected."""
        return self.analysis.export_person(
            site=site, device=device, user=user, author=getpass.getuser(), place="Python"
        )

    def plan_erasure(
        self, *, user: str | None = None, device: str | None = None, site: str | None = None
    ) -> dict[str, Any]:
        """What `erase` would take. Changes nothing."""
        return self.analysis.plan_erasure(site=site, device=device, user=user)

    def erase(
        self,
        *,
        user: str | None = None,
        device: str | None = None,
        site: str | None = None,
        may_return: bool = False,
    ) -> dict[str, object]:
        """Erase one person, for good; the receipt. Where a server runs, it does it and this waits a minute for it.

        What arrives of them later is not stored either; with `may_return`, only what they did before.
        """
        by = getpass.getuser()
        asked = self.analysis.erase(
            site=site, device=device, user=user, is_lasting=not may_return, author=by, place="Python"
        )
        return self.analysis.erasure(str(asked["id"]), wait_seconds=60)

    def sql(self, text: str, limit: int = 10_000, *, as_of: Moment | None = None) -> RowsAnswer:
        """The rows of one SELECT over the views that docs/schema.md names, at most `limit` of them.

        `for row in lake.sql(…)` gives one dict per row; `.rows()` is a list of them, `.to_polars()` a frame.
        """
        return cast(RowsAnswer, self._ask(SqlQuery(text, limit, as_of=as_of)))

    def _ask(self, question: Question) -> Answer:
        answer = self.analysis.ask(question)
        if isinstance(answer, FunnelAnswer | RetentionAnswer | TrendAnswer):
            # So that `answer.people(step=2)` can open a bar of it.
            return replace(answer, ask=self.analysis.ask)
        return answer


class People:
    """Who is whom in a data folder."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    def show(self, id: str, *, latest: int = 200, **common: Any) -> TimelineAnswer:  # noqa: A002 (its name everywhere)
        """One person by user, device or person_id: users, devices, edges, traits, and the latest events by session."""
        return cast(
            TimelineAnswer,
            self.analysis.ask(Timeline(id, latest, **_said(common, Timeline))),
        )

    def plan_merge(
        self, user: str, into: str, *, site: str | None = None, force: bool = False
    ) -> dict[str, Any]:
        """What `merge` would change in every saved definition. Changes nothing."""
        return self.analysis.plan_merge(user, into, site=site, force=force)

    def merge(self, user: str, into: str, *, site: str | None = None, force: bool = False) -> dict[str, Any]:
        """Make two users one person, who is then called `into`; its edge. All numbers follow; it can be undone."""
        by = getpass.getuser()
        return self.analysis.merge(user, into, site=site, force=force, author=by, place="Python")

    def plan_undo(self, *edges: str, site: str | None = None) -> dict[str, Any]:
        """What `undo` would change in every saved definition. Changes nothing."""
        return self.analysis.plan_undo(edges, site=site)

    def undo(self, *edges: str, site: str | None = None) -> dict[str, Any]:
        """Withdraw edges, as `show(…).edges` names them in `undo`; or give back what was withdrawn."""
        return self.analysis.undo(edges, site=site, author=getpass.getuser(), place="Python")


def _duration(given: timedelta | str) -> timedelta:
    return parse_duration(given) if isinstance(given, str) else given


def _breakdown(given: By) -> Breakdown | None:
    return parse_breakdown(given) if isinstance(given, str) else given


def _unit(given: Unit | str, gap: timedelta | str | None) -> Unit:
    if isinstance(given, Unit) and gap is None:
        return given
    return unit_with(str(given), None if gap is None else _duration(gap))


def _measure(given: Measure | str) -> Measure:
    return parse_measure(given) if isinstance(given, str) else given


def _dids(given: Did | str | Sequence[Did | str]) -> tuple[Did, ...]:
    """One act or several, those by name once each."""
    several = [given] if isinstance(given, Did | str) else given
    return tuple(Did(each) if isinstance(each, str) else each for each in several)


def _said(asked: dict[str, Any], question: type[Question] = Question) -> dict[str, Any]:
    """What is asked, in words that the question knows: a single cohort as a list of it, dates in words as dates."""
    refuse_unknown_names(asked, _names(question), f"a {question.__name__}")
    said = dict(asked)
    for name in ("cohort", "not_cohort"):
        if name in said:
            each = said[name]
            said[name] = (each,) if isinstance(each, str | Cohort) else tuple(each)
    for name in ("start", "end", "as_of"):
        if isinstance(said.get(name), str):
            said[name] = parse_moment(name, said[name])
    if isinstance(said.get("sample"), str):
        said["sample"] = parse_share(said["sample"])
    if said.get("last") is not None:
        said["last"] = _duration(said["last"])
    return said


def _names(question: type[Question]) -> frozenset[str]:
    return frozenset(each.name for each in fields(question))


def _steps(given: Step | Sequence[Step]) -> tuple[Step, ...]:
    """One step or several."""
    return tuple(given) if isinstance(given, list | tuple) else (cast(Step, given),)
