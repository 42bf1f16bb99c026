"""The people behind a bar of a funnel, each with the events that decided."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from expost.errors import InvalidInput
from expost.query.answer import PeopleAnswer
from expost.query.form import funnel_of
from expost.query.question import FunnelPeople

from . import group
from .desk import Desk
from .page import render, twin

OF_THE_BAR = frozenset({"at", "dropped", "kind", "value"})
"""Fields of the address that choose the bar; all others are the funnel's."""


@dataclass(frozen=True, slots=True)
class PeopleView:
    """What `funnel_people.html` shows."""

    answer: PeopleAnswer
    steps: tuple[str, ...]
    title: str
    more: int


def people_view(answer: PeopleAnswer) -> PeopleView:
    """The people of one bar, and what the bar is called."""
    question = answer.question
    assert isinstance(question, FunnelPeople)
    steps = tuple(str(getattr(step, "name", step)) for step in question.funnel.steps)
    verb = "Went no further than" if question.dropped_off else "Reached"
    of_group = f", {group.label(question.kind, question.value)}" if question.kind else ""
    title = f"{verb} {steps[question.step - 1]}{of_group}"
    return PeopleView(answer, steps, title, max(0, answer.total - len(answer.people)))


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
            dropped_off="dropped" in chosen,
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
