"""The people behind a bar, a cell or a point, each with the events that decided."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from expost.query.duration import format_duration
from expost.query.form import OPENED, Form
from expost.query.form_funnel import funnel_people_of
from expost.query.form_retention import retention_people_of
from expost.query.form_trend import trend_people_of
from expost.query.funnel import FunnelPeople
from expost.query.person import DecidingEvent, PeopleAnswer, Person
from expost.query.question import Question, Step
from expost.query.retention import RetentionPeople
from expost.query.trend import TrendPeople
from expost.query.unit import SESSION_GAP, Unit

from . import group
from .desk import Desk, Pairs
from .page import TWINS, render, twin

MANY = 1_000
"""So many people are listed where more than the first are asked for."""


@dataclass(frozen=True, slots=True)
class Decided:
    """An event that decided, in the column of its step; `label` says the step again, where columns are not steps."""

    event: DecidingEvent
    column: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One of those who are listed; None where an optional step was left out."""

    person: Person
    cells: tuple[Decided | None, ...]


@dataclass(frozen=True, slots=True)
class PeopleView:
    """What `funnel_people.html` shows: who, and a column for each step."""

    answer: PeopleAnswer
    unit: Unit
    columns: tuple[str, ...]
    rows: tuple[PersonRow, ...]
    title: str
    path: str = "/funnel"
    what: str = "funnel"

    @property
    def more(self) -> int:
        """How many are not listed."""
        return max(0, self.answer.total - len(self.rows))

    @property
    def gap(self) -> Pairs:
        """The gap by which sessions were told, where a page would take another one."""
        gap = self.unit.gap
        return [] if gap == SESSION_GAP else [("gap", format_duration(gap))]

    @property
    def are_grouped(self) -> bool:
        """Whether the question is split: else all of them are of one group, the total."""
        return any(row.person.kind != "total" for row in self.rows)

    @property
    def are_persons(self) -> bool:
        """Whether what is listed are persons: those have a page."""
        return self.unit.kind == "person"


def people_view(answer: PeopleAnswer) -> PeopleView:
    """The people of one bar, and what the bar is called."""
    question = answer.question
    assert isinstance(question, FunnelPeople)
    funnel = question.funnel
    steps = [_called(stage.step) for stage in funnel.stages]
    is_any = funnel.order == "any"
    numbered = [f"{number} {step}" for number, step in enumerate(steps, 1)]
    columns = [f"event {number}" for number in range(1, len(steps) + 1)] if is_any else numbered
    verb = "Went no further than" if question.dropped_off else "Reached"
    bar = f"{question.step} of {len(steps)}" if is_any else steps[question.step - 1]
    return PeopleView(
        answer,
        funnel.unit,
        tuple(columns),
        tuple(
            PersonRow(each, _in_time(each, columns) if is_any else _by_step(each, steps, columns))
            for each in answer.people
        ),
        f"{verb} {bar}{_of_group(question)}",
    )


def retention_people_view(answer: PeopleAnswer) -> PeopleView:
    """The people of one cohort or cell."""
    question = answer.question
    assert isinstance(question, RetentionPeople)
    asked = question.retention
    steps = [_called(step) for step in (asked.begins, asked.returns)]
    came = "" if question.period is None else f", back in {asked.period} {question.period}"
    title = f"Began in the {asked.period} of {question.cohort_day:%-d %b %Y}{came}{_of_group(question)}"
    columns = ["1 " + steps[0], "2 " + steps[1]] if question.period is not None else ["1 " + steps[0]]
    rows = tuple(PersonRow(each, _in_order(each, columns)) for each in answer.people)
    return PeopleView(answer, asked.unit, tuple(columns), rows, title, "/retention", "retention")


def trend_people_view(answer: PeopleAnswer) -> PeopleView:
    """The people of one point: of each the first of the events there."""
    question = answer.question
    assert isinstance(question, TrendPeople)
    name = _called(question.trend.definition)
    within = "on" if question.trend.period == "day" else f"in the {question.trend.period} of"
    when = "" if question.period is None else f" {within} {question.period:%-d %b %Y}"
    columns = [f"{name}, first"]
    rows = tuple(PersonRow(each, _in_order(each, columns)) for each in answer.people)
    title = f"{name}{when}{_of_group(question)}"
    return PeopleView(answer, question.trend.unit, tuple(columns), rows, title, "/trend", "trend")


def _called(step: Step) -> str:
    return str(getattr(step, "name", step))


def _of_group(question: FunnelPeople | RetentionPeople | TrendPeople) -> str:
    return f", {group.label(question.kind, question.value)}" if question.kind else ""


def _in_order(person: Person, columns: Sequence[str]) -> tuple[Decided | None, ...]:
    return tuple(Decided(event, column) for event, column in zip(person.events, columns, strict=False))


def _in_time(person: Person, columns: Sequence[str]) -> tuple[Decided | None, ...]:
    """In any order the first event may be one of the last step: each says its own."""
    return tuple(
        Decided(event, column, event.step) for event, column in zip(person.events, columns, strict=False)
    )


def _by_step(person: Person, steps: Sequence[str], columns: Sequence[str]) -> tuple[Decided | None, ...]:
    """Each under its step: who left an optional one out has nothing there."""
    left = list(person.events)
    return tuple(
        Decided(left.pop(0), column) if left and left[0].step == step else None
        for step, column in zip(steps, columns, strict=True)
    )


def add_people(router: APIRouter, desk: Desk) -> None:
    """`/funnel/people`, `/retention/people`, `/trend/people` and their twins."""
    _add_people(router, desk, "/funnel/people", funnel_people_of, people_view)
    _add_people(router, desk, "/retention/people", retention_people_of, retention_people_view)
    _add_people(router, desk, "/trend/people", trend_people_of, trend_people_view)


def _add_people(
    router: APIRouter,
    desk: Desk,
    path: str,
    read: Callable[[Form], Question],
    view_of: Callable[[PeopleAnswer], PeopleView],
) -> None:
    async def page(request: Request) -> Response:
        """The page."""
        view = view_of(await desk.answer(read(desk.form_of(request))))
        pairs = request.query_params.multi_items()
        back = [pair for pair in pairs if pair[0] not in OPENED]
        many = [*(pair for pair in pairs if pair[0] != "limit"), ("limit", str(MANY))]
        return render(
            desk, request, "funnel_people.html", view=view, pairs=pairs, back=back, many=many, most=MANY
        )

    async def twins(request: Request) -> Response:
        """The twins."""
        return twin(request, await desk.answer(read(desk.form_of(request))))

    router.add_api_route(path, page, methods=["GET"])
    for ending in TWINS:
        router.add_api_route(f"{path}{ending}", twins, methods=["GET"])
