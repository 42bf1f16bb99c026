"""The routes of the API about who is whom. They are for admins, and for this machine without accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from expost.query.form import form_of
from expost.query.form_seen import timeline_of
from expost.right_routes import MAX_ID, admin_of
from expost.ui.caller import require_admin


class MergeBody(BaseModel):
    """Which two users are one person."""

    model_config = ConfigDict(extra="forbid")

    site: str | None = None
    user: str = Field(max_length=MAX_ID, description="Who is merged into the other.")
    into: str = Field(max_length=MAX_ID, description="What the person is called then.")
    force: bool = Field(False, description="Also where it looks like a mistake.")
    dry_run: bool = Field(False, description="Only say what would change.")


class UndoBody(BaseModel):
    """What is withdrawn."""

    model_config = ConfigDict(extra="forbid")

    site: str | None = None
    edges: list[str] = Field(min_length=1, max_length=1_000, description="Edges, as the person shows them.")
    dry_run: bool = Field(False, description="Only say what would change.")


def add_people(api: APIRouter, call: Callable[..., Awaitable[Any]]) -> None:
    """`/api/v1/people`."""

    @api.get("/people/{id}")
    async def person(id: str, request: Request) -> JSONResponse:  # noqa: A002 (the name in the address)
        """One person: users, devices, edges, traits, and the latest events by session."""
        require_admin(request)
        question = timeline_of(form_of([*request.query_params.multi_items(), ("id", id)]))
        return JSONResponse((await call("ask", question)).to_json())

    @api.post("/people/merge")
    async def merge(body: MergeBody, request: Request) -> JSONResponse:
        """Make two users one person."""
        by = admin_of(request)
        given = {"user": body.user, "into": body.into, "force": body.force, "site": body.site}
        if body.dry_run:
            return JSONResponse(await call("plan_merge", **given))
        return JSONResponse(await call("merge", **given, author=by.who, place=by.place))

    @api.post("/people/undo")
    async def undo(body: UndoBody, request: Request) -> JSONResponse:
        """Withdraw edges, or give back what an undo withdrew."""
        by = admin_of(request)
        if body.dry_run:
            return JSONResponse(await call("plan_undo", edges=body.edges, site=body.site))
        done = await call("undo", edges=body.edges, site=body.site, author=by.who, place=by.place)
        return JSONResponse(done)
