from __future__ import annotations

import errno
import os
import time
from typing import Any

import msgspec
import pytest

from expost.lake.disk import Disk
from expost.state.keys import revoke_key
from expost.state.sites import change_site

from .conftest import CHROME, NOW, Answer, Desk, batch, click, event_id

DAY = 86_400_000_000


def test_a_beacon_gets_204_and_one_who_asks_gets_a_verdict(desk: Desk) -> None:
    silent = desk.send(batch(), wants_json=False)
    assert (silent.status, silent.body) == (204, b"")
    told = desk.send(batch(click(1), click(1), click(2, x="bad")))
    assert told.json == {
        "accepted": 1,
        "duplicates": 1,
        "rejected": [{"id": event_id(2), "reason": "its x has to be a whole number or null, and is 'text'"}],
    }


def test_an_id_that_comes_with_something_else_is_a_conflict_and_the_first_is_kept(desk: Desk) -> None:
    desk.send(batch(click(1, label="Buy"), click(1, label="Buy"), click(1, label="Sell"), click(2)))
    tally = desk.collector.tally
    assert (tally.accepted_events, tally.duplicate_events, tally.conflicting_events) == (2, 2, 1)
    assert [event.label for event in desk.kept()[0].events] == ["Buy", None]


def test_what_is_acknowledged_is_what_the_journal_holds(desk: Desk) -> None:
    desk.send(batch(click(1, label="Buy now", x=10, y=20)), zipped=True)
    [kept] = desk.kept()
    assert (kept.site, kept.received_at, kept.consent, kept.is_imported) == ("shop", NOW, "full", False)
    assert (kept.device, kept.user_agent, kept.sent_at) == (event_id(7_777), CHROME, NOW / 1_000)
    assert kept.page is not None
    assert kept.page.id == event_id(9_999)
    assert (kept.events[0].label, kept.events[0].x, kept.descriptors[0].dom_id) == ("Buy now", 10, "buy")


def test_an_empty_batch_is_fine_and_keeps_nothing(desk: Desk) -> None:
    assert desk.send(batch() | {"events": []}).json["accepted"] == 0
    assert desk.kept() == []


@pytest.mark.parametrize(
    ("method", "status", "header", "value"),
    [
        ("OPTIONS", 204, "access-control-max-age", "86400"),
        ("GET", 405, "allow", "POST, OPTIONS"),
        ("HEAD", 405, "allow", "POST, OPTIONS"),
        ("PUT", 405, "allow", "POST, OPTIONS"),
        ("DELETE", 405, "allow", "POST, OPTIONS"),
    ],
)
def test_other_methods(desk: Desk, method: str, status: int, header: str, value: str) -> None:
    answer = desk.send(batch(), method=method)
    assert (answer.status, answer.headers[header]) == (status, value)
    assert method != "HEAD" or answer.body == b""
    assert desk.kept() == []


def test_half_a_body_keeps_nothing_and_says_nothing(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    import asyncio

    messages: list[Any] = [
        {"type": "http.request", "body": b'{"v":1,', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    query = f"k={desk.keys['shop', 'write']}".encode()
    scope: Any = {
        "type": "http",
        "method": "POST",
        "path": "/e",
        "query_string": query,
        "client": None,
        "headers": [],
    }
    asyncio.run(desk.collector(scope, receive, send))
    assert (sent, desk.kept(), desk.rejected(), caplog.records) == ([], [], [], [])


def test_a_key_works_at_once_and_stops_working_when_revoked(desk: Desk) -> None:
    key = desk.keys["shop", "write"]
    assert desk.send(batch(), key=key).status == 200
    revoke_key(desk.state, key, lambda: 5)
    wait_for_look()
    assert desk.send(batch(), key=key).status == 401


def test_a_key_decides_the_site_whatever_the_batch_says(desk: Desk) -> None:
    origin = {"origin": "https://blog.example"}
    desk.send(batch() | {"site": "shop", "k": "x"}, key=desk.keys["blog", "write"], headers=origin)
    assert desk.kept()[0].site == "blog"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://blog.example", 200),
        ("https://evil.example", 403),
        ("http://blog.example", 403),
        ("https://blog.example:444", 403),
        ("null", 403),
        (None, 200),
    ],
)
def test_only_pages_of_the_site_may_send_once_origins_are_set(
    desk: Desk, origin: str | None, status: int
) -> None:
    headers = {"origin": origin} if origin else {}
    answer = desk.send(batch(), key=desk.keys["blog", "write"], headers=headers)
    assert answer.status == status
    assert desk.send(batch(), key=desk.keys["shop", "write"], headers=headers).status == 200


def test_origins_that_are_set_later_are_in_force_at_once(desk: Desk) -> None:
    change_site(desk.state, "shop", origins=("https://shop.example", "null"))
    wait_for_look()
    assert desk.send(batch(), headers={"origin": "https://evil.example"}).status == 403
    assert desk.send(batch(), headers={"origin": "null"}).status == 200


def test_history_comes_with_an_import_key_and_is_taken_as_it_is(desk: Desk) -> None:
    old = event_id(1, NOW - 900 * DAY)
    page = {"id": event_id(2, NOW - 900 * DAY), "start": (NOW - 900 * DAY) / 1_000}
    history = batch({"id": old, "type": "page_view"}, page=page, device="ann", consent="cookieless")
    assert desk.send(history, key=desk.keys["shop", "import"]).json["accepted"] == 1
    secret = {"authorization": f"Bearer {desk.keys['shop', 'import']}"}
    assert desk.send(history, key="", headers=secret).json["accepted"] == 1
    [kept, _] = desk.kept()
    assert (kept.is_imported, kept.device, kept.consent) == (True, "ann", "cookieless")


def test_a_recording_that_is_played_again_after_a_week_is_stale(desk: Desk) -> None:
    desk.now = NOW + 7 * DAY + 2_000_000
    answer = desk.send(batch())
    assert answer.json["accepted"] == 0
    assert answer.reasons == ["it is more than seven days old"]
    desk.now = NOW + 7 * DAY - 2_000_000
    assert desk.send(batch()).json["accepted"] == 1


def test_without_consent_a_visitor_has_one_id_for_one_day(desk: Desk) -> None:
    def device(**options: Any) -> str:
        resets = options.pop("resets", 0)
        desk.send(batch(consent="cookieless", device="x", resets=resets), **options)
        return desk.kept()[0].device

    first = device()
    assert first.startswith("daily-")
    assert device() == first
    assert device(peer="198.51.100.8") != first
    assert device(headers={"user-agent": "other"}) != first
    assert device(resets=1) != first
    assert device(key=desk.keys["blog", "write"]) != first
    desk.collector = desk.new_collector()
    assert device() == first
    desk.now += DAY
    assert device() != first


def test_server_events_without_a_device_have_none(desk: Desk) -> None:
    event = {"id": event_id(1), "type": "custom", "name": "Paid", "time": NOW / 1_000}
    desk.send({"v": 1, "events": [event]}, key=desk.keys["shop", "server"])
    [kept] = desk.kept()
    assert (kept.device, kept.page, kept.environment) == ("", None, "production")


def test_forwarded_addresses_are_believed_from_configured_proxies_only(desk: Desk) -> None:
    def device(peer: str, forwarded: str) -> str:
        desk.send(batch(consent="cookieless"), peer=peer, headers={"x-forwarded-for": forwarded})
        return desk.kept()[0].device

    assert device("10.0.0.1", "192.0.2.1") == device("10.0.0.1", "192.0.2.2")
    desk.collector = desk.new_collector(trusted_proxies=("10.0.0.0/8",))
    assert device("10.0.0.1", "6.6.6.6, 192.0.2.1") == device("10.0.0.2", "192.0.2.1")
    assert device("10.0.0.1", "192.0.2.1") != device("10.0.0.1", "192.0.2.2")
    assert device("192.0.2.9", "192.0.2.1") == device("192.0.2.9", "192.0.2.2")


@pytest.mark.parametrize(
    ("url", "is_internal"),
    [("http://localhost:3000/x", True), ("http://127.0.0.1/", True), ("http://shop.localhost/", True),
     ("http://[::1]/", True),
     ("https://shop.example/", False), ("http://localhost.evil.example/", False), ("not a url", False)],
)  # fmt: skip
def test_pages_on_the_developers_machine_are_internal_once_the_site_is_public(
    desk: Desk, url: str, is_internal: bool
) -> None:
    desk.send(batch(views=[{"url": url}]))
    desk.send(batch(views=[{"url": url}]), key=desk.keys["blog", "write"])
    assert [kept.is_internal for kept in desk.kept()] == [False, is_internal]


def test_a_page_says_that_its_visitor_is_internal_and_which_text_was_agreed_to(desk: Desk) -> None:
    desk.send(batch())
    desk.send(batch(internal=True, consent_version="2026-11"))
    told = [(kept.is_internal, kept.consent_version) for kept in desk.kept()]
    assert told == [(False, ""), (True, "2026-11")]


@pytest.mark.parametrize(
    ("head", "kind", "is_kept"),
    [
        ({}, "write", True),
        ({"consent": "cookieless"}, "write", False),
        ({"device": "undefined"}, "write", False),
        ({"device": "daily-1"}, "write", False),
        ({}, "import", False),
    ],
)
def test_counts_of_other_pages_are_kept_of_browsers_that_have_a_name_of_their_own(
    desk: Desk, head: dict[str, Any], kind: str, is_kept: bool
) -> None:
    desk.send(batch(counts={"3": 12, "4": 7}, **head), key=desk.keys["shop", kind])
    [kept] = desk.kept()
    assert kept.counts == ({3: 12, 4: 7} if is_kept else {})


@pytest.mark.parametrize(("consent", "numbers"), [("full", (3, 2)), ("cookieless", (0, 0))])
def test_which_page_and_session_of_a_browser_it_is_is_kept_of_those_that_agreed(
    desk: Desk, consent: str, numbers: tuple[int, int]
) -> None:
    page = {"id": event_id(1), "start": NOW / 1_000, "ordinal": 3}
    desk.send(batch(consent=consent, page=page, session=2))
    [kept] = desk.kept()
    assert kept.page is not None
    assert ((kept.page.ordinal, kept.session), kept.page.id) == (numbers, page["id"])


def test_the_visitors_address_is_written_nowhere(desk: Desk) -> None:
    for consent in ("full", "cookieless"):
        desk.send(batch(click(1), click(2, x="bad"), consent=consent), peer="203.0.113.77")
    desk.journal.seal()
    written = b"".join(path.read_bytes() for path in desk.folder.path.rglob("*") if path.is_file())
    assert b"203.0.113.77" not in written
    assert b"buy" in written


def test_a_disk_that_takes_nothing_makes_senders_come_back(desk: Desk) -> None:
    def refuse(descriptor: int, data: bytes | memoryview) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    desk.journal._disk = Disk(write=refuse)
    answer = desk.send(batch())
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert "No space left" in answer.json["error"]["message"]
    desk.journal._disk = Disk()
    time.sleep(0.25)
    assert desk.send(batch()).status == 200
    assert len(desk.kept()) == 1


def test_more_bodies_at_once_than_memory_allows_are_asked_to_come_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("expost.collector.capture.MAX_HELD_BYTES", 1_000)
    assert desk.send(batch()).status == 503
    assert desk.send(batch(), headers={"content-length": "900"}).status == 200


def test_a_mistake_of_ours_is_answered_and_logged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("expost.collector.capture.accept", lambda *_: 1 / 0)
    assert desk.send(batch()).status == 500
    assert "ZeroDivisionError" in caplog.text


def test_every_answer_can_be_read_by_the_page(desk: Desk) -> None:
    answers: list[Answer] = [
        desk.send(batch()),
        desk.send(b"x"),
        desk.send(batch(), key="x"),
        desk.send(b"", method="OPTIONS"),
    ]
    assert {answer.headers["access-control-allow-origin"] for answer in answers} == {"*"}


def test_a_batch_survives_the_journal_unchanged(desk: Desk) -> None:
    desk.send(batch(click(1, properties={"a": [1, 2.5, None, True, {"b": "ü"}]}), sets=[{"plan": "pro"}]))
    [kept] = desk.kept()
    assert kept.events[0].properties == {"a": [1, 2.5, None, True, {"b": "ü"}]}
    assert kept.sets == [{"plan": "pro"}]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(kept), type=type(kept)) == kept


def wait_for_look() -> None:
    time.sleep(0.3)
