"""What is pointed at in a page: an element with what is around it, the selectors for it, and the past of one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from expost.access import Access
from expost.collector.masks import Masks
from expost.query.form_definition import preview_of
from expost.query.level import Level
from expost.query.naming import names_for
from expost.query.suggestion import suggestions
from expost.state.audit import Actor, note

from .desk import Desk

ADDRESSES = re.compile(r"href|src|action|data-.*", re.DOTALL)

Kind = Literal["click", "change", "submit"]
Word = Annotated[str, Field(max_length=1_000)]
Selector = Annotated[str, Field(max_length=10_000)]
Place = Annotated[int, Field(ge=0, le=10_000_000)]


class SeenLevel(BaseModel):
    """One element of a chain as the browser has it now."""

    model_config = ConfigDict(extra="forbid")

    tag: Word
    dom_id: Word | None
    classes: Annotated[list[Word], Field(max_length=200)]
    attributes: Annotated[dict[Word, Word], Field(max_length=200)]
    index: Place
    count: Place
    type_index: Place
    type_count: Place
    is_shadow_child: bool


class Seen(BaseModel):
    """An element that is meant, first of its chain, with the words on it and the heading above it."""

    model_config = ConfigDict(extra="forbid")

    chain: Annotated[list[SeenLevel], Field(min_length=1, max_length=200)]
    kind: Kind
    path: Annotated[str, Field(max_length=2_000)]
    words: Word = ""
    heading: Word = ""


def names_of(seen: Seen) -> tuple[str, ...]:
    """Names to offer for it, the plainest first, of nothing that the collector would mask."""
    masks = Masks()
    words, heading = (text if masks.text(text) == text else "" for text in (seen.words, seen.heading))
    return names_for(seen.kind, as_captured(seen.chain), words, masks.url(seen.path), heading)


def as_captured(chain: Sequence[SeenLevel]) -> tuple[Level, ...]:
    """The chain as the collector would have kept it: a selector must not ask for what is masked in the past."""
    masks = Masks()

    def kept(name: str, value: str) -> str:
        return masks.url(value) if ADDRESSES.fullmatch(name) else masks.text(value)

    return tuple(
        Level(
            distance=distance,
            element_id="",
            descriptor=seen.tag,
            tag=seen.tag,
            dom_id=None if seen.dom_id is None else masks.text(seen.dom_id),
            classes=tuple(each for each in seen.classes if masks.text(each) == each),
            attributes={name: kept(name, value) for name, value in seen.attributes.items()},
            index=seen.index,
            count=seen.count,
            type_index=seen.type_index,
            type_count=seen.type_count,
            is_shadow_child=seen.is_shadow_child,
        )
        for distance, seen in enumerate(chain)
    )


def as_said(text: str) -> str | None:
    """The words on an element as the collector would have kept them; None where there are none, or not all of them."""
    return text if text and Masks().text(text) == text else None


def selectors_of(chain: Sequence[SeenLevel]) -> list[str]:
    """A selector for each level of a chain."""
    return list(suggestions(as_captured(chain)))


def conditions(kind: Kind, selector: str, text: str) -> dict[str, list[str]]:
    """The form of what was pointed at, with the text that is asked for beside it, if one is.

    >>> conditions("click", "button", "Buy: now"), conditions("submit", "form", "")
    ({'click': ['button'], 'text': ['is:Buy: now']}, {'submit': ['form']})
    """
    return {kind: [selector]} | ({"text": [f"is:{text}"]} if text else {})


async def past_of(desk: Desk, site: str, kind: Kind, selector: str, text: str) -> dict[str, Any]:
    """What the definer shows of a candidate's past."""
    past = (await desk.answer(preview_of(conditions(kind, selector, text) | {"site": [site]}))).to_json()
    shown = {name: past[name] for name in ("events", "people", "unknown", "first_seen", "last_seen")}
    return shown | {"days": [day["events"] for day in past["days"]]}


def source_of(tag: str) -> str:
    """The origin that a site's script comes from.

    >>> source_of('<script async src="https://x.example/expost.js" data-key="k"></script>')
    'https://x.example'
    """
    source = re.search(r'\bsrc="([^"]*)"', tag)
    parts = urlsplit(source[1] if source else "")
    return f"{parts.scheme}://{parts.netloc}"


def note_token(access: Access, by: Actor, action: str, origin: str) -> None:
    """A line in the audit about a preview token."""
    with access.state.writing() as connection:
        note(connection, access.clock(), by, action, origin)
