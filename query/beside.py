"""Funnels and retention, each with what it stands beside."""

from __future__ import annotations

from .comparison import Comparison
from .funnel import Funnel, FunnelAnswer
from .funnel_counts import counted_funnel
from .funnel_results import prepare
from .reading import Reading
from .retention import Retention, RetentionAnswer
from .retention_counts import asked_of, count_returned, counted_retention, make_matched

ENTERED_FUNNEL = "select unit_id\nfrom results\nwhere kind = 'total'"
BEGAN = "select distinct unit_id\nfrom began\nwhere kind = 'total'"


def funnel(reading: Reading, question: Funnel) -> FunnelAnswer:
    """How many units reached each step, and what that stands beside."""
    return _FUNNELS.answer(reading, question)


def retention(reading: Reading, question: Retention) -> RetentionAnswer:
    """Who came back, and what that stands beside."""
    return _RETENTIONS.answer(reading, question)


def _entered_funnel(reading: Reading, question: Funnel) -> str:
    prepare(reading, question)
    return ENTERED_FUNNEL


def _began(answer: RetentionAnswer) -> int | None:
    """Everybody begins once, unless it is once in each period."""
    assert isinstance(answer.question, Retention)
    is_once = answer.question.entry != "recurring"
    return sum(cohort.size for cohort in answer.cohorts) if is_once else None


def _entered_retention(reading: Reading, question: Retention) -> str:
    asked = asked_of(reading, question)
    make_matched(reading, asked)
    count_returned(reading, asked)
    return BEGAN


_FUNNELS = Comparison(counted_funnel, lambda answer: answer.steps[0].people, _entered_funnel)
# For a funnel, and so for a cohort by a sequence, it is a view.
_RETENTIONS = Comparison(counted_retention, _began, _entered_retention, clear="drop table if exists entered;")
