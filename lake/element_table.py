"""The elements of one batch by their position, each resolved to its ids when first asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from msgspec import Raw

from .batch import SHADOW_CHILD, Descriptor, Element

if TYPE_CHECKING:
    from .dictionary import Dictionary


class Place(NamedTuple):
    """The two ids of one element of a page. Two events on one place have one placement, and so one element."""

    element_id: int
    placement_id: int


class ElementTable:
    """The elements of one batch by their position, each resolved to its ids when first asked for."""

    __slots__ = ("_descriptor_ids", "_descriptors", "_dictionary", "_places", "elements")

    def __init__(
        self,
        dictionary: Dictionary,
        descriptors: Sequence[Descriptor | Raw],
        elements: Sequence[Element],
    ) -> None:
        self.elements = elements
        self._dictionary = dictionary
        self._descriptors = descriptors
        self._descriptor_ids = dictionary.met_descriptors(descriptors)
        self._places = dictionary.met_places(self._descriptor_ids, elements)

    def place_of(self, position: int) -> Place:
        """The ids of the element at `position`; a position that the batch does not have is an IndexError."""
        found = self._places[position] if position >= 0 else None
        if found is not None:
            return found
        waiting = []
        above: Place | None = None
        while position >= 0:
            above = self._places[position]
            if above is not None:
                break
            waiting.append(position)
            parent = self.elements[position].parent
            if parent >= position:
                raise IndexError(f"Element {position} names {parent} as its parent, which is not before it.")
            position = parent
        for each in reversed(waiting):
            above = self._places[each] = self._dictionary.place(self, each, above)
        if above is None:
            raise IndexError("An element before the first one was asked for.")
        return above

    def find_all(self) -> list[Place] | None:
        """The ids of all elements, if every one of them was met before."""
        return cast("list[Place]", self._places) if all(self._places) else None

    def descriptor_id(self, position: int) -> int:
        """The id of the descriptor at `position`."""
        if position < 0:
            raise IndexError("An element without a descriptor.")
        found = self._descriptor_ids[position]
        if found is None:
            found = self._descriptor_ids[position] = self._dictionary.descriptor(self._descriptors[position])
        return found

    def above(self, position: int) -> tuple[list[Place], int]:
        """The ancestors of an element, nearest first, and how many of them stand in its own tree."""
        ancestors: list[Place] = []
        tree_depth: int | None = None
        while True:
            placed = self.elements[position]
            if placed.flags & SHADOW_CHILD and tree_depth is None:
                tree_depth = len(ancestors)
            if placed.parent < 0:
                return ancestors, len(ancestors) if tree_depth is None else tree_depth
            position = placed.parent
            ancestors.append(self.place_of(position))
