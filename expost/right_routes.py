"""The routes of the API that are about single persons. They are for admins, and for this machine without accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from expost.errors import InvalidInput
from expost.query.form import one
from expost.query.form_seen import SITE
from expost.query.word import Word, checked_body
from expost.question_routes import Body, body_schema, given, words_schema
from expost.state.audit import Actor
from expost.ui.caller import caller_of, require_admin

MAX_ID = 200


WHO = (
    SITE,
    Word("user", "What the site calls someone in identify.", "ann@shop.example"),
    Word("device", "The random id in a browser.", "9a31…"),
)
ERASED = (
    *WHO,
    Word("may_return", "Store again what they do from now on.", is_switch=True),
    Word("dry_run", "Only say what would go.", is_switch=True),
)


def add_rights(api: APIRouter, call: Callable[..., Awaitable[Any]]) -> None:
    """`/api/v1/person` and `/api/v1/erasures`."""

    @api.get("/person", openapi_extra=words_schema(WHO))
    async def person(request: Request) -> JSONResponse:
        """Everything that is kept of one person."""
        by, form = admin_of(request), given(request, WHO)
        named = {word.name: one(form, word.name) for word in WHO}
        found = await call("export_person", **named, author=by.who, place=by.place)
        return JSONResponse(jsonable_encoder(found))

    @api.post("/erasures", openapi_extra=body_schema(ERASED))
    async def erase(body: Body, request: Request) -> JSONResponse:
        """Erase one person: from the lake, the journal and all that lies beside them."""
        by, said = admin_of(request), checked_body(body, ERASED)
        named = {"site": said.get("site")}
        named |= {name: id_of(said, name) if name in said else None for name in ("user", "device")}
        if said.get("dry_run"):
            return JSONResponse(await call("plan_erasure", **named))
        is_lasting = not said.get("may_return", False)
        asked = await call("erase", **named, is_lasting=is_lasting, author=by.who, place=by.place)
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


def id_of(said: Mapping[str, Any], name: str) -> str:
    """The id that a body names."""
    text: str = said.get(name, "")
    if not 1 <= len(text) <= MAX_ID:
        raise InvalidInput(
            f"{name} is {len(text)} characters long." if text else f"{name} is not said.",
            hint=f"An id has 1 to {MAX_ID} characters.",
        )
    return text
