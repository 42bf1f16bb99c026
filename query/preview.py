"""The past of a definition, before or after it is saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from .answer import Answer, Basis
from .chain import Placed, placed_chains, with_subject
from .definition import Definition
from .facts import Facts, opened_facts
from .grain import ELEMENTS
from .level import Level
from .overlap import Overlap, find_overlaps
from .past import Past, find_past
from .question import Question, Step
from .reading import Reading, at
from .statement import Fragment
from .unknown import UnknownReason, unknown_reasons

LISTED = 20
UNKNOWN_RULE = (
    "Unknown events might match: a value that the definition needs was cut, masked or not captured. "
    "Numbers count only events that surely match."
)

NO_OVERLAPS = "Definitions that match the same events are told without a cohort only."


@dataclass(frozen=True, slots=True)
class Preview(Question):
    """The past of a definition: counts, people, unknown, first and last, days, texts, pages, elements, overlaps.

    `count_only` stops after the days, which come first where many events match.
    """

    definition: Step
    days: int = 90
    samples: int = 10
    count_only: bool = False


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
class SampleElement:
    """An element that matched, with its whole chain."""

    element_id: str
    events: int
    chain: tuple[Level, ...]


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


def preview(reading: Reading, question: Preview) -> PreviewAnswer:
    """Counts, people, unknown, first and last, days; and unless only the count is asked, what the events were."""
    *_, last = preview_parts(reading, question)
    return last


def preview_parts(reading: Reading, question: Preview) -> Iterator[PreviewAnswer]:
    """The count, as soon as it is known, and then the whole, unless only the count is asked for."""
    definition = reading.definition(question.definition)
    with opened_facts(reading.connection, reading.summaries) as facts:
        yield from _parts(reading, question, definition, facts)


def _parts(
    reading: Reading, question: Preview, definition: Definition, facts: Facts | None
) -> Iterator[PreviewAnswer]:
    past = find_past(reading, definition, facts)
    unknown = past.matched.definitions[0].unknown
    notes = [*past.matched.notes, *([UNKNOWN_RULE] if unknown else [])]
    days = _days(reading, question.days)
    counted = PreviewAnswer(
        question=question,
        basis=_basis(reading, past, notes),
        name=definition.name,
        events=past.events,
        people=past.people,
        unknown=unknown,
        unknown_share=unknown / (past.events + unknown) if past.events + unknown else None,
        first_seen=at(past.first),
        last_seen=at(past.last),
        days=days,
        texts=(),
        pages=(),
        distinct_texts=0,
        distinct_pages=0,
        samples=(),
        unknown_reasons=unknown_reasons(reading, definition) if unknown else (),
        is_whole=False,
    )
    yield counted
    if question.count_only:
        return
    listed = _listed(reading)
    samples = _samples(reading, past, question.samples)
    if reading.chosen is None:
        overlaps, said = find_overlaps(reading, definition, past, facts)
    else:
        overlaps, said = [], [NO_OVERLAPS]
    basis = _basis(reading, past, [*notes, *said])
    yield replace(counted, basis=basis, samples=samples, overlaps=tuple(overlaps), is_whole=True, **listed)


def _basis(reading: Reading, past: Past, notes: Sequence[str]) -> Basis:
    return reading.basis(definitions=past.matched.definitions, left_out=past.matched.left_out, notes=notes)


def _days(reading: Reading, days: int) -> tuple[Day, ...]:
    """So many days until today, and those after it in which something happened."""
    today = reading.calendar.day(reading.now)
    first = today - timedelta(days=days - 1)
    per_day = {
        date.fromisoformat(day): events
        for day, events in reading.run("preview_days.sql", {"first_day": first})
    }
    last = max([today, *per_day])
    listed = (first + timedelta(days=past) for past in range((last - first).days + 1))
    return tuple(Day(day, per_day.get(day, 0)) for day in listed)


def _listed(reading: Reading) -> dict[str, Any]:
    """The distinct texts and pages with the most events, and how many there are."""
    rows = reading.run("preview.sql", {"listed": LISTED})
    found: dict[str, Any] = {}
    for fact in ("text", "page"):
        of_fact = [row[1:] for row in rows if row[0] == fact]
        values = sorted((Counted(*row[:2]) for row in of_fact), key=lambda each: (-each.events, each.value))
        found |= {f"{fact}s": tuple(values), f"distinct_{fact}s": of_fact[0][2] if of_fact else 0}
    return found


def _samples(reading: Reading, past: Past, count: int) -> tuple[SampleElement, ...]:
    """The elements with the most events, and which of each chain the selector matched."""
    rows = reading.run("samples.sql", {"samples": count})
    placed = placed_chains(reading, "samples")
    is_subject = _subjects(reading, past, [level for levels in placed.values() for level in levels])
    found = []
    for element, placement, events in rows:
        levels = placed.get(placement, [])
        distance = next((each.level.distance for each in levels if is_subject(each)), None)
        chain = with_subject(tuple(each.level for each in levels), distance)
        found.append(SampleElement(str(element), events, chain))
    return tuple(found)


def _subjects(reading: Reading, past: Past, levels: Sequence[Placed]) -> Callable[[Placed], bool]:
    """Whether one of these is surely matched itself, by any selector of the definition."""
    [compiled] = past.matched.compiled
    if not levels or not compiled.selectors:
        return lambda _: False
    places = {place for each in levels for place in (each.element_id, each.placement_id)}
    relations = [Fragment(used.relation) for used in compiled.selectors]
    of_elements: set[int] = set()
    of_placements: set[int] = set()
    for number, place in reading.run("subjects.sql", {"places": sorted(places)}, relations=relations):
        is_element = compiled.selectors[number].compiled.grain == ELEMENTS
        (of_elements if is_element else of_placements).add(place)
    return lambda each: each.element_id in of_elements or each.placement_id in of_placements
