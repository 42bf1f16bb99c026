"""A definition as a file: TOML that people read and write, and that keeps their comments when it is written again.

    name = "Signed up"
    owner = "growth"
    tags = ["activation"]

    [[alternatives]]
    types = ["click"]
    selector = "form.signup button"
    path = "glob:/pricing/**"

An alternative has the conditions of a definition under their names; text and parts of the address are written as
`contains:Buy` or `matches/i:^buy`. A definition of which several versions count has `[[versions]]`, the oldest first,
each with its `alternatives`, `valid_from` and `valid_until`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from expost.clock import from_micros
from expost.state.details import Details

from .alternative import Alternative
from .calendar import Calendar, interval_of
from .definition import Definition
from .detail_fields import DETAILS, details_in, details_out
from .interval import ALWAYS, Interval
from .pattern import Operator, Pattern, QueryParameter
from .property_match import PropertyMatch
from .toml_file import (
    Misplaced,
    Place,
    read_placed,
    refuse_unknown,
    said,
    tables_of,
    value_of,
    values_of,
    write_toml,
)

TABLES = frozenset({"alternatives", "versions"})
FIELDS = ("name", *DETAILS, *sorted(TABLES))
VERSION_FIELDS = ("valid_from", "valid_until", "alternatives")
CONDITIONS = tuple(name for name in Alternative.__slots__ if name != "interval")
PATTERNS: Mapping[str, Operator] = {"text": "is", "host": "is", "path": "glob", "hash": "is"}


@dataclass(frozen=True, slots=True)
class FiledDefinition:
    """What a file says: the versions that count, the oldest first, and what is said beside the meaning."""

    name: str
    versions: tuple[Definition, ...]
    details: Details

    def meanings(self) -> list[tuple[dict[str, Any], Interval]]:
        """The versions by what they say: equal lists count the same events."""
        return [(each.body(), each.interval) for each in self.versions]


def parse_file(
    text: str, file: str, calendar: Calendar, check: Callable[[Definition], None] = lambda _: None
) -> FiledDefinition:
    """What the file says. A refusal names the file and the line. `check` may refuse what is read, too."""
    return read_placed(text, file, lambda data: _filed(data, calendar, check))


def write_file(filed: FiledDefinition, before: str = "") -> str:
    """The text of the file. With the text that it had before, comments and layout stay where they can."""
    return write_toml(_table_of(filed), before, TABLES)


def _filed(
    data: Mapping[str, Any], calendar: Calendar, check: Callable[[Definition], None]
) -> FiledDefinition:
    refuse_unknown(data, FIELDS, ())
    name = value_of(data, "name", str, ())
    if not name:
        raise Misplaced(("name",), "A definition needs a name.", 'For example: name = "Signed up"')
    if ("alternatives" in data) == ("versions" in data):
        raise Misplaced(
            ("versions",), "A definition has either alternatives or versions.", "Write [[alternatives]]"
        )
    versions = (
        [_version(name, each, calendar, ("versions", number), check)
         for number, each in enumerate(tables_of(data, "versions", ()))]
        if "versions" in data
        else [_version(name, {"alternatives": data["alternatives"]}, calendar, (), check)]
    )  # fmt: skip
    return FiledDefinition(name, tuple(versions), details_in(data))


def _version(
    name: str, data: Mapping[str, Any], calendar: Calendar, place: Place, check: Callable[[Definition], None]
) -> Definition:
    refuse_unknown(data, VERSION_FIELDS, place)
    start, end = (value_of(data, side, date, place) for side in ("valid_from", "valid_until"))
    interval = said(lambda: interval_of(calendar, start, end), (*place, "valid_until"))
    alternatives = []
    for number, each in enumerate(tables_of(data, "alternatives", place)):
        here = (*place, "alternatives", number)
        alternatives.append(_alternative(each, here))
        # Checked one by one, so that a refusal knows its line.
        alone = said(lambda: Definition(name, (alternatives[-1],)), ("name",))
        said(lambda: check(alone), (*here, "selector") if "selector" in each else here)  # noqa: B023
    return said(lambda: Definition(name, tuple(alternatives), interval=interval), (*place, "alternatives"))


def _alternative(data: Mapping[str, Any], place: Place) -> Alternative:
    refuse_unknown(data, CONDITIONS, place)
    given: dict[str, Any] = {
        field: value_of(data, field, kind, place)
        for field, kind in (("selector", str), ("event_name", str), ("target_only", bool), ("pierce", bool))
        if field in data
    }
    for field, default in PATTERNS.items():
        if field in data:
            text = value_of(data, field, str, place)
            given[field] = said(partial(Pattern.parse, text or "", default), (*place, field))
    for field, read in (("query", _parameter), ("properties", _property)):
        rows = enumerate(tables_of(data, field, place)) if field in data else ()
        given[field] = tuple(read(row, (*place, field, number)) for number, row in rows)
    types = tuple(values_of(data, "types", str, place))
    return said(lambda: Alternative(types=types, **given), place)


def _parameter(data: Mapping[str, Any], place: Place) -> QueryParameter:
    refuse_unknown(data, ("name", "value"), place)
    name, value = value_of(data, "name", str, place), value_of(data, "value", str, place)
    if not name:
        raise Misplaced(place, "A query parameter needs a name.")
    return said(lambda: QueryParameter(name, None if value is None else Pattern.parse(value, "is")), place)


def _property(data: Mapping[str, Any], place: Place) -> PropertyMatch:
    refuse_unknown(data, ("name", "operator", "value", "is_null"), place)
    name = value_of(data, "name", str, place)
    if not name:
        raise Misplaced(place, "A property needs a name.")
    value = data.get("value")
    if value is not None and not isinstance(value, str | int | float | bool):
        raise Misplaced((*place, "value"), "A property is compared with a text, a number, true or false.")
    is_exists = value is None and not value_of(data, "is_null", bool, place)
    operator: Any = value_of(data, "operator", str, place) or ("exists" if is_exists else "is")
    return said(lambda: PropertyMatch(name, operator, value), place)


def _table_of(filed: FiledDefinition) -> dict[str, Any]:
    """The file as plain data, in the order in which it is written."""
    body: dict[str, Any] = {"name": filed.name} | details_out(filed.details)
    if len(filed.versions) == 1 and filed.versions[0].interval == ALWAYS:
        return body | {"alternatives": _alternatives_of(filed.versions[0])}
    return body | {"versions": [_version_of(each) for each in filed.versions]}


def _version_of(version: Definition) -> dict[str, Any]:
    sides = (("valid_from", version.interval.start), ("valid_until", version.interval.end))
    body: dict[str, Any] = {name: from_micros(micros) for name, micros in sides if micros is not None}
    return body | {"alternatives": _alternatives_of(version)}


def _alternatives_of(version: Definition) -> list[dict[str, Any]]:
    return [_conditions_of(each) for each in version.alternatives]


def _conditions_of(alternative: Alternative) -> dict[str, Any]:
    body = alternative.to_json()
    for name in PATTERNS:
        if name in body:
            body[name] = str(getattr(alternative, name))
    if alternative.query:
        body["query"] = [
            {"name": each.name} | ({"value": str(each.pattern)} if each.pattern else {})
            for each in alternative.query
        ]
    if alternative.properties:
        body["properties"] = [_property_of(each) for each in alternative.properties]
    return {name: body[name] for name in CONDITIONS if name in body}


def _property_of(condition: PropertyMatch) -> dict[str, Any]:
    body = condition.to_json()
    if "value" in body and body["value"] is None:
        del body["value"]
        body["is_null"] = True
    return body
