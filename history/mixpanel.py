"""Mixpanel: the JSON lines of its raw export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta, tzinfo
from typing import Any

from expost.clock import from_micros
from expost.lake.moment import SECOND

from .foreign import Foreign, Row, Unusable, moment_of, text_of, whole_of, without

_HELD = """
    time distinct_id $device_id $user_id $insert_id $distinct_id_before_identity mp_processing_time_ms
    $mp_api_endpoint $mp_api_timestamp_ms $current_url current_url $referrer $current_page_title current_page_title
    $ip ip token $import $anon_distinct_id $identified_id $viewport_width $viewport_height
"""
HELD = frozenset(_HELD.split())
VIEWS = frozenset({"$mp_web_page_view", "$pageview"})
CLICKS = frozenset({"$mp_click", "$mp_page_click"})
MILLISECONDS_FROM = 100_000_000_000
DEVICE = "$device:"


def read(row: Row, zone: tzinfo = UTC) -> Iterator[Foreign]:
    """The event that a row stands for; `zone` is the project's, in whose clock old projects export. Raises Unusable."""
    event, properties = text_of(row.get("event")), row.get("properties")
    if not event:
        raise Unusable("it has no event")
    if not isinstance(properties, dict):
        raise Unusable("it has no properties")
    if event in ("$merge", "$create_alias"):
        raise Unusable(f"{event} is not carried over: merge these people with expost people merge")
    time = _time(properties.get("time"), zone)
    distinct_id = text_of(properties.get("distinct_id"))
    device, user = _who(event, properties, distinct_id)
    if not device and not user:
        raise Unusable("it has no distinct_id")
    insert_id = text_of(properties.get("$insert_id"))
    type_ = _type(event, user)
    yield Foreign(
        # What Mixpanel itself takes for the same event; without an insert id, all that it says.
        f"{event}\0{time}\0{distinct_id}\0{insert_id or sorted(map(str, properties.items()))}",
        time,
        type_,
        event if type_ == "custom" else None,
        device,
        user,
        url=text_of(properties.get("$current_url") or properties.get("current_url")) or None,
        title=text_of(properties.get("$current_page_title") or properties.get("current_page_title")),
        referrer=_referrer(properties),
        label=text_of(properties.get("$el_text")) or None,
        properties=without(properties, HELD),
        viewport=_viewport(properties),
        left_behind=["elements: Mixpanel keeps no whole chain; what it says of one stays in the properties"]
        * ("$elements" in properties),
    )


def _time(value: object, zone: tzinfo) -> int:
    is_milliseconds = isinstance(value, int | float) and value >= MILLISECONDS_FROM
    time = moment_of(value, "milliseconds" if is_milliseconds else "seconds")
    # Seconds since 1970 by the project's clock on the wall, so that they have to be read off it again.
    wall = from_micros(time).replace(tzinfo=zone)
    return time - int((wall.utcoffset() or timedelta()).total_seconds()) * SECOND


def _who(event: str, properties: Mapping[str, Any], distinct_id: str) -> tuple[str, str]:
    device, user = text_of(properties.get("$device_id")), text_of(properties.get("$user_id"))
    if event == "$identify":
        return text_of(properties.get("$anon_distinct_id")) or device, (
            text_of(properties.get("$identified_id")) or user or distinct_id
        )
    if distinct_id.startswith(DEVICE):
        return device or distinct_id.removeprefix(DEVICE), user
    if device:
        return device, user or (distinct_id if distinct_id != device else "")
    return ("", user) if user else (distinct_id, "")


def _type(event: str, user: str) -> str:
    if event == "$identify" and user:
        return "identify"
    return "page_view" if event in VIEWS else "click" if event in CLICKS else "custom"


def _referrer(properties: Mapping[str, Any]) -> str:
    said = text_of(properties.get("$referrer"))
    return "" if said == "$direct" else said


def _viewport(properties: Mapping[str, Any]) -> tuple[int, ...]:
    width, height = (whole_of(properties.get(f"$viewport_{side}")) for side in ("width", "height"))
    return () if width is None or height is None else (width, height)
