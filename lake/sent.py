"""What a page says once in a batch, and frames of the journal that hold batches as pages sent them.

Where the collector finds nothing to change in a batch, the journal keeps its bytes, packed by gzip as they came, beside
what was decided of it. That is a third of what the same batch takes written anew, and nothing has to be written anew.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct
from zlib_ng import zlib_ng

from .batch import (
    BATCH_VERSION,
    Accepted,
    Consent,
    Count,
    Descriptor,
    Element,
    Event,
    Frame,
    FrameEvent,
    Millis,
    Page,
    Pixels,
    SentFrame,
    Short,
    View,
)
from .counts import NO_COUNTS, read_counts
from .segment import read_segment

BOM = b"\xef\xbb\xbf"
DEFAULT_ENVIRONMENT = "production"

GZIP = 31
"""As zlib has it: the largest window, in the format of gzip."""


class Head(Struct, gc=False):
    """What a batch says once."""

    v: Annotated[int, Meta(ge=1, le=1_000_000)]
    sent_at: Millis | None = None
    page: Page | None = None
    device: Short | None = None
    session: Count = 0
    consent: Consent = "cookieless"
    resets: Count = 0
    release: Short = ""
    environment: Short = DEFAULT_ENVIRONMENT
    viewport: Annotated[list[Pixels], Meta(max_length=2)] = []
    consent_version: Short = ""
    internal: bool = False
    counts: Raw = NO_COUNTS


class _Sent(Head, gc=False):
    """A batch as it was sent."""

    views: list[View] = []
    descriptors: list[Descriptor] = []
    elements: list[Element] = []
    events: list[Event] = []


class _SentQuickly(Head, gc=False):
    """The same as the sink reads it: the tables of elements stay bytes, ids were looked at when it was accepted."""

    views: list[View] = []
    descriptors: Raw = Raw(b"[]")
    elements: Raw = Raw(b"[]")
    events: list[FrameEvent] = []


class _AsSent(Struct, array_like=True, frozen=True, gc=False):
    """A frame: what was decided of a batch, and its bytes."""

    site: Short
    received_at: int
    is_internal: bool
    user_agent: str
    country: str
    body: bytes


AS_SENT = b"\x96"
"""How a list of six begins in MessagePack."""

_encode = msgspec.msgpack.Encoder().encode
_accepted = msgspec.msgpack.Decoder(Accepted).decode
_frame = msgspec.msgpack.Decoder(Frame).decode
_as_sent = msgspec.msgpack.Decoder(_AsSent).decode
_sent = msgspec.json.Decoder(_Sent).decode
_sent_quickly = msgspec.json.Decoder(_SentQuickly).decode


def keep_as_sent(
    site: str, received_at: int, is_internal: bool, user_agent: str, country: str, body: bytes
) -> bytes:
    """The frame of a batch whose `body` is gzip and is right in every part.

    It is a page's, under the consent `full`, with a device id of the browser's own, and has no properties of `set`.
    """
    return _encode((site, received_at, is_internal, user_agent, country, body))


def read_batch(payload: bytes) -> Accepted:
    """The batch that a frame of the journal holds. Raises msgspec.MsgspecError or ValueError for what is none."""
    return _read(payload, _sent, Accepted) if _is_as_sent(payload) else _accepted(payload)


def read_frame(payload: bytes) -> Accepted:
    """The same as the sink reads it: its tables of elements stay bytes until `element_tables`."""
    return _read(payload, _sent_quickly, SentFrame) if _is_as_sent(payload) else _frame(payload)


def bytes_to_read(payload: bytes) -> int:
    """How long a frame is when it is unpacked: what it takes in memory goes by that, not by its size on the disk."""
    # The last field is the body, and gzip ends with how long it was (RFC 1952). It was unpacked when it was accepted.
    return int.from_bytes(payload[-4:], "little") if _is_as_sent(payload) else len(payload)


def segment_bytes_to_read(path: Path) -> int:
    """The same of all frames of a segment."""
    return sum(bytes_to_read(payload) for _, payload in read_segment(path))


def _is_as_sent(payload: bytes) -> bool:
    # A list, where any other frame is a map.
    return payload[:1] == AS_SENT


def _read(payload: bytes, decode: Callable[[bytes], Any], kind: type[Accepted]) -> Accepted:
    frame = _as_sent(payload)
    try:
        body = zlib_ng.decompress(frame.body, wbits=GZIP)
    except zlib_ng.error as problem:  # type: ignore[misc]  # its stub says that it is an instance
        raise ValueError(f"The gzip of this frame is damaged: {problem}.") from problem
    sent = decode(body.removeprefix(BOM))
    return kind(
        frame.site,
        frame.received_at,
        sent.consent,
        False,
        frame.is_internal,
        sent.device or "",
        frame.user_agent,
        sent.sent_at,
        sent.session,
        sent.release,
        sent.environment or DEFAULT_ENVIRONMENT,
        sent.viewport,
        sent.page,
        sent.views,
        [],
        sent.descriptors,
        sent.elements,
        sent.events,
        BATCH_VERSION,
        sent.consent_version,
        read_counts(sent.counts),
        frame.country,
    )
