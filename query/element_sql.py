"""Compounds and combinators as sets of elements or placements, and of previous siblings of placements.

What stands left of `+` and `~` is a previous sibling of what stands right of them; that is an element, or a sibling
that stands nearer. The parent and the ancestors of a sibling are those of its element.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .combinator_sql import SIBLINGS, Keys, after, directly_after, directly_inside, inside
from .descriptor_sql import DescriptorSets, is_about_descriptor, is_about_type, single
from .grain import Grain
from .position_sql import is_about_types, place, sibling_place
from .selector import AnyOf, Complex, Compound, Not, Only, Position, Root, Selector, Simple, Universal
from .set_sql import Selection, Sets, lines, noun_of, union
from .sibling_sql import siblings
from .sibling_type_sql import sibling_types

About = Literal["elements", "siblings"]
_RELATIONS = {" ": "in", ">": "in", "+": "next_to", "~": "after"}


@dataclass(frozen=True, slots=True)
class ElementSets:
    """Makes the sets of what the `grain` says, or of previous siblings, that a selector needs.

    With `pierce` ancestors are found through shadow roots.
    """

    sets: Sets
    descriptors: DescriptorSets
    grain: Grain
    pierce: bool

    def keys(self, about: About) -> Keys:
        """The columns that tell the rows of a set apart."""
        return SIBLINGS if about == "siblings" else (self.grain.id,)

    def any_of(self, alternatives: tuple[Complex, ...], about: About = "elements") -> str:
        """Those that match one of the alternatives, each in its own tree."""
        list_ = Selector(alternatives)
        made = self.sets.made.get((about, list_))
        if made:
            return made
        parts = list(dict.fromkeys(self.complex(each, about) for each in alternatives))
        if len(parts) == 1:
            return parts[0]
        sql = union(", ".join(self.keys(about)), parts)
        return self.sets.add(about, list_, f"either{_ending(about)}", sql)

    def complex(self, complex_: Complex, about: About = "elements") -> str:
        """Those that match, each in its own tree."""
        if not complex_.combinators:
            return self.compound(complex_.compounds[0], about)
        made = self.sets.made.get((about, complex_))
        if made:
            return made
        combinator = complex_.combinators[-1]
        left = Complex(complex_.compounds[:-1], complex_.combinators[:-1])
        outer = self.complex(left, "siblings" if combinator in "+~" else "elements")
        inner = self.compound(complex_.compounds[-1], about)
        keys = self.keys(about)
        match combinator:
            case " ":
                sql = inside(outer, inner, keys, self.grain, pierce=self.pierce, cut=self.cut())
            case ">":
                sql = directly_inside(outer, inner, keys, self.grain, pierce=self.pierce)
            case "~":
                sql = after(outer, inner, keys)
            case _:
                sql = directly_after(outer, inner, keys)
        words = (noun_of(complex_.compounds[-1]), _RELATIONS[combinator], noun_of(left.compounds[-1]))
        return self.sets.add(about, complex_, "_".join(words) + _ending(about), sql)

    def compound(self, compound: Compound, about: About) -> str:
        """Those for which all conditions hold."""
        made = self.sets.made.get((about, compound))
        if made:
            return made
        conditions = tuple(single(compound))
        what = Compound(
            tuple(each for each in conditions if is_about_descriptor(each) and each != Universal())
        )
        where = [each for each in conditions if not is_about_descriptor(each)]
        if about == "elements":
            selection = self.elements(what)
        elif where:
            selection = Selection(siblings(self.descriptors, what), "s", SIBLINGS, sure=["s.is_sure"])
        else:
            return siblings(self.descriptors, what)
        for condition in where:
            self.narrow(selection, condition, about, what)
        return self.sets.add(about, compound, f"{noun_of(compound)}_{about}", selection.text())

    def elements(self, what: Compound) -> Selection:
        selection = Selection(self.grain.rows, "e", self.keys("elements"))
        if what.conditions:
            name = self.descriptors.compound(what)
            selection.joins.append(f"join {name} as d on d.descriptor_id = e.descriptor_id")
            selection.sure.append("d.is_sure")
        return selection

    def narrow(self, selection: Selection, condition: Simple, about: About, what: Compound) -> None:
        """Ask one condition more of what is selected, of which it is known already that it is `what`."""
        match condition:
            case AnyOf(_, alternatives):
                selection.within(self.any_of(alternatives, about))
            case Not((each,)):
                selection.outside(self.complex(each, about))
            case Position() | Only() | Root() if about == "elements":
                stands = place(condition)
                selection.wheres.append(stands.possibly)
                if stands.surely:
                    selection.sure.append(stands.surely)
            case Position() | Only() | Root():
                types = self.types(selection.source, what) if is_about_types(condition) else ""
                joins, possibly, surely = sibling_place(condition, types)
                selection.joins.extend(joins)
                selection.wheres.append(possibly)
                selection.sure.append(surely)

    def types(self, found: str, what: Compound) -> str:
        """The places of some previous siblings among those of their type."""
        made = self.sets.made.get(("types", found))
        noun = found.removeprefix(f"{self.sets.prefix}_")
        comment = f"places among siblings of a type: {noun}"
        if made:
            return made
        said = tuple(each for each in what.conditions if is_about_type(each))
        named = self.descriptors.compound(Compound(said)) if said else ""
        return self.sets.add("types", found, f"{noun}_types", sibling_types(found, named), comment)

    def cut(self) -> str:
        """Those of which not every ancestor was captured, in their own tree or above its host."""
        name = f"{self.sets.prefix}_cut"
        if name not in self.sets.ctes:
            id_ = self.grain.id
            self.sets.ctes[name] = lines(f"""\
                -- not every ancestor was captured: above the element's own tree, or in it
                select {id_}, max(is_same_tree) as is_same_tree
                from (
                    select {id_}, true as is_same_tree
                    from {self.grain.rows}
                    where is_cut
                    union all
                    select a.{id_}, a.is_same_tree
                    from {self.grain.ancestors} as a
                    join {self.grain.rows} as e on e.{id_} = a.ancestor_id
                    where e.is_cut
                ) as cut
                group by {id_}""")
        return name


def _ending(about: About) -> str:
    return "_siblings" if about == "siblings" else ""
