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

from expost.ids import uuid7
from expost.lake.batch import Accepted, Event
from tests.story import Action, OpenPage, Story, click, identify, leave, moment, track, view

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
            [("/", 1, 4, 4, False, 0), ("/tea", 2, 5, 5, False, 0), ("/cart", 3, 3, 3, False, 0)],
        ),
        # The leave arrived: what lies before it is known to be missing.
        (
            of_page("/tea", 2, 4),
            [("/", 1, 4, 4, False, 0), ("/tea", 2, 5, 3, False, 0), ("/cart", 3, 3, 3, False, 0)],
        ),
        # The leave did not: up to the latest known number.
        (
            of_page("/tea", 2, 4, 5),
            [("/", 1, 4, 4, False, 0), ("/tea", 2, 3, 2, False, 0), ("/cart", 3, 3, 3, False, 0)],
        ),
        # Nothing of the page did: one event at least, its view.
        (of_page("/tea"), [("/", 1, 4, 4, False, 0), (None, 2, 1, 0, False, 1), ("/cart", 3, 3, 3, False, 0)]),
        (of_page("/cart", 3), [("/", 1, 4, 4, False, 0), ("/tea", 2, 5, 5, False, 0), ("/cart", 3, 2, 2, False, 0)]),
    ],
)  # fmt: skip
def test_a_leave_says_how_many_there_were_but_not_that_the_page_never_came_back(
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
    assert lake.sql("select expected, missing, is_exact from losses") == [(5, 0, False)]
    lake.capture("ann", view("/tea"), at="10:06", counts={1: 5})
    assert lake.sql("select expected, missing, is_exact from losses where path = '/'") == [(5, 0, True)]


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


PAGES = (
    "select path, page_ordinal, expected, received, is_exact, missing_pages from losses order by 2, 1, 3 desc"
)


def test_a_later_batch_of_the_browser_says_how_many_there_were(lake: Story) -> None:
    lake.capture("ann", view("/"), click("a"), leave(), at="10:00")
    lake.capture("ann", view("/tea"), click("a"), click("a"), at="10:01")
    lake.capture("ann", view("/help"), at="10:02")
    lake.capture("ann", view("/cart"), at="10:03", counts={1: 3, 2: 5, 3: 1})
    lose(lake, of_page("/tea", 3))
    assert lake.sql(PAGES) == [
        ("/", 1, 3, 3, True, 0), ("/tea", 2, 5, 2, True, 0), ("/help", 3, 1, 1, True, 0), ("/cart", 4, 1, 1, False, 0),
    ]  # fmt: skip


def test_a_page_of_which_nothing_arrived_is_known_by_its_number(lake: Story) -> None:
    for path in ("/", "/tea", "/killed", "/help"):
        lake.capture("ann", view(path), click("a"), leave(), at=f"10:0{len(lake.waiting)}")
    lake.capture("ann", view("/cart"), at="10:09", counts={1: 3, 2: 3, 4: 7})
    lose(lake, lambda batch, _: batch.views[0].url.endswith(("/tea", "/killed", "/help")))
    assert lake.sql(PAGES) == [
        ("/", 1, 3, 3, True, 0), (None, 2, 3, 0, True, 1), (None, 2, 1, 0, False, 1), (None, 4, 7, 0, True, 1),
        ("/cart", 5, 1, 1, False, 0),
    ]  # fmt: skip


def test_the_first_and_the_last_page_of_a_browser_are_known_too(lake: Story) -> None:
    first = lake.capture("ann", view("/"), leave(), at="10:00")
    lake.capture("ann", view("/tea"), click("a"), at="10:01", counts={1: 2})
    tab = lake._pages["ann"]
    lake.capture("ann", view("/other-tab"), leave(), at="10:02")
    lake._pages["ann"] = tab
    lake.capture("ann", click("b"), at="10:03", counts={1: 2, 3: 2})
    lose(lake, lambda batch, _: batch is first or batch.views[0].url.endswith("/other-tab"))
    assert lake.sql(PAGES) == [
        (None, 1, 2, 0, True, 1), ("/tea", 2, 3, 3, False, 0), (None, 3, 2, 0, True, 1),
    ]  # fmt: skip


def test_a_page_that_was_killed_is_a_lower_bound(lake: Story) -> None:
    lake.capture("ann", view("/"), click("a"), at="10:00")
    lake.capture("ann", view("/tea"), leave(), at="10:01")
    lake.capture("ann", view("/cart"), at="10:02", counts={2: 2})
    assert lake.sql(PAGES)[0] == ("/", 1, 2, 2, False, 0)


def test_a_page_that_came_back_is_known_by_what_was_said_last(lake: Story) -> None:
    lake.capture("ann", view("/"), leave(), at="10:00")
    first = lake._pages["ann"]
    lake.capture("ann", view("/tea"), at="10:01", counts={1: 2})
    assert lake.sql(PAGES)[0] == ("/", 1, 2, 2, True, 0)
    # From the browser's memory: a view, a click and a leave, which are lost; then a third page.
    lake.capture("ann", click("b"), at="10:03", counts={2: 2})
    assert lake.sql(PAGES)[0] == ("/", 1, 2, 2, False, 0)
    lake.capture("ann", view("/cart"), at="10:04", counts={1: 5, 2: 2})
    assert lake.sql(PAGES)[0] == ("/", 1, 5, 2, True, 0)
    # More arrives than was told: the word is out of date.
    lake._pages["ann"] = first
    first.seq = 6
    lake.capture("ann", click("c"), at="10:05", counts={2: 2})
    assert lake.sql(PAGES)[0] == ("/", 1, 7, 3, False, 0)


@pytest.mark.parametrize("is_new_writer", [False, True], ids=["same writer", "new writer"])
def test_a_page_that_came_back_is_open_again_for_a_writer_that_did_not_hear_it_left(
    lake: Story, is_new_writer: bool
) -> None:
    lake.capture("ann", view("/"), click("a"), at="10:00")
    lake.capture("ann", view("/tea"), at="10:01", counts={1: 2})
    if is_new_writer:
        lake.store()
    lake.capture("ann", click("b"), at="10:02", counts={})
    assert lake.sql(PAGES) == [("/", 1, 2, 2, False, 0), ("/tea", 2, 2, 2, False, 0)]


def test_tabs_that_drew_the_same_number_have_no_common_count(lake: Story) -> None:
    # Two tabs read the browser's entry at the same moment, so that both are page 2.
    lake.capture("ann", view("/"), leave(), at="10:00")
    before = lake._pages["ann"]
    lake.capture("ann", view("/left"), leave(), at="10:01")
    lake._pages["ann"] = before
    lake.capture("ann", view("/right"), click("a"), click("a"), at="10:01")
    lake.capture("ann", view("/cart"), at="10:02", counts={1: 2, 2: 2})
    assert lake.sql(PAGES) == [
        ("/", 1, 2, 2, True, 0), ("/left", 2, 2, 2, False, 0), ("/right", 2, 3, 3, False, 0),
        ("/cart", 3, 1, 1, False, 0),
    ]  # fmt: skip


def test_a_new_device_knows_nothing_of_pages_that_an_old_one_numbered(lake: Story) -> None:
    # Consent given anew on page 2 of the old device: that page goes on under the new one, whose own numbers begin at 1.
    lake.capture("old", view("/"), leave(), at="10:00")
    lake.capture("old", view("/account"), click("a"), at="10:01")
    changed = lake.capture("old", click("b"), at="10:02")
    lake.waiting[-1] = msgspec.structs.replace(changed, device="new")
    lake.capture("new", view("/1"), leave(), at="10:03", counts={2: 9})
    lake.capture("new", view("/2"), click("a"), at="10:04", counts={1: 2})
    assert lake.sql(PAGES) == [
        ("/", 1, 2, 2, False, 0), ("/1", 1, 2, 2, True, 0), ("/2", 2, 2, 2, False, 0), ("/account", 2, 3, 3, False, 0),
    ]  # fmt: skip


def test_forged_counts_make_few_rows_and_no_negative_numbers(lake: Story) -> None:
    lake.capture("ann", view("/"), click("a"), click("a"), at="10:00", counts={1: 1, 10_000_000: 10_000_000})
    lake.capture("ann", view("/tea"), at="10:01", counts={page * 300_000: 1 for page in range(1, 33)})
    lake.capture("eve", view("/"), at="10:02", counts=dict.fromkeys(range(9_999_969, 10_000_001), 10_000_000))
    [(rows, least, ids)] = lake.sql("select count(*), min(missing), count(distinct page_id) from losses")
    assert (rows <= 3 + 3 * 33, least, ids) == (True, 0, 3)
    assert lake.sql("select count(*) < 120 from lake.page_counts") == [(True,)]


def test_what_was_removed_for_its_age_is_not_missing(lake: Story) -> None:
    # The first page was of February; when February is no longer kept, only what page 2 told of it is.
    for drawn_at, missing_pages in (("2026-02-01 10:00", 0), ("2026-03-02 09:59", 1)):
        device = uuid7(moment(drawn_at), bytes(10))
        removed = lake.capture(device, view("/"), leave(), at="09:00")
        lake.waiting.remove(removed)
        lake.capture(device, view("/tea"), at="10:00", counts={1: 2})
        found = f"select sum(missing_pages) from losses where device = '{device}'"
        assert lake.sql(found) == [(missing_pages,)]


@pytest.mark.parametrize(
    ("opened_at", "page"),
    [
        # Open at the midnight before which all is removed: events 1 and 2 were there, 4 and 5 are missing.
        ("2026-03-01 23:59:58", ("/", 4, 2, False)),
        # Opened after it: all that is missing is.
        ("2026-03-02 00:00:00", ("/", 6, 2, True)),
    ],
)
def test_what_was_removed_of_a_page_that_was_open_then_is_not_missing(
    lake: Story, opened_at: str, page: tuple[str, int, int, bool]
) -> None:
    lake.capture("ann", view("/"), click("a"), *[click("b")] * 3, leave(), at=opened_at)
    lose(lake, of_page("/", 1, 2, 4, 5))
    lake.capture("ann", view("/tea"), at="10:00", counts={1: 6})
    found = "select path, expected, received, is_exact from losses where page_ordinal = 1"
    assert lake.sql(found) == [page]


def test_what_was_said_before_a_page_began_was_said_of_another_one(lake: Story) -> None:
    # A browser that counts its pages from 1 again, and still has old notes.
    told = lake.capture("ann", view("/21"), at="10:00", counts={1: 9, 20: 3})
    assert told.page is not None
    lake.waiting[-1] = msgspec.structs.replace(told, page=msgspec.structs.replace(told.page, ordinal=21))
    lake._pages.clear()
    lake.capture("ann", view("/"), click("a"), at="11:00", counts={20: 3})
    assert lake.sql("select expected, is_exact from losses where path = '/'") == [(2, False)]


def test_what_is_lost_is_as_internal_as_its_browser(lake: Story) -> None:
    lake.capture("ann", view("/"), at="10:00", is_internal=True, environment="staging")
    lake.capture("ann", view("/lost"), at="10:01")
    lake.capture("ann", view("/tea"), at="10:02", counts={2: 4}, is_internal=True, environment="staging")
    lose(lake, of_page("/lost"))
    found = "select distinct is_internal, is_bot, environment, missing from losses order by missing"
    assert lake.sql(found) == [(True, False, "staging", 0), (True, False, "staging", 4)]


@contextmanager
def new_story() -> Iterator[Story]:
    with TemporaryDirectory() as folder:
        yield Story(Path(folder))


class Browser:
    """Opens pages, comes back to some that were hidden, and notes the last numbers of those that it left."""

    def __init__(self, story: Story, device: str, random: Random) -> None:
        self.story, self.device, self.random = story, device, random
        self.notes: dict[int, int] = {}
        self.opened: dict[int, OpenPage] = {}
        self.closed: set[int] = set()
        self.has_come_back = False

    def visit(self, hour: int) -> None:
        """Open a page, and sometimes go back to one before it."""
        story, random = self.story, self.random
        clicks = [click("a") for _ in range(random.randint(0, 5))]
        self._capture(view(f"/{hour}"), *clicks[:2], at=f"{hour}:00")
        newest = story._pages[self.device]
        self._end(clicks[2:], at=f"{hour}:30")
        if hidden := [page for page in self._hidden if random.random() < 0.6]:
            story._pages[self.device] = random.choice(hidden)
            del self.notes[story._pages[self.device].ordinal]
            self.has_come_back = True
            self._capture(view("/back", spa=True), at=f"{hour}:45")
            self._end([click("b")], at=f"{hour}:50")
        story._pages[self.device] = newest

    @property
    def _hidden(self) -> list[OpenPage]:
        """Pages that were left without a leave of their own: of these only the notes tell."""
        return [self.opened[ordinal] for ordinal in self.notes if ordinal not in self.closed]

    def _end(self, clicks: list[Action], at: str) -> None:
        # Some pages are left, some are ended while they are hidden, and some without a word.
        end = self.random.choice(["leave", "hidden", "hidden", "kill", "kill"])
        if rest := [*clicks, *([leave()] if end == "leave" else [])]:
            self._capture(*rest, at=at)
        page = self.story._pages[self.device]
        self.opened[page.ordinal] = page
        if end == "leave":
            self.closed.add(page.ordinal)
        if end != "kill":
            self.notes[page.ordinal] = page.seq

    def _capture(self, *actions: Action, at: str) -> Accepted:
        return self.story.capture(self.device, *actions, at=at, counts=dict(self.notes))

    def last_word(self) -> None:
        """What it knows at the end of the day."""
        self._capture(view("/end"), at="20:00")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    share=st.sampled_from([0.0, 0.1, 0.4, 0.9]),
    whole=st.booleans(),
    restarts=st.sampled_from([0.0, 0.2, 1.0]),
)
def test_the_meter_equals_the_truth_where_exact_and_is_never_above_it(
    seed: int, share: float, whole: bool, restarts: float
) -> None:
    random = Random(seed)
    with new_story() as story:
        browsers = {device: Browser(story, device, random) for device in ("ann", "bob")}
        for browser in browsers.values():
            for hour in range(10, 10 + random.randint(1, 6)):
                browser.visit(hour)
            # What a page did after it came back is known if any later batch arrives.
            if browser.has_come_back:
                browser.last_word()
        lost_batches = {place for place in range(len(story.waiting)) if random.random() < share}
        places = {id(batch): place for place, batch in enumerate(story.waiting)}

        def is_lost(batch: Accepted, _: Event) -> bool:
            if batch.views[0].url.endswith("/end"):
                return False
            return places[id(batch)] in lost_batches if whole else random.random() < share

        truth = lose(story, is_lost)
        numbers = {
            (device, ordinal): page.id
            for device, browser in browsers.items()
            for ordinal, page in browser.opened.items()
        }
        last = {batch.device: batch for batch in story.waiting if batch.events}
        batches, story.waiting = story.waiting, []
        for batch in batches:
            story.waiting.append(batch)
            if random.random() < restarts:
                story.store()
        rows = story.sql(
            "select page_id, missing, is_exact, missing_pages, device, page_ordinal, expected from losses"
        )
        for page_id, missing, is_exact, pages, device, ordinal, expected in rows:
            if page_id is not None:
                assert missing == truth[page_id] if is_exact else missing <= truth[page_id]
            elif is_exact:
                assert (pages, missing) == (1, expected) == (1, truth[numbers[device, ordinal]])
        exact = {(device, ordinal) for _, _, is_exact, _, device, ordinal, _ in rows if is_exact}
        for batch in last.values():
            # Every page that the last batch of a browser tells of is known exactly.
            assert all((batch.device, ordinal) in exact for ordinal in batch.counts)
        seen = {row[0] for row in rows}
        assert sum(row[3] for row in rows) <= len(truth.keys() - seen)
        assert sum(row[1] for row in rows) <= sum(truth.values())
