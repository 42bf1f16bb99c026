"""Pages of questions, made the same for every kind: the form, the answer below it, the rules, and the twins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from expost.query.form import Form
from expost.query.form_proof import explaining
from expost.query.question import Question

from .asked import Ask, find_offer
from .desk import Desk, Outcome, Pairs, address
from .explanation import explanation_view
from .page import TWINS, render, twin

KEPT_AS = "report"
"""The field of an address that names the report as which the question is kept; it is none of the question's own."""


@dataclass(frozen=True, slots=True)
class ChartPage:
    """A kind of question as a page at `/kind`: nothing is asked yet without one of the fields `needed`.

    `kind.html` is its template, and `_kind.html` the panel that shows what `view` makes of an answer.
    """

    kind: str
    needed: tuple[str, ...]
    read: Callable[[Form], Question]
    view: Callable[[Any, Pairs], Any]
    ask: type[Ask]

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/{self.kind}"

    @property
    def panel(self) -> str:
        """The partial that shows an answer."""
        return f"_{self.kind}.html"


def add_chart(router: APIRouter, desk: Desk, page: ChartPage) -> None:
    """The page of a kind of question, and its twins."""
    alone = frozenset({KEPT_AS})

    async def shown(request: Request) -> Response:
        """The page."""
        form = desk.form_of(request, without=alone)
        ask = page.ask(form, await find_offer(desk, desk.site_of(request).slug))
        outcome = (
            await desk.outcome(lambda: page.read(form))
            if any(name in form for name in page.needed)
            else Outcome()
        )
        view = page.view(outcome.answer, ask.pairs) if outcome.answer else None
        kept_as = request.query_params.get(KEPT_AS, "")
        said = {"ask": ask, "view": view, "error": outcome.error, "page": page, "kept_as": kept_as}
        return render(desk, request, f"{page.kind}.html", status=outcome.status, **said)

    async def twins(request: Request) -> Response:
        """The twins."""
        return twin(request, await desk.answer(page.read(desk.form_of(request, without=alone))))

    router.add_api_route(page.path, shown, methods=["GET"])
    for ending in TWINS:
        router.add_api_route(f"{page.path}{ending}", twins, methods=["GET"])
    add_explanation(router, desk, page.path, explaining(page.read), page.needed)


def add_explanation(
    router: APIRouter,
    desk: Desk,
    of: str,
    read: Callable[[Form], Question],
    needed: tuple[str, ...] = (),
) -> None:
    """The rules that decided the answers of the page `of`, and the twins.

    Where none of the fields `needed` is said nothing is asked yet: the page `of` has the form to ask it.
    """
    path = f"{of}/explanation"

    async def shown(request: Request) -> Response:
        """The rules that decided, and what the others would have counted."""
        form = desk.form_of(request)
        pairs = request.query_params.multi_items()
        if needed and not any(name in form for name in needed):
            return RedirectResponse(address(of, pairs), status_code=303)
        view = replace(explanation_view(await desk.answer(read(form))), path=of)
        return render(desk, request, "explanation.html", view=view, pairs=pairs)

    async def twins(request: Request) -> Response:
        """The twins."""
        return twin(request, await desk.answer(read(desk.form_of(request))))

    router.add_api_route(path, shown, methods=["GET"])
    for ending in TWINS:
        router.add_api_route(f"{path}{ending}", twins, methods=["GET"])
