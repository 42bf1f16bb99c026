"""Rows of each product's export, and the events that they become."""

from __future__ import annotations

from datetime import UTC, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from expost.history import amplitude, mixpanel, posthog, snowplow
from expost.history.foreign import Foreign, Unusable, moment_of

NOON = moment_of("2026-03-02T12:00:00+00:00")


def _posthog(event: str, **fields) -> Foreign:
    row = {"uuid": "u1", "event": event, "timestamp": "2026-03-02T12:00:00Z", "distinct_id": "ann"} | fields
    (found,) = posthog.read(row)
    return found


def _mixpanel(event: str, zone: tzinfo = UTC, **properties) -> Foreign:
    said = {"time": NOON // 1_000_000, "distinct_id": "ann", "$insert_id": "i1"} | properties
    (found,) = mixpanel.read({"event": event, "properties": said}, zone)
    return found


def _amplitude(event: str, **fields) -> Foreign:
    row = {
        "event_type": event,
        "event_time": "2026-03-02 12:00:00.000000",
        "device_id": "d1",
        "uuid": "u1",
    } | fields
    (found,) = amplitude.read(row)
    return found


def _snowplow(**fields) -> Foreign:
    row = dict.fromkeys(snowplow.COLUMNS, "") | {
        "event": "page_view", "event_id": "e1", "collector_tstamp": "2026-03-02 12:00:00.000", "domain_userid": "d1",
    } | fields  # fmt: skip
    (found,) = snowplow.read(row)
    return found


def test_posthog_page_views_have_their_address_and_its_properties_go_where_they_belong() -> None:
    found = _posthog(
        "$pageview",
        properties='{"$current_url": "https://shop.example/a?utm_source=x", "$device_id": "d1", "$ip": "192.0.2.1", '
        '"$raw_user_agent": "Mozilla", "$viewport_width": 800, "$viewport_height": 600, "$title": "A", "plan": "pro"}',
    )
    assert (found.type, found.name, found.url, found.title) == (
        "page_view",
        None,
        "https://shop.example/a?utm_source=x",
        "A",
    )
    assert (found.device, found.user, found.user_agent, found.viewport) == (
        "d1",
        "ann",
        "Mozilla",
        (800, 600),
    )
    assert (found.time, found.key, found.properties) == (NOON, "u1", {"plan": "pro"})


def test_posthog_sets_once_what_nobody_has_set_before() -> None:
    read = posthog.Reader()

    def traits(user: str, **properties: object) -> object:
        said = {f"${name}": value for name, value in properties.items()}
        row = {
            "event": "$identify",
            "timestamp": "2026-03-02T12:00:00Z",
            "distinct_id": user,
            "properties": said,
        }
        (found,) = read(row)
        return found.traits

    assert traits("ann", set_once={"from": "ad"}) == {"from": "ad"}
    assert traits("ann", set_once={"from": "mail", "plan": "free"}) == {"plan": "free"}
    assert traits("bob", set_once={"from": "mail"}) == {"from": "mail"}
    assert traits("ann", set={"from": "shop"}, set_once={"from": "mail"}) == {"from": "shop"}
    assert traits("ann", set_once={"from": "ad"}) == {}


@pytest.mark.parametrize(
    ("properties", "who"),
    [
        ({"$device_id": "ann", "$current_url": "/"}, ("ann", "")),
        ({"$device_id": "d1", "$current_url": "/"}, ("d1", "ann")),
        ({"$device_id": "d1", "$user_id": "bob", "$current_url": "/"}, ("d1", "bob")),
        ({"$current_url": "/"}, ("ann", "")),
        ({"amount": 3}, ("", "ann")),
    ],
    ids=["anonymous", "identified", "user id", "no device id", "from a server"],
)
def test_posthog_ids_are_those_of_a_device_until_somebody_is_identified(properties, who) -> None:
    found = _posthog("Paid", properties=properties)
    assert (found.device, found.user) == who


def test_posthog_identifies_exposures_and_groups_are_ours() -> None:
    login = _posthog(
        "$identify",
        properties={
            "$anon_distinct_id": "d1",
            "$set": {"plan": "pro"},
            "$set_once": {"plan": "x", "from": "ad"},
        },
    )
    assert (login.type, login.device, login.user, login.traits) == (
        "identify",
        "d1",
        "ann",
        {"plan": "pro", "from": "ad"},
    )
    shown = _posthog(
        "$feature_flag_called", properties={"$feature_flag": "new", "$feature_flag_response": True}
    )
    assert (shown.type, shown.flag, shown.variation) == ("exposure", "new", "true")
    group = _posthog(
        "$groupidentify",
        properties={"$group_type": "company", "$group_key": "acme", "$group_set": {"size": 3}},
    )
    assert (group.type, group.group_type, group.group, group.traits) == (
        "group",
        "company",
        "acme",
        {"size": 3},
    )


def test_a_posthog_chain_that_cannot_be_read_costs_the_element_and_not_the_event() -> None:
    found = _posthog(
        "$autocapture", elements_chain="!", properties={"$event_type": "click", "$el_text": "Buy"}
    )
    assert (found.type, found.label) == ("click", "Buy")
    assert found.left_behind


@pytest.mark.parametrize(
    ("read", "row"),
    [
        (posthog.read, {"event": "$create_alias", "distinct_id": "ann", "properties": {"alias": "old-ann"}}),
        (
            posthog.read,
            {"event": "$merge_dangerously", "distinct_id": "ann", "properties": {"alias": "old-ann"}},
        ),
        (mixpanel.read, {"event": "$create_alias", "properties": {"distinct_id": "ann", "alias": "old-ann"}}),
        (mixpanel.read, {"event": "$merge", "properties": {"$distinct_ids": ["old-ann", "ann"]}}),
    ],
)
def test_two_users_that_a_row_joins_are_named_with_the_command_that_does_it(read, row) -> None:
    with pytest.raises(Unusable, match=r"of 'old-ann' and 'ann', and no import joins users") as refused:
        list(read(row | {"timestamp": "2026-03-02T12:00:00Z"}))
    assert refused.value.hint == "If they are one person: expost people merge old-ann --into ann"


def test_traits_that_another_posthog_event_sets_in_passing_are_said_to_stay_behind() -> None:
    assert not _posthog("Paid", properties={"$set": {"$browser": "Firefox"}}).left_behind
    assert _posthog("Paid", properties={"$set": {"plan": "pro"}}).left_behind == [
        "traits: only $identify and $set carry those of a person over"
    ]


def test_mixpanel_time_is_read_off_the_clock_of_the_project() -> None:
    assert _mixpanel("Paid").time == NOON
    berlin = _mixpanel("Paid", ZoneInfo("Europe/Berlin"))
    assert NOON - berlin.time == timedelta(hours=1) // timedelta(microseconds=1)
    assert _mixpanel("Paid", time=NOON // 1_000).time == NOON


@pytest.mark.parametrize(
    ("properties", "who"),
    [
        ({}, ("ann", "")),
        ({"distinct_id": "$device:d1", "$device_id": "d1"}, ("d1", "")),
        ({"$device_id": "d1", "$user_id": "ann"}, ("d1", "ann")),
        ({"$user_id": "ann"}, ("", "ann")),
    ],
)
def test_mixpanel_says_device_and_user_or_one_id_for_both(properties, who) -> None:
    found = _mixpanel("Paid", **properties)
    assert (found.device, found.user) == who


def test_an_id_by_which_somebody_was_identified_is_a_user_from_then_on() -> None:
    read = mixpanel.Reader()

    def who(event: str, **properties: str) -> tuple[str, str]:
        said = {"time": NOON // 1_000_000, "$insert_id": "i"} | properties
        (found,) = read({"event": event, "properties": said})
        return found.device, found.user

    assert who("Seen", distinct_id="abc") == ("abc", "")
    assert who("$identify", distinct_id="ann", **{"$anon_distinct_id": "abc", "$identified_id": "ann"}) == (
        "abc",
        "ann",
    )
    assert who("Paid", distinct_id="ann") == ("", "ann")
    # A server says $anon_id; and an id of a browser has a prefix that its own events leave out.
    assert who("$identify", **{"$anon_id": "ghi", "$identified_id": "cid"}) == ("ghi", "cid")
    assert who("$identify", distinct_id="dan", **{"$anon_distinct_id": "$device:jkl"}) == ("jkl", "dan")
    # An export that was made later has the user's id on what happened before, and the one of then beside it.
    assert who("Seen", distinct_id="bob", **{"$distinct_id_before_identity": "$device:def"}) == ("def", "bob")
    assert who("Paid", distinct_id="bob") == ("", "bob")


def test_a_mixpanel_event_is_the_same_by_what_mixpanel_itself_compares() -> None:
    assert _mixpanel("Paid", price=1).key == _mixpanel("Paid", price=2).key
    assert _mixpanel("Paid").key != _mixpanel("Seen").key != _mixpanel("Seen", distinct_id="bob").key
    first, second = (_mixpanel("Paid", **{"price": price, "$insert_id": None}) for price in (1, 2))  # type: ignore[arg-type]
    assert first.key != second.key


def test_amplitude_keeps_its_columns_but_never_the_address() -> None:
    found = _amplitude(
        "Paid",
        user_id="ann",
        ip_address="192.0.2.1",
        country="DE",
        event_id=7,
        version_name="1.2",
        event_properties={"price": 3},
    )
    assert found.properties == {"country": "DE", "price": 3}
    assert (found.time, found.device, found.user, found.sequence, found.release) == (
        NOON,
        "d1",
        "ann",
        7,
        "1.2",
    )


def test_an_amplitude_identify_says_traits_or_what_to_do_to_them() -> None:
    def traits(**said: object) -> tuple[object, bool]:
        found = _amplitude(
            "$identify", user_id="ann", user_properties={f"${name}": of for name, of in said.items()}
        )
        return found.traits, bool(found.left_behind)

    assert _amplitude("$identify", user_id="ann", user_properties={"plan": "pro"}).traits == {"plan": "pro"}
    assert traits(set={"plan": "pro"}, setOnce={"plan": "free", "from": "ad"}) == (
        {"plan": "pro", "from": "ad"},
        False,
    )
    assert traits(add={"orders": 1}, set={"plan": "pro"}) == ({"plan": "pro"}, True)


def test_amplitude_page_views_and_clicks_are_ours_and_the_missing_chain_is_said() -> None:
    view = _amplitude(
        "[Amplitude] Page Viewed", event_properties={"[Amplitude] Page URL": "https://shop.example/"}
    )
    assert (view.type, view.url, view.name) == ("page_view", "https://shop.example/", None)
    click = _amplitude("[Amplitude] Element Clicked", event_properties={"[Amplitude] Element Text": "Buy"})
    assert (click.type, click.label) == ("click", "Buy")
    assert click.left_behind


def test_there_are_131_columns_of_an_enriched_event() -> None:
    assert len(snowplow.COLUMNS) == len(set(snowplow.COLUMNS)) == 131


def test_snowplow_events_keep_what_was_attached_and_no_address() -> None:
    found = _snowplow(
        user_ipaddress="192.0.2.1", page_url="https://shop.example/", se_value="2.5", br_viewwidth="800",
        br_viewheight="600", derived_tstamp="2026-03-02 11:59:59.5",
        contexts='{"data": [{"schema": "iglu:com.acme/cart/jsonschema/1-0-0", "data": {"items": 2}}]}',
    )  # fmt: skip
    assert (found.type, found.time, found.viewport) == ("page_view", NOON - 500_000, (800, 600))
    assert found.properties == {"se_value": 2.5, "cart": {"items": 2}}


@pytest.mark.parametrize(
    ("fields", "type_", "name"),
    [
        ({"event": "struct", "se_action": "play"}, "custom", "play"),
        ({"event": "unstruct", "event_name": "link_click"}, "click", None),
        ({"event": "unstruct", "event_name": "add_to_cart"}, "custom", "add_to_cart"),
        ({"event": "page_ping"}, "custom", "page_ping"),
    ],
)
def test_snowplow_events_are_named_by_their_schema_or_action(fields, type_, name) -> None:
    found = _snowplow(**fields)
    assert (found.type, found.name) == (type_, name)


@pytest.mark.parametrize(
    ("read", "row"),
    [
        (posthog.read, {}),
        (posthog.read, {"event": "x", "timestamp": "yesterday", "distinct_id": "a"}),
        (posthog.read, {"event": "x", "timestamp": "2026-03-02", "properties": "["}),
        (mixpanel.read, {"event": "x"}),
        (mixpanel.read, {"event": "x", "properties": {"time": "soon", "distinct_id": "a"}}),
        (mixpanel.read, {"event": "x", "properties": {"time": float("nan"), "distinct_id": "a"}}),
        (mixpanel.read, {"event": "x", "properties": {"time": 10**40, "distinct_id": "a"}}),
        (amplitude.read, {"event_type": "x"}),
        (
            amplitude.read,
            {"event_type": "x", "device_id": "d", "event_time": "2026-03-02", "event_properties": 3},
        ),
        (snowplow.read, {"app_id": "a"}),
    ],
)
def test_a_row_that_becomes_no_event_says_why(read, row) -> None:
    with pytest.raises(Unusable, match=r"it has|its"):
        list(read(row))
