"""The tables of the lake, column by column. Written in words in `docs/schema.md`; a test keeps the two together."""

from __future__ import annotations

import pyarrow as pa

TIME = pa.timestamp("us", tz="UTC")
ID = pa.int64()
TEXT = pa.string()
COUNT = pa.int32()
BOOL = pa.bool_()

EVENTS = pa.schema(
    [
        ("event_id", TEXT),
        ("time", TIME),
        ("received_at", TIME),
        ("client_time", TIME),
        ("client_offset_ms", pa.float64()),
        ("sent_at", TIME),
        ("imported", BOOL),
        ("site", TEXT),
        ("device_id", ID),
        ("user_id", ID),
        ("group_id", ID),
        ("session_ordinal", COUNT),
        ("page_id", TEXT),
        ("page_ordinal", COUNT),
        ("page_seq", COUNT),
        ("type", TEXT),
        ("name", TEXT),
        ("element_id", ID),
        ("text", TEXT),
        ("label", TEXT),
        ("host", TEXT),
        ("path", TEXT),
        ("query", TEXT),
        ("hash", TEXT),
        ("title", TEXT),
        ("referrer", TEXT),
        ("marks", pa.list_(TEXT)),
        ("x", COUNT),
        ("y", COUNT),
        ("viewport_width", COUNT),
        ("viewport_height", COUNT),
        ("is_trusted", BOOL),
        ("consent", TEXT),
        ("release", TEXT),
        ("environment", TEXT),
        ("source", TEXT),
        ("flag", TEXT),
        ("variation", TEXT),
        ("flag_version", TEXT),
        ("rule", TEXT),
        ("verified", BOOL),
        ("user_agent", TEXT),
        ("is_bot", BOOL),
        ("bot_rule", TEXT),
        ("is_internal", BOOL),
        ("properties", TEXT),
        ("consent_version", TEXT),
        ("placement_id", ID),
        ("browser", TEXT),
        ("browser_version", TEXT),
        ("os", TEXT),
        ("os_version", TEXT),
        ("device_class", TEXT),
        ("bot_class", TEXT),
        ("traffic_source", TEXT),
        ("traffic_medium", TEXT),
        ("campaign", TEXT),
        ("channel", TEXT),
        ("enriched_by", TEXT),
        ("country", TEXT),
    ]
)

ATTRIBUTE = pa.struct([("name", TEXT), ("value", TEXT), ("is_partial", BOOL)])

DESCRIPTORS = pa.schema(
    [
        ("descriptor_id", ID),
        ("tag", TEXT),
        ("namespace", TEXT),
        ("dom_id", TEXT),
        ("class_name", TEXT),
        ("classes", pa.list_(TEXT)),
        ("attributes", pa.list_(ATTRIBUTE)),
        ("attribute_names", pa.list_(TEXT)),
        ("marks", pa.list_(TEXT)),
        ("is_checked", BOOL),
        ("is_disabled", BOOL),
        ("is_required", BOOL),
        ("is_open", BOOL),
        ("is_read_only", BOOL),
        ("is_quirks", BOOL),
    ]
)

ELEMENTS = pa.schema(
    [
        ("element_id", ID),
        ("parent_id", ID),
        ("descriptor_id", ID),
        ("sibling_index", COUNT),
        ("sibling_count", COUNT),
        ("type_index", COUNT),
        ("type_count", COUNT),
        ("previous_siblings", pa.list_(ID)),
        ("ancestors", pa.list_(ID)),
        ("tree_depth", COUNT),
        ("depth", COUNT),
        ("is_shadow_child", BOOL),
        ("is_cut", BOOL),
        ("is_root", BOOL),
    ]
)

# A dictionary as `elements` is, and what `elements` was. Events name both ids; those from before name only an element,
# which then says its place itself (docs/decisions/0005-placements.md).
PLACEMENTS = pa.schema(
    [
        ("placement_id", ID),
        ("element_id", ID),
        ("parent_placement_id", ID),
        ("descriptor_id", ID),
        ("sibling_index", COUNT),
        ("sibling_count", COUNT),
        ("type_index", COUNT),
        ("type_count", COUNT),
        ("previous_siblings", pa.list_(ID)),
        ("ancestors", pa.list_(ID)),
        ("tree_depth", COUNT),
        ("is_shadow_child", BOOL),
        ("is_cut", BOOL),
        ("is_root", BOOL),
    ]
)

DEVICES = pa.schema([("device_id", ID), ("site", TEXT), ("device", TEXT), ("is_daily", BOOL)])
USERS = pa.schema([("user_id", ID), ("site", TEXT), ("user", TEXT)])
GROUPS = pa.schema([("group_id", ID), ("site", TEXT), ("group_type", TEXT), ("group", TEXT)])

IDENTITIES = pa.schema(
    [
        ("edge_id", ID),
        ("site", TEXT),
        ("kind", TEXT),
        ("from_id", ID),
        ("to_id", ID),
        ("at", TIME),
        ("page_id", TEXT),
        ("page_seq", COUNT),
        ("event_id", TEXT),
        ("recorded_at", TIME),
        ("author", TEXT),
        ("undoes", ID),
    ]
)

TRAITS = pa.schema(
    [
        ("site", TEXT),
        ("subject_kind", TEXT),
        ("subject_id", ID),
        ("name", TEXT),
        ("value", TEXT),
        ("at", TIME),
        ("page_id", TEXT),
        ("page_seq", COUNT),
        ("event_id", TEXT),
        ("recorded_at", TIME),
    ]
)

PAGE_COUNTS = pa.schema(
    [
        ("site", TEXT),
        ("device_id", ID),
        ("page_ordinal", COUNT),
        ("last_seq", COUNT),
        ("told_at", TIME),
    ]
)

TABLES: dict[str, pa.Schema] = {
    "descriptors": DESCRIPTORS,
    "elements": ELEMENTS,
    "placements": PLACEMENTS,
    "devices": DEVICES,
    "users": USERS,
    "groups": GROUPS,
    "identities": IDENTITIES,
    "traits": TRAITS,
    "page_counts": PAGE_COUNTS,
    "events": EVENTS,
}
"""Every table, in the order in which a segment is committed: events last, so that no event points at nothing."""
