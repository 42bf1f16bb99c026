"""The page that says of ids what became of each. They are personal: they come in a body and stand in no address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from expost.errors import ExpostError
from expost.query.form_reconcile import ids_of_table
from expost.query.reconcile import Reconcile, ReconcileAnswer, ReconciledId
from expost.query.report import Report
from expost.query.unit import PERSON, Unit

from . import chart
from .desk import Desk
from .page import render

SHOWN = 500


@dataclass(frozen=True, slots=True)
class CauseRow:
    """A cause, with how many ids have it."""

    cause: str
    says: str
    ids: int
    share: float
    width: float


@dataclass(frozen=True, slots=True)
class ReconcileView:
    """What `_reconcile.html` shows: the causes, and the first ids that are not counted."""

    answer: ReconcileAnswer
    causes: tuple[CauseRow, ...]
    absent: tuple[ReconciledId, ...]
    more: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class ReconcileForm:
    """The form as sent; `reports` are the funnels to choose from."""

    reports: tuple[tuple[str, str], ...]
    report: str = ""
    property: str = ""
    ids: str = ""
    heading: bool = False


def reconcile_view(answer: ReconcileAnswer) -> ReconcileView:
    """What of each id, in words."""
    most = max((each.ids for each in answer.causes), default=0)
    absent = [each for each in answer.ids if each.cause != "counted"]
    return ReconcileView(
        answer,
        tuple(
            CauseRow(
                each.cause.replace("_", " "),
                each.says,
                each.ids,
                each.ids / len(answer.ids),
                chart.percent(each.ids, most),
            )
            for each in answer.causes
        ),
        tuple(absent[:SHOWN]),
        max(0, len(absent) - SHOWN),
        answer.question.funnel.unit if isinstance(answer.question, Reconcile) else PERSON,
    )


def add_reconcile(router: APIRouter, desk: Desk) -> None:
    """`/reconcile`."""

    async def funnels(request: Request) -> tuple[tuple[str, str], ...]:
        found: Sequence[Report] = await desk.call("kept_reports", site=desk.site_of(request).slug)
        return tuple((each.name, each.name) for each in found if each.kind == "funnel")

    @router.get("/reconcile")
    async def asked(request: Request) -> Response:
        """The form."""
        form = ReconcileForm(await funnels(request), request.query_params.get("report", ""))
        return render(desk, request, "reconcile.html", form=form, view=None, error=None)

    @router.post("/reconcile")
    async def answered(request: Request) -> Response:
        """What became of each id."""
        sent = await request.form()
        report, name, text = (str(sent.get(field, "")).strip() for field in ("report", "property", "ids"))
        heading = bool(sent.get("heading"))
        form = ReconcileForm(await funnels(request), report, name, text, heading)
        said = {"report": report, "property": name or None, "site": desk.site_of(request).slug}
        try:
            read = ids_of_table(text, name or None, has_heading=heading)
            answer: ReconcileAnswer = await desk.call("reconcile", read.ids, **said)
            view = reconcile_view(read.told(answer, "what was pasted"))
        except ExpostError as error:
            return render(
                desk, request, "reconcile.html", status=error.status, form=form, view=None, error=error
            )
        return render(desk, request, "reconcile.html", form=form, view=view, error=None)
