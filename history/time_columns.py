"""In which columns of a table the times stand and how they are written, as far as its first rows show."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time

from .foreign import Row, Unusable, likely_unit, moment_of, text_of
from .mapping import NUMBER

MOSTLY = 0.9

DOTTED = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y")
"""Times with the day first. With slashes nobody knows whether it is the day or the month: a person has to say."""

COMPACT = "%Y%m%d"

CLOCK_NAMES = ("time", "time_of_day", "event_time", "hour", "clock", "uhrzeit", "zeit")
DAY_NAMES = ("date", "event_date", "day", "datum", "tag")
"""What columns are called that hold one half of a time."""
CLOCK_PARTS = frozenset(
    (
        *CLOCK_NAMES,
        "hours",
        "h",
        "hh",
        "std",
        "stunde",
        "stunden",
        "minute",
        "minutes",
        "min",
        "mm",
        "minuten",
    )
)
"""What columns are called that hold less than that: an hour, a minute."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}/\d{1,2}/\d{2,4}|\d{8}")
_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?")
_SORTED_DAY = re.compile(r"\d{4}-\d\d-\d\d|\d{8}")
_COMPACT_CLOCK = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?")


def with_other_half(rows: Sequence[Row], column: str, names: Sequence[str]) -> tuple[str, ...]:
    """The columns of the times, if those of `column` are days or clocks alone and one of `names` has the other half."""
    if is_day(rows, column):
        other = _called(rows, names, CLOCK_NAMES, is_clock)
        # Only behind a day that ISO 8601 knows: a format of strptime would read "230" as 23:00.
        if other is None and _are_all(rows, column, _SORTED_DAY):
            other = _called(rows, names, CLOCK_NAMES, is_compact_clock)
        return (column, other) if other else (column,)
    if is_clock(rows, column):
        other = _called(rows, names, DAY_NAMES, is_day)
        return (other, column) if other else (column,)
    return (column,)


def _called(
    rows: Sequence[Row],
    names: Sequence[str],
    likely: Sequence[str],
    is_half: Callable[[Sequence[Row], str], bool],
) -> str | None:
    return next((name for name in names if name.lower() in likely and is_half(rows, name)), None)


def is_day(rows: Sequence[Row], column: str) -> bool:
    """Whether a column holds days without a time of day, all of them or nearly so."""
    return _mostly(
        rows,
        column,
        lambda value: (
            (isinstance(value, date) and not isinstance(value, datetime))
            or _DAY.fullmatch(text_of(value)) is not None
        ),
    )


def is_clock(rows: Sequence[Row], column: str) -> bool:
    """Whether a column holds times of day without a day, or durations that are written so."""
    return _mostly(
        rows, column, lambda value: isinstance(value, time) or _CLOCK.fullmatch(text_of(value)) is not None
    )


def is_compact_clock(rows: Sequence[Row], column: str) -> bool:
    """Whether a column may hold times of day written as 0230 or 023000, and nothing else."""
    return _are_all(rows, column, _COMPACT_CLOCK)


def is_clock_part(rows: Sequence[Row], column: str) -> bool:
    """Whether a column is called like a time of day or a part of it, and holds numbers."""
    return column.lower() in CLOCK_PARTS and _mostly(
        rows, column, lambda value: re.fullmatch(r"\d{1,6}", text_of(value)) is not None
    )


def find_times(rows: Sequence[Row], names: Sequence[str]) -> str | None:
    """The first column whose values are times, all of them or nearly so."""
    return next((name for name in names if _mostly(rows, name, _is_time)), None)


def _mostly(rows: Sequence[Row], column: str, is_so: Callable[[object], bool]) -> bool:
    values = [value for row in rows if (value := row.get(column)) not in (None, "")]
    return bool(values) and sum(map(is_so, values)) >= MOSTLY * len(values)


def _are_all(rows: Sequence[Row], column: str, written: re.Pattern[str]) -> bool:
    values = [text for row in rows if (text := text_of(row.get(column)))]
    return bool(values) and all(map(written.fullmatch, values))


def _is_time(value: object) -> bool:
    # A number may be anything.
    if isinstance(value, str) and NUMBER.match(value):
        return False
    return _is_in(value, guess_format([value]))


def guess_format(values: Sequence[object]) -> str:
    """In which format most of these times seem to be.

    >>> guess_format(["24.10.2026 02:30", "32.13.2026 02:30", "25.10.2026 02:30"])
    '%d.%m.%Y %H:%M'
    >>> guess_format([1790000000, 1790000001, 1790000002123])
    'seconds'
    """
    texts = [value for value in values if value not in (None, "")]
    if _is_most(sum(1 for each in texts if re.fullmatch(r"\d{8}", str(each))), texts):
        return COMPACT
    numbers = [float(str(each)) for each in texts if not isinstance(each, date) and NUMBER.match(str(each))]
    if _is_most(len(numbers), texts):
        # Zeros stand where nothing was known.
        units = Counter(likely_unit(each) for each in numbers if each)
        return units.most_common(1)[0][0] if units else "seconds"
    # Of those that as many are in, the first.
    return max(("iso", *DOTTED), key=lambda form: sum(_is_in(each, form) for each in texts))


def _is_most(some: int, values: Sequence[object]) -> bool:
    return 2 * some > len(values)


def _is_in(value: object, form: str) -> bool:
    try:
        moment_of(value, form)
    except Unusable:
        return False
    return True


def unlike(times: Mapping[int, object], form: str) -> list[str]:
    """What is to be said of times, by their rows, that are not in a format: how many, and the first of them."""
    if not times:
        return []
    others = {row: value for row, value in times.items() if not _is_in(value, form)}
    if not others:
        return []
    shown = ", ".join(
        f"row {row} ({text_of(value)[:40] or 'nothing'})" for row, value in list(others.items())[:3]
    )
    more = ", …" if len(others) > 3 else ""
    if len(others) == len(times):
        return [f'None of the first {len(times)} times is as time_format = "{form}" has it: {shown}{more}']
    return [
        f"{len(others)} of the first {len(times)} times are not of this format, and will be rejected: {shown}{more}"
    ]
