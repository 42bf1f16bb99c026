"""The page of what could not be stored: why, how often, and what it was. For admins only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from expost.query.form_seen import rejected_of
from expost.query.rejected import RejectedAnswer, RejectedLine, RejectedList

from .caller import require_admin
from .desk import Desk
from .format import number, plural
from .page import render, twin

LISTED = 50
SHOWN_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One line as the page shows it."""

    line: RejectedLine
    content: str
    is_cut: bool


@dataclass(frozen=True, slots=True)
class RejectedView:
    """What `_rejected.html` shows. `limited` says who was asked to come back since the server started."""

    answer: RejectedAnswer
    chosen: str | None
    rows: tuple[RejectedRow, ...]
    limited: tuple[str, ...]


def rejected_view(answer: RejectedAnswer, limited: Mapping[str, int]) -> RejectedView:
    """The answer in rows, and the limits in words."""
    assert isinstance(answer.question, RejectedList)
    rows = tuple(
        RejectedRow(line, line.content[:SHOWN_CHARACTERS], len(line.content) > SHOWN_CHARACTERS)
        for line in answer.lines
    )
    words = {
        "device": "a device that sent",
        "address": "an address that sent",
        "key": "a key with which came",
    }
    said = tuple(
        f"{number(limited[holder])} {plural(limited[holder], 'batch', 'batches')} of {words[holder]} too much"
        for holder in words
        if limited.get(holder)
    )
    return RejectedView(answer, answer.question.kind, rows, said)


def add_rejected(router: APIRouter, desk: Desk) -> None:
    """`/rejected` and its twins."""

    @router.get("/rejected")
    async def rejected(request: Request) -> Response:
        """The page."""
        require_admin(request)
        form = {**desk.form_of(request), "limit": [str(LISTED)]}
        answer = await desk.answer(rejected_of(form))
        return render(desk, request, "rejected.html", view=rejected_view(answer, desk.limited()))

    @router.get("/rejected.json")
    @router.get("/rejected.sql")
    async def twins(request: Request) -> Response:
        """The twins."""
        require_admin(request)
        return twin(request, await desk.answer(rejected_of(desk.form_of(request))))
