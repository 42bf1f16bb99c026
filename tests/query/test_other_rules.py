"""What an explanation holds while it asks its questions one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from expost.door import Lake
from expost.query import other_rules
from expost.query.analysis import Analysis
from expost.query.answer import Answer
from expost.query.reading import Reading
from expost.query.rule import Other
from expost.state.sites import Site, add_site
from tests.story import Story, expose, track

RELATIONS = "select count(*) from duckdb_tables() where temporary and table_name = 'matched'"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    path: Path = tmp_path_factory.mktemp("rules") / "data"
    story = Story(path, "shop")
    for device in ("k", "l"):
        story.capture(device, expose("f", "on"), track("Looked"), track("Bought", price=3), at="10:00")
    analysis = Analysis(story.path)
    add_site(analysis.state, Site("shop", "Shop"))
    opened = Lake(analysis)
    opened.define("Looked", track="Looked")
    opened.define("Bought", track="Bought")
    opened.save_cohort("Buyers", did="Bought")
    yield opened
    analysis.close()


ASKED: tuple[Callable[[Lake], Any], ...] = (
    lambda lake: lake.funnel("Looked", "Bought"),
    lambda lake: lake.funnel("Looked", "Bought", by="flag:f"),
    lambda lake: lake.funnel("Looked", "Bought", removes_unit="Bought"),
    lambda lake: lake.funnel("Looked", "Bought", cohort="Buyers"),
    lambda lake: lake.retention("Looked", by="flag:f"),
    lambda lake: lake.retention("Looked", by="path"),
    lambda lake: lake.trend("Looked", by="flag:f"),
    lambda lake: lake.trend("Bought", measure="sum:price"),
    lambda lake: lake.stickiness("Looked"),
    lambda lake: lake.lifecycle("Looked"),
)


@pytest.mark.parametrize("ask", ASKED)
def test_rules_that_make_relations_are_known_and_come_last(lake, monkeypatch, ask) -> None:
    answer = ask(lake)
    kind = type(answer.question)
    own = other_rules.EXPLAINED[kind]
    seen: list[tuple[str, bool, bool]] = []

    def watched(reading: Reading, other: Other) -> Answer:
        reading.quietly("drop table if exists matched", {})
        found = own.answer(reading, other)
        [[made]] = reading.quietly(RELATIONS, {}).fetchall()
        seen.append((f"{other.rule} {other.setting}", bool(made), own.makes_relations(reading, other)))
        return found

    monkeypatch.setitem(other_rules.EXPLAINED, kind, replace(own, answer=watched))
    answer.explain()
    assert len(seen) > 1
    assert [made for _, made, _ in seen] == [foreseen for _, _, foreseen in seen], seen
    others = [made for rule, made, _ in seen if rule.strip()]
    assert others == sorted(others)
