"""Definitions: what somebody calls an event, said as conditions that are true of past and future events.

A definition is a list of alternatives (one of them is enough); an alternative is a list of conditions (all of them
must hold). What each condition means is docs/rules.md 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from expost.errors import InvalidInput

from .event_column import check_value, column_name
from .interval import ALWAYS, Interval, in_force

Operator = Literal["is", "contains", "prefix", "glob", "matches"]
PropertyOperator = Literal["is", "exists", "contains", "matches", "above", "at_least", "below", "at_most"]
Scalar = str | int | float | bool | None

EVENT_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_:.-]{0,59}")
"""Pages can be told to listen to anything, so a type is any name that the wire allows."""
NEVER_HEARD = re.compile(
    r"^((mouse|pointer|touch)(move|over|out|enter|leave|rawupdate)|drag(over|enter|leave)?|"
    r"scroll|wheel|mousewheel|resize|timeupdate|progress|(animation|transition).*|device.*|"
    r"select(start|ionchange)|key(down|up|press)|(before)?input|composition.*|(before)?unload)$"
)
"""Types that the snippet listens to for nobody: they come without end, or key by key. It has the same expression."""
WITHOUT_ELEMENT = frozenset(
    {
        "page_view",
        "page_leave",
        "snippet_error",
        "identify",
        "group",
        "custom",
        "exposure",
        "reset",
        "web_vital",
    }
)
"""Types of events that happen on no element."""
MAX_ALTERNATIVES = 100
MAX_PATTERN = 2_000
MAX_NAME = 200


def check_type(kind: str) -> None:
    """Raise InvalidInput if no event can have this type."""
    if not EVENT_TYPE.fullmatch(kind):
        raise InvalidInput(
            f"{kind!r} is no type of event.",
            hint="For example: click, submit, page_view, custom, or what pages were told to listen to: copy, toggle.",
        )


@dataclass(frozen=True, slots=True)
class Pattern:
    """A condition on one string.

    `is`, `contains`, `prefix`, `glob` (`*` inside one segment, `**` across `/`) or `matches` (an RE2 expression found
    anywhere in it). Case counts unless `ignore_case`.
    """

    operator: Operator
    value: str
    ignore_case: bool = False

    def __post_init__(self) -> None:
        if self.operator not in get_args(Operator):
            raise InvalidInput(
                f"{self.operator!r} is no way to compare text.",
                hint=f"One of: {', '.join(get_args(Operator))}",
            )
        if len(self.value) > MAX_PATTERN:
            raise InvalidInput(
                f"A text to compare with has {len(self.value)} characters; at most {MAX_PATTERN}.",
                hint="Compare a part of it: contains:… or prefix:…",
            )

    @classmethod
    def parse(cls, text: str, default: Operator) -> Pattern:
        """`contains:Buy`, `matches/i:^buy`, or plain text, which is compared by `default`."""
        head, colon, rest = text.partition(":")
        operator, slash, flags = head.partition("/")
        if colon and operator in get_args(Operator) and flags in ("", "i") and bool(slash) == bool(flags):
            return cls(operator, rest, ignore_case=bool(flags))  # type: ignore[arg-type]
        return cls(default, text)

    def __str__(self) -> str:
        return f"{self.operator}{'/i' if self.ignore_case else ''}:{self.value}"

    def to_json(self) -> dict[str, Any]:
        return {"operator": self.operator, "value": self.value} | (
            {"ignore_case": True} if self.ignore_case else {}
        )

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Pattern:
        return cls(body["operator"], _text(body["value"]), bool(body.get("ignore_case", False)))


@dataclass(frozen=True, slots=True)
class QueryParameter:
    """A parameter of the page's query string: present (`pattern` None), or present with a value like `pattern`."""

    name: str
    pattern: Pattern | None = None

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name} | ({"pattern": self.pattern.to_json()} if self.pattern else {})

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> QueryParameter:
        pattern = body.get("pattern")
        return cls(_text(body["name"]), Pattern.from_json(pattern) if pattern else None)


@dataclass(frozen=True, slots=True)
class PropertyMatch:
    """A condition on one property of the event. `is` compares JSON values: the number 1 is not the text "1".

    A name such as `column:browser` is no property's: then it is a condition on that column of the event.
    """

    name: str
    operator: PropertyOperator
    value: Scalar = None

    def __post_init__(self) -> None:
        if self.operator not in get_args(PropertyOperator):
            known = ", ".join(get_args(PropertyOperator))
            raise InvalidInput(f"{self.operator!r} is no way to compare a property.", hint=f"One of: {known}")
        is_number = isinstance(self.value, int | float) and not isinstance(self.value, bool)
        if self.operator in ("above", "at_least", "below", "at_most") and not is_number:
            raise InvalidInput(f"The property {self.name!r} is compared by {self.operator!r} with {self.value!r}.",
                               hint="Give a number.")  # fmt: skip
        if self.operator in ("contains", "matches") and not isinstance(self.value, str):
            raise InvalidInput(f"The property {self.name!r} is compared by {self.operator!r} with {self.value!r}.",
                               hint="Give a text.")  # fmt: skip
        column = column_name(self.name)
        if column is not None and self.operator != "exists":
            check_value(column, self.value)

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"name": self.name, "operator": self.operator}
        return body if self.operator == "exists" else body | {"value": self.value}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> PropertyMatch:
        return cls(_text(body["name"]), body["operator"], body.get("value"))


@dataclass(frozen=True, slots=True)
class Alternative:
    """Conditions that hold together. None or an empty tuple asks for nothing.

    `text` is compared with the label (the nearest interactive ancestor-or-self) and with the target's own text where
    that was kept: either is enough. `event_name` is the name of a custom event.
    """

    types: tuple[str, ...] = ()
    selector: str | None = None
    target_only: bool = False
    pierce: bool = False
    text: Pattern | None = None
    host: Pattern | None = None
    path: Pattern | None = None
    query: tuple[QueryParameter, ...] = ()
    hash: Pattern | None = None
    properties: tuple[PropertyMatch, ...] = ()
    event_name: str | None = None
    interval: Interval = ALWAYS

    def __post_init__(self) -> None:
        for kind in self.types:
            check_type(kind)
        if not self.to_json().keys() - {"target_only", "pierce"}:
            raise InvalidInput("A definition without any condition would match every event.",
                               hint="Say at least a type, a selector or a path.")  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Only what is said, so that equal definitions have equal bodies."""
        body: dict[str, Any] = {}
        if self.types:
            body["types"] = sorted(set(self.types))
        for name in ("selector", "event_name"):
            if getattr(self, name) is not None:
                body[name] = getattr(self, name)
        for name in ("target_only", "pierce"):
            if getattr(self, name):
                body[name] = True
        for name in ("text", "host", "path", "hash"):
            if getattr(self, name) is not None:
                body[name] = getattr(self, name).to_json()
        for name in ("query", "properties"):
            if getattr(self, name):
                body[name] = [condition.to_json() for condition in getattr(self, name)]
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Alternative:
        """Refuses fields that it does not know: a misspelt condition would widen the definition without a word."""
        conditions = [name for name in cls.__slots__ if name != "interval"]
        unknown = sorted(set(body) - set(conditions))
        if unknown:
            raise InvalidInput(f"A definition has no condition called {unknown[0]!r}.",
                               hint=f"Conditions: {', '.join(conditions)}")  # fmt: skip
        try:
            pattern: dict[str, Any] = {
                k: Pattern.from_json(body[k]) for k in ("text", "host", "path", "hash") if body.get(k)
            }
            return cls(
                types=tuple(_text(kind) for kind in body.get("types", ())),
                selector=_optional_text(body.get("selector")),
                target_only=bool(body.get("target_only", False)),
                pierce=bool(body.get("pierce", False)),
                query=tuple(QueryParameter.from_json(each) for each in body.get("query", ())),
                properties=tuple(PropertyMatch.from_json(each) for each in body.get("properties", ())),
                event_name=_optional_text(body.get("event_name")),
                **pattern,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(
                f"A definition's conditions cannot be read: {error}",
                hint="docs/definitions.md has an example of each.",
            ) from error

    def __str__(self) -> str:
        return " and ".join(_phrases(self))


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
            _text(body.get("name", "")),
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


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{value!r} stands where a definition needs text.", hint="Put it into quotes.")
    return value


def _optional_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _phrases(alternative: Alternative) -> list[str]:
    kinds = {"page_view": "page view", "page_leave": "page leave", "custom": "custom event"}
    said = " or ".join(kinds.get(kind, kind) for kind in alternative.types) or "anything"
    if alternative.event_name is not None:
        said += f" {alternative.event_name}"
    if alternative.selector is not None:
        said += f" {'exactly ' if alternative.target_only else ''}on {alternative.selector}"
    patterns = ((name, getattr(alternative, name)) for name in ("text", "host", "path", "hash"))
    phrases = [said, *(f"{name} {pattern}" for name, pattern in patterns if pattern is not None)]
    phrases += [
        f"query {each.name}" + (f" {each.pattern}" if each.pattern else "") for each in alternative.query
    ]
    for prop in alternative.properties:
        value = "" if prop.operator == "exists" else f" {prop.value!r}"
        phrases.append(f"property {prop.name} {prop.operator}{value}")
    if alternative.interval.is_bounded:
        phrases[-1] += f" {alternative.interval}"
    return phrases


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
