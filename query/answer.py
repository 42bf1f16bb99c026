"""Answers: frozen, able to travel, and the same for the library, the command line, HTTP and the pages.

`to_json()` names every field as it is called here: times as ISO 8601 in UTC, durations as `..._ms`, ids as strings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from expost.errors import InvalidInput

from .column import exact_values
from .spreadsheet import csv_text

if TYPE_CHECKING:
    import polars

    from .question import Question


@dataclass(frozen=True, slots=True)
class UsedVersion:
    """A version, and from and until when it counted; None: since ever, for ever."""

    version: int
    counted_from: datetime | None
    counted_until: datetime | None


@dataclass(frozen=True, slots=True)
class UsedDefinition:
    """A definition as it took part: `events` matched (in range, where the question has one), `unknown` might have.

    `version` is None for an inline definition; `engine` is the version of the selector engine. `versions` says which
    versions counted when, where that is not one for all time.
    """

    name: str
    version: int | None
    engine: int
    meaning: str
    events: int
    unknown: int
    versions: tuple[UsedVersion, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Matching events that are not counted, by reason; `share` is of all that matched, these included.

    `because` says whether the question or its site leaves them out; it is empty where no setting would count them.
    """

    reason: str
    events: int
    people: int
    share: float
    because: str = ""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a number rests on. `sql` is the text that ran; `parameters` are the values it was given."""

    sql: str
    parameters: Mapping[str, Any]
    site: str
    time_zone: str
    now: datetime
    snapshot: Mapping[str, int]
    definitions: tuple[UsedDefinition, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    elapsed_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Proof:
    """What a number is proven by. The same question over the same snapshot has the same `sql_sha256`."""

    rules: tuple[str, ...]
    definitions: tuple[UsedDefinition, ...]
    snapshot: Mapping[str, int]
    sql_sha256: str
    opens: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What every answer has: `question` as asked, and `basis`."""

    question: Question = field(repr=False)
    basis: Basis = field(repr=False)

    @property
    def sql(self) -> str:
        """The text that ran."""
        return self.basis.sql

    @property
    def notes(self) -> tuple[str, ...]:
        """The rules that decided, in words, where a reader would ask."""
        return self.basis.notes

    def to_json(self) -> Any:
        """The fields of the answer, then those of its basis."""
        body = {
            each.name: plain(getattr(self, each.name)) for each in fields(self) if each.name not in _HIDDEN
        }
        return body | cast(dict[str, Any], plain(self.basis)) | {"proof": plain(self.proof)}

    @property
    def proof(self) -> Proof:
        """What decided: the rules, the versions, the snapshot, a digest of the SQL, and how to see who is behind it."""
        basis = self.basis
        digest = sha256(basis.sql.encode()).hexdigest()
        return Proof(basis.notes, basis.definitions, basis.snapshot, digest, self.opens)

    @property
    def opens(self) -> Mapping[str, str]:
        """How to open a number down to its people and events, by door; empty where nobody is behind it."""
        return {}

    def rows(self) -> list[dict[str, Any]]:
        """The answer as one flat table."""
        raise NotImplementedError

    def to_csv(self) -> str:
        """The rows of `rows()` as CSV for a spreadsheet; a text that looks like a formula is quoted with `'`."""
        rows = self.rows()
        return csv_text(list(rows[0]) if rows else [], rows)

    def to_polars(self) -> polars.DataFrame:
        """The answer as a Polars frame with the rows of `rows()`."""
        import polars

        return polars.DataFrame(self.rows(), infer_schema_length=None)


@dataclass(frozen=True, slots=True)
class Day:
    """One local calendar day of a sparkline."""

    date: date
    events: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A distinct text or page, and how many matching events had it."""

    value: str
    events: int


@dataclass(frozen=True, slots=True)
class Level:
    """One element of a chain, target (distance 0) first. `descriptor` reads like `button#buy.btn.primary`.

    `is_match` marks the subject: the element that the definition's selector matched. `selector`, where given, is one
    that would find this element again, and `events` how many past events it matches.
    """

    distance: int
    element_id: str
    descriptor: str
    tag: str
    dom_id: str | None
    classes: tuple[str, ...]
    attributes: Mapping[str, str | None]
    index: int
    count: int
    type_index: int
    type_count: int
    is_shadow_child: bool
    is_match: bool = False
    selector: str | None = None
    events: int | None = None


@dataclass(frozen=True, slots=True)
class SampleElement:
    """An element that matched, with its whole chain."""

    element_id: str
    events: int
    chain: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """A saved definition that matches `events` of the same events: which shares of this definition's and of its own."""

    name: str
    version: int | None
    events: int
    share: float
    share_of_other: float


@dataclass(frozen=True, slots=True)
class UnknownReason:
    """Why `events` are unknown, in words (`says`); an event counts under every reason that applies to it.

    `reason` is `not_whole`, `name_only`, `state`, `siblings`, `chain`, or `rest`.
    """

    reason: str
    says: str
    events: int


@dataclass(frozen=True, slots=True)
class PreviewAnswer(Answer):
    """The past of a definition. `unknown` events might match; numbers count only those that do.

    `unknown_share` is of both together, None where nothing is. `is_whole` says whether more than the count was asked
    for: without, there are no texts, pages, samples and overlaps.
    """

    name: str
    events: int
    people: int
    unknown: int
    first_seen: datetime | None
    last_seen: datetime | None
    days: tuple[Day, ...]
    texts: tuple[Counted, ...]
    pages: tuple[Counted, ...]
    distinct_texts: int
    distinct_pages: int
    samples: tuple[SampleElement, ...]
    overlaps: tuple[Overlap, ...] = ()
    unknown_share: float | None = None
    is_whole: bool = True
    unknown_reasons: tuple[UnknownReason, ...] = ()

    def rows(self) -> list[dict[str, Any]]:
        """One row per day of the sparkline."""
        return [{"date": day.date, "events": day.events} for day in self.days]


@dataclass(frozen=True, slots=True)
class TimesBar:
    """How many took longer than `more_than_ms` (of the first bar: or exactly that), and at most `at_most_ms`."""

    more_than_ms: float
    at_most_ms: float | None
    people: int


@dataclass(frozen=True, slots=True)
class Times:
    """How long the shown attempts took to a step: nearest-rank percentiles since the step before and since the start.

    `histogram` counts times since the start.
    """

    percentiles_ms: Mapping[int, float]
    from_start_ms: Mapping[int, float]
    histogram: tuple[TimesBar, ...]


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One bar. Shares are between 0 and 1, None where nobody could. `people` are what the funnel counts: its units.

    `complete_...` counts only entries whose window is over. Times are nearest-rank medians over the shown attempts.
    `outside_groups` is the total less the sum of the groups: people who were complete before their exposure.
    """

    name: str
    people: int
    share: float | None
    share_of_previous: float | None
    dropped_off: int
    complete_people: int
    complete_share: float | None
    median_ms: float | None
    median_from_start_ms: float | None
    outside_groups: int | None = None
    times: Times | None = None
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class EntryPeriod:
    """Those of a group whose shown attempt began in the period from the local date `start`: `people` per step.

    `incomplete_people`: of how many of them the window is not over.
    """

    kind: str
    value: str | None
    start: date
    people: tuple[int, ...]
    incomplete_people: int


@dataclass(frozen=True, slots=True)
class FunnelGroup:
    """The bars of one group.

    `kind`: `variation` or `value` (then `value` names it), `several variations`, `not exposed`, `before exposure`,
    `other` (values that are not told apart), `no value`.
    """

    kind: str
    value: str | None
    steps: tuple[FunnelStep, ...]


@dataclass(frozen=True, slots=True)
class FunnelAnswer(Answer):
    """How many people reached each step. `several_variations` is the share of exposed people who saw several."""

    steps: tuple[FunnelStep, ...]
    groups: tuple[FunnelGroup, ...]
    incomplete_people: int
    several_variations: float | None
    periods: tuple[EntryPeriod, ...] = ()
    compared: FunnelAnswer | None = None
    ask: Callable[[Question], Answer] | None = field(default=None, repr=False, compare=False)

    def people(self, step: int, *, dropped_off: bool = False, limit: int = 100) -> PeopleAnswer:
        """The people behind a bar, by asking again at the same moment."""
        from .question import FunnelPeople

        answer = _again(
            self, lambda then: FunnelPeople(then, step, dropped_off, limit=limit, site=self.basis.site)
        )
        return cast(PeopleAnswer, answer)

    def events(self, person_id: str) -> tuple[DecidingEvent, ...]:
        """The events that decided how far one person came: those of the shown attempt. Empty for others."""
        from .question import FunnelPeople

        answer = _again(
            self, lambda then: FunnelPeople(then, 1, limit=1, person=person_id, site=self.basis.site)
        )
        people = cast(PeopleAnswer, answer).people
        return people[0].events if people else ()

    def explain(self) -> ExplanationAnswer:
        """The rules that decided, and the counts under the other ones."""
        from .question import Explanation

        return cast(ExplanationAnswer, _again(self, lambda then: Explanation(then, site=self.basis.site)))

    @property
    def opens(self) -> Mapping[str, str]:
        """How to open a bar."""
        return {
            "python": "answer.people(step=N), answer.events(person_id)",
            "http": "GET /api/v1/funnel/people with the fields of the funnel and at=N; dropped=yes, kind=, value=",
            "command": "expost funnel … --people N",
        }

    def rows(self) -> list[dict[str, Any]]:
        """One row per group and step; the total has the kind `total`."""
        groups = (FunnelGroup("total", None, self.steps), *self.groups)
        return [
            {"kind": group.kind, "value": group.value, "step": number}
            | {name: value for name, value in _row(step).items() if name != "times"}
            for group in groups
            for number, step in enumerate(group.steps, 1)
        ]


@dataclass(frozen=True, slots=True)
class DecidingEvent:
    """The event of the shown attempt that made a step."""

    step: str
    event_id: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """One person behind a number. `name` is what the site calls them, or `stranger 973924`, the end of `person_id`."""

    person_id: str
    name: str
    is_user: bool
    kind: str
    value: str | None
    reached: int
    events: tuple[DecidingEvent, ...]


@dataclass(frozen=True, slots=True)
class PeopleAnswer(Answer):
    """The people behind a bar: `total` of them, the first ones by time of entry in `people`."""

    total: int
    people: tuple[Person, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row per person."""
        return [
            {"person_id": p.person_id, "name": p.name, "kind": p.kind, "value": p.value, "reached": p.reached,
             "entered_at": p.events[0].time if p.events else None}
            for p in self.people
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class CountsOf:
    """The counts of a group under a rule, and by how much they differ from those in force (None: no such group)."""

    kind: str
    value: str | None
    people: tuple[int, ...]
    difference: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class OtherRule:
    """What the counts would be if `rule` were `setting`."""

    rule: str
    setting: str
    says: str
    groups: tuple[CountsOf, ...]


@dataclass(frozen=True, slots=True)
class ExplanationAnswer(Answer):
    """The rules in force, and the counts in `columns` (steps, or the cohort and its periods) under them and others.

    `tied_events` of `tied_people` share their moment with another one of the same unit: page and number order them.
    """

    columns: tuple[str, ...]
    in_force: Mapping[str, str]
    groups: tuple[CountsOf, ...]
    others: tuple[OtherRule, ...]
    tied_events: int
    tied_people: int

    def rows(self) -> list[dict[str, Any]]:
        """One row per rule and group."""
        own = OtherRule("in force", "", "", self.groups)
        return [
            {"rule": other.rule, "setting": other.setting, "kind": group.kind, "value": group.value}
            | dict(zip(self.columns, group.people, strict=True))
            for other in (own, *self.others)
            for group in other.groups
        ]


@dataclass(frozen=True, slots=True)
class RetentionPeriod:
    """A cell: of `size` who could, `people` returned in period `period`, or in those from it to `last`.

    `complete` once the last day is over: of a calendar for everyone, of rolling periods (where `size` holds only those
    whose own period is over) once `size` is the whole cohort. What is counted on or after never is.
    """

    period: int
    people: int
    complete: bool
    size: int
    last: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those who began in the period that starts on the local date `start`."""

    start: date
    size: int
    periods: tuple[RetentionPeriod, ...]


@dataclass(frozen=True, slots=True)
class PooledPeriod:
    """Returned divided by those who could have, over the cohorts whose period is complete."""

    period: int
    people: int
    size: int
    share: float | None
    last: int


@dataclass(frozen=True, slots=True)
class RetentionGroup:
    """Retention of one group of a breakdown; `kind` as in a funnel."""

    kind: str
    value: str | None
    cohorts: tuple[Cohort, ...]
    pooled: tuple[PooledPeriod, ...]


@dataclass(frozen=True, slots=True)
class RetentionAnswer(Answer):
    """Who came back. `data_begins` is the first event that is kept."""

    period: str
    cohorts: tuple[Cohort, ...]
    pooled: tuple[PooledPeriod, ...]
    groups: tuple[RetentionGroup, ...]
    several_variations: float | None
    data_begins: datetime | None
    ask: Callable[[Question], Answer] | None = field(default=None, repr=False, compare=False)

    def people(
        self,
        cohort: date,
        *,
        period: int | None = None,
        kind: str | None = None,
        value: str | None = None,
        limit: int = 100,
    ) -> PeopleAnswer:
        """The people of a cohort, or who of it came back in a period, by asking again at the same moment."""
        from .question import RetentionPeople

        answer = _again(
            self, lambda then: RetentionPeople(then, cohort, period, kind, value, limit, site=self.basis.site)
        )
        return cast(PeopleAnswer, answer)

    def explain(self) -> ExplanationAnswer:
        """The rules that decided, and the counts under the other ones."""
        from .question import Explanation

        return cast(ExplanationAnswer, _again(self, lambda then: Explanation(then, site=self.basis.site)))

    @property
    def opens(self) -> Mapping[str, str]:
        """How to open a cell."""
        return {
            "python": "answer.people(cohort=DATE, period=N)",
            "http": "GET /api/v1/retention/people with the fields of the retention, cohort_day=DATE and at=N",
            "command": "expost retention … --people DATE --at N",
        }

    def rows(self) -> list[dict[str, Any]]:
        """One row per group, cohort and period; the total has the kind `total`."""
        groups = (RetentionGroup("total", None, self.cohorts, self.pooled), *self.groups)
        return [
            {"kind": group.kind, "value": group.value, "start": cohort.start, "size": cohort.size}
            | _row(cell)
            for group in groups
            for cohort in group.cohorts
            for cell in cohort.periods
        ]


@dataclass(frozen=True, slots=True)
class Point:
    """Events and people of the period that begins at `start`, an instant of the report's calendar.

    `value` is the measure, None where there is none: the mean of nothing, a ratio to nothing.
    """

    start: datetime
    events: int
    people: int
    value: float | None = None


@dataclass(frozen=True, slots=True)
class TrendGroup:
    """The points of one group of a breakdown; `kind` as in a funnel. `measured` is its measure of the whole range."""

    kind: str
    value: str | None
    points: tuple[Point, ...]
    measured: float | None = None


@dataclass(frozen=True, slots=True)
class TrendAnswer(Answer):
    """Events, people and the measure per period, empty periods included.

    `people` is over the whole range, each counted once; so is `value`, the `measure` of all of it.
    """

    period: str
    events: int
    people: int
    points: tuple[Point, ...]
    groups: tuple[TrendGroup, ...]
    several_variations: float | None
    measure: str = "events"
    value: float | None = None
    compared: TrendAnswer | None = None
    ask: Callable[[Question], Answer] | None = field(default=None, repr=False, compare=False)

    def behind(
        self,
        period: datetime | date | None = None,
        *,
        kind: str | None = None,
        value: str | None = None,
        limit: int = 100,
    ) -> PeopleAnswer:
        """The people of the point of a period, or of all of it, by asking again at the same moment."""
        from .question import TrendPeople

        answer = _again(
            self, lambda then: TrendPeople(then, period, kind, value, limit, site=self.basis.site)
        )
        return cast(PeopleAnswer, answer)

    @property
    def opens(self) -> Mapping[str, str]:
        """How to open a point."""
        return {
            "python": "answer.behind(period=DATE)",
            "http": "GET /api/v1/trend/people with the fields of the trend and at=DATE",
            "command": "expost trend … --people DATE",
        }

    def rows(self) -> list[dict[str, Any]]:
        """One row per group and point; the total has the kind `total`."""
        groups = (TrendGroup("total", None, self.points), *self.groups)
        return [
            {"kind": group.kind, "value": group.value, "start": point.start, "events": point.events,
             "people": point.people, "measured": point.value}
            for group in groups
            for point in group.points
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class StickinessGroup:
    """The bars of one group of a breakdown; `kind` as in a funnel."""

    kind: str
    value: str | None
    people: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StickinessAnswer(Answer):
    """How many `people` did it in exactly 1, 2, … periods of the range, which has `periods` of them so far.

    `periods` is None where the range has no start.
    """

    period: str
    people: tuple[int, ...]
    groups: tuple[StickinessGroup, ...]
    periods: int | None

    def rows(self) -> list[dict[str, Any]]:
        """One row per group and number of periods; the total has the kind `total`."""
        groups = (StickinessGroup("total", None, self.people), *self.groups)
        return [
            {"kind": group.kind, "value": group.value, "periods": number, "people": people}
            for group in groups
            for number, people in enumerate(group.people, 1)
        ]


@dataclass(frozen=True, slots=True)
class LifecyclePeriod:
    """Who did it in the period from the local date `start`, by what they did before.

    `dormant` are those who did it in the period before and not in this one. `complete` once the period is over: until
    then the dormant may still come.
    """

    start: date
    new: int
    returning: int
    resurrecting: int
    dormant: int
    complete: bool


@dataclass(frozen=True, slots=True)
class LifecycleAnswer(Answer):
    """Who came, stayed, came back and left, per period. `data_begins` is the first event that is kept."""

    period: str
    periods: tuple[LifecyclePeriod, ...]
    data_begins: datetime | None

    def rows(self) -> list[dict[str, Any]]:
        """One row per period."""
        return [_row(each) for each in self.periods]


@dataclass(frozen=True, slots=True)
class PathEdge:
    """How many sessions went from `source` to `target` as their step number `step`, and of how many people.

    `source` is None for the anchor itself. `kind`: `step`, `end` (no further step, so no target), `other` and `other
    ends` (all that is not told apart).
    """

    step: int
    kind: str
    source: str | None
    target: str | None
    sessions: int
    people: int


@dataclass(frozen=True, slots=True)
class PathsAnswer(Answer):
    """What `sessions` of `people` did after (or before) the anchor; of each step the commonest edges come first."""

    anchor: str
    direction: str
    sessions: int
    people: int
    edges: tuple[PathEdge, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row per edge."""
        return [_row(each) for each in self.edges]


@dataclass(frozen=True, slots=True)
class CohortAnswer(Answer):
    """A cohort, and how many `people` of `everyone` are in it now."""

    name: str
    version: int | None
    meaning: str
    people: int
    everyone: int

    def rows(self) -> list[dict[str, Any]]:
        """One row."""
        return [{"name": self.name, "people": self.people, "everyone": self.everyone}]


@dataclass(frozen=True, slots=True)
class Side:
    """Events of one side: `only_old`, `only_new`, `both`, or `unknown` (either version cannot say)."""

    side: str
    events: int
    people: int
    first_seen: datetime | None
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class ChangedEvent:
    """One event that changes sides. `said` is its label, text or name; `chain` reads from the outside in."""

    side: str
    event_id: str
    time: datetime | None
    type: str
    said: str | None
    path: str | None
    chain: str


@dataclass(frozen=True, slots=True)
class DifferenceAnswer(Answer):
    """Two versions of a definition in effect, and the latest events that change sides."""

    name: str
    old: int
    new: int
    old_meaning: str
    new_meaning: str
    sides: tuple[Side, ...]
    samples: tuple[ChangedEvent, ...]

    def events(self, side: str) -> int:
        """How many events are on that side."""
        return next(each.events for each in self.sides if each.side == side)

    def rows(self) -> list[dict[str, Any]]:
        """One row per side."""
        return [_row(side) for side in self.sides]


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """A captured event in one line. `chain` reads from the outside in: `form.signup › button.buy › svg`.

    `metric` and `value` are those of a web vital: milliseconds, or the score of CLS.
    """

    event_id: str
    time: datetime
    received_at: datetime
    type: str
    name: str | None
    label: str | None
    text: str | None
    host: str | None
    path: str | None
    title: str | None
    person_id: str | None
    person: str | None
    chain: str | None
    flag: str | None
    variation: str | None
    is_bot: bool
    is_internal: bool
    environment: str
    metric: str | None = None
    value: float | None = None

    @property
    def who(self) -> str | None:
        """What the person is called, None for an event without one. `person` is None for a stranger."""
        return self.person or (stranger(self.person_id) if self.person_id else None)


@dataclass(frozen=True, slots=True)
class LiveAnswer(Answer):
    """The latest events, newest first; `total` is all that the site has, `types` their types, the commonest first."""

    events: tuple[LiveEvent, ...]
    total: int
    types: tuple[str, ...] = ()

    def rows(self) -> list[dict[str, Any]]:
        """One row per event."""
        return [_row(event) for event in self.events]


@dataclass(frozen=True, slots=True)
class PersonDevice:
    """A browser that is, or was for a while, a person's. `events` are theirs alone."""

    device_id: str
    device: str
    is_daily: bool
    events: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class PersonEdge:
    """What says whose is whose: a device's user (`identify`), or two users that are one person (`merge`).

    `ids` are all edges that say the same and stand as this one does. `undo` are those to name in an undo: `ids`, or
    where these are withdrawn, the undos of them.
    """

    kind: str
    source: str
    target: str
    is_in_force: bool
    first_at: datetime
    last_at: datetime
    authors: tuple[str, ...]
    ids: tuple[str, ...]
    undo: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonTrait:
    """The latest value of a trait, as JSON text, and since when."""

    name: str
    value: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TimelineSession:
    """Events of one visit (server events have no device): `total` of the person's in it, those shown newest first."""

    device: str | None
    began_at: datetime
    ended_at: datetime
    total: int
    events: tuple[LiveEvent, ...]


@dataclass(frozen=True, slots=True)
class TimelineAnswer(Answer):
    """One person: who they are, why, and what they did. `total` events are in range, `shown` of them here."""

    person_id: str
    name: str
    is_user: bool
    users: tuple[str, ...]
    devices: tuple[PersonDevice, ...]
    edges: tuple[PersonEdge, ...]
    traits: tuple[PersonTrait, ...]
    total: int
    sessions: tuple[TimelineSession, ...]

    @property
    def shown(self) -> int:
        """How many events are here."""
        return sum(len(each.events) for each in self.sessions)

    def rows(self) -> list[dict[str, Any]]:
        """One row per event."""
        return [_row(event) for session in self.sessions for event in session.events]


@dataclass(frozen=True, slots=True)
class EventAnswer(Answer):
    """One event: its row as the view `events` shows it, and its chain, target first (empty without an element)."""

    event: Mapping[str, Any]
    chain: tuple[Level, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row: the event."""
        return [dict(self.event)]


@dataclass(frozen=True, slots=True)
class Variation:
    """A variation as exposures name it. `people` whose first exposure was to it; `exposed` who ever saw it."""

    value: str
    people: int
    exposed: int
    exposures: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class SeenFlag:
    """A flag as exposures name it. `several_variations` is the share of its people who saw several."""

    key: str
    people: int
    several_variations: float | None
    variations: tuple[Variation, ...]


@dataclass(frozen=True, slots=True)
class FlagsAnswer(Answer):
    """Every flag seen in exposures."""

    flags: tuple[SeenFlag, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row per variation."""
        return [{"flag": flag.key} | _row(variation) for flag in self.flags for variation in flag.variations]


@dataclass(frozen=True, slots=True)
class Tally:
    """What was numbered and what is here, of one day, page or browser.

    `value` is the day, `host/path` or the device id; None stands for pages of which nothing arrived.
    `missing_pages` are such pages. `exact_pages` are those whose last number is known.
    """

    value: str | None
    expected: int
    received: int
    missing: int
    pages: int
    missing_pages: int
    exact_pages: int

    @property
    def share(self) -> float | None:
        """How much of what was expected is missing, between 0 and 1."""
        return self.missing / self.expected if self.expected else None

    @property
    def is_exact(self) -> bool:
        """Whether `missing` is all that is missing, and not a lower bound."""
        return self.exact_pages == self.pages

    def to_json(self) -> dict[str, Any]:
        """All of it in words of JSON."""
        return _row(self) | {"share": self.share, "is_exact": self.is_exact}


@dataclass(frozen=True, slots=True)
class LossesAnswer(Answer):
    """What is missing: `total`, and `groups` by day, page or browser; there are `distinct` of those."""

    by: str
    total: Tally
    groups: tuple[Tally, ...]
    distinct: int

    def to_json(self) -> Any:
        """The total's fields, then the groups and the basis."""
        body = {name: value for name, value in self.total.to_json().items() if name != "value"}
        groups = [each.to_json() for each in self.groups]
        basis = cast(dict[str, Any], plain(self.basis))
        return {"by": self.by} | body | {"groups": groups, "distinct": self.distinct} | basis

    def rows(self) -> list[dict[str, Any]]:
        """One row per group."""
        return [{self.by: each.value} | {name: value for name, value in each.to_json().items() if name != "value"}
                for each in self.groups]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RejectedKind:
    """A kind of reason, and how often it was met."""

    kind: str
    count: int
    latest_at: datetime | None


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """One thing that was set aside. `received_at` is None and `event_id` empty where that cannot be read."""

    received_at: datetime | None
    reason: str
    kind: str
    event_id: str
    content: str


@dataclass(frozen=True, slots=True)
class RejectedAnswer(Answer):
    """What could not be stored: `total`, by `kinds` of reasons, and the latest `lines`."""

    total: int
    kinds: tuple[RejectedKind, ...]
    lines: tuple[RejectedLine, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row for each line."""
        return [_row(line) for line in self.lines]


@dataclass(frozen=True, slots=True)
class RowsAnswer(Answer):
    """The rows of an SQL question; `is_cut` when there were more than the limit.

    `for row in answer` gives one dict per row, `rows()` a list of them, `to_polars()` a frame. Names in `columns`
    differ: of columns called `a` the second is `a_1`.
    """

    columns: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    is_cut: bool

    def rows(self) -> list[dict[str, Any]]:
        """One dict per row."""
        return list(self)

    def to_csv(self) -> str:
        """As CSV, with its head also where there is no row."""
        return csv_text(self.columns, self)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self.values:
            yield dict(zip(self.columns, row, strict=True))

    def __len__(self) -> int:
        return len(self.values)

    def __bool__(self) -> bool:
        return True

    def to_json(self) -> Any:
        """A list of rows. A column with a whole number beyond ±2^53 is text: JavaScript would round it."""
        exact = [exact_values(column) for column in zip(*self.values, strict=True)]
        return [dict(zip(self.columns, map(plain, row), strict=True)) for row in zip(*exact, strict=True)]


_HIDDEN = ("question", "basis", "ask")


def _again(answer: Any, question_of: Callable[[Any], Question]) -> Answer:
    """The answer to a question about what was asked, at the moment at which that was answered."""
    if answer.ask is None:
        raise InvalidInput(
            "This answer came from elsewhere.",
            hint="Ask with expost.open(…), or FunnelPeople and the like instead.",
        )
    return cast(Answer, answer.ask(question_of(replace(answer.question, now=answer.basis.now))))


def called(unit: str, unit_id: int, name: str | None, *, is_user: bool) -> str:
    """What a unit is called in a list."""
    if is_user and name is not None:
        return name
    return f"session {unit_id}" if unit == "session" else stranger(str(unit_id))


def stranger(person_id: str) -> str:
    """What somebody is called whom the site has not named: the same in every list.

    >>> stranger("14730992418897973924")
    'stranger 973924'
    """
    return f"stranger {person_id[-6:]}"


def plain(value: Any) -> Any:
    """The value in what JSON knows: ISO 8601 times in UTC, durations in milliseconds, lists, dicts and text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if value == value and abs(value) != float("inf") else None
        case datetime():
            moment = value.astimezone(UTC) if value.tzinfo else value
            return moment.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case timedelta():
            return value / timedelta(milliseconds=1)
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case bytes():
            return value.hex()
        case Iterable():
            return [plain(each) for each in value]
        case Answer():
            return value.to_json()
        case _ if is_dataclass(value):
            return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
        case _:
            return str(value)


def _row(record: Any) -> dict[str, Any]:
    return {each.name: getattr(record, each.name) for each in fields(record)}
