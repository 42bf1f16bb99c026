"""The loss meter says how many events are missing: exactly where it says so, and never too many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expost.lake.batch import Accepted, Event
from tests.story import Story, click, identify, leave, track, view

Told = dict[str, int]


def lose(story: Story, is_lost: Callable[[Accepted, Event], bool]) -> Told:
    """Take events out of what was told, as a bad network would; returns how many each page lost."""
    lost: Told = {}
    for place, batch in enumerate(story.waiting):
        assert batch.page is not None
        kept = [event for event in batch.events if not is_lost(batch, event)]
        lost[batch.page.id] = lost.get(batch.page.id, 0) + len(batch.events) - len(kept)
        story.waiting[place] = msgspec.structs.replace(batch, events=kept)
    return lost


def of_page(path: str, *numbers: int) -> Callable[[Accepted, Event], bool]:
    return lambda batch, event: batch.views[0].url.endswith(path) and (not numbers or event.seq in numbers)


def three_pages(lake: Story) -> None:
    lake.capture("ann", view("/"), click("a"), click("a"), leave(), at="10:00")
    lake.capture("ann", view("/tea"), click("a"), at="10:01")
    lake.capture("ann", identify("ann"), click("button"), leave(), at="10:02")
    lake.capture("ann", view("/cart"), click("a"), click("button"), at="10:03")


METER = """
    select path, page_ordinal, day::varchar, expected, received, missing, is_exact, missing_pages
    from losses where device = 'ann' order by page_ordinal
"""
DAY = "2026-03-02"


@pytest.mark.parametrize(
    ("is_lost", "expected"),
    [
        (
            lambda *_: False,
            [("/", 1, 4, 4, True, 0), ("/tea", 2, 5, 5, True, 0), ("/cart", 3, 3, 3, False, 0)],
        ),
        # The leave arrived: what lies before it is known to be missing.
        (
            of_page("/tea", 2, 4),
            [("/", 1, 4, 4, True, 0), ("/tea", 2, 5, 3, True, 0), ("/cart", 3, 3, 3, False, 0)],
        ),
        # The leave did not: up to the latest known number.
        (
            of_page("/tea", 2, 4, 5),
            [("/", 1, 4, 4, True, 0), ("/tea", 2, 3, 2, False, 0), ("/cart", 3, 3, 3, False, 0)],
        ),
        # Nothing of the page did: one event at least, its view.
        (of_page("/tea"), [("/", 1, 4, 4, True, 0), (None, 2, 1, 0, False, 1), ("/cart", 3, 3, 3, False, 0)]),
        (of_page("/cart", 3), [("/", 1, 4, 4, True, 0), ("/tea", 2, 5, 5, True, 0), ("/cart", 3, 2, 2, False, 0)]),
    ],
)  # fmt: skip
def test_a_page_that_said_its_last_number_is_known_exactly(
    lake: Story,
    is_lost: Callable[[Accepted, Event], bool],
    expected: list[tuple[str | None, int, int, int, bool, int]],
) -> None:
    three_pages(lake)
    lose(lake, is_lost)
    assert lake.sql(METER) == [
        (path, ordinal, DAY, counted, received, counted - received, is_exact, pages)
        for path, ordinal, counted, received, is_exact, pages in expected
    ]


def test_a_page_that_came_back_after_its_leave_is_open_again(lake: Story) -> None:
    lake.capture("ann", view("/"), leave(), view("/", spa=True), click("a"), at="10:00")
    assert lake.sql("select expected, missing, is_exact from losses") == [(4, 0, False)]
    lake.capture("ann", leave(), at="10:05")
    assert lake.sql("select expected, missing, is_exact from losses") == [(5, 0, True)]


def test_what_comes_late_is_missing_no_more(lake: Story) -> None:
    three_pages(lake)
    late = lake.waiting.pop(1)
    assert lake.sql("select sum(missing) from losses") == [(2,)]
    lake.waiting.append(late)
    assert lake.sql("select sum(missing) from losses") == [(0,)]


def test_a_number_that_another_device_drew_is_no_gap(lake: Story) -> None:
    # Consent withdrawn and given again on its fourth page: a new device begins to count at 1 on the next.
    for number in range(4):
        lake.capture("old", view(f"/{number}"), click("a"), at=f"10:0{number}")
    changed = lake.capture("old", click("a"), at="10:04")
    lake.waiting[-1] = msgspec.structs.replace(changed, device="new")
    lake.capture("new", view("/after"), click("a"), at="10:05")
    assert lake.sql("select sum(missing), sum(missing_pages) from losses") == [(0, 0)]
    # Even if nothing that the old device did on that page arrived.
    other = Story(lake.folder.path.with_name("other"))
    carried = other.capture("new", view("/3"), click("a"), at="10:03")
    assert carried.page is not None
    other.waiting[-1] = msgspec.structs.replace(
        carried, page=msgspec.structs.replace(carried.page, ordinal=4)
    )
    other._pages.clear()
    other.capture("new", view("/after"), at="10:05")
    assert other.sql("select sum(missing_pages) from losses") == [(0,)]


def test_servers_history_and_pages_without_numbers_are_not_metered(lake: Story) -> None:
    lake.capture("", track("Paid"), at="10:00", on_server=True)
    lake.capture("ann", view("/"), click("a"), at="10:00", is_imported=True)
    lose_all_numbers = lake.capture("bob", view("/"), at="10:00")
    lake.waiting[-1] = msgspec.structs.replace(
        lose_all_numbers, events=[msgspec.structs.replace(each, seq=0) for each in lose_all_numbers.events]
    )
    assert lake.sql("select count(*) from losses") == [(0,)]


@contextmanager
def new_story() -> Iterator[Story]:
    with TemporaryDirectory() as folder:
        yield Story(Path(folder))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), share=st.sampled_from([0.0, 0.1, 0.4, 0.9]), whole=st.booleans())
def test_the_meter_equals_the_truth_where_exact_and_is_never_above_it(
    seed: int, share: float, whole: bool
) -> None:
    random = Random(seed)
    with new_story() as story:
        for device in ("ann", "bob"):
            for hour in range(10, 10 + random.randint(1, 6)):
                clicks = [click("a") for _ in range(random.randint(0, 5))]
                ends = [leave()] if random.random() < 0.8 else []
                story.capture(device, view(f"/{hour}"), *clicks[:2], at=f"{hour}:00")
                if rest := [*clicks[2:], *ends]:
                    story.capture(device, *rest, at=f"{hour}:30")
        lost_batches = {place for place in range(len(story.waiting)) if random.random() < share}
        places = {id(batch): place for place, batch in enumerate(story.waiting)}
        truth = lose(
            story,
            lambda batch, _: places[id(batch)] in lost_batches if whole else random.random() < share,
        )
        rows = story.sql("select page_id, missing, is_exact, missing_pages from losses")
        for page_id, missing, is_exact, _ in rows:
            if page_id is not None:
                assert missing == truth[page_id] if is_exact else missing <= truth[page_id]
        seen = {page_id for page_id, *_ in rows}
        assert sum(pages for *_, pages in rows) <= len(truth.keys() - seen)
        assert sum(missing for _, missing, _, _ in rows) <= sum(truth.values())
