"""Ids: random ones for new things, keyed hashes for things that are joined."""

from __future__ import annotations

import os
import uuid
from hashlib import blake2b

ZERO_UUID = "00000000-0000-0000-0000-000000000000"


def uuid7(now_micros: int, random_bytes: bytes | None = None) -> str:
    """A version-7 UUID (RFC 9562): 48 bits of milliseconds, then 74 random bits, as 36 lower-case characters."""
    tail = random_bytes if random_bytes is not None else os.urandom(10)
    value = (now_micros // 1_000) << 80 | int.from_bytes(tail[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def keyed_hash(secret: bytes, kind: str, *parts: str | bytes) -> int:
    """The signed 64-bit id of `parts`: the same for one installation for ever, unlinkable between installations.

    `kind` keeps different things with equal text apart. Parts are length-prefixed, so no two lists collide by joining.
    """
    digest = blake2b(key=secret, digest_size=8, person=kind.encode()[:16])
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(4, "little"))
        digest.update(data)
    return int.from_bytes(digest.digest(), "little", signed=True)
