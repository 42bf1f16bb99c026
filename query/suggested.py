"""Suggested selectors, ranked by replaying history: every candidate is asked of all that ever happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from expost.clock import from_micros
from expost.errors import InvalidInput, UnknownName

from .alternative import Alternative
from .answer import Answer
from .candidate import Candidate, Kind, candidates, tokens, type_selector
from .chain import chains
from .condition import CompiledDefinition, compile_definition
from .control import level_meant, says_its_words
from .definition import Definition
from .level import Level
from .pattern import Pattern
from .question import Question, refuse_outside
from .ranking import Ranked, SameThing, Tally, ranked
from .reading import Reading
from .selector_parser import parse
from .selector_sql import compile_selector
from .statement import Fragment, expressions
from .token import Lives, TokenLife, is_generated, is_state

HISTORY = timedelta(days=90)
"""How far back candidates are asked about."""
SAY: Mapping[str, float] = {
    "test id": 2.0, "id": 2.0, "name": 1.5, "address": 1.5, "text": 1.5, "data": 1.0, "class": 1.0, "around": 0.5,
    "place": 0.5,
}  # fmt: skip
"""How much each kind of candidate has to say in what is the same thing."""
LEAST_SHARE = 0.98
"""Of the days of a thing, on which a word of it has to be there so that it is not said to come and go."""
MAX_SUGGESTIONS = 40


@dataclass(frozen=True, slots=True)
class Suggestions(Question):
    """Selectors for one element, ranked by what each would have gathered.

    The element is that of an event (`event_id`), one of history (`element`, its id), or one of a `chain` as a page has
    it now, with the words on it (`text`), its `page` (host and path) and the `kind` of event. `level` counts ancestors
    from the target outwards; without it the nearest control is meant.
    """

    event_id: str | None = None
    element: str | None = None
    chain: tuple[Level, ...] = ()
    level: int | None = None
    kind: str = "click"
    text: str | None = None
    page: str = ""
    limit: int = 8

    def __post_init__(self) -> None:
        given = [self.event_id is not None, self.element is not None, bool(self.chain)]
        if given.count(True) != 1:
            raise InvalidInput(
                "Suggestions are for one element.", hint="Give the id of an event, or that of an element."
            )
        refuse_outside("Suggestions are", self.limit, 1, MAX_SUGGESTIONS, "selectors")
        if self.chain and not 0 <= (self.level or 0) < len(self.chain):
            raise InvalidInput(
                f"The chain has no level {self.level}.", hint=f"Levels are 0 to {len(self.chain) - 1}."
            )


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One suggested selector, with the text to ask for beside it if that is what tells the element apart.

    `events` and `days` are those of the thing that is meant, `other_events` and `other_things` of what it gathers
    besides; `page_things` are the different things on the page of the event that it matches. `score` is in 0 to 1.
    """

    selector: str
    text: str | None
    kind: Kind
    reason: str
    score: float
    events: int
    days: int
    releases: int
    other_events: int
    other_things: int
    page_things: int


@dataclass(frozen=True, slots=True)
class AvoidedToken:
    """An id or class that the element has and that no suggestion should rest on, and why."""

    token: str
    why: str


@dataclass(frozen=True, slots=True)
class SuggestionsAnswer(Answer):
    """Suggested selectors for one element, the best first.

    `events`, `days` and `releases` are those of the thing as history knows it by all of its words, and `page_things`
    how many different things of its tag were seen on its page.
    """

    element: str
    level: int
    kind: str
    events: int
    days: int
    releases: int
    page_things: int
    suggestions: tuple[Suggestion, ...]
    avoided: tuple[AvoidedToken, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row per suggestion."""
        return [
            {"selector": each.selector, "text": each.text, "score": each.score, "events": each.events,
             "days": each.days, "other_events": each.other_events, "reason": each.reason}
            for each in self.suggestions
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Meant:
    """What somebody means: the chain from the element outwards, the words on it, its page, the type of event."""

    chain: tuple[Level, ...]
    level: int
    kind: str
    text: str | None
    page: str


def suggested(reading: Reading, question: Suggestions) -> SuggestionsAnswer:
    """The candidates for the element that is meant, ranked by what they would have gathered."""
    meant = _meant(reading, question)
    since = from_micros(reading.now) - HISTORY
    lives = token_lives(reading, meant.chain, since)
    found = candidates(meant.chain, meant.text, lives)
    tallies, same = _replay(reading, meant, found, since)
    best = ranked(found, tallies, same)
    return SuggestionsAnswer(
        question=question,
        basis=reading.basis(notes=[_note(same), *reading.counting.notes()]),
        element=meant.chain[0].descriptor,
        level=meant.level,
        kind=meant.kind,
        events=same.events,
        days=same.days,
        releases=same.releases,
        page_things=same.page_things,
        suggestions=tuple(_suggestion(each) for each in best[: question.limit]),
        avoided=tuple(_avoided(meant.chain[0], lives, best, same)),
    )


def token_lives(reading: Reading, chain: Sequence[Level], since: datetime) -> Lives:
    """What history says of the ids and classes of a chain."""
    ids, classes = tokens(chain)
    if not ids and not classes:
        return {}
    rows = reading.run("token_lives.sql", {"ids": ids, "classes": classes, "since": since})
    return {token: TokenLife(*counts) for token, *counts in rows}


def _meant(reading: Reading, question: Suggestions) -> _Meant:
    if question.chain:
        chain, level = question.chain, question.level or 0
        text = question.text if level == 0 or says_its_words(chain[level]) else None
        return _Meant(chain[level:], level, question.kind, text, question.page)
    event = _event(reading, question)
    chain = chains(reading, "chosen").get(event["placement_id"], ())
    if not chain:
        raise InvalidInput(
            f"The event {event['event_id']} happened on no element, so there is nothing to point at.",
            hint="Events with an element: clicks, changes, submits and what capture adds to them.",
        )
    level = level_meant(chain) if question.level is None else question.level
    if not 0 <= level < len(chain):
        raise InvalidInput(
            f"This event's element has no ancestor {level}.", hint=f"Levels are 0 to {len(chain) - 1}."
        )
    said = event["label"] or event["text"]
    text = said if said and (level == 0 or says_its_words(chain[level])) else None
    page = (event["host"] or "") + (event["path"] or "")
    return _Meant(chain[level:], level, event["type"], text, page)


def _event(reading: Reading, question: Suggestions) -> dict[str, Any]:
    """The event that was named, or the latest one on the element that was; its element is in the relation `chosen`."""
    is_event = question.event_id is not None
    where = "event_id = $wanted" if is_event else "cast(element_id as varchar) = $wanted"
    value = question.event_id if is_event else question.element
    reading.execute(
        "create or replace temp table chosen as\n"
        "select event_id, coalesce(placement_id, element_id) as placement_id, type, label, text, host, path\n"
        f"from lake.events where site = $site and {where} order by time desc, event_id limit 1;",
        {"wanted": value},
    )
    rows = reading.execute("select * from chosen;", {})
    if not rows:
        what = "event" if is_event else "element"
        raise UnknownName(what, str(value), [], list_with="expost live, or GET /api/v1/live")
    return dict(zip(reading.columns(), rows[0], strict=True))


def _replay(
    reading: Reading, meant: _Meant, found: Sequence[Candidate], since: datetime
) -> tuple[dict[int, Tally], SameThing]:
    """What each candidate gathered, by its place in `found`, and what the thing itself did."""
    every = type_selector(meant.chain[0])
    selectors = list(dict.fromkeys([*(each.selector for each in found), every]))
    compiled = [compile_selector(parse(each), prefix=f"s{number}") for number, each in enumerate(selectors)]
    whole = compiled[selectors.index(every)]
    text = next((each.text for each in found if each.text), None)
    said = _said(text) if text else None
    values: dict[str, Any] = {"type": meant.kind, "since": since} | dict(said.parameters if said else {})
    for each in compiled:
        values |= each.parameters
    reading.run(
        "happened.sql",
        values,
        whole={
            "expressions": expressions(whole.ctes),
            "id": Fragment(whole.grain.id),
            "of_event": Fragment(whole.grain.of_event),
            "subjects": Fragment(whole.subjects),
        },
        candidates=[
            {
                "number": number,
                "expressions": expressions(each.ctes),
                "holds": Fragment(each.holds(each.surely)),
            }
            for number, each in enumerate(compiled)
        ],
        said=said,
        by_subject=meant.text is None,
    )
    every_one = Candidate(every, "type", "", 1, 0)
    asked = [*found, every_one]
    rows = reading.run(
        "replay.sql",
        {
            "selectors": [selectors.index(each.selector) for each in asked],
            "kinds": [_voice(each) for each in asked],
            "weights": [SAY.get(_voice(each), 0.0) * each.stays for each in asked],
            "needs_text": [each.text is not None for each in asked],
            "page": meant.page,
        },
    )
    tallies = {number: Tally(*counts) for number, *counts in rows}
    own, page = tallies.pop(-1, Tally()), tallies.pop(len(found), Tally()).page_things
    same = SameThing(
        meant.chain[0].tag, own.same_events, own.same_days, own.same_releases, own.same_things, page
    )
    return tallies, same


def _said(text: str) -> CompiledDefinition:
    alternative = Alternative(text=Pattern("is", text))
    return compile_definition(Definition("said", (alternative,)), "said")


def _voice(candidate: Candidate) -> str:
    """What a candidate speaks for: where its own words are none, what is around it does."""
    if candidate.kind != "type":
        return candidate.kind
    return "around" if candidate.is_anchored else "type"


def _note(same: SameThing) -> str:
    if not same.events:
        return "Nothing has happened on this element yet, so the suggestions go by looks."
    return (
        f"Each candidate was asked about the {HISTORY.days} days before now; the same thing is what most of its words "
        "agree on. Bots, internal devices and other environments are left out as elsewhere."
    )


def _suggestion(each: Ranked) -> Suggestion:
    candidate, tally = each.candidate, each.tally
    return Suggestion(
        candidate.selector, candidate.text, candidate.kind, each.reason, each.score, tally.same_events,
        tally.same_days, tally.same_releases, tally.other_events, tally.other_things, tally.page_things,
    )  # fmt: skip


def _avoided(level: Level, lives: Lives, best: Sequence[Ranked], same: SameThing) -> list[AvoidedToken]:
    """The element's own id and classes that no suggestion should rest on."""
    found = []
    names = [f"#{level.dom_id}"] if level.dom_id else []
    for token in [*names, *(f".{name}" for name in level.classes)]:
        alone = next((each.tally for each in best if each.candidate.words.endswith(f" {token}")
                      and not each.candidate.is_anchored and " and " not in each.candidate.words), None)  # fmt: skip
        life = lives.get(token)
        why = _why_avoided(token[1:], life, alone, same)
        if why:
            found.append(AvoidedToken(token, why))
    return found


def _why_avoided(name: str, life: TokenLife | None, alone: Tally | None, same: SameThing) -> str:
    if life is not None and life.is_of_one_build:
        return f"there in one of the {life.page_releases:,} releases of its pages"
    if alone is not None and same.events and alone.same_events < LEAST_SHARE * same.events:
        return f"comes and goes: there at {alone.same_events:,} of {same.events:,} events"
    if is_state(name):
        return "says a state, which comes and goes"
    is_old = life is not None and life.is_established
    return "looks drawn by lot at each build" if is_generated(name) and not is_old else ""
