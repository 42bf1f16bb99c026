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

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, TypeVar

import tomlkit
from tomlkit.items import AoT, Item

from expost.clock import from_micros
from expost.errors import InvalidInput
from expost.state.definition_details import Details
from expost.state.names import name_key

from .calendar import Calendar, interval_of
from .definition import Alternative, Definition, Operator, Pattern, PropertyMatch, QueryParameter
from .interval import ALWAYS, Interval

SUFFIX = ".toml"
LONGEST_STEM = 60
RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)
"""Names that no file can have on Windows, whatever comes behind a dot."""

FIELDS = ("name", "owner", "tags", "note", "archived", "alternatives", "versions")
VERSION_FIELDS = ("valid_from", "valid_until", "alternatives")
CONDITIONS = tuple(name for name in Alternative.__slots__ if name != "interval")
PATTERNS: Mapping[str, Operator] = {"text": "is", "host": "is", "path": "glob", "hash": "is"}

Place = tuple[str | int, ...]
"""Where in a file something stands: keys of tables and numbers in lists."""
Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class FiledDefinition:
    """What a file says: the versions that count, the oldest first, and what is said beside the meaning."""

    name: str
    versions: tuple[Definition, ...]
    details: Details

    def meanings(self) -> list[tuple[dict[str, Any], Interval]]:
        """The versions by what they say: equal lists count the same events."""
        return [(each.body(), each.interval) for each in self.versions]


def file_name(name: str) -> str:
    """The file of a definition: the same on every system and whatever other definitions there are.

    >>> file_name("Signed up")
    'signed-up.toml'
    >>> file_name("Signed up!")
    'signed-up-f82def.toml'
    """
    key = name_key(name)
    stem = re.sub(r"[^a-z0-9]+", "-", key).strip("-")
    if stem.replace("-", " ") != key or stem in RESERVED or len(stem) > LONGEST_STEM:
        digest = hashlib.sha256(key.encode()).hexdigest()[:6]
        stem = "-".join(part for part in (stem[:LONGEST_STEM].strip("-"), digest) if part)
    return stem + SUFFIX


class _Misplaced(Exception):
    """Something in a file that cannot be, and where."""

    def __init__(self, place: Place, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.place, self.message, self.hint = place, message, hint


def parse_file(
    text: str, file: str, calendar: Calendar, check: Callable[[Definition], None] = lambda _: None
) -> FiledDefinition:
    """What the file says. A refusal names the file and the line. `check` may refuse what is read, too."""
    data = read_toml(text, file)
    try:
        return _filed(data, calendar, check)
    except _Misplaced as problem:
        line = _line_of(text, problem.place)
        raise InvalidInput(f"{file}, line {line}: {problem.message}", hint=problem.hint) from problem


def read_toml(text: str, file: str) -> dict[str, Any]:
    """The file as TOML, whatever it says."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(problem))
        line = f", line {found[1]}" if found else ""
        reason = str(problem).partition(" (at ")[0]
        raise InvalidInput(
            f"{file}{line}: this is no TOML: {reason}.", hint="The format is described at https://toml.io"
        ) from problem


def write_file(filed: FiledDefinition, before: str = "") -> str:
    """The text of the file. With the text that it had before, comments and layout stay where they can."""
    wanted = _table_of(filed)
    written = _written(wanted, before) if before else ""
    # What cannot be said inside the old layout is written afresh.
    return written if written and tomllib.loads(written) == wanted else _written(wanted, "")


def _written(wanted: Mapping[str, Any], before: str) -> str:
    document = tomlkit.parse(_with_fields(before, wanted) if before else "")
    _put(document, wanted)
    return tomlkit.dumps(document).rstrip("\n") + "\n"


def _with_fields(text: str, wanted: Mapping[str, Any]) -> str:
    """The text with a line for each field that it lacks: behind the field before it, above the first table."""
    present = tomllib.loads(text)
    lines = text.splitlines()
    place = 0
    for name, value in wanted.items():
        if name in ("alternatives", "versions"):
            continue
        if name in present:
            place = _lines_of("\n".join(lines), (name,))[1]
        else:
            added = tomlkit.dumps({name: _item(name, value)}).splitlines()
            lines[place:place] = added
            place += len(added)
    return "\n".join(lines) + "\n"


def _filed(
    data: Mapping[str, Any], calendar: Calendar, check: Callable[[Definition], None]
) -> FiledDefinition:
    _refuse_unknown(data, FIELDS, ())
    name = _get(data, "name", str, ())
    if not name:
        raise _Misplaced(("name",), "A definition needs a name.", 'For example: name = "Signed up"')
    if ("alternatives" in data) == ("versions" in data):
        raise _Misplaced(
            ("versions",), "A definition has either alternatives or versions.", "Write [[alternatives]]"
        )
    versions = (
        [_version(name, each, calendar, ("versions", number), check)
         for number, each in enumerate(_tables(data, "versions", ()))]
        if "versions" in data
        else [_version(name, {"alternatives": data["alternatives"]}, calendar, (), check)]
    )  # fmt: skip
    details = Details(
        owner=_get(data, "owner", str, ()) or "",
        tags=tuple(_list(data, "tags", str, ())),
        note=_get(data, "note", str, ()) or "",
        archived=_get(data, "archived", bool, ()) or False,
    )
    return FiledDefinition(name, tuple(versions), details)


def _version(
    name: str, data: Mapping[str, Any], calendar: Calendar, place: Place, check: Callable[[Definition], None]
) -> Definition:
    _refuse_unknown(data, VERSION_FIELDS, place)
    start, end = (_get(data, side, date, place) for side in ("valid_from", "valid_until"))
    interval = _said(lambda: interval_of(calendar, start, end), (*place, "valid_until"))
    alternatives = []
    for number, each in enumerate(_tables(data, "alternatives", place)):
        here = (*place, "alternatives", number)
        alternatives.append(_alternative(each, here))
        # Checked one by one, so that a refusal knows its line.
        alone = _said(lambda: Definition(name, (alternatives[-1],)), ("name",))
        _said(lambda: check(alone), (*here, "selector") if "selector" in each else here)  # noqa: B023
    return _said(lambda: Definition(name, tuple(alternatives), interval=interval), (*place, "alternatives"))


def _alternative(data: Mapping[str, Any], place: Place) -> Alternative:
    _refuse_unknown(data, CONDITIONS, place)
    given: dict[str, Any] = {
        field: _get(data, field, kind, place)
        for field, kind in (("selector", str), ("event_name", str), ("target_only", bool), ("pierce", bool))
        if field in data
    }
    for field, default in PATTERNS.items():
        if field in data:
            text = _get(data, field, str, place)
            given[field] = _said(partial(Pattern.parse, text or "", default), (*place, field))
    for field, read in (("query", _parameter), ("properties", _property)):
        rows = enumerate(_tables(data, field, place)) if field in data else ()
        given[field] = tuple(read(row, (*place, field, number)) for number, row in rows)
    types = tuple(_list(data, "types", str, place))
    return _said(lambda: Alternative(types=types, **given), place)


def _parameter(data: Mapping[str, Any], place: Place) -> QueryParameter:
    _refuse_unknown(data, ("name", "value"), place)
    name, value = _get(data, "name", str, place), _get(data, "value", str, place)
    if not name:
        raise _Misplaced(place, "A query parameter needs a name.")
    return _said(lambda: QueryParameter(name, None if value is None else Pattern.parse(value, "is")), place)


def _property(data: Mapping[str, Any], place: Place) -> PropertyMatch:
    _refuse_unknown(data, ("name", "operator", "value", "is_null"), place)
    name = _get(data, "name", str, place)
    if not name:
        raise _Misplaced(place, "A property needs a name.")
    value = data.get("value")
    if value is not None and not isinstance(value, str | int | float | bool):
        raise _Misplaced((*place, "value"), "A property is compared with a text, a number, true or false.")
    is_exists = value is None and not _get(data, "is_null", bool, place)
    operator: Any = _get(data, "operator", str, place) or ("exists" if is_exists else "is")
    return _said(lambda: PropertyMatch(name, operator, value), place)


def _said(read: Callable[[], Kind], place: Place) -> Kind:
    """What `read` gives; what it refuses is refused at that place."""
    try:
        return read()
    except InvalidInput as problem:
        raise _Misplaced(place, problem.message, problem.hint) from problem


def _get(data: Mapping[str, Any], field: str, kind: type[Kind], place: Place) -> Kind | None:
    value = data.get(field)
    if value is not None and not isinstance(value, kind):
        words = {str: "a text in quotes", bool: "true or false", date: "a date or a time", list: "a list"}
        raise _Misplaced(
            (*place, field), f"{field} is {value!r}.", f"It has to be {words.get(kind, 'a table')}."
        )
    return value


def _list(data: Mapping[str, Any], field: str, kind: type[Kind], place: Place) -> list[Kind]:
    found: list[Any] = _get(data, field, list, place) or []
    for number, each in enumerate(found):
        _get({field: each}, field, kind, place if not isinstance(each, kind) else (*place, field, number))
    return found


def _tables(data: Mapping[str, Any], field: str, place: Place) -> list[Mapping[str, Any]]:
    found = _list(data, field, dict, place)
    return [*found]


def _refuse_unknown(data: Mapping[str, Any], known: Sequence[str], place: Place) -> None:
    for field in data:
        if field not in known:
            raise _Misplaced(
                (*place, field), f"There is no field called {field!r}.", f"Known here: {', '.join(known)}."
            )


def _line_of(text: str, place: Place) -> int:
    """The line on which the place is first written; that of what holds it if it is not there."""
    while place:
        first, _ = _lines_of(text, place)
        if first:
            return first
        place = place[:-1]
    return 1


def _lines_of(text: str, place: Place) -> tuple[int, int]:
    """The first and the last line of what is written there; zeros if nothing is."""
    lines = text.splitlines()
    above = 0
    for count in range(1, len(lines) + 1):
        try:
            data = tomllib.loads("\n".join(lines[:count]) + "\n")
        except tomllib.TOMLDecodeError:
            # Inside a value of several lines.
            continue
        if _has(data, place):
            return above + 1, count
        above = count
    return 0, 0


def _has(data: Any, place: Place) -> bool:
    for step in place:
        if isinstance(data, str):
            return False
        try:
            data = data[step]
        except (LookupError, TypeError):
            return False
    return True


def _table_of(filed: FiledDefinition) -> dict[str, Any]:
    """The file as plain data, in the order in which it is written."""
    details = {name: value for name, value in filed.details.to_json().items() if value}
    body: dict[str, Any] = {"name": filed.name} | details
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


def _put(table: Any, wanted: Mapping[str, Any]) -> None:
    """Make the table say what is wanted, touching only what says something else."""
    for name in [name for name in table if name not in wanted]:
        del table[name]
    for name, value in wanted.items():
        if name not in table:
            table[name] = _item(name, value)
        elif _plain(table[name]) != value:
            if isinstance(table[name], AoT) and _is_rows(value):
                _put_rows(table[name], value)
            else:
                old = table[name]
                table[name] = _item(name, value)
                if isinstance(old, Item) and old.trivia.comment:
                    table[name].trivia.comment_ws = old.trivia.comment_ws
                    table[name].trivia.comment = old.trivia.comment


def _put_rows(rows: AoT, wanted: Sequence[Mapping[str, Any]]) -> None:
    while len(rows) > len(wanted):
        del rows[-1]
    for number, each in enumerate(wanted):
        if number < len(rows):
            _put(rows[number], each)
        else:
            if len(rows):
                rows[-1].add(tomlkit.nl())
            rows.append(_table(each))


def _item(name: str, value: Any) -> Any:
    if _is_rows(value) and name in ("alternatives", "versions"):
        rows = tomlkit.aot()
        for each in value:
            rows.append(_table(each))
        return rows
    if _is_rows(value):
        listed = tomlkit.array()
        for each in value:
            inline = tomlkit.inline_table()
            inline.update(each)
            listed.append(inline)
        return listed.multiline(len(value) > 1)
    if isinstance(value, datetime):
        return tomlkit.datetime(value.isoformat().replace("+00:00", "Z"))
    if isinstance(value, str) and "\n" in value:
        return tomlkit.string(value, multiline=True)
    return tomlkit.item(value)


def _table(values: Mapping[str, Any]) -> Any:
    table = tomlkit.table()
    for name, value in values.items():
        table[name] = _item(name, value)
    return table


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _plain(item: Any) -> Any:
    return item.unwrap() if isinstance(item, Item) else item
