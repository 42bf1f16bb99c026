"""The questions of `questions.py`, each asked in a process of its own that holds nothing else.

PYTHONPATH=. python -P bench/question_alone.py DIR "paths over 8 days"
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

from bench.made_lake import END, SITE
from bench.memory import peak_mb
from expost.errors import QueryLimit
from expost.query.activity import ACTIVITY
from expost.query.analysis import Analysis
from expost.query.breakdown import ByColumn, ByProperty, Flag
from expost.query.definition import definition
from expost.query.explanation import Explanation
from expost.query.funnel import Funnel, FunnelPeople
from expost.query.lifecycle import Lifecycle
from expost.query.measure import parse_measure
from expost.query.paths import Paths
from expost.query.question import Question
from expost.query.retention import Retention, RetentionPeople
from expost.query.sessions import Sessions
from expost.query.stickiness import Stickiness
from expost.query.timeline import Timeline
from expost.query.trend import Trend, TrendPeople
from expost.query.unit import Unit
from expost.settings import Settings

FLAG = "new-checkout"
THREADS, MEMORY = 2, Settings().query_memory
SELECTORS = (".kind-7", "section .kind-9", "button[type=submit]")
WITHIN = timedelta(days=7)
PERIODS = 8
STEPS = tuple(definition(f"Step {place}", click=selector) for place, selector in enumerate(SELECTORS, 1))
ORDERED = definition("Ordered", track="order")
BY_VARIATION = Funnel((*STEPS, ORDERED), WITHIN, by=Flag(FLAG), site=SITE, now=END)
WEEKLY = Retention(STEPS[0], STEPS[1], "week", PERIODS, site=SITE, now=END)
KINDS = tuple(definition(f"Kind {number}", click=f".kind-{number}") for number in range(16))
VIEWED = definition("Viewed", view="/**")
LATELY = END - timedelta(days=8)
BY_DAY = Trend(STEPS[0], "day", site=SITE, now=END)
# A Monday, twelve weeks before the end.
COHORT_DAY = (END - timedelta(weeks=12)).date()


def of_steps(many: int) -> Funnel:
    """A funnel of so many steps, all of them clicks."""
    return Funnel(KINDS[:many], WITHIN, by=Flag(FLAG), site=SITE, now=END)


QUESTIONS: dict[str, tuple[Question, int | None]] = {
    # Each with the most megabytes that it may hold, where we mean to hold something.
    "funnel": (BY_VARIATION, 600),
    "funnel of 4 clicks": (of_steps(4), 600),
    "funnel of 16 clicks": (of_steps(16), 600),
    "retention": (WEEKLY, 600),
    # Page views are a quarter of all events, over 13 weeks: far beyond 30 days.
    "funnel of all page views": (
        Funnel((VIEWED, *STEPS), timedelta(days=60), by=Flag(FLAG), site=SITE, now=END),
        600,
    ),
    "trend of page views": (Trend(VIEWED, "day", site=SITE, now=END), 600),
    "people who viewed pages": (
        Trend(VIEWED, "week", measure=parse_measure("people"), site=SITE, now=END),
        600,
    ),
    "retention of any activity": (
        Retention(ACTIVITY, ACTIVITY, "week", PERIODS, site=SITE, now=END),
        None,
    ),
    "people active each day": (
        Trend(ACTIVITY, "day", measure=parse_measure("people"), site=SITE, now=END),
        None,
    ),
    "paths over 8 days": (Paths(VIEWED, steps=5, start=LATELY, site=SITE, now=END), 1_000),
    "sessions of the last day": (Sessions(start=END - timedelta(days=1), site=SITE, now=END), 600),
    "sessions of a week": (Sessions(start=END - timedelta(days=7), site=SITE, now=END), 600),
    "people behind a bar": (FunnelPeople(BY_VARIATION, 2, site=SITE, now=END), 600),
    "people behind a cell": (RetentionPeople(WEEKLY, COHORT_DAY, 2, site=SITE, now=END), 600),
    "people behind a point": (TrendPeople(BY_DAY, LATELY, site=SITE, now=END), None),
    "trend of a click": (BY_DAY, None),
    "trend of a click by variation": (Trend(STEPS[0], "day", by=Flag(FLAG), site=SITE, now=END), None),
    "trend of page views by path": (Trend(VIEWED, "week", by=ByColumn("path"), site=SITE, now=END), None),
    "stickiness of page views": (Stickiness(VIEWED, site=SITE, now=END), None),
    "lifecycle of page views": (Lifecycle(VIEWED, "week", site=SITE, now=END), None),
    "paths": (Paths(VIEWED, steps=5, site=SITE, now=END), 600),
    "funnel in any order": (Funnel(STEPS, WITHIN, order="any", site=SITE, now=END), 600),
    "funnel of sessions": (Funnel(STEPS, WITHIN, unit=Unit("session"), site=SITE, now=END), 600),
    "trend of sessions": (Trend(VIEWED, "week", unit=Unit("session"), site=SITE, now=END), 600),
    "trend of sessions of a click": (Trend(STEPS[0], "week", unit=Unit("session"), site=SITE, now=END), 600),
    "retention of sessions": (
        Retention(STEPS[0], STEPS[1], "week", PERIODS, unit=Unit("session"), site=SITE, now=END),
        None,
    ),
    "retention of devices": (
        Retention(STEPS[0], STEPS[1], "week", PERIODS, unit=Unit("device"), site=SITE, now=END),
        None,
    ),
    "funnel by path": (Funnel(STEPS, WITHIN, by=ByColumn("path"), site=SITE, now=END), 600),
    "funnel by a property": (Funnel(STEPS, WITHIN, by=ByProperty("amount"), site=SITE, now=END), 600),
    "funnel by week of entry": (Funnel(STEPS, WITHIN, over="week", site=SITE, now=END), 600),
    "trend beside another one": (Trend(STEPS[0], "day", per=VIEWED, site=SITE, now=END), None),
    "trend of a percentile": (
        Trend(ORDERED, "day", measure=parse_measure("p95:amount"), site=SITE, now=END),
        None,
    ),
    "paths before, over 8 days": (
        Paths(VIEWED, steps=5, direction="before", start=LATELY, site=SITE, now=END),
        1_000,
    ),
    "funnel as treated": (replace(BY_VARIATION, by=Flag(FLAG, "as_treated")), 600),
    "explanation of the funnel": (Explanation(BY_VARIATION, site=SITE, now=END), None),
    "one person's timeline": (Timeline("d5", site=SITE, now=END), None),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took that asked one question: seconds of CPU and by the clock, and the most megabytes it held."""

    cpu: float
    seconds: float
    mb: float

    def __str__(self) -> str:
        return f"{self.cpu:.1f} CPU s, {self.seconds:.1f} s"


class Refused(Exception):
    """A question that ended at a limit instead of with an answer."""


def alone(folder: Path, name: str) -> Cost:
    """What a process takes that asks this question. Raises Refused."""
    command = [sys.executable, "-P", __file__, str(folder), name]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    said = json.loads(done.stdout)
    if "refused" in said:
        raise Refused(said["refused"])
    return Cost(**said)


def cost_here(folder: Path, name: str) -> Cost:
    """The same for this process."""
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    analysis = Analysis(folder, memory_limit=MEMORY, threads=THREADS)
    analysis.ask(QUESTIONS[name][0])
    after, seconds = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - began
    return Cost(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, seconds, peak_mb())


def main() -> None:
    options = argparse.ArgumentParser(description="What one question takes that is asked alone.")
    options.add_argument("folder", type=Path)
    options.add_argument("question", choices=list(QUESTIONS))
    given = options.parse_args()
    try:
        print(json.dumps(asdict(cost_here(given.folder, given.question))))
    except QueryLimit as limit:
        print(json.dumps({"refused": str(limit)}))


if __name__ == "__main__":
    main()
