"""The rules that decided an answer, and what its counts would be under the other ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from expost.errors import NotBuilt

from .cohort_size import CohortSize
from .explanation import CountsOf, Explanation, ExplanationAnswer, OtherRule
from .funnel import Funnel
from .lifecycle import Lifecycle
from .paths import Paths
from .question import Question
from .reading import Reading
from .retention import Retention
from .rule import Counts, Explained, Other, counting_in_force, counting_rules
from .rules_of_cohort import COHORT
from .rules_of_periods import LIFECYCLE, STICKINESS, TREND
from .rules_of_sessions import PATHS, SESSIONS
from .rules_of_steps import FUNNEL, RETENTION
from .sessions import Sessions
from .stickiness import Stickiness
from .trend import Trend

EXPLAINED: Mapping[type[Question], Explained] = {
    Funnel: FUNNEL,
    Retention: RETENTION,
    Trend: TREND,
    Stickiness: STICKINESS,
    Lifecycle: LIFECYCLE,
    Paths: PATHS,
    Sessions: SESSIONS,
    CohortSize: COHORT,
}
TIES = """\
select cast(coalesce(sum(events), 0) as bigint) as events, count(distinct unit_id) as units
from (
    select unit_id, moment, count(distinct position) as events
    from counted
    group by unit_id, moment
    having count(distinct position) > 1
) as ties;"""


def explanation(reading: Reading, question: Explanation) -> ExplanationAnswer:
    """The counts in force, and those under each other rule, all over the same snapshot."""
    how = EXPLAINED.get(type(question.of))
    if how is None:
        raise NotBuilt(
            f"A {type(question.of).__name__} is not explained by its rules.",
            hint="Funnels, retention, trends, stickiness, lifecycles, paths, sessions and cohorts are.",
        )
    asked = how.asked(question.of)
    # By the portable SQL, so that its relations are there for the ties.
    own = how.answer(
        replace(reading, is_fast=reading.is_fast and not how.is_ordered), Other("", "", "", asked)
    )
    tied_events, tied_people = _ties(reading, asked) if how.is_ordered else (None, None)
    # A cohort's size does not say what is left out of it.
    left_out = None if how is COHORT else frozenset(each.reason for each in own.basis.left_out)
    others = [*how.others(reading, asked), *counting_rules(reading, asked, left_out)]
    answers = [how.answer(reading, other) for other in others]
    # Under another rule there may be more of them: more days on which somebody did it.
    columns = max(map(how.columns, (own, *answers)), key=len)
    chosen = _padded(how.counts(own), len(columns))
    found = zip(others, (_padded(how.counts(each), len(columns)) for each in answers), strict=True)
    whole = reading.basis()
    return ExplanationAnswer(
        question=question,
        basis=replace(own.basis, sql=whole.sql, parameters=whole.parameters),
        columns=columns,
        in_force=how.in_force(reading, asked) | counting_in_force(reading),
        groups=_compared(chosen, chosen),
        others=tuple(
            OtherRule(other.rule, other.setting, other.says, _compared(counts, chosen))
            for other, counts in found
        ),
        tied_events=tied_events,
        tied_people=tied_people,
    )


def _padded(counts: Counts, length: int) -> Counts:
    return {key: (*numbers, *(0,) * (length - len(numbers))) for key, numbers in counts.items()}


def _compared(counts: Counts, chosen: Counts) -> tuple[CountsOf, ...]:
    return tuple(
        CountsOf(
            *key,
            people,
            tuple(now - own for now, own in zip(people, chosen[key], strict=True)) if key in chosen else None,
        )
        for key, people in counts.items()
    )


def _ties(reading: Reading, asked: Question) -> tuple[int, int]:
    relation = "counted"
    if isinstance(asked, Retention):
        unit = "person_id" if asked.unit.kind == "person" else "unit_id"
        counts = "where is_sure and left_out is null"
        relation = f"(select {unit} as unit_id, moment, position from matched {counts}) as counted"
    [(events, units)] = reading.execute(TIES.replace("from counted", f"from {relation}"), {})
    return events, units
