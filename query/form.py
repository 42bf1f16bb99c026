"""Questions as people write them: options of a command, parameters of an address, fields of a page.

All three are the same words with the same meaning, so they are read here, once.

    common       site, from, to (dates or ISO times), tz, week_start (a day), environment (repeated, or `all`),
                 bots (yes | no), internal, as_of (a date or ISO time)
    definition   click, change, submit (selectors), on (TYPE or TYPE SELECTOR), view (path globs), track (event names),
                 text, host, path, hash, query (NAME or NAME=VALUE), property (NAME=JSON or NAME=TEXT), target_only,
                 pierce; to save it also valid_from, valid_until (dates or ISO times)
    preview      definition, or name; only (count)
    unit         unit (person | session | device | group:TYPE), gap (of sessions); cohort, not_cohort (repeated: only
                 people who are in it, or not)
    breakdown    by (flag:KEY, property:NAME, trait:NAME, latest-trait:NAME, cohort:NAME, a column), several (first |
                 exclude | as-treated)
    funnel       step (repeated), within, by, several, unit, gap, order (ordered | strict | any), between, ends, removes
                 (repeated: names), optional (N), step_within (N=LENGTH), where (N:NAME=VALUE), over (day | week |
                 month), compare (previous)
    retention    start, return, period, periods, entry, mode (on | on-or-after), rolling, brackets (0,1-3,4-7), by,
                 several, unit, gap
    trend        name, period, by, several, unit, gap, measure (events | people | per-person | sum:NAME | mean:NAME |
                 min:NAME | max:NAME | median:NAME | p95:NAME), per (NAME), per_measure, compare (previous)
    stickiness   name, period (day | week | month), by, several, unit, gap
    lifecycle    name, period (day | week | month), unit, gap
    paths        name, direction (after | before), steps, top, event (repeated: names), group (repeated: globs), gap
    people       the fields of a funnel, a retention or a trend; at (a step, a period, a date), dropped,
                 cohort_day (of a retention), kind and value (a group), person (of a funnel), limit
    cohort       did (repeated), times (N=COUNT), did_within (N=LENGTH), did_where (N:NAME=VALUE), did_not (repeated),
                 not_within (N=LENGTH), sequence (repeated, in order), sequence_within, trait (NAME=VALUE or
                 NAME), from, to
    difference   name, old, new (versions), samples
    losses       by (day | page | browser), limit
    rejected     kind, limit
    timeline     id (a user, a device or a person_id), latest
    suggestions  event or element (an id), level, limit
    unnamed      limit
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from expost.errors import InvalidInput

from .breakdown import Breakdown, parse_breakdown
from .definition import PropertyMatch, Scalar
from .duration import parse_duration
from .question import Moment
from .unit import SESSION_GAP, Unit, parse_unit
from .weekday import parse_weekday

Form = Mapping[str, Sequence[str]]
"""Field name to the values given, in order. Empty values count as not given."""
COMMON = frozenset({"site", "from", "to", "tz", "week_start", "environment", "bots", "internal", "as_of"})
UNITS = frozenset({"unit", "gap", "cohort", "not_cohort"})
OPENING = frozenset({"at", "dropped", "cohort_day", "kind", "value", "limit", "person"})
TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


def form_of(pairs: Iterable[tuple[str, str]]) -> Form:
    """A form from (name, value) pairs, such as those of an address; empty values are left out."""
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if value != "":
            fields.setdefault(name, []).append(value)
    return fields


def opened(form: Form) -> tuple[Form, dict[str, Any]]:
    """The fields of the question that is opened, and what chooses among its people."""
    rest = {name: values for name, values in form.items() if name not in OPENING}
    limit = one(form, "limit")
    chosen: dict[str, Any] = {
        "kind": one(form, "kind"),
        "value": one(form, "value"),
        "site": one(form, "site"),
    }
    return rest, chosen if limit is None else chosen | {"limit": whole_number("limit", limit)}


def common_of(form: Form) -> dict[str, Any]:
    """What every question may say about itself."""
    return {
        "site": one(form, "site"),
        "start": moment_of(form, "from"),
        "end": moment_of(form, "to"),
        "time_zone": one(form, "tz"),
        "week_start": parse_weekday(day) if (day := one(form, "week_start")) else None,
        "bots": yes(form, "bots"),
        "internal": yes(form, "internal"),
        "environment": _environment(form),
        "as_of": moment_of(form, "as_of"),
        "cohort": tuple(form.get("cohort", ())),
        "not_cohort": tuple(form.get("not_cohort", ())),
    }


def one(form: Form, name: str) -> str | None:
    """The one value of a field, None where it has none."""
    values = form.get(name, ())
    if len(values) > 1:
        raise InvalidInput(
            f"{name} is given {len(values)} times: {', '.join(map(repr, values))}.", hint="Give it once."
        )
    return values[0] if values and values[0] != "" else None


def _environment(form: Form) -> str | tuple[str, ...] | None:
    names = tuple(name for name in form.get("environment", ()) if name)
    return names if len(names) > 1 else next(iter(names), None)


def breakdown_of(form: Form) -> Breakdown | None:
    """What the answer is split by."""
    text, several = one(form, "by"), one(form, "several")
    if text is None and several is not None:
        raise InvalidInput(
            f"{several!r} says how people who saw several variations count, and there is no flag.",
            hint="Split by a flag as well: by flag:KEY",
        )
    return None if text is None else parse_breakdown(text, several)


def unit_of(form: Form) -> Unit:
    """What is counted."""
    gap = one(form, "gap")
    return parse_unit(one(form, "unit") or "person", SESSION_GAP if gap is None else parse_duration(gap))


def yes(form: Form, name: str) -> bool | None:
    """Yes or no, None where neither is said."""
    text = one(form, name)
    if text is None:
        return None
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise InvalidInput(f"{name} is {text!r}.", hint="Say yes or no.")


def moment_of(form: Form, name: str) -> Moment | None:
    """The date or time that a field gives."""
    return parse_moment(name, one(form, name))


def parse_moment(name: str, text: str | None) -> Moment | None:
    """The date or time that the field `name` gives, if it gives one."""
    if not text:
        return None
    try:
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"{name} is {text!r}, which is no date.",
            hint="For example: 2026-11-02 or 2026-11-02T08:00:00+01:00",
        ) from None


def whole_number(name: str, text: str) -> int:
    """A count, as text has it."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidInput(
            f"{name} is {text!r}.", hint="Give a whole number of at most nine digits and no sign."
        )
    return int(text)


def partition(text: str) -> tuple[str, bool, str]:
    """What stands before the first `=`, whether there is one, and what stands behind it."""
    key, equals, value = text.partition("=")
    return key, bool(equals), value


def property_of(text: str) -> PropertyMatch:
    """`plan=pro` (text), `seats=3` (number), `paid=true`, `note="3"` (text again), `plan` (is there)."""
    name, given, raw = partition(text)
    if not name:
        raise InvalidInput(
            f"The property condition {text!r} names no property.", hint="For example: property plan=pro"
        )
    if not given:
        return PropertyMatch(name, "exists")
    value: Scalar = raw
    try:
        parsed = json.loads(raw)
    except ValueError:
        pass
    else:
        if parsed is None or isinstance(parsed, str | int | float | bool):
            value = parsed
    return PropertyMatch(name, "is", value)


def refuse_unknown(form: Form, known: frozenset[str]) -> None:
    """Refuse a field that the question does not know."""
    unknown = sorted(set(form) - known)
    if unknown:
        raise InvalidInput(
            f"{unknown[0]!r} is nothing that this question knows.",
            hint=f"It knows: {', '.join(sorted(known))}.",
        )
