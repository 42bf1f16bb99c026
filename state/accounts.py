"""Accounts: who may log in. Without any, the pages are for this machine only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from expost.clock import Clock
from expost.errors import InvalidInput, UnknownName

from .audit import NOBODY, Actor, cut, note
from .database import State
from .names import name_key
from .schema import ACCOUNTS, API_KEYS, LOGINS, META

ROLES = ("admin",)
LONGEST_NAME = 100
SETUP_TOKEN = "setup_token"  # noqa: S105 (a name)
"""Under which name the digest of the token that makes an account is kept."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in. `password` is the Argon2 hash."""

    id: int
    name: str
    role: str
    password: str
    created_at: int


def accounts(state: State) -> list[Account]:
    """Every account, the oldest first."""
    with state.reading() as connection:
        return [_account(row) for row in connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.id))]


def account_named(state: State, name: str) -> Account | None:
    """The account of this name, in whatever way it was written, if there is one."""
    with state.reading() as connection:
        row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.key == name_key(cut(name)))).first()
        return None if row is None else _account(row)


def find_account(state: State, name: str | None = None) -> Account:
    """The account called `name`, or the only one when none is named."""
    known = accounts(state)
    if name is None and len(known) == 1:
        return known[0]
    if name is None:
        raise InvalidInput(
            f"There are {len(known)} accounts, so one has to be named.",
            hint="List them with: expost accounts list",
        )
    found = account_named(state, name)
    if found is None:
        raise UnknownName("account", name, [each.name for each in known], list_with="expost accounts list")
    return found


def check_name(name: str) -> str:
    """The name as it is kept, or what is wrong with it."""
    told = " ".join(name.split())
    if not told or len(told) > LONGEST_NAME or not told.isprintable():
        raise InvalidInput(
            f"{told[:50]!r} cannot be the name of an account.",
            hint=f"Use 1 to {LONGEST_NAME} characters, such as a first name or an e-mail address.",
        )
    return told


def add_account(state: State, name: str, hashed: str, clock: Clock, *, by: Actor = NOBODY) -> Account:
    """A new admin account with the hash of its password."""
    with state.writing() as connection:
        return insert_account(connection, name, hashed, clock, by=by)


def insert_account(
    connection: Connection, name: str, hashed: str, clock: Clock, *, by: Actor, detail: str = ""
) -> Account:
    """The same, as a part of a larger change."""
    told = check_name(name)
    if connection.execute(select(ACCOUNTS.c.id).where(ACCOUNTS.c.key == name_key(told))).first():
        raise InvalidInput(
            f"An account called {told!r} is there already.",
            hint=f"Choose another name, or give that one another password: expost accounts password {told!r}",
        )
    now = clock()
    values = {"name": told, "role": "admin", "password": hashed, "created_at": now}
    made = connection.execute(insert(ACCOUNTS).values(key=name_key(told), **values))
    assert made.inserted_primary_key is not None
    # Whatever token there was, it was there for this.
    connection.execute(delete(META).where(META.c.name == SETUP_TOKEN))
    note(connection, now, by, "account added", told, detail)
    return Account(int(made.inserted_primary_key[0]), told, "admin", hashed, now)


def change_password(
    state: State, account: Account, hashed: str, clock: Clock, *, by: Actor = NOBODY
) -> Account:
    """The account with another password; whoever is logged in with it is logged out, everywhere."""
    with state.writing() as connection:
        connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account.id).values(password=hashed))
        ended = connection.execute(delete(LOGINS).where(LOGINS.c.account_id == account.id)).rowcount
        note(connection, clock(), by, "password changed", account.name, f"{ended} logins ended")
    return find_account(state, account.name)


def renew_hash(state: State, account: Account, hashed: str) -> None:
    """Keep the same password under newer parameters, unless it was changed meanwhile."""
    is_same = (ACCOUNTS.c.id == account.id) & (ACCOUNTS.c.password == account.password)
    with state.writing() as connection:
        connection.execute(update(ACCOUNTS).where(is_same).values(password=hashed))


def remove_account(state: State, account: Account, clock: Clock, *, by: Actor = NOBODY) -> None:
    """Remove an account with its logins and API keys. What it did stays in the audit."""
    with state.writing() as connection:
        for table in (LOGINS, API_KEYS):
            connection.execute(delete(table).where(table.c.account_id == account.id))
        connection.execute(delete(ACCOUNTS).where(ACCOUNTS.c.id == account.id))
        note(connection, clock(), by, "account removed", account.name)


def _account(row: Row[Any]) -> Account:
    return Account(row.id, row.name, row.role, row.password, row.created_at)
