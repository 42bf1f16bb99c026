"""Passwords: Argon2id with the parameters that OWASP gives, a least length and no other rule."""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from expost.errors import InvalidInput

SHORTEST = 12
LONGEST = 1_000
# OWASP's password storage cheat sheet: 19 MiB, two passes, one lane.
HASHER = PasswordHasher(
    time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
)


def check_password(password: str) -> None:
    """Refuse a new password that is too short to be one, or too long to be read."""
    if not SHORTEST <= len(_plain(password)) <= LONGEST:
        raise InvalidInput(
            f"A password has at least {SHORTEST} characters and at most {LONGEST:,}.",
            hint="Four or five words that have nothing to do with each other are good, and easy to keep.",
        )


def hash_password(password: str) -> str:
    """The Argon2 hash of a password, salt and parameters included. Takes tens of milliseconds on purpose."""
    return HASHER.hash(_plain(password))


def is_password(hashed: str | None, password: str) -> bool:
    """Whether this is the password of that hash. Without a hash the work is the same, and the answer is no."""
    try:
        HASHER.verify(hashed or _decoy(), _plain(password))
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None


def prepare() -> None:
    """Do beforehand what the first unknown name would otherwise wait for, and so be told apart by."""
    _decoy()


def is_outdated(hashed: str) -> bool:
    """Whether a hash was made with other parameters than new ones are."""
    return HASHER.check_needs_rehash(hashed)


def _plain(password: str) -> str:
    # Keyboards write the same letter in several ways; lone surrogates cannot be hashed at all.
    return unicodedata.normalize("NFKC", password[: LONGEST + 1]).encode("utf-8", "replace").decode("utf-8")


@cache
def _decoy() -> str:
    return hash_password("nobody has this password")
