"""A selector for each level of an element chain, for people who point instead of typing CSS.

What a developer put there to be found comes first (test ids), then what names the element to people or to a form (id,
name, label), then classes that look written by hand, and place among siblings where nothing else is left. Every
suggestion surely matches the element that it was made for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from . import refusal
from .answer import Level
from .attribute_sql import UNKNOWN
from .css import ascii_lower, escape_identifier, quote_string

TEST_IDS = (
    "data-testid",
    "data-test-id",
    "data-test",
    "data-qa",
    "data-cy",
    "data-e2e",
    "data-action",
    "data-track",
)
NAMES = ("name", "aria-label", "title", "alt", "placeholder", "href", "action", "for", "type", "role")

MAX_COMPOUNDS = 5
MAX_CLASSES = 3
MAX_VALUE = 60

# Written by a script while people use the page: a click may have happened in any of these states.
_STATE = re.compile(
    r"(is|has|was|not|ng|js)-.*|active|selected|current|open(ed)?|closed?|hover(ed)?|focus(ed|-visible)?|disabled|enabled"
    r"|visible|hidden|shown?|collapsed?|expanded|collapsing|loading|loaded|checked|pressed|dirty|touched|valid|invalid|on|off"
)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class _Own:
    """What can be said of an element by itself. `is_enough` where it needs no ancestor beside it."""

    text: str
    is_enough: bool


def suggestions(chain: Sequence[Level]) -> tuple[str, ...]:
    """One selector for each level of `chain`, which goes from the target outwards."""
    return tuple(_suggestion(chain[place:]) for place in range(len(chain)))


def _suggestion(chain: Sequence[Level]) -> str:
    """A selector for the first of the chain: its own words, or its place inside something that has some."""
    text = ""
    for place, level in enumerate(chain[:MAX_COMPOUNDS]):
        own = _own(level)
        if own.is_enough:
            return own.text + text
        is_last = place + 1 == min(len(chain), MAX_COMPOUNDS) or level.is_shadow_child
        text = own.text + _place(level) + text
        if is_last:
            break
        text = " > " + text
    return text


def _own(level: Level) -> _Own:
    values = {
        name: value
        for name, value in level.attributes.items()
        if refusal.of_attribute(name) is None and _is_plain(name)
    }
    for name in TEST_IDS:
        value = values.get(name)
        if value and _is_whole(value):
            return _Own(_attribute(name, value), is_enough=True)
    if level.dom_id and _is_whole(level.dom_id) and _is_stable(level.dom_id):
        return _Own(f"#{escape_identifier(level.dom_id)}", is_enough=True)
    tag = escape_identifier(level.tag) if _is_plain(level.tag) else "*"
    if tag in ("html", "body"):
        return _Own(tag, is_enough=True)
    for name in NAMES[:-2]:
        value = values.get(name)
        if value and _is_whole(value) and not _is_generated(value):
            return _Own(tag + _attribute(name, value), is_enough=True)
    classes = [each for each in level.classes if _is_stable(each) and not _STATE.fullmatch(each)][
        :MAX_CLASSES
    ]
    if classes:
        return _Own(tag + "".join(f".{escape_identifier(each)}" for each in classes), is_enough=True)
    for name in NAMES[-2:]:
        value = values.get(name)
        if value and _is_whole(value):
            return _Own(tag + _attribute(name, value), is_enough=False)
    return _Own(tag, is_enough=False)


def _place(level: Level) -> str:
    return "" if level.type_count == 1 else f":nth-of-type({level.type_index})"


def _attribute(name: str, value: str) -> str:
    return f"[{escape_identifier(name)}={quote_string(value)}]"


def _is_plain(name: str) -> bool:
    """Whether every document compares the name as it stands."""
    return ascii_lower(name) == name


def _is_whole(value: str) -> bool:
    """Whether the value can be asked for: all of it known, and short enough to be read."""
    return UNKNOWN not in value and len(value) <= MAX_VALUE and value.isprintable()


def _is_stable(name: str) -> bool:
    """Whether an id or class looks chosen by a person: a plain word without the marks of a build or a row number."""
    return bool(_WORD.fullmatch(name)) and not _is_generated(name)


def _is_generated(text: str) -> bool:
    """Whether a part of it looks drawn by lot or counted.

    >>> [_is_generated(each) for each in ("btn-primary", "h2", "css-1q2w3e", "sc-bdVaJa", "row-10482", "siteHeader")]
    [False, False, True, True, True, False]
    """
    return any(_is_drawn(part) for part in re.split(r"[^A-Za-z0-9]+", text))


def _is_drawn(part: str) -> bool:
    digits = sum(each.isdigit() for each in part)
    if digits:
        return digits > 2 or (len(part) >= 5 and not re.fullmatch(r"[A-Za-z]+\d{1,2}", part))
    # "bdVaJa": capitals in the midst of letters that no word has. "siteHeader", "iOSApp" are words.
    return (
        len(part) >= 5 and len(re.findall(r"[a-z](?=[A-Z])", part)) >= 2 and not re.search(r"[a-z]{3}", part)
    )
