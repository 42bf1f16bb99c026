"""What the site's own servers may send, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.collector.conftest import NOW, Answer, Desk, batch, event_id

DAY = 86_400_000_000
TAKEN: Mapping[str, Mapping[str, Any]] = {
    "custom": {"name": "Invoice paid"},
    "identify": {"user": "ann"},
    "group": {"group_type": "company", "group": "acme"},
    "exposure": {"flag": "new-invoice", "variation": "on"},
}


def happened(kind: str = "custom", number: int = 0, at: int = NOW, **fields: Any) -> dict[str, Any]:
    return {"id": event_id(number), "type": kind, "time": at / 1_000} | dict(TAKEN.get(kind, {})) | fields


def send(desk: Desk, *events: Mapping[str, Any], **head: Any) -> Answer:
    return desk.send({"v": 1, "events": events} | head, key=desk.keys["shop", "server"])


def test_the_four_types_come_without_a_page_and_without_the_servers_user_agent(desk: Desk) -> None:
    events = [happened(kind, number) for number, kind in enumerate(TAKEN)]
    key = {"authorization": f"Bearer {desk.keys['shop', 'server']}"}
    answer = desk.send({"v": 1, "events": events}, key="", headers=key)
    assert answer.json == {"accepted": 4, "duplicates": 0, "rejected": []}
    [kept] = desk.kept()
    assert (kept.page, kept.device, kept.user_agent, kept.is_imported) == (None, "", "", False)
    assert [event.type for event in kept.events] == list(TAKEN)


@pytest.mark.parametrize("kind", ["click", "page_view", "reset", "web_vital"])
def test_every_other_type_is_rejected_by_name_and_takes_nothing_with_it(desk: Desk, kind: str) -> None:
    answer = send(desk, happened(kind, 1), happened())
    assert answer.json["accepted"] == 1
    assert answer.reasons == [
        f"a server key sends custom, identify, group and exposure events; {kind} happens in pages"
    ]


def test_an_event_of_a_page_is_rejected(desk: Desk) -> None:
    answer = desk.send(batch(happened()), key=desk.keys["shop", "server"])
    assert answer.json["accepted"] == 0
    assert "without a page" in answer.reasons[0]
    assert "no time" in send(desk, happened(time=None)).reasons[0]


@pytest.mark.parametrize(
    ("age", "clock_is_late_by", "is_taken"),
    [
        (30 * DAY, 0, True),
        (30 * DAY + 1_000_000, 0, False),
        (-DAY, 0, True),
        (40 * DAY, 15 * DAY, True),
        (20 * DAY, -15 * DAY, False),
    ],
)
def test_events_are_taken_up_to_thirty_days_back(
    desk: Desk, age: int, clock_is_late_by: int, is_taken: bool
) -> None:
    sent_at = (NOW - clock_is_late_by) / 1_000
    # An id that was drawn when it happened is as old.
    event = happened(at=NOW - age) | {"id": event_id(at=NOW - age)}
    answer = send(desk, event, happened(number=2), sent_at=sent_at)
    assert answer.json["accepted"] == 1 + is_taken
    assert answer.reasons == ([] if is_taken else ["its time is more than 30 days before its arrival"])


@pytest.mark.parametrize(
    ("head", "kept_device", "accepted"),
    [
        ({"device": "0199", "consent": "full"}, "0199", 1),
        ({"device": "0199"}, None, 0),
        ({"device": "undefined", "consent": "full"}, "", 1),
        ({"device": "null"}, "", 1),
        ({"device": "daily-0123456789abcdef01234567", "consent": "full"}, "", 1),
    ],
)
def test_a_device_is_named_with_consent_and_never_made_of_the_servers_address(
    desk: Desk, head: Mapping[str, Any], kept_device: str | None, accepted: int
) -> None:
    assert send(desk, happened(), **head).json["accepted"] == accepted
    assert [kept.device for kept in desk.kept()] == ([] if kept_device is None else [kept_device])


def test_ids_that_cannot_be_stored_are_rejected(desk: Desk) -> None:
    assert send(desk, happened(user="an\0n")).reasons == ["an id holds the character U+0000"]
    assert "not the id of a user" in send(desk, happened("identify", user="undefined")).reasons[0]


def test_origins_of_pages_say_nothing_about_servers(desk: Desk) -> None:
    answer = desk.send({"v": 1, "events": [happened()]}, key=desk.keys["blog", "server"])
    assert answer.json["accepted"] == 1
    assert desk.kept()[0].site == "blog"
