"""The patterns page: every component in every state it can have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from expost.admission import Who
from expost.clock import to_micros
from expost.errors import QueryLimit, SelectorError
from expost.query.definition import definition
from expost.query.live import Live
from expost.state.api_keys import ApiKey
from expost.state.audit import AuditLine
from expost.state.logins import Login

from . import (
    samples,
    samples_arrival,
    samples_events,
    samples_imports,
    samples_kept,
    samples_people,
    samples_sessions,
)
from .account import AccountView, LoginRow
from .asked import Ask, Offer
from .audit import audit_view
from .dashboards import BoardListView, board_row
from .definitions import DefinitionRow, DefinitionView, ListView, Version
from .desk import Desk, Outcome, sql_text
from .event import choose, event_view
from .explanation import explanation_view
from .funnel import funnel_view
from .import_view import ImportsView, import_view, row_of
from .lifecycle import lifecycle_view
from .live import live_view
from .losses import losses_view
from .page import render
from .past import past_of
from .paths import paths_view
from .people import MANY, people_view
from .person import person_view
from .reconcile import reconcile_view
from .rejected import rejected_view
from .reports import ReportListView, report_row
from .retention import retention_view
from .sessions import session_view, sessions_view
from .setup import StatusView, status_view
from .sql import rows_view
from .stickiness import stickiness_view
from .trend import TrendAsk, trend_view

REFUSED = SelectorError("nav > a:hover", 7, ":hover", "whether a pointer was over it is not captured.",
                        hint="Leave it out: a click has its pointer over the element anyway.")  # fmt: skip
STOPPED = QueryLimit("The question was stopped after 60 seconds.", hint="Ask about a shorter time.")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One state of a component: the template that shows it and what it is given."""

    component: str
    state: str
    template: str
    context: dict[str, Any]


def patterns() -> Iterator[Pattern]:
    """Every state of every component."""
    yield from _lists()
    yield from _pasts()
    yield from _charts()
    yield from _access()
    yield from _kept()
    yield from _people()
    yield from _imports()
    for state, count in (("no rows", 0), ("one row", 1), ("too many rows", 400)):
        yield Pattern("Rows", state, "_rows.html", {"view": rows_view(samples_arrival.rows(count))})
    waiting, arrived = StatusView(0, None), status_view(samples_events.live())
    for state, view in (("waiting", waiting), ("arrived", arrived), ("error", StatusView(0, None, STOPPED))):
        yield Pattern("Setup", state, "_setup_status.html", {"view": view})
    for state, error in (("a refused selector", REFUSED), ("a limit", STOPPED)):
        yield Pattern("Error", state, "_error.html", {"error": error})
    yield Pattern("Loading", "while a panel is fetched", "_loading.html", {})
    answer = samples_people.funnel()
    yield Pattern(
        "Basis",
        "with rules, definitions and SQL",
        "_basis.html",
        {"basis": answer.basis, "basis_sql": sql_text(answer)},
    )
    for state, offer in (
        ("nothing named yet", Offer((), ())),
        ("nothing chosen yet", Offer((("a", "a"), ("b", "b")), ())),
    ):
        yield Pattern(
            "Question", state, "_unasked.html", {"ask": Ask({}, offer), "unasked": "Choose the steps"}
        )


def add_patterns(router: APIRouter, desk: Desk) -> None:
    """`/patterns`, and each pattern rendered by the page's own templates."""

    @router.get("/patterns")
    async def page(request: Request) -> Response:
        """The page."""
        shown = [
            (each, Markup(bytes(render(desk, request, each.template, **each.context).body).decode()))  # noqa: S704
            for each in patterns()
        ]
        components = list(dict.fromkeys(each.component for each, _ in shown))
        return render(desk, request, "patterns.html", shown=shown, components=components)


def _imports() -> Iterator[Pattern]:
    for state, rows in (
        ("empty", ()),
        ("in every state", [row_of(standing, "UTC") for _, standing in samples_imports.STATES]),
    ):
        yield Pattern("Uploads", state, "_imports.html", {"view": ImportsView(rows, 5_000_000_000, ())})
    for state, standing in samples_imports.STATES:
        view = import_view(standing, "UTC")
        yield Pattern("Import", state, "_import_state.html", {"view": view})
        if view.report and state in ("tried", "imported"):
            yield Pattern(
                "Import's report", state, "_import_report.html", {"view": view, "report": view.report}
            )
        if state in ("nothing done yet", "a table", "imported"):
            said = {"view": view, "mapping": view.mapping}
            yield Pattern("Import's next step", state, "_import_run.html", said)


def _lists() -> Iterator[Pattern]:
    states = (
        ("empty", samples_events.live(0, 0), Live()),
        ("none of this type", samples_events.live(0), Live(types=("submit",))),
        ("nobody of this cohort", samples_events.live(0), Live(cohort=(samples.NASTY,))),
        ("one row", samples_events.live(1, 1), Live()),
        (
            "hostile text",
            samples_events.live(2, 2, type="click", label=samples.NASTY, path="/" + samples.NASTY),
            Live(),
        ),
        (
            "overlong text",
            samples_events.live(
                2, 2, type="click", label=samples.LONG, path="/deep" * 60, person=samples.LONG
            ),
            Live(),
        ),
        ("too many rows", samples_events.live(60), Live()),
    )
    for state, answer, question in states:
        asked = replace(answer, question=question)
        yield Pattern("Live", state, "_live.html", {"view": live_view(asked)})
    row = DefinitionRow("Added to basket", "click on button.add", 2, past_of(samples_events.preview()), None)
    uncounted = DefinitionRow("Went to checkout", "click on a.checkout", 1, None, None)
    failed = DefinitionRow(samples.NASTY, "click on " + samples.LONG, 1, None, STOPPED)
    for state, found in (
        ("empty", ()),
        ("one row", (row,)),
        ("not counted yet", (uncounted,)),
        ("too many rows", (row, failed) * 12),
    ):
        yield Pattern("Definitions", state, "_definitions.html", {"view": ListView(found)})
    versions = tuple(
        Version(n, f"click on button.v{n}", "23 Nov 2026, 14:05:32", "ui", n == 12) for n in range(12, 0, -1)
    )
    for state, shown in (("one version", versions[:1]), ("many versions", versions)):
        view = DefinitionView(definition("Added to basket", click="button.add"), None, None, shown)
        yield Pattern("Versions", state, "_versions.html", {"view": view})


def _access() -> Iterator[Pattern]:
    """Who is logged in, with which keys, and who changed what."""
    who, at = Who(1, "ann", "admin", login_id=1), to_micros(samples.NOW)
    login = Login(1, 1, "ann", "admin", "", "", at, at)
    here, there = LoginRow(login, "Firefox on Linux", True), LoginRow(login, "Safari on iPhone", False)
    for state, rows in (("this browser alone", (here,)), ("many browsers", (here, *[there] * 8))):
        yield Pattern("Logins", state, "_logins.html", {"view": AccountView(who, rows, ())})
    key = ApiKey(1, 1, "ann", "nightly report", "admin", "xa_4kq7zt2mw", "", at, None, None)
    odd = replace(key, name=samples.NASTY, used_at=at)
    for state, keys, made in (
        ("none", (), ""),
        ("one, made now", (key,), "xa_" + "4kq7zt2m" * 6),
        ("many", (key, odd) * 4, ""),
    ):
        yield Pattern("API keys", state, "_api_keys.html", {"view": AccountView(who, (), keys, made)})
    line = AuditLine(7, at, "ann", "elsewhere", "definition saved", "Signed up", "version 2 on shop")
    hostile = replace(line, who=samples.NASTY, subject=samples.LONG, detail=samples.NASTY)
    failed = replace(
        line,
        who="",
        action="login failed",
        subject="a name that no account has",
        detail="and 31 more before it",
    )
    for state, lines in (
        ("empty", []),
        ("one line", [line]),
        ("too many lines", [line, hostile, failed] * 40),
    ):
        yield Pattern("Audit", state, "_audit.html", {"view": audit_view(lines, "UTC")})


def _kept() -> Iterator[Pattern]:
    """Ways, rules, and what is kept under a name."""
    for state, sticky in (
        ("nobody", samples_kept.stickiness(days=0)),
        ("one day", samples_kept.stickiness(days=1)),
        ("by flag", samples_kept.stickiness(by=True)),
        ("many days", samples_kept.stickiness(days=30)),
    ):
        yield Pattern("Stickiness", state, "_stickiness.html", {"view": stickiness_view(sticky)})
    for state, count in (("nobody", 0), ("one week", 1), ("many weeks", 30)):
        life = lifecycle_view(samples_kept.lifecycle(count))
        yield Pattern("Lifecycle", state, "_lifecycle.html", {"view": life})
    for state, count in (("no session", 0), ("one step", 1), ("many steps", 4)):
        yield Pattern("Paths", state, "_paths.html", {"view": paths_view(samples_kept.paths(count))})
    yield from _sessions()
    explained = explanation_view(samples_kept.explanation())
    yield Pattern("Explanation", "a funnel by flag", "_explanation.html", {"view": explained})
    for state, answer in (
        ("one id", samples_kept.reconciled(1)),
        ("every cause", samples_kept.reconciled(60)),
    ):
        yield Pattern("Reconcile", state, "_reconcile.html", {"view": reconcile_view(answer)})
    rows = tuple(map(report_row, samples_kept.reports()))
    for state, shown in (("empty", ()), ("one row", rows[:1]), ("many rows", rows * 3)):
        yield Pattern("Reports", state, "_reports.html", {"view": ReportListView(shown)})
    for state, view in (
        ("no report yet", BoardListView((), ())),
        ("empty", BoardListView((), ("Checkout",))),
        ("one row", BoardListView(tuple(map(board_row, samples_kept.dashboards())), ("Checkout",))),
    ):
        yield Pattern("Dashboards", state, "_dashboards.html", {"view": view})


def _sessions() -> Iterator[Pattern]:
    """Lists of sessions, and one of them."""
    for state, listed in (
        ("none", samples_sessions.sessions(0)),
        ("one session", samples_sessions.sessions(1, 1)),
        ("by what the first event says", samples_sessions.sessions(4, by=True)),
        ("hostile text", samples_sessions.sessions(2, said=samples_sessions.HOSTILE)),
        ("many sessions of a year", samples_sessions.sessions(50, 366)),
    ):
        yield Pattern("Sessions", state, "_sessions.html", {"view": sessions_view(listed)})
    for state, opened in (
        ("one event", samples_sessions.opened(1, {"is_bounce": True})),
        ("many events, hostile text", samples_sessions.opened(12, samples_sessions.HOSTILE)),
    ):
        for part in ("_session.html", "_session_events.html"):
            yield Pattern("Session", f"{state}: {part.strip('_').removesuffix('.html')}", part,
                          {"view": session_view(opened)})  # fmt: skip


def _people() -> Iterator[Pattern]:
    """One person, whose edges can be undone; and what is said before."""
    for state, visits in (("a stranger without events", 0), ("a user of two visits", 2)):
        view = person_view(samples_kept.person(visits))
        for part in ("_person.html", "_person_edges.html", "_person_events.html"):
            yield Pattern("Person", f"{state}: {part.strip('_').removesuffix('.html')}", part, {"view": view})


def _pasts() -> Iterator[Pattern]:
    for state, answer in (
        ("nothing matched", samples_events.preview(0, 0)),
        ("one event", samples_events.preview(1, 0)),
        ("much, and some unknown", samples_events.preview(43_120, 311)),
    ):
        yield Pattern("Past", state, "_past.html", {"past": past_of(answer)})
    clicked = samples_events.event()
    view = event_view(clicked, choose(clicked.chain, None), Outcome(samples_events.preview()))
    yield Pattern("Breadcrumb", "a click inside a web component", "_breadcrumb.html", {"view": view})
    yield Pattern("Naming", "a level with a past", "_naming.html", {"view": view})
    yield Pattern("Event fields", "a click", "_event_fields.html", {"view": view})


def _charts() -> Iterator[Pattern]:
    funnels = (
        ("nobody", samples_people.funnel(0, 0, 0, 0, unfinished=0)),
        ("one person", samples_people.funnel(1, 1, 0, 0, unfinished=1)),
        ("without breakdown", samples_people.funnel()),
        ("by flag", samples_people.funnel(by=True)),
        ("twenty steps", samples_people.many_steps()),
        ("beside a cohort", samples_people.funnel_beside_cohort(212, 168, 121, 97)),
        ("beside a cohort of whom nobody entered", samples_people.funnel_beside_cohort(0, 0, 0, 0)),
    )
    for state, funnel in funnels:
        yield Pattern("Funnel", state, "_funnel.html", {"view": funnel_view(funnel)})
    for state, people in (
        ("nobody", samples_people.people(total=0)),
        ("one person", samples_people.people(total=1)),
        ("too many", samples_people.people()),
    ):
        shown = {"view": people_view(people), "back": (), "many": (), "most": MANY}
        yield Pattern("People", state, "_people.html", shown)
    for state, retention in (
        ("nobody", samples_people.retention(cohorts=0)),
        ("one cohort", samples_people.retention(cohorts=1)),
        ("by flag", samples_people.retention(by=True)),
        ("many cohorts", samples_people.retention(cohorts=18)),
        ("beside a cohort", samples_people.retention_beside_cohort(4)),
        ("beside a cohort of whom nobody began", samples_people.retention_beside_cohort(0)),
    ):
        yield Pattern("Retention", state, "_retention.html", {"view": retention_view(retention)})
    ask = TrendAsk({"name": ["Added to basket"]}, Offer((), ()))
    for state, trend in (
        ("never", samples_people.trend(events=False)),
        ("one day", samples_people.trend(days=1)),
        ("sixty days", samples_people.trend()),
        ("by flag", samples_people.trend(by=True)),
        ("a year of days", samples_people.trend(days=366)),
    ):
        yield Pattern("Trend", state, "_trend.html", {"view": trend_view(trend), "ask": ask})
    losses: tuple[tuple[str, dict[str, Any]], ...] = (
        ("no page yet", {"count": 0}),
        ("nothing missing, one day", {"count": 1, "lost": 0.0, "exact": True}),
        ("known exactly", {"count": 14, "exact": True}),
        ("a lower bound", {}),
        ("much is missing", {"count": 90, "lost": 30.0}),
    )
    for state, told in losses:
        answers = (samples_arrival.losses(by, **told) for by in ("day", "page", "browser"))
        yield Pattern("Losses", state, "_losses.html", {"view": losses_view(*answers)})
    for state, rejected, limited in (
        ("nothing", samples_arrival.rejected(0), {}),
        ("one", samples_arrival.rejected(1), {}),
        ("many, and somebody sends too much", samples_arrival.rejected(50), {"address": 12_040, "device": 1}),
    ):
        yield Pattern("Rejected", state, "_rejected.html", {"view": rejected_view(rejected, limited)})
