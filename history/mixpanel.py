"""Mixpanel: the JSON lines of its raw export."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from expost.clock import from_micros

from .foreign import Foreign, Row, Unusable, clock_doubts, moment_of, not_merged, text_of, whole_of, without

_HELD = """
    time distinct_id $device_id $user_id $insert_id $distinct_id_before_identity mp_processing_time_ms
    $mp_api_endpoint $mp_api_timestamp_ms $current_url current_url $referrer $current_page_title current_page_title
    $ip ip token $import $anon_distinct_id $anon_id $identified_id $viewport_width $viewport_height
"""
HELD = frozenset(_HELD.split())
VIEWS = frozenset({"$mp_web_page_view", "$pageview"})
CLICKS = frozenset({"$mp_click", "$mp_page_click"})
MILLISECONDS_FROM = 100_000_000_000
DEVICE = "$device:"
KNOWN_USERS = 200_000
"""So many ids are remembered of whom somebody was identified by: old projects say of later events nothing else."""


class Reader:
    """Makes events of rows in their order; who was identified by an id is known from then on."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        self._zone = zone
        self._users: OrderedDict[str, None] = OrderedDict()

    def __call__(self, row: Row) -> Iterator[Foreign]:
        """The event that a row stands for. Raises Unusable."""
        for found in read(row, self._zone, self._users):
            if found.user:
                self._users[found.user] = None
                self._users.move_to_end(found.user)
                if len(self._users) > KNOWN_USERS:
                    self._users.popitem(last=False)
            yield found


def read(row: Row, zone: tzinfo = UTC, users: Container[str] = ()) -> Iterator[Foreign]:
    """The event that a row stands for; `zone` is the project's, in whose clock old projects export. Raises Unusable.

    `users` are ids by which somebody was identified before.
    """
    event, properties = text_of(row.get("event")), row.get("properties")
    if not event:
        raise Unusable(
            "it has no event", hint='Rows of Mixpanel\'s raw export are {"event": …, "properties": {…}}.'
        )
    if not isinstance(properties, dict):
        raise Unusable(
            "it has no properties", hint="Export it anew: Mixpanel's raw export has them in every row."
        )
    if event in ("$merge", "$create_alias"):
        raise not_merged(event, *_joined(properties))
    when = _wall(properties.get("time")), "iso", zone
    time = moment_of(*when)
    distinct_id = text_of(properties.get("distinct_id"))
    device, user = _who(event, properties, distinct_id, users)
    if not device and not user:
        raise Unusable("it has no distinct_id", hint="An event of nobody is counted by no question.")
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
        doubts=clock_doubts(*when),
    )


def _joined(properties: Mapping[str, Any]) -> tuple[object, object]:
    """The two ids that an alias or a merge is about."""
    several = properties.get("$distinct_ids")
    if isinstance(several, list) and len(several) > 1:
        return several[0], several[1]
    return properties.get("alias"), properties.get("distinct_id")


def _wall(value: object) -> datetime:
    """What the clock of the project showed: Mixpanel counts its seconds from 1970 on."""
    is_milliseconds = isinstance(value, int | float) and value >= MILLISECONDS_FROM
    return from_micros(moment_of(value, "milliseconds" if is_milliseconds else "seconds")).replace(
        tzinfo=None
    )


def _who(
    event: str, properties: Mapping[str, Any], distinct_id: str, users: Container[str]
) -> tuple[str, str]:
    device, user = text_of(properties.get("$device_id")), text_of(properties.get("$user_id"))
    if event == "$identify":
        # Browsers say the one, servers the other; the device's own events say it without the prefix.
        anonymous = text_of(properties.get("$anon_distinct_id") or properties.get("$anon_id"))
        return anonymous.removeprefix(DEVICE) or device, (
            text_of(properties.get("$identified_id")) or user or distinct_id
        )
    if distinct_id.startswith(DEVICE):
        return device or distinct_id.removeprefix(DEVICE), user
    if device:
        return device, user or (distinct_id if distinct_id != device else "")
    before = text_of(properties.get("$distinct_id_before_identity")).removeprefix(DEVICE)
    if before and before != distinct_id:
        # What it was called when it happened; since then Mixpanel has learnt whose it is.
        return before, user or distinct_id
    if user or distinct_id in users:
        return "", user or distinct_id
    return distinct_id, ""


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
