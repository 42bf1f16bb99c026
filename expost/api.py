"""The HTTP API: the same questions as the command line, under the same names, with the same answers.

GET /api/v1/preview     ?click=… | ?name=…        GET  /api/v1/definitions
GET /api/v1/funnel      ?step=…&step=…&within=7d  PUT  /api/v1/definitions/{name}
GET /api/v1/retention   ?start_event=…            GET  /api/v1/flags
GET /api/v1/trend       ?name=…&period=day        GET  /api/v1/live
GET /api/v1/paths       ?name=…&direction=before
GET /api/v1/stickiness, /lifecycle  ?name=…&period=…
GET /api/v1/losses      ?by=day                   GET, PATCH /api/v1/definitions/{name}
GET /api/v1/rejected    ?kind=…
GET /api/v1/difference  ?name=…&old=1&new=2       POST /api/v1/definitions/{name}/rollback
POST /api/v1/sql        {"query": "select …"}     GET  /api/v1/events/{event_id}
POST /api/v1/erasures   {"user": "user-17"}       GET  /api/v1/erasures[/{id}], /api/v1/person
GET /api/v1/reports[/{name}[/answer]], /dashboards…  PUT, PATCH /api/v1/reports/{name}
POST /api/v1/reconcile  {"report": …, "ids": […]}
GET /api/v1/suggestions ?event=…                  GET  /api/v1/unnamed
POST /api/v1/imports    ?file=export.zip          POST /api/v1/imports/{id}/run, GET, DELETE …
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from expost.answer_route import AnswerResponse, AnswerRoute
from expost.cohort_routes import add_cohorts
from expost.detail_words import DETAILS, LISTED, ROLLBACK, checked_details, version_of
from expost.errors import ExpostError, InvalidInput, NoSuchAddress, WrongMethod
from expost.history.runs import Imports
from expost.import_routes import add_imports
from expost.people_routes import add_people
from expost.query.event_detail import EventDetail
from expost.query.form import form_of_body, moment_of, one, yes
from expost.query.form_definition import DEFINED, definition_of, validity_of
from expost.query.form_seen import FLAGS, SITE, SQL, sql_of
from expost.query.form_sessions import SESSION, session_of
from expost.query.question import Question, refuse_outside
from expost.query.word import checked_body
from expost.query_routes import NoQueries, Queries, add_queries
from expost.question_routes import Body, add_questions, body_schema, given, words_schema
from expost.reconcile_routes import add_reconcile
from expost.report_routes import add_reports
from expost.right_routes import add_rights
from expost.ui.caller import caller_of, is_admin
from expost.ui.page import add_retry, render_bare

Call = Callable[..., Awaitable[Any]]
"""Runs a method of `Analysis` in a query process: `await call("ask", question)`."""

ROUTES_HINT = "What each route takes is listed at /api/openapi.json"
MOST_ROWS = 100_000


def create_api(call: Call, queries: Queries | None = None, imports: Imports | None = None) -> APIRouter:
    """The routes below `/api/v1`."""
    api = APIRouter(prefix="/api/v1", tags=["questions"], route_class=AnswerRoute)

    async def answer(question: Question) -> JSONResponse:
        return AnswerResponse(await call("ask", question))

    add_questions(api, answer)

    @api.get("/events/{event_id}", openapi_extra=words_schema(FLAGS))
    async def event(event_id: str, request: Request) -> JSONResponse:
        """One event whole, with the chain of its element."""
        form = given(request, FLAGS)
        return await answer(EventDetail(event_id, site=one(form, "site"), as_of=moment_of(form, "as_of")))

    @api.get("/sessions/{session_id}", openapi_extra=words_schema(SESSION))
    async def session(session_id: str, request: Request) -> JSONResponse:
        """One session whole, with its events in their order."""
        return await answer(session_of(session_id, given(request, SESSION)))

    @api.post("/sql", openapi_extra=body_schema(SQL, ("query",)))
    async def sql(body: Body, request: Request) -> JSONResponse:
        """The rows of one SELECT over the views that docs/schema.md names; for admins `rejected` too."""
        question = sql_of(form_of_body(checked_body(body, SQL)), is_admin=is_admin(request))
        refuse_outside("A query over HTTP returns", question.limit, 1, MOST_ROWS, "rows")
        return await answer(question)

    _add_definitions(api, call)
    add_cohorts(api, call)
    add_reports(api, call)
    add_reconcile(api, call)
    add_rights(api, call)
    add_people(api, call)
    add_queries(api, queries or NoQueries())
    add_imports(api, imports)
    return api


def _add_definitions(api: APIRouter, call: Call) -> None:
    @api.get("/definitions", openapi_extra=words_schema(LISTED))
    async def definitions(request: Request) -> JSONResponse:
        """The latest version of every definition; of those in the archive with `archived`."""
        form = given(request, LISTED)
        archived = yes(form, "archived") or False
        found = await call("definitions", site=one(form, "site"), archived=archived)
        return JSONResponse([definition.to_json() for definition in found])

    @api.get("/definitions/{name:text}", openapi_extra=words_schema((SITE,)))
    async def definition(name: str, request: Request) -> JSONResponse:
        """Every version of a definition, the oldest first, and what is said of it."""
        site = one(given(request, (SITE,)), "site")
        versions = await call("history", name, site=site)
        details = (await call("details", name, site=site)).to_json()
        return JSONResponse(details | {"name": versions[-1]["name"], "versions": versions})

    @api.patch("/definitions/{name:text}", openapi_extra=body_schema(DETAILS))
    async def describe(name: str, body: Body, request: Request) -> JSONResponse:
        """Set owner, tags or note of a definition, or whether it is archived; `reports` are those about it."""
        by, wanted = caller_of(request).actor("api"), checked_details(body)
        details = await call("describe", name, author=by.who, place=by.place, **wanted)
        reports = await call("followers", name, site=wanted.get("site"))
        return JSONResponse(details.to_json() | {"reports": reports})

    @api.post("/definitions/{name:text}/rollback", openapi_extra=body_schema(ROLLBACK, ("version",)))
    async def roll_back(name: str, body: Body, request: Request) -> JSONResponse:
        """A new version that says what an old one said."""
        by, form = caller_of(request).actor("api"), form_of_body(checked_body(body, ROLLBACK))
        saved = await call(
            "roll_back",
            name,
            version_of(form),
            site=one(form, "site"),
            author=by.who,
            place=by.place,
        )
        return JSONResponse(saved.to_json())

    @api.put("/definitions/{name:text}", openapi_extra=body_schema(DEFINED))
    async def define(name: str, body: Body, request: Request) -> JSONResponse:
        """Save a definition; another meaning than the latest makes a new version."""
        by, form = caller_of(request).actor("api"), form_of_body(checked_body(body, DEFINED, "a definition"))
        said = {"site": one(form, "site"), "author": by.who, "place": by.place}
        saved = await call("define", definition_of(name, form), **said, **validity_of(form))
        return JSONResponse(saved.to_json())


def _misreading(first: Mapping[str, Any], content_type: str) -> InvalidInput:
    """What was wrong with a request, from the first thing that FastAPI says of it."""
    if first["type"] == "json_invalid":
        reason = first.get("ctx", {}).get("error", first["msg"])
        return InvalidInput(
            f"The body is no JSON: {reason}, at character {first['loc'][-1]}.", hint=ROUTES_HINT
        )
    if tuple(first["loc"]) == ("body",):
        said = content_type.partition(";")[0] or "no content type"
        return InvalidInput(
            f"The body has to be a JSON object; it came with {said}.",
            hint='Send one, such as {"click": "a.buy"}, with the header Content-Type: application/json',
        )
    place = ".".join(str(part) for part in first["loc"][1:]) or "The request"
    return InvalidInput(f"{place}: {first['msg']}.", hint=ROUTES_HINT)


def answer_errors(app: FastAPI) -> None:
    """Give every error the one shape: `{"error": {"code", "message", "hint"}}`; a page to browsers where nothing is."""

    async def refused(_request: Request, error: Exception) -> Response:
        assert isinstance(error, ExpostError)
        return add_retry(JSONResponse(error.to_json(), status_code=error.status), error)

    async def misread(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        problem = _misreading(error.errors()[0], request.headers.get("content-type", ""))
        return JSONResponse(problem.to_json(), status_code=problem.status)

    async def unanswered(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path, allowed = request.url.path, (error.headers or {}).get("Allow", "")
        problem: ExpostError = InvalidInput(f"{error.detail}.".replace("..", "."), hint=ROUTES_HINT)
        if error.status_code == 404:
            problem = NoSuchAddress(path)
        elif error.status_code == 405:
            problem = WrongMethod(request.method, path, allowed)
        if "text/html" in request.headers.get("accept", "") and not path.startswith("/api/"):
            return render_bare(problem, status=error.status_code, headers=error.headers)
        return JSONResponse(problem.to_json(), status_code=error.status_code, headers=error.headers)

    app.add_exception_handler(ExpostError, refused)
    app.add_exception_handler(HTTPException, unanswered)
    app.add_exception_handler(RequestValidationError, misread)
