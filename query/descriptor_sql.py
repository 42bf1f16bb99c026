"""Conditions on what an element is, as sets of descriptors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .attribute_sql import comparison
from .css import ascii_lower
from .selector import (
    AnyOf,
    Attribute,
    Class,
    Compound,
    Id,
    Not,
    Simple,
    State,
    Type,
    Universal,
)
from .set_sql import Selection, Sets, noun_of, union
from .state_sql import state

_ALONE = Id | Class | Attribute | State | AnyOf


@dataclass(frozen=True, slots=True)
class DescriptorSets:
    """Makes the sets of descriptors that a selector needs."""

    sets: Sets

    def compound(self, compound: Compound) -> str:
        """The descriptors for which all conditions hold."""
        made = self.sets.made.get(("descriptors", compound))
        if made:
            return made
        if len(compound.conditions) == 1 and isinstance(compound.conditions[0], _ALONE):
            return self.condition(compound.conditions[0])
        selection = Selection("lake.descriptor_types", "d", ("descriptor_id",))
        for condition in single(compound):
            match condition:
                case Type(name):
                    selection.wheres.append(f"d.type_name = {self.sets.bind('type', ascii_lower(name))}")
                case Not((each,)):
                    selection.outside(self.compound(each.compounds[0]))
                case Universal():
                    pass
                case _:
                    selection.within(self.condition(condition))
        return self.sets.add("descriptors", compound, noun_of(compound), selection.text())

    def condition(self, condition: Simple) -> str:
        """The descriptors for which one condition holds."""
        made = self.sets.made.get(("condition", condition))
        if made:
            return made
        match condition:
            case Id(name):
                sql = self.named("id", "dom_id", name)
            case Class(name):
                sql = self.named("class", "class_name", name)
            case Attribute():
                sql = comparison(condition, self.sets.bind)
            case State():
                sql = state(condition)
            case AnyOf(_, alternatives):
                parts = list(dict.fromkeys(self.compound(each.compounds[0]) for each in alternatives))
                if len(parts) == 1:
                    return parts[0]
                sql = union("descriptor_id", parts)
            case _:
                return self.compound(Compound((condition,)))
        return self.sets.add("condition", condition, noun_of(condition), sql)

    def named(self, noun: str, column: str, name: str) -> str:
        view = {"id": "lake.descriptor_ids", "class": "lake.descriptor_classes"}[noun]
        found = f"{column} = {self.sets.bind(noun, name)}"
        if ascii_lower(name) != name:
            lowered = self.sets.bind(f"{noun}_lower", ascii_lower(name))
            found += f" or (is_quirks and {column} = {lowered})"
        return f"""\
            select descriptor_id, max({column} is not null) as is_sure
            from {view}
            where {found} or {column} is null
            group by descriptor_id"""


def is_about_descriptor(condition: Simple) -> bool:
    """Whether it asks only what an element is, and not where it stands."""
    return _is_about(condition, (Type, Universal, Id, Class, Attribute, State))


def is_about_type(condition: Simple) -> bool:
    """Whether it asks only for the name of an element, so that all of one type have one answer."""
    return _is_about(condition, (Type, Universal))


def _is_about(condition: Simple, kinds: tuple[type[Simple], ...]) -> bool:
    match condition:
        case AnyOf(_, alternatives) | Not(alternatives):
            return all(
                not each.combinators
                and all(_is_about(inner, kinds) for inner in each.compounds[0].conditions)
                for each in alternatives
            )
        case _:
            return isinstance(condition, kinds)


def single(compound: Compound) -> Iterator[Simple]:
    """The conditions, with `:not(a, b)` as `:not(a):not(b)`."""
    for condition in compound.conditions:
        if isinstance(condition, Not):
            yield from (Not((each,)) for each in condition.alternatives)
        else:
            yield condition
