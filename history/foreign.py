"""An event as another product exported it, before it becomes one of ours. Nothing here reads files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

from expost.clock import to_micros
from expost.lake.batch import Descriptor, Element
from expost.lake.moment import FIRST, LAST, SECOND

Row = Mapping[str, Any]
"""One row of a file: its columns by name, or one JSON object."""

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?\Z")
_EXPONENT = re.compile(r"-?\d[.,]?\d*[eE]\+\d+\Z")


class Unusable(ValueError):
    """A row that becomes no event: why, with the column and its value, and as `hint` what to do about it.

    It goes to the report file, and the others go on.
    """

    def __init__(self, reason: str, *, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


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
    groups: Mapping[str, str] = field(default_factory=dict)
    """The groups that it says it belongs to, by their types: `group_type` and `group` are those that it names anew."""

    flag: str | None = None
    variation: str | None = None
    user_agent: str = ""
    viewport: tuple[int, ...] = ()
    release: str = ""
    environment: str = ""
    sequence: int | None = None
    left_behind: Sequence[str] = ()
    """What of the row has no place here, in words that the report counts."""

    doubts: Sequence[str] = ()
    """What was taken in one of two ways, or seems wrong, in words that the report counts: the event is stored."""


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


def moment_of(value: object, unit: str = "iso", zone: tzinfo = UTC, column: str = "time") -> int:
    """Microseconds of a time as exports write it; one without an offset is in `zone`. Raises Unusable.

    `unit` is `iso`, `seconds`, `milliseconds`, `microseconds` or a format of `strptime`. A time that the clock of the
    zone shows twice, because it is set back, is the first of the two.

    >>> moment_of("2026-03-02T10:00:00+01:00") == moment_of("2026-03-02 09:00:00.000")
    True
    >>> moment_of(1772442000, "seconds")
    1772442000000000
    """
    if value is None or value == "":
        raise Unusable(f"it has no {column}", hint="Events need a time; leave such rows out of the export.")
    if unit in UNITS and not isinstance(value, date):
        return _checked(_counted(value, unit, column), value, unit, column)
    found = _read(value, unit, column)
    return _checked(to_micros(found if found.tzinfo else found.replace(tzinfo=zone)), value, unit, column)


def clock_doubts(value: object, unit: str, zone: tzinfo, column: str = "time") -> Sequence[str]:
    """That a time stands twice or never on the clock of the zone, because that is set back or forward there.

    >>> from zoneinfo import ZoneInfo
    >>> clock_doubts("2026-10-25 02:30", "iso", ZoneInfo("Europe/Berlin"))
    ["its time '2026-10-25 02:30' stands twice on the clock of Europe/Berlin: the first is taken"]
    """
    if zone is UTC or (unit in UNITS and not isinstance(value, date)):
        return ()
    found = _read(value, unit, column)
    if found.tzinfo is not None:
        return ()
    early, late = (found.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if early is None or late is None or early == late:
        return ()
    what = (
        "stands twice on the clock of {}: the first is taken"
        if early > late
        else "never stands on the clock of {}, which is set forward then: it is taken as if it were not"
    )
    return [f"its {column} {shown(value)} {what.format(zone)}"]


UNITS = {"seconds": SECOND, "milliseconds": 1_000, "microseconds": 1}


def _read(value: object, unit: str, column: str) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001
    if not isinstance(value, str):
        raise Unusable(f"its {column} {shown(value)} is no text", hint=_hint(str(value), unit))
    try:
        text = value.strip().removesuffix(" UTC")
        if unit != "iso":
            return datetime.strptime(text, unit)  # noqa: DTZ007
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if value.rstrip().endswith(" UTC") else found
    except ValueError:
        expected = "ISO 8601" if unit == "iso" else f"the format {unit}"
        raise Unusable(
            f"its {column} {shown(value)} is no time as {expected} writes it", hint=_hint(value, unit)
        ) from None


def _hint(text: str, unit: str) -> str:
    """How times that are written so may be read."""
    if _NUMBER.match(text.strip()):
        likely = likely_unit(float(text))
        return f'It looks like {likely} since 1970: a mapping says so with time_format = "{likely}".'
    if _EXPONENT.match(text.strip()):
        return "A spreadsheet has cut its last digits off: export that column anew, as text."
    if unit in UNITS:
        return 'A mapping says how times are written: time_format = "iso" for 2026-03-02 10:00.'
    return 'A mapping says how times are written, for example: time_format = "%d.%m.%Y %H:%M".'


def likely_unit(number: float) -> str:
    """In which unit a count since 1970 seems to be, if it is of our days.

    >>> likely_unit(1772442000), likely_unit(1772442000123)
    ('seconds', 'milliseconds')
    """
    return "seconds" if number < 1e11 else "milliseconds" if number < 1e14 else "microseconds"


def _counted(value: object, unit: str, column: str) -> int:
    micros = UNITS[unit]
    text = value.strip() if isinstance(value, str) else ""
    if text and _NUMBER.match(text):
        value = float(text) if "." in text else int(text)
    elif isinstance(value, Decimal):
        value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise Unusable(f"its {column} {shown(value)} is no number of {unit}", hint=_hint(text, unit))
    if isinstance(value, float) and abs(value) > 1e18:
        return LAST + 1
    return int(value) * micros if isinstance(value, int) else round(value * micros)


def _checked(micros: int, value: object, unit: str, column: str) -> int:
    if not FIRST <= micros <= LAST:
        hint = ""
        if unit in UNITS and isinstance(value, int | float | str) and _NUMBER.match(str(value).strip()):
            hint = _hint(str(value), unit)
        raise Unusable(f"its {column} {shown(value)} is in no year from 1 to 9999", hint=hint)
    return micros


def not_merged(event: str, one: object, other: object) -> Unusable:
    """That an import joins no two users, and how a person does it."""
    first, second = text_of(one), text_of(other)
    return Unusable(
        f"it is a {event} of {shown(first)} and {shown(second)}, and no import joins users",
        hint=f"If they are one person: expost people merge {first or 'USER'} --into {second or 'USER'}",
    )


def text_of(value: object) -> str:
    """A value as an id or a name: text as it is, a whole number without a fraction; nothing for no value.

    >>> text_of(12.0), text_of(" ann "), text_of(None)
    ('12', 'ann', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        value = plain(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def plain(value: Decimal) -> int | float:
    """A decimal, as warehouses write all their numbers into Parquet, as JSON has it.

    >>> plain(Decimal("12.00")), plain(Decimal("9.5"))
    (12, 9.5)
    """
    return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)


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


def shown(value: object) -> str:
    """A value as a sentence has it: quoted, and of bounded length."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:58]}…{text[0]}"
