"""Frames of the journal that hold a batch as a page sent it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expost.ids import keyed_hash
from expost.lake.batch import Accepted, Descriptor, Element, Event, Page, View
from expost.lake.dictionary import Dictionary
from expost.lake.disk import Disk
from expost.lake.redaction import Mark, Redaction, redact_segment
from expost.lake.rows import Rows
from expost.lake.segment import OpenSegment, read_segment
from expost.lake.sent import bytes_to_read, keep_as_sent, read_batch, read_frame, segment_bytes_to_read

SECRET = bytes(32)
AT = 1_772_445_603_000_000
TEXTS = st.text(max_size=20)
TREES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 5), st.lists(st.integers(0, 3), max_size=3)),
    min_size=1,
    max_size=6,
)


def batch_of(events: list[Event], **fields: Any) -> Accepted:
    """A batch that a page may have sent."""
    usual: dict[str, Any] = {
        "site": "shop", "received_at": AT, "consent": "full", "is_imported": False, "is_internal": False,
        "device": "ann", "user_agent": "Firefox", "sent_at": AT / 1_000, "session": 2, "release": "1.0",
        "environment": "production", "viewport": [390, 844], "sets": [], "views": [View("https://shop.example/tea")],
        "page": Page("019cadfd-8900-7000-8000-000000000001", AT / 1_000 - 3_000, 1),
        "descriptors": [Descriptor("main"), Descriptor("button", "buy")], "elements": [Element(0), Element(1, 0)],
        "events": events,
    }  # fmt: skip
    return Accepted(**(usual | fields))


def sent(batch: Accepted) -> bytes:
    """The frame of a batch, as a page sent it."""
    said = {
        name: getattr(batch, name)
        for name in (
            "sent_at", "page", "device", "session", "consent", "release", "environment", "viewport",
            "consent_version", "views", "descriptors", "elements", "events",
        )
    }  # fmt: skip
    body = msgspec.json.encode(
        {"v": 1, "counts": {str(key): value for key, value in batch.counts.items()}, **said}
    )
    return keep_as_sent(
        batch.site, batch.received_at, batch.is_internal, batch.user_agent, batch.country, gzip.compress(body)
    )


def click(number: int, el: int = 1) -> Event:
    return Event(f"019cadfd-8ce8-7000-8000-{number:012d}", "click", el=el)


events = st.builds(
    Event,
    id=st.uuids().map(str),
    type=st.sampled_from(["click", "page_view", "change"]),
    t=st.floats(0, 1e9),
    seq=st.integers(0, 1_000),
    view=st.integers(0, 1),
    el=st.integers(-1, 0),
    text=st.none() | TEXTS,
    label=st.none() | TEXTS,
    marks=st.just([]) | st.just(["text"]),
    x=st.none() | st.integers(-100, 5_000),
    trusted=st.booleans(),
)
batches = st.builds(
    batch_of,
    st.lists(events, min_size=1, max_size=4),
    is_internal=st.booleans(),
    sent_at=st.none() | st.floats(-1e14, 1e14),
    viewport=st.lists(st.integers(0, 5_000), max_size=2),
    page=st.builds(Page, st.uuids().map(str), st.floats(-1e14, 1e14), st.integers(0, 9)),
    views=st.tuples(*[st.builds(View, url=TEXTS, title=TEXTS, referrer=TEXTS)] * 2).map(list),
    # The latest pages first, as they are read.
    counts=st.dictionaries(st.integers(1, 100), st.integers(1, 100), max_size=3).map(
        lambda counts: dict(sorted(counts.items(), reverse=True))
    ),
    country=st.sampled_from(["", "NZ"]),
    descriptors=st.lists(st.builds(Descriptor, TEXTS, class_name=st.none() | TEXTS), min_size=4, max_size=4),
    elements=TREES.map(
        lambda tree: [
            Element(described, place - 1, index + 1, previous=previous)
            for place, (described, index, previous) in enumerate(tree)
        ]
    ),
)


def tables(told: list[Accepted]) -> dict[str, list[dict[str, Any]]]:
    rows = Rows(Dictionary(SECRET))
    for each in told:
        rows.add(each)
    return {name: table.to_pylist() for name, table in rows.tables().items()}


@settings(deadline=None)
@given(batch=batches)
def test_it_is_read_as_the_batch_that_it_was(batch: Accepted) -> None:
    assert read_batch(sent(batch)) == batch


@settings(max_examples=50, deadline=None)
@given(told=st.lists(batches, min_size=1, max_size=3))
def test_the_sink_makes_the_rows_of_the_batch_of_it_beside_frames_that_were_written_anew(
    told: list[Accepted],
) -> None:
    frames = [read_frame(frame) for batch in told for frame in (sent(batch), msgspec.msgpack.encode(batch))]
    assert tables(frames) == tables([each for batch in told for each in (batch, batch)])


@pytest.mark.parametrize(
    "damage", [lambda body: body[:-9], lambda body: b"no gzip", lambda body: gzip.compress(b"[]")]
)
def test_a_body_that_cannot_be_read_is_an_error_that_the_sink_expects(damage: Any) -> None:
    body = msgspec.msgpack.decode(sent(batch_of([click(1)])))[-1]
    frame = keep_as_sent("shop", AT, False, "", "", damage(body))
    for read in (read_batch, read_frame):
        with pytest.raises((msgspec.MsgspecError, ValueError)):
            read(frame)


def segment_of(folder: Path, *frames: bytes) -> Path:
    segment = OpenSegment(folder, 7, AT, Disk())
    segment.append(frames)
    segment.close()
    return segment.path


def test_what_there_is_to_read_is_what_was_sent_and_not_how_small_it_was_packed(tmp_path: Path) -> None:
    body = b" " * 100_000
    packed = keep_as_sent("shop", AT, False, "", "", gzip.compress(body))
    anew = msgspec.msgpack.encode(batch_of([click(1)]))
    assert bytes_to_read(packed) == len(body)
    assert bytes_to_read(anew) == len(anew)
    assert segment_bytes_to_read(segment_of(tmp_path, packed, anew)) == len(body) + len(anew)


def test_whoever_was_erased_is_taken_out_of_it_and_other_frames_stay_byte_by_byte(tmp_path: Path) -> None:
    ann, bob = (batch_of([click(1), click(2)], device=name) for name in ("ann", "bob"))
    path = segment_of(tmp_path, sent(ann), sent(bob))
    mark = Mark("device", keyed_hash(SECRET, "device", "shop", "ann"))
    assert redact_segment(path, Redaction(SECRET, [mark])) == 2
    assert [frame for _, frame in read_segment(path)] == [sent(bob)]


def test_a_single_event_that_was_erased_is_taken_out_with_what_only_it_pointed_at(tmp_path: Path) -> None:
    both = batch_of([click(1), click(2, el=0)])
    path = segment_of(tmp_path, sent(both))
    assert redact_segment(path, Redaction(SECRET, [], {click(1).id})) == 1
    ((_, frame),) = read_segment(path)
    left = read_batch(frame)
    assert [each.id for each in left.events] == [click(2, el=0).id]
    assert not re.search(b"buy|button", frame)
