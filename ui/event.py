"""The page of one event: the ancestors of what was clicked, to choose the one that is meant and name it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from expost.errors import ExpostError, InvalidInput
from expost.query.answer import EventAnswer, Level, plain
from expost.query.form import definition_of, form_of
from expost.query.question import EventDetail, Preview

from .captured import web_address
from .desk import Desk, Outcome
from .format import vital_in_words
from .page import render, twin
from .past import Past, past_of

INTERACTIVE_TAGS = frozenset(
    {"a", "button", "summary", "label", "input", "select", "textarea", "option", "form"}
)
INTERACTIVE_ROLES = frozenset({"button", "link", "tab", "menuitem", "checkbox", "radio", "switch", "option"})
BY_SELECTOR = {"click": "Clicks on", "auxclick": "Clicks on", "change": "Changes of", "submit": "Submits of"}
TARGETS = {
    "click": "what was clicked",
    "auxclick": "what was clicked",
    "change": "the field that was changed",
    "submit": "the form that was sent",
    "download": "the link that was followed",
}
VERBS = {"click": "Clicked", "auxclick": "Clicked", "change": "Changed", "submit": "Submitted"}
CALLS = ("custom", "identify", "group", "reset", "exposure")
"""Types of events that the site reports itself."""
FIRST_FIELDS = (
    "event_id",
    "time",
    "type",
    "name",
    "label",
    "text",
    "host",
    "path",
    "title",
    "person_id",
    "user",
    "device",
)


@dataclass(frozen=True, slots=True)
class LevelLink:
    """One step of the breadcrumb."""

    level: Level
    is_chosen: bool
    is_interactive: bool


@dataclass(frozen=True, slots=True)
class EventView:
    """What `event.html` shows: the breadcrumb outside in, the past of the chosen level, and the event's fields."""

    event: Mapping[str, Any]
    heading: str
    levels: tuple[LevelLink, ...]
    chosen: Level | None
    pairs: tuple[tuple[str, str], ...]
    sentence: str
    condition: str
    suggested_name: str
    past: Past | None
    error: ExpostError | None
    fields: tuple[tuple[str, str, str | None], ...]
    absent: tuple[str, ...]

    @property
    def said(self) -> str:
        """The words on what was clicked."""
        return str(self.event.get("label") or self.event.get("text") or "")

    @property
    def narrow_pairs(self) -> list[tuple[str, str]]:
        """The same conditions and these words, where the selector gathers several."""
        is_mixed = self.past is not None and self.past.answer.distinct_texts > 1
        return [*self.pairs, ("text", f"is:{self.said}")] if is_mixed and self.said else []

    @property
    def is_nameable(self) -> bool:
        """Whether events of this type are named by their element."""
        return bool(self.levels)

    @property
    def target(self) -> str:
        """The innermost element, in words that fit the type."""
        return TARGETS.get(self.event["type"], "the element that the event is about")

    @property
    def has_counts(self) -> bool:
        """Whether the levels say how many past events they gather."""
        return any(link.level.events is not None for link in self.levels)


def conditions_of(event: Mapping[str, Any], level: Level | None) -> tuple[tuple[str, str], ...]:
    """The conditions, in the words of `expost.query.form`, that would find events like this one."""
    kind = event["type"]
    if kind in BY_SELECTOR and level is not None and level.selector:
        return (("click" if kind == "auxclick" else kind, level.selector),)
    if kind == "page_view" and event.get("path"):
        return (("view", str(event["path"])),)
    if kind == "custom" and event.get("name"):
        return (("track", str(event["name"])),)
    if kind not in (*BY_SELECTOR, *CALLS, "page_view", "page_leave"):
        return (("on", f"{kind} {level.selector if level and level.selector else ''}".strip()),)
    return ()


def choose(chain: Sequence[Level], distance: str | None) -> Level | None:
    """The level asked for, else the nearest control from the target outwards, else the target."""
    if distance is not None:
        for level in chain:
            if str(level.distance) == distance:
                return level
        raise InvalidInput(
            f"This event's element has no ancestor {distance!r}.", hint=f"Levels are 0 to {len(chain) - 1}."
        )
    return next((level for level in chain if _is_interactive(level)), chain[0] if chain else None)


def event_view(answer: EventAnswer, chosen: Level | None, outcome: Outcome) -> EventView:
    """The event with one level of its chain chosen; `outcome` is the past of that level."""
    event = answer.event
    pairs = conditions_of(event, chosen)
    links = [LevelLink(level, level is chosen, _is_interactive(level)) for level in reversed(answer.chain)]
    fields = _fields(event)
    return EventView(
        event=event,
        heading=_heading(event, answer.chain),
        levels=tuple(links),
        chosen=chosen,
        pairs=pairs,
        sentence={"view": "Page views of", "track": "Custom events called", "on": "Events of the type"}.get(
            pairs[0][0] if pairs else "", BY_SELECTOR.get(event["type"], "")
        ),
        condition=pairs[0][1] if pairs else "",
        suggested_name=suggest_name(event, chosen),
        past=past_of(outcome.answer) if outcome.answer else None,
        error=outcome.error,
        fields=tuple(each for each in fields if each[1]),
        absent=tuple(name for name, value, _ in fields if not value),
    )


def suggest_name(event: Mapping[str, Any], level: Level | None) -> str:
    """A name to begin with, from what is known of the event: `Clicked Buy now`."""
    said = " ".join(str(event.get("label") or event.get("text") or "").split())[:60]
    match event["type"]:
        case "page_view":
            return f"Viewed {event.get('path') or 'page'}"[:200]
        case "custom":
            return str(event.get("name") or "")[:200]
        case kind:
            verb = VERBS.get(kind) or kind.replace("_", " ").capitalize()
    # The label belongs to the control that was clicked, not to the page around it.
    if level is not None and not (_is_interactive(level) or level.distance == 0):
        said = level.dom_id or next(iter(level.classes), level.tag)
    return f"{verb} {said or (level.dom_id or level.tag if level else '')}".strip()


def add_event(router: APIRouter, desk: Desk) -> None:
    """`/events/{id}` and its twins."""

    @router.get("/events/{event_id}.json")
    @router.get("/events/{event_id}.sql")
    async def twins(event_id: str, request: Request) -> Response:
        """The twins."""
        return twin(request, await desk.answer(EventDetail(event_id, site=desk.site_of(request).slug)))

    @router.get("/events/{event_id}")
    async def event(event_id: str, request: Request) -> Response:
        """The page; `?level=N` chooses the ancestor N steps above the target."""
        site = desk.site_of(request).slug
        answer = await desk.answer(EventDetail(event_id, site=site))
        chosen = choose(answer.chain, request.query_params.get("level"))
        pairs = conditions_of(answer.event, chosen)
        outcome = Outcome()
        if pairs:
            outcome = await desk.outcome(lambda: Preview(definition_of("preview", form_of(pairs)), site=site))
        return render(desk, request, "event.html", view=event_view(answer, chosen, outcome))


def _is_interactive(level: Level) -> bool:
    role = level.attributes.get("role")
    return level.tag.lower() in INTERACTIVE_TAGS or role in INTERACTIVE_ROLES


def _heading(event: Mapping[str, Any], chain: Sequence[Level]) -> str:
    said = event.get("label") or event.get("text") or event.get("name") or event.get("title")
    if event["type"] == "exposure":
        said = f"{event.get('flag')} = {event.get('variation')}"
    if event["type"] == "web_vital":
        said = _vital(event) or said
    return str(said or (chain[0].descriptor if chain else event["type"].replace("_", " ")))


def _vital(event: Mapping[str, Any]) -> str:
    told = json.loads(event.get("properties") or "{}")
    metric, value = told.get("metric"), told.get("value")
    return vital_in_words(str(metric), value if isinstance(value, int | float) else None) if metric else ""


def _fields(event: Mapping[str, Any]) -> list[tuple[str, str, str | None]]:
    names = [name for name in FIRST_FIELDS if name in event] + [
        name for name in event if name not in FIRST_FIELDS
    ]
    return [
        (name, _said(event[name]), web_address(event[name]) if name == "referrer" else None) for name in names
    ]


def _said(value: Any) -> str:
    if value is None or value == [] or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return str(plain(value))
    if isinstance(value, int | float):
        return str(value)
    return json.dumps(plain(value), ensure_ascii=False)
