"""Ranked selectors for what is pointed at in the site's page, which asks through the page that opened it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from expost.query.suggested import Suggestions

from .desk import Desk
from .pointing import SeenLevel, Word, as_captured, as_said


class Chosen(BaseModel):
    """An element that was chosen: its chain, which level of it is meant, on which page."""

    model_config = ConfigDict(extra="forbid")

    chain: Annotated[list[SeenLevel], Field(min_length=1, max_length=200)]
    level: Annotated[int, Field(ge=0, lt=200)]
    kind: Literal["click", "change", "submit"]
    page: Annotated[str, Field(max_length=2_000)]
    text: Word = ""


async def ranked_for(desk: Desk, site: str, chosen: Chosen) -> list[dict[str, Any]]:
    """Selectors for the element, the best first, each with its reason and the text to ask for beside it, if any.

    `used` things of its page did it find in the past, of `of` that were used there at all.
    """
    question = Suggestions(
        chain=as_captured(chosen.chain),
        level=chosen.level,
        kind=chosen.kind,
        page=chosen.page,
        text=as_said(chosen.text),
        limit=5,
        site=site,
    )
    answer = await desk.answer(question)
    return [
        {"selector": each.selector, "text": each.text, "reason": each.reason, "used": each.page_things,
         "of": answer.page_things}
        for each in answer.suggestions
    ]  # fmt: skip


def add_suggestions(router: APIRouter, desk: Desk) -> None:
    """`/point/suggestions.json`."""

    @router.post("/point/suggestions.json")
    async def suggestions(chosen: Chosen, request: Request) -> Response:
        """Selectors for the element, the best first, each with its reason."""
        return JSONResponse(await ranked_for(desk, desk.site_of(request).slug, chosen))
