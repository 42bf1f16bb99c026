"""Heads of requests that came before: a browser says the same in every one of them, but for the length of the body.

What a head means depends on nothing but its bytes and the address at the other end. So it is parsed and judged once,
and found again by a hash. The head itself is not kept: it may hold what nobody else should read.
"""

from __future__ import annotations

MOST_HEADS = 4_096
"""About as many as there are senders at once, and a few hundred bytes each."""

MOST_HEAD_BYTES = 4_000
LENGTHS = (b"\r\ncontent-length: ", b"\r\nContent-Length: ")
MOST_DIGITS = 7


def find_parts(data: bytes, peer: int) -> tuple[int, int] | None:
    r"""Of `data` that looks like one request, no more and no less: a hash of its head, and how long the head is.

    `peer` tells senders apart.

    Whether it is one, a parser says: for the same place always the same. The length is no part of the head's hash.

    >>> one = find_parts(b"POST /e HTTP/1.1\r\ncontent-length: 2\r\nhost: x\r\n\r\n{}", 0)
    >>> other = find_parts(b"POST /e HTTP/1.1\r\ncontent-length: 10\r\nhost: x\r\n\r\n0123456789", 0)
    >>> one is not None and other is not None and one[0] == other[0]
    True
    >>> find_parts(b"POST /e HTTP/1.1\r\ncontent-length: 3\r\nhost: x\r\n\r\n{}", 0) is None
    True
    """
    name = LENGTHS[0]
    at = data.find(name, 0, MOST_HEAD_BYTES)
    if at < 0:
        name = LENGTHS[1]
        at = data.find(name, 0, MOST_HEAD_BYTES)
        if at < 0:
            return None
    start = at + len(name)
    stop = data.find(b"\r\n", start, start + MOST_DIGITS + 2)
    digits = data[start:stop]
    if stop < 0 or not digits.isdigit():
        return None
    end = data.find(b"\r\n\r\n", stop, MOST_HEAD_BYTES) + 4
    if end < 4 or int(digits) != len(data) - end:
        return None
    return hash((peer, data[:start] + data[stop:end])), end


class Heads:
    """What was made of heads, by their place. It forgets all when it is full, so that its memory is bounded."""

    def __init__(self, most: int = MOST_HEADS) -> None:
        self._most = most
        self._known: dict[int, object] = {}
        self.find = self._known.get

    def remember(self, place: int, known: object) -> None:
        """Keep what was made of a head."""
        if len(self._known) >= self._most:
            self._known.clear()
        self._known[place] = known
