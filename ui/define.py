"""Writing a definition: the form, the past of what it says while it is written, and saving it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from expost.errors import ExpostError
from expost.query.calendar import Calendar, interval_of
from expost.query.definition import Definition
from expost.query.form import Form, form_of, one
from expost.query.form_definition import NAMES, VALIDITY, definition_of, preview_of, validity_of
from expost.query.preview import Preview
from expost.state.names import name_key

from .caller import caller_of
from .column_conditions import Choices, ColumnRow, column_choices, column_rows, with_columns
from .conditions import Field, fields_of, switches_of
from .desk import Desk, Outcome, address, pairs_of
from .page import render, twin
from .past import Past, past_of
from .taken import Taken, find_taken

KNOWN = ("known_name", "known_version")
"""What whoever saves has seen: a name that is taken, and which version it is in."""
NOT_CONDITIONS = frozenset({"name", *KNOWN})
VALID = tuple(word.name for word in VALIDITY)


@dataclass(frozen=True, slots=True)
class DefineView:
    """What `define.html` shows: the form as filled in, and the past of what it says."""

    happenings: tuple[Field, ...]
    narrowings: tuple[Field, ...]
    columns: tuple[ColumnRow, ...]
    switches: tuple[tuple[str, str, bool], ...]
    pairs: tuple[tuple[str, str], ...]
    name: str
    meaning: str
    past: Past | None
    error: ExpostError | None
    valid: tuple[str, str] = ("", "")
    """From and until when it is to count, as it was filled in."""
    taken: Taken | None = None
    is_held_back: bool = False
    """Whether it was to be saved, and was not, because nobody had been told that the name is taken."""

    @property
    def column_choices(self) -> Choices:
        """The columns that a condition can be on."""
        return column_choices()

    @property
    def free_pairs(self) -> list[tuple[str, str]]:
        """The same form under a name that nothing has."""
        return [*self.pairs, ("name", self.taken.free), *self._valid_pairs] if self.taken else []

    @property
    def kept_pairs(self) -> list[tuple[str, str]]:
        """What the conditions are sent with, so that it is there again beside their past."""
        return [*([("name", self.name)] if self.name else []), *self._valid_pairs]

    @property
    def _valid_pairs(self) -> list[tuple[str, str]]:
        return [each for each in zip(VALID, self.valid, strict=True) if each[1]]


def define_view(
    form: Form, name: str, outcome: Outcome, rest: str = "", taken: Taken | None = None
) -> DefineView:
    """The form, with the past of its conditions when they could be counted; `rest` is where more than a count is."""
    happenings, narrowings = fields_of(form)
    conditions = {field: values for field, values in form.items() if field in NAMES}
    past = past_of(outcome.answer, rest) if outcome.answer else None
    meaning = str(definition_of("preview", conditions)) if past else ""
    pairs = tuple(pairs_of(conditions))
    switches, columns = switches_of(form), column_rows(form)
    valid = (one(form, "valid_from") or "", one(form, "valid_until") or "")
    return DefineView(
        happenings, narrowings, columns, switches, pairs, name, meaning, past, outcome.error, valid, taken
    )


def add_define(router: APIRouter, desk: Desk) -> None:
    """`/define` with its panel and its twins, and saving to `/definitions`."""
    _add_saving(router, desk)

    async def defined(request: Request, *, rest: str = "") -> tuple[DefineView, int]:
        form = _asked(desk, request)
        outcome = Outcome()
        if any(field in form for field in NAMES):
            outcome = await desk.outcome(lambda: replace(_preview_of(form), count_only=bool(rest)))
        name = request.query_params.get("name", "")
        return define_view(form, name, outcome, rest, await _taken(desk, form, name)), outcome.status

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

    @router.get("/define/name")
    async def define_name(request: Request) -> Response:
        """Whether the name of the form is taken: what stands below it while somebody types."""
        form, name = _asked(desk, request), request.query_params.get("name", "")
        view = define_view(form, name, Outcome(), taken=await _taken(desk, form, name))
        return render(desk, request, "_taken.html", view=view)

    @router.get("/define/rest")
    async def define_rest(request: Request) -> Response:
        """What the panel says below the count: texts, pages, elements and other definitions."""
        past = past_of(await desk.answer(_preview_of(_asked(desk, request))))
        return render(desk, request, "_past_rest.html", past=past)

    @router.get("/define.json")
    @router.get("/define.sql")
    async def define_twins(request: Request) -> Response:
        """The past of what is filled in, as data or as its SQL."""
        return twin(request, await desk.answer(_preview_of(_asked(desk, request))))


def _add_saving(router: APIRouter, desk: Desk) -> None:
    @router.post("/definitions")
    async def save(request: Request) -> Response:
        """Save what the form says, then show it; a form that is refused comes back filled in.

        So does one whose name is taken, once, unless it says that whoever sends it knows: `known_name` is the name,
        `known_version` the version that it was in.
        """
        site = desk.site_of(request).slug
        form = await _sent(request)
        name = next(iter(form.pop("name", ())), "").strip()
        known_name, known_version = (next(iter(form.pop(field, ())), "") for field in KNOWN)
        form["site"] = [site]
        try:
            meant, by = definition_of(name, form), caller_of(request).actor("ui")
            taken = await find_taken(desk, name, site, _dated(desk, meant, form))
            # Two names may be in the same version: what was said of the one says nothing of the other.
            known = (name_key(known_name), known_version)
            if taken and not taken.is_same and known != (name_key(name), str(taken.version)):
                return await held_back(request, form, name, taken)
            said = {"author": by.who, "place": by.place, **validity_of(form)}
            saved = await desk.call("define", meant, site=site, **said)
        except ExpostError as error:
            view = define_view(form, name, Outcome(error=error))
            return render(desk, request, "define.html", status=error.status, view=view)
        several = [("site", site)] if len(desk.sites()) > 1 else []
        was = [] if saved.renamed_from is None else [("was", saved.renamed_from)]
        return RedirectResponse(
            address("/definition", [("name", saved.name), ("saved", "1"), *was, *several]), 303
        )

    async def held_back(request: Request, form: Form, name: str, taken: Taken) -> Response:
        """The form again, with what the name means already."""
        outcome = await desk.outcome(lambda: replace(_preview_of(form), count_only=True))
        view = replace(define_view(form, name, outcome, taken=taken), is_held_back=True)
        return render(desk, request, "define.html", status=409, view=view)


def _asked(desk: Desk, request: Request) -> Form:
    """The conditions of the form in an address."""
    sent = [each for each in request.query_params.multi_items() if each[0] not in NOT_CONDITIONS]
    return {**form_of(with_columns(sent)), "site": [desk.site_of(request).slug]}


def _preview_of(form: Form) -> Preview:
    """The past of what a form says, whenever it is to count."""
    return preview_of({field: values for field, values in form.items() if field not in VALID})


def _dated(desk: Desk, meant: Definition, form: Form) -> Definition:
    """What is meant with the time in which the form lets it count, in days of the site."""
    zone = next(site.time_zone for site in desk.sites() if site.slug == form["site"][0])
    return replace(meant, interval=interval_of(Calendar(ZoneInfo(zone)), *validity_of(form).values()))


async def _sent(request: Request) -> dict[str, Sequence[str]]:
    """The form that was sent."""
    sent = await request.form()
    written = [(name, value) for name, value in sent.multi_items() if isinstance(value, str)]
    return dict(form_of(with_columns(written)))


async def _taken(desk: Desk, form: Form, name: str) -> Taken | None:
    """What the name means already, and whether that is what the form says."""
    if not name.strip():
        return None
    try:
        meant = _dated(desk, definition_of("preview", form), form)
    except ExpostError:
        meant = None
    return await find_taken(desk, name, form["site"][0], meant)
