"""The people behind a bar, a cell or a point, each with the events that decided."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fastapi import APIRouter, Request, Response

from expost.errors import InvalidInput
from expost.query.form import OPENED
from expost.query.form_funnel import funnel_of
from expost.query.form_retention import retention_people_of
from expost.query.form_trend import trend_people_of
from expost.query.funnel import FunnelPeople
from expost.query.person import PeopleAnswer
from expost.query.retention import RetentionPeople
from expost.query.trend import TrendPeople
from expost.query.unit import PERSON, Unit

from . import group
from .desk import Desk
from .page import render, twin

OF_THE_BAR = frozenset({"at", "dropped_off", "kind", "value"})
"""Fields of the address that choose the bar; all others are the funnel's."""


@dataclass(frozen=True, slots=True)
class PeopleView:
    """What `funnel_people.html` shows."""

    answer: PeopleAnswer
    steps: tuple[str, ...]
    title: str
    more: int
    path: str = "/funnel"
    what: str = "funnel"

    @property
    def unit(self) -> Unit:
        """What is listed: persons, sessions, devices or groups."""
        asked = self.answer.question
        of = next(
            (getattr(asked, kind) for kind in ("funnel", "retention", "trend") if hasattr(asked, kind)), None
        )
        return PERSON if of is None else of.unit

    @property
    def are_persons(self) -> bool:
        """Whether what is listed are persons: those have a page."""
        return self.unit.kind == "person"


def people_view(answer: PeopleAnswer) -> PeopleView:
    """The people of one bar, and what the bar is called."""
    question = answer.question
    assert isinstance(question, FunnelPeople)
    steps = tuple(str(getattr(step, "name", step)) for step in question.funnel.steps)
    verb = "Went no further than" if question.dropped_off else "Reached"
    of_group = f", {group.label(question.kind, question.value)}" if question.kind else ""
    title = f"{verb} {steps[question.step - 1]}{of_group}"
    return PeopleView(answer, steps, title, max(0, answer.total - len(answer.people)))


def retention_people_view(answer: PeopleAnswer) -> PeopleView:
    """The people of one cohort or cell."""
    question = answer.question
    assert isinstance(question, RetentionPeople)
    asked = question.retention
    steps = tuple(str(getattr(step, "name", step)) for step in (asked.begins, asked.returns))
    of_group = f", {group.label(question.kind, question.value)}" if question.kind else ""
    came = "" if question.period is None else f", back in {asked.period} {question.period}"
    title = f"Began in the {asked.period} of {question.cohort_day:%-d %b %Y}{came}{of_group}"
    shown = steps if question.period is not None else steps[:1]
    return PeopleView(
        answer, shown, title, max(0, answer.total - len(answer.people)), "/retention", "retention"
    )


def trend_people_view(answer: PeopleAnswer) -> PeopleView:
    """The people of one point: of each the first of the events there."""
    question = answer.question
    assert isinstance(question, TrendPeople)
    name = str(getattr(question.trend.definition, "name", question.trend.definition))
    of_group = f", {group.label(question.kind, question.value)}" if question.kind else ""
    within = "on" if question.trend.period == "day" else f"in the {question.trend.period} of"
    when = "" if question.period is None else f" {within} {question.period:%-d %b %Y}"
    firsts = replace(answer, people=tuple(replace(each, events=each.events[:1]) for each in answer.people))
    title = f"{name}{when}{of_group}"
    return PeopleView(
        firsts, (f"{name}, first",), title, max(0, answer.total - len(answer.people)), "/trend", "trend"
    )


def add_opened(router: APIRouter, desk: Desk) -> None:
    """`/retention/people`, `/trend/people` and their twins."""

    async def page(request: Request, view: PeopleView) -> Response:
        pairs = request.query_params.multi_items()
        back = [pair for pair in pairs if pair[0] not in OPENED]
        return render(desk, request, "funnel_people.html", view=view, pairs=pairs, back=back)

    @router.get("/retention/people")
    async def retention_people(request: Request) -> Response:
        """The page."""
        answer = await desk.answer(retention_people_of(desk.form_of(request)))
        return await page(request, retention_people_view(answer))

    @router.get("/trend/people")
    async def trend_people(request: Request) -> Response:
        """The page."""
        return await page(
            request, trend_people_view(await desk.answer(trend_people_of(desk.form_of(request))))
        )

    @router.get("/retention/people.json")
    @router.get("/retention/people.sql")
    async def retention_twins(request: Request) -> Response:
        """The twins."""
        return twin(request, await desk.answer(retention_people_of(desk.form_of(request))))

    @router.get("/trend/people.json")
    @router.get("/trend/people.sql")
    async def trend_twins(request: Request) -> Response:
        """The twins."""
        return twin(request, await desk.answer(trend_people_of(desk.form_of(request))))


def add_people(router: APIRouter, desk: Desk) -> None:
    """`/funnel/people` and its twins."""

    def question_of(request: Request) -> FunnelPeople:
        chosen = request.query_params
        at = chosen.get("at", "1")
        if not (at.isascii() and at.isdigit() and len(at) < 3):
            raise InvalidInput(f"at is {at!r}.", hint="Give the number of a step, the first is 1.")
        return FunnelPeople(
            funnel_of(desk.form_of(request, without=OF_THE_BAR)),
            int(at),
            dropped_off="dropped_off" in chosen,
            kind=chosen.get("kind") or None,
            value=chosen.get("value") or None,
            site=desk.site_of(request).slug,
        )

    @router.get("/funnel/people")
    async def people(request: Request) -> Response:
        """The page."""
        view = people_view(await desk.answer(question_of(request)))
        pairs = request.query_params.multi_items()
        back = [pair for pair in pairs if pair[0] not in OF_THE_BAR]
        return render(desk, request, "funnel_people.html", view=view, pairs=pairs, back=back)

    @router.get("/funnel/people.json")
    @router.get("/funnel/people.sql")
    async def twins(request: Request) -> Response:
        """The twins."""
        return twin(request, await desk.answer(question_of(request)))
