"""What the journal keeps as it was sent: batches in which the collector finds nothing to change, and no others."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expost.collector.accept import Sender, accept
from expost.collector.body import unpack
from expost.collector.daily import DailyIds
from expost.collector.descriptors import Descriptors
from expost.collector.keyring import Grant
from expost.collector.masks import Masks
from expost.errors import InvalidInput
from expost.lake.batch import Accepted
from expost.lake.segment import MARKER
from expost.lake.sent import AS_SENT, read_batch
from expost.state.keys import KeyKind

from .conftest import CHROME, NOW, batch, body_of, click, event_id

GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "wire").glob("*.json"))

CARD = "4111 1111 1111 1111"
"""Masked where the collector looks. Where it does not, it must not be kept either."""


class Taker:
    """Accepts batches, with the memory of what it has met before."""

    def __init__(self, kind: KeyKind = "write") -> None:
        grant = Grant("shop", kind, frozenset(), has_public_origin=True)
        self.sender = Sender(grant, "198.51.100.7", CHROME, "NZ")
        self.descriptors = Descriptors(Masks())
        self.daily = DailyIds(lambda: NOW, None, bytes)

    def kept(self, packed: bytes, at: int = NOW, *, may_stay: bool = True) -> bytes:
        """What the journal keeps of a batch that was met before."""
        payload = None
        for _ in range(2):
            verdict = accept(
                unpack(packed),
                self.sender,
                at,
                self.descriptors,
                self.daily,
                packed=packed if may_stay else b"",
            )
            payload = verdict.payload
        assert payload is not None
        return payload

    def anew(self, packed: bytes, at: int = NOW) -> Accepted:
        """The same batch as it is where it is written anew."""
        return read_batch(self.kept(packed, at, may_stay=False))


def is_as_sent(payload: bytes) -> bool:
    return payload.startswith(AS_SENT)


CLICKS = batch(*(click(number, label="Buy now") for number in range(5)), counts={"1": 7})


def test_a_batch_in_which_nothing_has_to_change_is_kept_as_it_was_sent() -> None:
    taker = Taker()
    packed = gzip.compress(body_of(CLICKS))
    payload = taker.kept(packed)
    assert is_as_sent(payload)
    assert packed in payload
    assert len(payload) < len(packed) + 200
    assert read_batch(payload) == taker.anew(packed)


def test_what_is_met_for_the_first_time_is_written_anew() -> None:
    taker = Taker()
    packed = gzip.compress(body_of(CLICKS))
    verdict = accept(unpack(packed), taker.sender, NOW, taker.descriptors, taker.daily, packed=packed)
    assert verdict.payload is not None
    assert not is_as_sent(verdict.payload)
    assert read_batch(verdict.payload) == read_batch(taker.kept(packed))


@pytest.mark.parametrize(
    "said",
    [
        {"internal": True},
        {"views": [{"url": "http://localhost/cart"}]},
        {"environment": ""},
        {"release": "2.1", "viewport": [390, 844], "consent_version": "7", "session": 3},
        {"sent_at": None},
        {"counts": {}},
        {
            "views": [
                {"url": "https://shop.example/a"},
                {"url": "https://shop.example/b", "referrer": "https://x.example/"},
            ]
        },
        {"descriptors": [["p"], ["b", None, "x"]], "elements": [[0, -1, 2, 3, 1, 1, [1]]]},
    ],
    ids=lambda said: "-".join(said),
)
def test_it_says_the_same_as_one_that_was_written_anew(said: dict[str, Any]) -> None:
    taker = Taker()
    packed = gzip.compress(body_of(CLICKS | said))
    payload = taker.kept(packed)
    assert is_as_sent(payload)
    assert read_batch(payload) == taker.anew(packed)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_what_the_snippet_sends_is_kept_as_it_says_it(golden: Path) -> None:
    taker = Taker()
    body = golden.read_bytes()
    at = round(json.loads(body)["sent_at"] * 1_000)
    packed = gzip.compress(body)
    assert read_batch(taker.kept(packed, at)) == taker.anew(packed, at)


def test_most_of_what_the_snippet_sends_of_clicks_is_kept_as_it_was_sent() -> None:
    plain = [path for path in GOLDEN if "plain-page-1" in path.stem or "svg-in-buttons-1" in path.stem]
    assert len(plain) == 2
    for golden in plain:
        body = golden.read_bytes()
        assert is_as_sent(Taker().kept(gzip.compress(body), round(json.loads(body)["sent_at"] * 1_000)))


def with_event(**said: Any) -> dict[str, Any]:
    return batch(click(0), click(1, **said))


CHANGED: dict[str, Any] = {
    "a secret in a text": with_event(text=f"Card {CARD}"),
    "a secret in a label": with_event(label=CARD),
    "a secret in a class": batch(descriptors=[["button", "buy", CARD]]),
    "a secret in an attribute": batch(descriptors=[["button", "buy", None, {"title": CARD}]]),
    "a secret in an address": batch(views=[{"url": f"https://shop.example/?card={CARD}"}]),
    "a secret in a title": batch(views=[{"url": "https://shop.example/", "title": CARD}]),
    "a field nobody knows in the batch": batch(note=CARD),
    "a field nobody knows in the page": batch(page=batch()["page"] | {"note": CARD}),
    "a field nobody knows in a view": batch(views=[{"url": "https://shop.example/", "note": CARD}]),
    "a field nobody knows in an event": with_event(note=CARD),
    "more than an element has": batch(elements=[[0, -1, 1, 1, 1, 1, [], 0, CARD]]),
    "more than a descriptor has": batch(descriptors=[["button", None, None, {}, [], 0, [], CARD]]),
    "counts of pages that are none": batch(counts={"1": 7, "2": CARD}),
    "an attribute that is never kept": batch(descriptors=[["button", None, None, {"value": CARD}]]),
    "a forbidden consent": batch(consent="cookieless"),
    "a device that everybody has": batch(device="undefined"),
    "no device": batch(device=None),
    "properties": with_event(properties={"card": CARD}),
    "properties of set": batch(click(0, set=0), sets=[{"card": CARD}]),
    "an event of the site's own": with_event(type="custom", name=CARD),
    "an event twice": batch(click(0), click(0)),
    "an event that is refused": with_event(el=7),
    "an element that points nowhere": batch(elements=[[0], [0, 5]]),
    "a user": with_event(type="identify", user=CARD),
}


@pytest.mark.parametrize("sent", CHANGED.values(), ids=CHANGED.keys())
def test_a_batch_in_which_anything_changes_is_not(sent: dict[str, Any]) -> None:
    taker = Taker()
    packed = gzip.compress(body_of(sent))
    payload = taker.kept(packed)
    assert not is_as_sent(payload)
    assert packed not in payload
    assert read_batch(payload) == taker.anew(packed)


def with_a_comment(body: bytes) -> bytes:
    """As gzip, with a comment in its head."""
    packed = gzip.compress(body)
    return packed[:3] + b"\x10" + packed[4:10] + f"{CARD}\0".encode() + packed[10:]


def with_the_word_of_frames(body: bytes) -> bytes:
    """As gzip, with the word in its head by which the journal finds frames behind damage."""
    packed = gzip.compress(body)
    return packed[:4] + MARKER + packed[8:]


BODIES: dict[str, Callable[[bytes], bytes]] = {
    "not packed": lambda body: body,
    "packed without gain": lambda body: gzip.compress(body, 0),
    "a comment in the head of the gzip": with_a_comment,
    "what frames begin with": with_the_word_of_frames,
    "half an emoji": lambda body: gzip.compress(body.replace(b"Buy", rb"\ud83d")),
    "packed as no page packs": lambda body: gzip.compress(body + b" " * 100_000),
}


@pytest.mark.parametrize("made", BODIES.values(), ids=BODIES.keys())
def test_nor_is_a_body_that_is_no_page_s(made: Callable[[bytes], bytes]) -> None:
    taker = Taker()
    assert not is_as_sent(taker.kept(made(body_of(CLICKS))))


def test_nor_is_history() -> None:
    assert not is_as_sent(Taker("import").kept(gzip.compress(body_of(CLICKS))))


def test_a_mark_of_byte_order_is_no_part_of_it() -> None:
    taker = Taker()
    packed = gzip.compress(b"\xef\xbb\xbf" + body_of(CLICKS))
    payload = taker.kept(packed)
    assert is_as_sent(payload)
    assert read_batch(payload) == taker.anew(packed)


ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 10**30, 0.5, -0.0, 1e-300, "", " ", "1", "x" * 3_000, CARD, "ann@shop.example",
    "a\0b", "undefined", "full", "\ud83d", "caf\u00e9", f"https://shop.example/?c={CARD}", [], {}, [[]], [CARD],
    {"x": CARD}, {CARD: 1},
)  # fmt: skip
"""What may stand in the place of anything."""


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to everything in a document."""
    inside = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    return [path, *(way for key, value in inside for way in places(value, (*path, key)))]


def changed(content: Any, way: tuple[Any, ...], value: Any) -> Any:
    """The document with something else there."""
    if not way:
        return value
    copy = content.copy()
    copy[way[0]] = changed(copy[way[0]], way[1:], value)
    return copy


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_else_stands_anywhere_it_says_what_it_would_if_it_were_written_anew(
    data: st.DataObject,
) -> None:
    content = json.loads(data.draw(st.sampled_from(GOLDEN), "golden").read_bytes())
    at = round(content["sent_at"] * 1_000)
    for _ in range(data.draw(st.integers(1, 2))):
        way = data.draw(st.sampled_from(places(content)[1:]), "place")
        content = changed(content, way, data.draw(st.sampled_from(ODD), "odd"))
    body = json.dumps(content).encode("utf-8", "surrogatepass")
    packed, taker = gzip.compress(body), Taker()
    stays, anew = (outcome(partial(taker.kept, packed, at, may_stay=stay)) for stay in (True, False))
    if not isinstance(anew, bytes):
        assert stays == anew
        return
    assert read_batch(stays) == read_batch(anew)
    assert not is_as_sent(stays) or (b"4111" in body) <= (b"4111" in anew)


def outcome(does: Callable[[], Any]) -> Any:
    """What comes of it, the sentence if that is a refusal."""
    try:
        return does()
    except (InvalidInput, AssertionError) as refusal:
        return type(refusal), str(refusal)


def test_of_no_events_nothing_is_kept() -> None:
    taker = Taker()
    body = body_of(CLICKS | {"events": []})
    for packed in (gzip.compress(body), b""):
        assert accept(body, taker.sender, NOW, taker.descriptors, taker.daily, packed=packed).payload is None


def test_an_id_in_large_letters_is_stored_as_ever() -> None:
    taker = Taker()
    packed = gzip.compress(body_of(batch(click(0), click(1, id=event_id(1).upper()))))
    assert read_batch(taker.kept(packed)) == taker.anew(packed)
