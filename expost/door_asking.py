"""What the parts of a `Lake` have in common: the data folder that they ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from expost.query.analysis import Analysis
from expost.query.answer import Answer
from expost.query.explanation import ExplainedAnswer
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
        answer = self._answer(question)
        assert isinstance(answer, kind)
        return answer

    def _answer(self, question: Question) -> Answer:
        """The answer to a question of whatever kind."""
        return _opening(self.analysis.ask(question), self.analysis.ask)


def _opening(answer: Answer, ask: Callable[[Question], Answer]) -> Answer:
    """The same answer, and what it is compared with, so that `answer.explain()` can ask about it."""
    match answer:
        case FunnelAnswer(compared=FunnelAnswer() as beside):
            return replace(answer, ask=ask, compared=replace(beside, ask=ask))
        case RetentionAnswer(compared=RetentionAnswer() as beside):
            return replace(answer, ask=ask, compared=replace(beside, ask=ask))
        case TrendAnswer(compared=TrendAnswer() as beside):
            return replace(answer, ask=ask, compared=replace(beside, ask=ask))
        case ExplainedAnswer():
            return replace(answer, ask=ask)
        case _:
            return answer
