"""Every kind of question that has a page of its own, and can be kept as a report."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from . import funnel, lifecycle, paths, retention, stickiness, trend
from .chart_page import ChartPage, add_chart
from .desk import Desk

CHARTS: Mapping[str, ChartPage] = {
    page.kind: page
    for page in (
        funnel.PAGE,
        retention.PAGE,
        trend.PAGE,
        stickiness.PAGE,
        lifecycle.PAGE,
        paths.PAGE,
    )
}


def add_charts(router: APIRouter, desk: Desk) -> None:
    """The pages of all of them."""
    for page in CHARTS.values():
        add_chart(router, desk, page)
