"""Retention as people write it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

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
    whole_number,
    yes,
)
from .retention import Retention, RetentionPeople, parse_brackets

RETENTION = frozenset(
    {"start", "return", "period", "periods", "entry", "mode", "rolling", "brackets", "by", "several"}
)


def retention_of(form: Form) -> Retention:
    """A retention between two saved definitions; without `return`, of one with itself."""
    refuse_unknown(form, COMMON | UNITS | RETENTION)
    begins = one(form, "start")
    if begins is None:
        raise InvalidInput(
            "Retention needs a start event.",
            hint='For example: expost retention --start "Signed up", or start=Signed+up over HTTP',
        )
    chosen: dict[str, Any] = {
        name: value.replace("-", "_") for name in ("period", "entry", "mode") if (value := one(form, name))
    }
    if (periods := one(form, "periods")) is not None:
        chosen["periods"] = whole_number("periods", periods)
    if (brackets := one(form, "brackets")) is not None:
        chosen["brackets"] = parse_brackets(brackets)
    return Retention(
        begins,
        one(form, "return") or begins,
        by=breakdown_of(form),
        rolling=yes(form, "rolling") or False,
        unit=unit_of(form),
        **chosen,
        **common_of(form),
    )


def retention_people_of(form: Form) -> RetentionPeople:
    """The people behind a cohort, or a cell, of the retention in the form."""
    rest, chosen = opened(form)
    day, at = moment_of(form, "cohort_day"), one(form, "at")
    if day is None:
        raise InvalidInput(
            "Which cohort? It is named by its first day.", hint="For example: cohort_day=2026-11-02"
        )
    first = day.date() if isinstance(day, datetime) else day
    period = None if at is None else whole_number("at", at)
    return RetentionPeople(retention_of(rest), first, period, **chosen)
