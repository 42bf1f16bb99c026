"""What questions cost over millions of events, beside ClickHouse's engine in this process, and where memory ends.

    PYTHONPATH=. python -P bench/questions.py [--events 20000000] [--more 100000000] [--runs 3] [--keep DIR]

A made-up site with unevenly used elements (`made_lake.py`), and the summaries that whoever compacts makes of its files.
Both sides take two threads and the CPU time of the whole process is taken, one way after the other in each round;
figures are medians. Ours is the whole answer as `lake.funnel` gives it: persons from identity edges, exposures, what
was left out, times to convert; ClickHouse has the person of each event in a column and counts people (`clickhouse.py`).
Who entered and who came back has to be the same people.

Three ways of ours stand beside it. New: nothing is kept from one question to the next, selectors are asked of the
dictionary each time; the open connection has what it holds of a snapshot (whose devices are, ancestors of elements).
With elements: those are known, as ClickHouse is given them. Events alone: without summaries too.

Memory is the most that a process of its own held, which asks one question (`question_alone.py`). Each line says whether
what we mean to hold is held.
"""

from __future__ import annotations

import argparse
import math
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.clickhouse import FLAG, Click, ClickHouse, Track
from bench.made_lake import END, SITE, MadeLake, made_lake
from bench.question_alone import (
    BY_VARIATION,
    MEMORY,
    ORDERED,
    PERIODS,
    QUESTIONS,
    SELECTORS,
    STEPS,
    THREADS,
    WEEKLY,
    WITHIN,
    Refused,
    alone,
    of_steps,
)
from expost.lake.compactor import summarize_folder
from expost.lake.folder import open_folder
from expost.query import funnel_arrays
from expost.query.analysis import Analysis
from expost.query.breakdown import Flag
from expost.query.condition import compile_definition
from expost.query.definition import definition
from expost.query.elements import make_elements
from expost.query.funnel import Funnel, FunnelAnswer
from expost.query.ordering import Ordering
from expost.query.question import Saved
from expost.query.retention import RetentionAnswer

GROWING = ("funnel", "retention")
"""The questions whose CPU is asked of both lakes."""
BYTES_PER_EVENT = 100
"""What a lake with its summaries takes of the disk while it is made, at most."""


@dataclass
class Verdicts:
    """Prints each line with what is meant to hold, and counts what does not."""

    missed: int = 0

    def say(
        self, what: str, figure: float, least: float | None = None, most: float | None = None, unit: str = ""
    ) -> None:
        """One line: at `least`, or at `most`."""
        holds = figure >= least if least is not None else most is not None and figure <= most
        self.missed += not holds
        goal = f"at least {least:g}" if least is not None else f"at most {most:g}"
        print(f"{'held' if holds else 'NOT HELD':9}{what:72}{figure:10,.2f} {unit:3} ({goal})", flush=True)


@contextmanager
def opened(lake: MadeLake, **given: Any) -> Iterator[Analysis]:
    """The lake, open for questions as a query process has it."""
    analysis = Analysis(lake.folder, memory_limit=MEMORY, threads=THREADS, **given)
    try:
        yield analysis
    finally:
        analysis.close()


@contextmanager
def opened_anew(lake: MadeLake, *, knows_elements: bool = False) -> Iterator[Analysis]:
    """The same, that keeps nothing from one question to the next, unless it `knows_elements` of selectors."""
    with opened(lake) as analysis:
        analysis.events = replace(analysis.events, max_bytes=0)
        if not knows_elements:
            analysis.cache = replace(analysis.cache, max_bytes=0)
        yield analysis


def used(work: Callable[[], Any]) -> float:
    """The CPU seconds of this process, all of its threads."""
    be_still()
    began = time.process_time()
    work()
    return time.process_time() - began


def be_still() -> None:
    """Wait until no thread of this process computes: an engine tidies up after its answer, and the next would pay.

    What ClickHouse did after the last answer of a round, 0.2 to 0.3 s of CPU, was counted as ours, who come first.
    """
    for _ in range(100):
        before = time.process_time()
        time.sleep(0.1)
        if time.process_time() - before < 0.002:
            return


def medians(ways: Sequence[Callable[[], Any]], runs: int) -> list[float]:
    """The median of each way, one after the other in each round."""
    rounds = [[used(way) for way in ways] for _ in range(runs)]
    return [statistics.median(each) for each in zip(*rounds, strict=True)]


def elements_of(analysis: Analysis, selectors: Iterable[str]) -> list[Click]:
    """Each selector with the ids of our elements for it."""
    found = []
    with analysis._held.lend() as connection:
        for selector in selectors:
            compiled = compile_definition(definition("clicks", click=selector), "m1")
            make_elements(connection, compiled, None)
            rows = connection.execute("select place_id from m1_places").fetchall()
            found.append(Click(selector, [place for (place,) in rows]))
    return found


def people_of(answer: FunnelAnswer) -> dict[str, list[int]]:
    """People per step of each variation, and of those who never saw one as ''."""
    kinds = ("variation", "not exposed")
    return {
        group.value or "": [step.people for step in group.steps]
        for group in answer.groups
        if group.kind in kinds
    }


def beside_clickhouse(lake: MadeLake, folder: Path, runs: int, said: Verdicts) -> None:
    """The funnel by variation and weekly retention, both ways."""
    peer = ClickHouse(lake, folder, THREADS)
    within = WITHIN // timedelta(microseconds=1)
    with (
        opened_anew(lake) as ours,
        opened_anew(lake, knows_elements=True) as knowing,
        opened(lake, cache_bytes=0) as plain,
    ):
        steps = [*elements_of(ours, SELECTORS), Track("order")]
        peer.know(steps)
        _same_people(ours, peer, steps, within)
        mine = {"new": ours, "with elements": knowing, "events alone": plain}
        theirs = ("chain", "ids", "ids_in_order", "parquet")
        for each in mine.values():
            each.ask(BY_VARIATION)
        found = medians(
            [
                *(lambda each=each: each.ask(BY_VARIATION) for each in mine.values()),
                *(lambda way=way: peer.funnel(steps, within, way) for way in theirs),
            ],
            runs,
        )
        cost = dict(zip((*mine, *theirs), found, strict=True))
        print("funnel, CPU seconds: " + ", ".join(f"{way} {each:.2f}" for way, each in cost.items()))
        for what, way, own, least in (
            ("a chain per event, regex, windowFunnel, MergeTree", "chain", "new", 15),
            ("MergeTree in its own order, given our element ids", "ids", "new", 1.5),
            ("the same, and we know the elements as well", "ids", "with elements", 1.5),
            ("MergeTree in our reading order, given our ids", "ids_in_order", "new", 1.5),
            ("the same, and we know the elements as well", "ids_in_order", "with elements", 1.5),
            ("windowFunnel over the same Parquet", "parquet", "new", 1.5),
            ("the same, and we have no summaries either", "parquet", "events alone", 1.5),
        ):
            said.say(f"funnel by variation: {what}", cost[way] / cost[own], least=least, unit="x")
        weekly = ours.ask(WEEKLY)
        assert isinstance(weekly, RetentionAnswer)
        cohorts = peer.retention(steps[0], steps[1], PERIODS, "ids")
        cells = [cell.people for cohort in weekly.cohorts for cell in cohort.periods if cell.people]
        assert cells == [people for _, people in sorted(cohorts.items())], "both count the same people"
        for each in mine.values():
            each.ask(WEEKLY)
        found = medians(
            [
                *(lambda each=each: each.ask(WEEKLY) for each in mine.values()),
                *(lambda way=way: peer.retention(steps[0], steps[1], PERIODS, way) for way in theirs[1:3]),
            ],
            runs,
        )
        cost = dict(zip((*mine, *theirs[1:3]), found, strict=True))
        print("retention, CPU seconds: " + ", ".join(f"{way} {each:.2f}" for way, each in cost.items()))
        for what, way, own in (
            ("MergeTree in its own order, given our element ids", "ids", "new"),
            ("the same, and we know the elements as well", "ids", "with elements"),
            ("MergeTree in our reading order, given our ids", "ids_in_order", "new"),
        ):
            said.say(f"weekly retention: {what}", cost[way] / cost[own], least=1.5, unit="x")
    peer.close()


def _same_people(ours: Analysis, peer: ClickHouse, steps: list[Click | Track], within: int) -> None:
    answer = ours.ask(BY_VARIATION)
    assert isinstance(answer, FunnelAnswer)
    found, theirs = people_of(answer), peer.funnel(steps, within, "ids")
    # Where one click matches two steps, windowFunnel forgets the start before it, and so counts fewer people later.
    assert all(
        mine[0] == other[0] and all(us >= them for us, them in zip(mine, other, strict=True))
        for mine, other in ((found[each], theirs[each]) for each in found)
    ), (found, theirs)
    print(f"people of each variation at each step: {found}")
    print(f"the same as windowFunnel counts it:    {theirs}")


@contextmanager
def timed(holder: Any, name: str, seconds: list[float]) -> Iterator[None]:
    """Adds the CPU seconds of each call of a function."""
    whole = getattr(holder, name)

    def call(*given: Any, **named: Any) -> Any:
        began = time.process_time()
        try:
            return whole(*given, **named)
        finally:
            seconds.append(time.process_time() - began)

    setattr(holder, name, call)
    try:
        yield
    finally:
        setattr(holder, name, whole)


def kept(lake: MadeLake, runs: int, said: Verdicts) -> None:
    """The same funnel of saved definitions again, beside the pass alone over the rows that memory holds."""
    with opened(lake) as ours:
        names = [definition_.name for definition_ in (*STEPS, ORDERED)]
        for each in (*STEPS, ORDERED):
            ours.define(each, site=SITE)
        question = Funnel(tuple(map(Saved, names)), WITHIN, by=Flag(FLAG), site=SITE, now=END)
        passes: list[float] = []
        ties: list[float] = []
        ours.ask(question)
        with (
            timed(funnel_arrays, "add_counts", passes),
            # What the summaries or the lake are asked for in the middle of it is no part of the pass.
            timed(Ordering, "_whole_order", ties),
        ):
            again = statistics.median(used(lambda: ours.ask(question)) for _ in range(runs))
        floor = (sum(passes) - sum(ties)) / runs
        print(f"CPU seconds: repeated {again:.3f}, of which the pass over its rows alone {floor:.3f}")
        said.say("funnel repeated, with what was kept: to the pass alone", again / floor, most=1.5, unit="x")


def steps(lake: MadeLake, runs: int, said: Verdicts) -> None:
    """Sixteen steps beside four."""
    with opened_anew(lake) as ours:
        four, sixteen = of_steps(4), of_steps(16)
        ours.ask(sixteen)
        few, many = medians([lambda: ours.ask(four), lambda: ours.ask(sixteen)], runs)
        print(f"CPU seconds: 4 steps {few:.2f}, 16 steps {many:.2f}")
        said.say("16 steps beside 4", many / few, most=4, unit="x")


def limits(lake: MadeLake, said: Verdicts) -> None:
    """What other products' users report as failing: page views by the million, long ranges, paths, many steps."""
    for name in QUESTIONS:
        say_alone(lake, name, said)


def say_alone(lake: MadeLake, name: str, said: Verdicts) -> None:
    """What one question takes in a process of its own; what is refused is not held, where we mean to hold something."""
    what, most = f"{lake.events:,} events, {name}", QUESTIONS[name][1]
    try:
        found = alone(lake.folder, name)
    except Refused as refusal:
        if most is None:
            print(f"{'':9}{what:72}   refused  ({refusal})", flush=True)
        else:
            said.say(f"{what}: memory ({refusal})", math.inf, most=most, unit="MB")
        return
    if most is None:
        print(f"{'':9}{what:72}{found.mb:10,.0f} MB  ({found})", flush=True)
    else:
        said.say(f"{what}: memory ({found})", found.mb, most=most, unit="MB")


def growth(lake: MadeLake, larger: MadeLake, runs: int, said: Verdicts) -> None:
    """How CPU and memory grow with the events, each question in a process of its own, one lake after the other."""
    for name in GROWING:
        rounds = [(alone(lake.folder, name), alone(larger.folder, name)) for _ in range(runs)]
        few, many = (statistics.median(each.cpu for each in costs) for costs in zip(*rounds, strict=True))
        times = larger.events / lake.events
        what = f"{lake.events:,} to {larger.events:,} events, {name} ({few:.2f} to {many:.2f} CPU s)"
        said.say(what, many / few, most=6 * times / 5, unit="x")
        most = QUESTIONS[name][1]
        said.say(
            f"{larger.events:,} events, {name}: memory",
            max(each.mb for _, each in rounds),
            most=most,
            unit="MB",
        )
    for name, (_, most) in QUESTIONS.items():
        if most is not None and name not in GROWING:
            say_alone(larger, name, said)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--events", type=int, default=20_000_000)
    options.add_argument(
        "--more", type=int, default=100_000_000, help="and how cost and memory grow to so many; 0: not asked"
    )
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--keep", type=Path, help="leave the made-up lakes and tables here for the next run")
    options.add_argument("--only", help="peers, kept, steps, limits or growth")
    given = options.parse_args()
    said = Verdicts()
    with tempfile.TemporaryDirectory() as made:
        scratch = given.keep or Path(made)
        with made_lake(given.keep, scratch, given.events) as lake:
            began = time.process_time()
            summaries = summarize_folder(open_folder(lake.folder))
            print(f"{summaries} summaries made, with {time.process_time() - began:.1f} s of CPU")
            tables = scratch / f"clickhouse-{given.events}"
            tables.mkdir(parents=True, exist_ok=True)
            parts: dict[str, Callable[[], Any]] = {
                "peers": lambda: beside_clickhouse(lake, tables, given.runs, said),
                "kept": lambda: kept(lake, given.runs, said),
                "steps": lambda: steps(lake, given.runs, said),
                "limits": lambda: limits(lake, said),
            }
            for name, part in parts.items():
                if given.only in (None, name):
                    part()
            if given.more and given.only in (None, "growth"):
                if shutil.disk_usage(scratch).free < given.more * BYTES_PER_EVENT:
                    print(f"no room on the disk for {given.more:,} events")
                else:
                    with made_lake(given.keep, scratch, given.more) as larger:
                        summarize_folder(open_folder(larger.folder))
                        growth(lake, larger, given.runs, said)
    print(f"{said.missed} not held")


if __name__ == "__main__":
    main()
