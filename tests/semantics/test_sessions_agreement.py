"""Sessions of the engine and of the oracle, which walks the events of each device, on random stories."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from expost.clock import from_micros, to_micros
from expost.query.form import property_of
from expost.query.session_detail import SessionAnswer, SessionDetail
from expost.query.sessions import Sessions, SessionsAnswer
from tests.semantics.engine import answer_of, definition_of, matcher_of
from tests.semantics.happening import Happening
from tests.semantics.oracle import BY_DEFAULT, Oracle
from tests.semantics.oracle_sessions import Plan, Told, figures, percentile, sessions
from tests.semantics.stories import FIRST, MINUTE, STEPS, agreement, edges, stories

GRAIN = 10 * MINUTE
USERS = {f"u{number}" for number in range(1, 5)}


@agreement
@given(
    story=stories(most=16).flatmap(lambda told: edges(told, most=3).map(lambda said: [*told, *said])),
    range_=st.tuples(st.none() | st.integers(0, 6), st.none() | st.integers(7, 13)),
    now=st.integers(7, 14),
    gap=st.sampled_from((10, 17, 30)),
    did=st.lists(st.sampled_from(STEPS), max_size=2),
    person=st.none() | st.sampled_from(("u1", "u2")),
    is_pro=st.booleans(),
)
def test_sessions_are_what_walking_each_device_finds(
    story: list[Happening],
    range_: tuple[int | None, int | None],
    now: int,
    gap: int,
    did: list[str],
    person: str | None,
    is_pro: bool,
) -> None:
    start, end = (None if edge is None else FIRST + GRAIN * edge for edge in range_)
    moment = FIRST + GRAIN * now
    oracle = Oracle(story, unit="session", gap=gap * MINUTE)
    asked = None if person is None or person not in {each.user for each in story} else person
    plan = Plan(
        start,
        end,
        tuple(map(matcher_of, did)),
        None if asked is None else f"user {min(oracle.users_of(asked))}",
        lambda event: not is_pro or '"pro"' in event.columns["properties"],
    )
    by_hand = sessions(oracle, BY_DEFAULT, plan, moment)
    answer = answer_of(
        story,
        Sessions(
            did=tuple(map(definition_of, did)),
            person=asked,
            properties=(property_of("plan=pro"),) if is_pro else (),
            gap=timedelta(minutes=gap),
            start=None if start is None else from_micros(start),
            end=None if end is None else from_micros(end),
            now=from_micros(moment),
        ),
    )
    assert isinstance(answer, SessionsAnswer)
    said = {name: getattr(answer.figures, name) for name in figures(by_hand)}
    assert said == figures(by_hand)
    lengths = [each.lasted for each in by_hand]
    assert [each.duration_ms for each in answer.figures.lengths] == [
        None if (length := percentile(lengths, each.percentile)) is None else length / 1_000
        for each in answer.figures.lengths
    ]
    assert sum(each.sessions for each in answer.periods) == len(by_hand)
    _same_list(answer, by_hand)
    for each in answer.sessions[:1]:
        _opens(story, answer, each.session_id, by_hand)


def _same_list(answer: SessionsAnswer, by_hand: list[Told]) -> None:
    def row(told: Told) -> tuple[object, ...]:
        pages = [each.path for each in told.counted if each.path is not None]
        seen = [f"{each.flag}={each.variation}" for each in told.counted if each.type == "exposure"]
        return (
            told.everything[0].device,
            told.began,
            told.lasted,
            len(told.counted),
            pages[0] if pages else None,
            pages[-1] if pages else None,
            sorted(set(seen)),
        )

    said = [
        (
            each.device,
            to_micros(each.began_at),
            round(each.duration_ms * 1_000),
            each.events,
            each.entry_page,
            each.exit_page,
            sorted(each.variations),
        )
        for each in answer.sessions
    ]
    assert sorted(said, key=str) == sorted(map(row, by_hand), key=str)
    assert [each.began_at for each in answer.sessions] == sorted(
        (each.began_at for each in answer.sessions), reverse=True
    )


def _opens(story: list[Happening], answer: SessionsAnswer, id_: str, by_hand: list[Told]) -> None:
    """The session opened has the events of its device, all of them and in their order."""
    question = answer.question
    assert isinstance(question, Sessions)
    opened = answer_of(story, SessionDetail(id_, gap=question.gap, now=question.now))
    assert isinstance(opened, SessionAnswer)
    assert opened.session == answer.sessions[0]
    [told] = [
        each
        for each in by_hand
        if (each.everything[0].device, each.began)
        == (opened.session.device, to_micros(opened.session.began_at))
    ]
    assert [each.event_id for each in opened.events] == [each.event_id for each in told.everything]
    assert opened.total == len(told.everything)
