"""Previews by the facts of summaries: the same answers as by the events, to the last figure."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from expost.clock import wall_clock
from expost.lake.batch import Descriptor
from expost.lake.compactor import compact_folder
from expost.lake.erasure import carry_out
from expost.lake.erasures import request_erasure
from expost.lake.folder import Folder, open_folder
from expost.lake.kept import kept_of
from expost.lake.rebuilding import at_rest
from expost.lake.schema import TABLES
from expost.lake.subject import Subject
from expost.lake.summary import Summary, find_summary, summarize
from expost.lake.table import Table
from expost.query.analysis import Analysis
from expost.query.definition import Definition, definition
from expost.query.facts import are_enough
from expost.query.funnel import Funnel
from expost.query.preview import Preview, PreviewAnswer
from expost.query.property_match import PropertyMatch
from expost.state.sites import Site, add_site
from tests.query.test_unknown import NAMED, PLAIN, target
from tests.story import Story, click, identify, track, view

NOW = datetime(2026, 4, 1, tzinfo=UTC)
BOT = "Googlebot/2.1 (+http://www.google.com/bot.html)"
BY_FACTS = (
    definition("d", click="button"),
    definition("d", click="button.buy, nav a:nth-child(2)"),
    definition("d", click=".list li:nth-child(odd) a", target_only=True),
    definition("d", click="a[data-plan=pro]"),
    definition("d", click="button", text="contains/i:BUY"),
    definition("d", click="button", text="Buy 2", path="/shop/**"),
    definition("d", view="/shop/*"),
    definition("d", view="/**", track="searched", host="shop.example"),
    definition("d", track="paid"),
    definition("d", click=".never-seen"),
)
BY_EVENTS = (
    definition("d", track="searched", properties=[PropertyMatch("n", "above", 3)]),
    definition("d", view="/shop/*", hash="#top"),
    definition("d", view="/shop/*", query={"q": None}),
)
SAVED = {"Bought": "button.buy", "Links": "a", "Pro": "a[data-plan=pro]"}


def tell(story: Story, seed: int, day: int) -> None:
    """A day of a few devices, one of which two users share; some are bots, colleagues or on a staging host."""
    chance = random.Random(seed)
    for number in range(12):
        who = f"device{chance.randrange(5)}"
        actions = [
            view(f"/shop/{chance.randrange(3)}"),
            click(f"main button.{chance.choice(('buy', 'more'))}", label=f"Buy {chance.randrange(3)}"),
            click(f"nav ul.list li:nth({chance.randrange(1, 4)},3) a", text=chance.choice(("One", "Two"))),
            track("searched", n=number),
        ]
        if who == "device4":
            actions.insert(2, identify(chance.choice(("ann", "bob"))))
        batch: dict[str, Any] = {}
        if number % 5 == 0:
            batch[("user_agent", "is_internal", "environment")[number // 5]] = (BOT, True, "staging")[
                number // 5
            ]
        story.capture(who, *actions, at=f"2026-03-{day:02} 10:{number:02}", **batch)
    paid = replace(track("paid"), fields={"name": "paid", "user": "ann"})
    story.capture("", paid, at=f"2026-03-{day:02} 12:00", on_server=True)
    for descriptor in (NAMED, PLAIN, Descriptor("a", None, "buy", {"data-plan": "pro"})):
        story.capture("kim", replace(click("x")), at=f"2026-03-{day:02} 13:00", **target(descriptor))


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setattr("expost.lake.summary.LEAST_BYTES", 0)
    story = Story(open_folder(tmp_path / "data", create=True).path)
    for day in (2, 9):
        tell(story, day, day)
    story.store()
    return story


@pytest.fixture
def ways(story: Story) -> Iterator[tuple[Analysis, Analysis]]:
    """One that looks at summaries, and one that reads events."""
    fast, plain = Analysis(story.folder.path), Analysis(story.folder.path, cache_bytes=0)
    add_site(fast.state, Site("shop", "Shop", time_zone="Asia/Kathmandu"))
    for name, selector in SAVED.items():
        fast.define(definition(name, click=selector))
    yield fast, plain
    fast.close()
    plain.close()


def past(analysis: Analysis, of: Definition, **asked: object) -> PreviewAnswer:
    answer = analysis.ask(Preview(of, now=NOW, **asked))  # type: ignore[arg-type]
    assert isinstance(answer, PreviewAnswer)
    return replace(answer, basis=replace(answer.basis, elapsed_ms=0.0))


def check(ways: tuple[Analysis, Analysis], **asked: object) -> list[PreviewAnswer]:
    """All answers, the SQL that they show included, are the same both ways."""
    fast, plain = ways
    answers = []
    for each in (*BY_FACTS, *BY_EVENTS):
        answers.append(past(fast, each, **asked))
        assert answers[-1] == past(plain, each, **asked)
    return answers


def test_answers_are_the_same_before_and_after_and_beside_what_is_new(
    story: Story, ways: tuple[Analysis, Analysis]
) -> None:
    plain = check(ways)
    assert [bool(each.events) for each in plain] == [True] * 9 + [False] + [True, False, False]
    assert plain[3].unknown
    assert plain[3].unknown_reasons
    assert {left.reason for left in plain[0].basis.left_out} == {"bots", "internal", "environment"}
    assert plain[1].overlaps
    compact_folder(story.folder, everything=True)
    assert summarize(story.folder, 10_000_000) == 2
    after = check(ways)
    assert [(each.events, each.people, each.samples) for each in after] == [
        (each.events, each.people, each.samples) for each in plain
    ]
    tell(story, 3, 10)
    story.store()
    beside = check(ways)
    assert all(more.events >= each.events for more, each in zip(beside, after, strict=True))
    assert beside[0].events > after[0].events
    check(ways, bots=True, environment="all")
    check(ways, start=datetime(2026, 3, 5, tzinfo=UTC))


def test_summaries_are_looked_at_and_events_are_not(story: Story, ways: tuple[Analysis, Analysis]) -> None:
    compact_folder(story.folder, everything=True)
    summarize(story.folder, 10_000_000)
    fast, plain = ways
    said = past(fast, BY_FACTS[0])
    table = Table(story.folder.lake / "events", TABLES["events"])
    for file in table.files():
        # The same footer, and pages that nobody can read.
        path = table.path / file.name
        content = path.read_bytes()
        path.write_bytes(content[:4] + bytes(len(content) // 2) + content[4 + len(content) // 2 :])
    assert past(fast, BY_FACTS[0]) == said
    with pytest.raises(Exception, match="Invalid data"):
        past(plain, BY_FACTS[0])


def test_summaries_that_go_while_a_question_looks_at_them_are_looked_at_to_the_end(
    story: Story, ways: tuple[Analysis, Analysis], monkeypatch: pytest.MonkeyPatch
) -> None:
    compact_folder(story.folder, everything=True)
    summarize(story.folder, 10_000_000)
    found: list[Summary] = []

    def find_and_delete(cache: Path, file: Path) -> Summary | None:
        summary = find_summary(cache, file)
        if summary is not None:
            found.append(summary)
            shutil.rmtree(kept_of(cache, file))
        return summary

    monkeypatch.setattr("expost.query.facts.find_summary", find_and_delete)
    fast, plain = ways
    asked = Funnel((BY_FACTS[6], BY_FACTS[0]), timedelta(days=1), now=NOW)
    said = fast.ask(asked)
    assert len(found) == 2
    assert said.rows() == plain.ask(asked).rows()
    assert not list(story.folder.cache.rglob("*.arrow"))


def test_an_erasure_leaves_nothing_in_them(story: Story, ways: tuple[Analysis, Analysis]) -> None:
    compact_folder(story.folder, everything=True)
    summarize(story.folder, 10_000_000)
    [(device_id,)] = story.sql("select device_id from lake.devices where device = 'device1'")
    trace = int(device_id).to_bytes(8, "little", signed=True)
    assert traces_in(story.folder, trace)
    before = past(ways[0], BY_FACTS[0]).events
    subject = Subject.named(story.folder.secret(), "shop", device="device1")
    request_erasure(story.folder, subject, wall_clock())
    with at_rest(story.folder) as writer:
        carry_out(story.folder, writer)
    assert not traces_in(story.folder, trace)
    assert check(ways)[0].events < before
    summarize(story.folder, 10_000_000)
    assert not traces_in(story.folder, trace)
    check(ways)


def traces_in(folder: Folder, trace: bytes) -> list[Path]:
    return [path for path in folder.cache.rglob("*.arrow") if trace in path.read_bytes()]


def test_facts_are_enough_unless_a_condition_is_on_what_only_an_event_knows() -> None:
    assert all(map(are_enough, BY_FACTS))
    assert not any(map(are_enough, BY_EVENTS))


def test_logins_that_are_new_are_known_at_once(story: Story, ways: tuple[Analysis, Analysis]) -> None:
    """What a connection has worked out of identity edges goes when there are others."""
    fast, _ = ways
    asked = Funnel((BY_FACTS[6], BY_FACTS[0]), timedelta(days=1), now=NOW)
    check(ways)
    before = fast.ask(asked)
    story.capture("device1", identify("cyd"), at="2026-03-09 09:00")
    story.capture("device2", identify("cyd"), at="2026-03-09 09:00")
    story.store()
    check(ways)
    assert fast.ask(asked).rows() == Analysis(story.folder.path).ask(asked).rows() != before.rows()
