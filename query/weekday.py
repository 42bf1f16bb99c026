"""Days of the week in words."""

from __future__ import annotations

from expost.errors import InvalidInput

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def parse_weekday(text: str, name: str) -> int:
    """The day of the week, from Monday as 0. A refusal says that it is what `name` is.

    >>> parse_weekday("Sunday", "week_start"), parse_weekday("tue", "week_start")
    (6, 1)
    """
    found = [
        number for number, name in enumerate(WEEKDAYS) if len(text) >= 3 and name.startswith(text.lower())
    ]
    if not found:
        raise InvalidInput(
            f"{name} is {text!r}, which is no day of the week.", hint=f"One of: {', '.join(WEEKDAYS)}."
        )
    return found[0]
