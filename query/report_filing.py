"""The reports, and the dashboards, of a site as files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from expost.state.database import State
from expost.state.details import Details, details
from expost.state.names import name_key
from expost.state.shelf import Draft, newest

from .dashboard import Dashboard
from .file_folder import Difference, Filing
from .report import Report
from .report_file import parse_dashboard, parse_report, write_dashboard, write_report

Listed = TypeVar("Listed", Report, Dashboard)


def report_filing(state: State, site: str, check: Callable[[Report], None]) -> Filing[Report]:
    """Every report as its file says it. `check` refuses what cannot be asked here."""
    kept = kept_on(state, site, Report)
    return Filing(
        site=site,
        noun=Report.shelf.noun,
        saved=kept,
        latest=_latest(kept),
        parse=parse_report,
        check=lambda text, file: parse_report(text, file, check),
        write=write_report,
        says=Report.body,
        difference=_difference,
    )


def dashboard_filing(state: State, site: str, check: Callable[[Dashboard], None]) -> Filing[Dashboard]:
    """Every dashboard as its file says it."""
    kept = kept_on(state, site, Dashboard)
    return Filing(
        site=site,
        noun=Dashboard.shelf.noun,
        saved=kept,
        latest=_latest(kept),
        parse=parse_dashboard,
        check=lambda text, file: parse_dashboard(text, file, check),
        write=write_dashboard,
        says=Dashboard.body,
        difference=_difference,
    )


def kept_on(state: State, site: str, kind: type[Listed]) -> dict[str, Listed]:
    """The latest version of everything of a kind, by its name as names are compared."""
    told = details(state, kind.shelf, site)
    found = {}
    for each in newest(state, kind.shelf, site):
        key = name_key(each.name)
        found[key] = kind.of_kept(each, told.get(key, Details()))
    return found


def _latest(kept: dict[str, Listed]) -> dict[str, int]:
    return {key: each.version or 0 for key, each in kept.items()}


def _difference(filed: Report | Dashboard, saved: Report | Dashboard | None) -> Difference:
    if saved is not None and saved.body() == filed.body():
        return (), ()
    gone = () if saved is None else (f"- {saved}",)
    return (*gone, f"+ {filed}"), [Draft(filed.name, filed.body())]
