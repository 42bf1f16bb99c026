"""What is done with the versions of a definition: compared, rolled back; and what is said beside its meaning."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from expost.query.difference import ChangedEvent, DifferenceAnswer
from expost.query.form_definition import difference_of

from .caller import caller_of
from .desk import Desk, address
from .details import details_sent, version_sent
from .page import render, twin

SIDES = (
    ("only_old", "Only version {old}"),
    ("only_new", "Only version {new}"),
    ("both", "Both"),
    ("unknown", "Unknown: either cannot say"),
)


@dataclass(frozen=True, slots=True)
class SideRow:
    """Events on one side, and the latest of them."""

    title: str
    events: int
    people: int
    samples: tuple[ChangedEvent, ...]


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """What `difference.html` shows."""

    answer: DifferenceAnswer
    sides: tuple[SideRow, ...]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The address of this comparison."""
        return [("name", self.answer.name), ("old", str(self.answer.old)), ("new", str(self.answer.new))]

    @property
    def name_pairs(self) -> list[tuple[str, str]]:
        """The address of the definition."""
        return [("name", self.answer.name)]


def difference_view(answer: DifferenceAnswer) -> DifferenceView:
    """The four sides in words, each with its samples."""
    counted = {each.side: each for each in answer.sides}
    return DifferenceView(
        answer,
        tuple(
            SideRow(
                title.format(old=answer.old, new=answer.new),
                counted[side].events,
                counted[side].people,
                tuple(each for each in answer.samples if each.side == side),
            )
            for side, title in SIDES
        ),
    )


def add_versions(router: APIRouter, desk: Desk) -> None:
    """`/definition/difference` with its twins, and what changes a definition beside saving it."""

    @router.get("/definition/difference")
    async def difference(request: Request) -> Response:
        """Which past events change sides between two versions."""
        answer = await desk.answer(difference_of(desk.form_of(request)))
        return render(desk, request, "difference.html", view=difference_view(answer))

    @router.get("/definition/difference.json")
    @router.get("/definition/difference.sql")
    async def difference_twins(request: Request) -> Response:
        """The same as data or as its SQL."""
        return twin(request, await desk.answer(difference_of(desk.form_of(request))))

    @router.post("/definition/rollback")
    async def roll_back(request: Request) -> Response:
        """A new version that says what an old one said, then the definition."""
        site, sent = desk.site_of(request).slug, await request.form()
        name, version = str(sent.get("name", "")), version_sent(sent)
        by = caller_of(request).actor("ui")
        await desk.call("roll_back", name, version, site=site, author=by.who, place=by.place)
        return RedirectResponse(address("/definition", [("name", name), ("site", site), ("saved", "1")]), 303)

    @router.post("/definition/details")
    async def describe(request: Request) -> Response:
        """Set owner, tags and note, or whether it is archived; then the definition."""
        site, sent = desk.site_of(request).slug, await request.form()
        name = str(sent.get("name", ""))
        wanted = details_sent(sent)
        by = caller_of(request).actor("ui")
        await desk.call("describe", name, site=site, author=by.who, place=by.place, **wanted)
        return RedirectResponse(address("/definition", [("name", name), ("site", site)]), 303)
