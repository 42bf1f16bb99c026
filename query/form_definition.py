"""Definitions as people write them: conditions, previews, differences of versions, suggestions, what has no name."""

from __future__ import annotations

from typing import Any

from expost.errors import InvalidInput

from .definition import Definition, definition
from .difference import Difference
from .form import (
    COMMON,
    Form,
    common_of,
    moment_of,
    one,
    partition,
    property_of,
    refuse_unknown,
    whole_number,
    yes,
)
from .preview import Preview
from .question import Moment, Step
from .suggested import Suggestions
from .unnamed import Unnamed

CONDITIONS = frozenset(
    {"click", "change", "submit", "on", "view", "track", "text", "host", "path", "hash", "query", "property",
     "target_only", "pierce"}
)  # fmt: skip
VALIDITY = ("valid_from", "valid_until")


def preview_of(form: Form) -> Preview:
    """A preview of the conditions in the form, or of the saved definition called `name`."""
    refuse_unknown(form, COMMON | CONDITIONS | {"name", "only"})
    name, only = one(form, "name"), one(form, "only")
    if only not in (None, "count"):
        raise InvalidInput(
            f"A preview of {only!r} only is not made.", hint="Say only=count, or leave it out."
        )
    has_conditions = any(field in form for field in CONDITIONS)
    if name is not None and has_conditions:
        raise InvalidInput(
            f"Both a saved definition ({name!r}) and conditions are given.", hint="Leave one of them out."
        )
    step: Step = name if name is not None else definition_of("preview", form)
    return Preview(step, count_only=only is not None, **common_of(form))


def definition_of(name: str, form: Form) -> Definition:
    """The definition that the conditions in the form describe."""
    if not any(form.get(field) for field in CONDITIONS):
        raise InvalidInput(
            "No condition is given.",
            hint="Say at least one, such as click 'form.signup button', view '/pricing' or track NAME "
            "(--click, or click= over HTTP and in Python).",
        )
    return definition(
        name,
        click=form.get("click", ()),
        change=form.get("change", ()),
        submit=form.get("submit", ()),
        on=form.get("on", ()),
        view=form.get("view", ()),
        track=form.get("track", ()),
        text=one(form, "text"),
        host=one(form, "host"),
        path=one(form, "path"),
        hash=one(form, "hash"),
        query={key: value if given else None for key, given, value in map(partition, form.get("query", ()))},
        properties=[property_of(given) for given in form.get("property", ())],
        target_only=yes(form, "target_only") or False,
        pierce=yes(form, "pierce") or False,
    )


def validity_of(form: Form) -> dict[str, Moment | None]:
    """`valid_from` and `valid_until` of the version that a form saves."""
    return {name: moment_of(form, name) for name in VALIDITY}


def suggestions_of(form: Form) -> Suggestions:
    """Suggested selectors for the element of an event, or for an element."""
    refuse_unknown(form, COMMON | {"event", "element", "level", "limit"})
    chosen: dict[str, Any] = {
        name: whole_number(name, value)
        for name in ("level", "limit")
        if (value := one(form, name)) is not None
    }
    return Suggestions(event_id=one(form, "event"), element=one(form, "element"), **chosen, **common_of(form))


def unnamed_of(form: Form) -> Unnamed:
    """Interactions that no definition matches."""
    refuse_unknown(form, COMMON | {"limit"})
    limit = one(form, "limit")
    chosen: dict[str, Any] = {} if limit is None else {"limit": whole_number("limit", limit)}
    return Unnamed(**chosen, **common_of(form))


def difference_of(form: Form) -> Difference:
    """Two versions of a saved definition in effect."""
    refuse_unknown(form, COMMON | {"name", "old", "new", "samples"})
    name, old, new = (one(form, field) for field in ("name", "old", "new"))
    if name is None or old is None or new is None:
        raise InvalidInput(
            "A difference needs a definition and two of its versions.",
            hint='For example: expost definitions diff "Signed up" 1 2, or name=Signed+up&old=1&new=2 over HTTP',
        )
    samples = one(form, "samples") or "10"
    versions = (whole_number("old", old), whole_number("new", new))
    return Difference(name, *versions, whole_number("samples", samples), **common_of(form))
