"""An event as another product exported it, before it becomes one of ours. Nothing here reads files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from hashlib import blake2b
from typing import Any
from uuid import UUID

from expost.clock import to_micros
from expost.lake.batch import Descriptor, Element
from expost.lake.moment import FIRST, LAST, SECOND

Row = Mapping[str, Any]
"""One row of a file: its columns by name, or one JSON object."""

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?\Z")


class Unusable(ValueError):
    """A row that becomes no event, and why: it goes to the report file, and the others go on."""


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a file, counted from 1."""

    file: str
    row: int


@dataclass(frozen=True, slots=True)
class Chain:
    """An element with what is around it, as tables of a batch: the target is the last of `elements`."""

    descriptors: Sequence[Descriptor]
    elements: Sequence[Element]


@dataclass(frozen=True, slots=True)
class Foreign:
    """One event. `key` is what makes it the same event whenever it is imported again: the source's own id of it.

    `time` is in microseconds. `device` and `user` are what the source called them, empty for nobody.
    """

    key: str
    time: int
    type: str
    name: str | None = None
    device: str = ""
    user: str = ""
    url: str | None = None
    title: str = ""
    referrer: str = ""
    text: str | None = None
    label: str | None = None
    chain: Chain | None = None
    x: int | None = None
    y: int | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)
    group_type: str | None = None
    group: str | None = None
    flag: str | None = None
    variation: str | None = None
    user_agent: str = ""
    viewport: tuple[int, ...] = ()
    release: str = ""
    environment: str = ""
    sequence: int | None = None
    left_behind: Sequence[str] = ()
    """What of the row has no place here, in words that the report counts."""


def event_id(site: str, source: str, key: str) -> str:
    """The id of an imported event: the same for the same event of the same source, and for no other.

    It is a UUID of version 8, which says nothing of a time: the key alone decides.

    >>> event_id("shop", "mixpanel", "a1") == event_id("shop", "mixpanel", "a1") != event_id("shop", "mixpanel", "a2")
    True
    """
    digest = blake2b(digest_size=16, person=b"expost-import")
    for part in (site, source, key):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(4, "little"))
        digest.update(data)
    number = int.from_bytes(digest.digest(), "big")
    # Version 8 and the variant of RFC 9562 in their places.
    number = number & ~(0xF << 76) & ~(0x3 << 62) | 8 << 76 | 2 << 62
    return str(UUID(int=number))


def moment_of(value: object, unit: str = "iso", zone: tzinfo = UTC) -> int:
    """Microseconds of a time as exports write it; one without an offset is in `zone`. Raises Unusable.

    `unit` is `iso`, `seconds`, `milliseconds`, `microseconds` or a format of `strptime`.

    >>> moment_of("2026-03-02T10:00:00+01:00") == moment_of("2026-03-02 09:00:00.000")
    True
    >>> moment_of(1772442000, "seconds")
    1772442000000000
    """
    if isinstance(value, datetime):
        return _checked(to_micros(value if value.tzinfo else value.replace(tzinfo=zone)), value)
    if isinstance(value, date):
        return moment_of(datetime(value.year, value.month, value.day), zone=zone)  # noqa: DTZ001
    if unit in _UNITS:
        return _checked(_counted(value, _UNITS[unit]), value)
    if not isinstance(value, str) or not value.strip():
        raise Unusable("it has no time" if value in (None, "") else f"its time {_shown(value)} is no text")
    try:
        text = value.strip()
        found = datetime.fromisoformat(text) if unit == "iso" else datetime.strptime(text, unit)  # noqa: DTZ007
    except ValueError:
        raise Unusable(f"its time {_shown(value)} cannot be read") from None
    return _checked(to_micros(found if found.tzinfo else found.replace(tzinfo=zone)), value)


_UNITS = {"seconds": SECOND, "milliseconds": 1_000, "microseconds": 1}


def _counted(value: object, micros: int) -> int:
    if isinstance(value, str) and _NUMBER.match(value.strip()):
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise Unusable("it has no time" if value in (None, "") else f"its time {_shown(value)} is no number")
    return int(value) * micros if isinstance(value, int) else round(value * micros)


def _checked(micros: int, value: object) -> int:
    if not FIRST <= micros <= LAST:
        raise Unusable(f"its time {_shown(value)} is in no year from 1 to 9999")
    return micros


def text_of(value: object) -> str:
    """A value as an id or a name: text as it is, a whole number without a fraction; nothing for no value.

    >>> text_of(12.0), text_of(" ann "), text_of(None)
    ('12', 'ann', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def whole_of(value: object) -> int | None:
    """A whole number, if the value is one."""
    if isinstance(value, str) and _NUMBER.match(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) > 1e7:
        return None
    return int(value)


def without(row: Row, names: Iterable[str]) -> dict[str, Any]:
    """The row without these columns, and without those that are empty."""
    left_out = frozenset(names)
    return {name: value for name, value in row.items() if name not in left_out and value not in (None, "")}


def _shown(value: object) -> str:
    return repr(value)[:60]
