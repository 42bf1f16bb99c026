"""Trends as people write them."""

from __future__ import annotations

from expost.errors import InvalidInput

from .form import (
    COMMON,
    COMPARE,
    NAME,
    OPENING,
    SPLITS,
    UNITS,
    Form,
    breakdown_of,
    common_of,
    moment_of,
    one,
    opened,
    unit_of,
)
from .measure import parse_measure
from .trend import TREND_PERIODS, Trend, TrendPeople
from .word import Word, refuse_unknown

TREND = (
    *COMMON,
    *UNITS,
    *SPLITS,
    NAME,
    Word("period", "Calendar periods; default day.", choices=TREND_PERIODS),
    Word(
        "measure",
        "`events` (default), `people`, `per_person`, or of the numbers of a property: `sum:NAME`, `mean:NAME`, "
        "`min:NAME`, `max:NAME`, `median:NAME`, `p95:NAME`.",
        "sum:price",
    ),
    Word("per", "Name of another definition: the measure is divided by its own.", "Viewed page"),
    Word("per_measure", "What of `per` it is divided by; default the same.", "people"),
    COMPARE,
)
TREND_PEOPLE = (
    *TREND,
    *OPENING,
    Word("at", "A date (or ISO time) in the period; default the whole range.", "2026-11-02",
         python="answer.behind(period=…)"),
)  # fmt: skip


def trend_people_of(form: Form) -> TrendPeople:
    """The people behind a point of the trend in the form, or behind all of it."""
    rest, chosen = opened(form)
    return TrendPeople(trend_of(rest), moment_of(form, "at"), **chosen)


def trend_of(form: Form) -> Trend:
    """The trend of a saved definition."""
    refuse_unknown(form, TREND)
    name = one(form, "name")
    if name is None:
        raise InvalidInput(
            "A trend needs a definition.",
            hint='For example: expost trend "Signed up", or name=Signed+up over HTTP',
        )
    per_measure = one(form, "per_measure")
    return Trend(
        name,
        period=one(form, "period") or "day",
        by=breakdown_of(form),
        unit=unit_of(form),
        measure=parse_measure(one(form, "measure") or "events"),
        per=one(form, "per"),
        per_measure=None if per_measure is None else parse_measure(per_measure),
        compare=one(form, "compare"),
        **common_of(form),
    )
