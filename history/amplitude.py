"""Amplitude: the JSON lines of its export API, a zip of gzip files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, tzinfo
from typing import Any

from .foreign import Foreign, Row, Unusable, clock_doubts, moment_of, shown, text_of, whole_of, without

_KEPT = """
    platform os_name os_version device_type device_family device_brand device_manufacturer device_model language
    country region city dma carrier session_id library start_version
"""
KEPT = frozenset(_KEPT.split())
"""Columns of Amplitude's own that become properties of the same name. The address never does."""

PAGE_VIEWED = "[Amplitude] Page Viewed"
ELEMENT = "[Amplitude] Element "
CLICKED, CHANGED = "[Amplitude] Element Clicked", "[Amplitude] Element Changed"
URL, TITLE = "[Amplitude] Page URL", "[Amplitude] Page Title"
OPERATIONS = frozenset(
    ("$add", "$append", "$prepend", "$preInsert", "$postInsert", "$remove", "$unset", "$clearAll")
)
"""What an identify may do to user properties beside setting them."""


def read(row: Row, zone: tzinfo = UTC) -> Iterator[Foreign]:
    """The event that a row stands for. Raises Unusable."""
    event = text_of(row.get("event_type"))
    if not event:
        raise Unusable("it has no event_type", hint="Rows of Amplitude name it so: is this its export?")
    device, user = text_of(row.get("device_id")), text_of(row.get("user_id"))
    if not device and not user:
        raise Unusable(
            "it has neither a device_id nor a user_id", hint="An event of nobody is counted by no question."
        )
    when = row.get("event_time"), "iso", zone, "event_time"
    time = moment_of(*when)
    properties = _object(row, "event_properties")
    insert_id = text_of(row.get("$insert_id") or row.get("insert_id"))
    key = text_of(row.get("uuid")) or (
        f"{device}\0{user}\0{insert_id}"
        if insert_id
        else f"{event}\0{time}\0{device}\0{user}\0{row.get('event_id')}"
    )
    type_ = _type(event, user)
    own = {name: row[name] for name in KEPT if row.get(name) not in (None, "")}
    left = ["elements: Amplitude keeps no whole chain; what it says of one stays in the properties"] * any(
        name.startswith(ELEMENT) for name in properties
    )
    yield Foreign(
        key,
        time,
        type_,
        event if type_ == "custom" else None,
        device,
        user,
        url=text_of(properties.get(URL) or properties.get("page_url")) or None,
        title=text_of(properties.get(TITLE)),
        referrer=text_of(properties.get("referrer")),
        label=text_of(properties.get(f"{ELEMENT}Text")) or None,
        properties=own | without(properties, (URL, TITLE)),
        traits=_traits(row, left) if type_ == "identify" else {},
        user_agent=text_of(row.get("user_agent")),
        release=text_of(row.get("version_name"))[:200],
        # It counts the events of a device, so that those of one moment have an order.
        sequence=whole_of(row.get("event_id")),
        left_behind=left,
        doubts=clock_doubts(*when),
    )


def _type(event: str, user: str) -> str:
    if event == "$identify" and user:
        return "identify"
    return {PAGE_VIEWED: "page_view", CLICKED: "click", CHANGED: "change"}.get(event, "custom")


def _traits(row: Row, left: list[str]) -> dict[str, Any]:
    """What an identify says of its user: names and values, or what is to be done to them, such as `$set`."""
    said = dict(_object(row, "user_properties"))
    once, always = (said.pop(name, None) for name in ("$setOnce", "$set"))
    if any(name in OPERATIONS for name in said):
        left.append("traits: of what Amplitude does to user properties only $set and $setOnce carry over")
    kept = {name: value for name, value in said.items() if name not in OPERATIONS}
    for values in (once, always):
        kept |= values if isinstance(values, dict) else {}
    return kept


def _object(row: Row, name: str) -> Mapping[str, Any]:
    value = row.get(name)
    if value in (None, ""):
        return {}
    if not isinstance(value, dict):
        raise Unusable(f"its {name} {shown(value)} are no object")
    return value
