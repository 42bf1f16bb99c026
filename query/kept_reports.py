"""The part of an open data folder that keeps reports and dashboards, and asks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from expost.errors import ExpostError, InvalidInput
from expost.state.audit import Actor
from expost.state.cohorts import find_cohort
from expost.state.definitions import find_definition
from expost.state.details import Details, describe_as, find_details
from expost.state.names import name_key
from expost.state.shelf import Draft, Kept, Shelf, find, history, save
from expost.state.sites import find_site

from .answer import Answer
from .dashboard import Dashboard
from .file_folder import Plan, Written, apply_plan, export_folder, plan_folder
from .form import Form
from .form_funnel import funnel_of
from .funnel import Funnel
from .opened import OpenedFolder
from .reconcile import Reconcile
from .report import KINDS, Report, laid_over, report_of
from .report_filing import dashboard_filing, kept_on, report_filing
from .saved import find_built_in, in_force_at, pin_of

LONGEST_NAME = 200
Thing = Report | Dashboard
THINGS: Mapping[str, type[Report] | type[Dashboard]] = {
    Report.shelf.noun: Report,
    Dashboard.shelf.noun: Dashboard,
}


class KeptReports(OpenedFolder):
    """Reports and dashboards under their names. `noun` is `report` or `dashboard` where a method is for both."""

    def keep_report(
        self,
        name: str,
        kind: str,
        form: Form,
        *,
        pin: bool = False,
        site: str | None = None,
        author: str = "",
        place: str = "",
    ) -> Report:
        """The report as saved: a new version when it asks something else than the latest one of that name.

        With `pin` it is about the definitions as they are now; without, it follows their later versions.
        """
        slug = find_site(self.state, site).slug
        made = report_of(name, kind, form)
        if pin:
            made = report_of(name, kind, self._pinned(slug, made))
        self._check_report(slug, made)
        self._keep(made, slug, Actor(author, place))
        return self.kept_report(name, site=slug)

    def keep_dashboard(
        self,
        name: str,
        reports: Sequence[str],
        over: Form,
        *,
        site: str | None = None,
        author: str = "",
        place: str = "",
    ) -> Dashboard:
        """The dashboard as saved; another list or range is a new version."""
        slug = find_site(self.state, site).slug
        made = Dashboard(
            name, tuple(reports), {field: values for field, values in over.items() if field != "site"}
        )
        self._check_dashboard(slug, made)
        self._keep(made, slug, Actor(author, place))
        return self.kept_dashboard(name, site=slug)

    def kept(self, noun: str, *, site: str | None = None, archived: bool = False) -> Sequence[Thing]:
        """The latest version of each, by name; those in the archive instead with `archived`."""
        if noun == Report.shelf.noun:
            return self.kept_reports(site=site, archived=archived)
        return self.kept_dashboards(site=site, archived=archived)

    def kept_reports(self, *, site: str | None = None, archived: bool = False) -> list[Report]:
        """The reports among them."""
        found = kept_on(self.state, find_site(self.state, site).slug, Report).values()
        return [each for each in found if each.details.archived == archived]

    def kept_dashboards(self, *, site: str | None = None, archived: bool = False) -> list[Dashboard]:
        """The dashboards among them."""
        found = kept_on(self.state, find_site(self.state, site).slug, Dashboard).values()
        return [each for each in found if each.details.archived == archived]

    def kept_one(self, noun: str, name: str, version: int | None = None, *, site: str | None = None) -> Thing:
        """One of them, its latest version unless one is given."""
        if noun == Report.shelf.noun:
            return self.kept_report(name, version, site=site)
        return self.kept_dashboard(name, version, site=site)

    def kept_report(self, name: str, version: int | None = None, *, site: str | None = None) -> Report:
        """One report, its latest version unless one is given."""
        return Report.of_kept(*self._found(Report.shelf, name, version, site))

    def kept_dashboard(self, name: str, version: int | None = None, *, site: str | None = None) -> Dashboard:
        """One dashboard, its latest version unless one is given."""
        return Dashboard.of_kept(*self._found(Dashboard.shelf, name, version, site))

    def _found(self, shelf: Shelf, name: str, version: int | None, site: str | None) -> tuple[Kept, Details]:
        slug = find_site(self.state, site).slug
        return find(self.state, shelf, slug, name, version), find_details(self.state, shelf, slug, name)

    def kept_history(self, noun: str, name: str, *, site: str | None = None) -> list[Thing]:
        """Every version of one of them, the oldest first."""
        slug, thing = find_site(self.state, site).slug, THINGS[noun]
        told = find_details(self.state, thing.shelf, slug, name)
        return [thing.of_kept(each, told) for each in history(self.state, thing.shelf, slug, name)]

    def describe_kept(
        self,
        noun: str,
        name: str,
        *,
        site: str | None = None,
        author: str = "",
        place: str = "",
        **wanted: Any,
    ) -> Details:
        """The details after those given (owner, tags, note, archived) are set, each with author and time."""
        slug, by = find_site(self.state, site).slug, Actor(author, place)
        return describe_as(self.state, THINGS[noun].shelf, slug, name, wanted, clock=self.clock, by=by)

    def roll_back_kept(
        self,
        noun: str,
        name: str,
        version: int,
        *,
        site: str | None = None,
        author: str = "",
        place: str = "",
    ) -> Thing:
        """A new version that says what an old one said."""
        slug = find_site(self.state, site).slug
        self._keep(self.kept_one(noun, name, version, site=slug), slug, Actor(author, place))
        return self.kept_one(noun, name, site=slug)

    def export_kept(self, noun: str, folder: Path, *, site: str | None = None) -> list[Written]:
        """One file for each in `folder`; those that say the same already stay as they are."""
        slug = find_site(self.state, site).slug
        if noun == Report.shelf.noun:
            return export_folder(report_filing(self.state, slug, lambda _: None), folder)
        return export_folder(dashboard_filing(self.state, slug, lambda _: None), folder)

    def plan_kept(
        self, noun: str, folder: Path, *, site: str | None = None, archives_missing: bool = False
    ) -> Plan:
        """What applying the files in `folder` would do."""
        slug = find_site(self.state, site).slug
        if noun == Report.shelf.noun:
            reports = report_filing(self.state, slug, lambda report: self._check_report(slug, report))
            return plan_folder(reports, folder, archives_missing=archives_missing)
        boards = dashboard_filing(self.state, slug, lambda board: self._check_dashboard(slug, board))
        return plan_folder(boards, folder, archives_missing=archives_missing)

    def apply_kept(self, noun: str, plan: Plan, *, author: str = "", place: str = "") -> None:
        """Do what was planned, all of it or nothing."""
        apply_plan(self.state, THINGS[noun].shelf, plan, clock=self.clock, by=Actor(author, place))

    def report_answer(
        self, name: str, *, version: int | None = None, over: Form | None = None, site: str | None = None
    ) -> Answer:
        """The answer to a report, with what is said `over` it: another range, time zone or moment."""
        slug = find_site(self.state, site).slug
        return self.ask(self.kept_report(name, version, site=slug).asked(over or {}, slug))

    def reconcile(
        self,
        ids: Sequence[str],
        *,
        report: str | None = None,
        form: Form | None = None,
        property: str | None = None,  # noqa: A002 (its name at every door)
        site: str | None = None,
    ) -> Answer:
        """What of these ids a funnel counts: that of the form, or of a report, over which the form says a range."""
        slug, said = find_site(self.state, site).slug, form or {}
        asked = funnel_of(said) if report is None else self.kept_report(report, site=slug).asked(said, slug)
        if not isinstance(asked, Funnel):
            raise InvalidInput(
                f"{report!r} is no funnel, and ids are reconciled with the last step of one.",
                hint="Name a report that is a funnel, or give steps.",
            )
        return self.ask(Reconcile(replace(asked, site=slug), tuple(dict.fromkeys(ids)), property, site=slug))

    def dashboard_answers(
        self, name: str, *, over: Form | None = None, site: str | None = None
    ) -> Iterator[tuple[str, Answer | ExpostError]]:
        """Each report of a dashboard with its answer, or why it has none, which hides no other one."""
        slug = find_site(self.state, site).slug
        board = self.kept_dashboard(name, site=slug)
        said = laid_over(board.over, over or {})
        for report in board.reports:
            try:
                yield report, self.report_answer(report, over=said, site=slug)
            except ExpostError as problem:
                yield report, problem

    def followers(self, definition: str, *, site: str | None = None) -> list[str]:
        """The reports in use that name a definition, pinned or not."""
        slug = find_site(self.state, site).slug
        built_in = find_built_in(self.state, slug, *pin_of(self.state, slug, definition))
        key = name_key((built_in or find_definition(self.state, slug, definition)).name)

        def is_about(named: str) -> bool:
            name, version = pin_of(self.state, slug, named)
            return name_key(name) == key and find_built_in(self.state, slug, name, version) == built_in

        return [each.name for each in self.kept_reports(site=slug) if any(map(is_about, each.definitions))]

    def _keep(self, thing: Thing, site: str, by: Actor) -> None:
        if not 1 <= len(thing.name.strip()) <= LONGEST_NAME:
            raise InvalidInput(
                f"The name of a {thing.shelf.noun} has 1 to {LONGEST_NAME} characters.",
                hint="Call it otherwise.",
            )
        draft = Draft(thing.name, thing.body())
        save(self.state, thing.shelf, site, draft, clock=self.clock, by=by)

    def _pinned(self, site: str, report: Report) -> Form:
        """The form with a version behind the name of each definition."""
        form = {name: list(values) for name, values in report.fields.items()}
        for field in KINDS[report.kind].definitions:
            form[field] = [self._pin(site, name) for name in form.get(field, ())]
        return form

    def _pin(self, site: str, named: str) -> str:
        name, version = pin_of(self.state, site, named)
        built_in = find_built_in(self.state, site, name, version)
        if built_in is not None:
            return f"{built_in.name}@{built_in.version}"
        found = find_definition(self.state, site, name, version)
        return f"{found.name}@{found.version}"

    def _check_report(self, site: str, report: Report) -> None:
        """Refuse a report about definitions or cohorts that do not exist."""
        for named in report.definitions:
            in_force_at(self.state, site, named)
        for cohort in report.cohorts:
            find_cohort(self.state, site, cohort)

    def _check_dashboard(self, site: str, board: Dashboard) -> None:
        """Refuse a dashboard that lists what is no report."""
        for name in board.reports:
            find(self.state, Report.shelf, site, name)
