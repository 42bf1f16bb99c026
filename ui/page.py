"""How a page is made: templates with their filters, the frame around them, and the headers of every response."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from expost.clock import from_micros
from expost.errors import ExpostError, SelectorError, TooManyQuestions, TooManyTries
from expost.query.answer import Answer

from . import format as written
from .asked import in_words
from .caller import is_admin
from .captured import captured, visible, web_address
from .desk import Desk, address, sql_text

HERE = Path(__file__).parent
SECURITY = {
    # Nothing inline and nothing from elsewhere: captured text that slipped through an escape still could not run.
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
Navigation = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
NAVIGATION: Navigation = (
    (
        "See",
        (
            ("/live", "Live"),
            ("/trend", "Trend"),
            ("/funnel", "Funnel"),
            ("/retention", "Retention"),
            ("/paths", "Paths"),
            ("/sessions", "Sessions"),
            ("/stickiness", "Stickiness"),
            ("/lifecycle", "Lifecycle"),
            ("/person", "Person"),
            ("/losses", "Losses"),
            ("/rejected", "Rejected"),
        ),
    ),
    (
        "Keep",
        (
            ("/reports", "Reports"),
            ("/dashboards", "Dashboards"),
            ("/cohorts", "Cohorts"),
            ("/reconcile", "Reconcile"),
        ),
    ),
    (
        "Name",
        (
            ("/definitions", "Definitions"),
            ("/define", "Define"),
            ("/unnamed", "Not named yet"),
            ("/definition-health", "Health"),
            ("/point", "Point at it"),
        ),
    ),
    (
        "Work",
        (
            ("/sql", "SQL"),
            ("/setup", "Setup"),
            ("/imports", "Import"),
            ("/erase", "Erase"),
            ("/audit", "Audit"),
            ("/account", "Account"),
        ),
    ),
)
FOR_ADMINS = frozenset({"/rejected", "/imports", "/erase", "/audit"})
"""Entries that only admins are shown, because nobody else is let in."""
PARTS = {"/events": "/live", "/definition": "/definitions", "/cohort": "/cohorts", "/import": "/imports"}
"""Which entry of the navigation a page without one belongs to."""


def _static_files() -> dict[str, tuple[bytes, str]]:
    found = {}
    for path in sorted((HERE / "static").iterdir()):
        kind = guess_type(path.name)[0] or "application/octet-stream"
        found[path.name] = (path.read_bytes(), kind)
    return found


STATIC = _static_files()
STATIC_VERSION = sha256(b"".join(body for body, _ in STATIC.values())).hexdigest()[:12]


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = (
        "number",
        "brief",
        "brief_share",
        "plural",
        "share",
        "duration",
        "milliseconds",
        "window",
        "moment",
        "clock_time",
        "recent",
        "day",
        "short_day",
        "iso",
        "begun",
        "bound",
    )
    environment.filters.update({name: getattr(written, name) for name in names})
    environment.filters.update(
        captured=captured,
        in_words=in_words,
        visible=visible,
        web_address=web_address,
        sql_text=sql_text,
        caret=find_caret,
        lengths=written.lengths,
        micros=from_micros,
    )
    environment.globals.update(static=lambda name: f"/static/{name}?v={STATIC_VERSION}", address=address)
    return environment


def _navigation(request: Request) -> Navigation:
    if is_admin(request):
        return NAVIGATION
    return tuple(
        (group, tuple(entry for entry in entries if entry[0] not in FOR_ADMINS))
        for group, entries in NAVIGATION
    )


def find_caret(error: ExpostError) -> str | None:
    """The refused selector with a caret under the token, if that is what the error is about."""
    return error.with_caret() if isinstance(error, SelectorError) else None


ENVIRONMENT = _environment()


def render(desk: Desk, request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page, or a panel alone, from its template. Every template knows `site`, `sites`, `zone` and `to(path)`."""
    sites = desk.sites()
    site = desk.site_of(request)
    several = [("site", site.slug)] if len(sites) > 1 else []

    def to(path: str, pairs: Any = ()) -> str:
        return address(path, [*[pair for pair in pairs if pair[0] != "site"], *several])

    here = "/" + request.url.path.strip("/").split("/")[0]
    here = PARTS.get(here, here)
    pages = _navigation(request)
    text = ENVIRONMENT.get_template(template).render(
        navigation=pages,
        current=[label for _, entries in pages for path, label in entries if path == here],
        site=site,
        sites=sites,
        zone=site.time_zone,
        to=to,
        here=here,
        request_path=quote(request.url.path),
        **context,
    )
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})


def render_error(desk: Desk, request: Request, error: ExpostError) -> Response:
    """What a request that failed gets: a page, or the body of its kind for the address of a twin."""
    if request.url.path.endswith((".json", ".parquet")):
        return JSONResponse(error.to_json(), status_code=error.status)
    if request.url.path.endswith((".sql", ".csv")):
        lines = [error.message, find_caret(error) or "", error.hint]
        return PlainTextResponse("\n".join(line for line in lines if line) + "\n", status_code=error.status)
    try:
        return render(desk, request, "error.html", status=error.status, error=error)
    except ExpostError:
        # Not even the frame can be made (no site, an unknown one): the sentence alone is still an answer.
        return render_bare(error, status=error.status)


def render_alone(template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page without the frame, which knows nothing of the sites and so tells nobody of them."""
    text = ENVIRONMENT.get_template(template).render(**context)
    return HTMLResponse(text, status_code=status, headers={**SECURITY, "Cache-Control": "no-store"})


def render_bare(
    error: ExpostError,
    *,
    status: int,
    headers: Mapping[str, str] | None = None,
    link: tuple[str, str] = ("/", "To the start"),
) -> Response:
    """The error as a page without the frame: for an address that no page has, and for who is not let in."""
    response = render_alone("bare_error.html", status=status, error=error, link=link)
    response.headers.update(headers or {})
    return response


def add_retry(response: Response, error: ExpostError) -> Response:
    """The response with `Retry-After`, where the error says when to come back."""
    if isinstance(error, TooManyTries | TooManyQuestions):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


TWINS = (".json", ".sql", ".csv", ".parquet")
"""Ends of the address of an answer in another form."""


UNREAD = "X-Expost-Unread"
"""The header that says which files could not be read and are left out: a JSON list of sentences."""


def unread_headers(answer: Answer) -> dict[str, str]:
    """The header `UNREAD` where something is left out: rows alone have no place for it."""
    return {UNREAD: json.dumps(answer.basis.unread)} if answer.basis.unread else {}


def twin(request: Request, answer: Answer) -> Response:
    """The answer as its twin, by the end of the address: all of it, its SQL, or its rows as CSV or Parquet."""
    headers = unread_headers(answer)
    match request.url.path.rpartition(".")[2]:
        case "sql":
            return PlainTextResponse(sql_text(answer), headers=headers)
        case "csv":
            return Response(answer.to_csv(), media_type="text/csv; charset=utf-8", headers=headers)
        case "parquet":
            return Response(answer.to_parquet(), media_type="application/vnd.apache.parquet", headers=headers)
        case _:
            return JSONResponse(answer.to_json(), headers=headers)


def create_router(desk: Desk) -> APIRouter:
    """A router whose pages say their errors as pages and carry the security headers."""

    class PageRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handled(request: Request) -> Response:
                try:
                    response = await handle(request)
                except ExpostError as error:
                    response = render_error(desk, request, error)
                for name, value in SECURITY.items():
                    response.headers.setdefault(name, value)
                return response

            return handled

    return APIRouter(route_class=PageRoute, include_in_schema=False)


def add_static(router: APIRouter) -> None:
    """The style sheets and scripts of the pages, cached for good under an address that changes with them."""

    @router.get("/static/{name}")
    async def static(name: str, request: Request) -> Response:
        """One file of `static/`."""
        if name not in STATIC:
            return PlainTextResponse("No such file.\n", status_code=404)
        body, kind = STATIC[name]
        is_pinned = request.query_params.get("v") == STATIC_VERSION
        lasting = "public, max-age=31536000, immutable" if is_pinned else "no-cache"
        return Response(body, media_type=kind, headers={"Cache-Control": lasting})
