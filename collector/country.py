"""The country of a visitor, from a file in MaxMind's format that the owner supplies. The address is written nowhere."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import maxminddb

from expost.clock import from_micros
from expost.errors import ExpostError

log = logging.getLogger("expost.collector")

MAX_REMEMBERED = 20_000
"""Of so many blocks of addresses the country is remembered; then all is forgotten."""

LOOKED_AT = 10_000
"""So many of a file's networks are looked at for one that has a country."""

BLOCK_BITS = {4: 24, 6: 64}
"""Addresses that share so many bits are remembered together, where the file says the same of all of them."""


class BadCountryFile(ExpostError):
    """The file of countries is missing, or is none."""

    code = "bad_country_file"
    status = 500

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"The setting country_file names {path}, which {reason}.",
            hint="It takes a file in MaxMind's format (.mmdb) that knows countries, such as GeoLite2-Country. "
            "Or leave the setting out.",
        )


@dataclass(frozen=True, slots=True)
class CountryFile:
    """What such a file says of itself."""

    path: Path
    kind: str
    built_on: str


class Countries:
    """Finds the countries of addresses. A file that took the place of the first one is read after `reload`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._atlas = _Atlas(*_open(path))
        self._version = _version(path)

    @property
    def file(self) -> CountryFile:
        """The file of which `find` answers from now on, until it is another one."""
        return self._atlas.file

    def find(self, address: str) -> str:
        """The ISO code of the country, empty where nobody knows."""
        return self._atlas.find(address)

    def reload(self) -> None:
        """Read the file again if it is another one. While it cannot be read, the one before goes on."""
        version = _version(self.path)
        if version == self._version:
            return
        self._version = version
        try:
            # In one step: another thread finds countries meanwhile, and all of an answer is of one file.
            self._atlas = _Atlas(*_open(self.path))
        except BadCountryFile as problem:
            log.warning("countries are still those of %s: %s", self.file.built_on, problem)


class _Atlas:
    """One file that is open, and what was looked up in it."""

    def __init__(self, reader: Any, file: CountryFile) -> None:
        self.file = file
        self._reader = reader
        self._known: dict[str, str] = {}

    def find(self, address: str) -> str:
        # An address of version 4 as a socket for both versions says it.
        address = address.removeprefix("::ffff:")
        block = _block(address)
        country = self._known.get(block)
        if country is None:
            country = self._known.get(address)
        if country is None:
            country = self._look_up(address, block)
        return country

    def _look_up(self, address: str, block: str) -> str:
        try:
            record, bits = self._reader.get_with_prefix_len(address)
        except ValueError:
            # What is no address, such as the path of a socket.
            return ""
        country = _code(record)
        if len(self._known) >= MAX_REMEMBERED:
            self._known = {}
        self._known[block if bits <= BLOCK_BITS[6 if ":" in address else 4] else address] = country
        return country


def find_country_file(path: Path) -> CountryFile:
    """What the file in `path` says of itself. BadCountryFile if it is none."""
    reader, found = _open(path)
    reader.close()
    return found


def _open(path: Path) -> tuple[Any, CountryFile]:
    try:
        # A copy, deleted at once, because whoever cut short a file that is mapped would end this process.
        with tempfile.NamedTemporaryFile(prefix="expost-countries-") as copy:
            with path.open("rb") as file:
                shutil.copyfileobj(file, copy)
            copy.flush()
            reader = maxminddb.open_database(copy.name, maxminddb.MODE_AUTO)
    except FileNotFoundError:
        raise BadCountryFile(path, "does not exist") from None
    except OSError as problem:
        raise BadCountryFile(path, f"cannot be read: {problem.strerror}") from problem
    except (maxminddb.InvalidDatabaseError, UnicodeDecodeError) as problem:
        raise BadCountryFile(path, "is no file in MaxMind's format, or is damaged") from problem
    try:
        if not any(_code(record) for _, record in islice(reader, LOOKED_AT)):
            raise BadCountryFile(path, "knows no countries")
    except (maxminddb.InvalidDatabaseError, UnicodeDecodeError) as problem:
        raise BadCountryFile(path, "is damaged") from problem
    about = reader.metadata()
    built_on = from_micros(about.build_epoch * 1_000_000).date().isoformat()
    return reader, CountryFile(path, about.database_type, built_on)


def _code(record: object) -> str:
    """The code in a record as MaxMind, DB-IP and IPinfo write them."""
    if not isinstance(record, Mapping):
        return ""
    country = record.get("country")
    code = country.get("iso_code") if isinstance(country, Mapping) else record.get("country_code", country)
    if isinstance(code, str) and len(code) == 2 and code.isascii() and code.isalpha():
        return code.upper()
    return ""


def _block(address: str) -> str:
    """The addresses that are remembered with this one."""
    if ":" not in address:
        return address.rpartition(".")[0]
    if "::" in address:
        head = address.partition("::")[0].split(":")
        # What stands behind the gap belongs to the first half only in addresses that nobody has.
        return ":".join(head[:4]) + "::" if len(head) >= 4 else address
    return ":".join(address.split(":")[:4]) + "::"


def _version(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
