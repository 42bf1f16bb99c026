"""Why a part of CSS is refused: one sentence for each, and what to write instead."""

from __future__ import annotations

from typing import NamedTuple

from .css import ascii_lower
from .state_sql import STATES

MAX_CHARACTERS = 4_000
MAX_CONDITIONS = 200
MAX_NESTING = 8
MAX_STEP = 1_000_000
"""Browsers clamp larger numbers, each at its own place."""


class Refusal(NamedTuple):
    """Why, and what to do instead."""

    reason: str
    hint: str


MOMENTARY = Refusal(
    "where the pointer or the focus was is not part of what is captured of an element.",
    "Leave it out: a click is already a fact about its element.",
)
VISITED = Refusal("which links were visited is never captured.", "a[href] is every link.")
FORM = Refusal(
    "this state of a form field is never captured.", "Ask for an attribute such as [required] or [type]."
)
INSIDE = Refusal(
    "an element is captured with its ancestors, not with what is inside it.",
    "Describe the element itself or its ancestors.",
)
LANGUAGE = Refusal(
    "inherited language and direction are not captured.", "Ask for the attribute: [lang|=en], [dir=rtl]."
)
SCOPE = Refusal("it means a place that a selector over the past does not have.", "Name the element itself.")
SHADOW = Refusal(
    "hosts and slots cannot be selected from inside a shadow tree.",
    "Give the definition `pierce`, so that a descendant or child may be inside a shadow tree.",
)
MEDIA = Refusal(
    "what a media element or the window was doing is never captured.",
    "Leave it out; events of it may be captured: on 'play video'.",
)
PART = Refusal(
    "a pseudo-element is no element, so nothing can be clicked in it.",
    "Select the element that it belongs to.",
)
RANGE = Refusal("`u+` and what follows reads as a range of characters.", "Put spaces around it: u + b.")
COLUMN = Refusal("no browser has the column combinator.", "Ask for the cell itself: td:nth-child(2).")
NAMESPACE = Refusal(
    "namespaces cannot be declared in a selector that stands alone.",
    "Leave the prefix out: `svg` finds every svg.",
)
NEVER_CAPTURED = Refusal(
    "this attribute is never captured, not even by name, because it can hold what people typed or code.",
    "Choose another attribute, a class or the text.",
)
NAMESPACED = Refusal(
    "in SVG this attribute belongs to a namespace, and its name alone does not tell.",
    "Choose another attribute, a class or an id.",
)
OF_SELECTOR = Refusal(
    "counting only the siblings that match a selector needs all siblings, and not all are captured.",
    "Use :nth-of-type() or leave `of …` out.",
)
TOO_LONG = Refusal(
    f"a selector has at most {MAX_CHARACTERS:,} characters.",
    "Give the definition several selectors: each is an alternative.",
)
TOO_DEEP = Refusal(
    f"selectors may be nested {MAX_NESTING} deep.", "Write an inner list of selectors out beside the others."
)
TOO_MANY = Refusal(
    f"a selector has at most {MAX_CONDITIONS} conditions.",
    "Give the definition several selectors: each is an alternative.",
)
NO_SELECTOR = Refusal("a selector is missing beside this.", "For example: button.buy, a.buy or form > button")
NAME_FIRST = Refusal("an element's name stands first, and there is one at most.", "For example: button.buy")
NO_CLASS = Refusal("the name of a class must follow the dot.", "For example: .buy")
NO_MEANING = Refusal("this has no meaning in a selector.", "For example: form.signup > button[type=submit]")
NO_ATTRIBUTE = Refusal("the name of an attribute is missing.", "For example: [type=submit]")
NO_VALUE = Refusal("a value is missing after this.", "For example: [type=submit]")
ONE_FLAG = Refusal("only one of the flags i and s may follow a value.", 'As in [name="a b" i].')
NO_PSEUDO_CLASS = Refusal("the name of a pseudo-class must follow the colon.", "For example: :first-child")
NO_ARGUMENT = Refusal("it takes no argument.", "Leave the brackets out.")
TOO_FAR = Refusal(f"positions are compared up to {MAX_STEP:,}.", "Write a smaller number.")
EMPTY = Refusal("it is empty.", "For example: form.signup button")
EMPTY_LIST = Refusal(
    "the list of selectors is empty.", "Browsers drop it without a word; here it would match nothing."
)
ALIAS = Refusal("this is an old name.", "Write :is() instead.")
NESTING = Refusal("`&` stands for a rule around it, and there is none.", "Name the element itself.")

_NAMES: tuple[tuple[Refusal, str], ...] = (
    (MOMENTARY, "hover active focus focus-visible focus-within target target-within target-current interest-source"),
    (VISITED, "link visited any-link local-link"),
    (FORM, "valid invalid user-valid user-invalid in-range out-of-range indeterminate default placeholder-shown "
           "autofill blank"),
    (INSIDE, "has empty contains"),
    (LANGUAGE, "lang dir"),
    (SCOPE, "scope current past future"),
    (SHADOW, "host host-context slotted has-slotted state defined"),
    (MEDIA, "playing paused muted seeking buffering stalled volume-locked fullscreen modal popover-open "
            "picture-in-picture"),
    (PART, "before after first-line first-letter"),
    (ALIAS, "matches any -webkit-any -moz-any"),
)  # fmt: skip
_BY_NAME = {name: refusal for refusal, names in _NAMES for name in names.split()}

SUPPORTED = (
    "not", "is", "where", "nth-child", "nth-last-child", "nth-of-type", "nth-last-of-type", "first-child",
    "last-child", "only-child", "first-of-type", "last-of-type", "only-of-type", "root", *STATES,
)  # fmt: skip


def of_pseudo_class(name: str) -> Refusal:
    """Why `:name` is refused."""
    known = _BY_NAME.get(ascii_lower(name))
    if known:
        return known
    return Refusal(
        "no such pseudo-class is known here.", f"Known: {', '.join(f':{each}' for each in SUPPORTED)}."
    )


def of_attribute(name: str) -> Refusal | None:
    """Why `[name]` is refused; None where capture keeps it."""
    lowered = ascii_lower(name)
    if lowered in ("value", "style", "srcdoc", "nonce") or lowered.startswith("on"):
        return NEVER_CAPTURED
    # A browser's [xlink\\:href] finds none of those that the parser of HTML made, only those that a script named so.
    return NAMESPACED if lowered == "xmlns" or lowered.startswith(("xmlns:", "xlink:", "xml:")) else None
