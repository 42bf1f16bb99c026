"""One ASGI application: the collector for everyone, pages and the API for this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from expost.api import answer_errors, create_api
from expost.collector.service import PUBLIC_PATHS, Collector
from expost.loopback import LoopbackOnly
from expost.pool import QueryPool
from expost.ui.desk import PageSite
from expost.ui.pages import create_pages


def create_app(collector: Collector, pool: QueryPool, sites: Callable[[], Sequence[PageSite]]) -> ASGIApp:
    """The application: the collector's paths go to it ahead of everything else, the rest answers loopback only."""
    # No documentation pages: FastAPI's load their script from elsewhere. The schema itself is at /api/openapi.json.
    inside = FastAPI(
        title="Expost", version="1", openapi_url="/api/openapi.json", docs_url=None, redoc_url=None
    )
    answer_errors(inside)
    inside.include_router(create_api(pool.call))
    inside.include_router(create_pages(pool.call, sites), include_in_schema=False)
    guarded = LoopbackOnly(inside)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in PUBLIC_PATHS:
            await collector(scope, receive, send)
        else:
            await guarded(scope, receive, send)

    return app
