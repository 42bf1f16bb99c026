"""The figures of an answer in the words of the cases, and what of them is not as a case expects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from expost.query.answer import Answer
from expost.query.cohort_size import CohortAnswer
from expost.query.funnel import FunnelAnswer
from expost.query.lifecycle import LifecycleAnswer
from expost.query.paths import PathsAnswer
from expost.query.preview import PreviewAnswer
from expost.query.retention import RetentionAnswer
from expost.query.sessions import SessionsAnswer
from expost.query.stickiness import StickinessAnswer
from expost.query.trend import TrendAnswer

from .cases import Case
from .engine import bars_of, group_name, medians_of, table_of

Figures = dict[str, Any]

EXPECTED = (
    "expect", "compared", "shared", "complete", "outside", "several", "medians", "sizes", "pooled", "measured",
    "points", "whole", "people", "everyone", "periods", "edges", "told", "whose", "ends", "seen", "over", "figures",
    "lasted", "split", "begun", "unknown", "counted", "left_out", "because", "notes",
)  # fmt: skip
"""What a case may say of its answer."""


def expected_of(case: Case) -> Figures:
    """What a case demands."""
    return {name: case[name] for name in EXPECTED if name in case}


def differences(case: Case, figures: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Per figure that is not as the case demands: what it should be, and what it is. None if nothing was said."""
    found = {}
    for name, expected in expected_of(case).items():
        said = figures.get(name)
        if name == "notes":
            is_so = set(expected) <= set(said or ())
        elif name == "medians":
            is_so = said is not None and all(said.get(group) == each for group, each in expected.items())
        elif name == "measured":
            # A period whose measure is 0 need not be listed.
            is_so = said == {day: value for day, value in expected.items() if value}
        else:
            is_so = said == expected
        if not is_so:
            found[name] = (expected, said)
    return found


def figures_of(answer: Answer) -> Figures:
    """Every figure that a case may ask about."""
    left_out = answer.basis.left_out
    return _own_figures(answer) | {
        "left_out": {each.reason: each.events for each in left_out},
        "because": {each.reason: each.because for each in left_out},
        "notes": list(answer.notes),
    }


def _own_figures(answer: Answer) -> Figures:
    match answer:
        case FunnelAnswer():
            return {
                "expect": bars_of(answer),
                "compared": answer.compared and bars_of(answer.compared),
                "shared": answer.shared_people,
                "complete": bars_of(answer, complete=True),
                "outside": [step.outside_groups for step in answer.steps],
                "several": answer.several_variations,
                "medians": {
                    group: [each if each is None else each / 1_000_000 for each in medians[1:]]
                    for group, medians in medians_of(answer).items()
                },
            }
        case RetentionAnswer():
            cohorts = {cohort.start.isoformat(): cohort.periods for cohort in answer.cohorts}
            return {
                "expect": _by_day(answer),
                "compared": answer.compared and _by_day(answer.compared),
                "shared": answer.shared_people,
                "complete": {day: [cell.complete for cell in cells] for day, cells in cohorts.items()},
                "sizes": {day: [cell.size for cell in cells] for day, cells in cohorts.items()},
                "pooled": [[row.people, row.size] for row in answer.pooled],
            }
        case TrendAnswer():
            zone = ZoneInfo(answer.basis.time_zone)
            measured = {point.start.astimezone(zone).date(): point.value for point in answer.points}
            return {
                "expect": _by_day(answer),
                "measured": {day.isoformat(): value for day, value in measured.items() if value},
                "points": [point.start.astimezone(zone).date().isoformat() for point in answer.points],
                "whole": answer.value,
            }
        case PreviewAnswer():
            [used] = answer.basis.definitions
            return {
                "expect": {"events": answer.events, "people": answer.people},
                "unknown": answer.unknown,
                "counted": [
                    [each.version, str(each.counted_from), str(each.counted_until)] for each in used.versions
                ],
            }
        case CohortAnswer():
            return {"people": answer.people, "everyone": answer.everyone}
        case StickinessAnswer():
            return {"people": list(answer.people)}
        case LifecycleAnswer():
            return {
                "periods": {
                    each.start.isoformat(): [each.new, each.returning, each.resurrecting, each.dormant]
                    for each in answer.periods
                }
            }
        case PathsAnswer():
            return {
                "edges": [
                    [
                        edge.step,
                        edge.source or "",
                        "(end)" if edge.kind == "end" else edge.target,
                        edge.sessions,
                    ]
                    for edge in answer.edges
                ]
            }
        case SessionsAnswer():
            return _of_sessions(answer)
        case _:
            raise AssertionError(f"No case asks for {type(answer).__name__}.")


def _of_sessions(answer: SessionsAnswer) -> Figures:
    listed, figures = answer.sessions, answer.figures
    names = ("sessions", "people", "devices", "events", "page_views", "viewing", "bounces", "running")
    return {
        "told": [
            [
                each.device,
                each.began_at.replace(tzinfo=None).isoformat(),
                each.duration_ms / 1_000,
                each.events,
                each.page_views,
            ]
            for each in listed
        ],
        "whose": [each.person if each.is_user else None for each in listed],
        "ends": [[each.entry_page, each.exit_page] for each in listed],
        "seen": [list(each.variations) for each in listed],
        "over": [each.is_over for each in listed],
        "figures": {name: getattr(figures, name) for name in names},
        "lasted": {
            str(each.percentile): None if each.duration_ms is None else each.duration_ms / 1_000
            for each in figures.lengths
        },
        "split": {group_name(each.kind, each.value): each.figures.sessions for each in answer.groups},
        "begun": {
            each.start.isoformat(): each.sessions
            for each in answer.periods
            if each.sessions or answer.question.start
        },
    }


def _by_day(answer: RetentionAnswer | TrendAnswer) -> dict[str, dict[str, list[int]]]:
    return {
        group: {day.isoformat(): list(row) for day, row in days.items()}
        for group, days in table_of(answer).items()
    }
