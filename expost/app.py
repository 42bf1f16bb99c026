"""One ASGI application: the collector for everyone, pages and the API for whoever the gate lets in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Receive, Scope, Send

from expost.access import Access
from expost.api import answer_errors, create_api
from expost.collector.service import Collector, is_public
from expost.collector.sightings import Sightings
from expost.errors import ExpostError
from expost.gate import Gate
from expost.health import Unwatched, Watch
from expost.history.runs import Imports
from expost.query_routes import NoQueries, Queries
from expost.ui.desk import Call, PageSite
from expost.ui.pages import create_pages
from expost.waiting import PatientPages

log = logging.getLogger("expost.app")


async def _fail(request: Request, error: Exception) -> JSONResponse:
    """What nobody foresaw: the sender learns that it was not their fault, an operator sees where."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    problem = ExpostError(
        "The server failed on this request.", hint="What went wrong stands in what the server prints."
    )
    return JSONResponse(problem.to_json(), status_code=problem.status)


def create_inside(
    call: Call,
    sites: Callable[[], Sequence[PageSite]],
    access: Access,
    watch: Watch | None = None,
    queries: Queries | None = None,
    sightings: Sightings | None = None,
    imports: Imports | None = None,
) -> FastAPI:
    """Pages and the API, as they are behind the gate."""
    # No documentation pages: FastAPI's load their script from elsewhere. The schema itself is at /api/openapi.json.
    inside = FastAPI(
        title="Expost", version="1", openapi_url="/api/openapi.json", docs_url=None, redoc_url=None
    )
    watch = watch or Unwatched()
    answer_errors(inside)
    inside.add_exception_handler(Exception, _fail)
    inside.include_router(create_api(call, queries, imports))
    _add_watch(inside, watch)
    inside.include_router(
        create_pages(call, sites, access, watch.limited, sightings, imports), include_in_schema=False
    )
    return inside


def _add_watch(inside: FastAPI, watch: Watch) -> None:
    """`/health` and `/metrics`, for whoever may ask the API."""

    @inside.get("/health", include_in_schema=False)
    def health() -> JSONResponse:
        """Ready, or degraded and why; 503 as long as no event can be kept."""
        found = watch.health()
        return JSONResponse(found.to_json(), status_code=200 if found.is_taking else 503)

    @inside.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """All figures in the text format of Prometheus."""
        return Response(await watch.metrics(), media_type=CONTENT_TYPE_LATEST)


def create_app(
    collector: Collector,
    call: Call,
    sites: Callable[[], Sequence[PageSite]],
    access: Access,
    watch: Watch | None = None,
    queries: Queries | None = None,
    sightings: Sightings | None = None,
    imports: Imports | None = None,
) -> ASGIApp:
    """The application: the collector's paths go to it ahead of everything else, the rest passes the gate first."""
    inside = create_inside(call, sites, access, watch, queries, sightings, imports)
    gate = Gate(inside, access, imports.uploads.max_bytes if imports else 0)
    patient = PatientPages(gate, queries or NoQueries())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_public(scope["path"]):
            await collector(scope, receive, send)
        else:
            await patient(scope, receive, send)

    return app
