"""The SQL page: one SELECT in a box, its rows in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request, Response

from expost.query.answer import plain
from expost.query.cohort import Cohort
from expost.query.cohort_view import PREFIX
from expost.query.sandbox import RowsAnswer, SqlQuery
from expost.query.statement import identifier

from .caller import is_admin
from .desk import Desk, Outcome
from .page import render, twin

SHOWN_ROWS = 200
LONG = 60
MIN_LINES, MAX_LINES = 6, 24
EXAMPLES = (
    (
        "How many events of each type",
        "select type, count(*) as events\nfrom events\ngroup by type\norder by events desc",
    ),
    (
        "What is clicked most",
        "select label, path, count(*) as clicks, count(distinct person_id) as people\nfrom events\n"
        "where type = 'click'\ngroup by label, path\norder by clicks desc\nlimit 20",
    ),
    (
        "Events a day",
        "select date_trunc('day', time) as day, count(*) as events\nfrom events\n"
        "group by day\norder by day desc\nlimit 30",
    ),
    (
        "Exposures by variation",
        "select flag, variation, count(distinct person_id) as people\nfrom events\n"
        "where type = 'exposure'\ngroup by flag, variation\norder by flag, variation",
    ),
)
View = tuple[str, str, tuple[str, ...]]
SCHEMA: tuple[View, ...] = (
    (
        "events",
        "one row for each captured event",
        (
            "event_id", "time", "type", "name", "text", "label", "host", "path", "query", "hash", "title",
            "referrer", "person_id", "user", "device", "group_type", "group", "element_id", "placement_id", "flag",
            "variation", "flag_version", "rule", "verified", "properties", "site", "page_id", "page_seq",
            "page_ordinal", "session_ordinal", "x", "y", "viewport_width", "viewport_height", "is_trusted",
            "consent", "consent_version", "release", "environment", "source", "marks", "user_agent", "is_bot",
            "bot_rule", "browser", "browser_version", "os", "os_version", "device_class", "bot_class", "traffic_source",
            "traffic_medium", "campaign", "channel", "country", "enriched_by", "is_internal", "imported",
            "received_at", "client_time", "client_offset_ms", "sent_at", "device_id",
            "user_id", "group_id",
        ),
    ),
    (
        "elements",
        "one row for each distinct element that events happened on",
        (
            "element_id", "parent_id", "descriptor_id", "tag", "namespace", "dom_id", "class_name", "classes",
            "attributes", "attribute_names", "marks", "is_checked", "is_disabled", "is_required", "is_open",
            "is_read_only", "depth", "is_shadow_child", "is_cut", "is_root",
        ),
    ),
    (
        "placements",
        "one row for each place in which an element stood among its siblings",
        (
            "placement_id", "element_id", "parent_placement_id", "sibling_index", "sibling_count", "type_index",
            "type_count",
        ),
    ),
    (
        "people",
        "one row for each person",
        ("person_id", "site", "user", "devices", "events", "first_seen_at", "last_seen_at", "traits"),
    ),
    (
        "losses",
        "one row for each page of a browser, with how many of its events never arrived",
        (
            "site", "device", "device_id", "page_id", "page_ordinal", "host", "path", "began_at", "day", "expected",
            "received", "missing", "is_exact", "missing_pages", "is_bot", "is_internal", "environment",
        ),
    ),
    (
        "rejected",
        "one row for each thing that could not be stored in the last seven days; for admins",
        ("site", "received_at", "reason", "kind", "event_id", "content"),
    ),
)  # fmt: skip
"""The views that are there without anything saved, with their columns."""


@dataclass(frozen=True, slots=True)
class ColumnHead:
    """A column; numbers stand right-aligned."""

    name: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Value:
    """One value in words; None for null."""

    text: str | None
    is_number: bool

    @property
    def is_long(self) -> bool:
        """Whether it may break into lines."""
        return len(self.text or "") > LONG


@dataclass(frozen=True, slots=True)
class RowsView:
    """What `_rows.html` shows: the first rows; `hidden` more are in the twin."""

    answer: RowsAnswer
    columns: tuple[ColumnHead, ...]
    rows: tuple[tuple[Value, ...], ...]
    total: int
    hidden: int


def rows_view(answer: RowsAnswer) -> RowsView:
    """The rows in words."""
    shown = answer.values[:SHOWN_ROWS]
    rows = tuple(tuple(_value(each) for each in row) for row in shown)
    heads = tuple(
        ColumnHead(name, bool(rows) and all(row[place].is_number or row[place].text is None for row in rows))
        for place, name in enumerate(answer.columns)
    )
    return RowsView(answer, heads, rows, len(answer.values), len(answer.values) - len(shown))


def cohort_views(cohorts: Sequence[Cohort]) -> list[View]:
    """The views that cohorts are: their people, with the columns of `people`."""
    columns = next(columns for name, _, columns in SCHEMA if name == "people")
    return [
        (str(identifier(PREFIX + each.name)), f"one row for each person in the cohort {each.name!r}", columns)
        for each in cohorts
    ]


def add_sql(router: APIRouter, desk: Desk) -> None:
    """`/sql` and its twin."""

    def question_of(request: Request) -> SqlQuery:
        return SqlQuery(
            request.query_params.get("query", ""), is_admin=is_admin(request), site=desk.site_of(request).slug
        )

    @router.get("/sql")
    async def sql(request: Request) -> Response:
        """The page."""
        text = request.query_params.get("query", "")
        cohorts: Sequence[Cohort] = await desk.call("cohorts", site=desk.site_of(request).slug)
        outcome = await desk.outcome(lambda: question_of(request)) if text.strip() else Outcome()
        return render(
            desk,
            request,
            "sql.html",
            status=outcome.status,
            query=text,
            rows=max(MIN_LINES, min(text.count("\n") + 2, MAX_LINES)),
            view=rows_view(outcome.answer) if outcome.answer else None,
            error=outcome.error,
            examples=EXAMPLES,
            schema=[*SCHEMA, *cohort_views(cohorts)],
        )

    @router.get("/sql.csv")
    async def csv(request: Request) -> Response:
        """The rows for a spreadsheet."""
        return twin(request, await desk.answer(question_of(request)))

    @router.get("/sql.json")
    async def rows(request: Request) -> Response:
        """The rows as data."""
        return twin(request, await desk.answer(question_of(request)))


def _value(value: Any) -> Value:
    match value:
        case None:
            return Value(None, is_number=False)
        case bool():
            return Value("true" if value else "false", is_number=False)
        case int() | float() | Decimal():
            # Not grouped: a row may hold an id or a year, and what is copied from here must be what is there.
            return Value(str(value), is_number=True)
        case _:
            return Value(str(plain(value)), is_number=False)
