"""Stickiness, lifecycles and paths as people write them."""

from __future__ import annotations

from typing import Any

from expost.errors import InvalidInput

from .duration import parse_duration
from .form import COMMON, UNITS, Form, breakdown_of, common_of, one, refuse_unknown, unit_of, whole_number
from .lifecycle import Lifecycle
from .paths import Paths
from .stickiness import Stickiness
from .unit import SESSION_GAP

PATHS = frozenset({"name", "direction", "steps", "top", "event", "group", "gap", "cohort", "not_cohort"})


def stickiness_of(form: Form) -> Stickiness:
    """The stickiness of a saved definition."""
    refuse_unknown(form, COMMON | UNITS | {"name", "period", "by", "several"})
    name = _named(form, "Stickiness", "stickiness")
    return Stickiness(
        name, one(form, "period") or "day", by=breakdown_of(form), unit=unit_of(form), **common_of(form)
    )


def lifecycle_of(form: Form) -> Lifecycle:
    """The lifecycle of a saved definition."""
    refuse_unknown(form, COMMON | UNITS | {"name", "period"})
    name = _named(form, "A lifecycle", "lifecycle")
    return Lifecycle(name, one(form, "period") or "week", unit=unit_of(form), **common_of(form))


def paths_of(form: Form) -> Paths:
    """What people did after or before a saved definition."""
    refuse_unknown(form, COMMON | PATHS)
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
        gap=SESSION_GAP if gap is None else parse_duration(gap),
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
