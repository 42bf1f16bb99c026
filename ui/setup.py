"""The setup page: the line to paste, and whether events arrive."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from expost.errors import ExpostError
from expost.query.live import Live, LiveAnswer, LiveEvent

from .desk import Desk
from .page import render

CALLS = """expost('track', 'order placed', { total: 49 })
expost('identify', 'user-17', { plan: 'pro' })
expost('exposure', { flag: 'new-checkout', variation: 'treatment' })
expost('set', { theme: 'dark' })
expost('reset')"""


@dataclass(frozen=True, slots=True)
class StatusView:
    """What `_setup_status.html` shows."""

    total: int
    last: LiveEvent | None
    error: ExpostError | None = None


def status_view(answer: LiveAnswer) -> StatusView:
    """How many events there are, and the last one."""
    return StatusView(answer.total if answer.events else 0, answer.events[0] if answer.events else None)


@cache
def loading_stub() -> str:
    """The line that keeps calls and clicks until the script has loaded, as the snippet's build wrote it."""
    return f"<script>{(files('expost.snippet') / 'dist' / 'stub.js').read_text('utf-8').strip()}</script>"


def add_setup(router: APIRouter, desk: Desk) -> None:
    """`/setup`, and its lamp `/setup/status`."""

    async def status(request: Request) -> StatusView:
        outcome = await desk.outcome(lambda: Live(1, site=desk.site_of(request).slug))
        return status_view(outcome.answer) if outcome.answer else StatusView(0, None, outcome.error)

    @router.get("/setup")
    async def setup(request: Request) -> Response:
        """The page."""
        return render(
            desk, request, "setup.html", view=await status(request), stub=loading_stub(), calls=CALLS
        )

    @router.get("/setup/status")
    async def lamp(request: Request) -> Response:
        """The lamp alone."""
        return render(desk, request, "_setup_status.html", view=await status(request))
