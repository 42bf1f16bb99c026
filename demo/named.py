"""What the owner of the demo's shop has named and kept: none of it was there before the history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import expost
from expost.query.breakdown import Flag
from expost.query.funnel import Funnel
from expost.query.question import Question
from expost.query.retention import Retention
from expost.query.trend import Trend

# All of them are true of the past at once.
DEFINITIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Viewed product", {"view": "/product/*"}),
    ("Viewed pricing", {"view": "/pricing"}),
    ("Rated a tea", {"click": ".star"}),
    ("Added to cart", {"click": "button.add"}),
    ("Started checkout", {"view": "/checkout"}),
    ("Placed order", {"submit": "form.checkout"}),
    ("Signed up", {"click": "form.signup button[type=submit]"}),
)

COHORTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Raters", {"did": "Rated a tea"}),
    ("Left a full cart", {"did": "Added to cart", "did_not": "Placed order"}),
)

WEEK, MONTH = timedelta(days=7), timedelta(days=30)

# The flag is used at the checkout, so its variations are compared from there on.
REPORTS: tuple[tuple[str, Question], ...] = (
    (
        "Checkout by variation",
        Funnel(steps=("Started checkout", "Placed order", "Signed up"), within=WEEK, by=Flag("new-checkout")),
    ),
    (
        "From product to order",
        Funnel(steps=("Viewed product", "Added to cart", "Started checkout", "Placed order"), within=WEEK),
    ),
    ("Who comes back", Retention(begins="Viewed product", returns="Viewed product", period="week")),
    ("Orders a day", Trend(definition="Placed order", last=MONTH)),
)
DASHBOARD = "The shop"


def name_what_is_there(lake: expost.Lake, site: str) -> None:
    """Save what is not saved yet, so that it stays as whoever runs the demo has changed it."""
    known = {each.name for each in lake.definitions(site=site)}
    for name, conditions in DEFINITIONS:
        if name not in known:
            lake.define(name, site=site, **conditions)
    known = {each.name for each in lake.cohorts(site=site)}
    for name, conditions in COHORTS:
        if name not in known:
            lake.save_cohort(name, site=site, **conditions)
    known = {each.name for each in lake.reports(site=site)}
    for name, question in REPORTS:
        if name not in known:
            lake.save_report(name, question, site=site)
    if not lake.dashboards(site=site):
        lake.save_dashboard(DASHBOARD, [name for name, _ in REPORTS], site=site)
