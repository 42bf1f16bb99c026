"""A mapping: which columns of a table are what. Written in TOML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Named
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, tzinfo
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError

from expost.errors import InvalidInput
from expost.query.spreadsheet import delimiter_of

from .files import Shape, head, is_parquet
from .foreign import Foreign, Row, Unusable, clock_doubts, moment_of, plain, text_of, whole_of

SHOWN_COLUMNS = 30
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?\Z")
TYPES = ("custom", "page_view", "page_leave", "click", "change", "submit", "identify", "group", "exposure")
REPEATS = ("once", "each")

_json = msgspec.json.Encoder(order="sorted", enc_hook=str).encode


@dataclass(frozen=True, slots=True)
class Mapping:
    """Each field names a column, but those that say how: `name` is the name of all events where no column has it.

    `time` may name several columns, which stand for a time together, as a day and a time of day do. `id` may name
    several, which tell events apart together; without it the whole row does. `types` says what an event of some name
    is, where it is more than a custom one. `properties` are the columns to keep, all others when it is not given. Cells
    that look like numbers become numbers, but those of `text`. What stands between cells, if no `delimiter` is given,
    the first line of each file says.
    """

    time: tuple[str, ...] = ()
    time_format: str = "iso"
    time_zone: str = "UTC"
    id: tuple[str, ...] = ()
    repeats: str = "once"
    device: str = ""
    user: str = ""
    event: str = ""
    name: str = ""
    types: Named[str, str] = field(default_factory=dict)
    url: str = ""
    title: str = ""
    referrer: str = ""
    label: str = ""
    user_agent: str = ""
    release: str = ""
    environment: str = ""
    flag: str = ""
    variation: str = ""
    group_type: str = ""
    group: str = ""
    sequence: str = ""
    properties: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    delimiter: str = ""
    columns: tuple[str, ...] = ()

    def shape_of(self, path: Path) -> Shape:
        """How a table of text is written."""
        return Shape(self.delimiter or guess_shape(path).delimiter, self.columns)

    def named(self) -> Iterator[tuple[str, str]]:
        """The columns that it names, each with what it says of them."""
        for meaning in ("time", *COLUMNS, "id", "properties"):
            said = getattr(self, meaning)
            for column in (said,) if isinstance(said, str) else said or ():
                if column:
                    yield meaning, column

    def refuse_missing(self, table: str, columns: Sequence[str]) -> None:
        """Refuse a table that lacks a column which is named: its rows would say less than they should, unsaid."""
        for meaning, column in self.named():
            if column not in columns:
                near = get_close_matches(column, columns, n=1)
                shown = ", ".join(columns[:SHOWN_COLUMNS]) + (", …" if len(columns) > SHOWN_COLUMNS else "")
                raise InvalidInput(
                    f"{table} has no column {column!r}, which the mapping names as its {meaning}.",
                    hint=f"Did you mean {near[0]!r}?" if near else f"It has: {shown}.",
                )

    @property
    def zone(self) -> tzinfo:
        """Where times are that do not say it."""
        return zone_of(self.time_zone)


COLUMNS = ("device", "user", "event", "url", "title", "referrer", "label", "user_agent", "release",
           "environment", "flag", "variation", "group_type", "group", "sequence")  # fmt: skip
"""The fields that name one column."""

_SEVERAL = ("time", "id", "properties", "drop", "text", "columns")


def zone_of(name: str) -> tzinfo:
    """The time zone of that name."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidInput(
            f"time_zone is {name!r}, which is no time zone.", hint="For example: Europe/Berlin"
        ) from None


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file. Refuses what no mapping says."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidInput(
            f"The mapping {path} cannot be read: {problem}.", hint="It is a TOML file."
        ) from None
    return parse_mapping(text, f"The mapping {path}")


def parse_mapping(text: str, place: str = "The mapping") -> Mapping:
    """The mapping that a text of TOML says. Refuses what no mapping says."""
    try:
        said = tomlkit.parse(text).unwrap()
    except TOMLKitError as problem:
        raise InvalidInput(f"{place} is no TOML: {problem}.", hint="See docs/import.md.") from None
    return mapping_of(said, place)


def mapping_of(said: Named[str, Any], place: str = "the mapping", base: Mapping | None = None) -> Mapping:
    """The mapping that says this, and for the rest what `base` says."""
    known = {each.name for each in fields(Mapping)}
    for name, value in said.items():
        if name not in known:
            raise InvalidInput(f"{place} names {name!r}, which is nothing that a mapping has.",
                               hint=f"It has: {', '.join(sorted(known))}")  # fmt: skip
        if name == "types":
            _check_types(value)
        elif name not in _SEVERAL and not isinstance(value, str):
            raise InvalidInput(f"{name!r} of {place} is {value!r}.", hint="It is one text.")
        elif name == "delimiter" and len(value) > 1:
            raise InvalidInput(f"{name!r} of {place} is {value!r}.", hint="It is one character.")
    values: dict[str, Any] = {
        name: _several(value) if name in _SEVERAL else value for name, value in said.items()
    }
    return replace(base or Mapping(), **values)


def write_mapping(mapping: Mapping) -> str:
    """The mapping as TOML, without what is as it is anyway."""
    document = tomlkit.document()
    for each in fields(Mapping):
        value = getattr(mapping, each.name)
        if value and value != each.default:
            is_one = each.name == "time" and len(value) == 1
            document[each.name] = value[0] if is_one else list(value) if isinstance(value, tuple) else value
    return tomlkit.dumps(document)


class MappedReader:
    """Makes events of the rows of a table."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._zone = mapping.zone
        named = (*mapping.time, *(getattr(mapping, name) for name in COLUMNS), *mapping.drop)
        self._held = frozenset(filter(None, named))
        if not mapping.time:
            raise InvalidInput("The mapping names no column of the time.", hint='Say it as: time = "COLUMN"')
        if not mapping.event and not mapping.name:
            raise InvalidInput(
                "The mapping names no events.", hint='Say event = "COLUMN", or name = "Ordered"'
            )
        if not mapping.device and not mapping.user:
            raise InvalidInput(
                "The mapping names nobody.", hint='Say device = "COLUMN", user = "COLUMN", or both'
            )
        if mapping.repeats not in REPEATS:
            raise InvalidInput(f"repeats is {mapping.repeats!r}.", hint="Say once, or each.")

    def __call__(self, row: Row) -> Iterator[Foreign]:
        """The event of a row. Raises Unusable."""
        mapping = self._mapping
        for column in mapping.time:
            if column not in row:
                raise Unusable(
                    f"it has no column {column!r}",
                    hint="The row is shorter than the first one: look at its end.",
                )
        said = {name: row.get(column) if (column := getattr(mapping, name)) else None for name in COLUMNS}
        name = text_of(said["event"]) or mapping.name
        if not name:
            raise Unusable(
                f"it names no event in {mapping.event}",
                hint='A mapping may say name = "Ordered" for such rows.',
            )
        type_ = mapping.types.get(name, "custom")
        device, user = text_of(said["device"]), text_of(said["user"])
        if not device and not user:
            columns = " or ".join(filter(None, (mapping.device, mapping.user)))
            raise Unusable(
                f"it names nobody in {columns}", hint="An event of nobody is counted by no question."
            )
        properties = self._properties(row)
        when = time_in(row, mapping.time), mapping.time_format, self._zone, " with ".join(mapping.time)
        yield Foreign(
            self._key(row),
            moment_of(*when),
            type_,
            name if type_ == "custom" else None,
            device,
            user,
            url=text_of(said["url"]) or None,
            title=text_of(said["title"]),
            referrer=text_of(said["referrer"]),
            label=text_of(said["label"]) or None,
            properties={} if type_ in ("identify", "group") else properties,
            traits=properties if type_ in ("identify", "group") else {},
            user_agent=text_of(said["user_agent"]),
            release=text_of(said["release"]),
            environment=text_of(said["environment"]),
            flag=text_of(said["flag"]) or None,
            variation=text_of(said["variation"]) if mapping.variation else None,
            group_type=text_of(said["group_type"]) or None,
            group=text_of(said["group"]) or None,
            sequence=whole_of(said["sequence"]),
            doubts=clock_doubts(*when),
        )

    def _key(self, row: Row) -> str:
        names = self._mapping.id
        if not names:
            return _json(row).decode()
        values = [text_of(row.get(name)) for name in names]
        if not any(values):
            raise Unusable(
                f"it has no {' and '.join(names)}",
                hint="Leave id out of the mapping if rows are told apart by all that they say.",
            )
        return "\0".join(values)

    def _properties(self, row: Row) -> dict[str, Any]:
        kept = self._mapping.properties
        return {
            name: self._value(name, value)
            for name, value in row.items()
            if name
            and value not in (None, "")
            and (name in kept if kept is not None else name not in self._held)
        }

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            if name in self._mapping.text or not NUMBER.match(value) or len(value) > 15:
                return value
            return float(value) if "." in value else int(value)
        if isinstance(value, Decimal):
            return plain(value)
        # What Parquet has beside the values of JSON: times, bytes.
        return value if isinstance(value, bool | int | float | list | dict) else str(value)


def time_in(row: Row, columns: Sequence[str]) -> object:
    """What a row says of its time: the value of one column, or those of several with a space between them.

    Nothing where one of them is empty: a day without its time of day is no midnight.

    >>> time_in({"Datum": "24.10.2026", "Uhrzeit": "02:30"}, ("Datum", "Uhrzeit"))
    '24.10.2026 02:30'
    """
    values = [row.get(column) for column in columns]
    if len(values) == 1:
        return values[0]
    texts = [text_of(value) for value in values]
    return " ".join(texts) if all(texts) else None


def guess_shape(path: Path) -> Shape:
    """How a table of text seems to be written."""
    if is_parquet(path):
        return Shape()
    first = head(path).split(b"\n", 1)[0].decode("utf-8", "replace")
    return Shape(delimiter_of(first.rstrip("\r")))


def _several(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise InvalidInput(f"{value!r} is no list of columns.", hint='For example: id = ["order_id", "line"]')
    return tuple(value)


def _check_types(value: Any) -> None:
    if not isinstance(value, dict):
        raise InvalidInput(
            f"types is {value!r}.", hint='Say it as a table: [types] "Viewed page" = "page_view"'
        )
    for name, type_ in value.items():
        if type_ not in TYPES:
            raise InvalidInput(
                f"{name!r} cannot be of the type {type_!r}.", hint=f"Types are: {', '.join(TYPES)}"
            )
