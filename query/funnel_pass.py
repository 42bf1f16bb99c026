"""A funnel by a pass over arrays, for an answer that says the portable SQL, which gives the same."""

from __future__ import annotations

from dataclasses import replace

from .array_pass import Passed, passed_over
from .behind import BehindBar
from .breakdown import ByProperty
from .entry_values import is_said
from .funnel_any import quote_any
from .funnel_arrays import FunnelTables, funnel_tables
from .funnel_results import Asked
from .grouping import breakdown_values, quote_groups
from .latest_start import Rules
from .matched import Searched
from .reading import Reading
from .statement import Fragment
from .unseen import unsaid, unseen_value


def funnel_passed(
    reading: Reading, asked: Asked, behind: BehindBar | None = None, *, is_first_only: bool = False
) -> Passed[FunnelTables]:
    """The pass over the events of a funnel, after which the answer says how to make the relation `results`.

    `behind` lists the people of one bar on the way. With `is_first_only` no entry of a unit counts but its first.
    """
    blocks, ends, removes = (tuple(asked.numbered[name]) for name in ("blocks", "ends", "removes"))
    rules = Rules(
        asked.shapes,
        asked.structure["within"],
        reading.now,
        blocks,
        ends,
        removes,
        in_any_order=asked.question.order == "any",
        is_first_only=is_first_only,
    )
    passed = passed_over(
        reading,
        asked.definitions,
        asked.flag,
        asked.match,
        lambda searched: funnel_tables(reading, asked.question, searched, rules, behind),
    )
    found = passed.tables
    notes = _unseen_value(reading, asked, passed.searched, found)
    quote_results(reading, asked, shares_events=found.counts.shares_events, is_first_only=is_first_only)
    return replace(passed, matched=replace(passed.matched, notes=(*notes, *passed.matched.notes)))


def _unseen_value(reading: Reading, asked: Asked, searched: Searched, found: FunnelTables) -> list[str]:
    """A note where no event that counts has what the answer is split by, as `match` says it."""
    by = breakdown_values(asked.question.by)
    if not isinstance(by, ByProperty):
        return unseen_value(reading, by)
    has_said = any(kind == "value" for kind, _ in found.counts.found)
    if has_said or not any(events for *_, events, _ in found.tally) or is_said(reading, searched):
        return []
    return unsaid(reading, by.name)


def quote_results(reading: Reading, asked: Asked, *, shares_events: bool, is_first_only: bool) -> None:
    """Remember the statements of `make_results`."""
    values, structure, question = asked.values, asked.structure, asked.question
    reading.quote("funnel_counted.sql", values, **structure)
    if is_first_only:
        reading.quote("funnel_first.sql", {})
    if asked.question.order == "any":
        quote_any(reading, values, structure, shares_events=shares_events)
    else:
        reading.quote("funnel.sql", values, **structure)
    reading.quote("entered.sql", {})
    groups = quote_groups(reading, values, question.by, question.unit)
    by_flag = asked.flag is not None
    reading.quote("funnel_results.sql", values, by_flag=by_flag, relation=Fragment("shown"), **groups)
