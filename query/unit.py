"""Units of analysis: who or what is counted (docs/rules.md 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from expost.errors import InvalidInput

SESSION_GAP = timedelta(minutes=30)
"""A session ends after this long without any event of its device."""

KINDS = ("person", "session", "device", "group")


@dataclass(frozen=True, slots=True)
class Unit:
    """Who is counted. `group_type` is that of a group; `gap` is how long a session lasts without any event."""

    kind: str = "person"
    group_type: str | None = None
    gap: timedelta = SESSION_GAP

    def __post_init__(self) -> None:
        if self.kind not in KINDS or (self.kind == "group") != (self.group_type is not None):
            raise InvalidInput(
                f"unit is {str(self)!r}, which is no unit of analysis.",
                hint="One of: person, session, device, group:TYPE (for example group:company).",
            )
        if self.gap <= timedelta(0):
            raise InvalidInput("A session's gap must be longer than nothing.", hint="For example: 30min")

    def __str__(self) -> str:
        return self.kind if self.group_type is None else f"{self.kind}:{self.group_type}"

    @property
    def plural(self) -> str:
        """Several of them, in words."""
        return {"person": "people", "session": "sessions", "device": "devices"}.get(self.kind, "groups")

    @property
    def singular(self) -> str:
        """One of them, in words."""
        return self.kind


PERSON = Unit()


def parse_unit(text: str, gap: timedelta = SESSION_GAP) -> Unit:
    """`person`, `session`, `device` or `group:TYPE`.

    >>> str(parse_unit("group:company"))
    'group:company'
    """
    kind, _, group_type = text.partition(":")
    return Unit(kind, group_type or None, gap)


def unit_with(text: str, gap: timedelta | None) -> Unit:
    """The unit with this gap between its sessions. A gap of anything else is refused: it would change nothing."""
    unit = parse_unit(text, SESSION_GAP if gap is None else gap)
    if gap is not None and unit.kind != "session":
        raise InvalidInput(
            f"The gap says when a session ends, and what is counted is {unit.plural}.",
            hint="Say unit=session as well (--unit session), or leave the gap out.",
        )
    return unit
