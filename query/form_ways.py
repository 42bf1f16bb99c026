"""Stickiness, lifecycles and paths as people write them.

Modules that answer as well load the engine, which takes a second: they are imported where they are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expost.errors import InvalidInput

from .duration import parse_duration
from .form import (
    COHORTS,
    COMMON,
    GAP,
    NAME,
    SPLITS,
    UNITS,
    WHOLE,
    Form,
    breakdown_of,
    common_of,
    one,
    unit_of,
    whole_number,
)
from .retention import RETENTION_PERIODS
from .unit import SESSION_GAP
from .word import Word, refuse_unknown

if TYPE_CHECKING:
    from .lifecycle import Lifecycle
    from .paths import Paths
    from .stickiness import Stickiness

STICKINESS = (
    *COMMON,
    *UNITS,
    *SPLITS,
    NAME,
    Word("period", "Calendar periods; default day.", choices=RETENTION_PERIODS),
)
LIFECYCLE = (
    *WHOLE,
    *UNITS,
    NAME,
    Word("period", "Calendar periods; default week.", choices=RETENTION_PERIODS),
)
PATHS = (
    *WHOLE,
    *COHORTS,
    GAP,
    Word("name", "Name of the definition to start from.", "Searched", python="the first argument"),
    Word("direction", "Default after.", choices=("after", "before")),
    Word("steps", "How many steps; default 4.", "4", is_number=True),
    Word("top", "How many edges of a step are told apart; default 10.", "10", is_number=True),
    Word("event", "Name of a definition that is a step too, beside views of pages.", "Ordered", is_many=True,
         python="events"),
    Word("group", "A path glob: pages that fit it are one.", "/products/*", is_many=True, python="groups"),
)  # fmt: skip


def stickiness_of(form: Form) -> Stickiness:
    """The stickiness of a saved definition."""
    from .stickiness import Stickiness

    refuse_unknown(form, STICKINESS)
    name = _named(form, "Stickiness", "stickiness")
    return Stickiness(
        name, one(form, "period") or "day", by=breakdown_of(form), unit=unit_of(form), **common_of(form)
    )


def lifecycle_of(form: Form) -> Lifecycle:
    """The lifecycle of a saved definition."""
    from .lifecycle import Lifecycle

    # A sample is refused by the question itself, which says what can be asked of one.
    refuse_unknown(form, (*LIFECYCLE, *COMMON))
    name = _named(form, "A lifecycle", "lifecycle")
    return Lifecycle(name, one(form, "period") or "week", unit=unit_of(form), **common_of(form))


def paths_of(form: Form) -> Paths:
    """What people did after or before a saved definition."""
    from .paths import Paths

    # A sample is refused by the question itself, which says what can be asked of one.
    refuse_unknown(form, (*PATHS, *COMMON))
    name, gap = _named(form, "Paths", "paths"), one(form, "gap")
    chosen: dict[str, Any] = {
        field: whole_number(field, text)
        for field in ("steps", "top")
        if (text := one(form, field)) is not None
    }
    return Paths(
        name,
        one(form, "direction") or "after",
        events=tuple(form.get("event", ())),
        groups=tuple(form.get("group", ())),
        gap=SESSION_GAP if gap is None else parse_duration(gap, "gap"),
        **chosen,
        **common_of(form),
    )


def _named(form: Form, what: str, command: str) -> str:
    name = one(form, "name")
    if name is None:
        raise InvalidInput(
            f"{what} needs a definition.",
            hint=f'For example: expost {command} "Signed up", or name=Signed+up over HTTP',
        )
    return name
