"""A mapping: which columns of a table are what. Written in TOML, proposed by looking at the first rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Named
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, tzinfo
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError

from expost.errors import InvalidInput
from expost.query.spreadsheet import delimiter_of

from .files import Found, Shape, head, is_parquet, tables
from .foreign import Foreign, Row, Unusable, moment_of, text_of, whole_of

SAMPLE_ROWS = 200
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?\Z")
TYPES = ("custom", "page_view", "page_leave", "click", "change", "submit", "identify", "group", "exposure")
REPEATS = ("once", "each")

_json = msgspec.json.Encoder(order="sorted", enc_hook=str).encode


@dataclass(frozen=True, slots=True)
class Mapping:
    """Each field names a column, but those that say how: `name` is the name of all events where no column has it.

    `id` may name several columns, which tell events apart together; without it the whole row does. `types` says what an
    event of some name is, where it is more than a custom one. `properties` are the columns to keep, all others when it
    is not given. Cells that look like numbers become numbers, but those of `text`. What stands between cells, if no
    `delimiter` is given, the first line of each file says.
    """

    time: str = ""
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

    @property
    def zone(self) -> tzinfo:
        """Where times are that do not say it."""
        return zone_of(self.time_zone)


COLUMNS = ("time", "device", "user", "event", "url", "title", "referrer", "label", "user_agent", "release",
           "environment", "flag", "variation", "group_type", "group", "sequence")  # fmt: skip
"""The fields that name one column."""

_SEVERAL = ("id", "properties", "drop", "text", "columns")


def zone_of(name: str) -> tzinfo:
    """The time zone of that name."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidInput(f"No time zone is called {name!r}.", hint="For example: Europe/Berlin") from None


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file. Refuses what no mapping says."""
    try:
        said = tomlkit.parse(path.read_text("utf-8")).unwrap()
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidInput(
            f"The mapping {path} cannot be read: {problem}.", hint="It is a TOML file."
        ) from None
    except TOMLKitError as problem:
        raise InvalidInput(f"The mapping {path} is no TOML: {problem}.", hint="See docs/import.md.") from None
    return mapping_of(said, str(path))


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
            document[each.name] = list(value) if isinstance(value, tuple) else value
    return tomlkit.dumps(document)


class MappedReader:
    """Makes events of the rows of a table."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._zone = mapping.zone
        named = (*(getattr(mapping, name) for name in COLUMNS), *mapping.drop)
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
        if mapping.time not in row:
            raise Unusable(f"it has no column {mapping.time!r}")
        said = {name: row.get(column) if (column := getattr(mapping, name)) else None for name in COLUMNS}
        name = text_of(said["event"]) or mapping.name
        if not name:
            raise Unusable("it names no event")
        type_ = mapping.types.get(name, "custom")
        device, user = text_of(said["device"]), text_of(said["user"])
        if not device and not user:
            raise Unusable("it names nobody")
        properties = self._properties(row)
        yield Foreign(
            self._key(row),
            moment_of(said["time"], mapping.time_format, self._zone),
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
        )

    def _key(self, row: Row) -> str:
        names = self._mapping.id
        if not names:
            return _json(row).decode()
        values = [text_of(row.get(name)) for name in names]
        if not any(values):
            raise Unusable(f"it has no {' and '.join(names)}")
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
        # What Parquet has beside the values of JSON: times, bytes, decimals.
        return value if isinstance(value, bool | int | float | list | dict) else str(value)


def inspect(path: Path, rows: int = SAMPLE_ROWS) -> list[Row]:
    """The first rows of a table, by a shape that is guessed from its first line."""
    return _rows(islice(tables(path, guess_shape(path)), rows))


def _rows(found: Iterator[Found]) -> list[Row]:
    return [row for _, row in found if not isinstance(row, Unusable)]


def guess_shape(path: Path) -> Shape:
    """How a table of text seems to be written."""
    if is_parquet(path):
        return Shape()
    first = head(path).split(b"\n", 1)[0].decode("utf-8", "replace")
    return Shape(delimiter_of(first.rstrip("\r")))


# Which columns are likely what, the likeliest name first.
_LIKELY = {
    "time": "timestamp event_time event_timestamp time datetime date created_at occurred_at ts at",
    "id": "event_id uuid insert_id id message_id messageid",
    "device": "device_id anonymous_id anonymousid client_id visitor_id cookie_id device",
    "user": "user_id userid customer_id account_id person_id distinct_id user customer case:concept:name",
    "event": "event event_name event_type action name activity concept:name",
    "url": "url page_url current_url page_location page",
    "title": "title page_title",
    "referrer": "referrer page_referrer referer",
    "user_agent": "user_agent useragent",
    "release": "release app_version version",
    "environment": "environment env",
    "sequence": "sequence seq event_index",
}
_ADDRESS = re.compile(r"(?:user_|client_|remote_)?ip(?:_?address)?\Z", re.IGNORECASE)


def propose(rows: Sequence[Row], shape: Shape) -> Mapping:
    """A mapping that seems to fit these rows: for a person to look at."""
    names = list(dict.fromkeys(name for row in rows for name in row if name))
    lower = {name.lower(): name for name in reversed(names)}
    said: dict[str, Any] = {"delimiter": shape.delimiter, "columns": shape.columns}
    taken: set[str] = set()
    for meaning, likely in _LIKELY.items():
        found = next(
            (lower[each] for each in likely.split() if each in lower and lower[each] not in taken), None
        )
        if found is None or (meaning == "id" and not _are_distinct([row.get(found) for row in rows])):
            continue
        if meaning == "url" and not any("/" in text_of(row.get(found)) for row in rows):
            continue
        taken.add(found)
        said[meaning] = (found,) if meaning == "id" else found
    said["drop"] = tuple(name for name in names if _ADDRESS.match(name))
    if "time" in said:
        said["time_format"] = guess_format([row.get(said["time"]) for row in rows])
    if "event" not in said:
        said["name"] = "Imported"
    return mapping_of(said)


def guess_format(values: Sequence[object]) -> str:
    """In which format these times seem to be."""
    texts = [value for value in values if value not in (None, "")]
    if texts and all(re.fullmatch(r"\d{8}", str(each)) for each in texts):
        return "%Y%m%d"
    numbers = [float(str(each)) for each in texts if NUMBER.match(str(each))]
    if texts and len(numbers) == len(texts) and not any(isinstance(each, datetime) for each in texts):
        largest = max(numbers)
        return "seconds" if largest < 1e11 else "milliseconds" if largest < 1e14 else "microseconds"
    return "iso"


def _are_distinct(values: Sequence[object]) -> bool:
    return len({text_of(each) for each in values}) == len(values)


def _several(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
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
