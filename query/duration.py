"""Lengths of time, in words and in microseconds."""

from __future__ import annotations

import re
from datetime import timedelta

from expost.errors import InvalidInput

_UNITS = {
    "s": 1, "sec": 1, "second": 1,
    "m": 60, "min": 60, "minute": 60,
    "h": 3_600, "hour": 3_600,
    "d": 86_400, "day": 86_400,
    "w": 604_800, "week": 604_800,
}  # fmt: skip


def micros(length: timedelta) -> int:
    """A length of time in microseconds."""
    return length // timedelta(microseconds=1)


def parse_duration(text: str, name: str | None = None) -> timedelta:
    """`7d`, `7 days`, `36h`, `30 min`, `90s`, `2 weeks`. A day is 24 hours.

    A refusal says that it is what `name` is, where that is given.

    >>> parse_duration("7 days") == parse_duration("7d") == timedelta(days=7)
    True
    """
    match = re.fullmatch(r"\s*(\d{1,9})\s*([a-z]+?)s?\s*", text.lower()) or re.fullmatch(
        r"\s*(\d{1,9})(s)", text
    )
    said = f"{text!r} is" if name is None else f"{name} is {text!r}, which is"
    if not match or match[2] not in _UNITS:
        raise InvalidInput(f"{said} no length of time.", hint="For example: 7d, 36h, 30min, 90s, 2w")
    try:
        return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    except OverflowError as error:
        raise InvalidInput(
            f"{said} longer than time.", hint="For example: 7d, 36h, 30min, 90s, 2w"
        ) from error


def format_duration(length: timedelta) -> str:
    """A length of time as `parse_duration` reads it, in the largest unit that says it exactly.

    >>> format_duration(timedelta(days=7)), format_duration(timedelta(minutes=90)), format_duration(timedelta(hours=36))
    ('7d', '90min', '36h')
    """
    seconds, rest = divmod(length, timedelta(seconds=1))
    if rest:
        raise InvalidInput(
            f"{length} has no words: it is no whole number of seconds.", hint="Say whole seconds."
        )
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def rounded_to_two_units(seconds: float) -> int:
    """So many whole seconds that the two largest units of days, hours, minutes and seconds say them: cut would be less.

    >>> rounded_to_two_units(83.6), rounded_to_two_units(3_599.6), rounded_to_two_units(89_999)
    (84, 3600, 90000)
    """
    size = 3_600 if seconds >= 86_400 else 60 if seconds >= 3_600 else 1
    return int(seconds / size + 0.5) * size
