"""What the parts of a `Lake` have in common: the data folder that they ask."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from expost.query.analysis import Analysis
from expost.query.answer import Answer
from expost.query.funnel import FunnelAnswer
from expost.query.question import Question
from expost.query.retention import RetentionAnswer
from expost.query.trend import TrendAnswer

Found = TypeVar("Found", bound=Answer)


class Asking:
    """A data folder that is open for questions."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    def _ask(self, question: Question, kind: type[Found]) -> Found:
        """The answer to a question, which is of that kind."""
        answer = self.analysis.ask(question)
        if isinstance(answer, FunnelAnswer | RetentionAnswer | TrendAnswer):
            # So that `answer.people(step=2)` can open a bar of it.
            answer = replace(answer, ask=self.analysis.ask)
        assert isinstance(answer, kind)
        return answer
