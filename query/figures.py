"""The few figures that stand for an answer where there is no room for all of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from .answer import Answer
from .funnel import FunnelAnswer
from .lifecycle import LifecycleAnswer
from .paths import PathsAnswer
from .retention import RetentionAnswer
from .sessions import SessionsAnswer
from .stickiness import StickinessAnswer
from .trend import TrendAnswer

Figures = Mapping[str, float | None]
"""Numbers by what they count, in the order in which they are read."""


def figures_of(answer: Answer) -> Figures:
    """The totals of an answer: of a funnel its steps, of a retention who began and who came back."""
    match answer:
        case FunnelAnswer():
            return {f"{place}. {step.name}": step.people for place, step in enumerate(answer.steps, 1)}
        case RetentionAnswer():
            return _retention(answer)
        case TrendAnswer():
            plain = {"events": answer.events, "people": answer.people}
            return plain if answer.measure in plain else plain | {answer.measure: answer.value}
        case StickinessAnswer():
            numbers = enumerate(answer.people, 1)
            return {f"in {number} of the {answer.period}s": people for number, people in numbers}
        case LifecycleAnswer():
            kinds = ("new", "returning", "resurrecting", "dormant")
            return {kind: sum(getattr(each, kind) for each in answer.periods) for kind in kinds}
        case PathsAnswer():
            return {"sessions": answer.sessions, "people": answer.people}
        case SessionsAnswer(figures=all_of_them):
            counted = ("sessions", "people", "events", "page_views", "bounces")
            return {name.replace("_", " "): getattr(all_of_them, name) for name in counted}
        case _:
            return {}


def _retention(answer: RetentionAnswer) -> Figures:
    returned: dict[int, int] = defaultdict(int)
    for cohort in answer.cohorts:
        for cell in cohort.periods:
            returned[cell.period] += cell.people
    back = {f"back in {answer.period} {period}": returned[period] for period in sorted(returned)}
    return {"began": sum(cohort.size for cohort in answer.cohorts)} | back
