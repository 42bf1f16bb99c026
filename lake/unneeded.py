"""What nobody needs any more once events are gone: names that nothing names, and elements on which nothing happened."""

# pyarrow makes its functions when it is imported, so that pyright does not know them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Sequence

import pyarrow.compute as pc

from .dictionary import DICTIONARIES
from .rewrite import AreDue, rewrite
from .runs import Runs, add_column, are_in
from .table import Table


def remove_unneeded(tables: dict[str, Table]) -> dict[str, int]:
    """Remove the names of people and groups whom nothing names, and elements on which nothing happened."""
    subjects = ids_of(tables["events"], ("device_id", "user_id", "group_id"))
    for name in ("from_id", "to_id"):
        for rows in tables["identities"].read((name,)):
            add_column(subjects, rows[name])
    removed = {
        name: rewrite(tables[name], (DICTIONARIES[name],), _not_in(subjects, DICTIONARIES[name]))
        for name in ("devices", "users", "groups")
    }
    removed["group_traits"] = rewrite(
        tables["traits"],
        ("subject_kind", "subject_id"),
        lambda rows: pc.and_(
            pc.equal(rows["subject_kind"], "group"), pc.invert(are_in(subjects, rows["subject_id"]))
        ),
    )
    for name, needed in _needed_places(tables).items():
        removed[name] = rewrite(tables[name], (DICTIONARIES[name],), _not_in(needed, DICTIONARIES[name]))
    return removed


def _needed_places(tables: dict[str, Table]) -> dict[str, Runs]:
    """The elements and placements on which something happened or that stand around those, and what all of them are."""
    needed = {name: Runs() for name in ("elements", "placements", "descriptors")}
    targets = ids_of(tables["events"], ("element_id",))
    places = ids_of(tables["events"], ("placement_id",))
    for rows in tables["placements"].read(("placement_id", "ancestors")):
        chosen = rows.filter(are_in(places, rows["placement_id"]))
        add_column(needed["placements"], chosen["placement_id"])
        add_column(needed["placements"], pc.list_flatten(chosen["ancestors"]))
    for rows in tables["placements"].read(
        ("placement_id", "element_id", "descriptor_id", "previous_siblings")
    ):
        chosen = rows.filter(are_in(needed["placements"], rows["placement_id"]))
        add_column(targets, chosen["element_id"])
        add_column(needed["descriptors"], chosen["descriptor_id"])
        add_column(needed["descriptors"], pc.list_flatten(chosen["previous_siblings"]))
    for rows in tables["elements"].read(("element_id", "ancestors")):
        chosen = rows.filter(are_in(targets, rows["element_id"]))
        add_column(needed["elements"], chosen["element_id"])
        add_column(needed["elements"], pc.list_flatten(chosen["ancestors"]))
    for rows in tables["elements"].read(("element_id", "descriptor_id", "previous_siblings")):
        chosen = rows.filter(are_in(needed["elements"], rows["element_id"]))
        add_column(needed["descriptors"], chosen["descriptor_id"])
        add_column(needed["descriptors"], pc.list_flatten(chosen["previous_siblings"]))
    return needed


def ids_of(table: Table, columns: Sequence[str]) -> Runs:
    """The ids that stand in these columns, all in one set: hashes of 64 bits, told apart by what went into them."""
    used = Runs()
    for rows in table.read(columns):
        for column in rows.columns:
            add_column(used, column)
    return used


def _not_in(ids: Runs, column: str) -> AreDue:
    return lambda rows: pc.invert(are_in(ids, rows[column]))
