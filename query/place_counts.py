"""How many events there were on each element, or on each placement, and how many of them on those of a selector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .row_order import changes

Places = NDArray[np.int64]
"""Elements or placements, each once and in order."""


@dataclass(frozen=True, slots=True)
class PlaceCounts:
    """Events by their type and where they happened: for each type the places, and how many events on each of them."""

    of_types: Mapping[str, tuple[Places, NDArray[np.int64]]]

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return sum(array.nbytes for arrays in self.of_types.values() for array in arrays)

    def events(self, chosen: Mapping[str, Places]) -> int:
        """How many there were on the places that are chosen, for each type of event others."""
        return sum(
            _events(*self.of_types[kind], places) for kind, places in chosen.items() if kind in self.of_types
        )


def place_counts(rows: pa.Table) -> PlaceCounts:
    """The counts of (type, place_id, events): rows of which several may be about one place.

    >>> rows = pa.table({"type": ["click", "click", "submit"], "place_id": [7, 7, 3], "events": [1, 2, 5]})
    >>> place_counts(rows).events({"click": np.array([3, 7, 9])})
    3
    """
    types = rows["type"].combine_chunks().dictionary_encode()
    numbers = types.indices.to_numpy()
    places, events = (rows[name].to_numpy().astype(np.int64) for name in ("place_id", "events"))
    of_types = {}
    for number, kind in enumerate(types.dictionary.to_pylist()):
        chosen = np.flatnonzero(numbers == number)
        of_types[kind] = _summed(places[chosen], events[chosen])
    return PlaceCounts(of_types)


def union(parts: Iterable[Places]) -> Places:
    """The places that are in any of these."""
    ordered = np.sort(np.concatenate(list(parts)))
    return ordered[changes(ordered)]


def _summed(places: NDArray[np.int64], events: NDArray[np.int64]) -> tuple[Places, NDArray[np.int64]]:
    order = np.argsort(places)
    ordered = places[order]
    begins = np.flatnonzero(changes(ordered))
    return ordered[begins], np.add.reduceat(events[order], begins)


def _events(known: Places, events: NDArray[np.int64], places: Places) -> int:
    nearest = np.searchsorted(known[:-1], places)
    return int(events[nearest[known[nearest] == places]].sum())
