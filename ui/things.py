"""What reports and dashboards have in common on pages: their addresses, their details, their old versions."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from .caller import caller_of
from .desk import Desk
from .details import details_sent, version_sent


def thing_path(noun: str, name: str) -> str:
    """The page of one of them.

    >>> thing_path("report", "Check out / EU")
    '/reports/Check%20out%20%2F%20EU'
    """
    return f"/{noun}s/{quote(name, safe='')}"


def add_changes(router: APIRouter, desk: Desk, noun: str) -> None:
    """Details and rollback of one of them; then its page."""

    async def describe(request: Request) -> Response:
        """Set owner, tags and note, or whether it is archived."""
        site, sent = desk.site_of(request).slug, await request.form()
        name = str(sent.get("name", ""))
        wanted = details_sent(sent)
        by = caller_of(request).actor("ui")
        await desk.call("describe_kept", noun, name, site=site, author=by.who, place=by.place, **wanted)
        return RedirectResponse(f"{thing_path(noun, name)}?site={site}", 303)

    async def roll_back(request: Request) -> Response:
        """A new version that says what an old one said."""
        site, sent = desk.site_of(request).slug, await request.form()
        name, version = str(sent.get("name", "")), version_sent(sent)
        by = caller_of(request).actor("ui")
        said = {"site": site, "author": by.who, "place": by.place}
        await desk.call("roll_back_kept", noun, name, version, **said)
        return RedirectResponse(f"{thing_path(noun, name)}?site={site}&saved=1", 303)

    router.add_api_route(f"/{noun}s/details", describe, methods=["POST"])
    router.add_api_route(f"/{noun}s/rollback", roll_back, methods=["POST"])
