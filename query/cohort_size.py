"""How many people are in a cohort now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from .cohort import Cohort
from .cohort_view import query_of
from .explanation import ExplainedAnswer
from .membership import COHORT_RULE, is_member_of
from .question import Question
from .reading import Reading
from .statement import Fragment


@dataclass(frozen=True, slots=True)
class CohortSize(Question):
    """How many people are in a cohort now, of all who have an event that counts."""

    of: str | Cohort


@dataclass(frozen=True, slots=True)
class CohortAnswer(ExplainedAnswer):
    """A cohort, and how many `people` of `everyone` are in it now."""

    name: str
    version: int | None
    meaning: str
    people: int
    everyone: int

    @property
    def opens(self) -> Mapping[str, str]:
        """How to see who is in a saved cohort."""
        if self.version is None:
            return {}
        query = query_of(self.name)
        return {
            "python": f"lake.sql({query!r})",
            "http": f"POST /api/v1/sql with {json.dumps({'query': query}, ensure_ascii=False)}",
            "command": f"expost sql {quote(query)}",
        }

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
