"""What visitors of a shop send: batches of clicks, and templates of them for as many as are wanted, none twice."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable
from typing import Any

from zlib_ng import zlib_ng

from expost.clock import wall_clock
from expost.ids import uuid7

EVENTS = 10
CARDS_A_CLICK = 4

ID, NOW, START = "@id@", "@now@", "@start@"
MARKS = re.compile(rf'"{ID}"|"{NOW}"|"{START}"'.encode())


def content(
    chance: random.Random, events: int, event_id: Callable[[], Any], now: Any, start: Any
) -> dict[str, Any]:
    """Clicks on some of the cards on a page of a shop of 500 teas, 12 elements deep."""
    descriptors: list[Any] = [
        ["html", None, None, {"lang": "en"}, [], 16],
        ["body", None, "page shop", {}, [], 16],
    ]
    elements: list[Any] = [[0, -1, 1, 1, 1, 1, [], 4], [1, 0, 2, 2, 1, 1, []]]
    for depth in range(8):
        name = f"block block--{depth} {chance.choice('abcdef')}"
        descriptors.append(["div", None, name, {"data-area": str(depth)}, [], 16])
        elements.append([len(descriptors) - 1, len(elements) - 1, 1 + depth % 3, 4, 1, 4, []])
    parent, shown = len(elements) - 1, min(events, 100)
    cards = shown * CARDS_A_CLICK
    for place in sorted(chance.sample(range(1, cards + 1), shown)):
        tea = chance.randrange(500)
        link = {"href": f"/product/{tea}?from=…", "title": f"Green tea no. {tea}"}
        descriptors.append(["a", None, "card card__link", link, [], 16, ["href"]])
        descriptors.append(["span", None, "card__title", {}, [], 16])
        elements.append([len(descriptors) - 2, parent, place, cards, place, cards, [len(descriptors) - 2]])
        elements.append([len(descriptors) - 1, len(elements) - 1, 1, 1, 1, 1, []])
    clicks = [
        {
            "id": event_id(), "type": "click", "t": 100.5 * number, "seq": number + 1,
            "el": 11 + 2 * (number % shown),
            "text": f"Green tea no. {chance.randrange(500)}", "label": f"Green tea no. {chance.randrange(500)}",
            "x": chance.randrange(1_280), "y": chance.randrange(720),
        }
        for number in range(events)
    ]  # fmt: skip
    made_at = wall_clock()
    return {
        "v": 1, "sent_at": now, "page": {"id": uuid7(made_at), "start": start, "ordinal": 1},
        "device": uuid7(made_at), "session": 1, "consent": "full", "viewport": [1_280, 720],
        "views": [{"url": "https://shop.example/teas?sort=…", "title": "Teas", "marks": ["url"]}], "sets": [],
        "descriptors": descriptors, "elements": elements, "events": clicks,
    }  # fmt: skip


def batch(chance: random.Random, events: int = EVENTS) -> bytes:
    """One batch, packed as browsers pack it."""
    now = wall_clock()
    made = content(chance, events, lambda: uuid7(now), now / 1_000, now / 1_000 - 5_000)
    return gzip.compress(json.dumps(made, separators=(",", ":")).encode(), 6)


class Template:
    """One visitor's batch, which can be sent again and again as if it had happened again."""

    def __init__(self, chance: random.Random, events: int = EVENTS) -> None:
        written = json.dumps(content(chance, events, lambda: ID, NOW, START), separators=(",", ":")).encode()
        self._pieces = MARKS.split(written)
        self._marks = [found.group() for found in MARKS.finditer(written)]
        self.events = events

    def batch(self, event_id: Callable[[], str]) -> bytes:
        """The next batch, with ids of its own, sent now."""
        now = wall_clock() / 1_000
        values = {f'"{NOW}"'.encode(): b"%.1f" % now, f'"{START}"'.encode(): b"%.1f" % (now - 5_000)}
        parts = [self._pieces[0]]
        for mark, piece in zip(self._marks, self._pieces[1:], strict=True):
            parts.append(values.get(mark) or b'"%b"' % event_id().encode())
            parts.append(piece)
        return zlib_ng.compress(b"".join(parts), 1, 31)
