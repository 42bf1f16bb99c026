"""Questions: frozen, comparable, and able to travel to a query process. What each means is in docs/rules.md.

A step is the name of a saved definition (its latest version), `Saved(name, version)`, or an inline `Definition`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

from expost.errors import InvalidInput

from .cohort import Cohort
from .definition import Definition
from .word import nearest

MAX_STEPS = 20
MAX_LISTED = 10_000
Moment = datetime | date
"""An aware datetime, or a date or naive datetime of the report's time zone (a date is its first moment)."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved definition: the latest version, or one that is pinned."""

    name: str
    version: int | None = None


Step = str | Saved | Definition


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What every question may say about itself.

    `site`: the only one if there is only one. `start` and `end`: from here and before there; default all kept time.
    `last` instead of these: so many days of the calendar up to today, which is one of them.
    `time_zone` and `week_start` (from Monday as 0): the site's. `bots`, `internal` and `environment` None: as the site
    says. `environment`: one name, several, or "all". `now`: what counts as over; the moment of asking if not given.
    `as_of`: only what was known at that moment (events received, people named, merged and parted by then); it is `now`
    as well.
    `cohort`, `not_cohort`: only people who are in all of the first and in none of the second.
    `sample`: only this share of those who are counted, whole; counts are then estimates.
    `cache`: whether what was found for earlier questions may be used, and what is found may be kept. No answer differs.
    """

    site: str | None = None
    start: Moment | None = None
    end: Moment | None = None
    last: timedelta | None = None
    time_zone: str | None = None
    week_start: int | None = None
    bots: bool | None = None
    internal: bool | None = None
    environment: str | tuple[str, ...] | None = None
    now: datetime | None = None
    as_of: Moment | None = None
    cohort: tuple[str | Cohort, ...] = ()
    not_cohort: tuple[str | Cohort, ...] = ()
    cache: bool = True
    sample: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparable(Question):
    """A question that can stand beside the same one about the `previous` stretch of time, or about another cohort.

    `compare`: `previous`, or the people of a cohort, `cohort:NAME` or a `Cohort`, instead of those of `cohort`.
    """

    compare: str | Cohort | None = None

    @property
    def compared_cohort(self) -> str | Cohort | None:
        """The cohort beside whose people it is asked; None where there is none."""
        return compared_cohort(self.compare)

    @property
    def beside(self) -> str | None:
        """What it stands beside, as one says it: `previous` or `cohort:NAME`."""
        if self.compared_name is not None:
            return f"{COHORT_COMPARED}{self.compared_name}"
        return self.compare if isinstance(self.compare, str) else None

    @property
    def compared_name(self) -> str | None:
        """What that cohort is called."""
        cohort = self.compared_cohort
        return cohort.name if isinstance(cohort, Cohort) else cohort


def ask_as(question: Question, other: Question) -> None:
    """What every question may say about itself is as in the other; a site of its own stays."""
    for each in fields(Question):
        if each.name != "site" or question.site is None:
            object.__setattr__(question, each.name, getattr(other, each.name))


COHORT_COMPARED = "cohort:"
"""What stands before the name of a cohort that a question is compared with."""


def compared_cohort(compare: str | Cohort | None) -> str | Cohort | None:
    """The cohort of `cohort:NAME`, or the one given; None of any other comparison.

    >>> compared_cohort("cohort:Regulars"), compared_cohort("previous")
    ('Regulars', None)
    """
    if not isinstance(compare, str):
        return compare
    before, _, name = compare.partition(COHORT_COMPARED)
    return None if before else name.strip() or None


def check_comparison(
    what: str, compare: str | Cohort, question: Question, *, has_cohorts: bool = False
) -> None:
    """Refuse a comparison with anything but the stretch before a range, and with `has_cohorts` a cohort."""
    if has_cohorts and isinstance(compared_cohort(compare), str | Cohort):
        return
    if not has_cohorts and isinstance(compared_cohort(compare), str | Cohort):
        raise InvalidInput(
            f"{what} is not compared with a cohort, as funnels and retention are.",
            hint="It can be asked of the people of one, cohort, or be split by one: by, such as cohort:NAME.",
        )
    known = ("previous", f"{COHORT_COMPARED}NAME") if has_cohorts else ("previous",)
    refuse_other(f"What {what[0].lower()}{what[1:]} is compared with", compare, known)
    if question.last is None and (question.start is None or question.end is None):
        raise InvalidInput(
            "A comparison with the previous period needs a range.",
            hint="Say from and to, or last: the stretch of the same length before it is compared.",
        )


def refuse_outside(what: str, given: object, low: int, high: int, unit: str) -> None:
    """Refuse what is no whole number from `low` to `high`."""
    if isinstance(given, int) and not isinstance(given, bool) and low <= given <= high:
        return
    raise InvalidInput(
        f"{what} {low} to {high:,} {unit}, not {given!r}.",
        hint=f"Say a whole number, such as {min(high, 8)}.",
    )


def refuse_other(what: str, given: object, known: tuple[str, ...]) -> None:
    """Refuse a word that is not among those known, by the nearest one."""
    if given not in known:
        raise InvalidInput(f"{what} cannot be {given!r}.", hint=nearest(str(given), known, "One of"))
