"""The groups of a breakdown: which there are, in which order, by which rules, and the relations that make them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .breakdown import Breakdown, ByTrait, ByValue, Flag
from .matched import unit_column
from .question import Moment
from .reading import Reading
from .unit import Unit

GroupKey = tuple[str, str | None]
GROUP_ORDER = (
    "variation",
    "several variations",
    "not exposed",
    "before exposure",
    "value",
    "other",
    "no value",
)
MAX_GROUPS = 25
"""How many values of a breakdown are told apart; the rest are the group `other`."""
VALUE_RULE = "The value of a breakdown is that at the event of entry."
FLAG_RULES = (
    "People are in the variation of their first exposure; only their events from then on count there, and the view of "
    "the page on which it happened.",
    "People whose only entry lies before their exposure are 'before exposure'; all their events count.",
)
SEVERAL_RULES = {
    "first": (),
    "exclude": ("Whoever saw several variations is in the group 'several variations'.",),
    "as_treated": ("Whoever saw several variations is in the latest one seen at the entry.",),
}


def in_order(keys: Iterable[GroupKey]) -> list[GroupKey]:
    """Groups as they are shown: variations or values by name, then those without one."""
    return sorted(keys, key=lambda key: (GROUP_ORDER.index(key[0]), key[1] or ""))


def group_rules(by: Breakdown | None) -> list[str]:
    """How the groups were made, in words."""
    if by is None:
        return []
    return [*FLAG_RULES, *exposure_rules(by)] if isinstance(by, Flag) else [VALUE_RULE]


def exposure_rules(flag: Flag) -> list[str]:
    """Which exposures to a flag count, in words."""
    since = flag.exposures_from
    return [*([] if since is None else [exposures_rule(since)]), *SEVERAL_RULES[flag.several]]


def exposures_rule(since: Moment) -> str:
    """That exposures count from a moment on, in words."""
    return f"Exposures before {since.isoformat()} count as if they had never been."


def breakdown_values(by: Breakdown | None) -> ByValue | None:
    """The breakdown, if it is by a value at the entry."""
    return None if isinstance(by, Flag) else by


def kept_columns(by: Breakdown | None) -> tuple[str, ...]:
    """Columns of events by which entries are compared with what was known then."""
    is_placed = isinstance(by, ByTrait) or (isinstance(by, Flag) and by.several == "as_treated")
    return ("time", "page_id", "page_seq", "event_id") if is_placed else ()


def make_groups(reading: Reading, values: dict[str, Any], by: Breakdown | None, unit: Unit) -> dict[str, Any]:
    """What statements need to know of the groups; makes `treated` or `valued` of the relation `entered`.

    The name of a trait joins `values`.
    """
    return _groups(reading.run, values, by, unit)


def quote_groups(
    reading: Reading, values: dict[str, Any], by: Breakdown | None, unit: Unit
) -> dict[str, Any]:
    """The same, where the statement that makes them is but remembered."""
    return _groups(reading.quote, values, by, unit)


def _groups(
    run: Callable[..., object], values: dict[str, Any], by: Breakdown | None, unit: Unit
) -> dict[str, Any]:
    several = by.several if isinstance(by, Flag) else ""
    value = breakdown_values(by)
    trait = None
    if isinstance(value, ByTrait):
        values["trait"] = value.name
        trait = "latest" if value.latest else "then"
    if several == "as_treated" or value is not None:
        run(
            "groups.sql",
            values,
            unit=unit_column(unit),
            treated=several == "as_treated",
            by_value=value is not None,
            trait=trait,
            subject="group" if unit.kind == "group" else "user",
            groups=MAX_GROUPS,
        )
    return {"several": several, "by_value": value is not None}
