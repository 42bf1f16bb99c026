"""PostHog: rows of a batch export or of the events API (JSON lines, Parquet or CSV)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterator, Mapping
from datetime import UTC, tzinfo
from typing import Any

import msgspec

from .elements_chain import Read, read_chain
from .foreign import (
    Foreign,
    Row,
    Unusable,
    clock_doubts,
    moment_of,
    not_merged,
    shown,
    text_of,
    whole_of,
    without,
)

TYPES = {"$pageview": "page_view", "$pageleave": "page_leave", "$feature_flag_called": "exposure",
         "$identify": "identify", "$set": "identify", "$groupidentify": "group"}  # fmt: skip
DOM_TYPES = frozenset({"click", "change", "submit"})
ALIASES = frozenset({"$create_alias", "$merge_dangerously"})

_HELD = """
    $current_url $title $referrer $raw_user_agent $user_agent $viewport_width $viewport_height $device_id $user_id
    distinct_id token $insert_id $elements $elements_chain $el_text $event_type $set $set_once $ip ip $time $sent_at
    $anon_distinct_id $is_identified $feature_flag $feature_flag_response $group_type $group_key $group_set $groups
"""
HELD = frozenset(_HELD.split())
"""Properties that have a place of their own here, and those that are never kept (the address)."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


KNOWN_TRAITS = 200_000
"""Of so many traits it is remembered that somebody has them: `$set_once` gives nobody another value."""


class Reader:
    """Makes events of rows in their order; which traits somebody has is known from then on."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        self._zone = zone
        self._had: OrderedDict[tuple[str, str], None] = OrderedDict()

    def __call__(self, row: Row) -> Iterator[Foreign]:
        """The events that a row stands for. Raises Unusable."""
        for found in read(row, self._zone, self._had):
            if found.type == "identify":
                for name in found.traits:
                    self._had[found.user, name] = None
                    self._had.move_to_end((found.user, name))
                while len(self._had) > KNOWN_TRAITS:
                    self._had.popitem(last=False)
            yield found


def read(row: Row, zone: tzinfo = UTC, had: Container[tuple[str, str]] = ()) -> Iterator[Foreign]:
    """The events that a row stands for. Raises Unusable.

    `had` are users with the names of traits that they were given before.
    """
    event = text_of(row.get("event"))
    if not event:
        raise Unusable("it has no event", hint="Rows of PostHog name it in the column event.")
    properties = _object(row.get("properties"), "properties")
    if event in ALIASES:
        raise not_merged(
            event, properties.get("alias"), row.get("distinct_id") or properties.get("distinct_id")
        )
    when = row.get("timestamp"), "iso", zone, "timestamp"
    time = moment_of(*when)
    distinct_id = text_of(row.get("distinct_id") or properties.get("distinct_id"))
    device, user = _who(event, properties, distinct_id)
    if not device and not user:
        raise Unusable("it has no distinct_id", hint="An event of nobody is counted by no question.")
    left: list[str] = []
    _leave_set(event, properties, left)
    key = text_of(row.get("uuid") or row.get("id")) or f"{event}\0{time}\0{distinct_id}"
    type_ = TYPES.get(event, "custom")
    found = _element(row, properties, left)
    if event == "$autocapture":
        type_ = text_of(properties.get("$event_type"))
        if type_ not in DOM_TYPES:
            type_ = "click" if not type_ else "custom"
    text = text_of(properties.get("$el_text")) or (found.text if found else "")
    yield Foreign(
        key,
        time,
        type_,
        event if type_ == "custom" else None,
        device,
        user,
        url=text_of(properties.get("$current_url")) or None,
        title=text_of(properties.get("$title")),
        referrer=_referrer(properties),
        label=text or None,
        chain=found.chain if found else None,
        properties=without(properties, HELD),
        traits=_traits(event, properties, user, had),
        group_type=text_of(properties.get("$group_type")) or None,
        group=text_of(properties.get("$group_key")) or None,
        groups=_groups(properties),
        flag=text_of(properties.get("$feature_flag")) or None,
        variation=text_of(properties.get("$feature_flag_response")) if type_ == "exposure" else None,
        user_agent=text_of(properties.get("$raw_user_agent") or properties.get("$user_agent")),
        viewport=_viewport(properties),
        left_behind=left,
        doubts=clock_doubts(*when),
    )


def _who(event: str, properties: Mapping[str, Any], distinct_id: str) -> tuple[str, str]:
    """Device and user. Until somebody is identified PostHog's id of a person is that of the device."""
    device = text_of(properties.get("$device_id"))
    user = text_of(properties.get("$user_id"))
    if event == "$identify":
        return device or text_of(properties.get("$anon_distinct_id")), distinct_id
    if device:
        return device, user or (distinct_id if distinct_id != device else "")
    # A server names its users, and a page without a device id nobody.
    is_page = "$current_url" in properties and properties.get("$is_identified") is not True
    return (distinct_id, user) if is_page else ("", user or distinct_id)


def _element(row: Row, properties: Mapping[str, Any], left: list[str]) -> Read | None:
    written = text_of(row.get("elements_chain") or properties.get("$elements_chain"))
    if not written:
        return None
    found = read_chain(written)
    if found.problem:
        left.append(f"element: {found.problem}")
    return found


def _leave_set(event: str, properties: Mapping[str, Any], left: list[str]) -> None:
    """Say that traits which another event sets in passing stay behind; those of the browser do so unsaid."""
    if event not in ("$identify", "$set", "$groupidentify"):
        said = _object(properties.get("$set"), "$set") | _object(properties.get("$set_once"), "$set_once")
        if any(not name.startswith("$") for name in said):
            left.append("traits: only $identify and $set carry those of a person over")


def _traits(
    event: str, properties: Mapping[str, Any], user: str, had: Container[tuple[str, str]]
) -> dict[str, Any]:
    if event == "$groupidentify":
        return _object(properties.get("$group_set"), "$group_set")
    if event not in ("$identify", "$set"):
        return {}
    once, always = (_object(properties.get(name), name) for name in ("$set_once", "$set"))
    return {name: value for name, value in once.items() if (user, name) not in had} | always


def _groups(properties: Mapping[str, Any]) -> dict[str, str]:
    said = _object(properties.get("$groups"), "$groups")
    return {type_: group for type_, value in said.items() if type_ and (group := text_of(value))}


def _referrer(properties: Mapping[str, Any]) -> str:
    said = text_of(properties.get("$referrer"))
    return "" if said == "$direct" else said


def _viewport(properties: Mapping[str, Any]) -> tuple[int, ...]:
    width, height = (whole_of(properties.get(f"$viewport_{side}")) for side in ("width", "height"))
    return () if width is None or height is None else (width, height)


def _object(value: object, name: str) -> dict[str, Any]:
    if value in (None, ""):
        return {}
    if isinstance(value, str):
        try:
            return _decode(value)
        except (msgspec.MsgspecError, RecursionError):
            raise Unusable(
                f"its {name} {shown(value)} are no JSON object",
                hint="Export the column as PostHog has it; spreadsheets cut long cells.",
            ) from None
    if not isinstance(value, dict):
        raise Unusable(f"its {name} {shown(value)} are no object")
    return value
