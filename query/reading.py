"""One snapshot of the lake, open for one question: what runs SQL there and remembers what ran."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from expost.clock import from_micros
from expost.errors import InvalidInput, UnknownCohort

from .answer import Basis, LeftOut, UsedDefinition, UsedVersion
from .breakdown import ByCohort, ByColumn, ByProperty, ByValue
from .calendar import Calendar
from .cohort import Cohort
from .condition import CompiledDefinition, compile_definition, json_pointer, narrowed
from .definition import NEVER_HEARD, WITHOUT_ELEMENT, Definition
from .element_cache import ElementCache
from .elements import make_elements
from .event_cache import EventCache
from .glob import check_glob
from .interval import EARLIEST, LATEST
from .kept_events import COLUMNS, Source, in_lake, kept_source
from .left_out import Counting
from .question import Question, Saved, Step
from .selector_sql import ENGINE_VERSION
from .statement import Fragment, identifier, render
from .unit import PERSON, Unit

ALWAYS = ("event_id", "time", "page_id", "page_seq", "device_id")
"""Columns that every statement about matches reads anyway."""
MOST_LISTED = 20
"""How many names a note lists."""

Row = tuple[Any, ...]


def _no_cohort(name: str) -> Cohort:
    raise UnknownCohort(name, [])


@dataclass
class Reading:
    """An open snapshot and what a question says about itself. `sql` collects the text that ran.

    `resolve` finds a saved definition by name and version; `named` all of a name, with their sites; `saved` are
    those of this site that are in use. `rejected_files` are those of what could not be stored.

    `chosen` is a condition on the person of an event `m`: whose events count at all. `parting` says of such an event
    whether its person is in the cohort that splits the answer. `notes` say so in words (see `membership.py`).
    """

    connection: duckdb.DuckDBPyConnection
    question: Question
    site: str
    calendar: Calendar
    now: int
    counting: Counting
    snapshot: Mapping[str, int]
    resolve: Callable[[str, int | None], Definition]
    named: Callable[[str], Sequence[tuple[str, Definition]]] = lambda _: ()
    rejected_files: Callable[[], Sequence[str]] = tuple
    cache: ElementCache | None = None
    events: EventCache | None = None
    saved: Callable[[], Sequence[Definition]] = tuple
    as_of: int | None = None
    find_cohort: Callable[[str], Cohort] = _no_cohort
    chosen: Fragment | None = None
    parting: Fragment | None = None
    notes: tuple[str, ...] = ()
    sql: list[str] = field(default_factory=list)
    used: dict[str, Any] = field(default_factory=dict)

    @property
    def start(self) -> int:
        """Where the question's range begins, in microseconds."""
        return self.calendar.micros(self.question.start, EARLIEST)

    @property
    def end(self) -> int:
        """Where the range is over, in microseconds."""
        return self.calendar.micros(self.question.end, LATEST)

    @property
    def has_range(self) -> bool:
        """Whether the question bounds the time at all."""
        return self.question.start is not None or self.question.end is not None

    def definition(self, step: Step) -> Definition:
        """The definition that a step names, or is."""
        found = step
        if isinstance(found, str):
            found = Saved(found)
        if isinstance(found, Saved):
            found = self.resolve(found.name, found.version)
        check_patterns(self.connection, found)
        return found

    def run(self, name: str, values: Mapping[str, Any], **structure: object) -> list[Row]:
        """Run `query/sql/{name}` and give the rows of its last statement."""
        return self.execute(render(name, **structure), values)

    def execute(self, text: str, values: Mapping[str, Any]) -> list[Row]:
        """Run this text and give the rows of its last statement."""
        available = self.common_values() | dict(values)
        rows: list[Row] = []
        self.sql.append(text.strip())
        for statement in self.connection.extract_statements(text):
            bound = {key: available[key] for key in sorted(statement.named_parameters)}
            self.used |= bound
            rows = self.connection.execute(statement, bound).fetchall()
        return rows

    def elements(self, definition: CompiledDefinition) -> CompiledDefinition:
        """The definition over relations that hold the elements of its selectors, which are made here."""
        for made in make_elements(self.connection, definition, self.cache):
            self.sql.append(made.text.strip())
            self.used |= made.parameters
        return definition.over_elements()

    def source(
        self, definition: Definition, match: CompiledDefinition, prefix: str, columns: Iterable[str]
    ) -> Source:
        """Where the events of a definition are: of a saved one in a relation of its own, if `columns` suffice."""
        is_past = self.as_of is not None  # then the lake holds what was there by then, and files hold more
        if self.events is None or is_past or definition.version is None or not set(columns) <= set(COLUMNS):
            return in_lake(match)
        kept = kept_source(self.connection, self.events, self.site, definition, match, prefix)
        if kept is None:
            return in_lake(match)
        self.sql.append(kept.text.strip())
        self.used |= match.parameters
        return kept

    def columns(self) -> list[str]:
        """The names of the columns of the rows that came last."""
        return [column[0] for column in self.connection.description or []]

    def common_values(self) -> dict[str, Any]:
        """What most statements bind."""
        return {
            **self.counting.values(),
            "site": self.site,
            "start_at": self.start,
            "end_at": self.end,
            "now_at": self.now,
            "time_zone": self.calendar.zone.key,
        }

    def basis(
        self,
        *,
        definitions: Iterable[UsedDefinition] = (),
        left_out: Iterable[LeftOut] = (),
        notes: Iterable[str] = (),
    ) -> Basis:
        """What the answer rests on, now that everything has run."""
        return Basis(
            sql="\n\n".join(text.rstrip(";") + ";" for text in self.sql),
            parameters=dict(sorted(self.used.items())),
            site=self.site,
            time_zone=self.calendar.zone.key,
            now=from_micros(self.now),
            snapshot=self.snapshot,
            definitions=tuple(definitions),
            left_out=tuple(left_out),
            notes=(*self._as_of_note(), *self.notes, *notes),
        )

    def _as_of_note(self) -> tuple[str, ...]:
        if self.as_of is None:
            return ()
        moment = from_micros(self.as_of).astimezone(self.calendar.zone).isoformat()
        return (f"As of {moment}: what was received or recorded later is left out.",)


@dataclass(frozen=True, slots=True)
class Matched:
    """The relation `matched` of a reading: what was found for each step, and what was not counted.

    `notes` name what the question asked for by a name that nothing has.
    """

    definitions: tuple[UsedDefinition, ...]
    left_out: tuple[LeftOut, ...]
    compiled: tuple[CompiledDefinition, ...]
    notes: tuple[str, ...] = ()


def match(
    reading: Reading,
    steps: Sequence[Definition],
    *,
    keep: Sequence[str] = (),
    bounds: tuple[int, int] | None = None,
    flag: str | None = None,
    has_positions: bool = True,
    unit: Unit = PERSON,
    by: ByValue | None = None,
    wheres: Mapping[int, Definition] | None = None,
    measured: Sequence[str] = (),
) -> Matched:
    """Make the relation `matched`: every event of every step, and with a flag `exposed` before it.

    `bounds` are the instants between which events matter at all. Columns of the event named in `keep` come along, and
    as `value` that of `by`. A step of `wheres` is narrowed by the definition there. What is counted is `unit`. Of each
    property in `measured` its number comes along, as `number_1`, …, and its type in JSON, as `type_1`, ….
    """
    values: dict[str, Any] = {}
    _prepare_units(reading, unit)
    kind = None if unit.kind == "person" else unit.kind
    if flag is not None:
        reading.run("exposed.sql", {"flag": flag}, unit=kind)
    numbers: dict[str, int] = {}
    compiled: list[CompiledDefinition] = []
    roles: list[tuple[int, int]] = []
    for step, definition in enumerate(steps, 1):
        where = (wheres or {}).get(step)
        body = repr((_meaning(definition), where and _meaning(where)))
        if body not in numbers:
            numbers[body] = len(compiled) + 1
            found = compile_definition(definition, f"m{numbers[body]}")
            if where is not None:
                found = narrowed(found, compile_definition(where, f"m{numbers[body]}_where"))
            compiled.append(found)
            values |= found.parameters
        roles.append((step, numbers[body]))
    values |= bounding(bounds)
    needed = [*keep, *([by.name] if isinstance(by, ByColumn) else [])]
    may_be_kept = not wheres and not measured and not isinstance(by, ByProperty)
    sources = []
    for number, found in enumerate(compiled, 1):
        match_ = reading.elements(found)
        definition = steps[next(step for step, of in roles if of == number) - 1]
        sources.append(
            reading.source(definition, match_, f"m{number}", needed) if may_be_kept else in_lake(match_)
        )
    reading.run(
        "matched.sql",
        values,
        sources=sources,
        roles=roles,
        keep=[identifier(name) for name in keep],
        further=[identifier(name) for name in keep if name not in ALWAYS],
        has_bounds=bounds is not None,
        by_flag=flag is not None,
        has_positions=has_positions,
        unit=kind,
        value=_value(by, values),
        chosen=reading.chosen,
        parting=reading.parting if isinstance(by, ByCohort) else None,
        numbers=_numbers(measured, values),
    )
    matched = tallied(reading, steps, compiled, reading.run("tally.sql", {}))
    return matched if flag is None else replace(matched, notes=(*_unseen_flag(reading, flag), *matched.notes))


def bounding(bounds: tuple[int, int] | None) -> dict[str, Any]:
    """The values that statements bind for the instants between which events matter."""
    if bounds is None:
        return {}
    low, high = (from_micros(min(max(bound, EARLIEST), LATEST)) for bound in bounds)
    return {"from_time": low, "until_time": high}


def unit_column(unit: Unit) -> Fragment:
    """The column of the relation `matched` that says what is counted."""
    return Fragment("person_id" if unit.kind == "person" else "unit_id")


def _prepare_units(reading: Reading, unit: Unit) -> None:
    if unit.kind == "session":
        reading.run("sessions.sql", {"gap": unit.gap // timedelta(microseconds=1)})
    elif unit.kind == "group":
        reading.run("memberships.sql", {"group_type": unit.group_type})


def _value(by: ByValue | None, values: dict[str, Any]) -> Fragment | None:
    """The value of a breakdown as an expression over an event, where an event alone knows it."""
    match by:
        case ByColumn(name):
            return Fragment(f"cast(e.{identifier(name)} as varchar)")
        case ByProperty(name):
            values["property"] = json_pointer(name)
            return Fragment("json_extract_string(e.properties, $property)")
        case _:
            return None


def _numbers(names: Sequence[str], values: dict[str, Any]) -> list[tuple[Fragment, Fragment]]:
    """For each property its type in JSON and its number, as expressions over an event."""
    found = []
    for place, name in enumerate(names, 1):
        values[f"number_{place}"] = json_pointer(name)
        kind = f"json_type(e.properties, $number_{place})"
        number = f"cast(json_extract_string(e.properties, $number_{place}) as double)"
        is_number = f"{kind} in ('BIGINT', 'UBIGINT', 'DOUBLE')"
        found.append((Fragment(kind), Fragment(f"case when {is_number} then {number} end")))
    return found


def _meaning(definition: Definition) -> tuple[Any, ...]:
    return definition.body(), [each.interval for each in definition.alternatives]


def _versions(definition: Definition) -> tuple[UsedVersion, ...]:
    return tuple(
        UsedVersion(each.version, at(each.interval.start), at(each.interval.end))
        for each in definition.validities
    )


def _unheard(steps: Sequence[Definition], found: Sequence[UsedDefinition]) -> list[str]:
    """Why a definition that found nothing never will: its types are not captured, or happen on no element."""
    empty = [each for each, used in zip(steps, found, strict=True) if not used.events + used.unknown]
    alternatives = [each for step in empty for each in step.alternatives]
    types = dict.fromkeys(kind for each in alternatives for kind in each.types if NEVER_HEARD.match(kind))
    bare = dict.fromkeys(
        kind for each in alternatives if each.selector for kind in each.types if kind in WITHOUT_ELEMENT
    )
    return [
        *(
            f"Pages never send events of the type {kind!r}: they would come without end, or key by key."
            for kind in types
        ),
        *(f"Events of the type {kind!r} have no element, so no selector matches one." for kind in bare),
    ]


def _gaps(reading: Reading, steps: Sequence[Definition]) -> list[str]:
    """A note for each stretch of the range in which no version is valid: nothing matches there."""
    told = {
        f"No version of {step.name!r} is valid {gap}: events then match nothing."
        for step in steps
        for gap in step.gaps
        if gap.low < reading.end and gap.high > reading.start
    }
    return sorted(told)


def _unseen_flag(reading: Reading, flag: str) -> list[str]:
    """A note where nobody was exposed to the flag: a misspelt name must not look like a flag without effect."""
    if reading.execute("select 1 from exposed limit 1;", {}):
        return []
    known = [name for (name,) in reading.execute(
        "select distinct flag from lake.events\n"
        "where site = $site and type = 'exposure' and flag is not null order by flag;", {},
    )]  # fmt: skip
    if flag in known:
        return [f"Every exposure to the flag {flag!r} is left out: bots, internal devices or environments."]
    return [f"No exposure names the flag {flag!r}; {_listed('known flags', known)}."]


def _unseen_environment(reading: Reading) -> list[str]:
    """A note where no event at all has an environment that counts."""
    counted = reading.counting.environments
    if not counted:
        return []
    known = [name for (name,) in reading.execute(
        "select distinct environment from lake.events where site = $site and environment is not null order by 1;", {},
    )]  # fmt: skip
    if not known or not set(counted).isdisjoint(known):
        return []
    named = " or ".join(map(repr, counted))
    return [f"No event has the environment {named}; {_listed('known environments', known)}."]


def _listed(what: str, names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:MOST_LISTED])) or "none"
    return f"{what}: {shown}{' and more' if len(names) > MOST_LISTED else ''}"


def tallied(
    reading: Reading, steps: Sequence[Definition], compiled: Sequence[CompiledDefinition], rows: Sequence[Row]
) -> Matched:
    """What was found, from rows of (step, is_sure, why it is left out, events, people)."""
    found = [[0, 0] for _ in steps]
    left: dict[str, list[int]] = {}
    total = 0
    for step, is_sure, reason, events, people in rows:
        if is_sure:
            total += events
        if reason is None:
            found[step - 1][0 if is_sure else 1] += events
        elif is_sure:
            counts = left.setdefault(reason, [0, 0])
            counts[0] += events
            counts[1] = max(counts[1], people)
    used = tuple(
        UsedDefinition(step.name, step.version, ENGINE_VERSION, str(step), events, unknown, _versions(step))
        for step, (events, unknown) in zip(steps, found, strict=True)
    )
    left_out = reading.counting.left_out(
        ((reason, events, people) for reason, (events, people) in left.items()), total
    )
    notes = [] if any(each.events for each in used) else _unseen_environment(reading)
    notes += [*_unheard(steps, used), *_gaps(reading, steps), *reading.counting.notes()]
    return Matched(used, left_out, tuple(compiled), tuple(notes))


def check_patterns(connection: duckdb.DuckDBPyConnection, definition: Definition) -> None:
    """Refuse expressions that RE2 cannot read and globs that no path is like, before a question runs."""
    for alternative in definition.alternatives:
        if alternative.path is not None and alternative.path.operator == "glob":
            check_glob(alternative.path.value)
        patterns = [alternative.text, alternative.host, alternative.path, alternative.hash]
        patterns += [parameter.pattern for parameter in alternative.query]
        texts = [each.value for each in patterns if each is not None and each.operator == "matches"]
        texts += [str(each.value) for each in alternative.properties if each.operator == "matches"]
        for text in texts:
            try:
                connection.execute("select regexp_matches('', $expression)", {"expression": text}).fetchall()
            except duckdb.Error as problem:
                reason = str(problem).partition(":")[2].strip() or "not an RE2 expression"
                raise InvalidInput(
                    f"The expression {text!r} cannot be read: {reason}",
                    hint="Expressions follow RE2's syntax.",
                ) from problem


def at(micros: int | None) -> datetime | None:
    """The UTC datetime of a count of microseconds."""
    return None if micros is None else from_micros(micros).astimezone(UTC)
