"""Pointing at the site instead of writing a selector: the page that opens it, holds the channel to it, and saves.

The definer in the site's page knows no login. It asks this page, this page asks here (`static/point.js`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from expost.errors import ExpostError, InvalidInput
from expost.query.form_definition import definition_of
from expost.query.live import Live
from expost.query.naming import free_name
from expost.query.preview import Preview

from .caller import caller_of
from .definer import add_definer
from .desk import Desk, address, in_thread, pairs_of
from .page import render
from .pointing import (
    Kind,
    Seen,
    SeenLevel,
    Selector,
    Word,
    conditions,
    names_of,
    note_token,
    selectors_of,
    source_of,
)
from .preview_token import LASTS, PreviewTokens, origin_of
from .taken import find_taken, taken_keys

OPENER_POLICY = {"Cross-Origin-Opener-Policy": "same-origin-allow-popups"}
"""The window that is opened keeps its opener; nobody who opens this page gets a hold of it all the same."""

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class SeenChain(BaseModel):
    """An element and its ancestors, target first."""

    model_config = ConfigDict(extra="forbid")

    chain: Annotated[list[SeenLevel], Field(max_length=200)]


class PointedAt(BaseModel):
    """What somebody pointed at, and what they call it."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    selector: Selector
    text: Word = ""
    name: Word


class Named(BaseModel):
    """A name that somebody thinks of, for this."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    selector: Selector
    text: Word = ""
    name: Word


class TokenFor(BaseModel):
    """The page that somebody wants to point at, and that cuts itself off."""

    model_config = ConfigDict(extra="forbid")

    page: Word


class HeldToken(BaseModel):
    """A token, as the page that made it holds it."""

    model_config = ConfigDict(extra="forbid")

    token: Word


@dataclass(frozen=True, slots=True)
class PointView:
    """What `point.html` shows. `origin` is where the snippet comes from, and so to whom the definer answers."""

    page: str
    tag: str
    origin: str


def page_address(host: str, path: str) -> str:
    """The address of a page that was seen; events do not keep the scheme.

    >>> page_address("shop.example", "/tea"), page_address("127.0.0.1:8001", "/")
    ('https://shop.example/tea', 'http://127.0.0.1:8001/')
    """
    scheme = "http" if urlsplit(f"//{host}").hostname in LOCAL else "https"
    return f"{scheme}://{host}{path}"


def definer_tag(tag: str) -> str:
    """The tag of a site with the word that lets the definer in.

    >>> definer_tag('<script async src="https://x.example/expost.js" data-key="k"></script>')
    '<script async src="https://x.example/expost.js" data-key="k" data-also="definer"></script>'
    """
    return tag.replace("></script>", ' data-also="definer"></script>')


def add_point(router: APIRouter, desk: Desk) -> None:
    """`/point`, and what it asks for the definer."""

    async def last_page(site: str) -> str:
        try:
            seen = (await desk.answer(Live(1, ("page_view",), site=site))).events
        except ExpostError:
            # The page is of use without it.
            return ""
        return page_address(seen[0].host, seen[0].path or "/") if seen and seen[0].host else ""

    @router.get("/point")
    async def point(request: Request) -> Response:
        """The page; `?page=` is the address that it offers to open."""
        site = desk.site_of(request)
        page = request.query_params.get("page", "") or await last_page(site.slug)
        view = PointView(page, definer_tag(site.tag), source_of(site.tag))
        response = render(desk, request, "point.html", view=view)
        response.headers.update(OPENER_POLICY)
        return response

    @router.post("/point/selectors.json")
    async def selectors(seen: SeenChain) -> Response:
        """A selector for each level of a chain."""
        return JSONResponse(selectors_of(seen.chain))

    @router.post("/point/names.json")
    async def names(seen: Seen, request: Request) -> Response:
        """A name to offer that nothing has."""
        keys = await taken_keys(desk, desk.site_of(request).slug)
        return JSONResponse({"name": free_name(names_of(seen), keys)})

    @router.post("/point/taken.json")
    async def taken(named: Named, request: Request) -> Response:
        """What has the name already, and a name that nothing has; `change` is where it can be made to mean this."""
        form = conditions(named.kind, named.selector, named.text)
        try:
            meant = definition_of("named", form)
        except ExpostError:
            meant = None
        found = await find_taken(desk, named.name, desk.site_of(request).slug, meant)
        change = address("/define", [*pairs_of(form), ("name", named.name)])
        return JSONResponse({"taken": found and found.to_json() | {"change": change}})

    @router.post("/point/save.json")
    async def save(meant: PointedAt, request: Request) -> Response:
        """Save what was pointed at under a new name, and give its past."""
        site = desk.site_of(request).slug
        if taken := await find_taken(desk, meant.name, site):
            # The page at the other end is the site's: it may add a name, never change what one means.
            raise InvalidInput(
                f"A definition is called {taken.name!r} already.",
                hint=f"Choose another name, such as {taken.free!r}, or change that one in Expost.",
            )
        by = caller_of(request).actor("ui")
        wanted = definition_of(meant.name.strip(), conditions(meant.kind, meant.selector, meant.text))
        saved = await desk.call("define", wanted, site=site, author=by.who, place=by.place)
        past = await desk.answer(Preview(saved.name, count_only=True, site=site))
        return JSONResponse({"name": saved.name, "events": past.events, "people": past.people})

    tokens = PreviewTokens(desk.access.clock, desk.access.is_login)

    @router.post("/point/token.json")
    async def make_token(wanted: TokenFor, request: Request) -> Response:
        """A preview token for a page that cuts itself off from the window that opened it."""
        caller, site = caller_of(request), desk.site_of(request).slug
        origin = origin_of(wanted.page)
        text = tokens.make(site, origin, caller.who.login_id if caller.who else None)
        await in_thread(note_token, desk.access, caller.actor("ui"), "preview token made", origin)
        return JSONResponse({"token": text, "origin": origin, "minutes": LASTS // timedelta(minutes=1)})

    @router.post("/point/chosen.json")
    async def chosen(held: HeldToken, request: Request) -> Response:
        """Whether a token was used, and what was chosen in its page."""
        who = caller_of(request).who
        token = tokens.find(held.token, who.login_id if who else None)
        return JSONResponse(
            {"is_used": token.grant is not None, "chosen": asdict(token.chosen) if token.chosen else None}
        )

    add_definer(router, desk, tokens)
