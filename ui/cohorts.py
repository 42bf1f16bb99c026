"""The pages of cohorts: the list, one with its size, and the form that makes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from expost.errors import ExpostError, InvalidInput
from expost.query.cohort import Cohort, read_ids
from expost.query.cohort_size import CohortAnswer, CohortSize
from expost.query.cohort_view import query_of
from expost.query.explanation import Explanation
from expost.query.form import Form, form_of, one
from expost.query.form_cohort import cohort_of

from .asked import Choices
from .caller import caller_of
from .chart_page import add_explanation
from .desk import Desk, Outcome, address
from .page import render, twin

WORDS = ("did", "did_not", "trait")


@dataclass(frozen=True, slots=True)
class CohortRow:
    """One line of the list."""

    name: str
    meaning: str
    version: int | None


@dataclass(frozen=True, slots=True)
class CohortListView:
    """What `_cohorts.html` shows."""

    rows: tuple[CohortRow, ...]


@dataclass(frozen=True, slots=True)
class CohortView:
    """What `cohort.html` shows."""

    cohort: Cohort
    answer: CohortAnswer | None
    error: ExpostError | None

    @property
    def query(self) -> str:
        """What lists its people."""
        return query_of(self.cohort.name)


def cohort_row(cohort: Cohort) -> CohortRow:
    """One line of the list."""
    return CohortRow(cohort.name, str(cohort), cohort.version)


def add_cohorts(router: APIRouter, desk: Desk) -> None:
    """`/cohorts` and `/cohort`, and what makes and forgets one."""

    @router.get("/cohorts")
    async def listed(request: Request) -> Response:
        """The list, and the form that makes one."""
        site = desk.site_of(request).slug
        found: Sequence[Cohort] = await desk.call("cohorts", site=site)
        definitions = await desk.call("definitions", site=site)
        choices: Choices = tuple((each.name, each.name) for each in definitions)
        view = CohortListView(tuple(map(cohort_row, found)))
        return render(desk, request, "cohorts.html", view=view, definitions=choices)

    def explained(form: Form) -> Explanation:
        site = one(form, "site")
        return Explanation(CohortSize(one(form, "name") or "", site=site), site=site)

    add_explanation(router, desk, "/cohort", explained, ("name",))

    @router.get("/cohort")
    async def shown(request: Request) -> Response:
        """One cohort, and how many people are in it now."""
        site, name = desk.site_of(request).slug, request.query_params.get("name", "")
        if not name:
            return RedirectResponse(address("/cohorts", request.query_params.multi_items()), status_code=303)
        cohort: Cohort = await desk.call("cohort", name, site=site)
        outcome: Outcome = await desk.outcome(lambda: CohortSize(name, site=site))
        view = CohortView(cohort, outcome.answer, outcome.error)
        return render(desk, request, "cohort.html", status=outcome.status, view=view)

    @router.get("/cohort.json")
    @router.get("/cohort.sql")
    @router.get("/cohort.csv")
    @router.get("/cohort.parquet")
    async def twins(request: Request) -> Response:
        """The twins."""
        name = request.query_params.get("name", "")
        return twin(request, await desk.answer(CohortSize(name, site=desk.site_of(request).slug)))

    @router.post("/cohorts/keep")
    async def keep(request: Request) -> Response:
        """Save a cohort: who fulfils all that the form says."""
        sent = await request.form()
        said = {name: str(value).strip() for name, value in sent.multi_items()}
        name, users = said.get("name", ""), read_ids(said.get("users", "").splitlines())
        if not name:
            raise InvalidInput("A cohort needs a name.", hint="Go back, and say what it is called.")
        pairs = [(word, said[word]) for word in WORDS if said.get(word)]
        if said.get("did"):
            pairs += [(word, f"1={said[word]}") for word in ("times", "did_within") if said.get(word)]
        if said.get("did_not") and said.get("not_within"):
            pairs.append(("not_within", f"1={said['not_within']}"))
        form = form_of(pairs)
        meant = cohort_of(name, form) if form or not users else None
        by, site = caller_of(request).actor("ui"), desk.site_of(request).slug
        given = {"users": users, "site": site, "author": by.who, "place": by.place}
        saved = await desk.call("save_cohort", meant, name, **given)
        return RedirectResponse(address("/cohort", [("name", saved.name), ("site", site)]), 303)

    @router.post("/cohorts/remove")
    async def remove(request: Request) -> Response:
        """Forget a cohort, once it is said again."""
        sent, site = await request.form(), desk.site_of(request).slug
        name = str(sent.get("name", ""))
        if sent.get("sure") != "yes":
            raise InvalidInput(
                f"{name!r} was not forgotten.",
                hint="Tick that it may go with all its versions, and press again.",
            )
        by = caller_of(request).actor("ui")
        await desk.call("remove_cohort", name, site=site, author=by.who, place=by.place)
        return RedirectResponse(address("/cohorts", [("site", site)]), 303)
