"""Retention: cohorts by the calendar period in which people began, and who came back in the n-th period after it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from .answer import Cohort, LeftOut, PooledPeriod, RetentionAnswer, RetentionGroup, RetentionPeriod
from .calendar import first_day, period_number
from .funnel import FLAG_RULES, GroupKey, in_order
from .interval import EARLIEST
from .question import Retention
from .reading import Reading, at, match

TOTAL: GroupKey = ("total", None)
RULES = (
    "Period 0 counts a return only if it is a different event later than the start.",
    "The pooled row is people who returned divided by people who could have, over cohorts whose period is over.",
)


def retention(reading: Reading, question: Retention) -> RetentionAnswer:
    """Who came back."""
    steps = [reading.definition(question.begins), reading.definition(question.returns)]
    is_first_ever = question.entry == "first_ever"
    bounds = (EARLIEST if is_first_ever else reading.start, reading.now + 1) if reading.has_range else None
    flag = question.by.key if question.by else None
    matched = match(reading, steps, bounds=bounds, flag=flag)
    values = {"periods": question.periods, "week_start": reading.calendar.week_start}
    rows = reading.run(
        "retention.sql", values, period=question.period, is_first_ever=is_first_ever, by_flag=flag is not None
    )
    sizes: dict[GroupKey, dict[int, int]] = {TOTAL: {}}
    people: dict[GroupKey, dict[tuple[int, int], int]] = {}
    exposed = several = 0
    for fact, kind, value, cohort, period, count, of_several in rows:
        if fact == "size":
            sizes.setdefault((kind, value), {})[cohort] = count
            if kind in ("variation", "before exposure"):
                exposed, several = exposed + count, several + of_several
        else:
            people.setdefault((kind, value), {})[cohort, period] = count
    tables = {key: _table(sizes[key], people.get(key, {}), question, reading) for key in sizes}
    cohorts, pooled = tables.pop(TOTAL)
    data_begins = _data_begins(reading)
    notes = [*matched.notes, *RULES, *(FLAG_RULES if question.by else ())]
    if is_first_ever and data_begins is not None:
        notes.append(
            f"First ever means the first in kept data, which begins at {data_begins:%Y-%m-%d %H:%M} UTC."
        )
    return RetentionAnswer(
        question=question,
        basis=reading.basis(
            definitions=matched.definitions, left_out=(*matched.left_out, *_daily(reading)), notes=notes
        ),
        period=question.period,
        cohorts=cohorts,
        pooled=pooled,
        groups=tuple(RetentionGroup(*key, *tables[key]) for key in in_order(tables)),
        several_variations=several / exposed if exposed else None,
        data_begins=data_begins,
    )


def _table(
    sizes: Mapping[int, int], people: Mapping[tuple[int, int], int], question: Retention, reading: Reading
) -> tuple[tuple[Cohort, ...], tuple[PooledPeriod, ...]]:
    calendar = reading.calendar
    # The period that runs now is the first one that is not over.
    running = period_number(calendar, calendar.day(reading.now), question.period)
    cohorts = tuple(
        Cohort(
            start=first_day(calendar, cohort, question.period),
            size=size,
            periods=tuple(
                RetentionPeriod(period, people.get((cohort, period), 0), cohort + period < running)
                for period in range(min(question.periods, running - cohort) + 1)
            ),
        )
        for cohort, size in sorted(sizes.items())
    )
    pooled = []
    for period in range(question.periods + 1):
        over = [cohort for cohort in sizes if cohort + period < running]
        size = sum(sizes[cohort] for cohort in over)
        returned = sum(people.get((cohort, period), 0) for cohort in over)
        pooled.append(PooledPeriod(period, returned, size, returned / size if size else None))
    return cohorts, tuple(pooled)


def _data_begins(reading: Reading) -> datetime | None:
    [(first,)] = reading.execute("select min(epoch_us(time)) from lake.events where site = $site;", {})
    return at(first)


def _daily(reading: Reading) -> list[LeftOut]:
    [(events, people, every)] = reading.run("retention_daily.sql", {})
    return [LeftOut("cookieless: a new id every day", events, people, events / every)] if events else []
