"""Reconciling: the funnel asked again and again, with one rule less each time, until it counts who an id is.

So each id has one cause, and with all causes the ids add up, whatever the rules do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .breakdown import Flag
from .condition import json_pointer
from .funnel import Funnel
from .funnel_results import Prepared, prepare
from .losses import Losses, LossesAnswer, losses
from .matched import unit_column
from .person import called
from .reading import Reading
from .reconcile import CAUSES, CauseCount, Reconcile, ReconcileAnswer, ReconciledId, says_of
from .statement import Fragment
from .trial import Trial, trials
from .unit import Unit
from .unseen import unseen_properties

TOTAL, IN_GROUPS = "kind = 'total'", "kind in ('variation', 'several variations', 'not exposed')"
UNIT_RULE = (
    "An id stands for a {one}. Of a {one} that is counted the first id is counted, and others of it are not: as many "
    "ids are counted as {many}."
)
ORDER_RULE = (
    "The funnel is asked again with one rule less each time, in the order of the causes; an id that is not counted has "
    "the first cause at which it would be."
)


@dataclass
class _Known:
    """What is known of one id: which unit it may be, and whether anything names it at all.

    `others` are what a last trial looks at: the browsers of a person, the people of a group. `has_source` says that
    something can have done what the funnel counts for it: a browser, or somebody in the group.
    """

    id: str
    units: set[int] = field(default_factory=set)
    others: set[int] = field(default_factory=set)
    is_known: bool = False
    has_source: bool = False


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is of an id."""

    cause: str
    unit: int | None = None
    detail: str = ""


def reconcile(reading: Reading, question: Reconcile) -> ReconcileAnswer:
    """What is of each id."""
    known = _known(reading, question)
    base = replace(question.funnel, compare=None, over=None)
    own = replace(reading, question=base)
    prepared = prepare(own, base)
    reached = _reached(own, prepared, TOTAL)
    in_groups = reached & _reached(own, prepared, IN_GROUPS) if isinstance(base.by, Flag) else reached
    found = _counted(known, reached, in_groups)
    evidence = _tried(own, base, known, found)
    waiting = [each for each in known if each.id not in found]
    missing = losses(own, Losses("day")) if any(not each.is_known for each in waiting) else None
    for each in waiting:
        found[each.id] = evidence.verdict(each, _missing_in_words(missing))
    listed = {unit for each in known for unit in each.units & reached}
    kind = base.unit.kind
    names = _names(reading, kind, found.values())
    one = "browser" if kind == "device" else base.unit.singular
    unknown = [] if question.property is None or any(each.is_known for each in known) else [question.property]
    return ReconcileAnswer(
        question=question,
        basis=reading.basis(
            definitions=prepared.matched.definitions,
            left_out=prepared.matched.left_out,
            notes=[
                *prepared.matched.notes,
                *unseen_properties(reading, unknown),
                UNIT_RULE.format(one=one, many=base.unit.plural),
                ORDER_RULE,
            ],
        ),
        ids=tuple(_reconciled(each.id, found[each.id], kind, names) for each in known),
        causes=_causes(found.values(), kind),
        counted=sum(each.cause == "counted" for each in found.values()),
        people=len(reached),
        unlisted=len(reached - listed),
        missing=missing.total.missing if missing else 0,
        is_exact=missing.total.is_exact if missing else True,
    )


def _known(reading: Reading, question: Reconcile) -> list[_Known]:
    """What is known of each id, in the order given."""
    reading.execute(
        "create or replace temp table asked as\nselect unnest($ids) as id;", {"ids": list(question.ids)}
    )
    unit, by_property = question.funnel.unit, question.property is not None
    values: dict[str, Any] = {"group_type": unit.group_type}
    if question.property is not None:
        values["property"] = json_pointer(question.property)
    if unit.kind == "group":
        reading.run("memberships.sql", values)
    found = {each: _Known(each) for each in question.ids}
    for id_, one, other, has_source in reading.run(
        "reconciled.sql", values, by_property=by_property, unit=unit.kind
    ):
        each = found[id_]
        each.is_known = True
        each.has_source |= has_source
        each.units |= {one} - {None}
        each.others |= {other} - {None}
    return list(found.values())


def _reached(reading: Reading, prepared: Prepared, kinds: str) -> set[int]:
    """The units of these kinds that came to the last step."""
    last = prepared.shapes[-1]
    has_come = f"at_{last.number} is not null" if last.is_optional else f"reached >= {last.number}"
    rows = reading.execute(f"select distinct unit_id\nfrom results\nwhere {kinds}\n    and {has_come};", {})
    return {unit for (unit,) in rows}


def _counted(known: Iterable[_Known], reached: set[int], in_groups: set[int]) -> dict[str, _Verdict]:
    """What is counted, each unit by its first id, and what is in the total alone."""
    found: dict[str, _Verdict] = {}
    first: dict[int, str] = {}
    for each in known:
        units = sorted(each.units & in_groups)
        free = [unit for unit in units if unit not in first]
        if free:
            first[free[0]] = each.id
            found[each.id] = _Verdict("counted", free[0])
        elif units:
            found[each.id] = _Verdict("same_person", units[0], f"as {first[units[0]]}")
        elif each.units & reached:
            found[each.id] = _Verdict("before_exposure", min(each.units & reached))
    return found


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Which of the steps, by name, units have any event of, whatever rule leaves it out."""

    steps: tuple[str, ...]
    done: Mapping[int, set[int]]

    def verdict(self, each: _Known, missing: str) -> _Verdict:
        """What is of an id that no trial counts."""
        unit = min(each.units, default=None)
        if not each.is_known:
            return _Verdict("never_captured", None, missing)
        if not each.has_source:
            return _Verdict("not_identified", unit)
        done = set().union(*(self.done.get(one, set()) for one in each.units))
        lacking = [place for place in range(1, len(self.steps) + 1) if place not in done]
        if lacking[:1] == [1]:
            return _Verdict("entry_missing", unit, self.steps[0])
        # Where nothing lacks, one event would have to be two steps.
        return _Verdict("step_missing", unit, self.steps[(lacking or [len(self.steps)])[0] - 1])


def _tried(reading: Reading, base: Funnel, known: Sequence[_Known], found: dict[str, _Verdict]) -> _Evidence:
    """Give a cause to each id that a funnel without some rules counts; and what the one without any of them saw."""
    evidence = _Evidence((), {})
    for trial in trials(reading, base):
        waiting = [each for each in known if each.id not in found and each.units]
        if not waiting:
            break
        own = replace(trial.reading, chosen=_only(trial, waiting))
        prepared = prepare(own, trial.funnel, forgiven=sorted(trial.forgiven))
        if trial.is_of_units:
            evidence = _Evidence(tuple(step.name for step in prepared.steps), _done(own, base.unit))
        reached = _reached(own, prepared, TOTAL)
        for each in waiting:
            if _tried_by(trial, each) & reached:
                found[each.id] = _Verdict(trial.cause, min(each.units))
    return evidence


def _tried_by(trial: Trial, each: _Known) -> set[int]:
    return each.units if trial.is_of_units else each.others


def _only(trial: Trial, waiting: Iterable[_Known]) -> Fragment:
    """The condition on an event that it is of one of these, beside what holds already."""
    units = sorted({unit for each in waiting for unit in _tried_by(trial, each)})
    trial.reading.execute(
        "create or replace temp table waiting as\nselect unnest($units) as unit_id;", {"units": units}
    )
    theirs = f"m.{unit_column(trial.funnel.unit)} in (select unit_id from waiting)"
    return Fragment(theirs if trial.reading.chosen is None else f"{trial.reading.chosen}\n    and {theirs}")


def _done(reading: Reading, unit: Unit) -> dict[int, set[int]]:
    """The numbers of the steps of which each unit has an event."""
    done: dict[int, set[int]] = {}
    column = unit_column(unit)
    rows = reading.execute(f"select distinct {column}, step\nfrom matched\nwhere {column} is not null;", {})
    for one, step in rows:
        done.setdefault(one, set()).add(step)
    return done


def _missing_in_words(missing: LossesAnswer | None) -> str:
    if missing is None:
        return ""
    if not missing.total.missing:
        return "no event of this range is known to be missing"
    least = "" if missing.total.is_exact else "at least "
    return f"{least}{missing.total.missing:,} events of this range never arrived"


def _names(reading: Reading, kind: str, verdicts: Iterable[_Verdict]) -> dict[int, str]:
    """What the site calls these units."""
    units = sorted({each.unit for each in verdicts if each.unit is not None})
    reading.execute(
        "create or replace temp table chosen as\nselect unnest($units) as unit_id;", {"units": units}
    )
    return dict(reading.run("reconciled_names.sql", {}, named=kind))


def _reconciled(id_: str, verdict: _Verdict, kind: str, names: Mapping[int, str]) -> ReconciledId:
    unit = verdict.unit
    if unit is None:
        return ReconciledId(id_, verdict.cause, verdict.detail, None, None)
    said = called(kind, unit, names.get(unit), is_user=unit in names)
    return ReconciledId(id_, verdict.cause, verdict.detail, str(unit), said)


def _causes(verdicts: Iterable[_Verdict], kind: str) -> tuple[CauseCount, ...]:
    counts = Counter(each.cause for each in verdicts)
    return tuple(CauseCount(cause, counts[cause], says_of(cause, kind)) for cause in CAUSES if counts[cause])
