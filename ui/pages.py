"""Every page of Expost, as one router."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from expost.access import Access
from expost.collector.sightings import Sightings
from expost.history.runs import Imports

from .account import add_account_page
from .arrival import add_arrival
from .audit import add_audit
from .charts import add_charts
from .cohorts import add_cohorts
from .dashboards import add_dashboards
from .define import add_define
from .definitions import add_definitions
from .desk import Call, Desk, PageSite, address
from .erase import add_erase
from .event import add_event
from .health import add_health
from .imports import add_imports
from .live import add_live
from .login import add_login
from .losses import add_losses
from .page import add_static, create_router
from .patterns import add_patterns
from .people import add_people
from .person import add_person
from .point import add_point
from .reconcile import add_reconcile
from .rejected import add_rejected
from .reports import add_reports
from .sessions import add_sessions
from .setup import add_setup
from .sql import add_sql
from .suggestions import add_suggestions
from .unnamed import add_unnamed

PARTS = (
    add_live, add_event, add_definitions, add_define, add_unnamed, add_health,
    add_point, add_arrival, add_suggestions, add_charts, add_people,
    add_reports, add_dashboards, add_reconcile, add_cohorts,
    add_person, add_sessions,
    add_losses, add_rejected, add_sql, add_setup, add_login, add_account_page, add_audit,
    add_imports, add_erase, add_patterns,
)  # fmt: skip


def create_pages(
    call: Call,
    sites: Callable[[], Sequence[PageSite]],
    access: Access,
    limited: Callable[[], Mapping[str, int]] = dict,
    sightings: Sightings | None = None,
    imports: Imports | None = None,
) -> APIRouter:
    """The pages, their panels and twins, and `/static`.

    `call("ask", question)` and the other methods of `Analysis` are run where the app says; `sites()` is asked at
    every request, so that a new site shows at once. Who may log in is known to `access`, and `limited()` says how many
    batches were refused because their device, address or key sent too much. `sightings` are of pages that send nothing.
    `imports` takes uploads, where something does.
    """
    desk = Desk(call, sites, access, limited, sightings or Sightings(), imports)
    router = create_router(desk)
    add_static(router)

    @router.get("/")
    async def start(request: Request) -> Response:
        """The first page is what happens now."""
        return RedirectResponse(address("/live", request.query_params.multi_items()), 303)

    for add in PARTS:
        add(router, desk)
    return router
