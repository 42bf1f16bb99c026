"""The live page: the latest events, polled while it is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from fastapi import APIRouter, Request, Response

from expost.query.event_type import check_type
from expost.query.live import Live, LiveAnswer, LiveEvent

from .desk import Desk
from .format import vital_in_words
from .page import render, twin

MOST_CHOICES = 20
"""Of how many types there is a link; those beyond it are the rarest."""

REFRESH_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Tag:
    """A word that sets an event apart, and why it does."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class LiveRow:
    """One event in words: `what` happened, `where` in the page, whose it was, and what sets it apart."""

    event: LiveEvent
    kind: str
    what: str
    where: str
    address: str
    person: str
    tags: tuple[Tag, ...]


BOT = Tag("bot", "The user agent is one of a bot. Numbers leave bots out unless the site counts them.")
INTERNAL = Tag(
    "internal",
    "A device of your own people, or a page on localhost. Numbers leave it out unless the site counts it.",
)
ELSEWHERE = "Another environment than production. Numbers leave it out unless the site counts it."


@dataclass(frozen=True, slots=True)
class LiveView:
    """What `_live.html` shows. `refresh` is the seconds after which a page without JavaScript loads itself again."""

    rows: tuple[LiveRow, ...]
    total: int
    now: datetime
    types: tuple[str, ...]
    cohorts: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    refresh: int | None = None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The chosen types and cohorts as fields of an address."""
        return [*(("type", kind) for kind in self.types), *self.cohort_pairs]

    @property
    def cohort_pairs(self) -> list[tuple[str, str]]:
        """The cohorts alone."""
        return [("cohort", name) for name in self.cohorts]

    @property
    def refresh_pairs(self) -> list[tuple[str, str]]:
        """The same, switching the refreshing on or off."""
        return self.pairs if self.refresh else [*self.pairs, ("refresh", str(REFRESH_SECONDS))]


def live_view(answer: LiveAnswer, refresh: int | None = None) -> LiveView:
    """The latest events in words."""
    asked = cast(Live, answer.question)
    return LiveView(
        tuple(live_row(event) for event in answer.events),
        answer.total,
        answer.basis.now,
        asked.types,
        tuple(str(getattr(each, "name", each)) for each in asked.cohort),
        choices=tuple(dict.fromkeys([*answer.types[:MOST_CHOICES], *asked.types])),
        refresh=refresh,
    )


def what_happened(event: LiveEvent) -> str:
    """The most telling words kept of an event.

    A control's label first, then the text, the element, the event's own name, the page's title.
    """
    if event.type == "exposure":
        return f"{event.flag} = {event.variation}"
    if event.metric:
        return vital_in_words(event.metric, event.value)
    if event.type in ("page_view", "page_leave"):
        return event.title or event.path or "untitled page"
    element = (event.chain or "").rsplit(" › ", 1)[-1]
    return event.name or event.label or event.text or element or event.type.replace("_", " ")


def add_live(router: APIRouter, desk: Desk) -> None:
    """`/live`, its panel `/live/latest`, and its twins."""

    async def ask(request: Request) -> LiveAnswer:
        types, cohorts = (
            tuple(each for each in request.query_params.getlist(name) if each) for name in ("type", "cohort")
        )
        for kind in types:
            check_type(kind)
        asked = Live(types=types, cohort=cohorts, site=desk.site_of(request).slug)
        return cast(LiveAnswer, await desk.answer(asked))

    @router.get("/live")
    async def live(request: Request) -> Response:
        """The page."""
        refresh = REFRESH_SECONDS if request.query_params.get("refresh") else None
        return render(desk, request, "live.html", view=live_view(await ask(request), refresh))

    @router.get("/live/latest")
    async def latest(request: Request) -> Response:
        """The panel alone."""
        return render(desk, request, "_live.html", view=live_view(await ask(request)))

    @router.get("/live.json")
    @router.get("/live.sql")
    async def twins(request: Request) -> Response:
        """The twins."""
        return twin(request, await ask(request))


def live_row(event: LiveEvent) -> LiveRow:
    """One event in words."""
    kinds = {"page_view": "view", "page_leave": "view", "exposure": "flag", "custom": "named"}
    tags = [tag for tag, is_so in ((BOT, event.is_bot), (INTERNAL, event.is_internal)) if is_so]
    if event.environment != "production":
        tags.append(Tag(event.environment, ELSEWHERE))
    return LiveRow(
        event=event,
        kind=kinds.get(event.type, "act"),
        what=what_happened(event),
        where=event.chain or "",
        address=f"{event.host or ''}{event.path or ''}",
        person=event.who or "nobody",
        tags=tuple(tags),
    )
