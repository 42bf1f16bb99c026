"""Funnels as people write them."""

from __future__ import annotations

from datetime import timedelta

from expost.errors import InvalidInput

from .definition import definition
from .duration import parse_duration
from .form import (
    BESIDE,
    COMMON,
    OPENING,
    SPLITS,
    UNITS,
    Form,
    breakdown_of,
    common_of,
    one,
    opened,
    partition,
    property_of,
    unit_of,
    whole_number,
    yes,
)
from .funnel import FUNNEL_PERIODS, ORDERS, Funnel, FunnelPeople, Stage
from .property_match import PropertyMatch
from .question import Step
from .word import Word, refuse_unknown

FUNNEL = (
    *COMMON,
    *UNITS,
    *SPLITS,
    Word("step", "Name of a definition; repeated, in order.", "Signed up", is_many=True, python="steps, in order"),
    Word("within", "The conversion window, from the first step; default 7d.", "7d"),
    Word("order", "Strict: nothing of the steps (or of between) lies between two of them; default ordered.",
         choices=ORDERS),
    Word("between", "In strict order: a definition that may not lie between two steps.", "Logged out", is_many=True),
    Word("ends_attempt", "A definition that ends an attempt.", "Logged out", is_many=True),
    Word("removes_unit", "A definition that leaves out whoever does it within the window of an entry.", "Complained",
         is_many=True),
    Word("optional", "The number of a step that may be left out.", "2", is_many=True, is_number=True,
         python="expost.stage(…, optional=True)"),
    Word("step_within", "`N=LENGTH`: step N at most so long after the step before.", "3=1h", is_many=True,
         python="expost.stage(…, within=…)"),
    Word("where", "`N:NAME=VALUE`: step N only with this property.", "2:plan=pro", is_many=True,
         python="expost.stage(…, where=lake.event(properties=…))"),
    Word("over", "Also by the period of entry.", choices=FUNNEL_PERIODS),
    BESIDE,
)  # fmt: skip
FUNNEL_PEOPLE = (
    *FUNNEL,
    *OPENING,
    Word("at", "The number of the step; default 1.", "2", is_number=True, python="answer.people(step=…)"),
    Word(
        "dropped_off",
        "Only those who came no further.",
        is_switch=True,
        python="answer.people(dropped_off=True)",
    ),
    Word("person", "Only this `person_id`.", "8417", python="answer.events(person_id)"),
)


def funnel_of(form: Form) -> Funnel:
    """A funnel of saved definitions."""
    refuse_unknown(form, FUNNEL)
    steps = tuple(form.get("step", ()))
    if not steps:
        raise InvalidInput(
            "A funnel needs steps.",
            hint='For example: expost funnel "Viewed page" "Signed up", or step=Viewed+page&step=Signed+up over HTTP',
        )
    within = parse_duration(one(form, "within") or "7d", "within")
    return Funnel(
        _stages(form, steps),
        within,
        by=breakdown_of(form),
        order=one(form, "order") or "ordered",
        unit=unit_of(form),
        between=tuple(form.get("between", ())),
        ends_attempt=tuple(form.get("ends_attempt", ())),
        removes_unit=tuple(form.get("removes_unit", ())),
        over=one(form, "over"),
        compare=one(form, "compare"),
        **common_of(form),
    )


def _stages(form: Form, steps: tuple[str, ...]) -> tuple[Step | Stage, ...]:
    """The steps, with what the fields `optional`, `step_within` and `where` say about some of them by number."""
    optional = {_step_number("optional", text, steps) for text in form.get("optional", ())}
    windows: dict[int, timedelta] = {}
    wheres: dict[int, list[PropertyMatch]] = {}
    for text in form.get("step_within", ()):
        number, has_length, length = partition(text)
        if not has_length:
            raise InvalidInput(
                f"step_within is {text!r}, which names no step and length.",
                hint="For step 3 at most an hour after the step before it: 3=1h",
            )
        windows[_step_number("step_within", number, steps)] = parse_duration(length, "step_within")
    for text in form.get("where", ()):
        number, colon, condition = text.partition(":")
        if not colon:
            raise InvalidInput(
                f"where is {text!r}, which names no step.",
                hint="For step 2 with the property plan equal to pro: 2:plan=pro",
            )
        wheres.setdefault(_step_number("where", number, steps), []).append(property_of(condition))
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
    number = whole_number(field, text)
    if not 1 <= number <= len(steps):
        raise InvalidInput(
            f"{field} names the step {number} of a funnel with {len(steps)} steps.",
            hint="Steps are counted from 1: optional=2, step_within=3=1h, where=2:plan=pro",
        )
    return number


def funnel_people_of(form: Form) -> FunnelPeople:
    """The people behind a bar of the funnel in the form."""
    rest, chosen = opened(form)
    at = one(form, "at") or "1"
    dropped_off = yes(form, "dropped_off") or False
    return FunnelPeople(
        funnel_of(rest), whole_number("at", at), dropped_off, person=one(form, "person"), **chosen
    )
