"""Which origins asked for something lately without leaving an event: the script, or to be let in and were not.

Somebody who waits for a page to report is told how far it came. The latest are kept in memory; of visitors nothing is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from expost.clock import Clock, wall_clock

Sight = Literal["script", "unknown key", "origin refused"]
MOST = 1_000


class Sightings:
    """When each origin was last seen with each of these."""

    def __init__(self, clock: Clock = wall_clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[tuple[Sight, str], int] = OrderedDict()

    def see(self, what: Sight, headers: Mapping[bytes, bytes]) -> None:
        """Remember it of the page that sent these headers, if it says where it is."""
        origin = page_origin(headers)
        if origin is None:
            return
        self._seen[what, origin] = self._clock()
        self._seen.move_to_end((what, origin))
        while len(self._seen) > MOST:
            self._seen.popitem(last=False)

    def since(self, origin: str, moment: int) -> frozenset[Sight]:
        """What an origin was seen with from a moment on."""
        return frozenset(what for (what, who), at in self._seen.items() if who == origin and at >= moment)


def page_origin(headers: Mapping[bytes, bytes]) -> str | None:
    """The origin of the page behind a request, by `Origin` or else by `Referer`.

    >>> page_origin({b"referer": b"https://Shop.example/tea?x=1"}), page_origin({b"origin": b"null"})
    ('https://shop.example', None)
    """
    said = (headers.get(b"origin") or headers.get(b"referer") or b"").decode("latin-1")
    try:
        parts = urlsplit(said)
    except ValueError:
        return None
    is_page = parts.scheme in ("http", "https") and parts.netloc
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}" if is_page else None
