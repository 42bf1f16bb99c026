"""Samples: whole units, the same ones whatever is asked, counts as estimates whose intervals hold."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from scipy.stats import binom, hypergeom

from expost.errors import InvalidInput, NotBuilt
from expost.history.mapping import mapping_of
from expost.history.sources import mapped_source
from expost.ids import keyed_hash
from expost.lake.reader import connect
from expost.query.analysis import Analysis
from expost.query.cohort import Cohort, Did
from expost.query.definition import definition
from expost.query.estimate import Estimate, EstimatedShare, estimate, share_estimate
from expost.query.funnel import Funnel, FunnelAnswer, FunnelPeople
from expost.query.preview import Preview
from expost.query.question import Question
from expost.query.retention import Retention
from expost.query.sampling import OF_EVENTS, OF_UNITS
from expost.query.share import PARTS
from expost.query.stickiness import Stickiness
from expost.query.trend import Trend
from expost.query.unit import Unit
from expost.table import percent
from expost.ui.format import share
from tests.history.importing import run
from tests.serving import make_site

NOW = datetime(2026, 4, 1, tzinfo=UTC)
SEEN, PAID = definition("Seen", track="Seen"), definition("Paid", track="Paid")
PEOPLE = 600
OUTSIDE = ("sampled", "definitions", "question", "proof")
QUESTIONS: tuple[Question, ...] = (
    Funnel((SEEN, PAID), timedelta(days=7), now=NOW),
    Retention(SEEN, SEEN, "day", 3, now=NOW),
    Trend(SEEN, "day", now=NOW),
    Stickiness(SEEN, "day", now=NOW),
)


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analysis]:
    """Many people: all see something on one to four days, a third of them pay."""
    place = tmp_path_factory.mktemp("sample")
    rows = [
        f"2026-03-0{2 + day} 10:00,u{person},{'Paid' if person % 3 == 0 and day == 1 else 'Seen'}"
        for person in range(PEOPLE)
        for day in range(1 + person % 4)
    ]
    (place / "log.csv").write_text("\n".join(["at,who,what", *rows]), "utf-8")
    # Who is in a sample follows from the secret: always the same people here.
    make_site(place / "data")
    (place / "data" / "secret").write_text("07" * 32 + "\n", "ascii")
    mapping = mapping_of({"time": "at", "user": "who", "event": "what"})
    run(place / "data", mapped_source("csv", [place / "log.csv"], mapping))
    opened = Analysis(place / "data")
    yield opened
    opened.close()


def _numbers(value: Any) -> Iterator[tuple[str, int]]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name not in ("sampled", "elapsed_ms", "snapshot", "parameters", "definitions"):
                yield from ((f"{name}.{place}", number) for place, number in _numbers(each))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from ((f"{number}.{place}", found) for place, found in _numbers(each))
    elif type(value) is int or isinstance(value, Estimate):
        yield "", value


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: type(question).__name__)
def test_the_counts_are_those_of_the_chosen_people_divided_by_their_share(
    analysis: Analysis, question: Any
) -> None:
    answer: Any = analysis.ask(replace(question, sample=0.2))
    with connect(analysis.folder.path) as connection:
        [chosen] = connection.execute(
            "select count(distinct person_id) from lake.events_of_people where abs(person_id % 10000) < 2000"
        ).fetchone() or (0,)
    assert 60 < chosen < 200
    said = answer.to_json()["sampled"]
    assert said["rate"] == 0.2
    assert max(count["sample"] for count in said["counts"].values()) >= chosen
    for count in said["counts"].values():
        assert count["estimate"] == count["sample"] * 5
        assert count["low"] is None or count["low"] <= count["estimate"] <= count["high"]
    json.dumps(answer.to_json())
    assert any("sample of 0.2" in note for note in answer.notes)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: type(question).__name__)
def test_the_exact_counts_lie_in_nearly_all_intervals(analysis: Analysis, question: Any) -> None:
    exact = dict(_numbers(analysis.ask(question).to_json()))
    said = analysis.ask(replace(question, sample=0.5)).to_json()
    places = {place.rstrip("."): number for place, number in exact.items()}
    judged = [
        count["low"] <= places.get(place, 0) <= count["high"]
        for place, count in said["sampled"]["counts"].items()
        if count["low"] is not None
    ]
    assert judged
    assert sum(judged) >= 0.8 * len(judged)


def test_so_many_in_both_groups_of_a_comparison_are_an_estimate_too(analysis: Analysis) -> None:
    analysis.define(PAID)
    paid = Cohort("Paid", did=(Did("Paid"),))
    asked = replace(cast(Funnel, QUESTIONS[0]), compare=paid, sample=0.2)
    answer = analysis.ask(asked)
    assert isinstance(answer, FunnelAnswer)
    assert answer.compared is not None
    counts = answer.to_json()["sampled"]["counts"]
    assert counts["shared_people"] == counts["compared.steps.0.people"]
    assert 0 < counts["shared_people"]["sample"] < counts["shared_people"]["estimate"]
    assert "The two groups compared may share people." in answer.notes


def test_an_exact_answer_says_that_it_is_no_sample(analysis: Analysis) -> None:
    assert analysis.ask(QUESTIONS[0]).to_json()["sampled"] is None
    whole = analysis.ask(replace(QUESTIONS[0], sample=1.0))
    assert whole.to_json()["steps"] == analysis.ask(QUESTIONS[0]).to_json()["steps"]


def test_the_people_of_a_sample_are_listed_as_they_are(analysis: Analysis) -> None:
    funnel = replace(QUESTIONS[0], sample=0.2)
    assert isinstance(funnel, Funnel)
    opened: Any = analysis.ask(FunnelPeople(funnel, 2))
    answer: Any = analysis.ask(funnel)
    assert opened.total == answer.steps[1].people.sample
    assert any("that of the sample" in note for note in opened.notes)


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (replace(QUESTIONS[0], sample=0.0), InvalidInput),
        (replace(QUESTIONS[0], sample=1.5), InvalidInput),
        (Preview(SEEN, sample=0.1), NotBuilt),
        (Funnel((SEEN, PAID), timedelta(days=1), unit=Unit("session"), sample=0.1), NotBuilt),
    ],
)
def test_what_cannot_be_estimated_is_refused(
    analysis: Analysis, question: Question, error: type[Exception]
) -> None:
    with pytest.raises(error):
        analysis.ask(question)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("count", [40, 400, 4_000])
def test_intervals_hold_as_often_as_they_say(rate: float, count: int) -> None:
    held = 0.0
    for sample in range(count + 1):
        probability = float(binom.pmf(sample, count, rate))
        if probability > 1e-9:
            found = estimate(sample, rate)
            assert found.low is not None
            assert found.high is not None
            held += probability * (found.low <= count <= found.high)
    # What is whole cannot hold exactly so often; Wilson's interval is closest.
    assert held >= 0.92


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.8])
@pytest.mark.parametrize("part", [20, 400])
def test_intervals_of_shares_hold_as_often_as_they_say(rate: float, part: int) -> None:
    everyone = 1_000
    held, whole = 0.0, round(everyone * rate)
    for found in range(whole + 1):
        probability = float(hypergeom.pmf(found, everyone, part, whole))
        if probability > 1e-9:
            share = share_estimate(found, whole, rate)
            assert share is not None
            held += probability * (share.low <= part / everyone <= share.high)
    # Of few the steps are coarse: it is less for some numbers, and more for others.
    assert held >= 0.91


def test_units_that_hashes_choose_are_a_sample_like_any_other() -> None:
    held, totals = 0, []
    for number in range(300):
        secret = number.to_bytes(32, "little")
        ids = [keyed_hash(secret, "user", "shop", f"u{person}") for person in range(200)]
        # As DuckDB has it, the rest of a negative number is negative.
        chosen = sum(abs(math.fmod(id_, PARTS)) < 0.2 * PARTS for id_ in ids)
        found = estimate(chosen, 0.2)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 200 <= found.high
        totals.append(chosen)
    # 40 of each 200 on average, with the deviation of a binomial; intervals of 95 % held in 92 to 98 % of 300.
    assert abs(sum(totals) / len(totals) - 40) < 4 * math.sqrt(200 * 0.2 * 0.8 / 300)
    assert 0.91 <= held / 300 <= 0.985


def test_sums_and_shares_of_estimates_are_estimates() -> None:
    parts = [estimate(20, 0.1), estimate(30, 0.1)]
    whole = sum(parts)
    assert f"{whole:,}" == f"{estimate(50, 0.1):,}"
    assert f"{whole - parts[0]:,}" == f"{parts[1]:,}"
    assert f"{percent(parts[0] / whole)}" == "≈40.0 % (28.2–53.1)"
    assert f"{share(parts[0] / whole, 1)} {share(parts[0], whole)}" == "≈40.0% (28.2%–53.1%) ≈40.0%"
    # Without an interval there is none for the sum either, and what is no part of it has no share of it.
    assert f"{estimate(7, 0.1, is_of_units=False) + parts[0]:,}" == "≈270"
    assert type(whole / parts[0]) is float


def test_an_answer_of_a_sample_shows_no_count_or_share_that_looks_exact(analysis: Analysis) -> None:
    for question in QUESTIONS:
        answer: Any = analysis.ask(replace(question, sample=0.2))
        said = answer.to_json()
        counts = {place: count["estimate"] for place, count in said["sampled"]["counts"].items()}
        wrong = [
            place
            for place, _ in _numbers({name: each for name, each in said.items() if name not in OUTSIDE})
            if place.rstrip(".").rpartition(".")[2] in OF_UNITS | OF_EVENTS
            and place.rstrip(".") not in counts
        ]
        assert not wrong, (question, wrong)
    funnel: Any = analysis.ask(replace(QUESTIONS[0], sample=0.2))
    paid = funnel.steps[1]
    assert isinstance(paid.share, EstimatedShare)
    assert (paid.share.n, float(paid.share)) == (
        funnel.steps[0].people.sample,
        paid.people.sample / paid.share.n,
    )
    exact: Any = analysis.ask(QUESTIONS[0])
    assert paid.share.low < exact.steps[1].share < paid.share.high
    assert type(funnel.steps[0].share) is float
    told = funnel.to_json()["sampled"]["shares"]["steps.1.share"]
    assert told == {
        "n": paid.share.n,
        "estimate": float(paid.share),
        "low": paid.share.low,
        "high": paid.share.high,
    }


def test_what_a_definition_matched_is_estimated_from_the_sample_too(analysis: Analysis) -> None:
    trend: Any = analysis.ask(replace(QUESTIONS[2], sample=0.5))
    exact: Any = analysis.ask(QUESTIONS[2])
    (sampled,), (whole,) = trend.basis.definitions, exact.basis.definitions
    assert (whole.events, whole.unknown) == (exact.events, 0)
    assert sampled.events == trend.events


def test_nobody_in_the_sample_is_not_nobody_at_all() -> None:
    none = estimate(0, 0.1)
    assert (int(none), none.low, none.high) == (0, 0, 35)


def test_an_estimate_says_that_it_is_one_and_travels_between_processes() -> None:
    found = estimate(1_234, 0.1)
    assert f"{found:,}" == f"≈12,340 ({found.low:,}–{found.high:,})"
    assert f"{estimate(7, 0.1, is_of_units=False):,}" == "≈70"
    assert json.dumps([found]) == "[12340]"
    again = pickle.loads(pickle.dumps(found))
    assert (again, again.sample, again.low, again.high) == (12_340, 1_234, found.low, found.high)
