"""An app with the pages on it and a stand-in for the query processes: made-up answers, and what was asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from bs4 import BeautifulSoup
from fastapi import FastAPI
from fastapi.testclient import TestClient

from expost.access import Access
from expost.errors import (
    ExpostError,
    SelectorError,
    UnknownCohort,
    UnknownDashboard,
    UnknownDefinition,
    UnknownReport,
)
from expost.history.runs import Imports, Standing
from expost.history.uploads import UnknownImport, Upload, Uploads
from expost.lake.folder import Folder
from expost.query.cohort import Cohort, Did
from expost.query.cohort_size import CohortSize
from expost.query.dashboard import Dashboard
from expost.query.definition import Definition, definition
from expost.query.difference import Difference
from expost.query.event_detail import EventDetail
from expost.query.explanation import Explanation
from expost.query.flag_list import FlagList
from expost.query.form import Form
from expost.query.funnel import Funnel, FunnelPeople
from expost.query.health import Health
from expost.query.lifecycle import Lifecycle
from expost.query.live import Live
from expost.query.losses import Losses
from expost.query.paths import Paths
from expost.query.preview import Preview
from expost.query.reconcile import ReconcileAnswer
from expost.query.rejected import RejectedList
from expost.query.report import Report, report_of
from expost.query.retention import Retention, RetentionPeople
from expost.query.sandbox import SqlQuery
from expost.query.session_detail import SessionDetail
from expost.query.sessions import Sessions
from expost.query.stickiness import Stickiness
from expost.query.suggested import Suggestions
from expost.query.trend import Trend, TrendPeople
from expost.query.unnamed import Unnamed
from expost.settings import Settings
from expost.state.database import State
from expost.state.details import Details, details_of
from expost.ui import (
    samples,
    samples_arrival,
    samples_events,
    samples_imports,
    samples_kept,
    samples_people,
    samples_sessions,
)
from expost.ui.desk import PageSite
from expost.ui.pages import create_pages

TAG = '<script async src="http://127.0.0.1:8000/expost.js" data-key="w_3f9c" data-consent="full"></script>'
SITE = PageSite("teashop", "The tea shop", "Europe/Berlin", TAG)
OTHER = PageSite("blog", "The blog", "UTC", TAG.replace("w_3f9c", "w_blog"))


def named() -> list[Definition]:
    """Saved definitions, one of them with a name that wants to be markup."""
    selectors = ("button.add", "a.checkout", "form.order button[type=submit]")
    found = [definition("Viewed a tea", view="/tea/*")]
    found += [
        definition(name, click=selector) for name, selector in zip(samples.STEPS[1:], selectors, strict=True)
    ]
    return [*found, definition(samples.NASTY, track="<script>")]


@dataclass
class StandIn:
    """Answers like `QueryPool.call`.

    `failure` is raised by every question, `is_empty` empties every answer, `said` are fields of the one event.
    """

    is_empty: bool = False
    failure: ExpostError | None = None
    said: dict[str, Any] = field(default_factory=dict)
    asked: list[Any] = field(default_factory=list)
    saved: list[Definition] = field(default_factory=list)
    told: Details = field(default_factory=Details)
    validity: dict[str, Any] = field(default_factory=dict)
    versions: int = 1
    kept: Any = None

    def __post_init__(self) -> None:
        if not self.is_empty:
            self.saved = named()

    async def call(self, method: str, *arguments: Any, **named_arguments: Any) -> Any:
        self.asked.append((method, *arguments))
        return getattr(self, f"_{method}")(*arguments, **named_arguments)

    def _ask(self, question: Any) -> Any:  # noqa: C901 - one line for each kind of question
        if self.failure:
            raise self.failure
        match question:
            case Live():
                found = (0, 0) if self.is_empty else (min(question.latest, 30),)
                return replace(samples_events.live(*found), question=question)
            case EventDetail():
                kind = {"type": "page_view"} if question.event_id == "view" else {}
                return samples_events.event(**kind, **self.said)
            case Health():
                return samples_events.health(self.is_empty)
            case Unnamed():
                return samples_events.unnamed(0 if self.is_empty else 6)
            case Suggestions():
                return samples_events.suggestions(question.level or 0)
            case Preview():
                _refuse_hover(question.definition)
                whole = samples_events.preview(0, 0) if self.is_empty else samples_events.preview()
                return replace(whole, is_whole=False) if question.count_only else whole
            case Funnel(compare=str()):
                return samples_people.funnel_beside_cohort(212, 168, 121, 97)
            case Funnel():
                return samples_people.funnel(by=question.by is not None)
            case FunnelPeople():
                return samples_people.people(question.step, dropped_off=question.dropped_off)
            case Retention(compare=str()):
                return samples_people.retention_beside_cohort(4)
            case Retention():
                return samples_people.retention(by=question.by is not None)
            case RetentionPeople() | TrendPeople():
                return replace(samples_people.people(2), question=question)
            case Trend():
                return samples_people.trend(by=question.by is not None)
            case Stickiness():
                return samples_kept.stickiness(days=0 if self.is_empty else 9, by=question.by is not None)
            case Lifecycle():
                return samples_kept.lifecycle(0 if self.is_empty else 9)
            case Paths():
                return samples_kept.paths(0 if self.is_empty else 3)
            case Sessions():
                listed = samples_sessions.sessions(0 if self.is_empty else 30, by=question.by is not None)
                return replace(listed, question=question)
            case SessionDetail():
                return samples_sessions.opened()
            case Explanation():
                return samples_kept.explanation()
            case CohortSize():
                return samples_kept.cohort_size()
            case Losses():
                most = 30 if question.by == "day" else question.limit
                return samples_arrival.losses(question.by, count=0 if self.is_empty else most)
            case RejectedList():
                return samples_arrival.rejected(0 if self.is_empty else question.limit)
            case Difference():
                return samples_events.difference(0 if self.is_empty else 12)
            case FlagList():
                return samples_arrival.flags()
            case SqlQuery():
                return samples_arrival.rows(0 if self.is_empty else 6)
        raise AssertionError(question)

    def _definitions(self, *, site: str | None = None, archived: bool = False) -> list[Definition]:
        return [] if archived else [replace(each, version=self.versions) for each in self.saved]

    def _cohorts(self, *, site: str | None = None) -> list[Cohort]:
        return [] if self.is_empty else [Cohort("Regulars", did=(Did("Added to basket", 3),), version=1)]

    def _cohort(self, name: str, *, site: str | None = None) -> Cohort:
        for each in self._cohorts():
            if each.name == name:
                return each
        raise UnknownCohort(name, [])

    def _save_cohort(self, cohort: Cohort | None, name: str, **said: Any) -> Cohort:
        self.kept = (cohort, name, said)
        return cohort or Cohort(name, users=(1,))

    def _remove_cohort(self, name: str, **said: Any) -> Cohort:
        self.kept = ("removed", name, said)
        return self._cohort(name)

    def _kept_reports(self, *, site: str | None = None, archived: bool = False) -> list[Report]:
        return [] if archived or self.is_empty else list(samples_kept.reports())

    def _kept_report(self, name: str, version: int | None = None, *, site: str | None = None) -> Report:
        for each in self._kept_reports():
            if each.name == name:
                return each
        raise UnknownReport(name, [])

    def _kept_dashboards(self, *, site: str | None = None, archived: bool = False) -> list[Dashboard]:
        return [] if archived or self.is_empty else list(samples_kept.dashboards())

    def _kept_dashboard(self, name: str, *, site: str | None = None) -> Dashboard:
        for each in self._kept_dashboards():
            if each.name == name:
                return each
        raise UnknownDashboard(name, [])

    def _kept_history(self, noun: str, name: str, *, site: str | None = None) -> list[Any]:
        found: Any = self._kept_report(name) if noun == "report" else self._kept_dashboard(name)
        return [replace(found, version=1 + place) for place in range(self.versions)]

    def _keep_report(self, name: str, kind: str, form: Form, **said: Any) -> Report:
        self.kept = (name, kind, form, said)
        return report_of(name, kind, form)

    def _keep_dashboard(self, name: str, reports: Sequence[str], over: Form, **said: Any) -> Dashboard:
        self.kept = (name, tuple(reports), over, said)
        return Dashboard(name, tuple(reports), over)

    def _describe_kept(self, noun: str, name: str, **wanted: Any) -> Details:
        self.kept = (noun, name, wanted)
        return Details()

    def _roll_back_kept(self, noun: str, name: str, version: int, **said: Any) -> Any:
        self.kept = (noun, name, version, said)
        return None

    def _report_answer(
        self, name: str, *, version: int | None = None, over: Form | None = None, site: str | None = None
    ) -> Any:
        return self._ask(self._kept_report(name).asked(over or {}, site))

    def _followers(self, name: str, *, site: str | None = None) -> list[str]:
        return [] if self.is_empty else ["Checkout"]

    def _reconcile(self, ids: Sequence[str], **said: Any) -> ReconcileAnswer:
        if self.failure:
            raise self.failure
        self.kept = (tuple(ids), said)
        return samples_kept.reconciled()

    def _details(self, name: str, *, site: str | None = None) -> Details:
        self._definition(name)
        return self.told

    def _describe(
        self, name: str, *, site: str | None = None, author: str = "", place: str = "", **wanted: Any
    ) -> Details:
        given = {each: value for each, value in wanted.items() if value is not None}
        self.told = details_of(self._details(name).to_json() | given)
        return self.told

    def _roll_back(
        self, name: str, version: int, *, site: str | None = None, author: str = "", place: str = ""
    ) -> Definition:
        return self._definition(name)

    def _definition(self, name: str, version: int | None = None, *, site: str | None = None) -> Definition:
        for each in self.saved:
            if each.name == name:
                return replace(each, version=self.versions)
        raise UnknownDefinition(name, [each.name for each in self.saved])

    def _history(self, name: str, *, site: str | None = None) -> list[dict[str, Any]]:
        found = self._definition(name)
        said = {"author": "ui", "created_at": "2026-11-20T08:30:00Z", "meaning": str(found), "engine": 1}
        return [found.to_json() | said | {"version": 1 + place} for place in range(self.versions)]

    def _define(
        self,
        meant: Definition,
        *,
        site: str | None = None,
        author: str = "",
        place: str = "",
        **validity: Any,
    ) -> Definition:
        self.validity = validity
        _refuse_hover(meant)
        self.saved = [each for each in self.saved if each.name != meant.name] + [meant]
        return meant


@cache
def empty_access() -> Access:
    """A small state without any account."""
    return Access(State(Path(mkdtemp()) / "state.sqlite"), Settings())


def create_app(
    stand_in: StandIn, sites: tuple[PageSite, ...] = (SITE,), access: Access | None = None
) -> FastAPI:
    """The pages alone, without the gate in front of them."""
    app, imports = FastAPI(), StandInImports(is_empty=stand_in.is_empty)
    app.include_router(create_pages(stand_in.call, lambda: sites, access or empty_access(), imports=imports))
    return app


class StandInImports(Imports):
    """Uploads in every state, each under a number."""

    def __init__(self, *, is_empty: bool) -> None:
        self.uploads = Uploads(Folder(Path("nowhere")), 5_000_000_000)
        self._found = () if is_empty else tuple(standing for _, standing in samples_imports.STATES)

    def all(self) -> list[Standing]:
        return list(self._found)

    def find(self, id_: str) -> Standing:
        if not id_.isdigit() or int(id_) >= len(self._found):
            raise UnknownImport(id_)
        return self._found[int(id_)]

    def find_proposal(self, upload: Upload) -> None:
        return None


def _refuse_hover(step: Any) -> None:
    for each in getattr(step, "alternatives", ()):
        if each.selector and ":hover" in each.selector:
            offset = each.selector.index(":hover")
            raise SelectorError(each.selector, offset, ":hover", "whether a pointer was over it is not captured.",
                                hint="Leave it out.")  # fmt: skip


def client(stand_in: StandIn | None = None, **options: Any) -> TestClient:
    """A browser before the pages, with made-up answers behind them."""
    return TestClient(create_app(stand_in or StandIn(), **options))


def soup(text: str) -> BeautifulSoup:
    """A page as a browser reads it."""
    return BeautifulSoup(text, "html5lib")
