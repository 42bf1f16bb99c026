from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from expost.collector.descriptors import Descriptors
from expost.collector.masks import Masks
from expost.collector.places import are_sound
from expost.collector.wire import decode
from expost.lake.batch import Descriptor

from .conftest import Desk


class Sent(msgspec.Struct):
    descriptors: list[Descriptor]


GOLDEN = sorted((Path(__file__).parents[1] / "golden" / "wire").glob("*.json"))


def read(kept: msgspec.Raw | None) -> Descriptor:
    """A descriptor as the journal keeps it."""
    assert kept is not None
    return msgspec.msgpack.decode(kept, type=Descriptor)


def test_there_are_golden_batches() -> None:
    assert GOLDEN


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_every_golden_batch_is_read_for_ever_without_a_refusal(path: Path) -> None:
    body = path.read_bytes()
    decoded = decode(body, Descriptors(Masks()))
    assert decoded.refused == []
    assert len(decoded.events) == len(json.loads(body)["events"])
    assert all(decoded.elements)
    assert all(decoded.descriptors)
    assert are_sound([each for each in decoded.elements if each], len(decoded.descriptors))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_what_the_snippet_masked_the_collector_does_not_change(path: Path) -> None:
    decoded, masks = decode(path.read_bytes(), Descriptors(Masks())), Masks()
    sent = msgspec.json.decode(path.read_bytes(), type=Sent)
    assert [read(each) for each in decoded.descriptors] == sent.descriptors
    for view in decoded.views:
        assert view is not None
        assert masks.view(view) is view
    for event in decoded.events:
        assert masks.event(event) is event


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_every_golden_batch_is_accepted_whole(shared_desk: Desk, path: Path) -> None:
    content = json.loads(path.read_bytes())
    # Only the age of its ids is a matter of when it is read.
    shared_desk.now = max(int(each["id"][:8] + each["id"][9:13], 16) for each in content["events"]) * 1_000
    answer = shared_desk.send(content)
    assert answer.json == {"accepted": len(content["events"]), "duplicates": 0, "rejected": []}
    [kept] = shared_desk.kept()
    assert msgspec.json.encode(kept.elements) == msgspec.json.encode(
        decode(path.read_bytes(), Descriptors(Masks())).elements
    )


def test_a_descriptor_is_read_once_and_one_with_a_secret_is_not_remembered() -> None:
    descriptors = Descriptors(Masks())
    clean, secret, bad = (
        msgspec.Raw(text) for text in (b'["a","x"]', b'["a","ann@shop.example"]', b'["a",5]')
    )
    first, masked, nothing = descriptors.read([clean, secret, bad])
    again, masked_again, _ = descriptors.read([clean, secret, bad])
    assert again is first
    assert read(masked) == read(masked_again) == Descriptor("a", "…", marks=["id"])
    assert nothing is None
    assert list(descriptors._known) == [b'["a","x"]']
    descriptors.forget()
    assert not descriptors._known
