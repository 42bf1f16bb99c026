"""From a parse tree to SQL over the element dictionary.

Every common table expression of the result is a set with an answer: `descriptor_id` or `element_id`, and `is_sure`.
What is not in the set does not match; what is in it matches surely or, without `is_sure`, possibly. Kleene's logic on
such sets is: *and* joins and asks both, *or* takes the surest, *not* keeps what is outside surely and what is not sure
possibly. Conditions on what an element is run over the descriptors, positions and combinators over the elements.

The text is plain joins over the views of `lake/sql/dictionary.sql`, its values are bound. It does not look at events,
so its cost depends on how many different elements there are.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from textwrap import dedent, indent

from .attribute_sql import comparison
from .css import ascii_lower
from .position_sql import place
from .selector import (
    AnyOf,
    Attribute,
    Class,
    Complex,
    Compound,
    Id,
    Not,
    Only,
    Position,
    Root,
    Selector,
    Simple,
    Type,
    Universal,
)

ENGINE_VERSION = 1
"""Saved with a definition. It rises when the answer for some element changes."""

RESERVED = ("cut", "chain", "surely", "possibly")


@dataclass(frozen=True, slots=True)
class CompiledSelector:
    """SQL for one selector: expressions to put after `with`, in order, and the values that they bind.

    The last two are `surely(element_id)` and `possibly(element_id)`: targets for which an element of the chain surely,
    possibly matches (surely is part of possibly). `matches(element_id, is_sure)` names the one with the elements that
    match themselves. `subjects` is a select of (element_id, subject_id): the first element of the chain that surely
    matches. All names and values start with the prefix that was asked for.
    """

    ctes: tuple[tuple[str, str], ...]
    parameters: dict[str, str]
    matches: str
    surely: str
    possibly: str
    subjects: str

    def statement(self, select: str) -> str:
        """A whole statement: the expressions, then `select`."""
        bodies = [f"{name} as (\n{indent(sql, '    ')}\n)" for name, sql in self.ctes]
        return "with " + "\n, ".join(bodies) + "\n" + select


def compile_selector(
    selector: Selector, *, prefix: str = "selector", target_only: bool = False, pierce: bool = False
) -> CompiledSelector:
    """SQL that finds the targets whose chain has an element that matches.

    With `target_only` the target itself must match. With `pierce` combinators go through shadow roots.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", prefix):
        raise ValueError(f"{prefix!r} is no prefix for names in SQL.")
    statement = _Statement(prefix, pierce)
    top = selector.alternatives
    matches = statement.complex(top[0]) if len(top) == 1 else statement.any_of(AnyOf("is", top))
    statement.targets(matches, target_only=target_only)
    return CompiledSelector(
        tuple(statement.ctes.items()),
        statement.parameters,
        matches=matches,
        surely=f"{prefix}_surely",
        possibly=f"{prefix}_possibly",
        subjects=statement.subjects(matches, target_only=target_only),
    )


@dataclass
class _Statement:
    """The expressions and values collected so far. Equal conditions share one expression."""

    prefix: str
    pierce: bool
    ctes: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    made: dict[tuple[str, object], str] = field(default_factory=dict)

    def bind(self, noun: str, value: str) -> str:
        name = f"{self.prefix}_{noun}"
        number = 2
        while self.parameters.setdefault(name, value) != value:
            name, number = f"{self.prefix}_{noun}_{number}", number + 1
        return f"${name}"

    def add(self, kind: str, subject: object, noun: str, sql: str) -> str:
        """Put an expression named after `noun`, with `subject` as its comment, and give its name."""
        name = _free(f"{self.prefix}_{noun}", {*self.ctes, *(f"{self.prefix}_{each}" for each in RESERVED)})
        self.ctes[name] = f"-- {_comment(subject)}\n{_lines(sql)}"
        self.made[kind, subject] = name
        return name

    # What an element is

    def descriptors(self, compound: Compound) -> str:
        """The descriptors for which all conditions hold."""
        made = self.made.get(("descriptors", compound))
        if made:
            return made
        if len(compound.conditions) == 1 and isinstance(
            compound.conditions[0], Id | Class | Attribute | AnyOf
        ):
            return self.descriptor_set(compound.conditions[0])
        conditions = tuple(_single(compound))
        joins, wheres, sure = self.joined(conditions, "descriptor_id", "d")
        types = [ascii_lower(each.name) for each in conditions if isinstance(each, Type)]
        wheres[:0] = [f"d.type_name = {self.bind('type', name)}" for name in types]
        sql = _select("d.descriptor_id", sure, "lake.descriptor_types as d", joins, wheres)
        return self.add("descriptors", compound, _noun(compound), sql)

    def descriptor_set(self, condition: Simple) -> str:
        """The descriptors for which one condition holds."""
        made = self.made.get(("set", condition))
        if made:
            return made
        match condition:
            case Id(name):
                sql = self.named("id", "dom_id", name)
            case Class(name):
                sql = self.named("class", "class_name", name)
            case Attribute():
                sql = comparison(condition, self.bind)
            case AnyOf(_, alternatives):
                parts = [self.descriptors(each.compounds[0]) for each in alternatives]
                if len(parts) == 1:
                    return parts[0]
                sql = _union("descriptor_id", parts)
            case _:
                return self.descriptors(Compound((condition,)))
        return self.add("set", condition, _noun(condition), sql)

    def named(self, noun: str, column: str, name: str) -> str:
        view = {"id": "lake.descriptor_ids", "class": "lake.descriptor_classes"}[noun]
        found = f"{column} = {self.bind(noun, name)}"
        if ascii_lower(name) != name:
            found += f" or (is_quirks and {column} = {self.bind(f'{noun}_lower', ascii_lower(name))})"
        return f"""\
            select descriptor_id, max({column} is not null) as is_sure
            from {view}
            where {found} or {column} is null
            group by descriptor_id"""

    def joined(
        self, conditions: Sequence[Simple], key: str, alias: str
    ) -> tuple[list[str], list[str], list[str]]:
        """Joins, conditions and answers for those conditions that are sets of their own."""
        find = self.descriptor_set if key == "descriptor_id" else self.element_set
        joins: list[str] = []
        wheres: list[str] = []
        sure: list[str] = []
        for condition in dict.fromkeys(conditions):
            if isinstance(condition, Id | Class | Attribute | AnyOf):
                name = find(condition)
                joins.append(f"join {name} on {name}.{key} = {alias}.{key}")
                sure.append(f"{name}.is_sure")
            elif isinstance(condition, Not):
                [each] = condition.alternatives
                name = self.descriptors(each.compounds[0]) if key == "descriptor_id" else self.complex(each)
                joins.append(f"left join {name} as not_{name} on not_{name}.{key} = {alias}.{key}")
                wheres.append(f"not coalesce(not_{name}.is_sure, false)")
                sure.append(f"not_{name}.{key} is null")
        # Two conditions can share one set; a name is joined once.
        return list(dict.fromkeys(joins)), list(dict.fromkeys(wheres)), list(dict.fromkeys(sure))

    # Where it stands

    def elements(self, compound: Compound) -> str:
        """The elements for which all conditions hold."""
        made = self.made.get(("elements", compound))
        if made:
            return made
        conditions = tuple(_single(compound))
        what = tuple(each for each in conditions if _is_about_descriptor(each) and each != Universal())
        where = tuple(each for each in conditions if not _is_about_descriptor(each))
        joins, wheres, sure = self.joined(where, "element_id", "e")
        if what:
            name = self.descriptors(Compound(what))
            joins.insert(0, f"join {name} as d on d.descriptor_id = e.descriptor_id")
            sure.insert(0, "d.is_sure")
        wheres.extend(place(each) for each in where if isinstance(each, Position | Only | Root))
        sql = _select("e.element_id", sure, "lake.elements as e", joins, wheres)
        return self.add("elements", compound, f"{_noun(compound)}_elements", sql)

    def element_set(self, condition: Simple) -> str:
        if isinstance(condition, AnyOf):
            return self.any_of(condition)
        return self.elements(Compound((condition,)))

    def any_of(self, condition: AnyOf) -> str:
        """The elements for which one of the alternatives matches."""
        if _is_about_descriptor(condition):
            return self.elements(Compound((condition,)))
        made = self.made.get(("any", condition))
        if made:
            return made
        parts = list(dict.fromkeys(self.complex(each) for each in condition.alternatives))
        if len(parts) == 1:
            return parts[0]
        return self.add("any", condition, "either", _union("element_id", parts))

    def complex(self, complex_: Complex) -> str:
        """The elements that match, each in its own tree."""
        found = self.elements(complex_.compounds[0])
        for count, combinator in enumerate(complex_.combinators, start=1):
            inner = complex_.compounds[count]
            path = Complex(complex_.compounds[: count + 1], complex_.combinators[:count])
            made = self.made.get(("inside", path))
            found = made or self.inside(path, found, self.elements(inner), is_child=combinator == ">")
        return found

    def inside(self, path: Complex, outer: str, inner: str, *, is_child: bool) -> str:
        """Those of `inner` that stand in one of `outer`; possibly those whose ancestors are not all known."""
        if is_child:
            same_tree = "" if self.pierce else "\nwhere not e.is_shadow_child"
            known = f"""\
                select i.element_id, o.is_sure and i.is_sure as is_sure
                from {inner} as i
                join lake.elements as e on e.element_id = i.element_id
                join {outer} as o on o.element_id = e.parent_id"""
            unknown = f"""\
                select i.element_id, false
                from {inner} as i
                join lake.elements as e on e.element_id = i.element_id
                where e.is_cut"""
        else:
            same_tree = "" if self.pierce else "\nwhere a.is_same_tree"
            known = f"""\
                select i.element_id, o.is_sure and i.is_sure as is_sure
                from lake.element_ancestors as a
                join {inner} as i on i.element_id = a.element_id
                join {outer} as o on o.element_id = a.ancestor_id"""
            unknown = f"""\
                select i.element_id, false
                from {inner} as i
                join {self.cut()} as c on c.element_id = i.element_id"""
            unknown = dedent(unknown) + ("" if self.pierce else "\nwhere c.is_same_tree")
        parts = f"{_lines(known)}{same_tree}\nunion all\n{_lines(unknown)}"
        sql = (
            "select element_id, max(is_sure) as is_sure\n"
            f"from (\n{indent(parts, '    ')}\n) as found\n"
            "group by element_id"
        )
        noun = f"{_noun(path.compounds[-1])}_in_{_noun(path.compounds[-2])}"
        return self.add("inside", path, noun, sql)

    def cut(self) -> str:
        """The elements of which not every ancestor was captured, in their own tree or above its host."""
        name = f"{self.prefix}_cut"
        if name not in self.ctes:
            self.ctes[name] = _lines("""\
                -- not every ancestor was captured: above the element's own tree, or in it
                select element_id, max(is_same_tree) as is_same_tree
                from (
                    select element_id, true as is_same_tree
                    from lake.elements
                    where is_cut
                    union all
                    select a.element_id, a.is_same_tree
                    from lake.element_ancestors as a
                    join lake.elements as e on e.element_id = a.ancestor_id
                    where e.is_cut
                ) as cut
                group by element_id""")
        return name

    # What was clicked

    def targets(self, matches: str, *, target_only: bool) -> None:
        surely, possibly = f"{self.prefix}_surely", f"{self.prefix}_possibly"
        if target_only:
            self.ctes[surely] = f"select element_id\nfrom {matches}\nwhere is_sure"
            self.ctes[possibly] = f"select element_id\nfrom {matches}"
            return
        cut = self.cut()
        chain = f"{self.prefix}_chain"
        self.ctes[chain] = _lines(f"""\
            -- targets: what matches, and everything inside it
            select element_id, is_sure
            from {matches}
            union all
            select a.element_id, m.is_sure
            from lake.element_ancestors as a
            join {matches} as m on m.element_id = a.ancestor_id""")
        self.ctes[surely] = f"select distinct element_id\nfrom {chain}\nwhere is_sure"
        self.ctes[possibly] = _lines(f"""\
            select element_id
            from {chain}
            union
            select element_id
            from {cut}""")

    def subjects(self, matches: str, *, target_only: bool) -> str:
        if target_only:
            return f"select element_id, element_id as subject_id\nfrom {matches}\nwhere is_sure"
        return _lines(f"""\
            select element_id, arg_min(subject_id, distance) as subject_id
            from (
                select element_id, element_id as subject_id, 0 as distance
                from {matches}
                where is_sure
                union all
                select a.element_id, a.ancestor_id, a.distance
                from lake.element_ancestors as a
                join {matches} as m on m.element_id = a.ancestor_id
                where m.is_sure
            ) as candidates
            group by element_id""")


def _is_about_descriptor(condition: Simple) -> bool:
    """Whether it asks only what an element is, and not where it stands."""
    match condition:
        case Position() | Only() | Root():
            return False
        case AnyOf(_, alternatives) | Not(alternatives):
            return all(
                not each.combinators and all(map(_is_about_descriptor, each.compounds[0].conditions))
                for each in alternatives
            )
        case _:
            return True


def _single(compound: Compound) -> Iterator[Simple]:
    """The conditions, with `:not(a, b)` as `:not(a):not(b)`."""
    for condition in compound.conditions:
        if isinstance(condition, Not):
            yield from (Not((each,)) for each in condition.alternatives)
        else:
            yield condition


def _union(key: str, parts: Sequence[str]) -> str:
    rows = "\n    union all\n".join(f"    select {key}, is_sure from {part}" for part in parts)
    return f"select {key}, max(is_sure) as is_sure\nfrom (\n{rows}\n) as found\ngroup by {key}"


def _select(key: str, sure: Sequence[str], source: str, joins: Sequence[str], wheres: Sequence[str]) -> str:
    """The rows for which all conditions hold, sure where each of `sure` is."""
    answer = " and ".join(sure) or "true"
    if len(sure) != 1 or not answer.endswith(".is_sure"):
        answer += " as is_sure"
    if len(sure) > 2:
        listed = "\n        and ".join(sure)
        lines = ["select distinct", f"    {key}", f"    , {listed} as is_sure"]
    else:
        lines = [f"select distinct {key}, {answer}"]
    lines += [f"from {source}", *joins]
    lines += [f"{'    and' if count else 'where'} {each}" for count, each in enumerate(wheres)]
    return "\n".join(lines)


def _lines(sql: str) -> str:
    return dedent(sql).rstrip()


def _comment(subject: object) -> str:
    # Canonical CSS has no line break in it, so it cannot leave the comment.
    text = str(subject)
    return text if len(text) <= 100 else text[:99] + "…"


def _noun(subject: Compound | Simple) -> str:
    """A word for a name in SQL: of letters and digits only, whatever the selector holds."""
    match subject:
        case Compound(conditions):
            return next(
                (_noun(each) for each in conditions if isinstance(each, Type | Id | Class | Attribute)), "any"
            )
        case Type(name) | Id(name) | Class(name) | Attribute(name):
            return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:24].rstrip("_") or "any"
        case _:
            return "any"


def _free(name: str, taken: Container[str]) -> str:
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free
