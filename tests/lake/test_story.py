"""A story goes through the whole lake: rows, commits, snapshot, views."""

from __future__ import annotations

import json

from tests.story import Story, click, group, identify, put_on, track, view


def test_a_click_is_an_event_with_its_chain_of_elements(lake: Story) -> None:
    lake.capture(
        "ann", view("/cart?step=2#top"), click("my-cart >>> form.signup button.buy", label="Buy"), at="10:00"
    )
    [(time, host, path, query, fragment, label, device)] = lake.sql(
        "select time::varchar, host, path, query, hash, label, device from events where type = 'click'"
    )
    assert (time, host, path, query, fragment) == (
        "2026-03-02 10:00:01+00",
        "shop.example",
        "/cart",
        "step=2",
        "top",
    )
    assert (label, device) == ("Buy", "ann")
    chain = lake.sql("""
        select d.tag, a.distance, a.is_same_tree
        from events join lake.element_ancestors as a using (element_id)
        join lake.elements as e on e.element_id = a.ancestor_id
        join lake.descriptors as d using (descriptor_id)
        order by distance
    """)
    assert chain == [("form", 1, True), ("my-cart", 2, False), ("body", 3, False), ("html", 4, False)]


def test_events_belong_to_whoever_is_logged_in(lake: Story) -> None:
    lake.capture("laptop", click("a"), identify("ann", plan="pro"), click("a"), at="10:00")
    lake.capture("laptop", identify("bob"), click("a"), at="11:00")
    lake.capture("phone", click("a"), at="12:00")
    users = lake.sql('select device, "user", count(*) from events group by all order by all')
    assert users == [("laptop", "ann", 3), ("laptop", "bob", 2), ("phone", None, 1)]
    people = lake.sql('select "user", devices, events, traits from people order by "user"')
    assert people == [("ann", 1, 3, '{"plan":"pro"}'), ("bob", 1, 2, None), (None, 1, 1, None)]


def test_properties_put_on_lie_under_those_of_the_event(lake: Story) -> None:
    lake.capture("ann", put_on(plan="free", theme="dark"), track("Saw"), at="10:00")
    lake.capture("ann", track("Paid", plan="pro", amount=1.5), at="10:01")
    [(saw,), (paid,)] = lake.sql("select properties from events order by page_seq")
    assert json.loads(saw) == {"plan": "free", "theme": "dark"}
    assert paid == '{"amount":1.5,"plan":"pro","theme":"dark"}'


def test_a_server_names_a_user_and_no_device(lake: Story) -> None:
    lake.capture(
        "", identify("ann", plan="pro"), group("company", "acme", seats=3), at="10:00", on_server=True
    )
    events = lake.sql("""
        select type, source, device_id is null, "user", person_id = user_id, "group", page_seq
        from events
        order by time
    """)
    assert events == [
        ("identify", "server", True, "ann", True, None, 0),
        ("group", "server", True, None, None, "acme", 0),
    ]
    assert lake.sql("select count(*) from lake.identities") == [(0,)]


def test_the_rich_lake_tells_bots_colleagues_and_other_environments_apart(rich_lake: Story) -> None:
    rows = rich_lake.sql("""
        select count(*), sum(is_bot::int), sum(is_internal::int), count(distinct environment)
        from events
    """)
    assert rows == [(23, 1, 2, 2)]
    assert rich_lake.sql("select bot_rule from events where is_bot")[0][0].startswith("crawler-user-agents ")
    assert rich_lake.sql("select distinct verified from events where type = 'exposure'") == [(False,)]
