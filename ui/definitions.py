"""The pages of definitions: the list, one with its past and versions, and writing a new one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from expost.clock import from_micros
from expost.errors import ExpostError
from expost.query.definition import Definition
from expost.query.form import CONDITIONS, Form, definition_of, form_of, preview_of
from expost.query.question import Preview, Saved

from .conditions import Field, fields_of, form_of_definition, switches_of
from .desk import Desk, Outcome, address, pairs_of
from .format import moment
from .page import render, twin
from .past import Past, past_of

COUNTED = 40
"""How many definitions of the list are counted; the rest is counted when opened."""
AT_ONCE = 4


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


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a definition, in words."""

    version: int
    meaning: str
    saved: str
    author: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class DefinitionView:
    """What `definition.html` shows."""

    definition: Definition
    past: Past | None
    error: ExpostError | None
    versions: tuple[Version, ...]
    is_saved: bool = False

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The address of this definition."""
        return [("name", self.definition.name)]

    @property
    def funnel_pairs(self) -> list[tuple[str, str]]:
        """A funnel that starts with it."""
        return [("step", self.definition.name)]

    @property
    def edit_pairs(self) -> list[tuple[str, str]]:
        """The form of this definition filled in, if the form can say all of it."""
        form = form_of_definition(self.definition)
        return [*pairs_of(form), ("name", self.definition.name)] if form else []


@dataclass(frozen=True, slots=True)
class DefineView:
    """What `define.html` shows: the form as filled in, and the past of what it says."""

    happenings: tuple[Field, ...]
    narrowings: tuple[Field, ...]
    switches: tuple[tuple[str, str, bool], ...]
    pairs: tuple[tuple[str, str], ...]
    name: str
    meaning: str
    past: Past | None
    error: ExpostError | None


def define_view(form: Form, name: str, outcome: Outcome) -> DefineView:
    """The form, with the past of its conditions when they could be counted."""
    happenings, narrowings = fields_of(form)
    conditions = {field: values for field, values in form.items() if field in CONDITIONS}
    past = past_of(outcome.answer) if outcome.answer else None
    meaning = str(definition_of("preview", conditions)) if past else ""
    pairs = tuple(pairs_of(conditions))
    return DefineView(happenings, narrowings, switches_of(form), pairs, name, meaning, past, outcome.error)


async def list_view(desk: Desk, site: str) -> ListView:
    """Every definition, the first ones with their past."""
    definitions: Sequence[Definition] = await desk.call("definitions", site=site)
    turns = asyncio.Semaphore(AT_ONCE)

    async def count(definition: Definition) -> Outcome:
        async with turns:
            return await desk.outcome(lambda: Preview(Saved(definition.name), samples=0, site=site))

    outcomes = await asyncio.gather(*(count(each) for each in definitions[:COUNTED]))
    filled = [*outcomes, *[Outcome()] * (len(definitions) - len(outcomes))]
    return ListView(
        tuple(
            DefinitionRow(
                each.name,
                str(each),
                each.version,
                past_of(found.answer) if found.answer else None,
                found.error,
            )
            for each, found in zip(definitions, filled, strict=True)
        )
    )


def versions_of(history: Sequence[Mapping[str, Any]], current: int | None, zone: str) -> tuple[Version, ...]:
    """The versions in words, newest first."""
    found = []
    for each in reversed(history):
        at = each.get("created_at")
        saved = from_micros(at) if isinstance(at, int) else at
        is_moment = isinstance(saved, datetime)
        meaning = each.get("meaning") or str(Definition.from_json({"name": "version", **_body(each)}))
        version = int(each.get("version") or 1)
        found.append(
            Version(
                version,
                str(meaning),
                moment(saved, zone) if is_moment else str(saved or ""),
                str(each.get("author") or ""),
                version == current,
            )
        )
    return tuple(found)


def add_definitions(router: APIRouter, desk: Desk) -> None:
    """`/definitions` and saving to it, `/definition`, `/define`, with their twins."""

    @router.get("/definitions")
    async def definitions(request: Request) -> Response:
        """The list."""
        return render(
            desk, request, "definitions.html", view=await list_view(desk, desk.site_of(request).slug)
        )

    @router.get("/definitions.json")
    async def definitions_json(request: Request) -> Response:
        """The list as data."""
        found = await desk.call("definitions", site=desk.site_of(request).slug)
        return JSONResponse([each.to_json() for each in found])

    @router.post("/definitions")
    async def save(request: Request) -> Response:
        """Save what the form says, then show it; a form that is refused comes back filled in."""
        site = desk.site_of(request).slug
        sent = await request.form()
        form = dict(form_of((name, value) for name, value in sent.multi_items() if isinstance(value, str)))
        name = next(iter(form.pop("name", ())), "").strip()
        form.pop("site", None)
        try:
            saved = await desk.call("define", definition_of(name, form), site=site, author="ui")
        except ExpostError as error:
            view = define_view(form, name, Outcome(error=error))
            return render(desk, request, "define.html", status=error.status, view=view)
        several = [("site", site)] if len(desk.sites()) > 1 else []
        return RedirectResponse(address("/definition", [("name", saved.name), ("saved", "1"), *several]), 303)

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
        is_saved = "saved" in request.query_params
        view = DefinitionView(found, past, outcome.error, versions, is_saved)
        return render(desk, request, "definition.html", view=view)

    @router.get("/definition.json")
    @router.get("/definition.sql")
    async def definition_twins(request: Request) -> Response:
        """The past of one definition as data or as its SQL."""
        name = request.query_params.get("name", "")
        return twin(request, await desk.answer(Preview(Saved(name), site=desk.site_of(request).slug)))

    async def defined(request: Request) -> tuple[DefineView, int]:
        form = desk.form_of(request, without=frozenset({"name"}))
        outcome = Outcome()
        if any(field in form for field in CONDITIONS):
            outcome = await desk.outcome(lambda: preview_of(form))
        return define_view(form, request.query_params.get("name", ""), outcome), outcome.status

    @router.get("/define")
    async def define(request: Request) -> Response:
        """The form, and the past of what is filled in."""
        view, status = await defined(request)
        return render(desk, request, "define.html", status=status, view=view)

    @router.get("/define/preview")
    async def define_preview(request: Request) -> Response:
        """The panel beside the form alone. A refusal is an ordinary sight while somebody types: 200."""
        view, _ = await defined(request)
        return render(desk, request, "_define_preview.html", view=view)

    @router.get("/define.json")
    @router.get("/define.sql")
    async def define_twins(request: Request) -> Response:
        """The past of what is filled in, as data or as its SQL."""
        return twin(
            request, await desk.answer(preview_of(desk.form_of(request, without=frozenset({"name"}))))
        )


def _body(version: Mapping[str, Any]) -> Mapping[str, Any]:
    body = version.get("body", version)
    return body if isinstance(body, Mapping) else {}
