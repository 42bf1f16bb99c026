"""The pages of dashboards: the list, one with the answers of its reports, and the form that makes one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from expost.errors import ExpostError, InvalidInput
from expost.query.dashboard import Dashboard
from expost.query.form import form_of
from expost.query.report import OVER, Report, laid_over

from .asked import Ask, Offer
from .caller import caller_of
from .desk import Desk, pairs_of
from .page import render
from .reports import PanelView, VersionRow, over_of, panel_of, version_rows
from .things import add_changes, thing_path

AT_ONCE = 4
"""How many reports of a dashboard are asked at a time: other questions want their turn too."""


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One line of the list."""

    name: str
    path: str
    meaning: str
    owner: str


@dataclass(frozen=True, slots=True)
class BoardListView:
    """What `_dashboards.html` shows; `reports` are the names that can be listed."""

    rows: tuple[BoardRow, ...]
    reports: tuple[str, ...]
    is_archive: bool = False


@dataclass(frozen=True, slots=True)
class MissingReport:
    """A report that a dashboard lists and that is not there, or has no answer."""

    name: str
    path: str
    error: ExpostError


@dataclass(frozen=True, slots=True)
class BoardView:
    """What `dashboard.html` shows."""

    report: Dashboard
    panels: tuple[PanelView | MissingReport, ...]
    over: Ask
    versions: tuple[VersionRow, ...]


def board_row(board: Dashboard) -> BoardRow:
    """One line of the list."""
    return BoardRow(board.name, thing_path("dashboard", board.name), str(board), board.details.owner)


def add_dashboards(router: APIRouter, desk: Desk) -> None:
    """`/dashboards`, a page for each, and what makes one."""
    turns = asyncio.Semaphore(AT_ONCE)

    @router.get("/dashboards")
    async def listed(request: Request) -> Response:
        """The list, and the form that makes one."""
        site, is_archive = desk.site_of(request).slug, request.query_params.get("archived") == "yes"
        found: Sequence[Dashboard] = await desk.call("kept_dashboards", site=site, archived=is_archive)
        reports: Sequence[Report] = await desk.call("kept_reports", site=site)
        rows = tuple(map(board_row, found))
        view = BoardListView(rows, tuple(each.name for each in reports), is_archive)
        return render(desk, request, "dashboards.html", view=view, ask=Ask({}, Offer((), ())))

    @router.post("/dashboards/keep")
    async def keep(request: Request) -> Response:
        """Keep a list of reports."""
        sent = await request.form()
        form = form_of([(name, str(value)) for name, value in sent.multi_items()])
        name = next(iter(form.get("name", ())), "").strip()
        if not name:
            raise InvalidInput("A dashboard needs a name.", hint="Go back, and say what it is called.")
        over = {field: values for field, values in form.items() if field in OVER}
        by, site = caller_of(request).actor("ui"), desk.site_of(request).slug
        said = {"site": site, "author": by.who, "place": by.place}
        saved = await desk.call("keep_dashboard", name, form.get("reports", ()), over, **said)
        return RedirectResponse(f"{thing_path('dashboard', saved.name)}?site={site}&saved=1", 303)

    add_changes(router, desk, "dashboard")

    async def panel(name: str, over: Any, site: str) -> PanelView | MissingReport:
        async with turns:
            try:
                report = await desk.call("kept_report", name, site=site)
            except ExpostError as error:
                return MissingReport(name, thing_path("report", name), error)
            return await panel_of(desk, report, over, site)

    @router.get("/dashboards/{name:path}.json")
    async def twin(name: str, request: Request) -> Response:
        """Its answers as data."""
        site = desk.site_of(request).slug
        board: Dashboard = await desk.call("kept_dashboard", name, site=site)
        over = laid_over(board.over, over_of(request))
        parts = await asyncio.gather(*(panel(each, over, site) for each in board.reports))
        reports = [
            {"name": name}
            | (
                {"answer": part.view.answer.to_json()}
                if isinstance(part, PanelView) and part.view
                else _said(part)
            )
            for name, part in zip(board.reports, parts, strict=True)
        ]
        return JSONResponse({"name": board.name, "version": board.version, "reports": reports})

    @router.get("/dashboards/{name:path}")
    async def shown(name: str, request: Request) -> Response:
        """One dashboard with the answers of its reports."""
        site = desk.site_of(request)
        versions = await desk.call("kept_history", "dashboard", name, site=site.slug)
        board: Dashboard = versions[-1]
        over = laid_over(board.over, over_of(request))
        parts = await asyncio.gather(*(panel(each, over, site.slug) for each in board.reports))
        view = BoardView(
            board, tuple(parts), Ask(over, Offer((), ())), version_rows(versions, site.time_zone)
        )
        is_saved, pairs = "saved" in request.query_params, pairs_of(over_of(request))
        return render(desk, request, "dashboard.html", view=view, is_saved=is_saved, pairs=pairs)


def _said(part: PanelView | MissingReport) -> dict[str, Any]:
    assert part.error is not None
    return dict(part.error.to_json())
