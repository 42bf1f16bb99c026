"""Columns of an event that questions name: to split by, and to ask of what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from expost.errors import InvalidInput

Kind = Literal["text", "number", "truth"]

KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("is_trusted", "is_bot", "is_internal"), "truth"),
    **dict.fromkeys(("viewport_width", "viewport_height"), "number"),
    **dict.fromkeys(
        (
            "type", "name", "text", "label", "host", "path", "query", "hash", "title", "referrer", "consent", "release",
            "environment", "source", "flag", "variation", "user_agent", "browser", "browser_version", "os",
            "os_version", "device_class", "bot_class", "bot_rule", "country", "traffic_source", "traffic_medium",
            "campaign", "channel",
        ),
        "text",
    ),
}  # fmt: skip
"""The columns by which a result can be split, and what they hold."""

CUT = frozenset({"text", "label", "host", "path", "query", "hash", "title", "referrer", "user_agent"})
"""Of these a stretch may be cut or masked. What decides on them has words of its own, and may answer "unknown"."""

PREFIX = "column:"
"""Begins the name of a property that is none: a condition on that column of the event."""


def column_name(name: str) -> str | None:
    """The column that the name of a property means, `None` where it is a property's. InvalidInput for no column.

    >>> column_name("column:browser"), column_name("browser")
    ('browser', None)
    """
    if not name.startswith(PREFIX):
        return None
    column = name.removeprefix(PREFIX)
    if column not in KINDS or column in CUT:
        known = ", ".join(sorted(KINDS.keys() - CUT))
        raise InvalidInput(
            f"{column!r} is no column of events that a condition can be on.",
            hint=f"One of: {known}. Texts and addresses have conditions of their own.",
        )
    return column


def check_value(column: str, value: object) -> None:
    """Raise InvalidInput if the column never holds such a value: it would be equal to nothing."""
    kind = KINDS[column]
    is_kind = {
        "text": isinstance(value, str),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "truth": isinstance(value, bool),
    }[kind]
    if value is not None and not is_kind:
        expected = {
            "text": f'a text; one of digits in quotes: {PREFIX}{column}="7"',
            "number": "a number",
            "truth": "true or false",
        }
        raise InvalidInput(
            f"The column {column!r} is compared with {value!r}.", hint=f"It holds {expected[kind]}."
        )
