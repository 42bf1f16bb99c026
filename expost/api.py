"""The HTTP API: the same questions as the command line, under the same names, with the same answers.

GET /api/v1/preview     ?click=… | ?name=…        GET  /api/v1/definitions
GET /api/v1/funnel      ?step=…&step=…&within=7d  PUT  /api/v1/definitions/{name}
GET /api/v1/retention   ?start=…&return=…         GET  /api/v1/flags
GET /api/v1/trend       ?name=…&period=day        GET  /api/v1/live
GET /api/v1/paths       ?name=…&direction=before
GET /api/v1/stickiness, /lifecycle  ?name=…&period=…
GET /api/v1/losses      ?by=day                   GET, PATCH /api/v1/definitions/{name}
GET /api/v1/rejected    ?kind=…
GET /api/v1/difference  ?name=…&old=1&new=2       POST /api/v1/definitions/{name}/rollback
POST /api/v1/sql        {"query": "select …"}     GET  /api/v1/events/{event_id}
POST /api/v1/erasures   {"user": "user-17"}       GET  /api/v1/erasures[/{id}], /api/v1/person
GET /api/v1/suggestions ?event=…                  GET  /api/v1/unnamed
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.exceptions import HTTPException

from expost.cohort_routes import add_cohorts
from expost.errors import ExpostError, InvalidInput, NoSuchAddress, WrongMethod
from expost.people_routes import add_people
from expost.query.event_detail import EventDetail
from expost.query.flag_list import FlagList
from expost.query.form import Form, form_of, parse_moment
from expost.query.form_definition import (
    definition_of,
    difference_of,
    preview_of,
    suggestions_of,
    unnamed_of,
    validity_of,
)
from expost.query.form_funnel import funnel_of, funnel_people_of
from expost.query.form_proof import explanation_of
from expost.query.form_retention import retention_of, retention_people_of
from expost.query.form_seen import losses_of, rejected_of
from expost.query.form_trend import trend_of, trend_people_of
from expost.query.form_ways import lifecycle_of, paths_of, stickiness_of
from expost.query.live import Live
from expost.query.question import Question
from expost.query.sandbox import SqlQuery
from expost.right_routes import add_rights
from expost.ui.caller import caller_of, is_admin, require_admin
from expost.ui.page import add_retry, render_bare

Call = Callable[..., Awaitable[Any]]
"""Runs a method of `Analysis` in a query process: `await call("ask", question)`."""

MAX_SQL = 100_000
ROUTES_HINT = "What each route takes is listed at /api/openapi.json"

Words = Annotated[list[str], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)]
"""A list of texts; one text alone is a list of it."""


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    def form(self) -> Form:
        """The fields as `query.form` reads them."""
        pairs: list[tuple[str, str]] = []
        for name, value in self.model_dump(by_alias=True, exclude_none=True).items():
            pairs += [(name, str(each)) for each in (value if isinstance(value, list) else [value])]
        return form_of(pairs)


class Common(_Parameters):
    """What every question takes."""

    site: str | None = Field(None, description="Which site, when there are several.")
    from_: str | None = Field(None, alias="from", description="From this date or ISO time on.")
    to: str | None = Field(None, description="Before this date or ISO time.")
    tz: str | None = Field(None, description="Time zone of days and weeks; default the site's.")
    week_start: str | None = Field(
        None, description="The first day of weeks, such as `sunday`; default the site's."
    )
    environment: Words = Field([], description="Which environments, or `all`; default as the site says.")
    bots: str | None = Field(None, description="Count bots: `yes` or `no`; default as the site says.")
    internal: str | None = Field(
        None, description="Count internal devices: `yes` or `no`; default as the site says."
    )
    as_of: str | None = Field(
        None, description="Only what was known at this date or ISO time; default all that is known."
    )


class Conditions(Common):
    """What a definition is made of."""

    click: Words = Field([], description="CSS selectors: clicks on what they match, or inside it.")
    change: Words = Field([], description="CSS selectors of changed fields.")
    submit: Words = Field([], description="CSS selectors of submitted forms.")
    on: Words = Field([], description="Any type of event, alone or with a selector: `copy .price`.")
    view: Words = Field([], description="Path globs of page views.")
    track: Words = Field([], description="Names of the site's own events.")
    text: str | None = Field(None, description="The label is this; or `contains:…`, `prefix:…`, `matches:…`.")
    host: str | None = None
    path: str | None = None
    hash: str | None = None
    query: Words = Field([], description="Query parameters of the page: NAME or NAME=VALUE.")
    property: Words = Field([], description="Properties of the event: NAME or NAME=VALUE.")
    target_only: str | None = None
    pierce: str | None = None


class Defined(Conditions):
    """What is saved: conditions, and when they count."""

    valid_from: str | None = Field(None, description="This version counts from this date or ISO time on.")
    valid_until: str | None = Field(None, description="And before this one; outside, the versions before it.")


class PreviewParameters(Conditions):
    """A preview takes conditions, or the name of a saved definition."""

    name: str | None = None
    only: str | None = Field(
        None, description="`count`: without texts, pages, elements and overlaps, which take longer."
    )


class Units(Common):
    """What is counted, and what a result is split by."""

    unit: str | None = Field(None, description="`person`, `session`, `device` or `group:TYPE`.")
    gap: str | None = Field(
        None, description="A session ends after this long without any event; default 30min."
    )
    cohort: Words = Field([], description="Only people who are in these cohorts.")
    not_cohort: Words = Field([], description="Only people who are in none of these.")
    by: str | None = Field(
        None,
        description="`flag:KEY`, `property:NAME`, `trait:NAME`, `latest-trait:NAME`, `cohort:NAME`, or a column like "
        "`path`.",
    )
    several: str | None = Field(
        None, description="People who saw several variations: `first`, `exclude` or `as-treated`."
    )


class FunnelParameters(Units):
    """A funnel."""

    step: Words = Field([], description="Names of definitions, in order.")
    within: str | None = Field(
        None, description="Conversion window from the first step: `7d`, `36h`; default 7d."
    )
    order: str | None = Field(None, description="`ordered`, `strict` or `any`.")
    between: Words = Field([], description="In strict order: definitions that may not lie between two steps.")
    ends: Words = Field([], description="Definitions that end an attempt.")
    removes: Words = Field(
        [], description="Definitions that remove whoever does it within the window of an entry."
    )
    optional: Words = Field([], description="Numbers of steps that may be left out.")
    step_within: Words = Field([], description="`N=LENGTH`: step N at most so long after the step before.")
    where: Words = Field([], description="`N:NAME=VALUE`: step N only with this property.")
    over: str | None = Field(None, description="Also by the `day`, `week` or `month` of entry.")
    compare: str | None = Field(None, description="`previous`: also the stretch of the same length before.")


class RetentionParameters(Units):
    """A retention."""

    start: str | None = Field(None, description="Name of the definition that begins.")
    return_: str | None = Field(None, alias="return", description="Name of the definition that returns.")
    period: str | None = Field(None, description="`day`, `week` or `month`.")
    periods: int | None = Field(None, description="How many periods after the first.")
    entry: str | None = Field(None, description="`first_in_range`, `first_ever` or `recurring`.")
    mode: str | None = Field(None, description="`on` (in period n) or `on_or_after`.")
    rolling: str | None = Field(None, description="`yes`: periods are counted from each one's own start.")
    brackets: str | None = Field(None, description="Stretches of periods: `0,1-3,4-7`.")


class TrendParameters(Units):
    """A trend."""

    name: str | None = Field(None, description="Name of the definition.")
    period: str | None = Field(None, description="`hour`, `day`, `week` or `month`.")
    measure: str | None = Field(
        None,
        description="`events`, `people`, `per-person`, or of the numbers of a property: `sum:NAME`, `mean:NAME`, "
        "`min:NAME`, `max:NAME`, `median:NAME`, `p95:NAME`.",
    )
    per: str | None = Field(
        None, description="Name of another definition: the measure is divided by its own."
    )
    per_measure: str | None = Field(None, description="What of `per` it is divided by; default the same.")
    compare: str | None = Field(None, description="`previous`: also the stretch of the same length before.")


class Opened(BaseModel):
    """Which of the people behind a number, and how many of them at most."""

    kind: str | None = Field(None, description="The kind of a group, such as `variation`; default everybody.")
    value: str | None = Field(None, description="The value of that group.")
    limit: int | None = Field(None, ge=1, le=10_000, description="How many people; default 100.")


class FunnelPeopleParameters(FunnelParameters, Opened):
    """The people behind a bar."""

    at: int | None = Field(None, description="The number of the step; default 1.")
    dropped: str | None = Field(None, description="`yes`: those who came no further.")
    person: str | None = Field(None, description="Only this `person_id`.")


class RetentionPeopleParameters(RetentionParameters, Opened):
    """The people behind a cohort or a cell."""

    cohort_day: str | None = Field(None, description="A day of the cohort's period.")
    at: int | None = Field(None, description="The period in which they came back; default the whole cohort.")


class TrendPeopleParameters(TrendParameters, Opened):
    """The people behind a point."""

    at: str | None = Field(None, description="A date or ISO time in the period; default the whole range.")


class StickinessParameters(Units):
    """Stickiness."""

    name: str | None = Field(None, description="Name of the definition.")
    period: str | None = Field(None, description="`day`, `week` or `month`.")


class LifecycleParameters(Common):
    """A lifecycle."""

    name: str | None = Field(None, description="Name of the definition.")
    period: str | None = Field(None, description="`day`, `week` or `month`; default week.")
    unit: str | None = Field(None, description="`person`, `session`, `device` or `group:TYPE`.")
    gap: str | None = Field(None, description="A session ends after this long without any event.")
    cohort: Words = Field([], description="Only people who are in these cohorts.")
    not_cohort: Words = Field([], description="Only people who are in none of these.")


class PathsParameters(Common):
    """Paths."""

    name: str | None = Field(None, description="Name of the definition to start from.")
    direction: str | None = Field(None, description="`after` or `before`; default after.")
    steps: int | None = Field(None, description="How many steps; default 4.")
    top: int | None = Field(None, description="How many edges of a step are told apart; default 10.")
    event: Words = Field([], description="Names of definitions that are steps too, beside views of pages.")
    group: Words = Field([], description="Path globs: pages that fit one are called by it.")
    gap: str | None = Field(None, description="A session ends after this long without any event.")
    cohort: Words = Field([], description="Only people who are in these cohorts.")
    not_cohort: Words = Field([], description="Only people who are in none of these.")


class DifferenceParameters(Common):
    """Two versions of a definition in effect."""

    name: str | None = Field(None, description="Name of the definition.")
    old: int | None = Field(None, description="A version.")
    new: int | None = Field(None, description="Another version.")
    samples: int | None = Field(None, description="How many events of each side; default 10.")


class DetailsBody(BaseModel):
    """What is said of a definition; what is not given stays."""

    model_config = ConfigDict(extra="forbid")

    site: str | None = None
    owner: str | None = Field(None, max_length=200)
    tags: list[str] | None = Field(None, max_length=100)
    note: str | None = Field(None, max_length=10_000)
    archived: bool | None = None


class RollbackBody(BaseModel):
    """Which version to say again."""

    model_config = ConfigDict(extra="forbid")

    site: str | None = None
    version: int


class LossesParameters(Common):
    """The loss meter."""

    by: str | None = Field(None, description="`day`, `page` or `browser`; default day.")
    limit: int | None = Field(None, description="How many pages or browsers, those that miss most first.")


class RejectedParameters(_Parameters):
    """What could not be stored."""

    site: str | None = Field(None, description="Which site, when there are several.")
    kind: str | None = Field(None, description="Only this kind of reason.")
    limit: int | None = Field(None, description="How many of the latest, up to 1,000; default 100.")


class SuggestionsParameters(Common):
    """Suggested selectors for one element."""

    event: str | None = Field(None, description="The id of an event: the element it happened on.")
    element: str | None = Field(None, description="Or the id of an element.")
    level: int | None = Field(
        None, description="How many ancestors outwards; default the nearest link, button or field."
    )
    limit: int | None = Field(None, description="How many selectors; default 8.")


class UnnamedParameters(Common):
    """Interactions that no definition matches."""

    limit: int | None = Field(None, description="How many, those of the most people first; default 50.")


class SqlBody(BaseModel):
    """One SELECT."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(max_length=MAX_SQL)
    limit: int = Field(10_000, ge=1, le=100_000)
    as_of: str | None = Field(None, description="Only what was known at this date or ISO time.")


def create_api(call: Call) -> APIRouter:
    """The routes below `/api/v1`."""
    api = APIRouter(prefix="/api/v1", tags=["questions"])

    async def answer(question: Question) -> JSONResponse:
        return JSONResponse((await call("ask", question)).to_json())

    @api.get("/preview")
    async def preview(parameters: Annotated[PreviewParameters, Query()]) -> JSONResponse:
        """The past of a definition that need not exist."""
        return await answer(preview_of(parameters.form()))

    @api.get("/funnel")
    async def funnel(parameters: Annotated[FunnelParameters, Query()]) -> JSONResponse:
        """How many people went through the steps in order."""
        return await answer(funnel_of(parameters.form()))

    @api.get("/retention")
    async def retention(parameters: Annotated[RetentionParameters, Query()]) -> JSONResponse:
        """Who came back."""
        return await answer(retention_of(parameters.form()))

    @api.get("/trend")
    async def trend(parameters: Annotated[TrendParameters, Query()]) -> JSONResponse:
        """Events and people per calendar period."""
        return await answer(trend_of(parameters.form()))

    @api.get("/difference")
    async def difference(parameters: Annotated[DifferenceParameters, Query()]) -> JSONResponse:
        """Which past events change sides between two versions of a definition."""
        return await answer(difference_of(parameters.form()))

    @api.get("/losses")
    async def losses(parameters: Annotated[LossesParameters, Query()]) -> JSONResponse:
        """How many events pages numbered that are not here."""
        return await answer(losses_of(parameters.form()))

    @api.get("/flags")
    async def flags(site: str | None = None, as_of: str | None = None) -> JSONResponse:
        """The flags and variations that exposures name."""
        return await answer(FlagList(site=site, as_of=parse_moment("as_of", as_of)))

    @api.get("/live")
    async def live(
        site: str | None = None,
        latest: Annotated[int, Query(ge=1, le=1_000)] = 50,
        as_of: str | None = None,
    ) -> JSONResponse:
        """The latest events, newest first."""
        return await answer(Live(latest, site=site, as_of=parse_moment("as_of", as_of)))

    @api.get("/events/{event_id}")
    async def event(event_id: str, site: str | None = None, as_of: str | None = None) -> JSONResponse:
        """One event whole, with the chain of its element."""
        return await answer(EventDetail(event_id, site=site, as_of=parse_moment("as_of", as_of)))

    @api.post("/sql")
    async def sql(body: SqlBody, request: Request) -> JSONResponse:
        """The rows of one SELECT over the views that docs/schema.md names; for admins `rejected` too."""
        return await answer(
            SqlQuery(body.query, body.limit, is_admin(request), as_of=parse_moment("as_of", body.as_of))
        )

    _add_seen(api, answer)
    _add_definitions(api, call)
    _add_rejected(api, call)
    _add_ways(api, answer)
    _add_proof(api, answer)
    add_cohorts(api, call)
    add_rights(api, call)
    add_people(api, call)
    return api


def _add_proof(api: APIRouter, answer: Callable[[Question], Awaitable[JSONResponse]]) -> None:
    @api.get("/funnel/people")
    async def funnel_people(parameters: Annotated[FunnelPeopleParameters, Query()]) -> JSONResponse:
        """The people behind a bar, each with the events that decided."""
        return await answer(funnel_people_of(parameters.form()))

    @api.get("/retention/people")
    async def retention_people(parameters: Annotated[RetentionPeopleParameters, Query()]) -> JSONResponse:
        """The people of a cohort, or who of it came back in a period."""
        return await answer(retention_people_of(parameters.form()))

    @api.get("/trend/people")
    async def trend_people(parameters: Annotated[TrendPeopleParameters, Query()]) -> JSONResponse:
        """The people behind a point, each with the events there."""
        return await answer(trend_people_of(parameters.form()))

    @api.get("/funnel/explanation")
    async def funnel_explanation(parameters: Annotated[FunnelParameters, Query()]) -> JSONResponse:
        """The rules that decided a funnel, and its counts under the other ones."""
        return await answer(explanation_of(parameters.form()))

    @api.get("/retention/explanation")
    async def retention_explanation(parameters: Annotated[RetentionParameters, Query()]) -> JSONResponse:
        """The rules that decided a retention, and its counts under the other ones."""
        return await answer(explanation_of(parameters.form()))


def _add_ways(api: APIRouter, answer: Callable[[Question], Awaitable[JSONResponse]]) -> None:
    @api.get("/paths")
    async def paths(parameters: Annotated[PathsParameters, Query()]) -> JSONResponse:
        """What people did after or before an event, in the same session."""
        return await answer(paths_of(parameters.form()))

    @api.get("/stickiness")
    async def stickiness(parameters: Annotated[StickinessParameters, Query()]) -> JSONResponse:
        """How many people did it in how many distinct periods."""
        return await answer(stickiness_of(parameters.form()))

    @api.get("/lifecycle")
    async def lifecycle(parameters: Annotated[LifecycleParameters, Query()]) -> JSONResponse:
        """Per period who is new, returning, resurrecting and dormant."""
        return await answer(lifecycle_of(parameters.form()))


def _add_rejected(api: APIRouter, call: Call) -> None:
    @api.get("/rejected")
    async def rejected(parameters: Annotated[RejectedParameters, Query()], request: Request) -> JSONResponse:
        """What could not be stored, and why. For admins."""
        require_admin(request)
        return JSONResponse((await call("ask", rejected_of(parameters.form()))).to_json())


def _add_seen(api: APIRouter, answer: Callable[[Question], Awaitable[JSONResponse]]) -> None:
    @api.get("/suggestions")
    async def suggestions(parameters: Annotated[SuggestionsParameters, Query()]) -> JSONResponse:
        """Selectors for one element, ranked by what each would have gathered, with the reasons."""
        return await answer(suggestions_of(parameters.form()))

    @api.get("/unnamed")
    async def unnamed(parameters: Annotated[UnnamedParameters, Query()]) -> JSONResponse:
        """Interactions that no definition matches, those of the most people first, with a name and selector each."""
        return await answer(unnamed_of(parameters.form()))


def _add_definitions(api: APIRouter, call: Call) -> None:
    @api.get("/definitions")
    async def definitions(site: str | None = None, archived: bool = False) -> JSONResponse:
        """The latest version of every definition; of those in the archive with `archived`."""
        found = await call("definitions", site=site, archived=archived)
        return JSONResponse([definition.to_json() for definition in found])

    @api.get("/definitions/{name:path}")
    async def definition(name: str, site: str | None = None) -> JSONResponse:
        """Every version of a definition, the oldest first, and what is said of it."""
        versions = await call("history", name, site=site)
        details = (await call("details", name, site=site)).to_json()
        return JSONResponse(details | {"name": versions[-1]["name"], "versions": versions})

    @api.patch("/definitions/{name:path}")
    async def describe(name: str, body: DetailsBody, request: Request) -> JSONResponse:
        """Set owner, tags or note of a definition, or whether it is archived."""
        by = caller_of(request).actor("api")
        details = await call("describe", name, author=by.who, place=by.place, **body.model_dump())
        return JSONResponse(details.to_json())

    @api.post("/definitions/{name:path}/rollback")
    async def roll_back(name: str, body: RollbackBody, request: Request) -> JSONResponse:
        """A new version that says what an old one said."""
        by = caller_of(request).actor("api")
        saved = await call("roll_back", name, body.version, site=body.site, author=by.who, place=by.place)
        return JSONResponse(saved.to_json())

    @api.put("/definitions/{name:path}")
    async def define(name: str, parameters: Defined, request: Request) -> JSONResponse:
        """Save a definition; another meaning than the latest makes a new version."""
        by, form = caller_of(request).actor("api"), parameters.form()
        said = {"site": parameters.site, "author": by.who, "place": by.place}
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
