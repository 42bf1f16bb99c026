"""A report, or a dashboard, as a file that people read and write.

    name = "Checkout"
    owner = "growth"

    [funnel]
    step = ["Viewed pricing", "Signed up@2"]
    within = "7d"
    last = "30d"

The table is called by the kind of question and has its fields under the names of `form.py`; what is left out is as in a
question that leaves it out. A dashboard lists `reports`, and says what holds for all of them in `[over]`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from .dashboard import Dashboard
from .detail_fields import DETAILS, details_in, details_out
from .form import YES_NO, Form
from .report import KINDS, Report, report_of
from .toml_file import Misplaced, read_placed, refuse_unknown, said, value_of, values_of, write_toml

WORDS = tuple(word for kind in KINDS.values() for word in kind.words)
LISTS = frozenset(word.name for word in WORDS if word.is_many)
NUMBERS = frozenset(word.name for word in WORDS if word.is_number)
SWITCHES = frozenset(word.name for word in WORDS if word.is_switch or word.choices == YES_NO)
DATES = frozenset({"from", "to", "as_of"})


def parse_report(text: str, file: str, check: Callable[[Report], None] = lambda _: None) -> Report:
    """The report that a file says. A refusal names the file and the line. `check` may refuse what is read, too."""
    return read_placed(text, file, lambda data: _report(data, check))


def write_report(report: Report, before: str = "") -> str:
    """The text of the file of a report; comments and layout of the one before stay where they can."""
    table = {name: _written(name, values) for name, values in report.fields.items()}
    return write_toml({"name": report.name} | details_out(report.details) | {report.kind: table}, before)


def parse_dashboard(text: str, file: str, check: Callable[[Dashboard], None] = lambda _: None) -> Dashboard:
    """The dashboard that a file says."""
    return read_placed(text, file, lambda data: _dashboard(data, check))


def write_dashboard(dashboard: Dashboard, before: str = "") -> str:
    """The text of the file of a dashboard."""
    over = {name: _written(name, values) for name, values in dashboard.body()["over"].items()}
    said = {"name": dashboard.name} | details_out(dashboard.details) | {"reports": list(dashboard.reports)}
    return write_toml(said | ({"over": over} if over else {}), before)


def _report(data: Mapping[str, Any], check: Callable[[Report], None]) -> Report:
    name = _name(data, "report", "Checkout", (*DETAILS, *KINDS))
    kinds = [kind for kind in KINDS if kind in data]
    if len(kinds) != 1:
        raise Misplaced(
            (kinds[1],) if kinds else ("name",),
            f"A report asks one question; this one asks {len(kinds)}.",
            f"Write one of these tables: {', '.join(f'[{kind}]' for kind in KINDS)}",
        )
    [kind] = kinds
    form = _form(data, kind)
    read = said(lambda: report_of(name, kind, form), (kind,))
    report = Report(name, read.question, details=details_in(data))
    said(lambda: check(report), (kind,))
    return report


def _dashboard(data: Mapping[str, Any], check: Callable[[Dashboard], None]) -> Dashboard:
    name = _name(data, "dashboard", "Weekly", (*DETAILS, "reports", "over"))
    reports, over = tuple(values_of(data, "reports", str, ())), _form(data, "over")
    read = said(lambda: Dashboard(name, reports, over, details=details_in(data)), ("reports",))
    said(lambda: check(read), ("reports",))
    return read


def _name(data: Mapping[str, Any], noun: str, example: str, known: Sequence[str]) -> str:
    refuse_unknown(data, ("name", *known), ())
    name = value_of(data, "name", str, ())
    if not name:
        raise Misplaced(("name",), f"A {noun} needs a name.", f'For example: name = "{example}"')
    return name


def _form(data: Mapping[str, Any], table: str) -> Form:
    """A table as a form."""
    fields = value_of(data, table, dict, ()) or {}
    return {
        name: [_text(each, (table, name)) for each in (value if isinstance(value, list) else [value])]
        for name, value in fields.items()
    }


def _text(value: object, place: tuple[str, str]) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str | int):
        return str(value)
    raise Misplaced(
        place, f"{place[1]} is {value!r}.", "It has to be a text, a whole number, yes or no, or a date."
    )


def _written(name: str, values: Sequence[str]) -> Any:
    plain = [_value(name, text) for text in values]
    return plain if name in LISTS else plain[0]


def _value(name: str, text: str) -> Any:
    if name in NUMBERS:
        return int(text)
    if name in SWITCHES:
        return text == "yes"
    if name in DATES:
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    return text
