"""The page on which one person is erased, and the receipts of those who were. For admins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from expost.clock import from_micros
from expost.errors import ExpostError

from .caller import caller_of, require_admin
from .desk import Desk
from .format import moment
from .page import render

KINDS = {"user": "User: what the site calls someone", "device": "Device: the id in a browser"}

WORDS = {
    "identities": ("identity", "identities"),
    "journal": ("event in the journal", "events in the journal"),
    "rejected": ("rejected line", "rejected lines"),
}
"""What rows are called where that is not the name of their table, one of them and many."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One line of the list."""

    id: str
    at: str
    site: str
    kind: str
    status: str
    went: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class EraseView:
    """What `erase.html` shows. `plan` is what would go, once somebody was named; `error` why nobody was found."""

    receipts: Sequence[Receipt]
    kinds: Mapping[str, str]
    kind: str = "user"
    id: str = ""
    plan: str | None = None
    browsers: int = 0
    error: ExpostError | None = None


def in_words(counts: Mapping[str, int]) -> str:
    """Counts of rows as one sentence part.

    >>> in_words({"events": 12, "page_counts": 1, "users": 0, "journal": 12})
    '12 events, 1 page count, 12 events in the journal'
    """
    return (
        ", ".join(f"{count:,} {_noun(name, count)}" for name, count in counts.items() if count) or "nothing"
    )


def _noun(name: str, count: int) -> str:
    many = name.replace("_", " ")
    return WORDS.get(name, (many.removesuffix("s"), many))[count != 1]


def receipt_of(said: Mapping[str, Any], zone: str) -> Receipt:
    """A receipt as the page lists it."""
    at = moment(from_micros(said["requested_at"]), zone)
    return Receipt(
        said["id"], at, said["site"], said["kind"], said["status"], in_words(said["counts"]), said["problem"]
    )


def add_erase(router: APIRouter, desk: Desk) -> None:
    """`/erase`."""

    async def receipts(request: Request) -> list[Receipt]:
        zone = desk.site_of(request).time_zone
        return [receipt_of(each, zone) for each in await desk.call("erasures")]

    @router.get("/erase")
    async def page(request: Request) -> Response:
        """The form, and the receipts."""
        require_admin(request)
        return render(desk, request, "erase.html", view=EraseView(await receipts(request), KINDS))

    @router.post("/erase")
    async def erase(request: Request) -> Response:
        """Say what would go; with `sure`, ask for it. The id is in the body, so that no address and no log has it."""
        require_admin(request)
        sent = await request.form()
        kind, id_ = str(sent.get("kind", "user")), str(sent.get("id", "")).strip()
        site = desk.site_of(request).slug
        named = {"site": site, "device" if kind == "device" else "user": id_}
        try:
            if sent.get("sure"):
                by = caller_of(request).actor("page")
                await desk.call("erase", **named, author=by.who, place=by.place)
                return RedirectResponse(f"/erase?site={site}", 303)
            plan = await desk.call("plan_erasure", **named)
        except ExpostError as error:
            view = EraseView(await receipts(request), KINDS, kind, id_, error=error)
            return render(desk, request, "erase.html", status=error.status, view=view)
        view = EraseView(
            await receipts(request), KINDS, kind, id_, in_words(plan["rows"]), int(plan["browsers"])
        )
        return render(desk, request, "erase.html", view=view)
