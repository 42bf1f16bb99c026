"""Batches as columns."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expost.ids import ZERO_UUID, uuid7
from expost.lake.batch import Accepted, Event, Frame, Page, View
from expost.lake.dictionary import Dictionary
from expost.lake.moment import DAY, OLDEST, SECOND, TOLERANCE, event_time, event_times, micros, micros_of
from expost.lake.rows import Rows
from expost.lake.schema import TABLES

NOW = 1_800_000_000 * SECOND


def accepted(events: list[Event], **fields: Any) -> Accepted:
    usual: dict[str, Any] = {
        "site": "shop", "received_at": NOW, "consent": "full", "is_imported": False, "is_internal": False,
        "device": "ann", "user_agent": "Firefox", "sent_at": NOW / 1_000, "session": 1, "release": "",
        "environment": "production", "viewport": [], "page": Page(uuid7(NOW, bytes(10)), NOW / 1_000 - 10_000),
        "views": [View("https://shop.example/")], "sets": [], "descriptors": [], "elements": [], "events": events,
    }  # fmt: skip
    return Accepted(**(usual | fields))


def tables(*batches: Accepted) -> dict[str, list[dict[str, Any]]]:
    rows = Rows(Dictionary(bytes(32)))
    for batch in batches:
        rows.add(batch)
    return {name: table.to_pylist() for name, table in rows.tables().items()}


def event(**fields: Any) -> Event:
    usual: dict[str, Any] = {"id": uuid7(NOW), "type": "click"}
    return Event(**(usual | fields))


# Time


@given(client=st.integers(-(10**17), 10**17), offset=st.one_of(st.none(), st.integers(-(10**17), 10**17)))
def test_a_browser_s_time_is_never_after_its_arrival_and_never_thirty_days_before(client, offset) -> None:
    assert NOW - OLDEST <= event_time(client, offset, NOW, is_imported=False) <= NOW
    assert event_time(client, offset, NOW, is_imported=True) == client


@given(late=st.integers(0, DAY), offset=st.integers(-10 * DAY, 10 * DAY))
def test_the_whole_offset_is_added_when_a_clock_is_off_by_more_than_a_minute(late, offset) -> None:
    client = NOW - offset - late
    expected = NOW - late if abs(offset) > TOLERANCE else min(client, NOW)
    assert event_time(client, offset, NOW, is_imported=False) == expected


@given(
    told=st.lists(
        st.tuples(
            st.floats(-1e14, 1e14), st.one_of(st.just(0), st.integers(-(10**17), 10**17)), st.booleans()
        ),
        min_size=1,
        max_size=5,
    )
)
def test_many_times_at_once_are_what_each_is_by_itself(told) -> None:
    millis, offsets, imported = zip(*told, strict=True)
    client_times = micros_of(np.array(millis))
    assert client_times.tolist() == [micros(each) for each in millis]
    times = event_times(client_times, np.array(offsets), np.full(len(told), NOW), np.array(imported))
    assert times.tolist() == [
        event_time(client_time, offset, NOW, is_imported)
        for client_time, offset, is_imported in zip(client_times.tolist(), offsets, imported, strict=True)
    ]


@pytest.mark.parametrize(("sent_at", "offset_ms"), [(None, None), (NOW / 1_000 - 3_600_000, 3_600_000.0)])
def test_raw_times_are_kept_beside_the_corrected_one(sent_at: float | None, offset_ms: float | None) -> None:
    [row] = tables(accepted([event(t=5_000.0)], sent_at=sent_at))["events"]
    assert (row["client_time"].timestamp(), row["client_offset_ms"]) == (NOW / SECOND - 5, offset_ms)
    assert row["received_at"].timestamp() == NOW / SECOND
    assert (row["sent_at"] is None) == (sent_at is None)


def test_history_keeps_its_own_time() -> None:
    batch = accepted([event(time=1_000.0)], page=None, is_imported=True, views=[], sent_at=0.0)
    [row] = tables(batch)["events"]
    assert (row["time"].timestamp(), row["imported"], row["source"]) == (1.0, True, "server")
    assert (row["page_id"], row["page_seq"]) == (ZERO_UUID, 0)


@pytest.mark.parametrize("moment", [-1e14, 1e14])
def test_times_beyond_all_calendars_can_still_be_shown(moment: float) -> None:
    [row] = tables(accepted([event(time=moment)], page=None, views=[], is_imported=True))["events"]
    assert 1 <= row["time"].year <= 9999


# People


def test_identify_makes_an_edge_and_traits() -> None:
    one = event(type="identify", user="ann@x", traits={"plan": "pro", "seats": 3}, seq=4)
    made = tables(accepted([one]))
    [edge], [user], [device] = made["identities"], made["users"], made["devices"]
    assert (edge["kind"], edge["from_id"], edge["to_id"]) == (
        "identify",
        device["device_id"],
        user["user_id"],
    )
    assert (edge["event_id"], edge["page_seq"], edge["author"]) == (one.id, 4, "browser")
    traits = {(row["subject_kind"], row["subject_id"], row["name"]): row["value"] for row in made["traits"]}
    assert traits == {("user", user["user_id"], "plan"): '"pro"', ("user", user["user_id"], "seats"): "3"}


@pytest.mark.parametrize("nobody", ["undefined", "null", "[object Object]", ZERO_UUID, "anonymous", ""])
def test_ids_that_are_no_ids_join_nobody(nobody: str) -> None:
    made = tables(accepted([event(type="identify", user=nobody, traits={"a": 1})], device=nobody))
    assert set(made) == {"events"}
    assert (made["events"][0]["device_id"], made["events"][0]["user_id"]) == (None, None)


def test_ids_of_two_sites_do_not_meet() -> None:
    made = tables(accepted([event()]), accepted([event()], site="blog"))
    assert len({row["device_id"] for row in made["devices"]}) == 2
    assert {row["device"] for row in made["devices"]} == {"ann"}


def test_a_cookieless_device_is_a_daily_one() -> None:
    [device] = tables(accepted([event()], consent="cookieless"))["devices"]
    assert device["is_daily"] is True


# Every batch

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
properties = st.dictionaries(
    texts, st.one_of(texts, st.integers(-(2**53), 2**53), st.booleans(), st.none()), max_size=3
)
events = st.builds(
    Event,
    id=st.uuids().map(str),
    type=st.sampled_from(["click", "page_view", "identify", "group", "exposure", "custom"]),
    t=st.floats(-1e14, 1e14),
    time=st.one_of(st.none(), st.floats(-1e14, 1e14)),
    seq=st.integers(0, 10_000_000),
    view=st.integers(0, 1),
    text=st.one_of(st.none(), texts),
    set=st.integers(-1, 0),
    properties=properties,
    user=st.one_of(st.none(), texts),
    group_type=st.one_of(st.none(), texts),
    group=st.one_of(st.none(), texts),
    traits=properties,
    marks=st.lists(st.sampled_from(["text", "label"]), max_size=2),
)
batches = st.builds(
    accepted,
    st.lists(events, max_size=5),
    device=texts,
    user_agent=texts,
    sent_at=st.one_of(st.none(), st.floats(-1e14, 1e14)),
    consent=st.sampled_from(["full", "cookieless"]),
    is_imported=st.booleans(),
    viewport=st.lists(st.integers(0, 10_000), max_size=3),
    page=st.one_of(st.none(), st.builds(Page, st.uuids().map(str), st.floats(-1e14, 1e14))),
    views=st.tuples(*[st.builds(View, url=texts, title=texts, marks=st.lists(texts, max_size=1))] * 2).map(
        list
    ),
    sets=properties.map(lambda one: [one]),
)


@given(told=st.lists(batches, min_size=1, max_size=4))
def test_a_frame_of_the_journal_gives_the_rows_of_its_batch(told: list[Accepted]) -> None:
    frames = [msgspec.msgpack.decode(msgspec.msgpack.encode(batch), type=Frame) for batch in told]
    assert tables(*frames) == tables(*told)


@given(told=st.lists(batches, max_size=4))
def test_every_batch_gives_rows_that_fit_together(told: list[Accepted]) -> None:
    rows = Rows(Dictionary(bytes(32)))
    for batch in told:
        rows.add(batch)
    made = rows.tables()
    for name, table in made.items():
        table.validate(full=True)
        assert table.cast(TABLES[name]).schema.equals(TABLES[name])
    sent = [(batch, one) for batch in told for one in batch.events]
    stored = made["events"].to_pylist() if "events" in made else []
    assert [row["event_id"] for row in stored] == [one.id for _, one in sent]
    ids = {name: {row[key] for row in made[name].to_pylist()} if name in made else set()
           for name, key in (("devices", "device_id"), ("users", "user_id"), ("groups", "group_id"))}  # fmt: skip
    for row, (batch, one) in zip(stored, sent, strict=True):
        assert (row["type"], row["text"], row["consent"]) == (one.type, one.text, batch.consent)
        for key, table in (("device_id", "devices"), ("user_id", "users"), ("group_id", "groups")):
            assert row[key] is None or row[key] in ids[table]
        worn = batch.sets[one.set] if one.set >= 0 else {}
        assert json.loads(row["properties"]) == worn | one.properties
        assert row["host"] is not None
    for edge in made["identities"].to_pylist() if "identities" in made else []:
        assert edge["from_id"] in ids["devices"]
        assert edge["to_id"] in ids["users"]
