"""Health: which saved definitions have fallen silent, by a test of their rate, and what may have taken their place."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from expost.clock import from_micros

from .alternative import Alternative
from .answer import Answer, LeftOut, as_row
from .chain import chains
from .control import level_meant, says_its_words
from .definition import Definition, definition
from .matched import match
from .question import Question, refuse_outside
from .rate import fallen_rate
from .reading import Reading, at
from .suggestion import suggestion
from .token import is_whole

DAY = 86_400_000_000
WINDOWS = (1, 3, 7)
"""The stretches before now, in days, in which a definition may have fallen silent."""
BASE_DAYS = 28
"""So many days before them are what is usual."""
CHANCE = 0.001
"""How probable it may be, over all definitions and windows together, that one is called broken by chance."""
BROKEN, FALLEN = 0.2, 0.7
"""Below which share of what was to be expected a definition is broken, or has fallen."""
BORN_EARLY = timedelta(days=1)
"""So long before the last match the new element may have come: a change reaches some pages before others."""
MOST_ALTERNATIVES_AT_ONCE = 20
"""Of so many alternatives one statement asks, if they are not of one definition: each takes memory of the engine."""
MOST_BORN = 200
MOST_REPAIRS = 3
PAGES = Definition("page views", (Alternative(types=("page_view",)),))
RULE = (
    "People a day, against the 28 days before and in proportion to the people who viewed pages. Broken or fallen: so "
    "few come by chance once in a thousand askings, over all definitions together."
)


@dataclass(frozen=True, slots=True)
class Health(Question):
    """Whether saved definitions still find what they found: in the last `days`, or else in the last 1, 3 and 7."""

    days: int | None = None

    def __post_init__(self) -> None:
        if self.days is not None:
            refuse_outside("The health of definitions is that of", self.days, 1, 90, "days")


@dataclass(frozen=True, slots=True)
class Repair:
    """What seems to have taken a definition's place: `events` since `first_seen`, and `why` it is offered."""

    kind: str
    selector: str
    text: str | None
    events: int
    first_seen: datetime
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class DefinitionHealth:
    """How a definition does. People are counted once a day; `expected` is at the rate of the 28 days before.

    `state`: `broken`, `fallen`, `as usual`, `too little` to tell, or `never` matched in that time. `chance` is how
    probable so few are if nothing has changed.
    """

    name: str
    state: str
    days: int
    recent: int
    expected: float
    chance: float
    last_seen: datetime | None
    repairs: tuple[Repair, ...] = ()

    def command(self, repair: Repair) -> str:
        """What makes the repair: another version, valid from when the new element was first seen."""
        text = ["--text", f"is:{repair.text}"] if repair.text else []
        since = f"{repair.first_seen:%Y-%m-%d}"
        words = [
            "expost",
            "define",
            self.name,
            f"--{repair.kind}",
            repair.selector,
            *text,
            "--valid-from",
            since,
        ]
        return shlex.join(words)


@dataclass(frozen=True, slots=True)
class HealthAnswer(Answer):
    """The health of every definition in use, those in trouble first."""

    states: tuple[DefinitionHealth, ...]

    def rows(self) -> list[dict[str, Any]]:
        """One row per definition."""
        return [
            {name: value for name, value in as_row(each).items() if name != "repairs"} for each in self.states
        ]


@dataclass(frozen=True, slots=True)
class _Days:
    """People and events of one thing by how many days ago, and when it was met last."""

    people: Mapping[int, int]
    last: int | None = None

    def between(self, low: int, high: int) -> int:
        """The people of each of these days."""
        return sum(count for age, count in self.people.items() if low <= age < high)


ORDER = ("broken", "fallen", "too little", "never", "as usual")


def health(reading: Reading, question: Health) -> HealthAnswer:
    """Every saved definition in use, tested, with repairs for those that are broken."""
    saved = sorted(reading.saved(), key=lambda each: each.name.casefold())
    windows = WINDOWS if question.days is None else (question.days,)
    whole = max(windows) + BASE_DAYS
    level = CHANCE / (len(windows) * max(1, len(saved)))
    portions = _portions(saved)
    left_out: tuple[LeftOut, ...] = ()
    states: list[DefinitionHealth] = []
    for number, portion in enumerate(portions):
        matched = match(
            reading,
            [*portion, PAGES],
            keep=("type", "label", "path"),
            bounds=(reading.now - whole * DAY, reading.now + 1),
            has_positions=False,
        )
        left_out = left_out if number else matched.left_out
        days = _days(reading)
        traffic = days.get(len(portion) + 1) or _Days(dict.fromkeys(range(whole), 1))
        found = [
            _judged(each.name, days.get(step, _Days({})), traffic, windows, level)
            for step, each in enumerate(portion, 1)
        ]
        olds = {step: _old(reading, step) for step, each in enumerate(found, 1) if each.state == "broken"}
        states += [
            replace(each, repairs=_repairs(reading, portion[step - 1], each, olds[step]))
            if step in olds
            else each
            for step, each in enumerate(found, 1)
        ]
    return HealthAnswer(
        question=question,
        basis=reading.basis(
            left_out=left_out, notes=[RULE, *_left_out_note(portions), *reading.counting.notes()]
        ),
        states=tuple(sorted(states, key=lambda each: ORDER.index(each.state))),
    )


def _portions(saved: Sequence[Definition]) -> list[tuple[Definition, ...]]:
    """The definitions in portions that the engine has memory for: of so many alternatives, or of one definition."""
    portions: list[tuple[Definition, ...]] = [()]
    room = MOST_ALTERNATIVES_AT_ONCE
    for each in saved:
        if portions[-1] and len(each.alternatives) > room:
            portions.append(())
            room = MOST_ALTERNATIVES_AT_ONCE
        portions[-1] = (*portions[-1], each)
        room -= len(each.alternatives)
    return portions


def _left_out_note(portions: Sequence[Sequence[Definition]]) -> list[str]:
    """What the events that are left out belong to, where the definitions were asked for in several portions."""
    if len(portions) == 1:
        return []
    return [f"What is left out is told of page views and the first {len(portions[0])} definitions."]


def _days(reading: Reading) -> dict[int, _Days]:
    people: dict[int, dict[int, int]] = {}
    last: dict[int, int] = {}
    for step, age, count, _, moment in reading.run("health.sql", {}):
        people.setdefault(step, {})[age] = count
        last[step] = max(moment, last.get(step, moment))
    return {step: _Days(found, last[step]) for step, found in people.items()}


def _judged(name: str, days: _Days, traffic: _Days, windows: Sequence[int], level: float) -> DefinitionHealth:
    """The window in which so few are least probable, and what that says."""
    tested = []
    for window in windows:
        recent, before = days.between(0, window), days.between(window, window + BASE_DAYS)
        recent_traffic = traffic.between(0, window)
        usual_traffic = traffic.between(window, window + BASE_DAYS)
        if not usual_traffic or not recent_traffic:
            continue
        expected = before * recent_traffic / usual_traffic
        chance = fallen_rate(recent, recent_traffic, before, usual_traffic)
        could_tell = fallen_rate(0, recent_traffic, before, usual_traffic) <= level
        tested.append((chance, window, recent, expected, could_tell))
    last = at(days.last)
    if not tested or days.last is None:
        return DefinitionHealth(name, "never", windows[-1], 0, 0.0, 1.0, last)
    chance, window, recent, expected, _ = min(tested)
    state = "as usual"
    if chance <= level and recent < FALLEN * expected:
        state = "broken" if recent <= BROKEN * expected else "fallen"
    elif not any(each[-1] for each in tested):
        state = "too little"
    return DefinitionHealth(name, state, window, recent, expected, chance, last)


@dataclass(frozen=True, slots=True)
class _Old:
    """What a definition matched while it did."""

    types: frozenset[str]
    words: frozenset[str]
    paths: frozenset[str]


def _old(reading: Reading, step: int) -> _Old:
    rows = reading.run("health_old.sql", {"step": step})
    words = frozenset(said for _, said, _, _ in rows if said and is_whole(said))
    return _Old(frozenset(row[0] for row in rows), words, frozenset(row[2] for row in rows))


def _repairs(reading: Reading, broken: Definition, found: DefinitionHealth, old: _Old) -> tuple[Repair, ...]:
    """New elements with the old words, or without words on the old pages; the likeliest first."""
    if found.last_seen is None or not any(each.selector for each in broken.alternatives):
        return ()
    since = found.last_seen - BORN_EARLY
    rows = reading.run("health_born.sql", {"types": sorted(old.types), "since": since, "most": MOST_BORN})
    alike = [
        row for row in rows if row[1] in old.words or (not old.words and not row[1] and row[2] in old.paths)
    ]
    best = sorted(alike, key=lambda row: (row[2] in old.paths, row[4]), reverse=True)[:MOST_REPAIRS]
    reading.execute(
        "create or replace temp table chosen as select unnest($places) as placement_id;",
        {"places": [row[3] for row in best]},
    )
    by_placement = chains(reading, "chosen")
    return tuple(
        _repair(reading, row, by_placement[row[3]], found, is_same_page=row[2] in old.paths)
        for row in best
        if row[3] in by_placement
    )


def _repair(
    reading: Reading,
    row: Sequence[Any],
    chain: Sequence[Any],
    broken: DefinitionHealth,
    *,
    is_same_page: bool,
) -> Repair:
    kind, said, path, _, events, first = row
    place = level_meant(chain)
    selector = suggestion(chain[place:])
    tells_words = bool(said) and says_its_words(chain[place]) and kind in ("click", "change", "submit")
    text = said if tells_words and _count(reading, kind, selector, first) > events else None
    seen = from_micros(first)
    assert broken.last_seen is not None
    page = f"on {path}" if is_same_page else f"now on {path}"
    words = f"says “{said}” as before, {page}" if said else f"stands {page}, and says nothing either"
    when = (
        f"first seen {seen:%Y-%m-%d %H:%M}, when the old one was last seen {broken.last_seen:%Y-%m-%d %H:%M}"
    )
    return Repair(kind, selector, text, events, seen, path, f"{words}; {when}")


def _count(reading: Reading, kind: str, selector: str, since: int) -> int:
    """How many events a selector alone would match since then."""
    meant = definition("repair", on=f"{kind} {selector}")
    bounds = (since, reading.now + 1)
    return match(reading, [meant], bounds=bounds, has_positions=False).definitions[0].events
