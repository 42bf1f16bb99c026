"""The part of a `Lake` that keeps questions as reports, and asks them again."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from expost.door_asking import Asking
from expost.door_words import fields_said
from expost.errors import ExpostError, InvalidInput
from expost.query.answer import Answer
from expost.query.dashboard import Dashboard
from expost.query.fields import common_fields, fields_of
from expost.query.form import Form
from expost.query.funnel import Funnel, FunnelAnswer
from expost.query.question import Question
from expost.query.reconcile import Reconcile, ReconcileAnswer
from expost.query.report import Report, kind_of

ONCE = ("now", "cache")
"""What a question says of one asking alone, so that no form has it."""


class Reports(Asking):
    """Reports and dashboards as methods. What is said `over` one are fields of every question, such as `last`."""

    def save_report(
        self,
        name: str,
        of: Answer | Question,
        *,
        pin: bool = False,
        note: str | None = None,
        site: str | None = None,
    ) -> Report:
        """Keep the question of an answer under a name; asking something else under that name is a new version.

        `save_report("Checkout", lake.funnel("Viewed pricing", "Signed up", last="30d"))`. With `pin` the report is
        about the definitions as they are now; without, it follows their later versions.
        """
        asked = of.question if isinstance(of, Answer) else of
        by = {"author": getpass.getuser(), "place": "Python"}
        slug = site or asked.site
        saved = self.analysis.keep_report(name, kind_of(asked), fields_of(asked), pin=pin, site=slug, **by)
        if note is None:
            return saved
        self.analysis.describe_kept("report", name, site=slug, note=note, **by)
        return self.analysis.kept_report(name, site=slug)

    def report(
        self, name: str, *, version: int | None = None, site: str | None = None, **over: Any
    ) -> Answer:
        """Ask the question that is kept under a name: `report("Checkout", last="7d")`."""
        once = {word: over.pop(word) for word in ONCE if word in over}
        question = self.analysis.kept_report(name, version, site=site).asked(_over(over), site)
        return self._answer(replace(question, **once))

    def reports(self, *, site: str | None = None, archived: bool = False) -> list[Report]:
        """The latest version of every report, by name; those in the archive instead with `archived`."""
        return self.analysis.kept_reports(site=site, archived=archived)

    def reconcile(
        self,
        of: str | Funnel | FunnelAnswer,
        ids: Sequence[str],
        *,
        property: str | None = None,  # noqa: A002 (its name at every door)
        site: str | None = None,
    ) -> ReconcileAnswer:
        """What a funnel, or the report that it is, counts of ids that you know converted: each has exactly one cause.

        Ids are what the site calls its users, or values of `property`, such as those of orders.
        """
        if isinstance(of, str):
            answer = self.analysis.reconcile(ids, report=of, property=property, site=site)
        else:
            asked = cast(Funnel, of.question) if isinstance(of, FunnelAnswer) else of
            answer = self.analysis.ask(Reconcile(asked, tuple(dict.fromkeys(ids)), property, site=site))
        return cast(ReconcileAnswer, answer)

    def save_dashboard(
        self, name: str, reports: Sequence[str], *, site: str | None = None, **over: Any
    ) -> Dashboard:
        """List reports under a name; what is said over it, such as `last="7d"`, holds for all of them."""
        by = {"author": getpass.getuser(), "place": "Python"}
        return self.analysis.keep_dashboard(name, reports, _over(over), site=site, **by)

    def dashboard(
        self, name: str, *, site: str | None = None, **over: Any
    ) -> dict[str, Answer | ExpostError]:
        """Ask every report of a dashboard: its answer by its name, or the error that it has instead."""
        return dict(self.analysis.dashboard_answers(name, over=_over(over), site=site))

    def dashboards(self, *, site: str | None = None, archived: bool = False) -> list[Dashboard]:
        """The latest version of every dashboard, by name."""
        return self.analysis.kept_dashboards(site=site, archived=archived)


def _over(given: dict[str, Any]) -> Form:
    """What is said over a report, as a form: dates and lengths may be in words."""
    for word in ONCE:
        if word in given:
            raise InvalidInput(
                f"{word!r} is said when one question is asked, and not over a dashboard.",
                hint='To ask what was known at a moment: as_of="2026-11-01".',
            )
    return common_fields(Question(**fields_said(given, of="a report")))
