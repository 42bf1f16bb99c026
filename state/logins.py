"""Logins: one for each browser that somebody logged in with. Ending one is removing its row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, select, update

from expost.clock import Clock
from expost.errors import WrongLogin

from .accounts import Account
from .audit import Actor, cut, note
from .database import State
from .schema import ACCOUNTS, LOGINS
from .secret import digest_of, new_secret

IDLE = timedelta(days=7)
LONGEST = timedelta(days=30)
MOST = 50
"""How many an account may have; the one that was used longest ago makes room."""


@dataclass(frozen=True, slots=True)
class Login:
    """One browser that an account is logged in with, by the digest of the secret in its cookie."""

    id: int
    account_id: int
    account: str
    role: str
    digest: str
    browser: str
    created_at: int
    used_at: int

    def is_over(self, now: int) -> bool:
        """Whether it ended by itself: unused for `IDLE`, or `LONGEST` after it began."""
        return now - self.used_at > IDLE // _MICROSECOND or now - self.created_at > LONGEST // _MICROSECOND


_MICROSECOND = timedelta(microseconds=1)


def logins(state: State, account_id: int | None = None) -> list[Login]:
    """Every login (of one account), the one used last first; those that are over may be among them."""
    query = (
        select(LOGINS, ACCOUNTS.c.name.label("account"), ACCOUNTS.c.role)
        .join(ACCOUNTS, ACCOUNTS.c.id == LOGINS.c.account_id)
        .order_by(LOGINS.c.used_at.desc(), LOGINS.c.id.desc())
    )
    if account_id is not None:
        query = query.where(LOGINS.c.account_id == account_id)
    with state.reading() as connection:
        return [_login(row) for row in connection.execute(query)]


def add_login(state: State, account: Account, browser: str, clock: Clock, *, by: Actor) -> str:
    """Log an account in; the secret for the cookie, which is seen this once.

    An account that was removed or got another password since it was read is refused.
    """
    secret, now = new_secret(), clock()
    values = {
        "account_id": account.id,
        "digest": digest_of(secret),
        "browser": cut(browser, 200),
        "created_at": now,
        "used_at": now,
    }
    is_same = (ACCOUNTS.c.id == account.id) & (ACCOUNTS.c.password == account.password)
    newest = select(LOGINS.c.id).where(LOGINS.c.account_id == account.id).order_by(LOGINS.c.used_at.desc())
    with state.writing() as connection:
        if connection.execute(select(ACCOUNTS.c.id).where(is_same)).first() is None:
            raise WrongLogin
        is_too_many = LOGINS.c.id.not_in(newest.limit(MOST - 1))
        connection.execute(delete(LOGINS).where(LOGINS.c.account_id == account.id, is_too_many))
        connection.execute(delete(LOGINS).where(_is_over(now)))
        connection.execute(insert(LOGINS).values(values))
        note(connection, now, by, "logged in", account.name)
    return secret


def use_login(state: State, login_id: int, clock: Clock) -> None:
    """Remember that it was used now."""
    with state.writing() as connection:
        connection.execute(update(LOGINS).where(LOGINS.c.id == login_id).values(used_at=clock()))


def end_login(state: State, account_id: int, login_id: int, clock: Clock, *, by: Actor, action: str) -> bool:
    """End one login of an account, at once and for ever. Whether there was one."""
    of_account = (LOGINS.c.account_id == account_id) & (LOGINS.c.id == login_id)
    with state.writing() as connection:
        was_there = bool(connection.execute(delete(LOGINS).where(of_account)).rowcount)
        if was_there:
            note(connection, clock(), by, action, by.who)
    return was_there


def end_other_logins(state: State, account_id: int, kept_id: int, clock: Clock, *, by: Actor) -> int:
    """End every login of an account but one; how many."""
    others = (LOGINS.c.account_id == account_id) & (LOGINS.c.id != kept_id)
    with state.writing() as connection:
        ended = int(connection.execute(delete(LOGINS).where(others)).rowcount)
        if ended:
            note(connection, clock(), by, "logins ended", by.who, f"{ended} others")
    return ended


def _is_over(now: int) -> ColumnElement[bool]:
    is_idle = LOGINS.c.used_at < now - IDLE // _MICROSECOND
    return is_idle | (LOGINS.c.created_at < now - LONGEST // _MICROSECOND)


def _login(row: Row[Any]) -> Login:
    return Login(**row._mapping)
