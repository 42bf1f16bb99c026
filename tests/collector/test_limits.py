"""Who sends too much is asked to come back: by device, by address and by key, in bounded memory."""

from __future__ import annotations

import http.client
from typing import Any

import pytest

from expost.collector import capture
from expost.collector.accept import Verdict, accept
from expost.collector.limits import Buckets, Holder, Limits, Rate, TooManyEvents
from expost.settings import Settings

from .conftest import Desk, batch, body_of, click, event_id
from .test_guard import running


def clicks(count: int, device: int = 1, **head: object) -> dict[str, object]:
    return batch(*(click(number) for number in range(count)), device=event_id(device), **head)


@pytest.fixture
def limited(desk: Desk) -> Desk:
    """A collector with small limits whose clock for them is set by hand."""
    desk.limit(device=(10, 20), address=(30, 40), key=(0, 0))
    return desk


def test_the_defaults_are_those_that_the_papers_name() -> None:
    settings = Settings()
    assert settings.events_burst == 2_000
    assert (settings.device_events_per_second, settings.address_events_per_second) == (100, 1_000)


def test_a_device_may_send_its_burst_and_then_its_rate(limited: Desk) -> None:
    assert limited.send(clicks(20)).status == 200
    refused = limited.send(clicks(10))
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    assert refused.json["error"]["code"] == "too_many_events"
    assert "retry-after" in refused.headers["access-control-expose-headers"]
    limited.seconds += 1
    assert limited.send(clicks(10)).status == 200
    assert sum(len(each.events) for each in limited.kept()) == 30
    assert limited.collector.tally.limited == {"device": 1}


def test_a_batch_of_a_device_beyond_its_limit_is_refused_before_its_events_are_read(
    limited: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [limited.send(clicks(20)).status for _ in range(2)] == [200, 429]
    read: list[bytes] = []

    def accept_and_note(content: bytes, *more: Any, **named: Any) -> Verdict:
        read.append(content)
        return accept(content, *more, **named)

    monkeypatch.setattr(capture, "accept", accept_and_note)
    # Properties may name any device: it is the batch's own that counts.
    other = clicks(1, 2, sets=[{"device": event_id(1)}])
    assert [limited.send(clicks(1)).status, limited.send(other).status] == [429, 200]
    assert len(read) == 1
    limited.seconds += 1
    assert limited.send(clicks(10)).status == 200


def test_a_daily_device_beyond_its_limit_is_refused_before_its_events_are_read(limited: Desk) -> None:
    assert [limited.send(clicks(20, consent="cookieless")).status for _ in range(3)] == [200, 429, 429]
    assert limited.collector.tally.limited == {"device": 2}


def test_devices_of_one_address_share_its_limit_and_others_do_not_notice(limited: Desk) -> None:
    assert [limited.send(clicks(20, device)).status for device in (1, 2, 3)] == [200, 200, 429]
    assert limited.send(clicks(20, 4), peer="192.0.2.9").status == 200
    assert limited.collector.tally.limited == {"address": 1}


def test_of_ipv6_the_leading_64_bits_are_one_address(limited: Desk) -> None:
    peers = ("2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1")
    assert [limited.send(clicks(20, number), peer=peer).status for number, peer in enumerate(peers)] == [
        200, 200, 429, 200,
    ]  # fmt: skip


def test_visitors_behind_a_trusted_proxy_are_told_apart(desk: Desk) -> None:
    desk.limit(device=(0, 0), address=(10, 20), key=(0, 0), trusted_proxies=("10.0.0.0/8",))
    for number in range(3):
        headers = {"x-forwarded-for": f"6.6.6.6, 192.0.2.{number}"}
        assert desk.send(clicks(20), peer="10.0.0.1", headers=headers).status == 200
    assert (
        desk.send(clicks(20), peer="10.0.0.1", headers={"x-forwarded-for": "7.7.7.7, 192.0.2.1"}).status
        == 429
    )


def test_a_key_has_a_limit_of_its_own(desk: Desk) -> None:
    desk.limit(device=(0, 0), address=(0, 0), key=(10, 20))
    assert [desk.send(clicks(20, n), peer=f"192.0.2.{n}").status for n in (1, 2)] == [200, 429]
    origin = {"origin": "https://blog.example"}
    assert desk.send(clicks(20), key=desk.keys["blog", "write"], headers=origin).status == 200


def test_history_has_no_limit(limited: Desk) -> None:
    for _ in range(5):
        assert limited.send(clicks(20), key=limited.keys["shop", "import"]).status == 200


def test_bad_batches_count_for_the_address_and_refused_ones_are_not_read(limited: Desk) -> None:
    for _ in range(40):
        assert limited.send(b"nonsense").status == 400
    lines = len(limited.rejected())
    assert limited.send(b"nonsense").status == 429
    assert len(limited.rejected()) == lines


def test_a_batch_larger_than_the_burst_passes_a_full_bucket() -> None:
    limits = Limits({"device": Rate(10, 20)})
    (ann,) = limits.places({"device": "ann"})
    assert ann.wait(50, 0.0) == 0
    limits.take((ann,), 50, 0.0)
    assert ann.wait(1, 3.0) == pytest.approx(0.1)


def test_a_batch_takes_from_every_bucket_or_from_none() -> None:
    limits = Limits({"address": Rate(10, 20), "device": Rate(10, 5)})
    limits.take(limits.places({"address": "a", "device": "d"}), 5, 0.0)
    with pytest.raises(TooManyEvents):
        limits.take(limits.places({"address": "a", "device": "d"}), 5, 0.0)
    limits.take(limits.places({"address": "a", "device": "other"}), 15, 0.0)


def test_a_million_names_take_the_memory_of_a_few() -> None:
    buckets = Buckets("device", Rate(1, 10), most=100)
    for number in range(10_000):
        buckets.find(str(number)).full_at += 1
        buckets.find("busy").full_at += 1
    assert len(buckets) <= 100
    assert buckets.find("busy").wait(1, 0.0) > 9_000


@pytest.mark.parametrize("holder", ["address", "device"])
def test_a_bucket_that_is_held_on_to_is_found_again_before_it_is_forgotten(holder: Holder) -> None:
    limits = Limits({holder: Rate(1, 10)}, most=4)
    names: dict[Holder, str] = {holder: "busy"}
    era, held = limits.era, limits.places(names)
    limits.take(held, 10, 0.0)
    for number in range(20):
        limits.places({holder: str(number)})
        if limits.era != era:
            era, held = limits.era, limits.places(names)
    assert era > 0
    with pytest.raises(TooManyEvents):
        limits.take(limits.places(names), 1, 0.0)


def test_a_known_head_counts_where_its_address_does_after_many_others_came(limited: Desk) -> None:
    limited.count_by(Limits({"address": Rate(10, 30)}, most=4))
    assert limited.send(clicks(20)).status == 200
    for number in range(20):
        assert limited.send(clicks(1, number), peer=f"192.0.2.{number + 100}").status == 200
        assert limited.send(clicks(0)).status in (200, 429)
    assert limited.send(clicks(20), headers={"x-other": "head"}).status == 429


def test_a_device_counts_once_for_all_heads_that_are_known_after_many_others_came(limited: Desk) -> None:
    limited.limit(device=(10, 20))
    limited.count_by(Limits({"device": Rate(10, 20)}, most=8))
    with running(limited) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

        def statuses(browser: str, *sent: tuple[int, int]) -> list[int]:
            return [status(connection, limited, browser, clicks(*each)) for each in sent]

        # The first of a head is parsed, the others are known. Behind one head may be two devices.
        assert statuses("one", (1, 1), (9, 1), (10, 2), (9, 1), (10, 2)) == [204] * 5
        assert statuses("one", (5, 1), (5, 2), (1, 1), (1, 1)) == [429, 429, 204, 429]
        # Others come, more than are remembered, and one of the two goes on with the head that is known.
        for number in range(20):
            assert statuses("many", (1, 100 + number)) == [204]
            assert statuses("one", (1, 1)) == [429]
        assert statuses("another", (1, 1), (1, 1)) == [429, 429]
    limited.kept()


def status(connection: http.client.HTTPConnection, desk: Desk, browser: str, content: object) -> int:
    url = f"/e?k={desk.keys['shop', 'write']}"
    connection.request("POST", url, body_of(content), {"user-agent": browser})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_of_no_limit_nothing_is_remembered() -> None:
    limits = Limits.of(Settings(device_events_per_second=0))
    limits.take(limits.places({"device": "d"}), 10_000, 0.0)
    limits.take(limits.places({"device": "d"}), 10_000, 0.0)
