"""Made-up answers and kept things of further shapes, for the patterns page and for tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from expost.query.cohort_size import CohortAnswer, CohortSize
from expost.query.dashboard import Dashboard
from expost.query.explanation import CountsOf, Explanation, ExplanationAnswer, OtherRule
from expost.query.funnel import Funnel
from expost.query.lifecycle import Lifecycle, LifecycleAnswer, LifecyclePeriod
from expost.query.paths import PathEdge, Paths, PathsAnswer
from expost.query.reconcile import CAUSES, CauseCount, Reconcile, ReconcileAnswer, ReconciledId
from expost.query.report import Report, report_of
from expost.query.stickiness import Stickiness, StickinessAnswer, StickinessGroup
from expost.query.timeline import (
    PersonDevice,
    PersonEdge,
    PersonTrait,
    Timeline,
    TimelineAnswer,
    TimelineSession,
)
from expost.state.details import Details

from .samples import LONG, NASTY, NOW, STEPS, basis
from .samples_events import live_event

SAVED_AT = 1_795_000_000_000_000


def stickiness(*, days: int = 9, by: bool = False) -> StickinessAnswer:
    """On how many days people did it."""
    people = tuple(int(900 * 0.55**place) for place in range(days))
    groups = (
        StickinessGroup("variation", "control", tuple(each // 2 for each in people)),
        StickinessGroup("variation", NASTY, tuple(each // 3 for each in people)),
    )
    question = Stickiness(STEPS[1], start=date(2026, 11, 1))
    return StickinessAnswer(question, basis(names=STEPS[1:2]), "day", people, groups if by else (), 23)


def lifecycle(periods: int = 9) -> LifecycleAnswer:
    """Who came, stayed and left, week by week."""
    monday = date(2026, 11, 23)
    found = tuple(
        LifecyclePeriod(
            monday - timedelta(weeks=periods - 1 - place),
            60 + place * 7 % 23,
            30 + place * 5,
            place * 3 % 11,
            18 + place * 4,
            place < periods - 1,
        )
        for place in range(periods)
    )
    return LifecycleAnswer(Lifecycle(STEPS[1]), basis(names=STEPS[1:2]), "week", found, NOW)


def paths(steps: int = 3) -> PathsAnswer:
    """What people did afterwards."""
    pages = ("/tea/sencha", "/cart", NASTY, "/a/" + "very/deep/" * 12)
    edges = []
    for step in range(1, steps + 1):
        source = None if step == 1 else pages[(step + 2) % 4]
        edges += [
            PathEdge(step, "step", source, page, 400 // (place + 1) // step, 300 // (place + 1) // step)
            for place, page in enumerate(pages)
        ]
        edges.append(PathEdge(step, "end", source, None, 90 // step, 80 // step))
        edges.append(PathEdge(step, "other", None, None, 12, 11))
    sessions = sum(edge.sessions for edge in edges if edge.step == 1)
    return PathsAnswer(
        Paths(STEPS[0]), basis(names=STEPS[:1]), STEPS[0], "after", sessions, sessions * 3 // 4, tuple(edges)
    )


def explanation() -> ExplanationAnswer:
    """A funnel under other rules."""
    own = (CountsOf("total", None, (1_204, 802), None), CountsOf("variation", "treatment", (503, 351), None))
    changed = tuple(
        CountsOf(each.kind, each.value, tuple(n - 12 for n in each.people), (-12, -12)) for each in own
    )
    same = tuple(CountsOf(each.kind, each.value, each.people, (0, 0)) for each in own)
    return ExplanationAnswer(
        Explanation(Funnel(STEPS[:2], timedelta(days=7))),
        basis(names=STEPS[:2]),
        ("1 Viewed a tea", "2 Added to basket"),
        {
            "order": "Other events may lie between two steps.",
            "window": "The window counts from the first step.",
        },
        own,
        (
            OtherRule("order", "strict", "Nothing of the steps lies between two of them.", changed),
            OtherRule("order", "any", "The steps may come in any order.", same),
        ),
        14,
        6,
    )


def cohort_size() -> CohortAnswer:
    """How many are in a cohort."""
    return CohortAnswer(
        CohortSize("Regulars"), basis(), "Regulars", 1, "did 'Added to basket' at least 3 times", 214, 1_204
    )


def reconciled(count: int = 40) -> ReconcileAnswer:
    """What became of each id, with every cause there is."""
    causes = list(CAUSES)
    listed = tuple(
        ReconciledId(
            NASTY if place == 3 else f"order-{1_000 + place}",
            cause := causes[0 if place % 2 else place // 2 % len(causes)],
            STEPS[1] if cause == "step_missing" else "",
            None if cause == "never_captured" else str(83_920_174 * (place + 3)),
            None if cause == "never_captured" else f"person-{place}@example.org",
        )
        for place in range(count)
    )
    counts = {cause: sum(each.cause == cause for each in listed) for cause in causes}
    question = Reconcile(Funnel(STEPS, timedelta(days=7)), tuple(each.id for each in listed))
    return ReconcileAnswer(
        question,
        basis(names=STEPS),
        listed,
        tuple(CauseCount(cause, ids, CAUSES[cause]) for cause, ids in counts.items() if ids),
        counts["counted"],
        counts["counted"] + 12,
        12,
        31,
        is_exact=False,
    )


def reports() -> tuple[Report, ...]:
    """A report of every kind, one of them pinned and one with a name that wants to be markup."""
    forms: tuple[tuple[str, str, dict[str, list[str]]], ...] = (
        ("Checkout", "funnel", {"step": list(STEPS), "last": ["30d"]}),
        ("Coming back", "retention", {"start_event": [STEPS[3]]}),
        (NASTY, "trend", {"name": [STEPS[1]], "by": ["flag:new-checkout"]}),
        ("Pinned", "stickiness", {"name": [f"{STEPS[1]}@2"]}),
        (LONG[:180], "lifecycle", {"name": [STEPS[1]]}),
        ("What then", "paths", {"name": [STEPS[0]]}),
        ("Visits that order", "sessions", {"did": [STEPS[3]], "by": ["channel"], "last": ["7d"]}),
    )
    return tuple(_saved(report_of(name, kind, form)) for name, kind, form in forms)


def dashboards() -> tuple[Dashboard, ...]:
    """A dashboard of all of them, and of one that is not there."""
    names = tuple(each.name for each in reports())
    board = Dashboard("Weekly", (*names, "Gone"), {"last": ["7d"]}, 1, "ann", SAVED_AT, Details("growth"))
    return (board,)


def person(visits: int = 2) -> TimelineAnswer:
    """One person whole."""
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    sessions = tuple(
        TimelineSession(
            "019ab3f2-77c1-7001" if place else None,
            at - timedelta(days=place),
            at - timedelta(days=place) + timedelta(minutes=9),
            12,
            tuple(live_event(7 * place + number) for number in range(6)),
            "3f2a91c04be7d580-64c1346a9f080" if place else None,
        )
        for place in range(visits)
    )
    return TimelineAnswer(
        Timeline("ann@example.org"),
        basis(),
        "8392017412345",
        "ann@example.org" if visits else "stranger 412345",
        bool(visits),
        ("ann@example.org", NASTY) if visits else (),
        (PersonDevice("1", "019ab3f2-77c1-7001", False, 24, at - timedelta(days=3), at),),
        (
            PersonEdge("merge", NASTY, "ann@example.org", True, at, at, ("eve",), ("17",), ("17",)),
            PersonEdge("identify", "019ab3f2-77c1-7001", NASTY, False, at, at, ("import",), ("18",), ("19",)),
        )
        if visits
        else (),
        (PersonTrait("plan", '"pro"', at),) if visits else (),
        12 * visits,
        sessions,
    )


def _saved(report: Report) -> Report:
    return Report(report.name, report.question, 1, "ann", SAVED_AT, Details("growth", ("weekly",), "Ours"))
