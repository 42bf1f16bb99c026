"""How numbers, shares, times and lengths of time are written on pages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from expost.query.duration import rounded_to_two_units
from expost.query.estimate import Estimate, EstimatedShare
from expost.query.sessions import SessionFigures

NOTHING = "–"


def number(value: int | float | None) -> str:
    """A count, grouped: `number(1204)` is `"1,204"`.

    >>> number(1204), number(None), number(2.5)
    ('1,204', '–', '2.5')
    """
    if value is None:
        return NOTHING
    if isinstance(value, float) and not value.is_integer():
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else f"{int(value):,}"


def difference(value: int) -> str:
    """By how much a count is more or less, with the sign that is as wide as the other one.

    >>> difference(1204), difference(-27)
    ('+1,204', '\N{MINUS SIGN}27')
    """
    return f"{value:+,}".replace("-", "\N{MINUS SIGN}")


def begun(text: str) -> str:
    """The text as a sentence or a heading begins; the rest of it stays as it was given.

    >>> begun("its id is no UUID"), begun("")
    ('Its id is no UUID', '')
    """
    return text[:1].upper() + text[1:]


def plural(count: float, word: str, words: str = "") -> str:
    """The word for this many.

    >>> plural(1, "event"), plural(0, "event"), plural(2, "person", "people")
    ('event', 'events', 'people')
    """
    return word if count == 1 else words or f"{word}s"


def share(part: float | None, whole: float | None) -> str:
    """`part` of `whole` in per cent, with one decimal; never a rounded 0 or 100 for what is not.

    >>> share(1, 3), share(1, 100_000), share(99_999, 100_000), share(3, 3), share(1, 0)
    ('33.3%', '<0.1%', '>99.9%', '100%', '–')
    """
    if part is None or not whole:
        return NOTHING
    if isinstance(part, EstimatedShare) and whole == 1:
        return f"≈{share(float(part), 1)} ({share(part.low, 1)}–{share(part.high, 1)})"
    if isinstance(part, Estimate):
        return f"≈{share(int(part), float(whole))}"
    percent = 100 * part / whole
    if percent <= 0 or percent == 100:
        return f"{percent:.0f}%"
    if percent < 0.1:
        return "<0.1%"
    if 99.9 < percent < 100:
        return ">99.9%"
    return f"{percent:.1f}%"


def brief(value: int | float | None) -> str:
    """A count without the interval that it may have: beside a bar there is no room for it.

    >>> from expost.query.estimate import estimate
    >>> brief(1204), brief(None), brief(estimate(50, 0.1))
    ('1,204', '–', '≈500')
    """
    if isinstance(value, Estimate):
        return f"≈{int(value):,}"
    return number(value)


def brief_share(part: float | None) -> str:
    """A share without its interval, as above.

    >>> brief_share(0.25), brief_share(None)
    ('25.0%', '–')
    """
    return f"≈{share(float(part), 1)}" if isinstance(part, EstimatedShare) else share(part, 1)


def duration(seconds: float | None) -> str:
    """A length of time in its two largest units, rounded to the smaller one.

    >>> duration(3_725), duration(3_599.6), duration(0.42), duration(9.96), duration(89_999), duration(None)
    ('1 h 2 min', '1 h', '0.4 s', '10 s', '1 d 1 h', '–')
    """
    if seconds is None:
        return NOTHING
    if seconds < 9.95:
        return f"{seconds:.1f} s" if seconds % 1 else f"{seconds:.0f} s"
    whole = rounded_to_two_units(seconds)
    units = (
        ("d", whole // 86_400),
        ("h", whole % 86_400 // 3_600),
        ("min", whole % 3_600 // 60),
        ("s", whole % 60),
    )
    return " ".join(f"{amount} {unit}" for unit, amount in units if amount)


def milliseconds(value: float | None) -> str:
    """A length of time given in milliseconds.

    >>> milliseconds(84_000), milliseconds(83_600), milliseconds(38.4), milliseconds(999.7)
    ('1 min 24 s', '1 min 24 s', '38 ms', '1.0 s')
    """
    if value is not None and 0 < value < 999.5:
        return f"{value:.0f} ms"
    return duration(None if value is None else value / 1_000)


def lengths(figures: SessionFigures) -> str:
    """How long sessions lasted: `25% up to 12 s · 50% up to 3 min · …`."""
    return " · ".join(
        f"{each.percentile}% up to {milliseconds(each.duration_ms)}" for each in figures.lengths
    )


def window(length: timedelta) -> str:
    """A conversion window in words.

    >>> window(timedelta(days=7)), window(timedelta(hours=1)), window(timedelta(minutes=90))
    ('7 days', '1 hour', '1 hour 30 minutes')
    """
    seconds = int(length.total_seconds())
    parts = []
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        amount, seconds = divmod(seconds, size)
        if amount:
            parts.append(f"{amount} {unit}{'' if amount == 1 else 's'}")
    return " ".join(parts) or "0 seconds"


def moment(value: datetime | None, zone: str = "UTC") -> str:
    """An instant in the site's time zone: `23 Nov 2026, 04:03:12`."""
    return NOTHING if value is None else f"{_local(value, zone):%-d %b %Y, %H:%M:%S}"


def clock_time(value: datetime | None, zone: str = "UTC") -> str:
    """The time of day of an instant, for lists of what is recent: `04:03:12`."""
    return NOTHING if value is None else f"{_local(value, zone):%H:%M:%S}"


def recent(value: datetime, zone: str, now: datetime) -> str:
    """The time of day, after its day where that is not the day of `now`: `22 Nov, 04:03:12`."""
    is_today = _local(value, zone).date() == _local(now, zone).date()
    return clock_time(value, zone) if is_today else f"{short_day(value, zone)}, {clock_time(value, zone)}"


def day(value: date | datetime | None, zone: str = "UTC") -> str:
    """A calendar day: `23 Nov 2026`. A plain date is taken as it is."""
    if value is None:
        return NOTHING
    local = _local(value, zone) if isinstance(value, datetime) and value.tzinfo else value
    return f"{local:%-d %b %Y}"


def short_day(value: date | datetime, zone: str = "UTC") -> str:
    """A calendar day without its year, for axes: `23 Nov`."""
    local = _local(value, zone) if isinstance(value, datetime) and value.tzinfo else value
    return f"{local:%-d %b}"


def bound(value: date | datetime | None, zone: str = "UTC") -> str:
    """Where a range begins or ends: a calendar day, or an instant with its time of day.

    >>> bound(date(2026, 11, 1)), bound(datetime(2026, 11, 1, 4, 3, tzinfo=UTC))
    ('1 Nov 2026', '1 Nov 2026, 04:03:00')
    """
    return moment(value, zone) if isinstance(value, datetime) else day(value)


def iso(value: date | datetime | None) -> str:
    """The machine's form of a time, for `<time datetime>`."""
    return "" if value is None else value.isoformat()


def _local(value: datetime, zone: str) -> datetime:
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(ZoneInfo(zone))


def vital_in_words(metric: str, value: float | None) -> str:
    """A web vital: milliseconds, or the score that CLS is.

    >>> vital_in_words("LCP", 1834.6), vital_in_words("CLS", 0.0312), vital_in_words("INP", None)
    ('LCP 1,835 ms', 'CLS 0.031', 'INP')
    """
    if value is None:
        return metric
    return f"{metric} {value:.3f}" if metric == "CLS" else f"{metric} {value:,.0f} ms"
