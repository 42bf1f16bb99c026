"""Snowplow: the enriched events, tab-separated in 131 columns without a header."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import Any

import msgspec

from .files import Shape
from .foreign import Foreign, Row, Unusable, clock_doubts, moment_of, shown, text_of, whole_of

_COLUMNS = """
    app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id name_tracker v_tracker
    v_collector v_etl user_id user_ipaddress user_fingerprint domain_userid domain_sessionidx network_userid
    geo_country geo_region geo_city geo_zipcode geo_latitude geo_longitude geo_region_name ip_isp ip_organization
    ip_domain ip_netspeed page_url page_title page_referrer page_urlscheme page_urlhost page_urlport page_urlpath
    page_urlquery page_urlfragment refr_urlscheme refr_urlhost refr_urlport refr_urlpath refr_urlquery
    refr_urlfragment refr_medium refr_source refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign
    contexts se_category se_action se_label se_property se_value unstruct_event tr_orderid tr_affiliation tr_total
    tr_tax tr_shipping tr_city tr_state tr_country ti_orderid ti_sku ti_name ti_category ti_price ti_quantity
    pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max useragent br_name br_family br_version br_type
    br_renderengine br_lang br_features_pdf br_features_flash br_features_java br_features_director
    br_features_quicktime br_features_realplayer br_features_windowsmedia br_features_gears br_features_silverlight
    br_cookies br_colordepth br_viewwidth br_viewheight os_name os_family os_manufacturer os_timezone dvce_type
    dvce_ismobile dvce_screenwidth dvce_screenheight doc_charset doc_width doc_height tr_currency tr_total_base
    tr_tax_base tr_shipping_base ti_currency ti_price_base base_currency geo_timezone mkt_clickid mkt_network
    etl_tags dvce_sent_tstamp refr_domain_userid refr_dvce_tstamp derived_contexts domain_sessionid derived_tstamp
    event_vendor event_name event_format event_version event_fingerprint true_tstamp
"""
COLUMNS = tuple(_COLUMNS.split())
SHAPE = Shape(delimiter="\t", columns=COLUMNS, quotes=False)

NAMES = {"page_ping": "page_ping", "transaction": "transaction", "transaction_item": "transaction_item"}
_NUMBERS = """
    se_value tr_total tr_tax tr_shipping ti_price ti_quantity geo_latitude geo_longitude domain_sessionidx
"""
NUMBERS = frozenset(_NUMBERS.split())
_KEPT = """
    app_id platform name_tracker geo_country geo_region geo_city geo_region_name geo_timezone refr_medium
    refr_source refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign mkt_network se_category se_action
    se_label se_property se_value tr_orderid tr_affiliation tr_total tr_tax tr_shipping tr_city tr_state tr_country
    tr_currency ti_orderid ti_sku ti_name ti_category ti_price ti_quantity ti_currency pp_xoffset_min pp_xoffset_max
    pp_yoffset_min pp_yoffset_max br_lang domain_sessionid domain_sessionidx network_userid
"""
KEPT = frozenset(_KEPT.split())
"""Columns that become properties of the same name. Addresses and fingerprints never do."""

TIMES = ("true_tstamp", "derived_tstamp", "collector_tstamp")
"""When it happened, the truest first."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def read(row: Row, zone: tzinfo = UTC) -> Iterator[Foreign]:
    """The event that a row stands for. Raises Unusable."""
    if len(row) < len(COLUMNS) - 1:
        raise Unusable(
            f"it has {len(row)} columns, and enriched events have {len(COLUMNS)}",
            hint="Import the enriched events, tab-separated, and not what was loaded into a warehouse.",
        )
    event, id_ = text_of(row.get("event")), text_of(row.get("event_id"))
    if not event or not id_:
        raise Unusable("it has no event or no event_id")
    column = next((name for name in TIMES if row.get(name)), TIMES[-1])
    when = row.get(column), "iso", zone, column
    device = text_of(row.get("domain_userid") or row.get("network_userid"))
    user = text_of(row.get("user_id"))
    properties = {name: _value(name, row[name]) for name in KEPT if row.get(name)}
    properties |= _entities(row)
    said = _unstructured(row)
    type_, name = _meaning(event, row)
    viewport = tuple(filter(None, (whole_of(row.get(f"br_view{side}")) for side in ("width", "height"))))
    yield Foreign(
        f"{id_}\0{text_of(row.get('event_fingerprint'))}",
        moment_of(*when),
        type_,
        name,
        device,
        user,
        url=text_of(row.get("page_url")) or None,
        title=text_of(row.get("page_title")),
        referrer=text_of(row.get("page_referrer")),
        label=text_of(said.get("elementContent")) or None if type_ == "click" else None,
        properties=properties | said,
        user_agent=text_of(row.get("useragent")),
        viewport=viewport if len(viewport) == 2 else (),
        left_behind=["elements: Snowplow keeps no chain; what it says of one stays in the properties"]
        * (type_ == "click"),
        doubts=clock_doubts(*when),
    )


def _meaning(event: str, row: Row) -> tuple[str, str | None]:
    if event == "page_view":
        return "page_view", None
    if event == "struct":
        return "custom", text_of(row.get("se_action")) or "struct"
    named = text_of(row.get("event_name")) or event
    if named in ("link_click", "button_click"):
        return "click", None
    return ("submit", None) if named == "submit_form" else ("custom", NAMES.get(event, named))


def _unstructured(row: Row) -> dict[str, Any]:
    """The fields of a self-describing event."""
    data = _json(row.get("unstruct_event"), "unstruct_event").get("data")
    inner = data.get("data") if isinstance(data, dict) else None
    return inner if isinstance(inner, dict) else {}


def _entities(row: Row) -> dict[str, Any]:
    """What was attached to the event, by the names of their schemas."""
    found: dict[str, Any] = {}
    for column in ("contexts", "derived_contexts"):
        for each in _json(row.get(column), column).get("data") or ():
            if isinstance(each, dict) and isinstance(each.get("schema"), str):
                # Schemas are called like `iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0`.
                parts = each["schema"].split("/")
                found.setdefault(parts[1] if len(parts) > 1 else parts[0], each.get("data"))
    return found


def _value(name: str, value: Any) -> Any:
    if name not in NUMBERS:
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() else number


def _json(value: object, column: str) -> dict[str, Any]:
    if not isinstance(value, str) or not value:
        return {}
    try:
        return _decode(value)
    except (msgspec.MsgspecError, RecursionError):
        raise Unusable(f"its {column} {shown(value)} are no JSON object") from None
