"""Asking the engine about a story, and answers in the shape in which the cases write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from expost.clock import to_micros
from expost.query.alternative import Alternative
from expost.query.analysis import ANSWERS
from expost.query.answer import Answer
from expost.query.calendar import Calendar
from expost.query.definition import Definition, definition
from expost.query.funnel import FunnelAnswer, FunnelGroup
from expost.query.left_out import counting_of
from expost.query.membership import with_cohorts
from expost.query.question import Question
from expost.query.reading import Reading
from expost.query.reconcile import Reconcile
from expost.query.retention import RetentionAnswer
from expost.query.trend import TrendAnswer
from expost.state.sites import Site

from .happening import SITE, Happening, lake_of, put_in_files
from .oracle import Step

SHOP = Site(SITE, SITE)


def answer_of(
    story: Sequence[Happening],
    question: Question,
    site: Site = SHOP,
    *,
    week_start: int = 0,
    is_fast: bool = True,
    folder: Path | None = None,
) -> Answer:
    """The engine's answer over a lake in memory that holds the story; without `is_fast` by the portable SQL alone.

    With `folder` the events are in a file there, beside which is a summary.
    """
    as_of = _calendar(question).micros(question.as_of, 0) if question.as_of is not None else None
    with lake_of(story, as_of, has_views=isinstance(question, Reconcile)) as connection:
        ask = partial(answer_over, connection, question, site, week_start=week_start, is_fast=is_fast)
        if folder is None or as_of is not None:
            return ask()
        with put_in_files(connection, folder) as summaries:
            return ask(reads=partial(Reading, summaries=summaries), snapshot={"events": 0})


def answer_over(
    connection: duckdb.DuckDBPyConnection,
    question: Question,
    site: Site,
    *,
    week_start: int = 0,
    is_fast: bool = True,
    reads: Callable[..., Reading] = Reading,
    snapshot: Mapping[str, int] = MappingProxyType({}),
) -> Answer:
    """The same over a lake that holds the story of the site; `reads` makes the reading."""
    assert question.now is not None
    calendar = _calendar(question, week_start)
    reading = reads(
        connection=connection,
        question=question,
        site=site.slug,
        calendar=calendar,
        as_of=None if question.as_of is None else calendar.micros(question.as_of, 0),
        now=to_micros(question.now),
        counting=counting_of(question, site),
        snapshot=snapshot,
        resolve=lambda name, _version: definition_of(name),
        is_fast=is_fast,
    )
    return ANSWERS[type(question)](with_cohorts(reading), question)


def _calendar(question: Question, week_start: int = 0) -> Calendar:
    return Calendar(ZoneInfo(question.time_zone or "UTC"), week_start)


def definition_of(step: str) -> Definition:
    """`A` is a custom event, `view:GLOB` a page view, `type:NAME` any event of a type."""
    kind, colon, rest = step.partition(":")
    if not colon:
        return definition(step, track=step)
    if kind == "view":
        return definition(step, view=rest)
    return Definition(step, (Alternative(types=(rest,)),))


def matcher_of(step: str) -> Step:
    """The same for the oracle; of globs it knows whole paths and `/**`."""
    kind, colon, rest = step.partition(":")
    if not colon:
        return lambda event: event.type == "custom" and event.name == step
    if kind == "view":
        return lambda event: event.type == "page_view" and rest in ("/**", event.path)
    return lambda event: event.type == rest


def group_name(kind: str, value: str | None) -> str:
    """`variation red`, `value pro`, `not exposed`, …"""
    return f"{kind} {value}" if kind in ("variation", "value") else kind


def bars_of(answer: FunnelAnswer, *, complete: bool = False) -> dict[str, list[int]]:
    """People per step, of the total and of each group."""
    groups = (FunnelGroup("total", None, answer.steps), *answer.groups)
    return {
        group_name(group.kind, group.value): [
            step.complete_people if complete else step.people for step in group.steps
        ]
        for group in groups
    }


def medians_of(answer: FunnelAnswer) -> dict[str, list[int | None]]:
    """Median microseconds from the step before, of the total and of each group."""
    groups = (FunnelGroup("total", None, answer.steps), *answer.groups)
    return {
        group_name(group.kind, group.value): [
            None if step.median_ms is None else round(step.median_ms * 1_000) for step in group.steps
        ]
        for group in groups
    }


def table_of(answer: RetentionAnswer | TrendAnswer) -> dict[str, dict[date, Any]]:
    """Per group: cohorts with their size and returns, or periods with their events and people."""
    if isinstance(answer, RetentionAnswer):
        tables = [
            ("total", None, answer.cohorts),
            *((each.kind, each.value, each.cohorts) for each in answer.groups),
        ]
        return {
            group_name(kind, value): {
                cohort.start: [cohort.size, *(cell.people for cell in cohort.periods)] for cohort in cohorts
            }
            for kind, value, cohorts in tables
        }
    zone = ZoneInfo(answer.basis.time_zone)
    series = [
        ("total", None, answer.points),
        *((each.kind, each.value, each.points) for each in answer.groups),
    ]
    return {
        group_name(kind, value): {
            point.start.astimezone(zone).date(): (point.events, point.people)
            for point in points
            if point.events
        }
        for kind, value, points in series
    }


def assert_same(fast: Answer, portable: Answer) -> None:
    """Two answers say the same, and name the same text as what gives it."""
    for field in fields(fast):
        mine, other = getattr(fast, field.name), getattr(portable, field.name)
        if isinstance(mine, Answer) and isinstance(other, Answer):
            assert_same(mine, other)
        elif field.name != "basis":
            assert mine == other, field.name
    for name in ("definitions", "left_out", "notes", "parameters", "sql"):
        assert getattr(fast.basis, name) == getattr(portable.basis, name), name
