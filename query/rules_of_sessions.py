"""The rules of paths and of sessions: where a session ends, above all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from .answer import Answer
from .duration import format_duration
from .paths import RULES, Paths, PathsAnswer, paths
from .reading import Reading
from .rule import TOTAL, Counts, Explained, Other
from .session_list import BOUNCE_RULE, PERSON_RULE, sessions
from .sessions import SessionFigures, Sessions, SessionsAnswer


def _answer_paths(reading: Reading, other: Other) -> Answer:
    assert isinstance(other.question, Paths)
    return paths(other.of(reading), other.question)


def _answer_sessions(reading: Reading, other: Other) -> Answer:
    assert isinstance(other.question, Sessions)
    return sessions(other.of(reading), other.question)


def _gap_rules(_: Reading, asked: Any) -> Iterator[Other]:
    """With a session that ends half as soon, and one that goes on twice as long."""
    for gap in (asked.gap / 2, asked.gap * 2):
        if timedelta(0) < gap < timedelta(days=36_500):
            setting = format_duration(gap)
            yield Other("gap", setting, _gap_says(gap), replace(asked, gap=gap))


def _gap_says(gap: timedelta) -> str:
    return f"A session ends after {format_duration(gap)} without any event of its device."


def _paths_in_force(_: Reading, asked: Paths) -> dict[str, str]:
    which, counted = ("first" if asked.direction == "after" else "last"), RULES
    return {"gap": _gap_says(asked.gap), "begins": counted[0].format(which=which), "edges": counted[1]}


def _sessions_in_force(_: Reading, asked: Sessions) -> dict[str, str]:
    return {
        "gap": _gap_says(asked.gap),
        "range": "A session belongs as a whole to the range in which it began.",
        "bounce": BOUNCE_RULE,
        "person": PERSON_RULE,
    }


def _ways(answer: PathsAnswer) -> Counts:
    """Sessions and people with the event, and how many of the sessions went on for so many steps."""
    went_on = [each for each in answer.edges if each.kind in ("step", "other")]
    reached = (sum(each.sessions for each in went_on if each.step == step) for step in _numbers(answer))
    return {TOTAL: (answer.sessions, answer.people, *reached)}


def _way_names(answer: PathsAnswer) -> tuple[str, ...]:
    return ("sessions", "people", *(f"step {number}" for number in _numbers(answer)))


def _numbers(answer: PathsAnswer) -> range:
    assert isinstance(answer.question, Paths)
    return range(1, answer.question.steps + 1)


def _figures(answer: SessionsAnswer) -> Counts:
    groups = {(each.kind, each.value): each.figures for each in answer.groups}
    return {key: _counted(figures) for key, figures in ({TOTAL: answer.figures} | groups).items()}


def _counted(figures: SessionFigures) -> tuple[int, ...]:
    return figures.sessions, figures.people, figures.events, figures.page_views, figures.bounces


PATHS = Explained(_answer_paths, _gap_rules, _paths_in_force, _way_names, _ways)
SESSIONS = Explained(
    _answer_sessions, _gap_rules, _sessions_in_force,
    lambda _: ("sessions", "people", "events", "page views", "bounces"), _figures,
    # Of the list nothing is counted.
    asked=lambda question: replace(question, limit=1, offset=0),
)  # fmt: skip
