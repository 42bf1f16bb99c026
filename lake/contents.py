"""What the latest events said, to tell whether one that is sent again says something else."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray

from .batch import Event
from .seen import Hashes

SLOTS = 1 << 19
"""Of so many events it is known at most what they said, in 6 MB."""

_encode = msgspec.msgpack.Encoder(order="sorted").encode


class Contents:
    """Checksums of what events said, by the hashes of their ids: of the latest half a million or so.

    It is told only of those that this knows: who looked up what the lake holds would read all ids of seven days for a
    few repeats, and the journal's day does not have what is older.
    """

    def __init__(self, slots: int = SLOTS) -> None:
        self._hashes: Hashes = np.zeros(slots, np.uint64)
        self._said: NDArray[np.uint32] = np.zeros(slots, np.uint32)

    def keep(self, hashes: Hashes, said: NDArray[np.uint32]) -> None:
        """Remember what these events said. Each takes the place of an older one."""
        slots = self._slots(hashes)
        self._hashes[slots] = hashes
        self._said[slots] = said

    def count_others(self, hashes: Hashes, said: NDArray[np.uint32]) -> int:
        """How many of these say something else than what is remembered of them."""
        slots = self._slots(hashes)
        return int(((self._hashes[slots] == hashes) & (self._said[slots] != said)).sum())

    def _slots(self, hashes: Hashes) -> NDArray[np.intp]:
        return (hashes % np.uint64(len(self._hashes))).astype(np.intp)


def checksums(events: Sequence[Event]) -> NDArray[np.uint32]:
    """A checksum of what each event says by itself.

    Its id is not part of it. Nor is where it points into the tables of its batch (`view`, `el`, `set`): it may be sent
    again in a batch of other ones.
    """
    try:
        return np.fromiter((crc32(_encode(_said_by(event))) for event in events), np.uint32, len(events))
    except Exception:  # noqa: BLE001 - whatever one event breaks, the writer goes on
        return np.fromiter(map(_checksum_or_none, events), np.uint32, len(events))


def _checksum_or_none(event: Event) -> int:
    try:
        return crc32(_encode(_said_by(event)))
    except Exception:  # noqa: BLE001 - as above
        return 0


def _said_by(event: Event) -> tuple[object, ...]:
    return (
        event.type, event.name, event.t, event.time, event.seq, event.text, event.label, event.x, event.y,
        event.user, event.group_type, event.group, event.traits, event.properties, event.flag, event.variation,
        event.flag_version, event.rule, event.marks, event.trusted,
    )  # fmt: skip
