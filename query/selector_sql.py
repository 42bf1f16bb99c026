"""From a parse tree to SQL over the element dictionary.

Conditions on what an element is find descriptors (`descriptor_sql`), positions and combinators find elements or their
placements (`grain` says which) and previous siblings (`element_sql`); `set_sql` says how their answers are joined. The
text is plain joins over the views of `lake/sql/dictionary.sql`, its values are bound. It does not look at events, so
its cost depends on how many different elements there are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from textwrap import indent

from .descriptor_sql import DescriptorSets
from .element_sql import ElementSets
from .grain import Grain, grain_of
from .selector import Selector
from .set_sql import Sets, lines

ENGINE_VERSION = 2
"""Saved with a definition. It rises when the answer for some element changes, or a selector is no longer refused."""


@dataclass(frozen=True, slots=True)
class CompiledSelector:
    """SQL for one selector: expressions to put after `with`, in order, and the values that they bind.

    All ids are those of the `grain`. The last two are `surely(id)` and `possibly(id)`: targets for which an element of
    the chain surely, possibly matches (surely is part of possibly). `matches(id, is_sure)` names the one with those
    that match themselves. `subjects` is a select of (id, subject_id, distance): the first of the chain that surely
    matches, and how many ancestors up from the target it is. All names and values start with the prefix that was
    asked for.
    """

    ctes: tuple[tuple[str, str], ...]
    parameters: dict[str, str]
    grain: Grain
    matches: str
    surely: str
    possibly: str
    subjects: str

    def statement(self, select: str) -> str:
        """A whole statement: the expressions, then `select`."""
        bodies = [f"{name} as (\n{indent(sql, '    ')}\n)" for name, sql in self.ctes]
        return "with " + "\n, ".join(bodies) + "\n" + select

    def holds(self, expression: str) -> str:
        """True for events `e` whose place is in `expression`, one of the names above."""
        return f"{self.grain.of_event} in (select {self.grain.id} from {expression})"


def compile_selector(
    selector: Selector,
    *,
    prefix: str = "selector",
    target_only: bool = False,
    pierce: bool = False,
    grain: Grain | None = None,
) -> CompiledSelector:
    """SQL that finds the targets whose chain has an element that matches.

    With `target_only` the target itself must match. With `pierce` combinators go through shadow roots. It is judged
    over the coarsest `grain` that can answer, if none is given.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", prefix):
        raise ValueError(f"{prefix!r} is no prefix for names in SQL.")
    grain = grain or grain_of(selector)
    sets = Sets(prefix)
    elements = ElementSets(sets, DescriptorSets(sets), grain, pierce)
    matches = elements.any_of(selector.alternatives)
    surely, possibly = f"{prefix}_surely", f"{prefix}_possibly"
    if target_only:
        sets.ctes[surely] = f"select {grain.id}\nfrom {matches}\nwhere is_sure"
        sets.ctes[possibly] = f"select {grain.id}\nfrom {matches}"
        subjects = (
            f"select {grain.id}, {grain.id} as subject_id, 0 as distance\nfrom {matches}\nwhere is_sure"
        )
    else:
        sets.ctes |= _targets(matches, prefix, grain, elements.cut())
        subjects = _subjects(matches, grain)
    return CompiledSelector(
        tuple(sets.ctes.items()), sets.parameters, grain, matches, surely, possibly, subjects
    )


def _targets(matches: str, prefix: str, grain: Grain, cut: str) -> dict[str, str]:
    """The expressions `chain`, `surely` and `possibly`."""
    chain = lines(f"""\
            -- targets: what matches, and everything inside it
            select {grain.id}, is_sure
            from {matches}
            union all
            select a.{grain.id}, m.is_sure
            from {grain.ancestors} as a
            join {matches} as m on m.{grain.id} = a.ancestor_id""")
    possibly = lines(f"""\
            select {grain.id}
            from {prefix}_chain
            union
            select {grain.id}
            from {cut}""")
    return {
        f"{prefix}_chain": chain,
        f"{prefix}_surely": f"select distinct {grain.id}\nfrom {prefix}_chain\nwhere is_sure",
        f"{prefix}_possibly": possibly,
    }


def _subjects(matches: str, grain: Grain) -> str:
    return lines(f"""\
            select {grain.id}, arg_min(subject_id, distance) as subject_id, min(distance) as distance
            from (
                select {grain.id}, {grain.id} as subject_id, 0 as distance
                from {matches}
                where is_sure
                union all
                select a.{grain.id}, a.ancestor_id, a.distance
                from {grain.ancestors} as a
                join {matches} as m on m.{grain.id} = a.ancestor_id
                where m.is_sure
            ) as candidates
            group by {grain.id}""")
