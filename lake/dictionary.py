"""Ids by content: the same element, device, user or group has the same id in every batch, and is written once.

Hashes are keyed with the folder's secret, so ids of two installations never meet. Three dictionaries hold the elements:

    descriptors   what an element is: tag, id, classes, attributes, state
    elements      it with its ancestors: the chain of descriptors
    placements    an element with its place among its siblings, and the places of its ancestors among theirs

Descriptors stand apart because one toggled class on `<body>` would otherwise repeat the text of every chain below it.
Placements stand apart because a list that grows gives every item a new place, and no new element.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from struct import Struct as Packing
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from expost.ids import keyed_hash

from .batch import (
    CHAIN_CUT,
    ROOT,
    SHADOW_CHILD,
    Accepted,
    Descriptor,
    Element,
    element_bytes,
    element_tables,
    read_descriptor,
)
from .element import Row, content, descriptor_row, element_row, placement_row
from .element_table import ElementTable, Place
from .page_counts import PageCounts
from .runs import Runs

DICTIONARIES = {
    "descriptors": "descriptor_id",
    "elements": "element_id",
    "placements": "placement_id",
    "devices": "device_id",
    "users": "user_id",
    "groups": "group_id",
}
"""The dictionary tables and the column that holds their ids."""

MAX_CACHED = 200_000
"""How many things of a kind are remembered with their ids; a full cache starts again empty."""

MAX_NAMES = 100_000
"""The same of devices, users and groups together. One takes about 300 bytes, and microseconds to be found anew."""

MAX_TABLE_BYTES = 16_000_000
"""How many bytes of element tables are remembered with the ids of all they hold."""

Ids = TypeVar("Ids")

_ELEMENT = Packing("<q?qB")
_PLACEMENT = Packing("<q?q4i")
_FLAGS = SHADOW_CHILD | CHAIN_CUT | ROOT


class Dictionary:
    """Gives ids, and collects the rows of those that the lake does not hold yet.

    New rows wait in `fresh` until `settle` says that they were committed, or `discard` that they were not.
    `known` are the ids in the lake at `began_at`, per table.
    """

    def __init__(
        self,
        secret: bytes,
        known: Mapping[str, Collection[int] | NDArray[np.int64]] | None = None,
        began_at: int = 0,
    ) -> None:
        self._secret = secret
        self._known = {table: Runs() for table in DICTIONARIES}
        for table, ids in (known or {}).items():
            # A dictionary is a set that may hold repeats.
            self._known[table].add(np.unique(_array(ids)))
        self.fresh: dict[str, dict[int, Row]] = {table: {} for table in DICTIONARIES}
        # What is in a cache is known or fresh, so that a hit needs no second look.
        self._descriptors: dict[bytes, int] = {}
        self._elements: dict[Row, int] = {}
        self._places: dict[Row, Place] = {}
        self._named: dict[Row, int] = {}
        self._tables: dict[bytes, list[Place]] = {}
        self._table_bytes = 0
        self.page_counts = PageCounts(began_at)
        self._encode = msgspec.msgpack.Encoder().encode

    def settle(self) -> None:
        """The fresh rows are in the lake."""
        for table, rows in self.fresh.items():
            self._known[table].add(_array(rows))
            rows.clear()
        self.page_counts.settle()

    def discard(self) -> None:
        """The fresh rows were not committed: they are new again when they are met again."""
        for rows in self.fresh.values():
            rows.clear()
        for cache in (self._descriptors, self._elements, self._places, self._named, self._tables):
            cache.clear()
        self._table_bytes = 0
        self.page_counts.discard()

    def device(self, site: str, device: str, is_daily: bool) -> int:
        """The id of a browser, or of what a server calls one."""
        key = ("devices", site, device)
        found = self._named.get(key)
        if found is None:
            found = keyed_hash(self._secret, "device", site, device)
            if self._is_new("devices", found):
                self.fresh["devices"][found] = (found, site, device, is_daily)
            _remember(self._named, key, found, MAX_NAMES)
        return found

    def user(self, site: str, user: str) -> int:
        """The id of what a site calls someone."""
        key = ("users", site, user)
        found = self._named.get(key)
        if found is None:
            found = keyed_hash(self._secret, "user", site, user)
            if self._is_new("users", found):
                self.fresh["users"][found] = (found, site, user)
            _remember(self._named, key, found, MAX_NAMES)
        return found

    def group(self, site: str, group_type: str, group: str) -> int:
        """The id of a group: an account, a team."""
        key = ("groups", site, group_type, group)
        found = self._named.get(key)
        if found is None:
            found = keyed_hash(self._secret, "group", site, group_type, group)
            if self._is_new("groups", found):
                self.fresh["groups"][found] = (found, site, group_type, group)
            _remember(self._named, key, found, MAX_NAMES)
        return found

    def edge(self, site: str, event_id: str) -> int:
        """The id of the identity edge that an event made."""
        return keyed_hash(self._secret, "edge", site, event_id)

    def descriptor(self, described: Descriptor | msgspec.Raw) -> int:
        """The id of what an element is. Of bytes that were met before nothing is read."""
        key = bytes(described) if isinstance(described, msgspec.Raw) else self._encode(described)
        found = self._descriptors.get(key)
        if found is None:
            descriptor = read_descriptor(key) if isinstance(described, msgspec.Raw) else described
            found = keyed_hash(self._secret, "descriptor", self._encode(content(descriptor)))
            if self._is_new("descriptors", found):
                self.fresh["descriptors"][found] = descriptor_row(found, descriptor)
            _remember(self._descriptors, key, found)
        return found

    def places(self, accepted: Accepted) -> Callable[[int], Place]:
        """Gives the ids of each element of a batch by its position, as far as its events need it."""
        # What many visitors do on one page is sent in the same bytes.
        key = element_bytes(accepted)
        if key is None:
            return ElementTable(self, *element_tables(accepted)).place_of
        met = self._tables.get(key)
        if met is None:
            table = ElementTable(self, *element_tables(accepted))
            met = table.find_all()
            if met is None:
                return table.place_of
            self._table_bytes += len(key)
            if self._table_bytes > MAX_TABLE_BYTES:
                self._tables.clear()
                self._table_bytes = len(key)
            self._tables[key] = met
        return met.__getitem__

    def elements(
        self, descriptors: Sequence[Descriptor | msgspec.Raw], elements: Sequence[Element]
    ) -> ElementTable:
        """The element table of one batch, resolved as far as its events need it."""
        return ElementTable(self, descriptors, elements)

    def met_descriptors(self, descriptors: Sequence[Descriptor | msgspec.Raw]) -> list[int | None]:
        """The ids of those that were met before, `None` for the others."""
        if descriptors and all(type(each) is msgspec.Raw for each in descriptors):
            return list(map(self._descriptors.get, map(bytes, descriptors)))  # type: ignore[arg-type]  # as said
        return [None] * len(descriptors)

    def met_places(self, ids: Sequence[int | None], elements: Sequence[Element]) -> list[Place | None]:
        """The ids of the elements of a batch that were met before with all they stand in, `None` for the others.

        `ids` are those of its descriptors. This is the way of nearly all elements, so it is one loop and one look-up.
        """
        find = self._places.get
        # What is named by -1, and is not there, is not met.
        known = [*ids, None]
        found: list[Place | None] = []
        try:
            for placed in elements:
                parent_id = None
                if placed.parent >= 0:
                    parent = found[placed.parent]
                    if parent is None:
                        found.append(None)
                        continue
                    parent_id = parent.placement_id
                previous = placed.previous
                key = (
                    known[placed.descriptor], parent_id, placed.index, placed.count, placed.type_index,
                    placed.type_count, placed.flags & _FLAGS,
                    tuple([known[each] for each in previous]) if previous else (),
                )  # fmt: skip
                found.append(find(key))
        except IndexError:
            # It points nowhere. Whoever asks for it is told.
            found += [None] * (len(elements) - len(found))
        return found

    def place(self, table: ElementTable, position: int, parent: Place | None) -> Place:
        """The ids of the element at `position`: its descriptor, its parent, its place among its siblings."""
        placed = table.elements[position]
        descriptor_id = table.descriptor_id(placed.descriptor)
        previous = (
            tuple([table.descriptor_id(sibling) for sibling in placed.previous]) if placed.previous else ()
        )
        flags = placed.flags & _FLAGS
        key = (
            descriptor_id, parent and parent.placement_id,
            placed.index, placed.count, placed.type_index, placed.type_count, flags, previous,
        )  # fmt: skip
        found = self._places.get(key)
        if found is None:
            element_id = self._element(table, position, descriptor_id, parent and parent.element_id, flags)
            place = _PLACEMENT.pack(
                element_id, parent is not None, 0 if parent is None else parent.placement_id,
                placed.index, placed.count, placed.type_index, placed.type_count,
            )  # fmt: skip
            siblings = b"".join([sibling.to_bytes(8, "little", signed=True) for sibling in previous])
            found = Place(element_id, keyed_hash(self._secret, "placement", place, siblings))
            if self._is_new("placements", found.placement_id):
                above, tree_depth = table.above(position)
                ancestors = [each.placement_id for each in above]
                self.fresh["placements"][found.placement_id] = placement_row(
                    found.placement_id, element_id, descriptor_id, placed, previous, ancestors, tree_depth
                )
            _remember(self._places, key, found)
        return found

    def _element(
        self, table: ElementTable, position: int, descriptor_id: int, parent_id: int | None, flags: int
    ) -> int:
        key = (descriptor_id, parent_id, flags)
        found = self._elements.get(key)
        if found is None:
            # Not "element": that made the ids of a time when an element's place was part of it.
            chain = _ELEMENT.pack(descriptor_id, parent_id is not None, parent_id or 0, flags)
            found = keyed_hash(self._secret, "chain", chain)
            if self._is_new("elements", found):
                above, tree_depth = table.above(position)
                ancestors = [each.element_id for each in above]
                self.fresh["elements"][found] = element_row(
                    found, descriptor_id, flags, ancestors, tree_depth
                )
            _remember(self._elements, key, found)
        return found

    def _is_new(self, table: str, id_: int) -> bool:
        return id_ not in self.fresh[table] and np.int64(id_) not in self._known[table]


def _array(ids: Collection[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    return ids if isinstance(ids, np.ndarray) else np.fromiter(ids, np.int64, len(ids))


def _remember(cache: dict[Any, Ids], key: Hashable, ids: Ids, most: int = MAX_CACHED) -> None:
    if len(cache) >= most:
        cache.clear()
    cache[key] = ids
