"""The numbers of local hours, days, weeks and months of many instants: the twin of `sql/period.sql` for arrays."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from expost.clock import from_micros

from .calendar import HOUR, Calendar
from .latest_start import Numbers

DAY = 86_400_000_000
SECOND = 1_000_000
MONDAY = 4
"""The 5th of January 1970, counted from the first as 0."""


def period_numbers(calendar: Calendar, moments: Numbers, period: str) -> Numbers:
    """The number of the local day, week or month of each instant; of an hour the instant at which it began."""
    if not len(moments):
        return moments
    local = moments + _offsets(calendar, moments)
    if period == "hour":
        return moments - local % HOUR
    days = local // DAY
    if period == "day":
        return days
    if period == "week":
        return (days - MONDAY - calendar.week_start) // 7
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months + 1970 * 12


def _offsets(calendar: Calendar, moments: Numbers) -> Numbers:
    """How far the local clock is ahead of UTC at each instant, in microseconds."""
    since, offsets = [], []
    for day in np.unique(moments // DAY).tolist():
        begins, ends = day * DAY, (day + 1) * DAY
        since.append(begins)
        offsets.append(_offset(calendar, begins))
        after = _offset(calendar, ends)
        if after != offsets[-1]:
            since.append(_change(calendar, begins, ends))
            offsets.append(after)
    if len(set(offsets)) == 1:
        return np.array(offsets[:1], np.int64)
    return np.array(offsets, np.int64)[np.searchsorted(np.array(since), moments, "right") - 1]


def _offset(calendar: Calendar, micros: int) -> int:
    return (from_micros(micros).astimezone(calendar.zone).utcoffset() or timedelta()) // timedelta(
        microseconds=1
    )


def _change(calendar: Calendar, low: int, high: int) -> int:
    """The first instant with the offset of `high`, which is another one than at `low`: clocks are put at a second."""
    after = _offset(calendar, high)
    first, last = low // SECOND, -(-high // SECOND)
    while last - first > 1:
        middle = (first + last) // 2
        if _offset(calendar, middle * SECOND) == after:
            last = middle
        else:
            first = middle
    return last * SECOND
