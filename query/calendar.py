"""The days, weeks and months of a report, as instants and as numbers (the SQL twin is `sql/period.sql`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from expost.clock import from_micros, to_micros
from expost.errors import InvalidInput
from expost.state.sites import Site

from .interval import EARLIEST, LATEST, Interval
from .question import Moment

EPOCH, FIRST_MONDAY = date(1970, 1, 1), date(1970, 1, 5)
HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days and weeks of a report. `week_start` counts from Monday as 0."""

    zone: ZoneInfo
    week_start: int = 0

    def micros(self, moment: Moment | None, default: int) -> int:
        """The instant of a moment as a question has it."""
        if moment is None:
            return default
        if not isinstance(moment, datetime):
            return self.midnight(moment)
        try:
            return to_micros(moment if moment.tzinfo else moment.replace(tzinfo=self.zone))
        except OverflowError:
            return EARLIEST if moment.year < 2000 else LATEST

    def midnight(self, day: date) -> int:
        """The first instant of a local day."""
        return to_micros(datetime(day.year, day.month, day.day, tzinfo=self.zone))

    def day(self, micros: int) -> date:
        """The local date of an instant."""
        return from_micros(micros).astimezone(self.zone).date()


def calendar_of(site: Site, time_zone: str | None = None, week_start: int | None = None) -> Calendar:
    """The calendar of a site, or that of another time zone and with other weeks."""
    name = time_zone or site.time_zone
    try:
        return Calendar(ZoneInfo(name), site.week_start if week_start is None else week_start)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise InvalidInput(
            f"time_zone is {name!r}, which is no time zone.",
            hint="For example: Europe/Berlin, America/New_York, UTC",
        ) from problem


def interval_of(calendar: Calendar, start: Moment | None, end: Moment | None) -> Interval:
    """Where a version is valid, from the words of a question: a date is the first instant of its local day."""
    return Interval(*(None if each is None else calendar.micros(each, 0) for each in (start, end)))


def interval_words(calendar: Calendar, interval: Interval) -> dict[str, str]:
    """`valid_from` and `valid_until` as a form has them: a local day, or an instant that is not the first of one.

    >>> berlin = Calendar(ZoneInfo("Europe/Berlin"))
    >>> interval_words(berlin, interval_of(berlin, date(2026, 11, 20), None))
    {'valid_from': '2026-11-20'}
    """
    sides = (("valid_from", interval.start), ("valid_until", interval.end))
    return {name: _written(calendar, micros) for name, micros in sides if micros is not None}


def _written(calendar: Calendar, micros: int) -> str:
    day = calendar.day(micros)
    is_day = calendar.midnight(day) == micros
    return day.isoformat() if is_day else from_micros(micros).astimezone(calendar.zone).isoformat()


def period_number(calendar: Calendar, day: date, period: str) -> int:
    """The number that period.sql gives to the period of a local day."""
    if period == "day":
        return (day - EPOCH).days
    if period == "month":
        return day.year * 12 + day.month - 1
    return ((day - FIRST_MONDAY).days - calendar.week_start) // 7


def first_day(calendar: Calendar, number: int, period: str) -> date:
    """The first local day of a period."""
    if period == "day":
        return EPOCH + timedelta(days=number)
    if period == "month":
        return date(number // 12, number % 12 + 1, 1)
    return FIRST_MONDAY + timedelta(days=number * 7 + calendar.week_start)


def hour_start(calendar: Calendar, micros: int) -> int:
    """The instant at which the local hour of an instant began."""
    offset = from_micros(micros).astimezone(calendar.zone).utcoffset() or timedelta(0)
    local = micros + offset // timedelta(microseconds=1)
    return micros - local % HOUR
