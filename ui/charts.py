"""Every kind of question that has a page of its own, and can be kept as a report."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from . import funnel, lifecycle, paths, retention, sessions, stickiness, trend
from .chart_page import ChartPage, add_chart
from .desk import Desk

PAGES = (funnel.PAGE, retention.PAGE, trend.PAGE, stickiness.PAGE, lifecycle.PAGE, paths.PAGE)
CHARTS: Mapping[str, ChartPage] = {page.kind: page for page in (*PAGES, sessions.PAGE)}
"""How each kind of report is shown."""


def add_charts(router: APIRouter, desk: Desk) -> None:
    """The pages of those that are asked about something; that of sessions is made in its own module."""
    for page in PAGES:
        add_chart(router, desk, page)
