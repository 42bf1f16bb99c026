"""Every kind of question, asked with what was kept and without: no answer differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from expost.lake.folder import open_folder
from expost.query.analysis import ANSWERS, Analysis
from expost.query.breakdown import Flag
from expost.query.cohort import Cohort, Did
from expost.query.cohort_size import CohortSize
from expost.query.definition import definition
from expost.query.difference import Difference
from expost.query.event_detail import EventDetail
from expost.query.explanation import Explanation
from expost.query.flag_list import FlagList
from expost.query.funnel import Funnel, FunnelPeople
from expost.query.health import Health
from expost.query.lifecycle import Lifecycle
from expost.query.live import Live
from expost.query.losses import Losses
from expost.query.paths import Paths
from expost.query.preview import Preview
from expost.query.question import Question
from expost.query.reconcile import Reconcile
from expost.query.rejected import RejectedList
from expost.query.retention import Retention, RetentionPeople
from expost.query.sandbox import SqlQuery
from expost.query.session_detail import SessionDetail
from expost.query.sessions import Sessions
from expost.query.stickiness import Stickiness
from expost.query.suggested import Suggestions
from expost.query.timeline import Timeline
from expost.query.trend import Trend, TrendPeople
from expost.query.unnamed import Unnamed
from expost.state.sites import Site, add_site
from tests.story import Story, small_rich_lake

NOW = datetime(2026, 4, 1, tzinfo=UTC)
FUNNEL = Funnel(("Viewed", "Bought"), timedelta(days=7), by=Flag("new-checkout"), now=NOW)
RETENTION = Retention("Viewed", "Viewed", "week", 3, now=NOW)
TREND = Trend("Bought", "day", now=NOW)
QUESTIONS: tuple[Question, ...] = (
    Preview("Bought", now=NOW),
    FUNNEL,
    FunnelPeople(FUNNEL, 2, kind="variation", value="treatment", now=NOW),
    Explanation(FUNNEL, now=NOW),
    RETENTION,
    RetentionPeople(RETENTION, date(2026, 3, 2), 1, now=NOW),
    TREND,
    TrendPeople(TREND, now=NOW),
    Stickiness("Viewed", "day", now=NOW),
    Lifecycle("Viewed", "week", now=NOW),
    Paths("Viewed", "after", 3, now=NOW),
    CohortSize(Cohort("Buyers", (Did("Bought"),)), now=NOW),
    Difference("Bought", 1, 2, now=NOW),
    Unnamed(now=NOW),
    Health(now=NOW),
    FlagList(now=NOW),
    Losses(now=NOW),
    Live(now=NOW),
    RejectedList(now=NOW),
    Sessions(("Bought",), now=NOW),
    Reconcile(FUNNEL, ("ann@shop.example", "nobody"), now=NOW),
    SqlQuery("select type, count(*) from events group by 1 order by 1"),
)
LEFT_OUT = frozenset({"sql", "parameters", "elapsed_ms", "sql_sha256"})


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analysis]:
    folder = open_folder(tmp_path_factory.mktemp("caches") / "data", create=True)
    small_rich_lake(Story(folder.path)).store()
    opened = Analysis(folder.path)
    opened.events = replace(opened.events, least_bytes=0)
    add_site(opened.state, Site("shop", "Shop"))
    opened.define(definition("Viewed", view="/**"))
    opened.define(definition("Bought", click="button.buy"))
    opened.define(definition("Bought", click="form button#buy"))
    yield opened
    opened.close()


def _said(value: Any) -> Any:
    """An answer without what tells where its events were found and how long that took."""
    if isinstance(value, dict):
        return {name: _said(each) for name, each in value.items() if name not in LEFT_OUT}
    return [_said(each) for each in value] if isinstance(value, list) else value


def _of_the_lake(analysis: Analysis) -> tuple[Question, ...]:
    """Questions about one event, one person and one session, which have to be found first."""
    event_id, device_id = analysis.ask(
        SqlQuery("select event_id, device_id from events where type = 'click'")
    ).values[0]  # type: ignore[attr-defined]
    session = analysis.ask(Sessions(now=NOW)).sessions[0]  # type: ignore[attr-defined]
    return (
        EventDetail(event_id, now=NOW),
        Timeline(str(device_id), now=NOW),
        Suggestions(event_id, now=NOW),
        SessionDetail(session.session_id, now=NOW),
    )


def test_every_kind_of_question_is_asked_here(analysis: Analysis) -> None:
    assert {type(each) for each in (*QUESTIONS, *_of_the_lake(analysis))} == set(ANSWERS)


@pytest.mark.parametrize("number", range(len(QUESTIONS) + 4))
def test_without_caches_the_answer_is_the_same_and_nothing_is_kept(analysis: Analysis, number: int) -> None:
    question = (*QUESTIONS, *_of_the_lake(analysis))[number]
    first, second = (_said(analysis.ask(question).to_json()) for _ in range(2))
    kept = _kept(analysis.folder.cache)
    without = _said(analysis.ask(_without(question)).to_json())
    assert first == second == without
    assert _kept(analysis.folder.cache) == kept


def test_with_caches_something_is_kept(analysis: Analysis) -> None:
    analysis.ask(FUNNEL)
    assert {path.parent.parent.name for path in _kept(analysis.folder.cache)} >= {"events", "cache"}


def _without(question: Question) -> Question:
    """The same without caches. What opens another question is asked as that one is."""
    opened = {
        name: replace(getattr(question, name), cache=False)
        for name in ("funnel", "retention", "trend", "of")
        if isinstance(getattr(question, name, None), Question)
    }
    return replace(question, cache=False, **opened)


def _kept(cache: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}
