"""Bad input, one line a case: what is sent, the answer, what is kept. Numbers are rows of the table of inputs."""

# ruff: noqa: E501 (one line a case)

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from expost.collector import guard
from expost.collector.body import MAX_BODY_BYTES, MAX_UNPACKED_BYTES

from .conftest import NOW, Desk, batch, body_of, click, event_id

DEEP = 100_000


def raw(number: int, tail: str) -> bytes:
    """An event as bytes: for what no serialiser would write."""
    return body_of(click(number))[:-1] + b"," + tail.encode("utf-8", "surrogatepass") + b"}"


def around(*events: bytes) -> bytes:
    """A batch around events that are bytes already."""
    return body_of(batch() | {"events": []}).replace(b'"events":[]', b'"events":[' + b",".join(events) + b"]")


@dataclass(frozen=True)
class Case:
    """`kept` counts stored events; `reason` is part of the first refusal's reason or of the error."""

    row: int
    what: str
    content: Any
    status: int = 200
    kept: int = 0
    reason: str = ""
    hint: str = ""
    sent: dict[str, Any] = field(default_factory=dict)
    check: Callable[[Any], object] | None = None


def nested(depth: int) -> list[Any]:
    """Lists in lists."""
    return [nested(depth - 1)] if depth else []


def only(**fields: Any) -> dict[str, Any]:
    """A batch with a bad event between two good ones."""
    return batch(click(1), click(2, **fields), click(3))


def custom(properties: Any) -> dict[str, Any]:
    return batch(click(1), click(2, type="custom", name="Paid", properties=properties))


CASES = [
    Case(1, "truncated JSON", body_of(batch())[:-9], 400, reason="truncated"),
    Case(1, "empty body", b"", 400, reason="truncated"),
    Case(1, "not JSON", b"hello", 400, reason="malformed"),
    Case(1, "null", b"null", 400, reason="has to be"),
    Case(1, "a list", b"[]", 400, reason="has to be"),
    Case(1, "a number", b"17", 400, reason="has to be"),
    Case(1, "no version", {"events": [click()]}, 400, reason="v"),
    Case(2, "nested deep and closed", b'{"v":1,"events":' + b"[" * DEEP + b"]" * DEEP + b"}", 400, reason="deep"),
    Case(2, "nested deep and open", b'{"v":1,"events":' + b"[" * DEEP, 400, reason="deep"),
    Case(2, "deep in an unknown field", b'{"v":1,"x":' + b"[" * DEEP + b"]" * DEEP + b"}", 400, reason="deep"),
    Case(2, "deep properties", custom({"a": nested(50)}), kept=1,
         reason="nested too deep"),
    Case(3, "NaN", around(raw(1, '"seq":1'), raw(2, '"t":NaN')), kept=1, reason="out of range"),
    Case(3, "Infinity in properties", around(raw(1, '"seq":1'), raw(2, '"properties":{"a":-Infinity}')), kept=1,
         reason="out of range"),
    Case(3, "the word NaN in a text", around(raw(1, '"text":"NaN"'), raw(2, '"t":NaN')), kept=1,
         check=lambda kept: kept.events[0].text == "NaN"),
    Case(4, "10^30 as a time", around(raw(1, '"seq":1'), raw(2, '"t":1' + "0" * 30)), kept=1, reason="is greater than"),
    Case(4, "10^30 as a number of pixels", around(raw(1, '"seq":1'), raw(2, '"x":1' + "0" * 30)), kept=1, reason="is greater than"),
    Case(4, "10^30 in properties", custom({"n": 10**30, "m": 2**63}), kept=2,
         check=lambda kept: kept.events[1].properties == {"n": str(10**30), "m": str(2**63)}),
    Case(5, "400 digits in properties", custom({"n": 10**399, "m": "9" * 400}), kept=2,
         check=lambda kept: kept.events[1].properties == {"n": str(10**399), "m": "9" * 400}),
    Case(5, "10,000 digits in properties", around(raw(1, '"seq":1'), raw(2, '"properties":{"n":' + "9" * 10_000 + "}")),
         kept=1, reason="out of range"),
    Case(6, "text for a number", only(seq="two"), kept=2, reason="has to be a whole number"),
    Case(6, "null for a number", only(seq=None), kept=2, reason="has to be a whole number"),
    Case(6, "bool for a number", only(x=True), kept=2, reason="has to be a whole number"),
    Case(6, "float for a number", only(x=1.5), kept=2, reason="has to be a whole number"),
    Case(6, "a number for a text", only(label=5), kept=2, reason="has to be text"),
    Case(6, "a type that anyone may listen to", only(type="toggle"), kept=3),
    *(
        Case(6, f"the type {bad[:12]!r}", only(type=bad), kept=2, reason="its type ")
        for bad in ("", "7up", "a b", "click\n", "<b>", "ü", "x" * 61)
    ),
    Case(6, "an event that is a number", batch(click(1), 5, click(3)), kept=2, reason="it has to be an object"),
    Case(6, "a page that is a number", batch(page=5), 400, reason="page"),
    Case(7, "half an emoji", around(raw(1, '"text":"a\\ud83d"'), raw(2, '"text":"\\ud83d\\ude00 \\\\ud83d"')), kept=2,
         check=lambda kept: [each.text for each in kept.events] == ["a\ufffd", "😀 \\ud83d"]),
    Case(8, "U+0000 in a text", only(text="a\0b"), kept=3, check=lambda kept: kept.events[1].text == "a\0b"),
    Case(8, "U+0000 in an id", only(type="identify", user="a\0b"), kept=2, reason="U+0000"),
    Case(9, "raw control bytes", around(raw(1, '"text":"a\nb"')), 400, reason="malformed"),
    Case(9, "invalid UTF-8", around(raw(1, '"text":"X"')).replace(b"X", b"\xff"), 400, reason="UTF-8"),
    Case(9, "invalid UTF-8 in a part", around(raw(1, '"seq":"1"'), raw(2, '"text":"X"')).replace(b"X", b"\xff"), kept=0,
         reason="has to be"),
    Case(10, "UTF-16", body_of(batch()).decode().encode("utf-16"), 400, reason="malformed"),
    Case(10, "a BOM of UTF-8", b"\xef\xbb\xbf" + body_of(batch()), kept=1),
    Case(11, "a key twice", around(raw(1, '"text":"first","text":"last"')), kept=1,
         check=lambda kept: kept.events[0].text == "last"),
    Case(11, "a key of the head twice, by which its sender is told", body_of(batch()).replace(b'"session":1', b'"session":1,"session":4'),
         kept=1, check=lambda kept: kept.session == 4),
    Case(11, "a device twice", body_of(batch()).replace(b'"session"', b'"device":"last","session"'), kept=1,
         check=lambda kept: kept.device == "last"),
    Case(11, "a key of properties twice", around(raw(1, '"type":"custom","name":"x","properties":{"a":1,"b":2,"a":3}')), kept=1,
         check=lambda kept: kept.events[0].properties == {"a": 3, "b": 2}),
    Case(12, "a body over the limit", b" " * (MAX_BODY_BYTES + 1), 413, reason="larger"),
    Case(12, "a body over the limit in chunks", b" " * (MAX_BODY_BYTES + 1), 413, reason="larger", sent={"chunk": 65_536}),
    Case(12, "a Content-Length over the limit", b"{}", 413, reason="larger", sent={"headers": {"content-length": "9999999"}}),
    Case(12, "a Content-Length of many digits", b"{}", 413, reason="larger", sent={"headers": {"content-length": "9" * 400}}),
    Case(13, "a bomb", gzip.compress(b" " * 50_000_000), 413, reason="unpacks"),
    Case(13, "just over the cap", gzip.compress(b" " * (MAX_UNPACKED_BYTES + 1)), 413, reason="unpacks"),
    Case(14, "truncated gzip", gzip.compress(body_of(batch()))[:-12], 400, reason="too early"),
    Case(14, "gzip without its checksum", gzip.compress(body_of(batch()))[:-4], 400, reason="too early"),
    Case(14, "bytes after the gzip", gzip.compress(body_of(batch())) + b"x", 400, reason="follow"),
    Case(14, "two members", gzip.compress(body_of(batch())) * 2, 400, reason="follow"),
    Case(14, "damaged gzip", b"\x1f\x8bdamaged", 400, reason="damaged"),
    Case(15, "gzip without a header", gzip.compress(body_of(batch())), kept=1),
    Case(15, "a header without gzip", batch(), kept=1, sent={"headers": {"content-encoding": "gzip"}}),
    Case(16, "an unknown encoding", batch(), 415, reason="gzip", sent={"headers": {"content-encoding": "br"}}),
    Case(17, "a form", batch(), kept=1, sent={"headers": {"content-type": "application/x-www-form-urlencoded"}}),
    Case(17, "JSON", batch(), kept=1, sent={"headers": {"content-type": "application/json"}}),
    Case(17, "no content type", batch(), kept=1, sent={"headers": {"content-type": ""}}),
    Case(22, "an unknown key", batch(), 401, reason="opens no site", sent={"key": "xw_unknown"}),
    Case(22, "no key", batch(), 401, reason="opens no site", sent={"key": ""}),
    Case(24, "1,000 events", batch(*(click(number) for number in range(1_000))), kept=1_000),
    Case(24, "1,001 events", batch(*(click(number) for number in range(1_001))), 413, reason="1001 events",
         hint="Split it into batches of at most 1000"),
    Case(25, "a text of 300 kB", only(text="x" * 300_000), kept=3,
         check=lambda kept: len(kept.events[1].text) == 2_000 and kept.events[1].marks == ["text"]),
    Case(25, "a title and a URL of 30 kB", batch(views=[{"url": "/" + "x" * 30_000, "title": "y" * 30_000}]), kept=1,
         check=lambda kept: kept.views[0].marks == ["url", "title"] and len(kept.views[0].title) == 200),
    Case(25, "a release, an environment and a version of consent of 300 characters",
         batch(release="r" * 300, environment="e" * 300, consent_version="c" * 300), kept=1,
         check=lambda kept: (kept.release, kept.environment, kept.consent_version) == tuple(each * 199 + "…" for each in "rec")),
    Case(25, "a device of 300 characters", batch(device="d" * 300, release="r" * 300), 400,
         reason="its device has more than 200 characters"),
    Case(6, "a release that is no text", batch(release=5), 400, reason="its release has to be text"),
    Case(25, "properties of 300 kB", custom({"a": "x " * 150_000}), kept=1, reason="too large"),
    Case(25, "a name of 300 kB", batch(click(1), click(2, type="custom", name="x" * 300_000)), kept=1, reason="has more than"),
    Case(26, "an id twice", batch(click(1, text="first"), click(1, text="second"), click(2)), kept=2,
         check=lambda kept: [each.text for each in kept.events] == ["first", None]),
    Case(26, "an id twice, once in capitals", batch(click(11, text="first"), click(11, id=event_id(11).upper())), kept=1,
         check=lambda kept: [each.text for each in kept.events] == ["first"]),
    Case(27, "no id", batch({"type": "click"}, click(1)), kept=1, reason="it has no id"),
    *(
        Case(27, f"the id {bad[:12]!r}", only(id=bad), kept=2, reason="its id ")
        for bad in ("", "x" * 10_000, "../../etc/passwd", event_id(2) + "\n", event_id(2)[:-1] + "\0", "%2e%2e", "7" * 36)
    ),
    Case(27, "a page id that is a path", batch(page={"id": "../x", "start": 1}), 400, reason="page.id"),
    Case(28, "values that look like partitions", only(type="custom", name="__HIVE_DEFAULT_PARTITION__", text="../../x"),
         kept=3),
    Case(29, "1970", batch(click(1, t=0.0), page={"id": event_id(9), "start": 0}), kept=1,
         check=lambda kept: kept.page.start == 0 and kept.received_at == NOW),
    Case(29, "2100", batch(page={"id": event_id(9), "start": 4_102_444_800_000}), kept=1),
    Case(29, "negative", batch(page={"id": event_id(9), "start": -5}), kept=1),
    Case(29, "no sent_at", {key: value for key, value in batch().items() if key != "sent_at"}, kept=1,
         check=lambda kept: kept.sent_at is None),
    Case(44, "what looks like a server's", batch(click(1, type="custom", name="Paid", time=NOW / 1000), page=None), kept=0,
         reason="servers send with a server key"),
    *(
        Case(30, f"identify {user!r}", only(type="identify", user=user), kept=2, reason="not the id of a user")
        for user in ("undefined", "null", "[object Object]", "00000000-0000-0000-0000-000000000000", "anonymous", "", " NULL ")
    ),
    Case(30, "identify without a user", only(type="identify"), kept=2, reason="not the id of a user"),
    Case(6, "a custom event with a blank name", only(type="custom", name="  "), kept=2, reason="has a name"),
    Case(30, "group undefined", only(type="group", group_type="company", group="undefined"), kept=2, reason="group"),
    *(
        Case(30, f"device {device!r}", batch(device=device), kept=1, check=lambda kept: kept.device.startswith("daily-"))
        for device in ("undefined", "null", "[object Object]", "00000000-0000-0000-0000-000000000000", "anonymous", "", "daily-1")
    ),
    Case(31, "HTML and scripts", only(text="<script>alert(1)</script>", label="javascript:alert(1)"), kept=3,
         check=lambda kept: kept.events[1].text == "<script>alert(1)</script>"),
    Case(32, "secrets in text", only(text="4111 1111 1111 1111", label="ann@shop.example"), kept=3,
         check=lambda kept: (kept.events[1].text, kept.events[1].label, kept.events[1].marks) == ("…", "…", ["text", "label"])),
    Case(32, "secrets in an attribute", batch(descriptors=[["a", None, None, {"title": "ann@shop.example", "href": "/x?t=1"}]]),
         kept=1, check=lambda kept: kept.descriptors[0].attributes == {"title": "…", "href": "/x?t=…"}),
    Case(32, "the contents of a field", batch(descriptors=[["input", None, None, {"value": "hunter2"}, ["value"]]]), kept=1,
         check=lambda kept: kept.descriptors[0].attributes == {} and kept.descriptors[0].names == []),
    Case(32, "secrets in an address", batch(views=[{"url": "https://a.example/?email=x&utm_source=y#t=1"}]), kept=1,
         check=lambda kept: kept.views[0].url == "https://a.example/?email=…&utm_source=y#t=…"),
    Case(32, "a card in properties", custom({"card": "4111111111111111", "email": "ann@shop.example"}), kept=2,
         check=lambda kept: kept.events[1].properties == {"card": "…", "email": "ann@shop.example"}),
    Case(36, "direction marks and look-alikes", only(type="custom", name="\u202eрaid"), kept=3),
    Case(37, "escapes in a user agent", batch(), kept=1, sent={"headers": {"user-agent": "x\x1b[31m\r\nForged"}}),
    Case(38, "a property that changes its type", batch(
        *(click(n, type="custom", name="x", properties={"p": p}) for n, p in enumerate((1, "1", None, [1])))), kept=4),
    Case(39, "a chain of 500", batch(click(0, el=499), elements=[[0, number - 1] for number in range(500)]), kept=1,
         check=lambda kept: sum(each.flags & 2 for each in kept.elements) == 2 and kept.elements[256].parent == -1),
    Case(39, "1,000 classes", batch(descriptors=[["a", None, " ".join(f"class-{number}" for number in range(1_000))]]), kept=1,
         check=lambda kept: kept.descriptors[0].marks == ["class"] and len(kept.descriptors[0].class_name) == 4_000),
    *(
        Case(6, f"counts {bad!r}"[:40], batch(counts=bad), kept=1, check=lambda kept: kept.counts == {})
        for bad in (5, "x", [1], None, True, {"a": 1, "1": "x", "2": -1, "3": 1.5, "4": True, "": 1, "-5": 1, "6": 10**30, "0": 1,
                    "9" * 30: 1, "\u0663": 1, "7": [[]], "8": 0})
    ),
    Case(39, "10,000 counts", batch(counts={str(page): page for page in range(1, 10_001)}), kept=1,
         check=lambda kept: kept.counts == {page: page for page in range(9_969, 10_001)}),
    Case(46, "a version from the future", {"v": 2, "events": {"what": "ever"}}, 204, sent={"wants_json": False}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.row}-{case.what}")
def test_each_input_gets_its_answer(shared_desk: Desk, case: Case) -> None:
    before = time.process_time()
    answer = shared_desk.send(case.content, **case.sent)
    assert time.process_time() - before < 1.5
    assert answer.status == case.status, answer.body
    assert answer.headers["access-control-allow-origin"] == "*"
    if case.status == 200:
        assert answer.json["accepted"] == case.kept
        if case.reason:
            assert case.reason in answer.reasons[0]
    elif case.reason:
        assert case.reason in answer.json["error"]["message"]
        assert case.hint in answer.json["error"]["hint"]
    kept = shared_desk.kept()
    assert sum(len(each.events) for each in kept) == case.kept
    if case.check:
        assert case.check(kept[0])


def _least_cpu(desk: Desk, content: bytes, status: int) -> float:
    """What an answer costs at least: what others do to the caches meanwhile is left out."""
    found = []
    for _ in range(5):
        before = time.process_time()
        assert desk.send(content).status == status
        found.append(time.process_time() - before)
    desk.kept()
    return min(found)


def test_what_is_nested_deep_costs_about_what_a_batch_of_its_size_costs(shared_desk: Desk) -> None:
    sound = body_of(custom({f"p{number}": "x" * 80 for number in range(2_200)}))
    usual = _least_cpu(shared_desk, sound, 200)
    for case in CASES:
        if case.row == 2 and case.status == 400:
            assert len(case.content) < 1.1 * len(sound)
            # Milliseconds, as the other: a parser that looked at each level again would take seconds.
            assert _least_cpu(shared_desk, case.content, 400) < 5 * usual, case.what


# A part that points nowhere takes with it what points to it, and nothing else.
POINTING = [
    ("an element after its child", {"elements": [[0, 1], [0]]}, [0, 1], 1),
    ("an element that is its own parent", {"elements": [[0, 0], [0]]}, [0, 1], 1),
    ("an element without a descriptor", {"elements": [[5], [0]]}, [0, 1], 1),
    ("a child of a bad element", {"elements": [[5], [0, 0], [0]]}, [1, 2], 1),
    ("a bad previous sibling", {"elements": [[0, -1, 2, 2, 1, 1, [9]], [0]]}, [0, 1], 1),
    ("an element of words", {"elements": [["x"], [0]]}, [0, 1], 1),
    ("a descriptor of words", {"descriptors": [5, ["a"]], "elements": [[0], [1]]}, [0, 1], 1),
    ("an element beyond the table", {}, [0, 7], 1),
    ("too many previous siblings", {"elements": [[0, -1, 9, 9, 1, 1, [0] * 21], [0]]}, [0, 1], 1),
]  # fmt: skip


@pytest.mark.parametrize(("what", "head", "targets", "kept"), POINTING, ids=[each[0] for each in POINTING])
def test_an_event_that_points_nowhere_is_refused_alone(
    shared_desk: Desk, what: str, head: dict[str, Any], targets: list[int], kept: int
) -> None:
    events = [click(number, el=target, label=str(target)) for number, target in enumerate(targets)]
    answer = shared_desk.send(batch(*events, **head))
    assert answer.json["accepted"] == kept
    assert "which is not there" in answer.reasons[0]
    [stored] = shared_desk.kept()
    for event in stored.events:
        assert stored.descriptors[stored.elements[event.el].descriptor].tag in ("a", "button")


@pytest.mark.parametrize(
    ("fields", "head"),
    [
        ({"view": 3}, {}),
        ({"view": -1}, {}),
        ({"view": 1}, {"views": [{"url": "/"}, {"url": 5}]}),
        ({"set": 0}, {}),
        ({"set": 0}, {"sets": [5]}),
        ({"set": 0}, {"sets": [{"a": "x" * 20_000}]}),
    ],
)
def test_a_view_or_set_that_is_not_there_refuses_its_event(
    shared_desk: Desk, fields: dict[str, Any], head: dict[str, Any]
) -> None:
    answer = shared_desk.send(batch(click(1), click(2, **fields), **head))
    assert answer.json["accepted"] == 1
    assert "it points to" in answer.reasons[0]


@pytest.mark.parametrize("size", [50_000_000, 500_000_000])
def test_a_bomb_takes_no_more_memory_than_the_cap_however_large_it_is(shared_desk: Desk, size: int) -> None:
    bomb = b"".join(zipped_zeros(size))
    tracemalloc.start()
    try:
        assert shared_desk.send(bomb).status == 413
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * MAX_UNPACKED_BYTES


def zipped_zeros(size: int) -> Iterator[bytes]:
    """So many zeros as gzip, of which this process never holds more than a piece."""
    packer = zlib.compressobj(wbits=31)
    for _ in range(size // 1_000_000):
        yield packer.compress(bytes(1_000_000))
    yield packer.flush()


def test_no_sender_is_waited_for_longer_than_ten_seconds() -> None:
    assert max(guard.HEAD_SECONDS, guard.BODY_SECONDS) + guard.LOOK_EVERY_SECONDS < 10


def test_ids_that_name_nobody_are_of_one_visitor_each(desk: Desk) -> None:
    for peer in ("198.51.100.7", "198.51.100.8"):
        for device in ("undefined", "null", "anonymous"):
            desk.send(batch(device=device), peer=peer)
    devices = [each.device for each in desk.kept()]
    assert (len(devices), len(set(devices))) == (6, 2)


def test_no_bad_event_of_a_hundred_takes_a_good_one_with_it(desk: Desk) -> None:
    events = [click(number) if number % 2 else click(number, x="bad") for number in range(200)]
    answer = desk.send(batch(*events))
    assert answer.json["accepted"] == 100
    assert [each["id"] for each in answer.json["rejected"]] == [events[at]["id"] for at in range(0, 200, 2)]


def test_what_is_refused_is_kept_masked_with_its_reason(desk: Desk) -> None:
    desk.send(only(x="ann@shop.example"))
    desk.send(b"{" + b"secret ann@shop.example " * 10_000)
    desk.send(b"nothing of this is kept", key="xw_wrong")
    first, second = desk.rejected()
    assert first["id"] == event_id(2)
    assert "has to be a whole number" in first["reason"]
    assert "…" in first["content"]
    assert "ann@" not in first["content"] + second["content"]
    assert len(second["content"]) <= 64_000


def test_a_version_from_the_future_is_kept_whole(desk: Desk) -> None:
    desk.send({"v": 7, "text": "what ever"})
    assert [each["reason"] for each in desk.rejected()] == [
        "This batch has wire version 7; this collector reads up to 1."
    ]
