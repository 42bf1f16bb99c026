"""Definitions: what somebody calls an event, said as conditions that are true of past and future events.

A definition is a list of alternatives (one of them is enough); an alternative is a list of conditions (all of them
must hold). What each condition means is docs/rules.md 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from expost.errors import InvalidInput

from .alternative import Alternative
from .interval import ALWAYS, Interval, in_force
from .pattern import Operator, Pattern, QueryParameter, needed_text
from .property_match import PropertyMatch, Scalar

MAX_ALTERNATIVES = 100
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Validity:
    """When a version counts."""

    version: int
    interval: Interval


@dataclass(frozen=True, slots=True)
class Definition:
    """A named event. `version` is set on one that was saved; an inline one has none.

    `interval` is when this version is valid. One that questions use, made by `in_force_of`, says in `validities` which
    of its versions counts when, and in `gaps` when none does. `renamed_from` is what one that was saved just now was
    called until then, where that is another name to a reader and the same one to us.
    """

    name: str
    alternatives: tuple[Alternative, ...]
    version: int | None = field(default=None, compare=False)
    interval: Interval = ALWAYS
    validities: tuple[Validity, ...] = field(default=(), compare=False)
    gaps: tuple[Interval, ...] = field(default=(), compare=False)
    renamed_from: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > MAX_NAME:
            raise InvalidInput(f"A definition cannot be called {self.name[:60]!r}.",
                               hint=f"A name has 1 to {MAX_NAME} characters.")  # fmt: skip
        most = MAX_ALTERNATIVES * max(1, len(self.validities))
        if not 1 <= len(self.alternatives) <= most:
            raise InvalidInput(f"The definition {self.name!r} has {len(self.alternatives)} alternatives.",
                               hint=f"It needs at least one and at most {most}.")  # fmt: skip

    def body(self) -> dict[str, Any]:
        """What it means, without its name: equal bodies mean the same events."""
        return {"alternatives": [alternative.to_json() for alternative in self.alternatives]}

    def to_json(self) -> dict[str, Any]:
        said = {"name": self.name, "version": self.version} | self.interval.to_json() | self.body()
        return said if self.renamed_from is None else said | {"renamed_from": self.renamed_from}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Definition:
        alternatives = body.get("alternatives")
        if not isinstance(alternatives, Sequence) or isinstance(alternatives, str):
            raise InvalidInput(
                "A definition needs a list of alternatives.",
                hint="An alternative has types, selector, text, path and the like.",
            )
        version = body.get("version")
        return cls(
            needed_text(body.get("name", "")),
            tuple(Alternative.from_json(each) for each in alternatives),
            version if isinstance(version, int) else None,
        )

    def __str__(self) -> str:
        return " or ".join(str(alternative) for alternative in self.alternatives)


def in_force_of(versions: Sequence[Definition], starts_over: frozenset[int] = frozenset()) -> Definition:
    """What a question means by a definition with these versions, the oldest first: at each time the version in force.

    Versions named in `starts_over` end all before them. One version that is valid always is given as it is.
    """
    pieces, gaps = in_force(
        [
            _Dated(each, each.interval.start, each.interval.end, each.version in starts_over)
            for each in versions
        ]
    )
    latest = versions[-1]
    if len(pieces) == 1 and not gaps:
        return replace(pieces[0][0].definition, name=latest.name, version=latest.version)
    return Definition(
        latest.name,
        tuple(
            replace(alternative, interval=interval)
            for each, interval in pieces
            for alternative in each.definition.alternatives
        ),
        latest.version,
        validities=tuple(Validity(each.definition.version or 0, interval) for each, interval in pieces),
        gaps=tuple(gaps),
    )


@dataclass(frozen=True, slots=True)
class _Dated:
    definition: Definition
    valid_from: int | None
    valid_until: int | None
    starts_over: bool


Words = str | Sequence[str]
EXAMPLES = {
    "click": "form.signup button", "change": "select[name=plan]", "submit": "form.signup", "on": "copy .price",
    "view": "/pricing", "track": "Ordered", "text": "Buy now", "host": "shop.example", "path": "/shop/**",
    "hash": "prices",
}  # fmt: skip
"""Of each condition in text, one."""


def definition(
    name: str,
    *,
    click: Words = (),
    change: Words = (),
    submit: Words = (),
    on: Words = (),
    view: Words = (),
    track: Words = (),
    text: str | Pattern | None = None,
    host: str | Pattern | None = None,
    path: str | Pattern | None = None,
    query: Mapping[str, str | None] | None = None,
    hash: str | Pattern | None = None,  # noqa: A002 - the name of the condition
    properties: Mapping[str, Scalar] | Sequence[PropertyMatch] = (),
    target_only: bool = False,
    pierce: bool = False,
) -> Definition:
    """The definition that `expost define` makes of its options.

    Each `click`, `change`, `submit` (selectors), `on` (a type of event, with or without a selector behind it), `view`
    (path globs) and `track` (event names) is an alternative, and the other conditions hold for every alternative.

    >>> str(definition("Bought", click="button.buy", track="order", path="/shop/**"))
    'click on button.buy and path glob:/shop/** or custom event order and path glob:/shop/**'
    >>> str(definition("Copied", on=["copy .price", "web_vital"]))
    'copy on .price or web_vital'
    """
    pairs = properties.items() if isinstance(properties, Mapping) else ()
    shared: dict[str, Any] = {
        "text": _pattern("text", text, "is"),
        "host": _pattern("host", host, "is"),
        "hash": _pattern("hash", hash, "is"),
        "query": tuple(
            QueryParameter(key, None if value is None else Pattern.parse(value, "is"))
            for key, value in (query or {}).items()
        ),
        "properties": tuple(PropertyMatch(key, "is", value) for key, value in pairs)
        or tuple(each for each in properties if isinstance(each, PropertyMatch)),
    }
    on_path = _pattern("path", path, "glob")
    by_selector: list[tuple[str, str | None]] = [
        (kind, each)
        for kind, selectors in (("click", click), ("change", change), ("submit", submit))
        for each in _words(kind, selectors)
    ]
    for each in _words("on", on):
        kind, *selector = each.split(maxsplit=1) or [""]
        by_selector.append((kind, selector[0] if selector else None))
    alternatives = [
        Alternative(
            types=(kind,), selector=each, target_only=target_only, pierce=pierce, path=on_path, **shared
        )
        for kind, each in by_selector
    ]
    if view and on_path:
        raise InvalidInput("A page view is given with a path of its own and with a path for all.",
                           hint="Leave one of the two out.")  # fmt: skip
    alternatives += [
        Alternative(types=("page_view",), path=_pattern("view", each, "glob"), **shared)
        for each in _words("view", view)
    ]
    alternatives += [
        Alternative(types=("custom",), event_name=each, path=on_path, **shared)
        for each in _words("track", track)
    ]
    if not alternatives:
        alternatives = [Alternative(path=on_path, **shared)]
    return Definition(name, tuple(alternatives))


def _pattern(name: str, given: str | Pattern | None, default: Operator) -> Pattern | None:
    if given is None or isinstance(given, Pattern):
        return given
    return Pattern.parse(_said(name, given), default)


def _words(name: str, given: Words) -> Sequence[str]:
    several = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
    return [_said(name, each) for each in several]


def _said(name: str, given: object) -> str:
    """The text of a condition: what is no text, or cannot be written down, is refused by the name of the condition."""
    if not isinstance(given, str):
        raise InvalidInput(
            f"{name} is {given!r}, where text is needed.", hint=f"For example: {name}={EXAMPLES[name]!r}"
        )
    check_text(name, given)
    return given


def check_text(name: str, text: str) -> None:
    """Refuse half of a character, which no file can hold: JavaScript makes one where it cuts an emoji."""
    try:
        text.encode()
    except UnicodeEncodeError as problem:
        raise InvalidInput(
            f"{name} has half of a character at place {problem.start + 1}.",
            hint="Leave it out, or write the whole character.",
        ) from None


def in_portions(definitions: Iterable[Definition], most: int) -> list[tuple[Definition, ...]]:
    """The definitions in portions of at most so many alternatives.

    One that has more is cut into several, which together match what it matches.

    >>> story = [definition("a", click=["p", "b", "i"]), definition("c", click="a")]
    >>> [[len(each.alternatives) for each in portion] for portion in in_portions(story, 2)]
    [[2], [1, 1]]
    """
    portions: list[tuple[Definition, ...]] = []
    room = 0
    for each in definitions:
        rest = each.alternatives
        while rest:
            if not room:
                portions.append(())
                room = most
            taken, rest = rest[:room], rest[room:]
            room -= len(taken)
            portions[-1] = (*portions[-1], replace(each, alternatives=taken))
    return portions
