"""Paths by walking each session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from .happening import Happening
from .oracle import Oracle, Step

Edge = tuple[int, str | None, str | None]


def paths(
    oracle: Oracle,
    anchor: Step,
    nodes: Sequence[tuple[str, Step]],
    page: Callable[[str], str],
    *,
    is_after: bool,
    steps: int,
    start: int | None,
    end: int | None,
    now: int,
) -> Counter[Edge]:
    """How many sessions took each edge (step, from, to); to None: they ended there."""
    assert oracle.unit_kind == "session"
    found: Counter[Edge] = Counter()
    for events in oracle.people.values():
        ordered = [event for event in (events if is_after else events[::-1]) if event.at <= now]
        places = [
            place
            for place, event in enumerate(ordered)
            if anchor(event) and (start is None or event.at >= start) and (end is None or event.at < end)
        ]
        if not places:
            continue
        source, step = None, 0
        for event in ordered[places[0] + 1 :]:
            name = _name(event, nodes, page)
            if name is None or name == source or step == steps:
                continue
            step += 1
            found[step, source, name] += 1
            source = name
        if step < steps:
            found[step + 1, source, None] += 1
    return found


def _name(event: Happening, nodes: Sequence[tuple[str, Step]], page: Callable[[str], str]) -> str | None:
    for name, matches in nodes:
        if matches(event):
            return name
    return page(event.path or "") if event.type == "page_view" else None
