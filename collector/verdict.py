"""Whether one event of a batch can be stored, and if not, why."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import msgspec

from expost.lake.batch import Event, View, is_nobody
from expost.lake.moment import DAY, OLDEST, corrected, micros
from expost.lake.sent import Head

MAX_PROPERTIES_BYTES = 64_000
MAX_SET_BYTES = 16_000
"""Less than for an event's own, because each event that names a set gets a copy of it in the lake."""

SERVER_TYPES = ("custom", "identify", "group", "exposure")
"""What happens on a site's own servers. Everything else happens in a page, and only there."""

STALE_MICROS = 7 * 86_400 * 1_000_000
"""Ids are compared with those of seven days; what is older cannot be told from a recording that is played again."""

_json = msgspec.json.Encoder().encode


def find_refusal(
    event: Event, head: Head, views: Sequence[View | None], sets: Sequence[Mapping[str, Any] | None]
) -> str | None:
    """Why this event is not stored, or `None`. Where its element stands is looked at elsewhere."""
    if head.page is None and event.time is None:
        return "it has no time: neither `page` in the batch nor `time` in the event"
    if views and not (0 <= event.view < len(views) and views[event.view] is not None):
        return f"it points to view {event.view}, which is not there"
    if event.set >= 0 and (event.set >= len(sets) or sets[event.set] is None):
        return f"it points to set {event.set}, which is not there or is too large"
    check = _CHECKS.get(event.type)
    return check(event) if check else None


def are_plain(events: Sequence[Event], views: int, elements: int, clean: Container[str | None]) -> bool:
    """Whether these are events of a page that point to what is there and say nothing but texts that are known as clean.

    Of such `find_refusal` finds nothing, nor does a mask, and nearly all events are: they are not looked at one by one.
    """
    for event in events:
        if (
            event.type in _CHECKS
            or event.el >= elements
            or not 0 <= event.view < views
            or event.set >= 0
            or event.text not in clean
            or event.label not in clean
            or event.name not in clean
            or event.properties
            or event.traits
        ):
            return False
    return True


def find_server_refusal(event: Event, head: Head, received_at: int) -> str | None:
    """Why this event is not taken from one of the site's servers, or `None`."""
    if event.type not in SERVER_TYPES:
        *most, last = SERVER_TYPES
        return f"a server key sends {', '.join(most)} and {last} events; {event.type} happens in pages"
    if head.page is not None:
        return "a server key sends events without a page: leave `page` out and say `time` in each event"
    if head.device and not is_nobody(head.device) and head.consent != "full":
        return "it names a device, which a browser has under the consent `full` only: say so, or name a user"
    if event.time is not None:
        offset = None if head.sent_at is None else received_at - micros(head.sent_at)
        if corrected(micros(event.time), offset) < received_at - OLDEST:
            return f"its time is more than {OLDEST // DAY} days before its arrival"
    return _check_ids(event.user) if event.user else None


def find_page_refusal(head: Head) -> str | None:
    """Why no event of this batch is taken with the key of the pages, or `None`."""
    if head.page is None:
        return "it has no page, and this key is for pages: servers send with a server key, which is secret"
    return None


def is_within(value: Mapping[str, Any], limit: int) -> bool:
    """Whether properties, written as JSON, are at most so many bytes."""
    return not value or len(_json(value)) <= limit


def is_stale(ids: Sequence[str], received_at: int) -> bool:
    """Whether the newest of these UUIDv7 was drawn more than seven days ago. Other ids tell no time."""
    tells_time = False
    # The last one is nearly always the newest, and one that is young enough settles it.
    for each in reversed(ids):
        if each[14] == "7":
            # The first eight digits alone tell it to the minute, which settles nearly all.
            if received_at - int(each[:8], 16) * 65_536_000 <= STALE_MICROS:
                return False
            if received_at - int(each[:8] + each[9:13], 16) * 1_000 <= STALE_MICROS:
                return False
            tells_time = True
    return tells_time


def _check_identify(event: Event) -> str | None:
    if event.user is None or is_nobody(event.user):
        return f"{event.user!r} is not the id of a user"
    return _check_ids(event.user)


def _check_group(event: Event) -> str | None:
    if not event.group_type or event.group is None or is_nobody(event.group):
        return f"{event.group!r} is not the id of a group"
    return _check_ids(event.group_type, event.group)


def _check_exposure(event: Event) -> str | None:
    if not event.flag or event.variation is None:
        return "an exposure names a flag and a variation"
    return _check_ids(event.flag, event.variation)


def _check_custom(event: Event) -> str | None:
    return None if event.name and event.name.strip() else "an event of the site's own has a name"


def _check_ids(*ids: str) -> str | None:
    return "an id holds the character U+0000" if any("\0" in each for each in ids) else None


_CHECKS: dict[str, Callable[[Event], str | None]] = {
    "identify": _check_identify,
    "group": _check_group,
    "exposure": _check_exposure,
    "custom": _check_custom,
}
