"""The pages of reports: the list, one with its answer and its versions, and what keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from expost.clock import from_micros
from expost.errors import ExpostError, InvalidInput
from expost.query.form import Form, form_of
from expost.query.report import OVER, Report, laid_over

from .asked import Ask, Offer
from .caller import caller_of
from .chart_page import KEPT_AS, ChartPage
from .charts import CHARTS
from .desk import Desk, Pairs, pairs_of
from .format import moment
from .page import TWINS, render, twin
from .things import add_changes, thing_path

OPENING = ("kind", "pin", KEPT_AS)
"""Fields of the form that keeps a report which are none of its question."""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One line of the list."""

    name: str
    path: str
    meaning: str
    version: int | None
    owner: str
    is_pinned: bool


@dataclass(frozen=True, slots=True)
class ReportListView:
    """What `_reports.html` shows."""

    rows: tuple[ReportRow, ...]
    is_archive: bool = False


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version, in words."""

    version: int | None
    meaning: str
    saved: str
    author: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class PanelView:
    """The answer of a report as the panel of its kind shows it, or why there is none."""

    report: Report
    page: ChartPage
    ask: Ask
    view: Any
    error: ExpostError | None
    path: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """What `report.html` shows."""

    panel: PanelView
    over: Ask
    versions: tuple[VersionRow, ...]
    change_pairs: Pairs

    @property
    def report(self) -> Report:
        """The report."""
        return self.panel.report


def report_row(report: Report) -> ReportRow:
    """One line of the list."""
    names = report.definitions
    pinned = bool(names) and all("@" in name for name in names)
    return ReportRow(
        report.name,
        thing_path("report", report.name),
        str(report),
        report.version,
        report.details.owner,
        pinned,
    )


def version_rows(versions: Sequence[Any], zone: str) -> tuple[VersionRow, ...]:
    """The versions in words, newest first."""
    current = versions[-1].version
    return tuple(
        VersionRow(
            each.version,
            str(each),
            moment(from_micros(each.created_at or 0), zone),
            each.author,
            each.version == current,
        )
        for each in reversed(versions)
    )


async def panel_of(desk: Desk, report: Report, over: Form, site: str) -> PanelView:
    """The answer of a report with what is said over it, or the error that it has instead."""
    page, path = CHARTS[report.kind], thing_path("report", report.name)
    try:
        form = {**laid_over(report.fields, over), "site": [site]}
        answer = await desk.call("report_answer", report.name, version=report.version, over=over, site=site)
    except ExpostError as error:
        return PanelView(
            report,
            page,
            page.ask(report.fields, Offer((), ())),
            None,
            error,
            thing_path("report", report.name),
        )
    ask = page.ask(form, Offer((), ()))
    view = page.view(answer, pairs_of(form))
    return PanelView(report, page, ask, view, None, path)


def over_of(request: Request) -> Form:
    """What an address says over a report."""
    form = form_of(request.query_params.multi_items())
    over = {name: values for name, values in form.items() if name in OVER}
    if "last" in over and ("from" in over or "to" in over):
        # The form shows what the report says itself; who names days means these.
        del over["last"]
    return over


def add_reports(router: APIRouter, desk: Desk) -> None:
    """`/reports`, a page for each report, and what keeps one."""

    @router.get("/reports")
    async def listed(request: Request) -> Response:
        """The list."""
        is_archive = request.query_params.get("archived") == "yes"
        found = await desk.call("kept_reports", site=desk.site_of(request).slug, archived=is_archive)
        view = ReportListView(tuple(map(report_row, found)), is_archive)
        return render(desk, request, "reports.html", view=view)

    @router.post("/reports/keep")
    async def keep(request: Request) -> Response:
        """Keep the question of a page, then show it as a report."""
        sent = await request.form()
        form = form_of([(name, str(value)) for name, value in sent.multi_items()])
        name, kind = (next(iter(form.get(field, ())), "").strip() for field in (KEPT_AS, "kind"))
        if not name:
            raise InvalidInput("A report needs a name.", hint="Go back, and say what it is called.")
        asked = {field: values for field, values in form.items() if field not in OPENING}
        by, site = caller_of(request).actor("ui"), desk.site_of(request).slug
        said = {"site": site, "author": by.who, "place": by.place}
        saved = await desk.call("keep_report", name, kind, asked, pin="pin" in form, **said)
        return RedirectResponse(f"{thing_path('report', saved.name)}?site={site}&saved=1", 303)

    add_changes(router, desk, "report")

    async def twins(request: Request, name: str) -> Response:
        """The answer of a report in another form."""
        site = desk.site_of(request).slug
        answer = await desk.call("report_answer", name, over=over_of(request), site=site)
        return twin(request, answer)

    for ending in TWINS:
        router.add_api_route(f"/reports/{{name:path}}{ending}", twins, methods=["GET"])

    @router.get("/reports/{name:path}")
    async def shown(name: str, request: Request) -> Response:
        """One report with its answer."""
        site, over = desk.site_of(request), over_of(request)
        versions = await desk.call("kept_history", "report", name, site=site.slug)
        report: Report = versions[-1]
        panel = await panel_of(desk, report, over, site.slug)
        change = [*pairs_of(report.fields), (KEPT_AS, report.name)]
        said = {name: values for name, values in panel.ask.form.items() if name in OVER}
        view = ReportView(panel, Ask(said, Offer((), ())), version_rows(versions, site.time_zone), change)
        status = 200 if panel.error is None else panel.error.status
        is_saved = "saved" in request.query_params
        pairs = pairs_of(over)
        return render(desk, request, "report.html", status=status, view=view, is_saved=is_saved, pairs=pairs)
