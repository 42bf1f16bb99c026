"""Questions as people write them: options of a command, parameters of an address, fields of a page.

All three are the same words with the same meaning, so they are read here, once: what every question may say, in this
module; each kind of question in a module `form_….py` of its own. Those list their words as well, from which the doors
make their options and parameters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from expost.errors import InvalidInput

from .breakdown import SEVERAL, Breakdown, breakdown_said
from .duration import parse_duration
from .property_match import PropertyMatch, Scalar
from .question import Moment
from .share import parse_share
from .unit import Unit, unit_with
from .weekday import parse_weekday
from .word import Word

YES_NO = ("yes", "no")
Form = Mapping[str, Sequence[str]]
"""Field name to the values given, in order. Empty values count as not given."""
COMMON = (
    Word("site", "Which site, when there are several.", "shop"),
    Word("from", "From this date (or ISO time) on; default all kept time.", "2026-11-02", python="start"),
    Word("to", "Before this date (or ISO time).", "2026-12-01", python="end"),
    Word("last", "Instead of these: so many days up to today, which is one of them.", "30d"),
    Word("time_zone", "Time zone of days and weeks; default the site's.", "Europe/Berlin"),
    Word("week_start", "The first day of weeks; default the site's.", "sunday"),
    Word("environment", "Which environment; repeated for several, or `all`; default as the site says.", "production",
         is_many=True),
    Word("bots", "Count bots: `yes` or `no`; default as the site says.", choices=YES_NO),
    Word("internal", "Count internal devices: `yes` or `no`; default as the site says.", choices=YES_NO),
    Word("as_of", "Only what was known at this date (or ISO time); default all that is known.", "2026-11-02"),
    Word("sample", "Only this share of those who are counted, each with all events; counts are then estimates.", "10%"),
    Word("cache", "`off`: use nothing that was found before, and keep nothing. No answer differs.",
         choices=("on", "off")),
)  # fmt: skip
"""What every question may say about itself."""
WHOLE = tuple(word for word in COMMON if word.name != "sample")
"""The same of questions that are asked of everybody alone."""
COHORTS = (
    Word("cohort", "Only people who are in this cohort; repeated: in all of them.", "Regulars", is_many=True),
    Word("not_cohort", "Only people who are not in it.", "Staff", is_many=True),
)
GAP = Word("gap", "A session ends after this long without any event; default 30min.", "30min")
UNITS = (
    Word(
        "unit", "What is counted: `person` (default), `session`, `device` or `group:TYPE`.", "group:company"
    ),
    GAP,
    *COHORTS,
)
"""What is counted, and of whom."""
SPLITS = (
    Word(
        "by",
        "Split by `flag:KEY`, `property:NAME`, `trait:NAME`, `latest_trait:NAME`, `cohort:NAME`, or a column: `path`.",
        "flag:new-checkout",
    ),
    Word(
        "several", "How people count who saw several variations of the flag; default first.", choices=SEVERAL
    ),
    Word(
        "exposures_from",
        "Exposures to the flag before this date (or ISO time) count as if they had never been.",
        "2026-11-02",
    ),
)
"""What a result is split by."""
NAME = Word("name", "Name of the definition.", "Signed up", python="the first argument")
BESIDE = Word(
    "compare",
    "`previous`: also the stretch of the same length before; `cohort:NAME`: also the people of that cohort instead of "
    "those of `cohort`.",
    "cohort:Regulars",
)
COMPARE = Word("compare", "`previous`: also the stretch of the same length before.")
"""What stands beside a trend. It has no list of choices: who asks for a cohort is told what can stand beside one."""
OPENING = (
    Word("kind", "The kind of a group, such as `variation`; default everybody.", "variation"),
    Word("value", "The value of that group.", "on"),
    Word("limit", "How many people; default 100.", "100", is_number=True),
)
"""Which of the people behind a number."""
OPENED = frozenset({"at", "dropped_off", "cohort_day", "person", *(word.name for word in OPENING)})
"""All that chooses among the people behind a number: the rest of an address is the question itself."""
TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


def form_of(pairs: Iterable[tuple[str, str]]) -> Form:
    """A form from (name, value) pairs, such as those of an address; empty values are left out."""
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if value != "":
            fields.setdefault(name, []).append(value)
    return fields


def form_of_body(body: Mapping[str, Any]) -> Form:
    """A form from a JSON object whose values were checked."""
    pairs: list[tuple[str, str]] = []
    for name, value in body.items():
        values = value if isinstance(value, list) else [value]
        pairs += [
            (name, {True: "yes", False: "no"}[each] if isinstance(each, bool) else str(each))
            for each in values
        ]
    return form_of(pairs)


def opened(form: Form) -> tuple[Form, dict[str, Any]]:
    """The fields of the question that is opened, and what chooses among its people."""
    rest = {name: values for name, values in form.items() if name not in OPENED}
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
        "last": None if (length := one(form, "last")) is None else parse_duration(length, "last"),
        "time_zone": one(form, "time_zone"),
        "week_start": parse_weekday(day, "week_start") if (day := one(form, "week_start")) else None,
        "bots": yes(form, "bots"),
        "internal": yes(form, "internal"),
        "environment": _environment(form),
        "as_of": moment_of(form, "as_of"),
        "cohort": tuple(form.get("cohort", ())),
        "not_cohort": tuple(form.get("not_cohort", ())),
        "cache": _cache(form),
        "sample": None if (share := one(form, "sample")) is None else parse_share(share),
    }


def _cache(form: Form) -> bool:
    text = one(form, "cache")
    if text not in (None, "on", "off"):
        raise InvalidInput(f"cache is {text!r}.", hint="Say off, or leave it out.")
    return text != "off"


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
    return breakdown_said(one(form, "by"), one(form, "several"), moment_of(form, "exposures_from"))


def unit_of(form: Form) -> Unit:
    """What is counted."""
    gap = one(form, "gap")
    return unit_with(one(form, "unit") or "person", None if gap is None else parse_duration(gap, "gap"))


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


def parse_day(name: str, text: str) -> date:
    """The day that the field `name` gives; of a time the day on which it is."""
    moment = parse_moment(name, text)
    if moment is None:
        raise InvalidInput(f"{name} is empty, and a day is needed.", hint="For example: 2026-11-02")
    return moment.date() if isinstance(moment, datetime) else moment


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
