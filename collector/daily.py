"""Ids for visitors who consented to nothing: made on the server, the same for one day, and nothing after it.

The id is a hash keyed by a random salt that lives for one UTC day. The salt is kept where the system keeps things of
running programs, never in the data folder, so that it is in no backup; with it gone, yesterday's ids cannot be made
again by anyone.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from hashlib import blake2b
from pathlib import Path

from expost.clock import Clock
from expost.lake.batch import DAILY_PREFIX

log = logging.getLogger("expost.collector")

DAY_MICROS = 86_400_000_000
SALT_BYTES = 32


class DailyIds:
    """Makes daily ids. `place` is the file of the salt; without one the salt lives in memory alone."""

    def __init__(
        self, clock: Clock, place: Path | None, random_bytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._clock = clock
        self._place = place
        self._random_bytes = random_bytes
        self._day = -1
        self._salt = b""

    def device(self, site: str, address: str, user_agent: str, resets: int) -> str:
        """The device id of a visitor for today. Nothing of what it is made of can be read from it."""
        day = self._clock() // DAY_MICROS
        if day != self._day:
            self._turn(day)
        digest = blake2b(key=self._salt, digest_size=12)
        for part in (site, address, user_agent, str(resets)):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(4, "little"))
            digest.update(data)
        return DAILY_PREFIX + digest.hexdigest()

    def turn(self) -> float:
        """Destroy the salt of a day that is over; returns the seconds until that is due again."""
        now = self._clock()
        day = now // DAY_MICROS
        if day != self._day:
            self._turn(day)
        return ((day + 1) * DAY_MICROS - now) / 1_000_000

    def _turn(self, day: int) -> None:
        today = str(_date(day))
        salt = self._read(today)
        if salt is None:
            salt = self._random_bytes(SALT_BYTES)
            self._write(today, salt)
        self._day, self._salt = day, salt

    def _read(self, today: str) -> bytes | None:
        if self._place is None:
            return None
        try:
            day, _, salt = self._place.read_text(encoding="ascii").strip().partition(" ")
            return bytes.fromhex(salt) if day == today and len(salt) == SALT_BYTES * 2 else None
        except (OSError, ValueError):
            return None

    def _write(self, today: str, salt: bytes) -> None:
        if self._place is None:
            return
        draft = self._place.with_name(f"{self._place.name}.{os.getpid()}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(f"{today} {salt.hex()}\n")
            draft.replace(self._place)
        except OSError as problem:
            log.warning("daily ids will differ after a restart: %s", problem)


def salt_place(data: Path) -> Path | None:
    """Where the salt of a data folder is kept: in a folder of the running user that no other can read, or nowhere."""
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    name = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:16]
    folder = base / f"expost-{os.geteuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as problem:
        log.warning("daily ids will differ after a restart: %s", problem)
        return None
    # In a shared folder such as /tmp somebody else may have been there first, to read our salt.
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
    if not is_ours:
        log.warning("daily ids will differ after a restart: %s is not a private folder of this user", folder)
        return None
    return folder / f"{name}.salt"


def _date(day: int) -> date:
    return datetime.fromtimestamp(day * 86_400, UTC).date()
