"""Where the server listens, as it said when it started: `expost doctor` is another process."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from .database import State
from .schema import META

NAME = "listens_on"


def remember_listening(state: State, host: str) -> None:
    """Keep the address that the server listens on."""
    with state.writing() as connection:
        connection.execute(delete(META).where(META.c.name == NAME))
        connection.execute(insert(META).values(name=NAME, value=host))


def find_listening(state: State) -> str | None:
    """The address that the server listened on when it was started last, if it ever was."""
    with state.reading() as connection:
        found: str | None = connection.execute(select(META.c.value).where(META.c.name == NAME)).scalar()
    return found
