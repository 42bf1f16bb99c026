"""Lengths of time in words."""

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


def parse_duration(text: str) -> timedelta:
    """`7d`, `7 days`, `36h`, `30 min`, `90s`, `2 weeks`. A day is 24 hours.

    >>> parse_duration("7 days") == parse_duration("7d") == timedelta(days=7)
    True
    """
    match = re.fullmatch(r"\s*(\d{1,9})\s*([a-z]+?)s?\s*", text.lower()) or re.fullmatch(
        r"\s*(\d{1,9})(s)", text
    )
    if not match or match[2] not in _UNITS:
        raise InvalidInput(f"{text!r} is no length of time.", hint="For example: 7d, 36h, 30min, 90s, 2w")
    try:
        return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    except OverflowError as error:
        raise InvalidInput(
            f"{text!r} is longer than time.", hint="For example: 7d, 36h, 30min, 90s, 2w"
        ) from error
