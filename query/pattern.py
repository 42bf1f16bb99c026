"""Conditions on strings: of texts, of parts of an address, and of the parameters in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from expost.errors import InvalidInput

Operator = Literal["is", "contains", "prefix", "glob", "matches"]
MAX_PATTERN = 2_000


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
        return cls(body["operator"], needed_text(body["value"]), bool(body.get("ignore_case", False)))


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
        return cls(needed_text(body["name"]), Pattern.from_json(pattern) if pattern else None)


def needed_text(value: object) -> str:
    """The text that a definition needs here. Refuses what is none."""
    if not isinstance(value, str):
        raise InvalidInput(f"{value!r} stands where a definition needs text.", hint="Put it into quotes.")
    return value
