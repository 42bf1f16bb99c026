"""Membership: who is in a cohort when the question is asked, as a condition on the person of an event.

Nobody is in no cohort, and not outside of one either. What was not done has no list of people: a condition can say who
is not in one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from .breakdown import Breakdown, ByCohort
from .cohort import Cohort, Did
from .condition import property_condition
from .definition import definition
from .duration import micros
from .funnel import Funnel
from .funnel_results import prepare
from .matched import match
from .question import Question
from .reading import Reading
from .statement import Fragment, render

COHORT_RULE = "Who is in a cohort is decided at the moment of asking, by what counts in this question."


@dataclass
class _Conditions:
    """The conditions of one cohort, each a relation of people who fulfil it."""

    reading: Reading
    prefix: str
    found: list[str] = field(default_factory=list)

    def hold(self, made: str, values: dict[str, Any], *, is_fulfilled: bool = True) -> None:
        """Keep the people of a select as a relation, and ask for being in it, or not."""
        name = f"{self.prefix}_{len(self.found) + 1}"
        self.reading.execute(f"create or replace temp table {name} as\n{made}\n;", values)
        self.found.append(f"m.person_id {'in' if is_fulfilled else 'not in'} (select person_id from {name})")


def with_cohorts(reading: Reading) -> Reading:
    """The reading with everybody chosen whom the question asks for, and split by the cohort that it names."""
    question = reading.question
    by = breakdown_of(question)
    named = by.cohort if isinstance(by, ByCohort) else None
    if not (question.cohort or question.not_cohort or named is not None):
        return reading
    conditions, notes = ["m.person_id is not null"], []
    asked = [*((each, True) for each in question.cohort), *((each, False) for each in question.not_cohort)]
    for number, (given, is_in) in enumerate(asked, 1):
        cohort = reading.find_cohort(given) if isinstance(given, str) else given
        is_member = is_member_of(reading, cohort, f"cohort_{number}")
        conditions.append(is_member if is_in else f"not ({is_member})")
        notes.append(f"Only people who are {'' if is_in else 'not '}in the cohort {called(cohort)}.")
    parting = None
    if named is not None:
        cohort = reading.find_cohort(named) if isinstance(named, str) else named
        is_member = is_member_of(reading, cohort, "cohort_by")
        parting = Fragment(
            f"case when m.person_id is null then null when {is_member} then 'in' else 'not in' end"
        )
        notes.append(f"Split by the cohort {called(cohort)}.")
    has_filter = len(conditions) > 1
    return replace(
        reading,
        chosen=Fragment("\n    and ".join(conditions)) if has_filter else None,
        parting=parting,
        notes=(*notes, COHORT_RULE),
    )


def breakdown_of(question: Question) -> Breakdown | None:
    """What a question, or the one that it opens, splits by."""
    inner = (getattr(question, name, None) for name in ("funnel", "retention", "trend", "of"))
    asked = next((each for each in inner if isinstance(each, Question)), question)
    return getattr(asked, "by", None)


def is_member_of(reading: Reading, cohort: Cohort, prefix: str) -> str:
    """Make what decides, and give the condition on `m.person_id`."""
    used: dict[str, Any] = {}
    question = replace(Question(**_common(reading.question)), start=cohort.start, end=cohort.end)
    own = replace(reading, question=question, used=used, chosen=None, parting=None, notes=())
    conditions = _Conditions(own, prefix)
    for hold in (_acts, _sequel, _traits, _listed):
        hold(conditions, cohort)
    reading.used.update({f"{prefix}.{name}": value for name, value in used.items()})
    return " and ".join(conditions.found)


def _acts(conditions: _Conditions, cohort: Cohort) -> None:
    for did in cohort.did:
        _done(conditions, did, is_fulfilled=True)
    for did in cohort.did_not:
        _done(conditions, did, is_fulfilled=False)


def _done(conditions: _Conditions, did: Did, *, is_fulfilled: bool) -> None:
    reading = conditions.reading
    low, high = reading.start, min(reading.end, reading.now + 1)
    if did.within is not None:
        low = max(low, reading.now - micros(did.within))
    where = {1: definition("where", properties=did.where)} if did.where else {}
    match(reading, [reading.definition(did.step)], bounds=(low, high), has_positions=False, wheres=where)
    times = f"{conditions.prefix}_times_{len(conditions.found) + 1}"
    conditions.hold(
        "select person_id\nfrom matched\nwhere is_sure\n    and left_out is null\n    and person_id is not null\n"
        f"group by person_id\nhaving count(*) >= ${times}",
        {times: did.times},
        is_fulfilled=is_fulfilled,
    )


def _sequel(conditions: _Conditions, cohort: Cohort) -> None:
    if cohort.sequence is None:
        return
    reading, steps = conditions.reading, cohort.sequence.steps
    prepare(reading, Funnel(steps, cohort.sequence.within))
    conditions.hold(
        f"select unit_id as person_id\nfrom results\nwhere kind = 'total'\n    and at_{len(steps)} <= $now_at",
        {},
    )
    # Others make a table of that name.
    reading.execute("drop view entered;", {})


def _traits(conditions: _Conditions, cohort: Cohort) -> None:
    for number, trait in enumerate(cohort.traits, 1):
        prefix = f"{conditions.prefix}_trait_{number}"
        condition, values = property_condition(replace(trait, name="value"), prefix)
        name = f"{prefix}_asked"
        text = render("cohort_trait.sql", condition=condition, trait=Fragment(f"${name}"))
        conditions.hold(text, {**values, name: trait.name})


def _listed(conditions: _Conditions, cohort: Cohort) -> None:
    if not cohort.is_listed:
        return
    users, devices = f"{conditions.prefix}_users", f"{conditions.prefix}_devices"
    text = render("cohort_listed.sql", users=Fragment(f"${users}"), devices=Fragment(f"${devices}"))
    conditions.hold(text, {users: list(cohort.users), devices: list(cohort.devices)})


def _common(question: Question) -> dict[str, Any]:
    """What every question says about itself, but for the cohorts of which it is asked."""
    of_cohorts = ("cohort", "not_cohort")
    return {
        each.name: getattr(question, each.name) for each in fields(Question) if each.name not in of_cohorts
    }


def called(cohort: Cohort) -> str:
    """A cohort in words: its name, its version and its conditions."""
    version = "" if cohort.version is None else f" (version {cohort.version})"
    return f"{cohort.name!r}{version}: {cohort}"
