"""The routes of the API about who is whom. They are for admins, and for this machine without accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from expost.errors import InvalidInput
from expost.query.form import form_of
from expost.query.form_seen import SITE, TIMELINE, timeline_of
from expost.query.word import Word, checked_body
from expost.question_routes import Body, body_schema, words_schema
from expost.right_routes import admin_of, id_of
from expost.ui.caller import require_admin

DRY_RUN = Word("dry_run", "Only say what would change.", is_switch=True)
MERGED = (
    SITE,
    Word("user", "Who is merged into the other.", "anna@home.example"),
    Word("into", "What the person is called then.", "ann@shop.example"),
    Word("force", "Also where it looks like a mistake.", is_switch=True),
    DRY_RUN,
)
UNDONE = (SITE, Word("edges", "Edges, as the person shows them.", "8417", is_many=True), DRY_RUN)
MOST_EDGES = 1_000


def add_people(api: APIRouter, call: Callable[..., Awaitable[Any]]) -> None:
    """`/api/v1/people`."""

    @api.get("/people/{id}", openapi_extra=words_schema(word for word in TIMELINE if word.name != "id"))
    async def person(id: str, request: Request) -> JSONResponse:  # noqa: A002 (the name in the address)
        """One person: users, devices, edges, traits, and the latest events by session."""
        require_admin(request)
        question = timeline_of(form_of([*request.query_params.multi_items(), ("id", id)]))
        return JSONResponse((await call("ask", question)).to_json())

    @api.post("/people/merge", openapi_extra=body_schema(MERGED, ("user", "into")))
    async def merge(body: Body, request: Request) -> JSONResponse:
        """Make two users one person."""
        by, said = admin_of(request), checked_body(body, MERGED)
        given: dict[str, Any] = {"user": id_of(said, "user"), "into": id_of(said, "into")}
        given |= {"force": said.get("force", False), "site": said.get("site")}
        if said.get("dry_run"):
            return JSONResponse(await call("plan_merge", **given))
        return JSONResponse(await call("merge", **given, author=by.who, place=by.place))

    @api.post("/people/undo", openapi_extra=body_schema(UNDONE, ("edges",)))
    async def undo(body: Body, request: Request) -> JSONResponse:
        """Withdraw edges, or give back what an undo withdrew."""
        by, said = admin_of(request), checked_body(body, UNDONE)
        listed = said.get("edges", [])
        edges = listed if isinstance(listed, list) else [listed]
        if not 1 <= len(edges) <= MOST_EDGES:
            raise InvalidInput(
                f"{len(edges):,} edges are named; 1 to {MOST_EDGES:,} can be undone at once.",
                hint='Name them as GET /api/v1/people/{id} shows them: {"edges": ["8417"]}',
            )
        if said.get("dry_run"):
            return JSONResponse(await call("plan_undo", edges=edges, site=said.get("site")))
        done = await call("undo", edges=edges, site=said.get("site"), author=by.who, place=by.place)
        return JSONResponse(done)
