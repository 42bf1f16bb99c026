"""Conditions on columns of an event (country, browser, campaign …), chosen from a list instead of written.

Each is a property of the name `column:…`; a form sends name and value in two fields, as pages without scripts can.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import zip_longest

from expost.query.event_column import CUT, KINDS, PREFIX
from expost.query.form import Form

from .desk import Pairs

FIELDS = ("column", "column_value")
"""What a form calls a column and its value: as many of the one as of the other, in one order."""
SAID = {
    "country": "Country", "browser": "Browser", "device_class": "Kind of device", "os": "System",
    "campaign": "Campaign", "channel": "Channel", "traffic_source": "Source of traffic",
    "traffic_medium": "Medium of traffic", "release": "Release", "environment": "Environment", "consent": "Consent",
}  # fmt: skip
"""Those that people ask for most, in words; the others follow by their names."""
Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """One condition: the column that is chosen, if one is, and its value. An empty value asks that there is one."""

    column: str
    value: str


def column_choices() -> Choices:
    """The columns to choose from, with their words."""
    rest = sorted(KINDS.keys() - CUT - SAID.keys() - {"type", "name"})
    return (*SAID.items(), *((name, name.replace("_", " ").capitalize()) for name in rest))


def column_rows(form: Form) -> tuple[ColumnRow, ...]:
    """The conditions on columns that a form has, and an empty row for one more.

    >>> column_rows({"property": ["plan=pro", "column:country=DE"]})
    (ColumnRow(column='country', value='DE'), ColumnRow(column='', value=''))
    """
    found = [
        each.removeprefix(PREFIX).partition("=") for each in form.get("property", ()) if _is_column(each)
    ]
    return (*(ColumnRow(name, _shown(value)) for name, _, value in found), ColumnRow("", ""))


def other_properties(values: tuple[str, ...]) -> tuple[str, ...]:
    """The properties of a form that are no columns."""
    return tuple(each for each in values if not _is_column(each))


def with_columns(pairs: Pairs) -> list[tuple[str, str]]:
    """The fields of a form with what was chosen written as properties, as questions are asked.

    >>> with_columns([("click", "a"), ("column", "country"), ("column_value", "DE"), ("column", "")])
    [('click', 'a'), ('property', 'column:country=DE')]
    >>> with_columns([("column", "release"), ("column_value", "3"), ("column", "campaign"), ("column_value", "")])
    [('property', 'column:release="3"'), ('property', 'column:campaign')]
    """
    columns, values = ([value for name, value in pairs if name == field] for field in FIELDS)
    chosen = [
        ("property", PREFIX + column + _written(column, value.strip()))
        for column, value in zip_longest(columns, values, fillvalue="")
        if column
    ]
    return [each for each in pairs if each[0] not in FIELDS] + chosen


def _written(column: str, value: str) -> str:
    """A value as a condition says it. A number on a column of texts is a text."""
    if not value:
        return ""
    is_text = KINDS.get(column) == "text"
    return f"={json.dumps(value, ensure_ascii=False) if is_text and _means_other(value) else value}"


def _means_other(value: str) -> bool:
    try:
        json.loads(value)
    except ValueError:
        return False
    return True


def _is_column(condition: str) -> bool:
    return condition.startswith(PREFIX) and condition.removeprefix(PREFIX).partition("=")[0] in KINDS


def _shown(value: str) -> str:
    """A value as it is typed: a text without the quotation marks of JSON."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' and "\\" not in value else value
