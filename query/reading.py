"""One snapshot of the lake, open for one question: what runs SQL there and remembers what ran."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import duckdb
import pyarrow as pa

from expost.clock import from_micros
from expost.errors import InvalidInput, UnknownCohort

from .answer import Basis, LeftOut, UsedDefinition
from .breakdown import Flag
from .calendar import Calendar
from .cohort import Cohort
from .condition import CompiledDefinition
from .definition import Definition
from .element_cache import ElementCache
from .elements import ElementsMade, make_elements
from .event_cache import EventCache
from .glob import check_glob
from .interval import EARLIEST, LATEST
from .kept_events import COLUMNS, Source, in_lake, kept_source
from .left_out import Counting
from .question import Question, Saved, Step
from .statement import Fragment, render

Row = tuple[Any, ...]


def _no_cohort(name: str) -> Cohort:
    raise UnknownCohort(name, [])


@dataclass
class Reading:
    """An open snapshot and what a question says about itself. `sql` collects the text that ran.

    `resolve` finds a saved definition by name and version; `named` all of a name, with their sites, and `named_cohorts`
    all cohorts of a name, with a reading of their site; `saved` are the definitions of this site that are in use.
    `rejected_files` are those of what could not be stored. `summaries` is the folder in which those of event files are,
    if they may be used.

    `chosen` is a condition on the person of an event `m`: whose events count at all. `parting` says of such an event
    whether its person is in the cohort that splits the answer. `notes` say so in words (see `membership.py`).

    `spill` is the folder for what memory does not hold. `go_on` raises once nobody waits for the answer any more, or
    its time is over; it is called where nothing else would say so for long.

    `is_fast` lets passes over arrays answer what they can; without it everything is asked by the portable SQL alone.
    `memory` is what was found in this snapshot by questions before, and `memory_of_files` what was found in files that
    are named beside it, which outlasts snapshots (`held_rows.py`).
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
    named_cohorts: Callable[[str], Sequence[tuple[Reading, Cohort]]] = lambda _: ()
    rejected_files: Callable[[], Sequence[str]] = tuple
    cache: ElementCache | None = None
    events: EventCache | None = None
    summaries: Path | None = None
    saved: Callable[[], Sequence[Definition]] = tuple
    as_of: int | None = None
    find_cohort: Callable[[str], Cohort] = _no_cohort
    chosen: Fragment | None = None
    parting: Fragment | None = None
    notes: tuple[str, ...] = ()
    spill: Path = field(default_factory=lambda: Path(gettempdir()))
    go_on: Callable[[], None] = lambda: None
    is_fast: bool = True
    memory: dict[Any, Any] | None = None
    memory_of_files: dict[Any, Any] | None = None
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

    def exposing(self, flag: Flag) -> dict[str, Any]:
        """What statements about the exposures to a flag ask for: its key, and from when on they count."""
        return {"flag": flag.key, "exposed_from": self.calendar.micros(flag.exposures_from, EARLIEST)}

    def definition(self, step: Step) -> Definition:
        """The definition that a step names, or is."""
        found = step
        if isinstance(found, str):
            found = Saved(found)
        if isinstance(found, Saved):
            found = self.resolve(found.name, found.version)
        if not isinstance(found, Definition):
            raise InvalidInput(
                f"{found!r} is no definition.",
                hint='Say its name, or conditions such as click="form.signup button".',
            )
        check_patterns(self.connection, found)
        return found

    def run(self, name: str, values: Mapping[str, Any], **structure: object) -> list[Row]:
        """Run `query/sql/{name}` and give the rows of its last statement."""
        return self.execute(render(name, **structure), values)

    def execute(self, text: str, values: Mapping[str, Any]) -> list[Row]:
        """Run this text and give the rows of its last statement."""
        self.sql.append(text.strip())
        for statement in self.connection.extract_statements(text):
            bound = self._bound(statement, values)
            self.used |= bound
            self.connection.execute(statement, bound)
        return self.connection.fetchall()

    def say(self, text: str, values: Mapping[str, Any]) -> None:
        """Let the answer say that this text was run, or what comes to the same."""
        self.sql.append(text.strip())
        for statement in self.connection.extract_statements(text):
            self.used |= self._bound(statement, values)

    def quietly(self, text: str, values: Mapping[str, Any]) -> duckdb.DuckDBPyConnection:
        """Run this text, of which the answer need not say anything; the connection gives the last statement's rows."""
        for statement in self.connection.extract_statements(text):
            self.connection.execute(statement, self._bound(statement, values))
        return self.connection

    def feed(self, relation: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Add rows that were worked out here to a relation."""
        given = pa.table(dict(zip(columns, zip(*rows, strict=True), strict=True)))
        self.connection.register("fed", given)
        self.execute(fed_into(relation, columns), {})
        self.connection.unregister("fed")

    def _bound(self, statement: duckdb.Statement, values: Mapping[str, Any]) -> dict[str, Any]:
        available = self.common_values() | dict(values)
        return {key: available[key] for key in sorted(statement.named_parameters)}

    def quote(self, name: str, values: Mapping[str, Any], **structure: object) -> None:
        """Remember the text of `query/sql/{name}` as what gives this answer, without running it."""
        self.say(render(name, **structure), values)

    def relation(self, text: str, values: Mapping[str, Any]) -> duckdb.DuckDBPyRelation:
        """The rows of one statement that is no part of what gives the answer; it runs when they are fetched."""
        [statement] = self.connection.extract_statements(text)
        return self.connection.sql(statement, params=self._bound(statement, values))

    def elements(self, definition: CompiledDefinition) -> CompiledDefinition:
        """The definition over relations that hold the elements of its selectors, which are made here."""
        for made in make_elements(self.connection, definition, self.cache):
            self.say_elements(made)
        return definition.over_elements()

    def say_elements(self, made: ElementsMade) -> None:
        """Let the answer say how the elements of a selector are found."""
        self.sql.append(made.text.strip())
        self.used |= made.parameters

    def source(
        self, definition: Definition, match: CompiledDefinition, prefix: str, columns: Iterable[str]
    ) -> Source:
        """Where the events of a definition are: of a saved one in a relation of its own, if `columns` suffice."""
        is_past = self.as_of is not None  # then the lake holds what was there by then, and files hold more
        # Of any activity, which is version 0, a file of its own would hold nearly all that the lake does.
        if self.events is None or is_past or not definition.version or not set(columns) <= set(COLUMNS):
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


def fed_into(relation: str, columns: Sequence[str]) -> str:
    """What an answer says of rows that were worked out here: they stand in `fed`."""
    return f"insert into {relation} ({', '.join(columns)}) select * from fed;"


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
