"""The routes of the API that are about single persons. They are for admins, and for this machine without accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from expost.state.audit import Actor
from expost.ui.caller import caller_of, require_admin

MAX_ID = 200


class ErasureBody(BaseModel):
    """Whom to erase."""

    model_config = ConfigDict(extra="forbid")

    site: str | None = None
    user: str | None = Field(None, max_length=MAX_ID, description="What the site calls someone in identify.")
    device: str | None = Field(None, max_length=MAX_ID, description="The random id in a browser.")
    may_return: bool = Field(False, description="Store again what they do from now on.")
    dry_run: bool = Field(False, description="Only say what would go.")


def add_rights(api: APIRouter, call: Callable[..., Awaitable[Any]]) -> None:
    """`/api/v1/person` and `/api/v1/erasures`."""

    @api.get("/person")
    async def person(
        request: Request, site: str | None = None, user: str | None = None, device: str | None = None
    ) -> JSONResponse:
        """Everything that is kept of one person."""
        by = admin_of(request)
        found = await call(
            "export_person", site=site, user=user, device=device, author=by.who, place=by.place
        )
        return JSONResponse(jsonable_encoder(found))

    @api.post("/erasures")
    async def erase(body: ErasureBody, request: Request) -> JSONResponse:
        """Erase one person: from the lake, the journal and all that lies beside them."""
        by = admin_of(request)
        named = {"site": body.site, "user": body.user, "device": body.device}
        if body.dry_run:
            return JSONResponse(await call("plan_erasure", **named))
        asked = await call("erase", **named, is_lasting=not body.may_return, author=by.who, place=by.place)
        return JSONResponse(asked, status_code=202)

    @api.get("/erasures")
    async def erasures(request: Request) -> JSONResponse:
        """The receipts, the latest first."""
        admin_of(request)
        return JSONResponse(await call("erasures"))

    @api.get("/erasures/{id}")
    async def erasure(id: str, request: Request) -> JSONResponse:  # noqa: A002 (the name in the address)
        """How one erasure stands."""
        admin_of(request)
        return JSONResponse(await call("erasure", id))


def admin_of(request: Request) -> Actor:
    """Whom the audit names. Whoever is no admin is refused."""
    require_admin(request)
    return caller_of(request).actor("api")
