"""The page of one event: the ancestors of what was clicked, to choose the one that is meant and name it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from expost.errors import ExpostError, InvalidInput
from expost.query.answer import plain
from expost.query.control import is_interactive, level_meant
from expost.query.event_detail import EventAnswer, EventDetail
from expost.query.form import form_of
from expost.query.form_definition import definition_of
from expost.query.level import Level
from expost.query.naming import free_name, names_for
from expost.query.preview import Preview
from expost.query.suggested import Suggestion, Suggestions, SuggestionsAnswer
from expost.state.names import MAX_NAME

from .captured import web_address
from .desk import Desk, Outcome
from .format import vital_in_words
from .page import render, twin
from .past import Past, past_of
from .taken import taken_keys

BY_SELECTOR = {"click": "Clicks on", "change": "Changes of", "submit": "Submits of"}
TARGETS = {
    "click": "what was clicked",
    "auxclick": "what was clicked",
    "change": "the field that was changed",
    "submit": "the form that was sent",
    "download": "the link that was followed",
}
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
    suggested: SuggestionsAnswer | None
    picked: int
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
        has_text = any(name == "text" for name, _ in self.pairs)
        is_mixed = self.past is not None and self.past.answer.distinct_texts > 1 and not has_text
        return [*self.pairs, ("text", f"is:{self.said}")] if is_mixed and self.said else []

    @property
    def asked_text(self) -> str:
        """The text that is asked for beside the selector."""
        return next((value.removeprefix("is:") for name, value in self.pairs if name == "text"), "")

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


def conditions_of(
    event: Mapping[str, Any], level: Level | None, suggestion: Suggestion | None = None
) -> tuple[tuple[str, str], ...]:
    """The conditions, in the words of `expost.query.form`, that would find events like this one."""
    kind = event["type"]
    selector = suggestion.selector if suggestion else level.selector if level else None
    text = (("text", f"is:{suggestion.text}"),) if suggestion and suggestion.text else ()
    if kind in BY_SELECTOR and selector:
        return ((kind, selector), *text)
    if kind == "page_view" and event.get("path"):
        return (("view", str(event["path"])),)
    if kind == "custom" and event.get("name"):
        return (("track", str(event["name"])),)
    if kind not in (*BY_SELECTOR, *CALLS, "page_view", "page_leave"):
        return (("on", f"{kind} {selector or ''}".strip()), *(text if selector else ()))
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
    return chain[level_meant(chain)] if chain else None


def pick(suggested: SuggestionsAnswer | None, wanted: str | None) -> int:
    """The place of the suggestion that is asked for, else of the first."""
    count = len(suggested.suggestions) if suggested else 0
    if wanted is None:
        return 0
    if wanted.isascii() and wanted.isdecimal() and int(wanted) < count:
        return int(wanted)
    raise InvalidInput(
        f"There is no suggestion {wanted!r}.", hint=f"Suggestions are 0 to {max(0, count - 1)}."
    )


def event_view(
    answer: EventAnswer,
    chosen: Level | None,
    outcome: Outcome,
    suggested: SuggestionsAnswer | None = None,
    picked: int = 0,
    taken: Collection[str] = (),
) -> EventView:
    """The event with one level of its chain chosen, and one suggestion for it; `outcome` is the past of that one.

    No name is offered that is one of those that are `taken`.
    """
    event = answer.event
    above = answer.chain[answer.chain.index(chosen) :] if chosen else ()
    pairs = conditions_of(event, chosen, suggested.suggestions[picked] if suggested else None)
    links = [LevelLink(level, level is chosen, is_interactive(level)) for level in reversed(answer.chain)]
    fields = _fields(event)
    return EventView(
        event=event,
        heading=_heading(event, answer.chain),
        levels=tuple(links),
        chosen=chosen,
        suggested=suggested,
        picked=picked,
        pairs=pairs,
        sentence=_sentence(pairs, event["type"]),
        condition=pairs[0][1] if pairs else "",
        suggested_name=free_name(names_of(event, above), taken),
        past=past_of(outcome.answer) if outcome.answer else None,
        error=outcome.error,
        fields=tuple(each for each in fields if each[1]),
        absent=tuple(name for name, value, _ in fields if not value),
    )


def names_of(event: Mapping[str, Any], chain: Sequence[Level]) -> tuple[str, ...]:
    """Names to begin with, from what is known of the event, the plainest first: `Clicked Buy now`.

    `chain` begins with the level that is meant.
    """
    path = str(event.get("path") or "")
    match event["type"]:
        case "page_view":
            return (f"Viewed {path or 'page'}"[:MAX_NAME],)
        case "custom":
            return (str(event.get("name") or "")[:MAX_NAME],)
        case kind if not chain:
            return (kind.replace("_", " ").capitalize(),)
    # The label belongs to the control that was clicked, not to the page around it.
    has_words = is_interactive(chain[0]) or chain[0].distance == 0
    said = str(event.get("label") or event.get("text") or "") if has_words else ""
    return names_for(kind, chain, said, path)


def add_event(router: APIRouter, desk: Desk) -> None:
    """`/events/{id}` and its twins."""

    @router.get("/events/{event_id}.json")
    @router.get("/events/{event_id}.sql")
    async def twins(event_id: str, request: Request) -> Response:
        """The twins."""
        return twin(request, await desk.answer(EventDetail(event_id, site=desk.site_of(request).slug)))

    @router.get("/events/{event_id}")
    async def event(event_id: str, request: Request) -> Response:
        """The page; `?level=N` chooses the ancestor N steps above the target, `?suggestion=N` a selector for it."""
        site = desk.site_of(request).slug
        answer = await desk.answer(EventDetail(event_id, site=site))
        chosen = choose(answer.chain, request.query_params.get("level"))
        suggested = None
        if chosen is not None:
            suggested = await desk.answer(Suggestions(event_id=event_id, level=chosen.distance, site=site))
        picked = pick(suggested, request.query_params.get("suggestion"))
        pairs = conditions_of(answer.event, chosen, suggested.suggestions[picked] if suggested else None)
        outcome = Outcome()
        if pairs:
            outcome = await desk.outcome(lambda: Preview(definition_of("preview", form_of(pairs)), site=site))
        taken = await taken_keys(desk, site)
        view = event_view(answer, chosen, outcome, suggested, picked, taken)
        return render(desk, request, "event.html", view=view)


def _sentence(pairs: Sequence[tuple[str, str]], kind: str) -> str:
    said = {"view": "Page views of", "track": "Custom events called", "on": "Events of the type"}
    return said.get(pairs[0][0] if pairs else "", BY_SELECTOR.get(kind, ""))


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
