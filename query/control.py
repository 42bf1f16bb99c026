"""What people mean when they point at something inside it: the links, buttons, fields and forms of a chain."""

from __future__ import annotations

from collections.abc import Sequence

from .level import Level

VERBS = {
    "click": "Clicked", "auxclick": "Right- or middle-clicked", "change": "Changed", "submit": "Submitted",
}  # fmt: skip
NAMES = ("aria-label", "title", "alt", "placeholder", "name")
ROLES = {
    "a": "link",
    "input": "field",
    "textarea": "field",
    "select": "list",
    "li": "item",
    "img": "image",
    "tr": "row",
}
MAX_SAID = 60

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


def name_for(kind: str, level: Level, said: str, path: str) -> str:
    """A name to begin with: what was done, the words on it, else what it is and on which page.

    >>> from types import SimpleNamespace
    >>> icon = SimpleNamespace(tag="a", attributes={}, dom_id=None, classes=("cart",))
    >>> name_for("click", icon, "Buy now", "/tea"), name_for("click", icon, "", "/tea")
    ('Clicked Buy now', 'Clicked link cart on /tea')
    """
    verb = VERBS.get(kind) or kind.replace("_", " ").capitalize()
    words = [said, *(level.attributes.get(name) or "" for name in NAMES)]
    told = next((" ".join(each.split()) for each in words if each.strip()), "")
    if told:
        return f"{verb} {told[:MAX_SAID]}"
    role = level.attributes.get("role") or ROLES.get(level.tag, level.tag)
    called = level.dom_id or next(iter(level.classes), "")
    return f"{verb} {role} {called} on {path or '/'}".replace("  ", " ")[:200]
