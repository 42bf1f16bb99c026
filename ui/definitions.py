"""The pages of definitions: the list, and one with its past and its versions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from expost.errors import ExpostError
from expost.query.activity import ACTIVITY, RULE
from expost.query.calendar import Calendar, interval_words
from expost.query.definition import Definition
from expost.query.preview import Preview
from expost.query.question import Saved
from expost.state.details import Details

from .conditions import form_of_definition
from .desk import Desk, Outcome, pairs_of
from .format import moment
from .page import render, twin
from .past import Past, past_of
from .things import thing_path
from .versions import add_versions

ALWAYS = "always"
"""What is said of a version without days from or until which it counts."""
AT_ONCE = 4
"""How many definitions of the list are counted at a time: other questions want their turn too."""


@dataclass(frozen=True, slots=True)
class DefinitionRow:
    """One line of the list."""

    name: str
    meaning: str
    version: int | None
    past: Past | None
    error: ExpostError | None


@dataclass(frozen=True, slots=True)
class ListView:
    """What `_definitions.html` shows."""

    rows: tuple[DefinitionRow, ...]
    is_counted: bool = True
    is_archive: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a definition, in words."""

    version: int
    meaning: str
    saved: str
    author: str
    is_current: bool
    valid: str = ALWAYS


@dataclass(frozen=True, slots=True)
class DefinitionView:
    """What `definition.html` shows; `asked` is the name as the address has it."""

    definition: Definition
    past: Past | None
    error: ExpostError | None
    versions: tuple[Version, ...]
    is_saved: bool = False
    details: Details = Details()  # noqa: RUF009 - frozen
    was: str = ""
    reports: tuple[tuple[str, str], ...] = ()
    zone: str = "UTC"
    asked: str = ""

    @property
    def is_built_in(self) -> bool:
        """Whether it is there without being saved, and nothing changes it."""
        return self.definition.version == ACTIVITY.version

    @property
    def rule(self) -> str:
        """Of what is built in, what it means."""
        return RULE if self.is_built_in else ""

    @property
    def valid(self) -> str:
        """When the latest version counts."""
        return next((each.valid for each in self.versions if each.is_current), ALWAYS)

    @property
    def before(self) -> Version | None:
        """The version before this one."""
        return next((each for each in self.versions if each.version + 1 == self.definition.version), None)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The address of this definition."""
        return [("name", self.named)]

    @property
    def named(self) -> str:
        """How a question names it: what is built in as it was asked for, by its version where another has its name."""
        return self.asked if self.is_built_in else self.definition.name

    @property
    def funnel_pairs(self) -> list[tuple[str, str]]:
        """A funnel that starts with it."""
        return [("step", self.named)]

    @property
    def edit_pairs(self) -> list[tuple[str, str]]:
        """The form of this definition filled in, if the form can say all of it, with when it counts."""
        form = form_of_definition(self.definition)
        dates = interval_words(Calendar(ZoneInfo(self.zone)), self.definition.interval)
        return [*pairs_of(form), *dates.items(), ("name", self.definition.name)] if form else []


def definition_row(definition: Definition, outcome: Outcome) -> DefinitionRow:
    """One line of the list, with the past that was counted, if it was."""
    past = past_of(outcome.answer) if outcome.answer else None
    return DefinitionRow(definition.name, str(definition), definition.version, past, outcome.error)


def versions_of(history: Sequence[Mapping[str, Any]], current: int | None, zone: str) -> tuple[Version, ...]:
    """The versions in words, newest first."""
    return tuple(
        Version(
            version=each["version"],
            meaning=each["meaning"],
            saved=moment(datetime.fromisoformat(each["created_at"]), zone)
            if each["created_at"]
            else "built in",
            author=each["author"],
            is_current=each["version"] == current,
            valid=_valid(each, zone),
        )
        for each in reversed(history)
    )


def _valid(version: Mapping[str, Any], zone: str) -> str:
    sides = (("from", version.get("valid_from")), ("until", version.get("valid_until")))
    said = [f"{word} {moment(datetime.fromisoformat(side), zone)}" for word, side in sides if side]
    return " ".join(said) or ALWAYS


def add_definitions(router: APIRouter, desk: Desk) -> None:
    """`/definitions` and `/definition`, with their twins, and what is done with versions."""
    add_versions(router, desk)
    turns = asyncio.Semaphore(AT_ONCE)

    async def count(definition: Definition, site: str) -> DefinitionRow:
        async with turns:
            question = Preview(Saved(definition.name), count_only=True, site=site)
            return definition_row(definition, await desk.outcome(lambda: question))

    @router.get("/definitions")
    async def definitions(request: Request) -> Response:
        """The list. Its lines are counted one by one by the page's script, or all at once by `?count=all`."""
        site = desk.site_of(request).slug
        is_archive = request.query_params.get("archived") == "yes"
        found: Sequence[Definition] = await desk.call("definitions", site=site, archived=is_archive)
        is_counted = request.query_params.get("count") == "all"
        rows = await asyncio.gather(*(count(each, site) for each in found)) if is_counted else ()
        listed = tuple(rows or (definition_row(each, Outcome()) for each in found))
        view = ListView(listed, is_counted, is_archive)
        return render(desk, request, "definitions.html", view=view)

    @router.get("/definitions/row")
    async def line(request: Request) -> Response:
        """One line of the list, counted."""
        site = desk.site_of(request).slug
        found = await desk.call("definition", request.query_params.get("name", ""), site=site)
        return render(desk, request, "_definition_row.html", row=await count(found, site))

    @router.get("/definitions.json")
    async def definitions_json(request: Request) -> Response:
        """The list as data."""
        found = await desk.call("definitions", site=desk.site_of(request).slug)
        return JSONResponse([each.to_json() for each in found])

    @router.get("/definition")
    async def definition(request: Request) -> Response:
        """One definition with its past and its versions."""
        site = desk.site_of(request)
        name = request.query_params.get("name", "")
        found = await desk.call("definition", name, site=site.slug)
        history = await desk.call("history", name, site=site.slug)
        outcome = await desk.outcome(lambda: Preview(Saved(name), site=site.slug))
        past = past_of(outcome.answer) if outcome.answer else None
        versions = versions_of(history, found.version, site.time_zone)
        is_saved, was = "saved" in request.query_params, request.query_params.get("was", "")
        details = await desk.call("details", name, site=site.slug)
        followers = await desk.call("followers", name, site=site.slug)
        reports = tuple((each, thing_path("report", each)) for each in followers)
        view = DefinitionView(
            found, past, outcome.error, versions, is_saved, details, was, reports, site.time_zone, name
        )
        return render(desk, request, "definition.html", view=view)

    @router.get("/definition.json")
    @router.get("/definition.sql")
    async def definition_twins(request: Request) -> Response:
        """The past of one definition as data or as its SQL."""
        name = request.query_params.get("name", "")
        return twin(request, await desk.answer(Preview(Saved(name), site=desk.site_of(request).slug)))
