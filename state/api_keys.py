"""API keys: programs that ask over HTTP. Each belongs to an account and goes with it; none opens `/e`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select, update

from expost.clock import Clock
from expost.errors import InvalidInput, UnknownName

from .accounts import Account
from .audit import NOBODY, Actor, note
from .database import State
from .schema import ACCOUNTS, API_KEYS
from .secret import digest_of, new_secret

PREFIX = "xa_"
PREFIX_LENGTH = 12
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key of an account. Its text is known to whoever made it; here are only its prefix and its digest."""

    id: int
    account_id: int
    account: str
    name: str
    role: str
    prefix: str
    digest: str
    created_at: int
    used_at: int | None
    revoked_at: int | None

    @property
    def is_active(self) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None


def api_keys(state: State, account_id: int | None = None) -> list[ApiKey]:
    """Every key (of one account), revoked ones too, the oldest first."""
    query = (
        select(API_KEYS, ACCOUNTS.c.name.label("account"))
        .join(ACCOUNTS, ACCOUNTS.c.id == API_KEYS.c.account_id)
        .order_by(API_KEYS.c.id)
    )
    if account_id is not None:
        query = query.where(API_KEYS.c.account_id == account_id)
    with state.reading() as connection:
        return [_key(row) for row in connection.execute(query)]


def add_api_key(
    state: State, account: Account, name: str, clock: Clock, *, by: Actor = NOBODY
) -> tuple[ApiKey, str]:
    """A new key under a name that says what for, and its whole text: the only time that it is seen."""
    told = " ".join(name.split())
    if not told or len(told) > LONGEST_NAME or not told.isprintable():
        raise InvalidInput(
            f"{told[:50]!r} cannot be the name of a key.",
            hint="Say what uses it, in 1 to 100 characters: nightly report",
        )
    text = PREFIX + new_secret()
    values = {
        "name": told,
        "role": account.role,
        "prefix": text[:PREFIX_LENGTH],
        "digest": digest_of(text),
        "created_at": clock(),
        "used_at": None,
        "revoked_at": None,
    }
    with state.writing() as connection:
        made = connection.execute(insert(API_KEYS).values(account_id=account.id, **values))
        assert made.inserted_primary_key is not None
        note(connection, clock(), by, "API key made", text[:PREFIX_LENGTH], f"{told}, for {account.name}")
    key = ApiKey(int(made.inserted_primary_key[0]), account.id, account.name, **values)  # type: ignore[arg-type]
    return key, text


def use_api_key(state: State, key_id: int, clock: Clock) -> None:
    """Remember that it was used now."""
    with state.writing() as connection:
        connection.execute(update(API_KEYS).where(API_KEYS.c.id == key_id).values(used_at=clock()))


def revoke_api_key(
    state: State, prefix: str, clock: Clock, *, account_id: int | None = None, by: Actor = NOBODY
) -> ApiKey:
    """The key that starts with `prefix`, which opens nothing from now on. Revoking twice changes nothing."""
    known = api_keys(state, account_id)
    found = [key for key in known if prefix and key.prefix.startswith(prefix[:PREFIX_LENGTH])]
    if len(found) != 1:
        raise UnknownName("API key", prefix, [key.prefix for key in known], list_with="expost accounts keys")
    key = found[0]
    if key.is_active:
        with state.writing() as connection:
            connection.execute(update(API_KEYS).where(API_KEYS.c.id == key.id).values(revoked_at=clock()))
            note(connection, clock(), by, "API key revoked", key.prefix, f"{key.name}, of {key.account}")
    return next(each for each in api_keys(state) if each.id == key.id)


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(**row._mapping)
