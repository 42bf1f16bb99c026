"""What browsers say of their pages that were left: a row when it is new, because every batch says it again.

A batch carries the last numbers of the latest pages of its browser. A page that came back is open again, and missing
there from then on, so that its absence is a row as well.
"""

from __future__ import annotations

import msgspec

from .batch import Counts
from .element import Row

WINDOW = 16
"""So many of its latest pages a browser remembers. Of those before nothing is said, so their absence means nothing."""

MAX_DEVICES = 50_000
"""Of how many browsers the last word is remembered; then all is forgotten, and rows repeat."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Counts).decode

Said = tuple[int, bytes]
"""When a browser last spoke, and what it said."""


class PageCounts:
    """Remembers the last word of each browser, and finds what of the next one is new.

    What is new waits until `settle` says that it was committed, or `discard` that it was not.
    """

    def __init__(self) -> None:
        self._settled: dict[int, Said] = {}
        self._fresh: dict[int, Said] = {}

    def settle(self) -> None:
        """The rows are in the lake."""
        if len(self._settled) + len(self._fresh) > MAX_DEVICES:
            self._settled.clear()
        self._settled |= self._fresh
        self._fresh.clear()

    def discard(self) -> None:
        """The rows were not committed."""
        self._fresh.clear()

    def rows(self, site: str, device_id: int, told_at: int, page_ordinal: int, counts: Counts) -> list[Row]:
        """The rows of `page_counts` for what a batch of page `page_ordinal` says, without what was said before."""
        said = self._fresh.get(device_id) or self._settled.get(device_id)
        if said is None and not counts:
            return []
        since, before = (0, {}) if said is None else (said[0], _unpack(said[1]))
        newest = max(page_ordinal, *counts) if counts else page_ordinal
        known = before if said is not None else range(max(newest - WINDOW, 0) + 1, newest + 1)
        reopened = [page for page in known if page not in counts and page > newest - WINDOW]
        changed = [(page, last) for page, last in counts.items() if before.get(page) != last]
        # A batch that waited says nothing of what came after it.
        if said is None or (told_at >= since and (changed or reopened)):
            self._fresh[device_id] = (told_at, _pack(counts))
        return [
            (site, device_id, page, last, told_at)
            for page, last in [*changed, *((page, None) for page in reopened)]
        ]
