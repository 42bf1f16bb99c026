"""One element of a chain, as answers show it and suggestions read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """One element of a chain, target (distance 0) first. `descriptor` reads like `button#buy.btn.primary`.

    `is_match` marks the subject: the element that the definition's selector matched. `selector`, where given, is one
    that would find this element again, and `events` how many past events it matches.
    """

    distance: int
    element_id: str
    descriptor: str
    tag: str
    dom_id: str | None
    classes: tuple[str, ...]
    attributes: Mapping[str, str | None]
    index: int
    count: int
    type_index: int
    type_count: int
    is_shadow_child: bool
    is_match: bool = False
    selector: str | None = None
    events: int | None = None
