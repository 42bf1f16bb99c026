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
from datetime import date, datetime, timedelta
from typing import Any

from expost.errors import InvalidInput

from .breakdown import Breakdown, parse_breakdown
from .calendar import parse_weekday
from .cohort import Cohort, Did, Sequel
from .definition import Definition, PropertyMatch, Scalar, definition
from .difference import Difference
from .duration import parse_duration
from .explanation import Explanation
from .funnel import Funnel, FunnelPeople, Stage
from .lifecycle import Lifecycle
from .losses import Losses
from .measure import parse_measure
from .paths import Paths
from .preview import Preview
from .question import Moment, Step
from .rejected import RejectedList
from .retention import Retention, RetentionPeople, parse_brackets
from .stickiness import Stickiness
from .suggested import Suggestions
from .timeline import Timeline
from .trend import Trend, TrendPeople
from .unit import SESSION_GAP, Unit, parse_unit
from .unnamed import Unnamed

Form = Mapping[str, Sequence[str]]
"""Field name to the values given, in order. Empty values count as not given."""

COMMON = frozenset({"site", "from", "to", "tz", "week_start", "environment", "bots", "internal", "as_of"})
CONDITIONS = frozenset(
    {"click", "change", "submit", "on", "view", "track", "text", "host", "path", "hash", "query", "property",
     "target_only", "pierce"}
)  # fmt: skip
UNITS = frozenset({"unit", "gap", "cohort", "not_cohort"})
COHORT = frozenset(
    {"did", "times", "did_within", "did_where", "did_not", "not_within", "sequence", "sequence_within", "trait",
     "from", "to"}
)  # fmt: skip
FUNNEL = frozenset(
    {"step", "within", "by", "several", "order", "between", "ends", "removes", "optional", "step_within", "where",
     "over", "compare"}
)  # fmt: skip
RETENTION = frozenset(
    {"start", "return", "period", "periods", "entry", "mode", "rolling", "brackets", "by", "several"}
)
OPENING = frozenset({"at", "dropped", "cohort_day", "kind", "value", "limit", "person"})
PATHS = frozenset({"name", "direction", "steps", "top", "event", "group", "gap", "cohort", "not_cohort"})
TREND = frozenset({"name", "period", "by", "several", "measure", "per", "per_measure", "compare"})
VALIDITY = ("valid_from", "valid_until")
TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


def form_of(pairs: Iterable[tuple[str, str]]) -> Form:
    """A form from (name, value) pairs, such as those of an address; empty values are left out."""
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if value != "":
            fields.setdefault(name, []).append(value)
    return fields


def preview_of(form: Form) -> Preview:
    """A preview of the conditions in the form, or of the saved definition called `name`."""
    _refuse_unknown(form, COMMON | CONDITIONS | {"name", "only"})
    name, only = _one(form, "name"), _one(form, "only")
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
    return Preview(step, count_only=only is not None, **_common(form))


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
        text=_one(form, "text"),
        host=_one(form, "host"),
        path=_one(form, "path"),
        hash=_one(form, "hash"),
        query={key: value if given else None for key, given, value in map(_partition, form.get("query", ()))},
        properties=[_property(given) for given in form.get("property", ())],
        target_only=_yes(form, "target_only") or False,
        pierce=_yes(form, "pierce") or False,
    )


def validity_of(form: Form) -> dict[str, Moment | None]:
    """`valid_from` and `valid_until` of the version that a form saves."""
    return {name: _moment(form, name) for name in VALIDITY}


def funnel_of(form: Form) -> Funnel:
    """A funnel of saved definitions."""
    _refuse_unknown(form, COMMON | UNITS | FUNNEL)
    steps = tuple(form.get("step", ()))
    if not steps:
        raise InvalidInput(
            "A funnel needs steps.",
            hint='For example: expost funnel "Viewed page" "Signed up", or step=Viewed+page&step=Signed+up over HTTP',
        )
    within = parse_duration(_one(form, "within") or "7d")
    return Funnel(
        _stages(form, steps),
        within,
        by=_by(form),
        order=_one(form, "order") or "ordered",
        unit=_unit(form),
        between=tuple(form.get("between", ())),
        ends_attempt=tuple(form.get("ends", ())),
        removes_unit=tuple(form.get("removes", ())),
        over=_one(form, "over"),
        compare=_one(form, "compare"),
        **_common(form),
    )


def _stages(form: Form, steps: tuple[str, ...]) -> tuple[Step | Stage, ...]:
    """The steps, with what the fields `optional`, `step_within` and `where` say about some of them by number."""
    optional = {_step_number("optional", text, steps) for text in form.get("optional", ())}
    windows: dict[int, timedelta] = {}
    wheres: dict[int, list[PropertyMatch]] = {}
    for text in form.get("step_within", ()):
        number, has_length, length = _partition(text)
        if not has_length:
            raise InvalidInput(
                f"step_within is {text!r}, which names no step and length.",
                hint="For step 3 at most an hour after the step before it: 3=1h",
            )
        windows[_step_number("step_within", number, steps)] = parse_duration(length)
    for text in form.get("where", ()):
        number, colon, condition = text.partition(":")
        if not colon:
            raise InvalidInput(
                f"where is {text!r}, which names no step.",
                hint="For step 2 with the property plan equal to pro: 2:plan=pro",
            )
        wheres.setdefault(_step_number("where", number, steps), []).append(_property(condition))
    return tuple(
        Stage(
            step,
            within=windows.get(number),
            optional=number in optional,
            where=definition("where", properties=wheres[number]) if number in wheres else None,
        )
        if number in optional | windows.keys() | wheres.keys()
        else step
        for number, step in enumerate(steps, 1)
    )


def _step_number(field: str, text: str, steps: tuple[str, ...]) -> int:
    number = _whole_number(field, text)
    if not 1 <= number <= len(steps):
        raise InvalidInput(
            f"{field} names the step {number} of a funnel with {len(steps)} steps.",
            hint="Steps are counted from 1: optional=2, step_within=3=1h, where=2:plan=pro",
        )
    return number


def retention_of(form: Form) -> Retention:
    """A retention between two saved definitions; without `return`, of one with itself."""
    _refuse_unknown(form, COMMON | UNITS | RETENTION)
    begins = _one(form, "start")
    if begins is None:
        raise InvalidInput(
            "Retention needs a start event.",
            hint='For example: expost retention --start "Signed up", or start=Signed+up over HTTP',
        )
    chosen: dict[str, Any] = {
        name: value.replace("-", "_") for name in ("period", "entry", "mode") if (value := _one(form, name))
    }
    if (periods := _one(form, "periods")) is not None:
        chosen["periods"] = _whole_number("periods", periods)
    if (brackets := _one(form, "brackets")) is not None:
        chosen["brackets"] = parse_brackets(brackets)
    return Retention(
        begins,
        _one(form, "return") or begins,
        by=_by(form),
        rolling=_yes(form, "rolling") or False,
        unit=_unit(form),
        **chosen,
        **_common(form),
    )


def suggestions_of(form: Form) -> Suggestions:
    """Suggested selectors for the element of an event, or for an element."""
    _refuse_unknown(form, COMMON | {"event", "element", "level", "limit"})
    chosen: dict[str, Any] = {
        name: _whole_number(name, value)
        for name in ("level", "limit")
        if (value := _one(form, name)) is not None
    }
    return Suggestions(event_id=_one(form, "event"), element=_one(form, "element"), **chosen, **_common(form))


def unnamed_of(form: Form) -> Unnamed:
    """Interactions that no definition matches."""
    _refuse_unknown(form, COMMON | {"limit"})
    limit = _one(form, "limit")
    chosen: dict[str, Any] = {} if limit is None else {"limit": _whole_number("limit", limit)}
    return Unnamed(**chosen, **_common(form))


def funnel_people_of(form: Form) -> FunnelPeople:
    """The people behind a bar of the funnel in the form."""
    rest, chosen = _opened(form)
    at = _one(form, "at") or "1"
    dropped = _yes(form, "dropped") or False
    return FunnelPeople(
        funnel_of(rest), _whole_number("at", at), dropped, person=_one(form, "person"), **chosen
    )


def retention_people_of(form: Form) -> RetentionPeople:
    """The people behind a cohort, or a cell, of the retention in the form."""
    rest, chosen = _opened(form)
    day, at = _moment(form, "cohort_day"), _one(form, "at")
    if day is None:
        raise InvalidInput(
            "Which cohort? It is named by its first day.", hint="For example: cohort_day=2026-11-02"
        )
    first = day.date() if isinstance(day, datetime) else day
    period = None if at is None else _whole_number("at", at)
    return RetentionPeople(retention_of(rest), first, period, **chosen)


def trend_people_of(form: Form) -> TrendPeople:
    """The people behind a point of the trend in the form, or behind all of it."""
    rest, chosen = _opened(form)
    return TrendPeople(trend_of(rest), _moment(form, "at"), **chosen)


def explanation_of(form: Form) -> Explanation:
    """The rules of the funnel, or of the retention, in the form."""
    asked = retention_of(form) if "start" in form else funnel_of(form)
    return Explanation(asked, site=asked.site)


def _opened(form: Form) -> tuple[Form, dict[str, Any]]:
    """The fields of the question that is opened, and what chooses among its people."""
    rest = {name: values for name, values in form.items() if name not in OPENING}
    limit = _one(form, "limit")
    chosen: dict[str, Any] = {
        "kind": _one(form, "kind"),
        "value": _one(form, "value"),
        "site": _one(form, "site"),
    }
    return rest, chosen if limit is None else chosen | {"limit": _whole_number("limit", limit)}


def trend_of(form: Form) -> Trend:
    """The trend of a saved definition."""
    _refuse_unknown(form, COMMON | UNITS | TREND)
    name = _one(form, "name")
    if name is None:
        raise InvalidInput(
            "A trend needs a definition.",
            hint='For example: expost trend "Signed up", or name=Signed+up over HTTP',
        )
    per_measure = _one(form, "per_measure")
    return Trend(
        name,
        period=_one(form, "period") or "day",
        by=_by(form),
        unit=_unit(form),
        measure=parse_measure(_one(form, "measure") or "events"),
        per=_one(form, "per"),
        per_measure=None if per_measure is None else parse_measure(per_measure),
        compare=_one(form, "compare"),
        **_common(form),
    )


def stickiness_of(form: Form) -> Stickiness:
    """The stickiness of a saved definition."""
    _refuse_unknown(form, COMMON | UNITS | {"name", "period", "by", "several"})
    name = _named(form, "Stickiness", "stickiness")
    return Stickiness(name, _one(form, "period") or "day", by=_by(form), unit=_unit(form), **_common(form))


def lifecycle_of(form: Form) -> Lifecycle:
    """The lifecycle of a saved definition."""
    _refuse_unknown(form, COMMON | UNITS | {"name", "period"})
    name = _named(form, "A lifecycle", "lifecycle")
    return Lifecycle(name, _one(form, "period") or "week", unit=_unit(form), **_common(form))


def paths_of(form: Form) -> Paths:
    """What people did after or before a saved definition."""
    _refuse_unknown(form, COMMON | PATHS)
    name, gap = _named(form, "Paths", "paths"), _one(form, "gap")
    chosen: dict[str, Any] = {
        field: _whole_number(field, text)
        for field in ("steps", "top")
        if (text := _one(form, field)) is not None
    }
    return Paths(
        name,
        _one(form, "direction") or "after",
        events=tuple(form.get("event", ())),
        groups=tuple(form.get("group", ())),
        gap=SESSION_GAP if gap is None else parse_duration(gap),
        **chosen,
        **_common(form),
    )


def _named(form: Form, what: str, command: str) -> str:
    name = _one(form, "name")
    if name is None:
        raise InvalidInput(
            f"{what} needs a definition.",
            hint=f'For example: expost {command} "Signed up", or name=Signed+up over HTTP',
        )
    return name


def cohort_of(name: str, form: Form) -> Cohort:
    """The cohort that a form describes."""
    _refuse_unknown(form, COHORT)
    did, did_not = tuple(form.get("did", ())), tuple(form.get("did_not", ()))
    times = {place: _whole_number("times", text) for place, text in _numbered(form, "times", did)}
    within = {place: parse_duration(text) for place, text in _numbered(form, "did_within", did)}
    without = {place: parse_duration(text) for place, text in _numbered(form, "not_within", did_not)}
    wheres: dict[int, list[PropertyMatch]] = {}
    for text in form.get("did_where", ()):
        number, _, condition = text.partition(":")
        wheres.setdefault(_place("did_where", number, did), []).append(_property(condition))
    steps, length = tuple(form.get("sequence", ())), _one(form, "sequence_within")
    if length is not None and not steps:
        raise InvalidInput("sequence_within is said of no sequence.", hint="Say sequence as well, repeated.")
    return Cohort(
        name,
        did=tuple(
            Did(step, times.get(place, 1), within.get(place), tuple(wheres.get(place, ())))
            for place, step in enumerate(did, 1)
        ),
        did_not=tuple(Did(step, within=without.get(place)) for place, step in enumerate(did_not, 1)),
        sequence=Sequel(steps, parse_duration(length or "7d")) if steps else None,
        traits=tuple(map(_property, form.get("trait", ()))),
        start=_moment(form, "from"),
        end=_moment(form, "to"),
    )


def _numbered(form: Form, field: str, named: tuple[str, ...]) -> Iterable[tuple[int, str]]:
    """What a field says of things by their number, `2=30d`; of a single one without it, `30d`."""
    for text in form.get(field, ()):
        number, given, rest = _partition(text)
        yield (_place(field, number, named), rest) if given else (_place(field, "1", named), number)


def _place(field: str, text: str, named: tuple[str, ...]) -> int:
    number = _whole_number(field, text)
    if not 1 <= number <= len(named):
        raise InvalidInput(
            f"{field} is about number {number} of {len(named)}.",
            hint="They are counted from 1, in the order given.",
        )
    return number


def difference_of(form: Form) -> Difference:
    """Two versions of a saved definition in effect."""
    _refuse_unknown(form, COMMON | {"name", "old", "new", "samples"})
    name, old, new = (_one(form, field) for field in ("name", "old", "new"))
    if name is None or old is None or new is None:
        raise InvalidInput(
            "A difference needs a definition and two of its versions.",
            hint='For example: expost definitions diff "Signed up" 1 2, or name=Signed+up&old=1&new=2 over HTTP',
        )
    samples = _one(form, "samples") or "10"
    versions = (_whole_number("old", old), _whole_number("new", new))
    return Difference(name, *versions, _whole_number("samples", samples), **_common(form))


def losses_of(form: Form) -> Losses:
    """The loss meter, by day, page or browser."""
    _refuse_unknown(form, COMMON | {"by", "limit"})
    chosen: dict[str, Any] = {}
    if (limit := _one(form, "limit")) is not None:
        chosen["limit"] = _whole_number("limit", limit)
    return Losses(_one(form, "by") or "day", **chosen, **_common(form))


def rejected_of(form: Form) -> RejectedList:
    """What could not be stored."""
    _refuse_unknown(form, frozenset({"site", "kind", "limit"}))
    limit = _one(form, "limit")
    chosen: dict[str, Any] = {} if limit is None else {"limit": _whole_number("limit", limit)}
    return RejectedList(_one(form, "kind"), **chosen, site=_one(form, "site"))


def timeline_of(form: Form) -> Timeline:
    """One person."""
    _refuse_unknown(form, COMMON | {"id", "latest"})
    id_ = _one(form, "id")
    if id_ is None:
        raise InvalidInput(
            "It is not said who.", hint="For example: expost people show ann@shop.example, or id=… over HTTP"
        )
    chosen: dict[str, Any] = (
        {} if (latest := _one(form, "latest")) is None else {"latest": _whole_number("latest", latest)}
    )
    return Timeline(id_, **chosen, **_common(form))


def _common(form: Form) -> dict[str, Any]:
    return {
        "site": _one(form, "site"),
        "start": _moment(form, "from"),
        "end": _moment(form, "to"),
        "time_zone": _one(form, "tz"),
        "week_start": parse_weekday(day) if (day := _one(form, "week_start")) else None,
        "bots": _yes(form, "bots"),
        "internal": _yes(form, "internal"),
        "environment": _environment(form),
        "as_of": _moment(form, "as_of"),
        "cohort": tuple(form.get("cohort", ())),
        "not_cohort": tuple(form.get("not_cohort", ())),
    }


def _one(form: Form, name: str) -> str | None:
    values = form.get(name, ())
    if len(values) > 1:
        raise InvalidInput(
            f"{name} is given {len(values)} times: {', '.join(map(repr, values))}.", hint="Give it once."
        )
    return values[0] if values and values[0] != "" else None


def _environment(form: Form) -> str | tuple[str, ...] | None:
    names = tuple(name for name in form.get("environment", ()) if name)
    return names if len(names) > 1 else next(iter(names), None)


def _by(form: Form) -> Breakdown | None:
    text, several = _one(form, "by"), _one(form, "several")
    if text is None and several is not None:
        raise InvalidInput(
            f"{several!r} says how people who saw several variations count, and there is no flag.",
            hint="Split by a flag as well: by flag:KEY",
        )
    return None if text is None else parse_breakdown(text, several)


def _unit(form: Form) -> Unit:
    gap = _one(form, "gap")
    return parse_unit(_one(form, "unit") or "person", SESSION_GAP if gap is None else parse_duration(gap))


def _yes(form: Form, name: str) -> bool | None:
    text = _one(form, name)
    if text is None:
        return None
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise InvalidInput(f"{name} is {text!r}.", hint="Say yes or no.")


def _moment(form: Form, name: str) -> Moment | None:
    return parse_moment(name, _one(form, name))


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


def _whole_number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidInput(
            f"{name} is {text!r}.", hint="Give a whole number of at most nine digits and no sign."
        )
    return int(text)


def _partition(text: str) -> tuple[str, bool, str]:
    key, equals, value = text.partition("=")
    return key, bool(equals), value


def _property(text: str) -> PropertyMatch:
    """`plan=pro` (text), `seats=3` (number), `paid=true`, `note="3"` (text again), `plan` (is there)."""
    name, given, raw = _partition(text)
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


def _refuse_unknown(form: Form, known: frozenset[str]) -> None:
    unknown = sorted(set(form) - known)
    if unknown:
        raise InvalidInput(
            f"{unknown[0]!r} is nothing that this question knows.",
            hint=f"It knows: {', '.join(sorted(known))}.",
        )
