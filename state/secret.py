"""Secrets that we make: long, random, and kept as a digest only."""

from __future__ import annotations

import base64
import os
from hashlib import sha256


def new_secret(random_bytes: int = 30) -> str:
    """A random text. Base 32 in lower case: a double click selects all of it, and no URL needs to escape it."""
    return base64.b32encode(os.urandom(random_bytes)).decode("ascii").lower().rstrip("=")


def digest_of(text: str) -> str:
    """What a secret is looked up by: a stolen state file gives none away.

    Plain SHA-256 is enough here, because they are long and random: there is no list of likely ones to try.
    """
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
