"""Definitions as people write them: conditions, previews, differences of versions, suggestions, what has no name.

Modules that answer as well load the engine, which takes a second: they are imported where they are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expost.errors import InvalidInput

from .definition import Definition, definition
from .form import (
    COHORTS,
    COMMON,
    NAME,
    Form,
    common_of,
    moment_of,
    one,
    partition,
    property_of,
    whole_number,
    yes,
)
from .question import Moment, Step
from .word import Word, refuse_unknown

if TYPE_CHECKING:
    from .difference import Difference
    from .health import Health
    from .preview import Preview
    from .suggested import Suggestions
    from .unnamed import Unnamed

SELECTORS = (
    Word(
        "click",
        "A CSS selector: clicks on what it matches, or inside it.",
        "form.signup button",
        is_many=True,
    ),
    Word("change", "A CSS selector: changes of fields that it matches.", "select[name=plan]", is_many=True),
    Word("submit", "A CSS selector: submits of forms that it matches.", "form.signup", is_many=True),
    Word("on", "Any type of event, alone or with a selector behind it.", "copy .price", is_many=True),
)
CONDITIONS = (
    *SELECTORS,
    Word("view", "A path glob of page views: `*` in a segment, `**` across them.", "/pricing", is_many=True),
    Word("track", "A name that the site itself gave to events.", "Ordered", is_many=True),
    Word("text", "The label is this; or `contains:…`, `prefix:…`, `matches:…`; `/i` for any case.", "Buy now"),
    Word("host", "On this host.", "shop.example"),
    Word("path", "On pages of this path, a glob.", "/shop/**"),
    Word("hash", "With this fragment of the address.", "prices"),
    Word("query", "With this query parameter, NAME or NAME=VALUE.", "plan=pro", is_many=True),
    Word("property", "With this property of the event, NAME or NAME=VALUE, or column: `column:country=DE`.", "plan=pro",
         is_many=True, python="properties"),
    Word("target_only", "Only the element itself, none around it.", is_switch=True),
    Word("pierce", "Let selectors look through shadow roots.", is_switch=True),
)  # fmt: skip
"""What a definition is made of."""
VALIDITY = (
    Word(
        "valid_from",
        "This version counts from this date (or ISO time) on, the one before it until then.",
        "2026-11-02",
    ),
    Word("valid_until", "And before this one; default for ever.", "2026-12-01"),
)
DEFINED = (next(word for word in COMMON if word.name == "site"), *CONDITIONS, *VALIDITY)
"""What is saved."""
PREVIEW = (
    *COMMON,
    *COHORTS,
    *CONDITIONS,
    Word("name", "Of a saved definition instead of conditions.", "Signed up", python="the first argument"),
    Word("only", "`count`: without texts, pages, elements and overlaps, which take longer.", choices=("count",),
         python="count_only=True"),
)  # fmt: skip
SUGGESTIONS = (
    *COMMON,
    Word("event", "The id of an event: the element it happened on.", "019c9d5e-8a00-7000-8000-000000000001",
         python="event_id"),
    Word("element", "Or the id of an element.", "8417"),
    Word("level", "How many ancestors outwards; default the nearest link, button or field.", "1", is_number=True),
    Word("limit", "How many selectors, up to 40; default 8.", "8", is_number=True),
)  # fmt: skip
UNNAMED = (
    *COMMON,
    Word("limit", "How many, those of the most people first; default 50.", "50", is_number=True),
)
HEALTH = (
    *COMMON,
    Word("days", "In the last so many days alone; default the last 1, 3 and 7.", "7", is_number=True),
)
DIFFERENCE = (
    *COMMON,
    NAME,
    Word("old", "A version.", "1", is_number=True),
    Word("new", "Another version.", "2", is_number=True),
    Word("samples", "How many events of each side; default 10.", "10", is_number=True),
)
NAMES = frozenset(word.name for word in CONDITIONS)


def preview_of(form: Form) -> Preview:
    """A preview of the conditions in the form, or of the saved definition called `name`."""
    from .preview import Preview

    refuse_unknown(form, PREVIEW)
    name, only = one(form, "name"), one(form, "only")
    if only not in (None, "count"):
        raise InvalidInput(
            f"A preview of {only!r} only is not made.", hint="Say only=count, or leave it out."
        )
    has_conditions = any(field in form for field in NAMES)
    if name is not None and has_conditions:
        raise InvalidInput(
            f"Both a saved definition ({name!r}) and conditions are given.", hint="Leave one of them out."
        )
    step: Step = name if name is not None else definition_of("preview", form)
    return Preview(step, count_only=only is not None, **common_of(form))


def definition_of(name: str, form: Form) -> Definition:
    """The definition that the conditions in the form describe."""
    if not any(form.get(field) for field in NAMES):
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
    return {word.name: moment_of(form, word.name) for word in VALIDITY}


def suggestions_of(form: Form) -> Suggestions:
    """Suggested selectors for the element of an event, or for an element."""
    from .suggested import Suggestions

    refuse_unknown(form, SUGGESTIONS)
    chosen: dict[str, Any] = {
        name: whole_number(name, value)
        for name in ("level", "limit")
        if (value := one(form, name)) is not None
    }
    return Suggestions(event_id=one(form, "event"), element=one(form, "element"), **chosen, **common_of(form))


def unnamed_of(form: Form) -> Unnamed:
    """Interactions that no definition matches."""
    from .unnamed import Unnamed

    refuse_unknown(form, UNNAMED)
    limit = one(form, "limit")
    chosen: dict[str, Any] = {} if limit is None else {"limit": whole_number("limit", limit)}
    return Unnamed(**chosen, **common_of(form))


def health_of(form: Form) -> Health:
    """Whether saved definitions still find what they found."""
    from .health import Health

    refuse_unknown(form, HEALTH)
    days = one(form, "days")
    return Health(None if days is None else whole_number("days", days), **common_of(form))


def difference_of(form: Form) -> Difference:
    """Two versions of a saved definition in effect."""
    from .difference import Difference

    refuse_unknown(form, DIFFERENCE)
    name, old, new = (one(form, field) for field in ("name", "old", "new"))
    if name is None or old is None or new is None:
        raise InvalidInput(
            "A difference needs a definition and two of its versions.",
            hint='For example: expost definitions diff "Signed up" 1 2, or name=Signed+up&old=1&new=2 over HTTP',
        )
    samples = one(form, "samples") or "10"
    versions = (whole_number("old", old), whole_number("new", new))
    return Difference(name, *versions, whole_number("samples", samples), **common_of(form))
