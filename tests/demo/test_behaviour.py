"""The month of history as a story: repeatable, believable, and made of things that the shop's pages offer."""

from collections import Counter
from datetime import UTC, datetime
from random import Random

import pytest

from expost.demo.actions import PAGES
from expost.demo.behaviour import DAY, stays_of_month, variation_of

UNTIL = datetime(2026, 3, 31, 15, 30, tzinfo=UTC).timestamp() * 1_000


@pytest.fixture(scope="module")
def month():
    return list(stays_of_month(Random(1), until=UNTIL, days=28, visitors_per_day=75))


def _did(stay, *names):
    return any(name in names for name, _ in stay.done)


def test_the_same_seed_gives_the_same_month(month):
    again = list(stays_of_month(Random(1), until=UNTIL, days=28, visitors_per_day=75))
    assert [(stay.visitor.device, stay.page, stay.start, stay.done) for stay in again] == [
        (stay.visitor.device, stay.page, stay.start, stay.done) for stay in month
    ]


def test_nothing_has_happened_after_the_end_nor_before_the_first_day(month):
    assert max(stay.end for stay in month) < UNTIL
    assert min(stay.start for stay in month) >= UNTIL - 28 * DAY


def test_pages_of_a_visitor_follow_one_another(month):
    last: dict[str, float] = {}
    for stay in month:
        assert stay.start >= last.get(stay.visitor.device, 0)
        assert [at for _, at in stay.done] == sorted(at for _, at in stay.done)
        assert stay.end >= stay.start + max((at for _, at in stay.done), default=0)
        last[stay.visitor.device] = stay.end


def test_everything_done_is_offered_by_its_page(month):
    offered = {page.name: {action.name for action in page.actions} for page in PAGES.values()}
    assert {
        (stay.page, name) for stay in month for name, _ in stay.done if name not in offered[stay.page]
    } == set()


def test_a_visitor_sees_one_variation_and_the_treatment_converts_better(month):
    seen = {stay.visitor.key: stay.visitor.variation for stay in month if stay.page.startswith("checkout")}
    assert all(variation_of(key) == variation for key, variation in seen.items())
    ordered = {
        stay.visitor.key
        for stay in month
        if stay.page.startswith("checkout") and _did(stay, "order", "one-tap")
    }
    rates = {
        variation: len([key for key in ordered if seen[key] == variation]) / count
        for variation, count in Counter(seen.values()).items()
    }
    assert min(Counter(seen.values()).values()) > 80
    assert 0.3 < rates["control"] < rates["treatment"] < 0.95


def test_weekends_are_quieter_and_people_come_back(month):
    days = Counter(datetime.fromtimestamp(stay.start / 1_000, UTC).date() for stay in month)
    weekend = [count for day, count in days.items() if day.weekday() >= 5]
    workdays = [count for day, count in days.items() if day.weekday() < 4]
    assert sum(weekend) / len(weekend) < 0.8 * sum(workdays) / len(workdays)
    sessions = Counter(stay.visitor.device for stay in month if stay.session > 1)
    assert len(sessions) > 0.2 * len({stay.visitor.device for stay in month})


def test_some_people_have_two_devices(month):
    members: dict[str, set[str]] = {}
    for stay in month:
        if _did(stay, "sign-up", "sign-in"):
            members.setdefault(stay.visitor.member, set()).add(stay.visitor.device)
    assert sum(len(devices) == 2 for devices in members.values()) >= 5


def test_one_exposure_is_reported_a_session(month):
    exposures = Counter((stay.visitor.device, stay.session) for stay in month if stay.is_first_exposure)
    checkouts = {(stay.visitor.device, stay.session) for stay in month if stay.page.startswith("checkout")}
    assert exposures.keys() == checkouts
    assert set(exposures.values()) == {1}
