"""What reports and dashboards have in common on pages: their addresses, their details, their old versions."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from expost.errors import InvalidInput

from .caller import caller_of
from .desk import Desk


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
        wanted: dict[str, object] = {
            field: str(sent[field]).strip() for field in ("owner", "note") if field in sent
        }
        if "tags" in sent:
            wanted["tags"] = [tag.strip() for tag in str(sent["tags"]).split(",") if tag.strip()]
        if "archived" in sent:
            wanted["archived"] = sent["archived"] == "yes"
        by = caller_of(request).actor("ui")
        await desk.call("describe_kept", noun, name, site=site, author=by.who, place=by.place, **wanted)
        return RedirectResponse(f"{thing_path(noun, name)}?site={site}", 303)

    async def roll_back(request: Request) -> Response:
        """A new version that says what an old one said."""
        site, sent = desk.site_of(request).slug, await request.form()
        name, version = str(sent.get("name", "")), str(sent.get("version", ""))
        if not version.isascii() or not version.isdigit() or len(version) > 9:
            raise InvalidInput(f"The version is {version!r}.", hint="Give a whole number.")
        by = caller_of(request).actor("ui")
        said = {"site": site, "author": by.who, "place": by.place}
        await desk.call("roll_back_kept", noun, name, int(version), **said)
        return RedirectResponse(f"{thing_path(noun, name)}?site={site}&saved=1", 303)

    router.add_api_route(f"/{noun}s/details", describe, methods=["POST"])
    router.add_api_route(f"/{noun}s/rollback", roll_back, methods=["POST"])
