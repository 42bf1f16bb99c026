"""What people mean when they point at something inside it: the links, buttons, fields and forms of a chain."""

from __future__ import annotations

from collections.abc import Sequence

from .level import Level

VERBS = {
    "click": "Clicked", "auxclick": "Right- or middle-clicked", "change": "Changed", "submit": "Submitted",
}  # fmt: skip

INTERACTIVE_TAGS = frozenset(
    {"a", "button", "summary", "label", "input", "select", "textarea", "option", "form"}
)
INTERACTIVE_ROLES = frozenset({"button", "link", "tab", "menuitem", "checkbox", "radio", "switch", "option"})


def is_interactive(level: Level) -> bool:
    """Whether people use this element itself."""
    return level.tag.lower() in INTERACTIVE_TAGS or level.attributes.get("role") in INTERACTIVE_ROLES


def level_meant(chain: Sequence[Level]) -> int:
    """The place of the nearest control from the target outwards, else of the target."""
    return next((place for place, level in enumerate(chain) if is_interactive(level)), 0)


def says_its_words(level: Level) -> bool:
    """Whether the label of an event on it or inside it is this element's; a form has the words of all its parts."""
    return is_interactive(level) and level.tag.lower() != "form"
