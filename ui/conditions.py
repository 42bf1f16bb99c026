"""The form of a definition: its fields as `expost.query.form` names them, filled from an address or a definition."""

from __future__ import annotations

import json
from dataclasses import dataclass

from expost.errors import ExpostError
from expost.query.alternative import Alternative
from expost.query.definition import Definition
from expost.query.form import Form
from expost.query.form_definition import definition_of

from .column_conditions import other_properties

HAPPENINGS = (
    ("click", "Click on", "form.signup button"),
    ("change", "Change of", "select[name=size]"),
    ("submit", "Submit of", "form.signup"),
    ("on", "Other event", "copy .price or web_vital"),
    ("view", "View of page", "/pricing or /docs/**"),
    ("track", "Custom event", "order placed"),
)
NARROWINGS = (
    ("text", "Its text", "Buy now"),
    ("path", "On page", "/shop/**"),
    ("host", "On host", "shop.example"),
    ("query", "URL parameter", "plan or plan=pro"),
    ("hash", "URL hash", "details"),
    ("property", "Property", "plan=pro"),
)
SWITCHES = (
    ("target_only", "Only the element itself, not what is inside it"),
    ("pierce", "Selectors reach across shadow trees"),
)
BY_SELECTOR = ("click", "change", "submit")


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the form for each value, at least an empty one."""

    name: str
    label: str
    example: str
    values: tuple[str, ...]


def fields_of(form: Form) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
    """The fields of what happened and of what narrows it, with the values of the form."""

    def values(name: str) -> tuple[str, ...]:
        given = tuple(form.get(name, ()))
        return (other_properties(given) if name == "property" else given) or ("",)

    happenings, narrowings = (
        tuple(Field(name, label, example, values(name)) for name, label, example in fields)
        for fields in (HAPPENINGS, NARROWINGS)
    )
    return happenings, narrowings


def switches_of(form: Form) -> tuple[tuple[str, str, bool], ...]:
    """The switches, and whether they are on."""
    return tuple((name, label, bool(form.get(name))) for name, label in SWITCHES)


def form_of_definition(definition: Definition) -> Form | None:
    """The form that gives this definition, or None when the form has no words for all of it.

    >>> from expost.query.definition import definition
    >>> form_of_definition(definition("Bought", click="button.buy", path="/shop/**"))
    {'click': ['button.buy'], 'path': ['glob:/shop/**']}
    """
    form: dict[str, list[str]] = {}
    for alternative in definition.alternatives:
        for name, value in _words(alternative):
            values = form.setdefault(name, [])
            if value not in values:
                values.append(value)
    try:
        again = definition_of(definition.name, form)
    except ExpostError:
        return None
    return form if again.body() == definition.body() else None


def _words(alternative: Alternative) -> list[tuple[str, str]]:
    words: list[tuple[str, str]] = []
    kind = alternative.types[0] if len(alternative.types) == 1 else ""
    if kind in BY_SELECTOR and alternative.selector is not None:
        words.append((kind, alternative.selector))
    elif kind == "custom" and alternative.event_name is not None:
        words.append(("track", alternative.event_name))
    is_view = kind == "page_view" and alternative.selector is None and alternative.path is not None
    if kind and not words and not is_view:
        words.append(("on", f"{kind} {alternative.selector or ''}".strip()))
    for name in ("text", "host", "path", "hash"):
        if (pattern := getattr(alternative, name)) is not None:
            is_plain_view = is_view and name == "path"
            plain = pattern.value if pattern.operator == "glob" and not pattern.ignore_case else str(pattern)
            words.append(("view", plain) if is_plain_view else (name, str(pattern)))
    words += [
        ("query", each.name + (f"={each.pattern}" if each.pattern else "")) for each in alternative.query
    ]
    for each in alternative.properties:
        words.append(
            ("property", each.name if each.operator == "exists" else f"{each.name}={json.dumps(each.value)}")
        )
    words += [(name, "yes") for name, _ in SWITCHES if getattr(alternative, name)]
    return words
