"""What browsers say of their pages that were left: a row when it is new, because every batch says it again.

A batch carries the last numbers of the latest pages of its browser. A page that came back is open again, and missing
there from then on, so that its absence is a row as well.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from .batch import Counts
from .element import Row

WINDOW = 16
"""So many of its latest pages a browser remembers. Of those before nothing is said, so their absence means nothing."""

MAX_DEVICES = 50_000
"""Of how many browsers the last word is remembered. Of those whose word is older, rows repeat."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Counts).decode

Said = tuple[int, bytes]
"""When a browser last spoke, and what it said."""


class PageCounts:
    """Remembers the last word of each browser, and finds what of the next one is new.

    What is new waits until `settle` says that it was committed, or `discard` that it was not. `began_at` is the moment
    from which on all words are heard here.
    """

    def __init__(self, began_at: int = 0) -> None:
        self._all_since = began_at
        self._settled: dict[int, Said] = {}
        self._fresh: dict[int, Said] = {}

    def settle(self) -> None:
        """The rows are in the lake."""
        for device_id, said in self._fresh.items():
            # The latest words stand at the end.
            self._settled.pop(device_id, None)
            self._settled[device_id] = said
        self._fresh.clear()
        while len(self._settled) > MAX_DEVICES:
            told_at, _ = self._settled.pop(next(iter(self._settled)))
            self._all_since = max(self._all_since, told_at)

    def discard(self) -> None:
        """The rows were not committed."""
        self._fresh.clear()

    def rows(
        self,
        site: str,
        device_id: int,
        told_at: int,
        page_ordinal: int,
        counts: Counts,
        is_new_device: bool = False,
    ) -> list[Row]:
        """The rows of `page_counts` for what a batch of page `page_ordinal` says, without what was said before.

        Of a device whose word is not remembered, a page may have been said to be left, or will be, by a late batch:
        all is said again, and also which pages are open. That a new device's first page is open is no news.
        """
        said = self._fresh.get(device_id) or self._settled.get(device_id)
        if said is not None and said[1] == _pack(counts):
            # No news, as nearly always.
            if told_at >= said[0]:
                self._fresh[device_id] = (told_at, said[1])
            return []
        newest = max(page_ordinal, *counts) if counts else page_ordinal
        if said is None:
            before: Counts = {}
            latest = range(max(newest - WINDOW, 0) + 1, newest + 1)
            known: Iterable[int] = [page for page in latest if page != page_ordinal or not is_new_device]
        else:
            known = before = _unpack(said[1])
        reopened = [page for page in known if page not in counts and page > newest - WINDOW]
        changed = [page for page, last in counts.items() if before.get(page) != last]
        words: list[tuple[int, int | None, int]] = [(page, counts[page], told_at) for page in changed]
        words += [(page, None, told_at) for page in reopened]
        if said is None:
            # A later word than one from before all were heard may be in the lake already.
            is_latest = is_new_device or told_at >= self._all_since
        elif told_at >= said[0]:
            is_latest = True  # also when it is no news: what comes late is then known to be from before it
        else:
            # A batch that waited says nothing of what came after it: by then these pages were open again.
            is_latest = False
            forgotten = max(before, default=0) - WINDOW
            words += [(page, None, said[0]) for page in changed if page not in before and page > forgotten]
        if is_latest:
            self._fresh[device_id] = (told_at, _pack(counts))
        return [(site, device_id, *word) for word in words]
