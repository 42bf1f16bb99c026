"""The routes of the API that are about cohorts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from expost.answer_route import AnswerResponse
from expost.errors import InvalidInput
from expost.query.cohort import MAX_IDS
from expost.query.cohort_size import CohortSize
from expost.query.explanation import Explanation
from expost.query.form import form_of_body, one
from expost.query.form_cohort import COHORT, cohort_of
from expost.query.form_seen import SITE
from expost.query.word import Word, checked_body
from expost.question_routes import Body, body_schema, given, words_schema
from expost.ui.caller import caller_of

SAVED = (
    SITE,
    *COHORT,
    Word("users", "User ids.", "ann@shop.example", is_many=True),
    Word("devices", "Device ids.", "9a31…", is_many=True),
)


def add_cohorts(api: APIRouter, call: Callable[..., Awaitable[Any]]) -> None:
    """`/api/v1/cohorts`."""

    @api.get("/cohorts", openapi_extra=words_schema((SITE,)))
    async def cohorts(request: Request) -> JSONResponse:
        """The latest version of every cohort."""
        site = one(given(request, (SITE,)), "site")
        return JSONResponse([each.to_json() for each in await call("cohorts", site=site)])

    @api.get("/cohorts/{name:text}/explanation", openapi_extra=words_schema((SITE,)))
    async def cohort_explanation(name: str, request: Request) -> JSONResponse:
        """What decides who is in a cohort, and how many would be without each condition."""
        site = one(given(request, (SITE,)), "site")
        return AnswerResponse(await call("ask", Explanation(CohortSize(name, site=site), site=site)))

    @api.get("/cohorts/{name:text}", openapi_extra=words_schema((SITE,)))
    async def cohort(name: str, request: Request) -> JSONResponse:
        """A cohort, and how many people are in it now."""
        site = one(given(request, (SITE,)), "site")
        return JSONResponse((await call("ask", CohortSize(name, site=site))).to_json())

    @api.put("/cohorts/{name:text}", openapi_extra=body_schema(SAVED))
    async def save(name: str, body: Body, request: Request) -> JSONResponse:
        """Save a cohort; another meaning than the latest makes a new version."""
        said = checked_body(body, SAVED, "a cohort")
        site, users, devices = said.pop("site", None), _listed(said, "users"), _listed(said, "devices")
        form = form_of_body(said)
        meant = cohort_of(name, form) if form or not (users or devices) else None
        by = caller_of(request).actor("api")
        saved = await call(
            "save_cohort",
            meant,
            name,
            users=users,
            devices=devices,
            site=site,
            author=by.who,
            place=by.place,
        )
        return JSONResponse(saved.to_json())

    @api.delete("/cohorts/{name:text}", openapi_extra=words_schema((SITE,)))
    async def remove(name: str, request: Request) -> JSONResponse:
        """Forget a cohort with all its versions."""
        site = one(given(request, (SITE,)), "site")
        by = caller_of(request).actor("api")
        gone = await call("remove_cohort", name, site=site, author=by.who, place=by.place)
        return JSONResponse(gone.to_json())


def _listed(said: dict[str, Any], name: str) -> list[str]:
    """Ids that a body lists."""
    given = said.pop(name, [])
    ids = given if isinstance(given, list) else [given]
    if len(ids) > MAX_IDS:
        raise InvalidInput(
            f"{name} lists {len(ids):,} ids; at most {MAX_IDS:,}.", hint="Make several cohorts of them."
        )
    return ids
