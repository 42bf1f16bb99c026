"""TOML that people read and write: what is wrong has its line, and what is written again keeps their comments."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

import tomlkit
from tomlkit.items import AoT, Item, Table

from expost.errors import InvalidInput, UnknownName
from expost.state.names import name_key

SUFFIX = ".toml"
LONGEST_STEM = 60
RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)
"""Names that no file can have on Windows, whatever comes behind a dot."""

Place = tuple[str | int, ...]
"""Where in a file something stands: keys of tables and numbers in lists."""
Kind = TypeVar("Kind")
Tables = frozenset[str]
"""Fields that are written as `[[tables]]`, and not as lists of inline ones."""


def file_name(name: str) -> str:
    """The file of what is called so: the same on every system and whatever other names there are.

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


class Misplaced(Exception):
    """Something in a file that cannot be, and where."""

    def __init__(self, place: Place, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.place, self.message, self.hint = place, message, hint


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


def read_placed(text: str, file: str, read: Callable[[Mapping[str, Any]], Kind]) -> Kind:
    """What `read` makes of the file; what is misplaced in it is refused with the file and the line."""
    data = read_toml(text, file)
    try:
        return read(data)
    except Misplaced as problem:
        line = _line_of(text, problem.place)
        raise InvalidInput(f"{file}, line {line}: {problem.message}", hint=problem.hint) from problem


def write_toml(wanted: Mapping[str, Any], before: str = "", tables: Tables = frozenset()) -> str:
    """The text of a file. With the text that it had before, comments and layout stay where they can."""
    written = _written(wanted, before, tables) if before else ""
    # What cannot be said inside the old layout is written afresh.
    return written if written and tomllib.loads(written) == wanted else _written(wanted, "", tables)


def _written(wanted: Mapping[str, Any], before: str, tables: Tables) -> str:
    document = tomlkit.parse(_with_fields(before, wanted, tables) if before else "")
    _put(document, wanted, tables)
    return tomlkit.dumps(document).rstrip("\n") + "\n"


def _with_fields(text: str, wanted: Mapping[str, Any], tables: Tables) -> str:
    """The text with a line for each field that it lacks: behind the field before it, above the first table."""
    present = tomllib.loads(text)
    lines = text.splitlines()
    place = 0
    for name, value in wanted.items():
        if name in tables or isinstance(value, dict):
            continue
        if name in present:
            place = _lines_of("\n".join(lines), (name,))[1]
        else:
            added = tomlkit.dumps({name: _item(name, value, tables)}).splitlines()
            lines[place:place] = added
            place += len(added)
    return "\n".join(lines) + "\n"


def said(read: Callable[[], Kind], place: Place) -> Kind:
    """What `read` gives; what it refuses is refused at that place."""
    try:
        return read()
    except (InvalidInput, UnknownName) as problem:
        raise Misplaced(place, problem.message, problem.hint) from problem


def value_of(data: Mapping[str, Any], field: str, kind: type[Kind], place: Place) -> Kind | None:
    """The value of a field, None where there is none; of another kind than it has to be it is refused."""
    value = data.get(field)
    if value is not None and not isinstance(value, kind):
        words = {str: "a text in quotes", bool: "true or false", date: "a date or a time", list: "a list"}
        raise Misplaced(
            (*place, field), f"{field} is {value!r}.", f"It has to be {words.get(kind, 'a table')}."
        )
    return value


def values_of(data: Mapping[str, Any], field: str, kind: type[Kind], place: Place) -> list[Kind]:
    """The values of a field that is a list of one kind."""
    found: list[Any] = value_of(data, field, list, place) or []
    for number, each in enumerate(found):
        value_of({field: each}, field, kind, place if not isinstance(each, kind) else (*place, field, number))
    return found


def tables_of(data: Mapping[str, Any], field: str, place: Place) -> list[Mapping[str, Any]]:
    """The tables of a field that is a list of them."""
    found = values_of(data, field, dict, place)
    return [*found]


def refuse_unknown(data: Mapping[str, Any], known: Sequence[str], place: Place) -> None:
    """Refuse a field that nobody knows."""
    for field in data:
        if field not in known:
            raise Misplaced(
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


def _put(table: Any, wanted: Mapping[str, Any], tables: Tables) -> None:
    """Make the table say what is wanted, touching only what says something else."""
    for name in [name for name in table if name not in wanted]:
        del table[name]
    for name, value in wanted.items():
        if name not in table:
            table[name] = _item(name, value, tables)
        elif _plain(table[name]) != value:
            if isinstance(table[name], AoT) and _is_rows(value):
                _put_rows(table[name], value, tables)
            elif isinstance(table[name], Table) and isinstance(value, dict):
                _put(table[name], value, tables)
            else:
                old = table[name]
                table[name] = _item(name, value, tables)
                if isinstance(old, Item) and old.trivia.comment:
                    table[name].trivia.comment_ws = old.trivia.comment_ws
                    table[name].trivia.comment = old.trivia.comment


def _put_rows(rows: AoT, wanted: Sequence[Mapping[str, Any]], tables: Tables) -> None:
    while len(rows) > len(wanted):
        del rows[-1]
    for number, each in enumerate(wanted):
        if number < len(rows):
            _put(rows[number], each, tables)
        else:
            if len(rows):
                rows[-1].add(tomlkit.nl())
            rows.append(_table(each, tables))


def _item(name: str, value: Any, tables: Tables) -> Any:
    if isinstance(value, dict):
        return _table(value, tables)
    if _is_rows(value) and name in tables:
        rows = tomlkit.aot()
        for each in value:
            rows.append(_table(each, tables))
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


def _table(values: Mapping[str, Any], tables: Tables) -> Any:
    table = tomlkit.table()
    for name, value in values.items():
        table[name] = _item(name, value, tables)
    return table


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _plain(item: Any) -> Any:
    return item.unwrap() if isinstance(item, Item) else item
