"""Local periods of many instants at once: the same numbers as of one day after the other."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from expost.query.calendar import Calendar, hour_start, period_number
from expost.query.local_period import period_numbers

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
)
YEARS_1990_TO_2030 = st.integers(631_152_000_000_000, 1_893_456_000_000_000)


@given(
    moments=st.lists(YEARS_1990_TO_2030, max_size=20),
    zone=st.sampled_from(ZONES),
    week_start=st.integers(0, 6),
    period=st.sampled_from(("day", "week", "month")),
)
def test_many_instants_have_the_periods_of_their_local_days(
    moments: list[int], zone: str, week_start: int, period: str
) -> None:
    calendar = Calendar(ZoneInfo(zone), week_start)
    found = period_numbers(calendar, np.array(moments, np.int64), period)
    assert found.tolist() == [period_number(calendar, calendar.day(each), period) for each in moments]


@given(moments=st.lists(YEARS_1990_TO_2030, max_size=20), zone=st.sampled_from(ZONES))
def test_many_instants_have_the_hours_of_their_local_clocks(moments: list[int], zone: str) -> None:
    calendar = Calendar(ZoneInfo(zone))
    found = period_numbers(calendar, np.array(moments, np.int64), "hour")
    assert found.tolist() == [hour_start(calendar, each) for each in moments]


def test_clocks_that_go_back_over_midnight_give_the_day_before_again() -> None:
    # In St. John's clocks were put back from one minute past midnight to the evening before, until 2011.
    calendar = Calendar(ZoneInfo("America/St_Johns"))
    back = 1_289_097_060_000_000
    moments = [back - 30_000_000, back + 30_000_000, back + 3_600_000_000]
    found = period_numbers(calendar, np.array(moments, np.int64), "day")
    assert found.tolist() == [period_number(calendar, calendar.day(each), "day") for each in moments]
    assert found[1] < found[0] == found[2]
