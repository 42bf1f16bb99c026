"""A funnel by a pass over arrays, for an answer that says the portable SQL, which gives the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .behind import BehindBar
from .breakdown import ByProperty
from .entry_values import is_said
from .funnel_any import quote_any
from .funnel_arrays import FunnelTables, funnel_tables
from .funnel_results import Asked
from .grouping import breakdown_values, quote_groups
from .latest_start import Rules
from .matched import IS_SEEN, Matched, Searched, search, tallied
from .reading import Reading
from .statement import Fragment
from .unseen import unsaid, unseen_flag, unseen_value


@dataclass(frozen=True, slots=True)
class Passed:
    """What was searched for and found, and what the pass over it gave."""

    searched: Searched
    matched: Matched
    tables: FunnelTables


def passed_over(reading: Reading, asked: Asked, behind: BehindBar | None = None) -> Passed:
    """The pass over the events of a funnel, after which the answer says how to make the relation `results`.

    `behind` lists the people of one bar on the way.
    """
    flag = asked.flag
    if flag is not None:
        reading.quote("exposures.sql", {"flag": flag.key}, unit=None, has_ties=False)
        reading.quote("exposed.sql", {})
    searched = search(reading, asked.definitions, has_flag=flag is not None, keeps_apart=True, **asked.match)
    blocks, ends, removes = (tuple(asked.numbered[name]) for name in ("blocks", "ends", "removes"))
    rules = Rules(
        asked.shapes,
        asked.structure["within"],
        reading.now,
        blocks,
        ends,
        removes,
        in_any_order=asked.question.order == "any",
    )
    found = funnel_tables(reading, asked.question, searched, rules, behind)
    reading.quote("matched.sql", searched.values, has_ties=False, **searched.structure)
    reading.quote("tally.sql", {})
    matched = tallied(reading, asked.definitions, searched.compiled, found.tally, asked.match["wheres"])
    notes = _unseen_value(reading, asked, searched, found)
    if flag is not None:
        reading.say(IS_SEEN, {})
        notes += unseen_flag(reading, flag.key, is_seen=found.is_flag_seen)
    matched = replace(matched, notes=(*notes, *matched.notes))
    _quote_results(reading, asked, shares_events=found.counts.shares_events)
    return Passed(searched, matched, found)


def _unseen_value(reading: Reading, asked: Asked, searched: Searched, found: FunnelTables) -> list[str]:
    """A note where no event that counts has what the answer is split by, as `match` says it."""
    by = breakdown_values(asked.question.by)
    if not isinstance(by, ByProperty):
        return unseen_value(reading, by)
    has_said = any(kind == "value" for kind, _ in found.counts.found)
    if has_said or not any(events for *_, events, _ in found.tally) or is_said(reading, searched):
        return []
    return unsaid(reading, by.name)


def _quote_results(reading: Reading, asked: Asked, *, shares_events: bool) -> None:
    """Remember the statements of `make_results`."""
    values, structure, question = asked.values, asked.structure, asked.question
    reading.quote("funnel_counted.sql", values, **structure)
    if asked.question.order == "any":
        quote_any(reading, values, structure, shares_events=shares_events)
    else:
        reading.quote("funnel.sql", values, **structure)
    reading.quote("entered.sql", {})
    groups = quote_groups(reading, values, question.by, question.unit)
    by_flag = asked.flag is not None
    reading.quote("funnel_results.sql", values, by_flag=by_flag, relation=Fragment("shown"), **groups)
