"""What follows from an event's user agent, address and referrer, as columns beside them.

The sink fills them in. Rules grow better, so every row says by which it was judged (`enriched_by`), and the past can be
judged again by newer ones from what was kept. Nothing else of a row changes, and its file keeps its order.
"""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from .agent import AGENT_RULES, Agent, agent_of
from .arrival import ARRIVAL_RULES, Arrival, arrival_of
from .rewrite import rewrite_each
from .schema import EVENTS
from .table import Table

RULES = f"{ARRIVAL_RULES}, {AGENT_RULES}"
"""Stands in `enriched_by`."""

COLUMNS = (*Agent._fields, *Arrival._fields, "enriched_by")
"""The columns that are filled in here."""

_SEPARATOR = "\x1f"


def enrich(rows: pa.Table) -> pa.Table:
    """These rows of `events` with the columns that follow from others, whatever stood there before."""
    found = _from_agents(rows["user_agent"]) | _from_arrivals(rows)
    found["enriched_by"] = pa.array([RULES] * 1, pa.string()).take(pa.array([0] * len(rows), pa.int32()))
    for name, column in found.items():
        rows = rows.set_column(rows.schema.get_field_index(name), EVENTS.field(name), column)
    return rows


def enrich_past(table: Table, tell: Callable[[int], None] = lambda _: None) -> int:
    """Judge the events again that were judged by other rules; how many that were. Each file is a commit."""

    def are_due(rows: pa.Table) -> pa.ChunkedArray:
        return pc.fill_null(pc.not_equal(rows["enriched_by"], RULES), True)

    return rewrite_each(
        table,
        ["enriched_by"],
        are_due,
        change=lambda rows, _: enrich(rows),
        tell=tell,
    )


def _from_agents(user_agents: pa.ChunkedArray) -> dict[str, pa.Array]:
    return _spread(user_agents, Agent._fields, lambda text: agent_of(text or ""))


def _from_arrivals(rows: pa.Table) -> dict[str, pa.Array]:
    # A server's event has no host: the whole is null then, and so is what follows from it.
    address = pc.binary_join_element_wise(
        rows["host"], pc.fill_null(rows["query"], ""), pc.fill_null(rows["referrer"], ""), _SEPARATOR
    )
    return _spread(
        address,
        Arrival._fields,
        lambda text: Arrival() if text is None else arrival_of(*text.split(_SEPARATOR, 2)),
    )


def _spread(
    values: pa.ChunkedArray, names: Sequence[str], judge: Callable[[str | None], tuple[Any, ...]]
) -> dict[str, pa.Array]:
    """Each distinct value is judged once, and what is found stands in the rows of it."""
    together = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    encoded = together.dictionary_encode(null_encoding="encode")
    judged = [judge(value) for value in encoded.dictionary.to_pylist()]
    columns = zip(*judged, strict=True) if judged else [()] * len(names)
    return {
        name: pa.array(column, EVENTS.field(name).type).take(encoded.indices)
        for name, column in zip(names, columns, strict=True)
    }
