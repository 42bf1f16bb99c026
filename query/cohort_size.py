"""How many people are in a cohort now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .answer import Answer
from .cohort import Cohort
from .membership import COHORT_RULE, is_member_of
from .question import Question
from .reading import Reading
from .statement import Fragment


@dataclass(frozen=True, slots=True)
class CohortSize(Question):
    """How many people are in a cohort now, of all who have an event that counts."""

    of: str | Cohort


@dataclass(frozen=True, slots=True)
class CohortAnswer(Answer):
    """A cohort, and how many `people` of `everyone` are in it now."""

    name: str
    version: int | None
    meaning: str
    people: int
    everyone: int

    def rows(self) -> list[dict[str, Any]]:
        """One row."""
        return [{"name": self.name, "people": self.people, "everyone": self.everyone}]


def cohort_size(reading: Reading, question: CohortSize) -> CohortAnswer:
    """How many people are in a cohort now."""
    cohort = reading.find_cohort(question.of) if isinstance(question.of, str) else question.of
    is_member = Fragment(is_member_of(reading, cohort, "cohort_1"))
    [(people, everyone)] = reading.run("cohort_size.sql", {}, chosen=is_member)
    return CohortAnswer(
        question=question,
        basis=reading.basis(notes=[COHORT_RULE]),
        name=cohort.name,
        version=cohort.version,
        meaning=str(cohort),
        people=people,
        everyone=everyone,
    )
