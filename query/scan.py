"""As few looks at the events as can be for the definitions of a question, which are told apart by bits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from .alternative import Alternative
from .condition import CompiledDefinition, compile_definition
from .definition import Definition
from .facts import are_enough
from .interval import Interval
from .kept_events import LAKE
from .matched import Searched, types_of
from .statement import Fragment, render


@dataclass(frozen=True, slots=True)
class Member:
    """A definition of a question: its number, and how it is asked of the rows `e` of a relation."""

    definition: Definition
    number: int
    relation: Fragment
    match: CompiledDefinition
    is_narrowed: bool = False


@dataclass(frozen=True, slots=True)
class Scan:
    """One look at a relation for the events of some definitions, which are told apart by the bits of their roles."""

    relation: Fragment
    expressions: Sequence[Fragment]
    condition: Fragment
    possibly: Fragment
    surely: Fragment
    places: Sequence[tuple[Fragment, int]] = ()
    of_event: Fragment | None = None


def bits_type_of(roles: Iterable[tuple[int, int]]) -> str:
    """The type that holds the bits of the roles."""
    return "utinyint" if max(step for step, _ in roles) <= 8 else "uinteger"


def scan_of(group: Sequence[Member], roles: Iterable[tuple[int, int]]) -> Scan:
    """One look for definitions that are asked of the same relation; `roles` are (step, number of the definition)."""
    roles = list(roles)
    bits, bits_type = _bits(roles), bits_type_of(roles)
    if len(group) == 1:
        return _alone(group[0], bits, bits_type)
    if _are_places(group):
        return _of_places(group, bits)
    return _together(group, bits, bits_type)


def of_shared_types(members: Iterable[Member]) -> list[list[Member]]:
    """The definitions that may find the same event, together."""
    groups: list[tuple[frozenset[str] | None, list[Member]]] = []
    for member in members:
        types = types_of(member.definition)
        apart, shared = [], [member]
        for of_group, group in groups:
            if types is None or of_group is None or types & of_group:
                shared = [*group, *shared]
                types = None if types is None or of_group is None else types | of_group
            else:
                apart.append((of_group, group))
        groups = [*apart, (types, shared)]
    return [group for _, group in groups]


def _bits(roles: Iterable[tuple[int, int]]) -> Mapping[int, int]:
    found: dict[int, int] = {}
    for step, number in roles:
        found[number] = found.get(number, 0) | 1 << (step - 1)
    return found


def _alone(member: Member, bits: Mapping[int, int], bits_type: str) -> Scan:
    match, own = member.match, bits[member.number]
    surely = f"case when coalesce({match.surely}, false) then {own} else 0 end::{bits_type}"
    return Scan(
        member.relation,
        match.expressions(),
        match.possibly,
        Fragment(f"{own}::{bits_type}"),
        Fragment(surely if match.has_unknown else f"{own}::{bits_type}"),
    )


def _together(group: Sequence[Member], bits: Mapping[int, int], bits_type: str) -> Scan:
    """Definitions that may find the same event: each is asked of it."""

    def asked(answer: str) -> Fragment:
        parts = (
            f"case when coalesce({getattr(member.match, answer)}, false) then {bits[member.number]} else 0 end"
            for member in group
        )
        return Fragment(f"({' | '.join(parts)})::{bits_type}")

    either = " or ".join(f"({member.match.possibly})" for member in group)
    return Scan(
        group[0].relation,
        [each for member in group for each in member.match.expressions()],
        Fragment(f"({either})"),
        asked("possibly"),
        asked("surely"),
    )


def _are_places(group: Sequence[Member]) -> bool:
    """Whether nothing but one selector each, over the same ids, tells these definitions apart."""
    first = group[0]
    return all(
        _is_place(member)
        and types_of(member.definition) == types_of(first.definition)
        and member.match.selectors[0].compiled.grain == first.match.selectors[0].compiled.grain
        for member in group
    )


def _is_place(member: Member) -> bool:
    if len(member.definition.alternatives) != 1 or len(member.match.selectors) != 1 or member.is_narrowed:
        return False
    [alternative] = member.definition.alternatives
    said = Alternative(
        types=alternative.types,
        selector=alternative.selector,
        target_only=alternative.target_only,
        pierce=alternative.pierce,
    )
    return alternative == said and alternative.interval == Interval()


def _of_places(group: Sequence[Member], bits: Mapping[int, int]) -> Scan:
    """Selectors are sets of places: one join finds the events of all of them."""
    [first, *_] = group
    selectors = [member.match.selectors[0] for member in group]
    types = sorted(types_of(first.definition) or ())
    # The values of the first one name the types.
    names = [
        f"${name}"
        for name, value in first.match.parameters.items()
        if isinstance(value, str) and value in types
    ]
    condition = f"e.type in ({', '.join(names)})" if types else "true"
    return Scan(
        first.relation,
        [],
        Fragment(condition),
        Fragment("places.possibly"),
        Fragment("places.surely"),
        [
            (Fragment(each.relation), bits[member.number])
            for each, member in zip(selectors, group, strict=True)
        ],
        Fragment(selectors[0].compiled.grain.of_event),
    )


def groups_of(searched: Searched) -> tuple[list[list[Member]], list[list[Member]]]:
    """Definitions that are looked for together: those that facts may decide, and others.

    No event is in two of them, unless it is read from kept files.
    """
    members = [
        Member(definition, number, source.relation, source.match, number in searched.narrowed)
        for number, (definition, source) in enumerate(
            zip(searched.searched, searched.sources, strict=True), 1
        )
    ]
    by_events = [[each] for each in members if each.relation != LAKE]
    by_facts: list[list[Member]] = []
    for group in of_shared_types(each for each in members if each.relation == LAKE):
        enough = all(are_enough(each.definition) and not each.is_narrowed for each in group)
        (by_facts if enough else by_events).append(group)
    return by_facts, by_events


def asked_of(group: Iterable[Member], relation: Fragment) -> list[Member]:
    """The same definitions, asked of the rows of another relation."""
    return [
        replace(
            each,
            relation=relation,
            match=compile_definition(each.definition, f"m{each.number}", relation).over_elements(),
        )
        for each in group
    ]


def rows_text(name: str, searched: Searched, groups: Sequence[Sequence[Member]], **structure: object) -> str:
    """The text that finds the rows of these groups, or the facts of them."""
    return render(
        name,
        scans=[scan_of(group, searched.roles) for group in groups],
        has_bounds=searched.structure["has_bounds"],
        has_unknown=any(source.match.has_unknown for source in searched.sources),
        bits_type=Fragment(bits_type_of(searched.roles)),
        **structure,
    )
