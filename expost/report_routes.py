"""The routes of the API that keep reports and dashboards, and ask them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from expost.answer_route import AnswerResponse
from expost.detail_words import DETAILS, LISTED, ROLLBACK, checked_details, version_of
from expost.errors import ExpostError, InvalidInput
from expost.query.dashboard import Dashboard
from expost.query.form import COMMON, Form, form_of_body, one, yes
from expost.query.form_seen import SITE
from expost.query.report import KINDS, Report, laid_over
from expost.query.word import Word, checked_body
from expost.question_routes import Body, body_schema, given, words_schema
from expost.ui.caller import caller_of

Call = Callable[..., Awaitable[Any]]
KIND = Word("kind", "Which question it is.", choices=tuple(KINDS))
PIN = Word("pin", "About the definitions as they are now; default as they become.", is_switch=True)
VERSION = Word("version", "Not the latest version of the report, but this one.", "1", is_number=True)
REPORTS = Word("reports", "Names of reports, in order.", "Checkout", is_many=True)


def add_reports(api: APIRouter, call: Call) -> None:
    """`/api/v1/reports` and `/api/v1/dashboards`."""

    @api.get("/reports/{name:text}/answer", openapi_extra=words_schema((*COMMON, VERSION)))
    async def report_answer(name: str, request: Request) -> JSONResponse:
        """The answer to a report, with what is said over it: another range, time zone or moment."""
        form = dict(given(request, (*COMMON, VERSION)))
        version = version_of({"version": form.pop("version")}) if "version" in form else None
        answer = await call("report_answer", name, version=version, over=form, site=one(form, "site"))
        return AnswerResponse(answer)

    @api.get("/dashboards/{name:text}/answer", openapi_extra=words_schema(COMMON))
    async def dashboard_answer(name: str, request: Request) -> JSONResponse:
        """The answer to each report of a dashboard, or the error that it has instead."""
        form = given(request, COMMON)
        site = one(form, "site")
        board: Dashboard = await call("kept_dashboard", name, site=site)
        over = laid_over(board.over, form)
        parts = [await _part(call, each, over, site) for each in board.reports]
        return JSONResponse({"name": board.name, "version": board.version, "reports": parts})

    for noun in (Report.shelf.noun, Dashboard.shelf.noun):
        _add_kept(api, call, noun)

    @api.put("/reports/{name:text}", openapi_extra=body_schema(_all_words(), ("kind",)))
    async def keep_report(name: str, body: Body, request: Request) -> JSONResponse:
        """Keep a question under a name; asking something else than the latest version makes a new one."""
        kind = KINDS.get(str(body.get("kind")))
        if kind is None:
            raise InvalidInput(
                f"{body.get('kind')!r} is no kind of report.", hint=f"One of: {', '.join(KINDS)}."
            )
        form = form_of_body(checked_body(body, (*kind.words, KIND, PIN), "this report"))
        asked = {field: values for field, values in form.items() if field not in ("kind", "pin")}
        pin, by = yes(form, "pin") or False, caller_of(request).actor("api")
        said = {"site": one(form, "site"), "author": by.who, "place": by.place}
        saved = await call("keep_report", name, str(body["kind"]), asked, pin=pin, **said)
        return JSONResponse(saved.to_json())

    @api.put("/dashboards/{name:text}", openapi_extra=body_schema((*COMMON, REPORTS), ("reports",)))
    async def keep_dashboard(name: str, body: Body, request: Request) -> JSONResponse:
        """List reports under a name, with a range or a time zone for all of them."""
        form = dict(form_of_body(checked_body(body, (*COMMON, REPORTS), "a dashboard")))
        reports, by = form.pop("reports", ()), caller_of(request).actor("api")
        said = {"site": one(form, "site"), "author": by.who, "place": by.place}
        return JSONResponse((await call("keep_dashboard", name, reports, form, **said)).to_json())


def _add_kept(api: APIRouter, call: Call, noun: str) -> None:
    path = f"/{noun}s"

    @api.get(path, name=f"{noun}s", description=f"The latest version of every {noun}.",
             openapi_extra=words_schema(LISTED))  # fmt: skip
    async def listed(request: Request) -> JSONResponse:
        form = given(request, LISTED)
        found = await call("kept", noun, site=one(form, "site"), archived=yes(form, "archived") or False)
        return JSONResponse([each.to_json() for each in found])

    @api.get(f"{path}/{{name:text}}", name=noun, description=f"A {noun} with all its versions, the oldest first.",
             openapi_extra=words_schema((SITE,)))  # fmt: skip
    async def shown(name: str, request: Request) -> JSONResponse:
        found = await call("kept_history", noun, name, site=one(given(request, (SITE,)), "site"))
        versions = [each.to_json() for each in found]
        return JSONResponse(versions[-1] | {"versions": versions})

    @api.patch(f"{path}/{{name:text}}", name=f"describe_{noun}",
               description=f"Set owner, tags or note of a {noun}, or whether it is archived.",
               openapi_extra=body_schema(DETAILS))  # fmt: skip
    async def describe(name: str, body: Body, request: Request) -> JSONResponse:
        by, wanted = caller_of(request).actor("api"), checked_details(body)
        told = await call("describe_kept", noun, name, author=by.who, place=by.place, **wanted)
        return JSONResponse(told.to_json())

    @api.post(f"{path}/{{name:text}}/rollback", name=f"roll_back_{noun}",
              description="A new version that says what an old one said.",
              openapi_extra=body_schema(ROLLBACK, ("version",)))  # fmt: skip
    async def roll_back(name: str, body: Body, request: Request) -> JSONResponse:
        by, form = caller_of(request).actor("api"), form_of_body(checked_body(body, ROLLBACK))
        said = {"site": one(form, "site"), "author": by.who, "place": by.place}
        return JSONResponse((await call("roll_back_kept", noun, name, version_of(form), **said)).to_json())


async def _part(call: Call, name: str, over: Form, site: str | None) -> Mapping[str, Any]:
    try:
        answer = await call("report_answer", name, over=over, site=site)
    except ExpostError as problem:
        return {"name": name} | problem.to_json()
    return {"name": name, "answer": answer.to_json()}


def _all_words() -> Iterable[Word]:
    """The words of every kind, each once with all choices that it has in some."""
    found: dict[str, Word] = {word.name: word for word in (KIND, PIN)}
    for kind in KINDS.values():
        for word in kind.words:
            before = found.get(word.name, word)
            choices = tuple(dict.fromkeys((*before.choices, *word.choices)))
            found[word.name] = replace(before, choices=choices)
    return found.values()
