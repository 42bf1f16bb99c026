"""Keys: who may send events to a site. Write keys stand in every page; those of servers and for import are secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Row, insert, select, update

from expost.clock import Clock
from expost.errors import InvalidInput, UnknownName

from .audit import NOBODY, Actor, note
from .database import State
from .schema import KEYS
from .secret import digest_of, new_secret
from .sites import find_site

KeyKind = Literal["write", "server", "import"]
RANDOM_BYTES: dict[KeyKind, int] = {"write": 15, "server": 30, "import": 30}
PREFIX_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `text` is the whole key where its kind is public; of a secret one only `prefix` and digest are kept."""

    id: int
    site: str
    kind: KeyKind
    prefix: str
    digest: str
    text: str | None
    created_at: int
    revoked_at: int | None

    @property
    def is_active(self) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None


def keys(state: State, site: str | None = None, kind: KeyKind | None = None) -> list[Key]:
    """Every key (of one site, of one kind), revoked ones too, the oldest first."""
    query = select(KEYS).order_by(KEYS.c.id)
    if site is not None:
        query = query.where(KEYS.c.site == site)
    if kind is not None:
        query = query.where(KEYS.c.kind == kind)
    with state.reading() as connection:
        return [_key(row) for row in connection.execute(query)]


def add_key(state: State, site: str, kind: KeyKind, clock: Clock, *, by: Actor = NOBODY) -> tuple[Key, str]:
    """A new key of `site`, and its whole text: the only time that the text of a secret one is seen."""
    find_site(state, site)
    text = f"x{kind[0]}_{new_secret(RANDOM_BYTES[kind])}"
    values = {
        "site": site,
        "kind": kind,
        "prefix": text[:PREFIX_LENGTH],
        "digest": digest_of(text),
        "text": text if kind == "write" else None,
        "created_at": clock(),
        "revoked_at": None,
    }
    with state.writing() as connection:
        made = connection.execute(insert(KEYS).values(values))
        assert made.inserted_primary_key is not None
        identity = int(made.inserted_primary_key[0])
        note(connection, clock(), by, f"{kind} key made", text[:PREFIX_LENGTH], f"for {site}")
    return Key(id=identity, **values), text  # type: ignore[arg-type]


def revoke_key(state: State, prefix: str, clock: Clock, *, by: Actor = NOBODY) -> Key:
    """The key that starts with `prefix`, which opens nothing from now on. Revoking twice changes nothing."""
    known = keys(state)
    found = [key for key in known if prefix and key.prefix.startswith(prefix[:PREFIX_LENGTH])]
    if len(found) > 1:
        raise InvalidInput(
            f"{len(found)} keys start with {prefix!r}.", hint="Say more of it; expost sites keys lists them."
        )
    if not found:
        raise UnknownName("key", prefix, [key.prefix for key in known], list_with="expost sites keys")
    key = found[0]
    if key.revoked_at is None:
        with state.writing() as connection:
            connection.execute(update(KEYS).where(KEYS.c.id == key.id).values(revoked_at=clock()))
            note(connection, clock(), by, f"{key.kind} key revoked", key.prefix, f"of {key.site}")
    return next(each for each in keys(state) if each.id == key.id)


def _key(row: Row[Any]) -> Key:
    return Key(**row._mapping)
