"""The route of the API that reconciles ids with a funnel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from expost.answer_route import AnswerResponse
from expost.query.form import form_of_body, one
from expost.query.form_reconcile import RECONCILE
from expost.query.word import checked_body
from expost.question_routes import Body, body_schema


def add_reconcile(api: APIRouter, call: Callable[..., Awaitable[Any]]) -> None:
    """`/api/v1/reconcile`: ids are personal, so they come in a body and stand in no address."""

    @api.post("/reconcile", openapi_extra=body_schema(RECONCILE, ("ids",)))
    async def reconcile(body: Body) -> JSONResponse:
        """Which of the ids that are known to have converted a funnel counts, and why not the others."""
        form = dict(form_of_body(checked_body(body, RECONCILE)))
        ids = form.pop("ids", ())
        report, name = (next(iter(form.pop(field, ())), None) for field in ("report", "property"))
        site = one(form, "site")
        answer = await call("reconcile", ids, report=report, form=form, property=name, site=site)
        return AnswerResponse(answer)
