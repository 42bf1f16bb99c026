"""Trends as people write them."""

from __future__ import annotations

from expost.errors import InvalidInput

from .form import (
    COMMON,
    UNITS,
    Form,
    breakdown_of,
    common_of,
    moment_of,
    one,
    opened,
    refuse_unknown,
    unit_of,
)
from .measure import parse_measure
from .trend import Trend, TrendPeople

TREND = frozenset({"name", "period", "by", "several", "measure", "per", "per_measure", "compare"})


def trend_people_of(form: Form) -> TrendPeople:
    """The people behind a point of the trend in the form, or behind all of it."""
    rest, chosen = opened(form)
    return TrendPeople(trend_of(rest), moment_of(form, "at"), **chosen)


def trend_of(form: Form) -> Trend:
    """The trend of a saved definition."""
    refuse_unknown(form, COMMON | UNITS | TREND)
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
