"""Funnels in any order: how many different steps lie in one window, each by an event of its own.

Where an event matches several steps, which of them it serves has to be decided so that most are served: a matching of
events to steps. Events are taken in their order, and one is taken if the steps taken so far can be shared out among
one more event (an augmenting path, H. W. Kuhn 1955). What is taken so is the earliest set of that size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from .reading import Reading, Row, fed_into

COLUMNS = ("unit_id", "is_exposed_only", "reached", "reached_complete", "step", "position", "moment", "place")


@dataclass(frozen=True, slots=True)
class Marked:
    """One event of a unit and the steps that it matches; none where it only ends attempts."""

    position: int
    moment: int
    steps: tuple[int, ...]
    ends: bool
    is_entry: bool
    is_complete: bool
    is_after_exposure: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """Events of one attempt in their order, each with the step that it serves."""

    taken: tuple[tuple[Marked, int], ...]

    @property
    def rank(self) -> tuple[int, int, int]:
        """What comes first is shown: the deepest; of those the one that gets there first; of those the latest start."""
        return -len(self.taken), self.taken[-1][0].position, -self.taken[0][0].position


def prepare_any(
    reading: Reading, values: dict[str, Any], structure: dict[str, Any], *, ends: frozenset[int]
) -> None:
    """Make the relation `shown` of a funnel in any order; `ends` are the numbers of what ends an attempt."""
    stages = structure["stages"]
    reading.run("funnel_any.sql", values, **structure)
    rows = reading.run("funnel_any_shared.sql", values, **structure)
    if rows:
        within, by_flag = structure["within"], structure["by_flag"]
        events = list(shared_attempts(rows, len(stages), ends, within, by_flag=by_flag))
        if events:
            reading.feed("attempt_events", COLUMNS, events)
    reading.run("funnel_any_shown.sql", values, **structure)


def quote_any(
    reading: Reading, values: dict[str, Any], structure: dict[str, Any], *, shares_events: bool
) -> None:
    """Remember the same statements; with `shares_events` a unit with an entry has an event of several steps."""
    reading.quote("funnel_any.sql", values, **structure)
    reading.quote("funnel_any_shared.sql", values, **structure)
    if shares_events:
        reading.say(fed_into("attempt_events", COLUMNS), {})
    reading.quote("funnel_any_shown.sql", values, **structure)


def shared_attempts(
    rows: Iterable[Row], steps: int, ends: frozenset[int], within: int, *, by_flag: bool
) -> Iterator[tuple[Any, ...]]:
    """The rows of `attempt_events` for units of which an event matches several steps."""
    for unit, of_unit in groupby(rows, key=lambda row: row[0]):
        events = [_marked(list(same), steps, ends) for _, same in groupby(of_unit, key=lambda row: row[1])]
        for is_exposed_only in (False, True) if by_flag else (False,):
            counted = [event for event in events if event.is_after_exposure or not is_exposed_only]
            attempts = [
                (attempt_from(counted[place:], within), event.is_complete)
                for place, event in enumerate(counted)
                if event.is_entry
            ]
            if not attempts:
                continue
            shown = min((attempt for attempt, _ in attempts), key=lambda attempt: attempt.rank)
            complete = max((len(attempt.taken) for attempt, is_over in attempts if is_over), default=0)
            for place, (event, step) in enumerate(shown.taken, 1):
                yield (
                    unit, is_exposed_only, len(shown.taken), complete, step, event.position, event.moment, place,
                )  # fmt: skip


def attempt_from(events: Sequence[Marked], within: int) -> Attempt:
    """The attempt that begins with the first of these events."""
    first = events[0]
    serving: dict[int, int] = {}
    taken: list[int] = []
    for place, event in enumerate(events):
        if event.moment - first.moment > within:
            break
        if _find_room(place, events, serving, set()):
            taken.append(place)
        if event.ends and place:
            break
    step_of = {place: step for step, place in serving.items()}
    return Attempt(tuple((events[place], step_of[place]) for place in taken))


def _find_room(place: int, events: Sequence[Marked], serving: dict[int, int], tried: set[int]) -> bool:
    """Give the event at `place` a step to serve, moving others to other steps of theirs where that makes room."""
    for step in events[place].steps:
        if step not in tried:
            tried.add(step)
            if step not in serving or _find_room(serving[step], events, serving, tried):
                serving[step] = place
                return True
    return False


def _marked(rows: Sequence[Row], steps: int, ends: frozenset[int]) -> Marked:
    _, position, moment, _, _, is_complete, is_after_exposure = rows[0]
    return Marked(
        position,
        moment,
        tuple(row[3] for row in rows if row[3] <= steps),
        any(row[3] in ends for row in rows),
        any(row[4] for row in rows),
        is_complete,
        is_after_exposure,
    )
