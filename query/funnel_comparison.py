"""Funnels, and what they are asked beside: the period before, or the people of another cohort."""

from __future__ import annotations

from dataclasses import replace

from .comparison import previous, reading_of_cohorts
from .funnel import Funnel, FunnelAnswer
from .funnel_counts import counted_funnel
from .funnel_results import prepare
from .membership import called
from .reading import Reading

NOBODY_SHARED = "The two groups compared are apart: nobody entered in both."
HERE, BESIDE = "entered_here", "entered_beside"


def funnel(reading: Reading, question: Funnel) -> FunnelAnswer:
    """How many units reached each step, and what that stands beside, over the same snapshot."""
    answer = counted_funnel(reading, question)
    if question.compare is None:
        return answer
    if question.compared_cohort is not None:
        return _beside_cohort(reading, question, answer)
    earlier = previous(question, reading.calendar)
    return replace(answer, compared=counted_funnel(replace(reading, question=earlier), earlier))


def _beside_cohort(reading: Reading, question: Funnel, answer: FunnelAnswer) -> FunnelAnswer:
    given = question.compared_cohort
    assert given is not None  # it was asked before
    cohort = reading.find_cohort(given) if isinstance(given, str) else given
    beside = reading_of_cohorts(reading, question, (given,))
    compared = counted_funnel(*beside)
    shared = _shared(reading, question, compared)
    notes = (f"Beside it the people who are in the cohort {called(cohort)}.", _said(question, shared))
    basis = replace(answer.basis, notes=(*answer.basis.notes, *notes))
    return replace(answer, basis=basis, compared=compared, shared_people=shared)


def _shared(reading: Reading, question: Funnel, compared: FunnelAnswer) -> int:
    """How many units entered here and in the funnel beside it."""
    asked = compared.question
    if question.unit.kind != "person":
        # Events of several people may be of one unit, some of this group and some of the other.
        return _in_both(reading, question)
    if not question.cohort:
        return compared.steps[0].people
    both = replace(question, by=None, over=None)
    return (
        counted_funnel(*reading_of_cohorts(reading, both, (*question.cohort, *asked.cohort))).steps[0].people
    )


def _in_both(reading: Reading, question: Funnel) -> int:
    given = question.compared_cohort
    assert given is not None  # it was asked before
    for name, cohorts in ((HERE, question.cohort), (BESIDE, (given,))):
        side, asked = reading_of_cohorts(reading, replace(question, by=None, over=None), cohorts)
        prepare(side, asked)
        side.execute(
            f"create or replace temp table {name} as\nselect unit_id\nfrom results\nwhere kind = 'total'\n;",
            {},
        )
    [(shared,)] = reading.execute(
        f"select count(*)\nfrom {HERE}\nwhere unit_id in (select unit_id from {BESIDE})\n;", {}
    )
    return int(shared)


def _said(question: Funnel, shared: int) -> str:
    if question.sample is not None:
        return "The two groups compared may share people."
    if not shared:
        return NOBODY_SHARED
    units = question.unit.singular if shared == 1 else question.unit.plural
    return f"The two groups compared are not apart: {shared:,} {units} entered in both."
