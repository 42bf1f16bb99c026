"""Two public event logs, imported: what Expost says of them is what plain Python, or the package itself, says."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

import expost
from expost.history.mapping import mapping_of
from expost.history.proposal import proposal
from expost.history.sources import mapped_source
from tests.history.importing import run
from tests.history.public_logs import CDNOW, CDNOW_SUMMARY, SHOP, public_log

STEPS = ("catalog", "product_view", "add_to_cart", "purchase")
NOW = datetime.fromisoformat("2024-07-15T00:00:00+00:00")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[expost.Lake, list[dict[str, str]]]:
    """A lake with the log of a shop, by the mapping that is proposed for it, and its rows."""
    folder = tmp_path_factory.mktemp("shop")
    packed = public_log(SHOP)
    (folder / "log.csv.gz").write_bytes(packed)
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(packed).decode("utf-8"))))
    mapping = replace(proposal(folder / "log.csv.gz").mapping, repeats="each")
    report = run(folder / "data", mapped_source("csv", [folder / "log.csv.gz"], mapping))
    assert (report.rows, report.stored, report.rejected_rows) == (len(rows), len(rows), 0)
    assert dict(report.names) == Counter(row["event"] for row in rows)
    lake = expost.open(folder / "data")
    for name in STEPS:
        lake.define(name, track=name)
    return lake, rows


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> tuple[expost.Lake, list[tuple[str, date]]]:
    """A lake with the orders of a shop of records, and who ordered on which day."""
    folder = tmp_path_factory.mktemp("music")
    (folder / "orders.txt").write_bytes(public_log(CDNOW))
    columns = ("master", "customer", "day", "records", "dollars")
    said = {"time": "day", "time_format": "%Y%m%d", "user": "customer", "name": "Ordered", "repeats": "each",
            "delimiter": " ", "columns": columns}  # fmt: skip
    run(folder / "data", mapped_source("csv", [folder / "orders.txt"], mapping_of(said)))
    lake = expost.open(folder / "data")
    lake.define("Ordered", track="Ordered")
    cells = (line.split() for line in public_log(CDNOW).decode("ascii").splitlines())
    return lake, [(row[1], date.fromisoformat(row[2])) for row in cells if row]


def _reached(events: Sequence[tuple[datetime, str]], steps: Sequence[str], window: timedelta) -> int:
    """How many steps the deepest of all attempts reaches; events in their order."""
    deepest = 0
    for first, (began, name) in enumerate(events):
        if name != steps[0]:
            continue
        depth = 1
        for at, later in events[first + 1 :]:
            if depth == len(steps) or at - began > window:
                break
            depth += later == steps[depth]
        deepest = max(deepest, depth)
    return deepest


def _of_people(rows: Sequence[dict[str, str]]) -> dict[str, list[tuple[datetime, str]]]:
    people = defaultdict(list)
    for row in rows:
        people[row["user_id"]].append((datetime.fromisoformat(row["timestamp"]), row["event"]))
    # The sort is stable, so events of one second stay in the order of the log.
    return {person: sorted(events, key=lambda event: event[0]) for person, events in people.items()}


@pytest.mark.parametrize("window", [timedelta(minutes=5), timedelta(hours=1), timedelta(days=7)], ids=str)
def test_funnels_of_the_shop_are_those_of_plain_python(shop, window: timedelta) -> None:
    lake, rows = shop
    reached = [_reached(events, STEPS, window) for events in _of_people(rows).values()]
    expected = [sum(depth > step for depth in reached) for step in range(len(STEPS))]
    answer = lake.funnel(*STEPS, within=window, now=NOW)
    assert [step.people for step in answer.steps] == expected
    assert expected[0] > expected[-1] > 0


def test_daily_people_and_events_of_the_shop_are_those_of_plain_python(shop) -> None:
    lake, rows = shop
    expected = defaultdict(list)
    for row in rows:
        if row["event"] == "purchase":
            expected[date.fromisoformat(row["timestamp"][:10])].append(row["user_id"])
    answer = lake.trend("purchase", now=NOW)
    found = {each.start.date(): (each.events, each.people) for each in answer.points if each.events}
    assert found == {day: (len(people), len(set(people))) for day, people in expected.items()}


def test_days_of_the_shop_in_another_time_zone_are_those_of_plain_python(shop) -> None:
    lake, rows = shop
    zone = ZoneInfo("America/New_York")
    expected: Counter[date] = Counter()
    for row in rows:
        if row["event"] == "purchase":
            expected[
                datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC).astimezone(zone).date()
            ] += 1
    answer = lake.trend("purchase", time_zone="America/New_York", now=NOW)
    assert {each.start.date(): each.events for each in answer.points if each.events} == expected
    assert len(expected) > 1


def test_a_breakdown_of_the_shop_by_an_imported_column_is_that_of_plain_python(shop) -> None:
    lake, rows = shop
    expected = Counter(row["platform"] for row in rows if row["event"] == "purchase")
    answer = lake.trend("purchase", by="property:platform", period="month", now=NOW)
    found: Counter[str] = Counter()
    for group in answer.groups:
        found[(group.value or "").strip('"')] += sum(each.events for each in group.points)
    assert found == expected


def test_monthly_retention_of_the_orders_is_that_of_plain_python(music) -> None:
    lake, orders = music
    months = defaultdict(list)
    for customer, day in sorted(orders, key=lambda order: order[1]):
        months[customer].append((day.year - 1997) * 12 + day.month - 1)
    expected: dict[int, Counter[int]] = defaultdict(Counter)
    for ordered in months.values():
        for period in {month - ordered[0] for month in ordered[1:]}:
            expected[ordered[0]][period] += 1
    now = datetime.fromisoformat("1998-07-01T00:00:00+00:00")
    answer = lake.retention("Ordered", period="month", periods=17, now=now)
    found = {
        (cohort.start.year - 1997) * 12 + cohort.start.month - 1: {
            each.period: each.people for each in cohort.periods if each.people
        }
        for cohort in answer.cohorts
    }
    assert found == {cohort: dict(counts) for cohort, counts in expected.items()}


def test_money_and_orders_by_month_are_those_of_plain_python(music) -> None:
    lake, _ = music
    money: dict[tuple[int, int], float] = defaultdict(float)
    for line in public_log(CDNOW).decode("ascii").splitlines():
        if cells := line.split():
            day = date.fromisoformat(cells[2])
            money[day.year, day.month] += float(cells[4])
    now = datetime.fromisoformat("1998-07-01T00:00:00+00:00")
    answer = lake.trend("Ordered", measure="sum:dollars", period="month", now=now)
    found = {(each.start.year, each.start.month): each.value for each in answer.points if each.events}
    assert found == pytest.approx(money)
    assert sum(each.events for each in answer.points) == 6_919


def test_days_with_orders_are_those_that_the_package_itself_publishes(music) -> None:
    lake, _ = music
    # `frequency` is the number of later days with an order in the first 39 weeks, by the authors of the package.
    published = csv.DictReader(io.StringIO(public_log(CDNOW_SUMMARY).decode("ascii")))
    expected = Counter(int(row["frequency"]) + 1 for row in published)
    answer = lake.stickiness("Ordered", start=date(1997, 1, 1), end=date(1997, 10, 1), now=NOW)
    assert Counter({days: people for days, people in enumerate(answer.people, 1) if people}) == expected
