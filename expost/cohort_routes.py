"""The routes of the API that are about cohorts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from expost.query.cohort import MAX_IDS
from expost.query.cohort_size import CohortSize
from expost.query.form import form_of
from expost.query.form_cohort import cohort_of
from expost.ui.caller import caller_of

WORDS = ("did", "times", "did_within", "did_where", "did_not", "not_within", "sequence", "trait")


class CohortBody(BaseModel):
    """Who is in the cohort: whoever fulfils all of it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    site: str | None = None
    did: list[str] = Field([], description="Names of definitions that were done.")
    times: list[str] = Field([], description="`N=COUNT`: the Nth of them at least so many times.")
    did_within: list[str] = Field([], description="`N=LENGTH`: the Nth of them not longer ago.")
    did_where: list[str] = Field([], description="`N:NAME=VALUE`: the Nth of them with this property.")
    did_not: list[str] = Field([], description="Names of definitions that were not done.")
    not_within: list[str] = Field([], description="`N=LENGTH`: the Nth of those, in this long.")
    sequence: list[str] = Field([], description="Names of definitions done one after the other.")
    sequence_within: str | None = Field(None, description="The last at most so long after the first.")
    trait: list[str] = Field([], description="`NAME=VALUE` or `NAME`: a trait that people have now.")
    users: list[str] = Field([], max_length=MAX_IDS, description="User ids.")
    devices: list[str] = Field([], max_length=MAX_IDS, description="Device ids.")
    from_: str | None = Field(None, alias="from", description="What was done counts from here on.")
    to: str | None = Field(None, description="And before here.")


def add_cohorts(api: APIRouter, call: Callable[..., Awaitable[Any]]) -> None:
    """`/api/v1/cohorts`."""

    @api.get("/cohorts")
    async def cohorts(site: str | None = None) -> JSONResponse:
        """The latest version of every cohort."""
        return JSONResponse([each.to_json() for each in await call("cohorts", site=site)])

    @api.get("/cohorts/{name:path}")
    async def cohort(name: str, site: str | None = None) -> JSONResponse:
        """A cohort, and how many people are in it now."""
        return JSONResponse((await call("ask", CohortSize(name, site=site))).to_json())

    @api.put("/cohorts/{name:path}")
    async def save(name: str, body: CohortBody, request: Request) -> JSONResponse:
        """Save a cohort; another meaning than the latest makes a new version."""
        pairs = [(word, each) for word in WORDS for each in getattr(body, word)]
        singles = {"sequence_within": body.sequence_within, "from": body.from_, "to": body.to}
        form = form_of([*pairs, *((word, text) for word, text in singles.items() if text)])
        meant = cohort_of(name, form) if form or not (body.users or body.devices) else None
        by = caller_of(request).actor("api")
        saved = await call(
            "save_cohort",
            meant,
            name,
            users=body.users,
            devices=body.devices,
            site=body.site,
            author=by.who,
            place=by.place,
        )
        return JSONResponse(saved.to_json())

    @api.delete("/cohorts/{name:path}")
    async def remove(name: str, request: Request, site: str | None = None) -> JSONResponse:
        """Forget a cohort with all its versions."""
        by = caller_of(request).actor("api")
        gone = await call("remove_cohort", name, site=site, author=by.who, place=by.place)
        return JSONResponse(gone.to_json())
