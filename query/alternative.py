"""Conditions that hold together: one of the alternatives of a definition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from expost.errors import InvalidInput

from .event_type import check_type
from .interval import ALWAYS, Interval
from .pattern import Pattern, QueryParameter, needed_text
from .property_match import PropertyMatch


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
                types=tuple(needed_text(kind) for kind in body.get("types", ())),
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


def _optional_text(value: object) -> str | None:
    return None if value is None else needed_text(value)
