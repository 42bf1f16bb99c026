"""The setup token: whoever holds it may make one account, once. There is never a default password."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, delete, insert, select

from expost.clock import Clock
from expost.errors import WrongLogin

from .accounts import SETUP_TOKEN, Account, insert_account
from .audit import Actor, note
from .database import State
from .schema import META
from .secret import digest_of, new_secret

LASTS = timedelta(hours=24)
PREFIX = "setup-"
HINT = "A new one is printed by: expost accounts token (on the machine that Expost runs on)."


def make_setup_token(state: State, clock: Clock, *, by: Actor) -> str:
    """A new token, seen this once; one that was made before opens nothing any more."""
    text, now = PREFIX + new_secret(20), clock()
    ends_at = now + LASTS // timedelta(microseconds=1)
    with state.writing() as connection:
        connection.execute(delete(META).where(META.c.name == SETUP_TOKEN))
        connection.execute(insert(META).values(name=SETUP_TOKEN, value=f"{ends_at} {digest_of(text)}"))
        note(connection, now, by, "setup token made")
    return text


def check_setup_token(connection: Connection, token: str, now: int) -> None:
    """Refuse whatever is not the token in force."""
    kept = connection.execute(select(META.c.value).where(META.c.name == SETUP_TOKEN)).scalar()
    ends_at, _, digest = (kept or "0 ").partition(" ")
    if digest_of(token.strip()) != digest:
        raise WrongLogin("This is not the setup token.", hint=HINT)
    if now > int(ends_at):
        raise WrongLogin("This setup token was made more than 24 hours ago.", hint=HINT)


def spend_setup_token(
    state: State, token: str, name: str, hashed: str, clock: Clock, *, by: Actor
) -> Account:
    """The account that is made with the token, which is used up by that."""
    with state.writing() as connection:
        check_setup_token(connection, token, clock())
        return insert_account(connection, name, hashed, clock, by=by, detail="with the setup token")
