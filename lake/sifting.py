"""Batches made into rows, whatever single events break: those are told from the good ones by halves."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from .batch import Accepted, Event
from .dictionary import Dictionary
from .rejected import Rejected
from .rows import Rows

Batch = tuple[Accepted, Sequence[Event]]
"""A batch and those of its events that are to be stored."""


def rows_of(batches: Sequence[Batch], dictionary: Dictionary) -> tuple[dict[str, pa.Table], list[Rejected]]:
    """The rows of every table, and the events that cannot be made into rows.

    New names wait in the dictionary to be settled, or discarded.
    """
    try:
        return _rows_of_good(batches, dictionary), []
    except Exception:  # noqa: BLE001 - whatever one event breaks, the writer goes on
        dictionary.discard()
        good, rejected = _sift(batches, dictionary)
        return _rows_of_good(good, dictionary), rejected


def _rows_of_good(batches: Sequence[Batch], dictionary: Dictionary) -> dict[str, pa.Table]:
    rows = Rows(dictionary)
    for accepted, events in batches:
        rows.add(accepted, events)
    return rows.tables()


def _sift(batches: Sequence[Batch], dictionary: Dictionary) -> tuple[list[Batch], list[Rejected]]:
    """Good batches and events, and bad ones."""
    try:
        _rows_of_good(batches, dictionary)
    except Exception as problem:  # noqa: BLE001 - as above
        if len(batches) == 1 and len(batches[0][1]) == 1:
            accepted, events = batches[0]
            return [], [Rejected.of_event(accepted, events[0], problem)]
        first, second = _halves(batches)
        good, rejected = _sift(first, dictionary)
        more_good, more_rejected = _sift(second, dictionary)
        return good + more_good, rejected + more_rejected
    finally:
        dictionary.discard()
    return list(batches), []


def _halves(batches: Sequence[Batch]) -> tuple[Sequence[Batch], Sequence[Batch]]:
    if len(batches) > 1:
        return batches[: len(batches) // 2], batches[len(batches) // 2 :]
    accepted, events = batches[0]
    return [(accepted, events[: len(events) // 2])], [(accepted, events[len(events) // 2 :])]
