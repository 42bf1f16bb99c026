"""Writing a definition: the form, the past of what it says while it is written, and saving it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from expost.errors import ExpostError
from expost.query.definition import Definition
from expost.query.form import Form, form_of
from expost.query.form_definition import NAMES, definition_of, preview_of, validity_of
from expost.state.names import name_key

from .caller import caller_of
from .conditions import Field, fields_of, switches_of
from .desk import Desk, Outcome, address, pairs_of
from .page import render, twin
from .past import Past, past_of

NAME = frozenset({"name"})
"""The field of the form that is no condition."""


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
    taken: Definition | None = None


def define_view(
    form: Form, name: str, outcome: Outcome, rest: str = "", taken: Definition | None = None
) -> DefineView:
    """The form, with the past of its conditions when they could be counted; `rest` is where more than a count is."""
    happenings, narrowings = fields_of(form)
    conditions = {field: values for field, values in form.items() if field in NAMES}
    past = past_of(outcome.answer, rest) if outcome.answer else None
    meaning = str(definition_of("preview", conditions)) if past else ""
    pairs = tuple(pairs_of(conditions))
    switches = switches_of(form)
    return DefineView(happenings, narrowings, switches, pairs, name, meaning, past, outcome.error, taken)


def add_define(router: APIRouter, desk: Desk) -> None:
    """`/define` with its panel and its twins, and saving to `/definitions`."""

    async def defined(request: Request, *, rest: str = "") -> tuple[DefineView, int]:
        form = desk.form_of(request, without=NAME)
        outcome = Outcome()
        if any(field in form for field in NAMES):
            outcome = await desk.outcome(lambda: replace(preview_of(form), count_only=bool(rest)))
        name = request.query_params.get("name", "")
        taken = await _taken(desk, name, desk.site_of(request).slug) if name.strip() else None
        return define_view(form, name, outcome, rest, taken), outcome.status

    @router.get("/define")
    async def define(request: Request) -> Response:
        """The form, and the past of what is filled in."""
        view, status = await defined(request)
        return render(desk, request, "define.html", status=status, view=view)

    @router.get("/define/preview")
    async def define_preview(request: Request) -> Response:
        """The panel beside the form alone, with the count: it asks for the rest then.

        A refusal is an ordinary sight while somebody types: 200.
        """
        view, _ = await defined(request, rest=address("/define/rest", request.query_params.multi_items()))
        return render(desk, request, "_define_preview.html", view=view)

    @router.get("/define/rest")
    async def define_rest(request: Request) -> Response:
        """What the panel says below the count: texts, pages, elements and other definitions."""
        past = past_of(await desk.answer(preview_of(desk.form_of(request, without=NAME))))
        return render(desk, request, "_past_rest.html", past=past)

    @router.get("/define.json")
    @router.get("/define.sql")
    async def define_twins(request: Request) -> Response:
        """The past of what is filled in, as data or as its SQL."""
        return twin(request, await desk.answer(preview_of(desk.form_of(request, without=NAME))))

    @router.post("/definitions")
    async def save(request: Request) -> Response:
        """Save what the form says, then show it; a form that is refused comes back filled in."""
        site = desk.site_of(request).slug
        sent = await request.form()
        form = dict(form_of((name, value) for name, value in sent.multi_items() if isinstance(value, str)))
        name = next(iter(form.pop("name", ())), "").strip()
        form.pop("site", None)
        try:
            by = caller_of(request).actor("ui")
            saved = await desk.call(
                "define",
                definition_of(name, form),
                site=site,
                author=by.who,
                place=by.place,
                **validity_of(form),
            )
        except ExpostError as error:
            view = define_view(form, name, Outcome(error=error))
            return render(desk, request, "define.html", status=error.status, view=view)
        several = [("site", site)] if len(desk.sites()) > 1 else []
        was = [] if saved.renamed_from is None else [("was", saved.renamed_from)]
        return RedirectResponse(
            address("/definition", [("name", saved.name), ("saved", "1"), *was, *several]), 303
        )


async def _taken(desk: Desk, name: str, site: str) -> Definition | None:
    """What a name means already, archived or not."""
    for is_archive in (False, True):
        for each in await desk.call("definitions", site=site, archived=is_archive):
            if name_key(each.name) == name_key(name):
                found: Definition = each
                return found
    return None
