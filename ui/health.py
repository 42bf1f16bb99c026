"""The health of definitions: which have fallen silent, and buttons that repair them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from expost.query.form_definition import health_of
from expost.query.health import DefinitionHealth, HealthAnswer, Repair

from .desk import Desk
from .page import render, twin

IN_TROUBLE = ("broken", "fallen")
UNTESTED = ("too little", "never")


@dataclass(frozen=True, slots=True)
class RepairView:
    """What seems to have taken a definition's place, with what its button sends."""

    repair: Repair
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HealthRow:
    """One definition, and what could repair it."""

    health: DefinitionHealth
    repairs: tuple[RepairView, ...]

    @property
    def is_in_trouble(self) -> bool:
        """Whether somebody should look at it."""
        return self.health.state in IN_TROUBLE


@dataclass(frozen=True, slots=True)
class HealthView:
    """What `health.html` shows."""

    answer: HealthAnswer
    rows: tuple[HealthRow, ...]

    @property
    def troubled(self) -> int:
        """How many are broken or have fallen."""
        return sum(each.is_in_trouble for each in self.rows)

    @property
    def untested(self) -> int:
        """How many are too rare to tell, or matched nothing in these weeks."""
        return sum(each.health.state in UNTESTED for each in self.rows)


def health_view(answer: HealthAnswer, versions: Mapping[str, int]) -> HealthView:
    """The definitions, those in trouble first; `versions` are the latest of each."""
    return HealthView(answer, tuple(_row(each, versions.get(each.name, 1)) for each in answer.states))


def add_health(router: APIRouter, desk: Desk) -> None:
    """`/definition-health` and its twins; the buttons send to `/definitions`."""

    @router.get("/definition-health")
    async def health(request: Request) -> Response:
        """The page."""
        answer = await desk.answer(health_of(desk.form_of(request)))
        saved = await desk.call("definitions", site=desk.site_of(request).slug)
        view = health_view(answer, {each.name: each.version or 1 for each in saved})
        return render(desk, request, "health.html", view=view)

    @router.get("/definition-health.json")
    @router.get("/definition-health.sql")
    async def twins(request: Request) -> Response:
        """The twins."""
        return twin(request, await desk.answer(health_of(desk.form_of(request))))


def _row(health: DefinitionHealth, version: int) -> HealthRow:
    repairs = tuple(RepairView(each, _fields(health.name, version, each)) for each in health.repairs)
    return HealthRow(health, repairs)


def _fields(name: str, version: int, repair: Repair) -> tuple[tuple[str, str], ...]:
    """What the button sends: another version of the definition, and that whoever presses it knows of this one."""
    text = (("text", f"is:{repair.text}"),) if repair.text else ()
    return (
        ("name", name),
        (repair.kind, repair.selector),
        *text,
        ("valid_from", f"{repair.first_seen:%Y-%m-%d}"),
        ("known_name", name),
        ("known_version", str(version)),
    )
