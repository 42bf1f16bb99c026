"""What has no name yet: interactions that no definition matches, as definitions that somebody might want."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from expost.clock import from_micros
from expost.state.names import name_key

from .answer import Answer
from .candidate import tokens
from .chain import Chain, chains
from .condition import CompiledDefinition, compile_definition
from .control import level_meant, says_its_words
from .definition import Definition, definition, in_portions
from .interval import LATEST
from .level import Level
from .naming import free_name, name_for
from .question import MAX_LISTED, Question, refuse_outside
from .reading import Reading, at
from .statement import Fragment
from .suggestion import suggestion
from .token import Lives, TokenLife, is_whole

HISTORY = timedelta(days=90)
"""How far back interactions are looked for, unless the question says it."""
MOST_ELEMENTS = 2_000
"""How many different elements are looked at, those of the most people first."""
MOST_TEXTS = 12
"""Things that a selector gathers are told apart by their words up to so many; beyond it they are items of a list."""
FIELDS = frozenset({"input", "select", "textarea"})
MOST_AT_ONCE = 50
"""So many definitions are counted by one statement."""
MOST_ALTERNATIVES_AT_ONCE = 20
"""Of so many alternatives of saved definitions one statement asks: each takes memory of the engine."""
CLICKS = ("click", "auxclick")
ON_A_FIELD = "click on a field"
"""The kind of group that clicks on a field are gathered in while they are counted."""
ACTED = Fragment("acted")
"""The relation of what happened on elements, which everything that is offered is asked of."""
Key = tuple[str, str, str | None]
"""What makes two interactions one: type of event, selector, text that is asked for beside it."""


@dataclass(frozen=True, slots=True)
class Unnamed(Question):
    """Interactions that no definition matches, those of the most people first; without a range of the last 90 days."""

    limit: int = 50

    def __post_init__(self) -> None:
        refuse_outside("The list of what has no name has", self.limit, 1, MAX_LISTED, "lines")


@dataclass(frozen=True, slots=True)
class UnnamedGroup:
    """What one suggested definition would find. `unknown` of that a definition might match already.

    The definition asks for `selector`, and for the words `text` and the page `on_path` where the selector alone finds
    more than what has no name.
    `kind` is the type of event, `event_id` the latest of them, `path` the page that most happened on, of `pages`.
    `clicks` are those on a field whose changes these are: they make no line of their own.
    """

    name: str
    kind: str
    selector: str
    text: str | None
    events: int
    people: int
    unknown: int
    last_seen: datetime | None
    path: str
    pages: int
    event_id: str
    clicks: int = 0
    on_path: str | None = None

    @property
    def definition(self) -> Definition:
        """The definition that is offered."""
        return definition(
            self.name,
            on=[f"{self.kind} {self.selector}"],
            text=f"is:{self.text}" if self.text else None,
            path=f"is:{self.on_path}" if self.on_path else None,
        )


@dataclass(frozen=True, slots=True)
class UnnamedAnswer(Answer):
    """Interactions without a definition, those of the most people first.

    `events` have no name, by `people`; `unknown` of them a definition might match. `more` groups are not listed,
    `unexamined_events` happened on elements of so few people that they were not looked at, and `field_clicks` on fields
    whose changes say more, and have a name or stand here.
    """

    events: int
    people: int
    unknown: int
    groups: tuple[UnnamedGroup, ...]
    more: int
    unexamined_events: int
    field_clicks: int = 0

    def rows(self) -> list[dict[str, Any]]:
        """One row per group."""
        return [
            {"name": each.name, "kind": each.kind, "selector": each.selector, "text": each.text,
             "on_path": each.on_path, "people": each.people, "events": each.events, "clicks": each.clicks,
             "unknown": each.unknown, "last_seen": each.last_seen}
            for each in self.groups
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Seen:
    """An element with the words on it, and what would be suggested for it."""

    element_id: int
    kind: str
    said: str
    path: str
    selector: str
    level: Level
    has_words: bool


def unnamed(reading: Reading, question: Unnamed) -> UnnamedAnswer:
    """The interactions that no definition in force matches, gathered by what would be suggested for them."""
    start, end = _bounds(reading)
    tallies = _find(reading, start, end)
    counted = tallies.get(None, (0, 0, 0))
    seen = _seen(reading, start)
    groups = _gathered(seen, _changed(reading, start, end))
    counted_groups, words = _counted(reading, groups, seen)
    listed, clicks = _folded(counted_groups, words)
    best = _offered(reading, listed[: question.limit], words, (start, end))
    total = sum(events for events, _, _ in tallies.values())
    left_out = reading.counting.left_out(
        ((reason, events, people) for reason, (events, people, _) in tallies.items() if reason is not None),
        total,
    )
    since = "" if reading.has_range else f"Interactions of the {HISTORY.days} days before now. "
    return UnnamedAnswer(
        question=question,
        basis=reading.basis(
            left_out=left_out,
            notes=[
                f"{since}A person counts once in each line. "
                "A line counts all that its definition finds. Archived definitions name nothing.",
                *reading.counting.notes(),
            ],
        ),
        events=counted[0],
        people=counted[1],
        unknown=counted[2],
        groups=tuple(_with_names(best, {name_key(each.name) for each in reading.saved()})),
        more=len(listed) - len(best),
        unexamined_events=counted[0] - clicks - sum(each.events for each in listed),
        field_clicks=clicks,
    )


def _bounds(reading: Reading) -> tuple[datetime, datetime]:
    start = (
        from_micros(reading.start)
        if reading.question.start is not None
        else from_micros(reading.now) - HISTORY
    )
    return start, from_micros(min(reading.end, LATEST))


def _find(reading: Reading, start: datetime, end: datetime) -> dict[str | None, tuple[int, int, int]]:
    """Make the relation `unnamed`; events, people and unknown events by why they are left out."""
    first, *others = in_portions(reading.saved(), MOST_ALTERNATIVES_AT_ONCE) or [()]
    bounds: dict[str, Any] = {"from_time": start, "until_time": end}
    values, compiled = _compiled(first, "d")
    reading.run("unnamed.sql", bounds | values, matches=compiled)
    for number, definitions in enumerate(others, 1):
        values, compiled = _compiled(definitions, f"d{number}_")
        reading.run("unnamed_named.sql", bounds | values, matches=compiled)
    rows = reading.run("unnamed_tally.sql", {})
    return {reason: (events, people, unknown) for reason, events, people, unknown in rows}


def _compiled(
    definitions: Sequence[Definition], prefix: str
) -> tuple[dict[str, Any], list[CompiledDefinition]]:
    compiled = [compile_definition(each, f"{prefix}{number}") for number, each in enumerate(definitions, 1)]
    return {name: value for each in compiled for name, value in each.parameters.items()}, compiled


def _seen(reading: Reading, since: datetime) -> list[_Seen]:
    rows = reading.run("unnamed_elements.sql", {"most": MOST_ELEMENTS})
    reading.execute(
        "create or replace temp table chosen as select unnest($places) as placement_id;",
        {"places": list(dict.fromkeys(row[-1] for row in rows))},
    )
    selectors = _suggested(reading, since)
    return [
        _Seen(
            element_id, kind, said, path, *selectors[placement_id], says_its_words(selectors[placement_id][1])
        )
        for element_id, kind, said, path, placement_id in rows
        if placement_id in selectors
    ]


def _changed(reading: Reading, start: datetime, end: datetime) -> frozenset[str]:
    """The selectors of fields that were changed, whether that has a name or not."""
    reading.run("unnamed_changed.sql", {"most": MOST_ELEMENTS, "from_time": start, "until_time": end})
    return frozenset(
        selector for selector, level in _suggested(reading, start).values() if level.tag.lower() in FIELDS
    )


def _suggested(reading: Reading, since: datetime) -> dict[int, tuple[str, Level]]:
    """For each placement in the relation `chosen` what would be suggested, and the element that is meant."""
    by_placement = chains(reading, "chosen")
    lives = _lives(reading, by_placement.values(), since)
    found: dict[int, tuple[str, Level]] = {}
    for placement_id, chain in by_placement.items():
        place = level_meant(chain)
        found[placement_id] = (suggestion(chain[place:], lives), chain[place])
    return found


def _lives(reading: Reading, found: Iterable[Chain], since: datetime) -> Lives:
    """What history says of the ids and classes of all these chains."""
    ids: dict[str, None] = {}
    classes: dict[str, None] = {}
    for chain in found:
        of_chain = tokens(chain)
        ids |= dict.fromkeys(of_chain[0])
        classes |= dict.fromkeys(of_chain[1])
    rows = reading.run("token_lives.sql", {"ids": list(ids), "classes": list(classes), "since": since})
    return {token: TokenLife(*counts) for token, *counts in rows}


def _gathered(seen: Sequence[_Seen], changed: frozenset[str]) -> dict[Key, list[_Seen]]:
    """Elements by the definition that would be suggested, with the words where they tell a few things apart.

    Clicks on fields that are `changed` are gathered by themselves, those with the same words together.
    """
    texts: dict[tuple[str, str], set[str]] = {}
    for each in seen:
        texts.setdefault((each.kind, each.selector), set()).add(each.said)
    groups: dict[Key, list[_Seen]] = {}
    for each in seen:
        are_told_apart = 1 < len(texts[each.kind, each.selector]) <= MOST_TEXTS
        asks = are_told_apart and each.has_words and is_whole(each.said)
        if each.kind in CLICKS and each.selector in changed and each.level.tag.lower() in FIELDS:
            words = each.said if each.has_words and is_whole(each.said) else None
            groups.setdefault((ON_A_FIELD, each.selector, words or None), []).append(each)
            continue
        groups.setdefault((each.kind, each.selector, each.said if asks else None), []).append(each)
    return groups


def _counted(
    reading: Reading, groups: Mapping[Key, list[_Seen]], seen: Sequence[_Seen]
) -> tuple[list[UnnamedGroup], dict[str, str]]:
    """The groups as they were gathered; and by the latest event of those that all say the same, these words."""
    if not seen:
        return [], {}
    members = [(each, number) for number, found in enumerate(groups.values()) for each in found]
    rows = reading.run(
        "unnamed_groups.sql",
        {
            "elements": [each.element_id for each, _ in members],
            "types": [each.kind for each, _ in members],
            "texts": [each.said for each, _ in members],
            "numbers": [number for _, number in members],
        },
    )
    keys = list(groups)
    found, words = [], {}
    for number, events, people, unknown, last_seen, event_id, path, pages in rows:
        kind, selector, text = keys[number]
        first = groups[keys[number]][0]
        said = text or (first.said if len({each.said for each in groups[keys[number]]}) == 1 else "")
        if first.has_words and is_whole(said):
            words[event_id] = said
        name = name_for(kind, first.level, said if first.has_words else "", path)
        found.append(
            UnnamedGroup(
                name, kind, selector, text, events, people, unknown, at(last_seen), path, pages, event_id
            )
        )
    return found, words


def _offered(
    reading: Reading,
    groups: Sequence[UnnamedGroup],
    words: Mapping[str, str],
    bounds: tuple[datetime, datetime],
) -> list[UnnamedGroup]:
    """The groups with what the definition of each finds, which asks for as little as tells these events from others."""
    if not groups:
        return []
    kinds = sorted({each.kind for each in groups})
    reading.run("unnamed_acted.sql", {"types": kinds, "from_time": bounds[0], "until_time": bounds[1]})
    plain = _found(reading, groups, "o")
    differing = [
        number
        for number, (group, found) in enumerate(zip(groups, plain, strict=True))
        if _distance(group, found) != (0, 0)
    ]
    tried = [(number, each) for number in differing for each in _narrower(groups[number], words)]
    best = {number: plain[number] for number in differing}
    for (number, _), found in zip(tried, _found(reading, [each for _, each in tried], "n"), strict=True):
        if _distance(groups[number], found) < _distance(groups[number], best[number]):
            best[number] = found
    offered = [best.get(number, group) for number, group in enumerate(groups)]
    return sorted(offered, key=lambda each: (-each.people, -each.events))


def _narrower(group: UnnamedGroup, words: Mapping[str, str]) -> list[UnnamedGroup]:
    """The group by a definition that asks for its words, its page, or both."""
    texts = [group.text] if group.text else [None, words.get(group.event_id)]
    paths = [None, group.path if group.pages == 1 and is_whole(group.path) else None]
    asked = dict.fromkeys((text, path) for path in paths for text in texts)
    return [
        replace(group, text=text, on_path=path) for text, path in asked if (text, path) != (group.text, None)
    ]


def _distance(group: UnnamedGroup, found: UnnamedGroup) -> tuple[int, int]:
    return abs(found.events - group.events), abs(found.people - group.people)


def _found(reading: Reading, groups: Sequence[UnnamedGroup], prefix: str) -> list[UnnamedGroup]:
    """The groups with the numbers of what their definitions find, whether that has a name or not."""
    rows: dict[int, tuple[Any, ...]] = {}
    for first in range(0, len(groups), MOST_AT_ONCE):
        compiled = [
            (number, compile_definition(each.definition, f"{prefix}{number}", ACTED))
            for number, each in enumerate(groups[first : first + MOST_AT_ONCE], first)
        ]
        offered = [(number, reading.elements(each)) for number, each in compiled]
        values = {name: value for _, each in compiled for name, value in each.parameters.items()}
        rows |= {row[0]: row[1:] for row in reading.run("unnamed_offered.sql", values, offered=offered)}
    nothing = (0, 0, None, None, None, None)
    return [_with_numbers(group, rows.get(number, nothing)) for number, group in enumerate(groups)]


def _with_numbers(group: UnnamedGroup, row: tuple[Any, ...]) -> UnnamedGroup:
    events, people, last_seen, event_id, path, pages = row
    if not events:
        return replace(group, events=0, people=0, unknown=0)
    return replace(
        group,
        events=events,
        people=people,
        last_seen=at(last_seen),
        event_id=event_id,
        path=path,
        pages=pages,
    )


def _folded(groups: Sequence[UnnamedGroup], words: Mapping[str, str]) -> tuple[list[UnnamedGroup], int]:
    """The groups, clicks on fields told by the changes of the field; and how many clicks those are.

    Changes that all say the same have the clicks that say it too, since a selector may find several fields; the
    others have what is left of those on their selector.
    """
    clicks = {(each.selector, each.text): each.events for each in groups if each.kind == ON_A_FIELD}
    said = {
        each.event_id: (each.selector, each.text or words.get(each.event_id) or None)
        for each in groups
        if each.kind == "change"
    }
    told = {key for key in said.values() if key[1] is not None}
    left: dict[str, int] = {}
    for key, events in clicks.items():
        if key not in told:
            left[key[0]] = left.get(key[0], 0) + events
    own = {
        event_id: clicks.get(key, 0) if key in told else left.get(key[0], 0) for event_id, key in said.items()
    }
    found = [
        replace(each, clicks=own[each.event_id]) if each.kind == "change" else each
        for each in groups
        if each.kind != ON_A_FIELD
    ]
    return found, sum(clicks.values())


def _with_names(groups: Iterable[UnnamedGroup], taken: set[str]) -> Iterable[UnnamedGroup]:
    """The groups with names that nothing has yet: a name that is taken would change what it means."""
    for group in groups:
        precise = group.name if group.name.endswith(f" on {group.path}") else f"{group.name} on {group.path}"
        name = free_name((group.name, precise), taken)
        taken.add(name_key(name))
        yield replace(group, name=name)
