"""Places: events point to elements, elements to their parents and descriptors. What points nowhere is found here."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from expost.lake.batch import CHAIN_CUT, Element, Event

MAX_CHAIN = 256
"""No real page is deeper. The ancestors of a longer chain are cut off, with a mark, so that a selector that needs them
answers "unknown": the lake keeps a list of ancestors with every element."""


def are_sound(elements: Sequence[Element], descriptors: int) -> bool:
    """Whether every element points to an earlier parent and to one of so many descriptors, and none stands deep."""
    if len(elements) > MAX_CHAIN:
        return False
    place = 0
    for element in elements:
        if element.parent >= place or element.descriptor >= descriptors:
            return False
        previous = element.previous
        # Few have any, and a loop over none costs as much as all the rest.
        if previous:
            for each in previous:
                if each >= descriptors:
                    return False
        place += 1  # noqa: SIM113 (`enumerate` makes a tuple and an int for each of the many)
    return True


def mended(
    elements: Sequence[Element | None], descriptors: Sequence[Raw | None], events: Sequence[Event]
) -> tuple[list[Element], list[Raw], list[Event], list[Event]]:
    """The tables without what points nowhere, events that point into them, and events whose target is gone."""
    new_descriptor = _renumbered([descriptor is not None for descriptor in descriptors])
    new_element: dict[int, int] = {-1: -1}
    depths: dict[int, int] = {-1: 0}
    kept: list[Element] = []
    for place, element in enumerate(elements):
        if element is None or element.parent >= place or element.parent not in new_element:
            continue
        if not all(each in new_descriptor for each in (element.descriptor, *element.previous)):
            continue
        is_cut = depths[element.parent] >= MAX_CHAIN
        depths[place] = 1 if is_cut else depths[element.parent] + 1
        new_element[place] = len(kept)
        kept.append(
            msgspec.structs.replace(
                element,
                descriptor=new_descriptor[element.descriptor],
                parent=-1 if is_cut else new_element[element.parent],
                previous=[new_descriptor[each] for each in element.previous],
                flags=element.flags | CHAIN_CUT if is_cut else element.flags,
            )
        )
    pointing = [
        msgspec.structs.replace(event, el=new_element[event.el])
        for event in events
        if event.el in new_element
    ]
    lost = [event for event in events if event.el not in new_element]
    return kept, [descriptor for descriptor in descriptors if descriptor is not None], pointing, lost


def _renumbered(is_kept: Sequence[bool]) -> dict[int, int]:
    places = [place for place, keep in enumerate(is_kept) if keep]
    return {old: new for new, old in enumerate(places)}
