"""Funnels: how many reached each step, and how long it took them, from the relation `results`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from .answer import LeftOut
from .attempt import StepShape
from .breakdown import Flag
from .calendar import first_day
from .definition import Definition
from .funnel import EntryPeriod, Funnel, FunnelAnswer, FunnelGroup, FunnelStep, Times, TimesBar
from .funnel_arrays import is_for_arrays
from .funnel_pass import funnel_passed, quote_results
from .funnel_portions import ResultsOfPortions, daily_structure, is_for_portions
from .funnel_results import Asked, asked_of, make_matched, make_results
from .gathering import by_arrays_or_none
from .grouping import GroupKey, group_rules, in_order
from .matched import Matched
from .reading import Reading, Row
from .session_portions import match_in_portions

PERCENTILES = (10, 25, 50, 75, 90, 95, 99)
SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
BOUNDS = (
    SECOND, 5 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE,
    HOUR, 2 * HOUR, 4 * HOUR, 12 * HOUR, DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY, 30 * DAY,
)  # fmt: skip
"""Upper bounds of the bars of a histogram of times; what took longer than the last is one bar more."""
ORDER_RULES = {
    "ordered": "The window counts from the first step; a person is counted at a step if any attempt reaches it.",
    "strict": "Nothing of the named events lies between two steps; the window counts from the first step.",
    "any": "An attempt begins with any step, and bar n counts who did n different steps in any order, each by an event "
    "of its own, within the window from there.",
}
SHOWN_RULE = (
    "The attempt shown is the deepest; of those the one that gets there first; of those the latest start."
)
OPTIONAL_RULE = "An optional step counts where the shown attempt has it between the steps around it."


@dataclass(frozen=True, slots=True)
class Tables:
    """What was matched, and the rows of the statements that count, whichever way they were found."""

    matched: Matched
    counts: Sequence[Row]
    times: Sequence[Row]
    daily: Row
    over: Sequence[Row]


def counted_funnel(reading: Reading, question: Funnel, *, is_first_only: bool = False) -> FunnelAnswer:
    """How many units reached each step, without a comparison."""
    asked = asked_of(reading, question)
    tables = None
    if is_for_arrays(question, is_first_only=is_first_only):
        tables = by_arrays_or_none(reading, lambda: _by_arrays(reading, asked, is_first_only=is_first_only))
    if tables is None and reading.is_fast and is_for_portions(question):
        tables = _in_portions(reading, asked, is_first_only=is_first_only)
    if tables is None:
        tables = _by_relations(reading, question, is_first_only=is_first_only)
    names = bar_names(question, asked.steps)
    times = _times(tables.times)
    found = {(row[0], row[1]): row for row in tables.counts}
    total = found.get(("total", None))
    groups = [
        FunnelGroup(kind, value, _bars(names, asked.shapes, found[kind, value], times.get((kind, value), {})))
        for kind, value in in_order(key for key in found if key[0] != "total")
    ]
    bars = _bars(names, asked.shapes, total, times.get(("total", None), {}))
    if isinstance(question.by, Flag):
        bars = tuple(
            replace(bar, outside_groups=bar.people - sum(group.steps[place].people for group in groups))
            for place, bar in enumerate(bars)
        )
    kinds = ("variation", "several variations", "before exposure")
    exposed = sum(row[2] for key, row in found.items() if key[0] in kinds)
    several = sum(row[3] for key, row in found.items() if key[0] in kinds)
    incomplete = total[4] if total else 0
    notes = [*tables.matched.notes, *funnel_rules(question)]
    if incomplete:
        what = question.unit.plural
        notes.append(
            f"The window of {incomplete} {what} is not over yet; shares are given with and without them."
        )
    if any(bar.outside_groups for bar in bars):
        notes.append(
            "Some people had completed steps before their exposure; the difference is given per step."
        )
    left_out = (*tables.matched.left_out, *_daily(tables, question))
    return FunnelAnswer(
        question=question,
        basis=reading.basis(definitions=tables.matched.definitions, left_out=left_out, notes=notes),
        steps=bars,
        groups=tuple(groups),
        incomplete_people=incomplete,
        several_variations=several / exposed if exposed else None,
        periods=_periods(reading, tables.over, question),
    )


def bar_names(question: Funnel, steps: Sequence[Definition]) -> tuple[str, ...]:
    """What the bars are called: by their steps, or in any order by how many steps they count."""
    if question.order != "any":
        return tuple(step.name for step in steps)
    return tuple(f"{number} of {len(steps)}" for number in range(1, len(steps) + 1))


def funnel_rules(question: Funnel) -> list[str]:
    """The rules that decide, in words."""
    rules = [ORDER_RULES[question.order], SHOWN_RULE]
    if any(stage.optional for stage in question.stages):
        rules.append(OPTIONAL_RULE)
    return rules + group_rules(question.by)


def _bars(
    names: Sequence[str], shapes: Sequence[StepShape], row: Row | None, times: Mapping[int, Times]
) -> tuple[FunnelStep, ...]:
    """The bars of one group, from its row of funnel_counts.sql: five columns about the group, two for each step."""
    numbers: list[int] = list(row[5:]) if row else [0, 0] * len(names)
    counts = list(zip(numbers[::2], numbers[1::2], strict=True))
    everyone, complete = counts[0]
    bars = []
    for shape, name, (people, complete_people) in zip(shapes, names, counts, strict=True):
        before = counts[shape.before - 1][0] if shape.before else people
        after = counts[shape.after - 1][0] if shape.after else people
        taken = times.get(shape.number)
        bars.append(
            FunnelStep(
                name=name,
                people=people,
                share=_share(people, everyone),
                share_of_previous=_share(people, before),
                dropped_off=0 if shape.is_optional else people - after,
                complete_people=complete_people,
                complete_share=_share(complete_people, complete),
                median_ms=taken.percentiles_ms[50] if taken else None,
                median_from_start_ms=taken.from_start_ms[50] if taken else None,
                times=taken,
                is_optional=shape.is_optional,
            )
        )
    return tuple(bars)


def _times(rows: Iterable[Row]) -> dict[GroupKey, dict[int, Times]]:
    """How long each step took, by group and number of the step."""
    found: dict[GroupKey, dict[int, Times]] = {}
    many = len(PERCENTILES)
    for kind, value, step, *numbers in rows:
        reached, everyone = numbers[2 * many : -1], numbers[-1]
        counts = [now - before for now, before in zip([*reached, everyone], [0, *reached], strict=True)]
        uppers = [*(bound / 1_000 for bound in BOUNDS), None]
        lowers = [0.0, *(bound / 1_000 for bound in BOUNDS)]
        bars = [TimesBar(*each) for each in zip(lowers, uppers, counts, strict=True)]
        while bars and not bars[-1].people:
            bars.pop()
        found.setdefault((kind, value), {})[step] = Times(
            _milliseconds(numbers[:many]), _milliseconds(numbers[many : 2 * many]), tuple(bars)
        )
    return found


def _milliseconds(values: Sequence[int]) -> dict[int, float]:
    return {name: value / 1_000 for name, value in zip(PERCENTILES, values, strict=True)}


def _periods(reading: Reading, rows: Sequence[Row], question: Funnel) -> tuple[EntryPeriod, ...]:
    """The funnel by the period of entry."""
    if question.over is None:
        return ()
    order = [("total", None), *in_order({(row[0], row[1]) for row in rows} - {("total", None)})]
    return tuple(
        EntryPeriod(
            kind, value, first_day(reading.calendar, number, question.over), tuple(people), incomplete
        )
        for kind, value, number, incomplete, *people in sorted(
            rows, key=lambda row: (order.index((row[0], row[1])), row[2])
        )
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _daily(tables: Tables, question: Funnel) -> list[LeftOut]:
    """Entries of daily ids whose window reaches past their day."""
    events, people = tables.daily
    entries = range(len(question.steps) if question.order == "any" else 1)
    whole = sum(tables.matched.definitions[place].events for place in entries)
    return [LeftOut("cookieless: window past the day", events, people, events / whole)] if events else []


def _by_relations(reading: Reading, question: Funnel, *, is_first_only: bool) -> Tables:
    """Every number by the portable SQL."""
    asked = asked_of(reading, question)
    matched = make_matched(reading, asked)
    make_results(reading, asked, is_first_only=is_first_only)
    return _of_results(reading, asked, matched)


def _in_portions(reading: Reading, asked: Asked, *, is_first_only: bool) -> Tables:
    """The same of some sessions after the others; the answer has the portable SQL, which gives the same."""
    parts = ResultsOfPortions(reading, asked, is_first_only=is_first_only)
    matched = match_in_portions(reading, asked.definitions, parts.add, **asked.match)
    parts.make_results()
    quote_results(reading, asked, shares_events=False, is_first_only=is_first_only)
    return _of_results(reading, asked, matched, parts.daily)


def _of_results(reading: Reading, asked: Asked, matched: Matched, daily: Row | None = None) -> Tables:
    """The numbers of the relation `results`; `daily` are those of daily ids, if they are known."""
    values, shapes, question = asked.values, asked.shapes, asked.question
    counts = reading.run("funnel_counts.sql", values, stages=shapes)
    times, over = [], []
    if len(shapes) > 1:
        times = reading.run("funnel_times.sql", values, stages=shapes, percentiles=PERCENTILES, bounds=BOUNDS)
    if daily is None:
        [daily] = reading.run("funnel_daily.sql", values, **daily_structure(asked))
    else:
        reading.quote("funnel_daily.sql", values, **daily_structure(asked))
    if question.over is not None:
        values = values | {"week_start": reading.calendar.week_start}
        over = reading.run("funnel_over.sql", values, stages=shapes, period=question.over)
    return Tables(matched, counts, times, daily, over)


def _by_arrays(reading: Reading, asked: Asked, *, is_first_only: bool) -> Tables:
    """The same numbers by a pass over arrays; the answer has the portable SQL, which gives them too."""
    passed = funnel_passed(reading, asked, is_first_only=is_first_only)
    values, shapes = asked.values, asked.shapes
    reading.quote("funnel_counts.sql", values, stages=shapes)
    if len(shapes) > 1:
        reading.quote("funnel_times.sql", values, stages=shapes, percentiles=PERCENTILES, bounds=BOUNDS)
    reading.quote("funnel_daily.sql", values, **daily_structure(asked))
    if asked.question.over is not None:
        weeks = {"week_start": reading.calendar.week_start}
        reading.quote("funnel_over.sql", values | weeks, stages=shapes, period=asked.question.over)
    counts = passed.tables.counts
    times = counts.time_rows(PERCENTILES, BOUNDS)
    return Tables(passed.matched, counts.count_rows(), list(times), passed.tables.daily, counts.over_rows())
