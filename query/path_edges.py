"""The edges of paths, added up of portions of the sessions, so that memory need not hold all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .reading import Reading, Row
from .statement import render

TURN_EDGES = 1_000_000
"""People take turns where they are counted, each time those with about so many rows of edges."""
MADE = """\
create or replace temp table path_names (name_id integer, name varchar);
create or replace temp table path_edges (
    step utinyint, source integer, target integer, is_end boolean, person_id bigint, sessions integer
)"""
SESSIONS = "select coalesce(sum(sessions), 0)::bigint from path_edges where step = 1"
PEOPLE = "select coalesce(sum(people), 0)::bigint from path_people where step = 0"
LET_GO = "\n".join(
    f"drop table if exists {name};"
    for name in ("anchors", "portion_edges", "path_names", "path_edges", "path_told", "path_people")
)


@dataclass(frozen=True, slots=True)
class PathEdges:
    """The relations `path_edges` and `path_names` of a reading; `values` and `structure` are those of paths.sql."""

    reading: Reading
    values: Mapping[str, Any]
    structure: Mapping[str, Any]

    def __post_init__(self) -> None:
        self.reading.quietly(MADE, {})

    def add(self) -> None:
        """Add the edges of the sessions that are in `matched`."""
        self.reading.quietly(render("path_portion.sql", **self.structure), self.values)

    def rows(self) -> tuple[list[Row], int, int]:
        """The rows of paths.sql, and how many sessions and people there are; after that no relation is left."""
        reading = self.reading
        reading.quietly(render("path_told.sql"), self.values)
        [(many,)] = reading.quietly("select count(*) from path_edges", {}).fetchall()
        turns = 1 + many // TURN_EDGES
        for turn in range(turns):
            reading.go_on()
            reading.quietly(render("path_people.sql"), {"turn": turn, "turns": turns})
        [(sessions,)] = reading.quietly(SESSIONS, {}).fetchall()
        [(people,)] = reading.quietly(PEOPLE, {}).fetchall()
        rows = reading.quietly(render("path_counts.sql"), {}).fetchall()
        reading.quietly(LET_GO, {})
        return rows, sessions, people
