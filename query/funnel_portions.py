"""Funnels of sessions, added up of portions of them, so that memory need not hold the events of all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .funnel import Funnel
from .funnel_results import Asked, make_results
from .reading import Reading, Row
from .statement import render

KEEP = "create or replace temp table results_of_portions as select * from results"
ADD = "insert into results_of_portions select * from results"
RENAME = "drop table results; alter table results_of_portions rename to results"


def is_for_portions(question: Funnel) -> bool:
    """Whether what is counted adds up: values of a breakdown are ranked over all, and so are not told of a portion."""
    return question.unit.kind == "session" and question.by is None and question.order != "any"


def daily_structure(asked: Asked) -> dict[str, Any]:
    """The structure of funnel_daily.sql."""
    entries = asked.shapes if asked.question.order == "any" else asked.shapes[:1]
    return {"unit": asked.structure["unit"], "entries": entries}


@dataclass
class ResultsOfPortions:
    """What the statements of a funnel make of each portion; `daily` is the row of funnel_daily.sql."""

    reading: Reading
    asked: Asked
    is_first_only: bool
    daily: Row = (0, 0)
    _has_begun: bool = False

    def add(self) -> None:
        """Add the results of the sessions that are in `matched`: each is in no other portion."""
        # Of that the answer says nothing.
        quiet = replace(self.reading, sql=[], used={})
        make_results(quiet, self.asked, is_first_only=self.is_first_only)
        quiet.quietly(ADD if self._has_begun else KEEP, {})
        self._has_begun = True
        text = render("funnel_daily.sql", **daily_structure(self.asked))
        [row] = quiet.quietly(text, self.asked.values).fetchall()
        self.daily = tuple(one + other for one, other in zip(self.daily, row, strict=True))

    def make_results(self) -> None:
        """Make the relation `results` of all portions."""
        self.reading.quietly(RENAME, {})
