"""Retention: what is older than its site keeps it leaves the lake, and then what was known of people only for that.

Each table is one commit, the events first. Their commit draws a number, and a mark repeats it when all the rest is
done. So whatever moment the process ends, the next removal sees from the table that the rest is still to be done.
"""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import Transaction

from expost.clock import from_micros, to_micros

from .dictionary import DICTIONARIES
from .rewrite import rewrite
from .runs import Runs, add_column, are_in
from .schema import TIME
from .table import Table
from .unneeded import ids_of

BEGUN = "retention"
FINISHED = "retention-finished"

SUBJECTS = {name: DICTIONARIES[name] for name in ("devices", "users", "groups")}
"""Whom events are about: the tables of their names, and the columns of their ids."""

KeepMonths = Mapping[str, int | None]
"""How many calendar months each site keeps, `None` for ever. What belongs to a site that is not named stays."""


def cut_of(months: int, now: int) -> int:
    """The beginning of the day (UTC) so many calendar months before that of `now`: what is before it is to go.

    The same all day long, so that a removal that is repeated finds nothing to rewrite.

    >>> str(from_micros(cut_of(25, to_micros(datetime(2026, 3, 31, 15, 30, tzinfo=UTC)))))
    '2024-02-29 00:00:00+00:00'
    """
    today = from_micros(now)
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    day = min(today.day, monthrange(year, month + 1)[1])
    return to_micros(datetime(year, month + 1, day, tzinfo=UTC))


class Cuts:
    """Before which moment the rows of each site are to go. Times are compared exactly."""

    def __init__(self, keep_months: KeepMonths, now: int) -> None:
        cuts = {site: cut_of(months, now) for site, months in keep_months.items() if months is not None}
        self._sites = pa.array(cuts.keys(), pa.string())
        self._moments = pa.array(cuts.values(), pa.int64()).cast(TIME)
        self.latest = max(cuts.values(), default=None)

    def concern(self, rows: pa.Table) -> pa.ChunkedArray:
        """Which rows belong to a site that does not keep them for ever."""
        return pc.is_in(rows["site"], value_set=self._sites)

    def are_before(self, rows: pa.Table, column: str) -> pa.ChunkedArray:
        """Which rows have a time in `column` that lies before the cut of their site."""
        cuts = pc.take(self._moments, pc.index_in(rows["site"], value_set=self._sites))
        return pc.fill_null(pc.less(rows[column], cuts), False)


def remove_expired(tables: Mapping[str, Table], cuts: Cuts) -> dict[str, int]:
    """Remove what lies before the cut of its site; how many rows of each table that were.

    No group of segments may be half committed: people are committed before the events that need them.
    """
    if cuts.latest is None:
        return {}
    events = tables["events"]
    number = max(events.committed(BEGUN), events.committed(FINISHED)) + 1
    removed = rewrite(
        events,
        ("site", "time"),
        lambda rows: cuts.are_before(rows, "time"),
        Transaction(BEGUN, number),
        since=("time", cuts.latest),
    )
    if events.committed(FINISHED) == events.committed(BEGUN):
        return {"events": removed}
    counts = _remove_the_unneeded(tables, cuts)
    events.mark(Transaction(FINISHED, events.committed(BEGUN)))
    return counts | {"events": removed}


def _remove_the_unneeded(tables: Mapping[str, Table], cuts: Cuts) -> dict[str, int]:
    """Remove what was known of devices, users and groups that have no event left, and of pages."""
    alive = ids_of(tables["events"], tuple(SUBJECTS.values()))
    active = _with_their_users(alive, tables["identities"])

    def is_edge_unneeded(rows: pa.Table) -> pa.ChunkedArray:
        is_active = pc.or_(are_in(active, rows["from_id"]), are_in(active, rows["to_id"]))
        return pc.and_not(cuts.are_before(rows, "at"), is_active)

    edges = tables["identities"]
    removed = {"identities": rewrite(edges, ("site", "from_id", "to_id", "at"), is_edge_unneeded)}
    for rows in tables["identities"].read(("from_id", "to_id")):
        add_column(alive, rows["from_id"])
        add_column(alive, rows["to_id"])

    def is_trait_unneeded(rows: pa.Table) -> pa.ChunkedArray:
        return pc.and_not(cuts.are_before(rows, "at"), are_in(alive, rows["subject_id"]))

    removed["traits"] = rewrite(tables["traits"], ("site", "subject_id", "at"), is_trait_unneeded)
    # What was said of a page by then is about events from before.
    removed["page_counts"] = rewrite(
        tables["page_counts"], ("site", "told_at"), lambda rows: cuts.are_before(rows, "told_at")
    )
    for name, column in SUBJECTS.items():

        def is_subject_unneeded(rows: pa.Table, column: str = column) -> pa.ChunkedArray:
            return pc.and_not(cuts.concern(rows), are_in(alive, rows[column]))

        removed[name] = rewrite(tables[name], ("site", column), is_subject_unneeded)
    return removed


def _with_their_users(subjects: Runs, identities: Table) -> Runs:
    """These, the users who were named on one of them, since its events may be theirs, and all who were merged with one.

    Of merges either end tells of the other, and so on: without one in the middle a person would fall apart.
    """
    wider = Runs()
    for run in subjects.arrays:
        wider.add(run)
    merges = []
    for rows in identities.read(("kind", "from_id", "to_id")):
        add_column(wider, rows["to_id"].filter(are_in(subjects, rows["from_id"])))
        merges.append(rows.filter(pc.equal(rows["kind"], "merge")).select(["from_id", "to_id"]))
    joined = pa.concat_tables(merges) if merges else None
    while joined is not None and len(joined):
        from_there, to_there = (are_in(wider, joined[end]) for end in ("from_id", "to_id"))
        one_end = pc.xor(from_there, to_there)
        if not pc.any(one_end).as_py():
            break
        for end in ("from_id", "to_id"):
            add_column(wider, joined[end].filter(one_end))
    return wider
