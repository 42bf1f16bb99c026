"""The rules that decided an answer, and what its counts would be under the other ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from expost.errors import NotBuilt
from expost.lake.unused_memory import give_back

from .answer import Answer
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
from .ties import Ties, say_ties, ties_by_arrays, ties_in_relations
from .trend import Trend

LET_GO = "\n".join(f"drop table if exists {name};" for name in ("matched", "counted", "attempts", "results"))
"""The largest relations that a question makes."""
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


def explanation(reading: Reading, question: Explanation) -> ExplanationAnswer:
    """The counts in force, and those under each other rule, all over the same snapshot."""
    how = EXPLAINED.get(type(question.of))
    if how is None:
        raise NotBuilt(
            f"A {type(question.of).__name__} is not explained by its rules.",
            hint="Funnels, retention, trends, stickiness, lifecycles, paths, sessions and cohorts are.",
        )
    asked = how.asked(question.of)
    in_force = Other("", "", "", asked)
    own, ties = _in_force(reading, how, in_force)
    # A cohort's size does not say what is left out of it.
    left_out = None if how is COHORT else frozenset(each.reason for each in own.basis.left_out)
    others = [*how.others(reading, asked), *counting_rules(reading, asked, left_out)]
    answers = _answers(reading, how, in_force, others)
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
        tied_events=None if ties is None else ties.events,
        tied_people=None if ties is None else ties.units,
    )


def _answers(reading: Reading, how: Explained, asked: Other, others: Sequence[Other]) -> list[Answer]:
    """The answer under each of these rules, of the least memory: those that make relations of all events come last.

    What was held for the others is let go before them, and their relations after each. Their SQL stands in the order
    of the rules all the same.
    """
    found: dict[int, Answer] = {}
    asked_before, sql = len(reading.sql), dict[int, list[str]]()
    has_passed_over = not how.makes_relations(reading, asked)
    for number in sorted(range(len(others)), key=lambda number: how.makes_relations(reading, others[number])):
        makes_relations = how.makes_relations(reading, others[number])
        if makes_relations and has_passed_over and reading.memory is not None:
            reading.memory.clear()
            give_back()
            has_passed_over = False
        found[number] = how.answer(reading, others[number])
        sql[number] = reading.sql[asked_before:]
        del reading.sql[asked_before:]
        if makes_relations:
            reading.quietly(LET_GO, {})
    reading.sql += [text for number in range(len(others)) for text in sql[number]]
    return [found[number] for number in range(len(others))]


def _in_force(reading: Reading, how: Explained, asked: Other) -> tuple[Answer, Ties | None]:
    """The answer, and its ties where the order of events decides."""
    if not how.is_ordered:
        return how.answer(reading, asked), None
    ties = ties_by_arrays(asked.of(reading), asked.question)
    if ties is None:
        # By the portable SQL, whose relations tell.
        own = how.answer(replace(reading, is_fast=False), asked)
        return own, ties_in_relations(reading, asked.question)
    own = how.answer(reading, asked)
    say_ties(reading, asked.question)
    return own, ties


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
