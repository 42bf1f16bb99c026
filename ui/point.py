"""Pointing at the site instead of writing a selector: the page that opens it, holds the channel to it, and saves.

The definer in the site's page knows no login. It asks this page, this page asks here (`static/point.js`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from expost.collector.masks import Masks
from expost.errors import ExpostError, InvalidInput
from expost.query.answer import Level
from expost.query.form import definition_of
from expost.query.question import Live, Preview
from expost.query.suggestion import suggestions
from expost.state.names import name_key

from .caller import caller_of
from .desk import Desk
from .page import render

OPENER_POLICY = {"Cross-Origin-Opener-Policy": "same-origin-allow-popups"}
"""The window that is opened keeps its opener; nobody who opens this page gets a hold of it all the same."""

ADDRESSES = re.compile(r"href|src|action|data-.*", re.DOTALL)
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})

Word = Annotated[str, Field(max_length=1_000)]
Place = Annotated[int, Field(ge=0, le=10_000_000)]


class SeenLevel(BaseModel):
    """One element of a chain as the browser has it now."""

    model_config = ConfigDict(extra="forbid")

    tag: Word
    dom_id: Word | None
    classes: Annotated[list[Word], Field(max_length=200)]
    attributes: Annotated[dict[Word, Word], Field(max_length=200)]
    index: Place
    count: Place
    type_index: Place
    type_count: Place
    is_shadow_child: bool


class SeenChain(BaseModel):
    """An element and its ancestors, target first."""

    model_config = ConfigDict(extra="forbid")

    chain: Annotated[list[SeenLevel], Field(max_length=200)]


class PointedAt(BaseModel):
    """What somebody pointed at, and what they call it."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["click", "change", "submit"]
    selector: Annotated[str, Field(max_length=10_000)]
    name: Annotated[str, Field(max_length=1_000)]


@dataclass(frozen=True, slots=True)
class PointView:
    """What `point.html` shows. `origin` is where the snippet comes from, and so to whom the definer answers."""

    page: str
    tag: str
    origin: str


def as_captured(chain: Sequence[SeenLevel]) -> tuple[Level, ...]:
    """The chain as the collector would have kept it: a selector must not ask for what is masked in the past."""
    masks = Masks()

    def kept(name: str, value: str) -> str:
        return masks.url(value) if ADDRESSES.fullmatch(name) else masks.text(value)

    return tuple(
        Level(
            distance=distance,
            element_id="",
            descriptor=seen.tag,
            tag=seen.tag,
            dom_id=None if seen.dom_id is None else masks.text(seen.dom_id),
            classes=tuple(each for each in seen.classes if masks.text(each) == each),
            attributes={name: kept(name, value) for name, value in seen.attributes.items()},
            index=seen.index,
            count=seen.count,
            type_index=seen.type_index,
            type_count=seen.type_count,
            is_shadow_child=seen.is_shadow_child,
        )
        for distance, seen in enumerate(chain)
    )


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
        source = re.search(r'\bsrc="([^"]*)"', site.tag)
        parts = urlsplit(source[1] if source else "")
        view = PointView(page, definer_tag(site.tag), f"{parts.scheme}://{parts.netloc}")
        response = render(desk, request, "point.html", view=view)
        response.headers.update(OPENER_POLICY)
        return response

    @router.post("/point/selectors.json")
    async def selectors(seen: SeenChain) -> Response:
        """A selector for each level of a chain."""
        return JSONResponse(list(suggestions(as_captured(seen.chain))))

    @router.post("/point/save.json")
    async def save(meant: PointedAt, request: Request) -> Response:
        """Save what was pointed at under a new name, and give its past."""
        site = desk.site_of(request).slug
        for each in await desk.call("definitions", site=site):
            if name_key(each.name) == name_key(meant.name):
                # The page at the other end is the site's: it may add a name, never change what one means.
                raise InvalidInput(
                    f"A definition is called {each.name!r} already.",
                    hint="Choose another name, or change that one in Expost.",
                )
        by = caller_of(request).actor("ui")
        wanted = definition_of(meant.name.strip(), {meant.kind: [meant.selector]})
        saved = await desk.call("define", wanted, site=site, author=by.who, place=by.place)
        past = await desk.answer(Preview(saved.name, site=site))
        return JSONResponse({"name": saved.name, "events": past.events, "people": past.people})
