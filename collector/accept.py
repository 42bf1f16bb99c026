"""From the bytes of a batch to what the journal keeps: decoded, judged, masked. Nothing here waits or does I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from expost.lake.batch import (
    BATCH_VERSION,
    DAILY_PREFIX,
    Accepted,
    Counts,
    Event,
    Page,
    Stored,
    View,
    is_nobody,
)
from expost.lake.counts import NO_COUNTS, are_counts, read_counts
from expost.lake.segment import MARKER
from expost.lake.sent import DEFAULT_ENVIRONMENT, Head, keep_as_sent

from .daily import DailyIds
from .descriptors import Descriptors
from .keyring import Grant, is_local
from .masks import Masks, TooDeep
from .places import are_sound, mended
from .verdict import (
    MAX_PROPERTIES_BYTES,
    MAX_SET_BYTES,
    are_plain,
    find_page_refusal,
    find_refusal,
    find_server_refusal,
    is_stale,
    is_within,
)
from .wire import Batch, Refused, decode

Pack = Callable[[Accepted], bytes]
_encode_json = msgspec.json.Encoder().encode
_read_head = msgspec.json.Decoder(Head).decode

MAX_USER_AGENT = 1_000
MAX_KEPT_BUFFER = 1_000_000
GZIP_FLAGS = 3
"""Where the flags stand in what gzip has made (RFC 1952)."""

MOST_PACKED = 8
"""A body that unpacks to more times its size is none that a page sends: about four is what clicks take."""


class Sender(msgspec.Struct, frozen=True, gc=False):
    """Who sends: what the key grants, and what is seen of the connection. The address is never written."""

    grant: Grant
    address: str
    user_agent: str
    country: str = ""


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What becomes of a batch: `payload` is for the journal, `None` when nothing is left to keep.

    `device` is the one whose events they are, empty where there is none. Of the `duplicates`, as many as there are
    `conflicts` said something else than the first of that id.
    """

    payload: bytes | None
    accepted: int
    duplicates: int
    refused: Sequence[Refused]
    device: str = ""
    conflicts: int = 0

    @property
    def count(self) -> int:
        """How many events were sent."""
        return self.accepted + self.duplicates + len(self.refused)


class Packer:
    """Writes batches for the journal into one buffer that stays: growing a new one costs as much as the writing.

    It holds the batch that came last, masked. One thread at a time.
    """

    def __init__(self) -> None:
        self._encode_into = msgspec.msgpack.Encoder().encode_into
        self._buffer = bytearray()

    def __call__(self, accepted: Accepted) -> bytes:
        """The payload. Raises OverflowError for a number of more than 64 bits."""
        self._encode_into(accepted, self._buffer)
        packed = bytes(self._buffer)
        if len(packed) > MAX_KEPT_BUFFER:
            self._buffer = bytearray()
        return packed


def accept(
    body: bytes,
    sender: Sender,
    received_at: int,
    descriptors: Descriptors,
    daily: DailyIds,
    pack: Pack = msgspec.msgpack.encode,
    packed: bytes = b"",
) -> Verdict:
    """Judge a batch; `pack` makes the payload of what is kept. Raises what `wire.decode` raises.

    `packed` is the body as it came, if that was gzip: it is kept as it is where nothing in it has to change.
    """
    masks = descriptors.masks
    batch = decode(body, descriptors)
    ids = batch.ids
    once, duplicates = (batch.events, 0) if batch.are_distinct else _once(batch.events)
    conflicts = _count_conflicts(batch.events, once) if duplicates else 0
    refused = batch.refused
    grant = sender.grant
    # A recording can be played again by whoever knows a public key. Secret ones send what waited for long.
    if grant.kind == "write" and is_stale(ids, received_at):
        refused += [_refused(event, "it is more than seven days old") for event in once]
        once = []
    is_large = len(body) > MAX_SET_BYTES
    sets = batch.sets and [_clean_set(each, masks, is_large=is_large) for each in batch.sets]
    has_gaps = batch.may_have_gaps and not (all(batch.elements) and all(batch.descriptors))
    elements: Any = batch.elements
    if has_gaps or not are_sound(elements, len(batch.descriptors)):
        batch.is_whole = False
        batch.elements, batch.descriptors, once, lost = mended(batch.elements, batch.descriptors, once)
        refused += [_refused(event, f"it points to element {event.el}, which is not there") for event in lost]
    is_of_a_page = grant.kind == "write" and batch.head.page is not None and all(batch.views)
    if is_of_a_page and are_plain(once, len(batch.views), len(batch.elements), masks.clean_texts):
        kept = once
    else:
        kept = _kept(once, batch, sets, grant, received_at, masks, is_large=is_large)
    device = _device(batch.head, sender, daily)
    payload = None
    if kept and kept is batch.events and _may_stay(batch, device, masks, body, packed):
        payload = _as_sent(batch, sender, received_at, masks, packed)
    elif kept:
        payload = _payload(batch, kept, sets, sender, device, received_at, masks, pack)
    return Verdict(payload, len(kept), duplicates, refused, device, conflicts)


def find_device(body: bytes, sender: Sender, daily: DailyIds) -> str:
    """Whose events a batch holds, as its verdict would say, without reading them; empty where that is not seen."""
    try:
        head = _read_head(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return _device(head, sender, daily)


def _kept(
    events: Sequence[Event],
    batch: Batch,
    sets: Sequence[dict[str, Any] | None],
    grant: Grant,
    received_at: int,
    masks: Masks,
    *,
    is_large: bool,
) -> list[Event]:
    kept: list[Event] = []
    count = len(batch.elements)
    for event in events:
        if grant.is_server:
            reason = find_server_refusal(event, batch.head, received_at)
        else:
            reason = None if grant.is_import else find_page_refusal(batch.head)
        reason = reason or find_refusal(event, batch.head, batch.views, sets)
        if event.el >= count:
            reason = f"it points to element {event.el}, which is not there"
        elif reason is None and is_large and not is_within(event.properties, MAX_PROPERTIES_BYTES):
            reason = "its properties are too large"
        if reason is None:
            try:
                kept.append(masks.event(event))
                continue
            except TooDeep:
                reason = "its properties are nested too deep"
        batch.refused.append(_refused(event, reason))
    return kept


def _may_stay(batch: Batch, device: str, masks: Masks, body: bytes, packed: bytes) -> bool:
    """Whether a batch whose events are all kept, unchanged, can be kept as it was sent."""
    return (
        batch.is_whole
        # Not what fills the memory of whoever unpacks it.
        and len(packed) < len(body) <= MOST_PACKED * len(packed)
        # The head of gzip may hold a name and a comment, which nobody has looked at.
        and packed[GZIP_FLAGS] == 0
        # Behind a torn end or a flipped bit, frames are found by it: one that a sender made up would be read as ours.
        and MARKER not in packed
        # Another one than it names would have to stand beside it.
        and batch.head.consent == "full"
        and batch.head.device == device
        and not batch.sets
        and are_counts(batch.head.counts)
        and _are_clean(batch.views, masks)
    )


def _are_clean(views: Sequence[View | None], masks: Masks) -> bool:
    for view in views:  # noqa: SIM110 (there is one: a generator would cost more than looking at it)
        if view is None or masks.view(view) is not view:
            return False
    return True


def _as_sent(batch: Batch, sender: Sender, received_at: int, masks: Masks, packed: bytes) -> bytes:
    user_agent = masks.text(sender.user_agent[:MAX_USER_AGENT])
    is_internal = _is_internal(batch, sender.grant)
    return keep_as_sent(sender.grant.site, received_at, is_internal, user_agent, sender.country, packed)


def _payload(
    batch: Batch,
    events: list[Event],
    sets: Sequence[dict[str, Any] | None],
    sender: Sender,
    device: str,
    received_at: int,
    masks: Masks,
    pack: Pack,
) -> bytes:
    head, grant = batch.head, sender.grant
    # Those that could not be read are gone by now: `mended` left them out.
    descriptors: Any = batch.descriptors
    elements: Any = batch.elements
    # In the order of its fields: by name it would take ten times as long, which is a fiftieth of the whole batch.
    accepted = Stored(
        grant.site,
        received_at,
        head.consent,
        grant.is_import,
        _is_internal(batch, grant),
        device,
        # A server's own says nothing about the visitor, and would make bots of people: curl is on every list.
        "" if grant.is_server else masks.text(sender.user_agent[:MAX_USER_AGENT]),
        head.sent_at,
        head.session if head.consent == "full" else 0,
        head.release,
        head.environment or DEFAULT_ENVIRONMENT,
        head.viewport,
        head.page if head.consent == "full" else _unnumbered(head.page),
        _clean_views(batch.views, masks),
        [each or {} for each in sets] if sets else [],
        descriptors,
        elements,
        events,
        BATCH_VERSION,
        head.consent_version,
        {} if head.counts is NO_COUNTS else _counts(head, grant),
        sender.country,
    )
    try:
        return pack(accepted)
    except OverflowError:
        # JSON knows numbers of any length, the journal those of 64 bits: the others are kept as text.
        return pack(_with_short_numbers(accepted))


def _clean_views(views: Sequence[View | None], masks: Masks) -> list[View]:
    # Nearly all batches have one.
    if len(views) == 1 and views[0] is not None:
        return [masks.view(views[0])]
    return [View("") if view is None else masks.view(view) for view in views]


def _device(head: Head, sender: Sender, daily: DailyIds) -> str:
    given = head.device or ""
    if sender.grant.is_import or (head.consent == "full" and _is_own(given)):
        return given
    if sender.grant.is_server or (head.page is None and not given):
        return ""
    # Also for an id that a mistake gives to every browser ("undefined"): people who share it are not one person.
    return daily.device(sender.grant.site, sender.address, sender.user_agent, head.resets)


def _unnumbered(page: Page | None) -> Page | None:
    # A page that went from full to cookieless, or an old snippet, sends the number still: it links what is to be apart.
    return page and msgspec.structs.replace(page, ordinal=0)


def _is_own(device: str) -> bool:
    return not is_nobody(device) and not device.startswith(DAILY_PREFIX) and "\0" not in device


def _counts(head: Head, grant: Grant) -> Counts:
    # Without a browser's own id there is nobody whose pages these could be, and of history nobody knows what there was.
    is_own = head.page is not None and head.consent == "full" and _is_own(head.device or "")
    return read_counts(head.counts) if is_own and grant.kind == "write" else {}


def _is_internal(batch: Batch, grant: Grant) -> bool:
    return batch.head.internal or (grant.has_public_origin and _is_local(batch.views))


def _is_local(views: Sequence[View | None]) -> bool:
    first = next((view for view in views if view is not None), None)
    if first is None:
        return False
    if "localhost" not in first.url and "127.0.0.1" not in first.url and "::1" not in first.url:
        return False
    try:
        host = urlsplit(first.url).hostname or ""
    except ValueError:
        return False
    return is_local(host)


def _once(events: list[Event]) -> tuple[list[Event], int]:
    first = {event.id.lower(): event for event in reversed(events)}
    if len(first) == len(events):
        return events, 0
    return list(reversed(first.values())), len(events) - len(first)


def _count_conflicts(events: Sequence[Event], once: Sequence[Event]) -> int:
    first = {event.id.lower(): event for event in once}
    return sum(event != first[event.id.lower()] for event in events)


def _clean_set(properties: dict[str, Any] | None, masks: Masks, *, is_large: bool) -> dict[str, Any] | None:
    if properties is None or (is_large and not is_within(properties, MAX_SET_BYTES)):
        return None
    try:
        cleaned: dict[str, Any] = masks.said(properties)
    except TooDeep:
        return None
    return cleaned


def _refused(event: Event, reason: str) -> Refused:
    try:
        return Refused(event.id, reason, _encode_json(event))
    except (RecursionError, OverflowError):
        return Refused(event.id, reason, b"")


def _with_short_numbers(accepted: Accepted) -> Accepted:
    events = [
        msgspec.structs.replace(
            event, properties=_short_numbers(event.properties), traits=_short_numbers(event.traits)
        )
        for event in accepted.events
    ]
    return msgspec.structs.replace(accepted, events=events, sets=_short_numbers(accepted.sets))


def _short_numbers(value: Any) -> Any:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    if isinstance(value, Mapping):
        return {name: _short_numbers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_short_numbers(each) for each in value]
    return value
