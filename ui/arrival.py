"""How far the page came that somebody opened to point at: why no definer answers, in words that say what to do."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from expost.clock import from_micros
from expost.errors import ExpostError
from expost.query.live import Live
from expost.state.keys import keys

from .desk import Desk, in_thread
from .pointing import Word, source_of
from .preview_token import origin_of

LATEST = 100
"""Among so many page views of a site the one of the opened page is looked for."""
MOST_SITES = 20
ELSEWHERE = timedelta(seconds=30)
"""For so long after a page was opened the other sites are asked whether its events are there."""
CACHED = timedelta(hours=1)
"""For so long a browser uses the script without asking for it (`collector/script.py`)."""

Kind = Literal[
    "other site",
    "cut off",
    "no definer",
    "unknown key",
    "origin refused",
    "silent",
    "perhaps silent",
    "no tag",
]


class Opened(BaseModel):
    """The page that was opened so many seconds ago, and whether its window is lost to the one that opened it."""

    model_config = ConfigDict(extra="forbid")

    page: Word
    seconds: Annotated[float, Field(ge=0, le=86_400)]
    is_closed: bool = False


class SeenKey(BaseModel):
    """The key that a page's tag says."""

    model_config = ConfigDict(extra="forbid")

    key: Word


@dataclass(frozen=True, slots=True)
class Signs:
    """What came of a page since it was opened: its events here, by name the other sites that got some, and the rest.

    `is_near` is whether other pages of its origin sent events here. `lately` is what the origin was seen with while its
    script may be in a browser's cache.
    """

    origin: str
    is_here: bool
    is_near: bool
    elsewhere: tuple[str, ...]
    seen: AbstractSet[str]
    lately: AbstractSet[str]
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why no definer answers, and what to do about it; whether the line to paste is what is missing."""

    kind: Kind
    message: str
    hint: str
    needs_tag: bool = False


UNKNOWN_KEY = Diagnosis(
    "unknown key",
    "The page carries a tag with a key that opens no site.",
    "Put the line below in its place.",
    needs_tag=True,
)


def diagnosis(signs: Signs, source: str, site: str) -> Diagnosis:
    """What the signs mean; `source` is the origin that the script comes from, `site` what the site is called."""
    if signs.is_here:
        return _cut_off() if signs.is_closed else _no_definer(source)
    if signs.elsewhere:
        return _other_site(signs.elsewhere, site)
    if "unknown key" in signs.seen:
        # Of whoever sent it only the origin is known.
        said = f"A page of {signs.origin}, most likely this one, carries a tag with a key that opens no site."
        return replace(UNKNOWN_KEY, message=said)
    if "origin refused" in signs.seen:
        return Diagnosis(
            "origin refused",
            f"Pages of {signs.origin}, most likely this one, carry the tag, and may not send to “{site}”.",
            "Allow them, beside those there are: expost sites change SITE --origin ORIGIN",
        )
    if "script" in signs.lately or signs.is_near:
        return _silent(signs, source)
    return Diagnosis(
        "no tag",
        "Nothing came from this page: most likely it carries no Expost tag.",
        "Paste the line below into its <head>. If it is there, the page's Content-Security-Policy keeps the script out "
        f"(script-src and connect-src have to allow {source}), or a blocker does. If the address leads on to another, "
        "give that one.",
        needs_tag=True,
    )


async def other_key(
    desk: Desk, key: str, site: str, name: str, *, says_whose: bool = True
) -> Diagnosis | None:
    """What is wrong with the key on a page's tag, if it is not one of the site `site`, which is called `name`.

    Whoever knows of that site alone is not told whose key it is.
    """
    found = [each for each in await in_thread(keys, desk.access.state, None, "write") if each.text == key]
    if not any(each.is_active for each in found):
        return UNKNOWN_KEY
    if found[0].site == site:
        return None
    names = tuple(each.name for each in desk.sites() if says_whose and each.slug == found[0].site)
    return _other_site(names, name)


def page_path(path: str | None) -> str:
    """A path of a page as two ways to write it are compared.

    >>> page_path(""), page_path("/tea/"), page_path("/gr%C3%BCn tee")
    ('/', '/tea', '/grün tee')
    """
    return unquote(path or "").rstrip("/") or "/"


def _other_site(names: tuple[str, ...], site: str) -> Diagnosis:
    where = f"go to {_listed(names)} and not to" if names else "do not go to"
    return Diagnosis(
        "other site",
        f"The page carries the key of another site: its events {where} “{site}”.",
        "Choose that site at the top, or put the line below in the place of its tag.",
        needs_tag=True,
    )


def _cut_off() -> Diagnosis:
    return Diagnosis(
        "cut off",
        "The page carries the tag and sends its events, but it cut itself off from this window, as the header "
        "Cross-Origin-Opener-Policy: same-origin has it; or its window was closed.",
        "Point at it with a token.",
    )


def _no_definer(source: str) -> Diagnosis:
    return Diagnosis(
        "no definer",
        "The page carries the tag and sends its events, but the definer did not come.",
        'The tag has to say data-also="definer", as the line below does. If it does, the Content-Security-Policy '
        f"of the page keeps the second file out: script-src has to allow {source}.",
        needs_tag=True,
    )


def _silent(signs: Signs, source: str) -> Diagnosis:
    why = (
        f"Its Content-Security-Policy may keep events in (connect-src has to allow {source}), data-consent may be off, "
        "or this browser asks not to be tracked."
    )
    if "script" in signs.seen and not signs.is_near:
        said = (
            f"A page of {signs.origin}, most likely this one, loads the script, and no event of it arrives."
        )
        return Diagnosis("silent", said, why)
    others = "send events" if signs.is_near else "load the script, or this one had it already"
    return Diagnosis(
        "perhaps silent",
        f"No event of this page arrives. Other pages of {signs.origin} {others}.",
        f"If this page carries the tag: {why[0].lower()}{why[1:]} If it does not, paste the line below. If its address "
        "leads on to another, give that one.",
        needs_tag=True,
    )


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(f"“{each}”" for each in names)


def add_arrival(router: APIRouter, desk: Desk) -> None:
    """`/point/arrival.json` and `/point/key.json`."""

    async def paths_seen(site: str, host: str, since: datetime) -> set[str]:
        """The pages of a host that sent something to a site."""
        try:
            views = (await desk.answer(Live(LATEST, ("page_view",), site=site))).events
        except ExpostError:
            # Of no use to whoever waits: the page says what is known without it.
            return set()
        return {page_path(each.path) for each in views if each.host == host and each.received_at >= since}

    async def first_with(path: str, host: str, since: datetime, but: str) -> tuple[str, ...]:
        """The first other site that got something of this page."""
        for each in [each for each in desk.sites() if each.slug != but][:MOST_SITES]:
            if path in await paths_seen(each.slug, host, since):
                return (each.name,)
        return ()

    @router.post("/point/arrival.json")
    async def arrival(opened: Opened, request: Request) -> Response:
        """Why the page that was opened does not answer."""
        site, now = desk.site_of(request), desk.access.clock()
        opened_at = now - int(opened.seconds * 1_000_000)
        origin, since = origin_of(opened.page), from_micros(opened_at)
        host, path = urlsplit(origin).netloc, page_path(urlsplit(opened.page).path)
        paths = await paths_seen(site.slug, host, since)
        seen = desk.sightings.since(origin, opened_at)
        # Each site is a question, and an event that is not here by then is found by the key that the definer says.
        is_asked = not (paths or seen - {"script"}) and opened.seconds <= ELSEWHERE.total_seconds()
        signs = Signs(
            origin=origin,
            is_here=path in paths,
            is_near=bool(paths),
            elsewhere=await first_with(path, host, since, site.slug) if is_asked else (),
            seen=seen,
            lately=desk.sightings.since(origin, now - CACHED // timedelta(microseconds=1)),
            is_closed=opened.is_closed,
        )
        return JSONResponse(asdict(diagnosis(signs, source_of(site.tag), site.name)))

    @router.post("/point/key.json")
    async def key(seen: SeenKey, request: Request) -> Response:
        """What is wrong with the key of the page that answered, or nothing."""
        site = desk.site_of(request)
        found = await other_key(desk, seen.key, site.slug, site.name)
        return JSONResponse({"wrong": found and asdict(found)})
