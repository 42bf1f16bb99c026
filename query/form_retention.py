"""Retention as people write it."""

from __future__ import annotations

from typing import Any

from expost.errors import InvalidInput

from .activity import ACTIVITY
from .form import (
    BESIDE,
    COMMON,
    OPENING,
    SPLITS,
    UNITS,
    Form,
    breakdown_of,
    common_of,
    one,
    opened,
    parse_day,
    unit_of,
    whole_number,
    yes,
)
from .retention import (
    ENTRIES,
    RETENTION_MODES,
    RETENTION_PERIODS,
    Retention,
    RetentionPeople,
    parse_brackets,
)
from .word import Word, refuse_unknown

RETENTION = (
    *COMMON,
    *UNITS,
    *SPLITS,
    Word("start_event", "Name of the definition by which somebody enters a cohort; default `Any activity`.",
         "Signed up"),
    Word("return_event", "Name of the definition that counts as coming back; default the same.", "Searched"),
    Word("period", "Periods of the calendar, or if rolling from each one's own start; default week.",
         choices=RETENTION_PERIODS),
    Word("periods", "How many periods after the first are shown; default 8.", "8", is_number=True),
    Word("entry", "Which start counts; recurring: once per period; default first_in_range.", choices=ENTRIES),
    Word("mode", "In period n, or in it or later; default on.", choices=RETENTION_MODES),
    Word("rolling", "Periods are multiples of 24 hours from each one's own start.", is_switch=True),
    Word("brackets", "Stretches of periods instead of single ones: `0,1-3,4-7`.", "0,1-3,4-7"),
    BESIDE,
)  # fmt: skip
RETENTION_PEOPLE = (
    *RETENTION,
    *OPENING,
    Word("cohort_day", "A day of the cohort's period.", "2026-11-02", python="answer.people(cohort=…)"),
    Word("at", "The period in which they came back; default the whole cohort.", "1", is_number=True,
         python="answer.people(period=…)"),
)  # fmt: skip


def retention_of(form: Form) -> Retention:
    """A retention between two saved definitions: of any activity unless they are said, or of one with itself."""
    refuse_unknown(form, RETENTION)
    begins = one(form, "start_event") or ACTIVITY.name
    chosen: dict[str, Any] = {
        name: value for name in ("period", "entry", "mode") if (value := one(form, name))
    }
    if (periods := one(form, "periods")) is not None:
        chosen["periods"] = whole_number("periods", periods)
    if (brackets := one(form, "brackets")) is not None:
        chosen["brackets"] = parse_brackets(brackets)
    return Retention(
        begins,
        one(form, "return_event") or begins,
        by=breakdown_of(form),
        rolling=yes(form, "rolling") or False,
        unit=unit_of(form),
        compare=one(form, "compare"),
        **chosen,
        **common_of(form),
    )


def retention_people_of(form: Form) -> RetentionPeople:
    """The people behind a cohort, or a cell, of the retention in the form."""
    rest, chosen = opened(form)
    day, at = one(form, "cohort_day"), one(form, "at")
    if day is None:
        raise InvalidInput(
            "Which cohort? It is named by its first day.", hint="For example: cohort_day=2026-11-02"
        )
    period = None if at is None else whole_number("at", at)
    return RetentionPeople(retention_of(rest), parse_day("cohort_day", day), period, **chosen)
