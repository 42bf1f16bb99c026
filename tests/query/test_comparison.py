"""The stretch before a range: as long, and ending where the range begins."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from expost.errors import InvalidInput
from expost.query.calendar import Calendar
from expost.query.comparison import previous
from expost.query.funnel import Funnel
from expost.query.question import Moment
from expost.query.retention import Retention
from expost.query.trend import Trend

BERLIN = Calendar(ZoneInfo("Europe/Berlin"))
CET = timezone(timedelta(hours=1))


def before(start: Moment | None, end: Moment | None) -> tuple[Moment | None, Moment | None]:
    found = previous(Trend("Bought", "day", start=start, end=end, compare="previous"), BERLIN)
    assert found.compare is None
    return found.start, found.end


def test_of_days_it_is_as_many_days_before() -> None:
    # One of them has 23 hours.
    assert before(date(2026, 3, 28), date(2026, 3, 30)) == (date(2026, 3, 26), date(2026, 3, 28))


@pytest.mark.parametrize(
    "end",
    [datetime(2026, 2, 2, 23, tzinfo=UTC), datetime(2026, 2, 3, tzinfo=CET), datetime(2026, 2, 3)],  # noqa: DTZ001
    ids=["in UTC", "with an offset", "local"],
)
def test_a_day_and_a_time_may_be_the_sides_of_one_range(end: datetime) -> None:
    assert before(date(2026, 2, 2), end) == (
        datetime(2026, 2, 1, tzinfo=CET),
        datetime(2026, 2, 2, tzinfo=CET),
    )


def test_there_is_none_before_all_time() -> None:
    with pytest.raises(InvalidInput, match="needs a range"):
        before(None, date(2026, 2, 2))
    with pytest.raises(InvalidInput, match="before all calendars"):
        before(date(2, 1, 1), date(2026, 2, 2))


@pytest.mark.parametrize("compare", ["cohort:", "cohorts:A", "xcohort:A", "next"])
def test_a_funnel_is_compared_with_the_period_before_or_a_cohort_alone(compare):
    with pytest.raises(InvalidInput, match="compared with"):
        Funnel(("Bought",), timedelta(days=7), compare=compare)


def test_a_trend_is_not_compared_with_a_cohort():
    with pytest.raises(InvalidInput, match="not compared with a cohort, as funnels and retention are"):
        Trend("Bought", "day", compare="cohort:A")
    with pytest.raises(InvalidInput, match="compared with cannot be 'next'"):
        Trend("Bought", "day", compare="next")


def test_retention_beside_the_period_before_needs_a_range():
    with pytest.raises(InvalidInput, match="needs a range"):
        Retention("Bought", "Bought", compare="previous")
    with pytest.raises(InvalidInput, match="compared with"):
        Retention("Bought", "Bought", compare="cohort:")
