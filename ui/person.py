"""The page of one person: who they are, what says so, what they did, and forms that merge and undo. For admins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from expost.errors import ExpostError
from expost.query.form_seen import timeline_of
from expost.query.timeline import Timeline, TimelineAnswer, TimelineSession

from .caller import caller_of, require_admin
from .desk import Desk
from .live import LiveRow, live_row
from .page import render, twin

EDGE_WORDS = {"identify": "is the browser of", "merge": "is the same person as"}


@dataclass(frozen=True, slots=True)
class SessionView:
    """One visit, with its events in words."""

    session: TimelineSession
    rows: tuple[LiveRow, ...]


@dataclass(frozen=True, slots=True)
class PersonView:
    """What `person.html` shows; without an answer the form that finds somebody, and why nobody was found."""

    answer: TimelineAnswer | None = None
    sessions: tuple[SessionView, ...] = ()
    words: Mapping[str, str] | None = None
    error: ExpostError | None = None
    asked: str = ""


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What `person_change.html` shows: what a merge or an undo would change, and the fields that do it."""

    title: str
    action: str
    button: str
    person_id: str
    fields: tuple[tuple[str, str], ...]
    plan: Mapping[str, Any] | None = None
    error: ExpostError | None = None

    @property
    def changed(self) -> list[Mapping[str, Any]]:
        """The definitions whose number of people would be another one."""
        found = self.plan["definitions"] if self.plan else []
        return [each for each in found if each["people"]["now"] != each["people"]["then"]]

    @property
    def changed_reports(self) -> list[Mapping[str, Any]]:
        """The reports of which anything would be another number, or that have no answer."""
        found = self.plan["reports"] if self.plan else []
        return [
            each | {"figures": [figure for figure in each["figures"] if figure["now"] != figure["then"]]}
            for each in found
            if each["is_changed"] is not False
        ]


def person_view(answer: TimelineAnswer) -> PersonView:
    """One person in words."""
    sessions = tuple(SessionView(each, tuple(map(live_row, each.events))) for each in answer.sessions)
    return PersonView(answer, sessions, EDGE_WORDS)


def add_person(router: APIRouter, desk: Desk) -> None:
    """`/person`, its twins, and the forms below it."""

    def question_of(request: Request) -> Timeline:
        require_admin(request)
        return timeline_of(desk.form_of(request))

    @router.get("/person")
    async def page(request: Request) -> Response:
        """One person, or the form that finds one."""
        require_admin(request)
        if not request.query_params.get("id"):
            return render(desk, request, "person.html", view=PersonView())
        found = await desk.outcome(lambda: question_of(request))
        view = person_view(found.answer) if found.answer else PersonView(error=found.error)
        return render(desk, request, "person.html", status=found.status, view=view)

    @router.get("/person.json")
    @router.get("/person.sql")
    async def twins(request: Request) -> Response:
        """The twins."""
        return twin(request, await desk.answer(question_of(request)))

    @router.post("/person/find")
    async def find(request: Request) -> Response:
        """Who is called so. What they are called is in the body, so that no address and no log has it."""
        require_admin(request)
        asked = str((await request.form()).get("id", "")).strip()
        site = desk.site_of(request).slug
        found = await desk.outcome(lambda: Timeline(asked, latest=1, site=site))
        if found.answer is None:
            view = PersonView(error=found.error, asked=asked)
            return render(desk, request, "person.html", status=found.status, view=view)
        return RedirectResponse(f"/person?id={found.answer.person_id}&site={site}", 303)

    async def change(request: Request, title: str, button: str, method: str, **given: Any) -> Response:
        """Say what a merge or an undo would change; with `sure`, do it."""
        require_admin(request)
        sent = await request.form()
        site, person = desk.site_of(request).slug, str(sent.get("person", ""))
        fields = tuple((name, str(value)) for name, value in sent.multi_items() if name != "sure")
        view = ChangeView(title, request.url.path, button, person, fields)
        try:
            if sent.get("sure"):
                by = caller_of(request).actor("page")
                await desk.call(method, **given, site=site, author=by.who, place=by.place)
                return RedirectResponse(f"/person?id={person}&site={site}", 303)
            plan = await desk.call(f"plan_{method}", **given, site=site)
        except ExpostError as error:
            view = ChangeView(title, request.url.path, button, person, fields, error=error)
            return render(desk, request, "person_change.html", status=error.status, view=view)
        view = ChangeView(title, request.url.path, button, person, fields, plan)
        return render(desk, request, "person_change.html", view=view)

    @router.post("/person/merge")
    async def merge(request: Request) -> Response:
        """Make two users one person."""
        sent = await request.form()
        user, into = (str(sent.get(name, "")).strip() for name in ("user", "into"))
        given = {"user": user, "into": into, "force": bool(sent.get("force"))}
        return await change(request, "Merge two users", "Merge them", "merge", **given)

    @router.post("/person/undo")
    async def undo(request: Request) -> Response:
        """Withdraw edges, or give them back."""
        edges = [str(edge) for edge in (await request.form()).getlist("edge")]
        return await change(request, "Undo", "Undo it", "undo", edges=edges)
