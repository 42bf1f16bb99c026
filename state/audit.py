"""The audit: who changed what, and when. Lines are added and never changed; no address ever stands in one."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from .database import State
from .schema import AUDIT

LONGEST = 300


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something: an account, the prefix of an API key, or a user of this machine; and from where.

    `place` says no more than "this machine", "elsewhere", "command line" or "Python".
    """

    who: str
    place: str = ""


NOBODY = Actor("")


def command_line() -> Actor:
    """Whom the audit names for what is done on the command line: the user of this machine."""
    try:
        return Actor(getpass.getuser(), "command line")
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return Actor("", "command line")


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line: who did what, to which subject, when and from where."""

    id: int
    at: int
    who: str
    place: str
    action: str
    subject: str
    detail: str


def note(
    connection: Connection, at: int, by: Actor, action: str, subject: str = "", detail: str = ""
) -> None:
    """Add a line in the transaction of the change that it is about, so that neither is kept without the other."""
    values = {"who": by.who, "place": by.place, "action": action, "subject": subject, "detail": detail}
    connection.execute(insert(AUDIT).values(at=at, **{name: cut(value) for name, value in values.items()}))


def audit_lines(state: State, *, limit: int = 100, before: int | None = None) -> list[AuditLine]:
    """The latest lines, newest first; those older than the line with the id `before`, if one is given."""
    query = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AUDIT.c.id < before)
    with state.reading() as connection:
        return [_line(row) for row in connection.execute(query)]


def cut(text: str, longest: int = LONGEST) -> str:
    """A text of bounded length that can be stored: nobody writes a megabyte into the state."""
    whole = text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")
    return whole if len(whole) <= longest else whole[: longest - 1] + "…"


def _line(row: Row[Any]) -> AuditLine:
    return AuditLine(**row._mapping)
