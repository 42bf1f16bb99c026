"""Comparison: the same question about the stretch of the same length before, or about the people of another cohort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from expost.clock import from_micros
from expost.errors import InvalidInput

from .answer import Basis
from .calendar import Calendar
from .cohort import Cohort
from .funnel import Funnel, FunnelAnswer
from .membership import called, with_cohorts
from .question import Moment
from .reading import Reading
from .retention import Retention, RetentionAnswer
from .sampling import with_sample
from .trend import Trend

Compared = TypeVar("Compared", Funnel, Retention, Trend)
Asked = TypeVar("Asked", Funnel, Retention)
Given = TypeVar("Given", FunnelAnswer, RetentionAnswer)

HERE, BESIDE = "entered_here", "entered_beside"


def previous(question: Compared, calendar: Calendar) -> Compared:
    """The same question about the stretch of the same length that ends where the range begins.

    Of a range in days so many days before, else as much time before.
    """
    assert question.start is not None
    assert question.end is not None  # or the question had been refused
    try:
        start, end = _before(question.start, question.end, calendar)
    except OverflowError:
        raise InvalidInput(
            f"The period before {question.start} until {question.end} is before all calendars.",
            hint="Say a later from, or an earlier to.",
        ) from None
    return replace(question, start=start, end=end, compare=None)


def _before(start: Moment, end: Moment, calendar: Calendar) -> tuple[Moment, Moment]:
    if not isinstance(start, datetime) and not isinstance(end, datetime):
        return start - (end - start), start
    began, ended = calendar.micros(start, 0), calendar.micros(end, 0)
    before, until = (from_micros(each).astimezone(calendar.zone) for each in (2 * began - ended, began))
    return before, until


@dataclass(frozen=True, slots=True)
class Comparison(Generic[Asked, Given]):
    """How a kind of question is answered beside another one.

    `count` answers it alone. `entered` is how many units entered by an answer, None where it does not say.
    `make_entered` makes a relation of a question and gives the select of the ids of those units. `clear` drops what
    counting leaves, where cohorts make something else of that name.
    """

    count: Callable[[Reading, Asked], Given]
    entered: Callable[[Given], int | None]
    make_entered: Callable[[Reading, Asked], str]
    clear: str = ""

    def answer(self, reading: Reading, question: Asked) -> Given:
        """The answer with what it stands beside, if anything, over the same snapshot."""
        answer = self.count(reading, question)
        if question.compare is None:
            return answer
        if question.compared_cohort is not None:
            return self._beside_cohort(reading, question, question.compared_cohort, answer)
        earlier = previous(question, reading.calendar)
        return replace(answer, compared=self.count(replace(reading, question=earlier), earlier))

    def _beside_cohort(self, reading: Reading, question: Asked, given: str | Cohort, answer: Given) -> Given:
        cohort = reading.find_cohort(given) if isinstance(given, str) else given
        compared = self.count(*self._of_cohorts(reading, question, (given,)))
        shared = self._shared(reading, question, given, compared)
        basis: Basis = _with_notes(answer.basis, _said(question, cohort, shared))
        return replace(answer, basis=basis, compared=compared, shared_people=shared)

    def _shared(self, reading: Reading, question: Asked, given: str | Cohort, compared: Given) -> int:
        """How many units entered here and beside it."""
        question = replace(question, by=None)
        # Whoever is in both entered in both. Events of several people may be of one other unit, which may be in both
        # groups though nobody is.
        if question.unit.kind == "person":
            both = (*question.cohort, given)
            answer = self.count(*self._of_cohorts(reading, question, both)) if question.cohort else compared
            if (people := self.entered(answer)) is not None:
                return people
        for name, cohorts in ((HERE, question.cohort), (BESIDE, (given,))):
            side, asked = self._of_cohorts(reading, question, cohorts)
            units = self.make_entered(side, asked)
            side.execute(f"create or replace temp table {name} as\n{units}\n;", {})
        [(shared,)] = reading.execute(
            f"select count(*)\nfrom {HERE}\nwhere unit_id in (select unit_id from {BESIDE})\n;", {}
        )
        return int(shared)

    def _of_cohorts(
        self, reading: Reading, question: Asked, cohorts: tuple[str | Cohort, ...]
    ) -> tuple[Reading, Asked]:
        """The same question about the people of these cohorts, and the same snapshot read for it."""
        if self.clear:
            reading.execute(self.clear, {})
        asked = replace(question, cohort=cohorts, compare=None)
        own = replace(reading, question=asked, chosen=None, parting=None, notes=())
        return with_sample(with_cohorts(own)), asked


def _with_notes(basis: Basis, notes: tuple[str, ...]) -> Basis:
    return replace(basis, notes=(*basis.notes, *notes))


def _said(question: Funnel | Retention, cohort: Cohort, shared: int) -> tuple[str, str]:
    beside = f"Beside it the people who are in the cohort {called(cohort)}."
    if question.sample is not None:
        return beside, "The two groups compared may share people."
    if not shared:
        return beside, "The two groups compared are apart: nobody entered in both."
    units = question.unit.singular if shared == 1 else question.unit.plural
    return beside, f"The two groups compared are not apart: {shared:,} {units} entered in both."
