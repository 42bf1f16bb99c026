"""Which product an export is of, seen from its first row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from .files import Shape, head, headings, objects
from .foreign import Unusable
from .packed import BOM, DAMAGED, PARQUET
from .snowplow import COLUMNS

POSTHOG = frozenset({"event", "distinct_id", "properties"})


def guess_kind(path: Path) -> str | None:
    """The kind that a file seems to be: of a product, else a table; nothing for JSON of no product that is known."""
    first = head(path)
    if first == PARQUET:
        try:
            names = set(pq.read_schema(path).names)
        except DAMAGED:
            names = set()
        return "posthog" if names >= POSTHOG else "parquet"
    text = first.removeprefix(BOM).lstrip()
    if text[:1] in (b"{", b"["):
        return next((_of_object(row) for _, row in objects(path) if not isinstance(row, Unusable)), None)
    if text.split(b"\n", 1)[0].count(b"\t") == len(COLUMNS) - 1:
        return "snowplow"
    names = {name for _, columns in headings(path, Shape()) for name in columns}
    return "posthog" if names >= POSTHOG else "csv"


def _of_object(row: Any) -> str | None:
    if "event_type" in row:
        return "amplitude"
    properties = row.get("properties")
    if "event" in row and "distinct_id" in row:
        return "posthog"
    if "event" in row and isinstance(properties, dict) and "time" in properties:
        return "mixpanel"
    return None
