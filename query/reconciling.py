"""Reconciling: the funnel asked again and again, with one rule less each time, until it counts who an id is.

So each id has one cause, and with all causes the ids add up, whatever the rules do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from .breakdown import Flag
from .condition import json_pointer
from .funnel import Funnel, Stage
from .funnel_results import Prepared, prepare
from .losses import Losses, LossesAnswer, losses
from .person import stranger
from .reading import Reading
from .reconcile import CAUSES, CauseCount, Reconcile, ReconcileAnswer, ReconciledId
from .statement import Fragment
from .unit import Unit
from .unseen import unseen_properties

EVER = timedelta(days=36_500)
"""Longer than anything is kept."""
TOTAL, IN_GROUPS = "kind = 'total'", "kind in ('variation', 'several variations', 'not exposed')"
PERSON_RULE = (
    "An id stands for a person. Of a person who is counted the first id is counted, and others of theirs are not: as "
    "many ids are counted as people."
)
ORDER_RULE = (
    "The funnel is asked again with one rule less each time, in the order of the causes; an id that is not counted has "
    "the first cause at which it would be."
)


@dataclass
class _Known:
    """What is known of one id: whose it may be, on which browsers, and whether anything names it at all."""

    id: str
    people: set[int] = field(default_factory=set)
    devices: set[int] = field(default_factory=set)
    is_known: bool = False
    has_browser: bool = False


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is of an id."""

    cause: str
    person: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Trial:
    """The funnel without the rules up to `cause`."""

    cause: str
    reading: Reading
    funnel: Funnel
    forgiven: frozenset[str] = frozenset()

    @property
    def is_of_people(self) -> bool:
        """Whether it counts people, and not browsers."""
        return self.funnel.unit.kind == "person"


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
    listed = {person for each in known for person in each.people & reached}
    names = _names(reading, found.values())
    unknown = [] if question.property is None or any(each.is_known for each in known) else [question.property]
    return ReconcileAnswer(
        question=question,
        basis=reading.basis(
            definitions=prepared.matched.definitions,
            left_out=prepared.matched.left_out,
            notes=[*unseen_properties(reading, unknown), PERSON_RULE, ORDER_RULE],
        ),
        ids=tuple(_reconciled(each.id, found[each.id], names) for each in known),
        causes=_causes(found.values()),
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
    by_property = question.property is not None
    values = {"property": json_pointer(question.property)} if question.property is not None else {}
    found = {each: _Known(each) for each in question.ids}
    for id_, person, device, has_browser in reading.run("reconciled.sql", values, by_property=by_property):
        each = found[id_]
        each.is_known = True
        each.has_browser |= has_browser
        each.people |= {person} - {None}
        each.devices |= {device} - {None}
    return list(found.values())


def _reached(reading: Reading, prepared: Prepared, kinds: str) -> set[int]:
    """The units of these kinds that came to the last step."""
    last = prepared.shapes[-1]
    has_come = f"at_{last.number} is not null" if last.is_optional else f"reached >= {last.number}"
    rows = reading.execute(f"select distinct unit_id\nfrom results\nwhere {kinds}\n    and {has_come};", {})
    return {unit for (unit,) in rows}


def _counted(known: Iterable[_Known], reached: set[int], in_groups: set[int]) -> dict[str, _Verdict]:
    """Who is counted, each person by their first id, and who is in the total alone."""
    found: dict[str, _Verdict] = {}
    first: dict[int, str] = {}
    for each in known:
        people = sorted(each.people & in_groups)
        free = [person for person in people if person not in first]
        if free:
            first[free[0]] = each.id
            found[each.id] = _Verdict("counted", free[0])
        elif people:
            found[each.id] = _Verdict("same_person", people[0], f"as {first[people[0]]}")
        elif each.people & reached:
            found[each.id] = _Verdict("before_exposure", min(each.people & reached))
    return found


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Which of the steps, by name, people have any event of, whatever rule leaves it out."""

    steps: tuple[str, ...]
    done: Mapping[int, set[int]]

    def verdict(self, each: _Known, missing: str) -> _Verdict:
        """What is of an id that no trial counts."""
        person = min(each.people, default=None)
        if not each.is_known:
            return _Verdict("never_captured", None, missing)
        if not each.has_browser:
            return _Verdict("not_identified", person)
        done = set().union(*(self.done.get(each, set()) for each in each.people))
        lacking = [place for place in range(1, len(self.steps) + 1) if place not in done]
        if lacking[:1] == [1]:
            return _Verdict("entry_missing", person, self.steps[0])
        # Where nothing lacks, one event would have to be two steps.
        return _Verdict("step_missing", person, self.steps[(lacking or [len(self.steps)])[0] - 1])


def _tried(reading: Reading, base: Funnel, known: Sequence[_Known], found: dict[str, _Verdict]) -> _Evidence:
    """Give a cause to each id that a funnel without some rules counts; and what the one without any of them saw."""
    evidence = _Evidence((), {})
    for trial in _trials(reading, base):
        waiting = [each for each in known if each.id not in found and (each.people or each.devices)]
        if not waiting:
            break
        own = replace(trial.reading, chosen=_only(trial, waiting))
        prepared = prepare(own, trial.funnel, forgiven=sorted(trial.forgiven))
        if trial.is_of_people:
            evidence = _Evidence(tuple(step.name for step in prepared.steps), _done(own))
        reached = _reached(own, prepared, TOTAL)
        for each in waiting:
            if (each.people if trial.is_of_people else each.devices) & reached:
                found[each.id] = _Verdict(trial.cause, min(each.people, default=None))
    return evidence


def _trials(reading: Reading, base: Funnel) -> Iterator[_Trial]:
    """The funnel with one rule less each time; rules that say nothing here are passed over."""
    trial = _Trial("", reading, replace(base, by=None))
    for cause, give_up in _GIVEN_UP:
        without = give_up(trial)
        if without is not None:
            trial = replace(without, cause=cause)
            yield trial


def _without_range(trial: _Trial) -> _Trial | None:
    if not trial.reading.has_range:
        return None
    funnel = replace(trial.funnel, start=None, end=None)
    return replace(trial, reading=replace(trial.reading, question=funnel), funnel=funnel)


def _without_days(trial: _Trial) -> _Trial:
    return replace(trial, forgiven=trial.forgiven | {"daily"})


def _without_windows(trial: _Trial) -> _Trial:
    steps = tuple(replace(each, within=None) for each in trial.funnel.stages)
    return replace(trial, funnel=replace(trial.funnel, within=EVER, steps=steps))


def _without_exclusions(trial: _Trial) -> _Trial | None:
    if not (trial.funnel.ends_attempt or trial.funnel.removes_unit):
        return None
    return replace(trial, funnel=replace(trial.funnel, ends_attempt=(), removes_unit=()))


def _without_order(trial: _Trial) -> _Trial | None:
    *before, last = trial.funnel.stages
    if trial.funnel.order == "any" or not before:
        return None
    # In any order no step is optional; who came to the last one need not have done the others.
    steps = tuple(
        Stage(each.step, where=each.where) for each in (*before, last) if not each.optional or each is last
    )
    return replace(trial, funnel=replace(trial.funnel, order="any", between=(), steps=steps))


def _without_cohorts(trial: _Trial) -> _Trial | None:
    if trial.reading.chosen is None:
        return None
    return replace(trial, reading=replace(trial.reading, chosen=None))


def _in_all_environments(trial: _Trial) -> _Trial | None:
    return _counting(trial, environments=()) if trial.reading.counting.environments else None


def _with_internal(trial: _Trial) -> _Trial | None:
    return None if trial.reading.counting.internal else _counting(trial, internal=True)


def _with_bots(trial: _Trial) -> _Trial | None:
    return None if trial.reading.counting.bots else _counting(trial, bots=True)


def _counting(trial: _Trial, **changes: Any) -> _Trial:
    counting = replace(trial.reading.counting, **changes)
    return replace(trial, reading=replace(trial.reading, counting=counting))


def _with_unknown(trial: _Trial) -> _Trial:
    return replace(trial, forgiven=trial.forgiven | {"unknown"})


def _of_browsers(trial: _Trial) -> _Trial:
    return replace(trial, funnel=replace(trial.funnel, unit=Unit("device")))


_GIVEN_UP: tuple[tuple[str, Callable[[_Trial], _Trial | None]], ...] = (
    ("out_of_range", _without_range),
    ("consent", _without_days),
    ("outside_window", _without_windows),
    ("excluded", _without_exclusions),
    ("out_of_order", _without_order),
    ("not_in_cohort", _without_cohorts),
    ("other_environment", _in_all_environments),
    ("internal", _with_internal),
    ("bot", _with_bots),
    ("selector_unknown", _with_unknown),
    ("other_person", _of_browsers),
)


def _only(trial: _Trial, waiting: Iterable[_Known]) -> Fragment:
    """The condition on an event that it is of one of these, beside what holds already."""
    units = sorted(
        {unit for each in waiting for unit in (each.people if trial.is_of_people else each.devices)}
    )
    trial.reading.execute(
        "create or replace temp table waiting as\nselect unnest($units) as unit_id;", {"units": units}
    )
    column = "person_id" if trial.is_of_people else "device_id"
    theirs = f"m.{column} in (select unit_id from waiting)"
    return Fragment(theirs if trial.reading.chosen is None else f"{trial.reading.chosen}\n    and {theirs}")


def _done(reading: Reading) -> dict[int, set[int]]:
    """The numbers of the steps of which each person has an event."""
    done: dict[int, set[int]] = {}
    rows = reading.execute("select distinct person_id, step\nfrom matched\nwhere person_id is not null;", {})
    for person, step in rows:
        done.setdefault(person, set()).add(step)
    return done


def _missing_in_words(missing: LossesAnswer | None) -> str:
    if missing is None:
        return ""
    if not missing.total.missing:
        return "no event of this range is known to be missing"
    least = "" if missing.total.is_exact else "at least "
    return f"{least}{missing.total.missing:,} events of this range never arrived"


def _names(reading: Reading, verdicts: Iterable[_Verdict]) -> dict[int, str]:
    """What the site calls these people."""
    people = sorted({each.person for each in verdicts if each.person is not None})
    rows = reading.execute(
        'select user_id, min("user")\nfrom lake.users\nwhere list_contains($people, user_id)\ngroup by user_id;',
        {"people": people},
    )
    return dict(rows)


def _reconciled(id_: str, verdict: _Verdict, names: Mapping[int, str]) -> ReconciledId:
    person = verdict.person
    if person is None:
        return ReconciledId(id_, verdict.cause, verdict.detail, None, None)
    called = names.get(person) or stranger(str(person))
    return ReconciledId(id_, verdict.cause, verdict.detail, str(person), called)


def _causes(verdicts: Iterable[_Verdict]) -> tuple[CauseCount, ...]:
    counts = Counter(each.cause for each in verdicts)
    return tuple(CauseCount(cause, counts[cause], says) for cause, says in CAUSES.items() if counts[cause])
